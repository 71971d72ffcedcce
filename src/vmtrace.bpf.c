/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The probes. Each program reads what its hook shows, writes one record of src/event.h into the
 * ring, and counts whatever it had to drop. What the records mean is user space's business.
 *
 * The kernel runs no second kprobe program on a CPU while one runs there, so a CPU's own counters
 * need no atomics (which would also push the i386 JIT back to the interpreter). All hooks but vfree
 * and vfree_atomic are in process context; in those two, `current` may be an interrupted bystander.
 */
#include "inflight.bpf.h"
#include "kernel.bpf.h"
#include "stack.bpf.h"
#include "transport.bpf.h"

#define MAX_PERCPU_VMS 4 /* areas of one percpu chunk: one a NUMA node, 1 on most i386 */
#define ENOMEM         12
#define WARN_GFP_ARG   4  /* its first, but on the stack: a function of varying arguments */
#define NR_ATTEMPTS    64 /* power of two */

/*
 * The last attempt of a task that tracepoint alloc_vmap_area called failed: the kernel may purge
 * and try again, so only the function's return tells that the allocation failed.
 */
struct attempt {
	uint64_t t_ns VMT_ALIGNED8;
	uint32_t tid;
	uint32_t size;
	uint32_t align;
	uint32_t vstart;
	uint32_t vend;
	uint32_t requested;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NR_ATTEMPTS);
	__type(key, uint32_t);
	__type(value, struct attempt);
} attempts SEC(".maps");

/* The purge in progress: one at a time, the kernel holds vmap_purge_lock around it. */
struct purge {
	uint64_t begin_ns VMT_ALIGNED8;
	uint32_t tid;
	uint32_t reserved;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct purge);
} purging SEC(".maps");

/* With nr_frames and flags, which are then 0. */
static __always_inline void set_type(struct wire_head *head, uint32_t type)
{
	__builtin_memcpy(&head->type, &type, sizeof(type));
}

/* When, and by whom. */
static __always_inline void fill_task(struct wire_head *head, uint64_t t_ns)
{
	uint64_t pid_tgid = bpf_get_current_pid_tgid();

	head->t_ns = t_ns;
	__builtin_memcpy(&head->tid, &pid_tgid, sizeof(pid_tgid));
	bpf_get_current_comm(head->comm, sizeof(head->comm));
}

static __always_inline void fill_head(struct wire_head *head, uint32_t type, uint64_t t_ns)
{
	set_type(head, type);
	fill_task(head, t_ns);
}

static __always_inline uint32_t latency_ns(uint64_t from_ns, uint64_t to_ns)
{
	uint64_t latency = to_ns - from_ns;

	return latency > 0xffffffff ? 0xffffffff : (uint32_t)latency;
}

/* A record of an area whose entry was not seen. */
static __always_inline void fill_unknown(struct wire_alloc *alloc)
{
	fill_head(&alloc->head, WIRE_ALLOC, bpf_ktime_get_ns());
	alloc->head.flags = WIRE_F_NO_ENTRY;
}

/* What is left to fill in when the area is known, or that there is none. */
static __always_inline void fill_end(struct inflight_slot *call)
{
	uint64_t now = bpf_ktime_get_ns();

	fill_task(&call->alloc.head, now);
	call->alloc.latency_ns = latency_ns(call->t_ns, now);
}

/* va_start and va_end lie side by side in every kernel so far: probes_load sees to it. */
static __always_inline bool read_area(const struct run *run, uint32_t va, struct wire_head *head)
{
	if (read_kernel(FIELD_ADDR(va, struct vmap_area, va_start), &head->start,
			2 * sizeof(uint32_t)))
		return true;
	COUNT(run, read_failed);
	return false;
}

/* ---- alloc_vmap_area(size, align, vstart, vend, node, gfp) ---------------------------------- */

/* What a slot of any call begins with. */
static __always_inline void begin_call(struct inflight_slot *call, const struct pt_regs *ctx)
{
	call->t_ns = bpf_ktime_get_ns();
	call->bp = ctx->bp;
	set_type(&call->alloc.head, WIRE_ALLOC);
	call->nr_vms = 0;
	call->reported = 0;
	call->released = 0;
	call->cut = 0;
}

static __always_inline void read_at_sp(struct wire_alloc *alloc, uint32_t sp)
{
	if (!read_kernel(sp, alloc->at_sp, sizeof(alloc->at_sp)))
		__builtin_memset(alloc->at_sp, 0, sizeof(alloc->at_sp));
	alloc->stack_name = 0;
}

