// SPDX-License-Identifier: GPL-2.0-only
#include "space_events.h"

#include "export/lifetimes.h"
#include "export/timeline.h"
#include "export/trace.h"

static void add(struct timeline *timeline, uint64_t t_ns, uint32_t used, uint32_t largest)
{
	struct timeline_point point = {
		.t_ns = t_ns, .used_bytes = used, .largest_hole_bytes = largest
	};

	timeline_add(timeline, &point);
}

static void few_points_stay(void **state)
{
	struct timeline *timeline = timeline_new();

	(void)state;
	assert_int_equal(timeline_count(timeline), 0);
	add(timeline, 10, 1, 9);
	add(timeline, 11, 2, 8);
	add(timeline, 11, 3, 9); /* the same time: the last word, and the tightest */
	add(timeline, 5, 4, 9);	 /* back in time: as if at 11 */
	assert_int_equal(timeline_count(timeline), 2);
	assert_int_equal(timeline_at(timeline, 0)->last.used_bytes, 1);
	assert_int_equal(timeline_at(timeline, 1)->last.used_bytes, 4);
	assert_int_equal(timeline_at(timeline, 1)->last.t_ns, 11);
	assert_int_equal(timeline_at(timeline, 1)->tightest.used_bytes, 2);
	timeline_free(timeline);
	timeline_free(NULL);
}

/* A million points with one short dip: the dip and the end survive, in order, in bounded space. */
static void many_points(void **state)
{
	struct timeline *timeline = timeline_new();
	uint32_t tightest = UINT32_MAX;
	uint64_t last_ns = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000000; i++)
		add(timeline, 1000ull * i, i, i == 777777 ? 3 : 1000);
	assert_true(timeline_count(timeline) <= TIMELINE_SLICES);
	assert_true(timeline_count(timeline) >= TIMELINE_SLICES / 4);
	for (uint32_t i = 0; i < timeline_count(timeline); i++) {
		const struct timeline_slice *slice = timeline_at(timeline, i);

		assert_true(slice->tightest.t_ns <= slice->last.t_ns);
		assert_true(!i || slice->tightest.t_ns > last_ns);
		last_ns = slice->last.t_ns;
		if (slice->tightest.largest_hole_bytes < tightest)
			tightest = slice->tightest.largest_hole_bytes;
	}
	assert_int_equal(tightest, 3);
	assert_int_equal(last_ns, 999999000);
	timeline_free(timeline);
}

/* Times from a file can be anything. */
static void extreme_times(void **state)
{
	struct timeline *timeline = timeline_new();

	(void)state;
	for (uint32_t i = 0; i < 3 * TIMELINE_SLICES; i++)
		add(timeline, i % 2 ? UINT64_MAX - i : i, i, 1);
	for (uint32_t i = 0; i < 3 * TIMELINE_SLICES; i++)
		add(timeline, UINT64_MAX, i, 1);
	assert_true(timeline_count(timeline) <= TIMELINE_SLICES);
	timeline_free(timeline);
	timeline = timeline_new();
	for (uint64_t i = 0; i < 3 * TIMELINE_SLICES; i++)
		add(timeline, i << 49, (uint32_t)i, 1);
	assert_true(timeline_count(timeline) <= TIMELINE_SLICES);
	assert_int_equal(timeline_at(timeline, timeline_count(timeline) - 1)->last.used_bytes,
			 3 * TIMELINE_SLICES - 1);
	timeline_free(timeline);
}

static void heaviest_lives(void **state)
{
	struct lifetimes *lifetimes = lifetimes_new(10);

	(void)state;
	/* Weight (i + 1)^2 pages x ns, in an order that is none. */
	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t n = i * 337 % 1000 + 1;
		struct area area = { .start = P(0), .end = P(n), .birth_ns = 5000 - n };

		lifetimes_add(lifetimes, &area, 5000, n % 2);
	}
	lifetimes_sort(lifetimes);
	assert_int_equal(lifetimes_count(lifetimes), 10);
	assert_int_equal(lifetimes_total(lifetimes), 1000);
	for (uint32_t i = 0; i < 10; i++) {
		const struct lifetime *life = lifetimes_at(lifetimes, i);

		assert_int_equal(life->area.end, P(1000 - i));
		assert_int_equal(life->live, (1000 - i) % 2);
	}
	lifetimes_free(lifetimes);
	lifetimes_free(NULL);
}

