// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/screen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clock.h"
#include "cmd/stop.h"
#include "log.h"
#include "screen/draw.h"

#define TAIL_ENTRIES     2000u /* 400 KB */
#define GROWTH_WINDOW_NS 60000000000ull
#define REPORT_NS        5000000000ull /* a verdict on leaks is not made more often ... */
#define REPORT_SHARE     200u          /* ... nor in more than this part of the time */
#define NS_PER_S         1000000000ull

/* ---- whether ------------------------------------------------------------------------------ */

bool screen_is_wanted(const struct options *options)
{
	char why[128];

	if (options->plain)
		return false;
	if (!isatty(STDOUT_FILENO) && !(options->json && isatty(STDERR_FILENO)))
		return false;
	/* JSON would lie in the middle of it. */
	if (options->json && isatty(STDOUT_FILENO))
		return false;
	if (!term_check(why, sizeof(why)))
		return true;
	log_note("no full screen, since %s%s", why,
		 options->json ? "" : ": it prints blocks instead");
	return false;
}

static bool wants_color(const struct options *options)
{
	const char *no_color = getenv("NO_COLOR");

	if (options->color != COLOR_AUTO)
		return options->color == COLOR_ALWAYS;
	return !(no_color && *no_color);
}

/* ---- messages ----------------------------------------------------------------------------- */

static void take_message(void *context, enum log_level level, const char *line)
{
	struct screen_messages *messages = context;

	pthread_mutex_lock(&messages->lock);
	snprintf(messages->lines[messages->count++ % SCREEN_MESSAGES], SCREEN_MESSAGE, "%s%.240s",
		 level == LOG_NOTE ? "note: " : "", line);
	pthread_mutex_unlock(&messages->lock);
}

/* The newest is shown; all of them are printed when the screen is gone. */
static void show_messages(struct screen *screen)
{
	struct screen_messages *messages = &screen->messages;

	pthread_mutex_lock(&messages->lock);
	if (messages->said < messages->count) {
		messages->said = messages->count;
		state_say(&screen->state, true, "%.230s",
			  messages->lines[(messages->count - 1) % SCREEN_MESSAGES]);
		screen->dirty = true;
	}
	pthread_mutex_unlock(&messages->lock);
}

static void print_messages(const struct screen_messages *messages)
{
	uint32_t first = messages->count > SCREEN_MESSAGES ? messages->count - SCREEN_MESSAGES : 0;

	if (first)
		fprintf(stderr, "vmtrace: note: %u earlier messages are left out\n", first);
	for (uint32_t i = first; i < messages->count; i++)
		fprintf(stderr, "vmtrace: %s\n", messages->lines[i % SCREEN_MESSAGES]);
}

/* ---- evidence ----------------------------------------------------------------------------- */

void screen_init(struct screen *screen, struct watch *watch, const struct options *options)
{
	memset(screen, 0, sizeof(*screen));
	screen->watch = watch;
	screen->options = options;
	state_init(&screen->state);
	pthread_mutex_init(&screen->messages.lock, NULL);
}

/* The names and stacks are the session's, which opens with the first events on their way. */
static int begin_evidence(struct screen *screen)
{
	struct leaks_options options = { .by = OWNERS_BY_STACK };
	const struct session *session = &screen->watch->session;

	if (!screen->leaks)
		screen->leaks = leaks_new(session->names, session->stacks, &options);
	if (!screen->tail)
		screen->tail = tail_new(TAIL_ENTRIES);
	if (!screen->growth)
		screen->growth = growth_new(GROWTH_WINDOW_NS);
	return screen->leaks && screen->tail && screen->growth ? 0 : -ENOMEM;
}

int screen_before(struct screen *screen, const struct event *event)
{
	int err = begin_evidence(screen);

	if (!err)
		err = leaks_before(screen->leaks, screen->watch->session.space, event);
	if (err)
		log_error("out of memory for the evidence");
	return err;
}

int screen_after(struct screen *screen, const struct event *event)
{
	const struct space *space = screen->watch->session.space;
	int err = leaks_after(screen->leaks, space, event);

	tail_add(screen->tail, space, event);
	if (event->type != EV_STACK && event->type != EV_TIME) {
		screen->changed = true;
		screen->events++;
	}
	if (err)
		log_error("out of memory for the evidence");
	return err;
}

void screen_forget(struct screen *screen)
{
	if (screen->reported)
		leaks_report_release(&screen->report);
	screen->reported = false;
	screen->built = false;
	screen->changed = true;
	leaks_free(screen->leaks);
	tail_free(screen->tail);
	growth_free(screen->growth);
	screen->leaks = NULL;
	screen->tail = NULL;
	screen->growth = NULL;
	screen->events = 0;
	screen->report_after_ns = 0;
	screen->state.message[0] = '\0';
}

/* ---- the terminal ------------------------------------------------------------------------- */

int screen_open(struct screen *screen)
{
	char why[128];
	int err = term_open(wants_color(screen->options), &screen->term, why, sizeof(why));

	if (err) {
		log_error("no full screen, since %s; --plain prints blocks instead", why);
		return err;
	}
	stop_at_abort(term_abort);
	if (isatty(STDERR_FILENO))
		log_divert(take_message, &screen->messages);
	screen->changed = screen->dirty = true;
	return 0;
}

