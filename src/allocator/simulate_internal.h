/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files that make up struct simulate share; nobody else includes this. */
#ifndef VMTRACE_ALLOCATOR_SIMULATE_INTERNAL_H
#define VMTRACE_ALLOCATOR_SIMULATE_INTERNAL_H

#include "allocator/ahead.h"
#include "allocator/simulate.h"
#include "space/space.h"

struct simulate {
	struct simulate_options options;
	struct simulate_recorded recorded;
	struct space *space;      /* the recorded space, as the events tell: heals, snapshots */
	struct simulation *truth; /* the same, with the kernel's tree of holes */
	struct simulation *list[SIMULATE_MAX];
	uint32_t count;
	bool seeded;
	uint64_t snapshot_end_ns;
	uint64_t purge_end_ns; /* of the last purge that was played */
	uint64_t alloc_end_ns; /* of the last allocation that was played */
	struct ahead ahead;
};

/* What the event asked for. */
struct simulation_request simulate_request(const struct simulate *simulate,
					   const struct event *event);
bool simulate_is_chunk(const struct event *event);
bool simulate_range_ok(const struct simulate *simulate, const struct event *event);

/* An EV_ALLOC; and the used areas in its way, or in that of a free. 0, -ENOMEM. */
int simulate_alloc(struct simulate *simulate, const struct event *event);
int simulate_release_overlapped(struct simulate *simulate, const struct event *event);

/* In every simulation but the recorded space itself. 0, -ENOMEM. */
int simulate_alloc_all(struct simulate *simulate, const struct simulation_request *request);
int simulate_release_all(struct simulate *simulate, uint32_t key, uint64_t t_ns);

/* After the first snapshot: every area goes into every space. 0, -ENOMEM. */
int simulate_seed(struct simulate *simulate, uint64_t t_ns);

/* After a later one: what it showed to be lost is made up for. 0, -ENOMEM. */
int simulate_reconcile(struct simulate *simulate, uint64_t t_ns);

#endif
