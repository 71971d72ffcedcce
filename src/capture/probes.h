/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel side: loads the programs that a plan names and attaches them. What comes out of the
 * ring is decode's business.
 */
#ifndef VMTRACE_CAPTURE_PROBES_H
#define VMTRACE_CAPTURE_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/plan.h"
#include "capture/transport.h"
#include "event.h"

struct probes;

struct probes_options {
	const char *btf_path; /* --btf, or NULL */
	enum transport transport;
	uint32_t ring_bytes;       /* power of two, at least a page; of perf buffers: each */
	uint32_t stack_depth;      /* 0 .. VMT_MAX_FRAMES */
	uint32_t return_instances; /* of each return probe; 0 = the kernel's default */
};

/* TRANSPORT_RING if this kernel has BPF ring buffers, else TRANSPORT_PERF. */
enum transport probes_best_transport(void);

/* True if programs can take call stacks here (bpf_get_stack, Linux 4.18). */
bool probes_have_stacks(void);

/*
 * Opens and loads the programs of plan (copied), over options->transport (not AUTO). 0; -ENOSYS
 * with the reason in why when the kernel refuses this plan (another may do); any other -errno
 * with a message logged.
 */
int probes_load(const struct probes_options *options, const struct plan *plan, char *why,
		size_t why_len, struct probes **probes);
/* Attaches, frees and purges first, so that an allocation missed in between is healed by the
 * snapshot that follows. Errors as of probes_load. */
int probes_attach(struct probes *probes, char *why, size_t why_len);
/* Detaches and unloads; probes_free(NULL) is legal. */
void probes_free(struct probes *probes);

/* Drops allocations in progress that began before before_ns: their return was missed.
 * only_reported: those whose area was reported all the same. */
void probes_sweep(struct probes *probes, uint64_t before_ns, bool only_reported);

/* How many of them there are whose area was not reported either. */
uint32_t probes_count_stale(const struct probes *probes, uint64_t before_ns);

/*
 * Makes a ring of the size asked for in the options: its fd, or -errno. The caller closes it.
 * probes_use_ring has the programs write to it from now on. When that returns, no program writes
 * to the ring before it any more (the kernel waits for a grace period:
 * kernel/bpf/syscall.c:maybe_wait_bpf_programs).
 */
int probes_new_ring(const struct probes *probes);
int probes_use_ring(const struct probes *probes, int ring_fd);

/* The map of perf buffers, for TRANSPORT_PERF. */
int probes_events_fd(const struct probes *probes);

/*
 * How often the kernel hit a probe without running it, since they were attached: another probe was
 * running on that CPU, or all instances of a return probe were in use. returns: of those, returns
 * whose entry has been counted. 0; -ENOENT: the kernel cannot tell here (no tracefs); -errno.
 */
struct probes_misses {
	uint64_t map VMT_ALIGNED8;    /* of probes that the map needs */
	uint64_t detail VMT_ALIGNED8; /* of the others */
	uint64_t returns VMT_ALIGNED8;
};
int probes_read_misses(struct probes *probes, struct probes_misses *misses);
/* True if probes were made through tracefs: with return_instances, and their misses known. */
bool probes_traced(const struct probes *probes);
/* Hits and misses of probe number i of the plan, as of the last probes_read_misses. False if they
 * are not known. */
bool probes_counts(const struct probes *probes, uint32_t i, uint64_t *hits, uint64_t *misses);

/* The program of probe number i of the plan, or -1. */
int probes_program_fd(const struct probes *probes, uint32_t i);

int probes_stats_fd(const struct probes *probes);
uint32_t probes_cpus(const struct probes *probes); /* possible CPUs: entries of the stats array */
const char *probes_btf_source(const struct probes *probes);
/* The plan, each probe with its state. */
const struct plan *probes_plan(const struct probes *probes);

#endif
