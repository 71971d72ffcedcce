/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SIGINT and SIGTERM: the first is a normal end (drain, summarize, exit 0), a second within 2 s
 * ends at once with 130. SIGPIPE is ignored: writing shows the closed pipe as an error.
 */
#ifndef VMTRACE_CMD_STOP_H
#define VMTRACE_CMD_STOP_H

#include <stdbool.h>

void stop_install(void);
bool stop_requested(void);

/* What is to be done before an end at once: async-signal-safe; NULL = nothing. */
void stop_at_abort(void (*restore)(void));

#endif
