// SPDX-License-Identifier: GPL-2.0-only
/* What failed: the list, and the last one with its reason in words. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "screen/panes.h"
#include "space/kind.h"
#include "units.h"
#include "view/text_util.h"
#include "view/why.h"
#include "view/why_words.h"

static const char *asked_text(const struct failure *failure, char buf[16])
{
	const struct event *event = &failure->event;

	return units_bytes(event->requested ? event->requested : event->size, buf, 16);
}

/* "41s ago", "now". */
static const char *ago_text(const struct view *view, const struct failure *failure, char buf[24])
{
	uint64_t age_ns = text_age(view, failure->last_ns);
	char age[16];

	if (age_ns < 1000000)
		snprintf(buf, 24, "now");
	else
		snprintf(buf, 24, "%s ago", units_duration(age_ns, age, sizeof(age)));
	return buf;
}

static const char *owner_text(const struct view *view, const struct failure *failure,
			      char buf[TEXT_LABEL])
{
	struct stack stack = stacks_get(view->stacks, failure->event.stack_id);
	const char *name = stack.nr_frames
				   ? names_text(view->names, kind_owner_frame(view->names, stack))
				   : "";

	return text_ascii(*name ? name : "?", buf, TEXT_LABEL);
}

/* Who is in the way at the cheapest place; "" if there is none. */
static void window_words(const struct view *view, const struct diagnosis *diagnosis, char *text,
			 size_t len)
{
	char bytes[WHY_NUMBER], label[TEXT_LABEL];
	int at;

	text[0] = '\0';
	if (!diagnosis->has_window || !diagnosis->window.areas)
		return;
	at = snprintf(text, len, "Cheapest place %08" PRIx32 ": %s in %" PRIu32 " areas in the way",
		      diagnosis->window.start,
		      why_amount(diagnosis, diagnosis->window.live_bytes, bytes),
		      diagnosis->window.areas);
	for (uint32_t i = 0; i < diagnosis->blockers.count && i < 3; i++) {
		const struct holder *holder = &diagnosis->blockers.list[i];

		if (at < 0 || (size_t)at >= len)
			return;
		text_ascii(names_text(view->names, holder->label_id), label, sizeof(label));
		at += snprintf(text + at, len - (size_t)at, "%s%" PRIu32 " %s", i ? ", " : ": ",
			       holder->areas, label);
	}
}

static void last_in_full(const struct pane_args *args, const struct failure *failure,
			 const char *title)
{
	const struct view *view = &args->model->from.view;
	struct box below = args->box;
	char text[500];
	uint32_t rows;

	grid_rule(args->grid, &args->box, 0, STYLE_ALARM | STYLE_BOLD, title);
	below.row++;
	below.rows--;
	below.column++;
	below.columns--;
	why_sentence(failure, false, text, sizeof(text));
	if (text[0] >= 'a' && text[0] <= 'z')
		text[0] = (char)(text[0] - 'a' + 'A');
	rows = grid_wrap(args->grid, &below, 0, 2, STYLE_PLAIN, text);
	window_words(view, &failure->diagnosis, text, sizeof(text));
	if (*text && rows < below.rows)
		grid_field(args->grid, &below, rows, 0, below.columns, STYLE_PLAIN, text);
}

void pane_failure(const struct pane_args *args)
{
	const struct failures *failures = args->model->from.failures;
	const struct view *view = &args->model->from.view;
	const struct failure *failure;
	char ago[24], task[TEXT_TASK], size[16], verdict[120], text[300];

	if (!failures || !failures_count(failures))
		return;
	failure = failures_at(failures, 0);
	snprintf(text, sizeof(text), "FAILURE  %s: %s asked for %s", ago_text(view, failure, ago),
		 text_task(view, failure->event.pid, failure->event.comm_id, task),
		 asked_text(failure, size));
	if (args->box.rows > 1) {
		last_in_full(args, failure, text);
		return;
	}
	why_short(&failure->diagnosis, verdict, sizeof(verdict));
	grid_printf(args->grid, &args->box, 0, 1, STYLE_ALARM | STYLE_BOLD, "%s%s%s", text,
		    *verdict ? ": " : "", verdict);
}

static void put_row(const struct pane_args *args, uint32_t row, const struct failure *failure,
		    bool selected)
{
	const struct view *view = &args->model->from.view;
	uint8_t style = pane_row_style(args, selected, STYLE_PLAIN);
	char text[400], ago[16], size[16], task[TEXT_TASK], verdict[120], label[TEXT_LABEL];

	why_short(&failure->diagnosis, verdict, sizeof(verdict));
	snprintf(text, sizeof(text), " %8s %6" PRIu64 " %8s  %-18s %s  %s",
		 units_duration(text_age(view, failure->last_ns), ago, sizeof(ago)), failure->count,
		 asked_text(failure, size),
		 text_task(view, failure->event.pid, failure->event.comm_id, task),
		 *verdict ? verdict : "not diagnosed", owner_text(view, failure, label));
	if (selected)
		grid_printf(args->grid, &args->box, row, 0, style, "%*s", (int)args->box.columns,
			    "");
	grid_field(args->grid, &args->box, row, 0, args->box.columns, style, text);
}

void pane_failures(const struct pane_args *args)
{
	const struct failures *failures = args->model->from.failures;
	const struct selection *sel = &args->state->selections[PANE_FAILURES];
	uint32_t count = failures ? failures_count(failures) : 0, rows = args->box.rows;
	char title[80] = "";

	if (count)
		snprintf(title, sizeof(title), "%" PRIu64 ", Enter: why", failures_total(failures));
	pane_title(args, PANE_FAILURES, title);
	if (!count) {
		grid_text(args->grid, &args->box, 1, 1, STYLE_PLAIN,
			  "no allocation has failed while vmtrace watched");
		return;
	}
	grid_printf(args->grid, &args->box, 1, 0, STYLE_FREE, " %8s %6s %8s  %-18s %s", "AGO",
		    "TIMES", "ASKED", "TASK", "WHY, BY WHICH FUNCTION");
	for (uint32_t i = sel->top; i < count && i - sel->top + 2 < rows; i++)
		put_row(args, i - sel->top + 2, failures_at(failures, i), i == sel->index);
}
