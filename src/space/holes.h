/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Holes: maximal runs of free pages, which is what the next allocation can get. "After purge"
 * counts lazy pages as free, since an allocation that finds no hole purges and tries again
 * (mm/vmalloc.c:alloc_vmap_area, label overflow).
 */
#ifndef VMTRACE_SPACE_HOLES_H
#define VMTRACE_SPACE_HOLES_H

#include <stdbool.h>
#include <stdint.h>

#include "space/space.h"

#define HOLES_BUCKETS 20 /* 4K-8K, 8K-16K ... 2G-4G: bucket i holds 4096 << i .. */

struct hole {
	uint32_t start;
	uint32_t end;
};

struct holes_report {
	uint32_t count;
	uint32_t free_bytes;
	struct hole largest;             /* start = end = 0 if there is none */
	struct hole largest_after_purge; /* run of free and lazy pages */
	uint32_t bucket_count[HOLES_BUCKETS];
	uint32_t bucket_bytes[HOLES_BUCKETS];
};

/* Finds the next hole at or above addr. lazy_too: runs of free and lazy pages. False at the end. */
bool holes_next(const struct space *space, uint32_t addr, bool lazy_too, struct hole *hole);

void holes_report(const struct space *space, struct holes_report *report);

/* log2 bucket of a size in bytes (>= 4096). */
unsigned int holes_bucket(uint32_t bytes);

/* 1 - largest hole / all free bytes: 0 = one hole, towards 1 = crumbs. 0 when nothing is free. */
double holes_fragmentation(const struct holes_report *report);

#endif
