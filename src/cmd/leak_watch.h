/* SPDX-License-Identifier: GPL-2.0-only */
/* A session with the evidence for leaks beside it: what `leaks` and `check` share. */
#ifndef VMTRACE_CMD_LEAK_WATCH_H
#define VMTRACE_CMD_LEAK_WATCH_H

#include "cmd/session.h"
#include "space/leaks.h"

struct leak_watch {
	struct session session;
	const struct options *options;
	struct leaks *leaks;
	struct sink before, after;
};

/* Opens the source and watches for --duration, or default_ns (a file: to its end). 0, or an exit
 * code with a message logged. leak_watch_close is legal after a failure. */
int leak_watch_run(struct leak_watch *watch, const struct options *options, uint64_t default_ns);

/* The verdicts as they are now, as --older and --min-bytes have them. Exit code. */
int leak_watch_report(struct leak_watch *watch, struct leaks_report *report);

void leak_watch_close(struct leak_watch *watch);

#endif
