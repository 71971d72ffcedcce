/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of struct space share: a range of 1,024 pages, events on it by page numbers, and
 * space_check() after each. */
#ifndef VMTRACE_TESTS_SPACE_EVENTS_H
#define VMTRACE_TESTS_SPACE_EVENTS_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "space/space.h"

#define START 0xf8000000u
#define PAGES 1024u
#define PAGE  VMT_PAGE_SIZE
#define END   (START + PAGES * PAGE)
#define P(n)  (START + (n)*PAGE)
#define MS    1000000ull
#define T0    1000000000000ull
#define TICK  (1ull << 24) /* of the touch stamps */
/* What lies so far back before a list was begun is never "touched". */
#define LONG (SPACE_SNAPSHOT_SLACK_NS + 2 * TICK)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* ---- building and applying events --------------------------------------------------- */

static inline void check(const struct space *s)
{
	struct space_totals t = space_totals(s);
	char why[256] = "";

	if (!space_check(s, why, sizeof(why)))
		fail_msg("%s", why);
	assert_int_equal((uint64_t)t.used_bytes + t.guard_bytes + t.lazy_bytes + t.free_bytes +
				 t.unknown_bytes,
			 t.total_bytes);
}

static inline void apply(struct space *s, struct event event)
{
	assert_int_equal(space_apply(s, &event), 0);
	check(s);
}

/* An event that cannot be true: told so, counted, and nothing else has changed. */
static inline void reject(struct space *s, struct event event)
{
	struct space_totals totals = space_totals(s), after;
	struct space_counters counters = *space_counters(s);
	bool uncertain = space_uncertain(s);

	assert_int_equal(space_apply(s, &event), -EINVAL);
	after = space_totals(s);
	assert_memory_equal(&after, &totals, sizeof(totals));
	counters.events++;
	counters.rejected++;
	assert_memory_equal(space_counters(s), &counters, sizeof(counters));
	assert_int_equal(space_uncertain(s), uncertain);
	check(s);
}

static inline struct event ev_alloc(uint64_t t_ns, uint32_t first, uint32_t last, uint8_t guard)
{
	return (struct event){
		.type = EV_ALLOC,
		.t_ns = t_ns,
		.start = P(first),
		.end = P(last),
		.size = (last - first) * PAGE,
		.align = PAGE,
		.guard_pages = guard,
		.kind = KIND_VMALLOC,
		.pid = 7,
		.tid = 8,
		.stack_id = 3,
		.comm_id = 4,
		.requested = (last - first - guard) * PAGE,
	};
}

static inline struct event ev_free(uint64_t t_ns, uint32_t first, uint32_t last)
{
	return (struct event){
		.type = EV_FREE,
		.t_ns = t_ns,
		.start = P(first),
		.end = P(last),
		.pid = 9,
		.comm_id = 5,
	};
}

static inline struct event ev_purge(uint64_t t_ns, uint64_t begin_ns)
{
	return (struct event){
		.type = EV_PURGE, .t_ns = t_ns, .begin_ns = begin_ns, .flags = EV_F_HAS_BEGIN};
}

static inline struct event ev_lost(uint64_t t_ns, uint8_t cause, uint32_t count)
{
	return (struct event){.type = EV_LOST, .t_ns = t_ns, .state = cause, .count = count};
}

static inline struct event ev_vfree(uint64_t t_ns, uint32_t addr, uint32_t pid)
{
	return (struct event){.type = EV_VFREE,
			      .t_ns = t_ns,
			      .start = addr,
			      .pid = pid,
			      .comm_id = 11,
			      .caller_id = 12};
}

static inline struct event ev_used(uint32_t first, uint32_t last)
{
	return (struct event){.type = EV_AREA,
			      .start = P(first),
			      .end = P(last),
			      .state = AREA_USED,
			      .kind = KIND_VMAP,
			      .guard_pages = last - first > 1,
			      .nr_pages = last - first - 1,
			      .caller_id = 21};
}

static inline struct event ev_lazy(uint32_t first, uint32_t last)
{
	return (struct event){
		.type = EV_AREA, .start = P(first), .end = P(last), .state = AREA_LAZY};
}

static inline struct event ev_mark(uint8_t type, uint64_t t_ns, uint64_t begin_ns)
{
	return (struct event){.type = type, .t_ns = t_ns, .begin_ns = begin_ns};
}

/* One whole snapshot, read in 1 ms. */
static inline void snapshot(struct space *s, uint64_t begin_ns, const struct event *areas, size_t count)
{
	apply(s, ev_mark(EV_SNAPSHOT_BEGIN, begin_ns + MS, begin_ns));
	for (size_t i = 0; i < count; i++) {
		struct event area = areas[i];

		area.t_ns = begin_ns + MS;
		area.begin_ns = begin_ns;
		apply(s, area);
	}
	apply(s, ev_mark(EV_SNAPSHOT_END, begin_ns + MS, begin_ns));
}

#define SNAPSHOT(s, begin_ns, ...)                               \
	do {                                                     \
		const struct event list_[] = {__VA_ARGS__};      \
		snapshot(s, begin_ns, list_, ARRAY_SIZE(list_)); \
	} while (0)

static inline void assert_state(const struct space *s, uint32_t first, uint32_t last,
			 enum page_state state)
{
	for (uint32_t page = first; page < last; page++) {
		if (space_page(s, P(page)) != state)
			fail_msg("page %u is %d, not %d", page, space_page(s, P(page)), state);
	}
}

static inline const struct area *area_at(const struct space *s, uint32_t first, uint32_t last,
				  uint8_t state)
{
	const struct area *area = space_area_at(s, P(first));

	assert_non_null(area);
	assert_int_equal(area->start, P(first));
	assert_int_equal(area->end, P(last));
	assert_int_equal(area->state, state);
	assert_ptr_equal(space_area_at(s, P(last) - 1), area);
	return area;
}

static inline uint64_t healed(const struct space *s)
{
	return space_counters(s)->healed_allocs + space_counters(s)->healed_frees;
}

static inline int setup(void **state)
{
	*state = space_new(START, END);
	return *state ? 0 : -1;
}

/* A space whose first snapshot listed nothing: all free, certain. */
static inline int setup_seeded(void **state)
{
	if (setup(state))
		return -1;
	snapshot(*state, T0 - LONG, NULL, 0);
	return 0;
}

static inline int teardown(void **state)
{
	space_free(*state);
	return 0;
}

#endif
