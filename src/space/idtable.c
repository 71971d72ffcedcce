// SPDX-License-Identifier: GPL-2.0-only
#include "space/idtable.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_SIZE 256u
#define MAX_SIZE   (1u << 28)

void idtable_release(struct idtable *table)
{
	free(table->slots);
	*table = (struct idtable){ 0 };
}

static uint32_t scan(const struct idtable *table, uint32_t hash, uint32_t *pos)
{
	uint32_t mask = table->size - 1;
	uint32_t i;

	/* Ends: at least a quarter of the slots is empty. */
	for (i = *pos & mask; table->slots[i].id; i = (i + 1) & mask) {
		if (table->slots[i].hash == hash) {
			*pos = i;
			return table->slots[i].id;
		}
	}
	return 0;
}

uint32_t idtable_first(const struct idtable *table, uint32_t hash, uint32_t *pos)
{
	*pos = hash;
	return table->size ? scan(table, hash, pos) : 0;
}

uint32_t idtable_next(const struct idtable *table, uint32_t hash, uint32_t *pos)
{
	*pos += 1;
	return scan(table, hash, pos);
}

static void place(struct idtable_slot *slots, uint32_t size, struct idtable_slot slot)
{
	uint32_t i = slot.hash & (size - 1);

	while (slots[i].id)
		i = (i + 1) & (size - 1);
	slots[i] = slot;
}

static int grow(struct idtable *table)
{
	uint32_t size = table->size ? table->size * 2 : FIRST_SIZE;
	struct idtable_slot *slots;
	uint32_t i;

	if (size > MAX_SIZE)
		return -ENOMEM;
	slots = calloc(size, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (i = 0; i < table->size; i++) {
		if (table->slots[i].id)
			place(slots, size, table->slots[i]);
	}
	free(table->slots);
	table->slots = slots;
	table->size = size;
	return 0;
}

int idtable_add(struct idtable *table, uint32_t hash, uint32_t id)
{
	if (table->used >= table->size / 4 * 3) {
		int err = grow(table);

		if (err)
			return err;
	}
	place(table->slots, table->size, (struct idtable_slot){ .hash = hash, .id = id });
	table->used++;
	return 0;
}

/* FNV-1a, then mixed: the slots are chosen by the low bits, which FNV spreads badly. */
uint32_t idtable_hash(const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	uint32_t hash = 2166136261u;
	size_t i;

	for (i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 16777619u;
	hash ^= hash >> 16;
	hash *= 0x85ebca6bu;
	hash ^= hash >> 13;
	return hash;
}
