// SPDX-License-Identifier: GPL-2.0-only
#include "record/jsonl.h"

#include <errno.h>

#include "record/json_put.h"
#include "record/jsonl_names.h"
#include "space/kind.h"

int jsonl_write_header(FILE *out, const struct stream_header *header, const char *filter)
{
	struct json_put put = json_put_new();

	json_put_text(&put, "type", "header");
	json_put_text(&put, "schema", JSONL_SCHEMA);
	json_put_text(&put, "kernel", header->kernel);
	json_put_addr(&put, "vmalloc_start", header->vmalloc_start);
	json_put_addr(&put, "vmalloc_end", header->vmalloc_end);
	json_put_uint(&put, "page_size", VMT_PAGE_SIZE);
	json_put_uint(&put, "cpus", header->cpus);
	json_put_opt_uint(&put, "pmd_bytes", header->pmd_bytes);
	if (header->exact_pages)
		json_put_bool(&put, "exact_pages", true);
	if (*header->hostname)
		json_put_text(&put, "hostname", header->hostname);
	if (*header->tool)
		json_put_text(&put, "tool", header->tool);
	json_put_opt_uint(&put, "start", header->start_ns);
	json_put_opt_uint(&put, "start_wall", header->start_wall_ns);
	if (filter)
		json_put_text(&put, "filter", filter);
	return json_put_line(out, &put);
}

int jsonl_write_trailer(FILE *out, uint64_t events, uint64_t lost)
{
	struct json_put put = json_put_new();

	json_put_text(&put, "type", "trailer");
	json_put_uint(&put, "events", events);
	json_put_uint(&put, "lost", lost);
	return json_put_line(out, &put);
}

static void put_range(struct json_put *put, const struct event *event)
{
	json_put_addr(put, "start", event->start);
	json_put_addr(put, "end", event->end);
}

static void put_task(struct json_put *put, const struct event *event, const struct names *names)
{
	json_put_uint(put, "pid", event->pid);
	json_put_opt_uint(put, "tid", event->tid);
	json_put_text(put, "comm", names_text(names, event->comm_id));
}

static void put_flags(struct json_put *put, const struct event *event)
{
	if (event->flags & EV_F_OWN)
		json_put_bool(put, "own", true);
	if (event->flags & EV_F_STACK_CUT)
		json_put_bool(put, "stack_cut", true);
}

static void put_opt_text(struct json_put *put, const char *key, const struct names *names,
			 uint32_t id)
{
	if (id)
		json_put_text(put, key, names_text(names, id));
}

static void put_alloc(struct json_put *put, const struct event *event, const struct names *names)
{
	put_range(put, event);
	json_put_uint(put, "guard_pages", event->guard_pages);
	json_put_opt_uint(put, "align", event->align);
	json_put_text(put, "kind", kind_name(event->kind));
	put_task(put, event, names);
	json_put_opt_uint(put, "stack", event->stack_id);
	json_put_opt_uint(put, "size", event->size);
	json_put_opt_uint(put, "requested", event->requested);
	json_put_opt_addr(put, "vstart", event->vstart);
	json_put_opt_addr(put, "vend", event->vend);
	json_put_opt_uint(put, "gfp", event->gfp);
	json_put_opt_uint(put, "latency_ns", event->latency_ns);
	put_flags(put, event);
}

/* The negation by unsigned arithmetic also takes INT32_MIN. */
static uint32_t positive_errno(int32_t err)
{
	return err < 0 ? 0u - (uint32_t)err : (uint32_t)err;
}

static void put_fail(struct json_put *put, const struct event *event, const struct names *names)
{
	json_put_uint(put, "size", event->size);
	json_put_uint(put, "align", event->align);
	json_put_addr(put, "vstart", event->vstart);
	json_put_addr(put, "vend", event->vend);
	json_put_uint(put, "errno", positive_errno(event->err));
	put_task(put, event, names);
	json_put_opt_uint(put, "stack", event->stack_id);
	if (event->kind != KIND_UNKNOWN)
		json_put_text(put, "kind", kind_name(event->kind));
	json_put_opt_uint(put, "requested", event->requested);
	json_put_opt_uint(put, "gfp", event->gfp);
	json_put_opt_uint(put, "latency_ns", event->latency_ns);
	put_flags(put, event);
}

