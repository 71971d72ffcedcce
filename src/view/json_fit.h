/* SPDX-License-Identifier: GPL-2.0-only */
/* The answers of fit as JSON, schema in docs/FIT.md. */
#ifndef VMTRACE_VIEW_JSON_FIT_H
#define VMTRACE_VIEW_JSON_FIT_H

#include <stdio.h>

#include "record/json_put.h"
#include "allocator/fit.h"
#include "allocator/window.h"
#include "view/text.h"

/* One object and a newline. 0, -ENOMEM, or -EIO when out refuses. */
int json_fit(FILE *out, const struct view *view, const struct fit_answer *answer);
/* "error": a question that has no answer; and "seen", as in an answer. */
int json_fit_error(FILE *out, const struct view *view, const char *why);

/* "window": start, end, bytes, live_bytes, areas (null if end is 0); and "blockers": its areas,
 * largest first. */
void json_put_window(struct json_put *put, const struct view *view, const struct window *window);

#endif
