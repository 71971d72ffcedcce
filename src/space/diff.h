/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two maps side by side: who holds more or less in the second. They may come from two files, so ids
 * mean nothing across them: owners are the same if their labels are, and by stack if all frames
 * are.
 */
#ifndef VMTRACE_SPACE_DIFF_H
#define VMTRACE_SPACE_DIFF_H

#include <stdint.h>

#include "space/names.h"
#include "space/owners.h"
#include "space/space.h"
#include "space/stacks.h"

enum diff_side { DIFF_A = 0, DIFF_B, DIFF_SIDES };

struct diff_map {
	const struct space *space;
	struct names *names; /* grows by labels */
	const struct stacks *stacks;
};

/* One owner. What it does not hold on a side is 0 there. */
struct diff_row {
	const char *label;                       /* belongs to the names of a side */
	uint64_t bytes[DIFF_SIDES] VMT_ALIGNED8; /* guard pages included */
	uint32_t areas[DIFF_SIDES];
	uint32_t stack_id;  /* an example of its stacks, 0 = none; BY_STACK: the stack */
	uint32_t order;     /* of first appearance: settles ties */
	uint8_t stack_side; /* whose id that is: enum diff_side */
	uint8_t kind;       /* KIND_UNKNOWN if they differ */
};

struct diff_rows {
	struct diff_row *list; /* what has changed; the largest change first, whatever its sign */
	uint32_t count;
	uint32_t unchanged; /* owners that hold the same on both sides */
};

/* Compares. sort: by bytes or by count. 0 or -ENOMEM; release with diff_release. */
int diff_owners(const struct diff_map maps[DIFF_SIDES], enum owners_by by, enum owners_sort sort,
		struct diff_rows *rows);
void diff_release(struct diff_rows *rows);

/* B less A. */
static inline int64_t diff_bytes(const struct diff_row *row)
{
	return (int64_t)row->bytes[DIFF_B] - (int64_t)row->bytes[DIFF_A];
}

static inline int64_t diff_areas(const struct diff_row *row)
{
	return (int64_t)row->areas[DIFF_B] - (int64_t)row->areas[DIFF_A];
}

#endif
