// SPDX-License-Identifier: GPL-2.0-only
#include "view/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "view/hole_list.h"
#include "view/text_util.h"
#include "view/units.h"

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

/* "foo_ring_alloc+0x41 [foo] 8.0K", "lazy foo ... 8.0K", "(end of the range)". */
static const char *neighbour(const struct view *view, uint32_t addr, bool inside,
			     char buf[TEXT_LABEL + 32])
{
	const struct area *area = inside ? space_area_at(view->space, addr) : NULL;
	char label[TEXT_LABEL], number[16];

	if (!inside)
		snprintf(buf, TEXT_LABEL + 32, "(end of the range)");
	else if (!area)
		snprintf(buf, TEXT_LABEL + 32, "(unknown)");
	else
		snprintf(buf, TEXT_LABEL + 32, "%s %s%s",
			 units_bytes(area->end - area->start, number, sizeof(number)),
			 area->state == AREA_LAZY ? "lazy " : "", text_owner(view, area, label));
	return buf;
}

static void print_hole(FILE *out, const struct view *view, const struct hole *hole,
		       unsigned int side)
{
	char number[TEXT_NUMBER], text[TEXT_LABEL + 32];

	fprintf(out, " %08" PRIx32 "-%08" PRIx32 " %7s  ", hole->start, hole->end,
		text_bytes(view, hole->end - hole->start, number));
	text_field(out,
		   neighbour(view, hole->start - 1, hole->start > space_start(view->space), text),
		   side);
	fputs("  ", out);
	text_last(out, view, neighbour(view, hole->end, hole->end < space_end(view->space), text),
		  30 + side);
}

static void print_largest(FILE *out, const struct view *view, unsigned int top)
{
	unsigned int side = (text_columns(view) - 30) / 2;
	struct hole_list list;
	uint32_t i;

	if (hole_list_largest(view->space, top, &list) < 0) {
		fputs(" out of memory\n", out);
		return;
	}
	if (list.count)
		fprintf(out, " %-17s %7s  %-*s  %s\n", "HOLE", "SIZE", (int)side, "BELOW IT",
			"ABOVE IT");
	for (i = 0; i < list.count; i++)
		print_hole(out, view, &list.holes[i], side);
	hole_list_release(&list);
}

void text_holes(FILE *out, const struct view *view, unsigned int top)
{
	char bytes[TEXT_NUMBER], count[TEXT_NUMBER], now[TEXT_NUMBER], purged[TEXT_NUMBER];
	struct holes_report report;

	holes_report(view->space, &report);
	fprintf(out, " free %s in %s holes, largest %s, %s after purge, frag %s%.2f\n",
		text_bytes(view, report.free_bytes, bytes), text_count(view, report.count, count),
		text_bytes(view, report.largest.end - report.largest.start, now),
		text_bytes(view, report.largest_after_purge.end - report.largest_after_purge.start,
			   purged),
		text_tilde(view), holes_fragmentation(&report));
	full_histogram(out, view, &report);
	if (top)
		print_largest(out, view, top);
}
