// SPDX-License-Identifier: GPL-2.0-only
#include "record/vmt_record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_ERRNO 4095 /* include/linux/err.h */

/* ---- encode ---- */

static struct vmt_record head_of(const struct event *event, unsigned int type, size_t bytes)
{
	return (struct vmt_record){ .bytes = (uint16_t)bytes,
				    .type = (uint8_t)type,
				    .flags = (uint8_t)event->flags };
}

static uint32_t finish(uint8_t *bytes, const void *record, size_t len)
{
	memcpy(bytes, record, len);
	return (uint32_t)len;
}

static uint32_t encode_alloc(const struct event *event, const struct vmt_event_ids *ids,
			     uint8_t *bytes)
{
	struct vmt_alloc record = {
		.head = head_of(event, VMT_ALLOC, sizeof(record)),
		.pid = event->pid,
		.t_ns = event->t_ns,
		.tid = event->tid,
		.comm = ids->comm,
		.start = event->start,
		.end = event->end,
		.stack = ids->stack,
		.size = event->size,
		.align = event->align,
		.vstart = event->vstart,
		.vend = event->vend,
		.gfp = event->gfp,
		.latency_ns = event->latency_ns,
		.requested = event->requested,
		.kind = event->kind,
		.guard_pages = event->guard_pages,
	};

	return finish(bytes, &record, sizeof(record));
}

static uint32_t encode_free(const struct event *event, const struct vmt_event_ids *ids,
			    uint8_t *bytes)
{
	struct vmt_free record = {
		.head = head_of(event, VMT_FREE, sizeof(record)),
		.pid = event->pid,
		.t_ns = event->t_ns,
		.tid = event->tid,
		.comm = ids->comm,
		.start = event->start,
		.end = event->end,
	};

	return finish(bytes, &record, sizeof(record));
}

static uint32_t encode_purge(const struct event *event, const struct vmt_event_ids *ids,
			     uint8_t *bytes)
{
	struct vmt_purge record = {
		.head = head_of(event, VMT_PURGE, sizeof(record)),
		.pid = event->pid,
		.t_ns = event->t_ns,
		.tid = event->tid,
		.comm = ids->comm,
		.begin_ns = event->begin_ns,
	};

	return finish(bytes, &record, sizeof(record));
}

static uint32_t encode_fail(const struct event *event, const struct vmt_event_ids *ids,
			    uint8_t *bytes)
{
	struct vmt_fail record = {
		.head = head_of(event, VMT_FAIL, sizeof(record)),
		.pid = event->pid,
		.t_ns = event->t_ns,
		.tid = event->tid,
		.comm = ids->comm,
		.stack = ids->stack,
		.size = event->size,
		.align = event->align,
		.vstart = event->vstart,
		.vend = event->vend,
		.gfp = event->gfp,
		.latency_ns = event->latency_ns,
		.requested = event->requested,
		.err = event->err,
		.kind = event->kind,
	};

	return finish(bytes, &record, sizeof(record));
}

static uint32_t encode_vfree(const struct event *event, const struct vmt_event_ids *ids,
			     uint8_t *bytes)
{
	struct vmt_vfree record = {
		.head = head_of(event, VMT_VFREE, sizeof(record)),
		.pid = event->pid,
		.t_ns = event->t_ns,
		.tid = event->tid,
		.comm = ids->comm,
		.addr = event->start,
		.caller = ids->caller,
	};

	return finish(bytes, &record, sizeof(record));
}

static uint32_t encode_lost(const struct event *event, uint8_t *bytes)
{
	struct vmt_lost record = {
		.head = head_of(event, VMT_LOST, sizeof(record)),
		.count = event->count,
		.t_ns = event->t_ns,
		.cpu = event->cpu,
		.cause = event->state,
	};

	return finish(bytes, &record, sizeof(record));
}

static uint32_t encode_snapshot(const struct event *event, unsigned int type, uint8_t *bytes)
{
	struct vmt_snapshot record = {
		.head = head_of(event, type, sizeof(record)),
		.t_ns = event->t_ns,
		.begin_ns = event->begin_ns,
	};

	return finish(bytes, &record, sizeof(record));
}

