/* SPDX-License-Identifier: GPL-2.0-only */
/* why: failed allocations explained: from a recording, from the kernel log, or as they happen. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/klog.h"
#include "clock.h"
#include "cmd/command.h"
#include "cmd/session.h"
#include "cmd/sizing_file.h"
#include "log.h"
#include "allocator/failures.h"
#include "units.h"
#include "view/why.h"

#define SLICE_NS UINT64_C(100000000)

struct why {
	struct session session;
	const struct options *options;
	struct sink sink;
	struct failures *failures;
	uint32_t wanted;
	uint64_t base_ns; /* file: the first event that is news */
	uint64_t told;    /* failures that a progress line has told of */
};

/* ---- printing ------------------------------------------------------------------------------- */

static void print_none(const struct why *why)
{
	char text[16];

	if (why->options->input)
		puts(" no allocation failed in the recording");
	else
		printf(" no allocation failed in %s\n",
		       units_duration(why->session.facts.uptime_ns, text, sizeof(text)));
}

static int print(struct why *why, const struct why_report *report)
{
	struct view view = session_view(&why->session, stdout);

	if (why->options->json)
		return json_why(stdout, &view, report) ? EXIT_FAILED : EXIT_OK;
	if (report->count)
		text_why(stdout, &view, report);
	else
		print_none(why);
	return EXIT_OK;
}

/* ---- events, live or recorded --------------------------------------------------------------- */

static int on_event(void *context, const struct event *event)
{
	struct why *why = context;
	struct diagnosis_base base = session_diagnosis_base(&why->session);

	if (!why->base_ns && (event->type == EV_ALLOC || event->type == EV_FREE ||
			      event->type == EV_VFREE || event->type == EV_FAIL))
		why->base_ns = event->t_ns;
	if (event->type != EV_FAIL)
		return 0;
	if (failures_take(why->failures, event, &base))
		log_note("out of memory: a failure is not explained");
	return 0;
}

/* True if more room would have helped one of them, and the recording can be read once more. */
static bool wants_sizing(const struct why *why, const struct why_report *report)
{
	const char *input = why->options->input;
	bool wants = false;

	for (uint32_t i = 0; i < report->count; i++)
		wants |= report->list[i].diagnosis.more_bytes != 0;
	return wants && input && strcmp(input, "-") != 0;
}

/* What was said of the events' own moment is no less true if this fails. */
static int print_simulated(struct why *why, struct why_report *report)
{
	struct sizing_request request = { .path = why->options->input, .quiet = true };
	struct sizing_file file = { 0 };
	int code;

	if (wants_sizing(why, report)) {
		if (!sizing_file_run(&file, &request) && file.sizing->played)
			report->sizing = file.sizing;
	}
	code = print(why, report);
	sizing_file_close(&file);
	return code;
}

static int print_failures(struct why *why)
{
	struct why_report report = {
		.failures = failures_total(why->failures),
		.kinds = failures_count(why->failures) + failures_forgotten(why->failures),
		.base_ns = why->session.facts.live ? why->session.start_ns : why->base_ns,
	};
	uint32_t count = failures_count(why->failures);
	struct failure *list;
	int code;

	if (count > why->wanted)
		count = why->wanted;
	list = calloc(count + 1, sizeof(*list));
	if (!list) {
		log_error("out of memory");
		return EXIT_FAILED;
	}
	for (uint32_t i = 0; i < count; i++)
		list[i] = *failures_at(why->failures, i);
	report.list = list;
	report.count = count;
	code = print_simulated(why, &report);
	free(list);
	return code ? code : session_exit_code(&why->session);
}

static void tell_progress(struct why *why)
{
	uint64_t total = failures_total(why->failures);

	if (total == why->told)
		return;
	why->told = total;
	log_info("%llu of %u failures seen", (unsigned long long)total, why->wanted);
}

/* Until there are failures enough, or the time is over. */
static int flow(struct why *why)
{
	uint64_t begin_ns = clock_now_ns(), duration_ns = why->options->duration_ns;
	int code = SESSION_MORE;

	while (code == SESSION_MORE && clock_now_ns() - begin_ns < duration_ns &&
	       (why->options->input || failures_total(why->failures) < why->wanted)) {
		code = session_run(&why->session, SLICE_NS);
		if (!why->options->input)
			tell_progress(why);
	}
	return code == SESSION_END ? EXIT_OK : code;
}

