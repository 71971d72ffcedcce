/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the probes cost: time that the kernel spends in vmtrace's programs, an event. The kernel
 * times programs only while that is asked for (BPF_STATS_RUN_TIME, Linux 5.8), and the timing costs
 * too: so it is asked for half a second in ten, and the answer is that of the last time.
 */
#ifndef VMTRACE_CAPTURE_RUNCOST_H
#define VMTRACE_CAPTURE_RUNCOST_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/probes.h"

struct runcost {
	int fd; /* while the kernel times programs, else 0 */
	bool refused;
	uint64_t next_ns;     /* when something is to be done */
	uint64_t run_ns;      /* at the begin of the timing */
	uint64_t records;     /* ... */
	uint32_t ns_an_event; /* 0 = not known */
};

/* To be called now and then; records: how many the programs have sent in all. Returns ns an event,
 * 0 while it is not known. The struct is zeroed before. */
uint32_t runcost_tick(struct runcost *cost, const struct probes *probes, uint64_t now_ns,
		      uint64_t records);
void runcost_release(struct runcost *cost);

#endif
