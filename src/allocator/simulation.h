/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One space of some size, with the kernel's allocator in it: what would have become of recorded
 * requests there. Knows requests, frees and purges; what the recording meant by its events is
 * simulate's business. Pure.
 *
 * Areas are known by their recorded address ("key"): a free names it. Recorded areas do not
 * overlap, so a key stands for one area at a time.
 *
 * Purges. What is freed is lazy first, and free after a purge:
 *   - of its own, when nothing fits (mm/vmalloc.c:alloc_vmap_area, label overflow);
 *   - of its own, when more than fls(CPUs) * 32 MB are lazy (lazy_max_pages), a little later, as a
 *     kworker does it;
 *   - as recorded, those that come from elsewhere (vm_unmap_aliases: modules, BPF, set_memory).
 */
#ifndef VMTRACE_ALLOCATOR_SIMULATION_H
#define VMTRACE_ALLOCATOR_SIMULATION_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "allocator/freetree.h"
#include "allocator/place.h"
#include "space/space.h"

/* How this kernel's allocator differs from 6.1's. */
struct allocator_rules {
	enum purge_order order;
	bool adjust_pages; /* before 5.16: see freetree_new */
	bool next_fit;     /* before 5.2: it goes on where it was; addresses are not predicted */
};

struct simulation_options {
	uint32_t recorded_start;
	uint32_t recorded_end; /* VMALLOC_END, the same in a space of any size */
	uint32_t bytes;        /* of the space; START = END - bytes */
	uint32_t cpus;         /* for the lazy threshold; 0 = not known: none */
	/* A failure that did not happen before: false = one of the same requester (stack, size,
	 * alignment) is a retry and wants what it got already; true = each wants an area of its
	 * own. */
	bool each_failure;
	struct allocator_rules rules;
};

/* A request that failed. */
struct simulation_failure {
	uint64_t t_ns VMT_ALIGNED8; /* 0 = there was none */
	uint32_t size;              /* guard included */
	uint32_t align;
	uint32_t pid;
	uint32_t comm_id;
	uint32_t stack_id;
	uint8_t kind;
	uint8_t recorded; /* it failed in the recording too */
};

struct simulation_result {
	struct simulation_options options;
	uint32_t start; /* VMALLOC_START here */
	uint32_t end;
	uint64_t requests VMT_ALIGNED8;      /* all that were tried */
	uint64_t same_address VMT_ALIGNED8;  /* ... served where they were in the recording */
	uint64_t fails_stay VMT_ALIGNED8;    /* failed in the recording and here */
	uint64_t fails_gone VMT_ALIGNED8;    /* failed in the recording, served here */
	uint64_t fails_new VMT_ALIGNED8;     /* served in the recording, failed here */
	uint64_t retries VMT_ALIGNED8;       /* ... of fails_gone: taken for a retry */
	uint64_t seeds_moved VMT_ALIGNED8;   /* areas from before that do not fit where they were */
	uint64_t seeds_failed VMT_ALIGNED8;  /* ... that fit nowhere */
	uint64_t unknown_frees VMT_ALIGNED8; /* frees of what is not held */
	uint64_t purges_overflow VMT_ALIGNED8;
	uint64_t purges_threshold VMT_ALIGNED8;
	uint64_t purges_recorded VMT_ALIGNED8;
	uint32_t used_bytes; /* now */
	uint32_t lazy_bytes;
	uint32_t held_bytes; /* ... of used: for failures that are gone */
	uint32_t max_used_bytes;
	uint32_t max_lazy_bytes;
	uint32_t largest_bytes;                 /* hole, now */
	uint32_t largest_purged_bytes;          /* ... as a purge would leave it */
	uint32_t min_largest_bytes;             /* the smallest that it ever was */
	uint32_t min_largest_purged_bytes;      /* this is what a request competes for */
	uint64_t min_largest_t_ns VMT_ALIGNED8; /* when that was */
	struct simulation_failure first;        /* the first failure here */
};

/* A request as it was recorded: vstart and vend in the recorded space. */
struct simulation_request {
	struct place_request place;
	uint32_t key; /* recorded start; 0 = it failed */
	uint64_t t_ns VMT_ALIGNED8;
	uint32_t pid;
	uint32_t comm_id;
	uint32_t stack_id;
	uint8_t kind;
};

