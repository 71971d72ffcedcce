/* SPDX-License-Identifier: GPL-2.0-only */
/* Lazy space of a simulation, and the purges that give it back. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "allocator/simulation_internal.h"

#define LAZY_UNIT (32u << 20)

/* From the free that passes the threshold to the purge: 0.03 to 0.5 ms were seen on 6.1. */
#define DRAIN_DELAY_NS 1000000

/* How long before a purge a free may have begun that it misses: a task can lose the CPU there. */
#define LATE_NS 50000000

uint32_t simulation_lazy_max_bytes(uint32_t cpus)
{
	uint32_t bits = 0;

	for (; cpus; cpus >>= 1)
		bits++;
	return bits * LAZY_UNIT;
}

bool simulation_over_threshold(const struct simulation *sim)
{
	return sim->lazy_max_bytes && sim->result.lazy_bytes > sim->lazy_max_bytes;
}

static int make_lazy_room(struct simulation *sim)
{
	uint32_t capacity = sim->lazy_capacity * 2 + 256;
	struct lazy *grown;

	if (sim->nr_lazy < sim->lazy_capacity)
		return 0;
	grown = realloc(sim->lazy, capacity * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	sim->lazy = grown;
	grown = realloc(sim->purging, capacity * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	sim->purging = grown;
	sim->lazy_capacity = capacity;
	return 0;
}

int simulation_add_lazy(struct simulation *sim, const struct held *area, uint32_t key,
			uint64_t free_ns)
{
	int err = make_lazy_room(sim);

	if (!err)
		err = freetree_give(sim->purged, area->start, area->end);
	if (err)
		return err;
	sim->lazy[sim->nr_lazy++] = (struct lazy){ area->start, area->end, free_ns, key, 0 };
	sim->result.lazy_bytes += area->end - area->start;
	return 0;
}

static int by_start(const void *a, const void *b)
{
	const struct lazy *left = a, *right = b;

	return left->start < right->start ? -1 : left->start > right->start;
}

/* Neighbours in the sorted list become one. */
static uint32_t merge(struct lazy *list, uint32_t count)
{
	uint32_t last = 0;

	for (uint32_t i = 1; i < count; i++) {
		if (list[i].start == list[last].end)
			list[last].end = list[i].end;
		else
			list[++last] = list[i];
	}
	return count ? last + 1 : 0;
}

/*
 * What a purge that began then gives back, in the order in which this kernel does: moved from
 * sim->lazy to sim->purging. What was freed later stays lazy.
 */
static uint32_t take_for_purge(struct simulation *sim, uint64_t begin_ns)
{
	enum purge_order order = sim->options.rules.order;
	uint32_t kept = 0, count = 0;

	for (uint32_t i = 0; i < sim->nr_lazy; i++) {
		if (sim->lazy[i].free_ns >= begin_ns)
			sim->lazy[kept++] = sim->lazy[i];
		else
			sim->purging[count++] = sim->lazy[i];
	}
	sim->nr_lazy = kept;
	if (order != PURGE_NEWEST_FIRST && count)
		qsort(sim->purging, count, sizeof(*sim->purging), by_start);
	if (order == PURGE_ASCENDING)
		return merge(sim->purging, count);
	for (uint32_t i = 0; i < count / 2; i++) {
		struct lazy swapped = sim->purging[i];

		sim->purging[i] = sim->purging[count - 1 - i];
		sim->purging[count - 1 - i] = swapped;
	}
	return count;
}

/* The first `part` of `count` ranges in sim->purging are free, the others lazy again: older than
 * what is lazy now, the first to be given back last in the list. */
static int give_back(struct simulation *sim, uint32_t part, uint32_t count)
{
	uint32_t left = count - part;
	int err = 0;

	for (uint32_t i = 0; i < part && !err; i++) {
		const struct lazy *lazy = &sim->purging[i];

		sim->result.lazy_bytes -= lazy->end - lazy->start;
		err = freetree_give(sim->now, lazy->start, lazy->end);
	}
	if (left && sim->nr_lazy)
		memmove(&sim->lazy[left], sim->lazy, sim->nr_lazy * sizeof(*sim->lazy));
	for (uint32_t i = 0; i < left; i++)
		sim->lazy[i] = sim->purging[count - 1 - i];
	sim->nr_lazy += left;
	if (!simulation_over_threshold(sim))
		sim->over_ns = 0;
	return err;
}

int simulation_purge_before(struct simulation *sim, uint64_t begin_ns, uint32_t *count)
{
	*count = take_for_purge(sim, begin_ns);
	return give_back(sim, *count, *count);
}

uint32_t simulation_purge_reached(struct simulation *sim, uint64_t begin_ns, uint32_t start,
				  uint32_t end, uint32_t *of)
{
	uint32_t count = take_for_purge(sim, begin_ns), part = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (sim->purging[i].start < end && sim->purging[i].end > start)
			part = i + 1;
	}
	*of = count;
	give_back(sim, 0, count);
	return part;
}

int simulation_purge_part(struct simulation *sim, uint64_t begin_ns, uint32_t part, uint32_t of)
{
	uint32_t count = take_for_purge(sim, begin_ns);

	if (!of)
		return give_back(sim, 0, count);
	return give_back(sim, (uint32_t)((uint64_t)part * count / of), count);
}

/* The newest first. */
static void remember_late(struct simulation *sim, uint64_t begin_ns)
{
	sim->nr_late = 0;
	sim->late_begin_ns = begin_ns;
	for (uint32_t i = sim->nr_lazy; i-- > 0 && sim->nr_late < SIMULATION_MAX_LATE;) {
		const struct lazy *lazy = &sim->lazy[i];

		if (lazy->free_ns + LATE_NS < begin_ns)
			break;
		if (lazy->free_ns < begin_ns && lazy->key)
			sim->late[sim->nr_late++] = *lazy;
	}
}

uint32_t simulation_late(const struct simulation *sim, uint32_t start, uint32_t end)
{
	for (uint32_t i = 0; i < sim->nr_late; i++) {
		const struct lazy *late = &sim->late[i];

		if (late->start < end && late->end > start &&
		    freetree_has(sim->now, late->start, late->end))
			return late->key;
	}
	return 0;
}

int simulation_unpurge(struct simulation *sim, uint32_t key)
{
	uint32_t i = 0;
	struct lazy late;
	int err;

	while (i < sim->nr_late && sim->late[i].key != key)
		i++;
	if (i == sim->nr_late)
		return 0;
	late = sim->late[i];
	sim->late[i] = sim->late[--sim->nr_late];
	if (!freetree_has(sim->now, late.start, late.end))
		return 0; /* in use again here */
	err = make_lazy_room(sim);
	if (!err)
		err = freetree_take(sim->now, late.start, late.end);
	if (err)
		return err;
	late.free_ns = sim->late_begin_ns; /* after this purge, before the next */
	sim->lazy[sim->nr_lazy++] = late;
	sim->result.lazy_bytes += late.end - late.start;
	return 0;
}

int simulation_purge(struct simulation *sim, enum simulation_purge kind, uint64_t begin_ns,
		     uint64_t t_ns)
{
	uint32_t count;
	int err;

	if (kind == SIMULATION_PURGE_THRESHOLD && !simulation_over_threshold(sim))
		return 0;
	if (sim->nr_lazy)
		remember_late(sim, begin_ns);
	err = simulation_purge_before(sim, begin_ns, &count);
	if (kind == SIMULATION_PURGE_THRESHOLD)
		sim->result.purges_threshold++;
	else if (count)
		sim->result.purges_recorded++;
	simulation_measure(sim, t_ns);
	return err;
}

int simulation_tick(struct simulation *sim, uint64_t t_ns, bool waits)
{
	uint32_t count;
	int err;

	if (!sim->over_ns || waits || t_ns - sim->over_ns < DRAIN_DELAY_NS)
		return 0;
	sim->result.purges_threshold++;
	err = simulation_purge_before(sim, sim->over_ns + DRAIN_DELAY_NS, &count);
	simulation_measure(sim, t_ns);
	return err;
}

bool simulation_is_lazy(const struct simulation *sim, uint32_t start, uint32_t end)
{
	for (uint32_t i = 0; i < sim->nr_lazy; i++) {
		if (sim->lazy[i].start < end && sim->lazy[i].end > start)
			return true;
	}
	return false;
}

int simulation_free_lazy(struct simulation *sim, uint32_t start, uint32_t end)
{
	uint32_t kept = 0;
	int err = 0;

	for (uint32_t i = 0; i < sim->nr_lazy; i++) {
		struct lazy lazy = sim->lazy[i];

		if (lazy.start >= end || lazy.end <= start) {
			sim->lazy[kept++] = lazy;
			continue;
		}
		sim->result.lazy_bytes -= lazy.end - lazy.start;
		if (!err)
			err = freetree_give(sim->now, lazy.start, lazy.end);
	}
	sim->nr_lazy = kept;
	if (!simulation_over_threshold(sim))
		sim->over_ns = 0;
	return err;
}
