/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files that make up struct freetree share; nobody else includes this. */
#ifndef VMTRACE_ALLOCATOR_FREETREE_INTERNAL_H
#define VMTRACE_ALLOCATOR_FREETREE_INTERNAL_H

#include "allocator/freetree.h"

#define NIL   0u /* node 0: black, empty, the child of every leaf */
#define LEFT  0
#define RIGHT 1

struct node {
	uint32_t start;
	uint32_t end;
	uint32_t most; /* bytes of the largest range in this subtree */
	uint32_t parent;
	uint32_t child[2];
	bool red;
};

struct freetree {
	struct node *nodes;
	uint32_t nr_nodes; /* allocated */
	uint32_t unused;   /* a list of nodes, linked by parent */
	uint32_t root;
	bool adjust_pages;
};

static inline uint32_t node_bytes(const struct node *node)
{
	return node->end - node->start;
}

/* The last node that starts at addr or below, NIL if there is none; *after: the first one above. */
uint32_t freetree_find(const struct freetree *tree, uint32_t addr, uint32_t *after);

#endif
