/* SPDX-License-Identifier: GPL-2.0-only */
/* verify: the map that events built against the kernel's own list. */
#include "clock.h"
#include "cmd/command.h"
#include "cmd/session.h"
#include "log.h"
#include "view/json.h"

#define DEFAULT_DURATION_NS 1000000000ull

static int run(const struct options *options)
{
	struct compare_result result = { 0 };
	struct session session;
	unsigned int tries = 0;
	int code;

	if (options->duration_ns != NO_DURATION && options->duration_ns > 2000000000ull)
		log_info("watching for the given time, then comparing; Ctrl-C compares at once");
	code = session_once(&session, options, DEFAULT_DURATION_NS);
	if (!code)
		code = session_verify(&session, &result, &tries);
	if (!code) {
		if (options->json)
			code = json_verify(stdout, &result, space_counters(session.space)->lost,
					   tries) ?
				       EXIT_FAILED :
				       EXIT_OK;
		else
			session_print_verify(stdout, &session, &result);
		if (!code)
			code = session_exit_code(&session);
		if (result.nr_diffs)
			code = EXIT_FINDING;
	}
	compare_release(&result);
	session_close(&session);
	return code;
}

const struct command cmd_verify = {
	.name = "verify",
	.summary = "is the map true? compares it with /proc/vmallocinfo",
	.help = "Watches for --duration (1s), then compares every area of the map that the events "
		"built with the kernel's own list. A difference counts if no event touched its "
		"range while the list was read and it stays over several looks. Exit 3 if the map "
		"differs.",
	.takes = TAKES_JSON | TAKES_DURATION | TAKES_CAPTURE,
	.run = run,
};
