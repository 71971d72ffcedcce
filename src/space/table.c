/* SPDX-License-Identifier: GPL-2.0-only */
#include "space/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 64u

int table_init(struct table *table, uint32_t start, uint32_t end)
{
	uint32_t nr_pages = (end - start) / VMT_PAGE_SIZE;

	memset(table, 0, sizeof(*table));
	table->start = start;
	table->nr_pages = nr_pages;
	table->free_slot = TABLE_NONE;
	table->pages = malloc((size_t)nr_pages * sizeof(*table->pages));
	if (!table->pages)
		return -ENOMEM;
	for (uint32_t page = 0; page < nr_pages; page++)
		table->pages[page] = TABLE_WHAT;
	table->state_pages[PAGE_UNKNOWN] = nr_pages;
	return 0;
}

void table_destroy(struct table *table)
{
	free(table->pages);
	free(table->slots);
	free(table->lazy);
	memset(table, 0, sizeof(*table));
}

/* NULL also for 0 bytes: the caller looks whether there are any. */
static void *copy_bytes(const void *bytes, size_t len)
{
	void *copy = len ? malloc(len) : NULL;

	return copy ? memcpy(copy, bytes, len) : NULL;
}

int table_copy(const struct table *table, struct table *copy)
{
	*copy = *table;
	copy->pages = copy_bytes(table->pages, table->nr_pages * sizeof(*copy->pages));
	copy->slots = copy_bytes(table->slots, table->nr_slots * sizeof(*copy->slots));
	copy->lazy = copy_bytes(table->lazy, table->nr_lazy * sizeof(*copy->lazy));
	copy->lazy_room = table->nr_lazy;
	if (copy->pages && (copy->slots || !table->nr_slots) && (copy->lazy || !table->nr_lazy))
		return 0;
	table_destroy(copy);
	return -ENOMEM;
}

enum page_state table_state(const struct table *table, uint32_t page)
{
	uint32_t word = table->pages[page];
	const struct area *area;

	if (word == TABLE_WHAT)
		return PAGE_UNKNOWN;
	if (word & TABLE_FREE)
		return PAGE_FREE;
	area = &table->slots[word];
	if (area->state == AREA_LAZY)
		return PAGE_LAZY;
	if (table_page(table, area->end) - page <= area->guard_pages)
		return PAGE_GUARD;
	return PAGE_USED;
}

/* Moves the area's pages into (sign +1) or out of (-1) the per-state counts. Of the lazy areas the
 * list counts how many there are. */
static inline void count_area(struct table *table, const struct area *area, uint32_t sign)
{
	uint32_t pages = (area->end - area->start) / VMT_PAGE_SIZE;

	if (area->state == AREA_LAZY) {
		table->state_pages[PAGE_LAZY] += sign * pages;
		return;
	}
	table->state_pages[PAGE_GUARD] += sign * area->guard_pages;
	table->state_pages[PAGE_USED] += sign * (pages - area->guard_pages);
	table->nr_used += sign;
	if (area->flags & AREA_F_OWN)
		table->own_pages += sign * pages;
}

static int lazy_reserve(struct table *table)
{
	uint32_t room = table->lazy_room ? table->lazy_room * 2 : FIRST_SLOTS;
	uint32_t *lazy;

	if (table->nr_lazy < table->lazy_room)
		return 0;
	lazy = realloc(table->lazy, (size_t)room * sizeof(*lazy));
	if (!lazy)
		return -ENOMEM;
	table->lazy = lazy;
	table->lazy_room = room;
	return 0;
}

/* There is room. */
static inline void lazy_link(struct table *table, uint32_t slot)
{
	table->slots[slot].link = table->nr_lazy;
	table->lazy[table->nr_lazy++] = slot;
}

/* The last of the list takes the place. */
static inline void lazy_unlink(struct table *table, uint32_t slot)
{
	uint32_t place = table->slots[slot].link, last = table->lazy[--table->nr_lazy];

	table->lazy[place] = last;
	table->slots[last].link = place;
}

