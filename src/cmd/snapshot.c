/* SPDX-License-Identifier: GPL-2.0-only */
/* snapshot: the map from the kernel's own list alone, without BPF or probes. */
#include "cmd/command.h"
#include "cmd/session.h"
#include "view/json.h"

#define MAP_ROWS 16

static int run(const struct options *options)
{
	struct session session;
	int code = session_snapshot(&session, options);

	if (!code) {
		struct view view = session_view(&session, stdout);

		if (options->json)
			code = json_map(stdout, &view) ? EXIT_FAILED : EXIT_OK;
		else if (options->areas)
			text_areas(stdout, &view);
		else {
			text_summary(stdout, &view);
			text_map(stdout, &view, MAP_ROWS);
			text_top(stdout, &view, options->by, options->sort,
				 options->top ? options->top : 10);
		}
	}
	session_close(&session);
	return code;
}

const struct command cmd_snapshot = {
	.name = "snapshot",
	.summary = "the map once, without BPF: works on any kernel",
	.help = "Reads /proc/vmallocinfo and shows what it tells: no probes, no space of its own "
		"taken, so it works when nothing else fits any more.",
	.takes = TAKES_JSON | TAKES_COLOR | TAKES_AREAS | TAKES_OWNERS | TAKES_TOP | TAKES_SEED,
	.run = run,
};
