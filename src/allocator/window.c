/* SPDX-License-Identifier: GPL-2.0-only */
#include "allocator/window.h"

#include <errno.h>
#include <stdbool.h>

/* A run of pages that slides up, and what is in it. 64 bits: its end may be 4 GiB. */
struct slide {
	const struct space *space;
	const struct holeset *left; /* NULL: all that is free or lazy */
	uint64_t start;
	uint64_t end;
	uint32_t live_pages;
	uint32_t taken_pages;
	uint32_t areas;
};

static bool is_live(const struct space *space, uint64_t addr)
{
	enum page_state state = space_page(space, (uint32_t)addr);

	return state == PAGE_USED || state == PAGE_GUARD || state == PAGE_UNKNOWN;
}

/* Free or lazy, but given away in thought. */
static bool is_taken(const struct slide *slide, uint64_t addr)
{
	return slide->left && !is_live(slide->space, addr) &&
	       !holeset_has(slide->left, (uint32_t)addr, (uint32_t)addr + VMT_PAGE_SIZE);
}

static const struct area *used_area_at(const struct space *space, uint64_t addr)
{
	const struct area *area = space_area_at(space, (uint32_t)addr);

	return area && area->state == AREA_USED ? area : NULL;
}

/* The page above the end comes in; an area counts from its first page inside on. */
static void take_in(struct slide *slide)
{
	const struct area *area = used_area_at(slide->space, slide->end);

	slide->live_pages += is_live(slide->space, slide->end);
	slide->taken_pages += is_taken(slide, slide->end);
	slide->areas += area && (area->start == slide->end || slide->start == slide->end);
	slide->end += VMT_PAGE_SIZE;
}

/* The lowest page goes out, and with its last page an area. */
static void let_go(struct slide *slide)
{
	const struct area *area = used_area_at(slide->space, slide->start);

	slide->live_pages -= is_live(slide->space, slide->start);
	slide->taken_pages -= is_taken(slide, slide->start);
	slide->areas -= area && area->end == slide->start + VMT_PAGE_SIZE;
	slide->start += VMT_PAGE_SIZE;
}

/* pcpu_get_vm_areas aligns the end, alloc_vmap_area the start. */
static bool is_aligned(const struct slide *slide, const struct place_request *request)
{
	uint64_t addr = request->top_down ? slide->end : slide->start;

	return request->align <= 1 || addr % request->align == 0;
}

static void keep_cheaper(struct window *best, const struct slide *slide)
{
	uint32_t live_bytes = slide->live_pages * VMT_PAGE_SIZE;

	if (best->end && (live_bytes > best->live_bytes ||
			  (live_bytes == best->live_bytes && slide->areas >= best->areas)))
		return;
	*best = (struct window){ (uint32_t)slide->start, (uint32_t)slide->end, live_bytes,
				 slide->areas };
}

static uint64_t page_up(uint64_t addr)
{
	return (addr + VMT_PAGE_SIZE - 1) & ~(uint64_t)(VMT_PAGE_SIZE - 1);
}

int window_cheapest_in(const struct space *space, const struct holeset *left,
		       const struct place_request *request, struct window *window)
{
	uint32_t low = request->vstart > space_start(space) ? request->vstart : space_start(space);
	uint32_t high = request->vend < space_end(space) ? request->vend : space_end(space);
	struct slide slide = {
		.space = space, .left = left, .start = page_up(low), .end = page_up(low)
	};
	uint64_t size = page_up(request->size);

	*window = (struct window){ 0 };
	if (!size || slide.start + size > high)
		return -ENOENT;
	while (slide.end < slide.start + size)
		take_in(&slide);
	for (;;) {
		if (!slide.taken_pages && is_aligned(&slide, request))
			keep_cheaper(window, &slide);
		if (slide.end + VMT_PAGE_SIZE > high)
			break;
		take_in(&slide);
		let_go(&slide);
	}
	return window->end ? 0 : -ENOENT;
}

int window_cheapest(const struct space *space, const struct place_request *request,
		    struct window *window)
{
	return window_cheapest_in(space, NULL, request, window);
}

const struct area *window_next_area(const struct space *space, const struct window *window,
				    const struct area *after)
{
	const struct area *area;

	if (!after) {
		area = used_area_at(space, window->start);
		if (area)
			return area;
	}
	area = space_first(space, after ? after->end : window->start);
	while (area && area->start < window->end && area->state != AREA_USED)
		area = space_first(space, area->end);
	return area && area->start < window->end ? area : NULL;
}
