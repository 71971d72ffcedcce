/* SPDX-License-Identifier: GPL-2.0-only */
/* What the JSON views share. Only src/view includes it. */
#ifndef VMTRACE_VIEW_JSON_UTIL_H
#define VMTRACE_VIEW_JSON_UTIL_H

#include "record/json_put.h"
#include "space/holes.h"
#include "view/text.h"

/* The function that owns an area, "?" if not known. */
const char *json_owner_name(const struct view *view, const struct area *area);

/* "lost_events" and "uncertain", which is what '~' is in the text. */
void json_put_trust(struct json_put *put, const struct view *view);

/* How many bytes there are, and in which state. */
void json_put_states(struct json_put *put, const struct space_totals *totals);

/* The same with the range before it. */
void json_put_totals(struct json_put *put, const struct space_totals *totals);

/* Size and start of the largest hole, size of the largest after a purge. */
void json_put_largest(struct json_put *put, const struct holes_report *report);

#endif
