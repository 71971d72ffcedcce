/* SPDX-License-Identifier: GPL-2.0-only */
#include "space/space.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "space/space_internal.h"

#define SPACE_MAX_BYTES  0xc0000000u /* VMSPLIT_1G leaves the kernel 3 GiB */
#define MODULE_MAX_PAGES 1024u       /* of KASLR below the module range */

struct space *space_new(uint32_t start, uint32_t end)
{
	struct space *space;

	if (!start || start >= end || start % VMT_PAGE_SIZE || end % VMT_PAGE_SIZE ||
	    end - start > SPACE_MAX_BYTES)
		return NULL;
	space = calloc(1, sizeof(*space));
	if (!space)
		return NULL;
	space->uncertain = true;
	space->snapshot.lazy_page = calloc((end - start) / VMT_PAGE_SIZE, 1);
	if (!space->snapshot.lazy_page || table_init(&space->table, start, end) < 0) {
		space_free(space);
		return NULL;
	}
	return space;
}

void space_free(struct space *space)
{
	if (!space)
		return;
	table_destroy(&space->table);
	free(space->snapshot.lazy_page);
	free(space);
}

struct space *space_copy(const struct space *space)
{
	struct space *copy = calloc(1, sizeof(*copy));
	uint32_t nr_pages = space->table.nr_pages;

	if (!copy)
		return NULL;
	*copy = *space;
	memset(&copy->table, 0, sizeof(copy->table));
	copy->snapshot.lazy_page = malloc(nr_pages);
	if (!copy->snapshot.lazy_page || table_copy(&space->table, &copy->table)) {
		space_free(copy);
		return NULL;
	}
	memcpy(copy->snapshot.lazy_page, space->snapshot.lazy_page, nr_pages);
	return copy;
}

/* True if this ALLOC is the late report of an area that the last snapshot already lists: the
 * area was in the kernel's list before alloc_vmap_area returned. */
static bool alloc_confirms(const struct space *space, const struct area *area,
			   const struct event *event)
{
	uint64_t entered_ns = event->t_ns - event->latency_ns;

	return area->state == AREA_USED && (area->flags & AREA_F_SEEDED) &&
	       area->start == event->start && area->end == event->end &&
	       entered_ns <= space->snapshot.end_ns;
}

/* An event proved that another was lost, uncounted: then others may have been too. */
static void suspect(struct space *space, uint64_t t_ns)
{
	if (!space->snapshot.seeded)
		return;
	space->hurt_ns = t_ns;
	space->uncertain = true;
}

/*
 * Takes away what lies in the way of a new area. The kernel gives an area back to the free tree
 * whole, so whatever part of it was reused, all of it was purged.
 */
static void clear_for_alloc(struct space *space, const struct event *event)
{
	struct table *table = &space->table;
	uint32_t page = table_page(table, event->start), last = table_page(table, event->end);

	while ((page = table_next_covered(table, page, last)) < last) {
		uint32_t slot = table->pages[page];
		const struct area *area = &table->slots[slot];

		if (area->state == AREA_USED && !alloc_confirms(space, area, event)) {
			space->counters.healed_frees++;
			/* new_vmap_block gives its area back without a free if it fails later. */
			if (area->kind != KIND_VM_MAP_RAM)
				suspect(space, event->t_ns);
		}
		table_remove(table, slot);
	}
}

/* What asks for less than the whole space at its bottom is module_alloc, or execmem_alloc. */
void space_learn_module_start(struct space *space, const struct event *event)
{
	uint32_t start = space->table.start;

	if ((event->kind != KIND_MODULE && event->kind != KIND_BPF) || event->vstart <= start ||
	    event->vstart - start > MODULE_MAX_PAGES * VMT_PAGE_SIZE)
		return;
	if (!space->module_start || event->vstart < space->module_start)
		space->module_start = event->vstart;
}

static uint8_t flags_of(const struct event *event)
{
	return (event->flags & EV_F_OWN ? AREA_F_OWN : 0) |
	       (event->flags & EV_F_STACK_CUT ? AREA_F_STACK_CUT : 0);
}

