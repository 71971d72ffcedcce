// SPDX-License-Identifier: GPL-2.0-only
/* Holes, leak suspects and events. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "screen/panes.h"
#include "units.h"
#include "view/leak_words.h"
#include "view/text_util.h"

static void clear_row(const struct pane_args *args, uint32_t row, uint8_t style)
{
	grid_printf(args->grid, &args->box, row, 0, style, "%*s", (int)args->box.columns, "");
}

/* ---- holes -------------------------------------------------------------------------------- */

#define BUCKETS 7u /* 4K-16K, ... 4M-16M, 16M+ */

struct bucket {
	uint32_t count;
	uint32_t bytes;
};

static void sum_buckets(const struct holes_report *report, struct bucket sums[BUCKETS])
{
	memset(sums, 0, BUCKETS * sizeof(*sums));
	for (uint32_t i = 0; i < HOLES_BUCKETS; i++) {
		struct bucket *sum = &sums[i / 2 < BUCKETS ? i / 2 : BUCKETS - 1];

		sum->count += report->bucket_count[i];
		sum->bytes += report->bucket_bytes[i];
	}
}

/* Beside one hole of 90M all others would be nothing, so bars are log2. */
static uint32_t doublings(uint32_t bytes)
{
	return bytes ? holes_bucket(bytes) + 1 : 0;
}

static void put_bucket(const struct pane_args *args, uint32_t row, uint32_t i,
		       const struct bucket *sums, uint32_t most)
{
	static const char *const names[BUCKETS] = { "4K-16K", "16K-64K", "64K-256K", "256K-1M",
						    "1M-4M",  "4M-16M",  "16M+" };
	const struct view *view = &args->model->from.view;
	char count[TEXT_NUMBER], bytes[TEXT_NUMBER] = "-";
	uint32_t column;

	if (sums[i].count)
		text_bytes(view, sums[i].bytes, bytes);
	column = grid_printf(args->grid, &args->box, row, 0, STYLE_PLAIN, " %8s %6s %7s ", names[i],
			     text_count(view, sums[i].count, count), bytes);
	if (args->box.columns > column + 1)
		pane_bar(args, row, column, args->box.columns - column - 1,
			 doublings(sums[i].bytes), doublings(most), STYLE_USED);
}

static uint32_t histogram(const struct pane_args *args, uint32_t row)
{
	struct bucket sums[BUCKETS];
	uint32_t most = 1;

	sum_buckets(&args->model->holes, sums);
	for (uint32_t i = 0; i < BUCKETS; i++)
		most = sums[i].bytes > most ? sums[i].bytes : most;
	for (uint32_t i = 0; i < BUCKETS && row < args->box.rows; i++, row++)
		put_bucket(args, row, i, sums, most);
	return row;
}

static void owner_beside(const struct pane_args *args, const struct area *area, char *text,
			 size_t len)
{
	char label[TEXT_LABEL];

	snprintf(text, len, "%s",
		 area ? text_owner(&args->model->from.view, area, label) : "(the end)");
}

static void put_hole(const struct pane_args *args, uint32_t row, const struct hole *hole,
		     bool selected)
{
	const struct view *view = &args->model->from.view;
	uint8_t style = pane_row_style(args, selected, STYLE_PLAIN);
	char size[TEXT_NUMBER], below[TEXT_LABEL], above[TEXT_LABEL], text[2 * TEXT_LABEL + 60];

	owner_beside(args,
		     hole->start > space_start(view->space)
			     ? space_area_at(view->space, hole->start - 1)
			     : NULL,
		     below, sizeof(below));
	owner_beside(args, space_area_at(view->space, hole->end), above, sizeof(above));
	snprintf(text, sizeof(text), " %08" PRIx32 " %7s  %s | %s", hole->start,
		 text_bytes(view, hole->end - hole->start, size), below, above);
	if (selected)
		clear_row(args, row, style);
	grid_field(args->grid, &args->box, row, 0, args->box.columns, style, text);
}

/* The list is what the keys move in; beside another pane, and on few rows, the histogram says more.
 */
void pane_holes(const struct pane_args *args)
{
	const struct selection *sel = &args->state->selections[PANE_HOLES];
	const struct hole_list *list = &args->model->hole_list;
	struct pane_args half = *args;
	char title[80];

	snprintf(title, sizeof(title), "%s%" PRIu32 " in all", text_tilde(&args->model->from.view),
		 args->model->holes.count);
	pane_title(args, PANE_HOLES, title);
	if (!args->active) {
		uint32_t row = histogram(args, 1);

		for (uint32_t i = 0; i < list->count && row < args->box.rows; i++, row++)
			put_hole(args, row, &list->holes[i], false);
		return;
	}
	/* histogram to the right, if there is room for both */
	if (args->box.columns >= 76) {
		half.box.columns = 38;
		half.box.column += args->box.columns - 38;
		histogram(&half, 1);
		half = *args;
		half.box.columns -= 38;
	}
	grid_printf(half.grid, &half.box, 1, 0, STYLE_FREE, " %-8s %7s  %s", "ADDRESS", "SIZE",
		    "BETWEEN");
	for (uint32_t i = sel->top; i < list->count && i - sel->top + 2 < args->box.rows; i++)
		put_hole(&half, i - sel->top + 2, &list->holes[i], i == sel->index);
}

/* ---- leak suspects ------------------------------------------------------------------------ */

#define LEAKS_WIDE 80u

