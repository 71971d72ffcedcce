// SPDX-License-Identifier: GPL-2.0-only
/*
 * One line for each area. Text is quoted where RFC 4180 wants it. Control characters have become
 * '?', so a line of the file is a line of the table; and text that a spreadsheet would take for a
 * formula has a ' in front, since any task can call itself "=cmd(...)".
 */
#include "export/export.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "export/clean.h"
#include "space/kind.h"
#include "space/owners.h"
#include "view/text_util.h"

#define COLUMNS                                                                                 \
	"start,end,bytes,guard_bytes,state,kind,age_ns,there_before,own,pid,comm,owner,module," \
	"requested_bytes,align,freed_ago_ns,freer_pid,freer_comm,freer_caller,stack\n"

static void put_quoted(FILE *out, const char *text, bool formula)
{
	fputs(formula ? "\"'" : "\"", out);
	for (; *text; text++) {
		if (*text == '"')
			putc('"', out);
		putc(*text, out);
	}
	putc('"', out);
}

/* Text as the next field of a line. */
static int put_text(FILE *out, const char *text)
{
	char *clean = clean_text(text, CLEAN_TEXT);
	bool formula;

	if (!clean)
		return -ENOMEM;
	formula = *clean && strchr("=+-@", *clean);
	putc(',', out);
	if (formula || strpbrk(clean, "\","))
		put_quoted(out, clean, formula);
	else
		fputs(clean, out);
	free(clean);
	return 0;
}

static int put_name(FILE *out, const struct view *view, uint32_t id)
{
	return put_text(out, names_text(view->names, id));
}

static int put_owner(FILE *out, const struct view *view, const struct area *area)
{
	int err = put_name(out, view,
			   owners_label(area, view->names, view->stacks, OWNERS_BY_CALLER));

	return err ? err
		   : put_name(out, view,
			      owners_label(area, view->names, view->stacks, OWNERS_BY_MODULE));
}

/* Empty for a used area. */
static int put_freer(FILE *out, const struct view *view, const struct area *area)
{
	int err;

	if (area->state != AREA_LAZY) {
		fputs(",,,,", out);
		return 0;
	}
	fprintf(out, ",%" PRIu64 ",%" PRIu32, text_age(view, area->free_ns), area->freer_pid);
	err = put_name(out, view, area->freer_comm);
	return err ? err : put_name(out, view, area->freer_caller);
}

/* Innermost first, as `top --by=stack` prints it. */
static int put_stack(FILE *out, const struct view *view, uint32_t stack_id)
{
	struct stack stack = stacks_get(view->stacks, stack_id);
	char *text = NULL;
	size_t len = 0;
	FILE *buf = open_memstream(&text, &len);
	int err;

	if (!buf)
		return -ENOMEM;
	for (uint32_t i = 0; i < stack.nr_frames; i++)
		fprintf(buf, "%s%s", i ? " < " : "", names_text(view->names, stack.frames[i]));
	err = fclose(buf) ? -ENOMEM : put_text(out, text);
	free(text);
	return err;
}

static int put_area(FILE *out, const struct view *view, const struct area *area)
{
	int err;

	fprintf(out,
		"0x%08" PRIx32 ",0x%08" PRIx32 ",%" PRIu32 ",%u,%s,%s,%" PRIu64 ",%d,%d,%" PRIu32,
		area->start, area->end, area->end - area->start, area->guard_pages * VMT_PAGE_SIZE,
		area->state == AREA_LAZY ? "lazy" : "used", kind_name(area->kind),
		text_age(view, area->birth_ns), area->flags & AREA_F_SEEDED ? 1 : 0,
		area->flags & AREA_F_OWN ? 1 : 0, area->pid);
	err = put_name(out, view, area->comm_id);
	if (!err)
		err = put_owner(out, view, area);
	fprintf(out, ",%" PRIu32 ",%" PRIu32, area->requested, area_align(area));
	if (!err)
		err = put_freer(out, view, area);
	if (!err)
		err = put_stack(out, view, area_stack(area));
	putc('\n', out);
	return err;
}

int export_csv(FILE *out, const struct export_data *data)
{
	const struct view *view = &data->view;
	const struct area *area = space_first(view->space, space_start(view->space));
	int err = 0;

	fputs(COLUMNS, out);
	for (; area && !err; area = space_first(view->space, area->end))
		err = put_area(out, view, area);
	return err ? err : export_status(out);
}
