/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel types of 32-bit x86 that the BPF programs use: only those members, every one of a
 * fixed width, found on the running kernel by CO-RE relocations. See README.md beside this file.
 *
 * Not a bpftool dump on purpose. A dump says `unsigned long` and pointers, which are 8 bytes to
 * clang's bpf target and 4 to this kernel, so each read would take 4 foreign bytes with it. CO-RE
 * treats integers of different names and sizes as compatible, so uint32_t here finds the kernel's
 * `unsigned long` (tools/lib/bpf/relo_core.c:bpf_core_fields_are_compat).
 */
#ifndef VMTRACE_VMLINUX_H
#define VMTRACE_VMLINUX_H

typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef short __s16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u32 __wsum;

typedef __u8 uint8_t;
typedef __u16 uint16_t;
typedef __u32 uint32_t;
typedef __s32 int32_t;
typedef __u64 uint64_t;
typedef _Bool bool;
enum { false = 0, true = 1 };

/* include/uapi/linux/bpf.h: kernel ABI, the values never change. */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERF_EVENT_ARRAY = 4,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_RINGBUF = 27,
};

enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_F_MMAPABLE = 1 << 10,
	BPF_RB_NO_WAKEUP = 1 << 0,
	BPF_RB_FORCE_WAKEUP = 1 << 1,
	BPF_RB_AVAIL_DATA = 0,
};

#define BPF_F_CURRENT_CPU 0xffffffffULL

/* include/trace/events/vmalloc.h, as perf hands it over: 8 bytes that all events have, then the
 * fields; the same in every version that has it (6.2 to 7.3). */
struct alloc_tracepoint_args {
	uint32_t common[2];
	uint32_t addr;
	uint32_t size;
	uint32_t align;
	uint32_t vstart;
	uint32_t vend;
	int32_t failed;
};

struct purge_tracepoint_args {
	uint32_t common[2];
	uint32_t start;
	uint32_t end;
	uint32_t npurged;
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* arch/x86/include/asm/ptrace.h, CONFIG_X86_32 */
struct pt_regs {
	uint32_t bx;
	uint32_t cx;
	uint32_t dx;
	uint32_t si;
	uint32_t di;
	uint32_t bp;
	uint32_t ax;
	uint32_t ds;
	uint32_t es;
	uint32_t fs;
	uint32_t gs;
	uint32_t orig_ax;
	uint32_t ip;
	uint32_t cs;
	uint32_t flags;
	uint32_t sp;
	uint32_t ss;
};

/* include/linux/vmalloc.h */
struct vmap_area {
	uint32_t va_start;
	uint32_t va_end;
};

struct vm_struct {
	void *addr; /* never dereferenced or sized, only its offset is asked for: kernel.bpf.h */
	uint32_t size;
};

#pragma clang attribute pop

#endif
