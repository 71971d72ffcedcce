/* SPDX-License-Identifier: GPL-2.0-only */
#include "space/compare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_start(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return 0;
}

struct comparison {
	const struct space *space;
	struct compare_result *result;
	uint64_t since_ns;
	uint32_t capacity;
};

static int add_diff(struct comparison *cmp, enum diff_type type, uint32_t start, uint32_t model_end,
		    uint32_t kernel_end)
{
	struct compare_result *result = cmp->result;
	uint32_t end = model_end > kernel_end ? model_end : kernel_end;

	if (space_touched_since(cmp->space, start, end, cmp->since_ns)) {
		result->in_flight++;
		return 0;
	}
	if (result->nr_diffs == cmp->capacity) {
		uint32_t capacity = cmp->capacity ? cmp->capacity * 2 : 64;
		struct diff *diffs = realloc(result->diffs, (size_t)capacity * sizeof(*diffs));

		if (!diffs)
			return -ENOMEM;
		result->diffs = diffs;
		cmp->capacity = capacity;
	}
	result->diffs[result->nr_diffs++] = (struct diff){
		.type = (uint8_t)type,
		.start = start,
		.model_end = model_end,
		.kernel_end = kernel_end,
	};
	return 0;
}

static void recount(struct compare_result *result)
{
	result->missing = result->extra = result->mismatched = 0;
	for (uint32_t i = 0; i < result->nr_diffs; i++) {
		result->missing += result->diffs[i].type == DIFF_MISSING;
		result->extra += result->diffs[i].type == DIFF_EXTRA;
		result->mismatched += result->diffs[i].type == DIFF_MISMATCH;
	}
}

static const struct area *first_used(const struct space *space, uint32_t addr)
{
	const struct area *area = space_first(space, addr);

	while (area && area->state != AREA_USED)
		area = space_first(space, area->end);
	return area;
}

/* The kernel's list without lazy lines and without lines listed twice (a chunked seq_file may
 * repeat one after a concurrent insertion). Returns how many are left. */
static uint32_t keep_used(struct event *areas, uint32_t count, struct compare_result *result)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (areas[i].state == AREA_LAZY) {
			result->lazy_kernel_bytes += areas[i].end - areas[i].start;
			continue;
		}
		if (kept && areas[kept - 1].start == areas[i].start &&
		    areas[kept - 1].end == areas[i].end)
			continue;
		areas[kept++] = areas[i];
	}
	return kept;
}

/* Two sorted lists walked side by side. */
static int merge_walk(struct comparison *cmp, const struct event *areas, uint32_t count)
{
	const struct area *area = first_used(cmp->space, space_start(cmp->space));
	uint32_t i = 0;
	int err = 0;

	while (!err && (i < count || area)) {
		if (!area || (i < count && areas[i].start < area->start)) {
			err = add_diff(cmp, DIFF_MISSING, areas[i].start, 0, areas[i].end);
			i++;
			continue;
		}
		if (i < count && areas[i].start == area->start) {
			if (areas[i].end != area->end)
				err = add_diff(cmp, DIFF_MISMATCH, area->start, area->end,
					       areas[i].end);
			i++;
		} else {
			err = add_diff(cmp, DIFF_EXTRA, area->start, area->end, 0);
		}
		area = first_used(cmp->space, area->end);
	}
	return err;
}

int compare_run(const struct space *space, struct event *areas, uint32_t count, uint64_t begin_ns,
		struct compare_result *result)
{
	struct comparison cmp = { .space = space, .result = result };
	int err;

	cmp.since_ns = begin_ns > SPACE_SNAPSHOT_SLACK_NS ? begin_ns - SPACE_SNAPSHOT_SLACK_NS : 0;
	memset(result, 0, sizeof(*result));
	qsort(areas, count, sizeof(*areas), by_start);
	count = keep_used(areas, count, result);
	result->areas_kernel = count;
	result->areas_model = space_totals(space).areas;
	result->lazy_model_bytes = space_totals(space).lazy_bytes;
	err = merge_walk(&cmp, areas, count);
	if (err < 0)
		compare_release(result);
	else
		recount(result);
	return err;
}

void compare_release(struct compare_result *result)
{
	free(result->diffs);
	memset(result, 0, sizeof(*result));
}

static bool same_diff(const struct diff *a, const struct diff *b)
{
	return a->type == b->type && a->start == b->start && a->model_end == b->model_end &&
	       a->kernel_end == b->kernel_end;
}

void compare_keep_common(struct compare_result *result, const struct compare_result *earlier)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < result->nr_diffs; i++) {
		bool common = false;

		for (uint32_t j = 0; j < earlier->nr_diffs && !common; j++)
			common = same_diff(&result->diffs[i], &earlier->diffs[j]);
		if (common)
			result->diffs[kept++] = result->diffs[i];
		else
			result->in_flight++;
	}
	result->nr_diffs = kept;
	recount(result);
}