struct simulation;

/* NULL when memory runs out, or for a space that is empty, unaligned, or begins below 16 MB. */
struct simulation *simulation_new(const struct simulation_options *options);
void simulation_free(struct simulation *sim);
const struct simulation_result *simulation_result(const struct simulation *sim);

/*
 * An area from before the recording, used or lazy. It keeps its distance from VMALLOC_START, a
 * percpu chunk that from VMALLOC_END: from boot on, lowest fit has laid them out the same in a
 * larger space. *placed false: its place is taken or outside; then, when all others are there, it
 * goes where simulation_seed_anew puts it. 0, -ENOMEM.
 */
int simulation_seed(struct simulation *sim, const struct area *area, bool *placed);
int simulation_seed_anew(struct simulation *sim, const struct simulation_request *request);
/* True for a percpu chunk, which has no guard page; false for the plain areas that go with one. */
bool simulation_is_chunk(const struct area *area);
/* After the last: minima and maxima begin here. */
void simulation_seeded(struct simulation *sim, uint64_t t_ns);

/* Where the request would go now; no purge is tried. 0 = nowhere. */
uint32_t simulation_predict(const struct simulation *sim, const struct simulation_request *request);
/* The same, as a purge would leave the space. */
uint32_t simulation_predict_purged(const struct simulation *sim,
				   const struct simulation_request *request);

/* Serves or refuses the request. 0, -ENOMEM. */
int simulation_alloc(struct simulation *sim, const struct simulation_request *request);

/* Puts the area of the request at key, which must be where it was recorded: the recorded space
 * itself. Lazy areas in the way are free then. 0, -ENOMEM. */
int simulation_follow(struct simulation *sim, const struct simulation_request *request);

/* used -> lazy. 0, -ENOMEM. */
int simulation_release(struct simulation *sim, uint32_t key, uint64_t t_ns);

/* What became lazy before begin_ns is free. */
enum simulation_purge {
	SIMULATION_PURGE_OTHER,     /* happens in any space */
	SIMULATION_PURGE_THRESHOLD, /* happens where the threshold is passed */
};
int simulation_purge(struct simulation *sim, enum simulation_purge kind, uint64_t begin_ns,
		     uint64_t t_ns);

/*
 * A purge gives areas back one by one, and others may use them before it ends. How far one that
 * began then has got if [start, end) is in use again: the number of ranges given back, *of all that
 * it gives back; 0 = the range is not among them. And the same part of it, done here.
 */
uint32_t simulation_purge_reached(struct simulation *sim, uint64_t begin_ns, uint32_t start,
				  uint32_t end, uint32_t *of);
int simulation_purge_part(struct simulation *sim, uint64_t begin_ns, uint32_t part, uint32_t of);

/*
 * A free is seen when it begins; a task that loses the CPU before its area is in the list may miss
 * a purge that begins later. The key of an area in [start, end), free now, of which the last
 * recorded purge can have missed the free; 0 = there is none. And: it did, the area is lazy still.
 */
uint32_t simulation_late(const struct simulation *sim, uint32_t start, uint32_t end);
int simulation_unpurge(struct simulation *sim, uint32_t key);

/* Time passes: a purge of its own is done when it is due. waits: the recorded kernel has passed
 * the threshold too and not purged yet, so nor has this one. */
int simulation_tick(struct simulation *sim, uint64_t t_ns, bool waits);

/* Bytes of the area held under the key; 0 = none. */
uint32_t simulation_held_bytes(const struct simulation *sim, uint32_t key);
bool simulation_over_threshold(const struct simulation *sim);

/* Forgets all areas: a new seed follows. What was counted stays. */
void simulation_forget(struct simulation *sim);

/* True if all of [start, end) is free; if some of it is lazy. */
bool simulation_is_free(const struct simulation *sim, uint32_t start, uint32_t end);
bool simulation_is_lazy(const struct simulation *sim, uint32_t start, uint32_t end);

/* fls(cpus) * 32 MB: mm/vmalloc.c:lazy_max_pages. */
uint32_t simulation_lazy_max_bytes(uint32_t cpus);

#endif
