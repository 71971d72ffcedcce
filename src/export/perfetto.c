// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chrome's trace format, which ui.perfetto.dev reads: one object a line. Times are microseconds;
 * they are printed with their nanoseconds, for which a double of JSON has too few digits after some
 * days, so "ts" is text here and never goes through jansson.
 *
 * Lives of areas overlap, and only async events ("b", "e") may.
 */
#include "export/export.h"

#include <inttypes.h>
#include <stdbool.h>

#include "record/json_put.h"
#include "space/kind.h"
#include "space/owners.h"
#include "units.h"
#include "view/text_util.h"

#define PID 1 /* all tracks are of one "process": the vmalloc space */

struct writer {
	FILE *out;
	const struct export_data *data;
	bool any; /* an event was written: a comma is due */
	int err;
};

/* Begins an event without a time: ph is its type. Every event gets a `cat` and its
 * args, although the format has both as optional: the model behind Chrome's own viewer throws on an
 * event without the one, and complains of a life's end without the other. */
static struct json_put begin_timeless(struct writer *writer, const char *ph)
{
	struct json_put put = json_put_new();

	fputs(writer->any ? ",\n{" : "{", writer->out);
	writer->any = true;
	json_put_text(&put, "ph", ph);
	json_put_uint(&put, "pid", PID);
	return put;
}

static struct json_put begin(struct writer *writer, const char *ph, uint64_t t_ns)
{
	struct json_put put = begin_timeless(writer, ph);

	fprintf(writer->out, "\"ts\":%" PRIu64 ".%03u,", t_ns / 1000, (unsigned int)(t_ns % 1000));
	return put;
}

/* Ends it; args is released. */
static void end(struct writer *writer, struct json_put *put, struct json_put *args)
{
	int err;

	put->failed |= args->failed;
	json_put_value(put, "args", args->object);
	err = json_put_part(writer->out, put, false);
	putc('}', writer->out);
	if (!writer->err)
		writer->err = err;
}

static void put_name(struct writer *writer, const char *what, const char *name, unsigned int tid)
{
	struct json_put put = begin_timeless(writer, "M"), args = json_put_new();

	json_put_text(&put, "cat", "__metadata");
	json_put_text(&put, "name", what);
	json_put_uint(&put, "tid", tid);
	json_put_text(&args, "name", name);
	end(writer, &put, &args);
}

static void put_names(struct writer *writer)
{
	struct space_totals totals = space_totals(writer->data->view.space);
	char name[64];

	snprintf(name, sizeof(name), "vmalloc space %08" PRIx32 "-%08" PRIx32, totals.start,
		 totals.end);
	put_name(writer, "process_name", name, 0);
	put_name(writer, "thread_name", "failed allocations", 0);
}

static void put_counter(struct writer *writer, const char *name, uint64_t t_ns, uint32_t bytes)
{
	struct json_put put = begin(writer, "C", t_ns), args = json_put_new();

	json_put_text(&put, "cat", "space");
	json_put_text(&put, "name", name);
	json_put_uint(&args, "bytes", bytes);
	end(writer, &put, &args);
}

/* A counter holds until it is told anew, so only changes are. before: NULL = none told yet. */
static void put_point(struct writer *writer, const struct timeline_point *point,
		      const struct timeline_point *before)
{
	static const struct timeline_point none;
	const struct timeline_point *old = before ? before : &none;

	if (!before || point->used_bytes != old->used_bytes)
		put_counter(writer, "used", point->t_ns, point->used_bytes);
	if (!before || point->guard_bytes != old->guard_bytes)
		put_counter(writer, "guard", point->t_ns, point->guard_bytes);
	if (!before || point->lazy_bytes != old->lazy_bytes)
		put_counter(writer, "lazy", point->t_ns, point->lazy_bytes);
	if (!before || point->free_bytes != old->free_bytes)
		put_counter(writer, "free", point->t_ns, point->free_bytes);
	if (!before || point->largest_hole_bytes != old->largest_hole_bytes)
		put_counter(writer, "largest_hole", point->t_ns, point->largest_hole_bytes);
}

static void put_timeline(struct writer *writer)
{
	const struct timeline *timeline = trace_timeline(writer->data->trace);
	const struct timeline_point *before = NULL;

	for (uint32_t i = 0; i < timeline_count(timeline); i++) {
		const struct timeline_slice *slice = timeline_at(timeline, i);

		put_point(writer, &slice->tightest, before);
		put_point(writer, &slice->last, &slice->tightest);
		before = &slice->last;
	}
}

static void put_task(struct json_put *args, struct writer *writer, uint32_t pid, uint32_t comm_id)
{
	json_put_uint(args, "pid", pid);
	export_put_text(args, "comm", names_text(writer->data->view.names, comm_id));
}

