/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The model of the vmalloc address space: every page's state and every area, kept by applying
 * the event stream. Pure: no I/O, no clock, no libbpf, and no way to tell a live stream from a
 * recording.
 *
 * Invariants, which space_check() proves and the tests check after every event:
 *   - used + guard + lazy + free + unknown = end - start;
 *   - no two areas overlap; every page of an area points back at it, no other page does.
 *
 * Self-healing: areas cannot overlap in the kernel, so
 *   ALLOC over a lazy range   proves that the overlap was purged (no error: purges free areas one
 *                             by one before they report their end);
 *   ALLOC over a used range   proves that its FREE was lost     -> counted in healed_frees;
 *   FREE of a range not used  proves that its ALLOC was lost    -> counted in healed_allocs.
 *
 * A snapshot (SNAPSHOT_BEGIN, AREA ..., SNAPSHOT_END) is the kernel's own list, read while events
 * went on. A page that an ALLOC or FREE touched from begin_ns - SPACE_SNAPSHOT_SLACK_NS on keeps
 * what the event said; any other page takes what the snapshot says. The first snapshot turns
 * unknown pages into known ones; a later one repairs drift, and what it repaired is counted. What
 * is free here and lazy there, or the reverse, is put right too, but counted apart.
 */
#ifndef VMTRACE_SPACE_SPACE_H
#define VMTRACE_SPACE_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "space/names.h"

#define SPACE_SNAPSHOT_SLACK_NS 20000000ull /* a free may take this long from probe to list */

struct space;

enum page_state { PAGE_FREE = 0, PAGE_USED, PAGE_GUARD, PAGE_LAZY, PAGE_UNKNOWN, PAGE_STATE_COUNT };

enum area_flag {
	AREA_F_OWN = 1 << 0, /* vmtrace's own */
	AREA_F_SEEDED =
		1 << 1, /* born before the tracer looked: birth_ns is when it was first seen */
	AREA_F_DEFERRED = 1 << 2, /* freed by a kworker on behalf of freer_pid */
	AREA_F_STACK_CUT = 1 << 3,
	AREA_F_VFREED = 1 << 4,     /* a VFREE named the freer */
	AREA_F_UNSEEN = 1 << 5,     /* lazy: its FREE was not seen, a list shows it */
	AREA_F_MAYBE_FREE = 1 << 6, /* lazy: a purge that ran since may have freed it */
	AREA_F_LISTED = 1 << 7,     /* the last snapshot has it: for who merges that */
};

struct area {
	uint32_t start;
	uint32_t end; /* exclusive; guard pages included */
	uint64_t birth_ns VMT_ALIGNED8;
	uint64_t free_ns VMT_ALIGNED8; /* lazy: when it was freed (or seen lazy); used: 0 */
	uint32_t origin;               /* area_stack(), area_caller() */
	uint32_t pid;
	uint32_t comm_id;
	uint32_t requested; /* bytes, 0 = not known */
	uint32_t nr_pages;  /* seeded areas: pages=, else 0 */
	uint32_t freer_pid; /* lazy: the task that called vfree, or in whose context it was freed */
	uint32_t freer_comm;   /* string id */
	uint32_t freer_caller; /* string id, 0 = not known */
	uint8_t state : 2;     /* enum area_state */
	uint8_t align_log : 6; /* area_align() */
	uint8_t kind;          /* enum area_kind */
	uint8_t guard_pages;
	uint8_t flags; /* enum area_flag */
	uint32_t link; /* space/table's own */
};
_Static_assert(sizeof(struct area) == 64, "area: all that an area takes, but for its pages");

#define AREA_BY_CALLER 0x80000000u /* origin is a caller; there are less than 2^31 stacks */

static inline uint32_t area_origin(uint32_t stack_id, uint32_t caller_id)
{
	return stack_id || !caller_id ? stack_id : caller_id | AREA_BY_CALLER;
}

/* The stack that allocated it, 0 = not known (seeded). */
static inline uint32_t area_stack(const struct area *area)
{
	return area->origin & AREA_BY_CALLER ? 0 : area->origin;
}

/* String id of who allocated it where the stack is not known, else 0. */
static inline uint32_t area_caller(const struct area *area)
{
	return area->origin & AREA_BY_CALLER ? area->origin & ~AREA_BY_CALLER : 0;
}

/* Of what the kernel aligns to, powers of two (mm/vmalloc.c: alloc_vmap_area); 0 of anything else. */
static inline uint8_t area_align_log(uint32_t align)
{
	return align && !(align & (align - 1)) ? (uint8_t)(__builtin_ctz(align) + 1) : 0;
}

/* Bytes it was to be aligned to, 0 = not known. */
static inline uint32_t area_align(const struct area *area)
{
	return area->align_log ? 1u << (area->align_log - 1) : 0;
}

/* What the space holds now. All sizes in bytes; they add up to total_bytes. */
struct space_totals {
	uint32_t start;
	uint32_t end;
	uint32_t total_bytes;
	uint32_t used_bytes; /* guard pages not included */
	uint32_t guard_bytes;
	uint32_t lazy_bytes;
	uint32_t free_bytes;
	uint32_t unknown_bytes;
	uint32_t own_bytes; /* vmtrace's own areas, guard included; part of used and guard */
	uint32_t areas;     /* used areas */
	uint32_t lazy_areas;
};

