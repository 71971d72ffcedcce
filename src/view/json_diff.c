// SPDX-License-Identifier: GPL-2.0-only
#include "view/diff.h"

#include <errno.h>

#include "record/json_put.h"
#include "space/holes.h"
#include "space/kind.h"
#include "view/json_util.h"
#include "view/text_util.h"

static const char *const side_keys[DIFF_SIDES] = { "a", "b" };

static void put_int(struct json_put *put, const char *key, int64_t value)
{
	json_put_value(put, key, json_integer(value));
}

static void put_object(struct json_put *outer, const char *key, struct json_put *put)
{
	outer->failed |= put->failed;
	json_put_value(outer, key, put->object);
	put->object = NULL;
}

/* The sums of one side, with the names that `map --json` has. */
static void put_source(struct json_put *outer, const struct diff_source *source, const char *key,
		       const struct holes_report *report)
{
	struct space_totals totals = space_totals(source->view.space);
	struct json_put put = json_put_new();

	if (source->name)
		json_put_text(&put, "file", source->name);
	json_put_bool(&put, "live", !source->name);
	json_put_uint(&put, "at_ns", source->at_ns);
	json_put_bool(&put, "at_end", source->at_end);
	json_put_text(&put, "kernel", source->view.facts->kernel);
	json_put_totals(&put, &totals);
	json_put_uint(&put, "areas", totals.areas);
	json_put_uint(&put, "largest_hole_bytes", report->largest.end - report->largest.start);
	json_put_uint(&put, "largest_hole_after_purge_bytes",
		      report->largest_after_purge.end - report->largest_after_purge.start);
	json_put_uint(&put, "holes", report->count);
	json_put_real(&put, "fragmentation", holes_fragmentation(report));
	json_put_uint(&put, "lost_events", space_counters(source->view.space)->lost);
	json_put_bool(&put, "uncertain", space_uncertain(source->view.space));
	put_object(outer, key, &put);
}

static void put_hole_sizes(struct json_put *outer, const struct holes_report reports[DIFF_SIDES])
{
	json_t *array = json_array();

	for (unsigned int i = 0; i < HOLES_BUCKETS; i++) {
		struct json_put put = json_put_new();

		json_put_uint(&put, "from_bytes", (uint64_t)VMT_PAGE_SIZE << i);
		json_put_uint(&put, "below_bytes", (uint64_t)VMT_PAGE_SIZE << (i + 1));
		json_put_uint(&put, "a_holes", reports[DIFF_A].bucket_count[i]);
		json_put_uint(&put, "b_holes", reports[DIFF_B].bucket_count[i]);
		json_put_uint(&put, "a_bytes", reports[DIFF_A].bucket_bytes[i]);
		json_put_uint(&put, "b_bytes", reports[DIFF_B].bucket_bytes[i]);
		json_put_append(outer, array, &put);
	}
	json_put_value(outer, "hole_sizes", array);
}

static void append_row(struct json_put *outer, json_t *array, const struct diff_view *diff,
		       const struct diff_row *row)
{
	const struct view *view = &diff->sources[row->stack_side].view;
	struct json_put put = json_put_new();

	json_put_text(&put, "owner", row->label);
	json_put_text(&put, "kind", kind_name(row->kind));
	put_int(&put, "change_bytes", diff_bytes(row));
	json_put_uint(&put, "a_bytes", row->bytes[DIFF_A]);
	json_put_uint(&put, "b_bytes", row->bytes[DIFF_B]);
	put_int(&put, "change_areas", diff_areas(row));
	json_put_uint(&put, "a_areas", row->areas[DIFF_A]);
	json_put_uint(&put, "b_areas", row->areas[DIFF_B]);
	json_put_frames(&put, "stack", view->names, stacks_get(view->stacks, row->stack_id));
	json_put_append(outer, array, &put);
}

static void put_owners(struct json_put *put, const struct diff_view *diff,
		       const struct diff_rows *rows)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < rows->count && i < diff->top; i++)
		append_row(put, array, diff, &rows->list[i]);
	json_put_value(put, "owners", array);
}

int json_diff(FILE *out, const struct diff_view *diff)
{
	struct holes_report reports[DIFF_SIDES];
	struct diff_map maps[DIFF_SIDES];
	struct diff_rows rows;
	struct json_put put;
	int err;

	for (unsigned int side = 0; side < DIFF_SIDES; side++) {
		const struct view *view = &diff->sources[side].view;

		maps[side] = (struct diff_map){ view->space, view->names, view->stacks };
		holes_report(view->space, &reports[side]);
	}
	err = diff_owners(maps, diff->by, diff->sort, &rows);
	if (err)
		return err;
	put = json_put_new();
	json_put_text(&put, "change", "b - a");
	for (unsigned int side = 0; side < DIFF_SIDES; side++)
		put_source(&put, &diff->sources[side], side_keys[side], &reports[side]);
	put_hole_sizes(&put, reports);
	json_put_text(&put, "by", text_by_name(diff->by));
	json_put_text(&put, "sort", text_sort_name(diff->sort));
	json_put_uint(&put, "owners_changed", rows.count);
	json_put_uint(&put, "owners_unchanged", rows.unchanged);
	put_owners(&put, diff, &rows);
	diff_release(&rows);
	return json_put_line(out, &put);
}
