// SPDX-License-Identifier: GPL-2.0-only
#include "view/text.h"

#include "space/waste.h"
#include "view/text_util.h"

static void guard_line(FILE *out, const struct view *view, const struct waste_report *report)
{
	char bytes[TEXT_NUMBER], percent[TEXT_NUMBER], areas[TEXT_NUMBER], all[TEXT_NUMBER];

	fprintf(out, " guard %s: %s of the space, behind %s of %s areas\n",
		text_bytes(view, report->guard_bytes, bytes),
		text_percent(view, report->guard_bytes, space_totals(view->space).total_bytes,
			     percent),
		text_count(view, report->guarded_areas, areas),
		text_count(view, report->areas, all));
}

static void one_page_line(FILE *out, const struct view *view, const struct waste_report *report)
{
	char areas[TEXT_NUMBER], payload[TEXT_NUMBER], bytes[TEXT_NUMBER];

	fprintf(out, " one-page areas cost double: %s of payload in %s, %s of them\n",
		text_bytes(view, report->one_page_areas * VMT_PAGE_SIZE, payload),
		text_bytes(view, report->one_page_bytes, bytes),
		text_count(view, report->one_page_areas, areas));
}

static void rounding_line(FILE *out, const struct view *view, const struct waste_report *report)
{
	char bytes[TEXT_NUMBER], known[TEXT_NUMBER], rest[TEXT_NUMBER];

	if (!report->known_areas) {
		fputs(" rounding waste is not known: of no area was the request seen\n", out);
		return;
	}
	fprintf(out, " rounding waste %s in %s areas", text_bytes(view, report->waste_bytes, bytes),
		text_count(view, report->known_areas, known));
	if (report->known_areas < report->areas)
		fprintf(out, "; of %s others it is not known",
			text_count(view, report->areas - report->known_areas, rest));
	putc('\n', out);
}

void text_waste(FILE *out, const struct view *view)
{
	struct waste_report report;

	waste_report(view->space, &report);
	if (!report.areas)
		return;
	guard_line(out, view, &report);
	if (report.one_page_areas)
		one_page_line(out, view, &report);
	rounding_line(out, view, &report);
}
