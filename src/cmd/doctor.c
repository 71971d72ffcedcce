/* SPDX-License-Identifier: GPL-2.0-only */
/* doctor: what this machine allows, what vmtrace uses, and what is degraded and why. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <jansson.h>

#include "capture/capture.h"
#include "capture/host.h"
#include "capture/range.h"
#include "capture/symbols.h"
#include "capture/text.h"
#include "cmd/command.h"
#include "cmd/session.h"
#include "log.h"
#include "space/holes.h"
#include "units.h"

#define MAX_LINES 64

/* One line of the report; the same lines are printed as text or JSON. */
struct line {
	const char *topic;
	enum host_level level;
	char text[400];
};

struct report {
	struct line lines[MAX_LINES];
	uint32_t count;
	int code;
};

static void say(struct report *report, const char *topic, enum host_level level, const char *format,
		...) __attribute__((format(printf, 4, 5)));

static void say(struct report *report, const char *topic, enum host_level level, const char *format,
		...)
{
	struct line *line = &report->lines[report->count];
	va_list args;

	if (report->count < MAX_LINES - 1)
		report->count++;
	line->topic = topic;
	line->level = level;
	va_start(args, format);
	vsnprintf(line->text, sizeof(line->text), format, args);
	va_end(args);
}

static void say_host(struct report *report, const struct host_findings *findings)
{
	const struct host_finding *stopper = host_stopper(findings);

	for (uint32_t i = 0; i < findings->count; i++)
		say(report, findings->list[i].name, findings->list[i].level, "%s",
		    findings->list[i].text);
	if (stopper)
		report->code = stopper->exit_code;
}

static void say_range(struct report *report)
{
	struct range range = { 0 };
	char why[256], size[16];

	if (range_read(&range, why, sizeof(why)) < 0) {
		say(report, "range", HOST_STOP, "%s", why);
		return;
	}
	say(report, "range", HOST_OK,
	    "%08x-%08x %s from /proc/kcore; VmallocTotal %s; high_memory %08x", range.vmalloc_start,
	    range.vmalloc_end,
	    units_bytes(range.vmalloc_end - range.vmalloc_start, size, sizeof(size)),
	    range.total_bytes ? "agrees" : "is not told", range.high_memory);
}

/* counts: ": 12 hits, 0 misses", or "" if the kernel does not tell. */
static void say_probe(struct report *report, const struct probe *probe, const char *counts)
{
	static const char *const types[] = {
		[PROBE_ENTRY] = "entry",
		[PROBE_RETURN] = "return",
		[PROBE_TRACEPOINT] = "tracept",
	};
	static const char *const words[] = {
		[PROBE_FOUND] = "found, not attached",
		[PROBE_FAILED] = "refused by the kernel",
		[PROBE_ATTACHED] = "attached",
	};
	enum host_level level = HOST_OK;

	if (probe->state == PROBE_FAILED)
		level = probe->required ? HOST_STOP : HOST_NOTE;
	say(report, "probe", level, "%-7s %-27s %s: %s%s%s%s", types[probe->type], probe->symbol,
	    probe->purpose, words[probe->state], probe->err ? ": " : "",
	    probe->err ? strerror(-probe->err) : "", counts);
}

static void say_need(struct report *report, const struct plan_need *need)
{
	enum host_level level = HOST_OK;

	if (!need->met && need->how[0])
		level = HOST_NOTE;
	else if (!need->met && need->required)
		level = HOST_STOP;
	say(report, "plan", level, "%-17s %s%s%s%s", need->what,
	    need->how[0] ? need->how : "no way", need->why[0] ? " (" : "", need->why,
	    need->why[0] ? ")" : "");
}

static void say_counted_probe(struct report *report, const struct plan *plan,
			      const struct probes *probes, uint32_t i)
{
	uint64_t hits, misses;
	char counts[64] = "";

	if (probes && probes_counts(probes, i, &hits, &misses))
		snprintf(counts, sizeof(counts), ", %llu hits, %llu missed",
			 (unsigned long long)hits, (unsigned long long)misses);
	say_probe(report, &plan->probes[i], counts);
}

/* probes: NULL if nothing is attached. */
static void say_plan(struct report *report, const struct plan *plan, const struct probes *probes)
{
	say(report, "plan", plan_missing(plan) ? HOST_STOP : HOST_OK, "'%s'", plan_name(plan));
	for (int i = 0; i < NEED_COUNT; i++)
		say_need(report, &plan->needs[i]);
	for (uint32_t i = 0; i < plan->nr_probes; i++)
		say_counted_probe(report, plan, probes, i);
}

