/* SPDX-License-Identifier: GPL-2.0-only */
/* `why`: failed allocations explained, as text (one screen each) and as JSON. */
#ifndef VMTRACE_VIEW_WHY_H
#define VMTRACE_VIEW_WHY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "allocator/failures.h"
#include "allocator/sizing.h"
#include "view/text.h"

struct why_report {
	const struct failure *list; /* the newest first */
	uint32_t count;
	bool from_log;     /* the kernel log's failures; the diagnosis is of the space as it is now,
			      times are the log's, 0 = not told */
	uint64_t failures; /* how many there were in all, and of how many kinds */
	uint64_t kinds;
	uint64_t base_ns VMT_ALIGNED8; /* what times are shown from */
	const struct sizing *sizing;   /* of the recording; NULL: not simulated */
};

/* At most 24 lines for one failure. */
void text_why(FILE *out, const struct view *view, const struct why_report *report);

/* The verdict in a few words, for live: "fragmented (largest hole 7.2M)"; "" for NONE. Returns
 * buf. */
const char *why_short(const struct diagnosis *diagnosis, char *buf, size_t len);

/* One object; keys in docs/FORMAT.md. 0, -ENOMEM, or -EIO when out refuses. */
int json_why(FILE *out, const struct view *view, const struct why_report *report);

#endif