static uint32_t encode_area(const struct event *event, const struct vmt_event_ids *ids,
			    uint8_t *bytes)
{
	struct vmt_area record = {
		.head = head_of(event, VMT_AREA, sizeof(record)),
		.pid = event->pid,
		.t_ns = event->t_ns,
		.begin_ns = event->begin_ns,
		.start = event->start,
		.end = event->end,
		.nr_pages = event->nr_pages,
		.caller = ids->caller,
		.stack = ids->stack,
		.comm = ids->comm,
		.requested = event->requested,
		.align = event->align,
		.kind = event->kind,
		.guard_pages = event->guard_pages,
		.state = event->state,
		.vstart = event->vstart,
	};

	return finish(bytes, &record, sizeof(record));
}

static uint32_t encode_time(const struct event *event, uint8_t *bytes)
{
	struct vmt_time record = {
		.head = head_of(event, VMT_TIME, sizeof(record)),
		.t_ns = event->t_ns,
	};

	return finish(bytes, &record, sizeof(record));
}

uint32_t vmt_record_encode(const struct event *event, const struct vmt_event_ids *ids,
			   uint8_t *bytes)
{
	switch (event->type) {
	case EV_ALLOC:
		return encode_alloc(event, ids, bytes);
	case EV_FREE:
		return encode_free(event, ids, bytes);
	case EV_PURGE:
		return encode_purge(event, ids, bytes);
	case EV_FAIL:
		return encode_fail(event, ids, bytes);
	case EV_VFREE:
		return encode_vfree(event, ids, bytes);
	case EV_LOST:
		return encode_lost(event, bytes);
	case EV_SNAPSHOT_BEGIN:
		return encode_snapshot(event, VMT_SNAPSHOT_BEGIN, bytes);
	case EV_AREA:
		return encode_area(event, ids, bytes);
	case EV_SNAPSHOT_END:
		return encode_snapshot(event, VMT_SNAPSHOT_END, bytes);
	case EV_TIME:
		return encode_time(event, bytes);
	default:
		return 0;
	}
}

/* ---- decode ---- */

__attribute__((cold, format(printf, 2, 3))) static int bad(struct vmt_decoder *decoder,
							   const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(decoder->why, sizeof(decoder->why), format, args);
	va_end(args);
	return -EBADMSG;
}

static int get_name(struct vmt_decoder *decoder, uint32_t id, uint32_t *name)
{
	if (id >= decoder->nr_names)
		return bad(decoder, "name %" PRIu32 " is used before it is defined", id);
	*name = decoder->names[id];
	return 1;
}

static int get_stack(struct vmt_decoder *decoder, uint32_t id, uint32_t *stack)
{
	if (id >= decoder->nr_stacks)
		return bad(decoder, "stack %" PRIu32 " is used before it is defined", id);
	*stack = decoder->stacks[id];
	return 1;
}

/* What every record of an event has: 0 if it is not for us, else 1 or -EBADMSG. */
static int check_range(struct vmt_decoder *decoder, const struct event *event)
{
	if (event->start >= event->end || (event->start | event->end) % VMT_PAGE_SIZE ||
	    event->start < decoder->header->vmalloc_start ||
	    event->end > decoder->header->vmalloc_end)
		return bad(decoder,
			   "0x%08" PRIx32 "-0x%08" PRIx32
			   " is no range of pages in the vmalloc range",
			   event->start, event->end);
	if (event->guard_pages >= (event->end - event->start) / VMT_PAGE_SIZE)
		return bad(decoder, "%u guard pages leave nothing of 0x%08" PRIx32 "-0x%08" PRIx32,
			   event->guard_pages, event->start, event->end);
	return 1;
}

static int check_time(struct vmt_decoder *decoder, const struct event *event)
{
	if (event->t_ns > INT64_MAX || event->begin_ns > event->t_ns)
		return bad(decoder, "a time of %" PRIu64 " ns, begun at %" PRIu64 " ns",
			   event->t_ns, event->begin_ns);
	return 1;
}

