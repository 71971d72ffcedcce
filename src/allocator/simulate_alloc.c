/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Allocations: predicted, explained, and served in every space. An allocation is reported after it
 * was served; where its address is not the one predicted, what was reported later may have come
 * before.
 */
#include <errno.h>

#include "allocator/simulate_internal.h"

/* How many things are played before an allocation at most, to explain its address. */
#define MAX_RIVALS 16

/* A chunk, and not one of the plain areas that go with it (pcpu_mem_zalloc): pcpu_get_vm_areas has
 * no range to be told. */
bool simulate_is_chunk(const struct event *event)
{
	return event->kind == KIND_PERCPU && !event->vstart && !event->vend;
}

/* What the event asked for; what it does not tell is taken from what it got. */
struct simulation_request simulate_request(const struct simulate *simulate,
					   const struct event *event)
{
	uint32_t size = event->type == EV_ALLOC ? event->end - event->start : event->size;
	uint32_t align = event->align && !(event->align & (event->align - 1)) ? event->align : 1;

	return (struct simulation_request){
		.place = { .size = (size + VMT_PAGE_SIZE - 1) & ~(VMT_PAGE_SIZE - 1),
			   .align = align,
			   .vstart = event->vstart ? event->vstart : simulate->options.start,
			   .vend = event->vend ? event->vend : simulate->options.end,
			   .top_down = simulate_is_chunk(event) },
		.key = event->start,
		.t_ns = event->t_ns,
		.pid = event->pid,
		.comm_id = event->comm_id,
		.stack_id = event->stack_id,
		.kind = event->kind,
	};
}

bool simulate_range_ok(const struct simulate *simulate, const struct event *event)
{
	return event->start >= simulate->options.start && event->end <= simulate->options.end &&
	       event->start < event->end && event->start % VMT_PAGE_SIZE == 0 &&
	       event->end % VMT_PAGE_SIZE == 0;
}

/* The late report of an area that the last snapshot lists already: space has the same rule. */
static bool confirms_snapshot(const struct simulate *simulate, const struct event *event)
{
	const struct area *area = space_area_at(simulate->space, event->start);

	return area && area->state == AREA_USED && (area->flags & AREA_F_SEEDED) &&
	       area->start == event->start && area->end == event->end &&
	       ahead_begin_ns(event) <= simulate->snapshot_end_ns;
}

/* Used areas in the way: they must have been freed, and that was lost. */
int simulate_release_overlapped(struct simulate *simulate, const struct event *event)
{
	int err = 0;

	for (uint32_t addr = event->start; addr < event->end && !err; addr += VMT_PAGE_SIZE) {
		const struct area *area = space_area_at(simulate->space, addr);

		if (!area)
			continue;
		addr = area->end - VMT_PAGE_SIZE;
		if (area->state != AREA_USED ||
		    !simulation_held_bytes(simulate->truth, area->start))
			continue;
		simulate->recorded.lost_frees++;
		err = simulation_release(simulate->truth, area->start, event->t_ns);
		if (!err)
			err = simulate_release_all(simulate, area->start, event->t_ns);
	}
	return err;
}

static int serve(struct simulate *simulate, const struct event *event,
		 const struct simulation_request *request)
{
	struct simulate_recorded *recorded = &simulate->recorded;
	uint32_t here, there, difference;
	int err = simulate_alloc_all(simulate, request);

	if (!err)
		err = simulation_follow(simulate->truth, request);
	space_apply(simulate->space, event);
	here = simulation_result(simulate->list[0])->largest_bytes;
	there = simulation_result(simulate->truth)->largest_bytes;
	difference = here > there ? here - there : there - here;
	recorded->curve_points++;
	recorded->curve_sum_bytes += difference;
	if (difference > recorded->curve_max_bytes)
		recorded->curve_max_bytes = difference;
	if (event->t_ns > simulate->alloc_end_ns)
		simulate->alloc_end_ns = event->t_ns;
	return err;
}

/* True if the rival got the place: its own was predicted, or it is aligned, so that a place may
 * differ, and the range is free. */
static bool is_served_first(const struct simulate *simulate, const struct event *rival,
			    const struct simulation_request *request)
{
	if (!simulate_range_ok(simulate, rival) || confirms_snapshot(simulate, rival))
		return false;
	return simulation_predict(simulate->truth, request) == rival->start ||
	       (rival->align > VMT_PAGE_SIZE &&
		simulation_is_free(simulate->truth, rival->start, rival->end));
}

