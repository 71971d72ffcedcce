/* SPDX-License-Identifier: GPL-2.0-only */
/* The areas in the way: what lies in a window, one by one and by owner. */
#ifndef VMTRACE_ALLOCATOR_BLOCKERS_H
#define VMTRACE_ALLOCATOR_BLOCKERS_H

#include <stdint.h>

#include "space/names.h"
#include "space/space.h"
#include "space/stacks.h"
#include "allocator/window.h"

struct blocker {
	const struct area *area; /* valid until the next space_apply */
	uint32_t name_id;        /* its owner, a string id (owners_caller_of) */
	uint32_t bytes;          /* of the whole area, which can only go as a whole */
	uint32_t inside_bytes;   /* what of it lies in the window */
};

/* All of one owner. */
struct blocker_group {
	uint32_t name_id;
	uint32_t areas;
	uint32_t own_areas; /* how many are vmtrace's own */
	uint32_t bytes;
	uint32_t pid;               /* the task that asked for them; 0 when they differ */
	uint32_t comm_id;           /* its name, a string id; 0 when they differ */
	enum area_kind kind;        /* KIND_UNKNOWN when they differ */
	const struct area *example; /* the largest */
	const struct area *oldest;
};

struct blockers {
	struct blocker *list; /* largest first, then by address */
	uint32_t count;
	struct blocker_group *groups; /* most bytes first, then by their largest area's address */
	uint32_t nr_groups;
};

/* The used areas that overlap the window. names grows by labels. 0 or -ENOMEM; release with
 * blockers_release. */
int blockers_collect(const struct space *space, struct names *names, const struct stacks *stacks,
		     const struct window *window, struct blockers *blockers);
void blockers_release(struct blockers *blockers);

#endif
