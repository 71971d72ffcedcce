/* SPDX-License-Identifier: GPL-2.0-only */
/* The map of a live session against the kernel's own list: at its end, and now and then. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "capture/capture.h"
#include "capture/host.h"
#include "cmd/command.h"
#include "cmd/live_source.h"
#include "cmd/session.h"
#include "log.h"

#define LOOKS     5
#define LOOKS_GAP 100000 /* us */

/* One look: the kernel's list against the model, after all events up to the end of the list. */
static int look(struct session *session, struct compare_result *result)
{
	struct seed seed;
	int err = capture_list(session->capture, &seed);

	if (!err)
		err = compare_run(session->space, seed.areas, seed.count, seed.begin_ns, result);
	seed_release(&seed);
	return err;
}

/* Looks until nothing differs; what differs in every look in the same way is a difference. *tries:
 * looks that were taken. 0, and result to release; -errno. */
static int compare_settled(struct session *session, struct compare_result *result,
			   unsigned int *tries)
{
	struct compare_result earlier = { 0 };
	int err = 0;

	for (*tries = 0; *tries < LOOKS; usleep(LOOKS_GAP)) {
		err = look(session, result);
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

	*tries = 0;
	if (!err)
		err = compare_settled(session, result, tries);
	if (!err)
		return EXIT_OK;
	log_error("cannot compare with the kernel's list: %s%s", strerror(-err),
		  err == -EPERM ? " (kernel.kptr_restrict=2: use --seed=sysctl)" : "");
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

int live_reconcile(struct session *session)
{
	const struct space_counters *counters = space_counters(session->space);
	uint64_t repaired = counters->repaired;
	struct compare_result result = { 0 };
	unsigned int tries;
	int err;

	if (!capture_reconcile_due(session->capture))
		return SESSION_MORE;
	err = compare_settled(session, &result, &tries);
	err = capture_reconciled(session->capture, result.nr_diffs > 0, err);
	compare_release(&result);
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
