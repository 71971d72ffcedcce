/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the space went over time: used, lazy and free bytes, the largest hole now and after a purge,
 * and failures, in at most TREND_BUCKETS steps of equal width. The clock is the time of the
 * events, so a recording shows at each event what live showed there.
 *
 * To know the largest hole costs a walk over the space. So it is measured only where a step ends
 * (the state that held at its end), at the first failure of each step, and for a report. When the
 * table is full the steps become twice as wide and pairs of them are merged: over a recording of n
 * steps of the first width that is 128 + 64 log2(n / 128) walks, and O(1) for any other event.
 *
 * Begins with the first complete snapshot: before it pages are unknown. While a snapshot is read
 * the map is half of this and half of that, and is not measured; a step that ends meanwhile has
 * the state after the snapshot.
 */
#ifndef VMTRACE_SPACE_TREND_H
#define VMTRACE_SPACE_TREND_H

#include <stdbool.h>
#include <stdint.h>

#include "space/space.h"

#define TREND_BUCKETS      128
#define TREND_STEP_NS      100000000ull   /* the first width */
#define TREND_SLOPE_MIN_NS 60000000000ull /* a slope of less time is not told */

enum trend_what {
	TREND_USED = 0, /* bytes, guard pages not included */
	TREND_LAZY,
	TREND_FREE,
	TREND_LARGEST, /* hole, bytes */
	TREND_AFTER_PURGE,
	TREND_WHAT_COUNT
};

/* Of what was measured in a step, and at its begin. min <= last <= max. */
struct trend_value {
	uint32_t min;
	uint32_t max;
	uint32_t last; /* at its end */
};

struct trend_bucket {
	struct trend_value value[TREND_WHAT_COUNT];
	uint32_t fails;      /* failed allocations, all of them */
	bool uncertain;      /* the map was so when something was measured */
	bool last_uncertain; /* ... at its end */
};

struct trend_report {
	uint64_t start_ns VMT_ALIGNED8; /* event time: bucket i is [start + i step, + step) */
	uint64_t end_ns VMT_ALIGNED8;   /* where the last bucket ends */
	uint64_t step_ns VMT_ALIGNED8;
	struct trend_value all[TREND_WHAT_COUNT];
	uint32_t first[TREND_WHAT_COUNT]; /* at start_ns */
	struct trend_bucket buckets[TREND_BUCKETS];
	uint32_t count; /* 0: nothing was measured yet; then nothing else here means anything */
	bool uncertain; /* any of the buckets */
	bool first_uncertain;       /* at start_ns */
	bool has_slope;             /* false below TREND_SLOPE_MIN_NS */
	int64_t slope VMT_ALIGNED8; /* of the largest hole, bytes per hour */
};

struct trend;

struct trend *trend_new(void);
void trend_free(struct trend *trend);

/* With what a trend begins: the last time that belongs to the step it is at. */
struct trend_step {
	uint64_t until_ns;
};

/* What is to be done at an event for which trend_before calls it. */
void trend_look(struct trend *trend, const struct space *space, const struct event *event);

/* To be told of each event before it is applied to space: the state that held at the end of a step
 * is that before the first event beyond it. For most events there is nothing to do. */
static inline void trend_before(struct trend *trend, const struct space *space,
				const struct event *event)
{
	if (event->t_ns > ((const struct trend_step *)trend)->until_ns || event->type == EV_FAIL)
		trend_look(trend, space, event);
}

/*
 * The trend up to now_ns, or to the newest event if that is later: the state of space has held
 * since that event. Live gives the time, a recording 0. Changes nothing, so the next report is the
 * same whether this one was asked for or not. The slope is the median of the slopes between any two
 * steps (Theil-Sen): one large area that comes and goes does not turn it. Integers only: i386 and
 * amd64 give the same.
 */
void trend_report(const struct trend *trend, const struct space *space, uint64_t now_ns,
		  struct trend_report *report);

/* When bucket index ends: event time. */
uint64_t trend_end_ns(const struct trend_report *report, uint32_t index);

/* Makes `into` the bucket of both; next is the later one. */
void trend_merge(struct trend_bucket *into, const struct trend_bucket *next);

#endif
