// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rule of placement, twice: against a search page by page, which says where the request fits
 * at all, and against the kernel's search of its free tree (mm/vmalloc.c:find_vmap_lowest_match,
 * as in 5.10 and as in 6.12) on every shape the tree can have, which says what the kernel may do.
 */
#include "space_events.h"
#include "volume.h"

#include "allocator/place.h"

#define LOW	0xf77fe000u /* as the stock PAE kernel has it: not aligned to anything large */
#define N_PAGES 48u
#define HIGH	(LOW + N_PAGES * PAGE)
#define Q(n)	(LOW + (n)*PAGE)
#define MAX_BLOCKS 14
#define SHAPES	48u /* tried of each tree; all if it has no more */

static uint64_t rng = 0x853c49e6748fea9bull;

static uint32_t rnd(uint32_t below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 32) % below;
}

/* ---- page by page ------------------------------------------------------------------------ */

static bool all_free(const struct holeset *set, uint32_t start, uint32_t size)
{
	for (uint32_t at = start; at < start + size; at += PAGE) {
		if (!holeset_has(set, at, at + PAGE))
			return false;
	}
	return true;
}

/* pcpu_get_vm_areas aligns the end, and the lowest start that it allows. */
static bool may_begin(const struct holeset *set, const struct place_request *r, uint32_t start)
{
	uint32_t aligned = r->top_down ? start + r->size : start;
	uint32_t low = r->vstart;

	if (r->top_down && r->align > 1)
		low = (r->vstart + r->align - 1) & ~(r->align - 1);
	return start >= low && start + r->size <= r->vend &&
	       start + r->size <= holeset_end(set) && (r->align < 2 || aligned % r->align == 0) &&
	       all_free(set, start, r->size);
}

/* The lowest address that fits, or the highest; 0 if there is none. */
static uint32_t naive_place(const struct holeset *set, const struct place_request *r)
{
	uint32_t found = 0;

	for (uint32_t at = holeset_start(set); at < holeset_end(set); at += PAGE) {
		if (may_begin(set, r, at) && (!found || r->top_down))
			found = at;
	}
	return found;
}

/* ---- the kernel's tree -------------------------------------------------------------------- */

struct node {
	uint32_t start;
	uint32_t end;
	uint32_t longest; /* in the subtree */
	struct node *parent;
	struct node *left;
	struct node *right;
};

struct tree {
	struct node nodes[MAX_BLOCKS];
	uint32_t count;
	struct node *root;
};

/* The free blocks: the first and the last reach beyond the space. */
static void tree_fill(struct tree *tree, const struct holeset *set)
{
	uint32_t count = holeset_count(set), n = 0;

	memset(tree, 0, sizeof(*tree));
	if (!count || holeset_at(set, 0).start != LOW)
		tree->nodes[n++] = (struct node){.start = 1, .end = LOW};
	for (uint32_t i = 0; i < count; i++)
		tree->nodes[n++] = (struct node){.start = holeset_at(set, i).start,
						 .end = holeset_at(set, i).end};
	if (tree->nodes[0].start == LOW)
		tree->nodes[0].start = 1;
	if (tree->nodes[n - 1].end == HIGH)
		tree->nodes[n - 1].end = UINT32_MAX;
	else
		tree->nodes[n++] = (struct node){.start = HIGH, .end = UINT32_MAX};
	assert_true(n <= MAX_BLOCKS);
	tree->count = n;
}

/* How many shapes a binary tree of n nodes has. */
static uint32_t shapes_of(uint32_t n)
{
	static uint32_t shapes[MAX_BLOCKS + 1] = {1};
	static uint32_t known;

	for (; known < n; known++) {
		for (uint32_t left = 0; left <= known; left++)
			shapes[known + 1] += shapes[left] * shapes[known - left];
	}
	return shapes[n];
}

