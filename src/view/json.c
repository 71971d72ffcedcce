// SPDX-License-Identifier: GPL-2.0-only
#include "view/json.h"

#include <errno.h>

#include "space/kind.h"
#include "space/waste.h"
#include "view/json_util.h"
#include "view/pick.h"
#include "view/text_util.h"

static void put_area_task(struct json_put *put, const struct view *view, const struct area *area)
{
	json_put_uint(put, "pid", area->pid);
	json_put_text(put, "comm", names_text(view->names, area->comm_id));
	json_put_text(put, "owner", json_owner_name(view, area));
	if (area_stack(area))
		json_put_frames(put, "stack", view->names,
				stacks_get(view->stacks, area_stack(area)));
}

static void put_area_freer(struct json_put *put, const struct view *view, const struct area *area)
{
	if (area->state != AREA_LAZY)
		return;
	json_put_uint(put, "freed_ago_ns", text_age(view, area->free_ns));
	json_put_uint(put, "freer_pid", area->freer_pid);
	json_put_text(put, "freer_comm", names_text(view->names, area->freer_comm));
	json_put_text(put, "freer_caller", names_text(view->names, area->freer_caller));
}

static void append_area(struct json_put *outer, json_t *array, const struct view *view,
			const struct area *area)
{
	struct json_put put = json_put_new();

	json_put_addr(&put, "start", area->start);
	json_put_addr(&put, "end", area->end);
	json_put_uint(&put, "bytes", area->end - area->start);
	json_put_uint(&put, "guard_pages", area->guard_pages);
	json_put_text(&put, "state", area->state == AREA_LAZY ? "lazy" : "used");
	json_put_text(&put, "kind", kind_name(area->kind));
	json_put_uint(&put, "age_ns", text_age(view, area->birth_ns));
	json_put_bool(&put, "seeded", area->flags & AREA_F_SEEDED);
	json_put_bool(&put, "own", area->flags & AREA_F_OWN);
	put_area_task(&put, view, area);
	json_put_opt_uint(&put, "requested", area->requested);
	json_put_opt_uint(&put, "align", area_align(area));
	json_put_opt_uint(&put, "nr_pages", area->nr_pages);
	put_area_freer(&put, view, area);
	json_put_append(outer, array, &put);
}

static void put_areas(struct json_put *put, const struct view *view)
{
	const struct area *area = space_first(view->space, space_start(view->space));
	struct filter_base base = pick_base(view);
	json_t *array = json_array();

	for (; area; area = space_first(view->space, area->end)) {
		if (filter_area(view->filter, &base, area))
			append_area(put, array, view, area);
	}
	json_put_value(put, "areas_list", array);
}

int json_map(FILE *out, const struct view *view)
{
	struct space_totals totals = space_totals(view->space);
	struct json_put put = json_put_new();
	struct waste_report waste;
	struct holes_report report;

	holes_report(view->space, &report);
	waste_report(view->space, &waste);
	json_put_totals(&put, &totals);
	json_put_largest(&put, &report);
	json_put_uint(&put, "areas", totals.areas);
	json_put_uint(&put, "holes", report.count);
	json_put_trust(&put, view);
	json_put_text(&put, "kernel", view->facts->kernel ? view->facts->kernel : "");
	json_put_uint(&put, "lazy_areas", totals.lazy_areas);
	json_put_uint(&put, "own_bytes", totals.own_bytes);
	json_put_real(&put, "fragmentation", holes_fragmentation(&report));
	json_put_uint(&put, "failed", space_counters(view->space)->fails);
	json_put_uint(&put, "repaired", space_counters(view->space)->repaired);
	json_put_uint(&put, "waste_bytes", waste.waste_bytes);
	json_put_uint(&put, "waste_known_areas", waste.known_areas);
	pick_json(&put, view, true);
	put_areas(&put, view);
	return json_put_line(out, &put);
}

