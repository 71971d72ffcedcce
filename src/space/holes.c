/* SPDX-License-Identifier: GPL-2.0-only */
#include "space/holes.h"

#include <string.h>

static bool counts_as_hole(const struct space *space, uint32_t addr, bool lazy_too)
{
	enum page_state state = space_page(space, addr);

	return state == PAGE_FREE || (lazy_too && state == PAGE_LAZY);
}

bool holes_next(const struct space *space, uint32_t addr, bool lazy_too, struct hole *hole)
{
	uint32_t end = space_end(space);

	if (addr < space_start(space))
		addr = space_start(space);
	while (addr < end && !counts_as_hole(space, addr, lazy_too))
		addr += VMT_PAGE_SIZE;
	hole->start = addr;
	while (addr < end && counts_as_hole(space, addr, lazy_too))
		addr += VMT_PAGE_SIZE;
	hole->end = addr;
	return hole->start < hole->end;
}

unsigned int holes_bucket(uint32_t bytes)
{
	unsigned int bucket = 0;

	while (bucket < HOLES_BUCKETS - 1 && bytes >= 2 * VMT_PAGE_SIZE) {
		bytes >>= 1;
		bucket++;
	}
	return bucket;
}

static void keep_larger(struct hole *largest, const struct hole *hole)
{
	if (hole->end - hole->start > largest->end - largest->start)
		*largest = *hole;
}

void holes_report(const struct space *space, struct holes_report *report)
{
	struct hole hole;

	memset(report, 0, sizeof(*report));
	for (uint32_t at = space_start(space); holes_next(space, at, false, &hole); at = hole.end) {
		uint32_t bytes = hole.end - hole.start;
		unsigned int bucket = holes_bucket(bytes);

		report->count++;
		report->free_bytes += bytes;
		report->bucket_count[bucket]++;
		report->bucket_bytes[bucket] += bytes;
		keep_larger(&report->largest, &hole);
	}
	for (uint32_t at = space_start(space); holes_next(space, at, true, &hole); at = hole.end)
		keep_larger(&report->largest_after_purge, &hole);
}

double holes_fragmentation(const struct holes_report *report)
{
	if (!report->free_bytes)
		return 0.0;
	return 1.0 - (double)(report->largest.end - report->largest.start) / report->free_bytes;
}
