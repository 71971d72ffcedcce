// SPDX-License-Identifier: GPL-2.0-only
#include "view/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "record/jsonl_names.h"
#include "units.h"
#include "view/text_util.h"

static void append(char *line, size_t len, const char *before, const char *text, const char *after)
{
	size_t at = strlen(line);
	char label[TEXT_LABEL];

	if (text && *text)
		snprintf(line + at, len - at, "%s%s%s", before,
			 text_ascii(text, label, sizeof(label)), after);
}

static void title_line(FILE *out, const struct view *view)
{
	const struct view_facts *facts = view->facts;
	unsigned int columns = text_columns(view);
	char left[512] = " vmtrace";
	char right[48];
	char number[16];
	unsigned int room;

	append(left, sizeof(left), " ", facts->version, "");
	append(left, sizeof(left), "  ", facts->hostname, "");
	append(left, sizeof(left), "  ", facts->kernel, "");
	if (facts->cpus) {
		snprintf(number, sizeof(number), "%" PRIu32, facts->cpus);
		append(left, sizeof(left), "  ", number, facts->cpus == 1 ? " cpu" : " cpus");
	}
	snprintf(right, sizeof(right), "%s %s", facts->live ? "watching" : "recorded",
		 units_duration(facts->uptime_ns, number, sizeof(number)));
	room = columns - (unsigned int)strlen(right) - 2;
	text_field(out, left, room);
	fprintf(out, "  %s\n", right);
}

static void share(struct text_flow *flow, const struct view *view, enum text_class class,
		  const char *name, uint32_t bytes, uint32_t all)
{
	char size[TEXT_NUMBER], percent[TEXT_NUMBER], item[80];

	snprintf(item, sizeof(item), "%s %s%s%s", name, text_bytes(view, bytes, size),
		 all ? " " : "", all ? text_percent(view, bytes, all, percent) : "");
	text_flow_item(flow, view, class, item);
}

static void totals_line(FILE *out, const struct view *view)
{
	struct space_totals totals = space_totals(view->space);
	struct text_flow flow = text_flow_new(out, view, 1);
	char item[80], number[16];

	snprintf(item, sizeof(item), "%08" PRIx32 "-%08" PRIx32 " %s:", totals.start, totals.end,
		 units_bytes(totals.total_bytes, number, sizeof(number)));
	text_flow_item(&flow, view, TEXT_PLAIN, item);
	share(&flow, view, TEXT_USED, "used", totals.used_bytes, totals.total_bytes);
	share(&flow, view, TEXT_USED, "guard", totals.guard_bytes,
	      totals.guard_bytes ? totals.total_bytes : 0);
	share(&flow, view, TEXT_LAZY, "lazy", totals.lazy_bytes, 0);
	share(&flow, view, TEXT_PLAIN, "free", totals.free_bytes, totals.total_bytes);
	if (totals.unknown_bytes)
		share(&flow, view, TEXT_ALARM, "unknown", totals.unknown_bytes, 0);
	text_flow_end(&flow);
}

static void largest_item(struct text_flow *flow, const struct view *view,
			 const struct holes_report *report)
{
	uint32_t after = report->largest_after_purge.end - report->largest_after_purge.start;
	uint32_t now = report->largest.end - report->largest.start;
	char size[TEXT_NUMBER], purged[TEXT_NUMBER], item[100];

	text_bytes(view, after, purged);
	if (now)
		snprintf(item, sizeof(item), "largest hole %s @%08" PRIx32 " (%s after purge)",
			 text_bytes(view, now, size), report->largest.start, purged);
	else
		snprintf(item, sizeof(item), "largest hole %snone (%s after purge)",
			 text_tilde(view), purged);
	text_flow_item(flow, view, now ? TEXT_PLAIN : TEXT_ALARM, item);
}

