/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/options.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/options_internal.h"
#include "units.h"
#include "view/request.h"
#include "log.h"
#include "record/series.h"

#define NS_PER_S  1000000000ull
#define MAX_SPEED 1e6

/* kernel/trace/trace_kprobe.c: KRETPROBE_MAXACTIVE_MAX */
#define MAX_RETURN_INSTANCES 4096

enum option_key {
	KEY_JSON = 256,
	KEY_DURATION,
	KEY_INTERVAL,
	KEY_TOP,
	KEY_BY,
	KEY_SORT,
	KEY_PROBES,
	KEY_PROBE_PLAN,
	KEY_TRANSPORT,
	KEY_RETURN_INSTANCES,
	KEY_BTF,
	KEY_RING,
	KEY_RING_LIMIT,
	KEY_STACK_DEPTH,
	KEY_SEED,
	KEY_RECONCILE,
	KEY_STRICT,
	KEY_STACKS,
	KEY_AREAS,
	KEY_COLOR,
	KEY_KIND,
	KEY_ALIGN,
	KEY_COUNT,
	KEY_VMALLOC,
	KEY_CPUS,
	KEY_MAX_SIZE,
	KEY_ROTATE,
	KEY_FORCE,
	KEY_FORMAT,
	KEY_VALUE,
	KEY_SPEED,
	KEY_AT,
	KEY_STEP,
	KEY_PLAIN,
};

