/* SPDX-License-Identifier: GPL-2.0-only */
#include "space/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int table_init(struct table *table, uint32_t start, uint32_t end)
{
	uint32_t nr_pages = (end - start) / VMT_PAGE_SIZE;

	memset(table, 0, sizeof(*table));
	table->start = start;
	table->nr_pages = nr_pages;
	table->free_slot = TABLE_NONE;
	table->lazy_head = TABLE_NONE;
	table->page_slot = malloc((size_t)nr_pages * sizeof(*table->page_slot));
	table->page_touch = calloc(nr_pages, sizeof(*table->page_touch));
	if (!table->page_slot || !table->page_touch) {
		table_destroy(table);
		return -ENOMEM;
	}
	for (uint32_t page = 0; page < nr_pages; page++)
		table->page_slot[page] = TABLE_WHAT;
	table->state_pages[PAGE_UNKNOWN] = nr_pages;
	return 0;
}

void table_destroy(struct table *table)
{
	free(table->page_slot);
	free(table->page_touch);
	free(table->slots);
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
	copy->page_slot = copy_bytes(table->page_slot, table->nr_pages * sizeof(*copy->page_slot));
	copy->page_touch =
		copy_bytes(table->page_touch, table->nr_pages * sizeof(*copy->page_touch));
	copy->slots = copy_bytes(table->slots, table->nr_slots * sizeof(*copy->slots));
	if (copy->page_slot && copy->page_touch && (copy->slots || !table->nr_slots))
		return 0;
	table_destroy(copy);
	return -ENOMEM;
}

bool table_range_ok(const struct table *table, uint32_t start, uint32_t end)
{
	uint32_t range_end = table->start + table->nr_pages * VMT_PAGE_SIZE;

	return start < end && start >= table->start && end <= range_end &&
	       start % VMT_PAGE_SIZE == 0 && end % VMT_PAGE_SIZE == 0;
}

uint32_t table_slot_at(const struct table *table, uint32_t page)
{
	uint32_t slot = table->page_slot[page];

	return slot == TABLE_WHAT ? TABLE_NONE : slot;
}

enum page_state table_state(const struct table *table, uint32_t page)
{
	uint32_t slot = table->page_slot[page];
	const struct area *area;

	if (slot == TABLE_NONE)
		return PAGE_FREE;
	if (slot == TABLE_WHAT)
		return PAGE_UNKNOWN;
	area = &table->slots[slot].area;
	if (area->state == AREA_LAZY)
		return PAGE_LAZY;
	if (table_page(table, area->end) - page <= area->guard_pages)
		return PAGE_GUARD;
	return PAGE_USED;
}

/* Moves the area's pages into (sign +1) or out of (-1) the per-state counts. */
static void count_area(struct table *table, const struct area *area, int sign)
{
	uint32_t pages = (area->end - area->start) / VMT_PAGE_SIZE;

	if (area->state == AREA_LAZY) {
		table->state_pages[PAGE_LAZY] += sign * pages;
		table->nr_lazy += sign;
		return;
	}
	table->state_pages[PAGE_GUARD] += sign * area->guard_pages;
	table->state_pages[PAGE_USED] += sign * (pages - area->guard_pages);
	table->nr_used += sign;
	if (area->flags & AREA_F_OWN)
		table->own_pages += sign * pages;
}

static void lazy_link(struct table *table, uint32_t slot)
{
	struct table_slot *s = &table->slots[slot];

	s->prev = TABLE_NONE;
	s->next = table->lazy_head;
	if (s->next != TABLE_NONE)
		table->slots[s->next].prev = slot;
	table->lazy_head = slot;
}

static void lazy_unlink(struct table *table, uint32_t slot)
{
	struct table_slot *s = &table->slots[slot];

	if (s->prev != TABLE_NONE)
		table->slots[s->prev].next = s->next;
	else
		table->lazy_head = s->next;
	if (s->next != TABLE_NONE)
		table->slots[s->next].prev = s->prev;
}

