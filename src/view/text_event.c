// SPDX-License-Identifier: GPL-2.0-only
#include "view/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "record/jsonl_names.h"
#include "space/kind.h"
#include "units.h"
#include "view/text_util.h"

#define NS_PER_US    1000u
#define NS_PER_S     1000000000u
#define WORD_COLUMN  14u /* " +123.456789  " */
#define TIME_WIDTH   11u
#define DETAIL_INDEX 53u /* where the free text behind the columns begins */

/* Returns where the free text will begin: further right after more than 11 days. */
static unsigned int put_time(FILE *out, uint64_t t_ns, uint64_t base_ns)
{
	uint64_t ns = t_ns >= base_ns ? t_ns - base_ns : base_ns - t_ns;
	char text[40];
	unsigned int len;

	snprintf(text, sizeof(text), "%c%" PRIu64 ".%06u", t_ns >= base_ns ? '+' : '-',
		 ns / NS_PER_S, (unsigned int)(ns % NS_PER_S / NS_PER_US));
	fprintf(out, " %*s ", (int)TIME_WIDTH, text);
	len = (unsigned int)strlen(text);
	return DETAIL_INDEX + (len > TIME_WIDTH ? len - TIME_WIDTH : 0);
}

/* "RANGE   SIZE KIND   ": empty fields where bytes is 0 or kind is NULL. */
static void put_columns(FILE *out, uint32_t start, uint32_t end, uint32_t bytes, const char *kind)
{
	char number[16], range[20] = "-";

	if (end) /* none was searched for a vmalloc that got no pages */
		snprintf(range, sizeof(range), "%08" PRIx32 "-%08" PRIx32, start, end);
	fprintf(out, " %-17s %6s ", range, units_bytes(bytes, number, sizeof(number)));
	text_field(out, kind, 8);
	putc(' ', out);
}

static const char *owner_of_stack(const struct view *view, uint32_t stack_id, char buf[TEXT_LABEL])
{
	struct stack stack = stacks_get(view->stacks, stack_id);
	const char *name = stack.nr_frames
				   ? names_text(view->names, kind_owner_frame(view->names, stack))
				   : "";

	return text_ascii(name, buf, TEXT_LABEL);
}

/* The end of the line: task, then the function. */
static void put_who(FILE *out, const struct view *view, const struct event *event,
		    const char *between, const char *function, unsigned int used)
{
	char task[TEXT_TASK], line[TEXT_TASK + TEXT_LABEL + 64];

	snprintf(line, sizeof(line), "%s%s%s%s%s", event->flags & EV_F_OWN ? "@ " : "",
		 text_task(view, event->pid, event->comm_id, task), between, *function ? " " : "",
		 function);
	text_last(out, view, line, used);
}

static void put_alloc(FILE *out, const struct view *view, const struct event *event,
		      unsigned int used)
{
	char label[TEXT_LABEL];

	put_columns(out, event->start, event->end, event->end - event->start,
		    kind_name(event->kind));
	put_who(out, view, event, "", owner_of_stack(view, event->stack_id, label), used);
}

static void put_fail(FILE *out, const struct view *view, const struct event *event,
		     unsigned int used)
{
	char label[TEXT_LABEL], errname[TEXT_NUMBER], number[16], between[80];
	int at;

	put_columns(out, event->vstart, event->vend, event->size,
		    event->kind == KIND_UNKNOWN ? "-" : kind_name(event->kind));
	at = snprintf(between, sizeof(between), " %s", text_errno(event->err, errname));
	if (event->align > VMT_PAGE_SIZE)
		at += snprintf(between + at, sizeof(between) - (size_t)at, " align %s",
			       units_bytes(event->align, number, sizeof(number)));
	if (event->requested)
		snprintf(between + at, sizeof(between) - (size_t)at, " asked %s",
			 units_bytes(event->requested, number, sizeof(number)));
	put_who(out, view, event, between, owner_of_stack(view, event->stack_id, label), used);
}

static void put_area(FILE *out, const struct view *view, const struct event *event,
		     unsigned int used)
{
	const char *caller = names_text(view->names, event->caller_id);
	char label[TEXT_LABEL], line[TEXT_LABEL + 16];

	put_columns(out, event->start, event->end, event->end - event->start,
		    kind_name(event->kind));
	snprintf(line, sizeof(line), "%s%s %s", event->flags & EV_F_OWN ? "@ " : "",
		 event->state == AREA_LAZY ? "lazy" : "used",
		 text_ascii(*caller ? caller : "?", label, sizeof(label)));
	text_last(out, view, line, used);
}

