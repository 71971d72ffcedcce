/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which size should stand after vmalloc=: what simulations of several sizes said, which sizes to
 * try next, and the answer. Pure; the recording is read by whoever has it, once or again:
 *
 *   sizing_new; sizing_ask or sizing_search;
 *   while (sizing_begin(sizing, &simulate)) { feed every event; sizing_end(sizing, simulate); }
 */
#ifndef VMTRACE_ALLOCATOR_SIZING_H
#define VMTRACE_ALLOCATOR_SIZING_H

#include <stdbool.h>
#include <stdint.h>

#include "allocator/simulate.h"

#define SIZING_STEP     (16u << 20)  /* how fine the answer is */
#define SIZING_MIN_LOW  (256u << 20) /* low memory that is left at least */
#define SIZING_MAX_ROWS 48

/* Two readings of failures that repeat (simulation.h: each_failure). */
enum sizing_mode { SIZING_RETRIES = 0, SIZING_EACH, SIZING_MODES };

struct sizing_table {
	struct simulation_result rows[SIZING_MAX_ROWS]; /* by size, no size twice */
	uint32_t count;
	uint32_t answer_bytes; /* the smallest size from which on nothing fails; 0 = none */
};

struct sizing {
	struct simulate_options recorded; /* range and CPUs of the recording */
	uint32_t cpus;                    /* simulated */
	struct sizing_table tables[SIZING_MODES];
	struct simulate_recorded facts;
	struct simulation_result truth;
	struct simulation_result free_running; /* of the recorded size and CPUs */
	bool played;      /* false: the recording has no snapshot to begin with */
	bool search;      /* else sizes that were asked for */
	bool again;       /* it can be read again */
	uint32_t pass;    /* readings done */
	uint32_t nr_todo; /* of the reading to come */
	struct sizing_todo {
		uint32_t bytes;
		enum sizing_mode mode;
	} todo[SIMULATE_MAX];
};

/* recorded: as for simulate_new; kernel is used until the last sizing_begin. cpus: 0 = as
 * recorded. again: the recording can be read more than once. NULL when memory runs out. */
struct sizing *sizing_new(const struct simulate_options *recorded, uint32_t cpus, bool again);
void sizing_free(struct sizing *sizing);

/* Try this size. 0, -EINVAL if no space can have it, -ENOSPC. */
int sizing_ask(struct sizing *sizing, uint32_t bytes);

/* Look for the smallest that is enough. */
void sizing_search(struct sizing *sizing);

/* 1: another reading is needed, *simulate is to be fed with it; 0: done; -ENOMEM. */
int sizing_begin(struct sizing *sizing, struct simulate **simulate);
/* The reading has ended; releases simulate. 0, -ENOMEM. */
int sizing_end(struct sizing *sizing, struct simulate *simulate);

/* True if nothing failed in the space. Of the recorded one it says what was recorded. */
bool sizing_row_ok(const struct sizing *sizing, const struct simulation_result *row);
const struct simulation_result *sizing_row(const struct sizing *sizing, enum sizing_mode mode,
					   uint32_t bytes);
/* The failures of a row that were recorded, or not. */
uint64_t sizing_row_fails(const struct simulation_result *row);

/* How many of the recorded addresses the model predicts. Below SIZING_TRUST_PERCENT, or if it knows
 * of none of the failures, it is not to be believed. */
#define SIZING_TRUST_PERCENT 95.0
double sizing_predicted_percent(const struct sizing *sizing);
bool sizing_trusted(const struct sizing *sizing);

/* Low memory that is left by a space of this size: what lies between PAGE_OFFSET and the 8 MB below
 * VMALLOC_START. PAGE_OFFSET is taken to be that of the highest split below the recorded range; 0 =
 * there is none. */
uint32_t sizing_low_bytes(const struct sizing *sizing, uint32_t bytes);
/* The largest size that can be asked for. */
uint32_t sizing_limit_bytes(const struct sizing *sizing);
/* The largest size that leaves SIZING_MIN_LOW. */
uint32_t sizing_max_bytes(const struct sizing *sizing);

#endif
