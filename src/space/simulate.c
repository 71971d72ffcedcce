/* SPDX-License-Identifier: GPL-2.0-only */
#include "space/simulate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "space/simulate_internal.h"

/* How many allocations are put before one at most, to explain its address. */
#define MAX_RIVALS 16

struct allocator_rules simulate_rules(const char *release)
{
	struct allocator_rules rules = { .order = PURGE_ASCENDING };
	unsigned int major, minor, version;

	if (sscanf(release, "%u.%u", &major, &minor) != 2)
		return rules;
	version = major * 1000 + minor;
	if (version < 5011)
		rules.order = PURGE_NEWEST_FIRST;
	else if (version >= 6009)
		rules.order = PURGE_DESCENDING;
	rules.adjust_pages = version < 5016;
	rules.next_fit = version < 5002;
	return rules;
}

static struct simulation *new_simulation(const struct simulate *simulate, uint32_t bytes,
					 uint32_t cpus, bool each_failure)
{
	struct simulation_options options = {
		.recorded_start = simulate->options.start,
		.recorded_end = simulate->options.end,
		.bytes = bytes,
		.cpus = cpus,
		.each_failure = each_failure,
		.rules = simulate->recorded.rules,
	};

	return simulation_new(&options);
}

struct simulate *simulate_new(const struct simulate_options *options)
{
	struct simulate *simulate = calloc(1, sizeof(*simulate));
	uint32_t bytes = options->end - options->start;

	if (!simulate)
		return NULL;
	simulate->options = *options;
	simulate->options.kernel = NULL; /* not ours to keep */
	simulate->recorded.rules = simulate_rules(options->kernel);
	if (options->exact_pages)
		simulate->recorded.rules.adjust_pages = false;
	simulate->space = space_new(options->start, options->end);
	simulate->truth = new_simulation(simulate, bytes, options->cpus, false);
	if (simulate->space && simulate->truth && simulate_add(simulate, bytes, 0, false) == 0)
		return simulate;
	simulate_free(simulate);
	return NULL;
}

void simulate_free(struct simulate *simulate)
{
	if (!simulate)
		return;
	for (uint32_t i = 0; i < simulate->count; i++)
		simulation_free(simulate->list[i]);
	simulation_free(simulate->truth);
	space_free(simulate->space);
	free(simulate);
}

int simulate_add(struct simulate *simulate, uint32_t bytes, uint32_t cpus, bool each_failure)
{
	struct simulation *sim;

	if (!bytes || bytes % VMT_PAGE_SIZE || bytes >= simulate->options.end)
		return -EINVAL;
	if (simulate->count == SIMULATE_MAX)
		return -ENOSPC;
	sim = new_simulation(simulate, bytes, cpus ? cpus : simulate->options.cpus, each_failure);
	if (!sim)
		return bytes > simulate->options.end - (16u << 20) ? -EINVAL : -ENOMEM;
	simulate->list[simulate->count] = sim;
	return (int)simulate->count++;
}

/* ---- for all simulations
 * -------------------------------------------------------------------------- */

static int tick(struct simulate *simulate, uint64_t t_ns)
{
	bool over = simulation_over_threshold(simulate->truth);
	int err = 0;

	for (uint32_t i = 0; i < simulate->count && !err; i++) {
		struct simulation *sim = simulate->list[i];
		bool same = simulation_result(sim)->options.cpus == simulate->options.cpus;

		err = simulation_tick(sim, t_ns, over && same);
	}
	return err;
}

int simulate_release_all(struct simulate *simulate, uint32_t key, uint64_t t_ns)
{
	int err = 0;

	for (uint32_t i = 0; i < simulate->count && !err; i++)
		err = simulation_release(simulate->list[i], key, t_ns);
	return err;
}

static int alloc_all(struct simulate *simulate, const struct simulation_request *request)
{
	int err = 0;

	for (uint32_t i = 0; i < simulate->count && !err; i++)
		err = simulation_alloc(simulate->list[i], request);
	return err;
}

/* ---- requests
 * -------------------------------------------------------------------------------------- */

/* A chunk, and not one of the plain areas that go with it (pcpu_mem_zalloc): pcpu_get_vm_areas has
 * no range to be told. */
static bool is_percpu_chunk(const struct event *event)
{
	return event->kind == KIND_PERCPU && !event->vstart && !event->vend;
}

