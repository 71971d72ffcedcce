// SPDX-License-Identifier: GPL-2.0-only
/* leaks: what is allocated and never freed, with the evidence. */
#include "cmd/command.h"
#include "cmd/leak_watch.h"
#include "debuginfo/debug_files.h"
#include "view/leaks.h"

#define DEFAULT_TOP 10
#define DEFAULT_NS  60000000000ull

static int print(struct leak_watch *watch, const struct leaks_report *report,
		 struct debug_files *debug)
{
	struct view view = session_view(&watch->session, stdout);
	unsigned int top = watch->options->top ? watch->options->top : DEFAULT_TOP;

	view.debug = debug;
	if (debug)
		debug_files_set_release(debug, watch->session.header.kernel);
	if (watch->options->json && json_leaks(stdout, &view, report, top))
		return EXIT_FAILED;
	if (!watch->options->json)
		text_leaks(stdout, &view, report, watch->options->top);
	if (debug)
		debug_files_tell(debug);
	return EXIT_OK;
}

static int run(const struct options *options)
{
	struct leak_watch watch;
	struct leaks_report report = { 0 };
	struct debug_files *debug = NULL;
	int code;

	/* Before a minute of watching, not after it. */
	if (options->nr_vmlinux) {
		debug = debug_files_new(options->vmlinux, options->nr_vmlinux);
		if (!debug)
			return EXIT_FAILED;
	}
	code = leak_watch_run(&watch, options, DEFAULT_NS);
	if (!code)
		code = leak_watch_report(&watch, &report);
	if (!code)
		code = print(&watch, &report, debug);
	if (!code)
		code = session_exit_code(&watch.session);
	if (!code && report.leaks)
		code = EXIT_FINDING;
	leaks_report_release(&report);
	leak_watch_close(&watch);
	debug_files_free(debug);
	return code;
}

const struct command cmd_leaks = {
	.name = "leaks",
	.summary = "what is allocated and never freed, with the evidence",
	.help = "Judges each call path (--group: or caller, module, kind, task) by what became of "
		"the areas that it allocated while vmtrace watched: a score from 0 to 1, with its "
		"reasons. 0.50 and more is a leak; then the exit code is 3. Watches this machine "
		"for --duration (1m), or reads a recording, the longer the better.\v"
		"docs/LEAKS.md has the rules, and what they were tried on.",
	.takes = TAKES_INPUT | TAKES_JSON | TAKES_DURATION | TAKES_CAPTURE | TAKES_COLOR |
		 TAKES_TOP | TAKES_LEAKS | TAKES_SOURCE | TAKES_FILTER,
	.run = run,
};
