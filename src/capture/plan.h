/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The probe plan: for each thing that must be known (an area came, went, was purged, ...) the ways
 * to learn it, in order of preference, chosen by what this kernel has. What a kernel has is read
 * from its symbols, never from its version. Whether a plan is right only the self-test can tell,
 * so plan_make gives every plan that is possible, best first.
 *
 * A plan goes by the way in which it sees areas come:
 *
 *   insert      a kprobe on insert_vmap_area, which gets every area with its final range; what was
 *               asked for comes from the entry of alloc_vmap_area. No return to miss for an area.
 *   return      entry and return of alloc_vmap_area. A return that the kernel misses is an area
 *               that is learnt only from the kernel's list.
 *   tracepoint  vmalloc:alloc_vmap_area (Linux 6.2). No return to miss, but gfp is not told, and
 *               under the i386 BPF JIT the stacks end in the program itself (docs/KERNELS.md).
 *
 * In all of them the return of alloc_vmap_area tells of failures: nothing else says that an
 * allocation has failed for good (the tracepoint fires for each attempt).
 */
#ifndef VMTRACE_CAPTURE_PLAN_H
#define VMTRACE_CAPTURE_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/symbols.h"

#define PLAN_MAX_PROBES 24
#define PLAN_MAX_PLANS  6 /* each way, with and without regs->sp */

enum plan_way { WAY_INSERT = 0, WAY_RETURN, WAY_TRACEPOINT, WAY_COUNT };

enum need {
	NEED_FREED = 0, /* used -> lazy */
	NEED_PURGED,    /* lazy -> free */
	NEED_FAILED, /* before ALLOCATED, so that the return of a call is probed before its entry */
	NEED_ALLOCATED,
	NEED_PERCPU,    /* percpu chunks, which do not pass alloc_vmap_area */
	NEED_REQUESTED, /* the bytes asked of vmalloc */
	NEED_FREER,     /* who called vfree, when a kworker frees later */
	NEED_PAGES,     /* vmalloc failed for want of pages, not of addresses */
	NEED_COUNT
};

enum probe_type {
	PROBE_ENTRY = 0,
	PROBE_RETURN,
	PROBE_TRACEPOINT,
};

enum probe_state {
	PROBE_FOUND = 0, /* resolved, not attached */
	PROBE_FAILED,    /* the kernel refused it */
	PROBE_ATTACHED,
};

struct probe {
	const char *function; /* as mm/vmalloc.c has it, or the tracepoint's name */
	const char *program;  /* of vmtrace.bpf.c */
	const char *purpose;
	char symbol[128]; /* as this kernel has it */
	enum probe_type type;
	enum probe_state state;
	bool required; /* without it nothing is shown */
	bool map;      /* what it misses makes the map wrong */
	int err;       /* -errno of PROBE_FAILED */
};

struct plan_need {
	const char *what; /* "area allocated" ... */
	const char *how;  /* the way taken, "" if none */
	char why[200];    /* why not a better one; "" if it is the best */
	bool required;
	bool met;
};

struct plan {
	enum plan_way way;
	bool sp_is_regs;        /* struct wire_config */
	bool insert_alone;      /* struct wire_config */
	bool insert_needs_slot; /* struct wire_config */
	uint32_t gfp_arg;       /* struct wire_config */
	struct plan_need needs[NEED_COUNT];
	struct probe probes[PLAN_MAX_PROBES]; /* in the order of attaching */
	uint32_t nr_probes;
};

enum plan_calls { CALLS_NO = 0, CALLS_YES, CALLS_UNKNOWN };

/* Does the function at from call the one at to? */
typedef enum plan_calls (*plan_calls_fn)(void *context, uint32_t from, uint32_t to);

struct plan_options {
	enum plan_way ways[WAY_COUNT]; /* which, in this order: --probe-plan */
	uint32_t nr_ways;
	bool with_requests;  /* --probes=all: the vmalloc and vfree families too */
	plan_calls_fn calls; /* NULL: the kernel's code cannot be read */
	void *calls_context;
};

/* What the probes of a plan cost here (capture/cost), in ns; 0 = not measured. */
struct plan_cost {
	uint32_t ns_per_event; /* of an allocation and its free, for each event of theirs */
	uint32_t alloc_ns;
	uint32_t free_ns;
	uint32_t probe_ns; /* of alloc_ns and free_ns: a probe without its program, each time */
	bool jit;          /* the BPF JIT was on: net.core.bpf_jit_enable */
};

/* What came of trying the plans: for doctor. */
struct plan_report {
	uint32_t count;
	char failures[PLAN_MAX_PLANS][300]; /* "name: why it was given up" */
	bool stackless;                     /* the plan in use has no stacks that can be believed */
	/* Of the plan in use: */
	uint32_t probes_planned;
	uint32_t probes_active;
	char lacking[64]; /* what is wanted and no probe tells: "percpu, pages"; "" = nothing */
	struct plan_cost cost;
};

/* All ways, in the order of preference. */
void plan_default_ways(struct plan_options *options);

/* Parses "insert,return,tracepoint" into options. 0 or -EINVAL. */
int plan_parse_ways(const char *text, struct plan_options *options);

/*
 * Fills list (of PLAN_MAX_PLANS) with the plans that are possible here and returns how many. If
 * that is 0, list[0] is what was found all the same, its needs say what is missing.
 */
uint32_t plan_make(const struct symbols *symbols, const struct plan_options *options,
		   struct plan *list);

/* Fills what report says of the plan in use: each probe has its state. */
void plan_tell(const struct plan *plan, struct plan_report *report);

/* "insert", "return", "tracepoint", with "/regs" where regs->sp is not trusted. */
const char *plan_name(const struct plan *plan);

/* True if an area comes with what was asked for: size, range, alignment. */
bool plan_knows_request(const struct plan *plan);

/* The first required need that is not met, or NULL. */
const struct plan_need *plan_missing(const struct plan *plan);

#endif
