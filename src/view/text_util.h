/* SPDX-License-Identifier: GPL-2.0-only */
/* What the text views share. Only src/view and src/export include it. */
#ifndef VMTRACE_VIEW_TEXT_UTIL_H
#define VMTRACE_VIEW_TEXT_UTIL_H

#include <stdio.h>

#include "view/text.h"

#define TEXT_NUMBER  24 /* "~1023.9M" and the like */
#define TEXT_TASK    48
#define TEXT_LABEL   160
#define TEXT_COLUMNS 80

enum text_class {
	TEXT_PLAIN = 0,
	TEXT_USED,
	TEXT_LAZY,
	TEXT_FREE,
	TEXT_OWN,
	TEXT_ALARM,
};

/* Switches the colour from here on; nothing without style.color. */
void text_color(FILE *out, const struct view *view, enum text_class class);

/* Columns to lay out for; at least 40. A style of 0 columns (no limit) is laid out as 80. */
unsigned int text_columns(const struct view *view);

/* Numbers that come from the map: with '~' when the map is uncertain. All return buf. */
const char *text_bytes(const struct view *view, uint64_t bytes, char buf[TEXT_NUMBER]);
const char *text_count(const struct view *view, uint64_t count, char buf[TEXT_NUMBER]);
/* "12%", "<1%" for a little, 100% only for all, "-" of nothing. */
const char *text_percent(const struct view *view, uint32_t part, uint32_t all,
			 char buf[TEXT_NUMBER]);
/* "-0.9M/h", "~+12K/h", "steady": the slope of a report that has one. */
const char *text_slope(const struct trend_report *report, char buf[TEXT_NUMBER]);
/* '~' or "". */
const char *text_tilde(const struct view *view);

/* Copies text with every byte that is not printable ASCII as '?': names come from tasks and
 * files, and may hold escapes. Returns buf. */
const char *text_ascii(const char *text, char *buf, size_t len);
/* "insmod[108]", "-" if neither is known. */
const char *text_task(const struct view *view, uint32_t pid, uint32_t comm_id, char buf[TEXT_TASK]);
/* The label of the function that owns an area, "?" if not known. */
const char *text_owner(const struct view *view, const struct area *area, char buf[TEXT_LABEL]);

/* text in a field of width, '>' at its end if it does not fit. */
void text_field(FILE *out, const char *text, unsigned int width);
/* text as the last thing on a line on which `used` columns are taken, and the newline. */
void text_last(FILE *out, const struct view *view, const char *text, unsigned int used);
void text_repeat(FILE *out, char c, unsigned int count);

/* The frames of a stack, one a line, `indent` columns in. */
void text_frames(FILE *out, const struct view *view, uint32_t stack_id, unsigned int indent);

/* Age of something born at t_ns: facts->now_ns - t_ns, never negative. */
uint64_t text_age(const struct view *view, uint64_t t_ns);

const char *text_by_name(enum owners_by by);
const char *text_sort_name(enum owners_sort sort);

/* "EBUSY" of -EBUSY or EBUSY; "errno 200" for what has no name here. Returns buf or a literal. */
const char *text_errno(int err, char buf[TEXT_NUMBER]);

/* Items on one line, going on on the next, indented, where the columns end. */
struct text_flow {
	FILE *out;
	unsigned int columns;
	unsigned int at;     /* columns taken on this line, 0 = none begun */
	unsigned int indent; /* of every line but the first, which has one blank */
	unsigned int gap;
};
struct text_flow text_flow_new(FILE *out, const struct view *view, unsigned int gap);
void text_flow_item(struct text_flow *flow, const struct view *view, enum text_class class,
		    const char *text);
void text_flow_end(struct text_flow *flow);

#endif