static void counter(struct text_flow *flow, const struct view *view, const char *name,
		    uint64_t count, enum text_class class)
{
	char item[64];

	snprintf(item, sizeof(item), "%s %" PRIu64, name, count);
	text_flow_item(flow, view, count ? class : TEXT_PLAIN, item);
}

/* "lost 14 (ring 12, queue 2)": the causes as far as the command knows them. */
static void lost_item(struct text_flow *flow, const struct view *view, uint64_t lost)
{
	char item[200];
	unsigned int cause;
	int at = snprintf(item, sizeof(item), "lost %" PRIu64, lost);
	bool any = false;

	for (cause = LOST_RING; lost && cause < LOST_CAUSE_COUNT; cause++) {
		uint64_t count = view->facts->lost_by_cause[cause];

		if (!count || !lost_cause_hurts_map(cause) || at > 150)
			continue;
		at += snprintf(item + at, sizeof(item) - (size_t)at, "%s%s %" PRIu64,
			       any ? ", " : " (", jsonl_cause_name(cause), count);
		any = true;
	}
	if (any)
		snprintf(item + at, sizeof(item) - (size_t)at, ")");
	text_flow_item(flow, view, lost ? TEXT_ALARM : TEXT_PLAIN, item);
}

/* Counters that only matter when they are not 0. */
static void rare_items(struct text_flow *flow, const struct view *view,
		       const struct space_counters *counters)
{
	uint64_t healed = counters->healed_frees + counters->healed_allocs;

	if (counters->lost_stacks)
		counter(flow, view, "details lost", counters->lost_stacks, TEXT_PLAIN);
	if (healed)
		counter(flow, view, "healed", healed, TEXT_ALARM);
	if (counters->repaired)
		counter(flow, view, "repaired", counters->repaired, TEXT_ALARM);
	if (counters->rejected)
		counter(flow, view, "rejected", counters->rejected, TEXT_ALARM);
}

/* Only when the watch is long enough for a slope to mean something (docs/HOLES.md). */
static void trend_item(struct text_flow *flow, const struct view *view)
{
	struct trend_report report = { 0 };
	char item[64], number[TEXT_NUMBER];

	if (view->trend)
		trend_report(view->trend, view->space, view->facts->now_ns, &report);
	if (!report.has_slope)
		return;
	snprintf(item, sizeof(item), "trend: largest hole %s", text_slope(&report, number));
	text_flow_item(flow, view, TEXT_PLAIN, item);
}

static void state_line(FILE *out, const struct view *view)
{
	const struct space_counters *counters = space_counters(view->space);
	struct text_flow flow = text_flow_new(out, view, 2);
	struct space_totals totals = space_totals(view->space);
	struct holes_report report;
	char item[64], number[TEXT_NUMBER];

	holes_report(view->space, &report);
	largest_item(&flow, view, &report);
	snprintf(item, sizeof(item), "frag %s%.2f", text_tilde(view), holes_fragmentation(&report));
	text_flow_item(&flow, view, TEXT_PLAIN, item);
	counter(&flow, view, "failed", counters->fails, TEXT_ALARM);
	lost_item(&flow, view, counters->lost);
	if (totals.own_bytes) {
		snprintf(item, sizeof(item), "self %s", text_bytes(view, totals.own_bytes, number));
		text_flow_item(&flow, view, TEXT_OWN, item);
	}
	rare_items(&flow, view, counters);
	trend_item(&flow, view);
	text_flow_end(&flow);
}

void text_summary(FILE *out, const struct view *view)
{
	const char *why = "~ uncertain: events were lost and the kernel's list was not read since";

	title_line(out, view);
	totals_line(out, view);
	state_line(out, view);
	if (!space_uncertain(view->space))
		return;
	if (!space_counters(view->space)->snapshots)
		why = "~ uncertain: areas older than the trace are not known";
	text_color(out, view, TEXT_ALARM);
	putc(' ', out);
	text_field(out, why, (unsigned int)strlen(why));
	text_color(out, view, TEXT_PLAIN);
	putc('\n', out);
}
