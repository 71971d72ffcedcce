/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/capture_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "capture/symbols.h"
#include "clock.h"
#include "log.h"
#include "space/space.h"

#define FLUSH_MS      2000
#define FLUSH_TURN_MS 50
#define NS_PER_S      1000000000ull
#define MISSES_NS     NS_PER_S
#define QUIET_TRIES   3 /* readings thrown away in the hope for a quiet one */

static int ignore(void *context, const struct event *event)
{
	(void)context;
	(void)event;
	return 0;
}

struct sink capture_no_sink(void)
{
	return (struct sink){ .event = ignore };
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

	for (size_t at = 0; at + CHANNEL_HEADER <= len; count++) {
		uint32_t record_len;
		int err;

		memcpy(&record_len, bytes + at, sizeof(record_len));
		err = decode_record(capture->decode, bytes + at + CHANNEL_HEADER, record_len, &sink);
		if (err && err != -EBADMSG)
			return err;
		at += channel_room(record_len);
	}
	return count;
}

void capture_request_heal(struct capture *capture)
{
	relist_want_heal(&capture->relist, clock_now_ns());
}

/* What the kernel counts itself; a file is read for it, so not too often. */
static int64_t report_missed(struct capture *capture, uint64_t now_ns, const struct sink *sink)
{
	struct probes_misses misses;
	int err;

	if (now_ns - capture->misses_ns < MISSES_NS && !losses_has_unmatched(capture->losses))
		return 0;
	capture->misses_ns = now_ns;
	err = probes_read_misses(capture->probes, &misses);
	if (err && err != -ENOENT && !capture->misses_failed)
		log_note("what probes miss cannot be read any more: %s", strerror(-err));
	capture->misses_failed = err != 0;
	if (err)
		return 0;
	/* Slots of returns that were missed although their area was reported. */
	if (now_ns - capture->swept_ns >= LOSSES_WINDOW_NS) {
		capture->swept_ns = now_ns;
		probes_sweep(capture->probes, now_ns - LOSSES_WINDOW_NS, !misses.returns);
	}
	return losses_missed(capture->losses, now_ns, misses.map, misses.detail, misses.returns,
			     sink);
}

static uint32_t count_stale(void *context, uint64_t before_ns)
{
	const struct capture *capture = context;

	return probes_count_stale(capture->probes, before_ns);
}

static int report_losses(struct capture *capture)
{
	struct sink sink = observer(capture);
	uint64_t now_ns = clock_now_ns();
	uint32_t stale = 0;
	int64_t hurting[3];

	hurting[0] = report_missed(capture, now_ns, &sink);
	hurting[1] = losses_report(capture->losses, now_ns, &sink);
	hurting[2] = losses_unmatched(capture->losses, now_ns, count_stale, capture, &stale, &sink);
	for (int i = 0; i < 3; i++) {
		if (hurting[i] < 0)
			return (int)hurting[i];
		if (hurting[i] > 0)
			capture_request_heal(capture);
	}
	if (stale)
		probes_sweep(capture->probes, now_ns - LOSSES_WINDOW_NS, false);
	return 0;
}

static int emit_queued(struct capture *capture)
{
	const uint8_t *bytes;
	size_t len = pump_take(capture->pump, &bytes);
	int count = decode_batch(capture, bytes, len), err;

	if (count < 0)
		return count;
	if (pump_failed(capture->pump)) {
		log_error("the kernel's buffer holds an impossible record: the capture ends here");
		return pump_failed(capture->pump);
	}
	err = report_losses(capture);
	return err ? err : count;
}

/* Emits all that is queued now. */
int capture_emit_queued(struct capture *capture)
{
	int count = emit_queued(capture);

	if (count < 0)
		capture->broken = count;
	return count;
}

/*
 * Emits all that has happened up to now. The queue may be full of it, so this takes turns with the
 * pump, and goes on for as long as something comes: what lies before the mark has an end, whatever
 * comes after it. -ETIMEDOUT: for FLUSH_MS nothing came, and something is missing.
 */
static int emit_flushed(struct capture *capture)
{
	uint64_t mark = pump_mark(capture->pump), came_ns = clock_now_ns();
	int err, got;

	do {
		err = pump_flush(capture->pump, mark, FLUSH_TURN_MS);
		got = capture_emit_queued(capture);
		if (got < 0)
			return got;
		if (got)
			came_ns = clock_now_ns();
	} while (err == -ETIMEDOUT && clock_now_ns() - came_ns < FLUSH_MS * 1000000ull);
	if (err < 0 && err != -ETIMEDOUT)
		capture->broken = err;
	return err;
}

