/* SPDX-License-Identifier: GPL-2.0-only */
/* replay: what live showed, from a recording. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "cmd/command.h"
#include "cmd/replay_screen.h"
#include "cmd/screen.h"
#include "cmd/session.h"
#include "cmd/stop.h"
#include "cmd/watch.h"
#include "log.h"
#include "units.h"

#define NAP_NS 100000000ull /* how long a stop may have to wait */

struct replay {
	struct watch watch;
	struct options options;
	double speed; /* 0 = no waiting */
	bool paced;
	uint64_t first_at_ns; /* of the first block, and when it was printed */
	uint64_t first_wall_ns;
	bool in_snapshot;
	bool to_failure;     /* --step: the next stop is at a failure */
	uint32_t lazy_bytes; /* before the event */
};

/* ---- --speed ---- */

static uint64_t due_ns(const struct replay *replay, uint64_t at_ns)
{
	uint64_t passed_ns = at_ns > replay->first_at_ns ? at_ns - replay->first_at_ns : 0;
	double wait_ns = (double)passed_ns / replay->speed;

	return wait_ns < 9e18 ? replay->first_wall_ns + (uint64_t)wait_ns : UINT64_MAX;
}

/* Waits until it is time for the block as of at_ns. */
static int wait_for(void *context, uint64_t at_ns)
{
	struct replay *replay = context;
	uint64_t now_ns = clock_now_ns();

	if (!replay->paced) {
		replay->paced = true;
		replay->first_at_ns = at_ns;
		replay->first_wall_ns = now_ns;
	}
	while (replay->speed > 0 && !stop_requested() && now_ns < due_ns(replay, at_ns)) {
		uint64_t left_ns = due_ns(replay, at_ns) - now_ns;
		struct timespec nap = { .tv_nsec = (long)(left_ns < NAP_NS ? left_ns : NAP_NS) };

		nanosleep(&nap, NULL);
		now_ns = clock_now_ns();
	}
	return stop_requested() ? -EPIPE : 0;
}

/* ---- --step ---- */

/* True for what changes the map, of which a purge of nothing is no part, and for failures. */
static bool is_step(struct replay *replay, const struct event *event, uint32_t purged_bytes)
{
	if (event->type == EV_SNAPSHOT_BEGIN || event->type == EV_SNAPSHOT_END)
		replay->in_snapshot = event->type == EV_SNAPSHOT_BEGIN;
	if (replay->in_snapshot)
		return false;
	switch (event->type) {
	case EV_FAIL:
		return true;
	case EV_PURGE:
		return purged_bytes && !replay->to_failure;
	case EV_ALLOC:
	case EV_FREE:
	case EV_LOST:
	case EV_SNAPSHOT_END:
		return !replay->to_failure;
	default:
		return false;
	}
}

static bool is_reached(const struct replay *replay, const struct event *event)
{
	uint64_t start_ns = replay->watch.session.start_ns;

	return replay->options.at_ns == NO_DURATION ||
	       (event->t_ns > start_ns && event->t_ns - start_ns > replay->options.at_ns);
}

/* Asks, a line at a time, so that it works on every terminal and from a file. The end of the
 * answers is the end. */
static int ask(struct replay *replay)
{
	char line[64];

	do {
		if (isatty(STDIN_FILENO))
			fputs("Enter: next change, n: next failure, q: end > ", stderr);
		if (stop_requested() || !fgets(line, sizeof(line), stdin))
			return -EPIPE;
	} while (!strchr("nq\n", line[0]));
	replay->to_failure = line[0] == 'n';
	return line[0] == 'q' ? -EPIPE : 0;
}

static int step(void *context, const struct event *event)
{
	struct replay *replay = context;
	struct session *session = &replay->watch.session;
	uint32_t lazy_bytes = space_totals(session->space).lazy_bytes;
	uint32_t purged_bytes = replay->lazy_bytes - lazy_bytes;
	struct view view = session_view(session, stdout);
	struct event shown = *event;
	int err;

	replay->lazy_bytes = lazy_bytes;
	if (!is_step(replay, event, purged_bytes) || !is_reached(replay, event))
		return 0;
	if (event->type == EV_PURGE)
		shown.size = purged_bytes;
	text_event(stdout, &view, &shown, session->start_ns, false);
	err = watch_block(&replay->watch, watch_newest_ns(&replay->watch));
	return err ? err : ask(replay);
}

