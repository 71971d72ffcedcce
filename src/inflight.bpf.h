/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an area was asked for, kept from where it is seen (the entry of alloc_vmap_area, of
 * pcpu_get_vm_areas, of vmalloc) to where the area is (its insertion, the return).
 *
 * A call is known by where on its stack it began: no two calls in progress began at the same
 * address, and what runs inside a call runs further down on the same stack. The last call that
 * began on a CPU lies in a slot of that CPU (struct wire_cpu), where nearly all are found when they
 * end. One that another begins after, since it sleeps, was preempted or is nested, goes to the
 * table, and comes back into the slot of the CPU on which something is asked of it.
 */
#ifndef VMTRACE_INFLIGHT_BPF_H
#define VMTRACE_INFLIGHT_BPF_H

#include "kernel.bpf.h"
#include "transport.bpf.h"

#define PERCPU_MARK 1u  /* in slot.sp, which else is a multiple of 4 */
#define NR_REQUESTS 512 /* power of two */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, uint32_t); /* number of the stack */
	__type(value, struct inflight_slot);
} inflight SEC(".maps");

static __always_inline uint32_t current_tid(void)
{
	return (uint32_t)bpf_get_current_pid_tgid();
}

/* Where on a stack a call began: above low and below high. */
struct reach {
	uint32_t low;
	uint32_t high;
};

/* The calls that are in progress at sp. */
static __always_inline struct reach around(uint32_t sp)
{
	return (struct reach){ sp, (sp | (KERNEL_STACK_BYTES - 1)) + 1 };
}

/* The call whose frame pointer is bp, if it makes its frame where it was entered. */
static __always_inline struct reach at_frame(uint32_t bp)
{
	return (struct reach){ bp + 3, bp + 6 }; /* bp + 4, with PERCPU_MARK or without */
}

/* The calls made by what began at sp. */
static __always_inline struct reach below(uint32_t sp)
{
	return (struct reach){ sp & ~(KERNEL_STACK_BYTES - 1), sp };
}

static __always_inline bool within(uint32_t sp, struct reach reach)
{
	return sp > reach.low && sp < reach.high;
}

static __always_inline uint32_t stack_number(uint32_t sp)
{
	return sp / KERNEL_STACK_BYTES;
}

/*
 * Puts the call of this CPU's slot into the table. That has room for one of each stack: another one
 * there is given up. Either it has ended, unseen, or three are nested.
 */
static __always_inline void displace(const struct run *run, struct inflight_slot *slot)
{
	uint32_t stack = stack_number(slot->sp);
	struct inflight_slot *older = bpf_map_lookup_elem(&inflight, &stack);

	if (older && older->sp > slot->sp)
		COUNT(run, lost_inflight);
	else if (older && !older->reported)
		COUNT(run, unmatched);
	if (bpf_map_update_elem(&inflight, &stack, slot, BPF_ANY) != 0)
		COUNT(run, lost_inflight);
	slot->sp = 0;
}

/* Frees this CPU's slot for what goes on at sp. */
static __always_inline void make_room(const struct run *run, struct inflight_slot *slot,
				      uint32_t sp)
{
	if (!slot->sp)
		return;
	if (slot->released == slot->sp) {
		slot->sp = 0; /* released stays: who has read the one may yet read the other */
	} else if (same_stack(slot->sp, sp) && (slot->sp & ~PERCPU_MARK) <= sp) {
		if (!slot->reported) /* it has ended, unseen */
			COUNT(run, unmatched);
		slot->sp = 0;
	} else {
		displace(run, slot);
	}
}

/* The slot for a call that begins at sp; inflight_began when it is filled in. */
static __always_inline struct inflight_slot *inflight_begin(const struct run *run, uint32_t sp)
{
	struct inflight_slot *slot = &run->cpu->call;

	make_room(run, slot, sp);
	return slot;
}

static __always_inline void inflight_began(const struct run *run, uint32_t sp)
{
	struct inflight_slot *slot = &run->cpu->call;

	slot->sp = sp;
	COUNT(run, entries);
#ifdef VMT_PERF /* which has no loop to search the slots of other CPUs */
	displace(run, slot);
#endif
}

/* Takes a call out of the table into this CPU's slot. */
static __always_inline bool recall(const struct run *run, struct inflight_slot *slot,
				   struct reach reach)
{
	uint32_t stack = stack_number(reach.low);
	struct inflight_slot *found = bpf_map_lookup_elem(&inflight, &stack);

	if (!found || !within(found->sp, reach))
		return false;
	make_room(run, slot, reach.low);
	*slot = *found;
	bpf_map_delete_elem(&inflight, &stack);
	return within(slot->sp, reach); /* user space may sweep it meanwhile */
}

#ifndef VMT_PERF

static __always_inline struct inflight_slot *slot_of(uint32_t cpu)
{
	return &cpus[cpu & (VMT_MAX_CPUS - 1)].call;
}

/* Takes the call out of the slot of that other CPU, if it is of reach and not over. */
static __always_inline bool fetch_from(const struct run *run, uint32_t cpu, struct reach reach)
{
	struct inflight_slot *slot = &run->cpu->call;
	volatile struct inflight_slot *other = slot_of(cpu);
	uint32_t over = other->released; /* before sp: begin_call clears it before it sets sp */
	uint32_t sp = other->sp;

	if (!within(sp, reach) || over == sp)
		return false;
	make_room(run, slot, reach.low);
	*slot = *slot_of(cpu);
	barrier();
	if (other->sp != sp || other->released == sp) {
		slot->sp = 0;
		return false;
	}
	other->released = sp;
	return true;
}

/*
 * Takes a call out of the slot of another CPU, where its task was when it began. That CPU may be
 * displacing it: then it is in the table before the slot has another sp.
 */
