/* SPDX-License-Identifier: GPL-2.0-only */
/* How records come from the kernel: --transport. */
#ifndef VMTRACE_CAPTURE_TRANSPORT_H
#define VMTRACE_CAPTURE_TRANSPORT_H

enum transport {
	TRANSPORT_AUTO = 0, /* the ring where the kernel has it */
	TRANSPORT_RING,     /* BPF ring buffer, Linux 5.8 */
	TRANSPORT_PERF,     /* one perf buffer a CPU */
};

#endif
