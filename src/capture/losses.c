/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/losses.h"

#include <errno.h>
#include <stdlib.h>

struct losses {
	struct counters *counters;
	struct wire_stats *last; /* as of the last look, one a CPU */
	uint32_t last_missing;
	struct losses_total total;
	uint64_t missed_map; /* as of the last losses_missed */
	uint64_t missed_detail;
	uint64_t missed_returns;
	/* Missed returns that are still to show as unmatched: told in this window, in the last one.
	 * Older ones never will: their entry was not counted, or its area was seen all the same. */
	uint64_t told;
	uint64_t told_before;
	uint64_t noticed; /* unmatched entries that the BPF side has noticed */
	/* allocations in progress, over the window that began at window_ns */
	uint64_t window_ns;
	int64_t in_progress;
	int64_t floor;
	int64_t reported;
	uint32_t nr_cpus;
};

/* Which counter of a CPU is which cause. */
static const struct {
	uint8_t cause;
	uint8_t offset;
} causes[] = {
	{ LOST_RING, offsetof(struct wire_stats, lost_ring) },
	{ LOST_INFLIGHT, offsetof(struct wire_stats, lost_inflight) },
	{ LOST_UNMATCHED, offsetof(struct wire_stats, unmatched) },
	{ LOST_NO_ENTRY, offsetof(struct wire_stats, no_entry) },
	{ LOST_STACK, offsetof(struct wire_stats, stack_cut) },
	{ LOST_STACK, offsetof(struct wire_stats, stack_failed) },
	{ LOST_READ, offsetof(struct wire_stats, read_failed) },
};

int losses_new(struct counters *counters, struct losses **out)
{
	struct losses *losses = calloc(1, sizeof(*losses));

	if (!losses)
		return -ENOMEM;
	losses->counters = counters;
	losses->nr_cpus = counters_cpus(counters);
	losses->last = calloc(losses->nr_cpus, sizeof(*losses->last));
	if (!losses->last) {
		losses_free(losses);
		return -ENOMEM;
	}
	*out = losses;
	return 0;
}

void losses_free(struct losses *losses)
{
	if (!losses)
		return;
	free(losses->last);
	free(losses);
}

static uint32_t counter_value(const volatile struct wire_stats *stats, uint8_t offset)
{
	return *(const volatile uint32_t *)((const volatile uint8_t *)stats + offset);
}

/* The growth of one counter since the last look. */
static uint32_t advance(struct losses *losses, uint32_t cpu, uint8_t offset)
{
	uint32_t *last = (uint32_t *)((uint8_t *)&losses->last[cpu] + offset);
	uint32_t now = counter_value(counters_get(losses->counters, cpu), offset);
	uint32_t grown = now - *last;

	*last = now;
	return grown;
}

/* Entries less returns and less what was noticed as unmatched, over all CPUs. */
static int64_t count_in_progress(struct losses *losses)
{
	for (uint32_t cpu = 0; cpu < losses->nr_cpus; cpu++) {
		losses->in_progress += advance(losses, cpu, offsetof(struct wire_stats, entries));
		losses->in_progress -= advance(losses, cpu, offsetof(struct wire_stats, returns));
	}
	return losses->in_progress - (int64_t)losses->noticed;
}

/* Of found unmatched entries, how many losses_missed has not told. */
static uint32_t untold(struct losses *losses, uint32_t found)
{
	uint64_t *const pots[] = { &losses->told_before, &losses->told };

	for (int i = 0; i < 2; i++) {
		uint32_t told = *pots[i] < found ? (uint32_t)*pots[i] : found;

		*pots[i] -= told;
		found -= told;
	}
	return found;
}

/* By how much the floor has grown over the window, as far as the table proves it. */
static uint32_t left_over(struct losses *losses, losses_count_stale count_stale, void *context)
{
	int64_t missed = losses->floor - losses->reported;
	uint32_t found;

	if (missed <= 0) {
		losses->reported = losses->floor;
		return 0;
	}
	found = count_stale(context, losses->window_ns);
	if (missed > found)
		missed = found;
	losses->reported += missed;
	return (uint32_t)missed;
}

