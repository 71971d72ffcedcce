/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an area was asked for, kept for a task from where it is seen (the entry of alloc_vmap_area,
 * of pcpu_get_vm_areas, of vmalloc) to where the area is (its insertion, the return). Entry and
 * return of one call are paired by the frame pointer; what never returned is noticed by the stack
 * pointer.
 */
#ifndef VMTRACE_INFLIGHT_BPF_H
#define VMTRACE_INFLIGHT_BPF_H

#include "kernel.bpf.h"
#include "transport.bpf.h"

#define MAX_NESTED  4    /* power of two; allocations of one task inside each other */
#define NR_REQUESTS 1024 /* power of two */

/* What an allocation in progress was asked for: from its entry to its return. */
struct inflight_slot {
	uint64_t t_ns VMT_ALIGNED8;
	uint32_t bp; /* callee-saved, so the same at entry and return: tells which call returns */
	uint32_t sp; /* at entry: a later entry with sp at or above it is not inside this one */
	uint32_t size;
	uint32_t align;
	uint32_t vstart;
	uint32_t vend;
	uint32_t gfp;
	uint32_t requested;
	uint32_t nr_vms;   /* pcpu_get_vm_areas: how many areas; 0 = alloc_vmap_area */
	uint32_t reported; /* insert_entry has sent its area */
};

struct inflight {
	uint32_t depth;
	uint32_t reserved;
	struct inflight_slot slots[MAX_NESTED];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, uint32_t); /* tid */
	__type(value, struct inflight);
} inflight SEC(".maps");

/*
 * The size last asked of __vmalloc_node_range by a task, until its alloc_vmap_area takes it. One
 * slot for all tids with the same low bits: a collision loses a payload size, never an area.
 */
struct request {
	uint32_t tid;
	uint32_t sp;
	uint32_t bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NR_REQUESTS);
	__type(key, uint32_t);
	__type(value, struct request);
} requests SEC(".maps");

static __always_inline uint32_t current_tid(void)
{
	return (uint32_t)bpf_get_current_pid_tgid();
}

/* A slot whose index is below MAX_NESTED, in a form that the verifier can follow: the asm keeps
 * clang from dropping the mask, which it can prove to change nothing. */
static __always_inline struct inflight_slot *slot_at(struct inflight *task, uint32_t index)
{
	asm volatile("" : "+r"(index));
	return &task->slots[index & (MAX_NESTED - 1)];
}

/* Entries that can no longer be running, since this one is not below them on the stack: their
 * return probe did not fire. */
static __always_inline void drop_stale(struct inflight *task, uint32_t sp)
{
#pragma unroll
	for (int i = 0; i < MAX_NESTED; i++) {
		uint32_t depth = task->depth;

		if (depth == 0 || depth > MAX_NESTED || slot_at(task, depth - 1)->sp > sp)
			return;
		task->depth = depth - 1;
		if (!slot_at(task, depth - 1)->reported)
			COUNT(unmatched);
	}
}

static __always_inline void inflight_push(const struct inflight_slot *slot)
{
	uint32_t tid = current_tid(), depth;
	struct inflight *task = bpf_map_lookup_elem(&inflight, &tid);

	if (!task) {
		struct inflight empty = {};

		bpf_map_update_elem(&inflight, &tid, &empty, BPF_NOEXIST);
		task = bpf_map_lookup_elem(&inflight, &tid);
		if (!task) {
			COUNT(lost_inflight);
			return;
		}
	}
	drop_stale(task, slot->sp);
	depth = task->depth;
	if (depth >= MAX_NESTED) {
		COUNT(lost_inflight);
		return;
	}
	*slot_at(task, depth) = *slot;
	task->depth = depth + 1;
	COUNT(entries);
}

/* The slot of the call on whose stack sp lies, or NULL. */
static __always_inline struct inflight_slot *inflight_top(uint32_t sp)
{
	uint32_t tid = current_tid(), depth;
	struct inflight *task = bpf_map_lookup_elem(&inflight, &tid);
	struct inflight_slot *slot;

	if (!task)
		return NULL;
	depth = task->depth;
	if (depth == 0 || depth > MAX_NESTED)
		return NULL;
	slot = slot_at(task, depth - 1);
	return slot->sp > sp ? slot : NULL;
}

/* Takes the slot of the call that returns now; false if its entry was not seen. */
static __always_inline bool inflight_pop(uint32_t bp, struct inflight_slot *slot)
{
	uint32_t tid = current_tid(), depth, unmatched = 0;
	struct inflight *task = bpf_map_lookup_elem(&inflight, &tid);

	if (!task)
		return false;
	depth = task->depth;
#pragma unroll
	for (int i = 0; i < MAX_NESTED; i++) {
		if (depth == 0 || depth > MAX_NESTED)
			return false;
		depth--;
		if (slot_at(task, depth)->bp != bp) {
			unmatched += !slot_at(task, depth)->reported;
			continue;
		}
		*slot = *slot_at(task, depth);
		COUNT_MANY(unmatched, unmatched);
		task->depth = depth;
		if (depth == 0)
			bpf_map_delete_elem(&inflight, &tid);
		if (!slot->reported)
			COUNT(returns);
		return true;
	}
	return false;
}

/* The size asked of __vmalloc_node_range, if it fits what alloc_vmap_area is now asked for: whole
 * pages and the guard page (mm/vmalloc.c:__get_vm_area_node), or no guard page. sp: where the stack
 * is now, 0 = not known; a call that has returned lies below it. */
static __always_inline uint32_t take_request(uint32_t sp, uint32_t size)
{
	uint32_t tid = current_tid(), key = tid & (NR_REQUESTS - 1), pages_bytes;
	struct request *request = bpf_map_lookup_elem(&requests, &key);

	if (!request || request->tid != tid || request->sp <= sp)
		return 0;
	request->tid = 0;
	pages_bytes = (request->bytes + VMT_PAGE_SIZE - 1) & ~(VMT_PAGE_SIZE - 1);
	if (size != pages_bytes && size != pages_bytes + VMT_PAGE_SIZE)
		return 0;
	return request->bytes;
}

#endif
