// SPDX-License-Identifier: GPL-2.0-only
/* Each event, each rule of healing and of snapshots, one by one. */
#include "space_events.h"

/* ---- one event after the other ------------------------------------------------------ */

/* Before anything is known, everything is unknown, and said to be. */
static void born_unknown(void **state)
{
	struct space *s = *state;
	struct space_totals t = space_totals(s);

	check(s);
	assert_int_equal(t.start, START);
	assert_int_equal(t.end, END);
	assert_int_equal(t.total_bytes, PAGES * PAGE);
	assert_int_equal(t.unknown_bytes, PAGES * PAGE);
	assert_int_equal(t.areas + t.lazy_areas, 0);
	assert_true(space_uncertain(s));
	assert_null(space_first(s, START));
}

/* used -> lazy -> free, with every member of the area where it belongs. */
static void life_of_an_area(void **state)
{
	struct space *s = *state;
	struct event event = ev_alloc(T0, 10, 15, 1);
	const struct area *area;

	event.flags = EV_F_STACK_CUT;
	apply(s, event);
	area = area_at(s, 10, 15, AREA_USED);
	assert_int_equal(area->birth_ns, T0);
	assert_int_equal(area->free_ns, 0);
	assert_int_equal(area_stack(area), 3);
	assert_int_equal(area->pid, 7);
	assert_int_equal(area->comm_id, 4);
	assert_int_equal(area->requested, 4 * PAGE);
	assert_int_equal(area_align(area), PAGE);
	assert_int_equal(area->kind, KIND_VMALLOC);
	assert_int_equal(area->guard_pages, 1);
	assert_int_equal(area->flags, AREA_F_STACK_CUT);
	assert_state(s, 10, 14, PAGE_USED);
	assert_state(s, 14, 15, PAGE_GUARD);
	assert_state(s, 15, 16, PAGE_UNKNOWN);

	apply(s, ev_free(T0 + MS, 10, 15));
	area = area_at(s, 10, 15, AREA_LAZY);
	assert_int_equal(area->free_ns, T0 + MS);
	assert_int_equal(area->birth_ns, T0);
	assert_int_equal(area->freer_pid, 9);
	assert_int_equal(area->freer_comm, 5);
	assert_false(area->flags & AREA_F_DEFERRED);
	assert_state(s, 10, 15, PAGE_LAZY);
	assert_int_equal(space_totals(s).lazy_areas, 1);

	apply(s, ev_purge(T0 + 3 * MS, T0 + 2 * MS));
	assert_state(s, 10, 15, PAGE_FREE);
	assert_null(space_area_at(s, P(10)));
	assert_int_equal(space_totals(s).areas + space_totals(s).lazy_areas, 0);
	assert_int_equal(space_counters(s)->allocs, 1);
	assert_int_equal(space_counters(s)->frees, 1);
	assert_int_equal(space_counters(s)->purges, 1);
	assert_int_equal(space_counters(s)->last_t_ns, T0 + 3 * MS);
	assert_int_equal(healed(s), 0);
}

/* Guard pages count apart from used ones and are lazy like the rest; own areas count in full. */
static void guard_accounting(void **state)
{
	struct space *s = *state;
	struct event own = ev_alloc(T0, 0, 8, 3);
	struct space_totals t;

	own.flags = EV_F_OWN;
	apply(s, own);
	apply(s, ev_alloc(T0, 8, 10, 1));
	apply(s, ev_alloc(T0, 10, 11, 0));
	t = space_totals(s);
	assert_int_equal(t.used_bytes, (5 + 1 + 1) * PAGE);
	assert_int_equal(t.guard_bytes, (3 + 1) * PAGE);
	assert_int_equal(t.own_bytes, 8 * PAGE);
	assert_int_equal(t.areas, 3);
	assert_state(s, 4, 5, PAGE_USED);
	assert_state(s, 5, 8, PAGE_GUARD);
	apply(s, ev_free(T0, 0, 8));
	t = space_totals(s);
	assert_int_equal(t.guard_bytes, PAGE);
	assert_int_equal(t.lazy_bytes, 8 * PAGE);
	assert_int_equal(t.own_bytes, 0);
	apply(s, ev_alloc(T0, 0, 8, 0));
	assert_int_equal(space_totals(s).guard_bytes, PAGE);
	assert_int_equal(space_totals(s).own_bytes, 0);
}

/* STACK, FAIL, TIME, a LOST of nothing and a lost stack change counters and the time only. */
static void events_beside_the_map(void **state)
{
	struct space *s = *state;
	struct space_totals before = space_totals(s), after;

	apply(s, (struct event){.type = EV_STACK, .t_ns = T0, .stack_id = 1});
	apply(s, (struct event){.type = EV_FAIL, .t_ns = T0, .size = 99 * PAGE, .err = -12});
	apply(s, ev_lost(T0, LOST_RING, 0));
	apply(s, ev_lost(T0, LOST_STACK, 2));
	apply(s, ev_lost(T0, LOST_NO_ENTRY, 3));
	apply(s, (struct event){.type = EV_TIME, .t_ns = T0 + 9});
	after = space_totals(s);
	assert_memory_equal(&after, &before, sizeof(after));
	assert_int_equal(space_counters(s)->fails, 1);
	assert_int_equal(space_counters(s)->lost, 0);
	assert_int_equal(space_counters(s)->lost_stacks, 5);
	assert_int_equal(space_counters(s)->events, 6);
	assert_int_equal(space_counters(s)->last_t_ns, T0 + 9);
	assert_int_equal(space_counters(s)->rejected, 0);
}

