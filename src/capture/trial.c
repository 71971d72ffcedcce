/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The plans that are possible here are tried in their order: load, open the way for records,
 * attach, and the self-test, which alone tells whether what comes is true.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "capture/capture_internal.h"
#include "capture/cost.h"
#include "capture/selftest.h"
#include "capture/text.h"
#include "clock.h"
#include "log.h"

#define SELFTEST_MS     5000
#define SELFTEST_TRIES  3
#define SELFTEST_FRAMES 8 /* reach from the allocator to the BPF system call */

/* ---- the way for records ----------------------------------------------------------------------
 */

void capture_stop_flow(struct capture *capture)
{
	pump_stop(capture->pump);
	capture->pump = NULL;
	ring_unmap(&capture->rings[0]);
	ring_unmap(&capture->rings[1]);
	capture->ring = NULL;
	if (capture->ring_fd >= 0)
		close(capture->ring_fd);
	capture->ring_fd = -1;
	perfbuf_free(capture->perfbuf);
	capture->perfbuf = NULL;
	losses_free(capture->losses);
	capture->losses = NULL;
	counters_free(capture->counters);
	capture->counters = NULL;
	probes_free(capture->probes);
	capture->probes = NULL;
}

static int open_ring(struct capture *capture, struct channel **channel)
{
	int err = capture_open_ring(capture, 0, &capture->ring_fd);

	if (!err)
		err = probes_use_ring(capture->probes, capture->ring_fd);
	if (err)
		return err;
	capture->ring = &capture->rings[0];
	*channel = ring_channel(capture->ring, capture->ring_fd);
	return 0;
}

static int open_perf_buffers(struct capture *capture, struct channel **channel)
{
	int err =
		perfbuf_open(probes_events_fd(capture->probes), capture->options.probes.ring_bytes,
			     capture->counters, &capture->perfbuf);

	if (!err)
		*channel = perfbuf_channel(capture->perfbuf);
	return err;
}

static int open_flow(struct capture *capture)
{
	bool perf = capture->options.probes.transport == TRANSPORT_PERF;
	struct channel *channel;
	int err = counters_open(probes_stats_fd(capture->probes), probes_cpus(capture->probes),
				counters_lookup, &capture->counters);

	if (!err)
		err = losses_new(capture->counters, &capture->losses);
	if (!err)
		err = perf ? open_perf_buffers(capture, &channel) : open_ring(capture, &channel);
	if (!err)
		err = pump_start(&capture->pump, channel);
	if (err)
		log_error("cannot open the %s: %s", perf ? "perf buffers" : "ring buffer",
			  strerror(-err));
	return err;
}

/* ---- self-test ------------------------------------------------------------------------------ */

/* Emits events until *done, at most SELFTEST_MS. */
static bool emit_until(struct capture *capture, const bool *done)
{
	uint64_t deadline_ns = clock_now_ns() + SELFTEST_MS * 1000000ull;

	while (!*done && clock_now_ns() < deadline_ns) {
		if (capture_drain(capture) < 0)
			break;
		if (!*done)
			usleep(2000);
	}
	return *done;
}

/* True if the kernel's own list has the test's area; a busy list may skip a line. */
static bool kernel_has(struct capture *capture, const struct event *alloc)
{
	struct seed now = { 0 };
	struct kptr *kptr;
	bool found = false;

	if (!capture->can_list)
		return true;
	if (capture_raise_kptr(capture, &kptr) < 0)
		return false;
	for (int i = 0; i < CAPTURE_UNION_READINGS && !found; i++) {
		if (seed_read(&now, capture->names, capture->range.vmalloc_start,
			      capture->range.vmalloc_end) < 0)
			break;
		found = seed_has(&now, alloc->start, alloc->end);
	}
	kptr_restore(kptr);
	seed_release(&now);
	return found;
}

/* Without symbols, or with a few frames only, a stack says nothing of who called. */
static bool stacks_can_tell(const struct capture *capture)
{
	return symbols_have_addresses(capture->symbols) &&
	       capture->options.probes.stack_depth >= SELFTEST_FRAMES;
}

/* One try: 0; -ENODATA if all is right but the stack; -ENOSYS. The reason is in why. */
static int prove_once(struct capture *capture, char *why, size_t why_len)
{
	struct selftest test = {
		.range = &capture->range,
		.own_pid = (uint32_t)getpid(),
		.with_requests = capture->options.plan.with_requests,
		.knows_request = plan_knows_request(probes_plan(capture->probes)),
	};
	int fd = selftest_allocate();
	bool ok;

	if (fd < 0) {
		snprintf(why, why_len, "cannot make a BPF map of 34K: %s", strerror(-fd));
		return -ENOSYS;
	}
	capture->sink = (struct sink){ .event = selftest_event, .context = &test };
	emit_until(capture, &test.allocated);
	ok = selftest_alloc_ok(&test, why, why_len);
	if (ok && !kernel_has(capture, &test.alloc)) {
		snprintf(why, why_len,
			 "area %08x-%08x was reported, /proc/vmallocinfo has no such area",
			 test.alloc.start, test.alloc.end);
		ok = false;
	}
	close(fd);
	if (ok && !emit_until(capture, &test.freed)) {
		snprintf(why, why_len, "the free of area %08x-%08x was not reported within %u s",
			 test.alloc.start, test.alloc.end, SELFTEST_MS / 1000);
		ok = false;
	}
	if (ok && (capture_drain(capture) < 0 || test.repeated)) {
		snprintf(why, why_len, "area %08x-%08x was reported again when it was freed",
			 test.alloc.start, test.alloc.end);
		ok = false;
	}
	capture->sink = capture_no_sink();
	if (!ok)
		return -ENOSYS;
	if (stacks_can_tell(capture) && !selftest_stack_ok(&test)) {
		snprintf(why, why_len, "its stacks do not reach the caller");
		return -ENODATA;
	}
	return 0;
}

