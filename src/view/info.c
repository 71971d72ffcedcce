// SPDX-License-Identifier: GPL-2.0-only
#include "view/info.h"

#include <inttypes.h>
#include <time.h>

#include "record/json_put.h"
#include "units.h"
#include "view/text_util.h"

#define LABEL 512

_Static_assert(sizeof(time_t) == 8, "built without _TIME_BITS=64: wrong from 2038 on");

static uint64_t length_ns(const struct info_view *view)
{
	uint64_t from = view->header->start_ns ? view->header->start_ns : view->first_ns;

	return view->last_ns > from ? view->last_ns - from : 0;
}

/* "2026-11-22 19:54:12 UTC", "" if it is not known. */
static const char *utc(uint64_t wall_ns, char buf[32])
{
	time_t seconds = (time_t)(wall_ns / 1000000000);
	struct tm tm;

	if (!wall_ns || !gmtime_r(&seconds, &tm) ||
	    !strftime(buf, 32, "%Y-%m-%d %H:%M:%S UTC", &tm))
		buf[0] = '\0';
	return buf;
}

static void row(FILE *out, const char *key, const char *text)
{
	char label[LABEL];

	if (*text)
		fprintf(out, " %-10s %s\n", key, text_ascii(text, label, sizeof(label)));
}

static void machine_rows(FILE *out, const struct info_view *view)
{
	const struct stream_header *header = view->header;
	char size[16], text[64];

	row(out, "recording", view->path);
	row(out, "kernel", header->kernel);
	row(out, "host", header->hostname);
	if (header->cpus) {
		snprintf(text, sizeof(text), "%" PRIu32, header->cpus);
		row(out, "cpus", text);
	}
	snprintf(text, sizeof(text), "%08" PRIx32 "-%08" PRIx32 " %s", header->vmalloc_start,
		 header->vmalloc_end,
		 units_bytes(header->vmalloc_end - header->vmalloc_start, size, sizeof(size)));
	row(out, "vmalloc", text);
	row(out, "vmtrace", header->tool);
	row(out, "begun", utc(header->start_wall_ns, text));
	row(out, "length", units_duration(length_ns(view), text, sizeof(text)));
}

static void event_rows(FILE *out, const struct info_view *view)
{
	const uint64_t *counts = view->counts;
	uint64_t tenths = view->events ? view->bytes * 10 / view->events : 0;
	char size[16], text[160];

	snprintf(text, sizeof(text), "%" PRIu64, view->events);
	if (view->bytes)
		snprintf(text, sizeof(text),
			 "%" PRIu64 " in %s, %" PRIu64 ".%" PRIu64 " bytes an event", view->events,
			 units_bytes(view->bytes, size, sizeof(size)), tenths / 10, tenths % 10);
	row(out, "events", text);
	snprintf(text, sizeof(text),
		 "%" PRIu64 " alloc  %" PRIu64 " free  %" PRIu64 " vfree  %" PRIu64
		 " purge  %" PRIu64 " fail",
		 counts[EV_ALLOC], counts[EV_FREE], counts[EV_VFREE], counts[EV_PURGE],
		 counts[EV_FAIL]);
	row(out, "", text);
	snprintf(text, sizeof(text), "%" PRIu64 " snapshot  %" PRIu64 " area",
		 counts[EV_SNAPSHOT_BEGIN], counts[EV_AREA]);
	row(out, "", text);
	snprintf(text, sizeof(text), "%" PRIu64, counts[EV_LOST]);
	row(out, "lost", text);
	snprintf(text, sizeof(text), "%" PRIu64, view->left_out);
	if (view->left_out)
		row(out, "left out", text);
	row(out, "end", *view->end ? view->end : "complete");
}

static void module_row(FILE *out, const struct info_view *view)
{
	char label[LABEL];

	if (!view->nr_modules)
		return;
	fprintf(out, " %-10s %" PRIu32 ":", "modules", view->nr_modules);
	for (uint32_t i = 0; i < view->nr_modules; i++)
		fprintf(out, " %s",
			text_ascii(names_text(view->names, view->modules[i].name_id), label,
				   sizeof(label)));
	fputc('\n', out);
}

void text_info(FILE *out, const struct info_view *view)
{
	char key[LABEL], value[2 * LABEL];

	machine_rows(out, view);
	event_rows(out, view);
	for (uint32_t i = 0; i < view->nr_facts; i++)
		fprintf(out, " %-10s %s\n",
			text_ascii(names_text(view->names, view->facts[i].key_id), key,
				   sizeof(key)),
			text_ascii(names_text(view->names, view->facts[i].value_id), value,
				   sizeof(value)));
	module_row(out, view);
}

static void put_facts(struct json_put *put, const struct info_view *view)
{
	struct json_put facts = json_put_new();

	for (uint32_t i = 0; i < view->nr_facts; i++)
		json_put_pair(&facts, names_text(view->names, view->facts[i].key_id),
			      names_text(view->names, view->facts[i].value_id));
	put->failed |= facts.failed;
	json_put_value(put, "facts", facts.object);
}

static void put_modules(struct json_put *put, const struct info_view *view)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < view->nr_modules; i++) {
		struct json_put module = json_put_new();

		json_put_text(&module, "name", names_text(view->names, view->modules[i].name_id));
		json_put_addr(&module, "start", view->modules[i].start);
		json_put_uint(&module, "bytes", view->modules[i].bytes);
		json_put_append(put, list, &module);
	}
	json_put_value(put, "modules", list);
}

int json_info(FILE *out, const struct info_view *view)
{
	struct json_put put = json_put_new();

	json_put_text(&put, "kernel", view->header->kernel);
	json_put_text(&put, "hostname", view->header->hostname);
	json_put_text(&put, "tool", view->header->tool);
	json_put_uint(&put, "cpus", view->header->cpus);
	json_put_uint(&put, "sequence", view->header->sequence);
	json_put_addr(&put, "vmalloc_start", view->header->vmalloc_start);
	json_put_addr(&put, "vmalloc_end", view->header->vmalloc_end);
	json_put_uint(&put, "start", view->header->start_ns);
	json_put_uint(&put, "start_wall", view->header->start_wall_ns);
	json_put_uint(&put, "length_ns", length_ns(view));
	json_put_uint(&put, "bytes", view->bytes);
	json_put_uint(&put, "events", view->events);
	json_put_uint(&put, "alloc", view->counts[EV_ALLOC]);
	json_put_uint(&put, "free", view->counts[EV_FREE]);
	json_put_uint(&put, "vfree", view->counts[EV_VFREE]);
	json_put_uint(&put, "purge", view->counts[EV_PURGE]);
	json_put_uint(&put, "fail", view->counts[EV_FAIL]);
	json_put_uint(&put, "snapshots", view->counts[EV_SNAPSHOT_BEGIN]);
	json_put_uint(&put, "lost", view->counts[EV_LOST]);
	json_put_uint(&put, "left_out", view->left_out);
	json_put_bool(&put, "complete", !*view->end);
	json_put_text(&put, "end", view->end);
	put_facts(&put, view);
	put_modules(&put, view);
	return json_put_line(out, &put);
}
