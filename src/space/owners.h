/* SPDX-License-Identifier: GPL-2.0-only */
/* Who holds the space: used areas grouped by stack, owning function, module, kind or task. */
#ifndef VMTRACE_SPACE_OWNERS_H
#define VMTRACE_SPACE_OWNERS_H

#include <stdbool.h>
#include <stdint.h>

#include "space/names.h"
#include "space/space.h"
#include "space/stacks.h"

enum owners_by {
	OWNERS_BY_CALLER =
		0,        /* the function that asked: first frame beyond the allocator's layers */
	OWNERS_BY_STACK,  /* the whole stack; seeded areas by their one caller */
	OWNERS_BY_MODULE, /* "[foo]": innermost module of the stack; "kernel"; "?" */
	OWNERS_BY_KIND,
	OWNERS_BY_COMM, /* task name; seeded areas under "(before vmtrace)" */
};

enum owners_sort {
	OWNERS_SORT_BYTES = 0,
	OWNERS_SORT_COUNT,
	OWNERS_SORT_GUARD,
	OWNERS_SORT_AGE,   /* the oldest first */
	OWNERS_SORT_WASTE, /* what was allocated but not asked for (space/waste.h) */
};

struct owner {
	uint32_t name_id;     /* string id of the label */
	uint32_t stack_id;    /* BY_STACK: the stack, 0 for seeded; otherwise one example stack */
	uint32_t areas;       /* used areas now */
	uint32_t live_bytes;  /* guard pages included */
	uint32_t guard_bytes; /* part of live_bytes */
	uint32_t waste_bytes; /* payload less what was asked, of the waste_known areas */
	uint32_t waste_known; /* areas of which it is known what was asked */
	uint32_t own_areas;   /* how many of them are vmtrace's own */
	uint8_t kind;         /* of the first area; KIND_UNKNOWN when they differ */
	uint64_t oldest_birth_ns VMT_ALIGNED8;
};

struct owners {
	struct owner *list; /* sorted */
	uint32_t count;
};

/* Groups all used areas. 0 or -ENOMEM; free with owners_free. names grows by the labels. */
int owners_collect(const struct space *space, struct names *names, const struct stacks *stacks,
		   enum owners_by by, enum owners_sort sort, struct owners *owners);
void owners_free(struct owners *owners);

/* The same of those areas for which pick is true; NULL: of all. */
typedef bool owners_pick(void *context, const struct area *area);
int owners_collect_some(const struct space *space, struct names *names, const struct stacks *stacks,
			enum owners_by by, enum owners_sort sort, owners_pick *pick, void *context,
			struct owners *owners);

/* "bytes", "count" ... / "caller", "stack" ...: 0 and the value, or -EINVAL. */
int owners_by_from_name(const char *name, enum owners_by *by);
int owners_sort_from_name(const char *name, enum owners_sort *sort);

/* The label of one area by its owning function: "foo_ring_alloc+0x41 [foo]", or "?". A seeded
 * area has only the caller of /proc/vmallocinfo: its "/0xsize" is cut, so that it equals a frame.
 */
uint32_t owners_caller_of(const struct area *area, struct names *names,
			  const struct stacks *stacks);

/* The label under which an area is grouped: "[foo]", "kernel" or "?" BY_MODULE, and so on. BY_STACK
 * as BY_CALLER. */
uint32_t owners_label(const struct area *area, struct names *names, const struct stacks *stacks,
		      enum owners_by by);

/* "[foo]" of "bar+0x1 [foo]" without the brackets: "foo"; "kernel" for core symbols; "?" for an
 * unresolved address. Returned as string id. */
uint32_t owners_module_of(struct names *names, uint32_t frame_id);

#endif
