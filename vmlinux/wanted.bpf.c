/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Never loaded: its CO-RE relocations tell `bpftool gen min_core_btf` what to keep of a kernel's
 * BTF. It names what the programs read and what they may read one day, so that a new CO-RE field
 * there leaves the committed files (btf/) as they are.
 *
 * Existence is asked, never an offset: a member that a kernel lacks is then no error. The types
 * of the members play no part in it but for their kind (bpf_core_fields_are_compat): a pointer
 * has to be one here too.
 */
typedef unsigned int u32;

#define CORE __attribute__((preserve_access_index))

/* arch/x86/include/asm/ptrace.h, CONFIG_X86_32 */
struct pt_regs {
	u32 bx, cx, dx, si, di, bp, ax, ds, es, fs, gs, orig_ax, ip, cs, flags, sp, ss;
} CORE;

/* include/linux/vmalloc.h; flags: before 5.2 and from 6.5 on */
struct vmap_area {
	u32 va_start, va_end, flags;
	struct vm_struct *vm;
} CORE;

/* include/linux/vmalloc.h; requested_size: 6.12 and later */
struct vm_struct {
	struct vm_struct *next;
	void *addr;
	u32 size, flags;
	void *pages;
	u32 nr_pages, phys_addr;
	const void *caller;
	u32 requested_size;
} CORE;

/* BPF_FIELD_EXISTS (libbpf's bpf_core_read.h). A typedef would not do: the relocation names it. */
#define HAS(type, member) __builtin_preserve_field_info(((struct type *)0)->member, 2)

__attribute__((section("raw_tp"))) int wanted(void)
{
	return HAS(pt_regs, bx) + HAS(pt_regs, cx) + HAS(pt_regs, dx) + HAS(pt_regs, si) +
	       HAS(pt_regs, di) + HAS(pt_regs, bp) + HAS(pt_regs, ax) + HAS(pt_regs, ds) +
	       HAS(pt_regs, es) + HAS(pt_regs, fs) + HAS(pt_regs, gs) + HAS(pt_regs, orig_ax) +
	       HAS(pt_regs, ip) + HAS(pt_regs, cs) + HAS(pt_regs, flags) + HAS(pt_regs, sp) +
	       HAS(pt_regs, ss) + HAS(vmap_area, va_start) + HAS(vmap_area, va_end) +
	       HAS(vmap_area, flags) + HAS(vmap_area, vm) + HAS(vm_struct, next) +
	       HAS(vm_struct, addr) + HAS(vm_struct, size) + HAS(vm_struct, flags) +
	       HAS(vm_struct, pages) + HAS(vm_struct, nr_pages) + HAS(vm_struct, phys_addr) +
	       HAS(vm_struct, caller) + HAS(vm_struct, requested_size);
}
