// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "debuginfo/debug_files.h"
#include "space/kind.h"
#include "units.h"
#include "view/leak_words.h"
#include "view/leaks.h"
#include "view/text_util.h"

#define INDENT      10u /* of what belongs to a leak, behind its key */
#define MAX_ROWS    5u  /* of a stack, so that a leak fits a screen of 24 */
#define DEFAULT_TOP 10u
#define SOURCE_AT   44 /* column of the source's lines */

static const char *name_of(const struct view *view, uint32_t id, char buf[TEXT_LABEL])
{
	const char *name = names_text(view->names, id);

	return text_ascii(*name ? name : "?", buf, TEXT_LABEL);
}

/* text in lines of the view's columns, INDENT in; key in front of the first. */
static void print_wrapped(FILE *out, const struct view *view, const char *key, const char *text)
{
	unsigned int room = text_columns(view) - INDENT;

	while (*text) {
		size_t len = strlen(text), cut = len;

		if (len > room) {
			cut = room;
			while (cut && text[cut] != ' ')
				cut--;
			if (!cut)
				cut = len;
		}
		fprintf(out, " %8s %.*s\n", key, (int)cut, text);
		text += cut;
		text += *text == ' ';
		key = "";
	}
}

/* ---- a leak, in full
 * ----------------------------------------------------------------------------- */

/* The bytes at the end of each step, from '_' for none to '#' for the most. */
static void print_series(FILE *out, const struct view *view, const struct leaks_report *report,
			 const struct leak_suspect *s)
{
	static const char marks[] = "_.:-=+*#";
	uint32_t now = s->series.now, most = 1;
	char text[LEAK_STEPS_MAX + 1] = "", step[16];

	for (uint32_t i = 0; i <= now; i++)
		most = s->series.pages[i] > most ? s->series.pages[i] : most;
	for (uint32_t i = 0; i <= now; i++) {
		uint64_t level = (uint64_t)s->series.pages[i] * (sizeof(marks) - 2);

		text[i] = marks[(level + most - 1) / most];
	}
	print_wrapped(out, view, "bytes", text);
	fprintf(out, " %8s a mark is %s, # is %s\n", "",
		units_duration(report->clock.step_ns, step, sizeof(step)),
		units_bytes((uint64_t)most * VMT_PAGE_SIZE, text, sizeof(text)));
}

/* Where in the stack the function is that asked; its allocator stands before it. */
static uint32_t owner_of(const struct leak_suspect *s, struct stack stack)
{
	for (uint32_t i = 0; i < stack.nr_frames; i++) {
		if (stack.frames[i] == s->owner_id)
			return i;
	}
	return 0;
}

/* One line: what, and where it is in the source. Of a long path the end tells more. */
static void print_source(FILE *out, const struct view *view, const char *key, const char *what,
			 const struct debug_line *line)
{
	char place[DEBUG_PATH + 16], ascii[TEXT_LABEL];
	unsigned int room = text_columns(view), used;
	size_t len;

	used = (unsigned int)fprintf(out, " %8s %-*s  ", key, SOURCE_AT - (int)INDENT, what);
	snprintf(place, sizeof(place), "%s:%u", line->file, line->line);
	text_ascii(place, ascii, sizeof(ascii));
	len = strlen(ascii);
	if (used + len > room && used + 8 < room)
		fprintf(out, "%s\n", ascii + (used + len - room));
	else
		fprintf(out, "%s\n", ascii);
}

/* What is inlined there comes first, a line each, as it is called by the next. How many lines. */
static uint32_t print_frame(FILE *out, const struct view *view, uint32_t frame_id, const char *key)
{
	struct debug_line lines[DEBUG_INLINED];
	char label[TEXT_LABEL], inlined[DEBUG_NAME + 16], ascii[TEXT_LABEL];
	const char *frame = name_of(view, frame_id, label);
	uint32_t count = 0;

	if (view->debug)
		count = debug_files_lines(view->debug, names_text(view->names, frame_id), lines);
	for (uint32_t i = 0; i < count; i++) {
		snprintf(inlined, sizeof(inlined), "%.*s (inlined)", DEBUG_NAME, lines[i].function);
		text_ascii(inlined, ascii, sizeof(ascii));
		print_source(out, view, key, lines[i].inlined ? ascii : frame, &lines[i]);
		key = "";
	}
	if (count)
		return count;
	fprintf(out, " %8s ", key);
	text_last(out, view, frame, INDENT);
	return 1;
}

/* From the function of the allocator on that the owner called: what that calls is no news. */
static void print_stack(FILE *out, const struct view *view, const struct leak_suspect *s)
{
	struct stack stack = stacks_get(view->stacks, s->stack_id);
	uint32_t owner = owner_of(s, stack), first = owner ? owner - 1 : 0, rows = 0, i;

	for (i = first; i < stack.nr_frames && rows < MAX_ROWS; i++)
		rows += print_frame(out, view, stack.frames[i], i == first ? "stack" : "");
	if (i < stack.nr_frames)
		fprintf(out, " %8s ... %u outer frames more (--json has all)\n", "",
			stack.nr_frames - i);
}

