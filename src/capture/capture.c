/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "capture/decode.h"
#include "capture/kptr.h"
#include "capture/pump.h"
#include "capture/resolver.h"
#include "capture/ring.h"
#include "capture/selftest.h"
#include "clock.h"
#include "log.h"
#include "space/space.h"

#define FLUSH_MS          2000
#define FLUSH_TURN_MS     50
#define SELFTEST_MS       5000
#define SELFTEST_TRIES    3
#define START_LOCK_TRIES  100 /* of 100 ms */
#define QUIET_TRIES       3 /* readings thrown away in the hope for a quiet one */
#define UNION_READINGS    8 /* then at most this many together */
#define HEAL_FIRST_NS     1000000000ull
#define HEAL_MAX_NS       32000000000ull
#define HEAL_CALM_NS      300000000000ull /* without a loss for this long, the back-off begins anew */
#define PROGRAMS_ESTIMATE (384u * 1024) /* programs, tables, guard pages: `@ self` shows the fact */

struct capture {
	struct capture_options options;
	struct names *names;
	struct stacks *stacks;
	struct symbols *symbols;
	struct resolver *resolver;
	struct decode *decode;
	struct probes *probes;
	struct ring ring;
	struct pump *pump;
	struct losses *losses;
	struct kptr *kptr;  /* raised now, or NULL */
	struct seed before; /* the kernel's list before anything of ours was in it */
	int start_lock;     /* fd; held until seeded, so that two starts do not take each other's */
	struct sink sink;
	struct range range;
	bool can_list;
	/* events that change the map, seen since list_begin_ns */
	uint64_t list_begin_ns;
	uint32_t list_disturbed;
	/* healing after a loss */
	bool heal_wanted;
	uint64_t heal_at_ns;
	uint64_t heal_gap_ns;
	uint64_t healed_ns; /* when the last snapshot after a loss was taken */
};

static int no_sink(void *context, const struct event *event)
{
	(void)context;
	(void)event;
	return 0;
}

/* Every event passes here on its way to the user's sink. */
static int observe(void *context, const struct event *event)
{
	struct capture *capture = context;

	if ((event->type == EV_ALLOC || event->type == EV_FREE || event->type == EV_PURGE) &&
	    event->t_ns >= capture->list_begin_ns)
		capture->list_disturbed++;
	return sink_event(&capture->sink, event);
}

static struct sink observer(struct capture *capture)
{
	return (struct sink){ .event = observe, .context = capture };
}

/* ---- records to events -------------------------------------------------------------------- */

static int decode_batch(struct capture *capture, const uint8_t *bytes, size_t len)
{
	struct sink sink = observer(capture);
	int count = 0;

	for (size_t at = 0; at + 8 <= len; count++) {
		uint32_t record_len;
		int err;

		memcpy(&record_len, bytes + at, sizeof(record_len));
		err = decode_record(capture->decode, bytes + at + 8, record_len, &sink);
		if (err && err != -EBADMSG)
			return err;
		at += 8 + ((record_len + 7) & ~7u);
	}
	return count;
}

void capture_request_heal(struct capture *capture)
{
	uint64_t now_ns = clock_now_ns();

	if (capture->heal_wanted)
		return;
	if (now_ns - capture->healed_ns > HEAL_CALM_NS)
		capture->heal_gap_ns = HEAL_FIRST_NS;
	capture->heal_wanted = true;
	capture->heal_at_ns = now_ns + capture->heal_gap_ns;
}

static int report_losses(struct capture *capture)
{
	struct sink sink = observer(capture);
	uint64_t now_ns = clock_now_ns();
	int64_t hurting = losses_report(capture->losses, now_ns, &sink), unmatched;

	if (hurting < 0)
		return (int)hurting;
	unmatched = losses_unmatched(capture->losses, now_ns, &sink);
	if (unmatched < 0)
		return (int)unmatched;
	if (unmatched > 0)
		probes_sweep(capture->probes, now_ns - LOSSES_WINDOW_NS);
	if (hurting + unmatched > 0)
		capture_request_heal(capture);
	return 0;
}

