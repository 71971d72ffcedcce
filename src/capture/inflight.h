/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The allocations in progress that the BPF programs keep (struct inflight_slot), as user space sees
 * them: one that began long ago has ended without being seen to, and its place is given back.
 */
#ifndef VMTRACE_CAPTURE_INFLIGHT_H
#define VMTRACE_CAPTURE_INFLIGHT_H

#include <stdbool.h>
#include <stdint.h>

struct inflight;

/*
 * table_fd: the map `inflight`, struct inflight_slot by 4-byte keys; cpus_fd: the array of nr_cpus
 * struct wire_cpu, or -1 where the programs leave no call in their slots. Both stay the caller's
 * and must stay open until inflight_close. 0 or -errno.
 */
int inflight_open(int table_fd, int cpus_fd, uint32_t nr_cpus, struct inflight **out);
void inflight_close(struct inflight *inflight); /* inflight_close(NULL) is legal */

/* How many began before before_ns whose area was not reported. */
uint32_t inflight_count_stale(const struct inflight *inflight, uint64_t before_ns);

/* Gives up those that began before before_ns; only_reported: of these, those whose area was. */
void inflight_sweep(struct inflight *inflight, uint64_t before_ns, bool only_reported);

#endif
