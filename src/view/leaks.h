/* SPDX-License-Identifier: GPL-2.0-only */
/* What leaks, as text and as JSON. */
#ifndef VMTRACE_VIEW_LEAKS_H
#define VMTRACE_VIEW_LEAKS_H

#include <stdio.h>

#include "space/leaks.h"
#include "view/text.h"

/* The leaks, each with its reasons, stack, tasks, addresses and the next step, then what is none,
 * one a line; at most `top` of both together, 0 = ten leaks, or if there is no leak ten others. */
void text_leaks(FILE *out, const struct view *view, const struct leaks_report *report,
		unsigned int top);

/* One object; the keys of DESIGN.md section 4 and more. 0, -ENOMEM, or -EIO when out refuses. */
int json_leaks(FILE *out, const struct view *view, const struct leaks_report *report,
	       unsigned int top);

#endif
