// SPDX-License-Identifier: GPL-2.0-only
/* The property: after any events the size kept equals the one that a search of the map finds. */
#include "space_events.h"

#include "space/largest.h"

static uint64_t rng;

static uint32_t rnd(uint32_t below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 32) % below;
}

static uint32_t searched(const struct space *s)
{
	struct holes_report report;

	holes_report(s, &report);
	return report.largest.end - report.largest.start;
}

/* Any range, whether or not it makes sense: heals, partial overlaps and refused events too. */
static struct event random_event(uint64_t t_ns)
{
	uint32_t first = rnd(PAGES), last = first + 1 + rnd(rnd(8) ? 12 : 300);

	switch (rnd(16)) {
	case 0:
		return ev_purge(t_ns, t_ns - rnd(40) * MS);
	case 1:
		return ev_lost(t_ns, LOST_RING, 1);
	case 2:
		return ev_vfree(t_ns, P(first), 7);
	case 3:
	case 4:
	case 5:
	case 6:
		return ev_free(t_ns, first, last);
	default:
		return ev_alloc(t_ns, first, last, last - first > 1);
	}
}

/* What a kernel does: a free of what is there, an allocation at the lowest or highest place. */
static struct event sane_event(const struct space *s, uint64_t t_ns)
{
	const struct area *area = space_first(s, P(rnd(PAGES)));
	uint32_t pages = 1 + rnd(rnd(4) ? 10 : 120);
	struct hole hole;
	uint32_t addr;

	if (rnd(3) == 0 && area && area->state == AREA_USED)
		return ev_free(t_ns, (area->start - START) / PAGE, (area->end - START) / PAGE);
	for (addr = START; holes_next(s, addr, false, &hole); addr = hole.end) {
		uint32_t first = (hole.start - START) / PAGE, last = (hole.end - START) / PAGE;

		if (last - first < pages)
			continue;
		return rnd(5) ? ev_alloc(t_ns, first, first + pages, 0)
			      : ev_alloc(t_ns, last - pages, last, 0);
	}
	return ev_purge(t_ns, t_ns);
}

static void random_snapshot(struct space *s, struct largest *largest, uint64_t t_ns)
{
	struct event list[64];
	uint32_t page = rnd(40), count = 0;

	for (; page < PAGES - 50 && count < 62; page += rnd(40)) {
		uint32_t last = page + 2 + rnd(9);

		list[count++] = rnd(3) ? ev_used(page, last) : ev_lazy(page, last);
		page = last;
	}
	for (uint32_t i = 0; i <= count + 1; i++) {
		struct event event = i == 0 ? ev_mark(EV_SNAPSHOT_BEGIN, t_ns + MS, t_ns)
				     : i <= count ? list[i - 1]
						  : ev_mark(EV_SNAPSHOT_END, t_ns + MS, t_ns);

		event.t_ns = t_ns + MS;
		space_apply(s, &event);
		largest_event(largest, s, &event);
		assert_int_equal(largest_bytes(largest, s), searched(s));
	}
}

static void run(bool sane, bool seeded, uint32_t events)
{
	struct space *s = space_new(START, END);
	struct largest largest = { 0 };
	uint64_t t_ns = T0;

	assert_non_null(s);
	if (seeded)
		random_snapshot(s, &largest, t_ns);
	for (uint32_t i = 0; i < events; i++) {
		struct event event;

		t_ns += 30 * MS;
		if (rnd(500) == 0) {
			random_snapshot(s, &largest, t_ns);
			continue;
		}
		event = sane ? sane_event(s, t_ns) : random_event(t_ns);
		space_apply(s, &event);
		largest_event(&largest, s, &event);
		/* Not always asked: what is not known may stay so over many events. */
		if (rnd(4))
			assert_int_equal(largest_bytes(&largest, s), searched(s));
	}
	space_free(s);
}

static void any_events(void **state)
{
	(void)state;
	for (rng = 1; rng; rng = rng < 5 ? rng + 1 : 0) {
		uint64_t seed = rng;

		run(false, true, 3000);
		run(false, false, 3000);
		rng = seed;
	}
}

static void sane_events(void **state)
{
	(void)state;
	rng = 77;
	run(true, true, 8000);
}

/* Without this it would be only a slow way to search. */
static void seldom_searches(void **state)
{
	struct space *s = space_new(START, END);
	struct largest largest = { 0 };
	struct event event = ev_mark(EV_SNAPSHOT_BEGIN, T0, T0);

	(void)state;
	space_apply(s, &event);
	event = ev_mark(EV_SNAPSHOT_END, T0, T0);
	space_apply(s, &event);
	largest_event(&largest, s, &event);
	assert_int_equal(largest_bytes(&largest, s), PAGES * PAGE);
	for (uint32_t i = 0; i < 400; i++) {
		event = i % 2 ? ev_free(T0 + i * MS, i - 1, i + 1)
			      : ev_alloc(T0 + i * MS, i, i + 2, 1);
		space_apply(s, &event);
		largest_event(&largest, s, &event);
		assert_true(largest.known);
	}
	assert_int_equal(largest_bytes(&largest, s), searched(s));
	space_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_events),
		cmocka_unit_test(sane_events),
		cmocka_unit_test(seldom_searches),
	};

	return cmocka_run_group_tests_name("largest", tests, NULL, NULL);
}
