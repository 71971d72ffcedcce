/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's tree of free ranges, against a bitmap of pages. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "allocator/freetree.h"
#include "volume.h"

#define START 0xf8000000u
#define PAGES 2048u
#define PAGE  VMT_PAGE_SIZE
#define END   (START + PAGES * PAGE)
#define P(n)  (START + (n)*PAGE)

struct fixture {
	struct freetree *tree;
	uint8_t taken[PAGES];
	uint64_t rng;
};

static uint32_t rnd(struct fixture *f, uint32_t below)
{
	f->rng ^= f->rng << 13;
	f->rng ^= f->rng >> 7;
	f->rng ^= f->rng << 17;
	return (uint32_t)(f->rng >> 32) % below;
}

static void check(const struct fixture *f)
{
	char why[128] = "";

	if (!freetree_check(f->tree, why, sizeof(why)))
		fail_msg("%s", why);
}

static struct place_request request(uint32_t pages, uint32_t align)
{
	return (struct place_request){.size = pages * PAGE, .align = align, .vstart = START, .vend = END};
}

/* ---- what a bitmap says ---- */

static bool is_free(const struct fixture *f, uint32_t first, uint32_t pages)
{
	if (first + pages > PAGES)
		return false;
	for (uint32_t i = first; i < first + pages; i++) {
		if (f->taken[i])
			return false;
	}
	return true;
}

static void set(struct fixture *f, uint32_t first, uint32_t pages, bool taken)
{
	memset(f->taken + first, taken, pages);
}

/* The lowest address that fits and is in a run of at least `run` pages, or in one that goes on
 * beyond the bitmap. */
static uint32_t naive_lowest(const struct fixture *f, const struct place_request *r, uint32_t run)
{
	for (uint32_t page = 0; page < PAGES; page++) {
		uint32_t first = page, last = page;

		if (P(page) < r->vstart || P(page) % (r->align ? r->align : 1) ||
		    P(page) + r->size > r->vend || !is_free(f, page, r->size / PAGE))
			continue;
		while (first > 0 && !f->taken[first - 1])
			first--;
		while (last < PAGES && !f->taken[last])
			last++;
		if (last - first >= run || first == 0 || last == PAGES)
			return P(page);
	}
	return 0;
}

static uint32_t naive_highest(const struct fixture *f, const struct place_request *r)
{
	for (uint32_t page = PAGES; page-- > 0;) {
		if (P(page) >= r->vstart && P(page) + r->size <= r->vend &&
		    (P(page) + r->size) % r->align == 0 && is_free(f, page, r->size / PAGE))
			return P(page);
	}
	return 0;
}

static uint32_t naive_largest(const struct fixture *f, uint32_t first, uint32_t last)
{
	uint32_t most = 0, run = 0;

	for (uint32_t page = first; page < last; page++) {
		run = f->taken[page] ? 0 : run + 1;
		most = run > most ? run : most;
	}
	return most * PAGE;
}

/* ---- tests ---- */

static void new_tree_is_all_free(void **state)
{
	struct fixture *f = *state;
	struct place_request r = request(4, 1);

	check(f);
	assert_true(freetree_has(f->tree, PAGE, 0xfffff000));
	assert_int_equal(freetree_largest(f->tree, START, END), PAGES * PAGE);
	assert_int_equal(freetree_place(f->tree, &r), START);
	r.top_down = true;
	r.align = PAGE;
	assert_int_equal(freetree_place(f->tree, &r), END - 4 * PAGE);
}

static void nonsense_is_refused(void **state)
{
	struct fixture *f = *state;
	struct place_request r = request(1, 1);

	assert_int_equal(freetree_take(f->tree, P(4), P(4)), -EINVAL);
	assert_int_equal(freetree_take(f->tree, P(4) + 1, P(5)), -EINVAL);
	assert_int_equal(freetree_take(f->tree, 0, PAGE), -EINVAL);
	assert_int_equal(freetree_give(f->tree, P(4), P(5)), -EINVAL); /* free already */
	assert_int_equal(freetree_take(f->tree, P(4), P(8)), 0);
	assert_int_equal(freetree_take(f->tree, P(7), P(9)), -EINVAL);
	assert_int_equal(freetree_give(f->tree, P(3), P(5)), -EINVAL);
	assert_int_equal(freetree_give(f->tree, P(7), P(9)), -EINVAL);
	assert_int_equal(freetree_give(f->tree, P(4), P(8)), 0);
	assert_true(freetree_has(f->tree, PAGE, 0xfffff000));
	r.size = 0;
	assert_int_equal(freetree_place(f->tree, &r), 0);
	r = request(1, 1);
	r.vend = r.vstart;
	assert_int_equal(freetree_place(f->tree, &r), 0);
	check(f);
}