void screen_close(struct screen *screen)
{
	if (!screen->term)
		return;
	stop_at_abort(NULL);
	term_close(screen->term);
	screen->term = NULL;
	log_divert(NULL, NULL);
	print_messages(&screen->messages);
}

void screen_release(struct screen *screen)
{
	screen_close(screen);
	model_release(&screen->model);
	screen_forget(screen);
	recorder_free(screen->recorder);
	mark_free(screen->mark);
	mark_free(screen->frozen.mark);
	actions_release(&screen->actions);
	pthread_mutex_destroy(&screen->messages.lock);
}

/* ---- what a frame is made of -------------------------------------------------------------- */

static bool is_frozen(const struct screen *screen)
{
	return screen->frozen.mark;
}

/* What stands in the title: what live says, with the version that recorded. */
static void take_facts(struct screen *screen, uint64_t now_ns)
{
	const struct session *session = &screen->watch->session;

	screen->facts = session->facts;
	screen->facts.now_ns = now_ns;
	screen->facts.uptime_ns = now_ns > session->start_ns ? now_ns - session->start_ns : 0;
	if (session->header.tool[0])
		screen->facts.version = session->header.tool;
}

static uint64_t own_cpu_ns(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) < 0)
		return 0;
	return ((uint64_t)usage.ru_utime.tv_sec + (uint64_t)usage.ru_stime.tv_sec) * NS_PER_S +
	       ((uint64_t)usage.ru_utime.tv_usec + (uint64_t)usage.ru_stime.tv_usec) * 1000;
}

/* Losses are shown as they are now, also while all else stands still. */
static struct trust_facts trust_now(struct screen *screen, uint64_t now_ns, uint64_t wall_ns)
{
	const struct session *session = &screen->watch->session;
	struct trust_facts trust = trust_facts_of(session->space, &session->facts,
						  session->capture ? &session->plans : NULL);

	trust_rate_put(&screen->events_rate, screen->events, now_ns);
	trust.events_per_1000_s = screen->events_rate.per_1000_s;
	trust.events_known = screen->events_rate.known;
	trust_rate_put(&screen->cpu_rate, own_cpu_ns(), wall_ns);
	trust.cpu_ns_per_s = screen->cpu_rate.per_1000_s / 1000;
	trust.cpu_known = screen->cpu_rate.known && session->capture;
	return trust;
}

/* Made from evidence that is there anyway, but the statistics cost. */
static void report_leaks(struct screen *screen, uint64_t now_ns)
{
	static const struct leaks_filter all = { 0 };
	bool due = !screen->reported || now_ns < screen->report_ns ||
		   now_ns - screen->report_ns >= REPORT_NS;
	struct leaks_report report = { 0 };
	uint64_t begin_ns = clock_now_ns();

	if (!screen->leaks || !due || is_frozen(screen) || begin_ns < screen->report_after_ns)
		return;
	if (leaks_report(screen->leaks, screen->watch->session.space, now_ns, &all, &report))
		return;
	if (screen->reported)
		leaks_report_release(&screen->report);
	screen->report = report;
	screen->reported = true;
	screen->report_ns = now_ns;
	screen->report_after_ns = clock_now_ns();
	screen->report_after_ns += (screen->report_after_ns - begin_ns) * REPORT_SHARE;
}

static struct model_sources sources(struct screen *screen)
{
	const struct session *session = &screen->watch->session;
	const struct screen_frozen *frozen = &screen->frozen;
	struct model_sources from = {
		.view = { .space = session->space,
			  .names = session->names,
			  .stacks = session->stacks,
			  .facts = &screen->facts,
			  .trend = session->trend },
		.counters = space_counters(session->space),
		.failures = screen->watch->failures,
		.tail = screen->tail,
		.last_event = UINT64_MAX,
		.growth = screen->growth,
		.leaks = screen->leaks,
		.leaks_report = screen->reported ? &screen->report : NULL,
		.mark = screen->mark,
		.filter = screen->actions.filter,
		.kernel = { .pmd_bytes = session->header.pmd_bytes,
			    .exact_pages = session->header.exact_pages },
		.base_ns = session->start_ns,
	};

	if (is_frozen(screen)) {
		from.view.space = mark_space(frozen->mark);
		from.view.trend = NULL;
		from.view.facts = &frozen->facts;
		from.counters = &frozen->counters;
		from.last_event = frozen->last_event;
	}
	return from;
}

static void freeze(struct screen *screen)
{
	struct screen_frozen *frozen = &screen->frozen;
	const struct space *space = screen->watch->session.space;

	mark_free(frozen->mark);
	*frozen = (struct screen_frozen){ 0 };
	if (!screen->state.paused || screen->model.play.on)
		return;
	frozen->mark = mark_take(space, screen->facts.now_ns);
	frozen->counters = *space_counters(space);
	frozen->facts = screen->facts;
	frozen->last_event = screen->tail ? tail_total(screen->tail) : 0;
	if (!frozen->mark) {
		screen->state.paused = false;
		state_say(&screen->state, true,
			  "the map is being read anew: pause again in a moment");
	}
}

