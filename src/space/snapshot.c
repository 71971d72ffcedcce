/* SPDX-License-Identifier: GPL-2.0-only */
/* Snapshots: how the kernel's own list is merged into the model (space.h tells the rule). */
#include <errno.h>
#include <string.h>

#include "space/space_internal.h"

int snapshot_begin(struct space *space, const struct event *event)
{
	struct snapshot_state *snapshot = &space->snapshot;

	snapshot->active = true;
	snapshot->doubtful = false;
	snapshot->since_ns = event->begin_ns > SPACE_SNAPSHOT_SLACK_NS
				     ? event->begin_ns - SPACE_SNAPSHOT_SLACK_NS
				     : 0;
	memset(snapshot->lazy_page, 0, space->table.nr_pages);
	for (uint32_t slot = 0; slot < space->table.nr_slots; slot++)
		space->table.slots[slot].flags &= (uint8_t)~AREA_F_LISTED;
	return 0;
}

static void repaired(struct space *space)
{
	if (space->snapshot.seeded)
		space->counters.repaired++;
}

/* Free here and lazy there, or the reverse, needs no missed event: see lazy_settled in space.h. */
static void lazy_settled(struct space *space)
{
	if (space->snapshot.seeded)
		space->counters.lazy_settled++;
}

/* What the kernel's list does not tell, and that of another model does (record/model.h): the task
 * is who allocated a used area, or freed a lazy one. */
static void add_history(struct space *space, struct area *area, const struct event *event)
{
	bool known = event->flags & EV_F_KNOWN;

	area->origin = area_origin(event->stack_id, event->caller_id);
	area->requested = event->requested;
	area->align_log = area_align_log(event->align);
	if (event->flags & EV_F_STACK_CUT)
		area->flags |= AREA_F_STACK_CUT;
	space_learn_module_start(space, event);
	if (event->state == AREA_LAZY) {
		area->freer_pid = event->pid;
		area->freer_comm = event->comm_id;
		if (known)
			area->flags &= (uint8_t)~AREA_F_UNSEEN;
		return;
	}
	area->pid = event->pid;
	area->comm_id = event->comm_id;
	if (known) {
		area->birth_ns = event->begin_ns;
		area->flags &= (uint8_t)~AREA_F_SEEDED;
	}
}

static int add_seeded(struct space *space, const struct event *event, uint32_t start, uint32_t end)
{
	struct area area = {
		.start = start,
		.end = end,
		.birth_ns = event->t_ns,
		.nr_pages = event->nr_pages,
		.state = event->state,
		.kind = event->kind < KIND_COUNT ? event->kind : KIND_UNKNOWN,
		.guard_pages = event->guard_pages,
		.flags = AREA_F_SEEDED | AREA_F_LISTED |
			 (event->flags & EV_F_OWN ? AREA_F_OWN : 0),
	};

	if (event->state == AREA_LAZY) {
		area.free_ns = event->begin_ns ? event->begin_ns : event->t_ns;
		area.flags |= AREA_F_UNSEEN;
	}
	add_history(space, &area, event);
	return table_add(&space->table, &area) == TABLE_NONE ? -ENOMEM : 0;
}

/* The list knows what events did not tell: kind, caller and page count of an area seen only by
 * its events without a stack. */
static void enrich(struct area *area, const struct event *event)
{
	if (!area->origin)
		area->origin = area_origin(0, event->caller_id);
	if (area->kind == KIND_UNKNOWN && event->kind < KIND_COUNT)
		area->kind = event->kind;
	if (!area->nr_pages)
		area->nr_pages = event->nr_pages;
}

/* Takes an area out of the way of a used line; what sticks out of a lazy one stays lazy. */
static int cut_out(struct space *space, uint32_t slot, const struct event *event)
{
	struct area rest = space->table.slots[slot];
	uint32_t end = rest.end;

	table_remove(&space->table, slot);
	if (rest.state != AREA_LAZY)
		return 0;
	rest.guard_pages = 0;
	rest.flags &= (uint8_t)~AREA_F_LISTED;
	if (rest.start < event->start) {
		rest.end = event->start;
		if (table_add(&space->table, &rest) == TABLE_NONE)
			return -ENOMEM;
	}
	if (end > event->end) {
		rest.start = event->end;
		rest.end = end;
		if (table_add(&space->table, &rest) == TABLE_NONE)
			return -ENOMEM;
	}
	return 0;
}

/* An event has told of it since the list was begun. */
static bool touched(const struct space *space, uint32_t start, uint32_t end)
{
	return table_touched_since(&space->table, start, end, space->snapshot.since_ns,
				   space->counters.last_t_ns);
}

static int snapshot_used(struct space *space, const struct event *event)
{
	struct table *table = &space->table;
	uint32_t page = table_page(table, event->start), last = table_page(table, event->end);
	uint32_t slot = table_slot_at(table, page);

	if (slot != TABLE_NONE) {
		struct area *area = &table->slots[slot];

		if (area->state == AREA_USED && area->start == event->start &&
		    area->end == event->end) {
			area->flags |= AREA_F_LISTED;
			enrich(area, event);
			/* Without a stack or a requested size the guard was a guess. */
			if (!area_stack(area) && !area->requested)
				table_set_guard(table, slot, event->guard_pages);
			return 0;
		}
	}
	if (touched(space, event->start, event->end))
		return 0;
	for (; page < last; page++) {
		slot = table_slot_at(table, page);
		if (slot != TABLE_NONE && cut_out(space, slot, event) < 0)
			return -ENOMEM;
	}
	repaired(space);
	return add_seeded(space, event, event->start, event->end);
}

