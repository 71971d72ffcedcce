/* SPDX-License-Identifier: GPL-2.0-only */
#include "allocator/sizing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define VMALLOC_OFFSET (8u << 20) /* arch/x86: the hole between low memory and VMALLOC_START */
#define SMALLEST       (1u << 20)

/* arch/x86/Kconfig: VMSPLIT_3G, _3G_OPT, _2G, _2G_OPT, _1G */
static const uint32_t page_offsets[] = { 0xc0000000, 0xb0000000, 0x80000000, 0x78000000,
					 0x40000000 };

struct sizing *sizing_new(const struct simulate_options *recorded, uint32_t cpus, bool again)
{
	struct sizing *sizing = calloc(1, sizeof(*sizing));

	if (!sizing)
		return NULL;
	sizing->recorded = *recorded;
	sizing->cpus = cpus ? cpus : recorded->cpus;
	sizing->again = again;
	return sizing;
}

void sizing_free(struct sizing *sizing)
{
	free(sizing);
}

static uint32_t recorded_bytes(const struct sizing *sizing)
{
	return sizing->recorded.end - sizing->recorded.start;
}

static uint32_t page_offset(const struct sizing *sizing)
{
	for (size_t i = 0; i < sizeof(page_offsets) / sizeof(page_offsets[0]); i++) {
		if (page_offsets[i] + VMALLOC_OFFSET < sizing->recorded.start)
			return page_offsets[i];
	}
	return 0;
}

double sizing_predicted_percent(const struct sizing *sizing)
{
	const struct simulate_recorded *facts = &sizing->facts;

	if (!facts->allocs)
		return 100.0;
	return 100.0 * (double)(facts->exact + facts->exact_reordered) / (double)facts->allocs;
}

bool sizing_trusted(const struct sizing *sizing)
{
	const struct simulate_recorded *facts = &sizing->facts;

	return sizing->played && (facts->fails_predicted || !facts->fails) &&
	       sizing_predicted_percent(sizing) >= SIZING_TRUST_PERCENT;
}

uint32_t sizing_low_bytes(const struct sizing *sizing, uint32_t bytes)
{
	uint32_t offset = page_offset(sizing);
	uint64_t taken = (uint64_t)offset + VMALLOC_OFFSET + bytes;

	return offset && taken < sizing->recorded.end ? (uint32_t)(sizing->recorded.end - taken)
						      : 0;
}

uint32_t sizing_max_bytes(const struct sizing *sizing)
{
	uint32_t all = sizing_low_bytes(sizing, 0);

	return all > SIZING_MIN_LOW ? (all - SIZING_MIN_LOW) / SIZING_STEP * SIZING_STEP : 0;
}

/* ---- rows
 * ------------------------------------------------------------------------------------------ */

const struct simulation_result *sizing_row(const struct sizing *sizing, enum sizing_mode mode,
					   uint32_t bytes)
{
	const struct sizing_table *table = &sizing->tables[mode];

	for (uint32_t i = 0; i < table->count; i++) {
		if (table->rows[i].options.bytes == bytes)
			return &table->rows[i];
	}
	return NULL;
}

static void add_row(struct sizing *sizing, enum sizing_mode mode,
		    const struct simulation_result *row)
{
	struct sizing_table *table = &sizing->tables[mode];
	uint32_t at = 0;

	if (table->count == SIZING_MAX_ROWS || sizing_row(sizing, mode, row->options.bytes))
		return;
	while (at < table->count && table->rows[at].options.bytes < row->options.bytes)
		at++;
	memmove(&table->rows[at + 1], &table->rows[at],
		(table->count - at) * sizeof(table->rows[0]));
	table->rows[at] = *row;
	table->count++;
}

uint64_t sizing_row_fails(const struct simulation_result *row)
{
	return row->fails_stay + row->fails_new + row->seeds_failed;
}

bool sizing_row_ok(const struct sizing *sizing, const struct simulation_result *row)
{
	if (row->options.bytes == recorded_bytes(sizing) && sizing->cpus == sizing->recorded.cpus)
		return !sizing->facts.fails;
	return !sizing_row_fails(row);
}

/* The first row from which on all are well; count if there is none. */
static uint32_t first_ok(const struct sizing *sizing, enum sizing_mode mode)
{
	const struct sizing_table *table = &sizing->tables[mode];
	uint32_t first = table->count;

	while (first && sizing_row_ok(sizing, &table->rows[first - 1]))
		first--;
	return first;
}

/* ---- what to try
 * ------------------------------------------------------------------------------------- */

static void add_todo(struct sizing *sizing, uint32_t bytes, enum sizing_mode mode)
{
	/* one place is simulate's own: the recorded size */
	if (sizing->nr_todo < SIMULATE_MAX - 1 && !sizing_row(sizing, mode, bytes))
		sizing->todo[sizing->nr_todo++] = (struct sizing_todo){ bytes, mode };
}

