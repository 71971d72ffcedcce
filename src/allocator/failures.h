/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The failed allocations of a stream, each diagnosed at the moment at which it is applied, since
 * the space has changed when someone asks. Bounded: failures of one kind (same stack, size,
 * alignment, range, error) are one entry with a count, and the 64 entries that failed last are
 * kept. An entry is diagnosed anew if its diagnosis is at least 100 ms old; else, and when many
 * kinds fail at once, a failure is only counted. All by event time: a recording gives what live
 * gave.
 */
#ifndef VMTRACE_ALLOCATOR_FAILURES_H
#define VMTRACE_ALLOCATOR_FAILURES_H

#include <stdint.h>

#include "event.h"
#include "allocator/diagnose.h"

#define FAILURES_KEPT         64
#define FAILURES_DIAGNOSIS_NS 100000000ull

struct failures;

struct failure {
	struct event event; /* the one that the diagnosis is of */
	uint64_t first_ns VMT_ALIGNED8;
	uint64_t last_ns VMT_ALIGNED8;
	uint64_t count VMT_ALIGNED8;
	struct diagnosis diagnosis; /* verdict NONE if there was no time for one */
};

struct failures *failures_new(void);
void failures_free(struct failures *failures);

/* Takes an EV_FAIL that has just been applied to the space of base. 0; -ENOMEM: the failure is
 * counted, and perhaps not diagnosed. */
int failures_take(struct failures *failures, const struct event *fail,
		  const struct diagnosis_base *base);

uint64_t failures_total(const struct failures *failures);     /* failures */
uint64_t failures_forgotten(const struct failures *failures); /* entries no longer kept */
uint32_t failures_count(const struct failures *failures);     /* entries */
/* Entry index < failures_count, the one that failed last first. Valid until the next take. */
const struct failure *failures_at(const struct failures *failures, uint32_t index);

#endif
