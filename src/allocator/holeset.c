/* SPDX-License-Identifier: GPL-2.0-only */
#include "allocator/holeset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The array has a gap where the last change was, so that changes in address order, which is how an
 * attempt and a purge make them, move few holes: holes[0 .. gap) are the first, holes[capacity -
 * (count - gap) .. capacity) the rest. */
struct holeset {
	struct hole *holes;
	uint32_t count;
	uint32_t capacity;
	uint32_t gap;
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

struct hole holeset_at(const struct holeset *set, uint32_t index)
{
	return set->holes[index < set->gap ? index : index + (set->capacity - set->count)];
}

static void move_gap(struct holeset *set, uint32_t to)
{
	uint32_t room = set->capacity - set->count, from = set->gap;

	if (to < from)
		memmove(set->holes + to + room, set->holes + to,
			(size_t)(from - to) * sizeof(*set->holes));
	else if (to > from)
		memmove(set->holes + from, set->holes + from + room,
			(size_t)(to - from) * sizeof(*set->holes));
	set->gap = to;
}

/* Room for count holes in all. Moves the gap to the end if it has to grow. */
static int make_room(struct holeset *set, uint32_t count)
{
	uint32_t capacity = count + count / 2 + 64;
	struct hole *holes;

	if (count <= set->capacity)
		return 0;
	move_gap(set, set->count);
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
		set->gap = set->count;
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
	for (uint32_t i = 0; i < set->count; i++)
		copy->holes[i] = holeset_at(set, i);
	copy->count = copy->gap = set->count;
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

		if (holeset_at(set, middle).end > addr)
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
	int err = make_room(set, set->count - (last - first) + nr);

	if (err)
		return err;
	move_gap(set, last);
	set->gap = first; /* what was in between has become part of the gap */
	set->count -= last - first;
	for (uint32_t i = 0; i < nr; i++)
		set->holes[set->gap++] = list[i];
	set->count += nr;
	return 0;
}

int holeset_give(struct holeset *set, uint32_t start, uint32_t end)
{
	struct hole merged = { .start = start, .end = end };
	uint32_t first, last;

	if (!range_ok(set, start, end))
		return -EINVAL;
	first = holeset_index(set, start - 1); /* one that ends at start touches it */
	for (last = first; last < set->count && holeset_at(set, last).start <= end; last++) {
		struct hole hole = holeset_at(set, last);

		if (hole.start < merged.start)
			merged.start = hole.start;
		if (hole.end > merged.end)
			merged.end = hole.end;
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
	for (last = first; last < set->count && holeset_at(set, last).start < end; last++)
		;
	if (first == last)
		return 0;
	if (holeset_at(set, first).start < start)
		rest[nr++] = (struct hole){ holeset_at(set, first).start, start };
	if (holeset_at(set, last - 1).end > end)
		rest[nr++] = (struct hole){ end, holeset_at(set, last - 1).end };
	return replace(set, first, last, rest, nr);
}

bool holeset_has(const struct holeset *set, uint32_t start, uint32_t end)
{
	uint32_t index = holeset_index(set, start);

	return start < end && index < set->count && holeset_at(set, index).start <= start &&
	       holeset_at(set, index).end >= end;
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

uint32_t holeset_free_bytes(const struct holeset *set)
{
	uint32_t bytes = 0;

	for (uint32_t i = 0; i < set->count; i++)
		bytes += holeset_at(set, i).end - holeset_at(set, i).start;
	return bytes;
}

struct hole holeset_largest(const struct holeset *set)
{
	struct hole largest = { 0, 0 };

	for (uint32_t i = 0; i < set->count; i++) {
		struct hole hole = holeset_at(set, i);

		if (hole.end - hole.start > largest.end - largest.start)
			largest = hole;
	}
	return largest;
}
