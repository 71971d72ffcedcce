// SPDX-License-Identifier: GPL-2.0-only
/*
 * With the kernel's free tree at hand every address is told: against an allocator that keeps such a
 * tree itself, over allocations, frees and purges in the order of each kernel.
 */
#include "space_events.h"
#include "volume.h"

#include "allocator/attempt.h"
#include "allocator/fit.h"
#include "allocator/freetree.h"

#define MAX_AREAS 400u
#define STEPS	  4

struct range {
	uint32_t start;
	uint32_t end;
};

struct kernel {
	struct freetree *tree;
	enum purge_order order;
	struct range used[MAX_AREAS];
	struct range lazy[MAX_AREAS]; /* the oldest first */
	uint32_t nr_used;
	uint32_t nr_lazy;
	struct space *space;
	uint64_t t_ns;
};

static uint64_t rng = 0x6a09e667f3bcc909ull;

static uint32_t rnd(uint32_t below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 32) % below;
}

static int by_start(const void *a, const void *b)
{
	const struct range *left = a, *right = b;

	return left->start < right->start ? -1 : left->start > right->start;
}

/* Gives back n ranges. */
static void purge(struct freetree *tree, enum purge_order order, const struct range *lazy, uint32_t n)
{
	struct range list[MAX_AREAS];

	memcpy(list, lazy, n * sizeof(*list));
	if (order != PURGE_NEWEST_FIRST)
		qsort(list, n, sizeof(*list), by_start);
	for (uint32_t i = 0; order == PURGE_ASCENDING && i < n; i++) {
		struct range range = list[i];

		while (i + 1 < n && list[i + 1].start == range.end)
			range.end = list[++i].end;
		assert_int_equal(freetree_give(tree, range.start, range.end), 0);
	}
	for (uint32_t i = n; order != PURGE_ASCENDING && i-- > 0;)
		assert_int_equal(freetree_give(tree, list[i].start, list[i].end), 0);
}

/* Without the proof after each: test_space has it, and here are many. */
static void put(struct space *s, struct event event)
{
	assert_int_equal(space_apply(s, &event), 0);
}

static uint32_t page_of(uint32_t addr)
{
	return (addr - START) / PAGE;
}

static struct place_request random_request(bool old)
{
	struct place_request r = {
		.size = (2 + rnd(rnd(2) ? 8 : 40)) * PAGE,
		.align = rnd(3) ? PAGE << rnd(5) : 1,
		.vstart = START,
		.vend = END,
		.exact_pages = !old,
	};

	if (rnd(8) == 0) {
		r.top_down = true;
		r.align = PAGE;
	}
	return r;
}

static void take(struct kernel *k, const struct place_request *r)
{
	uint32_t start = freetree_place(k->tree, r), end = start + r->size;

	if (!start || k->nr_used == MAX_AREAS)
		return;
	assert_int_equal(freetree_take(k->tree, start, end), 0);
	k->used[k->nr_used++] = (struct range){start, end};
	put(k->space, ev_alloc(k->t_ns, page_of(start), page_of(end), 1));
}

/* By one of `tasks` tasks. */
static void release(struct kernel *k, uint32_t tasks)
{
	uint32_t i = rnd(k->nr_used);
	struct event event = ev_free(k->t_ns, page_of(k->used[i].start), page_of(k->used[i].end));

	if (k->nr_lazy == MAX_AREAS)
		return;
	event.pid = 9 + rnd(tasks);
	put(k->space, event);
	k->lazy[k->nr_lazy++] = k->used[i];
	k->used[i] = k->used[--k->nr_used];
}

static struct kernel random_kernel(enum purge_order order, bool old, uint32_t tasks)
{
	struct kernel k = {.tree = freetree_new(old), .order = order,
			   .space = space_new(START, END), .t_ns = T0};

	put(k.space, (struct event){.type = EV_SNAPSHOT_BEGIN, .t_ns = T0 - LONG,
				      .begin_ns = T0 - LONG});
	put(k.space, (struct event){.type = EV_SNAPSHOT_END, .t_ns = T0 - LONG,
				      .begin_ns = T0 - LONG});
	for (uint32_t i = 100 + rnd(300); i > 0; i--) {
		struct place_request r = random_request(old);

		k.t_ns += MS;
		if (rnd(100) == 0) {
			purge(k.tree, order, k.lazy, k.nr_lazy);
			k.nr_lazy = 0;
			put(k.space, ev_purge(k.t_ns + 1, k.t_ns));
		} else if (rnd(5) < 3 || !k.nr_used) {
			take(&k, &r);
		} else {
			release(&k, tasks);
		}
	}
	return k;
}

