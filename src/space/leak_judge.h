/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is a group of areas leaking? Judged by two questions (docs/LEAKS.md):
 *   1. Is there an age from which on its areas are as good as never freed? Areas that are older
 *      and live are the `old` ones. A group whose areas live long, but not for ever, has none,
 *      however long that is and however many there are: areas as old were freed.
 *   2. Do these become more: over a time that is long beside the watch, from its begin to its end,
 *      not all at once, and not ever fewer?
 * Integers only: i386 and amd64 give the same.
 */
#ifndef VMTRACE_SPACE_LEAK_JUDGE_H
#define VMTRACE_SPACE_LEAK_JUDGE_H

#include <stdint.h>

#include "event.h"
#include "space/leak_ages.h"

#define LEAK_SCORE_MAX 1000u
#define LEAK_SCORE     500u /* a leak from here on */

enum leak_finding {
	LEAK_NONE = 0,   /* nothing lives that was born while it watched */
	LEAK_FEW,        /* too few old ones to tell */
	LEAK_YOUNG,      /* none is older than areas of this group become */
	LEAK_FREED,      /* areas as old as those that live were freed */
	LEAK_BURST,      /* all within a time that is too short */
	LEAK_STOPPED,    /* no old one was added for long */
	LEAK_SLOWING,    /* ever fewer are added: it fills up */
	LEAK_STEPS,      /* a few steps, between which none is added */
	LEAK_LOADED,     /* grows, but it is what modules are loaded into */
	LEAK_GROWS,      /* a leak, if they are enough */
	LEAK_OWNER_GONE, /* a leak: the module that allocated them is unloaded */
};

/* How many were asked for over time, those that were freed too: in steps from `from_ns` on. */
struct leak_asked {
	const uint32_t *count;
	uint32_t steps; /* 0 = not known */
	uint64_t step_ns VMT_ALIGNED8;
	uint64_t from_ns VMT_ALIGNED8;
};

struct leak_case {
	const uint64_t *births; /* of the live areas, ascending */
	uint32_t count;
	uint64_t born;                /* how many were born while it watched, dead ones too */
	const struct leak_ages *ages; /* of the freed ones */
	struct leak_asked asked;
	uint64_t start_ns VMT_ALIGNED8; /* when watching began */
	uint64_t now_ns VMT_ALIGNED8;
};

struct leak_verdict {
	enum leak_finding finding;
	uint32_t score;     /* 0 .. LEAK_SCORE_MAX */
	uint32_t old;       /* live areas older than old_age_ns */
	uint32_t freed_old; /* freed ones that had become as old */
	uint64_t old_age_ns VMT_ALIGNED8;
	uint64_t first_ns VMT_ALIGNED8;  /* birth of the first of the old */
	uint64_t last_ns VMT_ALIGNED8;   /* ... and of the last */
	uint64_t needed_ns VMT_ALIGNED8; /* how long it must have grown to be a leak */
};

struct leak_verdict leak_judge(const struct leak_case *c);

#endif
