/* SPDX-License-Identifier: GPL-2.0-only */
/* What a picture over time is made of: the sums, the failures, and the lives of the largest areas.
 * Fed by the event stream, in bounded memory. Pure: no I/O, no clock. */
#ifndef VMTRACE_EXPORT_TRACE_H
#define VMTRACE_EXPORT_TRACE_H

#include <stdint.h>

#include "event.h"
#include "export/lifetimes.h"
#include "export/timeline.h"
#include "space/space.h"

#define TRACE_FAILURES 4096u /* the first ones; the rest is counted */

struct trace_failure {
	struct event event;
	uint32_t free_bytes; /* at that moment */
	uint32_t largest_hole_bytes;
};

struct trace;

/* lifetimes: how many. NULL when memory runs out. */
struct trace *trace_new(uint32_t lifetimes);
void trace_free(struct trace *trace);

/* One event, after space_apply of it. 0 or -ENOMEM. */
int trace_event(struct trace *trace, const struct space *space, const struct event *event);

/* The end of the stream, now_ns: what is live ends there. Once. */
void trace_finish(struct trace *trace, const struct space *space, uint64_t now_ns);

const struct timeline *trace_timeline(const struct trace *trace);
const struct lifetimes *trace_lifetimes(const struct trace *trace);
uint32_t trace_failure_count(const struct trace *trace);
const struct trace_failure *trace_failure_at(const struct trace *trace, uint32_t index);
uint64_t trace_failures_left_out(const struct trace *trace);

#endif
