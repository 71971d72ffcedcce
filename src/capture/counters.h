/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The counters that the BPF programs keep per CPU (struct wire_stats), as user space reads them.
 *
 * Where the kernel can map the array (BPF_F_MMAPABLE, 5.5), it is mapped: no lock, no system call.
 * Elsewhere it is looked up by bpf(2). From 5.0 on a look-up keeps every BPF program from running
 * on its CPU while it lasts (kernel/bpf/syscall.c, bpf_prog_active); what it can then miss is a
 * vfree from an interrupt, which says only who freed.
 */
#ifndef VMTRACE_CAPTURE_COUNTERS_H
#define VMTRACE_CAPTURE_COUNTERS_H

#include <stdint.h>

#include "event.h"

struct counters;

/* Reads element cpu of the array map of map_fd into *value. 0 or -errno. */
typedef int (*counters_lookup_fn)(int map_fd, uint32_t cpu, struct wire_cpu *value);

/* That by bpf(2): what everybody but a unit test passes to counters_open. */
int counters_lookup(int map_fd, uint32_t cpu, struct wire_cpu *value);

/*
 * The array of map_fd, with one struct wire_cpu for each of the nr_cpus possible CPUs: mapped, or
 * looked up by lookup where it cannot be. map_fd must stay open until counters_free. 0, -ENOMEM, or
 * the -errno of the first look-up.
 */
int counters_open(int map_fd, uint32_t nr_cpus, counters_lookup_fn lookup, struct counters **out);
void counters_free(struct counters *counters);

uint32_t counters_cpus(const struct counters *counters);

/* Brings what counters_get returns up to date. A CPU whose look-up fails keeps its former values:
 * they only ever grow, so the next refresh that works makes up for it. */
void counters_refresh(struct counters *counters);

/* The counters of one CPU: live, or as of the last refresh. For one thread only. */
const volatile struct wire_stats *counters_get(const struct counters *counters, uint32_t cpu);

/* How far one CPU is now: its busy, then its records; for any thread. 0, or -errno of the look-up.
 */
int counters_progress(const struct counters *counters, uint32_t cpu, uint32_t *busy,
		      uint32_t *records);

/*
 * Records that the BPF side counted as sent and that did not arrive: told by the transport
 * (capture/perfmerge), asked for by capture/losses; each may be another thread. The sum since
 * counters_open, modulo 2^32.
 */
void counters_add_missing(struct counters *counters, uint32_t records);
uint32_t counters_missing(const struct counters *counters);

#endif