static int grow_slots(struct table *table)
{
	uint32_t nr_slots = table->nr_slots ? table->nr_slots * 2 : FIRST_SLOTS;
	struct area *slots = realloc(table->slots, (size_t)nr_slots * sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	memset(slots + table->nr_slots, 0, (size_t)(nr_slots - table->nr_slots) * sizeof(*slots));
	for (uint32_t slot = nr_slots; slot-- > table->nr_slots;) {
		slots[slot].link = table->free_slot;
		table->free_slot = slot;
	}
	table->slots = slots;
	table->nr_slots = nr_slots;
	return 0;
}

static inline void fill(uint32_t *at, uint32_t *end, uint32_t value)
{
	uint32_t *fours = at + ((end - at) & ~3);

	for (; at != fours; at += 4)
		at[0] = at[1] = at[2] = at[3] = value;
	while (at != end)
		*at++ = value;
}

uint32_t table_take_slot(struct table *table)
{
	uint32_t slot;

	if (table->free_slot == TABLE_NONE && grow_slots(table) < 0)
		return TABLE_NONE;
	slot = table->free_slot;
	table->free_slot = table->slots[slot].link;
	return slot;
}

void table_cover(struct table *table, uint32_t slot)
{
	const struct area *area = &table->slots[slot];
	uint32_t first = table_page(table, area->start), last = table_page(table, area->end);
	uint32_t unknown = 0;

	/* None, once there was a list. */
	for (uint32_t page = first; table->state_pages[PAGE_UNKNOWN] && page < last; page++)
		unknown += table->pages[page] == TABLE_WHAT;
	table->state_pages[PAGE_UNKNOWN] -= unknown;
	table->state_pages[PAGE_FREE] -= last - first - unknown;
	fill(table->pages + first, table->pages + last, slot);
	count_area(table, area, 1);
}

uint32_t table_add(struct table *table, const struct area *area)
{
	bool lazy = area->state == AREA_LAZY;
	uint32_t slot;

	if (lazy && lazy_reserve(table) < 0)
		return TABLE_NONE;
	slot = table_take_slot(table);
	if (slot == TABLE_NONE)
		return TABLE_NONE;
	table->slots[slot] = *area;
	table_cover(table, slot);
	if (lazy)
		lazy_link(table, slot);
	return slot;
}

void table_remove(struct table *table, uint32_t slot)
{
	struct area *area = &table->slots[slot];
	uint32_t first = table_page(table, area->start), last = table_page(table, area->end);

	count_area(table, area, -1u);
	if (area->state == AREA_LAZY)
		lazy_unlink(table, slot);
	fill(table->pages + first, table->pages + last, TABLE_FREE | table_area_stamp(area));
	table->state_pages[PAGE_FREE] += last - first;
	area->state = 0;
	area->link = table->free_slot;
	table->free_slot = slot;
}

int table_make_lazy(struct table *table, uint32_t slot, uint64_t free_ns)
{
	struct area *area = &table->slots[slot];

	if (lazy_reserve(table) < 0)
		return -ENOMEM;
	count_area(table, area, -1u);
	area->state = AREA_LAZY;
	area->free_ns = free_ns;
	count_area(table, area, 1);
	lazy_link(table, slot);
	return 0;
}

void table_set_guard(struct table *table, uint32_t slot, uint8_t guard_pages)
{
	struct area *area = &table->slots[slot];

	count_area(table, area, -1u);
	area->guard_pages = guard_pages;
	count_area(table, area, 1);
}

void table_learn_free(struct table *table)
{
	for (uint32_t page = 0; page < table->nr_pages; page++) {
		if (table->pages[page] == TABLE_WHAT)
			table->pages[page] = TABLE_FREE;
	}
	table->state_pages[PAGE_FREE] += table->state_pages[PAGE_UNKNOWN];
	table->state_pages[PAGE_UNKNOWN] = 0;
}

/* A stamp that avoids a value is up to two ticks late. */
static bool is_since(uint32_t stamp, uint64_t since, uint64_t now)
{
	uint32_t age = ((uint32_t)now + 2 - stamp) & ~TABLE_FREE;

	return stamp && since <= now && age <= now - since + 2;
}

bool table_page_touched_since(const struct table *table, uint32_t page, uint64_t t_ns,
			      uint64_t now_ns)
{
	uint32_t word = table->pages[page], stamp = word & ~TABLE_FREE;

	if (word == TABLE_WHAT)
		return false;
	if (!(word & TABLE_FREE))
		stamp = table_area_stamp(&table->slots[word]);
	return is_since(stamp, t_ns >> 24, now_ns >> 24);
}

bool table_touched_since(const struct table *table, uint32_t start, uint32_t end, uint64_t t_ns,
			 uint64_t now_ns)
{
	uint32_t first = table_page(table, start), last = table_page(table, end);

	for (uint32_t page = first; page < last; page++) {
		if (table_page_touched_since(table, page, t_ns, now_ns))
			return true;
	}
	return false;
}

/* What a walk over the pages finds; of the same words as the counts of struct table. */
struct recount {
	uint32_t state_pages[PAGE_STATE_COUNT];
	uint32_t own_pages;
	uint32_t nr_used;
	uint32_t nr_lazy;
};

static bool recount_area(const struct table *table, const struct area *area, uint32_t slot,
			 struct recount *found, char *why, size_t why_len)
{
	uint32_t first = table_page(table, area->start), last = table_page(table, area->end);

	for (uint32_t page = first; page < last; page++) {
		if (table->pages[page] != slot) {
			snprintf(why, why_len, "page %08x of area %08x-%08x is another's",
				 table_addr(table, page), area->start, area->end);
			return false;
		}
		if (area->state == AREA_LAZY)
			found->state_pages[PAGE_LAZY]++;
		else if (last - page <= area->guard_pages)
			found->state_pages[PAGE_GUARD]++;
		else
			found->state_pages[PAGE_USED]++;
	}
	found->nr_used += area->state == AREA_USED;
	found->nr_lazy += area->state == AREA_LAZY;
	if (area->state == AREA_USED && (area->flags & AREA_F_OWN))
		found->own_pages += last - first;
	return true;
}

/* Every page leads to nothing, or to an area that lies on it and on all its other pages. */
static bool recount(const struct table *table, struct recount *found, char *why, size_t why_len)
{
	for (uint32_t page = 0; page < table->nr_pages;) {
		uint32_t slot = table->pages[page];
		const struct area *area;

		if (slot & TABLE_FREE) {
			found->state_pages[slot == TABLE_WHAT ? PAGE_UNKNOWN : PAGE_FREE]++;
			page++;
			continue;
		}
		area = slot < table->nr_slots ? &table->slots[slot] : NULL;
		if (!area || !area->state || area->start != table_addr(table, page) ||
		    !table_range_ok(table, area->start, area->end)) {
			snprintf(why, why_len, "page %08x leads to slot %u: no area begins there",
				 table_addr(table, page), slot);
			return false;
		}
		if (!recount_area(table, area, slot, found, why, why_len))
			return false;
		page = table_page(table, area->end);
	}
	return true;
}

/* Each area that is found begins on a page of its own, so none is found twice. */
static bool all_found(const struct table *table, const struct recount *found, char *why,
		      size_t why_len)
{
	uint32_t areas = 0;

	for (uint32_t slot = 0; slot < table->nr_slots; slot++)
		areas += table->slots[slot].state != 0;
	if (areas == found->nr_used + found->nr_lazy)
		return true;
	snprintf(why, why_len, "%u areas, of which %u have their pages", areas,
		 found->nr_used + found->nr_lazy);
	return false;
}

/* As many places as there are lazy areas, and each is of one that knows its place. */
static bool check_lazy(const struct table *table, char *why, size_t why_len)
{
	for (uint32_t place = 0; place < table->nr_lazy; place++) {
		uint32_t slot = table->lazy[place];

		if (slot < table->nr_slots && table->slots[slot].state == AREA_LAZY &&
		    table->slots[slot].link == place)
			continue;
		snprintf(why, why_len, "place %u of the lazy areas has slot %u: not one of them, or "
			 "elsewhere in the list", place, slot);
		return false;
	}
	return true;
}

bool table_check(const struct table *table, char *why, size_t why_len)
{
	struct recount found = { 0 };

	if (!recount(table, &found, why, why_len) || !all_found(table, &found, why, why_len) ||
	    !check_lazy(table, why, why_len))
		return false;
	if (found.nr_used != table->nr_used || found.nr_lazy != table->nr_lazy ||
	    found.own_pages != table->own_pages) {
		snprintf(why, why_len, "areas: %u used %u lazy %u own pages, accounted %u %u %u",
			 found.nr_used, found.nr_lazy, found.own_pages, table->nr_used,
			 table->nr_lazy, table->own_pages);
		return false;
	}
	for (unsigned int state = 0; state < PAGE_STATE_COUNT; state++) {
		if (found.state_pages[state] != table->state_pages[state]) {
			snprintf(why, why_len, "state %u: %u pages counted, %u accounted", state,
				 found.state_pages[state], table->state_pages[state]);
			return false;
		}
	}
	return true;
}
