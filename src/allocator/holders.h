/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who holds a set of areas: used areas grouped by the function that asked for them, its module and
 * their kind. Unlike owners.h, any set of areas: those in the way of a request, those of a module.
 * What a stack means is looked up once, so a holders can serve many sets.
 */
#ifndef VMTRACE_ALLOCATOR_HOLDERS_H
#define VMTRACE_ALLOCATOR_HOLDERS_H

#include <stdbool.h>
#include <stdint.h>

#include "space/names.h"
#include "space/space.h"
#include "space/stacks.h"

struct holders;

struct holder {
	uint64_t oldest_birth_ns VMT_ALIGNED8;
	uint32_t label_id;  /* string id: "foo_ring_alloc+0x41 [foo]", "?" */
	uint32_t module_id; /* string id: "[foo]", "kernel", "?" */
	uint32_t areas;
	uint32_t bytes; /* of the whole areas, guard pages included */
	uint8_t kind;   /* enum area_kind */
	bool own;       /* vmtrace's own */
	bool seeded;    /* the oldest was there before vmtrace looked */
};

/* names grows by the labels; both must outlive it. NULL on lack of memory. */
struct holders *holders_new(struct names *names, const struct stacks *stacks);
void holders_free(struct holders *holders);

/* The number of the group that area belongs to, without adding it; -ENOMEM. Numbers stay valid
 * until holders_free. */
int holders_group_of(struct holders *holders, const struct area *area);

/* What the group is: label, module, kind, own. */
const struct holder *holders_group(const struct holders *holders, uint32_t group);
uint32_t holders_groups(const struct holders *holders);

/* Begins a set: no area is in any group. */
void holders_clear(struct holders *holders);
/* 0 or -ENOMEM. */
int holders_add(struct holders *holders, const struct area *area);

/*
 * Copies the groups that have areas to list, those with most bytes first (then areas, then label,
 * module, kind), at most max, and returns how many. The rest is summed in *rest (areas, bytes), and
 * *rest_groups tells how many groups that is.
 */
uint32_t holders_largest(const struct holders *holders, struct holder *list, uint32_t max,
			 struct holder *rest, uint32_t *rest_groups);

#endif
