/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Consumer of a BPF ring buffer (kernel/bpf/ringbuf.c). Own code since the positions are 32 bits
 * wide on a 32-bit kernel and wrap after 4 GiB, where libbpf's "cons < prod" stalls for good; here
 * they are only ever subtracted.
 */
#ifndef VMTRACE_CAPTURE_RING_H
#define VMTRACE_CAPTURE_RING_H

#include <stddef.h>
#include <stdint.h>

struct ring {
	volatile uint32_t *consumer; /* written by us */
	const volatile uint32_t *producer;
	const uint8_t *data; /* the ring twice in a row, so that no record is ever split */
	uint32_t size;       /* power of two */
	void *consumer_map;
	void *producer_map;
	size_t producer_map_len;
};

/* Takes one record of len bytes; its bytes are gone after the call. 0 = taken; anything else
 * stops the draining before this record, which stays in the ring. */
typedef int (*ring_record_fn)(void *context, const void *record, uint32_t len);

/* Maps the ring of map_fd, size bytes. 0 or -errno. */
int ring_map(struct ring *ring, int map_fd, uint32_t size);
void ring_unmap(struct ring *ring);

/*
 * Hands over every finished record, at most four rings full. Returns how many bytes of the ring
 * were given back (0 = none was ready); -EBADMSG when the ring holds a length that cannot be.
 */
int ring_drain(struct ring *ring, ring_record_fn take, void *context);

/* Up to where records have been reserved, and up to where they were handed over. Both wrap: only
 * their difference means something. */
uint32_t ring_produced(const struct ring *ring);
uint32_t ring_consumed(const struct ring *ring);

#endif
