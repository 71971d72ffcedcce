/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The live view of a session, this machine's or a recording's: which blocks are printed when, and
 * with what in them. Both print the same because nothing in a block comes from anywhere but the
 * stream and its header (docs/DESIGN.md, "Live and replay").
 */
#ifndef VMTRACE_CMD_WATCH_H
#define VMTRACE_CMD_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/options.h"
#include "cmd/session.h"
#include "allocator/failures.h"
#include "stream.h"
#include "view/moments.h"

struct watch {
	struct session session;
	struct moments moments; /* interval_ns 0: blocks only by watch_block */
	struct failures *failures;
	struct sink before;
	struct sink after;
	unsigned int top;
	uint64_t shown_ns VMT_ALIGNED8; /* as of when the last block was */
	bool changed;                   /* anything but time came since the last block */
	bool drawn;                     /* a block */
	bool ended;                     /* what still comes is not shown */
	/* May be NULL; what is not 0 stops the source. pause: before a block as of at_ns is
	 * printed, of those that come of their own accord. first: before the model takes an event.
	 * event: after it has. */
	int (*first)(void *context, const struct event *event);
	int (*pause)(void *context, uint64_t at_ns);
	int (*event)(void *context, const struct event *event);
	void *context;
};

/* Opens the session, and prints the first block if the source has begun with a snapshot. watch is
 * zeroed but for pause, first, event and context. Exit code; watch_close is legal after a failure.
 */
int watch_open(struct watch *watch, const struct options *options);
void watch_close(struct watch *watch);

/* Prints a block as of at_ns. 0, or -EPIPE: nobody reads it. */
int watch_block(struct watch *watch, uint64_t at_ns);

/* The time of the newest event, or of the last block if that is later. */
uint64_t watch_newest_ns(const struct watch *watch);

/* The end: a last block if anything has come since the one before, and the line of totals. Nothing
 * that comes later is shown. */
void watch_end(struct watch *watch);

#endif