/* The oldest event never turns the clock back. */
static void newest_time_stays(void **state)
{
	struct space *s = *state;

	apply(s, ev_alloc(T0 + MS, 0, 2, 1));
	apply(s, ev_alloc(T0, 2, 4, 1));
	assert_int_equal(space_counters(s)->last_t_ns, T0 + MS);
}

/* Walking by space_first meets every area once, in order; outside the range there is none. */
static void walk_and_look_up(void **state)
{
	static const uint32_t want[] = {0, 5, 1020};
	struct space *s = *state;
	const struct area *area;
	size_t n = 0;

	apply(s, ev_alloc(T0, 5, 9, 1));
	apply(s, ev_alloc(T0, 1020, 1024, 1));
	apply(s, ev_alloc(T0, 0, 5, 1));
	apply(s, ev_free(T0, 5, 9));
	for (area = space_first(s, START); area; area = space_first(s, area->end))
		assert_int_equal(area->start, P(want[n++]));
	assert_int_equal(n, 3);
	assert_int_equal(space_first(s, P(5) + 1)->start, P(1020));
	assert_int_equal(space_first(s, 0)->start, P(0));
	assert_null(space_first(s, P(1021)));
	assert_null(space_first(s, UINT32_MAX));
	assert_null(space_area_at(s, START - 1));
	assert_null(space_area_at(s, END));
	assert_int_equal(space_page(s, START - 1), PAGE_UNKNOWN);
	assert_int_equal(space_page(s, END), PAGE_UNKNOWN);
	assert_false(space_touched_since(s, START - PAGE, END, 0));
}

/* ---- self-healing ------------------------------------------------------------------- */

/* ALLOC over a lazy area, whole or part: all of it was purged; no error. */
static void alloc_over_lazy(void **state)
{
	struct space *s = *state;

	apply(s, ev_alloc(T0, 10, 20, 1));
	apply(s, ev_alloc(T0, 20, 30, 1));
	apply(s, ev_alloc(T0, 30, 40, 1));
	apply(s, ev_free(T0, 10, 20));
	apply(s, ev_free(T0, 20, 30));
	apply(s, ev_free(T0, 30, 40));
	apply(s, ev_alloc(T0 + MS, 18, 22, 1));
	area_at(s, 18, 22, AREA_USED);
	assert_state(s, 10, 18, PAGE_FREE);
	assert_state(s, 22, 30, PAGE_FREE);
	area_at(s, 30, 40, AREA_LAZY);
	apply(s, ev_alloc(T0 + MS, 30, 40, 1));
	area_at(s, 30, 40, AREA_USED);
	assert_int_equal(space_totals(s).lazy_areas, 0);
	assert_int_equal(healed(s), 0);
}

/* ALLOC over used areas, the same range or part of several: each proves one lost FREE. */
static void alloc_over_used(void **state)
{
	struct space *s = *state;

	apply(s, ev_alloc(T0, 10, 20, 1));
	apply(s, ev_alloc(T0 + MS, 10, 20, 2));
	assert_int_equal(space_counters(s)->healed_frees, 1);
	assert_int_equal(area_at(s, 10, 20, AREA_USED)->birth_ns, T0 + MS);
	assert_int_equal(space_totals(s).guard_bytes, 2 * PAGE);
	apply(s, ev_alloc(T0, 20, 30, 1));
	apply(s, ev_alloc(T0, 15, 25, 1));
	assert_int_equal(space_counters(s)->healed_frees, 3);
	assert_state(s, 10, 15, PAGE_FREE);
	area_at(s, 15, 25, AREA_USED);
	assert_state(s, 25, 30, PAGE_FREE);
	apply(s, ev_alloc(T0, 17, 18, 0));
	assert_int_equal(space_counters(s)->healed_frees, 4);
	assert_int_equal(space_totals(s).areas, 1);
	assert_int_equal(space_counters(s)->healed_allocs, 0);
}

/* FREE of a range that is free after the seed: its ALLOC was lost; it is lazy now. */
static void free_of_free(void **state)
{
	struct space *s = *state;
	const struct area *area;

	apply(s, ev_free(T0, 10, 20));
	area = area_at(s, 10, 20, AREA_LAZY);
	assert_int_equal(area->free_ns, T0);
	assert_int_equal(area->freer_pid, 9);
	assert_int_equal(area->flags, AREA_F_SEEDED);
	assert_int_equal(space_counters(s)->healed_allocs, 1);
}

/* Before the first snapshot a FREE of unknown pages is no news: the area was simply older. */
static void free_of_unknown(void **state)
{
	struct space *s = *state;

	apply(s, ev_free(T0, 10, 20));
	area_at(s, 10, 20, AREA_LAZY);
	assert_int_equal(healed(s), 0);
	apply(s, ev_purge(T0 + 2, T0 + 1));
	assert_state(s, 10, 20, PAGE_FREE);
	assert_state(s, 20, 21, PAGE_UNKNOWN);
}

