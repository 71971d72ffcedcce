/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An allocator that is too simple to be wrong: a byte a page, lowest fit, percpu from the top, a
 * purge when nothing fits or more than the threshold is lazy. It plays a script in a space of any
 * size, and tells what the kernel would have reported.
 */
#ifndef VMTRACE_TESTS_NAIVE_ALLOCATOR_H
#define VMTRACE_TESTS_NAIVE_ALLOCATOR_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "space/space.h"

#define PAGE  VMT_PAGE_SIZE
#define END   0xfeffe000u
#define US    1000ull
#define MS    1000000ull
#define KWORKER 7

enum op_type { OP_ALLOC, OP_FREE, OP_PURGE };

/* kind: KIND_MODULE begins MODULE_OFFSET pages up, KIND_PERCPU is placed top down. */
#define MODULE_OFFSET 37

struct op {
	enum op_type type;
	uint32_t id;
	uint32_t pages;
	uint8_t kind;
	uint64_t t_ns;
};

enum naive_state { N_NONE, N_USED, N_LAZY, N_FAILED };

struct naive_block {
	uint32_t first;
	uint32_t pages;
	uint8_t state;
	uint8_t kind;
};

struct naive_stats {
	uint64_t fails_stay, fails_gone, fails_new, purges_overflow, purges_threshold;
	uint32_t used_bytes, lazy_bytes, max_used_bytes, max_lazy_bytes;
	uint32_t largest_bytes, largest_purged_bytes, min_largest_bytes, min_largest_purged_bytes;
};

struct naive {
	uint32_t pages;
	uint32_t threshold; /* pages */
	uint8_t *page;	    /* enum naive_state */
	struct naive_block *blocks; /* by id */
	uint32_t nr_ids;
	const struct naive *recorded; /* of another size: what failed there was not freed */
	struct naive_stats stats;
	/* where events go, or NULL */
	void (*emit)(void *context, const struct event *event);
	void *context;
};

static inline uint32_t naive_addr(const struct naive *n, uint32_t page)
{
	return END - (n->pages - page) * PAGE;
}

static inline void naive_init(struct naive *n, uint32_t pages, uint32_t threshold, uint32_t nr_ids)
{
	memset(n, 0, sizeof(*n));
	n->pages = pages;
	n->threshold = threshold;
	n->page = calloc(pages, 1);
	n->blocks = calloc(nr_ids, sizeof(*n->blocks));
	n->nr_ids = nr_ids;
}

static inline void naive_release(struct naive *n)
{
	free(n->page);
	free(n->blocks);
}

static inline void naive_set(struct naive *n, const struct naive_block *block, uint8_t state)
{
	memset(n->page + block->first, state, block->pages);
}

/* 0 if all of them are free, else the first page behind one that is not. */
static inline uint32_t naive_taken(const struct naive *n, uint32_t first, uint32_t pages)
{
	for (uint32_t i = first + pages; i-- > first;) {
		if (n->page[i] != N_NONE)
			return i + 1;
	}
	return 0;
}

static inline bool naive_place(const struct naive *n, const struct op *op, uint32_t *first)
{
	uint32_t behind;

	if (op->pages > n->pages)
		return false;
	if (op->kind == KIND_PERCPU) {
		for (*first = n->pages - op->pages + 1; (*first)-- > 0;) {
			if (!naive_taken(n, *first, op->pages))
				return true;
		}
		return false;
	}
	*first = op->kind == KIND_MODULE ? MODULE_OFFSET : 0;
	for (; *first + op->pages <= n->pages; *first = behind) {
		behind = naive_taken(n, *first, op->pages);
		if (!behind)
			return true;
	}
	return false;
}

static inline void naive_emit(struct naive *n, const struct event *event)
{
	if (n->emit)
		n->emit(n->context, event);
}

static inline void naive_purge(struct naive *n, uint64_t begin_ns, uint64_t t_ns, uint32_t tid)
{
	struct event event = {.type = EV_PURGE, .t_ns = t_ns, .begin_ns = begin_ns,
			      .flags = EV_F_HAS_BEGIN, .pid = tid, .tid = tid};

	for (uint32_t i = 0; i < n->pages; i++) {
		if (n->page[i] == N_LAZY)
			n->page[i] = N_NONE;
	}
	for (uint32_t i = 0; i < n->nr_ids; i++) {
		if (n->blocks[i].state == N_LAZY)
			n->blocks[i].state = N_NONE;
	}
	naive_emit(n, &event);
}

/* How many pages from first on are in its state: eight are looked at in one, most runs are long. */
static inline uint32_t naive_run(const struct naive *n, uint32_t first)
{
	const uint64_t same = n->page[first] * 0x0101010101010101u;
	uint32_t i = first + 1;

	for (uint64_t eight; i + 8 <= n->pages; i += 8) {
		memcpy(&eight, n->page + i, 8);
		if (eight != same)
			break;
	}
	while (i < n->pages && n->page[i] == n->page[first])
		i++;
	return i - first;
}

