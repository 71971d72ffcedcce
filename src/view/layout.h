/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's address space as a picture: each boundary with where its value comes from. */
#ifndef VMTRACE_VIEW_LAYOUT_H
#define VMTRACE_VIEW_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "event.h"

#define LAYOUT_MAX 12

/* One boundary, and what lies below it. */
struct layout_row {
	uint64_t addr VMT_ALIGNED8; /* 4G is 0x100000000 */
	const char *name;           /* of the boundary, "" if it has none */
	const char *below;          /* what lies below it, down to the next row */
	const char *source;         /* how the value was found: "kcore", "derived: ..." */
};

struct layout {
	struct layout_row rows[LAYOUT_MAX]; /* from the top down */
	uint32_t count;
};

struct layout_input {
	uint32_t vmalloc_start;
	uint32_t vmalloc_end;
	uint32_t page_offset; /* 0 = not known */
	uint32_t high_memory; /* 0 = not known */
	bool highmem;         /* the kernel has CONFIG_HIGHMEM */
};

/* The rules are those of arch/x86/include/asm/pgtable_32_areas.h and page_32.h. */
void layout_build(const struct layout_input *input, struct layout *layout);

void layout_text(FILE *out, const struct layout *layout, const char *kernel);
/* 0, -ENOMEM or -EIO. */
int layout_json(FILE *out, const struct layout *layout, const char *kernel);

#endif
