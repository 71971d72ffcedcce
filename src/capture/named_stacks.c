/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/named_stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 256u /* power of two */

/* Open addressing; name 0 is an empty place. */
struct named_stacks {
	struct named_stack *table; /* at most half full */
	uint32_t size;             /* 0, or a power of two */
	uint32_t count;
};

struct named_stacks *named_stacks_new(void)
{
	return calloc(1, sizeof(struct named_stacks));
}

void named_stacks_free(struct named_stacks *named)
{
	if (!named)
		return;
	free(named->table);
	free(named);
}

/* The place of name: its own, or the empty one that it would have. */
static struct named_stack *place_of(struct named_stack *table, uint32_t size, uint64_t name)
{
	uint32_t at = (uint32_t)(name ^ name >> 32) & (size - 1);

	while (table[at].name && table[at].name != name)
		at = (at + 1) & (size - 1);
	return &table[at];
}

static int grow(struct named_stacks *named)
{
	uint32_t size = named->size ? 2 * named->size : FIRST_SIZE;
	struct named_stack *table;

	if (named->count < named->size / 2)
		return 0;
	table = calloc(size, sizeof(*table));
	if (!table)
		return -ENOMEM;
	for (uint32_t i = 0; i < named->size; i++) {
		if (named->table[i].name)
			*place_of(table, size, named->table[i].name) = named->table[i];
	}
	free(named->table);
	named->table = table;
	named->size = size;
	return 0;
}

struct named_stack *named_stacks_find(const struct named_stacks *named, uint64_t name)
{
	struct named_stack *place = named->size ? place_of(named->table, named->size, name) : NULL;

	return place && place->name ? place : NULL;
}

struct named_stack *named_stacks_give(struct named_stacks *named, uint64_t name,
				      const uint32_t *addrs, uint32_t count)
{
	struct named_stack *place = named_stacks_find(named, name);

	if (!place) {
		if (grow(named) < 0)
			return NULL;
		place = place_of(named->table, named->size, name);
		named->count++;
	}
	place->name = name;
	place->count = count;
	place->stack_id = 0;
	memcpy(place->addrs, addrs, count * sizeof(*addrs));
	return place;
}