/* In a few words what speaks for it, or against. */
static const char *finding(const struct leaks_report *report, const struct leak_suspect *suspect,
			   char buf[LEAK_WORDS])
{
	char since[16];

	if (suspect->verdict.score < LEAK_SCORE)
		return leak_brief(report, suspect, buf);
	if (suspect->verdict.finding == LEAK_OWNER_GONE)
		snprintf(buf, LEAK_WORDS, "their module is unloaded");
	else
		snprintf(buf, LEAK_WORDS,
			 "grows since %s, %" PRIu32 " old ones, %" PRIu32 " such were freed",
			 units_duration(report->now_ns - suspect->verdict.first_ns, since,
					sizeof(since)),
			 suspect->verdict.old, suspect->verdict.freed_old);
	return buf;
}

static void put_leak(const struct pane_args *args, uint32_t row, const struct leak_suspect *suspect,
		     bool selected)
{
	const struct leaks_report *report = args->model->from.leaks_report;
	const struct view *view = &args->model->from.view;
	bool leak = suspect->verdict.score >= LEAK_SCORE;
	uint8_t style = pane_row_style(args, selected, leak ? STYLE_ALARM : STYLE_PLAIN);
	uint64_t all = suspect->born ? suspect->born : 1;
	char size[TEXT_NUMBER], age[16], slope[24], label[TEXT_LABEL], brief[LEAK_WORDS];
	const char *name = names_text(view->names, suspect->name_id);
	char text[TEXT_LABEL + LEAK_WORDS + 100];

	snprintf(
		text, sizeof(text),
		args->box.columns >= LEAKS_WIDE ? "%c%u.%02u %6" PRIu32 " %7s %8s %4u%% %8s  %s: %s"
						: "%c%u.%02u %6" PRIu32 " %7s %.0s%.0u%8s  %s: %s",
		leak ? '!' : ' ', suspect->verdict.score / 1000, suspect->verdict.score % 1000 / 10,
		suspect->live, text_bytes(view, suspect->live_bytes, size),
		units_duration(report->now_ns - suspect->median_ns, age, sizeof(age)),
		args->box.columns >= LEAKS_WIDE ? (unsigned int)(suspect->freed * 100 / all) : 0,
		pane_change(suspect->slope, text_tilde(view), slope, sizeof(slope)),
		text_ascii(*name ? name : "?", label, sizeof(label)),
		finding(report, suspect, brief));
	if (selected)
		clear_row(args, row, style);
	grid_field(args->grid, &args->box, row, 0, args->box.columns, style, text);
}

void pane_leaks(const struct pane_args *args)
{
	const struct leaks_report *report = args->model->from.leaks_report;
	const struct selection *sel = &args->state->selections[PANE_LEAKS];
	uint32_t top = args->active ? sel->top : 0;
	char title[80] = "";

	if (report && report->count)
		snprintf(title, sizeof(title), "%" PRIu32 " of %" PRIu32 " groups%s", report->leaks,
			 report->count, args->active ? ", Enter: evidence" : "");
	pane_title(args, PANE_LEAKS, title);
	if (!report || !report->count) {
		grid_text(args->grid, &args->box, 1, 1, STYLE_PLAIN,
			  "nothing lives yet that was born while vmtrace watched");
		return;
	}
	grid_printf(args->grid, &args->box, 1, 0, STYLE_FREE,
		    args->box.columns >= LEAKS_WIDE ? " %4s %5s %7s %8s %5s %8s  %s"
						    : " %4s %5s %7s %.0s%.0s%8s  %s",
		    "SCORE", "AREAS", "SIZE", "MEDIAN", "FREED", "PER HOUR", "OWNER");
	for (uint32_t i = top; i < report->count && i - top + 2 < args->box.rows; i++)
		put_leak(args, i - top + 2, &report->list[i], args->active && i == sel->index);
}

/* ---- events ------------------------------------------------------------------------------- */

/* The line that `events` prints, without its newline. */
static void event_line(const struct pane_args *args, const struct event *event, char *line,
		       size_t len)
{
	struct view view = args->model->from.view;
	FILE *out = fmemopen(line, len, "w");

	line[0] = '\0';
	if (!out)
		return;
	view.style = (struct text_style){ .columns = args->box.columns };
	text_event(out, &view, event, args->model->from.base_ns, false);
	fclose(out);
	line[len - 1] = '\0';
	line[strcspn(line, "\n")] = '\0';
}

static uint8_t event_style(const struct event *event)
{
	switch (event->type) {
	case EV_FAIL:
	case EV_LOST:
		return STYLE_ALARM;
	case EV_FREE:
	case EV_VFREE:
		return STYLE_LAZY;
	case EV_PURGE:
		return STYLE_FREE;
	default:
		return event->flags & EV_F_OWN ? STYLE_OWN : STYLE_PLAIN;
	}
}

void pane_events(const struct pane_args *args)
{
	const struct selection *sel = &args->state->selections[PANE_EVENTS];
	const struct model *model = args->model;
	char title[120] = "the newest first";

	if (args->state->filter[0])
		snprintf(title, sizeof(title), "filter: %.60s", args->state->filter);
	pane_title(args, PANE_EVENTS, title);
	if (!model->nr_events)
		grid_text(args->grid, &args->box, 1, 1, STYLE_PLAIN,
			  args->state->filter[0] ? "no event passes the filter (/ changes it)"
						 : "nothing has happened yet");
	for (uint32_t i = sel->top; i < model->nr_events && i - sel->top + 1 < args->box.rows;
	     i++) {
		const struct event *event = &model->events[i]->event;
		uint8_t style =
			pane_row_style(args, args->active && i == sel->index, event_style(event));
		uint32_t row = i - sel->top + 1;
		char line[GRID_MAX_COLUMNS];

		event_line(args, event, line, sizeof(line));
		if (i == sel->index)
			clear_row(args, row, style);
		grid_field(args->grid, &args->box, row, 0, args->box.columns, style, line);
	}
}
