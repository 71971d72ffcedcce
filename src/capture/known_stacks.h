/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stacks as the kernel sends them, return addresses, and which stack of the stack table each one has
 * become. A few stacks make up most records, so that to look up a whole one at once is most of what
 * decoding saves. Forgets all of it when it is full, or when it is told to.
 */
#ifndef VMTRACE_CAPTURE_KNOWN_STACKS_H
#define VMTRACE_CAPTURE_KNOWN_STACKS_H

#include <stdint.h>

#define KNOWN_STACKS_MAX 4096u

struct known_stacks;

struct known_stacks *known_stacks_new(void); /* NULL: no memory */
void known_stacks_free(struct known_stacks *known);

/* The stack id that was added for these addresses; 0 = they are not known. */
uint32_t known_stacks_find(const struct known_stacks *known, const uint32_t *addrs, uint32_t count);

/* stack_id: not 0. count: not more than VMT_MAX_FRAMES. Without memory it is not remembered. */
void known_stacks_add(struct known_stacks *known, const uint32_t *addrs, uint32_t count,
		      uint32_t stack_id);

/* What the addresses mean may have changed. */
void known_stacks_forget(struct known_stacks *known);

#endif
