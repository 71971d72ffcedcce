/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The failures of vmalloc that the kernel log tells of: a machine has usually failed before anyone
 * starts a tracer. The text is hostile: names of tasks are in it, and whoever may write /dev/kmsg.
 *
 * mm/vmalloc.c:alloc_vmap_area, without __GFP_NOWARN and rate-limited:
 *   vmap allocation for size %lu failed: use vmalloc=<size> to increase size        (up to 6.5)
 *   vmalloc_node_range for size %lu failed: Address range restricted to %#lx - %#lx      (6.12)
 * followed, if vmalloc asked, by what warn_alloc prints, once in 10 s at most, with a call trace:
 *   TASK: vmalloc: allocation failure: %lu bytes, mode:...                              (5.10)
 *   TASK: vmalloc error: size %lu, vm_struct allocation failed, mode:...                 (6.1)
 * The same for want of pages, then without the first line:
 *   TASK: vmalloc: allocation failure, allocated %ld of %ld bytes, mode:...             (5.10)
 *   TASK: vmalloc error: size %lu, exceeds total pages, ... failed to allocate pages, ... (6.1)
 */
#ifndef VMTRACE_CAPTURE_KLOG_H
#define VMTRACE_CAPTURE_KLOG_H

#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "space/names.h"
#include "space/stacks.h"

#define KLOG_KEPT 64

/* Failures that differ only in time are one. */
struct klog_failure {
	/* EV_FAIL; what the log does not tell is 0: requested, the range, task, stack. t_ns is the
	 * log's clock, of the last one; 0 = lines have no time. err: -EBUSY, or -ENOMEM for want
	 * of pages. */
	struct event event;
	uint32_t count;
};

struct klog {
	struct klog_failure list[KLOG_KEPT]; /* the oldest first */
	uint32_t count;
	uint32_t forgotten; /* older ones, no longer kept */
};

/* Reads the failures out of len bytes of log as syslog(2) gives it. names and stacks grow. */
void klog_parse(const char *text, size_t len, struct names *names, struct stacks *stacks,
		struct klog *klog);

/* Reads the kernel's log. 0; -EPERM, -ENOMEM, -ENOSYS (CONFIG_PRINTK): *klog is empty then. */
int klog_read(struct names *names, struct stacks *stacks, struct klog *klog);

#endif