/* Something that has happened does not come: how many events that is, nobody knows. */
static int tell_stuck(struct capture *capture)
{
	struct sink sink = observer(capture);
	struct event event = {
		.type = EV_LOST, .state = LOST_QUEUE, .count = 1, .cpu = UINT32_MAX
	};

	event.t_ns = clock_now_ns();
	log_note("what the kernel's buffer still holds did not come in %u s: at least one event is "
		 "counted as lost",
		 FLUSH_MS / 1000);
	capture_request_heal(capture);
	return sink.event(sink.context, &event);
}

int capture_drain(struct capture *capture)
{
	int err;

	capture->misses_ns = 0; /* an end must not hide a miss */
	err = emit_flushed(capture);
	return err == -ETIMEDOUT ? tell_stuck(capture) : err;
}

static int wait_queued(struct capture *capture, unsigned int timeout_ms)
{
	pump_wait(capture->pump, timeout_ms);
	return capture_emit_queued(capture);
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

static int read_settled(struct capture *capture, struct seed *seed)
{
	bool disturbed = true;
	int err = 0;

	for (int i = 0; i < QUIET_TRIES && !err && disturbed; i++) {
		seed_release(seed);
		err = read_once(capture, seed, &disturbed);
	}
	/* Together, until one more has nothing new: each has other chunk borders. */
	for (uint32_t before = 0, i = 1; i < CAPTURE_UNION_READINGS && !err && disturbed; i++) {
		before = seed->count;
		err = read_once(capture, seed, &disturbed);
		if (seed->count == before)
			break;
	}
	return err;
}

__attribute__((format(printf, 2, 3))) static void set_why(struct capture *capture,
							  const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(capture->list_why, sizeof(capture->list_why), format, args);
	va_end(args);
}

static void explain_hidden(struct capture *capture)
{
	set_why(capture, "kernel.kptr_restrict=2 hides its addresses; --seed=sysctl sets it to 1 "
			 "for the moment of a reading");
}

int capture_raise_kptr(struct capture *capture, struct kptr **kptr)
{
	int err = kptr_raise(KPTR_PATH, capture->options.force_kptr, kptr);

	if (err == -EBUSY)
		set_why(capture, "another vmtrace holds %s for longer than 5 s", KPTR_PATH);
	else if (err)
		set_why(capture, "cannot raise kernel.kptr_restrict: %s", strerror(-err));
	return err;
}

static int list_with_kptr(struct capture *capture, const struct kptr *kptr, struct seed *seed)
{
	int err;

	if (kptr_value(kptr) == 2 && !capture->options.force_kptr) {
		explain_hidden(capture);
		return -EPERM;
	}
	err = read_settled(capture, seed);
	if (err == -EPERM)
		set_why(capture,
			"/proc/vmallocinfo shows %s addresses: is something else changing "
			"kernel.kptr_restrict?",
			seed->trust == VMI_ZEROED ? "zeroed" : "hashed");
	else if (err && !capture->broken)
		set_why(capture, "cannot read /proc/vmallocinfo: %s", strerror(-err));
	return err;
}

int capture_list(struct capture *capture, struct seed *seed)
{
	struct kptr *kptr = NULL;
	int err;

	memset(seed, 0, sizeof(*seed));
	capture->list_why[0] = '\0';
	if (!capture->can_list) {
		explain_hidden(capture);
		return -EPERM;
	}
	err = capture_raise_kptr(capture, &kptr);
	if (err)
		return err;
	err = list_with_kptr(capture, kptr, seed);
	kptr_restore(kptr);
	if (err)
		seed_release(seed);
	return err;
}

const char *capture_list_why(const struct capture *capture)
{
	return capture->list_why;
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

int capture_put_right(struct capture *capture, const struct seed *seed)
{
	struct sink sink = observer(capture);
	int err = seed_emit(seed, &sink);

	if (err)
		capture->broken = err;
	return err;
}

static int snapshot(struct capture *capture, bool first)
{
	struct seed seed;
	int err = capture_list(capture, &seed);

	if (err)
		return err;
	if (first)
		mark_own(capture, &seed);
	err = capture_put_right(capture, &seed);
	seed_release(&seed);
	return err;
}

/* A list that cannot be read now, for whatever reason, is no reason to end the watching. */
static bool is_passing(const struct capture *capture, int err)
{
	return err && !capture->broken;
}

/* True, once, for each new reason. told: of sizeof(capture->list_why). */
static bool is_new_reason(struct capture *capture, int err, char *told)
{
	if (!capture->list_why[0]) /* it could, but what came after could not */
		set_why(capture, "%s", strerror(-err));
	if (!strcmp(told, capture->list_why))
		return false;
	memcpy(told, capture->list_why, sizeof(capture->list_why));
	return true;
}

int capture_heal(struct capture *capture)
{
	struct relist *relist = &capture->relist;
	int err;

	if (!relist->heal_wanted || !capture->can_list)
		return 0;
	/* The loss must lie outside the slack of the list that is to put it right. */
	usleep(2 * SPACE_SNAPSHOT_SLACK_NS / 1000);
	relist_heal_begins(relist);
	err = snapshot(capture, false);
	relist_heal_ended(relist, clock_now_ns(), is_passing(capture, err));
	if (!is_passing(capture, err)) {
		capture->heal_told[0] = '\0';
		return err;
	}
	if (is_new_reason(capture, err, capture->heal_told))
		log_note("the map stays uncertain (%s); next try in %u s", capture->list_why,
			 (unsigned int)(relist->heal_gap_ns / NS_PER_S));
	return 0;
}

bool capture_heal_wanted(const struct capture *capture)
{
	return capture->relist.heal_wanted;
}

bool capture_reconcile_due(const struct capture *capture)
{
	return capture->can_list && relist_reconcile_due(&capture->relist, clock_now_ns());
}

int capture_reconciled(struct capture *capture, int err)
{
	struct relist *relist = &capture->relist;

	relist_reconciled(relist, clock_now_ns(), is_passing(capture, err));
	if (!is_passing(capture, err)) {
		capture->reconcile_told[0] = '\0';
		return err;
	}
	if (is_new_reason(capture, err, capture->reconcile_told))
		log_note("the map could not be compared with the kernel's list (%s); next try in "
			 "%u s",
			 capture->list_why, (unsigned int)(relist->reconcile_gap_ns / NS_PER_S));
	return 0;
}

/* The stacks seen before the sink was there, by the self-test: an event to come may have one. */
static int emit_known_stacks(struct capture *capture)
{
	struct event event = { .t_ns = clock_now_ns(), .type = EV_STACK };
	int err = 0;

	for (uint32_t id = 1; id <= stacks_count(capture->stacks) && !err; id++) {
		event.stack_id = id;
		err = sink_event(&capture->sink, &event);
	}
	return err;
}

int capture_seed(struct capture *capture, const struct sink *sink)
{
	int err;

	capture->sink = *sink;
	capture->broken = 0; /* by a plan that was tried */
	err = emit_known_stacks(capture);
	if (!err && capture->can_list)
		err = snapshot(capture, true);
	if (is_passing(capture, err))
		log_error("%s", capture->list_why);
	relist_seeded(&capture->relist, clock_now_ns());
	if (!capture->can_list)
		log_note("kernel.kptr_restrict=2 hides the areas that exist already; they are "
			 "unknown until freed. --seed=sysctl sets it to 1 for the moment of a "
			 "reading");
	capture_start_unlock(capture);
	return err;
}

int capture_poll(struct capture *capture, unsigned int timeout_ms)
{
	int count = wait_queued(capture, timeout_ms), err;

	if (count < 0)
		return count;
	err = capture_rotate_if_due(capture);
	if (err)
		return err;
	if (relist_heal_due(&capture->relist, clock_now_ns())) {
		err = capture_heal(capture);
		if (err)
			return err;
	}
	return count;
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

enum transport capture_transport(const struct capture *capture)
{
	return capture->options.probes.transport;
}

bool capture_can_list(const struct capture *capture)
{
	return capture->can_list;
}

bool capture_places_exactly(const struct capture *capture)
{
	char found[64];
	uint32_t addr;

	return symbols_find(capture->symbols, "drain_vmap_area_work", found, sizeof(found),
			    &addr) != SYMBOLS_NONE;
}

struct freetree *capture_free_tree(struct capture *capture, const struct holeset *holes,
				   enum purge_order *order)
{
	if (!capture->kernel_tree)
		capture->kernel_tree = kernel_tree_open("/proc/kcore", capture->symbols);
	if (!capture->kernel_tree)
		return NULL;
	return kernel_tree_read(capture->kernel_tree, holes, order);
}
