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

#define KEPT_AFTER 64
#define NR_REQUESTS 512 /* power of two */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, uint32_t); /* tid */
	__type(value, struct inflight);
} inflight SEC(".maps");

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
static __always_inline void drop_stale(const struct run *run, struct inflight *task, uint32_t sp)
{
#pragma unroll
	for (int i = 0; i < MAX_NESTED; i++) {
		uint32_t depth = task->depth;

		if (depth == 0 || depth > MAX_NESTED || slot_at(task, depth - 1)->sp > sp)
			return;
		task->depth = depth - 1;
		if (!slot_at(task, depth - 1)->reported)
			COUNT(run, unmatched);
	}
}

static __always_inline struct inflight *inflight_of(uint32_t tid)
{
	return bpf_map_lookup_elem(&inflight, &tid);
}

/* What an entry begins with: too large for the stack of a program. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct inflight);
} no_calls SEC(".maps");

static __always_inline struct inflight *inflight_new(uint32_t tid)
{
	uint32_t key = 0;
	struct inflight *empty = bpf_map_lookup_elem(&no_calls, &key);

	if (empty)
		bpf_map_update_elem(&inflight, &tid, empty, BPF_NOEXIST);
	return inflight_of(tid);
}

/* A slot for a call of this task that begins with sp; its fields are those of an earlier one. NULL,
 * and counted, if there is no room. inflight_pushed when it is filled. */
static __always_inline struct inflight_slot *inflight_push(const struct run *run, uint32_t tid,
							   uint32_t sp, struct inflight **task)
{
	*task = inflight_of(tid);
	if (!*task)
		*task = inflight_new(tid);
	if (*task)
		drop_stale(run, *task, sp);
	if (!*task || (*task)->depth >= MAX_NESTED) {
		COUNT(run, lost_inflight);
		return NULL;
	}
	return slot_at(*task, (*task)->depth);
}

static __always_inline void inflight_pushed(const struct run *run, struct inflight *task)
{
	task->depth++;
	task->calls++;
	COUNT(run, entries);
}

/* The slot of the call on whose stack sp lies, or NULL. */
static __always_inline struct inflight_slot *inflight_top(uint32_t tid, uint32_t sp,
							  struct inflight **of_task)
{
	struct inflight *task = inflight_of(tid);
	struct inflight_slot *slot;
	uint32_t depth;

	*of_task = task;
	if (!task)
		return NULL;
	depth = task->depth;
	if (depth == 0 || depth > MAX_NESTED)
		return NULL;
	slot = slot_at(task, depth - 1);
	return slot->sp > sp ? slot : NULL;
}

/* True if an allocation that this task made below sp has not come to its return probe: it has
 * returned by now, so that was missed, and what came of it is not known. */
static __always_inline bool inflight_unreturned(uint32_t sp)
{
	struct inflight *task = inflight_of(current_tid());
	struct inflight_slot *slot;
	uint32_t depth;

	if (!task)
		return false;
	depth = task->depth;
	if (depth == 0 || depth > MAX_NESTED)
		return false;
	slot = slot_at(task, depth - 1);
	return slot->sp < sp && !slot->reported;
}

/* The slot of the call that returns now, taken out of *task; NULL if its entry was not seen. Valid
 * until inflight_popped. */
static __always_inline struct inflight_slot *inflight_pop(const struct run *run, uint32_t tid,
							  uint32_t bp, struct inflight **task)
{
	uint32_t depth, unmatched = 0;

	*task = inflight_of(tid);
	if (!*task)
		return NULL;
	depth = (*task)->depth;
#pragma unroll
	for (int i = 0; i < MAX_NESTED; i++) {
		struct inflight_slot *slot;

		if (depth == 0 || depth > MAX_NESTED)
			return NULL;
		depth--;
		slot = slot_at(*task, depth);
		if (slot->bp != bp) {
			unmatched += !slot->reported;
			continue;
		}
		if (unmatched)
			COUNT_MANY(run, unmatched, unmatched);
		(*task)->depth = depth;
		if (!slot->reported)
			COUNT(run, returns);
		return slot;
	}
	return NULL;
}

static __always_inline void inflight_popped(uint32_t tid, const struct inflight *task)
{
	if (task->depth == 0 && task->calls < KEPT_AFTER)
		bpf_map_delete_elem(&inflight, &tid);
}

/* ---- what was asked of vmalloc --------------------------------------------------------------
 */

/* The entry of this task, which another may still have. */
static __always_inline struct request *request_slot(uint32_t tid)
{
	uint32_t key = tid & (NR_REQUESTS - 1);

	return bpf_map_lookup_elem(&requests, &key);
}

static __always_inline struct request *own_request(void)
{
	uint32_t tid = current_tid();
	struct request *request = request_slot(tid);

	return request && request->tid == tid ? request : NULL;
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
	struct request *request = own_request();

	if (!request || request->call.size || request->call.sp <= sp)
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
	struct request *request = own_request();

	if (!request)
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
	struct request *request = own_request();

	if (!request)
		return NULL;
	if (request->call.sp > sp + WARN_CALL_BYTES)
		return &request->call;
	return request->outer.sp > sp + WARN_CALL_BYTES ? &request->outer : NULL;
}

#endif
