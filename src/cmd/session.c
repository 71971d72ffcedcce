/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/live_source.h"
#include "cmd/stop.h"
#include "clock.h"
#include "log.h"
#include "view/json.h"
#include "view/text.h"

#define FIRST_LIST_NS 1000000000ull /* after the begin: by then it is read */

/* The model did not take the event. 0 if the others can go on. */
static int refused(const struct event *event, int err)
{
	if (err == -ENOMEM) {
		log_error("out of memory for the map");
		return err;
	}
	if (err == -EINVAL)
		log_debug("an event that cannot be true was left out: type %u %08x-%08x",
			  event->type, event->start, event->end);
	return 0;
}

/* When the map has become uncertain; also when a list that was to put it right has come too early. */
static void heal_if_uncertain(struct session *session, const struct event *event)
{
	bool uncertain = space_uncertain(session->space);

	if (uncertain && (!session->was_uncertain || event->type == EV_SNAPSHOT_END))
		live_request_heal(session);
	session->was_uncertain = uncertain;
}

/* Every event of either source: what shows the map before it, the model, then what looks on. */
static int take_event(void *context, const struct event *event)
{
	struct session *session = context;
	int err = session->before ? sink_event(session->before, event) : 0;

	if (err)
		return err;
	trend_before(session->trend, session->space, event);
	err = space_apply(session->space, event);
	if (err && refused(event, err) < 0)
		return err;
	if (session->capture)
		heal_if_uncertain(session, event);
	if (event->type == EV_FAIL)
		session->last_fail = *event;
	if (event->type == EV_LOST && event->state < LOST_CAUSE_COUNT)
		session->facts.lost_by_cause[event->state] += event->count;
	if (!session->start_ns)
		session->start_ns = event->t_ns;
	return session->tee ? sink_event(session->tee, event) : 0;
}

static int open_file(struct session *session)
{
	const char *path = session->options->input;
	char why[256];
	int err = reader_open(path, session->names, session->stacks, &session->reader, why,
			      sizeof(why));

	if (err == -EBADMSG)
		log_error("'%s' is not a vmtrace recording, or not one for this version: %s", path,
			  why);
	else if (err)
		log_error("cannot read '%s': %s", path, strerror(-err));
	if (err)
		return EXIT_FAILED;
	session->header = *reader_header(session->reader);
	session->start_ns = session->header.start_ns;
	session->facts.hostname = session->header.hostname;
	return EXIT_OK;
}

static int open_space(struct session *session)
{
	session->space = space_new(session->header.vmalloc_start, session->header.vmalloc_end);
	session->trend = trend_new();
	session->was_uncertain = true; /* no list is in it yet */
	if (!session->space || !session->trend) {
		log_error("no memory for a map of %08x-%08x", session->header.vmalloc_start,
			  session->header.vmalloc_end);
		return EXIT_FAILED;
	}
	session->facts.version = VMTRACE_VERSION_TEXT;
	session->facts.kernel = session->header.kernel;
	session->facts.cpus = session->header.cpus;
	return EXIT_OK;
}

static void update_facts(struct session *session)
{
	const struct space_counters *counters;

	if (!session->space)
		return;
	counters = space_counters(session->space);

	session->facts.now_ns = session->facts.live ? clock_now_ns() : counters->last_t_ns;
	if (session->facts.now_ns > session->start_ns)
		session->facts.uptime_ns = session->facts.now_ns - session->start_ns;
}

static int start(struct session *session, const struct options *options)
{
	memset(session, 0, sizeof(*session));
	stop_install();
	session->options = options;
	session->limit_ns = SESSION_NO_LIMIT;
	session->names = names_new();
	session->stacks = stacks_new();
	if (session->names && session->stacks)
		return EXIT_OK;
	log_error("out of memory");
	return EXIT_FAILED;
}

int session_open(struct session *session, const struct options *options, const struct sink *tee)
{
	return session_open_around(session, options, NULL, tee);
}

int session_open_around(struct session *session, const struct options *options,
			const struct sink *before, const struct sink *tee)
{
	struct sink sink = { .event = take_event, .context = session };
	int code = start(session, options);

	session->before = before;
	session->tee = tee;
	if (code)
		return code;
	if (options->input) {
		code = open_file(session);
		return code ? code : open_space(session);
	}
	session->facts.live = true;
	code = live_open(session);
	session->start_ns = session->header.start_ns;
	if (!code)
		code = open_space(session);
	if (!code)
		code = live_seed(session, &sink);
	if (!code)
		log_debug("the kernel's list is in the map: watching");
	return code;
}