/* FREE of a lazy range, the same or part of it: an ALLOC was lost between. */
static void free_of_lazy(void **state)
{
	struct space *s = *state;

	apply(s, ev_alloc(T0, 10, 20, 1));
	apply(s, ev_free(T0 + 1, 10, 20));
	apply(s, ev_free(T0 + 2, 10, 20));
	assert_int_equal(area_at(s, 10, 20, AREA_LAZY)->free_ns, T0 + 2);
	assert_int_equal(space_counters(s)->healed_allocs, 1);
	apply(s, ev_free(T0 + 3, 12, 15));
	assert_int_equal(space_counters(s)->healed_allocs, 2);
	assert_state(s, 10, 12, PAGE_FREE);
	area_at(s, 12, 15, AREA_LAZY);
	assert_state(s, 15, 20, PAGE_FREE);
}

/* FREE of a range that no area has in this form: what overlaps it was wrong. */
static void free_of_mismatched(void **state)
{
	struct space *s = *state;

	apply(s, ev_alloc(T0, 10, 20, 1));
	apply(s, ev_alloc(T0, 20, 30, 1));
	apply(s, ev_alloc(T0, 30, 40, 1));
	apply(s, ev_free(T0 + 1, 10, 19)); /* same start, another end */
	area_at(s, 10, 19, AREA_LAZY);
	assert_state(s, 19, 20, PAGE_FREE);
	apply(s, ev_free(T0 + 1, 25, 32)); /* the end of one and the start of the next */
	area_at(s, 25, 32, AREA_LAZY);
	assert_state(s, 20, 25, PAGE_FREE);
	assert_state(s, 32, 40, PAGE_FREE);
	assert_int_equal(space_totals(s).areas, 0);
	assert_int_equal(space_counters(s)->healed_allocs, 2);
}

/* VFREE names who freed; a FREE from another process was deferred. */
static void vfree_names_the_freer(void **state)
{
	struct space *s = *state;
	const struct area *area;

	apply(s, ev_alloc(T0, 0, 5, 1));
	apply(s, ev_alloc(T0, 5, 9, 1));
	apply(s, ev_vfree(T0 + 1, P(0), 44));
	assert_int_equal(area_at(s, 0, 5, AREA_USED)->freer_pid, 44);
	apply(s, ev_free(T0 + 2, 0, 5)); /* by pid 9 */
	area = area_at(s, 0, 5, AREA_LAZY);
	assert_int_equal(area->freer_pid, 44);
	assert_int_equal(area->freer_comm, 11);
	assert_int_equal(area->freer_caller, 12);
	assert_true(area->flags & AREA_F_DEFERRED);

	apply(s, ev_vfree(T0 + 1, P(5), 9));
	apply(s, ev_free(T0 + 2, 5, 9));
	area = area_at(s, 5, 9, AREA_LAZY);
	assert_int_equal(area->freer_caller, 12);
	assert_false(area->flags & AREA_F_DEFERRED);
}

/* vfree in a softirq on an idle CPU is made by pid 0; it is the freer like any other. */
static void vfree_by_the_idle_task(void **state)
{
	struct space *s = *state;
	const struct area *area;

	apply(s, ev_alloc(T0, 0, 5, 1));
	apply(s, ev_vfree(T0 + 1, P(0), 0));
	apply(s, ev_free(T0 + 2, 0, 5)); /* by the kworker, pid 9 */
	area = area_at(s, 0, 5, AREA_LAZY);
	assert_int_equal(area->freer_comm, 11);
	assert_int_equal(area->freer_pid, 0);
	assert_true(area->flags & AREA_F_DEFERRED);
}

/* VFREE of what is no used area's start is the kernel's business: accepted, no effect. */
static void vfree_of_nothing(void **state)
{
	static const uint32_t addrs[] = {0, START - PAGE, P(1), P(10), P(20), END, UINT32_MAX};
	struct space *s = *state;

	apply(s, ev_alloc(T0, 0, 5, 1));
	apply(s, ev_alloc(T0, 10, 15, 1));
	apply(s, ev_free(T0, 10, 15));
	for (size_t i = 0; i < ARRAY_SIZE(addrs); i++)
		apply(s, ev_vfree(T0, addrs[i], 44));
	assert_int_equal(area_at(s, 0, 5, AREA_USED)->freer_pid, 0);
	assert_int_equal(area_at(s, 10, 15, AREA_LAZY)->freer_pid, 9);
}

/* An event that cannot be true leaves the model as it was. */
static void rejected_events(void **state)
{
	static const uint32_t bad[][2] = {
		{P(1) + 1, P(3)},
		{P(1), P(3) - 1},
		{START - PAGE, P(3)},
		{P(1020), END + PAGE},
		{P(3), P(3)},
		{P(4), P(3)},
		{0, 0},
		{START - PAGE, START},
		{END, END + PAGE},
		{P(1), 0},
		{0, UINT32_MAX},
	};
	struct space *s = *state;
	struct event event;

	apply(s, ev_alloc(T0, 0, 5, 1));
	apply(s, ev_alloc(T0, 10, 15, 1));
	apply(s, ev_free(T0, 10, 15));
	apply(s, ev_mark(EV_SNAPSHOT_BEGIN, T0, T0));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		event = (struct event){.t_ns = T0 + MS, .start = bad[i][0], .end = bad[i][1]};
		event.type = EV_ALLOC;
		reject(s, event);
		event.type = EV_FREE;
		reject(s, event);
		event.type = EV_AREA;
		event.state = AREA_USED;
		reject(s, event);
	}
	reject(s, ev_alloc(T0 + MS, 0, 5, 5)); /* no page but the guard */
	reject(s, ev_alloc(T0 + MS, 20, 21, 1));
	reject(s, ev_alloc(T0 + MS, 20, 21, 255));
	event = ev_used(0, 5);
	event.guard_pages = 5;
	reject(s, event);
	event = ev_used(30, 35);
	event.state = 0;
	reject(s, event);
	event.state = 3;
	reject(s, event);
	reject(s, (struct event){.type = EV_NONE, .t_ns = T0 + MS});
	reject(s, (struct event){.type = EV_TYPE_COUNT, .t_ns = T0 + MS});
	reject(s, (struct event){.type = 255, .t_ns = T0 + MS});
	assert_int_equal(space_counters(s)->last_t_ns, T0);
}

