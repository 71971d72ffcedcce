/* SPDX-License-Identifier: GPL-2.0-only */
/* map: the space by address, once. */
#include "cmd/command.h"
#include "cmd/session.h"
#include "log.h"
#include "view/json.h"

#define MAP_ROWS 16

static int run(const struct options *options)
{
	struct session session;
	int code;

	if (options->filter && !options->areas && !options->json) {
		log_error("map: --filter chooses from the list of areas: give --areas (or --json) "
			  "too");
		return EXIT_USAGE;
	}
	code = session_once(&session, options, 0);

	if (!code) {
		struct view view = session_view(&session, stdout);

		if (options->json) {
			code = json_map(stdout, &view) ? EXIT_FAILED : EXIT_OK;
		} else if (options->areas) {
			text_areas(stdout, &view);
		} else {
			text_summary(stdout, &view);
			text_map(stdout, &view, MAP_ROWS);
			text_waste(stdout, &view);
		}
		if (!code)
			code = session_exit_code(&session);
	}
	session_close(&session);
	return code;
}

const struct command cmd_map = {
	.name = "map",
	.summary = "the space by address: used, guard, lazy, free",
	.help = "Shows the vmalloc space by address, once: after reading what exists, or after "
		"watching for --duration, or at the end of a recording.",
	.takes = TAKES_INPUT | TAKES_JSON | TAKES_DURATION | TAKES_CAPTURE | TAKES_COLOR |
		 TAKES_AREAS | TAKES_FILTER,
	.run = run,
};
