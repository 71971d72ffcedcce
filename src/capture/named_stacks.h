/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stacks that the kernel side has given a name (struct wire_alloc, stack_name): the return
 * addresses that a name stands for, and which stack of the stack table they have become. Unlike
 * what capture/known_stacks remembers, none of it can be had again, so nothing is forgotten.
 */
#ifndef VMTRACE_CAPTURE_NAMED_STACKS_H
#define VMTRACE_CAPTURE_NAMED_STACKS_H

#include <stdint.h>

#include "event.h"

struct named_stacks;

struct named_stack {
	uint64_t name VMT_ALIGNED8;
	uint32_t addrs[VMT_MAX_FRAMES]; /* innermost first */
	uint32_t count;
	uint32_t stack_id;   /* the user's: 0 = not found yet */
	uint32_t generation; /* the user's: of the symbols, when stack_id was found */
};

struct named_stacks *named_stacks_new(void); /* NULL: no memory */
void named_stacks_free(struct named_stacks *named);

/* NULL if the name was never given. Valid until the next named_stacks_give. */
struct named_stack *named_stacks_find(const struct named_stacks *named, uint64_t name);

/* name (not 0) stands for count (at most VMT_MAX_FRAMES) addresses from now on; stack_id is 0.
 * NULL: no memory. */
struct named_stack *named_stacks_give(struct named_stacks *named, uint64_t name,
				      const uint32_t *addrs, uint32_t count);

#endif