/* Emits all that is queued now. */
static int emit_queued(struct capture *capture)
{
	const uint8_t *bytes;
	size_t len = pump_take(capture->pump, &bytes);
	int count = decode_batch(capture, bytes, len), err;

	if (count < 0)
		return count;
	if (pump_failed(capture->pump)) {
		log_error("the ring buffer holds an impossible record: the capture ends here");
		return pump_failed(capture->pump);
	}
	err = report_losses(capture);
	return err ? err : count;
}

/* Emits all that has happened up to now. The queue may be full of it, so this takes turns with the
 * pump. -ETIMEDOUT: it did not come through within FLUSH_MS. */
static int emit_flushed(struct capture *capture)
{
	uint64_t deadline_ns = clock_now_ns() + FLUSH_MS * 1000000ull;
	int err, got;

	do {
		err = pump_flush(capture->pump, FLUSH_TURN_MS);
		got = emit_queued(capture);
		if (got < 0)
			return got;
	} while (err == -ETIMEDOUT && clock_now_ns() < deadline_ns);
	return err;
}

int capture_drain(struct capture *capture)
{
	int err = emit_flushed(capture);

	return err == -ETIMEDOUT ? 0 : err;
}

static int wait_queued(struct capture *capture, unsigned int timeout_ms)
{
	struct pollfd ready = { .fd = pump_fd(capture->pump), .events = POLLIN };

	if (poll(&ready, 1, (int)timeout_ms) < 0 && errno != EINTR)
		return -errno;
	return emit_queued(capture);
}

/* ---- the kernel's own list ------------------------------------------------------------------ */

/* One reading into seed; *disturbed tells whether the map changed meanwhile. */
static int read_once(struct capture *capture, struct seed *seed, bool *disturbed)
{
	int err = emit_flushed(capture);

	if (err < 0 && err != -ETIMEDOUT)
		return err;
	capture->list_begin_ns = clock_now_ns();
	capture->list_disturbed = 0;
	err = seed_read(seed, capture->names, capture->range.vmalloc_start,
			capture->range.vmalloc_end);
	if (err)
		return err;
	err = emit_flushed(capture);
	*disturbed = capture->list_disturbed != 0 || err == -ETIMEDOUT;
	return err == -ETIMEDOUT ? 0 : err;
}

static int list_with_kptr(struct capture *capture, struct seed *seed)
{
	bool disturbed = true;
	int err = 0;

	for (int i = 0; i < QUIET_TRIES && !err && disturbed; i++) {
		seed_release(seed);
		err = read_once(capture, seed, &disturbed);
	}
	/* Together, until one more has nothing new: each has other chunk borders. */
	for (uint32_t before = 0, i = 1; i < UNION_READINGS && !err && disturbed; i++) {
		before = seed->count;
		err = read_once(capture, seed, &disturbed);
		if (seed->count == before)
			break;
	}
	if (err == -EPERM)
		log_error("/proc/vmallocinfo shows %s addresses although kernel.kptr_restrict was "
			  "raised: is something else changing it?",
			  seed->trust == VMI_ZEROED ? "zeroed" : "hashed");
	return err;
}

static int kptr_open(struct capture *capture, struct kptr **kptr)
{
	int err = kptr_raise(KPTR_PATH, capture->options.force_kptr, kptr);

	if (err == -EBUSY)
		log_error("another vmtrace holds %s for longer than 5 s: try again", KPTR_PATH);
	else if (err)
		log_error("cannot raise kernel.kptr_restrict, so the kernel's list has no real "
			  "addresses: %s",
			  strerror(-err));
	return err;
}

int capture_list(struct capture *capture, struct seed *seed)
{
	struct kptr *kptr = NULL;
	int err;

	memset(seed, 0, sizeof(*seed));
	if (!capture->can_list)
		return -EPERM;
	if (!capture->kptr) {
		err = kptr_open(capture, &kptr);
		if (err)
			return err;
	}
	err = list_with_kptr(capture, seed);
	kptr_restore(kptr);
	if (err)
		seed_release(seed);
	return err;
}

/* An area is vmtrace's own if it was not there before loading and BPF made it. */
static bool seeded_own(const struct capture *capture, const struct event *area)
{
	return area->kind == KIND_BPF && area->state == AREA_USED && capture->before.count &&
	       !seed_has(&capture->before, area->start, area->end);
}

