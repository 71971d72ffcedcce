/* SPDX-License-Identifier: GPL-2.0-only */
/* live: a block of text every interval, until Ctrl-C or --duration; a summary at the end. */
#include <inttypes.h>
#include <stdio.h>

#include "clock.h"
#include "cmd/command.h"
#include "cmd/live_source.h"
#include "cmd/session.h"
#include "log.h"
#include "space/failures.h"
#include "view/units.h"
#include "view/why.h"

#define DEFAULT_TOP 5

struct live {
	struct session session;
	struct sink sink;
	struct failures *failures;
};

static int on_event(void *context, const struct event *event)
{
	struct live *live = context;
	struct diagnosis_base base = session_diagnosis_base(&live->session);

	if (event->type == EV_FAIL) /* without memory it is shown all the same, unexplained */
		failures_take(live->failures, event, &base);
	return 0;
}

static int print_block(struct live *live, unsigned int top)
{
	struct session *session = &live->session;
	struct view view = session_view(session, stdout);
	char verdict[64] = "";

	if (failures_count(live->failures))
		why_short(&failures_at(live->failures, 0)->diagnosis, verdict, sizeof(verdict));
	text_live(stdout, &view, session->last_fail.type ? &session->last_fail : NULL, verdict,
		  top);
	return fflush(stdout) ? SESSION_END : SESSION_MORE;
}

/* Blocks until the time is over. */
static int watch(struct live *live, const struct options *options)
{
	struct session *session = &live->session;
	unsigned int top = options->top ? options->top : DEFAULT_TOP;
	uint64_t begin_ns = clock_now_ns(), passed_ns = 0;
	int code = session_run(session, 0);

	while (!code && passed_ns < options->duration_ns) {
		uint64_t left_ns = options->duration_ns - passed_ns;

		code = print_block(live, top);
		if (!code)
			code = session_run(session, left_ns < options->interval_ns
							    ? left_ns
							    : options->interval_ns);
		passed_ns = clock_now_ns() - begin_ns;
	}
	if (code == SESSION_END)
		print_block(live, top);
	return code == SESSION_END ? EXIT_OK : code;
}

static int summarize(struct session *session)
{
	const struct space_counters *counters = space_counters(session->space);
	char watched[16];

	printf("\nwatched %s: %" PRIu64 " allocations, %" PRIu64 " frees, %" PRIu64
	       " purges, %" PRIu64 " failures, %" PRIu64 " lost\n",
	       units_duration(session->facts.uptime_ns, watched, sizeof(watched)), counters->allocs,
	       counters->frees, counters->purges, counters->fails, counters->lost);
	if (session->options->input)
		return session_exit_code(session);
	if (!live_can_verify(session)) {
		log_note("not compared with the kernel's list, which kptr_restrict=2 hides");
		return session_exit_code(session);
	}
	return session_verify(session, false);
}

static int run(const struct options *options)
{
	struct live live = { .failures = failures_new() };
	int code;

	if (!live.failures) {
		log_error("out of memory");
		return EXIT_FAILED;
	}
	live.sink = (struct sink){ .event = on_event, .context = &live };
	code = session_open(&live.session, options, &live.sink);
	if (!code)
		code = watch(&live, options);
	if (!code && !ferror(stdout))
		code = summarize(&live.session);
	session_close(&live.session);
	failures_free(live.failures);
	return code;
}

const struct command cmd_live = {
	.name = "live",
	.summary = "watch: map, holes and owners every --interval",
	.help = "Watches the vmalloc space and prints a block every --interval: totals, map, "
		"holes, "
		"owners, the last failure. Ctrl-C ends with a summary and a comparison with the "
		"kernel's own list.",
	.takes = TAKES_INPUT | TAKES_DURATION | TAKES_INTERVAL | TAKES_CAPTURE | TAKES_COLOR |
		 TAKES_TOP,
	.run = run,
};