/* AREA and END mean nothing outside a snapshot. */
static void areas_outside_a_snapshot(void **state)
{
	struct space *s = *state;

	reject(s, ev_used(0, 5));
	reject(s, ev_mark(EV_SNAPSHOT_END, T0, T0));
	snapshot(s, T0, NULL, 0);
	reject(s, ev_used(0, 5));
	reject(s, ev_mark(EV_SNAPSHOT_END, T0, T0));
}

/* ---- snapshots ---------------------------------------------------------------------- */

/* The first snapshot makes everything known, and nothing of it counts as repaired. */
static void first_snapshot(void **state)
{
	struct space *s = *state;
	const struct area *area;

	apply(s, ev_alloc(T0, 50, 55, 1));
	apply(s, ev_free(T0, 60, 65));
	assert_true(space_uncertain(s));
	SNAPSHOT(s, T0 + MS, ev_used(10, 15), ev_lazy(20, 30), ev_used(50, 55), ev_lazy(60, 65));
	assert_int_equal(space_totals(s).unknown_bytes, 0);
	assert_false(space_uncertain(s));
	assert_int_equal(space_counters(s)->repaired, 0);
	assert_int_equal(space_counters(s)->snapshots, 1);
	area = area_at(s, 10, 15, AREA_USED);
	assert_int_equal(area->flags, AREA_F_SEEDED | AREA_F_LISTED);
	assert_int_equal(area_caller(area), 21);
	assert_int_equal(area->nr_pages, 4);
	assert_int_equal(area->kind, KIND_VMAP);
	assert_int_equal(area->birth_ns, T0 + 2 * MS);
	assert_state(s, 14, 15, PAGE_GUARD);
	assert_int_equal(area_at(s, 20, 30, AREA_LAZY)->free_ns, T0 + MS);
	/* what events told is kept */
	assert_int_equal(area_stack(area_at(s, 50, 55, AREA_USED)), 3);
	assert_int_equal(area_at(s, 60, 65, AREA_LAZY)->free_ns, T0);
	assert_state(s, 0, 10, PAGE_FREE);
	assert_state(s, 65, PAGES, PAGE_FREE);
}

/* A purge that began before the seed saw an area lazy says nothing about it; the next one does. */

/* A later snapshot adds what is missing and drops what is extra, and counts both. */
static void snapshot_repairs(void **state)
{
	struct space *s = *state;

	apply(s, ev_alloc(T0, 10, 20, 1)); /* extra */
	apply(s, ev_alloc(T0, 20, 30, 1)); /* stays */
	apply(s, ev_alloc(T0, 40, 50, 1)); /* has another end by now */
	apply(s, ev_alloc(T0, 60, 70, 1)); /* is lazy by now */
	apply(s, ev_alloc(T0, 80, 90, 1)); /* lazy here, used again there */
	apply(s, ev_free(T0, 80, 90));
	SNAPSHOT(s, T0 + LONG, ev_used(2, 4), ev_used(20, 30), ev_used(40, 45), ev_lazy(60, 70),
		 ev_used(80, 90));
	assert_state(s, 10, 20, PAGE_FREE);
	assert_int_equal(area_at(s, 2, 4, AREA_USED)->flags, AREA_F_SEEDED | AREA_F_LISTED);
	assert_int_equal(area_stack(area_at(s, 20, 30, AREA_USED)), 3);
	assert_int_equal(area_stack(area_at(s, 40, 45, AREA_USED)), 0);
	assert_state(s, 45, 50, PAGE_FREE);
	area_at(s, 60, 70, AREA_LAZY);
	area_at(s, 80, 90, AREA_USED);
	assert_int_equal(space_totals(s).areas, 4);
	assert_int_equal(space_counters(s)->repaired, 5);
	/* the same list again finds nothing to do */
	SNAPSHOT(s, T0 + 2 * LONG, ev_used(2, 4), ev_used(20, 30), ev_used(40, 45), ev_lazy(60, 70),
		 ev_used(80, 90));
	assert_int_equal(space_counters(s)->repaired, 5);
}

/* Kind, caller and pages= of the list complete an area without a stack, and only that. */
static void snapshot_enriches(void **state)
{
	struct space *s = *state;
	struct event bare = ev_alloc(T0, 0, 5, 1);
	const struct area *area;

	bare.kind = KIND_UNKNOWN;
	bare.stack_id = 0;
	apply(s, bare);
	apply(s, ev_alloc(T0, 5, 10, 1));
	SNAPSHOT(s, T0 + LONG, ev_used(0, 5), ev_used(5, 10));
	area = area_at(s, 0, 5, AREA_USED);
	assert_int_equal(area->kind, KIND_VMAP);
	assert_int_equal(area_caller(area), 21);
	assert_int_equal(area->nr_pages, 4);
	assert_int_equal(area->birth_ns, T0);
	area = area_at(s, 5, 10, AREA_USED);
	assert_int_equal(area->kind, KIND_VMALLOC);
	assert_int_equal(area_caller(area), 0);
	assert_int_equal(space_counters(s)->repaired, 0);
}

