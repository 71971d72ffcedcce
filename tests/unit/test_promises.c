// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an attempt promises holds in every space that the model may stand for: pages not known are
 * used, lazy or free; what a purge may have freed is lazy or free; a vm_map_ram block stays or goes
 * with a purge. The naive kernel here knows which, and allocates page by page.
 */
#include "space_events.h"
#include "volume.h"

#include "allocator/attempt.h"

#define N_PAGES 320u
#define TOP	(START + N_PAGES * PAGE)

static uint64_t rng = 0xa0761d6478bd642full;

static uint32_t rnd(uint32_t below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 32) % below;
}

/* ---- a model with much that is not known ---------------------------------------------------- */

static struct event kinded(struct event event)
{
	uint32_t pages = (event.end - event.start) / PAGE;

	event.kind = rnd(3) ? KIND_VMALLOC : KIND_VM_MAP_RAM;
	if (pages == 64 && rnd(2))
		event.kind = KIND_VM_MAP_RAM;
	if (event.kind == KIND_VM_MAP_RAM)
		event.align = rnd(3) ? (rnd(2) ? pages * PAGE : 0) : PAGE;
	return event;
}

static void add_random(struct space *s, uint64_t t_ns)
{
	uint32_t first = rnd(N_PAGES), last = first + 1 + rnd(rnd(2) ? 8 : 70);

	if (rnd(4) == 0) {
		first = rnd(N_PAGES / 64) * 64;
		last = first + 64;
	}
	last = last < N_PAGES ? last : N_PAGES;
	if (rnd(5) < 3)
		apply(s, kinded(ev_alloc(t_ns, first, last, last - first > 1 && rnd(2))));
	else
		apply(s, ev_free(t_ns, first, last));
}

static struct space *random_space(void)
{
	struct space *s = space_new(START, TOP);
	uint32_t count = rnd(40);

	assert_non_null(s);
	if (rnd(3))
		snapshot(s, T0 - LONG, NULL, 0);
	for (uint32_t i = 0; i < count; i++) {
		add_random(s, T0 + i);
		if (rnd(30) == 0) /* what was freed in the last few steps may be gone */
			apply(s, ev_purge(T0 + i, T0 + i - rnd(i + 1)));
	}
	return s;
}

/* ---- one of the spaces it may stand for ------------------------------------------------------ */

enum real { USED, LAZY, BLOCK, FREE }; /* BLOCK: used, but a purge takes it */

struct kernel {
	enum real page[N_PAGES];
	bool purged;
};

static bool is_block(const struct area *area)
{
	uint32_t pages = (area->end - area->start) / PAGE;

	return area->kind == KIND_VM_MAP_RAM && (pages == 64 || pages == 128 || pages == 256) &&
	       area->start % (pages * PAGE) == 0 && area_align(area) != PAGE;
}

static enum real choose(const struct area *area)
{
	if (area->state == AREA_LAZY)
		return (area->flags & AREA_F_MAYBE_FREE) && rnd(2) ? FREE : LAZY;
	return is_block(area) && rnd(2) ? BLOCK : USED;
}

static void choose_kernel(struct kernel *k, const struct space *s)
{
	const struct area *area = NULL;
	enum real of_area = USED;

	k->purged = false;
	for (uint32_t page = 0; page < N_PAGES; page++) {
		const struct area *at = space_area_at(s, P(page));

		if (at && at != area)
			of_area = choose(at);
		area = at;
		if (at)
			k->page[page] = of_area;
		else if (space_page(s, P(page)) == PAGE_UNKNOWN)
			k->page[page] = rnd(3) ? (enum real)(2 * rnd(2)) + LAZY : USED;
		else
			k->page[page] = FREE;
		if (k->page[page] == BLOCK && !at)
			k->page[page] = FREE;
	}
}

static bool fits(const struct kernel *k, const struct place_request *r, uint32_t first)
{
	uint32_t edge = r->top_down ? P(first) + r->size : P(first);

	if (P(first) + r->size > TOP || edge % r->align || (r->top_down && P(first) % r->align))
		return false;
	for (uint32_t i = 0; i < r->size / PAGE; i++) {
		if (k->page[first + i] != FREE)
			return false;
	}
	return true;
}

static uint32_t find(const struct kernel *k, const struct place_request *r)
{
	for (uint32_t i = 0; i < N_PAGES; i++) {
		uint32_t first = r->top_down ? N_PAGES - 1 - i : i;

		if (fits(k, r, first))
			return P(first);
	}
	return 0;
}

