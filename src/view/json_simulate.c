// SPDX-License-Identifier: GPL-2.0-only
#include "view/simulate.h"

#include "record/json_put.h"
#include "space/kind.h"

static void put_failure(struct json_put *put, const struct simulate_view *view,
			const struct simulation_failure *failure)
{
	struct json_put first;

	if (!failure->t_ns) {
		json_put_value(put, "first_failure", json_null());
		return;
	}
	first = json_put_new();
	json_put_uint(&first, "t", failure->t_ns);
	json_put_uint(&first, "size", failure->size);
	json_put_uint(&first, "align", failure->align);
	json_put_text(&first, "kind", kind_name(failure->kind));
	json_put_uint(&first, "pid", failure->pid);
	json_put_text(&first, "comm", names_text(view->names, failure->comm_id));
	json_put_bool(&first, "recorded", failure->recorded);
	json_put_frames(&first, "stack", view->names, stacks_get(view->stacks, failure->stack_id));
	put->failed |= first.failed;
	json_put_value(put, "first_failure", first.object);
}

static void put_extremes(struct json_put *put, const struct simulation_result *result)
{
	json_put_uint(put, "max_used_bytes", result->max_used_bytes);
	json_put_uint(put, "max_lazy_bytes", result->max_lazy_bytes);
	json_put_uint(put, "min_largest_hole_bytes", result->min_largest_bytes);
	json_put_uint(put, "min_largest_hole_after_purge_bytes", result->min_largest_purged_bytes);
	json_put_uint(put, "min_largest_hole_after_purge_t", result->min_largest_t_ns);
	json_put_uint(put, "largest_hole_bytes", result->largest_bytes);
	json_put_uint(put, "largest_hole_after_purge_bytes", result->largest_purged_bytes);
	json_put_uint(put, "used_bytes", result->used_bytes);
	json_put_uint(put, "lazy_bytes", result->lazy_bytes);
}

static void append_row(struct json_put *outer, json_t *array, const struct simulate_view *view,
		       const struct simulation_result *row)
{
	struct json_put put = json_put_new();

	json_put_uint(&put, "vmalloc_bytes", row->options.bytes);
	json_put_addr(&put, "vmalloc_start", row->start);
	json_put_uint(&put, "low_memory_bytes", sizing_low_bytes(view->sizing, row->options.bytes));
	json_put_bool(&put, "enough", sizing_row_ok(view->sizing, row));
	json_put_uint(&put, "failures_stay", row->fails_stay);
	json_put_uint(&put, "failures_gone", row->fails_gone);
	json_put_uint(&put, "failures_new", row->fails_new);
	json_put_uint(&put, "retries", row->retries);
	json_put_uint(&put, "seeds_moved", row->seeds_moved);
	json_put_uint(&put, "seeds_failed", row->seeds_failed);
	json_put_uint(&put, "held_bytes", row->held_bytes);
	json_put_uint(&put, "purges_overflow", row->purges_overflow);
	json_put_uint(&put, "purges_threshold", row->purges_threshold);
	json_put_uint(&put, "purges_recorded", row->purges_recorded);
	put_extremes(&put, row);
	put_failure(&put, view, &row->first);
	json_put_append(outer, array, &put);
}

static void put_rows(struct json_put *put, const char *key, const struct simulate_view *view,
		     enum sizing_mode mode)
{
	const struct sizing_table *table = &view->sizing->tables[mode];
	json_t *array = json_array();

	for (uint32_t i = 0; i < table->count; i++)
		append_row(put, array, view, &table->rows[i]);
	json_put_value(put, key, array);
}

static void put_missed(struct json_put *put, const struct simulate_recorded *facts)
{
	static const char *const keys[SIMULATE_CAUSE_COUNT] = {
		[SIMULATE_RACED] = "raced",     [SIMULATE_PURGING] = "purging",
		[SIMULATE_ALIGNED] = "aligned", [SIMULATE_NO_ENTRY] = "request_unknown",
		[SIMULATE_LOST] = "lost",       [SIMULATE_OTHER] = "other",
	};
	struct json_put missed = json_put_new();

	for (int i = 0; i < SIMULATE_CAUSE_COUNT; i++)
		json_put_uint(&missed, keys[i], facts->missed[i]);
	put->failed |= missed.failed;
	json_put_value(put, "not_predicted", missed.object);
}

