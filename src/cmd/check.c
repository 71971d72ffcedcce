// SPDX-License-Identifier: GPL-2.0-only
/* check: one line and an exit code, for cron, a test suite or a monitor. */
#include <inttypes.h>
#include <stdio.h>

#include "cmd/command.h"
#include "cmd/leak_watch.h"
#include "log.h"
#include "space/holes.h"
#include "units.h"

#define DEFAULT_NS 60000000000ull
#define NS_PER_S   1000000000ull
#define S_PER_HOUR 3600u
#define NUMBER     16

/* The exit codes that monitors of the Nagios kind know. */
enum nagios_code {
	NAGIOS_OK = 0,
	NAGIOS_CRITICAL = 2,
	NAGIOS_UNKNOWN = 3,
};

struct findings {
	uint64_t leak_bytes_per_hour; /* all leaks */
	uint32_t leaks;
	uint32_t hole_bytes; /* the largest, after a purge */
	const char *worst;   /* label of the leak that grows most */
	uint64_t watched_ns;
	bool leaks_too_much;
	bool hole_too_small;
	bool hole_unknown; /* what the map does not know may be the hole */
	bool uncertain;
};

/* The growth; of a leak that does not grow (its module is gone) what it holds over its time. */
static uint64_t rate_of(const struct leaks_report *report, const struct leak_suspect *suspect)
{
	uint64_t seconds = (report->now_ns - suspect->verdict.first_ns) / NS_PER_S;

	if (suspect->slope > 0)
		return (uint64_t)suspect->slope;
	return suspect->live_bytes * (uint64_t)S_PER_HOUR / (seconds ? seconds : 1);
}

static struct findings find(struct leak_watch *watch, const struct leaks_report *report)
{
	const struct options *options = watch->options;
	struct findings found = { .leaks = report->leaks, .worst = "" };
	struct holes_report holes;
	uint64_t worst = 0;

	holes_report(watch->session.space, &holes);
	found.hole_bytes = holes.largest_after_purge.end - holes.largest_after_purge.start;
	if (report->now_ns > report->start_ns)
		found.watched_ns = report->now_ns - report->start_ns;
	for (uint32_t i = 0; i < report->leaks; i++) {
		uint64_t rate = rate_of(report, &report->list[i]);

		found.leak_bytes_per_hour += rate;
		if (i && rate <= worst)
			continue;
		worst = rate;
		found.worst = names_text(watch->session.names, report->list[i].name_id);
	}
	found.leaks_too_much = options->max_leak_given && report->leaks &&
			       found.leak_bytes_per_hour > options->max_leak;
	found.hole_too_small = options->min_hole && found.hole_bytes < options->min_hole;
	found.hole_unknown =
		found.hole_too_small && space_totals(watch->session.space).unknown_bytes != 0;
	found.uncertain = space_uncertain(watch->session.space);
	return found;
}

static void print_leaks(const struct options *options, const struct findings *found)
{
	char rate[NUMBER], most[NUMBER], watched[NUMBER];

	units_duration(found->watched_ns, watched, sizeof(watched));
	if (!found->leaks) {
		printf("no leak in %s", watched);
		return;
	}
	printf("%" PRIu32 " leak%s, %s%s/h in %s", found->leaks, found->leaks == 1 ? "" : "s",
	       found->uncertain ? "~" : "",
	       units_bytes(found->leak_bytes_per_hour, rate, sizeof(rate)), watched);
	printf(", %s", found->leaks > 1 ? "most by " : "by ");
	/* A '|' would begin the figures of --nagios. */
	for (const char *at = found->worst; *at; at++)
		putchar(*at >= ' ' && *at <= '~' && *at != '|' ? *at : '?');
	printf(" (limit %s/h)", units_bytes(options->max_leak, most, sizeof(most)));
}

static int code_of(const struct findings *found)
{
	if (found->leaks_too_much || (found->hole_too_small && !found->hole_unknown))
		return EXIT_FINDING;
	return found->hole_unknown ? EXIT_INCOMPLETE : EXIT_OK;
}

static void print_state(const struct options *options, int code)
{
	const char *bad = options->nagios ? "CRITICAL" : "BAD";
	const char *state = code == EXIT_FINDING ? bad : code ? "UNKNOWN" : "OK";

	printf(options->nagios ? "VMTRACE %s - " : "%s: ", state);
}

static void print(const struct options *options, const struct findings *found)
{
	char hole[NUMBER], least[NUMBER];

	print_state(options, code_of(found));
	if (options->max_leak_given)
		print_leaks(options, found);
	if (options->max_leak_given && options->min_hole)
		printf("; ");
	if (options->min_hole)
		printf("largest hole %s%s (limit %s)", found->uncertain ? "~" : "",
		       units_bytes(found->hole_bytes, hole, sizeof(hole)),
		       units_bytes(options->min_hole, least, sizeof(least)));
	if (options->nagios && options->max_leak_given)
		printf(" | leak_per_hour=%" PRIu64 "B;;%" PRIu64, found->leak_bytes_per_hour,
		       options->max_leak);
	if (options->nagios && options->min_hole)
		printf("%s hole=%" PRIu32 "B;;%" PRIu32 ":", options->max_leak_given ? "" : " |",
		       found->hole_bytes, options->min_hole);
	putchar('\n');
}

static int nagios_code(int code)
{
	switch (code) {
	case EXIT_OK:
		return NAGIOS_OK;
	case EXIT_FINDING:
		return NAGIOS_CRITICAL;
	default:
		return NAGIOS_UNKNOWN;
	}
}

static int run(const struct options *options)
{
	uint64_t default_ns = options->max_leak_given ? DEFAULT_NS : 0;
	struct leaks_report report = { 0 };
	struct leak_watch watch;
	struct findings found;
	int code;

	if (!options->max_leak_given && !options->min_hole) {
		log_error("check: nothing to check: give --max-leak, --min-hole or both");
		return EXIT_USAGE;
	}
	code = leak_watch_run(&watch, options, default_ns);
	if (!code)
		code = leak_watch_report(&watch, &report);
	if (!code) {
		found = find(&watch, &report);
		print(options, &found);
		code = code_of(&found);
	} else if (options->nagios) {
		puts("VMTRACE UNKNOWN - vmtrace failed, its message is on stderr");
	}
	if (!code)
		code = session_exit_code(&watch.session);
	leaks_report_release(&report);
	leak_watch_close(&watch);
	return options->nagios ? nagios_code(code) : code;
}

const struct command cmd_check = {
	.name = "check",
	.summary = "one line and an exit code, for cron or a monitor",
	.help = "Checks limits: --max-leak, the growth of all leaks together ('vmtrace leaks' "
		"shows "
		"them; live it watches for --duration, default 1m), and --min-hole, the largest "
		"hole "
		"after a purge. Exit 3 if one is passed, 4 if too much of the map is not known to "
		"tell; with --nagios 2 and 3.",
	.takes = TAKES_INPUT | TAKES_DURATION | TAKES_CAPTURE | TAKES_LEAKS | TAKES_CHECK,
	.run = run,
};
