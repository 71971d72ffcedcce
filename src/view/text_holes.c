// SPDX-License-Identifier: GPL-2.0-only
#include "view/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "units.h"
#include "view/hole_list.h"
#include "view/text_util.h"

#define HOLE_INDENT 27u

struct bucket {
	unsigned int first; /* buckets of the report, [first, last) */
	unsigned int last;
	uint32_t count;
	uint32_t bytes;
};

static struct bucket sum_buckets(const struct holes_report *report, unsigned int first,
				 unsigned int step)
{
	struct bucket bucket = { .first = first, .last = first + step };
	unsigned int i;

	for (i = first; i < bucket.last && i < HOLES_BUCKETS; i++) {
		bucket.count += report->bucket_count[i];
		bucket.bytes += report->bucket_bytes[i];
	}
	return bucket;
}

/* "4K", "16M": every bound of a bucket is a power of two. */
static const char *bound_text(unsigned int bucket, char buf[16])
{
	unsigned int shift = 12 + bucket;

	snprintf(buf, 16, "%u%c", 1u << shift % 10, "KMG"[shift / 10 - 1]);
	return buf;
}

/* Length of a bar, log2: beside one hole of 90 MB all others would be nothing. */
static unsigned int bar_length(uint32_t bytes, uint32_t most_bytes, unsigned int width)
{
	unsigned int steps = bytes ? holes_bucket(bytes) + 1 : 0;

	return steps ? (steps * width + holes_bucket(most_bytes)) / (holes_bucket(most_bytes) + 1)
		     : 0;
}

/* Prints one bucket without a newline. pad: up to the full width of a bar. */
static void print_bucket(FILE *out, const struct view *view, const struct bucket *bucket,
			 uint32_t most_bytes, unsigned int bar_width, bool pad)
{
	unsigned int bar = bar_length(bucket->bytes, most_bytes, bar_width);
	char from[16], below[16], range[40], count[TEXT_NUMBER], bytes[TEXT_NUMBER];

	snprintf(range, sizeof(range), "%s-%s", bound_text(bucket->first, from),
		 bound_text(bucket->last, below));
	fprintf(out, " %11s %6s %7s", range, text_count(view, bucket->count, count),
		bucket->bytes ? text_bytes(view, bucket->bytes, bytes) : "-");
	if (bar || pad)
		putc(' ', out);
	text_repeat(out, '#', bar);
	if (pad)
		text_repeat(out, ' ', bar_width - bar);
}

/* The buckets that matter: from the smallest hole there is to the largest. False if none. */
static bool bucket_span(const struct holes_report *report, unsigned int *first, unsigned int *last)
{
	*first = HOLES_BUCKETS;
	*last = 0;
	for (unsigned int i = 0; i < HOLES_BUCKETS; i++) {
		if (!report->bucket_count[i])
			continue;
		if (*first == HOLES_BUCKETS)
			*first = i;
		*last = i + 1;
	}
	return *last;
}

static uint32_t most_bytes_of(const struct holes_report *report, unsigned int first,
			      unsigned int last, unsigned int step)
{
	uint32_t most = 0;

	for (; first < last; first += step) {
		struct bucket bucket = sum_buckets(report, first, step);

		if (bucket.bytes > most)
			most = bucket.bytes;
	}
	return most;
}

/* Two buckets of a factor 4 a line: few lines, for a block that is printed every second. */
void text_hole_histogram(FILE *out, const struct view *view)
{
	unsigned int bar_width = (text_columns(view) - 2 * 27 - 3) / 2;
	struct holes_report report;
	unsigned int first, last, half, i;
	uint32_t most;

	holes_report(view->space, &report);
	if (!bucket_span(&report, &first, &last)) {
		fputs(" no free holes\n", out);
		return;
	}
	first -= first % 2;
	most = most_bytes_of(&report, first, last, 2);
	half = ((last - first + 1) / 2 + 1) / 2;
	for (i = 0; i < half; i++) {
		struct bucket left = sum_buckets(&report, first + 2 * i, 2);
		struct bucket right = sum_buckets(&report, first + 2 * (i + half), 2);
		bool both = right.first < last;

		print_bucket(out, view, &left, most, bar_width, both);
		if (both) {
			fputs(" |", out);
			print_bucket(out, view, &right, most, bar_width, false);
		}
		putc('\n', out);
	}
}

static void full_histogram(FILE *out, const struct view *view, const struct holes_report *report)
{
	unsigned int bar_width = text_columns(view) - 28;
	unsigned int first, last;
	uint32_t most;

	if (!bucket_span(report, &first, &last))
		return;
	most = most_bytes_of(report, first, last, 1);
	fprintf(out, " %11s %6s %7s %s\n", "SIZE", "HOLES", "BYTES", "(bar: log2)");
	for (; first < last; first++) {
		struct bucket bucket = sum_buckets(report, first, 1);

		print_bucket(out, view, &bucket, most, bar_width, false);
		putc('\n', out);
	}
}

/* One line, from column HOLE_INDENT on: "below 132K lazy array_map_alloc+0xf0  vmtrace[1500]".
 * edge: what to print where the range ends, else NULL. */
