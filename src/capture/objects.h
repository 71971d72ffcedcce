/* SPDX-License-Identifier: GPL-2.0-only */
/* The BPF objects built into this binary (src/transport.bpf.h says what each is for). */
#ifndef VMTRACE_CAPTURE_OBJECTS_H
#define VMTRACE_CAPTURE_OBJECTS_H

/* src/capture/objects.S */
extern const unsigned char object_ring_begin[], object_ring_end[];
extern const unsigned char object_perf_begin[], object_perf_end[];
extern const unsigned char object_perf_nostack_begin[], object_perf_nostack_end[];

#endif