/* Nodes [first, last) in their shape of this number. */
static struct node *tree_shape(struct node *nodes, uint32_t first, uint32_t last, uint32_t number,
			       struct node *parent)
{
	uint32_t root = first, rights;
	struct node *node;

	if (first == last)
		return NULL;
	for (;; root++) {
		uint32_t all = shapes_of(root - first) * shapes_of(last - root - 1);

		if (number < all)
			break;
		number -= all;
	}
	rights = shapes_of(last - root - 1);
	node = &nodes[root];
	node->parent = parent;
	node->left = tree_shape(nodes, first, root, number / rights, node);
	node->right = tree_shape(nodes, root + 1, last, number % rights, node);
	node->longest = node->end - node->start;
	if (node->left && node->left->longest > node->longest)
		node->longest = node->left->longest;
	if (node->right && node->right->longest > node->longest)
		node->longest = node->right->longest;
	return node;
}

/* ---- the kernel's search ------------------------------------------------------------------ */

/* Which one: 5.2 to 5.15, or 5.18 on. */
enum age { OLD, NEW };

struct search {
	uint32_t size;
	uint32_t align;
	uint32_t vstart;
	uint64_t length;
	enum age age;
};

static uint32_t longest(const struct node *node)
{
	return node ? node->longest : 0;
}

static uint64_t begin_in(const struct search *s, const struct node *node)
{
	uint64_t from = node->start > s->vstart ? node->start : s->vstart;

	return s->align > 1 ? (from + s->align - 1) / s->align * s->align : from;
}

static bool fits(const struct search *s, const struct node *node)
{
	uint64_t begin = begin_in(s, node);

	return begin + s->size <= UINT32_MAX && begin + s->size <= node->end;
}

/* Back up to the first node that fits or has a right subtree to look into. */
static const struct node *climb(struct search *s, const struct node *node, bool *found)
{
	for (node = node->parent; node; node = node->parent) {
		*found = fits(s, node);
		if (*found)
			return node;
		if (longest(node->right) >= s->length && s->vstart <= node->start) {
			if (s->age == NEW)
				s->vstart = node->start + 1;
			return node->right;
		}
	}
	return NULL;
}

static const struct node *lowest_match(struct search *s, const struct node *node)
{
	bool found = false;
	int steps = 0;

	while (node && !found) {
		assert_true(steps++ < 1000);
		if (longest(node->left) >= s->length && s->vstart < node->start)
			node = node->left;
		else if (fits(s, node))
			found = true;
		else if (longest(node->right) >= s->length)
			node = node->right;
		else
			node = climb(s, node, &found);
	}
	return node;
}

/* __alloc_vmap_area: the address, 0 = it fails. */
static uint32_t kernel_alloc(const struct tree *tree, const struct place_request *r, enum age age)
{
	uint32_t align = r->align ? r->align : 1;
	bool adjust = age == OLD || (align > PAGE && r->vend - r->vstart != r->size);
	struct search s = {.size = r->size, .align = align, .vstart = r->vstart, .age = age};
	const struct node *node;

	s.length = adjust ? (uint64_t)r->size + align - 1 : r->size;
	node = lowest_match(&s, tree->root);
	if (!node || begin_in(&s, node) + s.size > r->vend)
		return 0;
	return (uint32_t)begin_in(&s, node);
}

/* ---- random questions ---------------------------------------------------------------------- */

static struct holeset *random_holes(void)
{
	struct holeset *set = holeset_new(LOW, HIGH);
	uint32_t most = 1 + rnd(16);

	assert_non_null(set);
	for (uint32_t i = 1 + rnd(9); i > 0; i--) {
		uint32_t first = rnd(N_PAGES), last = first + 1 + rnd(most);

		assert_int_equal(holeset_give(set, Q(first), Q(last < N_PAGES ? last : N_PAGES)),
				 0);
	}
	return set;
}

