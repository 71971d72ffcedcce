/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files that parse options share; nobody else includes this. */
#ifndef VMTRACE_CMD_OPTIONS_INTERNAL_H
#define VMTRACE_CMD_OPTIONS_INTERNAL_H

#include <argp.h>
#include <stddef.h>

#include "cmd/options.h"

/* group: enum option_group, the commands that take it; 0: all. */
struct option_row {
	uint32_t group;
	struct argp_option option;
};

/* Options that belong together. Their keys are theirs alone: options.c has 256 on. */
struct option_family {
	const struct option_row *rows;
	size_t count; /* at most 16 of all families */
	/* 0, or ARGP_ERR_UNKNOWN for a key of another. Errors end the program, as argp's do. */
	error_t (*parse)(int key, char *arg, struct argp_state *state, struct options *options);
};

/* Which areas are meant, and limits on them: filter, leaks, check. Keys from 512 on. */
extern const struct option_family options_judging;

/* "--option: 'value' is not WANTED", and the end. */
void options_bad_value(struct argp_state *state, const char *option, const char *value,
		       const char *wanted);
/* A duration in ns. */
uint64_t options_time(struct argp_state *state, const char *option, const char *arg);

#endif
