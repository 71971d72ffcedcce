/* SPDX-License-Identifier: GPL-2.0-only */
#include "allocator/simulate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "allocator/simulate_internal.h"

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

int simulate_alloc_all(struct simulate *simulate, const struct simulation_request *request)
{
	int err = 0;

	for (uint32_t i = 0; i < simulate->count && !err; i++)
		err = simulation_alloc(simulate->list[i], request);
	return err;
}

/* alloc_vmap_area fails with EBUSY where nothing fits; pcpu_get_vm_areas, which has no error code,
 * is reported with ENOMEM. Any other failure is not about addresses. */
static bool wants_addresses(const struct event *event)
{
	return event->size &&
	       (event->err == -EBUSY || (event->err == -ENOMEM && simulate_is_chunk(event)));
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

/* ---- other events ------------------------------------------------------------------------ */

static int apply_fail(struct simulate *simulate, const struct event *event)
{
	struct simulation_request request = simulate_request(simulate, event);

	space_apply(simulate->space, event);
	if (!wants_addresses(event)) {
		simulate->recorded.fails_pages++;
		return 0;
	}
	request.key = 0;
	simulate->recorded.fails++;
	if (!simulation_predict_purged(simulate->truth, &request))
		simulate->recorded.fails_predicted++;
	return simulate_alloc_all(simulate, &request);
}

/* A free of what is not known shows that its allocation was lost: the simulations have nothing to
 * free; the recorded space learns of it. */
static int apply_free(struct simulate *simulate, const struct event *event)
{
	struct simulation_request request = simulate_request(simulate, event);
	int err = 0;

	if (!simulate_range_ok(simulate, event))
		return 0;
	request.place.size = event->end - event->start;
	if (simulation_held_bytes(simulate->truth, event->start) != request.place.size) {
		simulate->recorded.lost_allocs++;
		err = simulate_release_overlapped(simulate, event);
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
		return simulate_alloc(simulate, event);
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

	if (event->type == EV_STACK || event->type == EV_VFREE || event->type == EV_TIME)
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