/* Sizes near those of holes, where it gets interesting. */
static struct place_request random_request(const struct holeset *set)
{
	struct hole hole = holeset_at(set, rnd(holeset_count(set)));
	struct place_request r = {
		.size = rnd(3) ? hole.end - hole.start : (1 + rnd(12)) * PAGE,
		.align = rnd(4) ? PAGE << rnd(6) : rnd(2),
		.vstart = LOW,
		.vend = HIGH,
	};

	if (rnd(4) == 0 && r.size > PAGE)
		r.size -= PAGE;
	if (rnd(4) == 0)
		r.vstart = Q(rnd(N_PAGES));
	if (rnd(4) == 0)
		r.vend = Q(1 + rnd(N_PAGES));
	if (rnd(16) == 0 && r.vstart + r.size <= HIGH)
		r.vend = r.vstart + r.size; /* just this place */
	return r;
}

/* Where it fits at all: the same as page by page. */
static void page_by_page(void **state)
{
	uint32_t answers[3] = {0};

	(void)state;
	for (int i = 0; i < ROUNDS(60000); i++) {
		struct holeset *set = random_holes();
		struct place_request r = random_request(set);
		struct place place;
		uint32_t want;

		r.top_down = rnd(3) == 0;
		r.exact_pages = rnd(2);
		want = r.vstart < r.vend ? naive_place(set, &r) : 0;
		place = place_find(set, &r);
		answers[place.answer]++;
		assert_int_equal(place.start, want);
		assert_int_equal(place.answer != PLACE_NO, want != 0);
		if (r.top_down || r.align < 2)
			assert_true(place.certain && place.answer != PLACE_PERHAPS);
		holeset_free(set);
	}
	for (int i = 0; i < 3; i++)
		assert_true(answers[i] > ROUNDS(3000));
}

struct tally {
	uint32_t yes;
	uint32_t certain;
	uint32_t elsewhere; /* not certain, and the kernel did take another place */
	uint32_t taken;	    /* perhaps, and it was */
	uint32_t passed;    /* perhaps, and it was not */
	uint32_t no;
};

static void compare(const struct place *place, uint32_t got, struct tally *tally)
{
	switch (place->answer) {
	case PLACE_YES:
		assert_true(got >= place->start);
		assert_true(got <= place->latest);
		if (place->certain)
			assert_int_equal(got, place->start);
		tally->yes++;
		tally->certain += place->certain;
		tally->elsewhere += got != place->start;
		break;
	case PLACE_PERHAPS:
		assert_false(place->certain);
		assert_true(!got || (got >= place->start && got <= place->latest));
		tally->taken += got != 0;
		tally->passed += got == 0;
		break;
	default:
		assert_int_equal(got, 0);
		assert_int_equal(place->start + place->latest, 0);
		tally->no++;
	}
}

static void every_shape_of(const struct holeset *set, const struct place_request *r, enum age age,
			   struct tally *tally)
{
	struct place place = place_find(set, r);
	struct tree tree;
	uint32_t shapes;

	tree_fill(&tree, set);
	shapes = shapes_of(tree.count);
	for (uint32_t i = 0; i < SHAPES && i < shapes; i++) {
		uint32_t number = shapes <= SHAPES ? i : rnd(shapes);
		uint32_t got;

		tree.root = tree_shape(tree.nodes, 0, tree.count, number, NULL);
		got = kernel_alloc(&tree, r, age);
		assert_true(!got || may_begin(set, r, got));
		compare(&place, got, tally);
	}
}

/*
 * What is promised holds for every shape of the tree: certain = that address, YES = some address
 * and none below, NO = none. And what is left open is open: shapes differ.
 */
