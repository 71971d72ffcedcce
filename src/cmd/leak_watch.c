// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/leak_watch.h"

#include <errno.h>
#include <string.h>

#include "cmd/command.h"
#include "log.h"

/* The names and stacks that the groups are made of are the session's, which opens with the first
 * events already on their way. */
static int take_before(void *context, const struct event *event)
{
	struct leak_watch *watch = context;
	struct leaks_options options = {
		.by = watch->options->group,
		.since_ns = watch->options->since_ns,
	};

	if (!watch->leaks)
		watch->leaks = leaks_new(watch->session.names, watch->session.stacks, &options);
	if (!watch->leaks || leaks_before(watch->leaks, watch->session.space, event)) {
		log_error("out of memory for the evidence");
		return -ENOMEM;
	}
	return 0;
}

static int take_after(void *context, const struct event *event)
{
	struct leak_watch *watch = context;

	if (!leaks_after(watch->leaks, watch->session.space, event))
		return 0;
	log_error("out of memory for the evidence");
	return -ENOMEM;
}

int leak_watch_run(struct leak_watch *watch, const struct options *options, uint64_t default_ns)
{
	uint64_t for_ns = options->duration_ns == NO_DURATION ? default_ns : options->duration_ns;
	int code;

	memset(watch, 0, sizeof(*watch));
	watch->options = options;
	watch->before = (struct sink){ .event = take_before, .context = watch };
	watch->after = (struct sink){ .event = take_after, .context = watch };
	code = session_open_around(&watch->session, options, &watch->before, &watch->after);
	if (!code && !options->input && for_ns)
		log_info("watching for areas that are never freed; Ctrl-C ends");
	if (!code)
		code = session_run(&watch->session, for_ns);
	return code == SESSION_MORE || code == SESSION_END ? EXIT_OK : code;
}

int leak_watch_report(struct leak_watch *watch, struct leaks_report *report)
{
	const struct leaks_filter filter = {
		.older_ns = watch->options->older_ns,
		.min_bytes = watch->options->min_bytes,
		.filter = watch->options->filter,
	};
	uint64_t now_ns = watch->session.facts.live ? watch->session.facts.now_ns : 0;

	memset(report, 0, sizeof(*report));
	if (!watch->leaks ||
	    !leaks_report(watch->leaks, watch->session.space, now_ns, &filter, report))
		return EXIT_OK;
	log_error("out of memory for the report");
	return EXIT_FAILED;
}

void leak_watch_close(struct leak_watch *watch)
{
	leaks_free(watch->leaks);
	watch->leaks = NULL;
	session_close(&watch->session);
}