static uint8_t known_kind(uint8_t kind)
{
	return kind < KIND_COUNT ? kind : KIND_UNKNOWN;
}

static int decode_alloc(struct vmt_decoder *decoder, const uint8_t *bytes, struct event *event)
{
	struct vmt_alloc record;

	memcpy(&record, bytes, sizeof(record));
	event->type = EV_ALLOC;
	event->t_ns = record.t_ns;
	event->pid = record.pid;
	event->tid = record.tid;
	event->start = record.start;
	event->end = record.end;
	event->size = record.size;
	event->align = record.align;
	event->vstart = record.vstart;
	event->vend = record.vend;
	event->gfp = record.gfp;
	event->latency_ns = record.latency_ns;
	event->requested = record.requested;
	event->kind = known_kind(record.kind);
	event->guard_pages = record.guard_pages;
	if (get_name(decoder, record.comm, &event->comm_id) < 0 ||
	    get_stack(decoder, record.stack, &event->stack_id) < 0)
		return -EBADMSG;
	return check_range(decoder, event);
}

static int decode_free(struct vmt_decoder *decoder, const uint8_t *bytes, struct event *event)
{
	struct vmt_free record;

	memcpy(&record, bytes, sizeof(record));
	event->type = EV_FREE;
	event->t_ns = record.t_ns;
	event->pid = record.pid;
	event->tid = record.tid;
	event->start = record.start;
	event->end = record.end;
	if (get_name(decoder, record.comm, &event->comm_id) < 0)
		return -EBADMSG;
	return check_range(decoder, event);
}

static int decode_purge(struct vmt_decoder *decoder, const uint8_t *bytes, struct event *event)
{
	struct vmt_purge record;

	memcpy(&record, bytes, sizeof(record));
	event->type = EV_PURGE;
	event->t_ns = record.t_ns;
	event->begin_ns = record.begin_ns;
	event->pid = record.pid;
	event->tid = record.tid;
	return get_name(decoder, record.comm, &event->comm_id);
}

static int decode_fail(struct vmt_decoder *decoder, const uint8_t *bytes, struct event *event)
{
	struct vmt_fail record;

	memcpy(&record, bytes, sizeof(record));
	event->type = EV_FAIL;
	event->t_ns = record.t_ns;
	event->pid = record.pid;
	event->tid = record.tid;
	event->size = record.size;
	event->align = record.align;
	event->vstart = record.vstart;
	event->vend = record.vend;
	event->gfp = record.gfp;
	event->latency_ns = record.latency_ns;
	event->requested = record.requested;
	event->err = record.err;
	event->kind = known_kind(record.kind);
	if (record.err >= 0 || record.err < -MAX_ERRNO)
		return bad(decoder, "a failure with the error %" PRId32, record.err);
	if (get_name(decoder, record.comm, &event->comm_id) < 0)
		return -EBADMSG;
	return get_stack(decoder, record.stack, &event->stack_id);
}

static int decode_vfree(struct vmt_decoder *decoder, const uint8_t *bytes, struct event *event)
{
	struct vmt_vfree record;

	memcpy(&record, bytes, sizeof(record));
	event->type = EV_VFREE;
	event->t_ns = record.t_ns;
	event->pid = record.pid;
	event->tid = record.tid;
	event->start = record.addr;
	if (get_name(decoder, record.comm, &event->comm_id) < 0)
		return -EBADMSG;
	return get_name(decoder, record.caller, &event->caller_id);
}

static int decode_time(const uint8_t *bytes, struct event *event)
{
	struct vmt_time record;

	memcpy(&record, bytes, sizeof(record));
	event->type = EV_TIME;
	event->t_ns = record.t_ns;
	return 1;
}

/* A cause that is not known here counts as one that hurts the map. */
static int decode_lost(const uint8_t *bytes, struct event *event)
{
	struct vmt_lost record;

	memcpy(&record, bytes, sizeof(record));
	event->type = EV_LOST;
	event->t_ns = record.t_ns;
	event->count = record.count;
	event->cpu = record.cpu;
	event->state = record.cause < LOST_CAUSE_COUNT ? record.cause : LOST_QUEUE;
	return 1;
}