static void put_vfree(FILE *out, const struct view *view, const struct event *event,
		      unsigned int used)
{
	char label[TEXT_LABEL];

	fprintf(out, " %08" PRIx32 "%*s", event->start, 26, "");
	put_who(out, view, event, "",
		text_ascii(names_text(view->names, event->caller_id), label, sizeof(label)), used);
}

/* size: what it freed, if the caller knows. */
static void put_purge(FILE *out, const struct event *event)
{
	char freed[16], took[16];

	fprintf(out, " %17s %6s ", "lazy -> free",
		event->size ? units_bytes(event->size, freed, sizeof(freed)) : "");
	if (event->flags & EV_F_HAS_BEGIN)
		fprintf(out, "took %s\n",
			units_duration(event->t_ns - event->begin_ns, took, sizeof(took)));
	else
		fputs("its begin was not seen\n", out);
}

static void put_lost(FILE *out, const struct view *view, const struct event *event)
{
	text_color(out, view, TEXT_ALARM);
	fprintf(out, " %" PRIu32 " (%s", event->count, jsonl_cause_name(event->state));
	if (event->cpu != UINT32_MAX)
		fprintf(out, ", cpu %" PRIu32, event->cpu);
	fputs(lost_cause_hurts_map(event->state) ? "): the map is uncertain until it is re-read"
						 : "): the map stays exact",
	      out);
	text_color(out, view, TEXT_PLAIN);
	putc('\n', out);
}

static void put_snapshot(FILE *out, const struct event *event)
{
	fputs(event->type == EV_SNAPSHOT_BEGIN ? " the kernel's own list begins\n"
					       : " the kernel's own list ends\n",
	      out);
}

static void put_word(FILE *out, const struct view *view, const struct event *event)
{
	static const char *const words[EV_TYPE_COUNT] = {
		[EV_ALLOC] = "alloc", [EV_FREE] = "free",           [EV_PURGE] = "purge",
		[EV_FAIL] = "FAIL",   [EV_VFREE] = "vfree",         [EV_LOST] = "LOST",
		[EV_AREA] = "area",   [EV_SNAPSHOT_BEGIN] = "seed", [EV_SNAPSHOT_END] = "seed",
	};
	bool alarm = event->type == EV_FAIL || event->type == EV_LOST;

	if (alarm)
		text_color(out, view, TEXT_ALARM);
	fprintf(out, "%-5s", words[event->type]);
	if (alarm)
		text_color(out, view, TEXT_PLAIN);
}

static void put_details(FILE *out, const struct view *view, const struct event *event,
			unsigned int used)
{
	switch (event->type) {
	case EV_ALLOC:
		put_alloc(out, view, event, used);
		break;
	case EV_FREE:
		put_columns(out, event->start, event->end, event->end - event->start, "");
		put_who(out, view, event, "", "", used);
		break;
	case EV_PURGE:
		put_purge(out, event);
		break;
	case EV_FAIL:
		put_fail(out, view, event, used);
		break;
	case EV_VFREE:
		put_vfree(out, view, event, used);
		break;
	case EV_LOST:
		put_lost(out, view, event);
		break;
	case EV_AREA:
		put_area(out, view, event, used);
		break;
	default:
		put_snapshot(out, event);
		break;
	}
}

void text_event(FILE *out, const struct view *view, const struct event *event, uint64_t base_ns,
		bool with_stack)
{
	unsigned int used;

	if (event->type == EV_NONE || event->type == EV_STACK || event->type == EV_TIME ||
	    event->type >= EV_TYPE_COUNT)
		return;
	used = put_time(out, event->t_ns, base_ns);
	put_word(out, view, event);
	put_details(out, view, event, used);
	if (!with_stack || !event->stack_id)
		return;
	text_frames(out, view, event->stack_id, WORD_COLUMN + 6);
	if (event->flags & EV_F_STACK_CUT)
		fprintf(out, "%*s...\n", (int)WORD_COLUMN + 6, "");
}
