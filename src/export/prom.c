// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prometheus text format for node_exporter's textfile collector: no timestamps (with one, it skips
 * the file), base units, each series once (a second one makes it skip the file too, and names that
 * differ only in bytes that cannot be printed would be one), and a bounded number of owners.
 */
#include "export/export.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "export/clean.h"
#include "record/jsonl_names.h"
#include "space/holes.h"
#include "space/owners.h"

#define OTHER       "other"
#define LE_SMALLEST 4096u /* one page; then powers of two up to 2 GiB */
#define NR_LE       20
#define MAX_OWNERS  1000 /* series cost memory where they are stored */

static void head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP vmtrace_%s %s\n# TYPE vmtrace_%s %s\n", name, help, name, type);
}

static void gauge(FILE *out, const char *name, uint64_t value, const char *help)
{
	head(out, name, "gauge", help);
	fprintf(out, "vmtrace_%s %" PRIu64 "\n", name, value);
}

static void put_areas(FILE *out, const struct space_totals *totals)
{
	head(out, "area_bytes", "gauge",
	     "Bytes of the vmalloc address space in each state; they add up to all of it.");
	fprintf(out, "vmtrace_area_bytes{state=\"used\"} %" PRIu32 "\n", totals->used_bytes);
	fprintf(out, "vmtrace_area_bytes{state=\"guard\"} %" PRIu32 "\n", totals->guard_bytes);
	fprintf(out, "vmtrace_area_bytes{state=\"lazy\"} %" PRIu32 "\n", totals->lazy_bytes);
	fprintf(out, "vmtrace_area_bytes{state=\"free\"} %" PRIu32 "\n", totals->free_bytes);
	fprintf(out, "vmtrace_area_bytes{state=\"unknown\"} %" PRIu32 "\n", totals->unknown_bytes);
	head(out, "areas", "gauge", "Areas in use, and freed ones that wait for a purge.");
	fprintf(out, "vmtrace_areas{state=\"used\"} %" PRIu32 "\n", totals->areas);
	fprintf(out, "vmtrace_areas{state=\"lazy\"} %" PRIu32 "\n", totals->lazy_areas);
	gauge(out, "self_bytes", totals->own_bytes,
	      "Bytes of it that vmtrace itself has taken, guard pages included.");
}

/* A hole is a multiple of a page, so it may be exactly as large as a bound; `le` includes that. */
static void put_hole_sizes(FILE *out, const struct space *space)
{
	uint64_t holes[NR_LE + 1] = { 0 }, sum = 0, count = 0;
	uint32_t addr = space_start(space);
	struct hole hole;
	unsigned int i;

	while (holes_next(space, addr, false, &hole)) {
		uint32_t bytes = hole.end - hole.start;

		for (i = 0; i < NR_LE && bytes > LE_SMALLEST << i; i++)
			;
		holes[i]++;
		sum += bytes;
		addr = hole.end;
	}
	head(out, "hole_size_bytes", "histogram", "Sizes of the free holes.");
	for (i = 0; i < NR_LE; i++) {
		count += holes[i];
		fprintf(out, "vmtrace_hole_size_bytes_bucket{le=\"%" PRIu32 "\"} %" PRIu64 "\n",
			LE_SMALLEST << i, count);
	}
	count += holes[NR_LE];
	fprintf(out, "vmtrace_hole_size_bytes_bucket{le=\"+Inf\"} %" PRIu64 "\n", count);
	fprintf(out, "vmtrace_hole_size_bytes_sum %" PRIu64 "\n", sum);
	fprintf(out, "vmtrace_hole_size_bytes_count %" PRIu64 "\n", count);
}

static void put_holes(FILE *out, const struct space *space)
{
	struct holes_report report;

	holes_report(space, &report);
	gauge(out, "largest_hole_bytes", report.largest.end - report.largest.start,
	      "The largest free hole: what one allocation can get at most.");
	gauge(out, "largest_hole_after_purge_bytes",
	      report.largest_after_purge.end - report.largest_after_purge.start,
	      "The same after a purge of what is freed already.");
	head(out, "fragmentation_ratio", "gauge",
	     "1 - largest hole / all free bytes: 0 is one hole, towards 1 crumbs.");
	fprintf(out, "vmtrace_fragmentation_ratio %.6f\n", holes_fragmentation(&report));
	put_hole_sizes(out, space);
}

/* The reasons of alloc_vmap_area: no room is -EBUSY, no memory for its own node -ENOMEM. */
static void put_failures(FILE *out, const struct export_failures *failures)
{
	head(out, "alloc_failures_total", "counter",
	     "Allocations that failed while vmtrace watched.");
	fprintf(out, "vmtrace_alloc_failures_total{reason=\"no_space\"} %" PRIu64 "\n",
		failures->no_space);
	fprintf(out, "vmtrace_alloc_failures_total{reason=\"no_memory\"} %" PRIu64 "\n",
		failures->no_memory);
	fprintf(out, "vmtrace_alloc_failures_total{reason=\"other\"} %" PRIu64 "\n",
		failures->other);
}

