// SPDX-License-Identifier: GPL-2.0-only
#include "view/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "units.h"
#include "view/text_util.h"

#define TREND_ROWS 12u

/* A number of the trend: with '~' if the map was uncertain when it was measured. */
static const char *measured(bool uncertain, uint64_t bytes, char buf[TEXT_NUMBER])
{
	char number[16];

	snprintf(buf, TEXT_NUMBER, "%s%s", uncertain ? "~" : "",
		 units_bytes(bytes, number, sizeof(number)));
	return buf;
}

const char *text_slope(const struct trend_report *report, char buf[TEXT_NUMBER])
{
	uint64_t size = report->slope < 0 ? 0 - (uint64_t)report->slope : (uint64_t)report->slope;
	const char *tilde = report->uncertain ? "~" : "";
	char number[16];

	if (!size)
		snprintf(buf, TEXT_NUMBER, "%ssteady", tilde);
	else
		snprintf(buf, TEXT_NUMBER, "%s%c%s/h", tilde, report->slope < 0 ? '-' : '+',
			 units_bytes(size, number, sizeof(number)));
	return buf;
}

/* One row: what `bucket` sums up. All but the bar, so that all bars begin and end alike. */
struct row {
	char numbers[8 * TEXT_NUMBER]; /* " 10m12s 8.2M 212K 111.4M 105.7M 105.7M 105.8M" */
	char failed[16];
	bool alarm;
	uint32_t largest;
};

static struct row row_of(const struct trend_report *report, const struct trend_bucket *bucket,
			 uint64_t end_ns)
{
	const struct trend_value *value = bucket->value;
	struct row row = { .alarm = bucket->fails, .largest = value[TREND_LARGEST].last };
	bool uncertain = bucket->last_uncertain;
	char until[TEXT_NUMBER], text[6][TEXT_NUMBER];

	snprintf(row.numbers, sizeof(row.numbers), " %8s %7s %7s %7s %7s %7s %7s",
		 units_duration(end_ns - report->start_ns, until, sizeof(until)),
		 measured(uncertain, value[TREND_USED].last, text[0]),
		 measured(uncertain, value[TREND_LAZY].last, text[1]),
		 measured(uncertain, value[TREND_FREE].last, text[2]),
		 measured(uncertain, value[TREND_LARGEST].last, text[3]),
		 measured(bucket->uncertain, value[TREND_LARGEST].min, text[4]),
		 measured(uncertain, value[TREND_AFTER_PURGE].last, text[5]));
	snprintf(row.failed, sizeof(row.failed), " %6" PRIu32, bucket->fails);
	return row;
}

static void print_row(FILE *out, const struct view *view, const struct row *row, unsigned int bar)
{
	fputs(row->numbers, out);
	if (row->alarm)
		text_color(out, view, TEXT_ALARM);
	fputs(row->failed, out);
	if (row->alarm)
		text_color(out, view, TEXT_PLAIN);
	if (bar)
		putc(' ', out);
	text_repeat(out, '#', bar);
	putc('\n', out);
}

static void print_rows(FILE *out, const struct view *view, const struct trend_report *report)
{
	uint32_t in_row = (report->count + TREND_ROWS - 1) / TREND_ROWS, rows = 0;
	uint32_t most = report->all[TREND_LARGEST].max, columns = text_columns(view), widest = 0;
	struct row row[TREND_ROWS];

	for (uint32_t i = 0; i < report->count; i += in_row) {
		struct trend_bucket sum = report->buckets[i];
		uint32_t last = i, used;

		while (last + 1 < report->count && last + 1 < i + in_row)
			trend_merge(&sum, &report->buckets[++last]);
		row[rows] = row_of(report, &sum, trend_end_ns(report, last));
		used = (uint32_t)(strlen(row[rows].numbers) + strlen(row[rows].failed));
		widest = used > widest ? used : widest;
		rows++;
	}
	for (uint32_t i = 0; i < rows; i++) {
		uint64_t width = columns > widest + 1 ? columns - widest - 1 : 0;

		print_row(out, view, &row[i], most ? (uint32_t)(row[i].largest * width / most) : 0);
	}
}

static void print_head(FILE *out, const struct trend_report *report)
{
	char step[16], title[48];

	snprintf(title, sizeof(title), "TREND in steps of %s",
		 units_duration(report->step_ns, step, sizeof(step)));
	fprintf(out, " %-33s------ LARGEST HOLE ----\n", title);
	fprintf(out, " %8s %7s %7s %7s %7s %7s %7s %6s (bar: AT END)\n", "UNTIL", "USED", "LAZY",
		"FREE", "AT END", "LOWEST", "PURGED", "FAILED");
}

static void print_sum(FILE *out, const struct view *view, const struct trend_report *report)
{
	const struct trend_value *largest = &report->all[TREND_LARGEST];
	struct text_flow flow = text_flow_new(out, view, 1);
	bool last_uncertain = report->buckets[report->count - 1].last_uncertain;
	char item[64], number[TEXT_NUMBER];

	text_flow_item(&flow, view, TEXT_PLAIN, "largest hole:");
	snprintf(item, sizeof(item), "first %s,",
		 measured(report->first_uncertain, report->first[TREND_LARGEST], number));
	text_flow_item(&flow, view, TEXT_PLAIN, item);
	snprintf(item, sizeof(item), "lowest %s,",
		 measured(report->uncertain, largest->min, number));
	text_flow_item(&flow, view, TEXT_PLAIN, item);
	snprintf(item, sizeof(item), "last %s;", measured(last_uncertain, largest->last, number));
	text_flow_item(&flow, view, TEXT_PLAIN, item);
	if (report->has_slope)
		snprintf(item, sizeof(item), "slope %s", text_slope(report, number));
	else
		snprintf(item, sizeof(item), "no slope before %s",
			 units_duration(TREND_SLOPE_MIN_NS, number, sizeof(number)));
	text_flow_item(&flow, view, TEXT_PLAIN, item);
	text_flow_end(&flow);
}

static void print_none(FILE *out, const struct view *view)
{
	if (!space_counters(view->space)->snapshots)
		fputs(" no trend: what was there before the first event is not known\n", out);
	else if (view->facts->live)
		fputs(" no trend yet: --duration=TIME watches for longer\n", out);
	else
		fputs(" no trend: too few events after the first snapshot\n", out);
}

void text_trend(FILE *out, const struct view *view)
{
	struct trend_report report = { 0 };

	if (view->trend)
		trend_report(view->trend, view->space, view->facts->now_ns, &report);
	if (report.count < 2) {
		print_none(out, view);
		return;
	}
	print_head(out, &report);
	print_rows(out, view, &report);
	print_sum(out, view, &report);
}
