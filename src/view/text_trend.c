// SPDX-License-Identifier: GPL-2.0-only
#include "view/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "view/text_util.h"
#include "view/units.h"

#define TREND_ROWS 12u
#define BAR_COLUMN 65u

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

/* "10m12s 8.2M 212K 111.4M 105.7M 105.7M 105.8M 0 #####": one row for what `bucket` sums up. */
static void print_row(FILE *out, const struct view *view, const struct trend_report *report,
		      const struct trend_bucket *bucket, uint64_t end_ns)
{
	static const enum trend_what shown[] = { TREND_USED, TREND_LAZY, TREND_FREE,
						 TREND_LARGEST };
	const struct trend_value *largest = &bucket->value[TREND_LARGEST];
	const struct trend_value *purged = &bucket->value[TREND_AFTER_PURGE];
	unsigned int width = text_columns(view) > BAR_COLUMN ? text_columns(view) - BAR_COLUMN : 0;
	uint32_t most = report->all[TREND_LARGEST].max;
	unsigned int bar = most ? (unsigned int)((uint64_t)largest->last * width / most) : 0;
	char number[TEXT_NUMBER];

	fprintf(out, " %8s", units_duration(end_ns - report->start_ns, number, sizeof(number)));
	for (unsigned int i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		fprintf(out, " %7s",
			measured(bucket->last_uncertain, bucket->value[shown[i]].last, number));
	fprintf(out, " %7s", measured(bucket->uncertain, largest->min, number));
	fprintf(out, " %7s", measured(bucket->last_uncertain, purged->last, number));
	if (bucket->fails)
		text_color(out, view, TEXT_ALARM);
	fprintf(out, " %6" PRIu32, bucket->fails);
	if (bucket->fails)
		text_color(out, view, TEXT_PLAIN);
	if (bar)
		putc(' ', out);
	text_repeat(out, '#', bar);
	putc('\n', out);
}

static void print_rows(FILE *out, const struct view *view, const struct trend_report *report)
{
	uint32_t in_row = (report->count + TREND_ROWS - 1) / TREND_ROWS;

	for (uint32_t i = 0; i < report->count; i += in_row) {
		struct trend_bucket sum = report->buckets[i];
		uint32_t last = i;

		while (last + 1 < report->count && last + 1 < i + in_row)
			trend_merge(&sum, &report->buckets[++last]);
		print_row(out, view, report, &sum, trend_end_ns(report, last));
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