/* Pages that an event touched since begin - slack keep what the event said. */
static void snapshot_respects_touched(void **state)
{
	struct space *s = *state;
	uint64_t begin = T0 + LONG, late = begin - SPACE_SNAPSHOT_SLACK_NS;

	apply(s, ev_alloc(T0, 10, 20, 1));
	apply(s, ev_alloc(T0, 30, 40, 1));
	apply(s, ev_alloc(T0, 50, 60, 1));
	apply(s, ev_free(T0, 50, 60));
	apply(s, ev_alloc(late, 0, 5, 1));	    /* the list lacks it */
	apply(s, ev_free(begin + MS, 10, 20));	    /* the list has it as used */
	apply(s, ev_purge(begin + MS, begin - MS)); /* of 50-60: the list has it as lazy */
	apply(s, ev_alloc(begin + MS, 70, 72, 1));  /* inside a longer line of the list */
	SNAPSHOT(s, begin, ev_used(10, 20), ev_used(30, 40), ev_lazy(50, 60), ev_used(69, 75));
	area_at(s, 0, 5, AREA_USED);
	area_at(s, 10, 20, AREA_LAZY);
	area_at(s, 30, 40, AREA_USED);
	assert_state(s, 50, 60, PAGE_FREE);
	assert_state(s, 69, 70, PAGE_FREE);
	area_at(s, 70, 72, AREA_USED);
	assert_state(s, 72, 75, PAGE_FREE);
	assert_int_equal(space_counters(s)->repaired, 0);
}

/* A touch more than a tick before begin - slack protects nothing. */
static void snapshot_ignores_old_touches(void **state)
{
	struct space *s = *state;
	uint64_t begin = T0 + LONG;

	apply(s, ev_alloc(begin - SPACE_SNAPSHOT_SLACK_NS - TICK, 0, 5, 1));
	assert_false(space_touched_since(s, P(0), P(5), begin - SPACE_SNAPSHOT_SLACK_NS));
	snapshot(s, begin, NULL, 0);
	assert_state(s, 0, 5, PAGE_FREE);
	assert_int_equal(space_counters(s)->repaired, 1);
}

/* One lazy line is several model areas and news between them: the areas stay as they are. */
static void lazy_line_over_lazies(void **state)
{
	struct space *s = *state;

	apply(s, ev_alloc(T0, 10, 15, 1));
	apply(s, ev_alloc(T0, 15, 20, 1));
	apply(s, ev_alloc(T0, 25, 30, 1));
	apply(s, ev_free(T0 + 1, 10, 15));
	apply(s, ev_free(T0 + 2, 15, 20));
	apply(s, ev_free(T0 + 3, 25, 30));
	SNAPSHOT(s, T0 + LONG, ev_lazy(8, 32));
	assert_int_equal(area_at(s, 8, 10, AREA_LAZY)->free_ns, T0 + LONG);
	assert_int_equal(area_at(s, 10, 15, AREA_LAZY)->free_ns, T0 + 1);
	assert_int_equal(area_at(s, 15, 20, AREA_LAZY)->free_ns, T0 + 2);
	area_at(s, 20, 25, AREA_LAZY);
	area_at(s, 25, 30, AREA_LAZY);
	area_at(s, 30, 32, AREA_LAZY);
	assert_int_equal(space_totals(s).lazy_bytes, 24 * PAGE);
	assert_int_equal(space_counters(s)->repaired, 0);
	assert_int_equal(space_counters(s)->lazy_settled, 3);
}

/* A lazy line over a used area that nothing touched: its FREE was lost. A touched one stays. */
static void lazy_line_over_used(void **state)
{
	struct space *s = *state;
	uint64_t begin = T0 + LONG;

	apply(s, ev_alloc(T0, 10, 20, 1));
	apply(s, ev_alloc(begin, 20, 24, 1));
	apply(s, ev_alloc(T0, 30, 40, 1));
	SNAPSHOT(s, begin, ev_lazy(5, 35)); /* the line covers the half of 30-40 */
	area_at(s, 5, 20, AREA_LAZY);
	area_at(s, 20, 24, AREA_USED);
	area_at(s, 24, 35, AREA_LAZY);
	assert_state(s, 35, 40, PAGE_FREE);
	assert_int_equal(space_counters(s)->repaired, 2);
	assert_int_equal(space_counters(s)->lazy_settled, 0);
	assert_int_equal(space_totals(s).areas, 1);
}

/* A lazy area of which the list has parts keeps just these, with its owner. */
static void lazy_areas_are_trimmed(void **state)
{
	struct space *s = *state;

	apply(s, ev_alloc(T0, 10, 30, 1));
	apply(s, ev_alloc(T0, 40, 50, 1));
	apply(s, ev_free(T0 + 1, 10, 30));
	apply(s, ev_free(T0 + 1, 40, 50));
	SNAPSHOT(s, T0 + LONG, ev_lazy(12, 15), ev_lazy(20, 22), ev_lazy(28, 30));
	assert_state(s, 10, 12, PAGE_FREE);
	assert_int_equal(area_stack(area_at(s, 12, 15, AREA_LAZY)), 3);
	area_at(s, 20, 22, AREA_LAZY);
	assert_int_equal(area_at(s, 28, 30, AREA_LAZY)->free_ns, T0 + 1);
	assert_state(s, 15, 20, PAGE_FREE);
	assert_state(s, 40, 50, PAGE_FREE);
	assert_int_equal(space_totals(s).lazy_areas, 3);
	assert_int_equal(space_counters(s)->repaired, 0);
	assert_int_equal(space_counters(s)->lazy_settled, 2);
	apply(s, ev_purge(T0 + LONG + 9, T0 + LONG + 8));
	assert_int_equal(space_totals(s).lazy_bytes, 0);
}

