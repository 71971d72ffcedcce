// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/replay_screen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "cmd/command.h"
#include "cmd/screen.h"
#include "cmd/stop.h"
#include "log.h"
#include "record/reader.h"
#include "units.h"

#define BUCKETS     1024u        /* of the time bar */
#define FRAME_NS    100000000ull /* while it plays a frame is not made more often */
#define NAP_MS      20u
#define SLICE_NS    50000000ull /* of reading, until keys are looked at */
#define PASSED_PART 20u
#define MAX_LEAD_NS 5000000000ull /* from the begin that the header tells to the first event */

struct player {
	struct watch watch;
	struct screen screen;
	const struct options *options;
	uint32_t fails[BUCKETS];
	uint64_t at_ns;      /* where in the recording one is: event time */
	uint64_t wall_ns;    /* ... when that was shown */
	uint64_t fail_ns;    /* of the last failure applied, 0 = none */
	uint32_t lazy_bytes; /* before the event */
	enum { STOP_NEVER, STOP_CHANGE, STOP_FAIL } stop_at;
	bool ending;
};

/* ---- the recording as a whole, read once -------------------------------------------------- */

struct span {
	uint64_t first_ns, last_ns;
	bool any;
	uint64_t *fails;
	uint32_t nr_fails, capacity;
};