int session_snapshot(struct session *session, const struct options *options)
{
	struct sink sink = { .event = take_event, .context = session };
	int code = start(session, options);

	session->facts.live = true;
	if (!code)
		code = live_describe(session);
	if (!code)
		code = open_space(session);
	if (!code)
		code = live_snapshot(session, &sink);
	update_facts(session);
	return code;
}

void session_close(struct session *session)
{
	live_close(session);
	reader_close(session->reader);
	trend_free(session->trend);
	space_free(session->space);
	stacks_free(session->stacks);
	names_free(session->names);
	memset(session, 0, sizeof(*session));
}

/* Says so if the recording did not end as one does. What was read of it is shown all the same. */
static void note_end(struct session *session)
{
	enum reader_end end = reader_end(session->reader);

	session->cut_off = end != READER_COMPLETE;
	session->damaged = end == READER_DAMAGED;
	if (end == READER_MORE)
		log_note("'%s' was not read to its end: a signal came", session->options->input);
	else if (session->damaged)
		log_error("'%s' %s", session->options->input, reader_why(session->reader));
	else if (session->cut_off)
		log_note("'%s' %s", session->options->input, reader_why(session->reader));
}

/* The list with which a recording begins: in a file of a ring behind a loss at most, else behind
 * what happened while it was read. */
static bool is_of_begin(const struct session *session, const struct event *event, uint64_t at_ns)
{
	return session->wants_list && !session->listed &&
	       (event->type == EV_SNAPSHOT_BEGIN || event->type == EV_LOST ||
		at_ns < FIRST_LIST_NS);
}

/* True for the first event after the limit that leaves a whole map behind. */
static bool past_limit(struct session *session, const struct event *event)
{
	uint64_t at_ns = event->t_ns > session->start_ns ? event->t_ns - session->start_ns : 0;

	if (!session->in_snapshot && event->type != EV_STACK && session->start_ns &&
	    at_ns > session->limit_ns) {
		session->limit_reached = !is_of_begin(session, event, at_ns);
		session->begins_late |= !session->limit_reached;
	}
	session->listed |= event->type == EV_SNAPSHOT_END;
	if (event->type == EV_SNAPSHOT_BEGIN || event->type == EV_SNAPSHOT_END)
		session->in_snapshot = event->type == EV_SNAPSHOT_BEGIN;
	return session->limit_reached;
}

static int run_file(struct session *session)
{
	struct event event;
	int got;

	while (!stop_requested() && (got = reader_next(session->reader, &event)) != 0) {
		if (got == -EINTR)
			continue; /* the loop looks whether it is to stop */
		if (got == -EBADMSG) {
			log_note("%s: %s", session->options->input, reader_why(session->reader));
			continue;
		}
		if (got < 0) {
			log_error("reading '%s': %s", session->options->input, strerror(-got));
			return EXIT_FAILED;
		}
		if (past_limit(session, &event))
			return SESSION_END;
		got = take_event(session, &event);
		if (got < 0)
			return got == -EPIPE ? SESSION_END : EXIT_FAILED;
	}
	note_end(session);
	return SESSION_END;
}

/* ---- played back and forth ---------------------------------------------------------------- */

/* The next event: 1, 0 at the end, or -1 with an exit code in *code. */
static int next_event(struct session *session, struct event *event, int *code)
{
	int got;

	if (session->held.type) {
		*event = session->held;
		session->held.type = EV_NONE;
		return 1;
	}
	do {
		got = reader_next(session->reader, event);
		if (got == -EBADMSG)
			log_note("%s: %s", session->options->input, reader_why(session->reader));
	} while ((got == -EINTR && !stop_requested()) || got == -EBADMSG);
	if (got >= 0)
		return got;
	*code = got == -EINTR ? SESSION_END : EXIT_FAILED;
	if (got != -EINTR)
		log_error("reading '%s': %s", session->options->input, strerror(-got));
	return -1;
}

/* True for an event that is to wait: the map before it is whole. */
static bool is_later(const struct session *session, const struct event *event, uint64_t until_ns)
{
	return !session->in_snapshot && event->type != EV_STACK && session->start_ns &&
	       event->t_ns > until_ns;
}