/* What happened since space_new. */
struct space_counters {
	uint64_t events VMT_ALIGNED8; /* all applied */
	uint64_t allocs VMT_ALIGNED8;
	uint64_t frees VMT_ALIGNED8;
	uint64_t purges VMT_ALIGNED8;
	uint64_t fails VMT_ALIGNED8;
	uint64_t snapshots VMT_ALIGNED8;
	uint64_t lost VMT_ALIGNED8;          /* sum of LOST counts, map-hurting causes only */
	uint64_t lost_stacks VMT_ALIGNED8;   /* ... the harmless ones */
	uint64_t healed_frees VMT_ALIGNED8;  /* an ALLOC proved a lost FREE */
	uint64_t healed_allocs VMT_ALIGNED8; /* a FREE proved a lost ALLOC */
	uint64_t repaired VMT_ALIGNED8; /* used areas that a snapshot after the first put right:
					   an event was missed */
	/* Runs of pages that a later snapshot made lazy from free, or the reverse. That alone is no
	 * sign of a missed event: a FREE is seen before its area is on the kernel's lazy list, and
	 * a purge that begins in between takes it or not. */
	uint64_t lazy_settled VMT_ALIGNED8;
	uint64_t rejected VMT_ALIGNED8;  /* events that make no sense (outside the range ...) */
	uint64_t last_t_ns VMT_ALIGNED8; /* time of the newest event */
};

/* All that events or snapshots showed to be wrong and put right. */
static inline uint64_t space_healed(const struct space_counters *counters)
{
	return counters->healed_frees + counters->healed_allocs + counters->repaired;
}

/* A model of [start, end), page aligned, all pages unknown. NULL if the range is empty, unaligned
 * or larger than 3 GiB, if it begins at 0, which stands for "no address", or memory runs out. */
struct space *space_new(uint32_t start, uint32_t end);
void space_free(struct space *space);

/* Another of its own, with all that the model knows: 5 bytes a page, 64 an area and 4 more a lazy one. NULL if memory
 * runs out. */
struct space *space_copy(const struct space *space);

/* Applies one event. 0; -EINVAL when the event cannot be true (counted as rejected, the model is
 * unchanged); -ENOMEM. EV_STACK is accepted and ignored. */
int space_apply(struct space *space, const struct event *event);

struct space_totals space_totals(const struct space *space);
const struct space_counters *space_counters(const struct space *space);

/* True after a loss that can have made the map wrong, counted or proved by a heal, until a snapshot
 * has put it right; and before the first snapshot. Every number derived from the map is then shown
 * with '~'. */
bool space_uncertain(const struct space *space);

/* True between SNAPSHOT_BEGIN and SNAPSHOT_END: the map is then half of before, half of the list.
 */
bool space_in_snapshot(const struct space *space);

uint32_t space_start(const struct space *space);
uint32_t space_end(const struct space *space);

/*
 * Where the range of modules begins: the lowest vstart that a module or a BPF image was seen to ask
 * for, above the space's start by at most the 1,024 pages of KASLR (arch/x86/kernel/module.c:
 * get_module_load_offset). 0 = none was seen.
 */
uint32_t space_module_start(const struct space *space);

/* State of the page that holds addr; PAGE_UNKNOWN outside the range. O(1). */
enum page_state space_page(const struct space *space, uint32_t addr);

/* The run of pages that begins with addr's: all free, or all unknown, or of one area in one state
 * (payload, guard, lazy). Its state; *end: where it ends, at most space_end. addr must be inside
 * the range. O(1) for an area, else O(length) in one tight loop. Walk all:
 *   for (at = space_start(s); at < space_end(s); at = end) state = space_run(s, at, &end) */
enum page_state space_run(const struct space *space, uint32_t addr, uint32_t *end);

/* The same where guard pages count as used, like the area that they end: half the steps. */
enum page_state space_stretch(const struct space *space, uint32_t addr, uint32_t *end);

/* The area (used or lazy) that covers addr, or NULL. Valid until the next space_apply. O(1). */
const struct area *space_area_at(const struct space *space, uint32_t addr);

/* The first area whose start is at addr or above, in address order; NULL at the end. Walk all:
 *   for (a = space_first(s, space_start(s)); a; a = space_first(s, a->end)) */
const struct area *space_first(const struct space *space, uint32_t addr);

/* True if an ALLOC or FREE touched a page of [start, end) at or after t_ns (rounded down to 17 ms):
 * then a list read at t_ns says nothing about it. */
bool space_touched_since(const struct space *space, uint32_t start, uint32_t end, uint64_t t_ns);

/* When the last purge ended: a list that was begun before may show as lazy what is free. 0: none.
 */
uint64_t space_purged_ns(const struct space *space);

/* Proves the invariants; false and a reason in why otherwise. For tests and --check builds. */
bool space_check(const struct space *space, char *why, size_t why_len);

#endif
