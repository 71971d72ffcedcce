// SPDX-License-Identifier: GPL-2.0-only
/* The cheapest window against a naive search: every start, every page of it, every area. */
#include "space_events.h"
#include "volume.h"

#include "allocator/window.h"

static uint64_t rng = 0x9e3779b97f4a7c15ull;

static uint32_t rnd(uint32_t below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 32) % below;
}

static struct place_request request_of(uint32_t pages, uint32_t align)
{
	return (struct place_request){
		.size = pages * PAGE, .align = align, .vstart = START, .vend = END};
}

/* ---- the naive search ---------------------------------------------------------------- */

static struct window price_of(const struct space *s, uint32_t start, uint32_t size)
{
	struct window w = {start, start + size, 0, 0};
	const struct area *last = NULL;

	for (uint32_t at = start; at < w.end; at += PAGE) {
		enum page_state state = space_page(s, at);
		const struct area *area = space_area_at(s, at);

		w.live_bytes += state == PAGE_FREE || state == PAGE_LAZY ? 0 : PAGE;
		if (area && area->state == AREA_USED && area != last) {
			w.areas++;
			last = area;
		}
	}
	return w;
}

/* A page that the space has free or lazy and `left` has not. */
static bool goes_over_taken(const struct space *s, const struct holeset *left, uint32_t start,
			    uint32_t size)
{
	for (uint32_t at = start; left && at < start + size; at += PAGE) {
		enum page_state state = space_page(s, at);

		if ((state == PAGE_FREE || state == PAGE_LAZY) && !holeset_has(left, at, at + PAGE))
			return true;
	}
	return false;
}

static bool cheaper(const struct window *a, const struct window *b)
{
	return !b->end || a->live_bytes < b->live_bytes ||
	       (a->live_bytes == b->live_bytes && a->areas < b->areas);
}

static struct window naive_cheapest(const struct space *s, const struct holeset *left,
				    const struct place_request *r)
{
	struct window best = {0};

	for (uint32_t at = space_start(s); at < space_end(s); at += PAGE) {
		uint32_t aligned = r->top_down ? at + r->size : at;
		struct window w;

		if (at < r->vstart || at + r->size > r->vend || at + r->size > space_end(s) ||
		    (r->align && aligned % r->align) || goes_over_taken(s, left, at, r->size))
			continue;
		w = price_of(s, at, r->size);
		if (cheaper(&w, &best))
			best = w;
	}
	return best;
}

/* ---- both, compared -------------------------------------------------------------------- */

static void check_areas(const struct space *s, const struct window *w)
{
	const struct area *area = NULL;
	uint32_t count = 0, end = 0;

	while ((area = window_next_area(s, w, area))) {
		assert_int_equal(area->state, AREA_USED);
		assert_true(area->start < w->end && area->end > w->start);
		assert_true(area->start >= end);
		end = area->end;
		count++;
	}
	assert_int_equal(count, w->areas);
}

static struct window cheapest_in(const struct space *s, const struct holeset *left,
				 const struct place_request *r)
{
	struct window want = naive_cheapest(s, left, r), got = {1, 1, 1, 1};
	int err = left ? window_cheapest_in(s, left, r, &got) : window_cheapest(s, r, &got);

	assert_int_equal(err, want.end ? 0 : -ENOENT);
	assert_int_equal(got.start, want.start);
	assert_int_equal(got.end, want.end);
	assert_int_equal(got.live_bytes, want.live_bytes);
	assert_int_equal(got.areas, want.areas);
	check_areas(s, &got);
	return got;
}

static struct window cheapest(const struct space *s, const struct place_request *r)
{
	return cheapest_in(s, NULL, r);
}

/* Any map, any request: the same window as by the naive search. */
static struct space *random_space(void)
{
	struct space *s = space_new(START, START + 96 * PAGE);
	uint32_t most = 1 + rnd(20);

	assert_non_null(s);
	if (rnd(8))
		snapshot(s, T0 - LONG, NULL, 0); /* else part of it is not known */
	for (uint32_t i = 0; i < rnd(60); i++) {
		uint32_t first = rnd(95), last = first + 1 + rnd(most);

		if (last > 96)
			continue;
		if (rnd(3))
			apply(s, ev_alloc(T0 + i, first, last, last - first > 1 && rnd(2)));
		else
			apply(s, ev_free(T0 + i, first, last));
	}
	return s;
}

static void random_maps(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS(3000); round++) {
		struct space *s = random_space();
		struct holeset *left = holeset_of_space(s, true);

		assert_non_null(left);
		for (uint32_t i = rnd(4); i > 0; i--)
			holeset_clear(left, P(rnd(40)), P(40 + rnd(50)));
		for (int i = 0; i < 6; i++) {
			struct place_request r = request_of(1 + rnd(100), PAGE << rnd(6));

			r.vstart = rnd(2) ? START - PAGE + rnd(98) * PAGE : 0;
			r.vend = rnd(2) ? START + rnd(100) * PAGE : END;
			r.top_down = rnd(3) == 0;
			r.align = rnd(4) ? r.align : rnd(2);
			cheapest_in(s, i % 2 ? left : NULL, &r);
		}
		holeset_free(left);
		space_free(s);
	}
}

/* ---- by hand ---------------------------------------------------------------------------- */

