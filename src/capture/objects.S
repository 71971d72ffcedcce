/* SPDX-License-Identifier: GPL-2.0-only */
/* The BPF objects as bytes of this binary: objects.h. The build gives the directory that they are in. */
	.section .rodata
	.macro object name, file
	.globl object_\name\()_begin, object_\name\()_end
	.balign 8
object_\name\()_begin:
	.incbin "\file"
object_\name\()_end:
	.endm

	object ring, "vmtrace.bpf.o"
	object perf, "vmtrace_perf.bpf.o"
	object perf_nostack, "vmtrace_perf_nostack.bpf.o"
	.section .note.GNU-stack, "", @progbits
