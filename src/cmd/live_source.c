/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/live_source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "capture/capture.h"
#include "capture/host.h"
#include "capture/kptr.h"
#include "capture/range.h"
#include "capture/seed.h"
#include "clock.h"
#include "cmd/command.h"
#include "cmd/session.h"
#include "cmd/stop.h"
#include "log.h"
#include "allocator/holeset.h"

#define POLL_MS        50
#define SNAPSHOT_TRIES 5
#define TREE_TRIES     3

static int exit_code_of(int err)
{
	return err == -ENOSYS ? EXIT_LACKING : EXIT_FAILED;
}

static void describe_machine(struct session *session, const struct range *range)
{
	struct utsname uts;

	if (uname(&uts) == 0) {
		snprintf(session->header.kernel, sizeof(session->header.kernel), "%s", uts.release);
		snprintf(session->header.hostname, sizeof(session->header.hostname), "%.63s",
			 uts.nodename);
	}
	session->facts.hostname = session->header.hostname;
	snprintf(session->header.tool, sizeof(session->header.tool), "%s", VMTRACE_VERSION_TEXT);
	session->header.start_ns = clock_now_ns();
	session->header.start_wall_ns = clock_wall_ns();
	session->header.vmalloc_start = range->vmalloc_start;
	session->header.vmalloc_end = range->vmalloc_end;
	session->header.pmd_bytes = range->pmd_bytes;
	session->header.cpus = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
}

int live_describe(struct session *session)
{
	struct range range = { 0 };
	char why[256];
	int err;

	if (!host_is_root())
		return EXIT_FAILED;
	err = range_read(&range, why, sizeof(why));
	if (err) {
		log_error("cannot find the vmalloc range: %s", why);
		return err == -ENOENT || err == -EBADMSG ? EXIT_LACKING : EXIT_FAILED;
	}
	describe_machine(session, &range);
	return EXIT_OK;
}

/* Reads the list until it reads the same twice, since nothing else tells of changes here. */
static int read_settled(struct session *session, struct seed *seed, bool *settled)
{
	struct seed earlier = { 0 };
	int err = 0;

	for (int i = 0; i < SNAPSHOT_TRIES && !err; i++) {
		seed_release(&earlier);
		earlier = *seed;
		memset(seed, 0, sizeof(*seed));
		err = seed_read(seed, session->names, session->header.vmalloc_start,
				session->header.vmalloc_end);
		*settled = !err && i && seed_same(seed, &earlier);
		if (*settled)
			break;
	}
	seed_release(&earlier);
	return err;
}

int live_snapshot(struct session *session, const struct sink *sink)
{
	struct seed seed = { 0 };
	struct kptr *kptr = NULL;
	bool settled = false;
	int err = kptr_raise(KPTR_PATH, session->options->force_kptr, &kptr);

	if (!err)
		err = read_settled(session, &seed, &settled);
	kptr_restore(kptr);
	if (!err)
		err = seed_emit(&seed, sink);
	if (!err && !settled) {
		struct event unsettled = {
			.type = EV_LOST,
			.state = LOST_READ,
			.count = 1,
			.cpu = UINT32_MAX,
			.t_ns = clock_now_ns(),
		};

		log_note("the list changed with every reading: the map is only near the truth");
		err = sink_event(sink, &unsettled);
	}
	seed_release(&seed);
	if (!err)
		return EXIT_OK;
	log_error("cannot read /proc/vmallocinfo with real addresses: %s%s", strerror(-err),
		  err == -EPERM ? " (kernel.kptr_restrict=2? use --seed=sysctl)" : "");
	return EXIT_FAILED;
}

int live_open(struct session *session)
{
	const struct options *options = session->options;
	const struct host_finding *stopper;
	struct host_findings findings;
	struct capture_options capture_options = {
		.probes = {
			.btf_path = options->btf_path,
			.ring_bytes = options->ring_bytes,
			.stack_depth = options->stack_depth,
			.transport = options->transport,
			.return_instances = options->return_instances,
		},
		.reconcile_ns = options->reconcile_ns,
		.reconcile_asked = options->reconcile_asked,
		.plan = options->plan,
		.report = &session->plans,
		.measure_cost = options->measure_cost,
		.force_kptr = options->force_kptr,
		.ring_limit_bytes = options->ring_limit_bytes,
	};
	int err;

	capture_options.plan.with_requests = !options->probes_area;
	host_examine(&findings);
	stopper = host_stopper(&findings);
	if (stopper) {
		log_error("%s", stopper->text);
		return stopper->exit_code;
	}
	err = capture_open(&capture_options, session->names, session->stacks, &session->capture);
	if (err)
		return exit_code_of(err);
	describe_machine(session, capture_range(session->capture));
	session->header.exact_pages = capture_places_exactly(session->capture);
	return EXIT_OK;
}

int live_seed(struct session *session, const struct sink *sink)
{
	int err = capture_seed(session->capture, sink);

	if (err == -EPIPE) /* nobody reads what is shown of it: it ends as it does later */
		return EXIT_OK;
	if (err)
		log_error("cannot read what exists already: %s", strerror(-err));
	return err ? EXIT_FAILED : EXIT_OK;
}

/* What happened before the end belongs to it: a stop that is requested while this goes on ends the
 * next round, since what came before it may not have been drained. */
static int drain(struct session *session)
{
	bool stop = stop_requested();
	int err = capture_drain(session->capture);

	if (err && err != -EPIPE) {
		log_error("the capture failed: %s", strerror(-err));
		return EXIT_FAILED;
	}
	return err || stop ? SESSION_END : SESSION_MORE;
}

int live_run(struct session *session, uint64_t for_ns)
{
	uint64_t begin_ns = clock_now_ns(), passed_ns = 0;

	do {
		uint64_t left_ms = (for_ns - passed_ns) / 1000000;
		int got = capture_poll(session->capture,
				       left_ms < POLL_MS ? (unsigned int)left_ms : POLL_MS);

		if (got == -EPIPE)
			return SESSION_END;
		if (got < 0) {
			log_error("the capture failed: %s", strerror(-got));
			return EXIT_FAILED;
		}
		got = live_reconcile(session);
		if (got)
			return got;
		passed_ns = clock_now_ns() - begin_ns;
		if (session->wanted && session->wanted(session->wanted_context))
			return stop_requested() ? drain(session) : SESSION_MORE;
	} while (passed_ns < for_ns && !stop_requested());
	return drain(session);
}

bool live_can_verify(const struct session *session)
{
	return capture_can_list(session->capture);
}

/* While areas come and go the tree is ahead of the map: then once more. */
struct freetree *live_free_tree(struct session *session, enum purge_order *order)
{
	struct freetree *tree = NULL;

	for (int i = 0; i < TREE_TRIES && !tree; i++) {
		struct holeset *holes;

		if (i && drain(session) != SESSION_MORE)
			return NULL;
		if (space_uncertain(session->space) || space_totals(session->space).unknown_bytes)
			return NULL;
		holes = holeset_of_space(session->space, false);
		if (holes)
			tree = capture_free_tree(session->capture, holes, order);
		holeset_free(holes);
	}
	return tree;
}

void live_request_heal(struct session *session)
{
	capture_request_heal(session->capture);
}

void live_close(struct session *session)
{
	capture_close(session->capture);
	session->capture = NULL;
}
