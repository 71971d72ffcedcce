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

/* next at 0, addr at 4, size at 8 */
struct vm_struct {
	union {
		struct {
			u32 next;
			void *addr;
		} __attribute__((packed));
		struct {
			u32 before_size[2];
			u32 size;
		};
	};
};
_Static_assert(__builtin_offsetof(struct vm_struct, addr) == 4, "vm_struct.addr");
_Static_assert(__builtin_offsetof(struct vm_struct, size) == 8, "vm_struct.size");

struct pt_regs generic_pt_regs;
struct vmap_area generic_vmap_area;
struct vm_struct generic_vm_struct;
