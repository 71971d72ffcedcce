/* SPDX-License-Identifier: GPL-2.0-only */
/* The filter of a view: which areas it shows, and what these come to. Only src/view and src/cmd
 * include it. */
#ifndef VMTRACE_VIEW_PICK_H
#define VMTRACE_VIEW_PICK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "record/json_put.h"
#include "view/text.h"

/* By what the filter of view judges. */
struct filter_base pick_base(const struct view *view);

/* True if the view shows area. For owners_collect_some, with the view as its context. */
bool pick_area(void *view, const struct area *area);

/* " 12 of 340 areas, 3.2M: mod=foo", or nothing without a filter. lazy_too: lazy areas count. */
void pick_text(FILE *out, const struct view *view, bool lazy_too);

/* "filter", "filter_areas", "filter_bytes": the same; nothing without a filter. */
void pick_json(struct json_put *put, const struct view *view, bool lazy_too);

#endif
