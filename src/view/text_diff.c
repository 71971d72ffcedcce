// SPDX-License-Identifier: GPL-2.0-only
#include "view/diff.h"

#include <inttypes.h>

#include "space/holes.h"
#include "space/kind.h"
#include "units.h"
#include "view/text_util.h"

#define OWNER_COLUMN 48u
#define FRAME_INDENT 20u

static const struct view *view_of(const struct diff_view *diff, enum diff_side side)
{
	return &diff->sources[side].view;
}

/* '~' if either side is uncertain: then so is what lies between them. */
static const char *tilde(const struct diff_view *diff)
{
	const char *a = text_tilde(view_of(diff, DIFF_A));

	return *a ? a : text_tilde(view_of(diff, DIFF_B));
}

static const char *bytes_change(const struct diff_view *diff, int64_t change, char buf[TEXT_NUMBER])
{
	char number[16];

	if (!change)
		snprintf(buf, TEXT_NUMBER, "%s0", tilde(diff));
	else
		snprintf(buf, TEXT_NUMBER, "%s%c%s", tilde(diff), change < 0 ? '-' : '+',
			 units_bytes((uint64_t)(change < 0 ? -change : change), number,
				     sizeof(number)));
	return buf;
}

static const char *count_change(const struct diff_view *diff, int64_t change, char buf[TEXT_NUMBER])
{
	snprintf(buf, TEXT_NUMBER, change ? "%s%+" PRId64 : "%s%" PRId64, tilde(diff), change);
	return buf;
}

static void print_source(FILE *out, const struct diff_view *diff, enum diff_side side)
{
	const struct diff_source *source = &diff->sources[side];
	struct space_totals totals = space_totals(source->view.space);
	char text[TEXT_LABEL], line[TEXT_LABEL + 96], when[64] = "now", time[16], number[16];

	units_duration(source->at_ns, time, sizeof(time));
	if (source->name)
		snprintf(when, sizeof(when), "%s%s into it", source->at_end ? "at its end, " : "",
			 time);
	fprintf(out, " %c = ", side == DIFF_A ? 'A' : 'B');
	text_last(out, &source->view,
		  text_ascii(source->name ? source->name : "this machine", text, sizeof(text)), 5);
	snprintf(line, sizeof(line), "%s; %08" PRIx32 "-%08" PRIx32 " %s; %s", when, totals.start,
		 totals.end, units_bytes(totals.total_bytes, number, sizeof(number)),
		 text_ascii(source->view.facts->kernel, text, sizeof(text)));
	fputs("     ", out);
	text_last(out, &source->view, line, 5);
}

static void print_sources(FILE *out, const struct diff_view *diff)
{
	print_source(out, diff, DIFF_A);
	print_source(out, diff, DIFF_B);
	fputs(" CHANGE is B less A: + is more in B than in A, - is less\n", out);
}

static void bytes_row(FILE *out, const struct diff_view *diff, const char *name, uint32_t a,
		      uint32_t b)
{
	char of_a[TEXT_NUMBER], of_b[TEXT_NUMBER], change[TEXT_NUMBER];

	fprintf(out, " %-24s %9s %9s %9s\n", name, text_bytes(view_of(diff, DIFF_A), a, of_a),
		text_bytes(view_of(diff, DIFF_B), b, of_b),
		bytes_change(diff, (int64_t)b - a, change));
}

static void count_row(FILE *out, const struct diff_view *diff, const char *name, uint32_t a,
		      uint32_t b)
{
	char of_a[TEXT_NUMBER], of_b[TEXT_NUMBER], change[TEXT_NUMBER];

	fprintf(out, " %-24s %9s %9s %9s\n", name, text_count(view_of(diff, DIFF_A), a, of_a),
		text_count(view_of(diff, DIFF_B), b, of_b),
		count_change(diff, (int64_t)b - a, change));
}

static void ratio_row(FILE *out, const struct diff_view *diff, const char *name, double a, double b)
{
	char of_a[TEXT_NUMBER], of_b[TEXT_NUMBER], change[TEXT_NUMBER];

	snprintf(of_a, sizeof(of_a), "%s%.2f", text_tilde(view_of(diff, DIFF_A)), a);
	snprintf(of_b, sizeof(of_b), "%s%.2f", text_tilde(view_of(diff, DIFF_B)), b);
	snprintf(change, sizeof(change), b - a < 0.005 && a - b < 0.005 ? "%s0.00" : "%s%+.2f",
		 tilde(diff), b - a);
	fprintf(out, " %-24s %9s %9s %9s\n", name, of_a, of_b, change);
}