/* ---- frames ------------------------------------------------------------------------------- */

static void lay_out(struct screen *screen)
{
	const struct space *space = screen->watch->session.space;
	uint32_t rows, columns;
	struct layout_wants wants = {
		.failed = failures_count(screen->watch->failures) > 0,
		.leaks = screen->reported && screen->report.leaks > 0,
		.replay = screen->model.play.on,
		.pages = (space_end(space) - space_start(space)) / VMT_PAGE_SIZE,
	};

	term_size(screen->term, &rows, &columns);
	screen->layout = layout_make(rows, columns, &screen->state, &wants);
}

static void build(struct screen *screen, bool fresh)
{
	struct model_sources from = sources(screen);
	bool utf8 = term_utf8(screen->term);

	from.trust = screen->model.from.trust;
	screen->built = !model_build(&screen->model, &from, &screen->state, &screen->layout, utf8,
				     fresh || !screen->built);
	if (!screen->built)
		state_say(&screen->state, true, "out of memory for the screen");
}

static void say_recording(struct screen *screen)
{
	struct series_stats stats = { 0 };

	screen->model.recording = NULL;
	if (!screen->recorder)
		return;
	stats = recorder_stats(screen->recorder);
	screen->model.recording = screen->recorder_path;
	screen->model.recorded_bytes = stats.bytes;
}

void screen_frame(struct screen *screen, uint64_t now_ns, uint64_t wall_ns)
{
	const struct session *session = &screen->watch->session;
	bool clock_only;
	struct grid *grid;

	show_messages(screen);
	clock_only = screen->built && !screen->changed && !screen->dirty;
	if (clock_only && now_ns == screen->frame_ns && !screen->anew)
		return;
	take_facts(screen, now_ns);
	if (screen->growth)
		growth_sample(screen->growth, session->space, now_ns);
	if (screen->changed)
		report_leaks(screen, now_ns);
	lay_out(screen);
	screen->model.interval_ns = screen->options->interval_ns;
	say_recording(screen);
	screen->model.from.trust = trust_now(screen, now_ns, wall_ns);
	if (!clock_only)
		build(screen, screen->changed && !is_frozen(screen));
	grid = draw_screen(&screen->model, &screen->state, &screen->layout,
			   term_utf8(screen->term));
	if (grid)
		term_show(screen->term, grid, screen->anew);
	screen->frame_ns = now_ns;
	screen->changed = screen->dirty = screen->anew = false;
}

/* ---- keys --------------------------------------------------------------------------------- */

static struct keys_context context_of(const struct screen *screen)
{
	const struct space *space = screen->watch->session.space;
	const struct mapview *map = &screen->model.map;

	return (struct keys_context){
		.start = space_start(space),
		.end = space_end(space),
		.cell_bytes = map->cell_pages * VMT_PAGE_SIZE,
		.row_bytes = map->cell_pages * map->columns * VMT_PAGE_SIZE,
		.map_rows = screen->layout.map_rows,
		.list_rows = layout_list_rows(&screen->layout.pane),
		.help_rows = draw_help_excess(screen->layout.rows),
		.replay = screen->model.play.on,
		.recording = screen->recorder,
	};
}

static void set_mark(struct screen *screen)
{
	const struct model_sources *from = &screen->model.from;
	struct mark *mark = mark_take(from->view.space, from->view.facts->now_ns);

	if (!mark) {
		state_say(&screen->state, true, "no mark could be set now: try again in a moment");
		return;
	}
	mark_free(screen->mark);
	screen->mark = mark;
	state_say(&screen->state, false, "marked; D shows what has changed since");
}

static enum action press(struct screen *screen, uint32_t key)
{
	struct keys_context context = context_of(screen);
	enum action action = keys_press(&screen->state, &context, key);

	if (action == ACTION_NONE || !screen->built)
		return action == ACTION_QUIT ? action : ACTION_NONE;
	screen->dirty = true;
	if (actions_do(&screen->actions, action, &screen->state, &screen->model))
		return ACTION_NONE;
	switch (action) {
	case ACTION_REDRAW:
		screen->anew = true;
		return ACTION_NONE;
	case ACTION_MARK:
		set_mark(screen);
		return ACTION_NONE;
	case ACTION_PAUSE:
		freeze(screen);
		screen->changed = true;
		return ACTION_PAUSE;
	case ACTION_DRAW:
		return ACTION_NONE;
	default:
		return action;
	}
}

enum action screen_input(struct screen *screen, bool *any)
{
	struct term_input input = term_read(screen->term);

	*any = input.type != TERM_NOTHING;
	switch (input.type) {
	case TERM_KEY:
		return press(screen, input.key);
	case TERM_RESIZED:
		screen->dirty = screen->anew = true;
		screen->state.recenter = screen->state.zoom > 0;
		return ACTION_NONE;
	case TERM_CLOSED:
		return ACTION_QUIT;
	default:
		return ACTION_NONE;
	}
}
