/* SPDX-License-Identifier: GPL-2.0-only */
/* info: what a recording is, of which machine, and whether it is whole. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/command.h"
#include "cmd/stop.h"
#include "log.h"
#include "record/reader.h"
#include "view/info.h"

struct inspection {
	struct names *names;
	struct stacks *stacks;
	struct reader *reader;
	struct info_view view;
};

static void count(struct info_view *view, const struct event *event)
{
	if (event->type == EV_STACK)
		return;
	if (!view->events || event->t_ns < view->first_ns)
		view->first_ns = event->t_ns;
	if (event->t_ns > view->last_ns)
		view->last_ns = event->t_ns;
	view->events++;
	view->counts[event->type] += event->type == EV_LOST ? event->count : 1;
}

static int read_all(struct inspection *inspection)
{
	struct info_view *view = &inspection->view;
	struct event event;
	int got;

	while (!stop_requested() && (got = reader_next(inspection->reader, &event)) != 0) {
		if (got == 1)
			count(view, &event);
		else if (got == -EBADMSG)
			view->left_out++;
		else if (got != -EINTR)
			return got;
	}
	return 0;
}

static const char *end_of(const struct reader *reader)
{
	switch (reader_end(reader)) {
	case READER_COMPLETE:
		return "";
	case READER_MORE:
		return "was not read to its end: a signal came";
	default:
		return reader_why(reader);
	}
}

static int inspect(struct inspection *inspection, const char *path)
{
	struct info_view *view = &inspection->view;
	struct stat st;
	char why[256];
	int err;

	inspection->names = names_new();
	inspection->stacks = stacks_new();
	if (!inspection->names || !inspection->stacks) {
		log_error("out of memory");
		return EXIT_FAILED;
	}
	err = reader_open(path, inspection->names, inspection->stacks, &inspection->reader, why,
			  sizeof(why));
	if (!err)
		err = read_all(inspection);
	if (err) {
		log_error("cannot read '%s'%s: %s", path, err == -EBADMSG ? " as a recording" : "",
			  err == -EBADMSG ? why : strerror(-err));
		return EXIT_FAILED;
	}
	view->path = path;
	view->header = reader_header(inspection->reader);
	view->names = inspection->names;
	view->facts = reader_facts(inspection->reader, &view->nr_facts);
	view->modules = reader_modules(inspection->reader, &view->nr_modules);
	view->bytes = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	view->end = end_of(inspection->reader);
	return EXIT_OK;
}

static int run(const struct options *options)
{
	struct inspection inspection = { 0 };
	int code;

	if (!options->input) {
		log_error("info needs -i FILE, the recording to look at");
		return EXIT_USAGE;
	}
	stop_install();
	code = inspect(&inspection, options->input);
	if (!code && options->json)
		code = json_info(stdout, &inspection.view) ? EXIT_FAILED : EXIT_OK;
	else if (!code)
		text_info(stdout, &inspection.view);
	if (!code && reader_end(inspection.reader) == READER_DAMAGED)
		code = EXIT_FAILED;
	reader_close(inspection.reader);
	stacks_free(inspection.stacks);
	names_free(inspection.names);
	return code;
}

const struct command cmd_info = {
	.name = "info",
	.summary = "what a recording is: of which machine, how long, whether it is whole",
	.help = "Reads a recording (-i FILE) to its end and tells of which machine it is, when it "
		"was made, what it has in it, and how much of it can be read.",
	.takes = TAKES_INPUT | TAKES_JSON,
	.run = run,
};
