// SPDX-License-Identifier: GPL-2.0-only
#include "view/json_util.h"

const char *json_owner_name(const struct view *view, const struct area *area)
{
	const char *name =
		names_text(view->names, owners_caller_of(area, view->names, view->stacks));

	return *name ? name : "?";
}

void json_put_trust(struct json_put *put, const struct view *view)
{
	json_put_uint(put, "lost_events", space_counters(view->space)->lost);
	json_put_bool(put, "uncertain", space_uncertain(view->space));
}

void json_put_states(struct json_put *put, const struct space_totals *totals)
{
	json_put_uint(put, "total_bytes", totals->total_bytes);
	json_put_uint(put, "used_bytes", totals->used_bytes);
	json_put_uint(put, "guard_bytes", totals->guard_bytes);
	json_put_uint(put, "lazy_bytes", totals->lazy_bytes);
	json_put_uint(put, "free_bytes", totals->free_bytes);
	json_put_uint(put, "unknown_bytes", totals->unknown_bytes);
}

void json_put_totals(struct json_put *put, const struct space_totals *totals)
{
	json_put_addr(put, "vmalloc_start", totals->start);
	json_put_addr(put, "vmalloc_end", totals->end);
	json_put_states(put, totals);
}

void json_put_largest(struct json_put *put, const struct holes_report *report)
{
	json_put_uint(put, "largest_hole_bytes", report->largest.end - report->largest.start);
	json_put_addr(put, "largest_hole_start", report->largest.start);
	json_put_uint(put, "largest_hole_after_purge_bytes",
		      report->largest_after_purge.end - report->largest_after_purge.start);
}