/* The address, 0 = it fails. */
static uint32_t kernel_alloc(struct kernel *k, const struct place_request *r)
{
	uint32_t addr = find(k, r);

	if (!addr) {
		for (uint32_t page = 0; page < N_PAGES; page++) {
			if (k->page[page] != USED)
				k->page[page] = FREE;
		}
		k->purged = true;
		addr = find(k, r);
	}
	for (uint32_t i = 0; addr && i < r->size / PAGE; i++)
		k->page[(addr - START) / PAGE + i] = USED;
	return addr;
}

/* ---- the promise ------------------------------------------------------------------------------ */

#define STEPS 6u

struct told {
	enum attempt_answer answer;
	struct place place;
	uint32_t doubts;
	bool purged;
};

static uint32_t answers[4], certain, purge_doubts;

static void hold(const struct told *told, const struct kernel *k, uint32_t got, bool purged)
{
	if (told->answer == ATTEMPT_NO)
		assert_int_equal(got, 0);
	if (told->answer >= ATTEMPT_PURGE)
		assert_true(got);
	if (told->answer == ATTEMPT_NOW)
		assert_false(purged);
	if (told->answer == ATTEMPT_PURGE && !(told->doubts & ATTEMPT_DOUBT_PURGE) &&
	    !told->purged)
		assert_true(purged && k->purged);
	if (!got || told->answer == ATTEMPT_NO)
		return;
	assert_true(got >= told->place.start);
	assert_true(!told->place.latest || got <= told->place.latest);
	if (told->answer >= ATTEMPT_PURGE && told->place.certain)
		assert_int_equal(got, told->place.start);
}

static void check_kernels(const struct space *s, const struct place_request *requests,
			  const struct told *told)
{
	for (int i = 0; i < 12; i++) {
		struct kernel k;

		choose_kernel(&k, s);
		for (uint32_t step = 0; step < STEPS; step++) {
			bool before = k.purged;
			uint32_t got = kernel_alloc(&k, &requests[step]);

			hold(&told[step], &k, got, k.purged && !before);
			if (told[step].answer < ATTEMPT_PURGE)
				break; /* what comes after it depends on it */
		}
	}
}

static struct place_request random_request(void)
{
	struct place_request r = {
		.size = (1 + rnd(rnd(2) ? 10 : 80)) * PAGE,
		.align = 1,
		.vstart = START,
		.vend = TOP,
		.exact_pages = true,
	};

	if (rnd(4) == 0) {
		r.top_down = true;
		r.align = PAGE << rnd(3);
		r.size = (r.size + r.align - 1) / r.align * r.align;
	} else if (rnd(2)) {
		r.align = PAGE;
	}
	return r;
}

static void promises(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS(6000); round++) {
		struct space *s = random_space();
		struct place_request requests[STEPS];
		struct told told[STEPS];
		struct attempt *attempt;

		assert_int_equal(attempt_new(s, false, &attempt), 0);
		for (uint32_t i = 0; i < STEPS; i++) {
			requests[i] = i && rnd(2) ? requests[i - 1] : random_request();
			told[i].purged = attempt_purged(attempt);
			assert_int_equal(attempt_place(attempt, &requests[i], &told[i].answer,
						       &told[i].place), 0);
			told[i].doubts = attempt_doubts(attempt);
			answers[told[i].answer]++;
			certain += told[i].place.certain;
			purge_doubts += (told[i].doubts & ATTEMPT_DOUBT_PURGE) != 0;
		}
		check_kernels(s, requests, told);
		attempt_free(attempt);
		space_free(s);
	}
	for (int i = 0; i < 4; i++)
		assert_true(answers[i] > ROUNDS(1000));
	assert_true(certain > ROUNDS(5000) && purge_doubts > ROUNDS(500));
}

/* What fails gives back the place of what it belongs to, for the same request to find again. */
static void undo(void **state)
{
	struct space *s = space_new(START, TOP);
	struct place_request r = {
		.size = 100 * PAGE, .align = 1, .vstart = START, .vend = TOP};
	enum attempt_answer answer;
	struct attempt *attempt;
	struct place place;

	(void)state;
	snapshot(s, T0 - LONG, NULL, 0);
	assert_int_equal(attempt_new(s, false, &attempt), 0);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(attempt_place(attempt, &r, &answer, &place), 0);
		assert_int_equal(place.start, P(i * 100));
	}
	assert_int_equal(attempt_undo(attempt), 0);
	assert_int_equal(attempt_place(attempt, &r, &answer, &place), 0);
	assert_int_equal(place.start, P(200));
	assert_int_equal(holeset_free_bytes(attempt_left(attempt)), 20 * PAGE);
	attempt_free(attempt);
	attempt_free(NULL);
	space_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(promises), cmocka_unit_test(undo)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