int session_play(struct session *session, uint64_t until_ns)
{
	struct event event;
	int code = SESSION_END, got;

	while (!stop_requested() && (got = next_event(session, &event, &code)) != 0) {
		if (got < 0)
			return code;
		if (is_later(session, &event, until_ns)) {
			session->held = event;
			return SESSION_MORE;
		}
		if (event.type == EV_SNAPSHOT_BEGIN || event.type == EV_SNAPSHOT_END)
			session->in_snapshot = event.type == EV_SNAPSHOT_BEGIN;
		got = take_event(session, &event);
		if (got == -EINTR && !session->in_snapshot)
			return SESSION_MORE;
		if (got < 0 && got != -EINTR)
			return got == -EPIPE ? SESSION_END : EXIT_FAILED;
	}
	if (!stop_requested())
		note_end(session);
	return SESSION_END;
}

int session_rewind(struct session *session)
{
	int code;

	reader_close(session->reader);
	trend_free(session->trend);
	space_free(session->space);
	session->reader = NULL;
	session->trend = NULL;
	session->space = NULL;
	session->held.type = EV_NONE;
	session->last_fail.type = EV_NONE;
	session->in_snapshot = session->cut_off = session->damaged = false;
	memset(session->facts.lost_by_cause, 0, sizeof(session->facts.lost_by_cause));
	code = open_file(session);
	return code ? code : open_space(session);
}

int session_tell_time(struct session *session)
{
	struct event event = { .type = EV_TIME, .t_ns = clock_now_ns() };

	return session->facts.live ? take_event(session, &event) : 0;
}

int session_run(struct session *session, uint64_t for_ns)
{
	int code = session->reader ? run_file(session) : live_run(session, for_ns);

	update_facts(session);
	return code;
}

static unsigned int terminal_columns(FILE *out)
{
	struct winsize size;

	if (!isatty(fileno(out)))
		return 0; /* as for 80, but nothing is cut: it is for grep or a file */
	if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
		return size.ws_col;
	return 80;
}

static bool wants_color(const struct options *options, FILE *out)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (options->color != COLOR_AUTO)
		return options->color == COLOR_ALWAYS;
	return isatty(fileno(out)) && !(no_color && *no_color) && !(term && !strcmp(term, "dumb"));
}

struct view session_view(struct session *session, FILE *out)
{
	return (struct view){
		.space = session->space,
		.names = session->names,
		.stacks = session->stacks,
		.facts = &session->facts,
		.trend = session->trend,
		.filter = session->options->filter,
		.style = { .columns = terminal_columns(out),
			   .color = wants_color(session->options, out) },
	};
}

struct diagnosis_base session_diagnosis_base(const struct session *session)
{
	return (struct diagnosis_base){
		.space = session->space,
		.names = session->names,
		.stacks = session->stacks,
		.exact_pages = session->header.exact_pages,
	};
}

int session_exit_code(const struct session *session)
{
	const struct space_counters *counters = space_counters(session->space);

	if (session->damaged)
		return EXIT_FAILED;
	if (!session->options->strict ||
	    !(counters->lost || counters->repaired || session->cut_off))
		return EXIT_OK;
	if (session->cut_off)
		log_error("--strict: the recording was cut off");
	else if (!counters->lost)
		log_error("--strict: events were missed that no counter shows; %" PRIu64
			  " areas were put right",
			  counters->repaired);
	else
		log_error("--strict: %" PRIu64 " events were lost; a larger --ring or "
			  "--probes=area loses less",
			  counters->lost);
	return EXIT_INCOMPLETE;
}

int session_verify(struct session *session, bool json)
{
	const struct space_counters *counters = space_counters(session->space);
	struct compare_result result = { 0 };
	unsigned int tries = 0;
	int code = live_verify(session, &result, &tries);

	if (code)
		return code;
	if (!json)
		text_verify(stdout, &result, counters, space_healed(counters));
	else if (json_verify(stdout, &result, counters, tries, session->reconciles))
		code = EXIT_FAILED;
	if (!code)
		code = result.nr_diffs ? EXIT_FINDING : session_exit_code(session);
	compare_release(&result);
	return code;
}

int session_once(struct session *session, const struct options *options, uint64_t fallback_ns)
{
	uint64_t for_ns = options->duration_ns == NO_DURATION ? fallback_ns : options->duration_ns;
	int code = session_open(session, options, NULL);

	if (!code)
		code = session_run(session, for_ns);
	return code == SESSION_END || code == SESSION_MORE ? EXIT_OK : code;
}
