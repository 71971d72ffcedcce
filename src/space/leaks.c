// SPDX-License-Identifier: GPL-2.0-only
#include "space/leaks.h"

#include <errno.h>
#include <stdlib.h>

#include "space/leaks_internal.h"

#define NS_PER_US  1000u
#define UNTIMED_NS 3600000000000ull

struct leaks *leaks_new(struct names *names, const struct stacks *stacks,
			const struct leaks_options *options)
{
	struct leaks *leaks = calloc(1, sizeof(*leaks));

	if (!leaks)
		return NULL;
	leaks->names = names;
	leaks->stacks = stacks;
	leaks->options = *options;
	leaks->own_comm = names_intern_str(names, "vmtrace");
	leaks->modules = leak_modules_new(names, stacks);
	if (leaks->modules)
		return leaks;
	free(leaks);
	return NULL;
}

void leaks_free(struct leaks *leaks)
{
	if (!leaks)
		return;
	for (uint32_t i = 0; i < leaks->nr_groups; i++)
		free(leaks->groups[i]);
	free(leaks->groups);
	free(leaks->by_stack);
	idtable_release(&leaks->index);
	leak_modules_free(leaks->modules);
	free(leaks);
}

bool leaks_is_own(const struct leaks *leaks, const struct area *area)
{
	return area->flags & AREA_F_OWN || (area->comm_id && area->comm_id == leaks->own_comm);
}

bool leaks_counts(const struct leaks *leaks, const struct area *area)
{
	return area->state == AREA_USED && !(area->flags & AREA_F_SEEDED) &&
	       area->birth_ns >= leaks->start_ns && !leaks_is_own(leaks, area);
}

static uint32_t pages_of(const struct area *area)
{
	return (area->end - area->start) / VMT_PAGE_SIZE;
}

/* The counted group of an area, or NULL; *err if memory ran out. */
static struct leak_group *counted_group(struct leaks *leaks, const struct area *area, int *err)
{
	uint32_t index;

	if (!leaks_counts(leaks, area))
		return NULL;
	*err = leaks_group_of(leaks, area, &index);
	return *err || index == NO_GROUP ? NULL : leaks->groups[index];
}

/* ---- an area goes ------------------------------------------------------------------------------
 */

/* When an area of that birth was freed if nobody saw it: its FREE is among the events of the first
 * loss since, whatever shows only now that it is gone. */
static uint64_t unseen_ns(const struct leaks *leaks, uint64_t birth_ns, uint64_t t_ns)
{
	for (uint32_t l = 0; l < leaks->nr_losses; l++) {
		if (leaks->losses[l].t_ns >= birth_ns && leaks->losses[l].t_ns < t_ns)
			return leaks->losses[l].t_ns;
	}
	return t_ns;
}

static int retire(struct leaks *leaks, const struct area *area, uint64_t t_ns, bool seen)
{
	int err = 0;
	struct leak_group *group = counted_group(leaks, area, &err);

	if (!group || !group->live)
		return err;
	group->live--;
	group->live_pages -= pages_of(area);
	group->births_us -= area->birth_ns / NS_PER_US;
	group->freed++;
	group->vanished += !seen;
	if (!seen)
		t_ns = unseen_ns(leaks, area->birth_ns, t_ns);
	leak_ages_add(&group->ages, t_ns > area->birth_ns ? t_ns - area->birth_ns : 0, 1);
	leak_series_put(&group->series, &leaks->clock, group->live_pages, 0);
	return 0;
}

/* The used areas that this range shows to be wrong are gone, and their FREE was missed. */
static int retire_range(struct leaks *leaks, const struct space *space, const struct event *event)
{
	uint32_t at = event->start;
	int err = 0;

	if (at < space_start(space) || event->end > space_end(space))
		return 0;
	while (!err && at < event->end) {
		const struct area *area = space_area_at(space, at);

		if (area && area->state == AREA_USED)
			err = retire(leaks, area, event->t_ns, false);
		at = area ? area->end : at + VMT_PAGE_SIZE;
	}
	return err;
}

static int take_free(struct leaks *leaks, const struct space *space, const struct event *event)
{
	const struct area *area = space_area_at(space, event->start);

	if (!area || area->state != AREA_USED || area->start != event->start ||
	    area->end != event->end)
		return retire_range(leaks, space, event);
	leaks->frees++;
	leak_modules_freed(leaks->modules, area, event);
	return retire(leaks, area, event->t_ns, true);
}

static void take_line(struct leaks *leaks, const struct space *space, const struct event *event)
{
	const struct area *area = space_area_at(space, event->start);

	if (area && event->state == AREA_USED && area->state == AREA_USED &&
	    area->start == event->start && area->end == event->end)
		leak_modules_listed(leaks->modules, area, event);
}

static void begin(struct leaks *leaks, uint64_t t_ns)
{
	leaks->start_ns = t_ns > UINT64_MAX - leaks->options.since_ns
				  ? UINT64_MAX
				  : t_ns + leaks->options.since_ns;
	leaks->clock = leak_clock_new(leaks->start_ns);
	leaks->begin_ns = t_ns;
	leaks->begun = true;
}

