/* SPDX-License-Identifier: GPL-2.0-only */
#include "space/waste.h"

#include <string.h>

static uint32_t payload_bytes(const struct area *area)
{
	return area->end - area->start - area->guard_pages * VMT_PAGE_SIZE;
}

bool waste_of(const struct area *area, uint32_t *waste_bytes)
{
	uint32_t payload = payload_bytes(area);

	if (area->state != AREA_USED || !area->requested || area->requested > payload)
		return false;
	*waste_bytes = payload - area->requested;
	return true;
}

static void add_area(struct waste_report *report, const struct area *area)
{
	uint32_t waste;

	report->areas++;
	report->guard_bytes += area->guard_pages * VMT_PAGE_SIZE;
	if (area->guard_pages)
		report->guarded_areas++;
	if (area->guard_pages && payload_bytes(area) == VMT_PAGE_SIZE) {
		report->one_page_areas++;
		report->one_page_bytes += area->end - area->start;
	}
	if (waste_of(area, &waste)) {
		report->known_areas++;
		report->waste_bytes += waste;
	}
}

void waste_report(const struct space *space, struct waste_report *report)
{
	const struct area *area = space_first(space, space_start(space));

	memset(report, 0, sizeof(*report));
	for (; area; area = space_first(space, area->end)) {
		if (area->state == AREA_USED)
			add_area(report, area);
	}
}
