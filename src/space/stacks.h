/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interned call stacks. A frame is the string id of "symbol+0xoff [module]" (or "0xf7abc123" when
 * no symbol is known), innermost first. Frames are text and not addresses because a module may be
 * unloaded, and a recording read elsewhere, before anyone looks at them.
 */
#ifndef VMTRACE_SPACE_STACKS_H
#define VMTRACE_SPACE_STACKS_H

#include <stdbool.h>
#include <stdint.h>

struct stacks;

struct stack {
	uint32_t nr_frames;
	const uint32_t *frames; /* string ids, innermost first */
};

struct stacks *stacks_new(void);
void stacks_free(struct stacks *stacks);

/* The id of this sequence of frames, made on first use. Ids count up from 1. *is_new, if given,
 * tells whether it was made now. 0 for an empty stack and when memory runs out. */
uint32_t stacks_intern(struct stacks *stacks, const uint32_t *frames, uint32_t nr_frames,
		       bool *is_new);

/* The stack of id; nr_frames = 0 for id 0 or an unknown id. Valid until the next intern. */
struct stack stacks_get(const struct stacks *stacks, uint32_t id);

uint32_t stacks_count(const struct stacks *stacks);

#endif