static void kernel_end(struct kernel *k)
{
	freetree_free(k->tree);
	space_free(k->space);
}

/* What the kernel does: its address, 0 = it fails. */
static uint32_t serve(struct kernel *k, const struct place_request *r, bool *purged)
{
	uint32_t start = freetree_place(k->tree, r);

	*purged = !start;
	if (!start) {
		purge(k->tree, k->order, k->lazy, k->nr_lazy);
		k->nr_lazy = 0;
		start = freetree_place(k->tree, r);
	}
	if (start)
		assert_int_equal(freetree_take(k->tree, start, start + r->size), 0);
	return start;
}

struct tally {
	uint32_t answers[4];
	uint32_t open; /* not certain without the tree */
};

static void all_certain(struct kernel *k, bool old, struct tally *tally)
{
	struct attempt *attempt, *blind;

	assert_int_equal(attempt_new(k->space, false, &attempt), 0);
	assert_int_equal(attempt_use_tree(attempt, k->tree, k->order), 0);
	for (int i = 0; i < STEPS; i++) {
		struct place_request r = random_request(old);
		enum attempt_answer answer, guess;
		struct place place, guessed;
		bool purged;
		uint32_t got;

		if (rnd(4) == 0)
			r.size += rnd(PAGES) * PAGE;
		assert_int_equal(attempt_place(attempt, &r, &answer, &place), 0);
		if (i == 0) {
			assert_int_equal(attempt_new(k->space, false, &blind), 0);
			assert_int_equal(attempt_place(blind, &r, &guess, &guessed), 0);
			tally->open += !guessed.certain;
			attempt_free(blind);
		}
		got = serve(k, &r, &purged);
		assert_true(place.certain);
		assert_int_equal(place.start, got);
		assert_int_equal(answer, got ? (purged ? ATTEMPT_PURGE : ATTEMPT_NOW) : ATTEMPT_NO);
		tally->answers[answer]++;
	}
	assert_int_equal(attempt_doubts(attempt), 0);
	attempt_free(attempt);
}

static void every_address_is_told(void **state)
{
	static const enum purge_order orders[] = {PURGE_ASCENDING, PURGE_NEWEST_FIRST, PURGE_DESCENDING};

	(void)state;
	for (size_t o = 0; o < ARRAY_SIZE(orders); o++) {
		struct tally tally = {0};

		for (int round = 0; round < ROUNDS(1200); round++) {
			bool old = orders[o] == PURGE_NEWEST_FIRST;
			struct kernel k = random_kernel(orders[o], old, 1);

			all_certain(&k, old, &tally);
			kernel_end(&k);
		}
		assert_true(tally.answers[ATTEMPT_NO] > ROUNDS(100));
		assert_true(tally.answers[ATTEMPT_PURGE] > ROUNDS(100));
		assert_true(tally.answers[ATTEMPT_PERHAPS] == 0);
		assert_true(tally.open > ROUNDS(50));
	}
}

/* Whose frees came first is open: what is told after a purge still holds, and is less. */
static void two_tasks_free(void **state)
{
	uint32_t certain = 0, open = 0;

	(void)state;
	for (int round = 0; round < ROUNDS(2000); round++) {
		struct kernel k = random_kernel(PURGE_NEWEST_FIRST, false, 2);
		struct place_request r = random_request(false);
		enum attempt_answer answer;
		struct attempt *attempt;
		struct place place;
		uint32_t got;
		bool purged;

		assert_int_equal(attempt_new(k.space, false, &attempt), 0);
		assert_int_equal(attempt_use_tree(attempt, k.tree, k.order), 0);
		assert_int_equal(attempt_place(attempt, &r, &answer, &place), 0);
		/* Any two neighbours may have changed places. */
		for (uint32_t i = rnd(2); i + 1 < k.nr_lazy; i += 2) {
			struct range swapped = k.lazy[i];

			k.lazy[i] = k.lazy[i + 1];
			k.lazy[i + 1] = swapped;
		}
		got = serve(&k, &r, &purged);
		if (place.certain)
			assert_int_equal(place.start, got);
		else
			assert_true(!got || (got >= place.start && got <= place.latest));
		certain += place.certain;
		open += !place.certain;
		attempt_free(attempt);
		kernel_end(&k);
	}
	assert_true(certain > ROUNDS(1000) && open >= ROUNDS(20));
}

