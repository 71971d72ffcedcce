// SPDX-License-Identifier: GPL-2.0-only
#include "space/growth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "space/idtable.h"
#include "space/slope.h"

#define SAMPLES     (GROWTH_STEPS + 1) /* both ends of every step */
#define NS_PER_MS   1000000u
#define MS_PER_MIN  60000
#define RATE_LEAST  3u /* samples: of two the rate would be a difference that is told anyway */
#define FIRST_CELLS 64u

/* All areas that no grouping tells apart. */
struct cell {
	struct area key; /* one of them: origin, kind, comm_id and SEEDED count */
	uint32_t pages[SAMPLES]; /* guard pages included; by slot */
	uint32_t areas[SAMPLES];
};

struct growth {
	uint64_t step_ns;
	uint64_t times[SAMPLES]; /* when each slot was sampled */
	uint32_t slot;           /* of the last sample */
	uint32_t nr_samples;     /* in the window: slots slot, slot - 1, ... around */
	struct cell *cells;
	uint32_t nr_cells;
	uint32_t room;
	struct idtable index; /* ids: position in cells + 1 */
	uint32_t left_out;
};

struct growth *growth_new(uint64_t window_ns)
{
	struct growth *growth;

	if (window_ns < GROWTH_STEPS)
		return NULL;
	growth = calloc(1, sizeof(*growth));
	if (growth)
		growth->step_ns = window_ns / GROWTH_STEPS;
	return growth;
}

void growth_free(struct growth *growth)
{
	if (!growth)
		return;
	idtable_release(&growth->index);
	free(growth->cells);
	free(growth);
}

/* ---- cells -------------------------------------------------------------------------------------
 */

static uint32_t hash_of(const struct area *area)
{
	uint32_t key[] = { area->origin, area->comm_id,
			   area->kind | (uint32_t)(area->flags & AREA_F_SEEDED) << 8 };

	return idtable_hash(key, sizeof(key));
}

static bool same_key(const struct area *a, const struct area *b)
{
	return a->origin == b->origin && a->comm_id == b->comm_id && a->kind == b->kind &&
	       !((a->flags ^ b->flags) & AREA_F_SEEDED);
}

static int reserve_cell(struct growth *growth)
{
	uint32_t room = growth->room ? growth->room * 2 : FIRST_CELLS;
	struct cell *cells;

	if (growth->nr_cells < growth->room)
		return 0;
	cells = realloc(growth->cells, (size_t)room * sizeof(*cells));
	if (!cells)
		return -ENOMEM;
	growth->cells = cells;
	growth->room = room;
	return 0;
}

/* The cell of an area, made if need be; *cell NULL if there are too many. 0 or -ENOMEM. */
static int cell_of(struct growth *growth, const struct area *area, struct cell **cell)
{
	uint32_t hash = hash_of(area), pos, id;

	for (id = idtable_first(&growth->index, hash, &pos); id;
	     id = idtable_next(&growth->index, hash, &pos)) {
		*cell = &growth->cells[id - 1];
		if (same_key(&(*cell)->key, area))
			return 0;
	}
	*cell = NULL;
	if (growth->nr_cells == GROWTH_MAX_CELLS)
		return 0;
	if (reserve_cell(growth) || idtable_add(&growth->index, hash, growth->nr_cells + 1))
		return -ENOMEM;
	*cell = &growth->cells[growth->nr_cells++];
	memset(*cell, 0, sizeof(**cell));
	(*cell)->key = *area;
	return 0;
}

static bool is_empty(const struct cell *cell)
{
	for (uint32_t i = 0; i < SAMPLES; i++) {
		if (cell->areas[i])
			return false;
	}
	return true;
}

/* Forgets the cells that held nothing in the whole window. 0 or -ENOMEM: the index is then empty,
 * and so are the cells. */
static int drop_empty(struct growth *growth)
{
	uint32_t kept = 0;
	int err = 0;

	for (uint32_t i = 0; i < growth->nr_cells; i++) {
		if (!is_empty(&growth->cells[i]))
			growth->cells[kept++] = growth->cells[i];
	}
	if (kept == growth->nr_cells)
		return 0;
	growth->nr_cells = kept;
	idtable_release(&growth->index);
	for (uint32_t i = 0; i < kept && !err; i++)
		err = idtable_add(&growth->index, hash_of(&growth->cells[i].key), i + 1);
	return err;
}

/* ---- samples -----------------------------------------------------------------------------------
 */

static void begin_anew(struct growth *growth)
{
	growth->nr_samples = 0;
	growth->nr_cells = 0;
	idtable_release(&growth->index);
}

