/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The last events, in a ring of fixed size: what a screen lists as news, and what is known to have
 * happened to an address range. Each is kept with the area that it was about, since the space has
 * moved on when it is shown.
 *
 * Kept are ALLOC, FREE, FAIL, VFREE, LOST, SNAPSHOT_END, and a PURGE that freed something. Left out
 * is what is no news: STACK, TIME, AREA, SNAPSHOT_BEGIN, and purges of nothing, of which a module
 * load makes dozens. Nothing is allocated after tail_new.
 */
#ifndef VMTRACE_SPACE_TAIL_H
#define VMTRACE_SPACE_TAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "space/space.h"

#define TAIL_MAX 1000000u

struct tail;

struct tail_entry {
	struct event event; /* of a PURGE, size is how many bytes it freed */
	struct area area;   /* ALLOC, FREE, VFREE: as it was after the event; else all zeros */
	uint64_t number VMT_ALIGNED8; /* counts all kept ever, from 1 on: names an entry for good */
};

/* capacity: entries, from 1 to TAIL_MAX, 200 bytes each. NULL if it is not, or memory runs out. */
struct tail *tail_new(uint32_t capacity);
void tail_free(struct tail *tail);

/* Takes note of an event that space_apply has just taken or refused. Every event must be shown: the
 * bytes that a PURGE freed are told by the difference. Returns the entry if it was kept, else NULL.
 */
const struct tail_entry *tail_add(struct tail *tail, const struct space *space,
				  const struct event *event);

/* How many entries there are now, and were kept in all. */
uint32_t tail_count(const struct tail *tail);
uint64_t tail_total(const struct tail *tail);

/* The entry that is `back` before the newest (0 = the newest), NULL beyond the oldest. Valid until
 * the next tail_add. */
const struct tail_entry *tail_at(const struct tail *tail, uint32_t back);

/* The entry of this number; NULL if it has left the ring, or never was. */
const struct tail_entry *tail_find(const struct tail *tail, uint64_t number);

/* What is known of [start, end) from the ring. */
struct tail_history {
	uint32_t count; /* of the list filled, the newest first */
	bool more;      /* there was no room in the list for older ones */
	bool gap;       /* events were lost in the time that the ring reaches back: one may be
			   missing in the list */
	uint64_t since_ns VMT_ALIGNED8; /* how far back the ring reaches; 0: to the first event */
};

/*
 * The entries that touched a page of [start, end), newest first, into list (room for `room`): ALLOC
 * and FREE that overlap it, VFREE of an address in it, and each PURGE that gave a part of it back:
 * begun after its FREE, with no ALLOC over it in between. A FAIL touches nothing.
 */
struct tail_history tail_history(struct tail *tail, uint32_t start, uint32_t end,
				 const struct tail_entry **list, uint32_t room);

#endif
