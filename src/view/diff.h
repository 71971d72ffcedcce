/* SPDX-License-Identifier: GPL-2.0-only */
/* Two maps side by side, as text and as JSON. Change is always B less A. */
#ifndef VMTRACE_VIEW_DIFF_H
#define VMTRACE_VIEW_DIFF_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "space/diff.h"
#include "space/owners.h"
#include "view/text.h"

struct diff_source {
	struct view view;
	const char *name;            /* of the file; NULL: this machine, now */
	uint64_t at_ns VMT_ALIGNED8; /* how far into the recording */
	bool at_end;                 /* ... and that is its end */
};

struct diff_view {
	struct diff_source sources[DIFF_SIDES];
	enum owners_by by;
	enum owners_sort sort; /* bytes or count */
	unsigned int top;
};

/* What A and B are, sums and holes of both, then the owners that changed, largest change first. 0
 * or -ENOMEM. */
int text_diff(FILE *out, const struct diff_view *diff);
/* One object. 0, -ENOMEM or -EIO. */
int json_diff(FILE *out, const struct diff_view *diff);

#endif
