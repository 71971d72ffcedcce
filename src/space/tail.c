// SPDX-License-Identifier: GPL-2.0-only
#include "space/tail.h"

#include <stdlib.h>

struct tail {
	uint32_t capacity;
	uint32_t count;
	uint32_t next;       /* where the next entry goes */
	uint32_t lazy_bytes; /* of the space, after the event before */
	uint64_t total;
	uint64_t dropped_ns; /* time of the newest entry that has left the ring, 0 = none has */
	/* tail_history's, by how far back an entry is */
	uint32_t *waiting; /* FREEs that no purge has given back yet */
	bool *touched;
	struct tail_entry entries[];
};

struct tail *tail_new(uint32_t capacity)
{
	struct tail *tail;

	if (!capacity || capacity > TAIL_MAX)
		return NULL;
	tail = calloc(1, sizeof(*tail) + (size_t)capacity * sizeof(tail->entries[0]));
	if (!tail)
		return NULL;
	tail->capacity = capacity;
	tail->waiting = malloc((size_t)capacity * sizeof(*tail->waiting));
	tail->touched = malloc((size_t)capacity * sizeof(*tail->touched));
	if (tail->waiting && tail->touched)
		return tail;
	tail_free(tail);
	return NULL;
}

void tail_free(struct tail *tail)
{
	if (!tail)
		return;
	free(tail->waiting);
	free(tail->touched);
	free(tail);
}

static bool is_news(const struct event *event, uint32_t purged_bytes)
{
	switch (event->type) {
	case EV_ALLOC:
	case EV_FREE:
	case EV_FAIL:
	case EV_VFREE:
	case EV_LOST:
	case EV_SNAPSHOT_END:
		return true;
	case EV_PURGE:
		return purged_bytes != 0;
	default:
		return false;
	}
}

static bool has_area(const struct event *event)
{
	return event->type == EV_ALLOC || event->type == EV_FREE || event->type == EV_VFREE;
}

/* An event that could not be true has left no area, or one that it is not about. */
static bool is_about(const struct event *event, const struct area *area)
{
	if (event->type == EV_VFREE)
		return true;
	return area->start == event->start && area->end == event->end;
}

const struct tail_entry *tail_add(struct tail *tail, const struct space *space,
				  const struct event *event)
{
	uint32_t lazy_bytes = space_totals(space).lazy_bytes;
	uint32_t purged_bytes = tail->lazy_bytes > lazy_bytes ? tail->lazy_bytes - lazy_bytes : 0;
	struct tail_entry *entry = &tail->entries[tail->next];
	const struct area *area;

	tail->lazy_bytes = lazy_bytes;
	if (!is_news(event, purged_bytes))
		return NULL;
	if (tail->count == tail->capacity)
		tail->dropped_ns = entry->event.t_ns;
	else
		tail->count++;
	*entry = (struct tail_entry){ .event = *event, .number = ++tail->total };
	if (event->type == EV_PURGE)
		entry->event.size = purged_bytes;
	area = has_area(event) ? space_area_at(space, event->start) : NULL;
	if (area && is_about(event, area))
		entry->area = *area;
	tail->next = (tail->next + 1) % tail->capacity;
	return entry;
}

uint32_t tail_count(const struct tail *tail)
{
	return tail->count;
}

uint64_t tail_total(const struct tail *tail)
{
	return tail->total;
}

const struct tail_entry *tail_at(const struct tail *tail, uint32_t back)
{
	uint64_t index = (uint64_t)tail->next + tail->capacity - 1 - back;

	return back < tail->count ? &tail->entries[index % tail->capacity] : NULL;
}

const struct tail_entry *tail_find(const struct tail *tail, uint64_t number)
{
	if (!number || number > tail->total || tail->total - number >= tail->count)
		return NULL;
	return tail_at(tail, (uint32_t)(tail->total - number));
}

/* ---- history -----------------------------------------------------------------------------------
 */

static bool overlaps(const struct event *event, uint32_t start, uint32_t end)
{
	return event->start < end && event->end > start;
}

/* Takes the FREEs that this purge gave back off the list of those that wait for one. True if any.
 */
static bool take_purge(struct tail *tail, uint32_t *waiting, const struct event *purge)
{
	uint32_t kept = 0, before = *waiting;

	for (uint32_t i = 0; i < before; i++) {
		if (tail_at(tail, tail->waiting[i])->event.t_ns >= purge->begin_ns)
			tail->waiting[kept++] = tail->waiting[i];
	}
	*waiting = kept;
	return kept < before;
}

/* What lies under a new area was given back, whether that was seen or not. */
static void take_alloc(struct tail *tail, uint32_t *waiting, const struct event *alloc)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < *waiting; i++) {
		if (!overlaps(&tail_at(tail, tail->waiting[i])->event, alloc->start, alloc->end))
			tail->waiting[kept++] = tail->waiting[i];
	}
	*waiting = kept;
}

static bool touches(struct tail *tail, uint32_t back, uint32_t *waiting, uint32_t start,
		    uint32_t end)
{
	const struct event *event = &tail_at(tail, back)->event;

	switch (event->type) {
	case EV_ALLOC:
		take_alloc(tail, waiting, event);
		return overlaps(event, start, end);
	case EV_FREE:
		if (!overlaps(event, start, end))
			return false;
		tail->waiting[(*waiting)++] = back;
		return true;
	case EV_VFREE:
		return event->start >= start && event->start < end;
	case EV_PURGE:
		return take_purge(tail, waiting, event);
	default:
		return false;
	}
}

struct tail_history tail_history(struct tail *tail, uint32_t start, uint32_t end,
				 const struct tail_entry **list, uint32_t room)
{
	struct tail_history history = { .since_ns = tail->dropped_ns };
	uint32_t waiting = 0;

	/* From the oldest on, since a purge is told by what was freed before it. */
	for (uint32_t back = tail->count; back-- > 0;)
		tail->touched[back] = touches(tail, back, &waiting, start, end);
	for (uint32_t back = 0; back < tail->count; back++) {
		const struct tail_entry *entry = tail_at(tail, back);

		if (entry->event.type == EV_LOST && lost_cause_hurts_map(entry->event.state))
			history.gap = true;
		if (!tail->touched[back])
			continue;
		if (history.count < room)
			list[history.count++] = entry;
		else
			history.more = true;
	}
	return history;
}