static bool is_list(const struct event *event)
{
	return event->type == EV_SNAPSHOT_BEGIN || event->type == EV_AREA ||
	       event->type == EV_SNAPSHOT_END;
}

/* A first list at time 0 in front of events of a clock that has run for long was given no time. */
static void take_time(struct leaks *leaks, const struct event *event)
{
	bool first = !is_list(event) && !leaks->timed;

	if (!leaks->begun || (first && !leaks->begin_ns && event->t_ns > UNTIMED_NS))
		begin(leaks, event->t_ns);
	leaks->timed |= first;
	leak_clock_advance(&leaks->clock, event->t_ns);
}

int leaks_before(struct leaks *leaks, const struct space *space, const struct event *event)
{
	if (event->type == EV_STACK)
		return 0;
	take_time(leaks, event);
	switch (event->type) {
	case EV_ALLOC:
		return retire_range(leaks, space, event);
	case EV_FREE:
		return take_free(leaks, space, event);
	case EV_VFREE:
		leak_modules_vfree(leaks->modules, event);
		return 0;
	case EV_AREA:
		take_line(leaks, space, event);
		return 0;
	default:
		return 0;
	}
}

/* ---- an area comes -----------------------------------------------------------------------------
 */

static int take_alloc(struct leaks *leaks, const struct space *space, const struct event *event)
{
	const struct area *area = space_area_at(space, event->start);
	struct leak_group *group;
	uint32_t module;
	int err = 0;

	/* One that cannot be true was not applied. */
	if (!area || area->state != AREA_USED || area->start != event->start ||
	    area->end != event->end || area->birth_ns != event->t_ns)
		return 0;
	group = counted_group(leaks, area, &err);
	module = group && leaks->options.by == OWNERS_BY_STACK
			 ? group->module_id
			 : leak_modules_label(leaks->modules, area);
	leak_modules_born(leaks->modules, area, module);
	if (!group)
		return err;
	group->live++;
	group->born++;
	group->live_pages += pages_of(area);
	group->births_us += area->birth_ns / NS_PER_US;
	group->example = area_stack(area);
	if (group->kind != area->kind)
		group->kind = KIND_UNKNOWN;
	leak_series_put(&group->series, &leaks->clock, group->live_pages, 1);
	return 0;
}

static void take_loss(struct leaks *leaks, const struct event *event)
{
	struct leak_loss *last = &leaks->losses[LEAKS_LOSSES - 1];

	if (!event->count || !lost_cause_hurts_map(event->state))
		return;
	if (leaks->nr_losses < LEAKS_LOSSES) {
		last = &leaks->losses[leaks->nr_losses++];
		last->count = 0;
	}
	last->t_ns = event->t_ns;
	last->count += event->count;
}

/* ---- a list of the kernel's has been merged ----------------------------------------------------
 */

static int walk_space(struct leaks *leaks, const struct space *space)
{
	const struct area *area;

	for (area = space_first(space, space_start(space)); area;
	     area = space_first(space, area->end)) {
		int err = 0;
		struct leak_group *group = counted_group(leaks, area, &err);

		if (err)
			return err;
		if (!group)
			continue;
		group->walk++;
		group->walk_pages += pages_of(area);
		group->walk_us += area->birth_ns / NS_PER_US;
	}
	return 0;
}

/* What the space has no more went unseen: at the mean age of these, as near as can be told. What
 * it has beside came with its history (a recording that begins in the middle of a stream). */
static void settle(const struct leaks *leaks, struct leak_group *group, uint64_t t_ns)
{
	const struct leak_clock *clock = &leaks->clock;
	uint32_t gone = group->live > group->walk ? group->live - group->walk : 0;
	uint32_t more = group->walk > group->live ? group->walk - group->live : 0;

	if (gone) {
		uint64_t birth_ns = (group->births_us - group->walk_us) / gone * NS_PER_US;

		t_ns = unseen_ns(leaks, birth_ns, t_ns);
		group->freed += gone;
		group->vanished += gone;
		leak_ages_add(&group->ages, t_ns > birth_ns ? t_ns - birth_ns : 0, gone);
	}
	group->born += more;
	group->live = group->walk;
	group->live_pages = group->walk_pages;
	group->births_us = group->walk_us;
	if (gone || more)
		leak_series_put(&group->series, clock, group->live_pages, more);
}

static int take_list(struct leaks *leaks, const struct space *space, uint64_t t_ns)
{
	int err;

	for (uint32_t i = 0; i < leaks->nr_groups; i++) {
		leaks->groups[i]->walk = leaks->groups[i]->walk_pages = 0;
		leaks->groups[i]->walk_us = 0;
	}
	err = walk_space(leaks, space);
	if (err)
		return err;
	for (uint32_t i = 0; i < leaks->nr_groups; i++)
		settle(leaks, leaks->groups[i], t_ns);
	if (!space_uncertain(space))
		leaks->nr_losses = 0;
	return 0;
}

int leaks_after(struct leaks *leaks, const struct space *space, const struct event *event)
{
	switch (event->type) {
	case EV_ALLOC:
		return take_alloc(leaks, space, event);
	case EV_LOST:
		take_loss(leaks, event);
		return 0;
	case EV_SNAPSHOT_END:
		return take_list(leaks, space, event->t_ns);
	default:
		return 0;
	}
}
