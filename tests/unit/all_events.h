// SPDX-License-Identifier: GPL-2.0-only
/* Events of every type, for the tests of what writes and reads them. */
#ifndef TESTS_ALL_EVENTS_H
#define TESTS_ALL_EVENTS_H

#include <string.h>

#include "event.h"
#include "space/names.h"
#include "space/stacks.h"

#define ALL_EVENTS_MAX 64

static inline uint32_t all_events_stack(struct names *names, struct stacks *stacks)
{
	uint32_t frames[3] = { names_intern_str(names, "vmalloc+0x6f"),
			       names_intern_str(names, "ring_alloc+0x41 [foo]"),
			       names_intern_str(names, "foo_open+0x90 [foo]") };

	return stacks_intern(stacks, frames, 3, NULL);
}

/* Every type, each with every member that the type names, and once with as few as possible. */
static inline unsigned int all_events(struct names *names, struct stacks *stacks,
				      struct event events[ALL_EVENTS_MAX])
{
	uint32_t stack = all_events_stack(names, stacks), comm = names_intern_str(names, "insmod");
	struct event list[] = {
		{ .type = EV_STACK, .stack_id = stack },
		{ .type = EV_SNAPSHOT_BEGIN, .t_ns = 20, .begin_ns = 10, .flags = EV_F_HAS_BEGIN },
		{ .type = EV_AREA, .t_ns = 21, .start = 0xf7800000, .end = 0xf7803000,
		  .guard_pages = 1, .state = AREA_USED, .kind = KIND_VMALLOC,
		  .caller_id = names_intern_str(names, "n_tty_open+0x16"), .nr_pages = 2,
		  .flags = EV_F_OWN },
		{ .type = EV_AREA, .t_ns = 21, .begin_ns = 10, .start = 0xf7810000,
		  .end = 0xf7811000, .state = AREA_LAZY },
		{ .type = EV_AREA, .t_ns = 21, .begin_ns = 3, .start = 0xf7820000,
		  .end = 0xf7823000, .guard_pages = 1, .state = AREA_USED, .kind = KIND_VMAP,
		  .pid = 7, .comm_id = comm, .stack_id = stack, .requested = 5000, .align = 8192,
		  .vstart = 0xf7801000, .flags = EV_F_KNOWN | EV_F_STACK_CUT },
		{ .type = EV_AREA, .t_ns = 21, .begin_ns = 3, .start = 0xf7824000,
		  .end = 0xf7825000, .state = AREA_LAZY, .flags = EV_F_KNOWN },
		{ .type = EV_SNAPSHOT_END, .t_ns = 22, .begin_ns = 10, .flags = EV_F_HAS_BEGIN },
		{ .type = EV_ALLOC, .t_ns = UINT64_C(0x7fffffffffffffff), .start = 0xf7849000,
		  .end = 0xf784b000, .guard_pages = 1, .align = 4096, .kind = KIND_VMAP,
		  .pid = 108, .tid = 109, .comm_id = comm, .stack_id = stack, .size = 0x2000,
		  .requested = 4, .vstart = 0xf77fe000, .vend = 0xfeffe000, .gfp = 0xcc0,
		  .latency_ns = UINT32_MAX, .flags = EV_F_OWN | EV_F_STACK_CUT },
		{ .type = EV_ALLOC, .t_ns = 31, .start = 0xf77fe000, .end = 0xfeffe000 },
		{ .type = EV_FREE, .t_ns = 32, .start = 0xf7849000, .end = 0xf784b000, .pid = 5,
		  .tid = 6, .comm_id = comm, .flags = EV_F_OWN },
		{ .type = EV_VFREE, .t_ns = 33, .start = 0xf7849010, .pid = 5, .tid = 6,
		  .comm_id = comm, .caller_id = names_intern_str(names, "foo_exit+0x1 [foo]") },
		{ .type = EV_PURGE, .t_ns = 34, .begin_ns = 33, .pid = 5, .tid = 6,
		  .comm_id = comm, .flags = EV_F_HAS_BEGIN | EV_F_OWN },
		{ .type = EV_PURGE, .t_ns = 35 },
		{ .type = EV_FAIL, .t_ns = 36, .size = UINT32_MAX, .align = 0x80000000,
		  .vstart = 1, .vend = UINT32_MAX, .err = -16, .pid = UINT32_MAX, .tid = 2,
		  .comm_id = comm, .stack_id = stack, .kind = KIND_IOREMAP, .requested = 7,
		  .gfp = 8, .latency_ns = 9, .flags = EV_F_STACK_CUT },
		{ .type = EV_FAIL, .t_ns = 37, .size = 4096, .err = -12 },
		{ .type = EV_LOST, .t_ns = 38, .count = 12, .state = LOST_RING, .cpu = UINT32_MAX },
		{ .type = EV_LOST, .t_ns = 39, .count = UINT32_MAX, .state = LOST_INFLIGHT },
		{ .type = EV_LOST, .t_ns = 40, .count = 1, .state = LOST_UNMATCHED, .cpu = 1 },
		{ .type = EV_LOST, .t_ns = 41, .count = 1, .state = LOST_NO_ENTRY, .cpu = 1 },
		{ .type = EV_LOST, .t_ns = 42, .count = 1, .state = LOST_STACK, .cpu = 1 },
		{ .type = EV_LOST, .t_ns = 43, .count = 1, .state = LOST_READ, .cpu = 1 },
		{ .type = EV_LOST, .t_ns = 44, .count = 1, .state = LOST_QUEUE, .cpu = 1 },
		{ .type = EV_LOST, .t_ns = 45, .count = 1, .state = LOST_MISSED, .cpu = 1 },
		{ .type = EV_LOST, .t_ns = 46, .count = 1, .state = LOST_DETAIL, .cpu = 1 },
		{ .type = EV_TIME, .t_ns = 47 },
	};
	unsigned int count = sizeof(list) / sizeof(list[0]);

	memcpy(events, list, sizeof(list));
	for (unsigned int kind = 0; kind < KIND_COUNT; kind++)
		events[count++] = (struct event){ .type = EV_ALLOC, .kind = (uint8_t)kind,
						  .start = 0xf7849000, .end = 0xf784b000 };
	return count;
}

#endif
