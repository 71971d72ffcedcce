/* SPDX-License-Identifier: GPL-2.0-only */
/* What live shares between its blocks of text (live.c) and its screen (live_screen.c). */
#ifndef VMTRACE_CMD_LIVE_H
#define VMTRACE_CMD_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/jsonl_out.h"
#include "cmd/recorder.h"
#include "cmd/screen.h"
#include "cmd/watch.h"

#define LIVE_SLICE_NS 500000000ull /* of a recording: recorder_tick */

struct live {
	struct watch watch;
	struct recorder *recorder; /* -o, or NULL */
	struct jsonl_out jsonl;    /* --json: events to stdout */
	struct screen screen;
	bool on_screen;
	bool ending; /* a key asked for it */
	uint64_t until_ns;
};

/* Looks after -o: SESSION_END if nothing more can be written, else SESSION_MORE. */
int live_tick(struct live *live, uint64_t now_ns);

/* The time at which `duration` from now on is over; of NO_DURATION never. */
uint64_t live_until(uint64_t now_ns, uint64_t duration_ns);

/* Events to the screen, until a key, a signal or --duration ends it. As session_run. */
int live_screen_flow(struct live *live, const struct options *options);

#endif