static void mark_own(const struct capture *capture, struct seed *seed)
{
	for (uint32_t i = 0; i < seed->count; i++) {
		if (seeded_own(capture, &seed->areas[i]))
			seed->areas[i].flags |= EV_F_OWN;
	}
}

static int snapshot(struct capture *capture, bool first)
{
	struct seed seed;
	struct sink sink = observer(capture);
	int err = capture_list(capture, &seed);

	if (err)
		return err;
	if (first)
		mark_own(capture, &seed);
	err = seed_emit(&seed, &sink);
	seed_release(&seed);
	return err;
}

/* What a later try may find different: another vmtrace had the lock, kptr_restrict was changed. */
static bool is_passing(int err)
{
	return err == -EPERM || err == -EBUSY || err == -EBADMSG || err == -ENODATA ||
	       err == -ENOMEM;
}

int capture_heal(struct capture *capture)
{
	int err;

	if (!capture->heal_wanted || !capture->can_list)
		return 0;
	/* The loss must lie outside the slack of the list that is to put it right. */
	usleep(2 * SPACE_SNAPSHOT_SLACK_NS / 1000);
	capture->heal_wanted = false;
	err = snapshot(capture, false);
	capture->healed_ns = clock_now_ns();
	capture->heal_gap_ns *= 2;
	if (capture->heal_gap_ns > HEAL_MAX_NS)
		capture->heal_gap_ns = HEAL_MAX_NS;
	if (!is_passing(err))
		return err;
	log_note("the map stays uncertain (%s); next try in %u s", strerror(-err),
		 (unsigned int)(capture->heal_gap_ns / 1000000000));
	capture_request_heal(capture);
	return 0;
}

/*
 * One vmtrace starts at a time: what appears between its first look at the list and its seed, made
 * by BPF, is its own. The file is only something that all of them can lock. If the other takes too
 * long, the marks `@` may be wrong, nothing else.
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

static void start_unlock(struct capture *capture)
{
	if (capture->start_lock >= 0)
		close(capture->start_lock);
	capture->start_lock = -1;
}

int capture_seed(struct capture *capture, const struct sink *sink)
{
	int err = 0;

	capture->sink = *sink;
	if (capture->can_list)
		err = snapshot(capture, true);
	else
		log_note("kernel.kptr_restrict=2 hides the areas that exist already; they are "
			 "unknown until freed. --seed=sysctl sets it to 1 for one read");
	start_unlock(capture);
	return err;
}

int capture_poll(struct capture *capture, unsigned int timeout_ms)
{
	int count = wait_queued(capture, timeout_ms), err;

	if (count < 0)
		return count;
	if (capture->heal_wanted && clock_now_ns() >= capture->heal_at_ns) {
		err = capture_heal(capture);
		if (err)
			return err;
	}
	return count;
}

/* ---- start ------------------------------------------------------------------------------------ */

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
	int err = kptr_open(capture, &capture->kptr);

	if (err)
		return err;
	capture->can_list = kptr_value(capture->kptr) != 2 || capture->options.force_kptr;
	err = load_symbols(capture);
	if (!err && capture->can_list) {
		err = seed_read(&capture->before, capture->names, capture->range.vmalloc_start,
				capture->range.vmalloc_end);
		if (err)
			log_error("cannot read /proc/vmallocinfo: %s", strerror(-err));
	}
	kptr_restore(capture->kptr);
	capture->kptr = NULL;
	return err;
}

static int check_room(const struct capture *capture)
{
	uint32_t ring_need = 2 * capture->options.probes.ring_bytes + 6 * VMT_PAGE_SIZE;
	uint32_t hole;

	if (!capture->can_list)
		return 0;
	hole = seed_largest_hole(&capture->before, capture->range.vmalloc_start,
				 capture->range.vmalloc_end);
	if (hole >= ring_need)
		return 0;
	log_error("largest vmalloc hole is %uK; tracing needs %uK in one piece and %uK in all, and "
		  "would make things worse. Use --ring=16K (needs 56K in one piece) or 'vmtrace "
		  "snapshot', which needs none",
		  hole / 1024, ring_need / 1024, (ring_need + PROGRAMS_ESTIMATE) / 1024);
	return -ENOSPC;
}

