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

#include "capture/channel.h"

struct ring {
	struct channel channel;
	volatile uint32_t *consumer; /* written by us */
	const volatile uint32_t *producer;
	const uint8_t *data; /* the ring twice in a row, so that no record is ever split */
	uint32_t size;       /* power of two */
	void *consumer_map;
	void *producer_map;
	size_t producer_map_len;
};

/* Maps the ring of map_fd, size bytes. 0 or -errno. */
int ring_map(struct ring *ring, int map_fd, uint32_t size);
void ring_unmap(struct ring *ring);

/* The ring as a channel that is woken through map_fd; it lives as long as the ring. */
struct channel *ring_channel(struct ring *ring, int map_fd);

/*
 * Hands over every finished record, at most four rings full. Returns how many bytes of the ring
 * were given back (0 = none was ready); -EBADMSG when the ring holds a length that cannot be.
 */
int ring_drain(struct ring *ring, channel_take_fn take, void *context);

/* Up to where records have been reserved, and up to where they were handed over. Both wrap: only
 * their difference means something. */
uint32_t ring_produced(const struct ring *ring);
uint32_t ring_consumed(const struct ring *ring);

#endif
