/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Perf buffers on a BPF_MAP_TYPE_PERF_EVENT_ARRAY: one for each CPU that is online, mapped. What is
 * in them is capture/perfmerge's business.
 *
 * A perf buffer is made of single pages of low memory (kernel/events/ring_buffer.c:rb_alloc, x86
 * has no CONFIG_PERF_USE_VMALLOC): unlike a ring it takes none of the vmalloc space.
 *
 * A CPU that comes online later has no buffer, and one that was offline in between has one that the
 * kernel no longer writes to: bpf_perf_event_output then returns -ENOENT or -EOPNOTSUPP, on every
 * kernel, and the BPF side counts the loss.
 */
#ifndef VMTRACE_CAPTURE_PERFBUF_H
#define VMTRACE_CAPTURE_PERFBUF_H

#include <stdint.h>

#include "capture/channel.h"
#include "capture/counters.h"

struct perfbuf;

/*
 * Makes buffers of bytes_per_cpu (a power of two, at least a page) and puts them into the map of
 * map_fd, so that programs that write to it find them from now on. counters must outlive it. 0;
 * -EINVAL: not such a size; -errno of the kernel.
 */
int perfbuf_open(int map_fd, uint32_t bytes_per_cpu, struct counters *counters,
		 struct perfbuf **out);
void perfbuf_free(struct perfbuf *perfbuf);

/* All the buffers together, for the pump; it lives as long as perfbuf. */
struct channel *perfbuf_channel(struct perfbuf *perfbuf);

#endif
