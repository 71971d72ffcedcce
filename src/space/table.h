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

#define TABLE_NONE 0xffffffffu /* end of a list; page: free */
#define TABLE_WHAT 0xfffffffeu /* page: unknown */

struct table_slot {
	struct area area; /* state 0 = slot not in use, next links the free slots */
	uint32_t prev;    /* lazy areas only: the list of all lazy areas */
	uint32_t next;
	uint32_t seen;    /* number of the last snapshot that listed it */
	uint32_t touched; /* table_stamp() of the last event on it, 0 = none: page_touch tells */
};

struct table {
	uint32_t start;
	uint32_t nr_pages;
	uint32_t *page_slot;  /* slot index, TABLE_NONE or TABLE_WHAT */
	uint32_t *page_touch; /* table_stamp() of the last event on it before the area that it is
				 of was touched, 0 = none */
	struct table_slot *slots;
	uint32_t nr_slots; /* allocated */
	uint32_t free_slot;
	uint32_t lazy_head;
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
	uint32_t slot = table->page_slot[page];

	return slot == TABLE_WHAT ? TABLE_NONE : slot;
}

/* The first page from page on that an area covers; last if there is none before it. */
static inline uint32_t table_next_covered(const struct table *table, uint32_t page, uint32_t last)
{
	const uint32_t *slot = table->page_slot;

	/* Four at a time, as long as none is: TABLE_NONE and TABLE_WHAT have all bits but the lowest. */
	while (page + 4 <= last && (slot[page] & slot[page + 1] & slot[page + 2] &
				    slot[page + 3]) >= TABLE_WHAT)
		page += 4;
	while (page < last && slot[page] >= TABLE_WHAT)
		page++;
	return page;
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

/* used -> lazy, in place; guard pages become lazy too. */
void table_make_lazy(struct table *table, uint32_t slot, uint64_t free_ns);

/* Changes how many of a used area's last pages are guard pages (less than all of them). */
void table_set_guard(struct table *table, uint32_t slot, uint8_t guard_pages);

/* Every unknown page becomes free. */
void table_learn_free(struct table *table);

/* 2^24 ns = 17 ms ticks, never 0. Differences are wrap-safe over more than a year. */
static inline uint32_t table_stamp(uint64_t t_ns)
{
	uint32_t stamp = (uint32_t)(t_ns >> 24);

	return stamp ? stamp : 1;
}

/* An event of t_ns on the whole area. */
static inline void table_touch(struct table *table, uint32_t slot, uint64_t t_ns)
{
	table->slots[slot].touched = table_stamp(t_ns);
}

bool table_page_touched_since(const struct table *table, uint32_t page, uint64_t t_ns);
bool table_touched_since(const struct table *table, uint32_t start, uint32_t end, uint64_t t_ns);

bool table_check(const struct table *table, char *why, size_t why_len);

#endif
