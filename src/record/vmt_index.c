// SPDX-License-Identifier: GPL-2.0-only
#include "record/vmt_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void vmt_index_release(struct vmt_index *index)
{
	free(index->entries);
	memset(index, 0, sizeof(*index));
}

static void widen(struct vmt_index_entry *entry, const struct vmt_index_entry *by)
{
	if (by->first_ns < entry->first_ns)
		entry->first_ns = by->first_ns;
	if (by->last_ns > entry->last_ns)
		entry->last_ns = by->last_ns;
}

/* Joins every two entries to one. */
static void thin_out(struct vmt_index *index)
{
	for (uint32_t i = 0; i < index->count / 2; i++) {
		index->entries[i] = index->entries[2 * i];
		widen(&index->entries[i], &index->entries[2 * i + 1]);
	}
	index->count /= 2;
	index->stride *= 2;
}

static int reserve(struct vmt_index *index)
{
	uint32_t capacity = index->capacity ? index->capacity * 2 : 64;
	struct vmt_index_entry *entries;

	if (index->count < index->capacity)
		return 0;
	entries = realloc(index->entries, capacity * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	index->entries = entries;
	index->capacity = capacity;
	return 0;
}

int vmt_index_add(struct vmt_index *index, const struct vmt_index_entry *entry)
{
	if (!index->stride)
		index->stride = 1;
	if (index->count && index->inside < index->stride) {
		widen(&index->entries[index->count - 1], entry);
		index->inside++;
		return 0;
	}
	/* The count is even and each entry full, so each is full again after the joining. */
	if (index->count == VMT_INDEX_MAX)
		thin_out(index);
	if (reserve(index) < 0)
		return -ENOMEM;
	index->entries[index->count++] = *entry;
	index->inside = 1;
	return 0;
}

uint32_t vmt_index_next_count(const struct vmt_index *index)
{
	return index->count < VMT_INDEX_MAX ? index->count + 1 : VMT_INDEX_MAX;
}
