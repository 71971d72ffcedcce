/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cheapest window: where a request that does not fit would fit at the least cost. Of all runs
 * of the size asked for, aligned as asked for and inside the range asked for, the one that holds
 * the fewest live bytes. Live is what only its owner can give back: used and guard pages, and pages
 * of which nothing is known. Free pages cost nothing, nor do lazy ones: the kernel purges by itself
 * before it gives up (mm/vmalloc.c:alloc_vmap_area, label overflow).
 */
#ifndef VMTRACE_ALLOCATOR_WINDOW_H
#define VMTRACE_ALLOCATOR_WINDOW_H

#include <stdint.h>

#include "allocator/holeset.h"
#include "allocator/place.h"
#include "space/space.h"

struct window {
	uint32_t start; /* what an allocation there would get; guard page included in the end */
	uint32_t end;
	uint32_t live_bytes; /* used, guard and unknown bytes inside */
	uint32_t areas;      /* used areas that overlap it: those that would have to go */
};

/*
 * Finds the window of request with the least live bytes; among equals the one with the fewest
 * areas, then the lowest. The request's range is cut to the space's, its size rounded up to whole
 * pages. One pass over the pages, no memory. 0; -ENOENT: no such run lies inside the range (*window
 * is 0 then); -ENOMEM is kept for callers, it does not happen now.
 */
int window_cheapest(const struct space *space, const struct place_request *request,
		    struct window *window);

/*
 * The same where more allocations are thought of than the space has: left is what those leave of
 * the space's free and lazy pages. A page that it has not is taken, and no window goes over it.
 */
int window_cheapest_in(const struct space *space, const struct holeset *left,
		       const struct place_request *request, struct window *window);

/*
 * The used areas that overlap the window, in address order: the first after `after`, or the first
 * of all if that is NULL; NULL at the end. One may begin before window->start or end after
 * window->end.
 */
const struct area *window_next_area(const struct space *space, const struct window *window,
				    const struct area *after);

#endif
