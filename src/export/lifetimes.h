/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The areas that weighed most, by size times time: of millions of lives only these can be drawn. A
 * heap with the lightest on top, so that the next life costs one comparison.
 */
#ifndef VMTRACE_EXPORT_LIFETIMES_H
#define VMTRACE_EXPORT_LIFETIMES_H

#include <stdbool.h>
#include <stdint.h>

#include "space/space.h"

struct lifetime {
	struct area area;             /* born at area.birth_ns */
	uint64_t end_ns VMT_ALIGNED8; /* freed, or the end of the stream */
	uint64_t number VMT_ALIGNED8; /* in the order in which they were added: settles ties */
	bool live;                    /* not freed by the end */
};

struct lifetimes;

/* Keeps the `most` heaviest. NULL when memory runs out. */
struct lifetimes *lifetimes_new(uint32_t most);
void lifetimes_free(struct lifetimes *lifetimes);

void lifetimes_add(struct lifetimes *lifetimes, const struct area *area, uint64_t end_ns,
		   bool live);

/* Puts them in order: by birth, then address. To be called once, after the last lifetimes_add. */
void lifetimes_sort(struct lifetimes *lifetimes);
uint32_t lifetimes_count(const struct lifetimes *lifetimes);
const struct lifetime *lifetimes_at(const struct lifetimes *lifetimes, uint32_t index);

/* How many lives were shown to it in all. */
uint64_t lifetimes_total(const struct lifetimes *lifetimes);

#endif
