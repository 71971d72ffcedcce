/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A recording played again in spaces of other sizes: would its failures have happened with another
 * vmalloc=? One reading of the stream feeds any number of simulations.
 *
 * Beside them it follows the recorded space itself, and predicts each address before it looks: how
 * often that is right says how far the simulations can be trusted.
 *
 * What the stream does not say, and is found by looking ahead (at most SIMULATE_AHEAD events or
 * SIMULATE_AHEAD_NS):
 *   - why a purge was done. One that began while an allocation of the same task was under way, was
 *     wanted by that allocation: a simulation decides on its own whether it needs it. One that
 *     began with more lazy than the threshold came from that. Any other happens in any space.
 *   - in which order two allocations under way at once were served: an allocation is reported when
 *     its area is inserted, some time after the place was chosen. If the place predicted for one
 *     was taken by another, the other was first.
 *   - when a purge gave its areas back: at the latest when one of them is in use again.
 *
 * Pure; docs/SIMULATE.md has the assumptions.
 */
#ifndef VMTRACE_ALLOCATOR_SIMULATE_H
#define VMTRACE_ALLOCATOR_SIMULATE_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "allocator/simulation.h"

#define SIMULATE_AHEAD    4096
#define SIMULATE_AHEAD_NS 100000000ull
#define SIMULATE_MAX      64 /* simulations at once */

/* Why an address was not predicted. */
enum simulate_cause {
	SIMULATE_RACED = 0, /* another allocation was under way */
	SIMULATE_PURGING,   /* a purge was under way: its areas come back one by one */
	SIMULATE_ALIGNED,   /* more than page alignment: the shape of the tree decides */
	SIMULATE_NO_ENTRY,  /* the request is not known */
	SIMULATE_LOST,      /* events were lost before */
	SIMULATE_OTHER,
	SIMULATE_CAUSE_COUNT
};

/* What the recording holds, and how well it was predicted. */
struct simulate_recorded {
	struct allocator_rules rules;
	uint64_t begin_ns VMT_ALIGNED8; /* of the first snapshot's end; 0 = there was none */
	uint64_t end_ns VMT_ALIGNED8;
	uint64_t allocs VMT_ALIGNED8;          /* addresses to predict */
	uint64_t exact VMT_ALIGNED8;           /* predicted in the order of the recording */
	uint64_t exact_reordered VMT_ALIGNED8; /* ... once concurrent ones were put in order */
	uint64_t missed[SIMULATE_CAUSE_COUNT] VMT_ALIGNED8;
	uint64_t fails VMT_ALIGNED8;           /* failures for want of addresses */
	uint64_t fails_predicted VMT_ALIGNED8; /* ... where nothing would fit after a purge */
	uint64_t fails_pages VMT_ALIGNED8;     /* failures for other reasons: not played */
	uint64_t reordered VMT_ALIGNED8;       /* allocations put before another */
	uint64_t missed_purge VMT_ALIGNED8;    /* areas that a purge did not give back */
	uint64_t purges_overflow VMT_ALIGNED8;
	uint64_t purges_threshold VMT_ALIGNED8;
	uint64_t purges_other VMT_ALIGNED8;
	uint64_t lost VMT_ALIGNED8;        /* events, counted by the recording */
	uint64_t lost_allocs VMT_ALIGNED8; /* areas that only a later snapshot or a free showed */
	uint64_t lost_frees VMT_ALIGNED8;  /* areas that were gone without a free */
	/* The largest hole of the simulation of the recorded size against the recorded one, looked
	 * at after each allocation. */
	uint64_t curve_points VMT_ALIGNED8;
	uint64_t curve_sum_bytes VMT_ALIGNED8; /* of the differences */
	uint32_t curve_max_bytes;
	uint32_t reserved;
};

struct simulate_options {
	uint32_t start; /* the recorded range */
	uint32_t end;
	uint32_t cpus;      /* recorded; 0 = not known */
	const char *kernel; /* release, as in the header; "" = not known */
	uint32_t pmd_bytes; /* see place_range; 0 = not known */
	bool exact_pages;   /* known, whatever the release */
};

struct simulate;

/* Simulation 0 is that of the recorded size and CPUs. NULL when memory runs out or for a range that
 * is none. */
struct simulate *simulate_new(const struct simulate_options *options);
void simulate_free(struct simulate *simulate);

/* Adds a space of `bytes` (whole pages) and cpus (0 = as recorded), before the first event. Its
 * number; -EINVAL for a size that cannot be, -ENOSPC, -ENOMEM. */
int simulate_add(struct simulate *simulate, uint32_t bytes, uint32_t cpus, bool each_failure);

/* Takes the next event. 0, -ENOMEM. */
int simulate_apply(struct simulate *simulate, const struct event *event);

/* After the last event: what was held back is played. 0, -ENOMEM. Then read the results. */
int simulate_finish(struct simulate *simulate);

/* False if the recording has no complete snapshot: then nothing was played. */
bool simulate_played(const struct simulate *simulate);
uint32_t simulate_count(const struct simulate *simulate);
const struct simulation_result *simulate_result(const struct simulate *simulate, uint32_t number);
/* The recorded space itself: only its areas, holes and maxima mean something. */
const struct simulation_result *simulate_truth(const struct simulate *simulate);
const struct simulate_recorded *simulate_recorded(const struct simulate *simulate);

/* The rules of a release ("6.1.0-50-686-pae"); 6.1's for one that is not understood. */
struct allocator_rules simulate_rules(const char *release);

#endif
