/* SPDX-License-Identifier: GPL-2.0-only */
/* live: the screen, or a block of text every interval, until Ctrl-C or --duration; a summary at the
 * end. */
#include "cmd/live.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "cmd/command.h"
#include "cmd/live_source.h"
#include "cmd/session.h"
#include "log.h"

static int before_event(void *context, const struct event *event)
{
	struct live *live = context;

	return live->on_screen ? screen_before(&live->screen, event) : 0;
}

static int on_event(void *context, const struct event *event)
{
	struct live *live = context;
	int err = live->recorder ? recorder_event(live->recorder, event) : 0;

	if (!err && live->jsonl.out)
		err = jsonl_out_event(&live->jsonl, event);
	if (!err && live->on_screen) {
		screen_record(&live->screen, event);
		err = screen_after(&live->screen, event);
	}
	return err;
}

/* How long events may flow until something is to be done. At least 1 ns: a moment has passed only
 * when something later has come. */
static uint64_t slice_ns(const struct live *live, uint64_t now_ns)
{
	uint64_t next_ns = live->jsonl.out ? UINT64_MAX : live->watch.moments.next_ns;

	if (next_ns > live->until_ns)
		next_ns = live->until_ns;
	if ((live->recorder || live->jsonl.out) && next_ns > now_ns + LIVE_SLICE_NS)
		next_ns = now_ns + LIVE_SLICE_NS;
	return next_ns > now_ns ? next_ns - now_ns : 1;
}

uint64_t live_until(uint64_t now_ns, uint64_t duration_ns)
{
	return duration_ns < UINT64_MAX - now_ns ? now_ns + duration_ns : UINT64_MAX;
}

int live_tick(struct live *live, uint64_t now_ns)
{
	if (!live->recorder)
		return SESSION_MORE;
	recorder_tick(live->recorder, now_ns);
	return recorder_is_over(live->recorder) ? SESSION_END : SESSION_MORE;
}

/* Blocks until the time is over. */
static int flow(struct live *live, uint64_t duration_ns)
{
	uint64_t now_ns = clock_now_ns();
	int code = SESSION_MORE;

	live->until_ns = live_until(now_ns, duration_ns);
	while (code == SESSION_MORE && !ferror(stdout) && now_ns < live->until_ns) {
		code = session_run(&live->watch.session, slice_ns(live, now_ns));
		now_ns = clock_now_ns();
		if (code == SESSION_MORE && !live->jsonl.out &&
		    now_ns > live->watch.moments.next_ns && session_tell_time(&live->watch.session))
			return SESSION_END;
		if (live_tick(live, now_ns) == SESSION_END)
			return SESSION_END;
		if (live->jsonl.out && fflush(stdout))
			return errno == EPIPE ? SESSION_END : EXIT_FAILED; /* main tells why */
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

/* Nothing but JSON to stdout. */
static int finish_json(struct live *live)
{
	int code = EXIT_OK;

	live->watch.ended = true;
	if (live->recorder)
		code = recorder_finish(live->recorder);
	if (!ferror(stdout) && jsonl_out_finish(&live->jsonl))
		code = EXIT_FAILED;
	return code ? code : session_exit_code(&live->watch.session);
}

/* The recording has what was shown, and not what the comparison finds after that. */
static int finish(struct live *live)
{
	int code = EXIT_OK, compared = EXIT_OK;

	if (live->jsonl.out)
		return finish_json(live);
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
		code = live->on_screen ? live_screen_flow(live, options)
				       : flow(live, options->duration_ns);
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

static int run(const struct options *given)
{
	struct options own = *given;
	const struct options *options = &own;
	struct live live = { .watch = { .first = before_event, .event = on_event } };
	int code = check_output(options);

	if (code)
		return code;
	live.watch.context = &live;
	live.on_screen = !options->input && screen_is_wanted(options);
	own.measure_cost = live.on_screen; /* its trust line tells it */
	if (!live.on_screen && !options->json)
		live.watch.moments.interval_ns = options->interval_ns;
	screen_init(&live.screen, &live.watch, options);
	if (options->json)
		live.jsonl = (struct jsonl_out){ .out = stdout, .session = &live.watch.session };
	if (options->output)
		live.recorder = recorder_new(&live.watch.session, options);
	if (options->output && !live.recorder) {
		log_error("out of memory");
		return EXIT_FAILED;
	}
	code = watch(&live, options);
	recorder_free(live.recorder);
	screen_release(&live.screen);
	watch_close(&live.watch);
	return code;
}

const struct command cmd_live = {
	.name = "live",
	.summary = "watch: map, holes and owners every --interval",
	.help = "Watches the vmalloc space: on a terminal as a full screen ('?' there names every "
		"key; docs/SCREEN.md), else as a block of text every --interval: totals, map, "
		"holes, "
		"owners, the last failure. q or Ctrl-C ends with a summary and a comparison with "
		"the "
		"kernel's own list. With -o FILE it records, too: 'vmtrace replay FILE' then "
		"shows the same. With --json the events go to stdout as JSON Lines; into a file or "
		"pipe the terminal still has the screen.",
	.takes = TAKES_INPUT | TAKES_JSON | TAKES_SCREEN | TAKES_DURATION | TAKES_INTERVAL |
		 TAKES_CAPTURE | TAKES_COLOR | TAKES_TOP | TAKES_OUTPUT | TAKES_RECORD,
	.run = run,
};
