/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/runcost.h"

#include <bpf/bpf.h>
#include <unistd.h>

#define TIMED_NS    500000000ull
#define PAUSE_NS    9500000000ull
#define MIN_RECORDS 16u /* fewer say little */

static void begin(struct runcost *cost, const struct probes *probes, uint64_t now_ns,
		  uint64_t records)
{
	int fd = bpf_enable_stats(BPF_STATS_RUN_TIME);

	cost->refused = fd < 0;
	if (fd < 0)
		return;
	cost->fd = fd;
	cost->run_ns = probes_run_ns(probes);
	cost->records = records;
	cost->next_ns = now_ns + TIMED_NS;
}

static void end(struct runcost *cost, const struct probes *probes, uint64_t now_ns,
		uint64_t records)
{
	uint64_t run_ns = probes_run_ns(probes);
	uint64_t count = records - cost->records;

	runcost_release(cost);
	cost->next_ns = now_ns + PAUSE_NS;
	if (count >= MIN_RECORDS && run_ns > cost->run_ns)
		cost->ns_an_event = (uint32_t)((run_ns - cost->run_ns) / count);
}

uint32_t runcost_tick(struct runcost *cost, const struct probes *probes, uint64_t now_ns,
		      uint64_t records)
{
	if (cost->refused || now_ns < cost->next_ns)
		return cost->ns_an_event;
	if (cost->fd)
		end(cost, probes, now_ns, records);
	else
		begin(cost, probes, now_ns, records);
	return cost->ns_an_event;
}

void runcost_release(struct runcost *cost)
{
	if (cost->fd)
		close(cost->fd);
	cost->fd = 0;
}