/* A FREE is seen before its area is on the kernel's lazy list: a purge that begins in between may
 * leave it there or take it, whatever the times say. Neither is a missed event. */
static void purge_race(void **state)
{
	struct space *s = *state;

	apply(s, ev_alloc(T0, 0, 5, 1));
	apply(s, ev_alloc(T0, 10, 15, 1));
	apply(s, ev_free(T0 + 1, 0, 5));
	apply(s, ev_purge(T0 + 9, T0 + 2)); /* missed 0-5, which came later */
	apply(s, ev_free(T0 + 10, 10, 15));
	apply(s, ev_purge(T0 + 12, T0 + 10)); /* took 10-15 */
	assert_state(s, 0, 5, PAGE_FREE);
	area_at(s, 10, 15, AREA_LAZY);
	SNAPSHOT(s, T0 + LONG, ev_lazy(0, 5));
	area_at(s, 0, 5, AREA_LAZY);
	assert_state(s, 10, 15, PAGE_FREE);
	assert_int_equal(space_counters(s)->repaired, 0);
	assert_int_equal(space_healed(space_counters(s)), 0);
	assert_int_equal(space_counters(s)->lazy_settled, 2);
}

/* A lazy area of which a part is in use again keeps the part that the list has as lazy, whichever
 * of the two lines comes first. */
static void used_line_over_part_of_a_lazy(void **state)
{
	struct space *s = *state;

	apply(s, ev_alloc(T0, 10, 20, 1));
	apply(s, ev_alloc(T0, 30, 40, 1));
	apply(s, ev_free(T0 + 1, 10, 20));
	apply(s, ev_free(T0 + 1, 30, 40));
	SNAPSHOT(s, T0 + LONG, ev_used(10, 15), ev_lazy(15, 20), ev_lazy(30, 35), ev_used(35, 42));
	area_at(s, 10, 15, AREA_USED);
	assert_state(s, 15, 20, PAGE_LAZY);
	assert_state(s, 30, 35, PAGE_LAZY);
	area_at(s, 35, 42, AREA_USED);
}

/* Many repairs at once: the slot table grows while it is walked. */
static void snapshot_of_many(void **state)
{
	struct space *s = *state;
	struct event list[PAGES / 2];

	for (uint32_t i = 0; i < PAGES / 64; i++) {
		apply(s, ev_alloc(T0, 64 * i, 64 * i + 64, 0));
		apply(s, ev_free(T0, 64 * i, 64 * i + 64));
	}
	for (uint32_t i = 0; i < PAGES / 2; i++)
		list[i] = ev_lazy(2 * i, 2 * i + 1);
	snapshot(s, T0 + LONG, list, PAGES / 2);
	assert_int_equal(space_totals(s).lazy_areas, PAGES / 2);
	for (uint32_t i = 0; i < PAGES / 2; i++)
		list[i] = ev_used(2 * i + 1, 2 * i + 2);
	snapshot(s, T0 + 2 * LONG, list, PAGES / 2);
	assert_int_equal(space_totals(s).areas, PAGES / 2);
	assert_int_equal(space_totals(s).lazy_areas, 0);
}

/* A snapshot that was not read to its end removes nothing; the next one starts anew. */
static void snapshot_cut_off(void **state)
{
	struct space *s = *state;

	apply(s, ev_alloc(T0, 10, 20, 1));
	apply(s, ev_alloc(T0, 20, 30, 1));
	apply(s, ev_mark(EV_SNAPSHOT_BEGIN, T0 + LONG, T0 + LONG));
	apply(s, ev_used(10, 20));
	SNAPSHOT(s, T0 + LONG + MS, ev_used(20, 30));
	assert_state(s, 10, 20, PAGE_FREE);
	area_at(s, 20, 30, AREA_USED);
	assert_int_equal(space_counters(s)->snapshots, 2); /* one from the set-up */
}

/* A line listed twice is one area. */
static void snapshot_with_duplicates(void **state)
{
	struct space *s = *state;

	SNAPSHOT(s, T0, ev_used(10, 20), ev_used(10, 20), ev_lazy(30, 40), ev_lazy(30, 40));
	assert_int_equal(space_totals(s).areas, 1);
	assert_int_equal(space_totals(s).lazy_areas, 1);
}