/* Member by member, so that nothing is copied. */
static inline void fill_alloc(struct area *area, const struct event *event)
{
	area->start = event->start;
	area->end = event->end;
	area->birth_ns = event->t_ns;
	area->free_ns = 0;
	area->origin = area_origin(event->stack_id, 0);
	area->pid = event->pid;
	area->comm_id = event->comm_id;
	area->requested = event->requested;
	area->nr_pages = 0;
	area->freer_pid = 0;
	area->freer_comm = 0;
	area->freer_caller = 0;
	area->state = AREA_USED;
	area->align_log = area_align_log(event->align);
	area->kind = event->kind < KIND_COUNT ? event->kind : KIND_UNKNOWN;
	area->guard_pages = event->guard_pages;
	area->flags = flags_of(event);
}

static int apply_alloc(struct space *space, const struct event *event)
{
	struct table *table = &space->table;
	uint32_t slot;

	if (!table_range_ok(table, event->start, event->end) ||
	    event->guard_pages >= (event->end - event->start) / VMT_PAGE_SIZE)
		return -EINVAL;
	clear_for_alloc(space, event);
	space_learn_module_start(space, event);
	space->counters.allocs++;
	slot = table_take_slot(table);
	if (slot == TABLE_NONE)
		return -ENOMEM;
	fill_alloc(&table->slots[slot], event);
	table_cover(table, slot);
	return 0;
}

/* Who frees: the task that called vfree if that was reported, else the one in whose context the
 * area was given up. A kworker that frees on another's behalf is told by the difference. */
static void name_freer(struct area *area, const struct event *event)
{
	if (!(area->flags & AREA_F_VFREED)) {
		area->freer_pid = event->pid;
		area->freer_comm = event->comm_id;
	} else if (area->freer_pid != event->pid) {
		area->flags |= AREA_F_DEFERRED;
	}
}

/* Removes every area that a FREE of this range shows to be wrong. */
static void clear_for_free(struct space *space, const struct event *event)
{
	struct table *table = &space->table;
	uint32_t page = table_page(table, event->start), last = table_page(table, event->end);

	while ((page = table_next_covered(table, page, last)) < last)
		table_remove(table, table->pages[page]);
}

/* What is freed is not known: puts it there. Returns its slot, TABLE_NONE without memory. Before
 * the first snapshot an unknown area may be freed; after it, this is news. */
static uint32_t heal_alloc(struct space *space, const struct event *event, uint32_t slot)
{
	struct area area = {
		.start = event->start,
		.end = event->end,
		.birth_ns = event->t_ns,
		.state = AREA_USED,
		.flags = AREA_F_SEEDED,
	};

	if (slot != TABLE_NONE || space->snapshot.seeded) {
		space->counters.healed_allocs++;
		suspect(space, event->t_ns);
	}
	clear_for_free(space, event);
	return table_add(&space->table, &area);
}

static int apply_free(struct space *space, const struct event *event)
{
	struct table *table = &space->table;
	uint32_t slot;

	if (!table_range_ok(table, event->start, event->end))
		return -EINVAL;
	space->counters.frees++;
	slot = table_slot_at(table, table_page(table, event->start));
	if (slot == TABLE_NONE || table->slots[slot].state != AREA_USED ||
	    table->slots[slot].start != event->start || table->slots[slot].end != event->end) {
		slot = heal_alloc(space, event, slot);
		if (slot == TABLE_NONE)
			return -ENOMEM;
	}
	name_freer(&table->slots[slot], event);
	return table_make_lazy(table, slot, event->t_ns);
}

static int apply_vfree(struct space *space, const struct event *event)
{
	struct table *table = &space->table;
	struct area *area;
	uint32_t slot;

	if (event->start < table->start || table_page(table, event->start) >= table->nr_pages)
		return 0; /* vfree(NULL) or a stray pointer: the kernel's business */
	slot = table_slot_at(table, table_page(table, event->start));
	if (slot == TABLE_NONE)
		return 0;
	area = &table->slots[slot];
	if (area->state != AREA_USED || area->start != event->start)
		return 0;
	area->freer_pid = event->pid;
	area->freer_comm = event->comm_id;
	area->freer_caller = event->caller_id;
	area->flags |= AREA_F_VFREED;
	return 0;
}

/* True if the area was lazy when the purge began. What the first list has as lazy was so before
 * there were events, this one's begin too. */