static void put_counters(FILE *out, const struct export_data *data)
{
	const struct space_counters *counters = space_counters(data->view.space);

	head(out, "events_total", "counter", "Events since vmtrace began to watch.");
	fprintf(out, "vmtrace_events_total{type=\"alloc\"} %" PRIu64 "\n", counters->allocs);
	fprintf(out, "vmtrace_events_total{type=\"fail\"} %" PRIu64 "\n", counters->fails);
	fprintf(out, "vmtrace_events_total{type=\"free\"} %" PRIu64 "\n", counters->frees);
	fprintf(out, "vmtrace_events_total{type=\"purge\"} %" PRIu64 "\n", counters->purges);
	fprintf(out, "vmtrace_events_total{type=\"snapshot\"} %" PRIu64 "\n", counters->snapshots);
	put_failures(out, &data->failures);
	head(out, "lost_events_total", "counter",
	     "Events lost, by cause; stack, no_entry, inflight and detail do not hurt the map.");
	for (unsigned int cause = 1; cause < LOST_CAUSE_COUNT; cause++)
		fprintf(out, "vmtrace_lost_events_total{cause=\"%s\"} %" PRIu64 "\n",
			jsonl_cause_name(cause), data->view.facts->lost_by_cause[cause]);
	gauge(out, "map_uncertain", space_uncertain(data->view.space),
	      "1 after a loss that can have made the map wrong, until it is read again.");
}

/* A label value: backslash and quote escaped; no newline survives clean_text. */
static int put_label(FILE *out, const char *name, const char *text)
{
	char *clean = clean_text(text, CLEAN_TEXT);

	if (!clean)
		return -ENOMEM;
	fprintf(out, "%s=\"", name);
	for (const char *at = clean; *at; at++) {
		if (*at == '"' || *at == '\\')
			putc('\\', out);
		putc(*at, out);
	}
	putc('"', out);
	free(clean);
	return 0;
}

struct series {
	char *name;
	uint64_t bytes;
};

/* Adds bytes to the series of this name; there are at most `top` and "other". */
static int add_series(struct series *list, uint32_t *count, const char *name, uint64_t bytes)
{
	char *clean = clean_text(name, CLEAN_TEXT);
	uint32_t i;

	if (!clean)
		return -ENOMEM;
	for (i = 0; i < *count && strcmp(list[i].name, clean); i++)
		;
	if (i < *count) {
		free(clean);
	} else {
		list[i].name = clean;
		(*count)++;
	}
	list[i].bytes += bytes;
	return 0;
}

static int print_series(FILE *out, const struct series *list, uint32_t count)
{
	int err = 0;

	head(out, "owner_bytes", "gauge",
	     "Bytes in use, guard pages included, by the function that asked for them.");
	for (uint32_t i = 0; i < count && !err; i++) {
		fputs("vmtrace_owner_bytes{", out);
		err = put_label(out, "owner", list[i].name);
		fprintf(out, "} %" PRIu64 "\n", list[i].bytes);
	}
	return err;
}

static int put_owners(FILE *out, const struct export_data *data)
{
	const struct view *view = &data->view;
	struct owners owners;
	struct series *list;
	uint32_t top = data->top < MAX_OWNERS ? data->top : MAX_OWNERS;
	uint32_t count = 0;
	int err = owners_collect(view->space, view->names, view->stacks, OWNERS_BY_CALLER,
				 OWNERS_SORT_BYTES, &owners);

	if (err)
		return err;
	list = calloc((size_t)top + 1, sizeof(*list));
	if (!list)
		err = -ENOMEM;
	for (uint32_t i = 0; i < owners.count && !err; i++) {
		const struct owner *owner = &owners.list[i];
		const char *name = names_text(view->names, owner->name_id);

		err = add_series(list, &count,
				 i >= top ? OTHER
				 : *name  ? name
					  : "?",
				 owner->live_bytes);
	}
	if (!err)
		err = print_series(out, list, count);
	while (count)
		free(list[--count].name);
	free(list);
	owners_free(&owners);
	return err;
}

static int put_build(FILE *out, const struct export_data *data)
{
	const struct view_facts *facts = data->view.facts;
	int err;

	head(out, "build_info", "gauge", "What made this file.");
	fputs("vmtrace_build_info{", out);
	err = put_label(out, "version", facts->version);
	putc(',', out);
	if (!err)
		err = put_label(out, "kernel", facts->kernel);
	fputs("} 1\n", out);
	return err;
}

/* Seconds since 1970. JSON Lines need not tell the time of day: then it is left out. */
static void put_last_event(FILE *out, const struct export_data *data)
{
	uint64_t ns = space_counters(data->view.space)->last_t_ns + data->wall_ns;

	if (!data->wall_ns)
		return;
	head(out, "last_event_timestamp_seconds", "gauge", "When the newest event happened.");
	fprintf(out, "vmtrace_last_event_timestamp_seconds %" PRIu64 ".%03u\n", ns / 1000000000,
		(unsigned int)(ns / 1000000 % 1000));
}

int export_prom(FILE *out, const struct export_data *data)
{
	struct space_totals totals = space_totals(data->view.space);
	int err;

	put_areas(out, &totals);
	put_holes(out, data->view.space);
	put_counters(out, data);
	err = put_owners(out, data);
	if (!err)
		err = put_build(out, data);
	put_last_event(out, data);
	return err ? err : export_status(out);
}
