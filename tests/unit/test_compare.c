// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "space/compare.h"

#define START 0xf8000000u
#define PAGE  VMT_PAGE_SIZE
#define P(n)  (START + (n)*PAGE)
#define T0    1000000000000ull
#define LATER (T0 + 1000000000ull) /* T0 lies far before the slack of a list read here */

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static void put(struct space *s, uint8_t type, uint64_t t_ns, uint32_t first, uint32_t last)
{
	struct event event = {.type = type, .t_ns = t_ns, .start = P(first), .end = P(last)};

	assert_int_equal(space_apply(s, &event), 0);
}

/* A model with the used areas 10-15, 20-25, 30-35 and the lazy area 40-45, made at T0. */
static int setup(void **state)
{
	struct space *s = space_new(START, P(1024));

	if (!s)
		return -1;
	for (uint32_t first = 10; first <= 40; first += 10)
		put(s, EV_ALLOC, T0, first, first + 5);
	put(s, EV_FREE, T0, 40, 45);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	space_free(*state);
	return 0;
}

static struct event line(uint8_t kernel_state, uint32_t first, uint32_t last)
{
	return (struct event){
		.type = EV_AREA, .state = kernel_state, .start = P(first), .end = P(last)};
}

#define USED(first, last) line(AREA_USED, first, last)
#define LAZY(first, last) line(AREA_LAZY, first, last)

static struct compare_result run(struct space *s, struct event *areas, uint32_t count)
{
	struct compare_result result;

	assert_int_equal(compare_run(s, areas, count, LATER, &result), 0);
	/* Most lists here leave out the lazy area: that has its own test. */
	while (result.nr_diffs && result.diffs[result.nr_diffs - 1].type == DIFF_LAZY)
		result.nr_diffs--;
	assert_int_equal(result.nr_diffs, result.missing + result.extra + result.mismatched);
	return result;
}

#define RUN(s, ...)                                   \
	({                                            \
		struct event list_[] = {__VA_ARGS__}; \
		run(s, list_, ARRAY_SIZE(list_));     \
	})

static void assert_counts(const struct compare_result *r, uint32_t missing, uint32_t extra,
			  uint32_t mismatched, uint32_t in_flight)
{
	assert_int_equal(r->missing, missing);
	assert_int_equal(r->extra, extra);
	assert_int_equal(r->mismatched, mismatched);
	assert_int_equal(r->in_flight, in_flight);
}

static void assert_diff(const struct diff *diff, enum diff_type type, uint32_t start,
			uint32_t model_end, uint32_t kernel_end)
{
	assert_int_equal(diff->type, type);
	assert_int_equal(diff->start, start);
	assert_int_equal(diff->model_end, model_end);
	assert_int_equal(diff->kernel_end, kernel_end);
}

/* The same areas in any order: no difference; lazy bytes of both are told. */
static void same(void **state)
{
	struct compare_result r =
		RUN(*state, USED(30, 35), LAZY(43, 45), USED(10, 15), LAZY(40, 43), USED(20, 25));

	assert_counts(&r, 0, 0, 0, 0);
	assert_int_equal(r.areas_model, 3);
	assert_int_equal(r.areas_kernel, 3);
	assert_int_equal(r.lazy_model_bytes, 5 * PAGE);
	assert_int_equal(r.lazy_kernel_bytes, 5 * PAGE);
	assert_int_equal(r.lazy_diff_bytes, 0);
	assert_null(r.diffs);
	compare_release(&r);
}

/* Missing at both ends and between, also over a lazy area of the model. */
static void missing(void **state)
{
	struct compare_result r = RUN(*state, USED(2, 4), USED(10, 15), USED(17, 18), USED(20, 25),
				      USED(30, 35), USED(40, 45), USED(50, 52));

	assert_counts(&r, 4, 0, 0, 0);
	assert_diff(&r.diffs[0], DIFF_MISSING, P(2), 0, P(4));
	assert_diff(&r.diffs[1], DIFF_MISSING, P(17), 0, P(18));
	assert_diff(&r.diffs[2], DIFF_MISSING, P(40), 0, P(45));
	assert_diff(&r.diffs[3], DIFF_MISSING, P(50), 0, P(52));
	compare_release(&r);
}

