/* SPDX-License-Identifier: GPL-2.0-only */
#include "allocator/freetree_internal.h"

#include <errno.h>
#include <stdlib.h>

/* mm/vmalloc.c:vmap_init_free_space begins at 1 and ends at ULONG_MAX: not quite the first and the
 * last page. */
#define FIRST_ADDR VMT_PAGE_SIZE
#define LAST_ADDR  (0u - VMT_PAGE_SIZE)

/* ---- nodes ------------------------------------------------------------------------------- */

static int grow(struct freetree *tree)
{
	uint32_t nr_nodes = tree->nr_nodes * 2 + 256;
	struct node *nodes = realloc(tree->nodes, (size_t)nr_nodes * sizeof(*nodes));

	if (!nodes)
		return -ENOMEM;
	for (uint32_t i = nr_nodes; i-- > tree->nr_nodes;) {
		nodes[i] = (struct node){ 0 };
		if (i != NIL) {
			nodes[i].parent = tree->unused;
			tree->unused = i;
		}
	}
	tree->nodes = nodes;
	tree->nr_nodes = nr_nodes;
	return 0;
}

/* Room for one more node: then insert cannot fail. */
static int reserve(struct freetree *tree)
{
	return tree->unused == NIL ? grow(tree) : 0;
}

static uint32_t take_node(struct freetree *tree, uint32_t start, uint32_t end)
{
	uint32_t i = tree->unused;

	tree->unused = tree->nodes[i].parent;
	tree->nodes[i] = (struct node){ .start = start, .end = end, .red = true };
	return i;
}

static void drop_node(struct freetree *tree, uint32_t i)
{
	tree->nodes[i].parent = tree->unused;
	tree->unused = i;
}

static void update(struct freetree *tree, uint32_t i)
{
	struct node *n = tree->nodes, *node = &n[i];

	node->most = node_bytes(node);
	for (int side = LEFT; side <= RIGHT; side++) {
		if (n[node->child[side]].most > node->most)
			node->most = n[node->child[side]].most;
	}
}

static void update_up(struct freetree *tree, uint32_t i)
{
	for (; i != NIL; i = tree->nodes[i].parent)
		update(tree, i);
}

/* ---- balance, as lib/rbtree.c ------------------------------------------------------------ */

/* Puts `by` where `old` hangs. */
static void replace(struct freetree *tree, uint32_t old, uint32_t by)
{
	struct node *n = tree->nodes;
	uint32_t parent = n[old].parent;

	if (parent == NIL)
		tree->root = by;
	else
		n[parent].child[n[parent].child[RIGHT] == old] = by;
	n[by].parent = parent; /* NIL's too: the repair after an erasure walks up from it */
}

/* The child on the other side comes up, i goes down to `side`. */
static void rotate(struct freetree *tree, uint32_t i, int side)
{
	struct node *n = tree->nodes;
	uint32_t up = n[i].child[!side], inner = n[up].child[side];

	n[i].child[!side] = inner;
	if (inner != NIL)
		n[inner].parent = i;
	replace(tree, i, up);
	n[up].child[side] = i;
	n[i].parent = up;
	update(tree, i);
	update(tree, up);
}

/* i is red; its parent may be, too. */
static void repair_insertion(struct freetree *tree, uint32_t i)
{
	struct node *n = tree->nodes;

	while (n[n[i].parent].red) {
		uint32_t parent = n[i].parent, grand = n[parent].parent;
		int side = n[grand].child[RIGHT] == parent;
		uint32_t uncle = n[grand].child[!side];

		if (n[uncle].red) {
			n[parent].red = n[uncle].red = false;
			n[grand].red = true;
			i = grand;
			continue;
		}
		if (n[parent].child[!side] == i) {
			rotate(tree, parent, side);
			parent = i;
		}
		n[parent].red = false;
		n[grand].red = true;
		rotate(tree, grand, !side);
		break;
	}
	n[tree->root].red = false;
}