/* ---- --at ---- */

static int say_beyond(const struct replay *replay, uint64_t length_ns)
{
	char length[16], at[16];

	log_error("'%s' ends %s after its begin: there is no --at=%s", replay->options.input,
		  units_duration(length_ns, length, sizeof(length)),
		  units_duration(replay->options.at_ns, at, sizeof(at)));
	return EXIT_USAGE;
}

/* EXIT_USAGE if the recording does not go as far as --at. */
static int check_reached(const struct replay *replay)
{
	const struct session *session = &replay->watch.session;
	uint64_t newest_ns = watch_newest_ns(&replay->watch);
	uint64_t length_ns = newest_ns > session->start_ns ? newest_ns - session->start_ns : 0;

	if (replay->options.at_ns == NO_DURATION || session->limit_reached || stop_requested() ||
	    session->damaged || length_ns >= replay->options.at_ns)
		return EXIT_OK;
	return say_beyond(replay, length_ns);
}

static int print_at(struct replay *replay)
{
	struct session *session = &replay->watch.session;
	int code;

	session->limit_ns = replay->options.at_ns;
	code = session_run(session, 0);
	if (code == SESSION_END)
		code = check_reached(replay);
	if (!code && !stop_requested() && (session->limit_reached || !session->damaged))
		watch_block(&replay->watch, session->start_ns + session->limit_ns);
	return code ? code : session_exit_code(session);
}

/* ---- the run ---- */

static int play(struct replay *replay)
{
	struct watch *watch = &replay->watch;
	int code = session_run(&watch->session, 0);

	if (code != SESSION_END)
		return code;
	code = replay->options.step ? check_reached(replay) : EXIT_OK;
	if (code)
		return code;
	if (watch->pause && !stop_requested())
		wait_for(replay, watch_newest_ns(watch));
	if (!ferror(stdout))
		watch_end(watch);
	return session_exit_code(&watch->session);
}

static int find_input(struct options *options)
{
	if (options->nr_words == 1 && !options->input)
		options->input = options->words[0];
	else if (options->nr_words || !options->input) {
		log_error("replay needs one recording: vmtrace replay FILE");
		return EXIT_USAGE;
	}
	if (!options->step || strcmp(options->input, "-"))
		return EXIT_OK;
	log_error("--step is told by stdin how to go on: the recording cannot come from there, "
		  "too");
	return EXIT_USAGE;
}

static void set_up(struct replay *replay)
{
	const struct options *options = &replay->options;
	bool one_by_one = options->step || options->at_ns != NO_DURATION;

	replay->watch.context = replay;
	if (options->step)
		replay->watch.event = step;
	if (one_by_one)
		return;
	replay->watch.moments.interval_ns = options->interval_ns;
	replay->watch.pause = wait_for;
	replay->speed = options->speed;
	if (!options->speed_given && isatty(STDOUT_FILENO))
		replay->speed = 1;
}

static int run(const struct options *options)
{
	struct replay replay = { .options = *options };
	int code = find_input(&replay.options);

	if (code)
		return code;
	if (options->at_ns == NO_DURATION && !options->step && strcmp(replay.options.input, "-") &&
	    screen_is_wanted(&replay.options))
		return replay_screen(&replay.options);
	set_up(&replay);
	code = watch_open(&replay.watch, &replay.options);
	if (!code)
		code = options->at_ns != NO_DURATION && !options->step ? print_at(&replay)
								       : play(&replay);
	watch_close(&replay.watch);
	return code;
}

const struct command cmd_replay = {
	.name = "replay",
	.summary = "what live showed, from a recording",
	.help = "Plays FILE (.vmt or JSON Lines): on a terminal as the full screen of live with a "
		"time bar ('?' there names every key), else it prints the blocks that 'vmtrace "
		"live' printed "
		"while it was recorded, or would have printed with this --interval. Ctrl-C ends "
		"with the totals so far.",
	.words = "FILE",
	.takes = TAKES_SCREEN | TAKES_INPUT | TAKES_INTERVAL | TAKES_TOP | TAKES_COLOR |
		 TAKES_WORDS | TAKES_REPLAY,
	.run = run,
};
