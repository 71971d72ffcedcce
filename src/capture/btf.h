/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which BTF the CO-RE relocations are resolved against: a file of the user's, the kernel's own,
 * or one built into this binary (vmlinux/README.md), since stock Debian i386 kernels have none.
 */
#ifndef VMTRACE_CAPTURE_BTF_H
#define VMTRACE_CAPTURE_BTF_H

struct btf_choice {
	char path[64 + 4096]; /* for bpf_object_open_opts.btf_custom_path; "" = the kernel's own */
	char source[96];      /* "kernel", "file", "embedded RELEASE", "generic i386" */
	int fd;               /* memfd of a built-in one, or -1 */
};

/* wish: --btf: a file, "generic", "embedded", or NULL for the best there is (btf_pick.h). A file
 * is read here and refused unless it can be the BTF of a 32-bit x86 kernel. 0 or -errno, with a
 * message logged. */
int btf_choose(const char *wish, struct btf_choice *choice);
void btf_choice_release(struct btf_choice *choice);

#endif
