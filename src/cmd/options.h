/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line, parsed and checked. */
#ifndef VMTRACE_CMD_OPTIONS_H
#define VMTRACE_CMD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/plan.h"
#include "capture/transport.h"
#include "event.h"
#include "export/export.h"
#include "space/filter.h"
#include "space/owners.h"

#define VMTRACE_VERSION_TEXT "0.1.0"

/* Which options a command takes. */
enum option_group {
	TAKES_INPUT = 1 << 0,    /* -i */
	TAKES_JSON = 1 << 1,     /* --json */
	TAKES_DURATION = 1 << 2, /* --duration */
	TAKES_INTERVAL = 1 << 3, /* --interval */
	TAKES_TOP = 1 << 4,      /* --top */
	TAKES_OWNERS = 1 << 5,   /* --by, --sort */
	TAKES_CAPTURE = 1 << 6,  /* --probes, --btf, --ring, --reconcile, --strict ... */
	TAKES_STACKS = 1 << 7,   /* --stacks */
	TAKES_COLOR = 1 << 8,    /* --color */
	TAKES_AREAS = 1 << 9,    /* --areas */
	TAKES_SEED = 1 << 10,    /* --seed */
	TAKES_WORDS = 1 << 11,   /* words that are no options */
	TAKES_REQUEST = 1 << 12, /* --kind, --align, --count */
	TAKES_SIZES = 1 << 13,   /* --vmalloc, --cpus */
	TAKES_RECORD = 1 << 14,  /* --max-size, --rotate, --force */
	TAKES_OUTPUT = 1 << 15,  /* -o */
	TAKES_EXPORT = 1 << 16,  /* --format, --value */
	TAKES_REPLAY = 1 << 17,  /* --speed, --at, --step, --strict */
	TAKES_LEAKS = 1 << 18,   /* --group, --older, --since, --min-bytes */
	TAKES_CHECK = 1 << 19,   /* --max-leak, --min-hole, --nagios */
	TAKES_SOURCE = 1 << 20,  /* --vmlinux */
	TAKES_FILTER = 1 << 21,  /* --filter */
	TAKES_SCREEN = 1 << 22,  /* --plain */
};

enum color_when {
	COLOR_AUTO = 0,
	COLOR_ALWAYS,
	COLOR_NEVER,
};

#define NO_DURATION UINT64_MAX
#define TOP_ALL     UINT32_MAX
#define MAX_WORDS   64
#define MAX_SIZES   16
#define MAX_VMLINUX 16

struct options {
	const char *input;  /* -i FILE, or NULL: live */
	const char *output; /* -o FILE, or NULL */
	const char *btf_path;
	uint64_t duration_ns VMT_ALIGNED8; /* NO_DURATION: the command's default */
	uint64_t interval_ns VMT_ALIGNED8;
	uint64_t max_bytes VMT_ALIGNED8;    /* --max-size, 0 = no limit */
	uint32_t rotate;                    /* --rotate: files of the ring, 0 = one file */
	uint64_t reconcile_ns VMT_ALIGNED8; /* 0: never */
	bool reconcile_asked;               /* it is not the default */
	uint32_t ring_bytes;
	uint32_t ring_limit_bytes;
	uint32_t stack_depth;
	uint32_t return_instances;
	uint32_t top;              /* 0: the command's default; --top=0 is TOP_ALL */
	uint32_t sizes[MAX_SIZES]; /* --vmalloc, in bytes */
	uint32_t nr_sizes;
	const char *vmlinux[MAX_VMLINUX]; /* --vmlinux, files and folders */
	uint32_t nr_vmlinux;
	uint32_t cpus; /* 0 = as recorded */
	enum owners_by by;
	enum owners_sort sort;
	enum color_when color;
	enum export_format format;
	enum samples_value value;
	enum transport transport;
	struct plan_options plan;     /* --probe-plan: its ways; none = the default ones */
	const char *words[MAX_WORDS]; /* what is no option, in the order given */
	uint32_t nr_words;
	enum area_kind kind;    /* --kind */
	uint32_t align;         /* --align, 0 = the kind's own */
	uint32_t request_count; /* --count */
	struct filter *filter;  /* --filter, or NULL: all areas */
	uint64_t older_ns VMT_ALIGNED8;
	uint64_t since_ns VMT_ALIGNED8;
	uint32_t min_bytes;
	uint64_t max_leak VMT_ALIGNED8; /* bytes per hour */
	uint32_t min_hole;              /* bytes, 0 = any */
	bool max_leak_given;
	bool nagios;
	enum owners_by group;
	bool json;
	bool probes_area;
	bool measure_cost; /* of the command, not of the user: capture/cost */
	bool force_kptr;
	bool strict;
	bool stacks;
	bool areas;
	bool force;
	bool plain; /* no full screen */
	bool interval_given;
	bool value_given;
	bool step;
	double speed; /* 1 = as recorded, 0 = as fast as it goes */
	bool speed_given;
	uint64_t at_ns VMT_ALIGNED8; /* --at; NO_DURATION = not given */
};

struct command;

/* Parses argv[1..] for command (argv[0] is shown as the program's name). Prints help or a usage
 * error and exits (0 or 2) itself, as argp does. */
void options_parse(const struct command *command, int argc, char **argv, struct options *options);
void options_release(struct options *options);

#endif
