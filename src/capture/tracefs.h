/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel probes made through tracefs (kernel/trace/trace_kprobe.c). A return probe made this way
 * can have as many instances as it needs, and the hits and misses of every probe can be read; the
 * perf PMU has no knob for the one, and the other only from 6.7 on.
 *
 * They outlive the process that makes them, so a guardian removes them when it is killed, and what
 * a guardian that was killed too has left is removed by the next tracefs_open.
 */
#ifndef VMTRACE_CAPTURE_TRACEFS_H
#define VMTRACE_CAPTURE_TRACEFS_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"

#define TRACEFS_MAX_PROBES 64u

struct tracefs;

struct tracefs_profile {
	uint64_t hits VMT_ALIGNED8;
	/* A kprobe: hit while another probe ran on this CPU. A return probe: that, or no instance
	 * was free, so its return is not seen. */
	uint64_t misses VMT_ALIGNED8;
};

/*
 * root is where tracefs is mounted, NULL for the usual places (tests give a directory). At most
 * one in a process: the group of its probes is named after the pid. 0; -ENOENT (none mounted, or
 * a kernel without kprobe events); -EBUSY (probes of this pid's group exist and are in use);
 * -errno.
 */
int tracefs_open(const char *root, struct tracefs **tracefs);

/*
 * Makes a probe at the entry or the return of symbol, which may be one like
 * alloc_vmap_area.constprop.0. *index numbers the probes from 0, *id is the config of a
 * PERF_TYPE_TRACEPOINT event for it; until one is enabled the kernel keeps the probe disarmed.
 * max_active: instances of a return probe (the kernel takes up to 4096), 0 = the kernel's
 * default, also used if the kernel refuses that many. 0; -EINVAL (no name of a function); -ENOSPC
 * (TRACEFS_MAX_PROBES); -errno of the kernel, then nothing was made.
 */
int tracefs_add(struct tracefs *tracefs, const char *symbol, bool is_return, uint32_t max_active,
		uint32_t *index, uint32_t *id);

/*
 * Fills list (of at most max) with the counts of the probes in the order of their index, as of
 * now: one or two system calls. The kernel's own counts are 32-bit; these go on beyond that if
 * they are read before a probe was hit 2^32 times more. Returns how many, or -errno.
 */
int tracefs_read_profile(struct tracefs *tracefs, struct tracefs_profile *list, uint32_t max);

/* Removes the probes, whose perf events must be closed, and ends the guardian. tracefs_close(NULL)
 * is legal; frees tracefs. */
void tracefs_close(struct tracefs *tracefs);

#endif