/* Here, and not where the area is inserted, since there all CPUs wait for the lock. */
static __always_inline void begin_stack(const struct run *run, struct inflight_slot *call,
					uint32_t sp)
{
#ifndef VMT_PERF
	if (run->cpu->with_stacks) {
		name_stack(run, call, sp, call->bp);
		return;
	}
#endif
	read_at_sp(&call->alloc, sp);
}

PROGRAM("kprobe", alloc_entry, struct pt_regs)
{
	uint32_t sp = entry_sp(ctx, run->config);
	struct inflight_slot *call = inflight_begin(run, sp);

	begin_call(call, ctx);
	begin_stack(run, call, sp);
	call->alloc.size = ARG1(ctx);
	call->alloc.align = ARG2(ctx);
	call->alloc.vstart = ARG3(ctx);
#ifdef VMT_PERF /* else it is always there */
	call->alloc.head.reserved = run->config->gfp_arg;
#endif
	if (run->config->with_requests)
		call->alloc.requested = take_request(sp, call->alloc.size);
	inflight_began(run, sp);
}

/*
 * Who reports what, so that nothing comes twice and nothing is left out:
 *
 *   entry seen, insertion seen         insert_entry; the return adds nothing
 *   entry seen, insertion not seen     alloc_return: plan `return`, or a missed insertion
 *   entry not seen, insertion seen     insert_entry, without the request; not where lazy areas pass
 *                                      it too (insert_needs_slot): there alloc_return
 *   entry not seen, nothing inserted   alloc_return in plan `return`
 *   an error                           alloc_return, always
 *
 * alloc_by_return says that an area whose entry was not seen is alloc_return's.
 */
static __always_inline bool is_told(const struct run *run, bool known)
{
	return known ? run->cpu->call.reported : !run->config->alloc_by_return;
}

/* Fills record with what is known of the call that returns, which is over; known: as of
 * inflight_returning. */
static __always_inline void end_call(const struct run *run, bool known, struct wire_alloc *record)
{
	if (!known) {
		COUNT(run, no_entry);
		fill_unknown(record);
		return;
	}
	fill_end(&run->cpu->call);
	*record = run->cpu->call.alloc;
	record->stack_name = 0; /* it comes with its frames */
	inflight_end(run);
}

/* Of a call that was not over with its insertion. */
static __always_inline void call_returned(struct pt_regs *ctx, const struct run *run, uint32_t va)
{
	struct alloc_record record = {};
	bool known = inflight_returning(run, ctx);

	if (!IS_ERROR(va) && is_told(run, known)) {
		if (known)
			inflight_end(run);
		return;
	}
	end_call(run, known, &record.alloc);
	if (IS_ERROR(va)) {
		record.alloc.head.type = WIRE_FAIL;
		record.alloc.err = (int32_t)va;
		if (record.alloc.requested)
			fail_request(ctx->bp);
	} else if (!read_area(run, va, &record.alloc.head)) {
		return;
	}
	add_stack(ctx, run, 0, &record);
	send_alloc(ctx, run, &record);
}

PROGRAM("kretprobe", alloc_return, struct pt_regs)
{
	uint32_t va = result_of(ctx);

	if (va == run->cpu->stats.inserted)
		run->cpu->stats.inserted = 0; /* insert_entry has told it, and ended the call */
	else
		call_returned(ctx, run, va);
}

/* ---- insert_vmap_area(va, ...): an area with its final range -----------------------------------
 */

static __always_inline void send_inserted(struct pt_regs *ctx, const struct run *run,
					  struct inflight_slot *call)
{
#ifdef VMT_PERF
	struct alloc_record record = {};

	record.alloc = call->alloc;
	add_stack(ctx, run, OWN_FRAME, &record);
	send_alloc(ctx, run, &record);
#else
	if (run->cpu->with_stacks)
		send_stack(ctx, run, call);
	else
		send(run, ctx, &call->alloc, sizeof(call->alloc));
#endif
}

/* Makes this CPU's slot one of a call whose entry was not seen. */
static __always_inline void make_unknown(const struct run *run, struct inflight_slot *call,
					 uint32_t sp)
{
	make_room(run, call, sp);
	if (!run->config->insert_alone)
		COUNT(run, no_entry);
	__builtin_memset(&call->alloc, 0, sizeof(call->alloc));
	set_type(&call->alloc.head, WIRE_ALLOC);
	call->alloc.head.flags = WIRE_F_NO_ENTRY;
	call->alloc.head.reserved = run->config->gfp_arg;
	call->t_ns = bpf_ktime_get_ns();
}