/* Extra in the middle, and all of them against an empty list. */
static void extra(void **state)
{
	struct compare_result r = RUN(*state, USED(10, 15), USED(30, 35), LAZY(20, 25));
	struct event none;

	assert_counts(&r, 0, 1, 0, 0);
	assert_diff(&r.diffs[0], DIFF_EXTRA, P(20), P(25), 0);
	compare_release(&r);
	r = run(*state, &none, 0);
	assert_counts(&r, 0, 3, 0, 0);
	assert_int_equal(r.areas_kernel, 0);
	compare_release(&r);
}

/* Same start and another end is one mismatch; another start is one missing and one extra. */
static void mismatch(void **state)
{
	struct compare_result r = RUN(*state, USED(10, 14), USED(20, 27), USED(31, 35));

	assert_counts(&r, 1, 1, 2, 0);
	assert_diff(&r.diffs[0], DIFF_MISMATCH, P(10), P(15), P(14));
	assert_diff(&r.diffs[1], DIFF_MISMATCH, P(20), P(25), P(27));
	assert_diff(&r.diffs[2], DIFF_EXTRA, P(30), P(35), 0);
	assert_diff(&r.diffs[3], DIFF_MISSING, P(31), 0, P(35));
	compare_release(&r);
}

/* A line that the kernel's list has twice is one area, whether it differs or not. */
static void duplicates(void **state)
{
	struct compare_result r = RUN(*state, USED(2, 4), USED(10, 15), USED(20, 25), USED(30, 35),
				      USED(10, 15), USED(2, 4), USED(10, 15));

	assert_int_equal(r.areas_kernel, 4);
	assert_counts(&r, 1, 0, 0, 0);
	compare_release(&r);
}

/* What an event touched since the list was begun, less the slack, is no difference. */
static void in_flight(void **state)
{
	struct space *s = *state;
	struct compare_result r;

	put(s, EV_ALLOC, LATER + 1, 100, 105);			     /* extra */
	put(s, EV_ALLOC, LATER - SPACE_SNAPSHOT_SLACK_NS, 110, 115); /* extra */
	put(s, EV_FREE, LATER + 1, 10, 15);			     /* missing */
	put(s, EV_FREE, LATER + 1, 30, 35);			     /* mismatch */
	put(s, EV_ALLOC, LATER + 2, 30, 34);
	r = RUN(s, USED(10, 15), USED(20, 25), USED(30, 35), USED(50, 55));
	assert_counts(&r, 1, 0, 0, 4);
	assert_diff(&r.diffs[0], DIFF_MISSING, P(50), 0, P(55));
	compare_release(&r);
}

/* A touch of one page beyond the model's end excuses a longer area of the kernel. */
static void in_flight_in_part(void **state)
{
	struct space *s = *state;
	struct compare_result r;

	put(s, EV_FREE, LATER + 1, 26, 27);
	r = RUN(s, USED(10, 15), USED(20, 27), USED(30, 35), USED(25, 27));
	assert_counts(&r, 0, 0, 0, 2);
	compare_release(&r);
}

/* More differences than the first allocation holds. */
static void many(void **state)
{
	struct event list[200];
	struct compare_result r;

	for (uint32_t i = 0; i < ARRAY_SIZE(list); i++)
		list[i] = USED(100 + 4 * (199 - i), 102 + 4 * (199 - i));
	r = run(*state, list, ARRAY_SIZE(list));
	assert_counts(&r, 200, 3, 0, 0);
	for (uint32_t i = 1; i < r.nr_diffs; i++)
		assert_true(r.diffs[i - 1].start < r.diffs[i].start);
	compare_release(&r);
	assert_null(r.diffs);
	assert_int_equal(r.missing, 0);
}