static bool is_purged(const struct space *space, const struct area *area, const struct event *purge)
{
	return area->free_ns < purge->begin_ns ||
	       (area->flags & AREA_F_UNSEEN && area->birth_ns <= space->snapshot.first_ns);
}

/* What was lazy before the purge began is free when it ends. An area freed while it ran may or
 * may not be among it; it stays lazy, with a mark, until the next purge, or until its reuse proves
 * it. Without its begin a purge proves nothing about any one area. Whether one was among it whose
 * FREE was missed, and which a list read meanwhile shows, only another list can tell. */
static int apply_purge(struct space *space, const struct event *event)
{
	struct table *table = &space->table;
	bool has_begin = event->flags & EV_F_HAS_BEGIN;
	uint32_t place = table->nr_lazy;

	if (has_begin && event->begin_ns > event->t_ns)
		return -EINVAL;
	space->counters.purges++;
	if (has_begin && event->t_ns > space->purged_ns)
		space->purged_ns = event->t_ns;
	/* From the end, since the last one takes the place of one that is removed. */
	while (place-- > 0) {
		uint32_t slot = table->lazy[place];
		struct area *area = &table->slots[slot];

		/* Not touched: an area that was made where this one is wrongly lazy, unseen, must
		 * be taken from a list that was read before. */
		if (has_begin && is_purged(space, area, event)) {
			table_remove(table, slot);
		} else {
			area->flags |= AREA_F_MAYBE_FREE;
			if (has_begin && area->flags & AREA_F_UNSEEN &&
			    area->free_ns <= event->t_ns)
				suspect(space, event->t_ns);
		}
	}
	return 0;
}

static int apply_lost(struct space *space, const struct event *event)
{
	if (!event->count)
		return 0;
	if (!lost_cause_hurts_map(event->state)) {
		space->counters.lost_stacks += event->count;
		return 0;
	}
	space->counters.lost += event->count;
	space->hurt_ns = event->t_ns;
	space->uncertain = true;
	return 0;
}

static int apply_fail(struct space *space, const struct event *event)
{
	space_learn_module_start(space, event);
	space->counters.fails++;
	return 0;
}

static int dispatch(struct space *space, const struct event *event)
{
	switch (event->type) {
	case EV_STACK:
	case EV_TIME:
		return 0;
	case EV_ALLOC:
		return apply_alloc(space, event);
	case EV_FREE:
		return apply_free(space, event);
	case EV_PURGE:
		return apply_purge(space, event);
	case EV_FAIL:
		return apply_fail(space, event);
	case EV_VFREE:
		return apply_vfree(space, event);
	case EV_LOST:
		return apply_lost(space, event);
	case EV_SNAPSHOT_BEGIN:
		return snapshot_begin(space, event);
	case EV_AREA:
		return snapshot_area(space, event);
	case EV_SNAPSHOT_END:
		return snapshot_end(space, event);
	default:
		return -EINVAL;
	}
}

int space_apply(struct space *space, const struct event *event)
{
	int err = dispatch(space, event);

	space->counters.events++;
	if (err == -EINVAL)
		space->counters.rejected++;
	else if (event->t_ns > space->counters.last_t_ns)
		space->counters.last_t_ns = event->t_ns;
	return err;
}

struct space_totals space_totals(const struct space *space)
{
	const struct table *table = &space->table;

	return (struct space_totals){
		.start = table->start,
		.end = space_end(space),
		.total_bytes = table->nr_pages * VMT_PAGE_SIZE,
		.used_bytes = table->state_pages[PAGE_USED] * VMT_PAGE_SIZE,
		.guard_bytes = table->state_pages[PAGE_GUARD] * VMT_PAGE_SIZE,
		.lazy_bytes = table->state_pages[PAGE_LAZY] * VMT_PAGE_SIZE,
		.free_bytes = table->state_pages[PAGE_FREE] * VMT_PAGE_SIZE,
		.unknown_bytes = table->state_pages[PAGE_UNKNOWN] * VMT_PAGE_SIZE,
		.own_bytes = table->own_pages * VMT_PAGE_SIZE,
		.areas = table->nr_used,
		.lazy_areas = table->nr_lazy,
	};
}

