/* SPDX-License-Identifier: GPL-2.0-only */
#include "space/holeset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct holeset {
	struct hole *holes;
	uint32_t count;
	uint32_t capacity;
	uint32_t start;
	uint32_t end;
};

struct holeset *holeset_new(uint32_t start, uint32_t end)
{
	struct holeset *set = calloc(1, sizeof(*set));

	if (!set)
		return NULL;
	set->start = start;
	set->end = end;
	return set;
}

void holeset_free(struct holeset *set)
{
	if (!set)
		return;
	free(set->holes);
	free(set);
}

static int make_room(struct holeset *set, uint32_t count)
{
	uint32_t capacity = count + count / 2 + 64;
	struct hole *holes;

	if (count <= set->capacity)
		return 0;
	holes = realloc(set->holes, (size_t)capacity * sizeof(*holes));
	if (!holes)
		return -ENOMEM;
	set->holes = holes;
	set->capacity = capacity;
	return 0;
}

struct holeset *holeset_of_space(const struct space *space, bool lazy_too)
{
	struct holeset *set = holeset_new(space_start(space), space_end(space));
	struct hole hole;

	if (!set)
		return NULL;
	for (uint32_t at = set->start; holes_next(space, at, lazy_too, &hole); at = hole.end) {
		if (make_room(set, set->count + 1) < 0) {
			holeset_free(set);
			return NULL;
		}
		set->holes[set->count++] = hole;
	}
	return set;
}

struct holeset *holeset_copy(const struct holeset *set)
{
	struct holeset *copy = holeset_new(set->start, set->end);

	if (!copy || make_room(copy, set->count) < 0) {
		holeset_free(copy);
		return NULL;
	}
	if (set->count)
		memcpy(copy->holes, set->holes, (size_t)set->count * sizeof(*set->holes));
	copy->count = set->count;
	return copy;
}

static bool range_ok(const struct holeset *set, uint32_t start, uint32_t end)
{
	return start < end && start >= set->start && end <= set->end &&
	       start % VMT_PAGE_SIZE == 0 && end % VMT_PAGE_SIZE == 0;
}

uint32_t holeset_index(const struct holeset *set, uint32_t addr)
{
	uint32_t low = 0, high = set->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (set->holes[middle].end > addr)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* Puts the nr holes at list in the place of those from index first to last, last not included. */
static int replace(struct holeset *set, uint32_t first, uint32_t last, const struct hole *list,
		   uint32_t nr)
{
	uint32_t count = set->count - (last - first) + nr;
	int err = make_room(set, count);

	if (err)
		return err;
	if (last < set->count)
		memmove(set->holes + first + nr, set->holes + last,
			(size_t)(set->count - last) * sizeof(*set->holes));
	for (uint32_t i = 0; i < nr; i++)
		set->holes[first + i] = list[i];
	set->count = count;
	return 0;
}

int holeset_give(struct holeset *set, uint32_t start, uint32_t end)
{
	struct hole merged = { .start = start, .end = end };
	uint32_t first, last;

	if (!range_ok(set, start, end))
		return -EINVAL;
	first = holeset_index(set, start - 1); /* one that ends at start touches it */
	for (last = first; last < set->count && set->holes[last].start <= end; last++) {
		if (set->holes[last].start < merged.start)
			merged.start = set->holes[last].start;
		if (set->holes[last].end > merged.end)
			merged.end = set->holes[last].end;
	}
	return replace(set, first, last, &merged, 1);
}

int holeset_clear(struct holeset *set, uint32_t start, uint32_t end)
{
	struct hole rest[2];
	uint32_t first, last, nr = 0;

	if (!range_ok(set, start, end))
		return -EINVAL;
	first = holeset_index(set, start);
	for (last = first; last < set->count && set->holes[last].start < end; last++)
		;
	if (first == last)
		return 0;
	if (set->holes[first].start < start)
		rest[nr++] = (struct hole){ set->holes[first].start, start };
	if (set->holes[last - 1].end > end)
		rest[nr++] = (struct hole){ end, set->holes[last - 1].end };
	return replace(set, first, last, rest, nr);
}

bool holeset_has(const struct holeset *set, uint32_t start, uint32_t end)
{
	uint32_t index = holeset_index(set, start);

	return start < end && index < set->count && set->holes[index].start <= start &&
	       set->holes[index].end >= end;
}

int holeset_take(struct holeset *set, uint32_t start, uint32_t end)
{
	if (!range_ok(set, start, end) || !holeset_has(set, start, end))
		return -EINVAL;
	return holeset_clear(set, start, end);
}

uint32_t holeset_start(const struct holeset *set)
{
	return set->start;
}

uint32_t holeset_end(const struct holeset *set)
{
	return set->end;
}

uint32_t holeset_count(const struct holeset *set)
{
	return set->count;
}

struct hole holeset_at(const struct holeset *set, uint32_t index)
{
	return set->holes[index];
}

uint32_t holeset_free_bytes(const struct holeset *set)
{
	uint32_t bytes = 0;

	for (uint32_t i = 0; i < set->count; i++)
		bytes += set->holes[i].end - set->holes[i].start;
	return bytes;
}

struct hole holeset_largest(const struct holeset *set)
{
	struct hole largest = { 0, 0 };

	for (uint32_t i = 0; i < set->count; i++) {
		if (set->holes[i].end - set->holes[i].start > largest.end - largest.start)
			largest = set->holes[i];
	}
	return largest;
}
