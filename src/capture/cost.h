/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the probes cost on this machine, measured on it. BPF maps are made and given up, each one
 * allocation and one free (as the self-test's):
 *
 *   an allocation   the time of the system call with the probes, less that without them;
 *   a program       the kernel's own account (BPF_ENABLE_STATS, Linux 5.8);
 *   a probe         what is left of the allocation beyond its programs, for each that it hits;
 *   a free          its programs and its probes: a kworker does it, so its time cannot be taken.
 *
 * It takes some 600 KiB of vmalloc space for a moment, and they are lazy after that.
 */
#ifndef VMTRACE_CAPTURE_COST_H
#define VMTRACE_CAPTURE_COST_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/plan.h"
#include "capture/probes.h"

struct cost;

/* Without probes: before they are attached. NULL: it cannot be measured. */
struct cost *cost_begin(void);

/* With them. What could be measured is in *out, which is zero if nothing could. */
void cost_measure(struct cost *cost, const struct probes *probes, struct plan_cost *out);

void cost_free(struct cost *cost);

#endif