static const struct option_row rows[] = {
	{ TAKES_INPUT,
	  { "input", 'i', "FILE", 0,
	    "Read a recording (.vmt or JSON Lines; - = stdin) instead of this "
	    "machine",
	    1 } },
	{ TAKES_OUTPUT, { "output", 'o', "FILE", 0, "Write to FILE (- = stdout)", 1 } },
	{ TAKES_RECORD,
	  { "max-size", KEY_MAX_SIZE, "SIZE", 0,
	    "End when FILE has this size (at least 128K); with --rotate go on with the next file",
	    1 } },
	{ TAKES_RECORD,
	  { "rotate", KEY_ROTATE, "N", 0,
	    "Keep a ring of files FILE.1 to FILE.N of --max-size each; every one can be read "
	    "without the others",
	    1 } },
	{ TAKES_RECORD, { "force", KEY_FORCE, NULL, 0, "Overwrite what is there", 1 } },
	{ TAKES_EXPORT,
	  { "format", KEY_FORMAT, "NAME", 0,
	    "folded, pprof, speedscope, perfetto, csv, prom or jsonl", 1 } },
	{ TAKES_EXPORT,
	  { "value", KEY_VALUE, "WHAT", 0,
	    "folded, pprof, speedscope: bytes in use (default), alloc: allocated while it watched, "
	    "failed: refused, or leaked: as 'leaks' judges",
	    1 } },
	{ TAKES_DURATION,
	  { "duration", KEY_DURATION, "TIME", 0, "How long to watch (ms s m h d)", 1 } },
	{ TAKES_INTERVAL, { "interval", KEY_INTERVAL, "TIME", 0, "Time between blocks (1s)", 1 } },
	{ TAKES_REPLAY,
	  { "speed", KEY_SPEED, "N", 0,
	    "So many times as fast as it was (default on a terminal: 1); 0 or max = as fast as it "
	    "can be read",
	    1 } },
	{ TAKES_REPLAY,
	  { "at", KEY_AT, "TIME", 0, "Print the block of this time into the recording, and end",
	    1 } },
	{ TAKES_REPLAY,
	  { "step", KEY_STEP, NULL, 0,
	    "Print an event that changes the map and the block after it, and wait: Enter = the "
	    "next one, n = the next failure, q = end. With --at=TIME from then on",
	    1 } },
	{ TAKES_JSON, { "json", KEY_JSON, NULL, 0, "JSON to stdout, nothing else there", 2 } },
	{ TAKES_TOP, { "top", KEY_TOP, "N", 0, "At most N rows; 0 = all", 2 } },
	{ TAKES_OWNERS,
	  { "by", KEY_BY, "WHAT", 0, "Group by caller (default), stack, module, kind or comm",
	    2 } },
	{ TAKES_OWNERS,
	  { "sort", KEY_SORT, "KEY", 0,
	    "Sort by bytes (default), count, guard, age, or waste: allocated but not asked for",
	    2 } },
	{ TAKES_STACKS,
	  { "stacks", KEY_STACKS, NULL, 0, "Print the call stack below each event", 2 } },
	{ TAKES_AREAS, { "areas", KEY_AREAS, NULL, 0, "List every area too", 2 } },
	{ TAKES_REQUEST,
	  { "kind", KEY_KIND, "KIND", 0,
	    "vmalloc (default), vmap, ioremap, module, percpu or vm_map_ram", 1 } },
	{ TAKES_REQUEST,
	  { "align", KEY_ALIGN, "SIZE", 0, "A power of two; default: as the kind has it", 1 } },
	{ TAKES_REQUEST,
	  { "count", KEY_COUNT, "N", 0, "So many of them, one after the other (1)", 1 } },
	{ TAKES_SIZES,
	  { "vmalloc", KEY_VMALLOC, "SIZE", 0,
	    "Simulate a space of this size; several: a list, or the option again. Default: look "
	    "for the smallest that is enough",
	    1 } },
	{ TAKES_SIZES,
	  { "cpus", KEY_CPUS, "N", 0, "... with N CPUs, which decide when a purge is due", 1 } },
	{ TAKES_SCREEN,
	  { "plain", KEY_PLAIN, NULL, 0,
	    "Blocks of text also on a terminal, instead of the full screen", 2 } },
	{ TAKES_COLOR,
	  { "color", KEY_COLOR, "WHEN", 0, "auto (default; NO_COLOR is heeded), always, never",
	    2 } },
	{ TAKES_CAPTURE,
	  { "probes", KEY_PROBES, "SET", 0,
	    "all (default), or area: without the vmalloc and vfree "
	    "families",
	    3 } },
	{ TAKES_CAPTURE,
	  { "probe-plan", KEY_PROBE_PLAN, "LIST", 0,
	    "How areas are seen: insert, return, tracepoint, tried in the order given. Default: "
	    "all, in this order",
	    3 } },
	{ TAKES_CAPTURE,
	  { "transport", KEY_TRANSPORT, "HOW", 0,
	    "auto (default), ring, or perf: one perf buffer a CPU, as before Linux 5.8", 3 } },
	{ TAKES_CAPTURE,
	  { "return-instances", KEY_RETURN_INSTANCES, "N", 0,
	    "How many tasks at once a return probe can follow (256; 0 = the kernel's default). "
	    "Needs tracefs",
	    3 } },
	{ TAKES_CAPTURE,
	  { "ring", KEY_RING, "SIZE", 0,
	    "Ring buffer (256K); it takes twice this much vmalloc space. A perf buffer of each "
	    "CPU takes this much low memory",
	    3 } },
	{ TAKES_CAPTURE,
	  { "ring-limit", KEY_RING_LIMIT, "SIZE", 0,
	    "Replace the ring after this much (2G); 0 = never. For tests", 3 } },
	{ TAKES_CAPTURE,
	  { "stack-depth", KEY_STACK_DEPTH, "N", 0, "Frames kept of a stack (24; 0 to 24)", 3 } },
	{ TAKES_CAPTURE,
	  { "btf", KEY_BTF, "FILE", 0,
	    "Kernel types (BTF) from FILE, or from what is built in: embedded = "
	    "for this release, generic = for any 32-bit x86 kernel. Default: the "
	    "kernel's own, else embedded, else generic",
	    3 } },
	{ TAKES_CAPTURE | TAKES_SEED,
	  { "seed", KEY_SEED, "HOW", 0,
	    "auto (default), or sysctl: read existing areas even if "
	    "that means lowering kptr_restrict from 2 for a moment: at the start, after a loss, "
	    "and for verify",
	    3 } },
	{ TAKES_CAPTURE,
	  { "reconcile", KEY_RECONCILE, "TIME", 0,
	    "How often the map is compared with the kernel's list, and repaired where it differs "
	    "(5m; 0 = never, also the default with kptr_restrict=2)",
	    3 } },
	{ TAKES_CAPTURE | TAKES_REPLAY,
	  { "strict", KEY_STRICT, NULL, 0, "Exit 4 if any event was lost", 3 } },
	{ 0, { "quiet", 'q', NULL, 0, "Errors only", 4 } },
	{ 0, { "verbose", 'v', NULL, 0, "More messages; twice: libbpf's too", 4 } },
};

