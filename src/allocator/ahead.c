/* SPDX-License-Identifier: GPL-2.0-only */
#include "allocator/ahead.h"

#include <stddef.h>

static const struct event *at(const struct ahead *ahead, uint32_t index)
{
	return &ahead->ring[(ahead->first + index) % SIMULATE_AHEAD];
}

void ahead_push(struct ahead *ahead, const struct event *event)
{
	ahead->ring[(ahead->first + ahead->count++) % SIMULATE_AHEAD] = *event;
	/* A loss is told when it is noticed, which is later than what comes after it. */
	if (event->type != EV_LOST)
		ahead->newest_ns = event->t_ns;
}

bool ahead_due(const struct ahead *ahead)
{
	return ahead->count == SIMULATE_AHEAD ||
	       (ahead->count && ahead->newest_ns > at(ahead, 0)->t_ns + SIMULATE_AHEAD_NS);
}

struct event ahead_pop(struct ahead *ahead)
{
	struct event event = *at(ahead, 0);

	ahead->first = (ahead->first + 1) % SIMULATE_AHEAD;
	ahead->count--;
	return event;
}

uint64_t ahead_begin_ns(const struct event *event)
{
	if (event->type == EV_PURGE)
		return event->begin_ns;
	return event->t_ns > event->latency_ns ? event->t_ns - event->latency_ns : 0;
}

bool ahead_wanted_by_alloc(const struct ahead *ahead, const struct event *purge)
{
	for (uint32_t i = 0; i < ahead->count; i++) {
		const struct event *event = at(ahead, i);

		if ((event->type == EV_ALLOC || event->type == EV_FAIL) &&
		    (!purge->tid || event->tid == purge->tid) && event->latency_ns &&
		    ahead_begin_ns(event) <= purge->begin_ns && event->t_ns >= purge->t_ns)
			return true;
	}
	return false;
}

struct event *ahead_rival(struct ahead *ahead, const struct event *event, uint32_t start,
			  uint32_t end, uint32_t *index)
{
	while (*index < ahead->count) {
		struct event *rival = &ahead->ring[(ahead->first + (*index)++) % SIMULATE_AHEAD];

		if (rival->type == EV_ALLOC && rival->start < end && rival->end > start &&
		    ahead_begin_ns(rival) <= event->t_ns)
			return rival;
	}
	return NULL;
}

struct event *ahead_purge(struct ahead *ahead, uint64_t t_ns)
{
	for (uint32_t i = 0; i < ahead->count; i++) {
		struct event *event = &ahead->ring[(ahead->first + i) % SIMULATE_AHEAD];

		if (event->type == EV_PURGE && (event->flags & EV_F_HAS_BEGIN) &&
		    event->begin_ns <= t_ns)
			return event;
	}
	return NULL;
}

bool ahead_alloc_at(const struct ahead *ahead, uint64_t t_ns)
{
	for (uint32_t i = 0; i < ahead->count; i++) {
		const struct event *event = at(ahead, i);

		if (event->type == EV_ALLOC && ahead_begin_ns(event) <= t_ns)
			return true;
	}
	return false;
}
