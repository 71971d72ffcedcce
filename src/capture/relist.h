/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When the kernel's own list is read again. Two reasons: a loss can have made the map wrong (a
 * heal: 1 s after it, backing off to 32 s while losses go on), and nothing has gone wrong that
 * anybody knows of (a reconcile, every few minutes: events can be missed in ways that no counter
 * shows). Pure: time is handed in.
 */
#ifndef VMTRACE_CAPTURE_RELIST_H
#define VMTRACE_CAPTURE_RELIST_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"

#define RELIST_HEAL_FIRST_NS 1000000000ull
#define RELIST_HEAL_MAX_NS   32000000000ull
#define RELIST_CALM_NS       300000000000ull /* without a loss for so long, heals begin anew */
#define RELIST_SLOW_MAX      8 /* intervals between two reconciles that cannot read the list */

struct relist {
	bool heal_wanted;
	uint64_t heal_at_ns VMT_ALIGNED8;
	uint64_t heal_gap_ns VMT_ALIGNED8;
	uint64_t healed_ns VMT_ALIGNED8;   /* when the last heal ended */
	uint64_t interval_ns VMT_ALIGNED8; /* of reconciles; 0 = never */
	uint64_t reconcile_gap_ns VMT_ALIGNED8;
	uint64_t reconcile_at_ns VMT_ALIGNED8;
};

void relist_init(struct relist *relist, uint64_t interval_ns);

/* The first list was read: reconciles count from now on. */
void relist_seeded(struct relist *relist, uint64_t now_ns);

/* A loss was seen. The heal is due when the back-off has passed, counted from the first loss. */
void relist_want_heal(struct relist *relist, uint64_t now_ns);
bool relist_heal_due(const struct relist *relist, uint64_t now_ns);

/* Around a heal. A loss between the two wants another one. failed: wanted again. */
void relist_heal_begins(struct relist *relist);
void relist_heal_ended(struct relist *relist, uint64_t now_ns, bool failed);

/* Never while a heal is wanted: it will put everything right, and a heal that has succeeded counts
 * as a reconcile. */
bool relist_reconcile_due(const struct relist *relist, uint64_t now_ns);

/* failed: the list could not be read; the next is due after twice the time, up to
 * RELIST_SLOW_MAX intervals. */
void relist_reconciled(struct relist *relist, uint64_t now_ns, bool failed);

#endif