static void put_area(struct json_put *put, const struct event *event, const struct names *names)
{
	put_range(put, event);
	json_put_uint(put, "guard_pages", event->guard_pages);
	json_put_text(put, "state", event->state == AREA_LAZY ? "lazy" : "used");
	json_put_text(put, "kind", kind_name(event->kind));
	put_opt_text(put, "caller", names, event->caller_id);
	json_put_opt_uint(put, "nr_pages", event->nr_pages);
	if (event->flags & EV_F_KNOWN)
		json_put_uint(put, "since", event->begin_ns);
	else
		json_put_opt_uint(put, "begin", event->begin_ns);
	json_put_opt_uint(put, "pid", event->pid);
	put_opt_text(put, "comm", names, event->comm_id);
	json_put_opt_uint(put, "stack", event->stack_id);
	json_put_opt_uint(put, "requested", event->requested);
	json_put_opt_uint(put, "align", event->align);
	json_put_opt_addr(put, "vstart", event->vstart);
	put_flags(put, event);
}

static void put_lost(struct json_put *put, const struct event *event)
{
	json_put_uint(put, "count", event->count);
	json_put_text(put, "cause", jsonl_cause_name(event->state));
	if (event->cpu != UINT32_MAX)
		json_put_uint(put, "cpu", event->cpu);
}

/* The task is that which purged: with it one can tell which allocation wanted the purge. */
static void put_purge(struct json_put *put, const struct event *event, const struct names *names)
{
	if (event->flags & EV_F_HAS_BEGIN)
		json_put_uint(put, "begin", event->begin_ns);
	json_put_opt_uint(put, "pid", event->pid);
	json_put_opt_uint(put, "tid", event->tid);
	put_opt_text(put, "comm", names, event->comm_id);
	put_flags(put, event);
}

/* The begin of a snapshot is always known, so it is written whatever the flag says. */
static void put_snapshot(struct json_put *put, const struct event *event)
{
	json_put_uint(put, "begin", event->begin_ns);
	json_put_text(put, "phase", event->type == EV_SNAPSHOT_BEGIN ? "begin" : "end");
}

static void put_vfree(struct json_put *put, const struct event *event, const struct names *names)
{
	json_put_addr(put, "addr", event->start);
	put_task(put, event, names);
	put_opt_text(put, "caller", names, event->caller_id);
	put_flags(put, event);
}

static void put_members(struct json_put *put, const struct event *event, const struct names *names)
{
	switch (event->type) {
	case EV_ALLOC:
		put_alloc(put, event, names);
		break;
	case EV_FREE:
		put_range(put, event);
		put_task(put, event, names);
		put_flags(put, event);
		break;
	case EV_PURGE:
		put_purge(put, event, names);
		break;
	case EV_FAIL:
		put_fail(put, event, names);
		break;
	case EV_VFREE:
		put_vfree(put, event, names);
		break;
	case EV_LOST:
		put_lost(put, event);
		break;
	case EV_AREA:
		put_area(put, event, names);
		break;
	case EV_SNAPSHOT_BEGIN:
	case EV_SNAPSHOT_END:
		put_snapshot(put, event);
		break;
	}
}

static int write_stack(FILE *out, const struct event *event, const struct names *names,
		       const struct stacks *stacks)
{
	struct json_put put = json_put_new();

	json_put_text(&put, "type", "stack");
	json_put_uint(&put, "id", event->stack_id);
	json_put_frames(&put, "frames", names, stacks_get(stacks, event->stack_id));
	json_put_opt_uint(&put, "t", event->t_ns);
	return json_put_line(out, &put);
}

int jsonl_write_event(FILE *out, const struct event *event, const struct names *names,
		      const struct stacks *stacks)
{
	struct json_put put;

	if (event->type == EV_NONE || event->type >= EV_TYPE_COUNT)
		return 0;
	if (event->type == EV_STACK)
		return write_stack(out, event, names, stacks);
	put = json_put_new();
	json_put_text(&put, "type", jsonl_type_name(event->type));
	json_put_uint(&put, "t", event->t_ns);
	put_members(&put, event, names);
	return json_put_line(out, &put);
}
