/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/order.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_MAX   (1u << 30) /* offsets and the sums that are returned stay below 2^31 */
#define FIRST_BYTES 65536u
#define FIRST_COUNT 1024u

/* One record held. Records lie in the order of their coming, so the offset also tells which of two
 * came first. */
struct entry {
	uint64_t t_ns;
	uint32_t offset;
	uint32_t len;
};

struct order {
	struct entry *entries; /* first .. count - 1 are held */
	uint32_t first;
	uint32_t count;
	uint32_t capacity;
	uint8_t *bytes;
	uint32_t used; /* of bytes: records held and, until compact(), records given on */
	uint32_t room; /* size of bytes */
	uint32_t held; /* bytes of the records held */
	bool sorted;   /* entries, by time */
	uint64_t oldest_ns;
};

struct order *order_new(void)
{
	struct order *order = calloc(1, sizeof(*order));

	if (order)
		order->oldest_ns = UINT64_MAX;
	return order;
}

void order_free(struct order *order)
{
	if (!order)
		return;
	free(order->entries);
	free(order->bytes);
	free(order);
}

uint32_t order_bytes(const struct order *order)
{
	return order->held;
}

uint64_t order_oldest_ns(const struct order *order)
{
	return order->oldest_ns;
}

static uint32_t padded(uint32_t len)
{
	return (len + 7) & ~7u;
}

/* ---- room -------------------------------------------------------------------------------- */

static int reserve_bytes(struct order *order, uint32_t more)
{
	uint32_t room = order->room ? order->room : FIRST_BYTES;
	uint8_t *bytes;

	if (more <= order->room - order->used)
		return 0;
	while (room - order->used < more)
		room *= 2;
	if (room > BYTES_MAX)
		return -ENOMEM;
	bytes = realloc(order->bytes, room);
	if (!bytes)
		return -ENOMEM;
	order->bytes = bytes;
	order->room = room;
	return 0;
}

static int reserve_entry(struct order *order)
{
	uint32_t capacity = order->capacity ? 2 * order->capacity : FIRST_COUNT;
	struct entry *entries;

	if (order->count < order->capacity)
		return 0;
	entries = realloc(order->entries, capacity * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	order->entries = entries;
	order->capacity = capacity;
	return 0;
}

int order_add(struct order *order, const void *record, uint32_t len)
{
	struct entry entry = { .offset = order->used, .len = len };

	if (len < sizeof(entry.t_ns))
		return -EBADMSG;
	if (len > BYTES_MAX / 2 || reserve_bytes(order, padded(len)) < 0 ||
	    reserve_entry(order) < 0)
		return -ENOMEM;
	memcpy(&entry.t_ns, record, sizeof(entry.t_ns));
	memcpy(order->bytes + entry.offset, record, len);
	order->used += padded(len);
	order->held += padded(len);
	order->entries[order->count++] = entry;
	order->sorted = false;
	if (entry.t_ns < order->oldest_ns)
		order->oldest_ns = entry.t_ns;
	return 0;
}

/* ---- order ------------------------------------------------------------------------------- */

static int by_offset(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	return (a->offset > b->offset) - (a->offset < b->offset);
}

static int by_time(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	if (a->t_ns != b->t_ns)
		return a->t_ns > b->t_ns ? 1 : -1;
	return by_offset(left, right);
}

static void sort(struct order *order)
{
	if (order->sorted)
		return;
	qsort(order->entries + order->first, order->count - order->first, sizeof(struct entry),
	      by_time);
	order->sorted = true;
}

/* Moves what is held to the front, in the order of its coming. */
static void compact(struct order *order)
{
	uint32_t count = order->count - order->first;

	memmove(order->entries, order->entries + order->first, count * sizeof(struct entry));
	order->first = 0;
	order->count = count;
	qsort(order->entries, count, sizeof(struct entry), by_offset);
	order->used = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct entry *entry = &order->entries[i];

		memmove(order->bytes + order->used, order->bytes + entry->offset, entry->len);
		entry->offset = order->used;
		order->used += padded(entry->len);
	}
	order->sorted = false;
}

int order_emit_until(struct order *order, uint64_t until_ns, channel_record_fn take, void *context)
{
	uint32_t before = order->held;

	if (!order->held || order->oldest_ns > until_ns)
		return 0;
	sort(order);
	for (; order->first < order->count; order->first++) {
		const struct entry *entry = &order->entries[order->first];

		if (entry->t_ns > until_ns ||
		    take(context, order->bytes + entry->offset, entry->len) != 0)
			break;
		order->held -= padded(entry->len);
	}
	order->oldest_ns =
		order->first < order->count ? order->entries[order->first].t_ns : UINT64_MAX;
	/* Not at every call, so that what stays is moved no more often than as much has gone. */
	if (order->used - order->held >= order->held)
		compact(order);
	return (int)(before - order->held);
}
