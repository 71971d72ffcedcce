/* SPDX-License-Identifier: GPL-2.0-only */
/* Which BTF to take, of those there are. Pure; btf.c looks what there is and fetches it. */
#ifndef VMTRACE_CAPTURE_BTF_PICK_H
#define VMTRACE_CAPTURE_BTF_PICK_H

#include <stdbool.h>
#include <stddef.h>

#define BTF_GENERIC  "generic"  /* the entry for any 32-bit x86 kernel, and a wish for it */
#define BTF_EMBEDDED "embedded" /* the wish for the entry of the running release */

/* One BTF file built into this binary (vmlinux/README.md). */
struct btf_embedded {
	const char *name; /* utsname.release, or BTF_GENERIC */
	const unsigned char *begin;
	const unsigned char *end;
};

enum btf_from {
	BTF_FROM_FILE = 0,
	BTF_FROM_KERNEL,
	BTF_FROM_EMBEDDED, /* the entry of exactly this release */
	BTF_FROM_GENERIC,
	BTF_FROM_NOWHERE, /* what was wished for is not there */
};

/*
 * wish: --btf, or NULL. A user's word wins, and nothing else is taken in its place; else the
 * kernel's own, else the entry of release, else the generic one, whose layout holds on every
 * 32-bit x86 kernel (vmlinux/generic.c). *entry is the one picked of table for EMBEDDED and
 * GENERIC, else NULL.
 */
enum btf_from btf_pick(const char *wish, bool kernel_has_btf, const char *release,
		       const struct btf_embedded *table, size_t count,
		       const struct btf_embedded **entry);

#endif
