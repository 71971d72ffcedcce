/* SPDX-License-Identifier: GPL-2.0-only */
/* The live half of a build that reads files only (amd64): every way in says so. */
#include "capture/host.h"
#include "cmd/command.h"
#include "cmd/live_source.h"
#include "log.h"

static int no_live(void)
{
	log_error("this build reads recordings only (vmtrace traces 32-bit x86 kernels): use -i "
		  "FILE, or run build/i386/vmtrace (made by 'make i386') on the machine to trace");
	return EXIT_LACKING;
}

int live_describe(struct session *session)
{
	(void)session;
	return no_live();
}

int live_snapshot(struct session *session, const struct sink *sink)
{
	(void)session;
	(void)sink;
	return no_live();
}

int live_open(struct session *session)
{
	(void)session;
	return no_live();
}

int live_seed(struct session *session, const struct sink *sink)
{
	(void)session;
	(void)sink;
	return no_live();
}

int live_run(struct session *session, uint64_t for_ns)
{
	(void)session;
	(void)for_ns;
	return no_live();
}

int live_verify(struct session *session, struct compare_result *result, unsigned int *tries)
{
	(void)session;
	(void)result;
	(void)tries;
	return no_live();
}

bool live_can_verify(const struct session *session)
{
	(void)session;
	return false;
}

struct freetree *live_free_tree(struct session *session, enum purge_order *order)
{
	(void)session;
	(void)order;
	return NULL;
}

void live_request_heal(struct session *session)
{
	(void)session;
}

void live_close(struct session *session)
{
	(void)session;
}

static int run_doctor(const struct options *options)
{
	(void)options;
	return no_live();
}

const struct command cmd_doctor = {
	.name = "doctor",
	.summary = "what this machine allows, what is degraded, and why",
	.help = "Examines the machine to trace; this build cannot.",
	.takes = TAKES_JSON | TAKES_CAPTURE,
	.run = run_doctor,
};
