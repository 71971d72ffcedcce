/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/ring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* include/uapi/linux/bpf.h: kernel ABI */
#define RING_BUSY    (1u << 31)
#define RING_DISCARD (1u << 30)
#define RING_HEADER  CHANNEL_HEADER /* its first word is the length: so the ring is full of runs */

int ring_map(struct ring *ring, int map_fd, uint32_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	memset(ring, 0, sizeof(*ring));
	ring->size = size;
	ring->consumer_map = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (ring->consumer_map == MAP_FAILED) {
		ring->consumer_map = NULL;
		return -errno;
	}
	ring->producer_map_len = page + 2 * (size_t)size;
	ring->producer_map =
		mmap(NULL, ring->producer_map_len, PROT_READ, MAP_SHARED, map_fd, (off_t)page);
	if (ring->producer_map == MAP_FAILED) {
		int err = -errno;

		ring->producer_map = NULL;
		ring_unmap(ring);
		return err;
	}
	/* A guardian (capture/guardian) must not keep a ring that is given back. */
	madvise(ring->consumer_map, page, MADV_DONTFORK);
	madvise(ring->producer_map, ring->producer_map_len, MADV_DONTFORK);
	ring->consumer = ring->consumer_map;
	ring->producer = ring->producer_map;
	ring->data = (const uint8_t *)ring->producer_map + page;
	return 0;
}

void ring_unmap(struct ring *ring)
{
	if (ring->consumer_map)
		munmap(ring->consumer_map, (size_t)sysconf(_SC_PAGESIZE));
	if (ring->producer_map)
		munmap(ring->producer_map, ring->producer_map_len);
	memset(ring, 0, sizeof(*ring));
}

uint32_t ring_produced(const struct ring *ring)
{
	return __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
}

uint32_t ring_consumed(const struct ring *ring)
{
	return __atomic_load_n(ring->consumer, __ATOMIC_ACQUIRE);
}

/* What lies from a position on: finished records, then perhaps one that nobody is to see. */
struct run {
	uint32_t len;
	uint32_t discarded;
	int err; /* of what comes then */
};

static struct run run_at(const struct ring *ring, uint32_t position, uint32_t waiting)
{
	const uint8_t *at = ring->data + (position & (ring->size - 1));
	struct run run = { 0 };

	while (run.len < waiting) {
		uint32_t header = __atomic_load_n((const uint32_t *)(at + run.len), __ATOMIC_ACQUIRE);
		uint32_t len = header & ~(RING_BUSY | RING_DISCARD);
		uint32_t whole = (len + RING_HEADER + 7) & ~7u;

		if (header & RING_BUSY)
			break;
		if (len > ring->size - RING_HEADER || whole > waiting - run.len) {
			run.err = -EBADMSG;
			break;
		}
		if (header & RING_DISCARD) {
			run.discarded = whole;
			break;
		}
		run.len += whole;
	}
	return run;
}

int ring_drain(struct ring *ring, channel_take_fn take, void *context)
{
	uint32_t consumer = *ring->consumer, first = consumer, waiting;

	while ((waiting = ring_produced(ring) - consumer) != 0 && consumer - first < 4 * ring->size) {
		struct run run;

		if (waiting > ring->size)
			return -EBADMSG;
		run = run_at(ring, consumer, waiting);
		if (run.len && take(context, ring->data + (consumer & (ring->size - 1)), run.len))
			break;
		consumer += run.len + run.discarded;
		__atomic_store_n(ring->consumer, consumer, __ATOMIC_RELEASE);
		if (run.err)
			return run.err;
		if (!run.len && !run.discarded)
			break;
	}
	return (int)(consumer - first);
}

/* ---- as a channel ------------------------------------------------------------------------ */

static int drain(struct channel *channel, channel_take_fn take, void *context)
{
	return ring_drain(channel_owner(struct ring, channel), take, context);
}

static uint64_t mark(const struct channel *channel)
{
	return ring_produced(channel_owner(struct ring, channel));
}

static bool reached(const struct channel *channel, uint64_t position)
{
	uint32_t consumed = ring_consumed(channel_owner(struct ring, channel));

	return (int32_t)(consumed - (uint32_t)position) >= 0;
}

struct channel *ring_channel(struct ring *ring, int map_fd)
{
	static const struct channel_ops ops = {
		.drain = drain,
		.mark = mark,
		.reached = reached,
	};

	ring->channel = (struct channel){ .ops = &ops, .watch_fd = map_fd };
	return &ring->channel;
}
