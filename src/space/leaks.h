/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What leaks: evidence for each group of areas (by stack, if not told otherwise), collected while
 * events pass, and a verdict on it (leak_judge.h, docs/LEAKS.md).
 *
 * Memory is bounded: nothing is kept of an event. A group has the ages at which its areas were
 * freed and its bytes over time, both of fixed size (about 1 KB); there are at most
 * LEAKS_MAX_GROUPS. When they were born is asked of the space's own areas, for a report only.
 *
 * Not counted: areas from before the watch (a `seeded` one: nobody saw when it was born), and
 * vmtrace's own. What a list of the kernel's (a snapshot) shows to be gone without its FREE
 * counts as freed. Areas whose FREE may be among missed events, which no list has put right yet,
 * are left out of the verdict and counted as doubtful.
 */
#ifndef VMTRACE_SPACE_LEAKS_H
#define VMTRACE_SPACE_LEAKS_H

#include <stdbool.h>
#include <stdint.h>

#include "space/filter.h"
#include "space/leak_ages.h"
#include "space/leak_judge.h"
#include "space/leak_series.h"
#include "space/names.h"
#include "space/owners.h"
#include "space/space.h"
#include "space/stacks.h"

#define LEAKS_MAX_GROUPS 16384u
#define LEAKS_OLDEST     4u
#define LEAKS_TASKS      4u

struct leaks;

struct leaks_options {
	enum owners_by by;
	uint64_t since_ns VMT_ALIGNED8; /* areas born in this time after the begin are not judged */
};

struct leak_task {
	uint32_t pid;
	uint32_t comm_id;
};

struct leak_suspect {
	struct leak_verdict verdict;
	struct leak_ages ages;
	struct leak_series series;           /* bytes over time; the clock is the report's */
	struct leak_task tasks[LEAKS_TASKS]; /* who allocated what lives, the newest first */
	uint32_t oldest[LEAKS_OLDEST];       /* where the oldest live areas begin */
	uint32_t nr_tasks;
	uint32_t nr_oldest;
	uint32_t name_id;    /* string id of the label */
	uint32_t owner_id;   /* ... of the function that asked */
	uint32_t module_id;  /* ... of its module: "[foo]", "kernel"; "?" */
	uint32_t stack_id;   /* BY_STACK: the stack; else that of the last area born */
	uint32_t live;       /* areas, without those from before the watch */
	uint32_t live_bytes; /* ... guard pages included */
	uint32_t doubtful;   /* live ones whose free may have been missed */
	uint32_t orphans;    /* live ones whose module is unloaded */
	uint8_t kind;        /* KIND_UNKNOWN when they differ */
	uint64_t born VMT_ALIGNED8;
	uint64_t freed VMT_ALIGNED8;      /* of those born, gone unseen included */
	uint64_t vanished VMT_ALIGNED8;   /* gone without that a FREE was seen */
	uint64_t born_since VMT_ALIGNED8; /* born since about the first of verdict.old */
	uint64_t oldest_ns VMT_ALIGNED8;  /* birth of the oldest live one, 0 = none */
	uint64_t median_ns VMT_ALIGNED8;
	uint64_t newest_ns VMT_ALIGNED8;
	uint64_t gone_ns VMT_ALIGNED8; /* when the module was unloaded, 0 = it is not */
	int64_t slope VMT_ALIGNED8;    /* bytes per hour, Theil-Sen */
};

struct leaks_report {
	struct leak_suspect *list; /* the highest score first, then bytes */
	uint32_t count;
	bool is_live;    /* it goes on: what comes next is not known yet */
	uint32_t leaks;  /* of score LEAK_SCORE or more: they come first */
	uint32_t before; /* areas from before the watch */
	uint32_t before_bytes;
	uint32_t own; /* vmtrace's */
	uint32_t own_bytes;
	uint32_t filtered;              /* areas that did not pass the filter */
	uint64_t missed VMT_ALIGNED8;   /* events missed that no list has put right yet */
	uint64_t start_ns VMT_ALIGNED8; /* what was born before is not judged */
	uint64_t now_ns VMT_ALIGNED8;
	struct leak_clock clock;
};

/* What is to be in a report. */
struct leaks_filter {
	uint64_t older_ns VMT_ALIGNED8; /* only areas at least so old are judged */
	uint32_t min_bytes;             /* groups that hold less are left out */
	const struct filter *filter;    /* only areas that pass are judged; NULL: all */
};

/* NULL on lack of memory. names and stacks must outlive it. */
struct leaks *leaks_new(struct names *names, const struct stacks *stacks,
			const struct leaks_options *options);
void leaks_free(struct leaks *leaks);

/* To be told of each event before it is applied to the space, and after. 0 or -ENOMEM. */
int leaks_before(struct leaks *leaks, const struct space *space, const struct event *event);
int leaks_after(struct leaks *leaks, const struct space *space, const struct event *event);

/* The verdicts at now_ns, or at the newest event if that is later (a recording gives 0). 0 or
 * -ENOMEM. Release with leaks_report_release. Changes nothing but the series' width. */
int leaks_report(struct leaks *leaks, const struct space *space, uint64_t now_ns,
		 const struct leaks_filter *filter, struct leaks_report *report);
void leaks_report_release(struct leaks_report *report);

/* True if area is one of those that a leak in report is made of. Only BY_STACK. */
bool leaks_is_leaked(const struct leaks *leaks, const struct leaks_report *report,
		     const struct area *area);

#endif
