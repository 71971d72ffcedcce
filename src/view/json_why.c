/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>

#include "record/json_put.h"
#include "space/kind.h"
#include "view/json_util.h"
#include "view/why.h"
#include "view/why_words.h"

static const char *name_of(const struct view *view, uint32_t id)
{
	const char *name = names_text(view->names, id);

	return *name ? name : "?";
}

static void put_object(struct json_put *outer, const char *key, struct json_put *put)
{
	if (put->failed) {
		outer->failed = true;
		json_decref(put->object);
		return;
	}
	json_put_value(outer, key, put->object);
}

/* ---- the request ---------------------------------------------------------------------------- */

static void put_requester(struct json_put *put, const struct view *view, const struct event *event)
{
	struct area area = { .origin = area_origin(event->stack_id, 0), .kind = event->kind };
	struct stack stack = stacks_get(view->stacks, event->stack_id);

	json_put_uint(put, "pid", event->pid);
	json_put_text(put, "comm", names_text(view->names, event->comm_id));
	json_put_text(put, "function", name_of(view, kind_owner_frame(view->names, stack)));
	json_put_text(
		put, "module",
		name_of(view, owners_label(&area, view->names, view->stacks, OWNERS_BY_MODULE)));
	json_put_frames(put, "stack", view->names, stack);
}

static void put_request(struct json_put *put, const struct failure *failure)
{
	const struct event *event = &failure->event;
	const struct diagnosis *d = &failure->diagnosis;

	json_put_uint(put, "size", d->verdict ? d->request.size : event->size);
	json_put_opt_uint(put, "requested", event->requested);
	json_put_uint(put, "guard_bytes", d->guard_bytes);
	json_put_uint(put, "align", event->align);
	json_put_text(put, "kind", kind_name(event->kind));
	json_put_opt_addr(put, "vstart", event->vstart);
	json_put_opt_addr(put, "vend", event->vend);
	json_put_uint(put, "errno", (uint64_t)(event->err < 0 ? -(int64_t)event->err : event->err));
}

static void put_times(struct json_put *put, const struct why_report *report,
		      const struct failure *failure)
{
	json_put_text(put, "source", report->from_log ? "kernel-log" : "events");
	json_put_text(put, "state", report->from_log ? "now" : "then");
	json_put_uint(put, "t", failure->diagnosis.t_ns);
	json_put_uint(put, "first", failure->first_ns);
	json_put_uint(put, "last", failure->last_ns);
	json_put_uint(put, "count", failure->count);
}

/* ---- the space ------------------------------------------------------------------------------ */

static void put_space(struct json_put *outer, const struct diagnosis *d)
{
	struct json_put put = json_put_new();

	json_put_states(&put, &d->totals);
	json_put_uint(&put, "areas", d->totals.areas);
	put_object(outer, "space", &put);
}

static void put_range(struct json_put *outer, const struct diagnosis *d)
{
	struct json_put put = json_put_new();

	json_put_addr(&put, "start", d->request.vstart);
	json_put_addr(&put, "end", d->request.vend);
	json_put_uint(&put, "bytes", d->range_bytes);
	json_put_uint(&put, "free_bytes", d->free_bytes);
	json_put_uint(&put, "lazy_bytes", d->lazy_bytes);
	json_put_uint(&put, "largest_hole_bytes", why_hole(&d->largest));
	json_put_addr(&put, "largest_hole_start", d->largest.start);
	json_put_uint(&put, "largest_hole_after_purge_bytes", why_hole(&d->after_purge));
	json_put_addr(&put, "largest_hole_after_purge_start", d->after_purge.start);
	put_object(outer, "range", &put);
}

static void append_holder(struct json_put *outer, json_t *array, const struct view *view,
			  const struct diagnosis *d, const struct holder *holder)
{
	struct json_put put = json_put_new();

	json_put_text(&put, "function", name_of(view, holder->label_id));
	json_put_text(&put, "module", name_of(view, holder->module_id));
	json_put_text(&put, "kind", kind_name(holder->kind));
	json_put_uint(&put, "areas", holder->areas);
	json_put_uint(&put, "bytes", holder->bytes);
	json_put_uint(&put, "oldest_age_ns",
		      d->t_ns > holder->oldest_birth_ns ? d->t_ns - holder->oldest_birth_ns : 0);
	json_put_bool(&put, "seeded", holder->seeded);
	json_put_bool(&put, "own", holder->own);
	json_put_append(outer, array, &put);
}