static void say_first_plan(struct report *report, const struct options *options,
			   const struct symbols *symbols)
{
	struct plan plans[PLAN_MAX_PLANS];
	struct plan_options wanted = options->plan;
	struct text *text;

	wanted.with_requests = !options->probes_area;
	if (!wanted.nr_ways)
		plan_default_ways(&wanted);
	text = text_open("/proc/kcore", symbols);
	wanted.calls = text ? text_calls : NULL;
	wanted.calls_context = text;
	plan_make(symbols, &wanted, plans);
	text_close(text);
	say_plan(report, &plans[0], NULL);
}

/* The symbols; where tracing does not come up, the plan for the probes too. */
static void say_symbols(struct report *report, const struct options *options, bool with_plan)
{
	struct symbols *symbols = symbols_new();

	if (symbols && symbols_load(symbols, "/proc/kallsyms") != -ENOENT) {
		say(report, "symbols", symbols_have_addresses(symbols) ? HOST_OK : HOST_NOTE,
		    "%u functions in /proc/kallsyms%s", symbols_count(symbols),
		    symbols_have_addresses(symbols) ? "" : ", addresses hidden");
		if (with_plan)
			say_first_plan(report, options, symbols);
	} else {
		say(report, "symbols", HOST_STOP, "cannot read /proc/kallsyms (CONFIG_KALLSYMS)");
	}
	symbols_free(symbols);
}

static void say_budget(struct report *report, const struct session *session)
{
	struct space_totals totals = space_totals(session->space);
	bool perf = capture_transport(session->capture) == TRANSPORT_PERF;
	struct holes_report holes;
	char own[16], hole[16], ring[16];

	holes_report(session->space, &holes);
	units_bytes(totals.own_bytes, own, sizeof(own));
	units_bytes(session->options->ring_bytes, ring, sizeof(ring));
	units_bytes(holes.largest.end - holes.largest.start, hole, sizeof(hole));
	say(report, "budget", totals.own_bytes > (1u << 20) ? HOST_NOTE : HOST_OK,
	    "vmtrace takes %s of vmalloc space (%s %s%s); limit 1M; largest hole %s", own,
	    perf ? "none of it for perf buffers of" : "ring", ring, perf ? "" : ", mapped twice",
	    hole);
}

/* 1234 ns as "1.2 us". */
static const char *microseconds(uint32_t ns, char *buf, size_t len)
{
	snprintf(buf, len, "%u.%u us", ns / 1000, ns / 100 % 10);
	return buf;
}

static void say_cost(struct report *report, const struct session *session)
{
	const struct plan_cost *cost = &session->plans.cost;
	char event[24], alloc[24], freed[24], probe[24];

	if (!cost->ns_per_event) {
		say(report, "cost", HOST_NOTE,
		    "in the kernel: could not be measured (BPF_ENABLE_STATS came with Linux 5.8)");
		return;
	}
	say(report, "cost", HOST_OK,
	    "in the kernel, measured here: %s an event (an allocation %s, a free %s), of it %s a "
	    "probe that is hit",
	    microseconds(cost->ns_per_event, event, sizeof(event)),
	    microseconds(cost->alloc_ns, alloc, sizeof(alloc)),
	    microseconds(cost->free_ns, freed, sizeof(freed)),
	    microseconds(cost->probe_ns, probe, sizeof(probe)));
	if (cost->jit)
		say(report, "jit", HOST_OK,
		    "net.core.bpf_jit_enable is on: BPF runs as machine code");
	else
		say(report, "jit", HOST_NOTE,
		    "net.core.bpf_jit_enable is 0, BPF is interpreted; what the JIT would save: "
		    "sysctl net.core.bpf_jit_enable=1, then vmtrace doctor again");
	if (session->options->stack_depth)
		say(report, "stacks", HOST_OK,
		    "%u frames; what fewer would save: vmtrace doctor --stack-depth=N",
		    session->options->stack_depth);
}

