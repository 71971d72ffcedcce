/* SPDX-License-Identifier: GPL-2.0-only */
/* The answers of fit as text: see view/text.h for what holds of all text. */
#ifndef VMTRACE_VIEW_TEXT_FIT_H
#define VMTRACE_VIEW_TEXT_FIT_H

#include <stdio.h>

#include "allocator/blockers.h"
#include "allocator/fit.h"
#include "view/text.h"

/* The answer in words on the first line, what it depends on, the cheapest window, and a table of
 * at most `top` owners in the way. At most 24 lines with the default of top. */
void text_fit(FILE *out, const struct view *view, const struct fit_answer *answer,
	      unsigned int top);

/* One line for several questions: size, kind, answer, address, cheapest window; a heading first. */
void text_fit_heading(FILE *out, const struct view *view);
void text_fit_row(FILE *out, const struct view *view, const struct fit_answer *answer);

/* "3.2M live in 14 areas": the price of a window. Returns buf. */
const char *text_window_price(const struct view *view, const struct window *window, char *buf,
			      size_t len);

/* The owners of the areas in the way, most bytes first: at most `top`, then how many more. */
void text_blockers(FILE *out, const struct view *view, const struct blockers *blockers,
		   unsigned int top);

/* What a note says, in one sentence without an end; also for JSON. index below FIT_NOTE_COUNT. */
const char *text_fit_note(unsigned int index);

#endif
