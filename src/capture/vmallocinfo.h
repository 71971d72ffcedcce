/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parser of /proc/vmallocinfo text. Pure: takes bytes, which are hostile until checked.
 * Format: lib/vsprintf.c (%pK, %pS), mm/vmalloc.c:s_show; differences between 4.15 and 7.3 are in
 * ../shared/KERNEL.md 3.4 and docs/KERNELS.md.
 */
#ifndef VMTRACE_CAPTURE_VMALLOCINFO_H
#define VMTRACE_CAPTURE_VMALLOCINFO_H

#include <stddef.h>
#include <stdint.h>

#include "event.h"

enum vmallocinfo_flag {
	VMI_LAZY = 1 << 0, /* "unpurged vm_area" */
	VMI_VM_MAP_RAM =
		1 << 1, /* "vm_map_ram": no vm_struct; on <= 6.1 also an area in transition */
	VMI_IOREMAP = 1 << 2,
	VMI_VMALLOC = 1 << 3,
	VMI_VMAP = 1 << 4,
	VMI_USER = 1 << 5,
	VMI_DMA_COHERENT = 1 << 6,
	VMI_SPARSE = 1 << 7,
	VMI_VPAGES = 1 << 8,
};

struct vmallocinfo_line {
	uint32_t start;
	uint32_t end; /* guard page included */
	uint32_t flags;
	uint32_t nr_pages;          /* pages=, 0 if absent */
	uint64_t phys VMT_ALIGNED8; /* phys=, 0 if absent */
	uint32_t caller;            /* offset of the NUL-terminated caller in text, 0 = none */
	uint32_t caller_len;
};

enum vmallocinfo_trust {
	VMI_REAL = 0, /* every line's end - start equals its size column, lines lie in the range */
	VMI_HASHED,   /* kptr_restrict=0: %p hashes, "(ptrval)" */
	VMI_ZEROED,   /* kptr_restrict=2, or no CAP_SYSLOG */
	VMI_EMPTY,    /* no line at all */
	VMI_GARBAGE,  /* a line that is none of this format, or outside the range */
};

struct vmallocinfo {
	struct vmallocinfo_line *lines; /* the real ones, in the order of the file */
	uint32_t count;
	char *text; /* callers, NUL-terminated, offsets from here; text[0] = 0 */
	enum vmallocinfo_trust trust;
	uint32_t bad_line; /* 1-based number of the first line that did not parse, 0 = none */
};

/*
 * Parses len bytes into *info (filled completely, also on error; release with
 * vmallocinfo_release). One untrue line spoils the trust in all, whatever the others are, for
 * kptr_restrict may change while the kernel prints. Only a last line without a newline is just
 * left out (and is bad_line), unless it ends with a word that ends lines. range_start/range_end:
 * lines outside make the trust VMI_GARBAGE; both 0 = not checked. 0 when the trust is VMI_REAL,
 * -EPERM for HASHED or ZEROED, -ENODATA for EMPTY, -EBADMSG for GARBAGE, -ENOMEM.
 */
int vmallocinfo_parse(const char *bytes, size_t len, uint32_t range_start, uint32_t range_end,
		      struct vmallocinfo *info);
void vmallocinfo_release(struct vmallocinfo *info);

/* The caller of a line ("n_tty_open+0x16/0xc0"), "" if it has none. */
const char *vmallocinfo_caller(const struct vmallocinfo *info, const struct vmallocinfo_line *line);

#endif
