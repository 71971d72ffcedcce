/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The area table and the flat page array beside it: who covers which page, and the counts per
 * state. Knows nothing of events. Internal to space/.
 *
 * The space is small (30,720 pages by default, 786,432 at most), so a page array makes every
 * look-up O(1) and every scan for holes trivial, where a tree would cost more and say less.
 */
#ifndef VMTRACE_SPACE_TABLE_H
#define VMTRACE_SPACE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "space/space.h"

#define TABLE_NONE 0xffffffffu /* no slot */

/*
 * What a page is: the slot of the area that covers it; or free (this bit), and then the other bits are
 * the table_stamp() of the last event on it, 0 = none; or unknown.
 */
#define TABLE_FREE 0x80000000u
#define TABLE_WHAT 0xffffffffu

struct table {
	uint32_t start;
	uint32_t nr_pages;
	uint32_t *pages; /* a word each: see TABLE_FREE */
	/* State 0 = not in use: link is the next such slot. Of a lazy area it is its place in lazy. */
	struct area *slots;
	uint32_t nr_slots; /* allocated */
	uint32_t free_slot;
	uint32_t *lazy; /* the slots of the nr_lazy lazy areas, in no order */
	uint32_t lazy_room;
	uint32_t state_pages[PAGE_STATE_COUNT];
	uint32_t own_pages;
	uint32_t nr_used;
	uint32_t nr_lazy;
};

int table_init(struct table *table, uint32_t start, uint32_t end);
void table_destroy(struct table *table);

/* Makes copy one of its own. 0 or -ENOMEM, then copy needs no table_destroy. */
int table_copy(const struct table *table, struct table *copy);

static inline uint32_t table_page(const struct table *table, uint32_t addr)
{
	return (addr - table->start) / VMT_PAGE_SIZE;
}

static inline uint32_t table_addr(const struct table *table, uint32_t page)
{
	return table->start + page * VMT_PAGE_SIZE;
}

/* True if [start, end) is a page aligned, not empty part of the range. */
static inline bool table_range_ok(const struct table *table, uint32_t start, uint32_t end)
{
	return start < end && start >= table->start &&
	       end <= table_addr(table, table->nr_pages) && (start | end) % VMT_PAGE_SIZE == 0;
}

enum page_state table_state(const struct table *table, uint32_t page);

/* The slot that covers the page, or TABLE_NONE. */
static inline uint32_t table_slot_at(const struct table *table, uint32_t page)
{
	uint32_t word = table->pages[page];

	return word & TABLE_FREE ? TABLE_NONE : word;
}

/* The first page from page on that an area covers; last if there is none before it. */
static inline uint32_t table_next_covered(const struct table *table, uint32_t page, uint32_t last)
{
	const uint32_t *word = table->pages + page, *end = table->pages + last;
	const uint32_t *fours = word + ((end - word) & ~3);

	/* Four at a time, as long as none is. */
	while (word != fours && word[0] & word[1] & word[2] & word[3] & TABLE_FREE)
		word += 4;
	while (word != end && *word & TABLE_FREE)
		word++;
	return (uint32_t)(word - table->pages);
}

/*
 * Adds the area; its pages must not be covered by another. Returns the slot index, TABLE_NONE
 * when memory runs out. Pointers into slots are valid until the next table_add.
 */
uint32_t table_add(struct table *table, const struct area *area);

/* The same in two steps, for who fills in the area where it lies: takes a slot, whose area is then
 * set, and covers its pages. */
uint32_t table_take_slot(struct table *table);
void table_cover(struct table *table, uint32_t slot);

/* Removes the area of slot; its pages become free. */
void table_remove(struct table *table, uint32_t slot);

/* used -> lazy, in place; guard pages become lazy too. 0 or -ENOMEM. */
int table_make_lazy(struct table *table, uint32_t slot, uint64_t free_ns);

/* Changes how many of a used area's last pages are guard pages (less than all of them). */
void table_set_guard(struct table *table, uint32_t slot, uint8_t guard_pages);

/* Every unknown page becomes free. */
void table_learn_free(struct table *table);

/* 2^24 ns = 17 ms ticks in 31 bits; never 0, nor what TABLE_WHAT has there: 1, a little late, instead. */
static inline uint32_t table_stamp(uint64_t t_ns)
{
	uint32_t stamp = (uint32_t)(t_ns >> 24) & ~TABLE_FREE;

	return stamp && stamp != (TABLE_WHAT & ~TABLE_FREE) ? stamp : 1;
}

/* The stamp of the last event on an area, 0 = none: a list shows it. */
static inline uint32_t table_area_stamp(const struct area *area)
{
	if (area->state == AREA_LAZY)
		return area->flags & AREA_F_UNSEEN ? 0 : table_stamp(area->free_ns);
	return area->flags & AREA_F_SEEDED ? 0 : table_stamp(area->birth_ns);
}

/*
 * True if an event touched the page, or one of [start, end), at or after t_ns (rounded down to a tick).
 * now_ns: the newest event there was; between the two lies less than a round of the stamps (417 days),
 * while what was touched may lie back any time but that.
 */
bool table_page_touched_since(const struct table *table, uint32_t page, uint64_t t_ns,
			      uint64_t now_ns);
bool table_touched_since(const struct table *table, uint32_t start, uint32_t end, uint64_t t_ns,
			 uint64_t now_ns);

bool table_check(const struct table *table, char *why, size_t why_len);

#endif
