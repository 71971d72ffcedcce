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

#include "event.h"

/* The kernel is built with -mregparm=3 (arch/x86/Makefile): eax, edx, ecx, then the stack. */
#define ARG1(ctx) ((ctx)->ax)
#define ARG2(ctx) ((ctx)->dx)
#define ARG3(ctx) ((ctx)->cx)

/* ERR_PTR: the last 4095 addresses (include/linux/err.h). */
#define IS_ERROR(result) ((uint32_t)(result) >= (uint32_t)-4095)

/* Where they lie in struct pt_regs of CONFIG_X86_32: user ABI, the same in every version. */
#define PT_REGS_CS    52
#define PT_REGS_SP    60
#define PT_REGS_BYTES 68

#define KERNEL_STACK_BYTES 8192u /* THREAD_SIZE, and a stack is aligned to it */

static __always_inline bool same_stack(uint32_t a, uint32_t b)
{
	return (a ^ b) < KERNEL_STACK_BYTES;
}

/* What a function returned. The asm has it read here: read later, clang may compute its address
 * first, and the verifier takes no computed pointer to a context. */
static __always_inline uint32_t result_of(const struct pt_regs *ctx)
{
	uint32_t result = ctx->ax;

	asm volatile("" : "+r"(result));
	return result;
}

/* The frame pointer, read in the same way. */
static __always_inline uint32_t frame_of(const struct pt_regs *ctx)
{
	uint32_t bp = ctx->bp;

	asm volatile("" : "+r"(bp));
	return bp;
}

static __always_inline const void *kernel_pointer(uint32_t addr)
{
	return (const void *)(unsigned long)addr;
}

/* Reads bytes at a kernel address; false if they cannot be read. */
static __always_inline bool read_kernel(uint32_t addr, void *to, uint32_t bytes)
{
#ifdef VMT_PERF /* bpf_probe_read_kernel came with 5.5 */
	return bpf_probe_read(to, bytes, kernel_pointer(addr)) == 0;
#else
	return bpf_probe_read_kernel(to, bytes, kernel_pointer(addr)) == 0;
#endif
}

static __always_inline bool read32(uint32_t addr, uint32_t *value)
{
	return read_kernel(addr, value, sizeof(*value));
}

/* The address of a member of the object at addr, its offset relocated to the running kernel. */
#define FIELD_ADDR(addr, type, member) ((addr) + bpf_core_field_offset(type, member))

/* The address of the context. The verifier lets no pointer become a number, but a helper may copy
 * one. */
static __always_inline uint32_t context_addr(const void *ctx)
{
	const void *spilled = ctx;
	uint32_t addr = 0;

	bpf_probe_read(&addr, sizeof(addr), &spilled);
	return addr;
}

/*
 * The stack pointer at a function's entry: there lies the return address. Kernels of 4.15 to 4.19
 * do not save sp on a trap from kernel mode: there the stack goes on where regs->sp would lie
 * (arch/x86/kernel/ptrace.c:kernel_stack_pointer).
 */
static __always_inline uint32_t entry_sp(const struct pt_regs *ctx,
					 const volatile struct wire_config *config)
{
#ifdef VMT_PERF /* what has a BPF ring buffer saves sp (Linux 5.3) */
	if (config->sp_is_regs)
		return context_addr(ctx) + PT_REGS_SP;
#endif
	return ctx->sp;
}

/* Argument n (n >= 4) of a function at whose entry the stack pointer is sp. */
static __always_inline bool stack_arg(uint32_t sp, unsigned int n, uint32_t *value)
{
	return read32(sp + 4 * (n - 3), value);
}

#endif
