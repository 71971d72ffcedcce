/* SPDX-License-Identifier: GPL-2.0-only */
/* A tree that is made as a whole: a copy of one, or of the kernel's; and the proof that it is one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allocator/freetree_internal.h"

/* Black nodes from i down to a leaf; -1 if something is wrong, then told in why. */
static int check_below(const struct freetree *tree, uint32_t i, uint32_t *last_end, char *why,
		       size_t why_len)
{
	const struct node *n = tree->nodes, *node = &n[i];
	uint32_t most = node_bytes(node);
	int left, right;

	if (i == NIL)
		return 0;
	left = check_below(tree, node->child[LEFT], last_end, why, why_len);
	if (left < 0)
		return -1;
	if (node->start >= node->end || (*last_end && node->start <= *last_end)) {
		snprintf(why, why_len, "%08x-%08x is out of order", node->start, node->end);
		return -1;
	}
	*last_end = node->end;
	right = check_below(tree, node->child[RIGHT], last_end, why, why_len);
	if (right < 0)
		return -1;
	for (int side = LEFT; side <= RIGHT; side++) {
		const struct node *child = &n[node->child[side]];

		most = child->most > most ? child->most : most;
		if (node->child[side] != NIL && (child->parent != i || (child->red && node->red)))
			left = -2;
	}
	if (left == right && most == node->most)
		return left + !node->red;
	snprintf(why, why_len, "%08x-%08x is badly linked", node->start, node->end);
	return -1;
}

bool freetree_check(const struct freetree *tree, char *why, size_t why_len)
{
	uint32_t last_end = 0;

	if (tree->nodes[NIL].red || tree->nodes[NIL].most || tree->nodes[tree->root].red) {
		snprintf(why, why_len, "the root or the empty node is red");
		return false;
	}
	return check_below(tree, tree->root, &last_end, why, why_len) >= 0;
}

/* Each but the root has one parent, which comes before it: so no path leads back. */
static bool link_nodes(struct freetree *tree, const struct freetree_node *nodes, uint32_t count)
{
	struct node *n = tree->nodes;

	for (uint32_t i = 1; i <= count; i++) {
		const struct freetree_node *from = &nodes[i - 1];

		n[i].start = from->start;
		n[i].end = from->end;
		n[i].most = from->most;
		n[i].red = from->red;
		for (int side = LEFT; side <= RIGHT; side++) {
			uint32_t child = from->child[side];

			if (!child)
				continue;
			if (child >= count || n[child + 1].parent != NIL)
				return false;
			n[i].child[side] = child + 1;
			n[child + 1].parent = i;
		}
		if (i > 1 && n[i].parent == NIL)
			return false;
	}
	return true;
}

struct freetree *freetree_of_nodes(const struct freetree_node *nodes, uint32_t count,
				   bool adjust_pages)
{
	struct freetree *tree = calloc(1, sizeof(*tree));
	char why[96];

	if (!tree)
		return NULL;
	tree->adjust_pages = adjust_pages;
	tree->nr_nodes = count + 1;
	tree->nodes = calloc(tree->nr_nodes, sizeof(*tree->nodes));
	tree->root = count ? 1 : NIL;
	if (tree->nodes && link_nodes(tree, nodes, count) && freetree_check(tree, why, sizeof(why)))
		return tree;
	freetree_free(tree);
	return NULL;
}

struct freetree *freetree_copy(const struct freetree *tree)
{
	struct freetree *copy = malloc(sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *tree;
	copy->nodes = malloc((size_t)tree->nr_nodes * sizeof(*copy->nodes));
	if (!copy->nodes) {
		free(copy);
		return NULL;
	}
	memcpy(copy->nodes, tree->nodes, (size_t)tree->nr_nodes * sizeof(*copy->nodes));
	return copy;
}

/* The first free range in [from, to), cut off at both; false if there is none. */
static bool next_hole(const struct freetree *tree, uint32_t from, uint32_t to, struct hole *hole)
{
	uint32_t after, i = freetree_find(tree, from, &after);
	const struct node *node;

	if (i == NIL || tree->nodes[i].end <= from)
		i = after;
	node = &tree->nodes[i];
	if (i == NIL || node->start >= to)
		return false;
	hole->start = node->start > from ? node->start : from;
	hole->end = node->end < to ? node->end : to;
	return true;
}

bool freetree_is_of(const struct freetree *tree, const struct holeset *set)
{
	uint32_t at = holeset_start(set), end = holeset_end(set);
	struct hole hole;

	for (uint32_t i = 0; i < holeset_count(set); i++) {
		struct hole want = holeset_at(set, i);

		if (!next_hole(tree, at, end, &hole) || hole.start != want.start ||
		    hole.end != want.end)
			return false;
		at = want.end;
	}
	return at >= end || !next_hole(tree, at, end, &hole);
}
