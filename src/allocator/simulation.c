/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "allocator/simulation_internal.h"

#define LOWEST_START (16u << 20)

static bool options_ok(const struct simulation_options *options)
{
	return options->recorded_start < options->recorded_end && options->bytes &&
	       options->recorded_start % VMT_PAGE_SIZE == 0 &&
	       options->recorded_end % VMT_PAGE_SIZE == 0 && options->bytes % VMT_PAGE_SIZE == 0 &&
	       options->recorded_end > LOWEST_START &&
	       options->bytes <= options->recorded_end - LOWEST_START;
}

struct simulation *simulation_new(const struct simulation_options *options)
{
	struct simulation *sim;
	uint32_t pages;

	if (!options_ok(options))
		return NULL;
	sim = calloc(1, sizeof(*sim));
	if (!sim)
		return NULL;
	sim->options = sim->result.options = *options;
	sim->end = sim->result.end = options->recorded_end;
	sim->start = sim->result.start = options->recorded_end - options->bytes;
	sim->lazy_max_bytes = simulation_lazy_max_bytes(options->cpus);
	pages = (options->recorded_end - options->recorded_start) / VMT_PAGE_SIZE;
	sim->held = calloc(pages, sizeof(*sim->held));
	sim->now = freetree_new(options->rules.adjust_pages);
	sim->purged = freetree_new(options->rules.adjust_pages);
	sim->served = requesters_new();
	if (sim->held && sim->now && sim->purged && sim->served)
		return sim;
	simulation_free(sim);
	return NULL;
}

void simulation_free(struct simulation *sim)
{
	if (!sim)
		return;
	freetree_free(sim->now);
	freetree_free(sim->purged);
	requesters_free(sim->served);
	free(sim->held);
	free(sim->lazy);
	free(sim->purging);
	free(sim);
}

const struct simulation_result *simulation_result(const struct simulation *sim)
{
	return &sim->result;
}

static struct held *held_of(const struct simulation *sim, uint32_t key)
{
	const struct simulation_options *options = &sim->options;

	if (key < options->recorded_start || key >= options->recorded_end)
		return NULL;
	return &sim->held[(key - options->recorded_start) / VMT_PAGE_SIZE];
}

uint32_t simulation_held_bytes(const struct simulation *sim, uint32_t key)
{
	const struct held *held = held_of(sim, key);

	return held ? held->end - held->start : 0;
}

/* ---- what it comes to -------------------------------------------------------------------- */

void simulation_measure(struct simulation *sim, uint64_t t_ns)
{
	struct simulation_result *result = &sim->result;

	result->largest_bytes = freetree_largest(sim->now, sim->start, sim->end);
	result->largest_purged_bytes = freetree_largest(sim->purged, sim->start, sim->end);
	if (result->largest_bytes < result->min_largest_bytes)
		result->min_largest_bytes = result->largest_bytes;
	if (result->largest_purged_bytes < result->min_largest_purged_bytes) {
		result->min_largest_purged_bytes = result->largest_purged_bytes;
		result->min_largest_t_ns = t_ns;
	}
	if (result->used_bytes > result->max_used_bytes)
		result->max_used_bytes = result->used_bytes;
	if (result->lazy_bytes > result->max_lazy_bytes)
		result->max_lazy_bytes = result->lazy_bytes;
}

void simulation_seeded(struct simulation *sim, uint64_t t_ns)
{
	sim->result.min_largest_bytes = sim->result.min_largest_purged_bytes = UINT32_MAX;
	simulation_measure(sim, t_ns);
}

bool simulation_is_free(const struct simulation *sim, uint32_t start, uint32_t end)
{
	return freetree_has(sim->now, start, end);
}

/* ---- areas
 * --------------------------------------------------------------------------------------- */

/* Takes the range, which is free, for the key (0: none). */
static int hold(struct simulation *sim, uint32_t key, uint32_t start, uint32_t bytes)
{
	struct held *held = held_of(sim, key);
	int err = freetree_take(sim->now, start, start + bytes);

	if (!err)
		err = freetree_take(sim->purged, start, start + bytes);
	if (err)
		return err;
	if (held)
		*held = (struct held){ start, start + bytes };
	sim->result.used_bytes += bytes;
	return 0;
}

int simulation_release(struct simulation *sim, uint32_t key, uint64_t t_ns)
{
	struct held *held = held_of(sim, key), area;
	int err;

	if (!held || !held->start) {
		sim->result.unknown_frees++;
		return 0;
	}
	area = *held;
	*held = (struct held){ 0, 0 };
	err = simulation_add_lazy(sim, &area, key, t_ns);
	if (err)
		return err;
	sim->result.used_bytes -= area.end - area.start;
	if (!sim->over_ns && simulation_over_threshold(sim))
		sim->over_ns = t_ns;
	simulation_measure(sim, t_ns);
	return 0;
}

/* A bound of the recorded search range in this space: the ends are this space's ends, and what
 * lies between keeps its distance from the start (modules begin some pages above it: KASLR). */
static uint32_t move_bound(const struct simulation *sim, uint32_t addr)
{
	const struct simulation_options *options = &sim->options;

	if (addr <= options->recorded_start)
		return sim->start;
	if (addr >= options->recorded_end || addr - options->recorded_start > sim->end - sim->start)
		return sim->end;
	return sim->start + (addr - options->recorded_start);
}

static struct place_request request_here(const struct simulation *sim,
					 const struct place_request *recorded)
{
	struct place_request request = *recorded;

	request.vstart = move_bound(sim, recorded->vstart);
	request.vend = move_bound(sim, recorded->vend);
	return request;
}