/* The list, and how much more there is. */
static void put_holders(struct json_put *put, const char *key, const struct view *view,
			const struct diagnosis *d, const struct diagnosis_list *list)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < list->count; i++)
		append_holder(put, array, view, d, &list->list[i]);
	json_put_value(put, key, array);
}

static void put_window(struct json_put *outer, const struct view *view, const struct diagnosis *d)
{
	struct json_put put = json_put_new();

	json_put_addr(&put, "start", d->window.start);
	json_put_addr(&put, "end", d->window.end);
	json_put_uint(&put, "live_bytes", d->window.live_bytes);
	json_put_uint(&put, "areas", d->window.areas);
	put_holders(&put, "blockers", view, d, &d->blockers);
	json_put_uint(&put, "other_bytes", d->blockers.rest.bytes);
	put_object(outer, "window", &put);
}

/* ---- what would have helped ----------------------------------------------------------------- */

static void append_module(struct json_put *outer, json_t *array, const struct view *view,
			  const struct diagnosis_module *module)
{
	struct json_put put = json_put_new();

	json_put_text(&put, "module", module->own ? "" : name_of(view, module->module_id));
	json_put_bool(&put, "own", module->own);
	json_put_uint(&put, "bytes", module->bytes);
	json_put_uint(&put, "largest_hole_bytes", module->hole_bytes);
	json_put_append(outer, array, &put);
}

static void put_help(struct json_put *outer, const struct view *view, const struct diagnosis *d)
{
	struct json_put put = json_put_new();
	json_t *modules = json_array();

	json_put_uint(&put, "smaller_bytes", d->smaller_bytes);
	json_put_uint(&put, "smaller_now_bytes", d->now_bytes);
	json_put_bool(&put, "retry",
		      d->verdict == VERDICT_LAZY || d->unclear == UNCLEAR_ROOM ||
			      d->unclear == UNCLEAR_MAP);
	for (uint32_t i = 0; i < d->nr_modules; i++)
		append_module(&put, modules, view, &d->modules[i]);
	json_put_value(&put, "unload", modules);
	json_put_uint(&put, "more_bytes", d->more_bytes);
	json_put_uint(&put, "vmalloc_mb", why_vmalloc_megabytes(d));
	put_object(outer, "help", &put);
}

/* ---- all of it ------------------------------------------------------------------------------ */

static void put_diagnosis(struct json_put *put, const struct view *view, const struct diagnosis *d)
{
	put_space(put, d);
	put_range(put, d);
	json_put_opt_addr(put, "fits_at", d->fits_at);
	if (d->has_window)
		put_window(put, view, d);
	put_holders(put, "owners", view, d, &d->owners);
	json_put_uint(put, "owners_other_bytes", d->owners.rest.bytes);
	put_help(put, view, d);
}

static void append_failure(struct json_put *outer, json_t *array, const struct view *view,
			   const struct why_report *report, const struct failure *failure)
{
	const struct diagnosis *d = &failure->diagnosis;
	struct json_put put = json_put_new();

	json_put_text(&put, "verdict", verdict_name(d->verdict));
	if (d->unclear)
		json_put_text(&put, "unclear", unclear_name(d->unclear));
	json_put_bool(&put, "uncertain", d->uncertain);
	put_times(&put, report, failure);
	put_request(&put, failure);
	put_requester(&put, view, &failure->event);
	if (d->verdict)
		put_diagnosis(&put, view, d);
	json_put_append(outer, array, &put);
}

static void put_simulated(struct json_put *outer, const struct sizing *sizing)
{
	struct json_put put = json_put_new();

	json_put_bool(&put, "trusted", sizing_trusted(sizing));
	json_put_real(&put, "predicted_percent", sizing_predicted_percent(sizing));
	json_put_uint(&put, "vmalloc_mb", sizing->tables[SIZING_RETRIES].answer_bytes >> 20);
	put_object(outer, "simulate", &put);
}

int json_why(FILE *out, const struct view *view, const struct why_report *report)
{
	struct json_put put = json_put_new();
	json_t *array = json_array();

	for (uint32_t i = 0; i < report->count; i++)
		append_failure(&put, array, view, report, &report->list[i]);
	json_put_value(&put, "failures", array);
	json_put_uint(&put, "failures_total", report->failures);
	json_put_uint(&put, "kinds", report->kinds);
	if (report->sizing)
		put_simulated(&put, report->sizing);
	json_put_uint(&put, "lost_events", space_counters(view->space)->lost);
	json_put_text(&put, "kernel", view->facts->kernel ? view->facts->kernel : "");
	return json_put_line(out, &put);
}
