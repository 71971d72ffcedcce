// SPDX-License-Identifier: GPL-2.0-only
#include "view/json_fit.h"

#include <errno.h>

#include "allocator/blockers.h"
#include "space/kind.h"
#include "view/text_fit.h"
#include "view/text_util.h"

static void append_blocker(struct json_put *outer, json_t *array, const struct view *view,
			   const struct blocker *blocker)
{
	struct json_put put = json_put_new();
	const char *owner = names_text(view->names, blocker->name_id);
	const struct area *area = blocker->area;

	json_put_addr(&put, "start", area->start);
	json_put_addr(&put, "end", area->end);
	json_put_uint(&put, "bytes", blocker->bytes);
	json_put_uint(&put, "inside_bytes", blocker->inside_bytes);
	json_put_text(&put, "owner", *owner ? owner : "?");
	json_put_text(&put, "kind", kind_name(area->kind));
	json_put_uint(&put, "age_ns", text_age(view, area->birth_ns));
	json_put_bool(&put, "seeded", area->flags & AREA_F_SEEDED);
	json_put_uint(&put, "pid", area->pid);
	json_put_text(&put, "comm", names_text(view->names, area->comm_id));
	json_put_bool(&put, "own", area->flags & AREA_F_OWN);
	json_put_append(outer, array, &put);
}

static void put_blockers(struct json_put *put, const struct view *view, const struct window *window)
{
	json_t *array = json_array();
	struct blockers blockers;

	if (blockers_collect(view->space, view->names, view->stacks, window, &blockers) < 0)
		put->failed = true;
	for (uint32_t i = 0; i < blockers.count; i++)
		append_blocker(put, array, view, &blockers.list[i]);
	blockers_release(&blockers);
	json_put_value(put, "blockers", array);
}

void json_put_window(struct json_put *put, const struct view *view, const struct window *window)
{
	struct json_put inner;

	if (!window->end) {
		json_put_value(put, "window", json_null());
		json_put_value(put, "blockers", json_array());
		return;
	}
	inner = json_put_new();
	json_put_addr(&inner, "start", window->start);
	json_put_addr(&inner, "end", window->end);
	json_put_uint(&inner, "bytes", window->end - window->start);
	json_put_uint(&inner, "live_bytes", window->live_bytes);
	json_put_uint(&inner, "areas", window->areas);
	put->failed |= inner.failed;
	json_put_value(put, "window", inner.object);
	put_blockers(put, view, window);
}

/* The first address, or null; all of them if more than one was asked for. */
static void put_starts(struct json_put *put, const struct fit_answer *answer)
{
	uint32_t start = answer->placed ? answer->starts[0] : answer->maybe_start;
	json_t *array;
	char text[16];

	if (start)
		json_put_addr(put, "start", start);
	else
		json_put_value(put, "start", json_null());
	if (answer->latest)
		json_put_addr(put, "latest", answer->latest);
	else
		json_put_value(put, "latest", json_null());
	if (answer->question.count == 1)
		return;
	array = json_array();
	for (uint32_t i = 0; i < answer->placed; i++) {
		snprintf(text, sizeof(text), "0x%08x", answer->starts[i]);
		put->failed |= json_array_append_new(array, json_string(text)) != 0;
	}
	json_put_value(put, "starts", array);
}

static void put_notes(struct json_put *put, const struct fit_answer *answer)
{
	json_t *array = json_array();

	for (unsigned int i = 0; i < FIT_NOTE_COUNT; i++) {
		if (answer->notes & (1u << i))
			put->failed |=
				json_array_append_new(array, json_string(text_fit_note(i))) != 0;
	}
	json_put_value(put, "notes", array);
}

/* How much had happened: two answers with the same numbers are about the same state. */
static void put_seen(struct json_put *put, const struct view *view)
{
	const struct space_counters *counters = space_counters(view->space);
	struct json_put seen = json_put_new();

	json_put_uint(&seen, "allocs", counters->allocs);
	json_put_uint(&seen, "frees", counters->frees);
	json_put_uint(&seen, "purges", counters->purges);
	json_put_uint(&seen, "fails", counters->fails);
	put->failed |= seen.failed;
	json_put_value(put, "seen", seen.object);
}

static void put_holes(struct json_put *put, const struct view *view)
{
	struct holes_report report;

	holes_report(view->space, &report);
	json_put_uint(put, "largest_hole_bytes", report.largest.end - report.largest.start);
	json_put_uint(put, "largest_hole_after_purge_bytes",
		      report.largest_after_purge.end - report.largest_after_purge.start);
}

int json_fit(FILE *out, const struct view *view, const struct fit_answer *answer)
{
	static const char *const words[] = {
		[ATTEMPT_NO] = "no",
		[ATTEMPT_PERHAPS] = "perhaps",
		[ATTEMPT_PURGE] = "after_purge",
		[ATTEMPT_NOW] = "yes",
	};
	struct json_put put = json_put_new();

	json_put_uint(&put, "size", answer->question.bytes);
	json_put_text(&put, "kind", kind_name(answer->question.kind));
	json_put_uint(&put, "align", answer->request.align);
	json_put_uint(&put, "count", answer->question.count);
	json_put_text(&put, "answer", words[answer->answer]);
	json_put_bool(&put, "fits_now", answer->answer == ATTEMPT_NOW);
	json_put_bool(&put, "fits_after_purge", fit_succeeds(answer));
	json_put_bool(&put, "certain", answer->certain);
	put_starts(&put, answer);
	json_put_uint(&put, "placed", answer->placed);
	put_notes(&put, answer);
	json_put_window(&put, view, &answer->window);
	put_holes(&put, view);
	json_put_uint(&put, "lazy_bytes", space_totals(view->space).lazy_bytes);
	put_seen(&put, view);
	json_put_uint(&put, "lost_events", space_counters(view->space)->lost);
	json_put_bool(&put, "uncertain", space_uncertain(view->space));
	return json_put_line(out, &put);
}

int json_fit_error(FILE *out, const struct view *view, const char *why)
{
	struct json_put put = json_put_new();

	json_put_text(&put, "error", why);
	put_seen(&put, view);
	return json_put_line(out, &put);
}
