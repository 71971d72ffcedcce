/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernel.kptr_restrict must be 1 while /proc/vmallocinfo is read, or its addresses are hashed (0)
 * or zero (2) (lib/vsprintf.c:restricted_pointer). The raise is made and undone by a guardian: a
 * forked child that restores the value when told to, or when the pipe to its parent closes, that
 * is also when the parent is killed with SIGKILL. An flock on the sysctl file keeps two vmtraces
 * from taking each other's raised value for the user's.
 */
#ifndef VMTRACE_CAPTURE_KPTR_H
#define VMTRACE_CAPTURE_KPTR_H

#include <stdbool.h>

struct kptr;

#define KPTR_PATH "/proc/sys/kernel/kptr_restrict"

/*
 * Raises the value at path (KPTR_PATH, or a plain file in tests) from 0 to 1; 1 is left as it is.
 * 2 is changed only if force_from_2 (--seed=sysctl), else *kptr is set, nothing is changed and
 * kptr_value() tells 2. Waits up to 5 s for another vmtrace. 0; -EBUSY (lock not free in time);
 * -errno of open, fork or write.
 */
int kptr_raise(const char *path, bool force_from_2, struct kptr **kptr);

/* Restores and waits until it is restored. kptr_restore(NULL) is legal; frees kptr. */
void kptr_restore(struct kptr *kptr);

/* The value that was found. */
int kptr_value(const struct kptr *kptr);

#endif