/* A page of a lazy line that the model may take over: no event has spoken since. */
static bool lazy_page_is_news(const struct space *space, uint32_t page)
{
	return !table_page_touched_since(&space->table, page, space->snapshot.since_ns,
					 space->counters.last_t_ns) &&
	       table_state(&space->table, page) != PAGE_LAZY;
}

/*
 * A line that was read before a purge ended: what the model has not as lazy was freed by it, or is
 * lazy and its FREE was lost. While nothing was lost it is the first.
 */
static void doubt_lazy(struct space *space, uint32_t page, uint32_t last)
{
	for (; page < last && space->uncertain && space->snapshot.seeded; page++)
		space->snapshot.doubtful |= lazy_page_is_news(space, page);
}

/* Lazy lines are merged neighbours on 6.1 and 6.5, so they are taken page by page: what the model
 * already has as lazy stays as it is, every other untouched run becomes a lazy area. */
static int snapshot_lazy(struct space *space, const struct event *event)
{
	struct table *table = &space->table;
	uint32_t page = table_page(table, event->start), last = table_page(table, event->end);

	memset(space->snapshot.lazy_page + page, 1, last - page);
	if (event->begin_ns && event->begin_ns <= space->purged_ns) {
		doubt_lazy(space, page, last);
		return 0;
	}
	while (page < last) {
		uint32_t first = page;
		bool was_used = false;
		int err;

		while (page < last && lazy_page_is_news(space, page)) {
			uint32_t slot = table_slot_at(table, page);

			if (slot != TABLE_NONE) {
				was_used = true;
				repaired(space); /* a lazy slot is no news */
				table_remove(table, slot);
			}
			page++;
		}
		if (page == first) {
			page++;
			continue;
		}
		if (!was_used)
			lazy_settled(space);
		err = add_seeded(space, event, table_addr(table, first), table_addr(table, page));
		if (err < 0)
			return err;
	}
	return 0;
}

int snapshot_area(struct space *space, const struct event *event)
{
	if (!space->snapshot.active || !table_range_ok(&space->table, event->start, event->end) ||
	    event->guard_pages >= (event->end - event->start) / VMT_PAGE_SIZE)
		return -EINVAL;
	if (event->state == AREA_USED)
		return snapshot_used(space, event);
	if (event->state == AREA_LAZY)
		return snapshot_lazy(space, event);
	return -EINVAL;
}

/* Gives up the pages of a lazy area that the list no longer has; its listed runs stay lazy. */
static int trim_lazy(struct space *space, uint32_t slot)
{
	struct table *table = &space->table;
	const uint8_t *listed = space->snapshot.lazy_page;
	struct area area = table->slots[slot];
	uint32_t page = table_page(table, area.start), last = table_page(table, area.end);
	bool gone = false;

	for (uint32_t p = page; p < last; p++)
		gone |= !listed[p];
	area.flags &= (uint8_t)~AREA_F_MAYBE_FREE; /* what is listed is lazy */
	table->slots[slot].flags = area.flags;
	if (!gone)
		return 0;
	lazy_settled(space);
	table_remove(table, slot);
	while (page < last) {
		uint32_t first = page;
		struct area rest = area;

		while (page < last && listed[page])
			page++;
		if (page == first) {
			page++;
			continue;
		}
		rest.start = table_addr(table, first);
		rest.end = table_addr(table, page);
		rest.guard_pages = 0;
		rest.flags |= AREA_F_LISTED;
		if (table_add(table, &rest) == TABLE_NONE)
			return -ENOMEM;
	}
	return 0;
}

/* Removes what the list does not have and no event has touched since its reading began. */
static int drop_unlisted(struct space *space)
{
	struct table *table = &space->table;

	for (uint32_t slot = 0; slot < table->nr_slots; slot++) {
		struct area *area = &table->slots[slot];
		int err;

		if (!area->state || area->flags & AREA_F_LISTED ||
		    touched(space, area->start, area->end))
			continue;
		if (area->state == AREA_USED) {
			repaired(space);
			table_remove(table, slot);
			continue;
		}
		err = trim_lazy(space, slot);
		if (err < 0)
			return err;
	}
	return 0;
}

int snapshot_end(struct space *space, const struct event *event)
{
	int err;

	if (!space->snapshot.active)
		return -EINVAL;
	err = drop_unlisted(space);
	space->snapshot.active = false;
	if (err < 0)
		return err;
	table_learn_free(&space->table);
	if (!space->snapshot.seeded)
		space->snapshot.first_ns = event->t_ns;
	space->snapshot.seeded = true;
	space->snapshot.end_ns = event->t_ns;
	space->counters.snapshots++;
	/* A page touched in the tick of since_ns or later kept what the events said: if the loss
	 * may lie behind such a touch, the list has not put it right. */
	if (!space->snapshot.doubtful &&
	    (!space->hurt_ns || space->hurt_ns >> 24 < space->snapshot.since_ns >> 24))
		space->uncertain = false;
	return 0;
}