/* An area is in the list before its ALLOC is reported: that is no lost FREE. */
static void late_alloc_confirms(void **state)
{
	struct space *s = *state;
	struct event event = ev_alloc(T0 + 10 * MS, 10, 20, 1);

	SNAPSHOT(s, T0, ev_used(10, 20), ev_used(30, 40), ev_used(50, 60)); /* ends at T0 + MS */
	event.latency_ns = 9 * MS;
	apply(s, event);
	assert_int_equal(healed(s), 0);
	assert_int_equal(area_stack(area_at(s, 10, 20, AREA_USED)), 3);
	assert_int_equal(area_at(s, 10, 20, AREA_USED)->flags, 0);
	apply(s, event); /* the second is no seeded area any more */
	assert_int_equal(space_counters(s)->healed_frees, 1);

	event = ev_alloc(T0 + 10 * MS, 30, 40, 1); /* entered after the end of the list */
	event.latency_ns = 9 * MS - 1;
	apply(s, event);
	assert_int_equal(space_counters(s)->healed_frees, 2);
	event = ev_alloc(T0 + 10 * MS, 50, 59, 1); /* another range */
	event.latency_ns = 10 * MS;
	apply(s, event);
	assert_int_equal(space_counters(s)->healed_frees, 3);
}

/* ---- losses ------------------------------------------------------------------------- */

/* Every cause that hurts the map makes it uncertain; the harmless ones never do. */
static void losses_that_hurt(void **state)
{
	struct space *s = *state;
	uint64_t t = T0;

	for (uint8_t cause = LOST_RING; cause < LOST_CAUSE_COUNT; cause++) {
		bool hurts = cause != LOST_STACK && cause != LOST_NO_ENTRY &&
			     cause != LOST_INFLIGHT && cause != LOST_DETAIL;
		uint64_t lost = space_counters(s)->lost;

		apply(s, ev_lost(t, cause, 2));
		assert_int_equal(space_uncertain(s), hurts);
		assert_int_equal(space_counters(s)->lost, lost + 2 * hurts);
		snapshot(s, t + LONG, NULL, 0);
		assert_false(space_uncertain(s));
		t += 2 * LONG;
	}
	assert_int_equal(space_counters(s)->lost_stacks, 8);
	apply(s, ev_lost(t, LOST_RING, 0));
	assert_false(space_uncertain(s));
}

/* A snapshot begun before the loss does not clear it, one begun later does. */
static void loss_and_snapshot(void **state)
{
	struct space *s = *state;

	apply(s, ev_lost(T0, LOST_RING, 1));
	snapshot(s, T0 - MS, NULL, 0); /* ends after the loss */
	assert_true(space_uncertain(s));
	snapshot(s, T0, NULL, 0);
	assert_true(space_uncertain(s));
	apply(s, ev_mark(EV_SNAPSHOT_BEGIN, T0 + LONG, T0 + LONG));
	assert_true(space_uncertain(s));
	apply(s, ev_lost(T0 + LONG + MS, LOST_RING, 1)); /* while it is read */
	apply(s, ev_mark(EV_SNAPSHOT_END, T0 + LONG + 2 * MS, T0 + LONG));
	assert_true(space_uncertain(s));
	snapshot(s, T0 + 3 * LONG, NULL, 0);
	assert_false(space_uncertain(s));
}

/*
 * A loss within the slack before the snapshot: the page of a lost FREE was touched too late for
 * the list to put it right, so the map may still be wrong and must say so.
 */
static void loss_inside_the_slack(void **state)
{
	struct space *s = *state;

	apply(s, ev_alloc(T0 - 10 * MS, 10, 20, 1));
	/* its FREE and the PURGE are lost here */
	apply(s, ev_lost(T0 - MS, LOST_RING, 2));
	snapshot(s, T0, NULL, 0);
	area_at(s, 10, 20, AREA_USED); /* wrong, as it has to be by the rule of the slack */
	assert_true(space_uncertain(s));
	snapshot(s, T0 + LONG, NULL, 0);
	assert_state(s, 10, 20, PAGE_FREE);
	assert_false(space_uncertain(s));
}

/* ---- extremes ----------------------------------------------------------------------- */

/* A range just below 4 GiB: no sum wraps. */
static void range_near_4g(void **state)
{
	uint32_t start = 0xf7ffe000u, end = 0xff5fe000u;
	struct space *s = space_new(start, end);
	struct event event = {.type = EV_ALLOC,
			      .t_ns = T0,
			      .start = end - 4 * PAGE,
			      .end = end,
			      .guard_pages = 1};
	struct event free_all = {.type = EV_FREE, .t_ns = T0, .start = start, .end = end};

	(void)state;
	assert_non_null(s);
	apply(s, event);
	assert_int_equal(space_page(s, end - PAGE), PAGE_GUARD);
	assert_int_equal(space_first(s, end - 4 * PAGE)->end, end);
	assert_null(space_first(s, end - 4 * PAGE + 1));
	assert_null(space_first(s, end));
	assert_null(space_first(s, UINT32_MAX));
	assert_int_equal(space_end(s), end);
	event.start = end - PAGE;
	event.end = end + PAGE;
	reject(s, event);
	event.end = 0;
	reject(s, event);
	apply(s, free_all);
	assert_int_equal(space_totals(s).lazy_bytes, end - start);
	space_free(s);
}

/* The largest range, 3 GiB, and the highest end there can be. */
static void range_of_3g(void **state)
{
	uint32_t start = 0x3ffff000u, end = 0xfffff000u;
	struct space *s = space_new(start, end);
	struct event event = {
		.type = EV_ALLOC, .t_ns = T0, .start = start, .end = end, .guard_pages = 1};

	(void)state;
	assert_non_null(s);
	apply(s, event);
	assert_int_equal(space_totals(s).total_bytes, 0xc0000000u);
	assert_int_equal(space_totals(s).used_bytes, 0xc0000000u - PAGE);
	assert_null(space_first(s, UINT32_MAX));
	assert_null(space_first(s, end));
	event.type = EV_FREE;
	apply(s, event);
	apply(s, ev_purge(T0 + 2, T0 + 1));
	assert_int_equal(space_totals(s).free_bytes, 0xc0000000u);
	space_free(s);
}

