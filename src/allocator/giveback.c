/* SPDX-License-Identifier: GPL-2.0-only */
#include "allocator/giveback.h"

#include <errno.h>
#include <stdlib.h>

/* A task can lose the CPU for this long between the begin of a free and its place in the list. */
#define LATE_NS 50000000u

struct lazies {
	const struct area **list;
	uint32_t count;
	uint32_t room;
};

static int add(struct lazies *lazies, const struct area *area)
{
	if (lazies->count == lazies->room) {
		uint32_t room = lazies->room * 2 + 64;
		const struct area **list = realloc(lazies->list, room * sizeof(*list));

		if (!list)
			return -ENOMEM;
		lazies->list = list;
		lazies->room = room;
	}
	lazies->list[lazies->count++] = area;
	return 0;
}

/* In address order. */
static int collect(const struct space *space, struct lazies *lazies)
{
	const struct area *area = space_first(space, space_start(space));
	int err = 0;

	for (; area && !err; area = space_first(space, area->end)) {
		if (area->state == AREA_LAZY)
			err = add(lazies, area);
	}
	return err;
}

static int newest_first(const void *a, const void *b)
{
	const struct area *left = *(const struct area *const *)a;
	const struct area *right = *(const struct area *const *)b;

	return left->free_ns > right->free_ns ? -1 : left->free_ns < right->free_ns;
}

/* A task's own frees follow each other; one that a kworker does for it does not. */
static bool may_have_passed(const struct area *newer, const struct area *older)
{
	if (newer->free_ns - older->free_ns >= LATE_NS)
		return false;
	return newer->freer_pid != older->freer_pid || newer->free_ns == older->free_ns ||
	       ((newer->flags | older->flags) & AREA_F_DEFERRED);
}

/* Sorted: is that the order of the kernel's list? */
static bool order_is_known(const struct lazies *lazies)
{
	for (uint32_t i = 0; i < lazies->count; i++) {
		const struct area *area = lazies->list[i];
		const struct area *older = i + 1 < lazies->count ? lazies->list[i + 1] : NULL;

		if ((area->flags & AREA_F_UNSEEN) || !area->free_ns)
			return false;
		if (older && may_have_passed(area, older))
			return false;
	}
	return true;
}

/* Neighbours at once: where neither touches a free range, that is one insertion instead of two. */
static int give_merged(struct freetree *tree, const struct lazies *lazies)
{
	int err = 0;

	for (uint32_t i = 0, last; i < lazies->count && !err; i = last + 1) {
		for (last = i; last + 1 < lazies->count; last++) {
			if (lazies->list[last]->end != lazies->list[last + 1]->start)
				break;
		}
		err = freetree_give(tree, lazies->list[i]->start, lazies->list[last]->end);
	}
	return err;
}

static int give(struct freetree *tree, const struct lazies *lazies, bool backwards)
{
	int err = 0;

	for (uint32_t i = 0; i < lazies->count && !err; i++) {
		uint32_t at = backwards ? lazies->count - 1 - i : i;

		err = freetree_give(tree, lazies->list[at]->start, lazies->list[at]->end);
	}
	return err;
}

int giveback_lazy(struct freetree *tree, const struct space *space, enum purge_order order)
{
	struct lazies lazies = { 0 };
	int err = collect(space, &lazies);

	if (!err && order == PURGE_NEWEST_FIRST && lazies.count) {
		qsort(lazies.list, lazies.count, sizeof(*lazies.list), newest_first);
		err = order_is_known(&lazies) ? 0 : -EAGAIN;
	}
	if (!err && order == PURGE_ASCENDING)
		err = give_merged(tree, &lazies);
	else if (!err)
		err = give(tree, &lazies, order == PURGE_DESCENDING);
	free(lazies.list);
	return err;
}
