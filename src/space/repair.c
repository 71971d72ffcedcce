/* SPDX-License-Identifier: GPL-2.0-only */
#include "space/repair.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

struct repair {
	const struct space *space;
	const struct compare_result *settled;
	struct event *lines;
	uint32_t count;
	uint32_t capacity;
};

static int add_line(struct repair *repair, const struct event *line)
{
	if (repair->count == repair->capacity) {
		uint32_t capacity = repair->capacity ? repair->capacity * 2 : 256;
		struct event *lines = realloc(repair->lines, (size_t)capacity * sizeof(*lines));

		if (!lines)
			return -ENOMEM;
		repair->lines = lines;
		repair->capacity = capacity;
	}
	repair->lines[repair->count++] = *line;
	return 0;
}

/* True if a used area that begins here differs, in every look. */
static bool is_settled(const struct repair *repair, uint32_t start)
{
	const struct compare_result *settled = repair->settled;

	for (uint32_t i = 0; i < settled->nr_diffs; i++) {
		if (settled->diffs[i].type != DIFF_LAZY && settled->diffs[i].start == start)
			return true;
	}
	return false;
}

static bool model_has(const struct repair *repair, const struct event *line)
{
	const struct area *area = space_area_at(repair->space, line->start);

	return area && area->state == AREA_USED && area->start == line->start &&
	       area->end == line->end;
}

/* True if the page is of a used area that stays. */
static bool is_kept(const struct repair *repair, uint32_t addr)
{
	const struct area *area = space_area_at(repair->space, addr);

	return area && area->state == AREA_USED && !is_settled(repair, area->start);
}

static int add_lazy(struct repair *repair, const struct event *line)
{
	struct event part = *line;
	int err = 0;

	for (uint32_t at = line->start; at < line->end && !err;) {
		part.start = at;
		while (at < line->end && !is_kept(repair, at))
			at += VMT_PAGE_SIZE;
		part.end = at;
		if (part.end > part.start)
			err = add_line(repair, &part);
		else
			at += VMT_PAGE_SIZE;
	}
	return err;
}

static int add_listed(struct repair *repair, const struct event *listed, uint32_t count)
{
	int err = 0;

	for (uint32_t i = 0; i < count && !err; i++) {
		const struct event *line = &listed[i];

		if (line->state == AREA_LAZY)
			err = add_lazy(repair, line);
		else if (model_has(repair, line) || is_settled(repair, line->start))
			err = add_line(repair, line);
	}
	return err;
}

/* The model's own areas as the list would have them: merged, such a line changes nothing. */
static int add_kept(struct repair *repair, uint64_t begin_ns, uint64_t t_ns)
{
	const struct area *area = space_first(repair->space, space_start(repair->space));
	int err = 0;

	for (; area && !err; area = space_first(repair->space, area->end)) {
		struct event line = {
			.type = EV_AREA,
			.t_ns = t_ns,
			.begin_ns = begin_ns,
			.start = area->start,
			.end = area->end,
			.caller_id = area_caller(area),
			.nr_pages = area->nr_pages,
			.state = AREA_USED,
			.kind = area->kind,
			.guard_pages = area->guard_pages,
		};

		if (area->state == AREA_USED && !is_settled(repair, area->start))
			err = add_line(repair, &line);
	}
	return err;
}

int repair_list(const struct space *space, const struct compare_result *settled,
		const struct event *listed, uint32_t count, uint64_t begin_ns, uint64_t t_ns,
		struct event **lines, uint32_t *nr_lines)
{
	struct repair repair = { .space = space, .settled = settled };
	int err = add_kept(&repair, begin_ns, t_ns);

	if (!err)
		err = add_listed(&repair, listed, count);
	if (err) {
		free(repair.lines);
		return err;
	}
	*lines = repair.lines;
	*nr_lines = repair.count;
	return 0;
}