/* A tree that is not that of the space, and vmtrace's own areas thought away. */
static void another_tree(void **state)
{
	struct space *s = space_new(START, END);
	struct freetree *tree = freetree_new(false);
	struct place_request r = {.size = 10 * PAGE, .align = 8 * PAGE, .vstart = START, .vend = END,
				  .exact_pages = true};
	enum attempt_answer answer;
	struct attempt *attempt;
	struct place place;

	(void)state;
	apply(s, (struct event){.type = EV_SNAPSHOT_BEGIN, .t_ns = T0 - LONG, .begin_ns = T0 - LONG});
	apply(s, (struct event){.type = EV_SNAPSHOT_END, .t_ns = T0 - LONG, .begin_ns = T0 - LONG});
	apply(s, ev_alloc(T0, 0, 8, 1));
	apply(s, ev_alloc(T0, 18, 40, 1)); /* [8, 18) fits without margin */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(attempt_new(s, i == 1, &attempt), 0);
		assert_int_equal(attempt_use_tree(attempt, tree, PURGE_ASCENDING), 0);
		assert_int_equal(attempt_place(attempt, &r, &answer, &place), 0);
		assert_false(place.certain);
		assert_int_equal(place.start, P(8));
		assert_int_equal(place.latest, P(40));
		attempt_free(attempt);
		assert_int_equal(i ? 0 : freetree_take(tree, START, P(8)), 0);
		assert_int_equal(i ? 0 : freetree_take(tree, P(18), P(40)), 0);
	}
	freetree_free(tree);
	space_free(s);
}

/* No room but in a hole that the search passes over: NO, and the answer says why. */
static void passed_over(void **state)
{
	struct fit_question question = {.kind = KIND_VMALLOC, .bytes = 7 * PAGE, .align = 8 * PAGE,
					.count = 1};
	struct fit_kernel kernel = {.exact_pages = true, .pmd_bytes = 2u << 20};
	uint32_t passed = 0, taken = 0;

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct space *s = space_new(START, END);
		struct freetree *tree = freetree_new(false);
		uint32_t hole = 8 * rnd(PAGES / 8 - 2) + 8, at = 0;
		struct place_request r = {.size = 8 * PAGE, .align = 8 * PAGE, .vstart = START, .vend = END,
					  .exact_pages = true};
		struct fit_answer answer;

		apply(s, (struct event){.type = EV_SNAPSHOT_BEGIN, .t_ns = T0 - LONG,
					.begin_ns = T0 - LONG});
		apply(s, (struct event){.type = EV_SNAPSHOT_END, .t_ns = T0 - LONG,
					.begin_ns = T0 - LONG});
		/* One hole of just eight pages, else holes of four. */
		assert_int_equal(freetree_take(tree, START, END), 0);
		for (uint32_t page = 0; page < PAGES; page += 8) {
			uint32_t first = page == hole ? page : page + 4;

			if (page && page != hole && rnd(2))
				continue;
			if (page == 0)
				first = 4;
			assert_int_equal(freetree_give(tree, P(first), P(page + 8)), 0);
			if (at < first)
				apply(s, ev_alloc(T0, at, first, 1));
			at = page + 8;
		}
		if (at < PAGES)
			apply(s, ev_alloc(T0, at, PAGES, 1));
		kernel.tree = tree;
		assert_int_equal(fit_ask(s, &kernel, &question, &answer), 0);
		assert_true(answer.certain || answer.answer == ATTEMPT_NO);
		if (freetree_place(tree, &r)) {
			assert_int_equal(answer.answer, ATTEMPT_NOW);
			assert_int_equal(answer.starts[0], P(hole));
			taken++;
		} else {
			assert_int_equal(answer.answer, ATTEMPT_NO);
			assert_int_equal(answer.notes, FIT_NOTE_PASSED);
			passed++;
		}
		fit_release(&answer);
		freetree_free(tree);
		space_free(s);
	}
	assert_true(passed > 10 && taken > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_address_is_told), cmocka_unit_test(two_tasks_free),
		cmocka_unit_test(another_tree), cmocka_unit_test(passed_over)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
