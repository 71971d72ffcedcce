// SPDX-License-Identifier: GPL-2.0-only
#include "view/pick.h"

#include <inttypes.h>

#include "view/text_util.h"

struct sum {
	uint32_t areas;
	uint32_t bytes;
	uint32_t all; /* areas, whether they pass or not */
};

struct filter_base pick_base(const struct view *view)
{
	return (struct filter_base){ .names = view->names,
				     .stacks = view->stacks,
				     .now_ns = view->facts->now_ns };
}

bool pick_area(void *context, const struct area *area)
{
	const struct view *view = context;
	struct filter_base base = pick_base(view);

	return filter_area(view->filter, &base, area);
}

static struct sum sum_up(const struct view *view, bool lazy_too)
{
	struct filter_base base = pick_base(view);
	struct sum sum = { 0 };
	const struct area *area;

	for (area = space_first(view->space, space_start(view->space)); area;
	     area = space_first(view->space, area->end)) {
		if (area->state != AREA_USED && !lazy_too)
			continue;
		sum.all++;
		if (!filter_area(view->filter, &base, area))
			continue;
		sum.areas++;
		sum.bytes += area->end - area->start;
	}
	return sum;
}

void pick_text(FILE *out, const struct view *view, bool lazy_too)
{
	char count[TEXT_NUMBER], all[TEXT_NUMBER], bytes[TEXT_NUMBER], label[TEXT_LABEL];
	struct sum sum;
	int used;

	if (!view->filter)
		return;
	sum = sum_up(view, lazy_too);
	used = fprintf(out, " %s of %s areas, %s: ", text_count(view, sum.areas, count),
		       text_count(view, sum.all, all), text_bytes(view, sum.bytes, bytes));
	text_last(out, view, text_ascii(filter_text(view->filter), label, sizeof(label)),
		  used > 0 ? (unsigned int)used : 0);
}

void pick_json(struct json_put *put, const struct view *view, bool lazy_too)
{
	struct sum sum;

	if (!view->filter)
		return;
	sum = sum_up(view, lazy_too);
	json_put_text(put, "filter", filter_text(view->filter));
	json_put_uint(put, "filter_areas", sum.areas);
	json_put_uint(put, "filter_bytes", sum.bytes);
}