const struct space_counters *space_counters(const struct space *space)
{
	return &space->counters;
}

bool space_uncertain(const struct space *space)
{
	return space->uncertain;
}

bool space_in_snapshot(const struct space *space)
{
	return space->snapshot.active;
}

uint32_t space_start(const struct space *space)
{
	return space->table.start;
}

uint32_t space_end(const struct space *space)
{
	return table_addr(&space->table, space->table.nr_pages);
}

uint32_t space_module_start(const struct space *space)
{
	return space->module_start;
}

static bool inside(const struct space *space, uint32_t addr)
{
	return addr >= space->table.start && addr < space_end(space);
}

enum page_state space_page(const struct space *space, uint32_t addr)
{
	if (!inside(space, addr))
		return PAGE_UNKNOWN;
	return table_state(&space->table, table_page(&space->table, addr));
}

#define SHORT_HOLE 6 /* pages, of which to look at four at once does not pay */

/* Where the free pages from page on end. */
static uint32_t free_run(const struct table *table, uint32_t page)
{
	const uint32_t *pages = table->pages;
	uint32_t last = table->nr_pages;

	if (last - page > SHORT_HOLE)
		last = page + SHORT_HOLE;
	while (page < last && pages[page] & TABLE_FREE)
		page++;
	return page == last ? table_next_covered(table, page, table->nr_pages) : page;
}

/* Free or unknown pages from page on. */
static enum page_state bare_run(const struct table *table, uint32_t page, uint32_t *end)
{
	bool unknown = table->pages[page] == TABLE_WHAT;

	if (!table->state_pages[PAGE_UNKNOWN]) { /* as nearly always */
		*end = table_addr(table, free_run(table, page));
		return PAGE_FREE;
	}
	while (page < table->nr_pages && table->pages[page] & TABLE_FREE &&
	       (table->pages[page] == TABLE_WHAT) == unknown)
		page++;
	*end = table_addr(table, page);
	return unknown ? PAGE_UNKNOWN : PAGE_FREE;
}

enum page_state space_stretch(const struct space *space, uint32_t addr, uint32_t *end)
{
	const struct table *table = &space->table;
	uint32_t page = table_page(table, addr);
	uint32_t slot = table_slot_at(table, page);

	if (slot == TABLE_NONE)
		return bare_run(table, page, end);
	*end = table->slots[slot].end;
	return table->slots[slot].state == AREA_LAZY ? PAGE_LAZY : PAGE_USED;
}

enum page_state space_run(const struct space *space, uint32_t addr, uint32_t *end)
{
	const struct table *table = &space->table;
	enum page_state state = space_stretch(space, addr, end);
	uint32_t guard;

	if (state != PAGE_USED)
		return state;
	guard = *end - table->slots[table_slot_at(table, table_page(table, addr))].guard_pages *
			       VMT_PAGE_SIZE;
	if (addr >= guard)
		return PAGE_GUARD;
	*end = guard;
	return state;
}

const struct area *space_area_at(const struct space *space, uint32_t addr)
{
	uint32_t slot;

	if (!inside(space, addr))
		return NULL;
	slot = table_slot_at(&space->table, table_page(&space->table, addr));
	return slot == TABLE_NONE ? NULL : &space->table.slots[slot];
}

const struct area *space_first(const struct space *space, uint32_t addr)
{
	const struct table *table = &space->table;
	uint32_t page = addr <= table->start ? 0 : table_page(table, addr + VMT_PAGE_SIZE - 1);

	for (; page < table->nr_pages; page++) {
		uint32_t slot = table_slot_at(table, page);

		if (slot != TABLE_NONE && table->slots[slot].start == table_addr(table, page))
			return &table->slots[slot];
	}
	return NULL;
}

bool space_touched_since(const struct space *space, uint32_t start, uint32_t end, uint64_t t_ns)
{
	return table_range_ok(&space->table, start, end) &&
	       table_touched_since(&space->table, start, end, t_ns, space->counters.last_t_ns);
}

uint64_t space_purged_ns(const struct space *space)
{
	return space->purged_ns;
}

bool space_check(const struct space *space, char *why, size_t why_len)
{
	return table_check(&space->table, why, why_len);
}