/* What the event asked for; what it does not tell is taken from what it got. */
static struct simulation_request request_of(const struct simulate *simulate,
					    const struct event *event)
{
	uint32_t size = event->type == EV_ALLOC ? event->end - event->start : event->size;
	uint32_t align = event->align && !(event->align & (event->align - 1)) ? event->align : 1;

	return (struct simulation_request){
		.place = { .size = (size + VMT_PAGE_SIZE - 1) & ~(VMT_PAGE_SIZE - 1),
			   .align = align,
			   .vstart = event->vstart ? event->vstart : simulate->options.start,
			   .vend = event->vend ? event->vend : simulate->options.end,
			   .top_down = is_percpu_chunk(event) },
		.key = event->start,
		.t_ns = event->t_ns,
		.pid = event->pid,
		.comm_id = event->comm_id,
		.stack_id = event->stack_id,
		.kind = event->kind,
	};
}

static bool range_ok(const struct simulate *simulate, const struct event *event)
{
	return event->start >= simulate->options.start && event->end <= simulate->options.end &&
	       event->start < event->end && event->start % VMT_PAGE_SIZE == 0 &&
	       event->end % VMT_PAGE_SIZE == 0;
}

/* alloc_vmap_area fails with EBUSY where nothing fits; pcpu_get_vm_areas, which has no error code,
 * is reported with ENOMEM. Any other failure is not about addresses. */
static bool wants_addresses(const struct event *event)
{
	return event->size &&
	       (event->err == -EBUSY || (event->err == -ENOMEM && is_percpu_chunk(event)));
}

/* ---- purges
 * ------------------------------------------------------------------------------------------ */

static int apply_purge(struct simulate *simulate, const struct event *event)
{
	struct simulate_recorded *recorded = &simulate->recorded;
	enum simulation_purge kind = SIMULATION_PURGE_OTHER;
	bool wanted = ahead_wanted_by_alloc(&simulate->ahead, event);
	int err = 0;

	if (!(event->flags & EV_F_HAS_BEGIN) || event->begin_ns > event->t_ns)
		return 0;
	if (wanted) {
		recorded->purges_overflow++;
	} else if (simulation_over_threshold(simulate->truth)) {
		kind = SIMULATION_PURGE_THRESHOLD;
		recorded->purges_threshold++;
	} else {
		recorded->purges_other++;
	}
	for (uint32_t i = 0; i < simulate->count && !wanted && !err; i++) {
		struct simulation *sim = simulate->list[i];

		if (kind == SIMULATION_PURGE_THRESHOLD &&
		    simulation_result(sim)->options.cpus != simulate->options.cpus)
			continue; /* this one passes its threshold at another time */
		err = simulation_purge(sim, kind, event->begin_ns, event->t_ns);
	}
	if (!err)
		err = simulation_purge(simulate->truth, SIMULATION_PURGE_OTHER, event->begin_ns,
				       event->t_ns);
	if (event->t_ns > simulate->purge_end_ns)
		simulate->purge_end_ns = event->t_ns;
	return err;
}

/* ---- allocations
 * ------------------------------------------------------------------------------------- */

/* The late report of an area that the last snapshot lists already: space has the same rule. */
static bool confirms_snapshot(const struct simulate *simulate, const struct event *event)
{
	const struct area *area = space_area_at(simulate->space, event->start);

	return area && area->state == AREA_USED && (area->flags & AREA_F_SEEDED) &&
	       area->start == event->start && area->end == event->end &&
	       ahead_begin_ns(event) <= simulate->snapshot_end_ns;
}

/* Used areas in the way: they must have been freed, and that was lost. */
static int release_overlapped(struct simulate *simulate, const struct event *event)
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
	int err = alloc_all(simulate, request);

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

/* Plays an allocation that took the place predicted for `event`, if its own place was predicted.
 * True if there was one. */
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
		request = request_of(simulate, rival);
		if (!range_ok(simulate, rival) || confirms_snapshot(simulate, rival) ||
		    simulation_predict(simulate->truth, &request) != rival->start)
			continue;
		event_of_rival = *rival;
		rival->type = EV_NONE;
		recorded->allocs++;
		recorded->exact++;
		recorded->reordered++;
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
	*played = true;
	err = simulation_purge_part(simulate->truth, purge->begin_ns, part, of);
	for (uint32_t i = 0; i < simulate->count && !err; i++)
		err = simulation_purge_part(simulate->list[i], purge->begin_ns, part, of);
	return err;
}

/* Plays what must have happened before the event, though it was reported later, until its address
 * is the one predicted. *played: how many. */
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

