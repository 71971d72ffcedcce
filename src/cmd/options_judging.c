// SPDX-License-Identifier: GPL-2.0-only
/* Options that say which areas are meant, and what they are judged by. */
#include <errno.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/options_internal.h"
#include "units.h"

enum option_key {
	KEY_FILTER = 512,
	KEY_GROUP,
	KEY_OLDER,
	KEY_VMLINUX,
	KEY_SINCE,
	KEY_MIN_BYTES,
	KEY_MAX_LEAK,
	KEY_MIN_HOLE,
	KEY_NAGIOS,
};

static const struct option_row rows[] = {
	{ TAKES_FILTER,
	  { "filter", KEY_FILTER, "EXPR", 0,
	    "Only areas that EXPR names: 'mod=foo size>=1M age>10m stack~bar kind=ioremap'. "
	    "and, or, not, ( ); = != ~ !~ < <= > >=; fields mod caller stack comm kind state pid "
	    "size guard age addr (docs/FILTER.md)",
	    2 } },
	{ TAKES_LEAKS,
	  { "group", KEY_GROUP, "WHAT", 0,
	    "What is judged as one: stack (default), caller, module, kind or comm", 2 } },
	{ TAKES_LEAKS,
	  { "older", KEY_OLDER, "TIME", 0, "Judge only areas that are at least so old", 2 } },
	{ TAKES_LEAKS,
	  { "since", KEY_SINCE, "TIME", 0,
	    "Leave out areas born in this time after watching (or the recording) began: a "
	    "warm-up",
	    2 } },
	{ TAKES_LEAKS, { "min-bytes", KEY_MIN_BYTES, "SIZE", 0, "Leave out what holds less", 2 } },
	{ TAKES_SOURCE,
	  { "vmlinux", KEY_VMLINUX, "FILE", 0,
	    "Show the lines of the source, by the debug information of this vmlinux, module (.ko) "
	    "or folder with either (/usr/lib/debug); may be given again",
	    2 } },
	{ TAKES_CHECK,
	  { "max-leak", KEY_MAX_LEAK, "RATE", 0,
	    "All leaks together may grow so fast: 1M/h (or /s, /m, /d)", 1 } },
	{ TAKES_CHECK,
	  { "min-hole", KEY_MIN_HOLE, "SIZE", 0, "The largest hole is to be at least so large",
	    1 } },
	{ TAKES_CHECK,
	  { "nagios", KEY_NAGIOS, NULL, 0, "Line and exit codes as plugins of monitors have them",
	    2 } },
};

/* Twice: the last one counts. */
static void parse_filter(struct argp_state *state, const char *arg, struct options *options)
{
	struct filter_error error;

	filter_free(options->filter);
	options->filter = NULL;
	if (arg[strspn(arg, " \t\r\n")] == '\0')
		return; /* an empty one: no filter */
	switch (filter_compile(arg, &options->filter, &error)) {
	case 0:
		return;
	case -EINVAL:
		argp_error(state, "--filter: at character %u: %s", error.at + 1, error.why);
		return;
	default:
		argp_failure(state, EXIT_FAILED, ENOMEM, "--filter");
	}
}

static error_t parse_leaks_option(int key, char *arg, struct argp_state *state,
				  struct options *options)
{
	switch (key) {
	case KEY_GROUP:
		if (owners_by_from_name(arg, &options->group) < 0)
			options_bad_value(state, "group", arg,
					  "stack, caller, module, kind or comm");
		return 0;
	case KEY_VMLINUX:
		if (options->nr_vmlinux == MAX_VMLINUX)
			argp_error(state, "--vmlinux: at most %d of them", MAX_VMLINUX);
		options->vmlinux[options->nr_vmlinux++] = arg;
		return 0;
	case KEY_OLDER:
		options->older_ns = options_time(state, "older", arg);
		return 0;
	case KEY_SINCE:
		options->since_ns = options_time(state, "since", arg);
		return 0;
	case KEY_MIN_BYTES:
		if (units_parse_bytes(arg, &options->min_bytes) < 0)
			options_bad_value(state, "min-bytes", arg, "a size (64K, 1M)");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* "1M/h": bytes per hour. */
static void parse_rate(struct argp_state *state, char *arg, struct options *options)
{
	static const struct {
		const char *unit;
		uint32_t hourly, per;
	} units[] = { { "s", 3600, 1 }, { "m", 60, 1 }, { "h", 1, 1 }, { "d", 1, 24 } };
	char *slash = strchr(arg, '/');
	uint64_t bytes;

	options->max_leak_given = true;
	if (slash)
		*slash++ = '\0';
	for (size_t i = 0; slash && i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(slash, units[i].unit))
			continue;
		if (units_parse_size(arg, UINT32_MAX, &bytes) < 0)
			break;
		options->max_leak = bytes * units[i].hourly / units[i].per;
		return;
	}
	argp_error(state, "--max-leak: not a rate (1M/h, 64K/m, 10M/d)");
}

static error_t parse_check_option(int key, char *arg, struct argp_state *state,
				  struct options *options)
{
	switch (key) {
	case KEY_MAX_LEAK:
		parse_rate(state, arg, options);
		return 0;
	case KEY_MIN_HOLE:
		if (units_parse_bytes(arg, &options->min_hole) < 0 || !options->min_hole)
			options_bad_value(state, "min-hole", arg, "a size (8M)");
		return 0;
	case KEY_NAGIOS:
		options->nagios = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse(int key, char *arg, struct argp_state *state, struct options *options)
{
	if (key == KEY_FILTER) {
		parse_filter(state, arg, options);
		return 0;
	}
	if (parse_leaks_option(key, arg, state, options) == 0)
		return 0;
	return parse_check_option(key, arg, state, options);
}

const struct option_family options_judging = {
	.rows = rows,
	.count = sizeof(rows) / sizeof(rows[0]),
	.parse = parse,
};
