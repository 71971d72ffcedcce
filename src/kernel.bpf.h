/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the BPF programs read a 32-bit x86 kernel: registers, the stack, and 4-byte members.
 *
 * libbpf's own PT_REGS_PARM* are not usable: its i386 branch needs __i386__ without a vmlinux.h,
 * which clang -target bpf never gives, so they quietly name the registers of x86-64.
 */
#ifndef VMTRACE_KERNEL_BPF_H
#define VMTRACE_KERNEL_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* The kernel is built with -mregparm=3 (arch/x86/Makefile): eax, edx, ecx, then the stack. */
#define ARG1(ctx)   ((ctx)->ax)
#define ARG2(ctx)   ((ctx)->dx)
#define ARG3(ctx)   ((ctx)->cx)
#define RESULT(ctx) ((ctx)->ax)

/* ERR_PTR: the last 4095 addresses (include/linux/err.h). */
#define IS_ERROR(result) ((uint32_t)(result) >= (uint32_t)-4095)

static __always_inline const void *kernel_pointer(uint32_t addr)
{
	return (const void *)(unsigned long)addr;
}

/* Reads 4 bytes at a kernel address; false if they cannot be read. */
static __always_inline bool read32(uint32_t addr, uint32_t *value)
{
	return bpf_probe_read_kernel(value, sizeof(*value), kernel_pointer(addr)) == 0;
}

/* The address of a member of the object at addr, its offset relocated to the running kernel. */
#define FIELD_ADDR(addr, type, member) ((addr) + bpf_core_field_offset(type, member))

/*
 * Argument n (n >= 4) of a function, seen at its entry: above the return address, which sp points
 * at. Valid from 5.10 on, where pt_regs of a kernel-mode trap has its sp saved.
 */
static __always_inline bool stack_arg(const struct pt_regs *ctx, unsigned int n, uint32_t *value)
{
	return read32(ctx->sp + 4 * (n - 3), value);
}

#endif
