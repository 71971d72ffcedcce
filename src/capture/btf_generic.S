/* SPDX-License-Identifier: GPL-2.0-only */
/* The generic i386 BTF (vmlinux/generic.c) as bytes of this binary. */
	.section .rodata
	.globl btf_generic_begin
	.globl btf_generic_end
	.balign 8
btf_generic_begin:
	.incbin BTF_GENERIC
btf_generic_end:
	.section .note.GNU-stack, "", @progbits