static void say_own_cpu(struct report *report)
{
	struct rusage used;

	if (getrusage(RUSAGE_SELF, &used) < 0)
		return;
	say(report, "own", HOST_OK, "%ld ms of processor time so far, %ldK resident",
	    (long)((used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
		   (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000),
	    used.ru_maxrss);
}

static void say_given_up(struct report *report, const struct plan_report *plans)
{
	for (uint32_t i = 0; i < plans->count; i++)
		say(report, "plan", HOST_NOTE, "given up: %s", plans->failures[i]);
}

static void say_stacks(struct report *report, const struct session *session)
{
	if (session->plans.stackless)
		say(report, "stacks", HOST_NOTE,
		    "end before the caller: who holds an area is known only where the kernel's "
		    "list says it");
	else if (!session->options->stack_depth)
		say(report, "stacks", HOST_NOTE, "none: --stack-depth=0");
}

static void say_misses(struct report *report, const struct session *session)
{
	if (probes_traced(capture_probes(session->capture)))
		say(report, "probes", HOST_OK,
		    "made through tracefs: %u instances of a return probe, misses counted",
		    session->options->return_instances);
	else
		say(report, "probes", HOST_NOTE,
		    "made without tracefs (not mounted at /sys/kernel/tracing?): few instances of "
		    "a return probe, misses seen only by entries without a return");
}

static void say_tracing(struct report *report, struct session *session)
{
	const struct probes *probes = capture_probes(session->capture);
	struct losses_total losses = capture_losses(session->capture);

	say_plan(report, probes_plan(probes), probes);
	say_misses(report, session);
	say_stacks(report, session);
	say(report, "btf", HOST_OK, "%s", probes_btf_source(probes));
	say(report, "transport", HOST_OK, "%s",
	    capture_transport(session->capture) == TRANSPORT_PERF
		    ? "perf buffers, one a CPU, put in order by time"
		    : "BPF ring buffer, own consumer");
	say(report, "self-test", HOST_OK,
	    "passed: an allocation of known size was reported exactly, and its free");
	say(report, "seed", capture_can_list(session->capture) ? HOST_OK : HOST_NOTE, "%s",
	    capture_can_list(session->capture)
		    ? "/proc/vmallocinfo with real addresses"
		    : "none: kernel.kptr_restrict=2, areas from before are unknown");
	say_budget(report, session);
	say_cost(report, session);
	say_own_cpu(report);
	say(report, "loss", space_counters(session->space)->lost ? HOST_NOTE : HOST_OK,
	    "%llu records, %llu events lost", (unsigned long long)losses.records,
	    (unsigned long long)space_counters(session->space)->lost);
}

static void print_text(const struct report *report)
{
	static const char *const marks[] = { "ok  ", "note", "STOP" };

	for (uint32_t i = 0; i < report->count; i++) {
		const struct line *line = &report->lines[i];

		printf("%s  %-13s %s\n", marks[line->level], line->topic, line->text);
	}
	puts(report->code ? "\ntracing does not work here: see STOP above"
			  : "\ntracing works here");
}

static int print_json(const struct report *report)
{
	static const char *const words[] = { "ok", "note", "stop" };
	json_t *root = json_pack("{s:b, s:[]}", "works", !report->code, "findings");
	int bad = 0;

	for (uint32_t i = 0; root && i < report->count; i++) {
		const struct line *line = &report->lines[i];
		json_t *item = json_pack("{s:s, s:s, s:s}", "topic", line->topic, "level",
					 words[line->level], "text", line->text);

		bad |= json_array_append_new(json_object_get(root, "findings"), item);
	}
	bad |= !root || json_dumpf(root, stdout, JSON_COMPACT) < 0 || putchar('\n') == EOF;
	json_decref(root);
	return bad ? EXIT_FAILED : report->code;
}

static int run(const struct options *given)
{
	struct options measuring = *given;
	const struct options *options = &measuring;
	struct report report = { 0 };
	struct host_findings findings;
	struct session session;
	int code;

	measuring.measure_cost = true;
	host_examine(&findings);
	say_host(&report, &findings);
	if (geteuid() == 0)
		say_range(&report);
	if (report.code) {
		say_symbols(&report, options, true);
	} else {
		code = session_open(&session, options, NULL);
		if (code) {
			report.code = code;
			say_given_up(&report, &session.plans);
			say_symbols(&report, options, true);
			say(&report, "self-test", HOST_STOP, "tracing did not start: see above");
		} else {
			session_run(&session, 0);
			say_symbols(&report, options, false);
			say_given_up(&report, &session.plans);
			say_tracing(&report, &session);
		}
		session_close(&session);
	}
	if (options->json)
		return print_json(&report);
	print_text(&report);
	return report.code;
}

const struct command cmd_doctor = {
	.name = "doctor",
	.summary = "what this machine allows, what is degraded, and why",
	.help = "Checks privileges, kernel configuration, symbols and probes, runs the self-test "
		"and prints what it found: paste it into a bug report.",
	.takes = TAKES_JSON | TAKES_CAPTURE,
	.run = run,
};