/* Plays an allocation that took the place predicted for `event`. */
static int play_rival(struct simulate *simulate, const struct event *event, uint32_t predicted,
		      uint32_t size, bool *played)
{
	struct simulate_recorded *recorded = &simulate->recorded;
	struct simulation_request request;
	uint32_t index = 0;
	struct event *rival, event_of_rival;

	*played = false;
	while ((rival = ahead_rival(&simulate->ahead, event, predicted, predicted + size,
				    &index))) {
		request = simulate_request(simulate, rival);
		if (!is_served_first(simulate, rival, &request))
			continue;
		event_of_rival = *rival;
		rival->type = EV_NONE;
		recorded->allocs++;
		recorded->reordered++;
		if (simulation_predict(simulate->truth, &request) == event_of_rival.start)
			recorded->exact++;
		else
			recorded->missed[SIMULATE_ALIGNED]++;
		*played = true;
		return serve(simulate, &event_of_rival, &request);
	}
	return 0;
}

/* The event uses what was lazy: then a purge that has not ended yet has got that far. */
static int play_purge_part(struct simulate *simulate, const struct event *event, bool *played)
{
	const struct event *purge = ahead_purge(&simulate->ahead, event->t_ns);
	uint32_t part, of;
	int err;

	*played = false;
	if (!purge)
		return 0;
	part = simulation_purge_reached(simulate->truth, purge->begin_ns, event->start, event->end,
					&of);
	if (!part)
		return 0;
	if (simulate->recorded.rules.order == PURGE_DESCENDING)
		part = of; /* reclaim_list_global: all under one hold of the lock */
	*played = true;
	err = simulation_purge_part(simulate->truth, purge->begin_ns, part, of);
	for (uint32_t i = 0; i < simulate->count && !err; i++)
		err = simulation_purge_part(simulate->list[i], purge->begin_ns, part, of);
	return err;
}

/* The kernel passed over the lowest place that fits, and nobody else took it: then an area there
 * is not free yet, if it was freed so shortly before the purge that this can have missed it. */
static int play_missed_purge(struct simulate *simulate, const struct event *event,
			     const struct simulation_request *request, uint32_t predicted,
			     bool *played)
{
	uint32_t key = 0;
	int err;

	if (predicted && predicted < event->start && request->place.align <= VMT_PAGE_SIZE &&
	    ahead_begin_ns(event) > simulate->purge_end_ns &&
	    !ahead_purge(&simulate->ahead, event->t_ns))
		key = simulation_late(simulate->truth, predicted, predicted + request->place.size);
	*played = key;
	if (!key)
		return 0;
	simulate->recorded.missed_purge++;
	err = simulation_unpurge(simulate->truth, key);
	for (uint32_t i = 0; i < simulate->count && !err; i++)
		err = simulation_unpurge(simulate->list[i], key);
	return err;
}

/* Plays what must have happened before the event, though it was reported later or not at all, until
 * its address is the one predicted. *played: how many. */
static int play_earlier(struct simulate *simulate, const struct event *event,
			const struct simulation_request *request, uint32_t *played)
{
	for (*played = 0; *played < MAX_RIVALS; ++*played) {
		uint32_t predicted = simulation_predict(simulate->truth, request);
		bool found;
		int err;

		if (predicted == event->start)
			return 0;
		if (simulation_is_lazy(simulate->truth, event->start, event->end))
			err = play_purge_part(simulate, event, &found);
		else
			err = play_rival(simulate, event, predicted, request->place.size, &found);
		if (!err && !found)
			err = play_missed_purge(simulate, event, request, predicted, &found);
		if (err || !found)
			return err;
	}
	return 0;
}

static enum simulate_cause cause_of_miss(struct simulate *simulate, const struct event *event)
{
	if (!event->size)
		return SIMULATE_NO_ENTRY;
	if (space_uncertain(simulate->space))
		return SIMULATE_LOST;
	if (simulate->purge_end_ns >= ahead_begin_ns(event) ||
	    ahead_purge(&simulate->ahead, event->t_ns))
		return SIMULATE_PURGING;
	if (event->align > VMT_PAGE_SIZE)
		return SIMULATE_ALIGNED;
	if (simulate->alloc_end_ns >= ahead_begin_ns(event) ||
	    ahead_alloc_at(&simulate->ahead, event->t_ns))
		return SIMULATE_RACED;
	return SIMULATE_OTHER;
}

int simulate_alloc(struct simulate *simulate, const struct event *event)
{
	struct simulation_request request = simulate_request(simulate, event);
	struct simulate_recorded *recorded = &simulate->recorded;
	uint32_t played = 0;
	int err;

	if (!simulate_range_ok(simulate, event))
		return 0;
	if (confirms_snapshot(simulate, event)) {
		space_apply(simulate->space, event);
		return 0;
	}
	err = simulate_release_overlapped(simulate, event);
	if (!err)
		err = play_earlier(simulate, event, &request, &played);
	if (err)
		return err;
	recorded->allocs++;
	if (simulation_predict(simulate->truth, &request) != event->start)
		recorded->missed[cause_of_miss(simulate, event)]++;
	else if (played)
		recorded->exact_reordered++;
	else
		recorded->exact++;
	return serve(simulate, event, &request);
}
