/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the space pays beside the bytes that were asked for: a guard page behind nearly every area
 * (mm/vmalloc.c:__get_vm_area_node, unless VM_NO_GUARD), and the rest of the last page, since
 * vmalloc gives whole pages. The rest is known only of areas whose request was seen.
 */
#ifndef VMTRACE_SPACE_WASTE_H
#define VMTRACE_SPACE_WASTE_H

#include <stdbool.h>
#include <stdint.h>

#include "space/space.h"

/* Of all used areas. */
struct waste_report {
	uint32_t areas;
	uint32_t guard_bytes;
	uint32_t guarded_areas;  /* those that have a guard page */
	uint32_t one_page_areas; /* those of one payload page and a guard: they take double */
	uint32_t one_page_bytes; /* what these take, guard included */
	uint32_t known_areas;    /* those whose request is known */
	uint32_t waste_bytes;    /* of these: payload less what was asked */
};

/* The rounding waste of a used area: its size less guard less what was asked. False if that is not
 * known: nobody saw the request, or it is larger than the area (then it cannot be true). */
bool waste_of(const struct area *area, uint32_t *waste_bytes);

void waste_report(const struct space *space, struct waste_report *report);

#endif
