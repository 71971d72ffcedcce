/* SPDX-License-Identifier: GPL-2.0-only */
/* What was lost, by cause: the growth of the counters that the BPF programs keep per CPU. */
#ifndef VMTRACE_CAPTURE_LOSSES_H
#define VMTRACE_CAPTURE_LOSSES_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/counters.h"
#include "event.h"
#include "stream.h"

struct losses;

/* Of counters, which must outlive it. 0 or -ENOMEM. */
int losses_new(struct counters *counters, struct losses **out);
void losses_free(struct losses *losses);

/* One EV_LOST at t_ns for every CPU and cause that lost something since the last call. Returns how
 * many losses that can hurt the map were found, or -errno of the sink. */
int64_t losses_report(struct losses *losses, uint64_t t_ns, const struct sink *sink);

/* True if the BPF side has noticed entries without a return since the last losses_report: then the
 * kernel's own counts should be read and given to losses_missed before it. */
bool losses_has_unmatched(struct losses *losses);

/*
 * What the kernel says that it missed, in all: of probes that the map needs, of others, and how
 * many of both were returns whose entry was counted. One EV_LOST for each cause that has grown.
 * Those returns are then not told again as LOST_UNMATCHED. Returns how many can hurt the map, or
 * -errno of the sink.
 */
int64_t losses_missed(struct losses *losses, uint64_t t_ns, uint64_t map, uint64_t detail,
		      uint64_t returns, const struct sink *sink);

/*
 * Entries without a return. The BPF side notices one when the same task allocates again; this
 * notices the rest: the number of allocations in progress has a floor that it did not go below for
 * LOSSES_WINDOW_NS, and count_stale finds calls that began before that in the table of them. (The
 * floor alone is no proof: of many tasks that allocate all the time some always are at it.) Emits
 * EV_LOST(LOST_UNMATCHED) for what is new and was not told by losses_missed, and returns how many,
 * or -errno of the sink. *stale: how many slots of the table have now been found to be left over.
 */
#define LOSSES_WINDOW_NS 10000000000ull
typedef uint32_t (*losses_count_stale)(void *context, uint64_t before_ns);
int64_t losses_unmatched(struct losses *losses, uint64_t t_ns, losses_count_stale count_stale,
			 void *context, uint32_t *stale, const struct sink *sink);

/* Sums over all CPUs since counters_open. records: those that arrived, or will. */
struct losses_total {
	uint64_t records VMT_ALIGNED8;
	uint64_t lost[LOST_CAUSE_COUNT] VMT_ALIGNED8;
};
struct losses_total losses_total(struct losses *losses);

#endif
