/* SPDX-License-Identifier: GPL-2.0-only */
/* live: a block of text every interval, until Ctrl-C or --duration; a summary at the end. */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "cmd/command.h"
#include "cmd/live_source.h"
#include "cmd/recorder.h"
#include "cmd/session.h"
#include "cmd/watch.h"
#include "log.h"

#define SLICE_NS 500000000ull /* of a recording: recorder_tick */

struct live {
	struct watch watch;
	struct recorder *recorder; /* -o, or NULL */
	uint64_t until_ns;
};

static int on_event(void *context, const struct event *event)
{
	struct live *live = context;

	return live->recorder ? recorder_event(live->recorder, event) : 0;
}

/* How long events may flow until something is to be done. At least 1 ns: a moment has passed only
 * when something later has come. */
static uint64_t slice_ns(const struct live *live, uint64_t now_ns)
{
	uint64_t next_ns = live->watch.moments.next_ns;

	if (next_ns > live->until_ns)
		next_ns = live->until_ns;
	if (live->recorder && next_ns > now_ns + SLICE_NS)
		next_ns = now_ns + SLICE_NS;
	return next_ns > now_ns ? next_ns - now_ns : 1;
}

/* Blocks until the time is over. */
static int flow(struct live *live, uint64_t duration_ns)
{
	uint64_t now_ns = clock_now_ns();
	int code = SESSION_MORE;

	live->until_ns = duration_ns < UINT64_MAX - now_ns ? now_ns + duration_ns : UINT64_MAX;
	while (code == SESSION_MORE && !ferror(stdout) && now_ns < live->until_ns) {
		code = session_run(&live->watch.session, slice_ns(live, now_ns));
		now_ns = clock_now_ns();
		if (code == SESSION_MORE && now_ns > live->watch.moments.next_ns &&
		    session_tell_time(&live->watch.session))
			return SESSION_END;
		if (live->recorder) {
			recorder_tick(live->recorder, now_ns);
			if (recorder_is_over(live->recorder))
				return SESSION_END;
		}
	}
	session_tell_time(&live->watch.session);
	return code;
}

static int compare(struct session *session)
{
	if (session->options->input)
		return session_exit_code(session);
	if (!live_can_verify(session)) {
		log_note("not compared with the kernel's list, which kptr_restrict=2 hides");
		return session_exit_code(session);
	}
	return session_verify(session, false);
}

/* The recording has what was shown, and not what the comparison finds after that. */
static int finish(struct live *live)
{
	int code = EXIT_OK, compared = EXIT_OK;

	if (!ferror(stdout))
		watch_end(&live->watch);
	live->watch.ended = true;
	if (live->recorder)
		code = recorder_finish(live->recorder);
	if (!ferror(stdout))
		compared = compare(&live->watch.session);
	return code ? code : compared;
}

static int watch(struct live *live, const struct options *options)
{
	int code = watch_open(&live->watch, options);

	if (!code && live->recorder)
		code = recorder_begin(live->recorder);
	if (!code)
		code = flow(live, options->duration_ns);
	return code == SESSION_MORE || code == SESSION_END ? finish(live) : code;
}

static int check_output(const struct options *options)
{
	if (!options->output)
		return EXIT_OK;
	if (options->input || !strcmp(options->output, "-")) {
		log_error("live writes a recording (-o FILE) of this machine, into a file; "
			  "'vmtrace record' also takes -i FILE and -o -");
		return EXIT_USAGE;
	}
	return recorder_check(options);
}

static int run(const struct options *options)
{
	struct live live = { .watch = { .event = on_event } };
	int code = check_output(options);

	if (code)
		return code;
	live.watch.context = &live;
	live.watch.moments.interval_ns = options->interval_ns;
	if (options->output)
		live.recorder = recorder_new(&live.watch.session, options);
	if (options->output && !live.recorder) {
		log_error("out of memory");
		return EXIT_FAILED;
	}
	code = watch(&live, options);
	recorder_free(live.recorder);
	watch_close(&live.watch);
	return code;
}

const struct command cmd_live = {
	.name = "live",
	.summary = "watch: map, holes and owners every --interval",
	.help = "Watches the vmalloc space and prints a block every --interval: totals, map, "
		"holes, "
		"owners, the last failure. Ctrl-C ends with a summary and a comparison with the "
		"kernel's own list. With -o FILE it records, too: 'vmtrace replay FILE' then "
		"prints the same blocks.",
	.takes = TAKES_INPUT | TAKES_DURATION | TAKES_INTERVAL | TAKES_CAPTURE | TAKES_COLOR |
		 TAKES_TOP | TAKES_OUTPUT | TAKES_RECORD,
	.run = run,
};
