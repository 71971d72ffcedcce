/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How records leave the kernel, and how the programs get their configuration. One source makes
 * several objects (Makefile):
 *
 *   vmtrace.bpf.o    BPF ring buffer (Linux 5.8)
 *   with VMT_PERF    one perf buffer a CPU; no global data, no mmapable map, no helper younger
 *                    than 4.18 (bpf_get_stack)
 *   and VMT_NO_STACK the same without bpf_get_stack
 */
#ifndef VMTRACE_TRANSPORT_BPF_H
#define VMTRACE_TRANSPORT_BPF_H

#include "kernel.bpf.h"

/* What a program has at hand while it runs. */
struct run {
	const volatile struct wire_config *config;
	struct wire_cpu *cpu; /* this one's */
};

#define COUNT(run, counter) ((run)->cpu->stats.counter++)

#ifndef VMT_PERF

/* Set by the loader before load: constants to the verifier, which drops dead branches. */
const volatile struct wire_config loader_config = {};

/*
 * The ring in use, put here by the loader and replaced before it has carried 4 GiB: on 32-bit
 * kernels up to 6.12 a ring is dead after that (kernel/bpf/ringbuf.c, positions of 32 bits).
 */
struct events_ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__array(values, struct events_ring);
} rings SEC(".maps");

/* Mapped by user space: all that is in .bss. Global data needs no look-up: it costs half of one in
 * a map. */
struct wire_cpu cpus[VMT_MAX_CPUS];

static __always_inline const volatile struct wire_config *get_config(void)
{
	return &loader_config;
}

static __always_inline bool run_begin(struct run *run)
{
	run->config = get_config();
	run->cpu = &cpus[bpf_get_smp_processor_id() & (VMT_MAX_CPUS - 1)];
	asm volatile("" : "+r"(run->cpu)); /* once, and not anew for each member */
	return true;
}

static __always_inline void run_end(struct run *run)
{
}

/*
 * Wakes the consumer at some records of this CPU (wake_mask): a wake-up per record would cost more
 * than the record, and to ask how full the ring is half of one. What comes after the last
 * wake-up waits for the consumer's own timeout. True if the record is in the ring.
 */
static __always_inline bool send(const struct run *run, void *ctx, void *record, uint64_t bytes)
{
	uint32_t number = run->cpu->stats.records;
	uint64_t flags = BPF_RB_NO_WAKEUP;
	void *ring = bpf_map_lookup_elem(&rings, &run->cpu->zero);

	if (!(number & run->cpu->wake_mask))
		flags = BPF_RB_FORCE_WAKEUP;
	if (!ring || bpf_ringbuf_output(ring, record, bytes, flags) != 0) {
		COUNT(run, lost_ring);
		return false;
	}
	run->cpu->stats.records = number + 1;
	return true;
}

#else /* VMT_PERF */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct wire_config);
} configs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(max_entries, 1); /* set to the number of possible CPUs by the loader */
	__uint(key_size, 4);
	__uint(value_size, 4);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* set to the number of possible CPUs by the loader */
	__type(key, uint32_t);
	__type(value, struct wire_cpu);
} cpus SEC(".maps");

static __always_inline const volatile struct wire_config *get_config(void)
{
	uint32_t key = 0;

	return bpf_map_lookup_elem(&configs, &key);
}

/* The reader puts the buffers of several CPUs into one order: src/capture/perfmerge.h says how. */
static __always_inline bool run_begin(struct run *run)
{
	uint32_t cpu = bpf_get_smp_processor_id();

	run->config = get_config();
	run->cpu = bpf_map_lookup_elem(&cpus, &cpu);
	if (!run->config || !run->cpu)
		return false;
	COUNT(run, busy);
	return true;
}

static __always_inline void run_end(struct run *run)
{
	COUNT(run, busy);
}

static __always_inline bool send(const struct run *run, void *ctx, void *record, uint64_t bytes)
{
	if (bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, record, bytes) != 0) {
		COUNT(run, lost_ring);
		return false;
	}
	COUNT(run, records);
	return true;
}

#endif /* VMT_PERF */

/*
 * The same for a path that is hardly ever taken. The compiler does not know that it is the same, so
 * it computes nothing for that path beforehand, and keeps no register for it.
 */
static __always_inline struct run aside(const struct run *run)
{
	struct run copy = *run;

	asm volatile("" : "+r"(copy.cpu));
	return copy;
}

/* A program that sends nothing and counts nothing needs no more than the configuration. */
#define QUIET_PROGRAM(section, name, context)                                               \
	static __always_inline void name##_body(context *ctx,                               \
						const volatile struct wire_config *config); \
	SEC(section)                                                                        \
	int name(context *ctx)                                                              \
	{                                                                                   \
		const volatile struct wire_config *config = get_config();                   \
                                                                                            \
		if (config)                                                                 \
			name##_body(ctx, config);                                           \
		return 0;                                                                   \
	}                                                                                   \
	static __always_inline void name##_body(context *ctx,                               \
						const volatile struct wire_config *config)

/* A program: its body, between the marks that the transport needs. */
#define PROGRAM(section, name, context)                                               \
	static __always_inline void name##_body(context *ctx, const struct run *run); \
	SEC(section)                                                                  \
	int name(context *ctx)                                                        \
	{                                                                             \
		struct run run;                                                       \
                                                                                      \
		if (!run_begin(&run))                                                 \
			return 0;                                                     \
		name##_body(ctx, &run);                                               \
		run_end(&run);                                                        \
		return 0;                                                             \
	}                                                                             \
	static __always_inline void name##_body(context *ctx, const struct run *run)

#endif
