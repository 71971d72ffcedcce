// SPDX-License-Identifier: GPL-2.0-only
#include "record/idmap.h"

#include <errno.h>
#include <stdlib.h>

struct entry {
	uint32_t key; /* 0 = empty */
	uint32_t value;
};

/* Open addressing; at most half of the 2^n slots are taken, so every search ends. */
struct idmap {
	struct entry *slots;
	uint32_t mask;
	uint32_t count;
};

static struct entry *find(const struct idmap *map, uint32_t key)
{
	uint32_t i = (key * 0x9e3779b1u) & map->mask;

	while (map->slots[i].key && map->slots[i].key != key)
		i = (i + 1) & map->mask;
	return &map->slots[i];
}

struct idmap *idmap_new(void)
{
	struct idmap *map = calloc(1, sizeof(*map));

	if (!map)
		return NULL;
	map->mask = 63;
	map->slots = calloc(map->mask + 1, sizeof(*map->slots));
	if (!map->slots) {
		free(map);
		return NULL;
	}
	return map;
}

void idmap_free(struct idmap *map)
{
	if (!map)
		return;
	free(map->slots);
	free(map);
}

static int grow(struct idmap *map)
{
	struct idmap larger = { .mask = map->mask * 2 + 1, .count = map->count };
	uint32_t i;

	if (larger.mask == UINT32_MAX)
		return -ENOMEM;
	larger.slots = calloc(larger.mask + 1, sizeof(*larger.slots));
	if (!larger.slots)
		return -ENOMEM;
	for (i = 0; i <= map->mask; i++)
		if (map->slots[i].key)
			*find(&larger, map->slots[i].key) = map->slots[i];
	free(map->slots);
	*map = larger;
	return 0;
}

int idmap_set(struct idmap *map, uint32_t key, uint32_t value)
{
	struct entry *entry;

	if (map->count > map->mask / 2 && grow(map) < 0)
		return -ENOMEM;
	entry = find(map, key);
	if (entry->key)
		return entry->value == value ? 0 : -EEXIST;
	entry->key = key;
	entry->value = value;
	map->count++;
	return 0;
}

bool idmap_get(const struct idmap *map, uint32_t key, uint32_t *value)
{
	const struct entry *entry = find(map, key);

	if (!key || !entry->key)
		return false;
	*value = entry->value;
	return true;
}
