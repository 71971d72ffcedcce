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

#define COUNT_MANY(counter, n)                           \
	do {                                             \
		struct wire_stats *stats_ = cpu_stats(); \
		if (stats_)                              \
			stats_->counter += (n);          \
	} while (0)

#define COUNT(counter) COUNT_MANY(counter, 1)

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
#ifndef VMT_PERF
	__uint(map_flags, BPF_F_MMAPABLE);
#endif
	__uint(max_entries, 1); /* set to the number of possible CPUs by the loader */
	__type(key, uint32_t);
	__type(value, struct wire_stats);
} stats SEC(".maps");

static __always_inline struct wire_stats *cpu_stats(void)
{
	uint32_t cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&stats, &cpu);
}

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

static __always_inline const volatile struct wire_config *get_config(void)
{
	return &loader_config;
}

static __always_inline void begin_program(void)
{
}

static __always_inline void end_program(void)
{
}

/*
 * Wakes the consumer each time the fill level crosses a multiple of wake_bytes: a wake-up per
 * record would cost more than the record. Below that level the consumer's own timeout applies.
 */
static __always_inline void send(void *ctx, void *record, uint64_t bytes)
{
	uint32_t key = 0, waiting, wake_bytes = loader_config.wake_bytes;
	uint64_t flags = BPF_RB_NO_WAKEUP;
	void *ring = bpf_map_lookup_elem(&rings, &key);

	if (!ring) {
		COUNT(lost_ring);
		return;
	}
	waiting = (uint32_t)bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA);
	if (waiting >= wake_bytes && (waiting & (wake_bytes - 1)) < 1024)
		flags = BPF_RB_FORCE_WAKEUP;
	if (bpf_ringbuf_output(ring, record, bytes, flags) == 0)
		COUNT(records);
	else
		COUNT(lost_ring);
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

static __always_inline const volatile struct wire_config *get_config(void)
{
	uint32_t key = 0;

	return bpf_map_lookup_elem(&configs, &key);
}

/* The reader puts the buffers of several CPUs into one order: src/capture/perfmerge.h says how. */
static __always_inline void begin_program(void)
{
	COUNT(busy);
}

static __always_inline void end_program(void)
{
	COUNT(busy);
}

static __always_inline void send(void *ctx, void *record, uint64_t bytes)
{
	if (bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, record, bytes) == 0)
		COUNT(records);
	else
		COUNT(lost_ring);
}

#endif /* VMT_PERF */

/* A program: its body, between the marks that the transport needs. */
#define PROGRAM(section, name, context)                                                     \
	static __always_inline void name##_body(context *ctx,                               \
						const volatile struct wire_config *config); \
	SEC(section)                                                                        \
	int name(context *ctx)                                                              \
	{                                                                                   \
		const volatile struct wire_config *config = get_config();                   \
                                                                                            \
		if (!config)                                                                \
			return 0;                                                           \
		begin_program();                                                            \
		name##_body(ctx, config);                                                   \
		end_program();                                                              \
		return 0;                                                                   \
	}                                                                                   \
	static __always_inline void name##_body(context *ctx,                               \
						const volatile struct wire_config *config)

#endif
