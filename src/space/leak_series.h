/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How many bytes a group held over time, and how many areas were born, in LEAK_STEPS_MAX steps of
 * equal width. When the time exceeds them the steps become twice as wide. One clock serves all
 * groups; a group that nothing happens to is brought up when something does.
 */
#ifndef VMTRACE_SPACE_LEAK_SERIES_H
#define VMTRACE_SPACE_LEAK_SERIES_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"

#define LEAK_STEPS_MAX 64u

struct leak_clock {
	uint64_t start_ns VMT_ALIGNED8;
	uint64_t step_ns VMT_ALIGNED8;
	uint32_t now;     /* the step that runs */
	uint32_t doubled; /* how often the steps were widened */
};

/* A zeroed one holds nothing yet. pages[i]: at the end of step i <= now. */
struct leak_series {
	uint32_t pages[LEAK_STEPS_MAX];
	uint32_t born[LEAK_STEPS_MAX];
	uint32_t now;
	uint32_t doubled;
};

struct leak_clock leak_clock_new(uint64_t start_ns);

/* Time that goes back is ignored. */
void leak_clock_advance(struct leak_clock *clock, uint64_t t_ns);

/* Brings the series up to the clock: what it held last it has held since. */
void leak_series_advance(struct leak_series *series, const struct leak_clock *clock);

/* It holds so many pages now, and `born` more areas were born. */
void leak_series_put(struct leak_series *series, const struct leak_clock *clock, uint32_t pages,
		     uint32_t born);

/* How many were born in the step of t_ns and since. */
uint64_t leak_series_born_since(const struct leak_series *series, const struct leak_clock *clock,
				uint64_t t_ns);

/* The median of the slopes between any two steps (Theil-Sen), in bytes per hour: a step or a tooth
 * does not turn it. The series must be up to the clock. */
int64_t leak_series_slope(const struct leak_series *series, const struct leak_clock *clock);

#endif