/* i, on `side` of its parent, lacks a black node; returns where it lacks next, NIL at the end. */
static uint32_t repair_step(struct freetree *tree, uint32_t parent, int side)
{
	struct node *n = tree->nodes;
	uint32_t sibling = n[parent].child[!side];

	if (n[sibling].red) {
		n[sibling].red = false;
		n[parent].red = true;
		rotate(tree, parent, side);
		sibling = n[parent].child[!side];
	}
	if (!n[n[sibling].child[LEFT]].red && !n[n[sibling].child[RIGHT]].red) {
		n[sibling].red = true;
		return parent;
	}
	if (!n[n[sibling].child[!side]].red) {
		n[n[sibling].child[side]].red = false;
		n[sibling].red = true;
		rotate(tree, sibling, !side);
		sibling = n[parent].child[!side];
	}
	n[sibling].red = n[parent].red;
	n[parent].red = false;
	n[n[sibling].child[!side]].red = false;
	rotate(tree, parent, side);
	return NIL;
}

static void repair_erasure(struct freetree *tree, uint32_t i)
{
	struct node *n = tree->nodes;

	while (i != tree->root && !n[i].red) {
		uint32_t parent = n[i].parent;

		i = repair_step(tree, parent, n[parent].child[RIGHT] == i);
		if (i == NIL)
			return;
	}
	n[i].red = false;
}

static void insert(struct freetree *tree, uint32_t start, uint32_t end)
{
	uint32_t i = take_node(tree, start, end), parent = NIL, at = tree->root;
	struct node *n = tree->nodes;

	while (at != NIL) {
		parent = at;
		at = n[at].child[start > n[at].start];
	}
	n[i].parent = parent;
	if (parent == NIL)
		tree->root = i;
	else
		n[parent].child[start > n[parent].start] = i;
	update_up(tree, i);
	repair_insertion(tree, i);
}

/* The next node takes the place of one with two children. */
static void erase(struct freetree *tree, uint32_t i)
{
	struct node *n = tree->nodes;
	uint32_t hole, next;
	bool red = n[i].red;

	if (n[i].child[LEFT] == NIL || n[i].child[RIGHT] == NIL) {
		hole = n[i].child[n[i].child[LEFT] == NIL];
		replace(tree, i, hole);
	} else {
		for (next = n[i].child[RIGHT]; n[next].child[LEFT] != NIL;)
			next = n[next].child[LEFT];
		red = n[next].red;
		hole = n[next].child[RIGHT];
		replace(tree, next, hole);
		n[next].child[LEFT] = n[i].child[LEFT];
		n[next].child[RIGHT] = n[i].child[RIGHT];
		replace(tree, i, next);
		n[n[next].child[LEFT]].parent = next;
		if (n[next].child[RIGHT] != NIL)
			n[n[next].child[RIGHT]].parent = next;
		else if (n[hole].parent == i)
			n[hole].parent = next;
		n[next].red = n[i].red;
	}
	update_up(tree, n[hole].parent);
	if (!red)
		repair_erasure(tree, hole);
	drop_node(tree, i);
}

/* ---- the tree ---------------------------------------------------------------------------- */

struct freetree *freetree_new(bool adjust_pages)
{
	struct freetree *tree = calloc(1, sizeof(*tree));

	if (!tree)
		return NULL;
	tree->adjust_pages = adjust_pages;
	if (grow(tree) < 0) {
		freetree_free(tree);
		return NULL;
	}
	insert(tree, FIRST_ADDR, LAST_ADDR);
	return tree;
}

void freetree_free(struct freetree *tree)
{
	if (!tree)
		return;
	free(tree->nodes);
	free(tree);
}

void freetree_clear(struct freetree *tree)
{
	while (tree->root != NIL)
		erase(tree, tree->root);
	insert(tree, FIRST_ADDR, LAST_ADDR);
}

uint32_t freetree_find(const struct freetree *tree, uint32_t addr, uint32_t *after)
{
	const struct node *n = tree->nodes;
	uint32_t at = tree->root, below = NIL;

	*after = NIL;
	while (at != NIL) {
		bool is_below = n[at].start <= addr;

		*(is_below ? &below : after) = at;
		at = n[at].child[is_below];
	}
	return below;
}

static bool range_ok(uint32_t start, uint32_t end)
{
	return start < end && start >= FIRST_ADDR && end <= LAST_ADDR &&
	       start % VMT_PAGE_SIZE == 0 && end % VMT_PAGE_SIZE == 0;
}