static __always_inline bool fetch(const struct run *run, struct reach reach)
{
	for (uint32_t cpu = 0; cpu < VMT_MAX_CPUS && cpu < run->config->nr_cpus; cpu++) {
		if (fetch_from(run, cpu, reach))
			return true;
	}
	return false;
}

#endif

/* True if a call of reach is in progress; it is in this CPU's slot then. */
static __always_inline bool inflight_find(const struct run *run, struct reach reach)
{
	struct inflight_slot *slot = &run->cpu->call;

	if (within(slot->sp, reach) && slot->released != slot->sp)
		return true;
#ifndef VMT_PERF
	if (fetch(run, reach))
		return true;
#endif
	return recall(run, slot, reach);
}

/*
 * True if the call that returns now is in this CPU's slot: else its entry was not seen. The
 * registers of a return probe lie right below where the call began; what that is nested in began
 * further up.
 */
static __always_inline bool inflight_returning(const struct run *run, const struct pt_regs *ctx)
{
	uint32_t addr = context_addr(ctx);
	struct reach near = { addr, addr + 2 * PT_REGS_BYTES };

	return (inflight_find(run, near) || inflight_find(run, around(addr))) &&
	       run->cpu->call.bp == ctx->bp;
}

/* The call in this CPU's slot is over. */
static __always_inline void inflight_end(const struct run *run)
{
	if (!run->cpu->call.reported)
		COUNT(run, returns);
	run->cpu->call.sp = 0;
}

/* True if an allocation that was made by the call that began at sp has not come to its return
 * probe: it has returned by now, so that was missed, and what came of it is not known. */
static __always_inline bool inflight_unreturned(const struct run *run, uint32_t sp)
{
	return inflight_find(run, below(sp)) && !run->cpu->call.reported;
}

/* ---- what was asked of vmalloc --------------------------------------------------------------
 */

/* A call of __vmalloc_node_range, or of another that takes the size first. */
struct asked {
	uint32_t sp; /* at its entry: a call that is still running lies above the stack pointer */
	uint32_t bytes;
	uint32_t size; /* as asked of alloc_vmap_area; 0 = not yet, ASKED_FAILED = it found none */
};

#define ASKED_FAILED 1 /* no size: those are whole pages */

/*
 * The last such call of a task, and the one in which it was made: above 4 MB of buffer the array of
 * page pointers is allocated in the same way (mm/vmalloc.c:__vmalloc_area_node), and the pages come
 * after it. One entry for all tids with the same low bits: a collision loses a payload size or a
 * lack of pages, never an area.
 */
struct request {
	uint32_t tid;
	struct asked call;
	struct asked outer;
};

#ifndef VMT_PERF

struct request requests[NR_REQUESTS] SEC(".data.requests");

static __always_inline struct request *request_slot(uint32_t tid)
{
	return &requests[tid & (NR_REQUESTS - 1)];
}

#else

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NR_REQUESTS);
	__type(key, uint32_t);
	__type(value, struct request);
} requests SEC(".maps");

static __always_inline struct request *request_slot(uint32_t tid)
{
	uint32_t key = tid & (NR_REQUESTS - 1);

	return bpf_map_lookup_elem(&requests, &key);
}

#endif

/* True if the entry is there, and of that task. */
static __always_inline bool is_own(const struct request *request, uint32_t tid)
{
	return request && request->tid == tid;
}

static __always_inline void ask(uint32_t sp, uint32_t bytes)
{
	uint32_t tid = current_tid();
	struct request *request = request_slot(tid);

	if (!request)
		return;
	if (request->call.sp > sp && request->tid == tid && request->call.size)
		request->outer = request->call; /* running, or an earlier one: it does no harm */
	request->tid = tid;
	request->call.sp = sp;
	request->call.bytes = bytes;
	request->call.size = 0;
}

/* The size asked of __vmalloc_node_range, if it fits what alloc_vmap_area is now asked for: whole
 * pages and the guard page (mm/vmalloc.c:__get_vm_area_node), or no guard page. Once for each call.
 * sp: where the stack is now, 0 = not known. */
static __always_inline uint32_t take_request(uint32_t sp, uint32_t size)
{
	uint32_t tid = current_tid();
	struct request *request = request_slot(tid);

	if (!is_own(request, tid) || request->call.size || request->call.sp <= sp)
		return 0;
	if (size - request->call.bytes >= 2 * VMT_PAGE_SIZE) /* size is of whole pages */
		return 0;
	request->call.size = size;
	return request->call.bytes;
}

/* alloc_vmap_area, called from the frame at bp, has found nothing: what follows from that
 * (warn_alloc, a NULL) is told already. */
static __always_inline void fail_request(uint32_t bp)
{
	uint32_t tid = current_tid();
	struct request *request = request_slot(tid);

	if (!is_own(request, tid))
		return;
	if (request->call.sp <= bp && request->outer.sp > bp)
		request->outer.size = ASKED_FAILED;
	else
		request->call.size = ASKED_FAILED;
}

/*
 * The call inside which warn_alloc runs, entered at sp; NULL if there is none. The call for the
 * array of page pointers, which was made from the same frame and has returned, had its entry at
 * most so many bytes above: warn_alloc has up to 5 words of arguments and its return address. A
 * call that is still running has its own frame in between as well.
 */
#define WARN_CALL_BYTES 24

static __always_inline struct asked *request_around(uint32_t sp)
{
	uint32_t tid = current_tid();
	struct request *request = request_slot(tid);

	if (!is_own(request, tid))
		return NULL;
	if (request->call.sp > sp + WARN_CALL_BYTES)
		return &request->call;
	return request->outer.sp > sp + WARN_CALL_BYTES ? &request->outer : NULL;
}

#endif
