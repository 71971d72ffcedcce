/* SPDX-License-Identifier: GPL-2.0-only */
#include "allocator/place.h"

#include <errno.h>

#define PMD_BYTES_MAX (4u << 20)

/* mm/vmalloc.c:vmap_init_free_space: the free tree holds all addresses from 1 to ULONG_MAX. */
#define TREE_START 1u
#define TREE_END   UINT32_MAX

static const struct place no_place = { .answer = PLACE_NO, .certain = true };

static uint64_t align_up(uint64_t addr, uint32_t align)
{
	return align > 1 ? (addr + align - 1) & ~(uint64_t)(align - 1) : addr;
}

/* The first fit in this hole, with the rule of is_within_this_va; 0 if there is none. */
static uint32_t fit_in(const struct hole *hole, const struct place_request *request)
{
	uint64_t start = align_up(hole->start > request->vstart ? hole->start : request->vstart,
				  request->align);

	return start + request->size <= hole->end ? (uint32_t)start : 0;
}

/*
 * True if the kernel's search cannot pass this hole over: the length it looks for (see place.h) is
 * no more than that of the free block, and the blocks at the two ends go on beyond the space.
 */
static bool has_margin(const struct holeset *set, const struct hole *hole,
		       const struct place_request *request)
{
	uint32_t start = hole->start == holeset_start(set) ? TREE_START : hole->start;
	uint32_t end = hole->end == holeset_end(set) ? TREE_END : hole->end;

	if (request->align <= 1)
		return true;
	if (request->exact_pages &&
	    (request->align <= VMT_PAGE_SIZE || request->vend - request->vstart == request->size))
		return true;
	return end - start >= (uint64_t)request->size + request->align - 1;
}

/* Lowest first. A fit that has no margin is kept as what may be, until one with margin is found:
 * that one cannot be passed over, so nothing above it is possible. */
static struct place find_lowest(const struct holeset *set, const struct place_request *request,
				uint32_t from)
{
	struct place place = no_place;
	uint32_t first = from > request->vstart ? from : request->vstart;

	for (uint32_t i = holeset_index(set, first); i < holeset_count(set); i++) {
		struct hole hole = holeset_at(set, i);
		uint32_t start = fit_in(&hole, request);

		if (!start)
			continue;
		if ((uint64_t)start + request->size > request->vend)
			break; /* so would every one above it */
		if (!place.start)
			place.start = start;
		place.latest = start;
		place.answer = PLACE_PERHAPS;
		if (has_margin(set, &hole, request)) {
			place.answer = PLACE_YES;
			break;
		}
	}
	place.certain = place.answer != PLACE_PERHAPS && place.start == place.latest;
	return place;
}

/* pcpu_get_vm_areas, pvm_determine_end_from_reverse. */
static struct place find_highest(const struct holeset *set, const struct place_request *request,
				 uint32_t from)
{
	uint32_t mask = request->align > 1 ? ~(request->align - 1) : ~0u;
	uint32_t vend = request->vend & mask;
	uint64_t vstart = align_up(request->vstart, request->align);
	uint32_t first = from ? holeset_index(set, from) + 1 : holeset_count(set);

	for (uint32_t i = first < holeset_count(set) ? first : holeset_count(set); i-- > 0;) {
		struct hole hole = holeset_at(set, i);
		uint32_t end = (hole.end < vend ? hole.end : vend) & mask;

		if (end <= hole.start || end - hole.start < request->size)
			continue;
		if (end - request->size < vstart)
			break;
		return (struct place){ PLACE_YES, end - request->size, end - request->size, true };
	}
	return no_place;
}

struct place place_find_from(const struct holeset *set, const struct place_request *request,
			     uint32_t *from)
{
	struct place place = no_place;

	if (!request->size || request->vstart >= request->vend)
		return place;
	place = request->top_down ? find_highest(set, request, *from)
				  : find_lowest(set, request, *from);
	if (place.start)
		*from = place.start;
	return place;
}

struct place place_find(const struct holeset *set, const struct place_request *request)
{
	uint32_t from = PLACE_FROM_START;

	return place_find_from(set, request, &from);
}

/* mm/vmalloc.c:__get_vm_area_node: 1 << clamp(order of size, PAGE_SHIFT, IOREMAP_MAX_ORDER). */
static uint32_t ioremap_align(uint32_t bytes, uint32_t pmd_bytes)
{
	uint32_t align = VMT_PAGE_SIZE, most = pmd_bytes ? pmd_bytes : PMD_BYTES_MAX;

	while (align < bytes && align < most)
		align <<= 1;
	return align;
}

int place_request_of_kind(enum area_kind kind, uint32_t bytes, uint32_t align,
			  const struct place_range *range, struct place_request *request)
{
	bool module = kind == KIND_MODULE || kind == KIND_BPF;
	bool guard = kind != KIND_VM_MAP_RAM && kind != KIND_PERCPU;
	uint64_t pages_bytes = align_up(bytes, VMT_PAGE_SIZE);
	uint64_t size = pages_bytes + (guard ? VMT_PAGE_SIZE : 0);

	if (!bytes || size > UINT32_MAX || (align & (align - 1)))
		return -EINVAL;
	*request = (struct place_request){
		.size = (uint32_t)size,
		.align = align ? align : 1,
		.vstart = module && range->module_start ? range->module_start : range->start,
		.vend = range->end,
		.top_down = kind == KIND_PERCPU,
		.exact_pages = range->exact_pages,
	};
	if (align)
		return 0;
	if (kind == KIND_IOREMAP)
		request->align = ioremap_align((uint32_t)pages_bytes, range->pmd_bytes);
	else if (module || !guard)
		request->align = VMT_PAGE_SIZE;
	return 0;
}
