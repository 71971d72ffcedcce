/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A set of free ranges: what an allocator has left. A copy of the holes of a space, or a state that
 * is only thought of (after a purge, without a module, in a space of another size), on which
 * allocations can be tried without touching the model.
 *
 * A sorted array: a vmalloc space has hundreds of holes, seldom thousands, and a scan of an array
 * beats a tree there. A change costs the distance from the last one, so that many in address order
 * cost little on hundreds of thousands of ranges too. Invariant: ranges are page aligned, not
 * empty, in address order, and no two touch.
 */
#ifndef VMTRACE_ALLOCATOR_HOLESET_H
#define VMTRACE_ALLOCATOR_HOLESET_H

#include <stdbool.h>
#include <stdint.h>

#include "space/holes.h"
#include "space/space.h"

struct holeset;

/* An empty set for ranges inside [start, end). NULL when memory runs out. */
struct holeset *holeset_new(uint32_t start, uint32_t end);
void holeset_free(struct holeset *set);

/* The free pages of space; lazy_too: as a purge would leave it. NULL when memory runs out. */
struct holeset *holeset_of_space(const struct space *space, bool lazy_too);
struct holeset *holeset_copy(const struct holeset *set);

/* Makes every page of [start, end) free; some of them may be already. 0; -EINVAL for a range that
 * is empty, unaligned or not inside the set's bounds; -ENOMEM. */
int holeset_give(struct holeset *set, uint32_t start, uint32_t end);

/* Takes [start, end) away; it must be free. 0; -EINVAL (nothing is changed) if it is not; -ENOMEM.
 */
int holeset_take(struct holeset *set, uint32_t start, uint32_t end);

/* Takes away what of [start, end) is free. 0, -EINVAL, -ENOMEM as above. */
int holeset_clear(struct holeset *set, uint32_t start, uint32_t end);

/* True if all of [start, end) is free. */
bool holeset_has(const struct holeset *set, uint32_t start, uint32_t end);

/* Bounds as given to holeset_new. */
uint32_t holeset_start(const struct holeset *set);
uint32_t holeset_end(const struct holeset *set);

/* The ranges, in address order: index below holeset_count. */
uint32_t holeset_count(const struct holeset *set);
struct hole holeset_at(const struct holeset *set, uint32_t index);

/* Index of the first range that ends above addr; holeset_count if there is none. */
uint32_t holeset_index(const struct holeset *set, uint32_t addr);

uint32_t holeset_free_bytes(const struct holeset *set);

/* The largest range, the lowest of equals; start = end = 0 if there is none. */
struct hole holeset_largest(const struct holeset *set);

#endif
