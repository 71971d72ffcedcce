/* SPDX-License-Identifier: GPL-2.0-only */
/* verify: the map that events built against the kernel's own list. */
#include "cmd/command.h"
#include "cmd/session.h"
#include "log.h"
#include "units.h"

#define DEFAULT_DURATION_NS 1000000000ull

static int run(const struct options *options)
{
	uint64_t for_ns =
		options->duration_ns == NO_DURATION ? DEFAULT_DURATION_NS : options->duration_ns;
	struct session session;
	char text[16];
	int code = session_open(&session, options, NULL);

	if (!code) {
		log_info("watching for %s, then comparing; Ctrl-C compares at once",
			 units_duration(for_ns, text, sizeof(text)));
		code = session_run(&session, for_ns);
	}
	if (code == SESSION_MORE || code == SESSION_END)
		code = session_verify(&session, options->json);
	session_close(&session);
	return code;
}

const struct command cmd_verify = {
	.name = "verify",
	.summary = "is the map true? compares it with /proc/vmallocinfo",
	.help = "Watches for --duration (1s), then compares every area of the map that the events "
		"built with the kernel's own list. A difference counts if no event touched its "
		"range while the list was read and it stays over several looks; lazy space counts "
		"too. "
		"Exit 3 if the map differs.",
	.takes = TAKES_JSON | TAKES_DURATION | TAKES_CAPTURE,
	.run = run,
};