/* All pages but one taken, the ends included: nothing larger fits, and what does fits there. */
static void full(void **state)
{
	struct fixture *f = *state;
	struct place_request one = request(1, 1), two = request(2, 1);

	assert_int_equal(freetree_take(f->tree, START, END), 0);
	assert_int_equal(freetree_largest(f->tree, START, END), 0);
	assert_int_equal(freetree_place(f->tree, &one), 0);
	assert_int_equal(freetree_give(f->tree, P(9), P(10)), 0);
	assert_int_equal(freetree_place(f->tree, &one), P(9));
	assert_int_equal(freetree_place(f->tree, &two), 0);
	one.vstart = P(10);
	assert_int_equal(freetree_place(f->tree, &one), 0);
	one.vstart = START;
	one.vend = P(9) + 1;
	assert_int_equal(freetree_place(f->tree, &one), 0);
	freetree_clear(f->tree);
	assert_int_equal(freetree_place(f->tree, &two), START);
	check(f);
}

/*
 * find_vmap_lowest_match with an alignment: a hole that fits exactly, without the margin, is taken
 * if the search comes by, and passed over otherwise. The same holes, given in another order, are
 * another tree.
 */
static void shape_decides(void **state)
{
	struct fixture *f = *state;
	struct place_request r = request(4, 4 * PAGE);
	uint32_t taken = 0, passed_over = 0;

	f->rng = 5;
	for (uint32_t round = 0; round < 200; round++) {
		uint32_t first = rnd(f, 8);

		freetree_clear(f->tree);
		assert_int_equal(freetree_take(f->tree, START, P(1000)), 0);
		for (uint32_t i = 0; i < 8; i++) {
			uint32_t at = (first + i * 5) % 8 * 16;
			uint32_t pages = at == 32 ? 4 : at == 64 ? 8 : 2;

			assert_int_equal(freetree_give(f->tree, P(at), P(at + pages)), 0);
		}
		check(f);
		r.align = 4 * PAGE;
		taken += freetree_place(f->tree, &r) == P(32);
		passed_over += freetree_place(f->tree, &r) == P(64);
		assert_int_equal(taken + passed_over, round + 1);
		r.align = 1;
		assert_int_equal(freetree_place(f->tree, &r), P(32));
	}
	assert_true(taken > 0);
	assert_true(passed_over > 0);
}

/* Before 5.16 an alignment of a page wants a page more, where the tree has to be entered for it. */
static void page_alignment(void **state)
{
	struct fixture *f = *state;
	struct freetree *old = freetree_new(true);
	struct place_request r = request(4, PAGE);
	uint32_t passed_over = 0;

	assert_non_null(old);
	assert_int_equal(freetree_take(f->tree, START, P(1000)), 0);
	assert_int_equal(freetree_take(old, START, P(1000)), 0);
	for (uint32_t at = 8; at < 264; at += 8) {
		assert_int_equal(freetree_give(f->tree, P(at), P(at + 4)), 0);
		assert_int_equal(freetree_give(old, P(at), P(at + 4)), 0);
	}
	for (uint32_t at = 8; at < 264; at += 8) {
		r.vstart = P(at);
		r.align = PAGE;
		assert_int_equal(freetree_place(f->tree, &r), P(at));
		passed_over += freetree_place(old, &r) != P(at);
		r.align = 1;
		assert_int_equal(freetree_place(old, &r), P(at));
	}
	assert_true(passed_over > 0);
	freetree_free(old);
}

