/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's tree of free ranges, node for node (mm/vmalloc.c, free_vmap_area_root, from 5.2 on).
 *
 * Which hole an allocation gets depends on the shape of that tree. Without alignment it is the
 * lowest that fits. With it, the search only goes down into subtrees with a free range of
 * size + align - 1 bytes, and takes a smaller one only if it comes by: find_vmap_lowest_match. So
 * here is a red-black tree that is balanced as lib/rbtree.c balances, split and merged as
 * mm/vmalloc.c splits and merges. Given the same history it answers as the kernel does; given a
 * state without its history (holeset, place) only an aligned request may get another answer.
 *
 * The tree covers all addresses but the first and the last page, as the kernel's does; what the
 * vmalloc space is, the requests say.
 */
#ifndef VMTRACE_ALLOCATOR_FREETREE_H
#define VMTRACE_ALLOCATOR_FREETREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "allocator/place.h"

struct freetree;

/* In which order a purge gives areas back: it decides the shape of the tree. */
enum purge_order {
	PURGE_ASCENDING = 0, /* 5.11 to 6.8: by address, neighbours merged before */
	PURGE_NEWEST_FIRST,  /* to 5.10: a list without order, last in, first out */
	PURGE_DESCENDING,    /* 6.9 on */
};

/*
 * A tree in which all is free. adjust_pages: before 5.16 the search length was enlarged also for
 * an alignment of one page, which every range has. NULL when memory runs out.
 */
struct freetree *freetree_new(bool adjust_pages);
void freetree_free(struct freetree *tree);

/* A node of the kernel's tree, as it was read. */
struct freetree_node {
	uint32_t start;
	uint32_t end;
	uint32_t most;     /* subtree_max_size */
	uint32_t child[2]; /* left and right: index in the array, 0 = none */
	bool red;
};

/*
 * A tree of these nodes: nodes[0] is the root, children come after their parent. NULL if they are
 * not a red-black tree in address order with right sizes, or when memory runs out. Hostile input.
 */
struct freetree *freetree_of_nodes(const struct freetree_node *nodes, uint32_t count,
				   bool adjust_pages);
/* NULL when memory runs out. */
struct freetree *freetree_copy(const struct freetree *tree);

/* True if the tree has the same free ranges as set, within the bounds of set. */
bool freetree_is_of(const struct freetree *tree, const struct holeset *set);

/* All is free again. */
void freetree_clear(struct freetree *tree);

/* Makes [start, end) free. 0; -EINVAL (nothing is changed) if the range is empty, unaligned, or
 * some of it is free already; -ENOMEM. */
int freetree_give(struct freetree *tree, uint32_t start, uint32_t end);

/* Takes [start, end) away. 0; -EINVAL (nothing is changed) if not all of it is free; -ENOMEM. */
int freetree_take(struct freetree *tree, uint32_t start, uint32_t end);

/* True if all of [start, end) is free. */
bool freetree_has(const struct freetree *tree, uint32_t start, uint32_t end);

/* Where the kernel puts the request (alloc_vmap_area; top_down: pcpu_get_vm_areas for one area a
 * chunk); 0 = nowhere. The range is not taken. */
uint32_t freetree_place(const struct freetree *tree, const struct place_request *request);

/* Bytes of the largest free range, counting only what lies in [start, end). */
uint32_t freetree_largest(const struct freetree *tree, uint32_t start, uint32_t end);

/* Proves order, colours and the cached sizes; false and a reason otherwise. For tests. */
bool freetree_check(const struct freetree *tree, char *why, size_t why_len);

#endif
