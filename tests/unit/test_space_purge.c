// SPDX-License-Identifier: GPL-2.0-only
/* What a purge frees, and lists of the kernel that were read while one ran. */
#include "space_events.h"

/* A purge frees what was lazy before it began, and no area that came later. */
static void purge_by_begin_time(void **state)
{
	struct space *s = *state;

	for (uint32_t i = 0; i < 3; i++) {
		apply(s, ev_alloc(T0, 10 * i, 10 * i + 5, 1));
		apply(s, ev_free(T0 + i, 10 * i, 10 * i + 5));
	}
	apply(s, ev_purge(T0 + 9, T0 + 1)); /* freed at T0, T0 + 1, T0 + 2 */
	assert_state(s, 0, 5, PAGE_FREE);
	area_at(s, 10, 15, AREA_LAZY);
	area_at(s, 20, 25, AREA_LAZY);
	assert_true(area_at(s, 20, 25, AREA_LAZY)->flags & AREA_F_MAYBE_FREE);
	apply(s, ev_purge(T0 + 10, T0 + 3));
	assert_int_equal(space_totals(s).lazy_bytes, 0);
	assert_int_equal(space_counters(s)->purges, 2);
}

/* A purge whose begin was not seen proves nothing; one that began after its end is rejected. */
static void purge_without_begin(void **state)
{
	struct space *s = *state;
	struct event purge = ev_purge(T0 + 9, T0 + 8);

	apply(s, ev_alloc(T0, 0, 5, 1));
	apply(s, ev_free(T0, 0, 5));
	purge.flags = 0;
	apply(s, purge);
	area_at(s, 0, 5, AREA_LAZY);
	assert_int_equal(space_counters(s)->purges, 1);
	reject(s, ev_purge(T0 + 8, T0 + 9));
	apply(s, ev_purge(T0 + 9, T0 + 9));
	assert_state(s, 0, 5, PAGE_FREE);
}

/* The lazy list survives removals at its head, tail and middle. */
static void purge_in_any_order(void **state)
{
	static const uint32_t order[] = {2, 0, 4, 1, 3};
	struct space *s = *state;

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		apply(s, ev_alloc(T0, 10 * order[i], 10 * order[i] + 5, 1));
		apply(s, ev_free(T0 + order[i], 10 * order[i], 10 * order[i] + 5));
	}
	apply(s, ev_alloc(T0 + 9, 0, 5, 1)); /* the middle of the list */
	apply(s, ev_alloc(T0 + 9, 30, 35, 1));
	apply(s, ev_alloc(T0 + 9, 20, 25, 1));
	assert_int_equal(space_totals(s).lazy_areas, 2);
	apply(s, ev_purge(T0 + 9, T0 + 2));
	assert_int_equal(space_totals(s).lazy_areas, 1);
	area_at(s, 40, 45, AREA_LAZY);
}

/* What the first list shows as lazy was so before any purge began that was seen. */
static void purge_of_seeded_lazy(void **state)
{
	struct space *s = *state;

	SNAPSHOT(s, T0, ev_lazy(0, 5));
	apply(s, ev_purge(T0 + 5 * MS, T0 - MS));
	assert_state(s, 0, 5, PAGE_FREE);
	assert_false(space_uncertain(s));
}

/* Of what a later list shows, and no FREE, only a purge that began after the list is certain. */
static void purge_around_a_list(void **state)
{
	struct space *s = *state;

	SNAPSHOT(s, T0, ev_lazy(0, 5));
	apply(s, ev_purge(T0 - MS, T0 - 2 * MS)); /* before it: the list knows better */
	area_at(s, 0, 5, AREA_LAZY);
	assert_false(space_uncertain(s));
	apply(s, ev_purge(T0 + 5 * MS, T0 - MS));
	area_at(s, 0, 5, AREA_LAZY);
	assert_true(space_uncertain(s));
	SNAPSHOT(s, T0 + LONG, ev_lazy(0, 3));
	assert_false(space_uncertain(s));
	apply(s, ev_purge(T0 + 2 * LONG, T0 + 2 * LONG - MS));
	assert_state(s, 0, 5, PAGE_FREE);
	assert_false(space_uncertain(s));
}

/* A lazy line that was read before a purge ended is not believed; after a loss that is a reason to
 * read another list. */
static void lazy_line_of_a_purge(void **state)
{
	struct space *s = *state;

	apply(s, ev_purge(T0 + 2 * MS, T0 - LONG));
	for (int lost = 0; lost <= 1; lost++) {
		struct event line = ev_lazy(0, 5);

		if (lost)
			apply(s, ev_lost(T0 - LONG, LOST_RING, 1));
		line.t_ns = T0 + 3 * MS;
		line.begin_ns = T0;
		apply(s, ev_mark(EV_SNAPSHOT_BEGIN, T0 + 3 * MS, T0));
		apply(s, line);
		apply(s, ev_mark(EV_SNAPSHOT_END, T0 + 3 * MS, T0));
		assert_state(s, 0, 5, PAGE_FREE);
		assert_int_equal(space_uncertain(s), lost);
	}
	SNAPSHOT(s, T0 + LONG, ev_lazy(0, 5));
	area_at(s, 0, 5, AREA_LAZY);
	assert_false(space_uncertain(s));
}

/* A used line over what a purge has just freed here: the area was missed. */
static void used_line_after_a_purge(void **state)
{
	struct space *s = *state;

	apply(s, ev_alloc(T0, 0, 5, 1));
	apply(s, ev_free(T0, 0, 5));
	apply(s, ev_purge(T0 + LONG + MS, T0 + LONG));
	SNAPSHOT(s, T0 + LONG, ev_used(1, 4));
	area_at(s, 1, 4, AREA_USED);
	/* ... but not over what was freed while the list was read */
	apply(s, ev_free(T0 + 2 * LONG + MS, 1, 4));
	apply(s, ev_purge(T0 + 2 * LONG + 3 * MS, T0 + 2 * LONG + 2 * MS));
	SNAPSHOT(s, T0 + 2 * LONG, ev_used(1, 4));
	assert_state(s, 0, 5, PAGE_FREE);
}

#define FRESH(f)  cmocka_unit_test_setup_teardown(f, setup, teardown)
#define SEEDED(f) cmocka_unit_test_setup_teardown(f, setup_seeded, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(purge_by_begin_time),
		FRESH(purge_without_begin),
		FRESH(purge_in_any_order),
		FRESH(purge_of_seeded_lazy),
		SEEDED(purge_around_a_list),
		SEEDED(lazy_line_of_a_purge),
		SEEDED(used_line_after_a_purge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
