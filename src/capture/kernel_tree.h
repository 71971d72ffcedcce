/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's tree of free ranges (mm/vmalloc.c, free_vmap_area_root, from 5.2 on), read through
 * /proc/kcore while the kernel goes on changing it.
 *
 * Where its root is no exported symbol tells, and a kernel may have no symbols of data at all. So
 * every word of the allocator's code that may be the address of a root is tried: it is the one from
 * which there hangs a red-black tree in address order, with right sizes, of just those ranges that
 * the map has as free. The same proof shows that a reading was not torn.
 */
#ifndef VMTRACE_CAPTURE_KERNEL_TREE_H
#define VMTRACE_CAPTURE_KERNEL_TREE_H

#include <stdbool.h>

#include "capture/symbols.h"
#include "allocator/freetree.h"
#include "allocator/holeset.h"

struct kernel_tree;

/* path: normally "/proc/kcore". symbols must outlive it. NULL if it cannot be read. */
struct kernel_tree *kernel_tree_open(const char *path, const struct symbols *symbols);
void kernel_tree_close(struct kernel_tree *reader);

/*
 * The tree as it is now, if it is that of these holes, and the order in which this kernel's purges
 * give back. NULL if not: something was changing, this kernel's tree is another one, or it is not
 * known how it is searched (from 5.11 to 5.17). Release with freetree_free.
 */
struct freetree *kernel_tree_read(struct kernel_tree *reader, const struct holeset *holes,
				  enum purge_order *order);

#endif
