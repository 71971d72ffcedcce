/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A mark: the whole map as it was at one moment, kept beside the one that goes on, so that owners,
 * totals and holes of both can be held against each other, in whatever grouping is asked for later.
 * A copy costs 8 bytes a page (240 KB of the default space) and 96 an area.
 */
#ifndef VMTRACE_SPACE_MARK_H
#define VMTRACE_SPACE_MARK_H

#include <stdint.h>

#include "space/diff.h"
#include "space/names.h"
#include "space/owners.h"
#include "space/space.h"
#include "space/stacks.h"

struct mark;

enum mark_change {
	MARK_CAME = 0, /* held nothing at the mark */
	MARK_WENT,     /* holds nothing now */
	MARK_GREW,
	MARK_SHRANK,
	MARK_PIECES, /* the same bytes in more or fewer areas */
	MARK_CHANGE_COUNT
};

/* What each kind of change came to. */
struct mark_sums {
	uint32_t owners[MARK_CHANGE_COUNT];
	int64_t bytes[MARK_CHANGE_COUNT] VMT_ALIGNED8; /* now less then */
	int64_t areas[MARK_CHANGE_COUNT] VMT_ALIGNED8;
};

/* Marks space as it is. now_ns: the time to show for it. NULL inside a snapshot, which leaves half
 * a map, and on lack of memory. */
struct mark *mark_take(const struct space *space, uint64_t now_ns);
void mark_free(struct mark *mark);

uint64_t mark_ns(const struct mark *mark);

/* The map at the mark: for space_totals, holes_report and the like. */
const struct space *mark_space(const struct mark *mark);

/*
 * Who holds more or less now than at the mark, the largest change first (diff_owners: A is the
 * mark, B is now). sums may be NULL. 0 or -ENOMEM; release rows with diff_release.
 */
int mark_diff(const struct mark *mark, const struct space *space, struct names *names,
	      const struct stacks *stacks, enum owners_by by, enum owners_sort sort,
	      struct diff_rows *rows, struct mark_sums *sums);

enum mark_change mark_change_of(const struct diff_row *row);

/* "came", "went", "grew", "shrank", "pieces". */
const char *mark_change_name(enum mark_change change);

#endif
