/* SPDX-License-Identifier: GPL-2.0-only */
/* The views as JSON (jansson): one object on one line each, schema in DESIGN.md section 4. */
#ifndef VMTRACE_VIEW_JSON_H
#define VMTRACE_VIEW_JSON_H

#include <stdio.h>

#include "space/compare.h"
#include "view/text.h"

/* Each prints one object and a newline. 0, -ENOMEM, or -EIO when out refuses. */
int json_map(FILE *out,
	     const struct view *view); /* the keys of `map --json`, plus list areas_list */
/* The `top` largest holes, the largest first; histogram and trend. */
int json_holes(FILE *out, const struct view *view, unsigned int top);
int json_top(FILE *out, const struct view *view, enum owners_by by, enum owners_sort sort,
	     unsigned int top);
/* What differs, and what the map was built of: counters. */
int json_verify(FILE *out, const struct compare_result *result,
		const struct space_counters *counters, unsigned int tries, uint32_t reconciles);

#endif
