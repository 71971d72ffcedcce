// SPDX-License-Identifier: GPL-2.0-only
#include "space/diff.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "space/idtable.h"

struct matcher {
	const struct diff_map *maps;
	bool by_stack;
	struct diff_row *rows;
	uint32_t count;
	struct idtable index; /* ids: position in rows + 1 */
};

static struct stack stack_of(const struct matcher *matcher, const struct diff_row *row)
{
	return stacks_get(matcher->maps[row->stack_side].stacks, row->stack_id);
}

static const char *frame_of(const struct matcher *matcher, const struct diff_row *row, uint32_t i)
{
	return names_text(matcher->maps[row->stack_side].names, stack_of(matcher, row).frames[i]);
}

static uint32_t hash_of(const struct matcher *matcher, const struct diff_row *row)
{
	uint32_t hash = idtable_hash(row->label, strlen(row->label));
	uint32_t frames = matcher->by_stack ? stack_of(matcher, row).nr_frames : 0;

	for (uint32_t i = 0; i < frames; i++) {
		const char *frame = frame_of(matcher, row, i);
		uint32_t pair[] = { hash, idtable_hash(frame, strlen(frame)) };

		hash = idtable_hash(pair, sizeof(pair));
	}
	return hash;
}

static bool same_owner(const struct matcher *matcher, const struct diff_row *a,
		       const struct diff_row *b)
{
	uint32_t frames = stack_of(matcher, a).nr_frames;

	if (strcmp(a->label, b->label))
		return false;
	if (!matcher->by_stack)
		return true;
	if (stack_of(matcher, b).nr_frames != frames)
		return false;
	for (uint32_t i = 0; i < frames; i++) {
		if (strcmp(frame_of(matcher, a, i), frame_of(matcher, b, i)))
			return false;
	}
	return true;
}

static struct diff_row *find(const struct matcher *matcher, const struct diff_row *row,
			     uint32_t hash)
{
	uint32_t pos;
	uint32_t id;

	for (id = idtable_first(&matcher->index, hash, &pos); id;
	     id = idtable_next(&matcher->index, hash, &pos)) {
		if (same_owner(matcher, &matcher->rows[id - 1], row))
			return &matcher->rows[id - 1];
	}
	return NULL;
}

/* Adds an owner of one side to the row that it has, or to a new one. 0 or -ENOMEM. */
static int add_owner(struct matcher *matcher, enum diff_side side, const struct owner *owner)
{
	const char *label = names_text(matcher->maps[side].names, owner->name_id);
	struct diff_row own = {
		.label = *label ? label : "?",
		.stack_id = owner->stack_id,
		.stack_side = side,
		.kind = owner->kind,
	};
	uint32_t hash = hash_of(matcher, &own);
	struct diff_row *row = find(matcher, &own, hash);

	if (!row) {
		if (idtable_add(&matcher->index, hash, matcher->count + 1))
			return -ENOMEM;
		row = &matcher->rows[matcher->count];
		*row = own;
		row->order = matcher->count++;
	}
	row->bytes[side] += owner->live_bytes;
	row->areas[side] += owner->areas;
	if (row->kind != owner->kind)
		row->kind = KIND_UNKNOWN;
	if (!row->stack_id) {
		row->stack_id = owner->stack_id;
		row->stack_side = side;
	}
	return 0;
}

static int match(struct matcher *matcher, const struct owners owners[DIFF_SIDES])
{
	int err = 0;

	matcher->rows = calloc((size_t)owners[DIFF_A].count + owners[DIFF_B].count + 1,
			       sizeof(*matcher->rows));
	if (!matcher->rows)
		return -ENOMEM;
	for (unsigned int side = 0; side < DIFF_SIDES; side++) {
		for (uint32_t i = 0; i < owners[side].count && !err; i++)
			err = add_owner(matcher, side, &owners[side].list[i]);
	}
	idtable_release(&matcher->index);
	return err;
}

static uint64_t size(int64_t change)
{
	return (uint64_t)(change < 0 ? -change : change);
}

static int by_uint(uint64_t a, uint64_t b)
{
	return a < b ? 1 : a > b ? -1 : 0;
}

static int by_rest(const struct diff_row *a, const struct diff_row *b)
{
	int order = by_uint(a->bytes[DIFF_B], b->bytes[DIFF_B]);

	if (!order)
		order = by_uint(a->bytes[DIFF_A], b->bytes[DIFF_A]);
	if (!order)
		order = strcmp(a->label, b->label);
	return order ? order : a->order < b->order ? -1 : 1;
}

static int by_bytes(const void *x, const void *y)
{
	const struct diff_row *a = x, *b = y;
	int order = by_uint(size(diff_bytes(a)), size(diff_bytes(b)));

	if (!order)
		order = by_uint(size(diff_areas(a)), size(diff_areas(b)));
	return order ? order : by_rest(a, b);
}

static int by_count(const void *x, const void *y)
{
	const struct diff_row *a = x, *b = y;
	int order = by_uint(size(diff_areas(a)), size(diff_areas(b)));

	if (!order)
		order = by_uint(size(diff_bytes(a)), size(diff_bytes(b)));
	return order ? order : by_rest(a, b);
}

static void keep_changed(const struct matcher *matcher, struct diff_rows *rows)
{
	rows->list = matcher->rows;
	for (uint32_t i = 0; i < matcher->count; i++) {
		const struct diff_row *row = &matcher->rows[i];

		if (diff_bytes(row) || diff_areas(row))
			rows->list[rows->count++] = *row;
		else
			rows->unchanged++;
	}
}

int diff_owners(const struct diff_map maps[DIFF_SIDES], enum owners_by by, enum owners_sort sort,
		struct diff_rows *rows)
{
	struct matcher matcher = { .maps = maps, .by_stack = by == OWNERS_BY_STACK };
	struct owners owners[DIFF_SIDES] = { 0 };
	int err = 0;

	*rows = (struct diff_rows){ 0 };
	for (unsigned int side = 0; side < DIFF_SIDES && !err; side++)
		err = owners_collect(maps[side].space, maps[side].names, maps[side].stacks, by,
				     sort, &owners[side]);
	if (!err)
		err = match(&matcher, owners);
	owners_free(&owners[DIFF_A]);
	owners_free(&owners[DIFF_B]);
	if (err) {
		free(matcher.rows);
		return err;
	}
	keep_changed(&matcher, rows);
	qsort(rows->list, rows->count, sizeof(*rows->list),
	      sort == OWNERS_SORT_COUNT ? by_count : by_bytes);
	return 0;
}

void diff_release(struct diff_rows *rows)
{
	free(rows->list);
	*rows = (struct diff_rows){ 0 };
}
