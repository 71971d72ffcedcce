/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The perf buffers of all CPUs as one channel, in the order of the records' times.
 *
 * A time T is proven when every record with t_ns <= T has been drained; what is in the hold up to a
 * proven time is given on sorted, the rest waits. How a time is proven, without a guess of how long
 * a program may take:
 *
 *   1. T = now - PERFMERGE_SETTLE_NS.
 *   2. For each CPU: look at its busy (struct wire_stats) until it is even once, or has changed
 *      since it was first seen odd.
 *   3. Drain all buffers up to where each is then.
 *
 * A program P with t_ns <= T, on CPU c, makes c's busy odd before it takes t_ns, puts its record
 * into c's buffer after that, and makes busy even after that. x86 shows one CPU's stores to the
 * others in their order, and neither loads nor stores here pass one another the other way. So when
 * step 2 sees busy even, or changed since it was seen odd, P has ended or has not begun. It has
 * begun: its first store is older than T. So it has ended, and its record is visible to step 3.
 * Records that P's CPU sent before are, too.
 *
 * The settle time in step 1 stands for two things, neither of them a program's duration:
 *   - P's first store may wait in its CPU's store buffer while P reads the clock already: nothing
 *     between them is a full barrier. That lasts as long as the cache needs, well below 1 us; an
 *     interrupt or a VM exit drains it.
 *   - A clock of coarse steps (jiffies) gives the same t_ns to what comes after the look: so T must
 *     lie in a step that is over.
 *
 * A CPU that stays busy with one value (its virtual CPU is not running) holds back what is later
 * than the last proven time, and nothing else: the buffers are drained into the hold meanwhile, up
 * to PERFMERGE_HOLD_BYTES. The next drain goes on with the same T.
 *
 * Records that came late (the clock of BPF, ktime_get_mono_fast_ns, may step back by some ns when
 * the timekeeper is updated) are given on next, not dropped.
 *
 * Losses. From 5.1 on, bpf_perf_event_output returns the error of a full buffer and the BPF side
 * counts it. Before, it returns 0, and the BPF side takes the record for sent. So what the BPF side
 * has counted as sent when its CPU was looked at in step 2, less all that was received by the end
 * of step 3, is missing: told to counters_add_missing. While records stream in, those that came
 * between the steps can hide as many missing ones; the first quiet moment shows them.
 */
#ifndef VMTRACE_CAPTURE_PERFMERGE_H
#define VMTRACE_CAPTURE_PERFMERGE_H

#include <stdint.h>

#include "capture/channel.h"
#include "capture/counters.h"
#include "capture/perfring.h"

#define PERFMERGE_SETTLE_NS 100000ull
#define PERFMERGE_WAIT_NS   5000000ull /* the longest that one drain waits for a busy CPU */

/* When this much is held and cannot be given on, the buffers are left to fill. A proof drains them
 * all the same, so at most what the buffers hold comes on top. */
#define PERFMERGE_HOLD_BYTES (4u << 20)

struct perfmerge;

/*
 * Of nr_rings buffers, one for each CPU that has one (the array is copied, the buffers must stay
 * mapped), and of the counters of all possible CPUs. watch_fd is what the kernel wakes. 0, -ENOMEM.
 */
int perfmerge_new(const struct perfring *rings, uint32_t nr_rings, struct counters *counters,
		  int watch_fd, struct perfmerge **out);
void perfmerge_free(struct perfmerge *merge);

/* Its marks are times of CLOCK_MONOTONIC in ns. Drained by one thread at a time. */
struct channel *perfmerge_channel(struct perfmerge *merge);

#endif
