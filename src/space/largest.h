/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The size of the largest hole, kept from event to event, for whoever wants it after every one of
 * millions: a search of the whole map each time would cost more than all the rest.
 *
 * Holes only grow when something is purged, healed or read anew, and then the map is searched. An
 * allocation from free pages alone only takes: what it leaves of the largest hole is the largest
 * still if it is not below `others`, a size that no other hole exceeds.
 */
#ifndef VMTRACE_SPACE_LARGEST_H
#define VMTRACE_SPACE_LARGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "space/holes.h"
#include "space/space.h"

struct largest {
	struct hole hole;
	uint32_t others;              /* no other hole is larger */
	uint32_t free_bytes;          /* of the space at the last event */
	uint64_t healed VMT_ALIGNED8; /* heals by then */
	bool known;                   /* all zeros: not known yet */
};

/* Takes note of an event that space_apply has just taken or refused. Every event must be shown. */
void largest_event(struct largest *largest, const struct space *space, const struct event *event);

/* Bytes of the largest hole now. */
uint32_t largest_bytes(struct largest *largest, const struct space *space);

#endif