static void every_shape(void **state)
{
	struct tally tally[2] = {{0}, {0}};

	(void)state;
	for (int i = 0; i < ROUNDS(20000); i++) {
		struct holeset *set = random_holes();
		struct place_request r = random_request(set);

		if (r.vstart < r.vend) {
			every_shape_of(set, &r, OLD, &tally[OLD]);
			every_shape_of(set, &r, NEW, &tally[NEW]); /* if that is not known */
			r.exact_pages = true;
			every_shape_of(set, &r, NEW, &tally[NEW]);
		}
		holeset_free(set);
	}
	for (int age = OLD; age <= NEW; age++) {
		assert_true(tally[age].certain > ROUNDS(10000) && tally[age].yes > tally[age].certain);
		assert_true(tally[age].elsewhere > ROUNDS(1000) && tally[age].no > ROUNDS(10000));
		assert_true(tally[age].taken > ROUNDS(1000) && tally[age].passed > ROUNDS(1000));
	}
}

/* ---- by hand --------------------------------------------------------------------------------- */

/* Only the fit that has no margin: perhaps; and one with it above: yes, but not certainly there. */
static void margin(void **state)
{
	struct holeset *set = holeset_new(LOW, HIGH);
	struct place_request r = {.size = 4 * PAGE, .align = PAGE, .vstart = LOW, .vend = HIGH};
	struct place place;

	(void)state;
	holeset_give(set, Q(10), Q(14));
	place = place_find(set, &r);
	assert_int_equal(place.answer, PLACE_PERHAPS);
	assert_int_equal(place.start, Q(10));
	r.exact_pages = true; /* as it is from 5.16 on */
	place = place_find(set, &r);
	assert_true(place.answer == PLACE_YES && place.certain && place.start == Q(10));
	r.exact_pages = false;
	holeset_give(set, Q(20), Q(25));
	place = place_find(set, &r);
	assert_true(place.answer == PLACE_YES && !place.certain && place.start == Q(10));
	holeset_give(set, Q(14), Q(15));
	place = place_find(set, &r);
	assert_true(place.answer == PLACE_YES && place.certain && place.start == Q(10));
	holeset_free(set);
}

/* The free blocks at both ends go on beyond the space, but not without end. */
static void ends(void **state)
{
	uint32_t low = 0xf8000000u, high = 0xff000000u;
	struct holeset *set = holeset_new(low, high);
	struct place_request r = {.size = 8u << 20, .align = 8u << 20, .vstart = low, .vend = high};
	struct place place;

	(void)state;
	holeset_give(set, 0xfe800000u, high);
	place = place_find(set, &r);
	assert_true(place.answer == PLACE_YES && place.certain && place.start == 0xfe800000u);
	holeset_give(set, low, low + 16 * PAGE); /* at the bottom it begins at 1 */
	r.size = r.align = 16 * PAGE;
	place = place_find(set, &r);
	assert_true(place.answer == PLACE_YES && place.certain && place.start == low);
	r.align = 0;
	r.size = 1u << 20;
	r.vstart = 0xfef00000u;
	assert_int_equal(place_find(set, &r).start, 0xfef00000u);
	r.align = 1u << 31;
	assert_int_equal(place_find(set, &r).answer, PLACE_NO);
	holeset_give(set, 0xfc000000u, high);
	r = (struct place_request){
		.size = 32u << 20, .align = 64u << 20, .vstart = low, .vend = high};
	assert_int_equal(place_find(set, &r).answer, PLACE_PERHAPS);
	holeset_free(set);
}

static void no_request(void **state)
{
	struct holeset *set = holeset_new(LOW, HIGH);
	struct place_request r = {.size = 0, .vstart = LOW, .vend = HIGH};

	(void)state;
	assert_int_equal(place_find(set, &r).answer, PLACE_NO); /* nothing is free */
	holeset_give(set, LOW, HIGH);
	assert_int_equal(place_find(set, &r).answer, PLACE_NO);
	r.size = UINT32_MAX;
	r.align = 1u << 31;
	assert_int_equal(place_find(set, &r).answer, PLACE_NO);
	r.top_down = true;
	assert_int_equal(place_find(set, &r).answer, PLACE_NO);
	r = (struct place_request){.size = PAGE, .vstart = HIGH, .vend = LOW};
	assert_int_equal(place_find(set, &r).answer, PLACE_NO);
	holeset_free(set);
}

