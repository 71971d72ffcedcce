/* SPDX-License-Identifier: GPL-2.0-only */
#include "allocator/holders.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "space/idtable.h"
#include "space/owners.h"

/* All that the group of an area depends on. */
struct origin {
	uint32_t stack_id;
	uint32_t caller_id;
	uint32_t kind;
	uint32_t own;
};

struct known_origin {
	struct origin origin;
	uint32_t group;
};

struct holders {
	struct names *names;
	const struct stacks *stacks;
	struct known_origin *origins;
	uint32_t nr_origins;
	uint32_t origin_capacity;
	struct idtable origin_index; /* ids: position in origins + 1 */
	struct holder *groups;
	uint32_t nr_groups;
	uint32_t group_capacity;
	struct idtable group_index; /* ids: position in groups + 1 */
};

struct holders *holders_new(struct names *names, const struct stacks *stacks)
{
	struct holders *holders = calloc(1, sizeof(*holders));

	if (!holders)
		return NULL;
	holders->names = names;
	holders->stacks = stacks;
	return holders;
}

void holders_free(struct holders *holders)
{
	if (!holders)
		return;
	idtable_release(&holders->origin_index);
	idtable_release(&holders->group_index);
	free(holders->origins);
	free(holders->groups);
	free(holders);
}

/* Room for one more of size bytes; the list, perhaps moved, or NULL. */
static void *make_room(void *list, uint32_t count, uint32_t *capacity, size_t size)
{
	uint32_t wanted = *capacity ? *capacity * 2 : 64;
	void *grown;

	if (count < *capacity)
		return list;
	grown = realloc(list, (size_t)wanted * size);
	if (grown)
		*capacity = wanted;
	return grown;
}

/* The group of this label, module, kind and own, made if need be. */
static int group_get(struct holders *holders, const struct holder *wanted)
{
	uint32_t key[4] = { wanted->label_id, wanted->module_id, wanted->kind, wanted->own };
	uint32_t hash = idtable_hash(key, sizeof(key));
	struct holder *groups;
	uint32_t pos;

	for (uint32_t id = idtable_first(&holders->group_index, hash, &pos); id;
	     id = idtable_next(&holders->group_index, hash, &pos)) {
		const struct holder *group = &holders->groups[id - 1];

		if (group->label_id == key[0] && group->module_id == key[1] &&
		    group->kind == key[2] && group->own == wanted->own)
			return (int)id - 1;
	}
	groups = make_room(holders->groups, holders->nr_groups, &holders->group_capacity,
			   sizeof(*groups));
	if (!groups)
		return -ENOMEM;
	holders->groups = groups;
	if (idtable_add(&holders->group_index, hash, holders->nr_groups + 1))
		return -ENOMEM;
	groups[holders->nr_groups] = *wanted;
	return (int)holders->nr_groups++;
}

/* Works out the group of an area whose like has not been seen yet. */
static int group_of_origin(struct holders *holders, const struct area *area,
			   const struct origin *origin, uint32_t hash)
{
	struct holder key = {
		.label_id = owners_caller_of(area, holders->names, holders->stacks),
		.module_id = owners_label(area, holders->names, holders->stacks, OWNERS_BY_MODULE),
		.kind = area->kind,
		.own = origin->own,
	};
	struct known_origin *origins = make_room(holders->origins, holders->nr_origins,
						 &holders->origin_capacity, sizeof(*origins));
	int group;

	if (!origins)
		return -ENOMEM;
	holders->origins = origins;
	group = group_get(holders, &key);
	if (group < 0 || idtable_add(&holders->origin_index, hash, holders->nr_origins + 1))
		return -ENOMEM;
	origins[holders->nr_origins++] = (struct known_origin){ *origin, (uint32_t)group };
	return group;
}

int holders_group_of(struct holders *holders, const struct area *area)
{
	struct origin origin = {
		.stack_id = area_stack(area),
		.caller_id = area_caller(area),
		.kind = area->kind,
		.own = (area->flags & AREA_F_OWN) != 0,
	};
	uint32_t hash = idtable_hash(&origin, sizeof(origin));
	uint32_t pos;

	for (uint32_t id = idtable_first(&holders->origin_index, hash, &pos); id;
	     id = idtable_next(&holders->origin_index, hash, &pos)) {
		const struct known_origin *known = &holders->origins[id - 1];

		if (!memcmp(&known->origin, &origin, sizeof(origin)))
			return (int)known->group;
	}
	return group_of_origin(holders, area, &origin, hash);
}

const struct holder *holders_group(const struct holders *holders, uint32_t group)
{
	return &holders->groups[group];
}

uint32_t holders_groups(const struct holders *holders)
{
	return holders->nr_groups;
}

void holders_clear(struct holders *holders)
{
	for (uint32_t i = 0; i < holders->nr_groups; i++) {
		holders->groups[i].areas = 0;
		holders->groups[i].bytes = 0;
	}
}

int holders_add(struct holders *holders, const struct area *area)
{
	int number = holders_group_of(holders, area);
	struct holder *group;

	if (number < 0)
		return number;
	group = &holders->groups[number];
	if (!group->areas || area->birth_ns < group->oldest_birth_ns) {
		group->oldest_birth_ns = area->birth_ns;
		group->seeded = area->flags & AREA_F_SEEDED;
	}
	group->areas++;
	group->bytes += area->end - area->start;
	return 0;
}

/* Ties never fall to ids, which differ between live and a recording of it. */
static bool comes_before(const struct names *names, const struct holder *a, const struct holder *b)
{
	int order;

	if (a->bytes != b->bytes)
		return a->bytes > b->bytes;
	if (a->areas != b->areas)
		return a->areas > b->areas;
	order = strcmp(names_text(names, a->label_id), names_text(names, b->label_id));
	if (!order)
		order = strcmp(names_text(names, a->module_id), names_text(names, b->module_id));
	if (order)
		return order < 0;
	return a->kind != b->kind ? a->kind < b->kind : a->own < b->own;
}

static void add_rest(struct holder *rest, const struct holder *group, uint32_t *rest_groups)
{
	rest->areas += group->areas;
	rest->bytes += group->bytes;
	(*rest_groups)++;
}

uint32_t holders_largest(const struct holders *holders, struct holder *list, uint32_t max,
			 struct holder *rest, uint32_t *rest_groups)
{
	uint32_t count = 0;

	*rest = (struct holder){ 0 };
	*rest_groups = 0;
	for (uint32_t i = 0; i < holders->nr_groups; i++) {
		const struct holder *group = &holders->groups[i];
		uint32_t at = count;

		if (!group->areas)
			continue;
		while (at > 0 && comes_before(holders->names, group, &list[at - 1]))
			at--;
		if (at == max) {
			add_rest(rest, group, rest_groups);
			continue;
		}
		if (count == max)
			add_rest(rest, &list[--count], rest_groups);
		memmove(&list[at + 1], &list[at], (count - at) * sizeof(*list));
		list[at] = *group;
		count++;
	}
	return count;
}