/* Made by the call in this CPU's slot itself, and not by a purge inside it. */
static __always_inline bool is_of_call(uint32_t bp, const struct inflight_slot *call)
{
	uint32_t caller_bp;

	return read32(bp, &caller_bp) && caller_bp == call->bp;
}

/*
 * What is not as it nearly always is: puts the call that inserts an area into this CPU's slot, or
 * one that is not known. False if the area is not to be told: percpu_return does that, or it is a
 * lazy one.
 */
static __always_inline bool find_inserting(const struct pt_regs *ctx, const struct run *usual)
{
	struct run run = aside(usual);
	struct inflight_slot *call = &run.cpu->call;
	uint32_t sp = entry_sp(ctx, run.config);
	bool found = inflight_find(&run, at_frame(ctx->bp)) || inflight_find(&run, around(sp));

	if (found && call->nr_vms)
		return false;
	if (run.config->insert_needs_slot)
		return found && is_of_call(ctx->bp, call);
	if (!found)
		make_unknown(&run, call, sp);
	return true;
}

/* The call in this CPU's slot asked for another size: its return was missed, and the area is of one
 * that is not known. */
static __always_inline bool insert_unknown(const struct pt_regs *ctx, const struct run *usual)
{
	struct run run = aside(usual);
	struct inflight_slot *call = &run.cpu->call;

	if (call->sp == frame_of(ctx) + (uint32_t)sizeof(uint32_t)) { /* and not further out */
		COUNT(&run, unmatched);
		call->sp = 0;
	}
	make_unknown(&run, call, entry_sp(ctx, run.config));
	return read_area(&run, ARG1(ctx), &call->alloc.head);
}

/* Of no use any more but to the return, where that has to know; else it goes here. */
static __always_inline void call_told(const struct run *run, struct inflight_slot *call,
				      uint32_t va)
{
	COUNT(run, returns);
	if (run->config->insert_needs_slot) {
		call->reported = 1;
		return;
	}
	run->cpu->stats.inserted = va;
	call->sp = 0;
}

/*
 * Called by alloc_vmap_area and pcpu_get_vm_areas for what they return, under vmap_area_lock; from
 * 6.12 on for lazy areas too, perhaps in the middle of an allocation, which purges.
 */
PROGRAM("kprobe", insert_entry, struct pt_regs)
{
	struct inflight_slot *call = &run->cpu->call;
	struct wire_head *head = &call->alloc.head;

	/* The caller's frame begins right below where it was entered. A call that is over can lie
	 * in the slot, and have begun at the same place as one that another CPU has the slot of. */
	if ((call->sp != frame_of(ctx) + (uint32_t)sizeof(uint32_t) ||
	     call->released == call->sp) &&
	    !find_inserting(ctx, run))
		return;
	if (!read_area(run, ARG1(ctx), head))
		return;
	if (call->alloc.size != head->end - head->start && call->sp && !insert_unknown(ctx, run))
		return;
	fill_end(call);
	send_inserted(ctx, run, call);
	if (call->sp)
		call_told(run, call, ARG1(ctx));
}

/* ---- tracepoint vmalloc:alloc_vmap_area(addr, size, align, vstart, vend, failed) ---------------
 */

static __always_inline struct attempt *task_attempt(void)
{
	uint32_t key = current_tid() & (NR_ATTEMPTS - 1);

	return bpf_map_lookup_elem(&attempts, &key);
}

static __always_inline void note_attempt(const struct wire_alloc *alloc)
{
	struct attempt *attempt = task_attempt();

	if (!attempt)
		return;
	attempt->t_ns = bpf_ktime_get_ns();
	attempt->tid = current_tid();
	attempt->size = alloc->size;
	attempt->align = alloc->align;
	attempt->vstart = alloc->vstart;
	attempt->vend = alloc->at_sp[1];
	attempt->requested = alloc->requested;
}

/* The attempt of this task, once; NULL if there is none. */
static __always_inline struct attempt *take_attempt(void)
{
	struct attempt *attempt = task_attempt();

	if (!attempt || attempt->tid != current_tid())
		return NULL;
	attempt->tid = 0;
	return attempt;
}

/* True if this task's last search of that size failed, and its return was not seen. */
static __always_inline bool attempt_untaken(uint32_t size)
{
	struct attempt *attempt = task_attempt();

	return attempt && attempt->tid == current_tid() && attempt->size == size;
}

