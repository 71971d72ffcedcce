/* SPDX-License-Identifier: GPL-2.0-only */
/* The floor: a program that does nothing. What it costs is what the kernel takes for a probe. */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

SEC("kprobe")
int floor_program(void *context)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
