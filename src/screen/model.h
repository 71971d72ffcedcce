/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What one frame shows: everything that has to be computed from the map, done once, so that drawing
 * is a function of this, the state and a size alone. The parts that walk the space are made anew
 * only when the map or what is asked of it has changed (model_build), what the clock alone changes
 * is a copy of the facts.
 *
 * It points into what it was made of (space, names, stacks, failures, tail) and is valid until the
 * next event.
 */
#ifndef VMTRACE_SCREEN_MODEL_H
#define VMTRACE_SCREEN_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "allocator/failures.h"
#include "allocator/fit.h"
#include "screen/layout.h"
#include "screen/mapview.h"
#include "screen/state.h"
#include "space/diff.h"
#include "space/filter.h"
#include "space/growth.h"
#include "space/holes.h"
#include "space/leaks.h"
#include "space/mark.h"
#include "space/owners.h"
#include "space/tail.h"
#include "space/trend.h"
#include "view/hole_list.h"
#include "view/text.h"
#include "view/trust.h"

#define MODEL_FITS  5u
#define MODEL_HOLES 64u

/* Where it comes from: what is shown at this moment. */
struct model_sources {
	struct view view; /* space, names, stacks, facts, trend */
	const struct space_counters *counters;
	const struct failures *failures;
	struct tail *tail;                /* a history is looked up in it */
	uint64_t last_event VMT_ALIGNED8; /* number in the tail: what came later is not shown */
	const struct growth *growth;      /* of the space that goes on */
	const struct leaks *leaks;
	const struct leaks_report *leaks_report; /* as it was last made; NULL: none yet */
	const struct mark *mark;                 /* NULL: none is set */
	const struct filter *filter;             /* NULL: all */
	struct fit_kernel kernel;
	struct trust_facts trust;
	uint64_t base_ns VMT_ALIGNED8; /* what times of events are shown from */
};

struct model_fit {
	uint32_t bytes;
	enum attempt_answer answer;
	bool known;
};

/* An owner, and how it grows. */
struct model_owner {
	struct owner owner;
	int64_t bytes_per_min VMT_ALIGNED8;
};

/* The recording that is played. */
struct model_play {
	bool on; /* it is one */
	bool ended;
	uint64_t start_ns VMT_ALIGNED8;
	uint64_t end_ns VMT_ALIGNED8;
	uint64_t at_ns VMT_ALIGNED8;
	const uint32_t *fails; /* failures in each of nr_buckets equal parts */
	uint32_t nr_buckets;
};

struct model {
	struct model_sources from;
	struct space_totals totals;
	struct holes_report holes;
	struct hole_list hole_list;
	struct trend_report trend;
	uint64_t trend_ns VMT_ALIGNED8; /* when it was made */
	struct model_fit fits[MODEL_FITS];
	enum owners_by by;          /* of owners and diff */
	struct model_owner *owners; /* in the order chosen, filtered */
	uint32_t nr_owners;
	uint32_t filtered_areas; /* that pass the filter */
	bool growth_known;
	struct diff_rows diff;
	struct mark_sums diff_sums;
	const struct tail_entry **events; /* newest first, filtered */
	uint32_t nr_events;
	struct mapview map;
	char *detail; /* lines, for the detail pane */
	uint32_t detail_lines;
	char *stack; /* ... for the column of stacks */
	struct model_play play;
	/* what goes on beside */
	const char *recording; /* path of what is being written; NULL: nothing */
	uint64_t recorded_bytes VMT_ALIGNED8;
	uint64_t interval_ns VMT_ALIGNED8;
};

/*
 * Makes the model of what `from` shows, for this state and layout. Also settles the state:
 * selections are found again, the map's window is brought to the cursor. fresh: the map has changed
 * since the model was made; without it only what depends on state and layout is made anew. model is
 * zeroed before its first use; 0 or -ENOMEM, then it shows less. Release with model_release.
 */
int model_build(struct model *model, const struct model_sources *from, struct state *state,
		const struct layout *layout, bool utf8, bool fresh);
void model_release(struct model *model);

/* What names row i of the owners in selection and detail. */
uint64_t model_owner_id(const struct model *model, uint32_t i);

/* The area that the cursor stands for: the one at it, else the largest of those in its cell. NULL
 * if there is none; *count: how many areas the cell has. */
const struct area *model_area_at_cursor(const struct model *model, const struct state *state,
					uint32_t *count);

#endif
