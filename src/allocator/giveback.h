/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a purge makes of the kernel's free tree: the lazy areas of a space, given back in the
 * kernel's order (mm/vmalloc.c:__purge_vmap_area_lazy), on which the shape of the tree depends.
 */
#ifndef VMTRACE_ALLOCATOR_GIVEBACK_H
#define VMTRACE_ALLOCATOR_GIVEBACK_H

#include "allocator/freetree.h"
#include "space/space.h"

/*
 * Gives every lazy area of space back to tree. 0; -ENOMEM; -EAGAIN: the order is not known, which
 * happens with PURGE_NEWEST_FIRST only, when the free of an area was not seen, or when two tasks
 * freed at about the same time: an event has the time at which a free began, not that of its place
 * in the list. -EINVAL: a lazy area is free in the tree already. After an error the tree is of no
 * use.
 */
int giveback_lazy(struct freetree *tree, const struct space *space, enum purge_order order);

#endif