static int decode_snapshot(const uint8_t *bytes, unsigned int type, struct event *event)
{
	struct vmt_snapshot record;

	memcpy(&record, bytes, sizeof(record));
	event->type = (uint8_t)type;
	event->t_ns = record.t_ns;
	event->begin_ns = record.begin_ns;
	return 1;
}

static int decode_area(struct vmt_decoder *decoder, const uint8_t *bytes, struct event *event)
{
	struct vmt_area record;

	memcpy(&record, bytes, sizeof(record));
	event->type = EV_AREA;
	event->t_ns = record.t_ns;
	event->begin_ns = record.begin_ns;
	event->pid = record.pid;
	event->start = record.start;
	event->end = record.end;
	event->nr_pages = record.nr_pages;
	event->requested = record.requested;
	event->align = record.align;
	event->kind = known_kind(record.kind);
	event->guard_pages = record.guard_pages;
	event->state = record.state;
	event->vstart = record.vstart;
	if (record.state != AREA_USED && record.state != AREA_LAZY)
		return bad(decoder, "an area of state %u, neither used nor lazy", record.state);
	if (get_name(decoder, record.caller, &event->caller_id) < 0 ||
	    get_name(decoder, record.comm, &event->comm_id) < 0 ||
	    get_stack(decoder, record.stack, &event->stack_id) < 0)
		return -EBADMSG;
	return check_range(decoder, event);
}

static int decode_members(struct vmt_decoder *decoder, unsigned int type, const uint8_t *bytes,
			  struct event *event)
{
	switch (type) {
	case VMT_ALLOC:
		return decode_alloc(decoder, bytes, event);
	case VMT_FREE:
		return decode_free(decoder, bytes, event);
	case VMT_PURGE:
		return decode_purge(decoder, bytes, event);
	case VMT_FAIL:
		return decode_fail(decoder, bytes, event);
	case VMT_VFREE:
		return decode_vfree(decoder, bytes, event);
	case VMT_LOST:
		return decode_lost(bytes, event);
	case VMT_SNAPSHOT_BEGIN:
		return decode_snapshot(bytes, EV_SNAPSHOT_BEGIN, event);
	case VMT_AREA:
		return decode_area(decoder, bytes, event);
	case VMT_TIME:
		return decode_time(bytes, event);
	default:
		return decode_snapshot(bytes, EV_SNAPSHOT_END, event);
	}
}

static uint32_t least_bytes(unsigned int type)
{
	static const uint8_t sizes[] = {
		[VMT_ALLOC] = sizeof(struct vmt_alloc),
		[VMT_FREE] = sizeof(struct vmt_free),
		[VMT_PURGE] = sizeof(struct vmt_purge),
		[VMT_FAIL] = sizeof(struct vmt_fail),
		[VMT_VFREE] = sizeof(struct vmt_vfree),
		[VMT_LOST] = sizeof(struct vmt_lost),
		[VMT_SNAPSHOT_BEGIN] = sizeof(struct vmt_snapshot),
		[VMT_AREA] = sizeof(struct vmt_area),
		[VMT_SNAPSHOT_END] = sizeof(struct vmt_snapshot),
		[VMT_TIME] = sizeof(struct vmt_time),
	};

	return type < sizeof(sizes) ? sizes[type] : 0;
}

int vmt_record_decode(struct vmt_decoder *decoder, const uint8_t *bytes, uint32_t len,
		      struct event *event)
{
	struct vmt_record head;
	uint32_t least;

	memcpy(&head, bytes, sizeof(head));
	least = least_bytes(head.type);
	if (!least)
		return 0;
	if (len < least)
		return bad(decoder,
			   "a record of type %u with %" PRIu32 " bytes, less than %" PRIu32,
			   head.type, len, least);
	memset(event, 0, sizeof(*event));
	event->flags = head.flags;
	if (decode_members(decoder, head.type, bytes, event) < 0)
		return -EBADMSG;
	return check_time(decoder, event);
}