static void put_stack(struct json_put *args, struct writer *writer, uint32_t stack_id)
{
	export_put_frames(args, "stack", &writer->data->view, stack_id);
}

static void put_failure(struct writer *writer, const struct trace_failure *failure)
{
	const struct event *event = &failure->event;
	struct json_put put = begin(writer, "i", event->t_ns), args = json_put_new();
	char number[16], errname[TEXT_NUMBER], name[64];
	const char *why = text_errno(event->err, errname);

	snprintf(name, sizeof(name), "failed %s %s",
		 units_bytes(event->size, number, sizeof(number)), why);
	json_put_text(&put, "s", "g");
	json_put_text(&put, "cat", "failure");
	json_put_text(&put, "name", name);
	json_put_uint(&put, "tid", 0);
	json_put_uint(&args, "size", event->size);
	json_put_uint(&args, "align", event->align);
	json_put_text(&args, "kind", kind_name(event->kind));
	json_put_text(&args, "errno", why);
	json_put_uint(&args, "free_bytes", failure->free_bytes);
	json_put_uint(&args, "largest_hole_bytes", failure->largest_hole_bytes);
	put_task(&args, writer, event->pid, event->comm_id);
	put_stack(&args, writer, event->stack_id);
	end(writer, &put, &args);
}

/* Both ends of one life need the same cat, id and name. */
static struct json_put begin_life(struct writer *writer, const struct lifetime *life,
				  const char *ph, uint64_t t_ns, uint32_t id)
{
	const struct view *view = &writer->data->view;
	struct json_put put = begin(writer, ph, t_ns);
	char text[16];

	snprintf(text, sizeof(text), "0x%" PRIx32, id);
	json_put_text(&put, "cat", "area");
	json_put_text(&put, "id", text);
	export_put_text(
		&put, "name",
		names_text(view->names, owners_caller_of(&life->area, view->names, view->stacks)));
	json_put_uint(&put, "tid", 0);
	return put;
}

static void put_life(struct writer *writer, const struct lifetime *life, uint32_t id)
{
	const struct area *area = &life->area;
	struct json_put put = begin_life(writer, life, "b", area->birth_ns, id);
	struct json_put args = json_put_new();

	json_put_addr(&args, "start", area->start);
	json_put_addr(&args, "end", area->end);
	json_put_uint(&args, "bytes", area->end - area->start);
	json_put_text(&args, "kind", kind_name(area->kind));
	json_put_bool(&args, "there_before", area->flags & AREA_F_SEEDED);
	json_put_bool(&args, "live", life->live);
	put_task(&args, writer, area->pid, area->comm_id);
	put_stack(&args, writer, area_stack(area));
	end(writer, &put, &args);
	put = begin_life(writer, life, "e",
			 life->end_ns > area->birth_ns ? life->end_ns : area->birth_ns, id);
	args = json_put_new();
	end(writer, &put, &args);
}

static void put_events(struct writer *writer)
{
	const struct trace *trace = writer->data->trace;
	const struct lifetimes *lifetimes = trace_lifetimes(trace);

	put_names(writer);
	put_timeline(writer);
	for (uint32_t i = 0; i < trace_failure_count(trace); i++)
		put_failure(writer, trace_failure_at(trace, i));
	for (uint32_t i = 0; i < lifetimes_count(lifetimes); i++)
		put_life(writer, lifetimes_at(lifetimes, i), i + 1);
}

/* What the picture leaves out, and how far it can be trusted. */
static int put_other_data(FILE *out, const struct export_data *data)
{
	const struct lifetimes *lifetimes = trace_lifetimes(data->trace);
	struct json_put put = json_put_new();

	json_put_text(&put, "tool", "vmtrace");
	json_put_text(&put, "version", data->view.facts->version);
	export_put_text(&put, "kernel", data->view.facts->kernel);
	json_put_uint(&put, "lost_events", space_counters(data->view.space)->lost);
	json_put_bool(&put, "uncertain", space_uncertain(data->view.space));
	json_put_uint(&put, "lifetimes", lifetimes_total(lifetimes));
	json_put_uint(&put, "lifetimes_left_out",
		      lifetimes_total(lifetimes) - lifetimes_count(lifetimes));
	json_put_uint(&put, "failures_left_out", trace_failures_left_out(data->trace));
	return json_put_line(out, &put);
}

int export_perfetto(FILE *out, const struct export_data *data)
{
	struct writer writer = { .out = out, .data = data };
	int err;

	fputs("{\"displayTimeUnit\":\"ns\",\"otherData\":", out);
	err = put_other_data(out, data);
	fputs(",\"traceEvents\":[\n", out);
	put_events(&writer);
	fputs("\n]}\n", out);
	if (!err)
		err = writer.err;
	return err ? err : export_status(out);
}
