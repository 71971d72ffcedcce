/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When live draws a block: a function of the stream alone, so that a recording is replayed with the
 * same blocks at the same places. No clock here: where time passes and nothing happens, EV_TIME
 * tells of it.
 *
 *   - As soon as the first snapshot is complete, as of its end, unless one was drawn before.
 *   - As of start + n * interval, with what came before the first event that is later than that.
 *   - Not before the first event.
 *   - Never inside a snapshot, which leaves half a map: then behind its end.
 *   - Of more than MOMENTS_MAX_QUIET blocks without an event between them only the last ones.
 */
#ifndef VMTRACE_VIEW_MOMENTS_H
#define VMTRACE_VIEW_MOMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"

#define MOMENTS_MAX_QUIET 100000u

struct moments {
	uint64_t interval_ns VMT_ALIGNED8; /* 0 = no blocks of their own accord */
	uint64_t next_ns VMT_ALIGNED8;     /* the next one, 0 = start is not known yet */
	bool begun;                        /* an event has come */
	bool in_snapshot;
	bool any; /* one was drawn */
};

/* start_ns: 0 = not known yet. Keep the struct zeroed before, but for interval_ns. */
void moments_start(struct moments *moments, uint64_t start_ns);

/* Before event is applied: true if a block is due first, as of *at_ns. To be called until false. */
bool moments_before(struct moments *moments, const struct event *event, uint64_t *at_ns);

/* After event was applied: true if a block is due now, as of *at_ns. */
bool moments_after(struct moments *moments, const struct event *event, uint64_t *at_ns);

#endif