/* The slot of the sample `back` before the last. */
static uint32_t slot_at(const struct growth *growth, uint32_t back)
{
	return (growth->slot + SAMPLES - back) % SAMPLES;
}

static void open_slot(struct growth *growth, uint64_t now_ns)
{
	growth->slot = (growth->slot + 1) % SAMPLES;
	growth->times[growth->slot] = now_ns;
	growth->nr_samples += growth->nr_samples < SAMPLES;
	growth->left_out = 0;
	for (uint32_t i = 0; i < growth->nr_cells; i++)
		growth->cells[i].pages[growth->slot] = growth->cells[i].areas[growth->slot] = 0;
}

static int count_areas(struct growth *growth, const struct space *space)
{
	const struct area *area;

	for (area = space_first(space, space_start(space)); area;
	     area = space_first(space, area->end)) {
		struct cell *cell;

		if (area->state != AREA_USED)
			continue;
		if (cell_of(growth, area, &cell))
			return -ENOMEM;
		if (!cell) {
			growth->left_out++;
			continue;
		}
		cell->pages[growth->slot] += (area->end - area->start) / VMT_PAGE_SIZE;
		cell->areas[growth->slot]++;
	}
	return 0;
}

int growth_sample(struct growth *growth, const struct space *space, uint64_t now_ns)
{
	int err;

	if (space_in_snapshot(space))
		return 0;
	if (growth->nr_samples) {
		/* Time that goes back is a long gap, too. */
		uint64_t passed_ns = now_ns - growth->times[growth->slot];

		if (passed_ns < growth->step_ns)
			return 0;
		if (passed_ns > growth->step_ns * GROWTH_STEPS)
			begin_anew(growth);
	}
	open_slot(growth, now_ns);
	err = drop_empty(growth);
	if (!err)
		err = count_areas(growth, space);
	if (err)
		begin_anew(growth);
	return err;
}

/* ---- rows --------------------------------------------------------------------------------------
 */

/* An owner: its cells summed. */
struct sum {
	struct growth_row row;
	uint32_t pages[SAMPLES]; /* from the first sample of the window on */
	uint32_t areas[SAMPLES];
};

struct sums {
	struct sum *list;
	uint32_t count;
	struct idtable index;
};

static struct sum *sum_get(struct sums *sums, uint32_t name_id, uint32_t stack_id)
{
	uint32_t key[] = { name_id, stack_id };
	uint32_t hash = idtable_hash(key, sizeof(key)), pos, id;

	for (id = idtable_first(&sums->index, hash, &pos); id;
	     id = idtable_next(&sums->index, hash, &pos)) {
		struct sum *sum = &sums->list[id - 1];

		if (sum->row.name_id == name_id && sum->row.stack_id == stack_id)
			return sum;
	}
	if (idtable_add(&sums->index, hash, sums->count + 1))
		return NULL;
	sums->list[sums->count].row.name_id = name_id;
	sums->list[sums->count].row.stack_id = stack_id;
	return &sums->list[sums->count++];
}

static void add_cell(const struct growth *growth, const struct cell *cell, struct sum *sum)
{
	for (uint32_t i = 0; i < growth->nr_samples; i++) {
		uint32_t slot = slot_at(growth, growth->nr_samples - 1 - i);

		sum->pages[i] += cell->pages[slot];
		sum->areas[i] += cell->areas[slot];
	}
}

static int sum_up(const struct growth *growth, struct names *names, const struct stacks *stacks,
		  enum owners_by by, struct sums *sums)
{
	sums->list = calloc((size_t)growth->nr_cells + 1, sizeof(*sums->list));
	if (!sums->list)
		return -ENOMEM;
	for (uint32_t i = 0; i < growth->nr_cells; i++) {
		const struct cell *cell = &growth->cells[i];
		struct sum *sum = sum_get(sums, owners_label(&cell->key, names, stacks, by),
					  by == OWNERS_BY_STACK ? area_stack(&cell->key) : 0);

		if (!sum)
			return -ENOMEM;
		add_cell(growth, cell, sum);
	}
	return 0;
}

/* Fits 64 bits: 2^32 bytes x 60,000. */
static int64_t median_slope(const struct growth *growth, const struct sum *sum)
{
	int64_t slopes[SAMPLES * (SAMPLES - 1) / 2];
	uint32_t count = 0, last = growth->nr_samples - 1;

	for (uint32_t i = 0; i <= last; i++) {
		for (uint32_t j = i + 1; j <= last; j++) {
			int64_t bytes = ((int64_t)sum->pages[j] - sum->pages[i]) * VMT_PAGE_SIZE;
			int64_t ms = (int64_t)((growth->times[slot_at(growth, last - j)] -
						growth->times[slot_at(growth, last - i)]) /
					       NS_PER_MS);

			if (ms)
				slopes[count++] = bytes * MS_PER_MIN / ms;
		}
	}
	return slope_median(slopes, count);
}