static void print_areas(FILE *out, const struct view *view, const struct leak_suspect *s)
{
	char text[LEAK_WORDS] = "", task[TEXT_TASK];
	size_t at = 0;

	for (uint32_t i = 0; i < s->nr_oldest; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%08x", i ? " " : "",
				       s->oldest[i]);
	print_wrapped(out, view, "oldest", text);
	at = 0;
	for (uint32_t i = 0; i < s->nr_tasks && at < sizeof(text); i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", i ? " " : "",
				       text_task(view, s->tasks[i].pid, s->tasks[i].comm_id, task));
	print_wrapped(out, view, "tasks", text);
}

static void print_leak(FILE *out, const struct view *view, const struct leaks_report *report,
		       const struct leak_suspect *s)
{
	char bytes[TEXT_NUMBER], count[TEXT_NUMBER], label[TEXT_LABEL];
	struct leak_words words;
	unsigned int used;

	leak_words(view, report, s, &words);
	text_color(out, view, TEXT_ALARM);
	used = (unsigned int)fprintf(out, " LEAK %u.%02u %s in %s %s: ", s->verdict.score / 1000,
				     s->verdict.score % 1000 / 10,
				     text_bytes(view, s->live_bytes, bytes),
				     text_count(view, s->live, count),
				     s->kind == KIND_UNKNOWN ? "areas" : kind_name(s->kind));
	text_last(out, view, name_of(view, s->name_id, label), used);
	text_color(out, view, TEXT_PLAIN);
	for (uint32_t i = 0; i < words.count; i++)
		print_wrapped(out, view, i ? "" : "why", words.reasons[i]);
	print_wrapped(out, view, "but", words.would_change);
	print_series(out, view, report, s);
	print_stack(out, view, s);
	print_areas(out, view, s);
	print_wrapped(out, view, "next", words.next);
	putc('\n', out);
}

/* ---- what is none
 * ---------------------------------------------------------------------------------- */

static void print_other(FILE *out, const struct view *view, const struct leaks_report *report,
			const struct leak_suspect *s)
{
	char bytes[TEXT_NUMBER], count[TEXT_NUMBER], label[TEXT_LABEL], brief[LEAK_WORDS];

	fprintf(out, "  %u.%02u %7s %6s ", s->verdict.score / 1000, s->verdict.score % 1000 / 10,
		text_bytes(view, s->live_bytes, bytes), text_count(view, s->live, count));
	text_last(out, view, name_of(view, s->name_id, label), 23);
	print_wrapped(out, view, "", leak_brief(report, s, brief));
}

static void print_others(FILE *out, const struct view *view, const struct leaks_report *report,
			 unsigned int top)
{
	uint32_t i = report->leaks;

	if (i < report->count && i < top)
		fprintf(out, " NO LEAK\n %5s %7s %6s %s\n", "SCORE", "BYTES", "AREAS", "OWNER");
	for (; i < report->count && i < top; i++)
		print_other(out, view, report, &report->list[i]);
	if (i < report->count)
		fprintf(out, " no leak: %u%s group%s of areas; --top=0 lists all\n",
			report->count - i, i > report->leaks ? " more" : "",
			report->count - i == 1 ? "" : "s");
}

static void print_left_out(FILE *out, const struct view *view, const struct leaks_report *report)
{
	uint32_t lazy_bytes = space_totals(view->space).lazy_bytes;
	char before[TEXT_NUMBER], own[TEXT_NUMBER], lazy[TEXT_NUMBER];

	if (report->before || report->own)
		fprintf(out,
			" not judged: %u areas (%s) from before it watched, %u (%s) of vmtrace\n",
			report->before, text_bytes(view, report->before_bytes, before), report->own,
			text_bytes(view, report->own_bytes, own));
	if (report->filtered)
		fprintf(out, " not judged: %u area%s that --filter leaves out\n", report->filtered,
			report->filtered == 1 ? "" : "s");
	if (lazy_bytes)
		fprintf(out, " no leak: %s is lazy: freed, given back by the next purge\n",
			text_bytes(view, lazy_bytes, lazy));
	if (report->missed)
		fprintf(out, " %llu events were missed, and no list has put that right yet\n",
			(unsigned long long)report->missed);
}

void text_leaks(FILE *out, const struct view *view, const struct leaks_report *report,
		unsigned int top)
{
	uint64_t watched_ns =
		report->now_ns > report->start_ns ? report->now_ns - report->start_ns : 0;
	unsigned int rows = top ? top : DEFAULT_TOP;
	char watched[16];

	fprintf(out, " %u leak%s among %u group%s of areas born in %s\n", report->leaks,
		report->leaks == 1 ? "" : "s", report->count, report->count == 1 ? "" : "s",
		units_duration(watched_ns, watched, sizeof(watched)));
	for (uint32_t i = 0; i < report->leaks && i < rows; i++)
		print_leak(out, view, report, &report->list[i]);
	if (report->leaks > rows)
		fprintf(out, " and %u more leaks; --top=0 shows all\n", report->leaks - rows);
	/* What is none is not to push a leak off the screen. */
	print_others(out, view, report, !top && report->leaks ? 0 : rows);
	print_left_out(out, view, report);
}
