// SPDX-License-Identifier: GPL-2.0-only
/* What a reconcile repairs: what differed in every look, and nothing else. */
#include "space_events.h"

#include "space/compare.h"
#include "space/repair.h"

#define BEGIN (T0 + LONG)

static struct event lazy_of(uint32_t first, uint32_t last)
{
	struct event line = {.type = EV_AREA, .start = P(first), .end = P(last), .state = AREA_LAZY};

	line.begin_ns = line.t_ns = BEGIN;
	return line;
}

static struct event used_of(uint32_t first, uint32_t last)
{
	struct event line = lazy_of(first, last);

	line.state = AREA_USED;
	line.kind = KIND_VMAP;
	return line;
}

static struct event mark(uint8_t type)
{
	return (struct event){.type = type, .t_ns = BEGIN + MS, .begin_ns = BEGIN};
}

static struct space *seeded(void)
{
	struct space *s = space_new(START, END);
	struct event begin = mark(EV_SNAPSHOT_BEGIN), end = mark(EV_SNAPSHOT_END);

	begin.begin_ns = begin.t_ns = end.t_ns = T0 - LONG;
	apply(s, begin);
	apply(s, end);
	return s;
}

static void repair(struct space *s, const struct event *listed, uint32_t count,
		   struct diff *diffs, uint32_t nr_diffs)
{
	struct compare_result settled = {.diffs = diffs, .nr_diffs = nr_diffs};
	struct event *lines;
	uint32_t nr_lines;

	assert_int_equal(
		repair_list(s, &settled, listed, count, BEGIN, BEGIN + MS, &lines, &nr_lines), 0);
	apply(s, mark(EV_SNAPSHOT_BEGIN));
	for (uint32_t i = 0; i < nr_lines; i++)
		apply(s, lines[i]);
	apply(s, mark(EV_SNAPSHOT_END));
	free(lines);
}

/* 10-20 is hidden by the list, 30-40 has gone; 50-60 has come, 70-80 is in this look only. */
static void only_what_is_settled(void **state)
{
	struct event listed[] = {used_of(50, 60), used_of(70, 80)};
	struct diff diffs[] = {{DIFF_EXTRA, P(30), P(40), 0}, {DIFF_MISSING, P(50), 0, P(60)}};
	struct space *s = seeded();

	(void)state;
	apply(s, ev_alloc(T0, 10, 20, 1));
	apply(s, ev_alloc(T0, 30, 40, 1));
	repair(s, listed, 2, diffs, 2);
	assert_int_equal(area_stack(space_area_at(s, P(10))), 3);
	assert_int_equal(space_area_at(s, P(10))->guard_pages, 1);
	assert_null(space_area_at(s, P(30)));
	assert_int_equal(space_area_at(s, P(50))->state, AREA_USED);
	assert_null(space_area_at(s, P(70)));
	assert_int_equal(space_counters(s)->repaired, 2);
	space_free(s);
}

/* A lazy line covers a used area that differs in this look only: around it, it holds. */
static void lazy_line_spares_used(void **state)
{
	struct event listed[] = {lazy_of(0, 40)};
	struct diff diffs[] = {{DIFF_EXTRA, P(30), P(40), 0}};
	struct space *s = seeded();

	(void)state;
	apply(s, ev_alloc(T0, 10, 20, 1));
	apply(s, ev_alloc(T0, 30, 40, 1));
	repair(s, listed, 1, diffs, 1);
	assert_int_equal(space_area_at(s, P(5))->state, AREA_LAZY);
	assert_int_equal(space_area_at(s, P(10))->state, AREA_USED);
	assert_int_equal(space_area_at(s, P(19))->state, AREA_USED);
	assert_int_equal(space_area_at(s, P(25))->state, AREA_LAZY);
	assert_int_equal(space_area_at(s, P(30))->state, AREA_LAZY);
	assert_int_equal(space_counters(s)->repaired, 1);
	assert_int_equal(space_counters(s)->lazy_settled, 1);
	space_free(s);
}

/* A change of end: the kernel's line is taken, and a certain map stays certain. */
static void mismatch_and_certainty(void **state)
{
	struct event listed[] = {used_of(10, 15)};
	struct diff diffs[] = {{DIFF_MISMATCH, P(10), P(20), P(15)}};
	struct space *s = seeded();

	(void)state;
	apply(s, ev_alloc(T0, 10, 20, 1));
	apply(s, ev_lost(T0 + MS, LOST_RING, 1));
	assert_true(space_uncertain(s));
	repair(s, listed, 1, diffs, 1);
	assert_int_equal(space_area_at(s, P(10))->end, P(15));
	assert_int_equal(space_counters(s)->repaired, 1);
	assert_false(space_uncertain(s));
	space_free(s);
}

/* Nothing differs, but the map is uncertain: the list of that look clears it. Not so if the loss
 * may lie within the list's slack; a later list does. */
static void agreement_clears_doubt(void **state)
{
	struct event listed[] = {used_of(10, 20)};
	struct space *s = seeded();

	(void)state;
	apply(s, ev_alloc(T0, 10, 20, 1));
	apply(s, ev_lost(BEGIN, LOST_RING, 1));
	repair(s, listed, 1, NULL, 0);
	assert_true(space_uncertain(s)); /* so the session asks for another */
	space_free(s);
	s = seeded();
	apply(s, ev_alloc(T0, 10, 20, 1));
	apply(s, ev_lost(T0, LOST_RING, 1));
	repair(s, listed, 1, NULL, 0);
	assert_false(space_uncertain(s));
	assert_int_equal(space_counters(s)->repaired, 0);
	space_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_settled),
		cmocka_unit_test(lazy_line_spares_used),
		cmocka_unit_test(mismatch_and_certainty),
		cmocka_unit_test(agreement_clears_doubt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