#define NR_ROWS  (sizeof(rows) / sizeof(rows[0]))
#define MAX_ROWS (NR_ROWS + 16)

struct parse {
	struct options *options;
	uint32_t takes;
	unsigned int verbose;
};

void options_bad_value(struct argp_state *state, const char *option, const char *value,
		       const char *wanted)
{
	argp_error(state, "--%s: '%s' is not %s", option, value, wanted);
}

uint64_t options_time(struct argp_state *state, const char *option, const char *arg)
{
	uint64_t ns = 0;

	if (units_parse_duration(arg, &ns) < 0)
		options_bad_value(state, option, arg, "a time (500ms, 1s, 10m, 2h, 1d)");
	return ns;
}

static uint32_t parse_number(struct argp_state *state, const char *option, const char *arg,
			     uint32_t max)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(arg, &end, 10);
	if (errno || end == arg || *end || arg[0] == '-' || value > max) {
		argp_error(state, "--%s: '%s' is not a number from 0 to %u", option, arg, max);
		return 0;
	}
	return (uint32_t)value;
}

/* One of two words; true for the second. */
static bool parse_word(struct argp_state *state, const char *option, const char *arg,
		       const char *first, const char *second)
{
	if (strcmp(arg, first) && strcmp(arg, second))
		argp_error(state, "--%s: '%s' is neither '%s' nor '%s'", option, arg, first,
			   second);
	return !strcmp(arg, second);
}

static void parse_ring(struct argp_state *state, const char *arg, struct options *options)
{
	uint32_t bytes;

	if (units_parse_bytes(arg, &bytes) < 0 || bytes < 4096 || bytes > (64u << 20) ||
	    (bytes & (bytes - 1)))
		options_bad_value(state, "ring", arg, "a power of two from 4K to 64M");
	options->ring_bytes = bytes;
}

static void parse_transport(struct argp_state *state, const char *arg, struct options *options)
{
	if (!strcmp(arg, "ring"))
		options->transport = TRANSPORT_RING;
	else if (!strcmp(arg, "perf"))
		options->transport = TRANSPORT_PERF;
	else if (strcmp(arg, "auto"))
		options_bad_value(state, "transport", arg, "auto, ring or perf");
}

static void parse_color(struct argp_state *state, const char *arg, struct options *options)
{
	if (!strcmp(arg, "always"))
		options->color = COLOR_ALWAYS;
	else if (!strcmp(arg, "never"))
		options->color = COLOR_NEVER;
	else if (strcmp(arg, "auto"))
		options_bad_value(state, "color", arg, "auto, always or never");
}

/* "192M,256M" */
static void parse_sizes(struct argp_state *state, char *arg, struct options *options)
{
	char *rest = NULL, *word = strtok_r(arg, ",", &rest);

	if (!word)
		options_bad_value(state, "vmalloc", arg, "a size (256M)");
	for (; word; word = strtok_r(NULL, ",", &rest)) {
		uint32_t bytes;

		if (units_parse_bytes(word, &bytes) < 0 || bytes < (1u << 20) ||
		    bytes % VMT_PAGE_SIZE) {
			options_bad_value(state, "vmalloc", word, "a size of at least 1M (256M)");
			return;
		}
		if (options->nr_sizes == MAX_SIZES) {
			argp_error(state, "--vmalloc: more than %u sizes", MAX_SIZES);
			return;
		}
		options->sizes[options->nr_sizes++] = bytes;
	}
}

static void parse_value(struct argp_state *state, const char *arg, struct options *options)
{
	options->value_given = true;
	if (export_value_from_name(arg, &options->value) < 0)
		options_bad_value(state, "value", arg, "inuse, alloc, failed or leaked");
}

static void parse_speed(struct argp_state *state, const char *arg, struct options *options)
{
	char *end;

	options->speed_given = true;
	if (!strcmp(arg, "max"))
		return;
	options->speed = strtod(arg, &end);
	if (end == arg || *end || !(options->speed >= 0 && options->speed <= MAX_SPEED))
		options_bad_value(state, "speed", arg, "a number from 0 to 1000000, or max");
}