static struct growth_row finish_row(const struct growth *growth, const struct sum *sum)
{
	struct growth_row row = sum->row;
	uint32_t last = growth->nr_samples - 1;

	row.bytes = sum->pages[last] * VMT_PAGE_SIZE;
	row.areas = sum->areas[last];
	row.bytes_changed = ((int64_t)sum->pages[last] - sum->pages[0]) * VMT_PAGE_SIZE;
	row.areas_changed = (int32_t)(sum->areas[last] - sum->areas[0]);
	if (growth->nr_samples >= RATE_LEAST)
		row.bytes_per_min = median_slope(growth, sum);
	return row;
}

/* Ties fall to names for the order, so that it is the same in live and replay. */
struct sorted {
	struct growth_row row;
	const char *label;
	uint32_t order;
};

static int compare_rows(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;
	int by_label;

	if (x->row.bytes_per_min != y->row.bytes_per_min)
		return x->row.bytes_per_min < y->row.bytes_per_min ? 1 : -1;
	if (x->row.bytes_changed != y->row.bytes_changed)
		return x->row.bytes_changed < y->row.bytes_changed ? 1 : -1;
	if (x->row.bytes != y->row.bytes)
		return x->row.bytes < y->row.bytes ? 1 : -1;
	by_label = strcmp(x->label, y->label);
	if (by_label)
		return by_label;
	return x->order < y->order ? -1 : x->order > y->order;
}

static int compare_keys(const struct growth_row *row, uint32_t name_id, uint32_t stack_id)
{
	if (row->name_id != name_id)
		return row->name_id < name_id ? -1 : 1;
	if (row->stack_id != stack_id)
		return row->stack_id < stack_id ? -1 : 1;
	return 0;
}

static int compare_by_key(const void *a, const void *b, void *context)
{
	const struct growth_row *list = context;
	const struct growth_row *y = &list[*(const uint32_t *)b];

	return compare_keys(&list[*(const uint32_t *)a], y->name_id, y->stack_id);
}

static int sort_rows(const struct growth *growth, const struct names *names,
		     const struct sums *sums, struct growth_rows *rows)
{
	struct sorted *sorted = malloc(((size_t)sums->count + 1) * sizeof(*sorted));

	rows->list = malloc(((size_t)sums->count + 1) * sizeof(*rows->list));
	rows->by_key = malloc(((size_t)sums->count + 1) * sizeof(*rows->by_key));
	if (!sorted || !rows->list || !rows->by_key) {
		free(sorted);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < sums->count; i++) {
		sorted[i].row = finish_row(growth, &sums->list[i]);
		sorted[i].label = names_text(names, sorted[i].row.name_id);
		sorted[i].order = i;
	}
	qsort(sorted, sums->count, sizeof(*sorted), compare_rows);
	for (uint32_t i = 0; i < sums->count; i++) {
		rows->list[i] = sorted[i].row;
		rows->by_key[i] = i;
	}
	rows->count = sums->count;
	qsort_r(rows->by_key, rows->count, sizeof(*rows->by_key), compare_by_key, rows->list);
	free(sorted);
	return 0;
}

int growth_rows(const struct growth *growth, struct names *names, const struct stacks *stacks,
		enum owners_by by, struct growth_rows *rows)
{
	struct sums sums = { 0 };
	int err;

	*rows = (struct growth_rows){ .left_out = growth->left_out,
				      .known = growth->nr_samples >= RATE_LEAST };
	if (!growth->nr_samples)
		return 0;
	rows->span_ns = growth->times[growth->slot] -
			growth->times[slot_at(growth, growth->nr_samples - 1)];
	err = sum_up(growth, names, stacks, by, &sums);
	if (!err)
		err = sort_rows(growth, names, &sums, rows);
	idtable_release(&sums.index);
	free(sums.list);
	if (err)
		growth_release(rows);
	return err;
}

void growth_release(struct growth_rows *rows)
{
	free(rows->list);
	free(rows->by_key);
	*rows = (struct growth_rows){ 0 };
}

const struct growth_row *growth_find(const struct growth_rows *rows, uint32_t name_id,
				     uint32_t stack_id)
{
	uint32_t low = 0, high = rows->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct growth_row *row = &rows->list[rows->by_key[middle]];
		int order = compare_keys(row, name_id, stack_id);

		if (!order)
			return row;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
