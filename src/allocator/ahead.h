/* SPDX-License-Identifier: GPL-2.0-only */
/* Events held back, so that one can look at what comes after them. Bounded: a ring of
 * SIMULATE_AHEAD events. */
#ifndef VMTRACE_ALLOCATOR_AHEAD_H
#define VMTRACE_ALLOCATOR_AHEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "allocator/simulate.h"

struct ahead {
	struct event ring[SIMULATE_AHEAD];
	uint32_t first;
	uint32_t count;
	uint64_t newest_ns VMT_ALIGNED8;
};

/* There must be room: ahead_due was asked. */
void ahead_push(struct ahead *ahead, const struct event *event);

/* True if the first event need not wait any more: enough has come after it. */
bool ahead_due(const struct ahead *ahead);

/* Takes the first event off. An event that was taken out before is of type EV_NONE. */
struct event ahead_pop(struct ahead *ahead);

/* When the call that ended in this event began. */
uint64_t ahead_begin_ns(const struct event *event);

/* True if an allocation wanted this purge, which was taken off: it began before the purge, in the
 * same task (any, if the recording does not name tasks), and ended after it. */
bool ahead_wanted_by_alloc(const struct ahead *ahead, const struct event *purge);

/* The first allocation after `event` that was under way when event was reported and lies in
 * [start, end), from *index on; NULL if there is none. */
struct event *ahead_rival(struct ahead *ahead, const struct event *event, uint32_t start,
			  uint32_t end, uint32_t *index);

/* The first purge that began before t_ns; NULL if there is none. */
struct event *ahead_purge(struct ahead *ahead, uint64_t t_ns);

/* True if any allocation that is held back was under way at t_ns. */
bool ahead_alloc_at(const struct ahead *ahead, uint64_t t_ns);

#endif
