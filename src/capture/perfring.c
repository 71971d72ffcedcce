/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/perfring.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <unistd.h>

#include "capture/wire.h"
#include "event.h"

/* The kernel pads the u32 of the length and the bytes together to 8
 * (kernel/events/core.c:perf_prepare_sample), so at most this much comes of a record. */
#define SAMPLE_MAX (WIRE_MAX_LEN + 8)

/* Little endian: the lower half comes first. */
static volatile uint32_t *lower_half(void *map, size_t offset)
{
	return (volatile uint32_t *)((uint8_t *)map + offset);
}

void perfring_init(struct perfring *ring, void *map, uint32_t size)
{
	memset(ring, 0, sizeof(*ring));
	ring->head = lower_half(map, offsetof(struct perf_event_mmap_page, data_head));
	ring->tail = lower_half(map, offsetof(struct perf_event_mmap_page, data_tail));
	ring->data = (const uint8_t *)map + sysconf(_SC_PAGESIZE);
	ring->size = size;
}

/* What lies at a position may go on at the buffer's beginning. */
static void copy_out(const struct perfring *ring, uint32_t position, void *to, uint32_t len)
{
	uint32_t at = position & (ring->size - 1);
	uint32_t first = len < ring->size - at ? len : ring->size - at;

	memcpy(to, ring->data + at, first);
	memcpy((uint8_t *)to + first, ring->data, len - first);
}

/* The body of a sample is a u32 of how many bytes follow, and these. */
static int take_sample(struct perfring *ring, uint32_t position, uint32_t body_len,
		       channel_record_fn take, void *context)
{
	union {
		struct wire_head head; /* for its alignment */
		uint8_t bytes[SAMPLE_MAX];
	} sample;
	uint32_t len;
	int record_len, err;

	if (body_len < sizeof(len))
		return -EBADMSG;
	copy_out(ring, position, &len, sizeof(len));
	if (len > body_len - sizeof(len))
		return -EBADMSG;
	if (len > sizeof(sample))
		return 0;
	copy_out(ring, position + sizeof(len), &sample, len);
	record_len = wire_record_len(&sample, len);
	if (record_len < 0)
		return 0;
	err = take(context, &sample, (uint32_t)record_len);
	if (!err)
		ring->received++;
	return err;
}

int perfring_drain(struct perfring *ring, channel_record_fn take, void *context)
{
	uint32_t head = __atomic_load_n(ring->head, __ATOMIC_ACQUIRE), tail = *ring->tail;
	int err = 0;

	if (head - tail > ring->size)
		return -EBADMSG;
	while (!err && head != tail) {
		struct perf_event_header event;

		copy_out(ring, tail, &event, sizeof(event));
		if (event.size < sizeof(event) || event.size % 8 || event.size > head - tail)
			return -EBADMSG;
		if (event.type == PERF_RECORD_SAMPLE)
			err = take_sample(ring, tail + sizeof(event), event.size - sizeof(event),
					  take, context);
		if (err)
			break;
		tail += event.size;
		__atomic_store_n(ring->tail, tail, __ATOMIC_RELEASE);
	}
	return err;
}
