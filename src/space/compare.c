/* SPDX-License-Identifier: GPL-2.0-only */
#include "space/compare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_state_and_start(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if ((x->state == AREA_LAZY) != (y->state == AREA_LAZY))
		return (x->state == AREA_LAZY) - (y->state == AREA_LAZY);
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

/* What is lazy there and free here may have been purged after it was listed. */
static bool is_in_flight(const struct comparison *cmp, enum diff_type type, uint32_t start,
			 uint32_t end, uint32_t kernel_end)
{
	if (type == DIFF_LAZY && kernel_end && cmp->since_ns <= space_purged_ns(cmp->space))
		return true;
	return space_touched_since(cmp->space, start, end, cmp->since_ns);
}

static int add_diff(struct comparison *cmp, enum diff_type type, uint32_t start, uint32_t model_end,
		    uint32_t kernel_end)
{
	struct compare_result *result = cmp->result;
	uint32_t end = model_end > kernel_end ? model_end : kernel_end;

	if (is_in_flight(cmp, type, start, end, kernel_end)) {
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
	result->missing = result->extra = result->mismatched = result->lazy_diff_bytes = 0;
	for (uint32_t i = 0; i < result->nr_diffs; i++) {
		const struct diff *diff = &result->diffs[i];

		if (diff->type == DIFF_LAZY)
			result->lazy_diff_bytes += diff->model_end + diff->kernel_end - diff->start;
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

/* Puts the used lines first, in order and each once (a chunked seq_file may repeat one after a
 * concurrent insertion). Returns how many they are; the lazy lines follow, *lazy of them. */
static uint32_t split_used(struct event *areas, uint32_t count, uint32_t *lazy)
{
	uint32_t used = 0;

	qsort(areas, count, sizeof(*areas), by_state_and_start);
	while (used < count && areas[used].state != AREA_LAZY)
		used++;
	*lazy = count - used;
	return used;
}

static uint32_t drop_repeated(struct event *areas, uint32_t count)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (kept && areas[kept - 1].start == areas[i].start &&
		    areas[kept - 1].end == areas[i].end)
			continue;
		areas[kept++] = areas[i];
	}
	return kept;
}

/* A page of the kernel's lazy list that the model has as free, or the other way round. What is used
 * in one of them is a matter of the used areas. */
static enum page_state other_state(const uint8_t *listed, uint32_t page, enum page_state model)
{
	if (listed[page] && model == PAGE_FREE)
		return PAGE_LAZY;
	if (!listed[page] && model == PAGE_LAZY)
		return PAGE_FREE;
	return model;
}

/* Runs of pages whose laziness differs in the same way and that no event touched. */
static int compare_lazy_pages(struct comparison *cmp, const uint8_t *listed, const uint8_t *used)
{
	uint32_t start = space_start(cmp->space), end = space_end(cmp->space);
	int err = 0;

	for (uint32_t at = start; at < end && !err;) {
		enum page_state model = space_page(cmp->space, at);
		enum page_state kernel = other_state(listed, (at - start) / VMT_PAGE_SIZE, model);
		uint32_t from = at;

		if (kernel == model || used[(at - start) / VMT_PAGE_SIZE]) {
			at += VMT_PAGE_SIZE;
			continue;
		}
		while (at < end && space_page(cmp->space, at) == model &&
		       !used[(at - start) / VMT_PAGE_SIZE] &&
		       other_state(listed, (at - start) / VMT_PAGE_SIZE, model) == kernel)
			at += VMT_PAGE_SIZE;
		err = add_diff(cmp, DIFF_LAZY, from, model == PAGE_LAZY ? at : 0,
			       kernel == PAGE_LAZY ? at : 0);
	}
	return err;
}

static void mark_pages(const struct space *space, const struct event *areas, uint32_t count,
		       uint8_t *pages)
{
	uint32_t start = space_start(space), end = space_end(space);

	for (uint32_t i = 0; i < count; i++) {
		if (areas[i].start < start || areas[i].end > end || areas[i].end < areas[i].start)
			continue;
		memset(pages + (areas[i].start - start) / VMT_PAGE_SIZE, 1,
		       (areas[i].end - areas[i].start) / VMT_PAGE_SIZE);
	}
}

static uint32_t count_pages(const uint8_t *pages, uint32_t count)
{
	uint32_t set = 0;

	for (uint32_t page = 0; page < count; page++)
		set += pages[page];
	return set;
}

static int compare_lazy(struct comparison *cmp, const struct event *used, uint32_t nr_used,
			const struct event *lazy, uint32_t nr_lazy)
{
	uint32_t pages = space_totals(cmp->space).total_bytes / VMT_PAGE_SIZE;
	uint8_t *listed = calloc(2, pages);
	int err;

	if (!listed)
		return -ENOMEM;
	mark_pages(cmp->space, lazy, nr_lazy, listed);
	mark_pages(cmp->space, used, nr_used, listed + pages);
	cmp->result->lazy_kernel_bytes = count_pages(listed, pages) * VMT_PAGE_SIZE;
	err = compare_lazy_pages(cmp, listed, listed + pages);
	free(listed);
	return err;
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
	uint32_t used = 0, lazy = 0, kept;
	int err;

	cmp.since_ns = begin_ns > SPACE_SNAPSHOT_SLACK_NS ? begin_ns - SPACE_SNAPSHOT_SLACK_NS : 0;
	memset(result, 0, sizeof(*result));
	if (count)
		used = split_used(areas, count, &lazy);
	kept = drop_repeated(areas, used);
	result->areas_kernel = kept;
	result->areas_model = space_totals(space).areas;
	result->lazy_model_bytes = space_totals(space).lazy_bytes;
	err = merge_walk(&cmp, areas, kept);
	if (!err)
		err = compare_lazy(&cmp, areas, kept, areas + used, lazy);
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