static inline void naive_measure(struct naive *n)
{
	uint32_t run = 0, run_purged = 0, most = 0, most_purged = 0, used = 0, lazy = 0;
	struct naive_stats *s = &n->stats;

	for (uint32_t i = 0, same; i < n->pages; i += same) {
		uint8_t state = n->page[i];

		same = naive_run(n, i);
		used += state == N_USED ? same : 0;
		lazy += state == N_LAZY ? same : 0;
		run = state == N_NONE ? same : 0;
		run_purged = state == N_USED ? 0 : run_purged + same;
		most = run > most ? run : most;
		most_purged = run_purged > most_purged ? run_purged : most_purged;
	}
	s->used_bytes = used * PAGE;
	s->lazy_bytes = lazy * PAGE;
	s->largest_bytes = most * PAGE;
	s->largest_purged_bytes = most_purged * PAGE;
	if (s->used_bytes > s->max_used_bytes)
		s->max_used_bytes = s->used_bytes;
	if (s->lazy_bytes > s->max_lazy_bytes)
		s->max_lazy_bytes = s->lazy_bytes;
	if (s->largest_bytes < s->min_largest_bytes)
		s->min_largest_bytes = s->largest_bytes;
	if (s->largest_purged_bytes < s->min_largest_purged_bytes)
		s->min_largest_purged_bytes = s->largest_purged_bytes;
}

static inline struct event naive_request(const struct naive *n, const struct op *op)
{
	struct event event = {.type = EV_ALLOC, .t_ns = op->t_ns, .kind = op->kind,
			      .size = op->pages * PAGE, .align = 1, .pid = 100 + op->id % 5,
			      .tid = 100 + op->id % 5, .stack_id = 1 + op->id, .latency_ns = 100 * US,
			      .vstart = naive_addr(n, 0), .vend = END};

	if (op->kind == KIND_MODULE) {
		event.align = PAGE;
		event.vstart = naive_addr(n, MODULE_OFFSET);
	} else if (op->kind == KIND_PERCPU) {
		event.align = PAGE;
		event.vstart = event.vend = 0; /* the probe does not see them */
	}
	return event;
}

static inline void naive_alloc(struct naive *n, const struct op *op)
{
	struct naive_block *block = &n->blocks[op->id];
	struct event event = naive_request(n, op);
	bool failed_there = n->recorded && n->recorded->blocks[op->id].state == N_FAILED;
	bool fits = naive_place(n, op, &block->first);

	if (!fits) {
		n->stats.purges_overflow++;
		naive_purge(n, op->t_ns - 50 * US, op->t_ns - 20 * US, event.tid);
		fits = naive_place(n, op, &block->first);
	}
	block->pages = op->pages;
	block->kind = op->kind;
	block->state = fits ? N_USED : N_FAILED;
	if (fits) {
		naive_set(n, block, N_USED);
		event.start = naive_addr(n, block->first);
		event.end = event.start + op->pages * PAGE;
		n->stats.fails_gone += failed_there;
	} else {
		event.type = EV_FAIL;
		event.err = op->kind == KIND_PERCPU ? -12 : -16;
		n->stats.fails_stay += failed_there || !n->recorded;
		n->stats.fails_new += n->recorded && !failed_there;
	}
	naive_emit(n, &event);
}

static inline void naive_free(struct naive *n, const struct op *op)
{
	struct naive_block *block = &n->blocks[op->id];
	struct event event = {.type = EV_FREE, .t_ns = op->t_ns,
			      .start = naive_addr(n, block->first), .pid = 3, .tid = 3};

	if (block->state != N_USED || (n->recorded && n->recorded->blocks[op->id].state == N_FAILED))
		return;
	event.end = event.start + block->pages * PAGE;
	block->state = N_LAZY;
	naive_set(n, block, N_LAZY);
	naive_emit(n, &event);
	naive_measure(n);
	if (n->threshold && n->stats.lazy_bytes > n->threshold * PAGE) {
		n->stats.purges_threshold++;
		naive_purge(n, op->t_ns + 100 * US, op->t_ns + 200 * US, KWORKER);
		naive_measure(n);
	}
}

static inline void naive_play(struct naive *n, const struct op *ops, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (ops[i].type == OP_FREE) {
			naive_free(n, &ops[i]);
			continue;
		}
		if (ops[i].type == OP_ALLOC)
			naive_alloc(n, &ops[i]);
		else
			naive_purge(n, ops[i].t_ns - 100 * US, ops[i].t_ns, 55);
		naive_measure(n);
	}
}

/* From here on minima and maxima are kept, as from the first snapshot. */
static inline void naive_begin(struct naive *n)
{
	memset(&n->stats, 0, sizeof(n->stats));
	n->stats.min_largest_bytes = n->stats.min_largest_purged_bytes = UINT32_MAX;
	naive_measure(n);
}

/* The list of the areas, in address order, as the kernel gives it. */
static inline void naive_snapshot(struct naive *n, uint64_t t_ns)
{
	struct event event = {.type = EV_SNAPSHOT_BEGIN, .t_ns = t_ns, .begin_ns = t_ns,
			      .flags = EV_F_HAS_BEGIN};

	naive_emit(n, &event);
	for (uint32_t page = 0; page < n->pages; page++) {
		for (uint32_t id = 0; id < n->nr_ids && n->page[page]; id++) {
			const struct naive_block *block = &n->blocks[id];

			if ((block->state != N_USED && block->state != N_LAZY) || block->first != page)
				continue;
			event = (struct event){.type = EV_AREA, .t_ns = t_ns,
					       .start = naive_addr(n, page), .kind = block->kind,
					       .state = block->state == N_USED ? AREA_USED : AREA_LAZY};
			event.end = event.start + block->pages * PAGE;
			naive_emit(n, &event);
			page += block->pages - 1;
			break;
		}
	}
	event = (struct event){.type = EV_SNAPSHOT_END, .t_ns = t_ns + 1, .begin_ns = t_ns,
			       .flags = EV_F_HAS_BEGIN};
	naive_emit(n, &event);
}

#endif
