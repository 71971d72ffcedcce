/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the kernel's allocator puts a request: the rule of mm/vmalloc.c, on a set of holes.
 *
 * alloc_vmap_area (5.2 on): the lowest address that fits. Its search of the free tree has one
 * catch: where it adjusts for alignment (align > PAGE_SIZE; before 5.16 every align > 1), it only
 * descends into subtrees that hold a free block of size + align - 1 bytes, and comes upon smaller
 * blocks that would do by chance of the tree's shape (find_vmap_lowest_match). So a hole that fits
 * exactly but not with that margin may be taken or passed over: then the answer here is the lowest
 * address, with `certain` false; and PLACE_PERHAPS if no other hole would do. The free tree goes on
 * below VMALLOC_START and above VMALLOC_END, so the holes at the two ends are longer there.
 *
 * pcpu_get_vm_areas, for one area a chunk (no NUMA): the highest address, its end aligned.
 *
 * Before 5.2 the search goes on from where the last one ended (free_vmap_cache): whether a request
 * fits is told rightly, the address is not.
 */
#ifndef VMTRACE_ALLOCATOR_PLACE_H
#define VMTRACE_ALLOCATOR_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "allocator/holeset.h"

struct place_request {
	uint32_t size;   /* as alloc_vmap_area gets it: whole pages, guard page included */
	uint32_t align;  /* a power of two; 0 and 1 = none */
	uint32_t vstart; /* the range searched: vstart and vend of alloc_vmap_area */
	uint32_t vend;
	bool top_down;    /* a percpu chunk */
	bool exact_pages; /* known: an align of a page needs no margin (5.16 on) */
};

enum place_answer {
	PLACE_NO = 0,
	PLACE_PERHAPS, /* it fits, but the kernel's search may pass that hole over */
	PLACE_YES,
};

struct place {
	enum place_answer answer;
	uint32_t start;  /* the lowest address that is possible; PLACE_NO: 0 */
	uint32_t latest; /* the highest, if it succeeds; PLACE_NO: 0 */
	bool certain;    /* they are the same, and it succeeds or not for certain */
};

struct place place_find(const struct holeset *set, const struct place_request *request);

/*
 * The same for a request that was asked of the set before, when ranges were only taken from it
 * since: what did not fit then does not now. *from: where the search goes on, in the direction of
 * the request; PLACE_FROM_START at first, then left to this function.
 */
#define PLACE_FROM_START 0u
struct place place_find_from(const struct holeset *set, const struct place_request *request,
			     uint32_t *from);

/*
 * What the kernel's function of this kind asks alloc_vmap_area for when it is asked for bytes:
 *   vmalloc, user, dma-coherent, vmap    whole pages and a guard page, align 1
 *   ioremap    aligned to its size rounded up to a power of two, at most pmd_bytes (2 MB with PAE,
 *              4 MB without: IOREMAP_MAX_ORDER); 0 = not known: 4 MB
 *   module, bpf    aligned to a page, from module_start on (KASLR moves it up by 1 to 1024 pages,
 *              once a boot); 0 = not known: from the start of the range
 *   vm_map_ram    no guard page, aligned to a page (more than 32 pages; fewer share a block)
 *   percpu     no guard page, top down
 * align: 0 = the kind's own. Returns 0; -EINVAL for 0 bytes, an align that is no power of two, or
 * a size that 32 bits do not hold.
 */
struct place_range {
	uint32_t start;
	uint32_t end;
	uint32_t module_start;
	uint32_t pmd_bytes;
	bool exact_pages;
};
int place_request_of_kind(enum area_kind kind, uint32_t bytes, uint32_t align,
			  const struct place_range *range, struct place_request *request);

#endif
