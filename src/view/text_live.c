// SPDX-License-Identifier: GPL-2.0-only
#include "view/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "space/kind.h"
#include "units.h"
#include "view/text_util.h"

#define LIVE_MAP_ROWS 8u

static void rule(FILE *out, const struct view *view, const char *text)
{
	unsigned int columns = text_columns(view);
	unsigned int len = (unsigned int)strlen(text) + 5;

	fprintf(out, "--- %s ", text);
	text_repeat(out, '-', columns > len ? columns - len : 0);
	putc('\n', out);
}

static void header_line(FILE *out, const struct view *view)
{
	const struct space_counters *counters = space_counters(view->space);
	char text[160], number[16];

	snprintf(text, sizeof(text),
		 "+%s  %" PRIu64 " allocs  %" PRIu64 " frees  %" PRIu64 " purges",
		 units_duration(view->facts->uptime_ns, number, sizeof(number)), counters->allocs,
		 counters->frees, counters->purges);
	rule(out, view, text);
}

/* Two lines: what was asked and when; by which function. */
static void last_failure(FILE *out, const struct view *view, const struct event *fail,
			 const char *verdict)
{
	char number[16], ago[16], task[TEXT_TASK], errname[TEXT_NUMBER], label[TEXT_LABEL];
	struct stack stack = stacks_get(view->stacks, fail->stack_id);
	struct text_flow flow = text_flow_new(out, view, 1);
	char item[TEXT_TASK + 64];

	snprintf(item, sizeof(item), "LAST FAILURE %s ago:",
		 units_duration(text_age(view, fail->t_ns), ago, sizeof(ago)));
	text_flow_item(&flow, view, TEXT_ALARM, item);
	snprintf(item, sizeof(item), "%s asked %s", text_task(view, fail->pid, fail->comm_id, task),
		 units_bytes(fail->requested ? fail->requested : fail->size, number,
			     sizeof(number)));
	text_flow_item(&flow, view, TEXT_PLAIN, item);
	snprintf(item, sizeof(item), "in %08" PRIx32 "-%08" PRIx32 ":", fail->vstart, fail->vend);
	if (fail->vend)
		text_flow_item(&flow, view, TEXT_PLAIN, item);
	text_flow_item(&flow, view, TEXT_ALARM, text_errno(fail->err, errname));
	if (*verdict)
		text_flow_item(&flow, view, TEXT_ALARM, verdict);
	if (stack.nr_frames) {
		uint32_t frame = kind_owner_frame(view->names, stack);

		text_ascii(names_text(view->names, frame), label, sizeof(label));
		text_flow_item(&flow, view, TEXT_PLAIN, label);
	}
	text_flow_end(&flow);
}

void text_live(FILE *out, const struct view *view, const struct event *last_fail,
	       const char *verdict, unsigned int top)
{
	header_line(out, view);
	text_summary(out, view);
	if (last_fail)
		last_failure(out, view, last_fail, verdict);
	text_map(out, view, LIVE_MAP_ROWS);
	text_hole_histogram(out, view);
	if (top)
		text_top(out, view, OWNERS_BY_CALLER, OWNERS_SORT_BYTES, top);
}
