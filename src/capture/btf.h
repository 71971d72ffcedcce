/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which BTF the CO-RE relocations are resolved against: the kernel's own, a file of the user's,
 * or the generic i386 one built into this binary (vmlinux/README.md), since stock Debian i386
 * kernels have none.
 */
#ifndef VMTRACE_CAPTURE_BTF_H
#define VMTRACE_CAPTURE_BTF_H

struct btf_choice {
	char path[64 + 4096]; /* for bpf_object_open_opts.btf_custom_path; "" = the kernel's own */
	const char *source;   /* "kernel", "file", "generic i386" */
	int fd;               /* memfd of the built-in one, or -1 */
};

/* user_path: --btf, or NULL. 0 or -errno, with a message logged. */
int btf_choose(const char *user_path, struct btf_choice *choice);
void btf_choice_release(struct btf_choice *choice);

#endif
