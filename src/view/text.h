/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The views as text for a person: at most 80 columns unless told otherwise, plain ASCII, no
 * escapes unless color. Numbers first, map second. When space_uncertain(), every number derived
 * from the map carries a '~'.
 */
#ifndef VMTRACE_VIEW_TEXT_H
#define VMTRACE_VIEW_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#include "space/compare.h"
#include "space/filter.h"
#include "space/holes.h"
#include "space/names.h"
#include "space/owners.h"
#include "space/space.h"
#include "space/stacks.h"
#include "space/trend.h"
#include "view/facts.h"

struct text_style {
	unsigned int columns; /* 80 if not a terminal; 0 = laid out as 80, but nothing is cut */
	bool color;
};

/* Everything a view reads. */
struct debug_files;

struct view {
	const struct space *space;
	struct names *names; /* grows by labels */
	const struct stacks *stacks;
	const struct view_facts *facts;
	struct text_style style;
	const struct trend *trend;   /* NULL = none was kept */
	const struct filter *filter; /* of the lists of areas and owners; NULL = all */
	struct debug_files *debug;   /* NULL = no --vmlinux */
};

/* Two or three lines: totals, largest hole, fragmentation, failures, loss. */
void text_summary(FILE *out, const struct view *view);

/* What differs between the map and the kernel's list. healed: areas that later events put right. */
void text_verify(FILE *out, const struct compare_result *result,
		 const struct space_counters *counters, uint64_t healed);

/* One row per address range: address, cells, used%. '#' used, '%' mixed, '~' lazy, '.' free,
 * '?' unknown, '@' vmtrace's own; legend included; rows <= max_rows by choosing the cell size. */
void text_map(FILE *out, const struct view *view, unsigned int max_rows);

/* `map --areas` in full: summary, map of 16 rows, then one line per area: range, size, guard,
 * state, kind, age (">": it was there before; lazy: since it was freed), owner, task. With a filter
 * only those that pass, and how many. */
void text_areas(FILE *out, const struct view *view);

/* The heading and one line of that list; kind_width: columns for the kind, 8 are enough for most.
 */
void text_area_heading(FILE *out, const struct view *view, unsigned int kind_width);
void text_area_row(FILE *out, const struct view *view, const struct area *area,
		   unsigned int kind_width);

/* Totals; log2 histogram with count, bytes and bar (log2 too); the `top` largest holes with both
 * neighbours; the largest after a purge; the trend. */
void text_holes(FILE *out, const struct view *view, unsigned int top);
/* The trend in at most 12 rows, and the slope of the largest hole; one line if there is none. */
void text_trend(FILE *out, const struct view *view);
/* The histogram alone, for live: factor 4 a bucket, two buckets a line. */
void text_hole_histogram(FILE *out, const struct view *view);

/* In words, up to three lines: the guard pages of all areas, those of one-page areas, and what was
 * allocated but not asked for. Nothing without areas. */
void text_waste(FILE *out, const struct view *view);

/* Owner table: bytes, areas, guard, oldest, kind, label; sorted by guard or waste it has the
 * guard's share and the waste ('+': of some areas it is not known) in place of the oldest, and
 * text_waste below. BY_STACK prints the frames below each row. */
void text_top(FILE *out, const struct view *view, enum owners_by by, enum owners_sort sort,
	      unsigned int top);

/* One line for one event ("+1.002345 alloc f7849000-f784b000 8.0K vmalloc insmod[108] frame");
 * base_ns is subtracted from its time. with_stack prints the frames below, indented.
 * EV_STACK and EV_TIME print nothing. FAIL's range is the one that was searched. */
void text_event(FILE *out, const struct view *view, const struct event *event, uint64_t base_ns,
		bool with_stack);

/* The block that live prints every interval: a header line with the time since start, summary,
 * last failure if any (last_fail may be NULL) with its verdict, map of at most 8 rows, hole
 * histogram, top owners. */
void text_live(FILE *out, const struct view *view, const struct event *last_fail,
	       const char *verdict, unsigned int top);

#endif
