/* SPDX-License-Identifier: GPL-2.0-only */
/* events: the stream itself, as text or as JSON Lines (which is a recording). */
#include <errno.h>

#include "clock.h"
#include "cmd/command.h"
#include "cmd/jsonl_out.h"
#include "cmd/session.h"
#include "log.h"
#include "record/jsonl.h"

#define SLICE_NS 100000000ull

struct printer {
	struct session session;
	const struct options *options;
	struct sink sink;
	struct jsonl_out jsonl;
	bool ready; /* the first snapshot is complete: news from here on */
	uint64_t base_ns;
	uint32_t lazy_bytes; /* before the event */
};

/* Text leaves out what is not news: what existed before, stacks (they come with their events),
 * purges of nothing (a module load makes dozens). */
static bool is_news(struct printer *printer, const struct event *event, uint32_t purged_bytes)
{
	if (event->type == EV_SNAPSHOT_END || !printer->session.facts.live)
		printer->ready = true;
	if (event->type == EV_PURGE && !purged_bytes)
		return false;
	return printer->ready && event->type != EV_STACK && event->type != EV_AREA &&
	       event->type != EV_TIME && event->type != EV_SNAPSHOT_BEGIN &&
	       event->type != EV_SNAPSHOT_END;
}

/* The space has taken the event; what was freed is in it still, lazy. */
static bool passes(struct printer *printer, const struct event *event)
{
	const struct session *session = &printer->session;
	struct filter_base base = { .names = session->names, .stacks = session->stacks };

	return filter_event(printer->options->filter, &base,
			    space_area_at(session->space, event->start), event);
}

static int write_text(struct printer *printer, const struct event *event)
{
	uint32_t lazy_bytes = space_totals(printer->session.space).lazy_bytes;
	uint32_t purged_bytes = printer->lazy_bytes - lazy_bytes;
	struct event shown = *event;
	struct view view;

	printer->lazy_bytes = lazy_bytes;
	if (!is_news(printer, event, purged_bytes))
		return 0;
	/* Times are shown from when watching began; of a file that does not say, from its first
	 * news. */
	if (!printer->base_ns)
		printer->base_ns = printer->session.header.start_ns
					   ? printer->session.header.start_ns
					   : event->t_ns;
	if (!passes(printer, event))
		return 0;
	if (event->type == EV_PURGE)
		shown.size = purged_bytes;
	view = session_view(&printer->session, stdout);
	view.style.columns = 0; /* a log: nothing is cut */
	text_event(stdout, &view, &shown, printer->base_ns, printer->options->stacks);
	if (!ferror(stdout))
		return 0;
	return errno == EPIPE ? -EPIPE : -EIO;
}

static int on_event(void *context, const struct event *event)
{
	struct printer *printer = context;

	if (!printer->options->json)
		return write_text(printer, event);
	return passes(printer, event) ? jsonl_out_event(&printer->jsonl, event) : 0;
}

/* Slices, so that what is buffered reaches the reader soon. */
static int flow(struct printer *printer, uint64_t duration_ns)
{
	uint64_t begin_ns = clock_now_ns();
	int code = SESSION_MORE;

	while (code == SESSION_MORE && clock_now_ns() - begin_ns < duration_ns) {
		code = session_run(&printer->session, SLICE_NS);
		if (fflush(stdout))
			return errno == EPIPE ? SESSION_END : EXIT_FAILED; /* main tells why */
	}
	return code;
}

static int finish(struct printer *printer)
{
	if (printer->options->json && !ferror(stdout))
		jsonl_out_finish(&printer->jsonl); /* main tells if stdout refuses */
	return session_exit_code(&printer->session);
}

static int run(const struct options *options)
{
	struct printer printer = { .options = options };
	int code;

	printer.jsonl = (struct jsonl_out){ .out = stdout, .session = &printer.session };
	printer.sink = (struct sink){ .event = on_event, .context = &printer };
	code = session_open(&printer.session, options, &printer.sink);
	if (!code && !options->input)
		log_info("watching; Ctrl-C ends");
	if (!code)
		code = flow(&printer, options->duration_ns);
	if (code == SESSION_END || code == SESSION_MORE)
		code = finish(&printer);
	session_close(&printer.session);
	return code;
}

const struct command cmd_events = {
	.name = "events",
	.summary = "each allocation, free, purge and failure as it happens",
	.help = "Prints events as they happen, until Ctrl-C or --duration. With --json the output "
		"is a recording (JSON Lines, schema vmtrace.events/1) that every view reads with "
		"-i FILE; with --filter it is not, for it lacks what did not pass. Losses always "
		"pass, purges never.",
	.takes = TAKES_INPUT | TAKES_JSON | TAKES_DURATION | TAKES_CAPTURE | TAKES_COLOR |
		 TAKES_STACKS | TAKES_FILTER,
	.run = run,
};
