/* SPDX-License-Identifier: GPL-2.0-only */
#include "space/holes.h"

#include <string.h>

bool holes_next(const struct space *space, uint32_t addr, bool lazy_too, struct hole *hole)
{
	uint32_t end = space_end(space), run_end;

	if (addr < space_start(space))
		addr = space_start(space);
	hole->start = hole->end = end;
	for (; addr < end; addr = run_end) {
		enum page_state state = space_stretch(space, addr, &run_end);
		bool counts = state == PAGE_FREE || (lazy_too && state == PAGE_LAZY);

		if (counts && hole->start == end)
			hole->start = addr;
		if (counts)
			hole->end = run_end;
		else if (hole->start < end)
			break;
	}
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

static void count_hole(struct holes_report *report, const struct hole *hole)
{
	uint32_t bytes = hole->end - hole->start;
	unsigned int bucket = holes_bucket(bytes);

	report->count++;
	report->free_bytes += bytes;
	report->bucket_count[bucket]++;
	report->bucket_bytes[bucket] += bytes;
	keep_larger(&report->largest, hole);
}

/* One walk for both: `purged` is the run of free and lazy pages that ends here. */
void holes_report(const struct space *space, struct holes_report *report)
{
	uint32_t end = space_end(space), run_end;
	struct hole purged = { 0, 0 };

	memset(report, 0, sizeof(*report));
	for (uint32_t at = space_start(space); at < end; at = run_end) {
		enum page_state state = space_stretch(space, at, &run_end);
		struct hole run = { at, run_end };

		if (state == PAGE_FREE)
			count_hole(report, &run);
		else if (state != PAGE_LAZY)
			continue;
		if (purged.end != at)
			purged.start = at;
		purged.end = run_end;
		keep_larger(&report->largest_after_purge, &purged);
	}
}

double holes_fragmentation(const struct holes_report *report)
{
	if (!report->free_bytes)
		return 0.0;
	return 1.0 - (double)(report->largest.end - report->largest.start) / report->free_bytes;
}