/* Two looks: only what both show in the same way is left, the rest was in flight. */
static void keep_common(void **state)
{
	struct compare_result earlier = RUN(*state, USED(2, 4), USED(10, 14), USED(20, 25));
	struct compare_result r = RUN(*state, USED(2, 4), USED(6, 8), USED(10, 13), USED(20, 25));

	assert_counts(&earlier, 1, 1, 1, 0);
	assert_counts(&r, 2, 1, 1, 0);
	compare_keep_common(&r, &earlier);
	assert_counts(&r, 1, 1, 0, 2); /* the mismatch has another end now */
	assert_int_equal(r.nr_diffs, 2);
	assert_diff(&r.diffs[0], DIFF_MISSING, P(2), 0, P(4));
	assert_diff(&r.diffs[1], DIFF_EXTRA, P(30), P(35), 0);
	compare_release(&earlier);
	earlier = RUN(*state, USED(10, 15), USED(20, 25), USED(30, 35));
	compare_keep_common(&r, &earlier); /* the earlier look found nothing */
	assert_counts(&r, 0, 0, 0, 4);
	assert_int_equal(r.nr_diffs, 0);
	compare_release(&earlier);
	compare_release(&r);
}

/* Lazy space is compared page by page, whatever the areas are that it is merged to; what is used in
 * one of the two is told by the used areas, what an event touched by none. */
static void lazy_pages(void **state)
{
	struct space *s = *state;
	struct event list[] = { USED(10, 15), USED(20, 25), USED(30, 35), LAZY(42, 48), LAZY(60, 62) };
	struct compare_result r;

	put(s, EV_SNAPSHOT_BEGIN, T0, 0, 0);
	for (uint32_t first = 10; first <= 30; first += 10) {
		struct event area = USED(first, first + 5);

		area.t_ns = T0;
		assert_int_equal(space_apply(s, &area), 0);
	}
	put(s, EV_SNAPSHOT_END, T0, 0, 0);
	put(s, EV_ALLOC, LATER + 1, 60, 62);
	put(s, EV_FREE, LATER + 1, 70, 71);
	assert_int_equal(compare_run(s, list, ARRAY_SIZE(list), LATER, &r), 0);
	assert_int_equal(r.nr_diffs, 2);
	assert_diff(&r.diffs[0], DIFF_LAZY, P(40), P(42), 0);
	assert_diff(&r.diffs[1], DIFF_LAZY, P(45), 0, P(48));
	assert_int_equal(r.lazy_diff_bytes, 5 * PAGE);
	assert_int_equal(r.lazy_kernel_bytes, 8 * PAGE);
	assert_counts(&r, 0, 0, 0, 2); /* 60-62 used since, 70-71 lazy since */
	compare_release(&r);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* What the kernel lists as lazy may have been purged since; what it lists no more may not. */
static void lazy_and_a_purge(void **state)
{
	struct event list[] = {USED(10, 15), USED(20, 25), USED(30, 35), LAZY(50, 55)};
	struct event purge = {.type = EV_PURGE, .begin_ns = T0 - 1, .flags = EV_F_HAS_BEGIN};
	struct compare_result r;

	put(*state, EV_ALLOC, T0 - 10, 50, 55);
	put(*state, EV_FREE, T0 - 10, 50, 55); /* the purge frees it, not 40-45 */
	for (purge.t_ns = T0 + 1; purge.t_ns <= LATER; purge.t_ns += LATER - T0 - 1) {
		assert_int_equal(space_apply(*state, &purge), 0);
		assert_int_equal(compare_run(*state, list, ARRAY_SIZE(list), LATER, &r), 0);
		/* 40-45 is lazy here only, in both; 50-55 there only */
		assert_int_equal(r.lazy_diff_bytes, (purge.t_ns == LATER ? 5 : 10) * PAGE);
		assert_int_equal(r.in_flight, purge.t_ns == LATER);
		compare_release(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(same),
		TEST(missing),
		TEST(extra),
		TEST(mismatch),
		TEST(duplicates),
		TEST(in_flight),
		TEST(in_flight_in_part),
		TEST(many),
		TEST(keep_common),
		TEST(lazy_pages),
		TEST(lazy_and_a_purge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