static int apply_alloc(struct simulate *simulate, const struct event *event)
{
	struct simulation_request request = request_of(simulate, event);
	struct simulate_recorded *recorded = &simulate->recorded;
	uint32_t played = 0;
	int err;

	if (!range_ok(simulate, event))
		return 0;
	if (confirms_snapshot(simulate, event)) {
		space_apply(simulate->space, event);
		return 0;
	}
	err = release_overlapped(simulate, event);
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

static int apply_fail(struct simulate *simulate, const struct event *event)
{
	struct simulation_request request = request_of(simulate, event);

	space_apply(simulate->space, event);
	if (!wants_addresses(event)) {
		simulate->recorded.fails_pages++;
		return 0;
	}
	request.key = 0;
	simulate->recorded.fails++;
	if (!simulation_predict_purged(simulate->truth, &request))
		simulate->recorded.fails_predicted++;
	return alloc_all(simulate, &request);
}

/* A free of what is not known shows that its allocation was lost: the simulations have nothing to
 * free; the recorded space learns of it. */
static int apply_free(struct simulate *simulate, const struct event *event)
{
	struct simulation_request request = request_of(simulate, event);
	int err = 0;

	if (!range_ok(simulate, event))
		return 0;
	request.place.size = event->end - event->start;
	if (simulation_held_bytes(simulate->truth, event->start) != request.place.size) {
		simulate->recorded.lost_allocs++;
		err = release_overlapped(simulate, event);
		if (!err)
			err = simulation_follow(simulate->truth, &request);
	}
	space_apply(simulate->space, event);
	if (!err)
		err = simulate_release_all(simulate, event->start, event->t_ns);
	if (!err)
		err = simulation_release(simulate->truth, event->start, event->t_ns);
	return err;
}

/* ---- the stream
 * ---------------------------------------------------------------------------------------- */

static int play(struct simulate *simulate, const struct event *event)
{
	int err = event->type == EV_LOST ? 0 : tick(simulate, event->t_ns);

	if (err)
		return err;
	switch (event->type) {
	case EV_ALLOC:
		return apply_alloc(simulate, event);
	case EV_FAIL:
		return apply_fail(simulate, event);
	case EV_FREE:
		return apply_free(simulate, event);
	case EV_PURGE:
		space_apply(simulate->space, event);
		return apply_purge(simulate, event);
	case EV_LOST:
		if (lost_cause_hurts_map(event->state))
			simulate->recorded.lost += event->count;
		break;
	case EV_SNAPSHOT_END:
		if (space_apply(simulate->space, event) < 0)
			return 0;
		simulate->snapshot_end_ns = event->t_ns;
		return simulate_reconcile(simulate, event->t_ns);
	}
	space_apply(simulate->space, event);
	return 0;
}

/* Before the first snapshot nothing is known of what lies where: only space listens. */
static int take(struct simulate *simulate, const struct event *event)
{
	if (event->t_ns > simulate->recorded.end_ns)
		simulate->recorded.end_ns = event->t_ns;
	if (simulate->seeded)
		return play(simulate, event);
	if (space_apply(simulate->space, event) < 0 || event->type != EV_SNAPSHOT_END)
		return 0;
	simulate->snapshot_end_ns = event->t_ns;
	simulate->seeded = true;
	simulate->recorded.begin_ns = event->t_ns;
	return simulate_seed(simulate, event->t_ns);
}

static int take_first(struct simulate *simulate)
{
	struct event event = ahead_pop(&simulate->ahead);

	return event.type == EV_NONE ? 0 : take(simulate, &event);
}

int simulate_apply(struct simulate *simulate, const struct event *event)
{
	int err = 0;

	if (event->type == EV_STACK || event->type == EV_VFREE)
		return 0;
	while (!err && ahead_due(&simulate->ahead))
		err = take_first(simulate);
	if (!err)
		ahead_push(&simulate->ahead, event);
	return err;
}

int simulate_finish(struct simulate *simulate)
{
	int err = 0;

	while (!err && simulate->ahead.count)
		err = take_first(simulate);
	return err;
}

bool simulate_played(const struct simulate *simulate)
{
	return simulate->seeded;
}

uint32_t simulate_count(const struct simulate *simulate)
{
	return simulate->count;
}

const struct simulation_result *simulate_result(const struct simulate *simulate, uint32_t number)
{
	return simulation_result(simulate->list[number]);
}

const struct simulation_result *simulate_truth(const struct simulate *simulate)
{
	return simulation_result(simulate->truth);
}

const struct simulate_recorded *simulate_recorded(const struct simulate *simulate)
{
	return &simulate->recorded;
}
