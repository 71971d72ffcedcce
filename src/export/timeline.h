/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the sums went over time, in bounded memory however long the stream: time is cut into slices,
 * and of each slice the last state is kept and the one with the smallest largest hole, which is
 * what fails. When there are too many slices, two become one.
 */
#ifndef VMTRACE_EXPORT_TIMELINE_H
#define VMTRACE_EXPORT_TIMELINE_H

#include <stdint.h>

#include "event.h"

#define TIMELINE_SLICES 8192u

struct timeline_point {
	uint64_t t_ns VMT_ALIGNED8;
	uint32_t used_bytes;
	uint32_t guard_bytes;
	uint32_t lazy_bytes;
	uint32_t free_bytes;
	uint32_t largest_hole_bytes;
	uint32_t reserved;
};

struct timeline_slice {
	struct timeline_point tightest; /* not after last; often the same */
	struct timeline_point last;
};

struct timeline;

struct timeline *timeline_new(void);
void timeline_free(struct timeline *timeline);

/* The state from point->t_ns on. A time before the last one is taken for that. */
void timeline_add(struct timeline *timeline, const struct timeline_point *point);

/* In the order of time. */
uint32_t timeline_count(const struct timeline *timeline);
const struct timeline_slice *timeline_at(const struct timeline *timeline, uint32_t index);

#endif
