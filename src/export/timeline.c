// SPDX-License-Identifier: GPL-2.0-only
#include "export/timeline.h"

#include <stdlib.h>

struct timeline {
	struct timeline_slice slices[TIMELINE_SLICES];
	uint32_t count;
	unsigned int shift; /* a slice is 2^shift ns */
};

struct timeline *timeline_new(void)
{
	return calloc(1, sizeof(struct timeline));
}

void timeline_free(struct timeline *timeline)
{
	free(timeline);
}

static uint64_t slice_of(const struct timeline *timeline, const struct timeline_point *point)
{
	return point->t_ns >> timeline->shift;
}

/* Appends later, or makes it part of the last slice if that has the same time. */
static void append(struct timeline *timeline, const struct timeline_slice *later)
{
	struct timeline_slice *last = &timeline->slices[timeline->count ? timeline->count - 1 : 0];

	if (!timeline->count ||
	    slice_of(timeline, &last->last) != slice_of(timeline, &later->last)) {
		timeline->slices[timeline->count++] = *later;
		return;
	}
	if (later->tightest.largest_hole_bytes < last->tightest.largest_hole_bytes)
		last->tightest = later->tightest;
	last->last = later->last;
}

/* Longer slices, until there is room for as many again. */
static void thin(struct timeline *timeline)
{
	while (timeline->count > TIMELINE_SLICES / 2 && timeline->shift < 63) {
		uint32_t count = timeline->count;

		timeline->shift++;
		timeline->count = 0;
		for (uint32_t i = 0; i < count; i++)
			append(timeline, &timeline->slices[i]);
	}
}

void timeline_add(struct timeline *timeline, const struct timeline_point *point)
{
	struct timeline_slice slice = { .tightest = *point, .last = *point };
	uint64_t last_ns = timeline->count ? timeline->slices[timeline->count - 1].last.t_ns : 0;

	if (timeline->count == TIMELINE_SLICES)
		thin(timeline);
	if (point->t_ns < last_ns) {
		slice.tightest.t_ns = last_ns;
		slice.last.t_ns = last_ns;
	}
	append(timeline, &slice);
}

uint32_t timeline_count(const struct timeline *timeline)
{
	return timeline->count;
}

const struct timeline_slice *timeline_at(const struct timeline *timeline, uint32_t index)
{
	return &timeline->slices[index];
}