/* ---- what each kind asks for ------------------------------------------------------------------ */

static void kind(enum area_kind kind, uint32_t bytes, uint32_t pmd, uint32_t size, uint32_t align)
{
	struct place_range range = {
		.start = LOW, .end = HIGH, .module_start = Q(5), .pmd_bytes = pmd};
	struct place_request r;
	bool module = kind == KIND_MODULE || kind == KIND_BPF;

	assert_int_equal(place_request_of_kind(kind, bytes, 0, &range, &r), 0);
	assert_int_equal(r.size, size);
	assert_int_equal(r.align, align);
	assert_int_equal(r.vstart, module ? Q(5) : LOW);
	assert_int_equal(r.vend, HIGH);
	assert_int_equal(r.top_down, kind == KIND_PERCPU);
	assert_int_equal(place_request_of_kind(kind, bytes, 64 * PAGE, &range, &r), 0);
	assert_int_equal(r.align, 64 * PAGE);
}

static void kinds(void **state)
{
	(void)state;
	kind(KIND_VMALLOC, 1, 0, 2 * PAGE, 1);
	kind(KIND_VMALLOC, PAGE, 0, 2 * PAGE, 1);
	kind(KIND_USER, PAGE + 1, 0, 3 * PAGE, 1);
	kind(KIND_VMAP, 7 * PAGE, 0, 8 * PAGE, 1);
	kind(KIND_MODULE, PAGE, 0, 2 * PAGE, PAGE);
	kind(KIND_BPF, PAGE, 0, 2 * PAGE, PAGE);
	kind(KIND_VM_MAP_RAM, 33 * PAGE, 0, 33 * PAGE, PAGE);
	kind(KIND_PERCPU, 64 * PAGE, 0, 64 * PAGE, PAGE);
	/* ioremap: its size rounded up to a power of two, guard page not counted, up to a PMD */
	kind(KIND_IOREMAP, 1, 2u << 20, 2 * PAGE, PAGE);
	kind(KIND_IOREMAP, 4 * PAGE, 2u << 20, 5 * PAGE, 4 * PAGE);
	kind(KIND_IOREMAP, 5 * PAGE, 2u << 20, 6 * PAGE, 8 * PAGE);
	kind(KIND_IOREMAP, 3u << 20, 2u << 20, (3u << 20) + PAGE, 2u << 20);
	kind(KIND_IOREMAP, 3u << 20, 4u << 20, (3u << 20) + PAGE, 4u << 20);
	kind(KIND_IOREMAP, 9u << 20, 0, (9u << 20) + PAGE, 4u << 20);
}

static void kinds_refused(void **state)
{
	struct place_range range = {.start = LOW, .end = HIGH};
	struct place_request r;

	(void)state;
	assert_int_equal(place_request_of_kind(KIND_VMALLOC, 0, 0, &range, &r), -EINVAL);
	assert_int_equal(place_request_of_kind(KIND_VMALLOC, PAGE, 3, &range, &r), -EINVAL);
	assert_int_equal(place_request_of_kind(KIND_VMALLOC, UINT32_MAX, 0, &range, &r), -EINVAL);
	assert_int_equal(place_request_of_kind(KIND_VMALLOC, 0u - PAGE, 0, &range, &r), -EINVAL);
	assert_int_equal(place_request_of_kind(KIND_PERCPU, 0u - PAGE, 0, &range, &r), 0);
	assert_int_equal(place_request_of_kind(KIND_MODULE, PAGE, 0, &range, &r), 0);
	assert_int_equal(r.vstart, LOW); /* not known: from the start on */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_by_page), cmocka_unit_test(every_shape),
		cmocka_unit_test(margin),	cmocka_unit_test(ends),
		cmocka_unit_test(no_request),	cmocka_unit_test(kinds),
		cmocka_unit_test(kinds_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
