/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A made-up kernel that allocates and frees: an endless stream of events that can be true, the same
 * for the same seed. For the tests of what passes streams on, and for the benchmark.
 *
 * The range is cut into slots of LOAD_SLOT_PAGES, each with one area or none, so that no event depends
 * on a search for room. Who wants larger areas defines it before.
 */
#ifndef TESTS_LOAD_H
#define TESTS_LOAD_H

#include <stdio.h>
#include <string.h>

#include "event.h"
#include "record/header.h"
#include "space/names.h"
#include "space/stacks.h"

#ifndef LOAD_SLOT_PAGES
#define LOAD_SLOT_PAGES 16u
#endif
#define LOAD_START  0xf77fe000u
#define LOAD_SLOT   (LOAD_SLOT_PAGES * VMT_PAGE_SIZE)
#define LOAD_SLOTS  (30400u / LOAD_SLOT_PAGES)
#define LOAD_STACKS 256u
#define LOAD_COMMS  64u
#define LOAD_LAZY   160u /* slots that wait for a purge before there is one */

struct load {
	uint64_t rng;
	uint64_t t_ns;
	uint32_t stacks[LOAD_STACKS];
	uint32_t comms[LOAD_COMMS];
	uint32_t caller;
	uint8_t pages[LOAD_SLOTS]; /* of the area in the slot, 0 = none, or lazy */
	uint32_t lazy[LOAD_LAZY];
	uint32_t nr_lazy;
	uint8_t taken[LOAD_SLOTS]; /* used or lazy */
	uint32_t freeing;          /* slot + 1 whose vfree was told and whose free is next */
	uint32_t told;             /* stacks defined so far */
};

static inline struct stream_header load_header(void)
{
	return (struct stream_header){ .kernel = "6.1.0-50-686-pae",
				       .vmalloc_start = LOAD_START,
				       .vmalloc_end = 0xfeffe000,
				       .cpus = 2,
				       .hostname = "load",
				       .tool = "test",
				       .start_ns = 1000000000000 };
}

static inline uint32_t load_random(struct load *load, uint32_t below)
{
	load->rng ^= load->rng << 13;
	load->rng ^= load->rng >> 7;
	load->rng ^= load->rng << 17;
	return (uint32_t)(load->rng >> 32) % below;
}

static inline void load_init(struct load *load, uint64_t seed, struct names *names,
			     struct stacks *stacks)
{
	char text[64];

	memset(load, 0, sizeof(*load));
	load->rng = seed * 2654435761u + 1;
	load->t_ns = 1000000000000;
	for (uint32_t i = 0; i < LOAD_COMMS; i++) {
		snprintf(text, sizeof(text), "task-%u", i);
		load->comms[i] = names_intern_str(names, text);
	}
	for (uint32_t i = 0; i < LOAD_STACKS; i++) {
		uint32_t frames[VMT_MAX_FRAMES], nr_frames = 6 + i % 12;

		for (uint32_t j = 0; j < nr_frames; j++) {
			snprintf(text, sizeof(text), "function_%u+0x%x [module%u]", i / (j + 1),
				 j * 7, i % 20);
			frames[j] = names_intern_str(names, text);
		}
		load->stacks[i] = stacks_intern(stacks, frames, nr_frames, NULL);
	}
	load->caller = names_intern_str(names, "function_0+0x10 [module0]");
}

static inline void load_task(struct load *load, struct event *event)
{
	uint32_t task = load_random(load, LOAD_COMMS);

	event->pid = 100 + task;
	event->tid = 100 + task;
	event->comm_id = load->comms[task];
}

static inline void load_alloc(struct load *load, struct event *event, uint32_t slot)
{
	uint32_t pages = 2 + load_random(load, LOAD_SLOT_PAGES - 2);

	load->taken[slot] = 1;
	load->pages[slot] = (uint8_t)pages;
	event->type = EV_ALLOC;
	event->start = LOAD_START + slot * LOAD_SLOT;
	event->end = event->start + pages * VMT_PAGE_SIZE;
	event->guard_pages = 1;
	event->kind = KIND_VMALLOC;
	event->size = pages * VMT_PAGE_SIZE;
	event->align = VMT_PAGE_SIZE;
	event->vstart = LOAD_START;
	event->vend = 0xfeffe000;
	event->gfp = 0xcc0;
	event->latency_ns = 1500 + load_random(load, 4000);
	event->requested = (pages - 1) * VMT_PAGE_SIZE - load_random(load, VMT_PAGE_SIZE);
	event->stack_id = load->stacks[load_random(load, LOAD_STACKS)];
	if (slot % 50 == 0) {
		event->kind = KIND_MODULE;
		event->vstart = LOAD_START + 7 * VMT_PAGE_SIZE;
	}
	load_task(load, event);
}

static inline void load_free(struct load *load, struct event *event, uint32_t slot)
{
	event->type = EV_FREE;
	event->start = LOAD_START + slot * LOAD_SLOT;
	event->end = event->start + load->pages[slot] * VMT_PAGE_SIZE;
	load->pages[slot] = 0;
	load->lazy[load->nr_lazy++] = slot;
	load->freeing = 0;
}

static inline void load_purge(struct load *load, struct event *event)
{
	while (load->nr_lazy)
		load->taken[load->lazy[--load->nr_lazy]] = 0;
	event->type = EV_PURGE;
	event->flags = EV_F_HAS_BEGIN;
	event->begin_ns = load->t_ns - 500;
}

/* The next event. The first two are a snapshot of an empty space. */
static inline struct event load_next(struct load *load)
{
	struct event event = { 0 };
	uint32_t slot = load_random(load, LOAD_SLOTS);

	load->t_ns += 500 + load_random(load, 20000);
	event.t_ns = load->t_ns;
	if (load->told < 2) {
		event.type = load->told++ ? EV_SNAPSHOT_END : EV_SNAPSHOT_BEGIN;
		event.flags = EV_F_HAS_BEGIN;
		event.begin_ns = 1000000000000;
		return event;
	}
	if (load->freeing) {
		load_task(load, &event);
		load_free(load, &event, load->freeing - 1);
		return event;
	}
	if (load->nr_lazy == LOAD_LAZY) {
		load_purge(load, &event);
		return event;
	}
	while (load->taken[slot] && !load->pages[slot])
		slot = (slot + 1) % LOAD_SLOTS;
	if (!load->taken[slot]) {
		load_alloc(load, &event, slot);
		return event;
	}
	/* Every other area is freed by vfree, which is told first. */
	load_task(load, &event);
	if (slot % 2) {
		event.type = EV_VFREE;
		event.start = LOAD_START + slot * LOAD_SLOT;
		event.caller_id = load->caller;
		load->freeing = slot + 1;
	} else {
		load_free(load, &event, slot);
	}
	return event;
}

#endif
