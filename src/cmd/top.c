/* SPDX-License-Identifier: GPL-2.0-only */
/* top: who holds the space. */
#include "cmd/command.h"
#include "cmd/session.h"
#include "view/json.h"

#define DEFAULT_TOP 20

static int run(const struct options *options)
{
	struct session session;
	unsigned int top = options->top ? options->top : DEFAULT_TOP;
	int code = session_once(&session, options, 0);

	if (!code) {
		struct view view = session_view(&session, stdout);

		if (options->json)
			code = json_top(stdout, &view, options->by, options->sort, top)
				       ? EXIT_FAILED
				       : EXIT_OK;
		else
			text_top(stdout, &view, options->by, options->sort, top);
		if (!code)
			code = session_exit_code(&session);
	}
	session_close(&session);
	return code;
}

const struct command cmd_top = {
	.name = "top",
	.summary = "who holds most: by caller, stack, module, kind or task",
	.help = "Shows who holds the vmalloc space. Areas that existed before vmtrace are known by "
		"their one caller; those made while it watches (--duration) by their whole "
		"stack.\n\n"
		"--sort=guard and --sort=waste show what the space costs its owners: % is the "
		"share "
		"of the guard pages in BYTES (a one-page area costs double: 50%), WASTE is what "
		"was "
		"allocated in whole pages but not asked for ('+': of some areas it is not known).",
	.takes = TAKES_INPUT | TAKES_JSON | TAKES_DURATION | TAKES_CAPTURE | TAKES_COLOR |
		 TAKES_TOP | TAKES_OWNERS | TAKES_FILTER,
	.run = run,
};