uint32_t sizing_limit_bytes(const struct sizing *sizing)
{
	uint32_t all = sizing_low_bytes(sizing, 0);

	return all ? all : recorded_bytes(sizing);
}

int sizing_ask(struct sizing *sizing, uint32_t bytes)
{
	if (bytes < SMALLEST || bytes % VMT_PAGE_SIZE || bytes > sizing_limit_bytes(sizing))
		return -EINVAL;
	if (sizing->nr_todo + SIZING_MODES > SIZING_MAX_ROWS)
		return -ENOSPC;
	for (int mode = 0; mode < SIZING_MODES; mode++)
		add_todo(sizing, bytes, (enum sizing_mode)mode);
	return 0;
}

static uint32_t round_up(uint32_t bytes)
{
	return (bytes + SIZING_STEP - 1) / SIZING_STEP * SIZING_STEP;
}

/* The recorded size and larger ones, each a quarter larger than the one before. */
static void add_coarse(struct sizing *sizing, enum sizing_mode mode)
{
	uint32_t bytes = recorded_bytes(sizing), max = sizing_max_bytes(sizing);

	add_todo(sizing, bytes, mode);
	for (bytes = round_up(bytes + 1); bytes < max; bytes = round_up(bytes + bytes / 4))
		add_todo(sizing, bytes, mode);
	if (max > recorded_bytes(sizing))
		add_todo(sizing, max, mode);
}

/* Every step between the last size that is too small and the first that is enough. */
static void add_fine(struct sizing *sizing, enum sizing_mode mode)
{
	const struct sizing_table *table = &sizing->tables[mode];
	uint32_t first = first_ok(sizing, mode), bytes;

	if (!first || first == table->count)
		return;
	for (bytes = round_up(table->rows[first - 1].options.bytes + 1);
	     bytes < table->rows[first].options.bytes; bytes += SIZING_STEP)
		add_todo(sizing, bytes, mode);
}

void sizing_search(struct sizing *sizing)
{
	sizing->search = true;
	add_coarse(sizing, SIZING_RETRIES);
}

static bool has_retries(const struct sizing *sizing)
{
	const struct sizing_table *table = &sizing->tables[SIZING_RETRIES];

	for (uint32_t i = 0; i < table->count; i++) {
		if (table->rows[i].retries)
			return true;
	}
	return false;
}

/* After a reading: what does it leave to be asked? */
static void plan_next(struct sizing *sizing)
{
	sizing->nr_todo = 0;
	if (!sizing->search || !sizing->again || !sizing->played)
		return;
	add_fine(sizing, SIZING_RETRIES);
	if (!has_retries(sizing))
		return;
	if (sizing->tables[SIZING_EACH].count)
		add_fine(sizing, SIZING_EACH);
	else
		add_coarse(sizing, SIZING_EACH);
}

/* ---- readings
 * ------------------------------------------------------------------------------------------ */

int sizing_begin(struct sizing *sizing, struct simulate **simulate)
{
	*simulate = NULL;
	if (sizing->pass && !sizing->nr_todo)
		return 0;
	*simulate = simulate_new(&sizing->recorded);
	if (!*simulate)
		return -ENOMEM;
	for (uint32_t i = 0; i < sizing->nr_todo; i++) {
		const struct sizing_todo *todo = &sizing->todo[i];

		if (simulate_add(*simulate, todo->bytes, sizing->cpus, todo->mode == SIZING_EACH) <
		    0) {
			simulate_free(*simulate);
			*simulate = NULL;
			return -ENOMEM;
		}
	}
	return 1;
}

static void answer(struct sizing *sizing)
{
	for (int mode = 0; mode < SIZING_MODES; mode++) {
		struct sizing_table *table = &sizing->tables[mode];
		uint32_t first = first_ok(sizing, (enum sizing_mode)mode);

		table->answer_bytes = first < table->count ? table->rows[first].options.bytes : 0;
	}
}

int sizing_end(struct sizing *sizing, struct simulate *simulate)
{
	int err = simulate_finish(simulate);

	if (!err) {
		sizing->played = simulate_played(simulate);
		sizing->facts = *simulate_recorded(simulate);
		sizing->truth = *simulate_truth(simulate);
		sizing->free_running = *simulate_result(simulate, 0);
		for (uint32_t i = 0; i < sizing->nr_todo; i++)
			add_row(sizing, sizing->todo[i].mode, simulate_result(simulate, i + 1));
		sizing->pass++;
		plan_next(sizing);
		answer(sizing);
	}
	simulate_free(simulate);
	return err;
}