static int start_flow(struct capture *capture)
{
	int err = probes_load(&capture->options.probes, capture->symbols, &capture->probes);

	if (err)
		return err;
	err = ring_map(&capture->ring, probes_ring_fd(capture->probes),
		       capture->options.probes.ring_bytes);
	if (!err)
		err = losses_map(&capture->losses, probes_stats_fd(capture->probes),
				 probes_cpus(capture->probes));
	if (!err)
		err = pump_start(&capture->pump, &capture->ring, probes_ring_fd(capture->probes));
	if (err) {
		log_error("cannot map the ring buffer: %s", strerror(-err));
		return err;
	}
	return probes_attach(capture->probes);
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
	if (kptr_open(capture, &kptr) < 0)
		return false;
	for (int i = 0; i < UNION_READINGS && !found; i++) {
		if (seed_read(&now, capture->names, capture->range.vmalloc_start,
			      capture->range.vmalloc_end) < 0)
			break;
		found = seed_has(&now, alloc->start, alloc->end);
	}
	kptr_restore(kptr);
	seed_release(&now);
	return found;
}

/* One try. False with the reason in why. */
static bool prove_once(struct capture *capture, char *why, size_t why_len)
{
	struct selftest test = {
		.range = &capture->range,
		.own_pid = (uint32_t)getpid(),
		.with_requests = capture->options.probes.with_requests,
	};
	int fd = selftest_allocate();
	bool ok;

	if (fd < 0) {
		snprintf(why, why_len, "cannot make a BPF map of 34K: %s", strerror(-fd));
		return false;
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
	capture->sink = (struct sink){ .event = no_sink };
	return ok;
}

/* A test that failed while events were lost proves nothing; that is no reason to trust, either. */
static int prove(struct capture *capture)
{
	char why[256];
	bool lost = true;

	for (int i = 0; i < SELFTEST_TRIES && lost; i++) {
		capture->heal_wanted = false;
		if (prove_once(capture, why, sizeof(why))) {
			capture->heal_wanted = false; /* the seed comes after it */
			return 0;
		}
		lost = capture->heal_wanted;
	}
	if (lost) {
		log_error("self-test failed since events were lost meanwhile: use a larger --ring");
		return -EAGAIN;
	}
	log_error("self-test failed, so nothing is shown: %s. 'vmtrace snapshot' works without "
		  "probes; 'vmtrace doctor' shows what was found",
		  why);
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
	capture->names = names;
	capture->stacks = stacks;
	capture->heal_gap_ns = HEAL_FIRST_NS;
	capture->start_lock = -1;
	capture->sink = (struct sink){ .event = no_sink };
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
		capture->resolver = resolver_new(capture->symbols, names,
						 capture->range.vmalloc_start,
						 capture->range.vmalloc_end);
		capture->decode = decode_new(names, stacks, capture->resolver, (uint32_t)getpid());
		if (!capture->resolver || !capture->decode)
			err = -ENOMEM;
	}
	if (!err)
		err = look_before(capture);
	step_done("symbols and the kernel's list read", &step_ns);
	if (!err)
		err = check_room(capture);
	if (!err)
		err = start_flow(capture);
	step_done("probes loaded and attached", &step_ns);
	if (!err)
		err = prove(capture);
	step_done("self-test done", &step_ns);
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
	start_unlock(capture);
	pump_stop(capture->pump);
	ring_unmap(&capture->ring);
	losses_free(capture->losses);
	probes_free(capture->probes);
	step_done("probes detached", &step_ns);
	decode_free(capture->decode);
	resolver_free(capture->resolver);
	symbols_free(capture->symbols);
	seed_release(&capture->before);
	free(capture);
}

const struct range *capture_range(const struct capture *capture)
{
	return &capture->range;
}

struct losses_total capture_losses(struct capture *capture)
{
	return losses_total(capture->losses);
}

const struct probes *capture_probes(const struct capture *capture)
{
	return capture->probes;
}

bool capture_can_list(const struct capture *capture)
{
	return capture->can_list;
}