/* What a ring that was too small, or a reader that was too slow, has kept from the test. What the
 * plan's own programs could not read is no excuse. */
static uint64_t lost_on_the_way(struct capture *capture)
{
	struct losses_total total = losses_total(capture->losses);

	return total.lost[LOST_RING] + total.lost[LOST_QUEUE];
}

/* A test that failed while events were lost proves nothing; that is no reason to trust, either. */
static int prove(struct capture *capture, char *why, size_t why_len)
{
	int err = -ENOSYS;

	for (int i = 0; i < SELFTEST_TRIES; i++) {
		uint64_t lost = lost_on_the_way(capture);

		err = prove_once(capture, why, why_len);
		relist_init(&capture->relist, capture->options.reconcile_ns); /* the seed follows */
		if (err != -ENOSYS || lost_on_the_way(capture) == lost)
			return err;
	}
	log_error("self-test failed since events were lost meanwhile: use a larger --ring");
	return -EAGAIN;
}

/* ---- the plan ------------------------------------------------------------------------------- */

/* 0; -ENOSYS with the reason in why if another plan may do; -ENODATA, running, if only its stacks
 * are wrong; -errno with a message logged. */
static int try_plan(struct capture *capture, const struct plan *plan, char *why, size_t why_len)
{
	int err = probes_load(&capture->options.probes, plan, why, why_len, &capture->probes);
	struct cost *cost;

	if (!err)
		err = open_flow(capture);
	cost = !err && capture->options.report && capture->options.measure_cost ? cost_begin()
										: NULL;
	if (!err)
		err = probes_attach(capture->probes, why, why_len);
	if (!err)
		err = prove(capture, why, why_len);
	if (!err && cost)
		cost_measure(cost, capture->probes, &capture->options.report->cost);
	cost_free(cost);
	return err;
}

/* What a plan cannot see, said once: a good map does not need it, some questions do. */
static void note_unmet(const struct plan *plan)
{
	for (int i = 0; i < NEED_COUNT; i++) {
		const struct plan_need *need = &plan->needs[i];

		if (!need->met && need->how[0]) /* else it is not wanted: --probes=area */
			log_note("%s (%s): %s", need->what, need->why, need->how);
	}
}

static void no_plan(const struct plan *plan)
{
	const struct plan_need *need = plan_missing(plan);

	log_error(
		"no probe can tell '%s' on this kernel: %s (inlined, renamed, or hidden by "
		"kernel.kptr_restrict). 'vmtrace snapshot' works without probes; 'vmtrace doctor' "
		"shows all",
		need ? need->what : "?", need ? need->why : "?");
}

static uint32_t make_plans(struct capture *capture, struct plan *plans)
{
	struct text *text = text_open("/proc/kcore", capture->symbols);
	uint32_t count;

	capture->options.plan.calls = text ? text_calls : NULL;
	capture->options.plan.calls_context = text;
	count = plan_make(capture->symbols, &capture->options.plan, plans);
	text_close(text);
	return count;
}

/* In the report, for doctor, and under -v. */
static void give_up(struct capture *capture, const struct plan *plan, const char *why)
{
	struct plan_report *report = capture->options.report;

	capture_stop_flow(capture);
	log_debug("plan '%s' does not work here: %s", plan_name(plan), why);
	if (report && report->count < PLAN_MAX_PLANS)
		snprintf(report->failures[report->count++], sizeof(report->failures[0]), "%s: %s",
			 plan_name(plan), why);
}

/* Takes the plan that runs now. */
static int choose(struct capture *capture, const struct plan *plan)
{
	note_unmet(plan);
	if (capture->options.report)
		plan_tell(probes_plan(capture->probes), capture->options.report);
	return 0;
}

/* A map without call stacks is better than none. */
static int start_without_stacks(struct capture *capture, const struct plan *plan)
{
	char why[256] = "";
	int err = try_plan(capture, plan, why, sizeof(why));

	if (err == -ENOSYS)
		log_error("plan '%s' worked and then did not: %s", plan_name(plan), why);
	if (err && err != -ENODATA)
		return err;
	if (err && capture->options.report)
		capture->options.report->stackless = true;
	if (err)
		log_note("plan '%s' is the best that works here, and its stacks do not reach the "
			 "caller: who holds an area is known only where the kernel's list says it",
			 plan_name(plan));
	return choose(capture, plan);
}

int capture_start_flow(struct capture *capture)
{
	struct plan plans[PLAN_MAX_PLANS];
	const struct plan *stackless = NULL;
	char why[256] = "", first[256] = "";
	uint32_t count = make_plans(capture, plans);

	if (!count) {
		no_plan(&plans[0]);
		return -ENOSYS;
	}
	for (uint32_t i = 0; i < count; i++) {
		int err = try_plan(capture, &plans[i], why, sizeof(why));

		if (!err)
			return choose(capture, &plans[i]);
		if (err != -ENOSYS && err != -ENODATA)
			return err;
		if (err == -ENODATA && !stackless)
			stackless = &plans[i];
		if (!first[0])
			snprintf(first, sizeof(first), "%s", why);
		give_up(capture, &plans[i], why);
	}
	if (stackless)
		return start_without_stacks(capture, stackless);
	log_error("nothing can be traced here, so nothing is shown: plan '%s': %s%s. 'vmtrace "
		  "snapshot' works without probes; 'vmtrace doctor' shows what was found",
		  plan_name(&plans[0]), first, count > 1 ? "; no other plan works either" : "");
	return -ENOSYS;
}
