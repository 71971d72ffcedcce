/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/known_stacks.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "space/idtable.h"

struct known {
	uint32_t stack_id;
	uint32_t count;
	uint32_t addrs[VMT_MAX_FRAMES];
};

struct known_stacks {
	struct idtable index; /* of entry i: id i + 1 */
	struct known *entries;
	uint32_t count;
	uint32_t capacity;
};

struct known_stacks *known_stacks_new(void)
{
	return calloc(1, sizeof(struct known_stacks));
}

void known_stacks_free(struct known_stacks *known)
{
	if (!known)
		return;
	idtable_release(&known->index);
	free(known->entries);
	free(known);
}

/* By words, not by bytes as idtable_hash: it is done for every record with a stack. */
static uint32_t hash_of(const uint32_t *addrs, uint32_t count)
{
	uint32_t hash = count;

	for (uint32_t i = 0; i < count; i++)
		hash = ((hash << 5 | hash >> 27) ^ addrs[i]) * 0x9e3779b1u;
	return hash ^ hash >> 15;
}

static bool same(const uint32_t *a, const uint32_t *b, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (a[i] != b[i])
			return false;
	}
	return true;
}

uint32_t known_stacks_find(const struct known_stacks *known, const uint32_t *addrs, uint32_t count)
{
	uint32_t hash = hash_of(addrs, count), pos, id;

	for (id = idtable_first(&known->index, hash, &pos); id;
	     id = idtable_next(&known->index, hash, &pos)) {
		const struct known *entry = &known->entries[id - 1];

		if (entry->count == count && same(entry->addrs, addrs, count))
			return entry->stack_id;
	}
	return 0;
}

static bool reserve(struct known_stacks *known)
{
	uint32_t capacity = known->capacity ? 2 * known->capacity : 64;
	struct known *entries;

	if (known->count < known->capacity)
		return true;
	entries = realloc(known->entries, capacity * sizeof(*entries));
	if (!entries)
		return false;
	known->entries = entries;
	known->capacity = capacity;
	return true;
}

void known_stacks_add(struct known_stacks *known, const uint32_t *addrs, uint32_t count,
		      uint32_t stack_id)
{
	struct known *entry;

	if (known->count == KNOWN_STACKS_MAX)
		known_stacks_forget(known);
	if (!reserve(known) ||
	    idtable_add(&known->index, hash_of(addrs, count), known->count + 1) < 0)
		return;
	entry = &known->entries[known->count++];
	entry->stack_id = stack_id;
	entry->count = count;
	memcpy(entry->addrs, addrs, count * sizeof(*addrs));
}

void known_stacks_forget(struct known_stacks *known)
{
	idtable_release(&known->index);
	known->count = 0;
}