static void lives_of_no_weight(void **state)
{
	struct lifetimes *lifetimes = lifetimes_new(2), *none = lifetimes_new(0);
	struct area area = { .start = P(0), .end = P(1), .birth_ns = 5000 };

	(void)state;
	for (uint32_t i = 0; i < 5; i++) {
		area.start = P(i);
		area.end = P(i + 1);
		lifetimes_add(lifetimes, &area, 4000, false); /* ends before it begins */
		lifetimes_add(none, &area, 6000, false);
	}
	lifetimes_sort(lifetimes);
	lifetimes_sort(none);
	assert_int_equal(lifetimes_count(none), 0);
	assert_int_equal(lifetimes_count(lifetimes), 2);
	assert_int_equal(lifetimes_at(lifetimes, 0)->area.start, P(0));
	assert_int_equal(lifetimes_at(lifetimes, 1)->area.start, P(1));
	lifetimes_free(lifetimes);
	lifetimes_free(none);
}

static void feed(struct trace *trace, struct space *s, struct event event)
{
	space_apply(s, &event);
	assert_int_equal(trace_event(trace, s, &event), 0);
}

static void stream(void **state)
{
	struct trace *trace = trace_new(100);
	struct space *s = space_new(START, END);
	const struct timeline *timeline = trace_timeline(trace);
	const struct lifetimes *lives = trace_lifetimes(trace);
	struct event fail = { .type = EV_FAIL, .size = 77 * PAGE, .err = -EBUSY };

	(void)state;
	feed(trace, s, ev_alloc(T0, 900, 901, 0)); /* before the first list: no point */
	feed(trace, s, ev_mark(EV_SNAPSHOT_BEGIN, T0 + LONG, T0 + LONG));
	feed(trace, s, ev_used(0, 4));
	assert_int_equal(timeline_count(timeline), 0);
	feed(trace, s, ev_mark(EV_SNAPSHOT_END, T0 + LONG, T0 + LONG));
	assert_int_equal(timeline_count(timeline), 1);
	assert_int_equal(timeline_at(timeline, 0)->last.largest_hole_bytes, (PAGES - 4) * PAGE);
	feed(trace, s, ev_alloc(T0 + 2 * LONG, 10, 13, 1));
	feed(trace, s, ev_free(T0 + 3 * LONG, 10, 13));
	feed(trace, s, ev_free(T0 + 3 * LONG, 700, 703)); /* its birth was lost: not a life of 0 */
	fail.t_ns = T0 + 4 * LONG;
	feed(trace, s, fail);
	trace_finish(trace, s, T0 + 5 * LONG);
	assert_int_equal(trace_failure_count(trace), 1);
	assert_int_equal(trace_failure_at(trace, 0)->largest_hole_bytes, (700 - 13) * PAGE);
	assert_int_equal(trace_failures_left_out(trace), 0);
	assert_int_equal(timeline_at(timeline, timeline_count(timeline) - 1)->last.t_ns,
			 T0 + 5 * LONG);
	assert_int_equal(lifetimes_total(lives), 3);
	assert_int_equal(lifetimes_at(lives, 0)->area.start, P(0));
	assert_true(lifetimes_at(lives, 0)->live);
	assert_int_equal(lifetimes_at(lives, 0)->end_ns, T0 + 5 * LONG);
	assert_int_equal(lifetimes_at(lives, 1)->area.start, P(10));
	assert_false(lifetimes_at(lives, 1)->live);
	assert_int_equal(lifetimes_at(lives, 1)->end_ns, T0 + 3 * LONG);
	trace_free(trace);
	trace_free(NULL);
	space_free(s);
}

static void many_failures(void **state)
{
	struct trace *trace = trace_new(1);
	struct space *s = space_new(START, END);
	struct event fail = { .type = EV_FAIL, .size = PAGE };

	(void)state;
	for (uint32_t i = 0; i < TRACE_FAILURES + 7; i++)
		feed(trace, s, fail);
	assert_int_equal(trace_failure_count(trace), TRACE_FAILURES);
	assert_int_equal(trace_failures_left_out(trace), 7);
	trace_free(trace);
	space_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_points_stay),    cmocka_unit_test(many_points),
		cmocka_unit_test(extreme_times),      cmocka_unit_test(heaviest_lives),
		cmocka_unit_test(lives_of_no_weight), cmocka_unit_test(stream),
		cmocka_unit_test(many_failures),
	};

	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