/* After the search, before the area is inserted; once for each attempt, and the kernel makes
 * another one after a purge. */
PROGRAM("tracepoint", alloc_tracepoint, struct alloc_tracepoint_args)
{
	struct alloc_record record = {};
	struct wire_alloc *alloc = &record.alloc;
	struct attempt *failed = take_attempt(); /* of this call, or of one with a missed return */

	alloc->size = ctx->size;
	alloc->align = ctx->align;
	alloc->vstart = ctx->vstart;
	alloc->at_sp[1] = ctx->vend;
	alloc->requested = take_request(0, alloc->size);
	if (failed && failed->size == alloc->size && !alloc->requested)
		alloc->requested = failed->requested;
	if (ctx->failed) {
		note_attempt(alloc);
		return;
	}
	fill_head(&alloc->head, WIRE_ALLOC, bpf_ktime_get_ns());
	alloc->head.start = ctx->addr;
	alloc->head.end = ctx->addr + alloc->size;
	add_stack(ctx, run, 0, &record);
	send_alloc(ctx, run, &record);
}

/* alloc_vmap_area returned: only failures are news. */
PROGRAM("kretprobe", fail_return, struct pt_regs)
{
	uint32_t result = result_of(ctx);
	struct alloc_record record = {};
	struct attempt *failed;

	if (!IS_ERROR(result))
		return;
	failed = take_attempt();
	fill_unknown(&record.alloc);
	if (failed) {
		record.alloc.head.flags = 0;
		record.alloc.latency_ns = latency_ns(failed->t_ns, record.alloc.head.t_ns);
		record.alloc.size = failed->size;
		record.alloc.align = failed->align;
		record.alloc.vstart = failed->vstart;
		record.alloc.at_sp[1] = failed->vend;
		record.alloc.requested = failed->requested;
	}
	record.alloc.head.type = WIRE_FAIL;
	record.alloc.err = (int32_t)result;
	if (record.alloc.requested)
		fail_request(ctx->bp);
	add_stack(ctx, run, 0, &record);
	send_alloc(ctx, run, &record);
}

/* ---- free_vmap_area_noflush(va): used -> lazy ------------------------------------------------ */

/* At the entry, since the area can be purged and reused before the function returns. */
PROGRAM("kprobe", free_entry, struct pt_regs)
{
	struct wire_head *record = &run->cpu->freed;

	if (!read_area(run, ARG1(ctx), record))
		return;
	fill_head(record, WIRE_FREE, bpf_ktime_get_ns());
	send(run, ctx, record, sizeof(*record));
}

/* ---- __purge_vmap_area_lazy: lazy -> free -----------------------------------------------------
 */

static __always_inline struct purge *current_purge(void)
{
	uint32_t key = 0;

	return bpf_map_lookup_elem(&purging, &key);
}

PROGRAM("kprobe", purge_entry, struct pt_regs)
{
	struct purge *purge = current_purge();

	if (!purge)
		return;
	purge->begin_ns = bpf_ktime_get_ns();
	purge->tid = current_tid();
}

static __always_inline void send_purge(void *ctx, const struct run *run)
{
	struct wire_purge record = {};
	struct purge *purge = current_purge();

	fill_head(&record.head, WIRE_PURGE, bpf_ktime_get_ns());
	if (!purge)
		return;
	if (purge->tid == record.head.tid)
		record.begin_ns = purge->begin_ns;
	purge->tid = 0;
	send(run, ctx, &record, sizeof(record));
}

PROGRAM("kretprobe", purge_return, struct pt_regs)
{
	send_purge(ctx, run);
}

/* Tracepoint vmalloc:purge_vmap_area_lazy: at the end of every purge, also of an empty one. */
PROGRAM("tracepoint", purge_tracepoint, struct purge_tracepoint_args)
{
	send_purge(ctx, run);
}

/* ---- pcpu_get_vm_areas(offsets, sizes, nr_vms, align): percpu chunks ---------------------------
 */

PROGRAM("kprobe", percpu_entry, struct pt_regs)
{
	uint32_t sp = entry_sp(ctx, run->config);
	struct inflight_slot *call = inflight_begin(run, sp);

	begin_call(call, ctx);
	read_at_sp(&call->alloc, sp);
	call->nr_vms = ARG3(ctx);
	call->alloc.align = call->alloc.at_sp[1]; /* its fourth argument is that */
	__builtin_memset(call->alloc.at_sp + 1, 0, sizeof(call->alloc.at_sp) - sizeof(uint32_t));
	call->alloc.vstart = 0;
	call->alloc.requested = 0;
	call->alloc.size = 0;
	read32(ARG2(ctx), &call->alloc.size);
	inflight_began(run, sp | PERCPU_MARK);
}

