/* SPDX-License-Identifier: GPL-2.0-only */
#include "allocator/blockers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "space/owners.h"

static int by_bytes(const void *a, const void *b)
{
	const struct blocker *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return x->area->start < y->area->start ? -1 : x->area->start > y->area->start;
}

static int by_name(const void *a, const void *b)
{
	const struct blocker *x = a, *y = b;

	if (x->name_id != y->name_id)
		return x->name_id < y->name_id ? -1 : 1;
	return by_bytes(a, b);
}

static int by_group_bytes(const void *a, const void *b)
{
	const struct blocker_group *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return x->example->start < y->example->start ? -1 : x->example->start > y->example->start;
}

static uint32_t overlap(const struct area *area, const struct window *window)
{
	uint32_t start = area->start > window->start ? area->start : window->start;
	uint32_t end = area->end < window->end ? area->end : window->end;

	return end - start;
}

static void fill_list(const struct space *space, struct names *names, const struct stacks *stacks,
		      const struct window *window, struct blockers *blockers)
{
	const struct area *area = NULL;

	while (blockers->count < window->areas &&
	       (area = window_next_area(space, window, area)) != NULL)
		blockers->list[blockers->count++] = (struct blocker){
			.area = area,
			.name_id = owners_caller_of(area, names, stacks),
			.bytes = area->end - area->start,
			.inside_bytes = overlap(area, window),
		};
}

static struct blocker_group *new_group(struct blockers *blockers, const struct blocker *first)
{
	struct blocker_group *group = &blockers->groups[blockers->nr_groups++];

	*group = (struct blocker_group){
		.name_id = first->name_id,
		.pid = first->area->pid,
		.comm_id = first->area->comm_id,
		.kind = (enum area_kind)first->area->kind,
		.example = first->area,
		.oldest = first->area,
	};
	return group;
}

static void add_to_group(struct blocker_group *group, const struct blocker *blocker)
{
	const struct area *area = blocker->area;

	group->areas++;
	group->own_areas += (area->flags & AREA_F_OWN) != 0;
	group->bytes += blocker->bytes;
	if (area->birth_ns < group->oldest->birth_ns)
		group->oldest = area;
	if (area->kind != group->kind)
		group->kind = KIND_UNKNOWN;
	if (area->pid != group->pid || area->comm_id != group->comm_id) {
		group->pid = 0;
		group->comm_id = 0;
	}
}

/* The list is sorted by name here, the largest of a name first. */
static void fill_groups(struct blockers *blockers)
{
	struct blocker_group *group = NULL;

	for (uint32_t i = 0; i < blockers->count; i++) {
		const struct blocker *blocker = &blockers->list[i];

		if (!group || blocker->name_id != group->name_id)
			group = new_group(blockers, blocker);
		add_to_group(group, blocker);
	}
}

int blockers_collect(const struct space *space, struct names *names, const struct stacks *stacks,
		     const struct window *window, struct blockers *blockers)
{
	memset(blockers, 0, sizeof(*blockers));
	blockers->list = calloc((size_t)window->areas + 1, sizeof(*blockers->list));
	blockers->groups = calloc((size_t)window->areas + 1, sizeof(*blockers->groups));
	if (!blockers->list || !blockers->groups) {
		blockers_release(blockers);
		return -ENOMEM;
	}
	fill_list(space, names, stacks, window, blockers);
	qsort(blockers->list, blockers->count, sizeof(*blockers->list), by_name);
	fill_groups(blockers);
	qsort(blockers->list, blockers->count, sizeof(*blockers->list), by_bytes);
	qsort(blockers->groups, blockers->nr_groups, sizeof(*blockers->groups), by_group_bytes);
	return 0;
}

void blockers_release(struct blockers *blockers)
{
	free(blockers->list);
	free(blockers->groups);
	memset(blockers, 0, sizeof(*blockers));
}
