/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Consumer of one CPU's perf buffer (kernel/events/ring_buffer.c), as far as bpf_perf_event_output
 * uses it.
 *
 * Own code, since on a 32-bit kernel the positions are an unsigned long: data_head is 64 bits wide
 * in the header page, but its upper half stays 0 and the lower one wraps after 4 GiB, and of
 * data_tail only the lower half is read. libbpf (1.1, bpf_perf_event_read_simple) counts data_tail
 * in 64 bits and goes on until both are equal, which after 4 GiB they never are. Here both are 32
 * bits and only ever subtracted. The kernel's own test for room is CIRC_SPACE, which survives the
 * wrap, so unlike a BPF ring a perf buffer need not be replaced.
 */
#ifndef VMTRACE_CAPTURE_PERFRING_H
#define VMTRACE_CAPTURE_PERFRING_H

#include <stdint.h>

#include "capture/channel.h"

struct perfring {
	const volatile uint32_t *head; /* lower half of data_head: written by the kernel */
	volatile uint32_t *tail;       /* lower half of data_tail: written by us */
	const uint8_t *data;
	uint32_t size;     /* of data: power of two */
	uint32_t received; /* records taken so far; wraps */
};

/* Of a mapped perf buffer: map is its header page, size bytes of data (a power of two) follow. */
void perfring_init(struct perfring *ring, void *map, uint32_t size);

/*
 * Hands over all records that were there at the call, without the padding that the kernel adds.
 * 0; what take returned, if that was not 0 (that record and all after it stay); -EBADMSG when the
 * buffer holds a length that cannot be.
 *
 * Everything that is not a record of src/event.h is skipped. That goes for PERF_RECORD_LOST too:
 * its figure comes only with the next record that finds room, so it may never come; what it stands
 * for is found otherwise (capture/perfmerge), and must not be counted twice.
 */
int perfring_drain(struct perfring *ring, channel_record_fn take, void *context);

#endif