uint32_t simulation_predict(const struct simulation *sim, const struct simulation_request *request)
{
	struct place_request here = request_here(sim, &request->place);

	return freetree_place(sim->now, &here);
}

uint32_t simulation_predict_purged(const struct simulation *sim,
				   const struct simulation_request *request)
{
	struct place_request here = request_here(sim, &request->place);

	return freetree_place(sim->purged, &here);
}

/* The address, after a purge if it takes one; 0 = nowhere. */
static int find_place(struct simulation *sim, const struct simulation_request *request,
		      uint32_t *start)
{
	uint32_t count;
	int err;

	*start = simulation_predict(sim, request);
	if (*start)
		return 0;
	err = simulation_purge_before(sim, UINT64_MAX, &count);
	sim->result.purges_overflow++;
	*start = err ? 0 : simulation_predict(sim, request);
	return err;
}

static void note_failure(struct simulation *sim, const struct simulation_request *request)
{
	if (request->key)
		sim->result.fails_new++;
	else
		sim->result.fails_stay++;
	if (sim->result.first.t_ns)
		return;
	sim->result.first = (struct simulation_failure){
		.t_ns = request->t_ns,
		.size = request->place.size,
		.align = request->place.align,
		.pid = request->pid,
		.comm_id = request->comm_id,
		.stack_id = request->stack_id,
		.kind = request->kind,
		.recorded = !request->key,
	};
}

/* What failed in the recording and got an area here, has it to the end: nobody knows for how long
 * it would have been held. */
static int keep_served(struct simulation *sim, const struct simulation_request *request,
		       uint32_t start)
{
	sim->result.fails_gone++;
	sim->result.held_bytes += request->place.size;
	if (sim->options.each_failure)
		return 0;
	return requesters_set(sim->served, request, start);
}

/* The requester has already what it asks for again: since it did not fail here. A success takes
 * that over. */
static bool is_retry(struct simulation *sim, const struct simulation_request *request)
{
	uint32_t start = requesters_get(sim->served, request);
	struct held *held = held_of(sim, request->key);

	if (!start)
		return false;
	if (!held) {
		sim->result.fails_gone++;
		sim->result.retries++;
		return true;
	}
	*held = (struct held){ start, start + request->place.size };
	sim->result.held_bytes -= request->place.size;
	return requesters_set(sim->served, request, 0) == 0;
}

int simulation_alloc(struct simulation *sim, const struct simulation_request *request)
{
	uint32_t start;
	int err = 0;

	sim->result.requests++;
	if (simulation_held_bytes(sim, request->key))
		err = simulation_release(sim, request->key, request->t_ns); /* its free was lost */
	if (err || is_retry(sim, request))
		return err;
	err = find_place(sim, request, &start);
	if (err)
		return err;
	if (!start) {
		note_failure(sim, request);
		simulation_measure(sim, request->t_ns);
		return 0;
	}
	err = hold(sim, request->key, start, request->place.size);
	if (!err && !request->key)
		err = keep_served(sim, request, start);
	sim->result.same_address += start == request->key;
	simulation_measure(sim, request->t_ns);
	return err;
}

int simulation_follow(struct simulation *sim, const struct simulation_request *request)
{
	uint32_t start = request->key, end = start + request->place.size;
	int err = 0;

	sim->result.requests++;
	if (!freetree_has(sim->now, start, end))
		err = simulation_free_lazy(sim, start, end);
	if (!err)
		err = hold(sim, start, start, request->place.size);
	simulation_measure(sim, request->t_ns);
	return err == -EINVAL ? 0 : err;
}

/* ---- seed
 * ---------------------------------------------------------------------------------------- */

bool simulation_is_chunk(const struct area *area)
{
	return area->kind == KIND_PERCPU && !area->guard_pages;
}

/* Where the area from before the recording lies here; false if that is outside. */
static bool seed_place(const struct simulation *sim, const struct area *area, uint32_t *start)
{
	const struct simulation_options *options = &sim->options;
	uint32_t bytes = area->end - area->start;

	if (simulation_is_chunk(area))
		*start = area->start;
	else if (area->end - options->recorded_start > sim->end - sim->start)
		return false;
	else
		*start = sim->start + (area->start - options->recorded_start);
	return *start >= sim->start && *start + bytes <= sim->end;
}

int simulation_seed(struct simulation *sim, const struct area *area, bool *placed)
{
	uint32_t start, bytes = area->end - area->start;
	int err;

	*placed = false;
	if (!held_of(sim, area->start) || !seed_place(sim, area, &start) ||
	    !freetree_has(sim->now, start, start + bytes))
		return 0;
	*placed = true;
	err = hold(sim, area->start, start, bytes);
	if (err || area->state == AREA_USED)
		return err;
	return simulation_release(sim, area->start, area->free_ns);
}

int simulation_seed_anew(struct simulation *sim, const struct simulation_request *request)
{
	uint32_t start;
	int err = find_place(sim, request, &start);

	if (err)
		return err;
	sim->result.seeds_moved++;
	if (start)
		return hold(sim, request->key, start, request->place.size);
	sim->result.seeds_failed++;
	return 0;
}

void simulation_forget(struct simulation *sim)
{
	uint32_t pages = (sim->options.recorded_end - sim->options.recorded_start) / VMT_PAGE_SIZE;

	freetree_clear(sim->now);
	freetree_clear(sim->purged);
	memset(sim->held, 0, pages * sizeof(*sim->held));
	sim->nr_lazy = sim->nr_late = 0;
	sim->over_ns = 0;
	sim->result.used_bytes = sim->result.lazy_bytes = 0;
}
