/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the profile formats (folded, pprof, speedscope) have in common: how much each call stack
 * holds now, has allocated, and was refused. One collector for all of them, fed by the event
 * stream, so that they cannot tell different stories. Pure: no I/O, no clock.
 *
 *   live: the used areas of the map at the end, those that were there before included; the sum is
 *     used + guard of `map`
 *   allocated: areas born while the stream was followed, whatever became of them
 *   failed: allocations that were refused; bytes as asked for, guard page included
 *   leaked: of the live ones those that `leaks` says are part of a leak
 */
#ifndef VMTRACE_EXPORT_SAMPLES_H
#define VMTRACE_EXPORT_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "space/leaks.h"
#include "space/names.h"
#include "space/space.h"
#include "space/stacks.h"

/* More than this many different samples share one that names nobody. */
#define SAMPLES_MAX (1u << 18)

enum samples_value {
	SAMPLES_INUSE = 0,
	SAMPLES_ALLOC,
	SAMPLES_FAILED,
	SAMPLES_LEAKED,
	SAMPLES_VALUES,
};

struct sample_sum {
	uint64_t bytes VMT_ALIGNED8;
	uint64_t count VMT_ALIGNED8;
};

/* stack, caller, task, kind and size are what makes it differ from all others. */
struct sample {
	struct sample_sum sum[SAMPLES_VALUES];
	uint32_t stack_id;  /* 0 = not known: then the caller stands for it */
	uint32_t caller_id; /* string id; only of areas that were there before */
	uint32_t comm_id;
	uint32_t size; /* bytes of one area */
	uint8_t kind;  /* enum area_kind */
};

struct samples;

struct samples *samples_new(void);
void samples_free(struct samples *samples);

/* One event, after space_apply of it: an ALLOC or FAIL counts. 0 or -ENOMEM. */
int samples_event(struct samples *samples, const struct space *space, const struct event *event);

/* Adds what is live now. Once, at the end. 0 or -ENOMEM. */
int samples_finish(struct samples *samples, const struct space *space);

/* Adds what has leaked by the verdict of report (BY_STACK). Once, at the end. 0 or -ENOMEM. */
int samples_leaked(struct samples *samples, const struct space *space, const struct leaks *leaks,
		   const struct leaks_report *report);

/* In the order of their first appearance. */
uint32_t samples_count(const struct samples *samples);
const struct sample *samples_at(const struct samples *samples, uint32_t index);

/* How many areas and failures went into the one that names nobody, since there were too many. */
uint64_t samples_unnamed(const struct samples *samples);

/*
 * The frames of a sample, outermost first: "vmalloc", the module as `top --by=module` has it, then
 * the stack; in place of a stack that is not known its owner's label ("?" if not even that). String
 * ids into frames; returns how many. names grows by labels.
 */
#define SAMPLES_PATH_MAX 256
uint32_t samples_path(const struct sample *sample, struct names *names, const struct stacks *stacks,
		      uint32_t frames[SAMPLES_PATH_MAX]);

#endif
