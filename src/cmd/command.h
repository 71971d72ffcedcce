/* SPDX-License-Identifier: GPL-2.0-only */
/* A command is a row of data with its function: adding one touches its file and the table. */
#ifndef VMTRACE_CMD_COMMAND_H
#define VMTRACE_CMD_COMMAND_H

#include "cmd/options.h"

enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_FINDING = 3,    /* verify differs ... */
	EXIT_INCOMPLETE = 4, /* --strict: finished, but data was lost */
	EXIT_LACKING = 77,   /* the kernel lacks what is needed */
};

struct command {
	const char *name;
	const char *summary; /* one line of `vmtrace --help` */
	const char *help;    /* paragraphs of `vmtrace NAME --help` */
	const char *words;   /* what it takes beside options, for its usage line; or NULL */
	uint32_t takes;      /* enum option_group */
	int (*run)(const struct options *options);
};

extern const struct command cmd_live;
extern const struct command cmd_record;
extern const struct command cmd_replay;
extern const struct command cmd_map;
extern const struct command cmd_holes;
extern const struct command cmd_top;
extern const struct command cmd_fit;
extern const struct command cmd_events;
extern const struct command cmd_why;
extern const struct command cmd_layout;
extern const struct command cmd_snapshot;
extern const struct command cmd_verify;
extern const struct command cmd_doctor;
extern const struct command cmd_info;
extern const struct command cmd_schema;
extern const struct command cmd_simulate;
extern const struct command cmd_export;
extern const struct command cmd_diff;
extern const struct command cmd_leaks;
extern const struct command cmd_check;

#endif
