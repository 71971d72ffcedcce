// SPDX-License-Identifier: GPL-2.0-only
#include "export/trace.h"

#include <errno.h>
#include <stdlib.h>

#include "space/largest.h"

struct trace {
	struct timeline *timeline;
	struct lifetimes *lifetimes;
	struct trace_failure *failures;
	uint32_t nr_failures;
	uint64_t failures_left_out;
	struct largest largest;
	bool in_snapshot; /* half of a list is applied: the sums mean nothing */
};

struct trace *trace_new(uint32_t lifetimes)
{
	struct trace *trace = calloc(1, sizeof(*trace));

	if (!trace)
		return NULL;
	trace->timeline = timeline_new();
	trace->lifetimes = lifetimes_new(lifetimes);
	if (trace->timeline && trace->lifetimes)
		return trace;
	trace_free(trace);
	return NULL;
}

void trace_free(struct trace *trace)
{
	if (!trace)
		return;
	timeline_free(trace->timeline);
	lifetimes_free(trace->lifetimes);
	free(trace->failures);
	free(trace);
}

static void add_point(struct trace *trace, const struct space *space, uint64_t t_ns)
{
	struct space_totals totals = space_totals(space);
	struct timeline_point point = {
		.t_ns = t_ns,
		.used_bytes = totals.used_bytes,
		.guard_bytes = totals.guard_bytes,
		.lazy_bytes = totals.lazy_bytes,
		.free_bytes = totals.free_bytes,
	};

	/* Before the first snapshot nothing is known to be free. */
	if (trace->in_snapshot || totals.unknown_bytes)
		return;
	point.largest_hole_bytes = largest_bytes(&trace->largest, space);
	timeline_add(trace->timeline, &point);
}

static int add_failure(struct trace *trace, const struct space *space, const struct event *event)
{
	if (trace->nr_failures == TRACE_FAILURES) {
		trace->failures_left_out++;
		return 0;
	}
	if (!trace->failures)
		trace->failures = calloc(TRACE_FAILURES, sizeof(*trace->failures));
	if (!trace->failures)
		return -ENOMEM;
	trace->failures[trace->nr_failures++] = (struct trace_failure){
		.event = *event,
		.free_bytes = space_totals(space).free_bytes,
		.largest_hole_bytes = largest_bytes(&trace->largest, space),
	};
	return 0;
}

/* The model has just made it lazy. */
static void add_life(struct trace *trace, const struct space *space, const struct event *event)
{
	const struct area *area = space_area_at(space, event->start);

	if (area && area->state == AREA_LAZY && area->start == event->start &&
	    area->end == event->end)
		lifetimes_add(trace->lifetimes, area, event->t_ns, false);
}

int trace_event(struct trace *trace, const struct space *space, const struct event *event)
{
	largest_event(&trace->largest, space, event);
	switch (event->type) {
	case EV_SNAPSHOT_BEGIN:
		trace->in_snapshot = true;
		return 0;
	case EV_SNAPSHOT_END:
		trace->in_snapshot = false;
		break;
	case EV_ALLOC:
	case EV_PURGE:
		break;
	case EV_FREE:
		add_life(trace, space, event);
		break;
	case EV_FAIL:
		return add_failure(trace, space, event);
	default:
		return 0;
	}
	add_point(trace, space, event->t_ns);
	return 0;
}

void trace_finish(struct trace *trace, const struct space *space, uint64_t now_ns)
{
	const struct area *area = space_first(space, space_start(space));

	for (; area; area = space_first(space, area->end)) {
		if (area->state == AREA_USED)
			lifetimes_add(trace->lifetimes, area, now_ns, true);
	}
	lifetimes_sort(trace->lifetimes);
	add_point(trace, space, now_ns);
}

const struct timeline *trace_timeline(const struct trace *trace)
{
	return trace->timeline;
}

const struct lifetimes *trace_lifetimes(const struct trace *trace)
{
	return trace->lifetimes;
}

uint32_t trace_failure_count(const struct trace *trace)
{
	return trace->nr_failures;
}

const struct trace_failure *trace_failure_at(const struct trace *trace, uint32_t index)
{
	return &trace->failures[index];
}

uint64_t trace_failures_left_out(const struct trace *trace)
{
	return trace->failures_left_out;
}