static void append_owner(struct json_put *outer, json_t *array, const struct view *view,
			 const struct owner *owner)
{
	struct json_put put = json_put_new();
	const char *name = names_text(view->names, owner->name_id);

	json_put_text(&put, "owner", *name ? name : "?");
	json_put_text(&put, "kind", kind_name(owner->kind));
	json_put_uint(&put, "live_bytes", owner->live_bytes);
	json_put_uint(&put, "areas", owner->areas);
	json_put_uint(&put, "guard_bytes", owner->guard_bytes);
	json_put_uint(&put, "waste_bytes", owner->waste_bytes);
	json_put_uint(&put, "waste_known", owner->waste_known);
	json_put_uint(&put, "oldest_age_ns", text_age(view, owner->oldest_birth_ns));
	json_put_uint(&put, "own_areas", owner->own_areas);
	json_put_frames(&put, "stack", view->names, stacks_get(view->stacks, owner->stack_id));
	json_put_append(outer, array, &put);
}

int json_top(FILE *out, const struct view *view, enum owners_by by, enum owners_sort sort,
	     unsigned int top)
{
	struct json_put put;
	struct owners owners;
	json_t *array;
	uint32_t i;

	if (owners_collect_some(view->space, view->names, view->stacks, by, sort, pick_area,
				(void *)view, &owners) < 0)
		return -ENOMEM;
	put = json_put_new();
	json_put_text(&put, "by", text_by_name(by));
	json_put_text(&put, "sort", text_sort_name(sort));
	pick_json(&put, view, false);
	json_put_trust(&put, view);
	json_put_uint(&put, "owners_total", owners.count);
	array = json_array();
	for (i = 0; i < owners.count && i < top; i++)
		append_owner(&put, array, view, &owners.list[i]);
	json_put_value(&put, "owners", array);
	owners_free(&owners);
	return json_put_line(out, &put);
}

static void put_diffs(struct json_put *put, const struct compare_result *result)
{
	static const char *const types[] = {
		[DIFF_MISSING] = "missing",
		[DIFF_EXTRA] = "extra",
		[DIFF_MISMATCH] = "mismatched",
		[DIFF_LAZY] = "lazy",
	};
	json_t *array = json_array();
	uint32_t i;

	for (i = 0; i < result->nr_diffs; i++) {
		const struct diff *diff = &result->diffs[i];
		struct json_put entry = json_put_new();

		json_put_text(&entry, "type", types[diff->type]);
		json_put_addr(&entry, "start", diff->start);
		json_put_opt_addr(&entry, "model_end", diff->model_end);
		json_put_opt_addr(&entry, "kernel_end", diff->kernel_end);
		json_put_append(put, array, &entry);
	}
	json_put_value(put, "differences", array);
}

int json_verify(FILE *out, const struct compare_result *result,
		const struct space_counters *counters, unsigned int tries, uint32_t reconciles)
{
	struct json_put put = json_put_new();

	json_put_uint(&put, "areas_model", result->areas_model);
	json_put_uint(&put, "areas_kernel", result->areas_kernel);
	json_put_uint(&put, "missing", result->missing);
	json_put_uint(&put, "extra", result->extra);
	json_put_uint(&put, "mismatched", result->mismatched);
	json_put_uint(&put, "lazy_model_bytes", result->lazy_model_bytes);
	json_put_uint(&put, "lazy_kernel_bytes", result->lazy_kernel_bytes);
	json_put_uint(&put, "lazy_diff_bytes", result->lazy_diff_bytes);
	json_put_uint(&put, "allocations", counters->allocs);
	json_put_uint(&put, "frees", counters->frees);
	json_put_uint(&put, "purges", counters->purges);
	json_put_uint(&put, "failed", counters->fails);
	json_put_uint(&put, "lost_events", counters->lost);
	json_put_uint(&put, "healed", space_healed(counters));
	json_put_uint(&put, "repaired", counters->repaired);
	json_put_uint(&put, "lazy_settled", counters->lazy_settled);
	json_put_uint(&put, "reconciles", reconciles);
	json_put_uint(&put, "tries", tries);
	json_put_uint(&put, "in_flight", result->in_flight);
	put_diffs(&put, result);
	return json_put_line(out, &put);
}
