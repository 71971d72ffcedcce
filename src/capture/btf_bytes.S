/* SPDX-License-Identifier: GPL-2.0-only */
/* The BTF files of btf_list.h (made by the Makefile) as bytes of this binary; table: btf.c. */
#define BTF(n, name, file)         \
	.globl btf_##n##_begin;    \
	.globl btf_##n##_end;      \
	.balign 8;                 \
	btf_##n##_begin:           \
	.incbin file;              \
	btf_##n##_end:

	.section .rodata
#include "btf_list.h"
	.section .note.GNU-stack, "", @progbits
