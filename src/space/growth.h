/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How fast owners grow: their bytes over a sliding window, sampled from the space itself, so that a
 * loss, a heal or a new snapshot needs no care here. An event costs nothing; a sample, taken
 * GROWTH_STEPS times a window, a walk over the used areas.
 *
 * What is sampled is finer than any owner: all areas of one stack, caller, kind and task. Owners by
 * caller, stack, module, kind or task are summed from these when asked, each with its whole window,
 * whatever was asked before. What holds nothing in the whole window is forgotten. There are at most
 * GROWTH_MAX_CELLS of them; areas beyond are counted as left out, and have no growth.
 *
 * The rate is the median of the slopes between any two samples (Theil-Sen): one large area that
 * comes and goes does not turn it. What an owner holds more or less than at the begin of the window
 * is told beside it. Integers only.
 */
#ifndef VMTRACE_SPACE_GROWTH_H
#define VMTRACE_SPACE_GROWTH_H

#include <stdbool.h>
#include <stdint.h>

#include "space/names.h"
#include "space/owners.h"
#include "space/space.h"
#include "space/stacks.h"

#define GROWTH_STEPS     12u
#define GROWTH_MAX_CELLS 8192u

struct growth;

struct growth_row {
	uint32_t name_id;  /* label, as struct owner has it */
	uint32_t stack_id; /* BY_STACK: the stack, else 0 */
	uint32_t bytes;    /* at the last sample; guard pages included */
	uint32_t areas;
	int64_t bytes_per_min VMT_ALIGNED8; /* median slope; 0 before the third sample */
	int64_t bytes_changed VMT_ALIGNED8; /* since the first sample of the window */
	int32_t areas_changed;
	uint32_t reserved;
};

struct growth_rows {
	struct growth_row *list; /* the fastest growing first, the fastest shrinking last */
	uint32_t count;
	uint32_t *by_key;              /* for growth_find */
	uint64_t span_ns VMT_ALIGNED8; /* from the first sample of the window to the last */
	uint32_t left_out;             /* areas that were not sampled: too many different ones */
	bool known;                    /* three samples or more: rates mean something */
};

/* window_ns: how far back the rate looks, at least GROWTH_STEPS ns; a minute suits a screen. NULL
 * if it is less or memory runs out. */
struct growth *growth_new(uint64_t window_ns);
void growth_free(struct growth *growth);

/*
 * Takes a sample if one is due at now_ns (a time of the stream's clock: live passes the clock, a
 * recording the time of its events). To be called as often as anything is drawn, and not less:
 * after a gap longer than the window, or when time goes back (replay), the window begins anew.
 * Inside a snapshot nothing is sampled. 0 or -ENOMEM, then this sample is missing.
 */
int growth_sample(struct growth *growth, const struct space *space, uint64_t now_ns);

/* The growth of every owner that held anything in the window. 0 or -ENOMEM; release with
 * growth_release. names grows by labels. */
int growth_rows(const struct growth *growth, struct names *names, const struct stacks *stacks,
		enum owners_by by, struct growth_rows *rows);
void growth_release(struct growth_rows *rows);

/* The row of an owner of owners_collect with the same `by`; NULL if it has none. O(log n). */
const struct growth_row *growth_find(const struct growth_rows *rows, uint32_t name_id,
				     uint32_t stack_id);

#endif