static void print_totals(FILE *out, const struct diff_view *diff,
			 const struct holes_report reports[DIFF_SIDES])
{
	struct space_totals a = space_totals(view_of(diff, DIFF_A)->space);
	struct space_totals b = space_totals(view_of(diff, DIFF_B)->space);
	const struct holes_report *x = &reports[DIFF_A], *y = &reports[DIFF_B];

	fprintf(out, " %-24s %9s %9s %9s\n", "", "A", "B", "CHANGE");
	bytes_row(out, diff, "used", a.used_bytes, b.used_bytes);
	bytes_row(out, diff, "guard", a.guard_bytes, b.guard_bytes);
	bytes_row(out, diff, "lazy", a.lazy_bytes, b.lazy_bytes);
	bytes_row(out, diff, "free", a.free_bytes, b.free_bytes);
	if (a.unknown_bytes || b.unknown_bytes)
		bytes_row(out, diff, "unknown", a.unknown_bytes, b.unknown_bytes);
	count_row(out, diff, "areas", a.areas, b.areas);
	bytes_row(out, diff, "largest hole", x->largest.end - x->largest.start,
		  y->largest.end - y->largest.start);
	bytes_row(out, diff, "largest hole after purge",
		  x->largest_after_purge.end - x->largest_after_purge.start,
		  y->largest_after_purge.end - y->largest_after_purge.start);
	ratio_row(out, diff, "fragmentation", holes_fragmentation(x), holes_fragmentation(y));
	count_row(out, diff, "holes", x->count, y->count);
}

/* The holes by size, two buckets of the report a line: a factor 4. */
static void print_holes(FILE *out, const struct diff_view *diff,
			const struct holes_report reports[DIFF_SIDES])
{
	const struct holes_report *a = &reports[DIFF_A], *b = &reports[DIFF_B];

	for (unsigned int i = 0; i < HOLES_BUCKETS; i += 2) {
		uint32_t of_a = a->bucket_count[i] + a->bucket_count[i + 1];
		uint32_t of_b = b->bucket_count[i] + b->bucket_count[i + 1];
		char name[40], from[16], below[16];

		if (!of_a && !of_b)
			continue;
		snprintf(name, sizeof(name), "  of %s to %s",
			 units_bytes((uint64_t)VMT_PAGE_SIZE << i, from, sizeof(from)),
			 units_bytes((uint64_t)VMT_PAGE_SIZE << (i + 2), below, sizeof(below)));
		count_row(out, diff, name, of_a, of_b);
	}
}

static void print_row(FILE *out, const struct diff_view *diff, const struct diff_row *row)
{
	const struct view *a = view_of(diff, DIFF_A), *b = view_of(diff, DIFF_B);
	char change[TEXT_NUMBER], of_a[TEXT_NUMBER], of_b[TEXT_NUMBER], areas[TEXT_NUMBER];
	char label[TEXT_LABEL];

	fprintf(out, " %8s %8s %8s %7s ", bytes_change(diff, diff_bytes(row), change),
		text_bytes(a, row->bytes[DIFF_A], of_a), text_bytes(b, row->bytes[DIFF_B], of_b),
		count_change(diff, diff_areas(row), areas));
	text_field(out, row->kind == KIND_UNKNOWN ? "-" : kind_name(row->kind), 10);
	putc(' ', out);
	text_last(out, b, text_ascii(row->label, label, sizeof(label)), OWNER_COLUMN);
}

static void print_rest(FILE *out, const struct diff_view *diff, const struct diff_rows *rows,
		       uint32_t from)
{
	char change[TEXT_NUMBER];
	int64_t bytes = 0;

	for (uint32_t i = from; i < rows->count; i++)
		bytes += diff_bytes(&rows->list[i]);
	if (from < rows->count)
		fprintf(out, " %8s in %" PRIu32 " more\n", bytes_change(diff, bytes, change),
			rows->count - from);
	if (rows->unchanged)
		fprintf(out, " %8s in %" PRIu32 " that hold the same on both sides\n", "0",
			rows->unchanged);
}

static void print_owners(FILE *out, const struct diff_view *diff, const struct diff_rows *rows)
{
	uint32_t i;

	fprintf(out, " %8s %8s %8s %7s %-10s OWNER by %s, by %s\n", "CHANGE", "A", "B", "AREAS",
		"KIND", text_by_name(diff->by), text_sort_name(diff->sort));
	for (i = 0; i < rows->count && i < diff->top; i++) {
		const struct diff_row *row = &rows->list[i];

		print_row(out, diff, row);
		if (diff->by == OWNERS_BY_STACK)
			text_frames(out, view_of(diff, row->stack_side), row->stack_id,
				    FRAME_INDENT);
	}
	print_rest(out, diff, rows, i);
}

int text_diff(FILE *out, const struct diff_view *diff)
{
	struct holes_report reports[DIFF_SIDES];
	struct diff_map maps[DIFF_SIDES];
	struct diff_rows rows;
	int err;

	for (unsigned int side = 0; side < DIFF_SIDES; side++) {
		const struct view *view = view_of(diff, side);

		maps[side] = (struct diff_map){ view->space, view->names, view->stacks };
		holes_report(view->space, &reports[side]);
	}
	err = diff_owners(maps, diff->by, diff->sort, &rows);
	if (err)
		return err;
	print_sources(out, diff);
	putc('\n', out);
	print_totals(out, diff, reports);
	print_holes(out, diff, reports);
	putc('\n', out);
	print_owners(out, diff, &rows);
	diff_release(&rows);
	return 0;
}
