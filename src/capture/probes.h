/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel side: which functions are hooked, by which program, and whether that worked. Loads
 * and attaches; what comes out of the ring is decode's business.
 */
#ifndef VMTRACE_CAPTURE_PROBES_H
#define VMTRACE_CAPTURE_PROBES_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/symbols.h"

struct probes;

struct probes_options {
	const char *btf_path; /* --btf, or NULL */
	uint32_t ring_bytes;  /* power of two, at least a page */
	uint32_t stack_depth; /* 0 .. VMT_MAX_FRAMES */
	bool with_requests;   /* --probes=all: the vmalloc and vfree families too */
};

enum probe_state {
	PROBE_OFF = 0,   /* not asked for (--probes=area) */
	PROBE_MISSING,   /* no such function here */
	PROBE_AMBIGUOUS, /* several functions of that name */
	PROBE_FAILED,    /* the kernel refused it */
	PROBE_ATTACHED,
	PROBE_FOUND, /* resolved, not attached (doctor) */
};

struct probe_status {
	const char *function; /* as mm/vmalloc.c has it */
	const char *purpose;  /* "area allocated, entry" ... */
	char symbol[128];     /* as this kernel has it, "" if missing */
	bool required;        /* without it the map would be wrong */
	bool is_return;
	enum probe_state state;
	int err; /* -errno of PROBE_FAILED */
};

/* Fills list (of at most max) with the plan for this kernel without loading anything. Returns how
 * many. */
uint32_t probes_plan(const struct symbols *symbols, bool with_requests, struct probe_status *list,
		     uint32_t max);

/* Opens and loads the programs. 0; -ENOSYS when the kernel lacks what is needed (message logged);
 * -errno with a message logged. */
int probes_load(const struct probes_options *options, const struct symbols *symbols,
		struct probes **probes);
/* Attaches, frees and purges first, so that an allocation missed in between is healed by the
 * snapshot that follows. */
int probes_attach(struct probes *probes);
/* Detaches and unloads; probes_free(NULL) is legal. */
void probes_free(struct probes *probes);

/* Drops allocations in progress that began before before_ns: their return was missed, and a task
 * that has ended would keep its slot for ever. */
void probes_sweep(struct probes *probes, uint64_t before_ns);

/*
 * Makes a ring of the size asked for in the options: its fd, or -errno. The caller closes it.
 * probes_use_ring has the programs write to it from now on. When that returns, no program writes
 * to the ring before it any more (the kernel waits for a grace period:
 * kernel/bpf/syscall.c:maybe_wait_bpf_programs).
 */
int probes_new_ring(const struct probes *probes);
int probes_use_ring(const struct probes *probes, int ring_fd);

int probes_stats_fd(const struct probes *probes);
uint32_t probes_cpus(const struct probes *probes); /* possible CPUs: entries of the stats array */
const char *probes_btf_source(const struct probes *probes);
const struct probe_status *probes_status(const struct probes *probes, uint32_t *count);

#endif
