// SPDX-License-Identifier: GPL-2.0-only
#include "view/text_util.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "units.h"

void text_color(FILE *out, const struct view *view, enum text_class class)
{
	static const char *const escapes[] = {
		[TEXT_PLAIN] = "\033[0m", [TEXT_USED] = "\033[34m", [TEXT_LAZY] = "\033[33m",
		[TEXT_FREE] = "\033[2m",  [TEXT_OWN] = "\033[35m",  [TEXT_ALARM] = "\033[31m",
	};

	if (view->style.color)
		fputs(escapes[class], out);
}

unsigned int text_columns(const struct view *view)
{
	unsigned int columns = view->style.columns;

	return !columns ? TEXT_COLUMNS : columns < 40 ? 40 : columns;
}

const char *text_tilde(const struct view *view)
{
	return space_uncertain(view->space) ? "~" : "";
}

const char *text_bytes(const struct view *view, uint64_t bytes, char buf[TEXT_NUMBER])
{
	char number[16];

	snprintf(buf, TEXT_NUMBER, "%s%s", text_tilde(view),
		 units_bytes(bytes, number, sizeof(number)));
	return buf;
}

const char *text_count(const struct view *view, uint64_t count, char buf[TEXT_NUMBER])
{
	snprintf(buf, TEXT_NUMBER, "%s%" PRIu64, text_tilde(view), count);
	return buf;
}

const char *text_percent(const struct view *view, uint32_t part, uint32_t all,
			 char buf[TEXT_NUMBER])
{
	unsigned int percent;

	if (!all) {
		snprintf(buf, TEXT_NUMBER, "-");
		return buf;
	}
	percent = (unsigned int)(((uint64_t)part * 100 + all / 2) / all);
	if (percent == 100 && part < all)
		percent = 99;
	if (!percent && part)
		snprintf(buf, TEXT_NUMBER, "%s<1%%", text_tilde(view));
	else
		snprintf(buf, TEXT_NUMBER, "%s%u%%", text_tilde(view), percent);
	return buf;
}

const char *text_ascii(const char *text, char *buf, size_t len)
{
	size_t i;

	for (i = 0; text[i] && i + 1 < len; i++)
		buf[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	buf[i] = '\0';
	return buf;
}

const char *text_task(const struct view *view, uint32_t pid, uint32_t comm_id, char buf[TEXT_TASK])
{
	const char *comm = names_text(view->names, comm_id);
	char name[32];

	if (!pid && !*comm)
		snprintf(buf, TEXT_TASK, "-");
	else
		snprintf(buf, TEXT_TASK, "%s[%" PRIu32 "]",
			 *comm ? text_ascii(comm, name, sizeof(name)) : "?", pid);
	return buf;
}

const char *text_owner(const struct view *view, const struct area *area, char buf[TEXT_LABEL])
{
	uint32_t id = owners_caller_of(area, view->names, view->stacks);
	const char *label = names_text(view->names, id);

	return text_ascii(*label ? label : "?", buf, TEXT_LABEL);
}

void text_field(FILE *out, const char *text, unsigned int width)
{
	size_t len = strlen(text);

	if (len > width)
		fprintf(out, "%.*s>", (int)width - 1, text);
	else
		fprintf(out, "%-*s", (int)width, text);
}

void text_last(FILE *out, const struct view *view, const char *text, unsigned int used)
{
	unsigned int columns = text_columns(view);
	unsigned int room = columns > used + 4 ? columns - used : 4;

	if (view->style.columns && strlen(text) > room)
		fprintf(out, "%.*s>\n", (int)room - 1, text);
	else
		fprintf(out, "%s\n", text);
}

void text_repeat(FILE *out, char c, unsigned int count)
{
	while (count--)
		putc(c, out);
}

void text_frames(FILE *out, const struct view *view, uint32_t stack_id, unsigned int indent)
{
	struct stack stack = stacks_get(view->stacks, stack_id);
	uint32_t i;

	for (i = 0; i < stack.nr_frames; i++) {
		const char *name = names_text(view->names, stack.frames[i]);
		char label[TEXT_LABEL];

		text_repeat(out, ' ', indent);
		text_last(out, view, text_ascii(*name ? name : "?", label, sizeof(label)), indent);
	}
}

uint64_t text_age(const struct view *view, uint64_t t_ns)
{
	return view->facts->now_ns > t_ns ? view->facts->now_ns - t_ns : 0;
}

const char *text_by_name(enum owners_by by)
{
	static const char *const names[] = {
		[OWNERS_BY_CALLER] = "caller", [OWNERS_BY_STACK] = "stack",
		[OWNERS_BY_MODULE] = "module", [OWNERS_BY_KIND] = "kind",
		[OWNERS_BY_COMM] = "comm",
	};

	return by < sizeof(names) / sizeof(names[0]) ? names[by] : "?";
}

const char *text_sort_name(enum owners_sort sort)
{
	static const char *const names[] = {
		[OWNERS_SORT_BYTES] = "bytes", [OWNERS_SORT_COUNT] = "count",
		[OWNERS_SORT_GUARD] = "guard", [OWNERS_SORT_AGE] = "age",
		[OWNERS_SORT_WASTE] = "waste",
	};

	return sort < sizeof(names) / sizeof(names[0]) ? names[sort] : "?";
}

/* What the allocator can return; the numbers are those of the i386 kernel. */
const char *text_errno(int err, char buf[TEXT_NUMBER])
{
	unsigned int number = err < 0 ? 0u - (unsigned int)err : (unsigned int)err;

	switch (number) {
	case EPERM:
		return "EPERM";
	case EINTR:
		return "EINTR";
	case EAGAIN:
		return "EAGAIN";
	case ENOMEM:
		return "ENOMEM";
	case EBUSY:
		return "EBUSY";
	case EEXIST:
		return "EEXIST";
	case EINVAL:
		return "EINVAL";
	case ENOSPC:
		return "ENOSPC";
	case ERANGE:
		return "ERANGE";
	}
	snprintf(buf, TEXT_NUMBER, "errno %u", number);
	return buf;
}

struct text_flow text_flow_new(FILE *out, const struct view *view, unsigned int gap)
{
	return (struct text_flow){
		.out = out, .columns = text_columns(view), .indent = 3, .gap = gap
	};
}

void text_flow_item(struct text_flow *flow, const struct view *view, enum text_class class,
		    const char *text)
{
	unsigned int room = flow->columns - flow->indent;
	unsigned int len = (unsigned int)strlen(text);
	unsigned int gap = flow->at ? flow->gap : 1;

	if (view->style.columns && len > room)
		len = room;

	if (flow->at && flow->at + gap + len > flow->columns) {
		putc('\n', flow->out);
		flow->at = 0;
		gap = flow->indent;
	}
	text_repeat(flow->out, ' ', gap);
	if (class != TEXT_PLAIN)
		text_color(flow->out, view, class);
	text_field(flow->out, text, len);
	if (class != TEXT_PLAIN)
		text_color(flow->out, view, TEXT_PLAIN);
	flow->at += gap + len;
}

void text_flow_end(struct text_flow *flow)
{
	putc('\n', flow->out);
	flow->at = 0;
}
