/* SPDX-License-Identifier: GPL-2.0-only */
/* The map of a live session against the kernel's own list: at its end, and now and then. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/capture.h"
#include "capture/host.h"
#include "cmd/command.h"
#include "cmd/live_source.h"
#include "cmd/session.h"
#include "log.h"
#include "space/repair.h"

#define LOOKS     5
#define LOOKS_GAP 100000 /* us */

/* One look: the kernel's list against the model, after all events up to the end of the list. */
static int look(struct session *session, struct seed *seed, struct compare_result *result)
{
	int err;

	seed_release(seed);
	err = capture_list(session->capture, seed);
	if (err)
		return err;
	return compare_run(session->space, seed->areas, seed->count, seed->begin_ns, result);
}

/* Looks until nothing differs; what differs in every look in the same way is a difference. seed:
 * zeroed; the list of the last look, to release in any case. *tries: looks that were taken. 0, and
 * result to release; -errno. */
static int compare_settled(struct session *session, struct seed *seed,
			   struct compare_result *result, unsigned int *tries)
{
	struct compare_result earlier = { 0 };
	int err = 0;

	for (*tries = 0; *tries < LOOKS; usleep(LOOKS_GAP)) {
		err = look(session, seed, result);
		if (err)
			break;
		if (++*tries > 1)
			compare_keep_common(result, &earlier);
		compare_release(&earlier);
		if (!result->nr_diffs || *tries == LOOKS)
			return 0;
		earlier = *result;
		memset(result, 0, sizeof(*result));
	}
	compare_release(&earlier);
	return err;
}

int live_verify(struct session *session, struct compare_result *result, unsigned int *tries)
{
	int err = capture_heal(session->capture);
	const char *why = capture_list_why(session->capture);
	struct seed seed = { 0 };

	*tries = 0;
	if (!err)
		err = compare_settled(session, &seed, result, tries);
	seed_release(&seed);
	if (!err)
		return EXIT_OK;
	log_error("cannot compare with the kernel's list: %s", why[0] ? why : strerror(-err));
	return EXIT_FAILED;
}

static void tell_drift(uint64_t repaired)
{
	const struct host_finding *stopper;
	struct host_findings findings;

	log_note("the map had drifted: %" PRIu64 " area%s put right; events were missed that no "
		 "counter shows",
		 repaired, repaired == 1 ? "" : "s");
	host_examine(&findings);
	stopper = host_stopper(&findings);
	if (stopper)
		log_note("%s", stopper->text);
}

/* What is known to have been missed: a difference then needs no other reason. */
static uint64_t known_missed(const struct space_counters *counters)
{
	return counters->lost + counters->healed_frees + counters->healed_allocs;
}

static int keep_settled(const struct session *session, struct seed *seed,
			const struct compare_result *settled)
{
	struct event *lines;
	uint32_t count;
	int err = repair_list(session->space, settled, seed->areas, seed->count, seed->begin_ns,
			      seed->end_ns, &lines, &count);

	if (err)
		return err;
	free(seed->areas);
	seed->areas = lines;
	seed->count = seed->capacity = count;
	return 0;
}

/* Compares, and puts right what differs, unless a loss turns up meanwhile: that asks for a heal. */
static int compare_and_repair(struct session *session, struct seed *seed,
			      struct compare_result *result)
{
	const struct space_counters *counters = space_counters(session->space);
	uint64_t missed = known_missed(counters);
	unsigned int tries;
	int err = compare_settled(session, seed, result, &tries);

	if (err)
		return err;
	session->reconciles++;
	if (!result->nr_diffs && !space_uncertain(session->space))
		return 0;
	err = capture_drain(session->capture); /* all counts are read, too */
	if (err || capture_heal_wanted(session->capture) || known_missed(counters) != missed)
		return err;
	err = keep_settled(session, seed, result);
	return err ? err : capture_put_right(session->capture, seed);
}

int live_reconcile(struct session *session)
{
	const struct space_counters *counters = space_counters(session->space);
	uint64_t repaired = counters->repaired;
	struct compare_result result = { 0 };
	struct seed seed = { 0 };
	int err;

	if (!capture_reconcile_due(session->capture))
		return SESSION_MORE;
	err = compare_and_repair(session, &seed, &result);
	err = capture_reconciled(session->capture, err);
	compare_release(&result);
	seed_release(&seed);
	if (err == -EPIPE)
		return SESSION_END;
	if (err) {
		log_error("the capture failed: %s", strerror(-err));
		return EXIT_FAILED;
	}
	if (counters->repaired > repaired)
		tell_drift(counters->repaired - repaired);
	return SESSION_MORE;
}
