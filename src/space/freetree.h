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
#ifndef VMTRACE_SPACE_FREETREE_H
#define VMTRACE_SPACE_FREETREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "space/place.h"

struct freetree;

/*
 * A tree in which all is free. adjust_pages: before 5.16 the search length was enlarged also for
 * an alignment of one page, which every range has. NULL when memory runs out.
 */
struct freetree *freetree_new(bool adjust_pages);
void freetree_free(struct freetree *tree);

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