/* Fewest bytes, then fewest areas, then the lowest. */
static void ties(void **state)
{
	struct space *s = *state;
	struct place_request r = request_of(10, PAGE);
	struct window w = cheapest(s, &r);

	assert_int_equal(w.start, START); /* all free: the lowest */
	assert_int_equal(w.areas, 0);
	for (uint32_t page = 0; page < PAGES; page += 4) /* 2 used of 4: all alike but ... */
		apply(s, ev_alloc(T0, page, page + 1, 0));
	for (uint32_t page = 1; page < PAGES; page += 4)
		if (page != 401)
			apply(s, ev_alloc(T0, page, page + 1, 0));
	apply(s, ev_free(T0, 400, 401));
	apply(s, ev_alloc(T0, 400, 402, 0)); /* ... here one area holds both */
	w = cheapest(s, &r);
	assert_int_equal(w.live_bytes, 4 * PAGE);
	assert_int_equal(w.areas, 3);
	assert_true(w.start <= P(400) && w.end > P(401));
	r.vend = P(400);
	w = cheapest(s, &r);
	assert_int_equal(w.start, P(2)); /* 2 3 | 6 7 | 10 11 free */
	assert_int_equal(w.areas, 4);
}

/* Lazy pages cost nothing; guard and unknown pages cost as used ones. */
static void prices(void **state)
{
	struct space *s = *state, *unknown = space_new(START, END);
	struct place_request r = request_of(PAGES, PAGE);
	struct window w;

	apply(s, ev_alloc(T0, 0, 100, 1));
	apply(s, ev_alloc(T0, 100, 300, 1));
	apply(s, ev_free(T0 + 1, 100, 300));
	w = cheapest(s, &r);
	assert_int_equal(w.live_bytes, 100 * PAGE);
	assert_int_equal(w.areas, 1);
	w = cheapest(unknown, &r);
	assert_int_equal(w.live_bytes, PAGES * PAGE);
	assert_int_equal(w.areas, 0);
	space_free(unknown);
}

/* An area that begins below the window, or ends above it, is in the way as a whole. */
static void overlaps(void **state)
{
	struct space *s = *state;
	struct place_request r = request_of(64, 64 * PAGE);
	const struct area *area;
	struct window w;

	apply(s, ev_alloc(T0, 0, 120, 1));
	apply(s, ev_alloc(T0, 126, PAGES, 1));
	r.vstart = P(64);
	w = cheapest(s, &r);
	assert_int_equal(w.start, P(64));
	assert_int_equal(w.live_bytes, 58 * PAGE);
	assert_int_equal(w.areas, 2);
	area = window_next_area(s, &w, NULL);
	assert_int_equal(area->start, START);
	area = window_next_area(s, &w, area);
	assert_int_equal(area->start, P(126));
	assert_null(window_next_area(s, &w, area));
}

/* Pages that are free but given away in thought are out of bounds. */
static void taken(void **state)
{
	struct space *s = *state;
	struct holeset *left;
	struct place_request r = request_of(50, 0);
	struct window w;

	apply(s, ev_alloc(T0, 100, PAGES, 0));
	apply(s, ev_free(T0 + 1, 100, 300));
	apply(s, ev_alloc(T0 + 2, 300, PAGES, 0));
	left = holeset_of_space(s, true);
	assert_int_equal(window_cheapest_in(s, left, &r, &w), 0);
	assert_int_equal(w.start, START);
	assert_int_equal(holeset_take(left, P(20), P(21)), 0);
	assert_int_equal(window_cheapest_in(s, left, &r, &w), 0);
	assert_int_equal(w.start, P(21));
	assert_int_equal(holeset_clear(left, P(22), P(290)), 0);
	assert_int_equal(window_cheapest_in(s, left, &r, &w), 0);
	assert_int_equal(w.start, P(290));
	assert_int_equal(w.live_bytes, 40 * PAGE);
	r.vend = P(320);
	assert_int_equal(window_cheapest_in(s, left, &r, &w), -ENOENT);
	holeset_free(left);
}

/* Nothing to slide in: too large, the range empty, outside or without an aligned place. */
static void no_window(void **state)
{
	struct place_request r = request_of(PAGES, 0);

	assert_int_equal(cheapest(*state, &r).end, END);
	r.size = (PAGES + 1) * PAGE;
	assert_int_equal(cheapest(*state, &r).end, 0);
	r.size = PAGE;
	r.vend = START;
	assert_int_equal(cheapest(*state, &r).end, 0);
	r.vend = END;
	r.vstart = END;
	assert_int_equal(cheapest(*state, &r).end, 0);
	r.vstart = START + PAGE;
	r.align = 1u << 31;
	assert_int_equal(cheapest(*state, &r).end, 0);
}

/* Bytes of a hostile file: sizes that are no pages, ranges that are no range. */
static void hostile(void **state)
{
	struct place_request r = {.size = UINT32_MAX, .vstart = 1, .vend = UINT32_MAX};
	struct window w;

	assert_int_equal(window_cheapest(*state, &r, &w), -ENOENT);
	r.size = 0;
	assert_int_equal(window_cheapest(*state, &r, &w), -ENOENT);
	r.size = 1;
	assert_int_equal(window_cheapest(*state, &r, &w), 0);
	assert_int_equal(w.end - w.start, PAGE);
	r.vstart = END - 1;
	r.vend = END - 1;
	assert_int_equal(window_cheapest(*state, &r, &w), -ENOENT);
	r.vstart = START + 1;
	r.vend = START + 3 * PAGE - 1;
	assert_int_equal(window_cheapest(*state, &r, &w), 0);
	assert_int_equal(w.start, START + PAGE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_seeded, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_maps), TEST(ties),    TEST(prices),
		TEST(overlaps),		       TEST(no_window), TEST(hostile),
		TEST(taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