static void put_model(struct json_put *outer, const struct simulate_view *view)
{
	const struct simulate_recorded *facts = &view->sizing->facts;
	const struct simulation_result *running = &view->sizing->free_running;
	struct json_put put = json_put_new();

	json_put_uint(&put, "allocations", facts->allocs);
	json_put_uint(&put, "predicted", facts->exact + facts->exact_reordered);
	json_put_uint(&put, "predicted_in_recorded_order", facts->exact);
	json_put_uint(&put, "reordered", facts->reordered);
	put_missed(&put, facts);
	json_put_uint(&put, "failures_predicted", facts->fails_predicted);
	json_put_uint(&put, "free_running_same_address", running->same_address);
	json_put_uint(&put, "free_running_failures", running->fails_stay);
	json_put_uint(&put, "free_running_failures_new", running->fails_new);
	json_put_uint(&put, "largest_hole_mean_difference_bytes",
		      facts->curve_points ? facts->curve_sum_bytes / facts->curve_points : 0);
	json_put_uint(&put, "largest_hole_max_difference_bytes", facts->curve_max_bytes);
	outer->failed |= put.failed;
	json_put_value(outer, "model", put.object);
}

static void put_recorded(struct json_put *outer, const struct simulate_view *view)
{
	const struct simulate_recorded *facts = &view->sizing->facts;
	uint32_t bytes = view->header->vmalloc_end - view->header->vmalloc_start;
	struct json_put put = json_put_new();

	json_put_text(&put, "kernel", view->header->kernel);
	json_put_uint(&put, "cpus", view->header->cpus);
	json_put_addr(&put, "vmalloc_start", view->header->vmalloc_start);
	json_put_addr(&put, "vmalloc_end", view->header->vmalloc_end);
	json_put_uint(&put, "vmalloc_bytes", bytes);
	json_put_uint(&put, "low_memory_bytes", sizing_low_bytes(view->sizing, bytes));
	json_put_uint(&put, "events", view->events);
	json_put_uint(&put, "duration_ns", facts->end_ns - facts->begin_ns);
	json_put_bool(&put, "complete", !view->cut_off);
	json_put_uint(&put, "failures", facts->fails);
	json_put_uint(&put, "failures_not_of_addresses", facts->fails_pages);
	json_put_uint(&put, "lost_events", facts->lost);
	json_put_uint(&put, "lost_allocations", facts->lost_allocs);
	json_put_uint(&put, "lost_frees", facts->lost_frees);
	json_put_uint(&put, "purges_overflow", facts->purges_overflow);
	json_put_uint(&put, "purges_threshold", facts->purges_threshold);
	json_put_uint(&put, "purges_other", facts->purges_other);
	put_extremes(&put, &view->sizing->truth);
	outer->failed |= put.failed;
	json_put_value(outer, "recorded", put.object);
}

/* null: no size that was tried is enough, or it was not asked. */
static void put_answer(struct json_put *put, const char *key, const struct simulate_view *view,
		       enum sizing_mode mode)
{
	uint32_t bytes = view->sizing->tables[mode].answer_bytes;

	json_put_value(put, key, bytes ? json_integer(bytes) : json_null());
}

int json_simulate(FILE *out, const struct simulate_view *view)
{
	struct json_put put = json_put_new();

	put_answer(&put, "enough_bytes", view, SIZING_RETRIES);
	put_answer(&put, "enough_each_failure_bytes", view, SIZING_EACH);
	json_put_uint(&put, "cpus", view->sizing->cpus);
	put_recorded(&put, view);
	put_model(&put, view);
	put_rows(&put, "sizes", view, SIZING_RETRIES);
	put_rows(&put, "sizes_each_failure", view, SIZING_EACH);
	return json_put_line(out, &put);
}
