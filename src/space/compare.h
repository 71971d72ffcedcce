/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The model against the kernel's own list, in a way that is fair to areas in flight: a difference
 * counts only if no event touched its range since the list was read (see space.h on snapshots),
 * and `verify` demands that it stays over a second list.
 */
#ifndef VMTRACE_SPACE_COMPARE_H
#define VMTRACE_SPACE_COMPARE_H

#include <stdint.h>

#include "space/space.h"

enum diff_type {
	DIFF_MISSING = 1, /* the kernel has it, the model does not */
	DIFF_EXTRA,       /* the model has it, the kernel does not */
	DIFF_MISMATCH,    /* same start, another end */
	DIFF_LAZY,        /* lazy here, free there: pages, since the kernel merges lazy areas */
};

struct diff {
	uint8_t type; /* enum diff_type */
	uint32_t start;
	uint32_t model_end;  /* 0 if the model does not have it */
	uint32_t kernel_end; /* 0 if the kernel does not have it */
};

struct compare_result {
	uint32_t areas_model; /* used areas compared */
	uint32_t areas_kernel;
	uint32_t missing;
	uint32_t extra;
	uint32_t mismatched;
	uint32_t in_flight; /* differences not counted since an event touched them meanwhile */
	uint32_t lazy_model_bytes;
	uint32_t lazy_kernel_bytes;
	uint32_t lazy_diff_bytes; /* lazy in one, free in the other */
	struct diff *diffs;       /* every counted difference, in address order */
	uint32_t nr_diffs;
};

/*
 * Compares. areas: the kernel's list as EV_AREA events, sorted by start here (the array is
 * reordered); begin_ns: when its reading began. 0 or -ENOMEM; release with compare_release.
 */
int compare_run(const struct space *space, struct event *areas, uint32_t count, uint64_t begin_ns,
		struct compare_result *result);
void compare_release(struct compare_result *result);

/* Keeps in result only the differences that earlier has too (same type and range), so that what
 * one more look settled is not counted. */
void compare_keep_common(struct compare_result *result, const struct compare_result *earlier);

#endif
