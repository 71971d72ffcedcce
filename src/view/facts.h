/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a view shows beside the map: where the data comes from. Filled by the command from a live
 * session or a recording's header; a view never asks the system itself, so that the same input
 * always prints the same text.
 */
#ifndef VMTRACE_VIEW_FACTS_H
#define VMTRACE_VIEW_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"

struct view_facts {
	const char *version;  /* vmtrace's */
	const char *hostname; /* "" = not known */
	const char *kernel;   /* release */
	uint32_t cpus;
	bool live;                       /* or from a file */
	uint64_t uptime_ns VMT_ALIGNED8; /* how long it has watched */
	uint64_t now_ns VMT_ALIGNED8;    /* CLOCK_MONOTONIC of the newest data, for ages */
	uint64_t lost_by_cause[LOST_CAUSE_COUNT] VMT_ALIGNED8;
};

#endif