static int explain_events(struct why *why)
{
	int code;

	why->failures = failures_new();
	if (!why->failures) {
		log_error("out of memory");
		return EXIT_FAILED;
	}
	code = session_open(&why->session, why->options, &why->sink);
	if (!code && !why->options->input)
		log_info("watching for %u failure%s; Ctrl-C ends", why->wanted,
			 why->wanted == 1 ? "" : "s");
	if (!code)
		code = flow(why);
	if (!code)
		code = print_failures(why);
	session_close(&why->session);
	failures_free(why->failures);
	return code;
}

/* ---- the kernel log ------------------------------------------------------------------------- */

static bool log_has_failures(void)
{
	struct names *names = names_new();
	struct stacks *stacks = stacks_new();
	struct klog *klog = malloc(sizeof(*klog));
	bool has = names && stacks && klog && klog_read(names, stacks, klog) == 0 && klog->count;

	free(klog);
	stacks_free(stacks);
	names_free(names);
	return has;
}

/* The failure as the log tells it, held against the space as it is now. */
static void explain_logged(struct why *why, const struct klog_failure *logged,
			   struct failure *failure)
{
	struct diagnosis_base base = session_diagnosis_base(&why->session);

	failure->event = logged->event;
	failure->event.t_ns = why->session.facts.now_ns;
	failure->first_ns = failure->last_ns = logged->event.t_ns;
	failure->count = logged->count;
	if (diagnose(&base, &failure->event, &failure->diagnosis))
		log_note("out of memory: a failure is not explained");
}

static int print_logged(struct why *why, const struct klog *klog)
{
	struct why_report report = { .from_log = true, .kinds = klog->count + klog->forgotten };
	struct failure *list = calloc(klog->count + 1, sizeof(*list));
	int code;

	if (!list) {
		log_error("out of memory");
		return EXIT_FAILED;
	}
	for (uint32_t i = 0; i < klog->count; i++)
		report.failures += klog->list[i].count;
	report.failures += klog->forgotten;
	for (uint32_t i = klog->count; i > 0 && report.count < why->wanted; i--)
		explain_logged(why, &klog->list[i - 1], &list[report.count++]);
	report.list = list;
	code = print(why, &report);
	free(list);
	return code;
}

/* Without probes: on a machine that has no addresses left there may be no room for them. */
static int explain_log(struct why *why)
{
	struct klog *klog = calloc(1, sizeof(*klog));
	int code = session_snapshot(&why->session, why->options);
	int err = -ENOMEM;

	if (!code && klog)
		err = klog_read(why->session.names, why->session.stacks, klog);
	if (!code && err) {
		log_error("cannot read the kernel log: %s", strerror(-err));
		code = EXIT_FAILED;
	}
	if (!code)
		code = print_logged(why, klog);
	session_close(&why->session);
	free(klog);
	return code;
}

/* ---- the command ---------------------------------------------------------------------------- */

/* "5": from 1 to as many as are kept. */
static bool parse_wanted(const struct options *options, uint32_t *wanted)
{
	const char *text = options->words[0];
	char *end;
	unsigned long value;

	*wanted = 1;
	if (!text)
		return true;
	if (options->nr_words > 1) {
		log_error("why: '%s' is one word too many", options->words[1]);
		return false;
	}
	value = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || !value || value > FAILURES_KEPT) {
		log_error("why: '%s' is not a number from 1 to %u", text, FAILURES_KEPT);
		return false;
	}
	*wanted = (uint32_t)value;
	return true;
}

static int run(const struct options *options)
{
	struct why why = { .options = options };

	why.sink = (struct sink){ .event = on_event, .context = &why };
	if (!parse_wanted(options, &why.wanted))
		return EXIT_USAGE;
	if (!options->input && options->duration_ns == NO_DURATION && log_has_failures())
		return explain_log(&why);
	return explain_events(&why);
}

const struct command cmd_why = {
	.name = "why",
	.summary = "why an allocation failed, and what would have helped",
	.words = "[N]",
	.help = "Explains the last N (1) failed allocations: who asked and for what, the space at "
		"that moment, who was in the way, what would have helped. From a recording with "
		"-i. Else, if the kernel log tells of failures, these, against the space as it is "
		"now; or, if it does not or with --duration, those that happen from now on, until "
		"N have been seen.",
	.takes = TAKES_INPUT | TAKES_JSON | TAKES_DURATION | TAKES_CAPTURE | TAKES_COLOR |
		 TAKES_WORDS,
	.run = run,
};
