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

#include "space/holes.h"

#define START 0xf8000000u
#define PAGES 1024u
#define PAGE  VMT_PAGE_SIZE
#define P(n)  (START + (n)*PAGE)
#define T0    1000000000000ull

static void put(struct space *s, uint8_t type, uint32_t first, uint32_t last)
{
	struct event event = {.type = type, .t_ns = T0, .start = P(first), .end = P(last)};

	event.guard_pages = type == EV_ALLOC && last - first > 1;
	assert_int_equal(space_apply(s, &event), 0);
}

/* A space of which all is free. */
static int setup(void **state)
{
	struct event begin = {.type = EV_SNAPSHOT_BEGIN, .t_ns = 1, .begin_ns = 1};
	struct event end = {.type = EV_SNAPSHOT_END, .t_ns = 1, .begin_ns = 1};
	struct space *s = space_new(START, P(PAGES));

	*state = s;
	return !s || space_apply(s, &begin) || space_apply(s, &end) ? -1 : 0;
}

static int teardown(void **state)
{
	space_free(*state);
	return 0;
}

static void assert_hole(struct hole hole, uint32_t first, uint32_t last)
{
	assert_int_equal(hole.start, P(first));
	assert_int_equal(hole.end, P(last));
}

/* Sums of the histogram are the report's own, and the model's free bytes. */
static struct holes_report report(const struct space *s)
{
	struct holes_report r;
	uint32_t count = 0, bytes = 0;

	holes_report(s, &r);
	for (unsigned int i = 0; i < HOLES_BUCKETS; i++) {
		count += r.bucket_count[i];
		bytes += r.bucket_bytes[i];
	}
	assert_int_equal(count, r.count);
	assert_int_equal(bytes, r.free_bytes);
	assert_int_equal(bytes, space_totals(s).free_bytes);
	return r;
}

/* Bucket i holds 4096 << i up to, and not with, 4096 << (i + 1). */
static void bucket_borders(void **state)
{
	(void)state;
	assert_int_equal(holes_bucket(PAGE), 0);
	assert_int_equal(holes_bucket(2 * PAGE - 1), 0);
	assert_int_equal(holes_bucket(2 * PAGE), 1);
	assert_int_equal(holes_bucket(3 * PAGE), 1);
	for (unsigned int i = 0; i < HOLES_BUCKETS; i++) {
		assert_int_equal(holes_bucket(PAGE << i), i);
		assert_int_equal(holes_bucket((PAGE << i) + (PAGE << i) - 1), i);
		if (i)
			assert_int_equal(holes_bucket((PAGE << i) - PAGE), i - 1);
	}
	assert_int_equal(holes_bucket(UINT32_MAX), HOLES_BUCKETS - 1);
	assert_int_equal(holes_bucket(0xc0000000u), HOLES_BUCKETS - 1);
}

/* All free: one hole, no fragmentation. */
static void all_free(void **state)
{
	struct holes_report r = report(*state);

	assert_int_equal(r.count, 1);
	assert_int_equal(r.bucket_count[10], 1);
	assert_hole(r.largest, 0, PAGES);
	assert_hole(r.largest_after_purge, 0, PAGES);
	assert_true(holes_fragmentation(&r) == 0.0);
}

/* Nothing known, or nothing free: no hole at all. */
static void none(void **state)
{
	struct space *unknown = space_new(START, P(4));
	struct holes_report r;
	struct hole hole;

	assert_non_null(unknown);
	r = report(unknown);
	assert_int_equal(r.count + r.largest.end + r.largest_after_purge.end, 0);
	assert_false(holes_next(unknown, START, true, &hole));
	assert_true(holes_fragmentation(&r) == 0.0);
	space_free(unknown);
	put(*state, EV_ALLOC, 0, PAGES);
	r = report(*state);
	assert_int_equal(r.count + r.largest.end + r.largest_after_purge.end, 0);
}

/* Holes of 1, 2, 3 and 4 pages, each in its bucket; guard pages are no hole. */
static void histogram(void **state)
{
	struct space *s = *state;
	struct holes_report r;

	put(s, EV_ALLOC, 1, 10);
	put(s, EV_ALLOC, 12, 20);
	put(s, EV_ALLOC, 23, 30);
	put(s, EV_ALLOC, 34, PAGES);
	r = report(s);
	assert_int_equal(r.count, 4);
	assert_int_equal(r.bucket_count[0], 1);
	assert_int_equal(r.bucket_count[1], 2);
	assert_int_equal(r.bucket_bytes[1], 5 * PAGE);
	assert_int_equal(r.bucket_count[2], 1);
	assert_int_equal(r.bucket_bytes[2], 4 * PAGE);
	assert_hole(r.largest, 30, 34);
	/* 1 - 4 / 10 */
	assert_true(holes_fragmentation(&r) > 0.599 && holes_fragmentation(&r) < 0.601);
}

/* Of two largest holes the lower one; the last page of the space counts. */
static void largest(void **state)
{
	struct space *s = *state;
	struct holes_report r;

	put(s, EV_ALLOC, 0, 10);
	put(s, EV_ALLOC, 15, PAGES - 5);
	r = report(s);
	assert_hole(r.largest, 10, 15);
	put(s, EV_ALLOC, 14, 15);
	r = report(s);
	assert_hole(r.largest, PAGES - 5, PAGES);
}