/* mm/vmalloc.c:merge_or_add_vmap_area: the node above grows first; if the one below touches too, it
 * is the one that stays. */
int freetree_give(struct freetree *tree, uint32_t start, uint32_t end)
{
	struct node *n;
	uint32_t above, below, merged = NIL;

	if (!range_ok(start, end) || reserve(tree) < 0)
		return range_ok(start, end) ? -ENOMEM : -EINVAL;
	n = tree->nodes;
	below = freetree_find(tree, start, &above);
	if ((below != NIL && n[below].end > start) || (above != NIL && n[above].start < end))
		return -EINVAL;
	if (above != NIL && n[above].start == end) {
		n[above].start = start;
		merged = above;
	}
	if (below != NIL && n[below].end == start) {
		if (merged != NIL) {
			end = n[merged].end;
			erase(tree, merged);
		}
		n[below].end = end;
		merged = below;
	}
	if (merged != NIL)
		update_up(tree, merged);
	else
		insert(tree, start, end);
	return 0;
}

static uint32_t find_around(const struct freetree *tree, uint32_t start, uint32_t end)
{
	uint32_t above, i = freetree_find(tree, start, &above);

	return start < end && i != NIL && tree->nodes[i].end >= end ? i : NIL;
}

bool freetree_has(const struct freetree *tree, uint32_t start, uint32_t end)
{
	return find_around(tree, start, end) != NIL;
}

/* mm/vmalloc.c:va_clip: cut out of the middle, the node keeps what is above, and a new one holds
 * what is below. */
int freetree_take(struct freetree *tree, uint32_t start, uint32_t end)
{
	uint32_t i, below;
	struct node *node;

	if (!range_ok(start, end) || !freetree_has(tree, start, end))
		return -EINVAL;
	if (reserve(tree) < 0)
		return -ENOMEM;
	i = find_around(tree, start, end);
	node = &tree->nodes[i];
	below = node->start;
	if (node->start == start && node->end == end) {
		erase(tree, i);
		return 0;
	}
	if (node->end == end)
		node->end = start;
	else
		node->start = end;
	update_up(tree, i);
	if (below < start && node->start == end)
		insert(tree, below, start);
	return 0;
}

/* ---- the search
 * ---------------------------------------------------------------------------------- */

static uint64_t align_up(uint64_t addr, uint32_t align)
{
	return align > 1 ? (addr + align - 1) & ~(uint64_t)(align - 1) : addr;
}

static uint64_t place_in(const struct node *node, uint32_t vstart, uint32_t align)
{
	return align_up(node->start > vstart ? node->start : vstart, align);
}

/* mm/vmalloc.c:is_within_this_va */
static bool is_within(const struct node *node, const struct place_request *request, uint32_t vstart)
{
	return node->start < node->end &&
	       place_in(node, vstart, request->align) + request->size <= node->end;
}

/* mm/vmalloc.c:__alloc_vmap_area: how long a free range must be to be looked for. */
static uint64_t search_length(const struct freetree *tree, const struct place_request *request)
{
	if (request->align <= 1)
		return request->size;
	if (!tree->adjust_pages &&
	    (request->align <= VMT_PAGE_SIZE || request->vend - request->vstart == request->size))
		return request->size;
	return (uint64_t)request->size + request->align - 1;
}

/* Back up from i, until a node will do, or a right subtree may hold one: then *down is set and the
 * search goes on below it, from *vstart on. */
static uint32_t roll_back(const struct freetree *tree, const struct place_request *request,
			  uint64_t length, uint32_t i, uint32_t *vstart, bool *down)
{
	const struct node *n = tree->nodes;

	*down = false;
	while ((i = n[i].parent) != NIL) {
		if (is_within(&n[i], request, *vstart))
			return i;
		if (n[n[i].child[RIGHT]].most >= length && *vstart <= n[i].start) {
			*vstart = n[i].start + 1; /* not into the same subtree again */
			*down = true;
			return n[i].child[RIGHT];
		}
	}
	return NIL;
}

/* mm/vmalloc.c:find_vmap_lowest_match. Before 5.16 the lower bound stayed where it was on the way
 * back; the search length was then always such that the subtree entered had a fit. */