static void take_something(struct fixture *f)
{
	static const uint32_t aligns[] = {0, 1, PAGE, 2 * PAGE, 8 * PAGE, 64 * PAGE};
	struct place_request r = request(1 + rnd(f, rnd(f, 4) ? 8 : 100), aligns[rnd(f, 6)]);
	uint32_t lowest, sure, start;

	r.vstart = P(rnd(f, 3) ? 0 : rnd(f, PAGES));
	r.vend = rnd(f, 3) ? END : r.vstart + rnd(f, END - r.vstart) / PAGE * PAGE;
	if (r.vstart >= r.vend)
		return;
	r.top_down = rnd(f, 5) == 0;
	if (r.top_down) { /* BUG_ON(!IS_ALIGNED(sizes[area], align)) */
		r.align = r.align > 1 ? r.align : PAGE;
		r.size = (r.size + r.align - 1) / r.align * r.align;
	}
	start = freetree_place(f->tree, &r);
	if (r.top_down) {
		assert_int_equal(start, naive_highest(f, &r));
	} else {
		lowest = naive_lowest(f, &r, 0);
		sure = naive_lowest(f, &r, (r.size + r.align) / PAGE);
		if (r.align <= PAGE || !lowest) {
			assert_int_equal(start, lowest);
		} else if (r.vend == END) {
			assert_true(start ? start >= lowest : !sure);
			assert_true(!sure || start <= sure);
		}
	}
	if (!start)
		return;
	assert_true(is_free(f, (start - START) / PAGE, r.size / PAGE));
	assert_int_equal(freetree_take(f->tree, start, start + r.size), 0);
	set(f, (start - START) / PAGE, r.size / PAGE, true);
}

static void give_something(struct fixture *f)
{
	uint32_t first = rnd(f, PAGES), pages = 1;

	while (first < PAGES && !f->taken[first])
		first++;
	if (first == PAGES)
		return;
	while (first + pages < PAGES && f->taken[first + pages] && rnd(f, 12))
		pages++;
	assert_int_equal(freetree_give(f->tree, P(first), P(first + pages)), 0);
	set(f, first, pages, false);
}

static void random_operations(void **state)
{
	struct fixture *f = *state;

	f->rng = 20240611;
	for (uint32_t i = 0; i < ROUNDS(30000); i++) {
		uint32_t first = rnd(f, PAGES), last = first + rnd(f, PAGES - first);

		if (rnd(f, 100) < (i / 3000 % 2 ? 65u : 40u))
			take_something(f);
		else
			give_something(f);
		check(f);
		assert_int_equal(freetree_largest(f->tree, P(first), P(last)), naive_largest(f, first, last));
		assert_int_equal(freetree_largest(f->tree, START, END), naive_largest(f, 0, PAGES));
	}
}

/* Nodes as a kernel may seem to have them: a tree that is one, or none. */
static void hostile_nodes(void **state)
{
	static const struct freetree_node pair[2] = {
		{.start = P(4), .end = P(6), .most = 2 * PAGE, .child = {1, 0}},
		{.start = P(1), .end = P(2), .most = PAGE, .red = true}};
	struct fixture *f = *state;
	struct freetree_node nodes[5];
	struct freetree *tree = freetree_of_nodes(pair, 2, false);
	uint32_t trees = 0;
	char why[128];

	f->rng = 20261122;
	assert_true(tree && freetree_has(tree, P(1), P(2)) && freetree_has(tree, P(4), P(6)));
	assert_int_equal(freetree_largest(tree, START, END), 2 * PAGE);
	freetree_free(tree);
	memcpy(nodes, pair, sizeof(pair));
	nodes[1].child[0] = 1; /* its own child */
	assert_null(freetree_of_nodes(nodes, 2, false));
	nodes[1].child[0] = 7; /* beyond them all */
	assert_null(freetree_of_nodes(nodes, 2, false));
	memcpy(nodes, pair, sizeof(pair));
	nodes[0].child[0] = 0; /* nobody's */
	assert_null(freetree_of_nodes(nodes, 2, false));
	for (int round = 0; round < ROUNDS(200000); round++) {
		uint32_t count = 1 + rnd(f, 5);

		for (uint32_t i = 0; i < count; i++) {
			uint32_t first = 1 + 3 * rnd(f, 5);

			nodes[i] = (struct freetree_node){.start = P(first), .end = P(first + 1 + rnd(f, 2)),
							  .most = (1 + rnd(f, 2)) * PAGE,
							  .child = {rnd(f, count + 1), rnd(f, count + 1)},
							  .red = rnd(f, 2)};
			nodes[i].child[rnd(f, 2)] *= rnd(f, 2);
		}
		tree = freetree_of_nodes(nodes, count, false);
		if (tree)
			assert_true(freetree_check(tree, why, sizeof(why)));
		trees += tree != NULL;
		freetree_free(tree);
	}
	assert_true(trees > ROUNDS(1000));
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->tree = freetree_new(false);
	*state = f;
	return f->tree ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	freetree_free(f->tree);
	free(f);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(new_tree_is_all_free), TEST(nonsense_is_refused), TEST(full),
		TEST(shape_decides),	    TEST(page_alignment),      TEST(random_operations),
		TEST(hostile_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