static int grow_slots(struct table *table)
{
	uint32_t nr_slots = table->nr_slots ? table->nr_slots * 2 : 512;
	struct table_slot *slots = realloc(table->slots, (size_t)nr_slots * sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	memset(slots + table->nr_slots, 0, (size_t)(nr_slots - table->nr_slots) * sizeof(*slots));
	for (uint32_t slot = nr_slots; slot-- > table->nr_slots;) {
		slots[slot].next = table->free_slot;
		table->free_slot = slot;
	}
	table->slots = slots;
	table->nr_slots = nr_slots;
	return 0;
}

uint32_t table_add(struct table *table, const struct area *area)
{
	uint32_t first = table_page(table, area->start), last = table_page(table, area->end);
	struct table_slot *s;
	uint32_t slot;

	if (table->free_slot == TABLE_NONE && grow_slots(table) < 0)
		return TABLE_NONE;
	slot = table->free_slot;
	s = &table->slots[slot];
	table->free_slot = s->next;
	s->area = *area;
	s->prev = s->next = TABLE_NONE;
	s->seen = 0;
	for (uint32_t page = first; page < last; page++) {
		if (table->page_slot[page] == TABLE_WHAT)
			table->state_pages[PAGE_UNKNOWN]--;
		else
			table->state_pages[PAGE_FREE]--;
		table->page_slot[page] = slot;
	}
	count_area(table, area, 1);
	if (area->state == AREA_LAZY)
		lazy_link(table, slot);
	return slot;
}

void table_remove(struct table *table, uint32_t slot)
{
	struct table_slot *s = &table->slots[slot];
	uint32_t first = table_page(table, s->area.start), last = table_page(table, s->area.end);

	count_area(table, &s->area, -1);
	if (s->area.state == AREA_LAZY)
		lazy_unlink(table, slot);
	for (uint32_t page = first; page < last; page++)
		table->page_slot[page] = TABLE_NONE;
	table->state_pages[PAGE_FREE] += last - first;
	s->area.state = 0;
	s->next = table->free_slot;
	table->free_slot = slot;
}

void table_make_lazy(struct table *table, uint32_t slot, uint64_t free_ns)
{
	struct table_slot *s = &table->slots[slot];

	count_area(table, &s->area, -1);
	s->area.state = AREA_LAZY;
	s->area.free_ns = free_ns;
	count_area(table, &s->area, 1);
	lazy_link(table, slot);
}

void table_set_guard(struct table *table, uint32_t slot, uint8_t guard_pages)
{
	struct area *area = &table->slots[slot].area;

	count_area(table, area, -1);
	area->guard_pages = guard_pages;
	count_area(table, area, 1);
}

void table_learn_free(struct table *table)
{
	for (uint32_t page = 0; page < table->nr_pages; page++) {
		if (table->page_slot[page] == TABLE_WHAT)
			table->page_slot[page] = TABLE_NONE;
	}
	table->state_pages[PAGE_FREE] += table->state_pages[PAGE_UNKNOWN];
	table->state_pages[PAGE_UNKNOWN] = 0;
}

void table_touch(struct table *table, uint32_t start, uint32_t end, uint64_t t_ns)
{
	uint32_t first = table_page(table, start), last = table_page(table, end);
	uint32_t stamp = table_stamp(t_ns);

	for (uint32_t page = first; page < last; page++)
		table->page_touch[page] = stamp;
}

bool table_page_touched_since(const struct table *table, uint32_t page, uint64_t t_ns)
{
	uint32_t stamp = table->page_touch[page];

	return stamp && (int32_t)(stamp - table_stamp(t_ns)) >= 0;
}

bool table_touched_since(const struct table *table, uint32_t start, uint32_t end, uint64_t t_ns)
{
	uint32_t first = table_page(table, start), last = table_page(table, end);

	for (uint32_t page = first; page < last; page++) {
		if (table_page_touched_since(table, page, t_ns))
			return true;
	}
	return false;
}

static bool check_slot(const struct table *table, uint32_t slot, char *why, size_t why_len)
{
	const struct area *area = &table->slots[slot].area;

	if (!table_range_ok(table, area->start, area->end)) {
		snprintf(why, why_len, "area %08x-%08x is not inside the range", area->start,
			 area->end);
		return false;
	}
	for (uint32_t addr = area->start; addr < area->end; addr += VMT_PAGE_SIZE) {
		if (table->page_slot[table_page(table, addr)] != slot) {
			snprintf(why, why_len, "page %08x of area %08x-%08x is another's", addr,
				 area->start, area->end);
			return false;
		}
	}
	return true;
}

static bool check_counts(const struct table *table, char *why, size_t why_len)
{
	uint32_t counted[PAGE_STATE_COUNT] = { 0 }, sum = 0;

	for (uint32_t page = 0; page < table->nr_pages; page++)
		counted[table_state(table, page)]++;
	for (unsigned int state = 0; state < PAGE_STATE_COUNT; state++) {
		sum += table->state_pages[state];
		if (counted[state] != table->state_pages[state]) {
			snprintf(why, why_len, "state %u: %u pages counted, %u accounted", state,
				 counted[state], table->state_pages[state]);
			return false;
		}
	}
	if (sum != table->nr_pages) {
		snprintf(why, why_len, "states add up to %u of %u pages", sum, table->nr_pages);
		return false;
	}
	return true;
}

bool table_check(const struct table *table, char *why, size_t why_len)
{
	uint32_t covered = 0, claimed = 0, used = 0, lazy = 0, own = 0;

	for (uint32_t slot = 0; slot < table->nr_slots; slot++) {
		const struct area *area = &table->slots[slot].area;
		uint32_t pages = (area->end - area->start) / VMT_PAGE_SIZE;

		if (!area->state)
			continue;
		if (!check_slot(table, slot, why, why_len))
			return false;
		claimed += pages;
		used += area->state == AREA_USED;
		lazy += area->state == AREA_LAZY;
		if (area->state == AREA_USED && (area->flags & AREA_F_OWN))
			own += pages;
	}
	for (uint32_t page = 0; page < table->nr_pages; page++)
		covered += table_slot_at(table, page) != TABLE_NONE;
	if (covered != claimed) {
		snprintf(why, why_len, "%u pages point at areas of %u pages", covered, claimed);
		return false;
	}
	if (used != table->nr_used || lazy != table->nr_lazy || own != table->own_pages) {
		snprintf(why, why_len, "areas: %u used %u lazy %u own pages, accounted %u %u %u",
			 used, lazy, own, table->nr_used, table->nr_lazy, table->own_pages);
		return false;
	}
	return check_counts(table, why, why_len);
}