static void print_neighbour(FILE *out, const struct view *view, const char *side, uint32_t addr,
			    const char *edge)
{
	const struct area *area = edge ? NULL : space_area_at(view->space, addr);
	char label[TEXT_LABEL], task[TEXT_TASK], number[16], text[TEXT_LABEL + TEXT_TASK + 16];
	bool known = area && (area->pid || area->comm_id);

	fprintf(out, "%-5s ", side);
	if (!area) {
		text_last(out, view, edge ? edge : "(unknown)", HOLE_INDENT + 6);
		return;
	}
	fprintf(out, "%6s ", units_bytes(area->end - area->start, number, sizeof(number)));
	snprintf(text, sizeof(text), "%s%s%s%s%s", area->state == AREA_LAZY ? "lazy " : "",
		 area->flags & AREA_F_OWN ? "@ " : "", text_owner(view, area, label),
		 known ? "  " : "", known ? text_task(view, area->pid, area->comm_id, task) : "");
	text_last(out, view, text, HOLE_INDENT + 13);
}

/* Two lines, one for each neighbour: their names are what one looks for. */
static void print_hole(FILE *out, const struct view *view, const struct hole *hole)
{
	char number[TEXT_NUMBER];

	fprintf(out, " %08" PRIx32 "-%08" PRIx32 " %7s ", hole->start, hole->end,
		text_bytes(view, hole->end - hole->start, number));
	print_neighbour(out, view, "below", hole->start - 1,
			hole->start > space_start(view->space) ? NULL : "(start of the range)");
	text_repeat(out, ' ', HOLE_INDENT);
	print_neighbour(out, view, "above", hole->end,
			hole->end < space_end(view->space) ? NULL : "(end of the range)");
}

static void print_rest(FILE *out, const struct view *view, const struct holes_report *report,
		       const struct hole_list *list)
{
	uint32_t bytes = report->free_bytes, more = report->count - list->count;
	char count[TEXT_NUMBER], rest[TEXT_NUMBER];

	if (!more)
		return;
	for (uint32_t i = 0; i < list->count; i++)
		bytes -= list->holes[i].end - list->holes[i].start;
	fprintf(out, " %s more hole%s, %s in all: --top=0 shows every hole\n",
		text_count(view, more, count), more == 1 ? "" : "s", text_bytes(view, bytes, rest));
}

static void print_largest(FILE *out, const struct view *view, const struct holes_report *report,
			  unsigned int top)
{
	struct hole_list list;
	uint32_t i;

	if (hole_list_largest(view->space, top, &list) < 0) {
		fputs(" out of memory\n", out);
		return;
	}
	if (list.count)
		fprintf(out, " %-17s %7s NEIGHBOURS\n", "HOLE", "SIZE");
	for (i = 0; i < list.count; i++)
		print_hole(out, view, &list.holes[i]);
	print_rest(out, view, report, &list);
	hole_list_release(&list);
}

/* What the largest hole would be if the lazy areas were given back. */
static void print_after_purge(FILE *out, const struct view *view, const struct holes_report *report)
{
	const struct hole *now = &report->largest, *then = &report->largest_after_purge;
	uint32_t lazy = space_totals(view->space).lazy_bytes;
	char bytes[TEXT_NUMBER];

	if (!lazy)
		fprintf(out, " a purge would free %s: nothing is %slazy\n",
			text_bytes(view, lazy, bytes),
			space_uncertain(view->space) ? "known to be " : "");
	else if (then->end - then->start == now->end - now->start)
		fprintf(out, " a purge would free %s, but make no larger hole\n",
			text_bytes(view, lazy, bytes));
	else {
		fprintf(out, " a purge would free %s, and the largest hole would be\n",
			text_bytes(view, lazy, bytes));
		print_hole(out, view, then);
	}
}

/* The numbers in one line, more if they are long. */
static void print_totals(FILE *out, const struct view *view, const struct holes_report *report)
{
	struct text_flow flow = text_flow_new(out, view, 1);
	char bytes[TEXT_NUMBER], count[TEXT_NUMBER], item[80];

	snprintf(item, sizeof(item), "free %s in %s hole%s,",
		 text_bytes(view, report->free_bytes, bytes),
		 text_count(view, report->count, count), report->count == 1 ? "" : "s");
	text_flow_item(&flow, view, TEXT_PLAIN, item);
	snprintf(item, sizeof(item), "largest %s,",
		 text_bytes(view, report->largest.end - report->largest.start, bytes));
	text_flow_item(&flow, view, TEXT_PLAIN, item);
	snprintf(item, sizeof(item), "%s after purge,",
		 text_bytes(view,
			    report->largest_after_purge.end - report->largest_after_purge.start,
			    bytes));
	text_flow_item(&flow, view, TEXT_PLAIN, item);
	snprintf(item, sizeof(item), "frag %s%.2f", text_tilde(view), holes_fragmentation(report));
	text_flow_item(&flow, view, TEXT_PLAIN, item);
	text_flow_end(&flow);
}

void text_holes(FILE *out, const struct view *view, unsigned int top)
{
	struct holes_report report;

	holes_report(view->space, &report);
	print_totals(out, view, &report);
	full_histogram(out, view, &report);
	if (top)
		print_largest(out, view, &report, top);
	print_after_purge(out, view, &report);
	text_trend(out, view);
}
