// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/watch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/stop.h"
#include "log.h"
#include "units.h"
#include "view/why.h"

#define DEFAULT_TOP 5

/* What a block says of where it comes from: what live says, with the version that recorded. */
static struct view_facts facts_at(const struct watch *watch, uint64_t at_ns)
{
	const struct session *session = &watch->session;
	struct view_facts facts = session->facts;

	facts.live = true;
	facts.now_ns = at_ns;
	facts.uptime_ns = at_ns > session->start_ns ? at_ns - session->start_ns : 0;
	if (session->header.tool[0])
		facts.version = session->header.tool;
	return facts;
}

int watch_block(struct watch *watch, uint64_t at_ns)
{
	struct session *session = &watch->session;
	struct view_facts facts = facts_at(watch, at_ns);
	struct view view = session_view(session, stdout);
	char verdict[64] = "";

	view.facts = &facts;
	watch->changed = false;
	watch->drawn = true;
	watch->shown_ns = at_ns;
	if (failures_count(watch->failures))
		why_short(&failures_at(watch->failures, 0)->diagnosis, verdict, sizeof(verdict));
	text_live(stdout, &view, session->last_fail.type ? &session->last_fail : NULL, verdict,
		  watch->top);
	return fflush(stdout) ? -EPIPE : 0;
}

/* A stop of live comes behind what had happened; in a file it is now. */
static int due_block(struct watch *watch, uint64_t at_ns)
{
	int err = watch->session.reader && stop_requested() ? -EPIPE : 0;

	if (!err && watch->pause)
		err = watch->pause(watch->context, at_ns);
	return err ? err : watch_block(watch, at_ns);
}

static int before_event(void *context, const struct event *event)
{
	struct watch *watch = context;
	uint64_t at_ns;
	int err = 0;

	if (watch->ended)
		return 0;
	if (watch->first)
		err = watch->first(watch->context, event);
	moments_start(&watch->moments, watch->session.start_ns);
	while (!err && moments_before(&watch->moments, event, &at_ns))
		err = due_block(watch, at_ns);
	return err;
}

static int after_event(void *context, const struct event *event)
{
	struct watch *watch = context;
	struct diagnosis_base base = session_diagnosis_base(&watch->session);
	uint64_t at_ns;
	int err = 0;

	if (watch->ended)
		return 0;
	if (event->type == EV_FAIL) /* without memory it is shown all the same, unexplained */
		failures_take(watch->failures, event, &base);
	if (event->type != EV_STACK && event->type != EV_TIME)
		watch->changed = true;
	if (watch->event)
		err = watch->event(watch->context, event);
	if (!err && moments_after(&watch->moments, event, &at_ns))
		err = due_block(watch, at_ns);
	return err;
}

int watch_open(struct watch *watch, const struct options *options)
{
	watch->top = options->top ? options->top : DEFAULT_TOP;
	watch->failures = failures_new();
	if (!watch->failures) {
		log_error("out of memory");
		return EXIT_FAILED;
	}
	watch->before = (struct sink){ .event = before_event, .context = watch };
	watch->after = (struct sink){ .event = after_event, .context = watch };
	return session_open_around(&watch->session, options, &watch->before, &watch->after);
}

void watch_close(struct watch *watch)
{
	session_close(&watch->session);
	failures_free(watch->failures);
}

uint64_t watch_newest_ns(const struct watch *watch)
{
	uint64_t newest_ns = space_counters(watch->session.space)->last_t_ns;

	return newest_ns > watch->shown_ns ? newest_ns : watch->shown_ns;
}

static void print_totals(const struct watch *watch)
{
	const struct space_counters *counters = space_counters(watch->session.space);
	struct view_facts facts = facts_at(watch, watch_newest_ns(watch));
	char watched[16];

	printf("\nwatched %s: %" PRIu64 " allocations, %" PRIu64 " frees, %" PRIu64
	       " purges, %" PRIu64 " failures, %" PRIu64 " lost\n",
	       units_duration(facts.uptime_ns, watched, sizeof(watched)), counters->allocs,
	       counters->frees, counters->purges, counters->fails, counters->lost);
}

void watch_end(struct watch *watch)
{
	if (watch->changed || !watch->drawn)
		watch_block(watch, watch_newest_ns(watch));
	if (!ferror(stdout))
		print_totals(watch);
	watch->ended = true;
}
