/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/btf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "log.h"

#define KERNEL_BTF "/sys/kernel/btf/vmlinux"

/* src/capture/btf_generic.S */
extern const unsigned char btf_generic_begin[];
extern const unsigned char btf_generic_end[];

/* libbpf takes a path, so the bytes go into an anonymous file. */
static int choose_generic(struct btf_choice *choice)
{
	size_t len = (size_t)(btf_generic_end - btf_generic_begin);

	choice->fd = memfd_create("vmtrace-btf", MFD_CLOEXEC);
	if (choice->fd < 0 || write(choice->fd, btf_generic_begin, len) != (ssize_t)len) {
		int err = errno ? -errno : -EIO;

		log_error("cannot make the built-in BTF available: %s", strerror(-err));
		btf_choice_release(choice);
		return err;
	}
	snprintf(choice->path, sizeof(choice->path), "/proc/self/fd/%d", choice->fd);
	choice->source = "generic i386";
	return 0;
}

int btf_choose(const char *user_path, struct btf_choice *choice)
{
	memset(choice, 0, sizeof(*choice));
	choice->fd = -1;
	if (user_path) {
		if (access(user_path, R_OK) < 0) {
			int err = -errno;

			log_error("cannot read BTF file '%s': %s. Leave --btf out to use the "
				  "built-in one",
				  user_path, strerror(-err));
			return err;
		}
		snprintf(choice->path, sizeof(choice->path), "%s", user_path);
		choice->source = "file";
		return 0;
	}
	if (access(KERNEL_BTF, R_OK) == 0) {
		choice->source = "kernel";
		return 0;
	}
	return choose_generic(choice);
}

void btf_choice_release(struct btf_choice *choice)
{
	if (choice->fd >= 0)
		close(choice->fd);
	choice->fd = -1;
}
