// SPDX-License-Identifier: GPL-2.0-only
#include "view/moments.h"

static uint64_t later_by(uint64_t t_ns, uint64_t ns)
{
	return ns > UINT64_MAX - t_ns ? UINT64_MAX : t_ns + ns;
}

void moments_start(struct moments *moments, uint64_t start_ns)
{
	if (start_ns && !moments->next_ns)
		moments->next_ns = later_by(start_ns, moments->interval_ns);
}

/* As live is told the time at every moment, this is for recordings without live, and for files
 * whose times cannot be true: they shall not take forever. */
static void skip_quiet(struct moments *moments, uint64_t t_ns)
{
	uint64_t blocks = (t_ns - moments->next_ns) / moments->interval_ns;

	if (blocks > MOMENTS_MAX_QUIET)
		moments->next_ns += (blocks - 1) * moments->interval_ns;
}

/* A file of a ring begins long after start. Before its first event is nothing to be shown; unless
 * it is EV_TIME, which says that there was nothing until then. */
static void begin_at(struct moments *moments, const struct event *event)
{
	uint64_t next_ns = moments->next_ns;

	if (event->type != EV_TIME && event->t_ns > next_ns)
		moments->next_ns =
			later_by(next_ns, (event->t_ns - next_ns + moments->interval_ns - 1) /
						  moments->interval_ns * moments->interval_ns);
}

bool moments_before(struct moments *moments, const struct event *event, uint64_t *at_ns)
{
	if (!moments->interval_ns || !moments->next_ns || moments->in_snapshot ||
	    event->type == EV_STACK)
		return false;
	if (!moments->begun)
		begin_at(moments, event);
	if (event->t_ns <= moments->next_ns)
		return false;
	skip_quiet(moments, event->t_ns);
	*at_ns = moments->next_ns;
	moments->next_ns = later_by(moments->next_ns, moments->interval_ns);
	moments->any = true;
	return true;
}

bool moments_after(struct moments *moments, const struct event *event, uint64_t *at_ns)
{
	bool first = event->type == EV_SNAPSHOT_END && moments->in_snapshot && !moments->any;

	moments->begun |= event->type != EV_STACK;
	if (event->type == EV_SNAPSHOT_BEGIN || event->type == EV_SNAPSHOT_END)
		moments->in_snapshot = event->type == EV_SNAPSHOT_BEGIN;
	if (!first || !moments->interval_ns)
		return false;
	*at_ns = event->t_ns;
	moments->any = true;
	return true;
}
