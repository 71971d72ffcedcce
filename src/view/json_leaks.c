// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>

#include "debuginfo/debug_files.h"
#include "record/json_put.h"
#include "space/kind.h"
#include "view/json_util.h"
#include "view/leak_words.h"
#include "view/leaks.h"

static const char *name_of(const struct view *view, uint32_t id)
{
	const char *name = names_text(view->names, id);

	return *name ? name : "?";
}

static uint64_t age_of(const struct leaks_report *report, uint64_t t_ns)
{
	return t_ns && report->now_ns > t_ns ? report->now_ns - t_ns : 0;
}

static void put_identity(struct json_put *put, const struct view *view,
			 const struct leak_suspect *s)
{
	json_put_real(put, "score", s->verdict.score / 1000.0);
	json_put_bool(put, "leak", s->verdict.score >= LEAK_SCORE);
	json_put_text(put, "finding", leak_finding_name(s->verdict.finding));
	json_put_text(put, "label", name_of(view, s->name_id));
	json_put_text(put, "function", name_of(view, s->owner_id));
	json_put_text(put, "module", name_of(view, s->module_id));
	json_put_text(put, "kind", kind_name(s->kind));
	json_put_frames(put, "stack", view->names, stacks_get(view->stacks, s->stack_id));
}

static void put_counts(struct json_put *put, const struct leaks_report *report,
		       const struct leak_suspect *s)
{
	const struct leak_verdict *v = &s->verdict;

	json_put_uint(put, "live_count", s->live);
	json_put_uint(put, "live_bytes", s->live_bytes);
	json_put_uint(put, "born_count", s->born);
	json_put_uint(put, "freed_count", s->freed);
	json_put_uint(put, "vanished_count", s->vanished);
	json_put_uint(put, "doubtful_count", s->doubtful);
	json_put_uint(put, "orphan_count", s->orphans);
	json_put_uint(put, "old_count", v->old);
	json_put_uint(put, "old_age_ns", v->old_age_ns);
	json_put_uint(put, "oldest_age_ns", age_of(report, s->oldest_ns));
	json_put_uint(put, "median_age_ns", age_of(report, s->median_ns));
	json_put_uint(put, "newest_age_ns", age_of(report, s->newest_ns));
	json_put_uint(put, "freed_age_p50_ns", leak_ages_percentile(&s->ages, 50));
	json_put_uint(put, "freed_age_p90_ns", leak_ages_percentile(&s->ages, 90));
	json_put_uint(put, "freed_age_p99_ns", leak_ages_percentile(&s->ages, 99));
	json_put_real(put, "growth_bytes_per_s", (double)s->slope / 3600.0);
	if (s->gone_ns)
		json_put_uint(put, "module_gone", s->gone_ns);
}

static void put_array(struct json_put *put, const char *key, json_t *array)
{
	if (array)
		json_put_value(put, key, array);
	else
		put->failed = true;
}

static void put_lists(struct json_put *put, const struct view *view, const struct leak_suspect *s)
{
	json_t *bytes = json_array(), *oldest = json_array(), *tasks = json_array();
	char addr[16];

	for (uint32_t i = 0; i <= s->series.now && i < LEAK_STEPS_MAX; i++)
		put->failed |=
			json_array_append_new(bytes, json_integer((json_int_t)s->series.pages[i] *
								  VMT_PAGE_SIZE)) != 0;
	for (uint32_t i = 0; i < s->nr_oldest; i++) {
		snprintf(addr, sizeof(addr), "0x%08x", s->oldest[i]);
		put->failed |= json_array_append_new(oldest, json_string(addr)) != 0;
	}
	for (uint32_t i = 0; tasks && i < s->nr_tasks; i++) {
		struct json_put task = json_put_new();

		json_put_uint(&task, "pid", s->tasks[i].pid);
		json_put_text(&task, "comm", names_text(view->names, s->tasks[i].comm_id));
		json_put_append(put, tasks, &task);
	}
	put_array(put, "bytes_over_time", bytes);
	put_array(put, "oldest", oldest);
	put_array(put, "tasks", tasks);
}

/* Of each frame of the stack whose line is known, what is inlined there first. */
static void put_source(struct json_put *put, const struct view *view, const struct leak_suspect *s)
{
	struct stack stack = stacks_get(view->stacks, s->stack_id);
	struct debug_line lines[DEBUG_INLINED];
	json_t *source;

	if (!view->debug)
		return;
	source = json_array();
	for (uint32_t i = 0; source && i < stack.nr_frames; i++) {
		uint32_t count =
			debug_files_lines(view->debug, name_of(view, stack.frames[i]), lines);

		for (uint32_t l = 0; l < count; l++) {
			struct json_put one = json_put_new();

			json_put_uint(&one, "frame", i);
			json_put_text(&one, "function", lines[l].function);
			json_put_text(&one, "file", lines[l].file);
			json_put_uint(&one, "line", lines[l].line);
			json_put_bool(&one, "inlined", lines[l].inlined);
			json_put_append(put, source, &one);
		}
	}
	put_array(put, "source", source);
}

static void put_words(struct json_put *put, const struct view *view,
		      const struct leaks_report *report, const struct leak_suspect *s)
{
	json_t *reasons = json_array();
	struct leak_words words;

	leak_words(view, report, s, &words);
	for (uint32_t i = 0; i < words.count; i++) {
		struct json_put text = json_put_new();

		/* By way of an object, which makes of any bytes what JSON may have. */
		json_put_text(&text, "text", words.reasons[i]);
		put->failed |=
			text.failed ||
			json_array_append(reasons, json_object_get(text.object, "text")) != 0;
		json_decref(text.object);
	}
	put_array(put, "reasons", reasons);
	json_put_text(put, "would_change", words.would_change);
	if (words.next[0])
		json_put_text(put, "next", words.next);
}

static void put_report(struct json_put *put, const struct view *view,
		       const struct leaks_report *report)
{
	json_put_uint(put, "leaks", report->leaks);
	json_put_uint(put, "groups", report->count);
	json_put_uint(put, "start", report->start_ns);
	json_put_uint(put, "watched_ns", age_of(report, report->start_ns));
	json_put_uint(put, "step_ns", report->clock.step_ns);
	json_put_uint(put, "before_areas", report->before);
	json_put_uint(put, "before_bytes", report->before_bytes);
	json_put_uint(put, "own_areas", report->own);
	json_put_uint(put, "own_bytes", report->own_bytes);
	if (view->filter) {
		json_put_text(put, "filter", filter_text(view->filter));
		json_put_uint(put, "filtered_areas", report->filtered);
	}
	json_put_uint(put, "lazy_bytes", space_totals(view->space).lazy_bytes);
	json_put_uint(put, "missed_events", report->missed);
	json_put_trust(put, view);
}

int json_leaks(FILE *out, const struct view *view, const struct leaks_report *report,
	       unsigned int top)
{
	struct json_put put = json_put_new();
	json_t *suspects = json_array();

	put_report(&put, view, report);
	for (uint32_t i = 0; suspects && i < report->count && i < top; i++) {
		struct json_put one = json_put_new();

		put_identity(&one, view, &report->list[i]);
		put_counts(&one, report, &report->list[i]);
		put_words(&one, view, report, &report->list[i]);
		put_lists(&one, view, &report->list[i]);
		put_source(&one, view, &report->list[i]);
		json_put_append(&put, suspects, &one);
	}
	put_array(&put, "suspects", suspects);
	return json_put_line(out, &put);
}