static error_t parse_replay_option(int key, char *arg, struct argp_state *state,
				   struct options *options)
{
	switch (key) {
	case KEY_SPEED:
		parse_speed(state, arg, options);
		return 0;
	case KEY_AT:
		options->at_ns = options_time(state, "at", arg);
		return 0;
	case KEY_STEP:
		options->step = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_output_option(int key, char *arg, struct argp_state *state,
				   struct options *options)
{
	switch (key) {
	case 'o':
		options->output = arg;
		return 0;
	case KEY_FORMAT:
		if (export_format_from_name(arg, &options->format) < 0)
			options_bad_value(
				state, "format", arg,
				"folded, pprof, speedscope, perfetto, csv, prom or jsonl");
		return 0;
	case KEY_VALUE:
		parse_value(state, arg, options);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_record_option(int key, char *arg, struct argp_state *state,
				   struct options *options)
{
	switch (key) {
	case KEY_MAX_SIZE:
		if (units_parse_size(arg, INT64_MAX, &options->max_bytes) < 0 ||
		    options->max_bytes < VMT_LEAST_MAX)
			options_bad_value(state, "max-size", arg, "a size of at least 128K");
		return 0;
	case KEY_ROTATE:
		options->rotate = parse_number(state, "rotate", arg, SERIES_MAX_FILES);
		if (options->rotate < 2)
			options_bad_value(state, "rotate", arg, "a number from 2 on");
		return 0;
	case KEY_FORCE:
		options->force = true;
		return 0;
	case ARGP_KEY_END:
		if (options->rotate && !options->max_bytes)
			argp_error(state, "--rotate needs --max-size, the size of each file");
		if (options->rotate && options->output && !strcmp(options->output, "-"))
			argp_error(state, "--rotate cannot write to stdout");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_view_option(int key, char *arg, struct argp_state *state,
				 struct options *options)
{
	switch (key) {
	case 'i':
		options->input = arg;
		return 0;
	case KEY_JSON:
		options->json = true;
		return 0;
	case KEY_DURATION:
		options->duration_ns = options_time(state, "duration", arg);
		return 0;
	case KEY_INTERVAL:
		options->interval_ns = options_time(state, "interval", arg);
		options->interval_given = true;
		if (options->interval_ns < 10000000)
			options_bad_value(state, "interval", arg, "at least 10ms");
		return 0;
	case KEY_TOP:
		options->top = parse_number(state, "top", arg, 1000000);
		if (!options->top)
			options->top = TOP_ALL;
		return 0;
	case KEY_BY:
		if (owners_by_from_name(arg, &options->by) < 0)
			options_bad_value(state, "by", arg, "caller, stack, module, kind or comm");
		return 0;
	case KEY_SORT:
		if (owners_sort_from_name(arg, &options->sort) < 0)
			options_bad_value(state, "sort", arg, "bytes, count, guard, age or waste");
		return 0;
	case KEY_STACKS:
		options->stacks = true;
		return 0;
	case KEY_AREAS:
		options->areas = true;
		return 0;
	case KEY_PLAIN:
		options->plain = true;
		return 0;
	case KEY_COLOR:
		parse_color(state, arg, options);
		return 0;
	case KEY_VMALLOC:
		parse_sizes(state, arg, options);
		return 0;
	case KEY_CPUS:
		options->cpus = parse_number(state, "cpus", arg, 1024);
		if (!options->cpus)
			options_bad_value(state, "cpus", arg, "a number from 1 to 1024");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_request_option(int key, char *arg, struct argp_state *state,
				    struct options *options)
{
	switch (key) {
	case KEY_KIND:
		if (request_parse_kind(arg, &options->kind) < 0)
			options_bad_value(state, "kind", arg,
					  "vmalloc, vmap, ioremap, module, percpu or vm_map_ram");
		return 0;
	case KEY_ALIGN:
		if (request_parse_align(arg, &options->align) < 0)
			options_bad_value(state, "align", arg, "a power of two from 4K to 2G");
		return 0;
	case KEY_COUNT:
		options->request_count = parse_number(state, "count", arg, REQUEST_MAX_COUNT);
		if (!options->request_count)
			options_bad_value(state, "count", arg, "at least 1");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void parse_word_arg(struct argp_state *state, const char *arg, struct parse *parse)
{
	struct options *options = parse->options;

	if (!(parse->takes & TAKES_WORDS) || options->nr_words == MAX_WORDS)
		argp_error(state, "'%s' is one word too many", arg);
	else
		options->words[options->nr_words++] = arg;
}

static error_t parse_capture_option(int key, char *arg, struct argp_state *state,
				    struct options *options)
{
	switch (key) {
	case KEY_PROBES:
		options->probes_area = parse_word(state, "probes", arg, "all", "area");
		return 0;
	case KEY_PROBE_PLAN:
		if (plan_parse_ways(arg, &options->plan) < 0)
			options_bad_value(state, "probe-plan", arg,
					  "a list of insert, return and tracepoint");
		return 0;
	case KEY_TRANSPORT:
		parse_transport(state, arg, options);
		return 0;
	case KEY_RETURN_INSTANCES:
		options->return_instances =
			parse_number(state, "return-instances", arg, MAX_RETURN_INSTANCES);
		return 0;
	case KEY_BTF:
		options->btf_path = arg;
		return 0;
	case KEY_RING:
		parse_ring(state, arg, options);
		return 0;
	case KEY_RING_LIMIT:
		if (units_parse_bytes(arg, &options->ring_limit_bytes) < 0)
			options_bad_value(state, "ring-limit", arg, "a size below 4G");
		return 0;
	case KEY_STACK_DEPTH:
		options->stack_depth = parse_number(state, "stack-depth", arg, VMT_MAX_FRAMES);
		return 0;
	case KEY_SEED:
		options->force_kptr = parse_word(state, "seed", arg, "auto", "sysctl");
		return 0;
	case KEY_RECONCILE:
		options->reconcile_ns = options_time(state, "reconcile", arg);
		options->reconcile_asked = true;
		if (options->reconcile_ns && options->reconcile_ns < NS_PER_S)
			options_bad_value(state, "reconcile", arg, "at least 1s, or 0 for never");
		return 0;
	case KEY_STRICT:
		options->strict = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct parse *parse = state->input;

	switch (key) {
	case 'q':
		log_set_level(LOG_ERROR);
		return 0;
	case 'v':
		log_set_level(++parse->verbose > 1 ? LOG_LIBBPF : LOG_DEBUG);
		return 0;
	case ARGP_KEY_ARG:
		parse_word_arg(state, arg, parse);
		return 0;
	default:
		if (parse_view_option(key, arg, state, parse->options) == 0 ||
		    parse_request_option(key, arg, state, parse->options) == 0 ||
		    options_judging.parse(key, arg, state, parse->options) == 0 ||
		    parse_output_option(key, arg, state, parse->options) == 0 ||
		    parse_record_option(key, arg, state, parse->options) == 0 ||
		    parse_replay_option(key, arg, state, parse->options) == 0)
			return 0;
		return parse_capture_option(key, arg, state, parse->options);
	}
}

/* Adds the rows that command takes to a list with room for MAX_ROWS. */
static void add_rows(const struct command *command, const struct option_row *from, size_t nr_rows,
		     struct argp_option *list, size_t *count)
{
	for (size_t i = 0; i < nr_rows && *count < MAX_ROWS; i++) {
		if (!from[i].group || (from[i].group & command->takes))
			list[(*count)++] = from[i].option;
	}
}

void options_parse(const struct command *command, int argc, char **argv, struct options *options)
{
	struct argp_option list[MAX_ROWS + 1];
	struct argp argp = { .options = list,
			     .parser = parse_option,
			     .doc = command->help,
			     .args_doc = command->words };
	struct parse parse = { .options = options, .takes = command->takes };
	size_t count = 0;

	memset(options, 0, sizeof(*options));
	options->duration_ns = NO_DURATION;
	options->at_ns = NO_DURATION;
	options->interval_ns = NS_PER_S;
	options->reconcile_ns = 300 * NS_PER_S;
	options->ring_bytes = 256 * 1024;
	options->ring_limit_bytes = 1u << 31;
	options->stack_depth = VMT_MAX_FRAMES;
	options->return_instances = 256;
	options->kind = KIND_VMALLOC;
	options->request_count = 1;
	options->group = OWNERS_BY_STACK;
	add_rows(command, rows, NR_ROWS, list, &count);
	add_rows(command, options_judging.rows, options_judging.count, list, &count);
	memset(&list[count], 0, sizeof(list[count]));
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &parse);
}

void options_release(struct options *options)
{
	filter_free(options->filter);
	options->filter = NULL;
}