static uint32_t find_lowest(const struct freetree *tree, const struct place_request *request)
{
	const struct node *n = tree->nodes;
	uint64_t length = search_length(tree, request);
	uint32_t i = tree->root, vstart = request->vstart;
	bool down;

	while (i != NIL) {
		if (n[n[i].child[LEFT]].most >= length && vstart < n[i].start) {
			i = n[i].child[LEFT];
			continue;
		}
		if (is_within(&n[i], request, vstart))
			return i;
		if (n[n[i].child[RIGHT]].most >= length) {
			i = n[i].child[RIGHT];
			continue;
		}
		i = roll_back(tree, request, length, i, &vstart, &down);
		if (!down)
			return i;
	}
	return NIL;
}

/* The node before i in address order. */
static uint32_t previous(const struct freetree *tree, uint32_t i)
{
	const struct node *n = tree->nodes;
	uint32_t from = i;

	if (n[i].child[LEFT] != NIL) {
		for (i = n[i].child[LEFT]; n[i].child[RIGHT] != NIL;)
			i = n[i].child[RIGHT];
		return i;
	}
	while ((i = n[i].parent) != NIL && n[i].child[LEFT] == from)
		from = i;
	return i;
}

/* mm/vmalloc.c:pcpu_get_vm_areas, from the top down: the first range that is long enough. */
static uint32_t place_highest(const struct freetree *tree, const struct place_request *request)
{
	uint32_t mask = request->align > 1 ? ~(request->align - 1) : ~0u;
	uint32_t vend = request->vend & mask, after;
	uint64_t vstart = align_up(request->vstart, request->align);

	for (uint32_t i = freetree_find(tree, vend, &after); i != NIL; i = previous(tree, i)) {
		const struct node *node = &tree->nodes[i];
		uint32_t end = (node->end < vend ? node->end : vend) & mask;

		if (end < vstart + request->size)
			break;
		if (end > node->start && end - node->start >= request->size)
			return end - request->size;
	}
	return 0;
}

uint32_t freetree_place(const struct freetree *tree, const struct place_request *request)
{
	uint64_t start;
	uint32_t i;

	if (!request->size || request->vstart >= request->vend)
		return 0;
	if (request->top_down)
		return place_highest(tree, request);
	i = find_lowest(tree, request);
	if (i == NIL)
		return 0;
	start = place_in(&tree->nodes[i], request->vstart, request->align);
	return start + request->size <= request->vend ? (uint32_t)start : 0;
}

/* ---- questions
 * ------------------------------------------------------------------------------------ */

static uint32_t clipped(const struct node *node, uint32_t start, uint32_t end)
{
	uint32_t from = node->start > start ? node->start : start;
	uint32_t to = node->end < end ? node->end : end;

	return from < to ? to - from : 0;
}

/* The largest below i, where only the bound on `side` can cut anything off. */
static uint32_t largest_towards(const struct freetree *tree, uint32_t i, int side, uint32_t start,
				uint32_t end)
{
	const struct node *n = tree->nodes;
	uint32_t most = 0;

	while (i != NIL) {
		uint32_t bytes = clipped(&n[i], start, end);
		uint32_t inner = n[n[i].child[!side]].most;

		if (!bytes && !(side == LEFT ? n[i].end > start : n[i].start < end)) {
			i = n[i].child[!side];
			continue;
		}
		most = bytes > most ? bytes : most;
		most = inner > most ? inner : most;
		i = n[i].child[side];
	}
	return most;
}

uint32_t freetree_largest(const struct freetree *tree, uint32_t start, uint32_t end)
{
	const struct node *n = tree->nodes;
	uint32_t i = tree->root, bytes, left, right;

	while (i != NIL && !clipped(&n[i], start, end))
		i = n[i].child[n[i].end <= start ? RIGHT : LEFT];
	if (i == NIL)
		return 0;
	bytes = clipped(&n[i], start, end);
	left = largest_towards(tree, n[i].child[LEFT], LEFT, start, end);
	right = largest_towards(tree, n[i].child[RIGHT], RIGHT, start, end);
	bytes = left > bytes ? left : bytes;
	return right > bytes ? right : bytes;
}
