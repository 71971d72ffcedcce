/* SPDX-License-Identifier: GPL-2.0-only */
/* How a capture comes up, proves itself, and goes down. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "capture/capture_internal.h"
#include "capture/selftest.h"
#include "capture/text.h"
#include "clock.h"
#include "log.h"

#define SELFTEST_MS      5000
#define SELFTEST_TRIES   3
#define START_LOCK_TRIES 100          /* of 100 ms */
#define SMALL_RING_BYTES (56u * 1024) /* what --ring=16K takes */
/* Programs and tables beside the ring, and the percpu chunk (264K, 160K for its own tables) that
 * the kernel may need for them: seen on 6.1 686-pae. `vmtrace doctor` shows what it is now. */
#define PROGRAMS_BYTES (192u * 1024)
#define PERCPU_BYTES   (424u * 1024)

/*
 * One vmtrace starts at a time: what appears between its first look at the list and its
 * seed, made by BPF, is its own. The file is only something that all of them can lock. If
 * the other takes too long, the marks `@` may be wrong, nothing else.
 */
static void start_lock(struct capture *capture)
{
	capture->start_lock = open("/proc/vmallocinfo", O_RDONLY | O_CLOEXEC);
	for (int i = 0; i < START_LOCK_TRIES && capture->start_lock >= 0; i++) {
		if (flock(capture->start_lock, LOCK_EX | LOCK_NB) == 0)
			return;
		if (i == 0)
			log_info("waiting for another vmtrace to start");
		usleep(100000);
	}
}

void capture_start_unlock(struct capture *capture)
{
	if (capture->start_lock >= 0)
		close(capture->start_lock);
	capture->start_lock = -1;
}

static int load_symbols(struct capture *capture)
{
	int err = symbols_load(capture->symbols, "/proc/kallsyms");

	if (err == -EPERM) {
		log_note("kernel.kptr_restrict hides symbol addresses even from root: stacks are "
			 "shown as raw addresses. Fix: sysctl kernel.kptr_restrict=1");
		return 0;
	}
	if (err)
		log_error("cannot read /proc/kallsyms (CONFIG_KALLSYMS?): %s", strerror(-err));
	return err ? -ENOSYS : 0;
}

/* Symbols, and the list as it is before vmtrace takes any of the space. */
static int look_before(struct capture *capture)
{
	struct kptr *kptr;
	int err = capture_raise_kptr(capture, &kptr);

	if (err)
		return err;
	capture->can_list = kptr_value(kptr) != 2 || capture->options.force_kptr;
	err = load_symbols(capture);
	if (!err && capture->can_list) {
		err = seed_read(&capture->before, capture->names, capture->range.vmalloc_start,
				capture->range.vmalloc_end);
		if (err)
			log_error("cannot read /proc/vmallocinfo: %s", strerror(-err));
	}
	kptr_restore(kptr);
	return err;
}

/* True if a ring fits; *hole and *need tell why not. */
static bool ring_fits(const struct capture *capture, uint32_t *hole, uint32_t *need)
{
	*need = 2 * capture->options.probes.ring_bytes + 6 * VMT_PAGE_SIZE;
	*hole = UINT32_MAX;
	if (capture->can_list)
		*hole = seed_largest_hole(&capture->before, capture->range.vmalloc_start,
					  capture->range.vmalloc_end);
	return *hole >= *need;
}

/* Perf buffers are made of low memory: they take none of the vmalloc space. */
static void choose_transport(struct capture *capture)
{
	enum transport *transport = &capture->options.probes.transport;
	uint32_t kib = capture->options.probes.ring_bytes / 1024, hole, need;

	if (*transport != TRANSPORT_AUTO)
		return;
	*transport = probes_best_transport();
	if (*transport == TRANSPORT_PERF) {
		log_note("this kernel has no BPF ring buffer (Linux 5.8 has): using perf buffers, "
			 "%uK a CPU",
			 kib);
	} else if (!ring_fits(capture, &hole, &need)) {
		*transport = TRANSPORT_PERF;
		log_note("largest vmalloc hole is %uK, a ring needs %uK in one piece: using perf "
			 "buffers, which take none of it",
			 hole / 1024, need / 1024);
	}
}

static int check_room(const struct capture *capture)
{
	uint32_t hole, need;

	if (capture->options.probes.transport != TRANSPORT_RING || ring_fits(capture, &hole, &need))
		return 0;
	log_error(
		"largest vmalloc hole is %uK; tracing needs %uK in one piece and up to %uK in all, "
		"and would make things worse. Use --transport=perf or --ring=16K (up to %uK in "
		"all), or 'vmtrace snapshot', which needs none",
		hole / 1024, need / 1024, (need + PROGRAMS_BYTES + PERCPU_BYTES) / 1024,
		(SMALL_RING_BYTES + PROGRAMS_BYTES + PERCPU_BYTES) / 1024);
	return -ENOSPC;
}

/* All that belongs to one plan, so that the next can be tried. */
static void stop_flow(struct capture *capture)
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

