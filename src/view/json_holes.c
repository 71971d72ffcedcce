// SPDX-License-Identifier: GPL-2.0-only
/* `holes --json`: every hole with its neighbours, the histogram, the trend (docs/HOLES.md). */
#include "view/json.h"

#include <errno.h>

#include "space/kind.h"
#include "view/hole_list.h"
#include "view/json_util.h"

static void put_histogram(struct json_put *put, const struct holes_report *report)
{
	json_t *array = json_array();

	for (unsigned int i = 0; i < HOLES_BUCKETS; i++) {
		struct json_put bucket = json_put_new();

		json_put_uint(&bucket, "from_bytes", (uint64_t)VMT_PAGE_SIZE << i);
		json_put_uint(&bucket, "below_bytes", (uint64_t)VMT_PAGE_SIZE << (i + 1));
		json_put_uint(&bucket, "holes", report->bucket_count[i]);
		json_put_uint(&bucket, "bytes", report->bucket_bytes[i]);
		json_put_append(put, array, &bucket);
	}
	json_put_value(put, "histogram", array);
}

/* Puts an object as a value and takes it. */
static void put_object(struct json_put *put, const char *key, struct json_put *object)
{
	put->failed |= object->failed;
	json_put_value(put, key, object->object);
}

static void put_area(struct json_put *put, const struct view *view, const struct area *area)
{
	json_put_addr(put, "start", area->start);
	json_put_addr(put, "end", area->end);
	json_put_uint(put, "bytes", area->end - area->start);
	json_put_text(put, "state", area->state == AREA_LAZY ? "lazy" : "used");
	json_put_text(put, "kind", kind_name(area->kind));
	json_put_text(put, "owner", json_owner_name(view, area));
	if (area->pid || area->comm_id) {
		json_put_uint(put, "pid", area->pid);
		json_put_text(put, "comm", names_text(view->names, area->comm_id));
	}
	json_put_bool(put, "own", area->flags & AREA_F_OWN);
}

/* What covers addr; null beyond the range, only a state where nothing is known. */
static void put_neighbour(struct json_put *put, const char *key, const struct view *view,
			  uint32_t addr, bool inside)
{
	const struct area *area = inside ? space_area_at(view->space, addr) : NULL;
	struct json_put side;

	if (!inside) {
		json_put_value(put, key, json_null());
		return;
	}
	side = json_put_new();
	if (area)
		put_area(&side, view, area);
	else
		json_put_text(&side, "state", "unknown");
	put_object(put, key, &side);
}

static struct json_put hole_object(const struct view *view, const struct hole *hole)
{
	struct json_put put = json_put_new();

	json_put_addr(&put, "start", hole->start);
	json_put_addr(&put, "end", hole->end);
	json_put_uint(&put, "bytes", hole->end - hole->start);
	put_neighbour(&put, "below", view, hole->start - 1, hole->start > space_start(view->space));
	put_neighbour(&put, "above", view, hole->end, hole->end < space_end(view->space));
	return put;
}

static void put_hole(struct json_put *put, const char *key, const struct view *view,
		     const struct hole *hole)
{
	struct json_put object;

	if (hole->start == hole->end) {
		json_put_value(put, key, json_null());
		return;
	}
	object = hole_object(view, hole);
	put_object(put, key, &object);
}

/* "used_bytes" is the value at the end of the step, "used_bytes_min" the least of the step. */
static void put_trend_value(struct json_put *put, enum trend_what what,
			    const struct trend_value *value)
{
	static const char *const keys[TREND_WHAT_COUNT][3] = {
		[TREND_USED] = { "used_bytes", "used_bytes_min", "used_bytes_max" },
		[TREND_LAZY] = { "lazy_bytes", "lazy_bytes_min", "lazy_bytes_max" },
		[TREND_FREE] = { "free_bytes", "free_bytes_min", "free_bytes_max" },
		[TREND_LARGEST] = { "largest_hole_bytes", "largest_hole_bytes_min",
				    "largest_hole_bytes_max" },
		[TREND_AFTER_PURGE] = { "largest_hole_after_purge_bytes",
					"largest_hole_after_purge_bytes_min",
					"largest_hole_after_purge_bytes_max" },
	};

	json_put_uint(put, keys[what][0], value->last);
	json_put_uint(put, keys[what][1], value->min);
	json_put_uint(put, keys[what][2], value->max);
}

static void append_step(struct json_put *outer, json_t *array, const struct trend_report *report,
			uint32_t index)
{
	const struct trend_bucket *bucket = &report->buckets[index];
	struct json_put put = json_put_new();

	json_put_uint(&put, "t", trend_end_ns(report, index));
	for (unsigned int what = 0; what < TREND_WHAT_COUNT; what++)
		put_trend_value(&put, what, &bucket->value[what]);
	json_put_uint(&put, "failed", bucket->fails);
	json_put_bool(&put, "uncertain", bucket->uncertain);
	json_put_append(outer, array, &put);
}

static void put_trend(struct json_put *put, const struct view *view)
{
	struct trend_report report = { 0 };
	json_t *array = json_array();

	if (view->trend)
		trend_report(view->trend, view->space, view->facts->now_ns, &report);
	for (uint32_t i = 0; i < report.count; i++)
		append_step(put, array, &report, i);
	if (report.count) {
		json_put_uint(put, "trend_start_ns", report.start_ns);
		json_put_uint(put, "trend_step_ns", report.step_ns);
	}
	json_put_value(put, "trend", array);
	json_put_value(put, "largest_hole_slope_bytes_per_hour",
		       report.has_slope ? json_integer(report.slope) : json_null());
}

/* The keys before the list of holes. */
static struct json_put head_object(const struct view *view)
{
	struct space_totals totals = space_totals(view->space);
	struct json_put put = json_put_new();
	struct holes_report report;

	holes_report(view->space, &report);
	json_put_uint(&put, "holes", report.count);
	json_put_uint(&put, "free_bytes", report.free_bytes);
	json_put_uint(&put, "lazy_bytes", totals.lazy_bytes);
	json_put_largest(&put, &report);
	json_put_real(&put, "fragmentation", holes_fragmentation(&report));
	json_put_trust(&put, view);
	put_histogram(&put, &report);
	put_hole(&put, "largest_hole", view, &report.largest);
	put_hole(&put, "largest_hole_after_purge", view, &report.largest_after_purge);
	return put;
}

/* One hole after the other: there can be 393,216 of them, each as an object some 3 KB. */
static int print_holes(FILE *out, const struct view *view, const struct hole_list *list)
{
	int err = 0;

	fputs(",\"holes_list\":[", out);
	for (uint32_t i = 0; i < list->count && !err; i++) {
		struct json_put hole = hole_object(view, &list->holes[i]);

		if (i)
			putc(',', out);
		err = json_put_part(out, &hole, true);
	}
	fputs("],", out);
	return err;
}

int json_holes(FILE *out, const struct view *view, unsigned int top)
{
	struct json_put put;
	struct hole_list list;
	int err;

	if (hole_list_largest(view->space, top, &list) < 0)
		return -ENOMEM;
	putc('{', out);
	put = head_object(view);
	err = json_put_part(out, &put, false);
	if (!err)
		err = print_holes(out, view, &list);
	hole_list_release(&list);
	if (err)
		return err;
	put = json_put_new();
	put_trend(&put, view);
	err = json_put_part(out, &put, false);
	if (!err && (fputs("}\n", out) == EOF || ferror(out)))
		err = -EIO;
	return err;
}