int64_t losses_unmatched(struct losses *losses, uint64_t t_ns, losses_count_stale count_stale,
			 void *context, uint32_t *stale, const struct sink *sink)
{
	struct event event = {
		.t_ns = t_ns,
		.type = EV_LOST,
		.state = LOST_UNMATCHED,
		.cpu = UINT32_MAX,
	};
	int64_t now;
	int err;

	*stale = 0;
	counters_refresh(losses->counters);
	now = count_in_progress(losses);
	if (!losses->window_ns || now < losses->floor)
		losses->floor = now;
	if (!losses->window_ns)
		losses->window_ns = t_ns;
	if (t_ns - losses->window_ns < LOSSES_WINDOW_NS)
		return 0;
	*stale = left_over(losses, count_stale, context);
	losses->window_ns = t_ns;
	losses->floor = now;
	event.count = untold(losses, *stale);
	losses->told_before = losses->told;
	losses->told = 0;
	err = event.count ? sink_event(sink, &event) : 0;
	return err < 0 ? err : (int64_t)event.count;
}

/* Counts and emits lost > 0 records of one cause; adds them to *hurting if they hurt the map. */
static int report(struct losses *losses, uint64_t t_ns, uint8_t cause, uint32_t cpu, uint32_t lost,
		  int64_t *hurting, const struct sink *sink)
{
	struct event event = {
		.t_ns = t_ns,
		.type = EV_LOST,
		.state = cause,
		.count = lost,
		.cpu = cpu,
	};

	if (!lost)
		return 0;
	losses->total.lost[cause] += lost;
	if (lost_cause_hurts_map(cause))
		*hurting += lost;
	return sink_event(sink, &event);
}

/* What the BPF side took for sent is a loss like a refused record, on a CPU that is not known. */
static uint32_t advance_missing(struct losses *losses)
{
	uint32_t now = counters_missing(losses->counters), grown = now - losses->last_missing;

	losses->last_missing = now;
	losses->total.records -= grown;
	return grown;
}

bool losses_has_unmatched(struct losses *losses)
{
	counters_refresh(losses->counters);
	for (uint32_t cpu = 0; cpu < losses->nr_cpus; cpu++) {
		if (counters_get(losses->counters, cpu)->unmatched != losses->last[cpu].unmatched)
			return true;
	}
	return false;
}

int64_t losses_missed(struct losses *losses, uint64_t t_ns, uint64_t map, uint64_t detail,
		      uint64_t returns, const struct sink *sink)
{
	uint32_t new_map = (uint32_t)(map - losses->missed_map);
	uint32_t new_detail = (uint32_t)(detail - losses->missed_detail);
	int64_t hurting = 0;
	int err;

	losses->told += returns - losses->missed_returns;
	losses->missed_map = map;
	losses->missed_detail = detail;
	losses->missed_returns = returns;
	err = report(losses, t_ns, LOST_MISSED, UINT32_MAX, new_map, &hurting, sink);
	if (!err)
		err = report(losses, t_ns, LOST_DETAIL, UINT32_MAX, new_detail, &hurting, sink);
	return err ? err : hurting;
}

static uint32_t advance_cause(struct losses *losses, uint32_t cpu, size_t i)
{
	uint32_t lost = advance(losses, cpu, causes[i].offset);

	if (causes[i].cause != LOST_UNMATCHED)
		return lost;
	losses->noticed += lost;
	return untold(losses, lost);
}

int64_t losses_report(struct losses *losses, uint64_t t_ns, const struct sink *sink)
{
	int64_t hurting = 0;
	int err;

	counters_refresh(losses->counters);
	for (uint32_t cpu = 0; cpu < losses->nr_cpus; cpu++) {
		for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
			err = report(losses, t_ns, causes[i].cause, cpu,
				     advance_cause(losses, cpu, i), &hurting, sink);
			if (err)
				return err;
		}
	}
	err = report(losses, t_ns, LOST_RING, UINT32_MAX, advance_missing(losses), &hurting, sink);
	return err ? err : hurting;
}

struct losses_total losses_total(struct losses *losses)
{
	counters_refresh(losses->counters);
	for (uint32_t cpu = 0; cpu < losses->nr_cpus; cpu++)
		losses->total.records += advance(losses, cpu, offsetof(struct wire_stats, records));
	return losses->total;
}
