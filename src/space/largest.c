// SPDX-License-Identifier: GPL-2.0-only
#include "space/largest.h"

static uint32_t size_of(const struct hole *hole)
{
	return hole->end - hole->start;
}

static void search(struct largest *largest, const struct space *space)
{
	uint32_t addr = space_start(space);
	struct hole hole;

	*largest = (struct largest){ .known = true };
	largest->free_bytes = space_totals(space).free_bytes;
	largest->healed = space_counters(space)->healed_allocs;
	while (holes_next(space, addr, false, &hole)) {
		uint32_t smaller = size_of(&hole);

		if (smaller > size_of(&largest->hole)) {
			smaller = size_of(&largest->hole);
			largest->hole = hole;
		}
		if (smaller > largest->others)
			largest->others = smaller;
		addr = hole.end;
	}
}

/* [start, end) was free, all of it, and is not any more. */
static void take(struct largest *largest, uint32_t start, uint32_t end)
{
	struct hole below = { largest->hole.start, start }, above = { end, largest->hole.end };
	bool below_larger;

	if (start >= largest->hole.end || end <= largest->hole.start)
		return;
	below_larger = size_of(&below) >= size_of(&above);
	largest->hole = below_larger ? below : above;
	if (size_of(below_larger ? &above : &below) > largest->others)
		largest->others = size_of(below_larger ? &above : &below);
	largest->known = size_of(&largest->hole) >= largest->others;
}

/* False if the event can have made a hole larger, or taken anything but what `take` is told. */
static bool can_follow(const struct largest *largest, const struct space *space,
		       const struct event *event, uint32_t taken)
{
	switch (event->type) {
	case EV_STACK:
	case EV_FAIL:
	case EV_VFREE:
	case EV_LOST:
	case EV_TIME:
		return true;
	case EV_ALLOC:
		/* If anything but free pages was taken, or pages became free by it, the sums
		 * differ. */
		return taken == event->end - event->start;
	case EV_FREE:
		/* A free that heals can take and give at once; so can one before the first
		 * snapshot, where no heal is counted. */
		return !taken && space_counters(space)->healed_allocs == largest->healed &&
		       !space_totals(space).unknown_bytes;
	case EV_PURGE:
		return !taken;
	default:
		return false;
	}
}

void largest_event(struct largest *largest, const struct space *space, const struct event *event)
{
	uint32_t free_bytes = space_totals(space).free_bytes;
	uint32_t taken = largest->free_bytes - free_bytes;

	if (largest->known)
		largest->known = can_follow(largest, space, event, taken);
	if (largest->known && event->type == EV_ALLOC)
		take(largest, event->start, event->end);
	largest->free_bytes = free_bytes;
	largest->healed = space_counters(space)->healed_allocs;
}

uint32_t largest_bytes(struct largest *largest, const struct space *space)
{
	if (!largest->known)
		search(largest, space);
	return size_of(&largest->hole);
}