static int add_fail(struct span *span, uint64_t t_ns)
{
	if (span->nr_fails == span->capacity) {
		uint32_t capacity = span->capacity ? 2 * span->capacity : 64;
		uint64_t *grown = realloc(span->fails, capacity * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		span->fails = grown;
		span->capacity = capacity;
	}
	span->fails[span->nr_fails++] = t_ns;
	return 0;
}

static int take_span(struct span *span, const struct event *event)
{
	if (event->type == EV_STACK)
		return 0;
	/* One that was begun in the middle of a watch has nothing of what was before. */
	if (!span->any && event->t_ns > span->first_ns + MAX_LEAD_NS)
		span->first_ns = event->t_ns;
	span->any = true;
	if (event->t_ns > span->last_ns)
		span->last_ns = event->t_ns;
	return event->type == EV_FAIL ? add_fail(span, event->t_ns) : 0;
}

static int read_span(const char *path, struct span *span)
{
	struct names *names = names_new();
	struct stacks *stacks = stacks_new();
	struct reader *reader = NULL;
	struct event event;
	char why[256];
	int err = names && stacks ? reader_open(path, names, stacks, &reader, why, sizeof(why))
				  : -ENOMEM;
	int got = 0;

	if (!err && reader_header(reader)->start_ns)
		span->first_ns = reader_header(reader)->start_ns;
	while (!err && !stop_requested() && (got = reader_next(reader, &event)) != 0) {
		if (got > 0)
			err = take_span(span, &event);
		else if (got != -EBADMSG && got != -EINTR)
			err = got;
	}
	reader_close(reader);
	stacks_free(stacks);
	names_free(names);
	return err;
}

/* Failures by parts of the time bar. A recording that cannot be read is told of by session_open. */
static int survey(struct player *player)
{
	struct model_play *play = &player->screen.model.play;
	struct span span = { 0 };
	int err = read_span(player->options->input, &span);
	uint64_t length_ns;

	play->on = true;
	play->start_ns = span.first_ns;
	play->end_ns = span.last_ns > span.first_ns ? span.last_ns : span.first_ns;
	length_ns = play->end_ns - play->start_ns + 1;
	for (uint32_t i = 0; i < span.nr_fails; i++) {
		double part = (double)(span.fails[i] - play->start_ns) / (double)length_ns;

		if (span.fails[i] >= play->start_ns)
			player->fails[(uint32_t)(part * BUCKETS) % BUCKETS]++;
	}
	play->fails = player->fails;
	play->nr_buckets = BUCKETS;
	free(span.fails);
	return err;
}

/* ---- events ------------------------------------------------------------------------------- */

static int before_event(void *context, const struct event *event)
{
	struct player *player = context;

	player->lazy_bytes = space_totals(player->watch.session.space).lazy_bytes;
	return screen_before(&player->screen, event);
}

/* True for what changes the map, of which a purge of nothing is no part, and for failures. */
static bool is_change(const struct player *player, const struct event *event)
{
	switch (event->type) {
	case EV_PURGE:
		return player->lazy_bytes != space_totals(player->watch.session.space).lazy_bytes;
	case EV_ALLOC:
	case EV_FREE:
	case EV_FAIL:
	case EV_LOST:
	case EV_SNAPSHOT_END:
		return true;
	default:
		return false;
	}
}

static int after_event(void *context, const struct event *event)
{
	struct player *player = context;
	int err = screen_after(&player->screen, event);

	if (event->type == EV_FAIL)
		player->fail_ns = event->t_ns;
	if (err || player->stop_at == STOP_NEVER)
		return err;
	if (event->type == EV_FAIL || (player->stop_at == STOP_CHANGE && is_change(player, event)))
		return -EINTR; /* session_play returns */
	return 0;
}

/* ---- moving in time ----------------------------------------------------------------------- */

static void stop_playing(struct player *player)
{
	player->screen.state.paused = true;
	player->screen.dirty = true;
}

/* Plays up to until_ns, or to what it is to stop at. */
static int play_to(struct player *player, uint64_t until_ns)
{
	struct session *session = &player->watch.session;
	struct model_play *play = &player->screen.model.play;
	int code = session_play(session, until_ns);

	play->ended = code == SESSION_END;
	if (code == SESSION_END) {
		player->at_ns = play->end_ns > until_ns ? until_ns : play->end_ns;
		if (until_ns == UINT64_MAX)
			player->at_ns = play->end_ns;
		return stop_requested() ? SESSION_END : SESSION_MORE;
	}
	player->at_ns = player->stop_at != STOP_NEVER && until_ns == UINT64_MAX
				? space_counters(session->space)->last_t_ns
				: until_ns;
	return code;
}

static int rewind_all(struct player *player)
{
	int code = session_rewind(&player->watch.session);

	screen_forget(&player->screen);
	failures_free(player->watch.failures);
	player->watch.failures = failures_new();
	player->watch.changed = true;
	player->fail_ns = 0;
	player->at_ns = player->screen.model.play.start_ns;
	if (code || player->watch.failures)
		return code;
	log_error("out of memory");
	return EXIT_FAILED;
}

/* Backwards is from the begin on: what there is at a time is what all events before made. */
static int seek(struct player *player, uint64_t to_ns)
{
	const struct model_play *play = &player->screen.model.play;
	int code = SESSION_MORE;

	if (to_ns < play->start_ns)
		to_ns = play->start_ns;
	if (to_ns > play->end_ns)
		to_ns = play->end_ns;
	player->stop_at = STOP_NEVER;
	if (to_ns < player->at_ns || space_counters(player->watch.session.space)->last_t_ns > to_ns)
		code = rewind_all(player);
	if (!code)
		code = play_to(player, to_ns);
	player->screen.changed = true;
	return code;
}

static int step(struct player *player, bool to_failure)
{
	int code;

	stop_playing(player);
	player->stop_at = to_failure ? STOP_FAIL : STOP_CHANGE;
	code = play_to(player, UINT64_MAX);
	player->stop_at = STOP_NEVER;
	if (player->screen.model.play.ended)
		state_say(&player->screen.state, false,
			  to_failure ? "no failure lies behind: this is the end"
				     : "this is the end");
	return code;
}

/* The last failure before this moment. */
static int step_to_failure_before(struct player *player)
{
	uint64_t here_ns = player->at_ns, found_ns = 0;
	int code = rewind_all(player);

	stop_playing(player);
	player->stop_at = STOP_FAIL;
	while (!code && !player->screen.model.play.ended) {
		code = play_to(player, UINT64_MAX);
		if (player->screen.model.play.ended || player->fail_ns >= here_ns)
			break;
		found_ns = player->fail_ns;
	}
	if (!found_ns)
		state_say(&player->screen.state, false, "no failure lies before");
	return code ? code : seek(player, found_ns ? found_ns : here_ns);
}

static int go_to_time(struct player *player)
{
	struct state *state = &player->screen.state;
	const struct model_play *play = &player->screen.model.play;
	uint64_t ns;

	if (units_parse_duration(state->line, &ns)) {
		state_say(state, true, "'%.40s' is not a time (90s, 5m, 1h)", state->line);
		return SESSION_MORE;
	}
	if (ns > play->end_ns - play->start_ns)
		state_say(state, false, "the recording is shorter: this is its end");
	return seek(player, ns < UINT64_MAX - play->start_ns ? play->start_ns + ns : UINT64_MAX);
}

static int move(struct player *player, enum action action)
{
	const struct model_play *play = &player->screen.model.play;
	uint64_t part_ns = (play->end_ns - play->start_ns) / PASSED_PART + 1;
	uint64_t interval_ns = player->options->interval_ns, back_ns = part_ns;

	switch (action) {
	case ACTION_STEP:
		return step(player, false);
	case ACTION_FAIL_NEXT:
		return step(player, true);
	case ACTION_FAIL_BACK:
		return step_to_failure_before(player);
	case ACTION_TIME:
		return go_to_time(player);
	case ACTION_FORWARD:
		return seek(player, player->at_ns + part_ns);
	case ACTION_STEP_BACK:
		stop_playing(player);
		back_ns = interval_ns;
		/* fall through */
	case ACTION_BACKWARD:
		return seek(player, player->at_ns > back_ns ? player->at_ns - back_ns : 0);
	case ACTION_PAUSE:
		/* At the end there is nothing to play: from the begin again. */
		if (!player->screen.state.paused && play->ended)
			return seek(player, 0);
		return SESSION_MORE;
	default:
		screen_write(&player->screen, action);
		return SESSION_MORE;
	}
}

/* ---- the run ------------------------------------------------------------------------------ */

static int take_keys(struct player *player)
{
	int code = SESSION_MORE;
	bool any;

	do {
		enum action action = screen_input(&player->screen, &any);

		if (action == ACTION_QUIT)
			player->ending = true;
		else if (action != ACTION_NONE)
			code = move(player, action);
		if (any)
			player->wall_ns = clock_now_ns();
	} while (any && !player->ending && code == SESSION_MORE);
	return code;
}

/* The time goes on with the wall's, so many times as fast. */
static int go_on(struct player *player, uint64_t now_ns)
{
	struct state *state = &player->screen.state;
	const struct model_play *play = &player->screen.model.play;
	double passed_ns = (double)(now_ns - player->wall_ns) * state->speed;
	uint64_t to_ns = player->at_ns + (passed_ns < 9e18 ? (uint64_t)passed_ns : 0);
	int code;

	player->wall_ns = now_ns;
	if (state->paused)
		return SESSION_MORE;
	if (to_ns > play->end_ns || state->speed <= 0)
		to_ns = play->end_ns;
	code = play_to(player, to_ns);
	if (player->at_ns < play->end_ns)
		return code;
	code = play->ended ? code : play_to(player, UINT64_MAX);
	stop_playing(player);
	return code;
}

static int show(struct player *player)
{
	int code = seek(player, player->screen.model.play.start_ns);

	player->wall_ns = clock_now_ns();
	while (code == SESSION_MORE && !player->ending && !stop_requested()) {
		uint64_t now_ns = clock_now_ns();
		uint64_t frame_ns = FRAME_NS;

		code = go_on(player, now_ns);
		if (code == SESSION_MORE)
			code = take_keys(player);
		player->screen.model.play.at_ns = player->at_ns;
		screen_frame(&player->screen, player->at_ns, now_ns);
		if (code != SESSION_MORE)
			break;
		for (uint64_t waited = 0;
		     waited < frame_ns && !term_pending(player->screen.term) && !stop_requested();
		     waited += NAP_MS * 1000000ull)
			term_wait(player->screen.term, NAP_MS);
	}
	return code == SESSION_MORE ? SESSION_END : code;
}

static int run(struct player *player)
{
	struct screen *screen = &player->screen;
	int code;

	if (survey(player) == -ENOMEM) {
		log_error("out of memory");
		return EXIT_FAILED;
	}
	code = watch_open(&player->watch, player->options);
	if (code)
		return code;
	if (!screen->model.play.start_ns)
		screen->model.play.start_ns = player->watch.session.start_ns;
	player->at_ns = screen->model.play.start_ns;
	screen->state.speed = player->options->speed_given ? player->options->speed : 1;
	if (screen_open(screen))
		return EXIT_FAILED;
	code = show(player);
	screen_close(screen);
	if (code != SESSION_END)
		return code;
	player->watch.shown_ns = player->at_ns; /* the block is as of then */
	player->watch.changed = true;
	watch_end(&player->watch);
	return session_exit_code(&player->watch.session);
}

int replay_screen(const struct options *options)
{
	struct player *player = calloc(1, sizeof(*player));
	int code;

	if (!player) {
		log_error("out of memory");
		return EXIT_FAILED;
	}
	player->options = options;
	player->watch.first = before_event;
	player->watch.event = after_event;
	player->watch.context = player;
	screen_init(&player->screen, &player->watch, options);
	code = run(player);
	screen_release(&player->screen);
	watch_close(&player->watch);
	free(player);
	return code;
}
