/* SPDX-License-Identifier: GPL-2.0-only */
/* What simulations of a recording came to, as text (80 columns) and as one JSON object. */
#ifndef VMTRACE_VIEW_SIMULATE_H
#define VMTRACE_VIEW_SIMULATE_H

#include <stdbool.h>
#include <stdio.h>

#include "record/header.h"
#include "space/names.h"
#include "allocator/sizing.h"
#include "space/stacks.h"

struct simulate_view {
	const struct sizing *sizing;
	const struct stream_header *header;
	struct names *names; /* grows by labels */
	const struct stacks *stacks;
	uint64_t events;
	bool cut_off;
};

/* The answer in a sentence, how far to trust it, and a row a size. */
void text_simulate(FILE *out, const struct simulate_view *view);

/* 0, -ENOMEM, or -EIO when out refuses. */
int json_simulate(FILE *out, const struct simulate_view *view);

#endif
