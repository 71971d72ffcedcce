/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files that make up struct simulation share; nobody else includes this. */
#ifndef VMTRACE_ALLOCATOR_SIMULATION_INTERNAL_H
#define VMTRACE_ALLOCATOR_SIMULATION_INTERNAL_H

#include "allocator/freetree.h"
#include "allocator/requesters.h"
#include "allocator/simulation.h"

#define SIMULATION_MAX_LATE 1024

struct held {
	uint32_t start; /* 0 = none */
	uint32_t end;
};

struct lazy {
	uint32_t start;
	uint32_t end;
	uint64_t free_ns VMT_ALIGNED8;
	uint32_t key;
	uint32_t reserved;
};

struct simulation {
	struct simulation_options options;
	struct simulation_result result;
	uint32_t start;
	uint32_t end;
	uint32_t lazy_max_bytes;   /* 0 = no threshold */
	struct freetree *now;      /* what is free */
	struct freetree *purged;   /* what is free or lazy */
	struct held *held;         /* by page of the recorded start */
	struct lazy *lazy;         /* in the order in which they were freed */
	struct lazy *purging;      /* of the same capacity: what a purge gives back, in order */
	struct requesters *served; /* failures that did not happen, and what they got */
	uint32_t nr_lazy;
	uint32_t lazy_capacity;
	uint64_t over_ns; /* since when more than the threshold is lazy; 0 = it is not */
	/* What the last recorded purge gave back although it was freed only just before. */
	struct lazy late[SIMULATION_MAX_LATE];
	uint32_t nr_late;
	uint64_t late_begin_ns; /* when that purge began */
};

/* Looks at holes and sums after a change. */
void simulation_measure(struct simulation *sim, uint64_t t_ns);

/* The range, taken from both trees, is lazy: taken from one. */
int simulation_add_lazy(struct simulation *sim, const struct held *area, uint32_t key,
			uint64_t free_ns);

/* What became lazy before begin_ns is free. *count: how many ranges it were. */
int simulation_purge_before(struct simulation *sim, uint64_t begin_ns, uint32_t *count);

/* The lazy areas in [start, end) are free: whole, as the kernel gives them back. */
int simulation_free_lazy(struct simulation *sim, uint32_t start, uint32_t end);

#endif
