/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source of the generic i386 BTF: where the members that vmtrace reads lie on every 32-bit x86
 * kernel from 4.15 to 7.3 (../docs/KERNELS.md). Compiled with clang -target bpf -g; only the BTF
 * is kept. Stock Debian i386 kernels carry no BTF of their own, so this is what CO-RE relocates
 * against there. clang's bpf target has 8-byte pointers, so the 4-byte layout is spelled out.
 */
typedef unsigned int u32;

struct pt_regs {
	u32 bx, cx, dx, si, di, bp, ax, ds, es, fs, gs, orig_ax, ip, cs, flags, sp, ss;
};
_Static_assert(sizeof(struct pt_regs) == 68, "arch/x86/include/asm/ptrace.h, CONFIG_X86_32");

struct vmap_area {
	u32 va_start, va_end;
};

/* The members before it have the same size everywhere; phys_addr, its lower half on PAE, is the
 * last of them. */
struct vm_struct {
	union {
		void *next;
		struct {
			u32 before_addr;
			void *addr;
		} __attribute__((packed));
		struct {
			u32 before_size[2], size, flags;
		};
		struct {
			u32 before_pages[4];
			void *pages;
		} __attribute__((packed));
		struct {
			u32 before_nr_pages[5], nr_pages, phys_addr;
		};
	};
};
#define OFFSET_IS(member, offset) \
	_Static_assert(__builtin_offsetof(struct vm_struct, member) == (offset), #member)
OFFSET_IS(addr, 4);
OFFSET_IS(size, 8);
OFFSET_IS(flags, 12);
OFFSET_IS(pages, 16);
OFFSET_IS(nr_pages, 20);
OFFSET_IS(phys_addr, 24);

struct pt_regs generic_pt_regs;
struct vmap_area generic_vmap_area;
struct vm_struct generic_vm_struct;