/* A purge joins lazy pages with the holes beside them: the run counts, not the hole. */
static void after_purge(void **state)
{
	struct space *s = *state;
	struct holes_report r;
	struct hole hole;

	put(s, EV_ALLOC, 0, 100);
	put(s, EV_ALLOC, 120, 130);
	put(s, EV_ALLOC, 140, PAGES);
	put(s, EV_ALLOC, 100, 110);
	put(s, EV_FREE, 120, 130);
	put(s, EV_FREE, 100, 110);
	/* lazy 100-110, free 110-120, lazy 120-130, free 130-140 */
	r = report(s);
	assert_int_equal(r.count, 2);
	assert_hole(r.largest, 110, 120);
	assert_hole(r.largest_after_purge, 100, 140);
	assert_true(holes_fragmentation(&r) > 0.499 && holes_fragmentation(&r) < 0.501);
	assert_true(holes_next(s, P(105), true, &hole));
	assert_hole(hole, 105, 140);
}

/* From any address: the rest of the hole it is in, or the next one. */
static void next(void **state)
{
	struct space *s = *state;
	struct hole hole;

	put(s, EV_ALLOC, 10, 20);
	put(s, EV_ALLOC, 30, PAGES);
	assert_true(holes_next(s, 0, false, &hole));
	assert_hole(hole, 0, 10);
	assert_true(holes_next(s, P(5), false, &hole));
	assert_hole(hole, 5, 10);
	assert_true(holes_next(s, P(10), false, &hole));
	assert_hole(hole, 20, 30);
	assert_false(holes_next(s, P(30), false, &hole));
	assert_false(holes_next(s, P(PAGES), false, &hole));
}

/* A space that ends just below 4 GiB. */
static void near_4g(void **state)
{
	uint32_t start = 0xff000000u, end = 0xfffff000u;
	struct event begin = {.type = EV_SNAPSHOT_BEGIN, .t_ns = 1, .begin_ns = 1};
	struct event snap_end = {.type = EV_SNAPSHOT_END, .t_ns = 1, .begin_ns = 1};
	struct space *s = space_new(start, end);
	struct holes_report r;

	(void)state;
	assert_non_null(s);
	assert_int_equal(space_apply(s, &begin) | space_apply(s, &snap_end), 0);
	r = report(s);
	assert_int_equal(r.largest.start, start);
	assert_int_equal(r.largest.end, end);
	assert_int_equal(r.bucket_count[11], 1);
	space_free(s);
}

/* As the model's own pages have it, one by one. */
static void naive_report(const struct space *s, struct holes_report *r)
{
	uint32_t hole = 0, purged = 0;

	memset(r, 0, sizeof(*r));
	for (uint32_t page = 0; page <= PAGES; page++) {
		enum page_state state = page < PAGES ? space_page(s, P(page)) : PAGE_USED;

		if (state == PAGE_FREE) {
			hole++;
		} else if (hole) {
			r->count++;
			r->free_bytes += hole * PAGE;
			r->bucket_count[holes_bucket(hole * PAGE)]++;
			r->bucket_bytes[holes_bucket(hole * PAGE)] += hole * PAGE;
			if (hole * PAGE > r->largest.end - r->largest.start)
				r->largest = (struct hole){P(page - hole), P(page)};
			hole = 0;
		}
		if (state == PAGE_FREE || state == PAGE_LAZY) {
			purged++;
		} else {
			if (purged * PAGE > r->largest_after_purge.end - r->largest_after_purge.start)
				r->largest_after_purge = (struct hole){P(page - purged), P(page)};
			purged = 0;
		}
	}
}

/* Whatever the runs of a space look like (unknown pages too), each is what its pages say, and the
 * report is that of the pages. */
static void random_spaces(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (unsigned int round = 0; round < 300; round++) {
		struct space *s = space_new(START, P(PAGES));
		struct holes_report got, naive;
		uint32_t end;

		assert_non_null(s);
		for (uint32_t page = 0; page < PAGES;) {
			uint32_t len;

			seed = seed * 1664525 + 1013904223;
			len = 1 + (seed >> 16) % 12;
			if (page + len > PAGES)
				len = PAGES - page;
			if ((seed >> 28) < 12)
				put(s, EV_ALLOC, page, page + len);
			if ((seed >> 28) % 4 == 1)
				put(s, EV_FREE, page, page + len);
			page += len + (seed >> 24) % 3;
		}
		if (round % 3) {
			struct event begin = {.type = EV_SNAPSHOT_BEGIN, .t_ns = 1, .begin_ns = 1};
			struct event last = {.type = EV_SNAPSHOT_END, .t_ns = 1, .begin_ns = 1};

			assert_int_equal(space_apply(s, &begin) | space_apply(s, &last), 0);
		}
		for (uint32_t at = START; at < P(PAGES); at = end) {
			enum page_state run = space_run(s, at, &end);

			assert_true(end > at && end <= P(PAGES));
			for (uint32_t page = at; page < end; page += PAGE)
				assert_int_equal(space_page(s, page), run);
			assert_true(end == P(PAGES) || space_page(s, end) != run ||
				    space_area_at(s, end) != space_area_at(s, at));
		}
		holes_report(s, &got);
		naive_report(s, &naive);
		assert_memory_equal(&got, &naive, sizeof(got));
		space_free(s);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bucket_borders),
		TEST(all_free),
		TEST(none),
		TEST(histogram),
		TEST(largest),
		TEST(after_purge),
		TEST(next),
		cmocka_unit_test(near_4g),
		cmocka_unit_test(random_spaces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
