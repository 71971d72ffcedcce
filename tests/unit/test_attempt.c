// SPDX-License-Identifier: GPL-2.0-only
/* Allocations one after the other: on very many holes, and at the end of the address space. */
#include "space_events.h"
#include "volume.h"

#include <unistd.h>

#include "allocator/fit.h"

static uint64_t rng = 0x8f1bbcdc5a827999ull;

static uint32_t rnd(uint32_t below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 32) % below;
}

/* ---- a search that goes on where the last one ended ------------------------------------- */

static struct holeset *random_set(void)
{
	struct holeset *set = holeset_new(START, END);

	assert_non_null(set);
	for (uint32_t page = rnd(4); page < PAGES;) {
		uint32_t last = page + 1 + rnd(12);

		assert_int_equal(holeset_give(set, P(page), P(last < PAGES ? last : PAGES)), 0);
		page = last + 1 + rnd(6);
	}
	return set;
}

static struct place_request random_request(void)
{
	uint32_t first = rnd(3) ? 0 : rnd(PAGES / 2), last = rnd(3) ? PAGES : PAGES - rnd(PAGES / 4);

	return (struct place_request){
		.size = (1 + rnd(6)) * PAGE,
		.align = rnd(2) ? 1 : PAGE << rnd(4),
		.vstart = P(first),
		.vend = P(last),
		.top_down = !rnd(3),
		.exact_pages = rnd(2),
	};
}

/* The same as a search from the start, until nothing fits, other allocations in between. */
static void same_place_from(void **unused)
{
	(void)unused;
	for (int round = 0; round < ROUNDS(2000); round++) {
		struct holeset *set = random_set();
		struct place_request r = random_request();
		uint32_t from = PLACE_FROM_START;
		struct place got, want;

		do {
			uint32_t other = P(rnd(PAGES - 2));

			want = place_find(set, &r);
			got = place_find_from(set, &r, &from);
			assert_int_equal(got.answer, want.answer);
			assert_int_equal(got.start, want.start);
			assert_int_equal(got.latest, want.latest);
			assert_int_equal(got.certain, want.certain);
			if (want.start)
				assert_int_equal(holeset_take(set, want.start, want.start + r.size), 0);
			assert_int_equal(holeset_clear(set, other, other + 2 * PAGE), 0);
		} while (want.start);
		holeset_free(set);
	}
}

/* ---- hundreds of thousands of holes ---------------------------------------------------- */

#define WIDE_START 0x40000000u
#define WIDE_HALF  0x40000000u
#define TOO_LONG_S 30u /* it takes about one; with a search from the start each, minutes */

static void list(struct space *s, uint32_t start, uint32_t end, uint8_t state)
{
	struct event area = { .type = EV_AREA,
			      .t_ns = T0,
			      .begin_ns = T0,
			      .start = start,
			      .end = end,
			      .state = state,
			      .kind = KIND_VMALLOC };

	assert_int_equal(space_apply(s, &area), 0);
}

static void mark(struct space *s, uint8_t type)
{
	struct event event = ev_mark(type, T0, T0);

	assert_int_equal(space_apply(s, &event), 0);
}

static const struct fit_kernel kernel = { .exact_pages = true };

static struct fit_answer ask(const struct space *s, uint32_t bytes, uint32_t count)
{
	struct fit_question question = { .kind = KIND_VMALLOC, .bytes = bytes, .count = count };
	struct fit_answer answer;

	assert_int_equal(fit_ask(s, &kernel, &question, &answer), 0);
	return answer;
}

/* The lower half has every other page used, the upper half is free. */
static void many_above_small_holes(void **unused)
{
	struct space *s = space_new(WIDE_START, WIDE_START + 2 * WIDE_HALF);
	struct fit_answer answer;

	(void)unused;
	assert_non_null(s);
	mark(s, EV_SNAPSHOT_BEGIN);
	for (uint32_t at = 0; at < WIDE_HALF; at += 2 * PAGE)
		list(s, WIDE_START + at, WIDE_START + at + PAGE, AREA_USED);
	mark(s, EV_SNAPSHOT_END);
	alarm(TOO_LONG_S);
	answer = ask(s, 4 * PAGE, 50000);
	alarm(0);
	assert_int_equal(answer.answer, ATTEMPT_NOW);
	assert_true(answer.certain);
	assert_int_equal(answer.placed, 50000);
	/* The last page of the lower half is free too. */
	for (uint32_t i = 0; i < answer.placed; i++)
		assert_int_equal(answer.starts[i], WIDE_START + WIDE_HALF - PAGE + i * 5 * PAGE);
	fit_release(&answer);
	space_free(s);
}

/* Lazy and used pages by turns below; used and free ones above. Then each hole is taken whole. */
static void purge_below_small_holes(void **unused)
{
	struct space *s = space_new(WIDE_START, WIDE_START + 2 * WIDE_HALF);
	struct fit_answer answer;

	(void)unused;
	assert_non_null(s);
	mark(s, EV_SNAPSHOT_BEGIN);
	for (uint32_t at = WIDE_START; at < WIDE_START + WIDE_HALF; at += 4 * PAGE) {
		list(s, at, at + 2 * PAGE, AREA_USED);
		list(s, at + 2 * PAGE, at + 4 * PAGE, AREA_LAZY);
	}
	for (uint32_t at = 0; at < WIDE_HALF; at += 2 * PAGE)
		list(s, WIDE_START + WIDE_HALF + at, WIDE_START + WIDE_HALF + at + PAGE, AREA_USED);
	mark(s, EV_SNAPSHOT_END);
	alarm(TOO_LONG_S);
	answer = ask(s, PAGE, 1000000);
	alarm(0);
	assert_int_equal(answer.answer, ATTEMPT_NO);
	assert_int_equal(answer.placed, WIDE_HALF / (4 * PAGE));
	for (uint32_t i = 0; i < answer.placed; i++)
		assert_int_equal(answer.starts[i], WIDE_START + (4 * i + 2) * PAGE);
	fit_release(&answer);
	space_free(s);
}

/* What a purge gives lies below what was taken before it. */
static void purge_goes_back_down(void **unused)
{
	struct space *s = space_new(START, END);
	struct fit_answer answer;

	(void)unused;
	assert_non_null(s);
	SNAPSHOT(s, T0, ev_lazy(0, 8), ev_used(8, 500), ev_used(502, PAGES));
	answer = ask(s, PAGE, 6);
	assert_int_equal(answer.answer, ATTEMPT_NO);
	assert_int_equal(answer.placed, 5);
	assert_int_equal(answer.starts[0], P(500));
	for (uint32_t i = 1; i < 5; i++)
		assert_int_equal(answer.starts[i], P(2 * i - 2));
	fit_release(&answer);
	space_free(s);
}

/* ---- the last page of the address space -------------------------------------------------- */

static void unknown_to_the_top(void **unused)
{
	struct space *s = space_new(START, 0xfffff000u);
	struct fit_answer answer;

	(void)unused;
	assert_non_null(s);
	apply(s, ev_alloc(T0, 0, 4, 1));
	answer = ask(s, 3 * PAGE, 1);
	assert_int_equal(answer.answer, ATTEMPT_PERHAPS);
	assert_int_equal(answer.maybe_start, P(4));
	assert_true(answer.notes & FIT_NOTE_BLOCKS);
	fit_release(&answer);
	space_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_place_from),
		cmocka_unit_test(many_above_small_holes),
		cmocka_unit_test(purge_below_small_holes),
		cmocka_unit_test(purge_goes_back_down),
		cmocka_unit_test(unknown_to_the_top),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
