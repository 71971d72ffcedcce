// SPDX-License-Identifier: GPL-2.0-only
#include "record/model.h"

static int emit_mark(const struct sink *sink, unsigned int type, uint64_t t_ns)
{
	struct event mark = {
		.type = (uint8_t)type,
		.flags = EV_F_HAS_BEGIN,
		.t_ns = t_ns,
		.begin_ns = t_ns,
	};

	return sink_event(sink, &mark);
}

/* At the time of the snapshot: a loss before it would be put right by it. */
static int emit_doubt(const struct sink *sink, uint64_t t_ns)
{
	struct event lost = {
		.type = EV_LOST, .t_ns = t_ns, .state = LOST_READ, .count = 1, .cpu = UINT32_MAX
	};

	return sink_event(sink, &lost);
}

/* When it was born, or freed if it is lazy, as far as events told. */
static void put_since(struct event *event, const struct area *area)
{
	bool lazy = area->state == AREA_LAZY;

	if (!(area->flags & (lazy ? AREA_F_UNSEEN : AREA_F_SEEDED)))
		event->flags |= EV_F_KNOWN;
	if (lazy)
		event->begin_ns = area->free_ns;
	else if (event->flags & EV_F_KNOWN)
		event->begin_ns = area->birth_ns;
	/* What was first seen in a list was there at that time. */
	else if (area->birth_ns < event->t_ns)
		event->t_ns = area->birth_ns;
}

static int emit_area(const struct sink *sink, const struct space *space, const struct area *area,
		     uint64_t t_ns)
{
	bool lazy = area->state == AREA_LAZY;
	struct event event = {
		.type = EV_AREA,
		.t_ns = t_ns,
		.start = area->start,
		.end = area->end,
		.state = area->state,
		.kind = area->kind,
		.guard_pages = area->guard_pages,
		.stack_id = area_stack(area),
		.caller_id = area_caller(area),
		.nr_pages = area->nr_pages,
		.requested = area->requested,
		.align = area_align(area),
		.pid = lazy ? area->freer_pid : area->pid,
		.comm_id = lazy ? area->freer_comm : area->comm_id,
	};

	put_since(&event, area);
	if (area->kind == KIND_MODULE || area->kind == KIND_BPF)
		event.vstart = space_module_start(space);
	if (area->flags & AREA_F_OWN)
		event.flags |= EV_F_OWN;
	if (area->flags & AREA_F_STACK_CUT)
		event.flags |= EV_F_STACK_CUT;
	return sink_event(sink, &event);
}

/* Of an area that is about to be freed, who said so. */
static int emit_vfree(const struct sink *sink, const struct area *area, uint64_t t_ns)
{
	struct event event = {
		.type = EV_VFREE,
		.t_ns = t_ns,
		.start = area->start,
		.pid = area->freer_pid,
		.comm_id = area->freer_comm,
		.caller_id = area->freer_caller,
	};

	if (area->state != AREA_USED || !(area->flags & AREA_F_VFREED))
		return 0;
	return sink_event(sink, &event);
}

static const struct area *next_area(const struct space *space, const struct area *area)
{
	return space_first(space, area ? area->end : space_start(space));
}

int model_emit(const struct space *space, const struct sink *sink)
{
	uint64_t t_ns = space_counters(space)->last_t_ns;
	bool seeded = !space_totals(space).unknown_bytes;
	const struct area *area = NULL;
	int err = 0;

	if (seeded && space_uncertain(space))
		err = emit_doubt(sink, t_ns);
	if (!err)
		err = emit_mark(sink, EV_SNAPSHOT_BEGIN, t_ns);
	while (!err && (area = next_area(space, area)))
		err = emit_area(sink, space, area, t_ns);
	if (!err && seeded)
		err = emit_mark(sink, EV_SNAPSHOT_END, t_ns);
	while (!err && (area = next_area(space, area)))
		err = emit_vfree(sink, area, t_ns);
	return err;
}