static __always_inline bool read_vm_struct(uint32_t vm, struct wire_head *head)
{
	uint32_t size;

	if (!read32(FIELD_ADDR(vm, struct vm_struct, addr), &head->start) ||
	    !read32(FIELD_ADDR(vm, struct vm_struct, size), &size))
		return false;
	head->end = head->start + size;
	return true;
}

static __always_inline void send_percpu_vm(void *ctx, const struct run *run,
					   struct alloc_record *record, uint32_t at)
{
	uint32_t vm;

	if (read32(at, &vm) && read_vm_struct(vm, &record->alloc.head))
		send_alloc(ctx, run, record);
	else
		COUNT(run, read_failed);
}

PROGRAM("kretprobe", percpu_return, struct pt_regs)
{
	uint32_t vms = result_of(ctx), nr_vms = 1;
	struct alloc_record record = {};
	bool known = inflight_returning(run, ctx);

	if (known)
		nr_vms = run->cpu->call.nr_vms;
	end_call(run, known, &record.alloc);
	record.alloc.head.flags |= WIRE_F_PERCPU;
	add_stack(ctx, run, 0, &record);
	if (!vms) {
		record.alloc.head.type = WIRE_FAIL;
		record.alloc.err = -ENOMEM;
		send_alloc(ctx, run, &record);
		return;
	}
#pragma unroll
	for (uint32_t i = 0; i < MAX_PERCPU_VMS; i++) {
		if (i < nr_vms)
			send_percpu_vm(ctx, run, &record, vms + 4 * i);
	}
}

/* ---- the vmalloc and vfree families (--probes=all) ---------------------------------------------
 */

/* vmalloc(size), __vmalloc_node_range(size, ...) and whatever else takes the size first. */
QUIET_PROGRAM("kprobe", vmalloc_entry, struct pt_regs)
{
	ask(entry_sp(ctx, config), ARG1(ctx));
}

/*
 * warn_alloc(gfp, nodemask, format, ...): arguments on the stack, since their number varies.
 * vmalloc calls it when it fails, under __GFP_NOWARN too: the function decides what is printed.
 * Lack of an address has been told by the return of alloc_vmap_area; what is left is lack of pages.
 * The page allocator calls it as well, deep inside the same request: the return address tells user
 * space.
 */
PROGRAM("kprobe", warn_entry, struct pt_regs)
{
	uint32_t sp = entry_sp(ctx, run->config);
	struct asked *asked = request_around(sp);
	struct alloc_record record = {};

	if (!asked || asked->size == ASKED_FAILED)
		return;
	if (inflight_unreturned(run, asked->sp) || attempt_untaken(asked->size))
		return; /* its search may be what failed: that is counted as missed */
	fill_head(&record.alloc.head, WIRE_FAIL, bpf_ktime_get_ns());
	record.alloc.head.flags |= WIRE_F_PAGES;
	read32(sp, &record.alloc.head.start);
	record.alloc.head.reserved = WARN_GFP_ARG;
	stack_arg(sp, WARN_GFP_ARG, &record.alloc.at_sp[WARN_GFP_ARG - 3]);
	record.alloc.requested = asked->bytes;
	record.alloc.size = asked->size;
	if (!asked->size) /* it got no further: whole pages and the guard page */
		record.alloc.size = (asked->bytes + 2 * VMT_PAGE_SIZE - 1) & ~(VMT_PAGE_SIZE - 1);
	record.alloc.err = -ENOMEM;
	add_stack(ctx, run, OWN_FRAME, &record);
	send_alloc(ctx, run, &record);
}

/* vfree(addr), vfree_atomic(addr): from atomic context the area is given up later, by a kworker,
 * so this is the only place that sees who frees. */
PROGRAM("kprobe", vfree_entry, struct pt_regs)
{
	uint32_t addr = ARG1(ctx);
	struct wire_vfree record;

	if (!addr)
		return;
	fill_head(&record.head, WIRE_VFREE, bpf_ktime_get_ns());
	record.head.start = addr;
	record.head.end = 0;
	record.head.reserved = 0;
	read32(entry_sp(ctx, run->config), &record.caller);
	read32(ctx->bp + 4, &record.caller2);
	send(run, ctx, &record, sizeof(record));
}

char LICENSE[] SEC("license") = "GPL";