/* One try: 0; -ENODATA if all is right but the stack; -ENOSYS. The reason is in why. */
static int prove_once(struct capture *capture, char *why, size_t why_len)
{
	struct selftest test = {
		.range = &capture->range,
		.own_pid = (uint32_t)getpid(),
		.with_requests = capture->options.plan.with_requests,
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
	capture->sink = capture_no_sink();
	if (!ok)
		return -ENOSYS;
	if (capture->options.probes.stack_depth && !selftest_stack_ok(&test)) {
		snprintf(why, why_len, "its stacks do not reach the caller");
		return -ENODATA;
	}
	return 0;
}

/* A test that failed while events were lost proves nothing; that is no reason to trust, either. */
static int prove(struct capture *capture, char *why, size_t why_len)
{
	bool lost = true;

	for (int i = 0; i < SELFTEST_TRIES && lost; i++) {
		int err;

		capture->heal_wanted = false;
		err = prove_once(capture, why, why_len);
		lost = capture->heal_wanted;
		if (err != -ENOSYS)
			capture->heal_wanted = false; /* the seed comes after it */
		if (err != -ENOSYS || !lost)
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

	if (!err)
		err = open_flow(capture);
	if (!err)
		err = probes_attach(capture->probes, why, why_len);
	if (!err)
		err = prove(capture, why, why_len);
	return err;
}

/* What a plan cannot see, said once: a good map does not need it, some questions do. */
static void note_unmet(const struct plan *plan, bool with_requests)
{
	for (int i = 0; i < NEED_COUNT; i++) {
		const struct plan_need *need = &plan->needs[i];

		if (!need->met && (with_requests || (i != NEED_REQUESTED && i != NEED_FREER)))
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

static void make_plans(struct capture *capture)
{
	struct text *text = text_open("/proc/kcore", capture->symbols);

	capture->options.plan.calls = text ? text_calls : NULL;
	capture->options.plan.calls_context = text;
	capture->nr_plans = plan_make(capture->symbols, &capture->options.plan, capture->plans);
	text_close(text);
}

static void give_up(struct capture *capture, uint32_t i)
{
	stop_flow(capture);
	log_debug("plan '%s' does not work here: %s", plan_name(&capture->plans[i]),
		  capture->plan_failures[i]);
}

/* A map without call stacks is better than none. */
static int start_without_stacks(struct capture *capture, uint32_t i)
{
	char why[256];
	int err = try_plan(capture, &capture->plans[i], why, sizeof(why));

	if (err && err != -ENODATA)
		return err;
	capture->plan_failures[i][0] = '\0';
	log_note("plan '%s' is the only one that works here, and %s: who holds an area is known "
		 "only where the kernel's list says it",
		 plan_name(&capture->plans[i]), why);
	return 0;
}

static int start_flow(struct capture *capture)
{
	uint32_t stackless = UINT32_MAX, i;
	int err = -ENOSYS;

	make_plans(capture);
	if (!capture->nr_plans) {
		no_plan(&capture->plans[0]);
		return -ENOSYS;
	}
	for (i = 0; i < capture->nr_plans; i++) {
		err = try_plan(capture, &capture->plans[i], capture->plan_failures[i],
			       sizeof(capture->plan_failures[i]));
		if (!err) {
			note_unmet(&capture->plans[i], capture->options.plan.with_requests);
			return 0;
		}
		if (err == -ENODATA && stackless == UINT32_MAX)
			stackless = i;
		if (err != -ENOSYS && err != -ENODATA)
			return err;
		give_up(capture, i);
	}
	if (stackless != UINT32_MAX)
		return start_without_stacks(capture, stackless);
	log_error("nothing can be traced here, so nothing is shown: plan '%s': %s. 'vmtrace "
		  "snapshot' works without probes; 'vmtrace doctor' shows what was found",
		  plan_name(&capture->plans[0]), capture->plan_failures[0]);
	return -ENOSYS;
}

/* What the start spends its time on, under -v. */
static void step_done(const char *what, uint64_t *since_ns)
{
	uint64_t now_ns = clock_now_ns();

	log_debug("%s: %u ms", what, (unsigned int)((now_ns - *since_ns) / 1000000));
	*since_ns = now_ns;
}

int capture_open(const struct capture_options *options, struct names *names, struct stacks *stacks,
		 struct capture **out)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	uint64_t step_ns = clock_now_ns();
	char why[256];
	int err;

	if (!capture)
		return -ENOMEM;
	capture->options = *options;
	if (!capture->options.plan.nr_ways)
		plan_default_ways(&capture->options.plan);
	capture->names = names;
	capture->stacks = stacks;
	capture->heal_gap_ns = CAPTURE_HEAL_FIRST_NS;
	capture->start_lock = -1;
	capture->ring_fd = -1;
	capture->sink = capture_no_sink();
	err = range_read(&capture->range, why, sizeof(why));
	if (err)
		log_error("cannot find the vmalloc range: %s", why);
	if (err == -ENOENT || err == -EBADMSG)
		err = -ENOSYS; /* no CONFIG_PROC_KCORE, or not a 32-bit kernel's */
	start_lock(capture);
	capture->symbols = symbols_new();
	if (!err && !capture->symbols)
		err = -ENOMEM;
	if (!err) {
		capture->resolver =
			resolver_new(capture->symbols, names, capture->range.vmalloc_start,
				     capture->range.vmalloc_end);
		capture->decode = decode_new(names, stacks, capture->resolver, (uint32_t)getpid());
		if (!capture->resolver || !capture->decode)
			err = -ENOMEM;
	}
	if (!err)
		err = look_before(capture);
	step_done("symbols and the kernel's list read", &step_ns);
	if (!err) {
		choose_transport(capture);
		err = check_room(capture);
	}
	if (!err)
		err = start_flow(capture);
	step_done("probes loaded, attached and proved", &step_ns);
	if (err) {
		capture_close(capture);
		return err;
	}
	*out = capture;
	return 0;
}

void capture_close(struct capture *capture)
{
	uint64_t step_ns = clock_now_ns();

	if (!capture)
		return;
	capture_start_unlock(capture);
	stop_flow(capture);
	step_done("probes detached", &step_ns);
	decode_free(capture->decode);
	resolver_free(capture->resolver);
	symbols_free(capture->symbols);
	seed_release(&capture->before);
	free(capture);
}
