/* SPDX-License-Identifier: GPL-2.0-only */
/* The largest holes, for the text and the JSON view. */
#ifndef VMTRACE_VIEW_HOLE_LIST_H
#define VMTRACE_VIEW_HOLE_LIST_H

#include <stdint.h>

#include "space/holes.h"

struct hole_list {
	struct hole *holes; /* largest first, at equal size the lower address first */
	uint32_t count;
};

/* The `top` largest holes of free pages. 0 or -ENOMEM; release with hole_list_release. */
int hole_list_largest(const struct space *space, uint32_t top, struct hole_list *list);
void hole_list_release(struct hole_list *list);

#endif
