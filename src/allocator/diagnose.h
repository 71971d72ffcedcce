/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why an allocation failed: the request held against the space as the model has it at that moment,
 * and what would have helped. A diagnosis is self-contained: it holds numbers and string ids, no
 * pointer into the space, which goes on changing.
 *
 * On kernels before 7.2, and on later ones for a request that may sleep, the allocator purges and
 * tries again before it gives up (mm/vmalloc.c:alloc_vmap_area, label overflow), so what counts is
 * the room after a purge.
 */
#ifndef VMTRACE_ALLOCATOR_DIAGNOSE_H
#define VMTRACE_ALLOCATOR_DIAGNOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "allocator/holders.h"
#include "space/holes.h"
#include "space/names.h"
#include "allocator/place.h"
#include "space/space.h"
#include "space/stacks.h"
#include "allocator/window.h"

#define DIAGNOSIS_BLOCKERS 8
#define DIAGNOSIS_OWNERS   8
#define DIAGNOSIS_MODULES  8

enum verdict {
	VERDICT_NONE = 0,   /* not diagnosed */
	VERDICT_EXHAUSTED,  /* fewer bytes free and lazy, in the range, than were asked for */
	VERDICT_FRAGMENTED, /* enough bytes, but no run of them, even after a purge */
	VERDICT_LAZY,       /* a purge would have made room */
	VERDICT_RANGE,      /* the range allowed has no room: it is too small, or there is room
			       outside */
	VERDICT_PAGES,      /* out of pages (memory), not of addresses */
	VERDICT_UNCLEAR,    /* the model shows room: enum unclear */
	VERDICT_COUNT
};

/* Why a failure is not explained. */
enum unclear {
	UNCLEAR_NOT = 0,
	UNCLEAR_ROOM,      /* there was room: freed between the search and its end */
	UNCLEAR_ALIGNMENT, /* room that the kernel's search may pass over (allocator/place.h) */
	UNCLEAR_MAP,       /* there was room, but events were lost: the map may be wrong */
	UNCLEAR_REQUEST,   /* what was asked for is not known, or was refused as such (-EINVAL) */
	UNCLEAR_COUNT
};

/* Who has areas of a kind, the rest summed. */
struct diagnosis_list {
	struct holder list[DIAGNOSIS_OWNERS];
	uint32_t count;
	uint32_t rest_groups;
	struct holder rest; /* areas, bytes */
};
_Static_assert(DIAGNOSIS_BLOCKERS == DIAGNOSIS_OWNERS, "one list serves both");

/* A module without which the request would have fitted. */
struct diagnosis_module {
	uint32_t module_id;  /* string id: "[foo]"; vmtrace itself: own */
	uint32_t bytes;      /* what its areas take, those of its code not counted */
	uint32_t hole_bytes; /* the largest hole then, after a purge */
	bool own;
};

struct diagnosis {
	uint64_t t_ns VMT_ALIGNED8; /* of the failure */
	enum verdict verdict;
	enum unclear unclear;
	bool uncertain; /* the map was: every number is shown with '~' */

	struct place_request request; /* range cut to the space */
	uint32_t payload_bytes;       /* what the caller asked for, or size without the guard */
	uint32_t guard_bytes;         /* part of request.size */

	struct space_totals totals;
	uint32_t range_bytes;    /* the request's range, and what lies in it */
	uint32_t free_bytes;     /* in the range */
	uint32_t lazy_bytes;     /* in the range */
	struct hole largest;     /* in the range; the lowest of equals */
	struct hole after_purge; /* the same when lazy space counts as free */
	uint32_t fits_at;        /* RANGE: where outside; LAZY, UNCLEAR: where; 0 = nowhere */

	bool has_window; /* the cheapest window, and who is in it */
	struct window window;
	struct diagnosis_list blockers;
	struct diagnosis_list owners; /* of the whole space */

	/* What would have helped; 0 and none where nothing of the kind would. */
	uint32_t smaller_bytes; /* the largest payload that would have fitted after a purge */
	uint32_t now_bytes;     /* ... without one */
	uint32_t more_bytes;    /* how much larger the space would have had to be, at its low end */
	uint32_t nr_modules;
	struct diagnosis_module modules[DIAGNOSIS_MODULES]; /* those with least bytes first */
};

/* What a failure is held against. */
struct diagnosis_base {
	const struct space *space;
	struct names *names; /* grows by labels */
	const struct stacks *stacks;
	bool exact_pages; /* place_request.exact_pages */
};

/* Diagnoses fail (EV_FAIL), which has just been applied to the space. 0, or -ENOMEM: then the
 * verdict is NONE. */
int diagnose(const struct diagnosis_base *base, const struct event *fail,
	     struct diagnosis *diagnosis);

/* "exhausted" ...; "none" for NONE. */
const char *verdict_name(enum verdict verdict);
/* "room", "alignment", "map", "request"; "" for UNCLEAR_NOT. */
const char *unclear_name(enum unclear unclear);

#endif
