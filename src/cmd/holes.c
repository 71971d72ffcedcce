/* SPDX-License-Identifier: GPL-2.0-only */
/* holes: what is free, in which pieces. */
#include "cmd/command.h"
#include "cmd/session.h"
#include "view/json.h"

#define DEFAULT_TOP 10

static int run(const struct options *options)
{
	struct session session;
	unsigned int fallback = options->json ? TOP_ALL : DEFAULT_TOP;
	unsigned int top = options->top ? options->top : fallback;
	int code = session_once(&session, options, 0);

	if (!code) {
		struct view view = session_view(&session, stdout);

		if (options->json)
			code = json_holes(stdout, &view, top) ? EXIT_FAILED : EXIT_OK;
		else
			text_holes(stdout, &view, top);
		if (!code)
			code = session_exit_code(&session);
	}
	session_close(&session);
	return code;
}

const struct command cmd_holes = {
	.name = "holes",
	.summary = "free pieces by size, the largest and their neighbours",
	.help = "Shows the holes of the vmalloc space: how many of each size; the largest with who "
		"lies on both sides, now and after a purge; and the trend over the time watched "
		"(--duration) or recorded.\n\n"
		"frag is the fragmentation index 1 - largest hole / free bytes: the share of the "
		"free space that lies outside of the largest hole. 0 = all in one hole, near 1 = "
		"crumbs. It says nothing of sizes: see the largest hole, and docs/HOLES.md.\v"
		"--json lists all holes unless --top is given.",
	.takes =
		TAKES_INPUT | TAKES_JSON | TAKES_DURATION | TAKES_CAPTURE | TAKES_COLOR | TAKES_TOP,
	.run = run,
};
