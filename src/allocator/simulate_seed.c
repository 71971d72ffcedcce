/* SPDX-License-Identifier: GPL-2.0-only */
/* What snapshots do to simulations: the areas from before, and those of lost events. */
#include "allocator/place.h"
#include "allocator/simulate_internal.h"

/* A request that would have made this area. */
static struct simulation_request request_of_area(const struct simulate *simulate,
						 const struct area *area, uint64_t t_ns)
{
	struct place_range range = { .start = simulate->options.start,
				     .end = simulate->options.end,
				     .pmd_bytes = simulate->options.pmd_bytes };
	struct simulation_request request = {
		.key = area->start,
		.t_ns = t_ns,
		.pid = area->pid,
		.comm_id = area->comm_id,
		.stack_id = area_stack(area),
		.kind = area->kind,
	};
	uint32_t bytes = area->end - area->start;

	if (place_request_of_kind(area->kind, bytes - area->guard_pages * VMT_PAGE_SIZE,
				  area_align(area), &range, &request.place) < 0)
		request.place = (struct place_request){ .align = 1,
							.vstart = range.start,
							.vend = range.end };
	request.place.size = bytes;
	request.place.top_down = simulation_is_chunk(area);
	return request;
}

/* The areas where they were, then those that have no room there. Address order, as good as any:
 * in which order they were made is not known. */
static int seed_one(struct simulate *simulate, struct simulation *sim, uint64_t t_ns)
{
	const struct area *area;
	int err = 0;
	bool placed;

	for (area = space_first(simulate->space, simulate->options.start); area && !err;
	     area = space_first(simulate->space, area->end))
		err = simulation_seed(sim, area, &placed);
	for (area = space_first(simulate->space, simulate->options.start); area && !err;
	     area = space_first(simulate->space, area->end)) {
		struct simulation_request request;

		if (area->state != AREA_USED || simulation_held_bytes(sim, area->start))
			continue;
		request = request_of_area(simulate, area, t_ns);
		err = simulation_seed_anew(sim, &request);
	}
	return err;
}

int simulate_seed(struct simulate *simulate, uint64_t t_ns)
{
	int err = seed_one(simulate, simulate->truth, t_ns);

	simulation_seeded(simulate->truth, t_ns);
	for (uint32_t i = 0; i < simulate->count && !err; i++) {
		err = seed_one(simulate, simulate->list[i], t_ns);
		simulation_seeded(simulate->list[i], t_ns);
	}
	return err;
}

/* Areas that the snapshot does not have any more: lost frees. */
static int release_gone(struct simulate *simulate, uint64_t t_ns, bool *changed)
{
	int err = 0;

	for (uint32_t key = simulate->options.start; key < simulate->options.end && !err;
	     key += VMT_PAGE_SIZE) {
		uint32_t bytes = simulation_held_bytes(simulate->truth, key);
		const struct area *area = bytes ? space_area_at(simulate->space, key) : NULL;

		if (!bytes || (area && area->state == AREA_USED && area->start == key &&
			       area->end - key == bytes))
			continue;
		*changed = true;
		simulate->recorded.lost_frees++;
		err = simulate_release_all(simulate, key, t_ns);
	}
	return err;
}

/* Areas that only the snapshot has: lost allocations, served now. */
static int serve_new(struct simulate *simulate, uint64_t t_ns, bool *changed)
{
	const struct area *area;
	int err = 0;

	for (area = space_first(simulate->space, simulate->options.start); area && !err;
	     area = space_first(simulate->space, area->end)) {
		struct simulation_request request = request_of_area(simulate, area, t_ns);

		if (area->state != AREA_USED ||
		    simulation_held_bytes(simulate->truth, area->start) == request.place.size)
			continue;
		*changed = true;
		simulate->recorded.lost_allocs++;
		for (uint32_t i = 0; i < simulate->count && !err; i++)
			err = simulation_alloc(simulate->list[i], &request);
	}
	return err;
}

int simulate_reconcile(struct simulate *simulate, uint64_t t_ns)
{
	uint32_t lazy_bytes = simulation_result(simulate->truth)->lazy_bytes;
	bool changed = lazy_bytes != space_totals(simulate->space).lazy_bytes;
	int err = release_gone(simulate, t_ns, &changed);

	if (!err)
		err = serve_new(simulate, t_ns, &changed);
	if (err || !changed)
		return err;
	simulation_forget(simulate->truth);
	return seed_one(simulate, simulate->truth, t_ns);
}