static void ranges_refused(void **state)
{
	(void)state;
	assert_null(space_new(START, START));
	assert_null(space_new(END, START));
	assert_null(space_new(START + 1, END));
	assert_null(space_new(START, END - 1));
	assert_null(space_new(0x3fffe000u, 0xfffff000u));
	assert_null(space_new(0, END - START)); /* 0 is "no address" */
	space_free(NULL);
}

/* The stamps of touched pages wrap after 2^31 ticks (417 days): comparisons go on across it. */
static void touch_stamps_wrap(void **state)
{
	struct space *s = *state;
	uint64_t wrap = 1ull << 55; /* ticks of 2^24 ns in 31 bits */

	snapshot(s, wrap - 10 * LONG, NULL, 0);
	apply(s, ev_alloc(wrap - 2 * LONG, 0, 5, 1));
	apply(s, ev_alloc(wrap - 1, 10, 15, 1));
	apply(s, ev_alloc(wrap, 20, 25, 1)); /* stamp 0 is "never": it must not be that */
	apply(s, ev_alloc(wrap + TICK, 30, 35, 1));
	/* The last two ticks before the first one have its stamp. */
	assert_true(space_touched_since(s, P(10), P(15), wrap - TICK));
	assert_false(space_touched_since(s, P(10), P(15), wrap + 2 * TICK));
	assert_true(space_touched_since(s, P(20), P(25), wrap - TICK));
	assert_true(space_touched_since(s, P(20), P(25), wrap));
	assert_false(space_touched_since(s, P(20), P(25), wrap + 2 * TICK));
	/* the newest event is what it is since */
	apply(s, ev_alloc(wrap + 3 * TICK, 50, 55, 1));
	assert_false(space_touched_since(s, P(20), P(25), wrap + 2 * TICK));
	apply(s, ev_free(wrap + 3 * TICK, 50, 55));
	assert_true(space_touched_since(s, P(30), P(35), wrap - LONG));
	assert_false(space_touched_since(s, P(40), P(45), wrap - LONG));
	/* begin after, pages touched on both sides of the wrap and within the slack */
	snapshot(s, wrap + SPACE_SNAPSHOT_SLACK_NS, NULL, 0);
	assert_state(s, 0, 5, PAGE_FREE);
	area_at(s, 20, 25, AREA_USED);
	area_at(s, 30, 35, AREA_USED);
	snapshot(s, wrap + 3 * LONG, NULL, 0);
	assert_int_equal(space_totals(s).areas, 0);
}

/* However long after the last touch, it is still long ago: not only up to half a round of the stamps. */
static void touched_a_year_ago(void **state)
{
	struct space *s = *state;
	uint64_t year = 365ull * 24 * 3600 * 1000000000ull;

	apply(s, ev_alloc(T0, 0, 5, 1));
	assert_false(space_touched_since(s, P(0), P(5), T0 + year));
	apply(s, ev_alloc(T0 + year, 10, 15, 1));
	apply(s, ev_free(T0 + year, 10, 15));
	assert_false(space_touched_since(s, P(0), P(5), T0 + year - LONG));
	assert_true(space_touched_since(s, P(10), P(15), T0 + year - LONG));
	snapshot(s, T0 + year, NULL, 0);
	assert_state(s, 0, 5, PAGE_FREE);
}

#define FRESH(f)  cmocka_unit_test_setup_teardown(f, setup, teardown)
#define SEEDED(f) cmocka_unit_test_setup_teardown(f, setup_seeded, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(born_unknown),
		FRESH(life_of_an_area),
		FRESH(guard_accounting),
		FRESH(events_beside_the_map),
		FRESH(newest_time_stays),
		FRESH(walk_and_look_up),
		FRESH(alloc_over_lazy),
		FRESH(alloc_over_used),
		SEEDED(free_of_free),
		FRESH(free_of_unknown),
		SEEDED(free_of_lazy),
		FRESH(free_of_mismatched),
		FRESH(vfree_names_the_freer),
		FRESH(vfree_by_the_idle_task),
		FRESH(vfree_of_nothing),
		FRESH(rejected_events),
		FRESH(areas_outside_a_snapshot),
		FRESH(first_snapshot),
		SEEDED(snapshot_repairs),
		SEEDED(snapshot_enriches),
		SEEDED(snapshot_respects_touched),
		SEEDED(snapshot_ignores_old_touches),
		SEEDED(lazy_line_over_lazies),
		SEEDED(lazy_line_over_used),
		SEEDED(lazy_areas_are_trimmed),
		SEEDED(purge_race),
		SEEDED(used_line_over_part_of_a_lazy),
		SEEDED(snapshot_of_many),
		SEEDED(snapshot_cut_off),
		SEEDED(snapshot_with_duplicates),
		FRESH(late_alloc_confirms),
		SEEDED(losses_that_hurt),
		SEEDED(loss_and_snapshot),
		SEEDED(loss_inside_the_slack),
		cmocka_unit_test(range_near_4g),
		cmocka_unit_test(range_of_3g),
		cmocka_unit_test(ranges_refused),
		FRESH(touch_stamps_wrap),
		SEEDED(touched_a_year_ago),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
