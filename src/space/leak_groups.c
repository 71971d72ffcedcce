// SPDX-License-Identifier: GPL-2.0-only
/* The groups of struct leaks, found by an area. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "space/leaks_internal.h"

static int reserve_group(struct leaks *leaks)
{
	uint32_t room = leaks->room ? leaks->room * 2 : 64;
	struct leak_group **groups;

	if (leaks->nr_groups < leaks->room)
		return 0;
	groups = realloc(leaks->groups, (size_t)room * sizeof(*groups));
	if (!groups)
		return -ENOMEM;
	leaks->groups = groups;
	leaks->room = room;
	return 0;
}

static int make_group(struct leaks *leaks, const struct area *area, uint32_t hash,
		      const uint32_t key[2], uint32_t *index)
{
	struct leak_group *group;

	if (leaks->nr_groups == LEAKS_MAX_GROUPS)
		return 0;
	group = reserve_group(leaks) ? NULL : calloc(1, sizeof(*group));
	if (!group)
		return -ENOMEM;
	if (idtable_add(&leaks->index, hash, leaks->nr_groups + 1)) {
		free(group);
		return -ENOMEM;
	}
	group->name_id = key[0];
	group->stack_id = key[1];
	group->example = area_stack(area);
	group->kind = area->kind;
	group->owner_id = owners_caller_of(area, leaks->names, leaks->stacks);
	group->module_id = leak_modules_label(leaks->modules, area);
	*index = leaks->nr_groups;
	leaks->groups[leaks->nr_groups++] = group;
	return 0;
}

static int find_group(struct leaks *leaks, const struct area *area, uint32_t *index)
{
	uint32_t key[2] = {
		owners_label(area, leaks->names, leaks->stacks, leaks->options.by),
		leaks->options.by == OWNERS_BY_STACK ? area_stack(area) : 0,
	};
	uint32_t hash = idtable_hash(key, sizeof(key)), pos, id;

	for (id = idtable_first(&leaks->index, hash, &pos); id;
	     id = idtable_next(&leaks->index, hash, &pos)) {
		const struct leak_group *group = leaks->groups[id - 1];

		if (group->name_id == key[0] && group->stack_id == key[1]) {
			*index = id - 1;
			return 0;
		}
	}
	return make_group(leaks, area, hash, key, index);
}

static int reserve_stack(struct leaks *leaks, uint32_t stack_id)
{
	uint32_t count = leaks->nr_by_stack;
	uint32_t *by_stack;

	if (stack_id < count)
		return 0;
	count = stack_id < UINT32_MAX / 2 ? stack_id * 2 + 64 : UINT32_MAX;
	by_stack = realloc(leaks->by_stack, (size_t)count * sizeof(*by_stack));
	if (!by_stack)
		return -ENOMEM;
	memset(by_stack + leaks->nr_by_stack, 0,
	       (size_t)(count - leaks->nr_by_stack) * sizeof(*by_stack));
	leaks->by_stack = by_stack;
	leaks->nr_by_stack = count;
	return 0;
}

int leaks_group_of(struct leaks *leaks, const struct area *area, uint32_t *group)
{
	bool cached = area_stack(area) && area_stack(area) <= stacks_count(leaks->stacks) &&
		      leaks->options.by != OWNERS_BY_KIND && leaks->options.by != OWNERS_BY_COMM;
	int err;

	*group = NO_GROUP;
	if (cached && reserve_stack(leaks, area_stack(area)))
		return -ENOMEM;
	if (cached && leaks->by_stack[area_stack(area)]) {
		*group = leaks->by_stack[area_stack(area)] - 1;
		return 0;
	}
	err = find_group(leaks, area, group);
	if (!err && cached && *group != NO_GROUP)
		leaks->by_stack[area_stack(area)] = *group + 1;
	return err;
}
