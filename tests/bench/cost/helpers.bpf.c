/* SPDX-License-Identifier: GPL-2.0-only */
/* What a helper costs: each program does one thing REPEATS times. */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#define REPEATS 16

struct entry {
	__u64 v[28];
};

struct big {
	__u32 words[256];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} array SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct big);
} scratch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, struct entry);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

__u64 global;

#define PROGRAM(name, setup, body)                                  \
	SEC("kprobe")                                               \
	int name(struct pt_regs *ctx)                               \
	{                                                           \
		__u32 key __attribute__((unused)) = 0;              \
		setup;                                              \
		_Pragma("unroll") for (int i = 0; i < REPEATS; i++) \
		{                                                   \
			body;                                       \
		}                                                   \
		return 0;                                           \
	}

PROGRAM(none, , )
PROGRAM(alu, __u64 x = ctx->ax, {
	asm volatile("%0 += 77" : "+r"(x));
	asm volatile("%0 ^= 7" : "+r"(x));
	asm volatile("%0 += 7" : "+r"(x));
	asm volatile("%0 ^= 7" : "+r"(x));
})
PROGRAM(mul64, __u64 x = ctx->ax, { asm volatile("%0 *= 77777" : "+r"(x)); })
PROGRAM(store8, volatile __u64 x __attribute__((unused)), {
	x = 1;
	x = 2;
	x = 3;
	x = 4;
})
PROGRAM(load4, , {
	volatile __u32 x __attribute__((unused));
	x = ctx->ax;
	x = ctx->ax;
	x = ctx->ax;
	x = ctx->ax;
})
PROGRAM(branch, __u64 y = ctx->ax | 1, {
	asm volatile("if %0 == 0 goto +0" : "+r"(y));
	asm volatile("if %0 == 0 goto +0" : "+r"(y));
	asm volatile("if %0 == 0 goto +0" : "+r"(y));
	asm volatile("if %0 == 0 goto +0" : "+r"(y));
})
PROGRAM(ktime, , bpf_ktime_get_ns())
PROGRAM(pid, , bpf_get_current_pid_tgid())
PROGRAM(smp, , bpf_get_smp_processor_id())
PROGRAM(comm, char c[16], bpf_get_current_comm(c, 16))
PROGRAM(lookup_array, , bpf_map_lookup_elem(&array, &key))
PROGRAM(lookup_percpu, , bpf_map_lookup_elem(&scratch, &key))
PROGRAM(lookup_hash, , bpf_map_lookup_elem(&hash, &key))
PROGRAM(update_hash, struct entry v = {}, {
	bpf_map_update_elem(&hash, &key, &v, 0);
	bpf_map_delete_elem(&hash, &key);
})
PROGRAM(counter, , {
	volatile __u64 *p = &global;
	*p += 1;
})
PROGRAM(read4, __u32 v[64], bpf_probe_read_kernel(v, 4, (void *)(unsigned long)ctx->sp))
PROGRAM(read8, __u32 v[64], bpf_probe_read_kernel(v, 8, (void *)(unsigned long)ctx->sp))
PROGRAM(read64, __u32 v[64], bpf_probe_read_kernel(v, 64, (void *)(unsigned long)ctx->sp))
PROGRAM(read256, __u32 v[64], bpf_probe_read_kernel(v, 256, (void *)(unsigned long)ctx->sp))
PROGRAM(read512, struct big *b = bpf_map_lookup_elem(&scratch, &key);
	if (!b) return 0, bpf_probe_read_kernel(b, 512, (void *)(unsigned long)ctx->sp))
PROGRAM(stack24, struct big *b = bpf_map_lookup_elem(&scratch, &key);
	if (!b) return 0, bpf_get_stack(ctx, b, 192, 0))
PROGRAM(stack8, struct big *b = bpf_map_lookup_elem(&scratch, &key);
	if (!b) return 0, bpf_get_stack(ctx, b, 64, 0))
PROGRAM(query, , bpf_ringbuf_query(&ring, 0))
PROGRAM(submit, , {
	__u64 *p = bpf_ringbuf_reserve(&ring, 64, 0);
	if (p)
		bpf_ringbuf_discard(p, BPF_RB_NO_WAKEUP);
})

char LICENSE[] SEC("license") = "GPL";
