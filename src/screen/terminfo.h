/* SPDX-License-Identifier: GPL-2.0-only */
/* Asks terminfo before curses does, which would end the process where the terminal is not known.
 * Apart from term.c, since <term.h> makes macros of words like "columns". */
#ifndef VMTRACE_SCREEN_TERMINFO_H
#define VMTRACE_SCREEN_TERMINFO_H

#include <stddef.h>

/* 0, or -ENOTSUP and why the terminal of the environment cannot show a screen. */
int terminfo_check(int fd, char *why, size_t why_len);

#endif
