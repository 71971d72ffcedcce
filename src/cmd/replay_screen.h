/* SPDX-License-Identifier: GPL-2.0-only */
/* replay on a terminal: the screen of live, with a time bar and the keys to move in time. */
#ifndef VMTRACE_CMD_REPLAY_SCREEN_H
#define VMTRACE_CMD_REPLAY_SCREEN_H

#include "cmd/options.h"

/* Plays options->input, a file that can be read again, on the screen. Exit code. */
int replay_screen(const struct options *options);

#endif
