// SPDX-License-Identifier: GPL-2.0-only
#include "view/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "space/kind.h"
#include "units.h"
#include "view/pick.h"
#include "view/text_util.h"

#define KIND_WIDTH_MAX 13u
#define MAP_ROWS       16u

/* Width of the kind column: that of the longest name that occurs. */
static unsigned int measure_kind(const struct view *view)
{
	const struct area *area = space_first(view->space, space_start(view->space));
	size_t width = 4;

	for (; area; area = space_first(view->space, area->end)) {
		size_t len = strlen(kind_name(area->kind));

		if (len > width)
			width = len > KIND_WIDTH_MAX ? KIND_WIDTH_MAX : len;
	}
	return (unsigned int)width;
}

/* Of a used area since its birth (">": it is older, it was there before), of a lazy one since it
 * was freed. */
static const char *age_text(const struct view *view, const struct area *area, char buf[TEXT_NUMBER])
{
	bool lazy = area->state == AREA_LAZY;
	bool older = !lazy && area->flags & AREA_F_SEEDED;
	char number[16];

	units_duration(text_age(view, lazy ? area->free_ns : area->birth_ns), number,
		       sizeof(number));
	snprintf(buf, TEXT_NUMBER, "%s%s", older ? ">" : "", number);
	return buf;
}

static enum text_class area_class(const struct area *area)
{
	if (area->flags & AREA_F_OWN)
		return TEXT_OWN;
	return area->state == AREA_LAZY ? TEXT_LAZY : TEXT_PLAIN;
}

/* The owner before the task, since it says more where the columns end. */
static const char *who_text(const struct view *view, const struct area *area, char *buf, size_t len)
{
	char task[TEXT_TASK], label[TEXT_LABEL];
	bool known = area->pid || area->comm_id;

	snprintf(buf, len, "%s%s%s%s", area->flags & AREA_F_OWN ? "@ " : "",
		 text_owner(view, area, label), known ? "  " : "",
		 known ? text_task(view, area->pid, area->comm_id, task) : "");
	return buf;
}

void text_area_row(FILE *out, const struct view *view, const struct area *area,
		   unsigned int kind_width)
{
	enum text_class class = area_class(area);
	char number[TEXT_NUMBER], who[TEXT_LABEL + TEXT_TASK + 8];

	if (class != TEXT_PLAIN)
		text_color(out, view, class);
	fprintf(out, " %08" PRIx32 "-%08" PRIx32 " %6s", area->start, area->end,
		units_bytes(area->end - area->start, number, sizeof(number)));
	units_bytes(area->guard_pages * VMT_PAGE_SIZE, number, sizeof(number));
	fprintf(out, " %5s %-5s ", area->guard_pages ? number : "-",
		area->state == AREA_LAZY ? "lazy" : "used");
	text_field(out, kind_name(area->kind), kind_width);
	fprintf(out, " %7.7s ", age_text(view, area, number));
	if (class != TEXT_PLAIN)
		text_color(out, view, TEXT_PLAIN);
	text_last(out, view, who_text(view, area, who, sizeof(who)), 47 + kind_width);
}

void text_area_heading(FILE *out, const struct view *view, unsigned int kind_width)
{
	char line[120];

	snprintf(line, sizeof(line), " %-17s %6s %5s %-5s %-*s %7s %s", "RANGE", "SIZE", "GUARD",
		 "STATE", (int)kind_width, "KIND", "AGE", "OWNER, TASK");
	text_last(out, view, line, 0);
}

static void print_areas(FILE *out, const struct view *view)
{
	const struct area *area = space_first(view->space, space_start(view->space));
	struct filter_base base = pick_base(view);
	unsigned int kind_width = measure_kind(view);

	pick_text(out, view, true);
	if (!area) {
		fputs(" no areas\n", out);
		return;
	}
	text_area_heading(out, view, kind_width);
	for (; area; area = space_first(view->space, area->end)) {
		if (filter_area(view->filter, &base, area))
			text_area_row(out, view, area, kind_width);
	}
}

void text_areas(FILE *out, const struct view *view)
{
	text_summary(out, view);
	text_map(out, view, MAP_ROWS);
	print_areas(out, view);
}
