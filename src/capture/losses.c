/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/losses.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct losses {
	const volatile struct wire_stats *live; /* one a CPU, written by the BPF side */
	struct wire_stats *last;                /* as of the last look */
	struct losses_total total;
	/* allocations in progress, over the window that began at window_ns */
	uint64_t window_ns;
	int64_t in_progress;
	int64_t floor;
	int64_t reported;
	uint32_t nr_cpus;
	size_t map_len;
};

/* Which counter of a CPU is which cause. */
static const struct {
	uint8_t cause;
	uint8_t offset;
} counters[] = {
	{ LOST_RING, offsetof(struct wire_stats, lost_ring) },
	{ LOST_INFLIGHT, offsetof(struct wire_stats, lost_inflight) },
	{ LOST_UNMATCHED, offsetof(struct wire_stats, unmatched) },
	{ LOST_NO_ENTRY, offsetof(struct wire_stats, no_entry) },
	{ LOST_STACK, offsetof(struct wire_stats, stack_cut) },
	{ LOST_STACK, offsetof(struct wire_stats, stack_failed) },
	{ LOST_READ, offsetof(struct wire_stats, read_failed) },
};

int losses_map(struct losses **out, int map_fd, uint32_t nr_cpus)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct losses *losses = calloc(1, sizeof(*losses));
	void *map;

	if (!losses)
		return -ENOMEM;
	losses->nr_cpus = nr_cpus;
	losses->map_len = (nr_cpus * sizeof(struct wire_stats) + page - 1) & ~(page - 1);
	losses->last = calloc(nr_cpus, sizeof(*losses->last));
	if (!losses->last) {
		losses_free(losses);
		return -ENOMEM;
	}
	map = mmap(NULL, losses->map_len, PROT_READ, MAP_SHARED, map_fd, 0);
	if (map == MAP_FAILED) {
		int err = -errno;

		losses_free(losses);
		return err;
	}
	losses->live = map;
	*out = losses;
	return 0;
}

void losses_free(struct losses *losses)
{
	if (!losses)
		return;
	if (losses->live)
		munmap((void *)(uintptr_t)losses->live, losses->map_len);
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
	uint32_t now = counter_value(&losses->live[cpu], offset), grown = now - *last;

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
	return losses->in_progress - (int64_t)losses->total.lost[LOST_UNMATCHED];
}

int64_t losses_unmatched(struct losses *losses, uint64_t t_ns, const struct sink *sink)
{
	int64_t now = count_in_progress(losses), missed;
	struct event event = {
		.t_ns = t_ns,
		.type = EV_LOST,
		.state = LOST_UNMATCHED,
		.cpu = UINT32_MAX,
	};
	int err;

	if (!losses->window_ns || now < losses->floor)
		losses->floor = now;
	if (!losses->window_ns)
		losses->window_ns = t_ns;
	if (t_ns - losses->window_ns < LOSSES_WINDOW_NS)
		return 0;
	missed = losses->floor - losses->reported;
	losses->reported = losses->floor;
	losses->window_ns = t_ns;
	losses->floor = now;
	if (missed <= 0)
		return 0;
	event.count = (uint32_t)missed;
	err = sink_event(sink, &event);
	return err < 0 ? err : missed;
}

int64_t losses_report(struct losses *losses, uint64_t t_ns, const struct sink *sink)
{
	int64_t hurting = 0;

	for (uint32_t cpu = 0; cpu < losses->nr_cpus; cpu++) {
		for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
			uint32_t lost = advance(losses, cpu, counters[i].offset);
			struct event event = {
				.t_ns = t_ns,
				.type = EV_LOST,
				.state = counters[i].cause,
				.count = lost,
				.cpu = cpu,
			};
			int err;

			if (!lost)
				continue;
			losses->total.lost[counters[i].cause] += lost;
			if (lost_cause_hurts_map(counters[i].cause))
				hurting += lost;
			err = sink_event(sink, &event);
			if (err)
				return err;
		}
	}
	return hurting;
}

struct losses_total losses_total(struct losses *losses)
{
	for (uint32_t cpu = 0; cpu < losses->nr_cpus; cpu++) {
		losses->total.records += advance(losses, cpu, offsetof(struct wire_stats, records));
	}
	return losses->total;
}
