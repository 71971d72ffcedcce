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

static __always_inline void fill_head(struct wire_head *head, uint16_t type, uint64_t t_ns)
{
	uint64_t pid_tgid = bpf_get_current_pid_tgid();

	head->t_ns = t_ns;
	head->type = type;
	head->pid = pid_tgid >> 32;
	head->tid = (uint32_t)pid_tgid;
	bpf_get_current_comm(head->comm, sizeof(head->comm));
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
static __always_inline void fill_end(struct wire_alloc *alloc, uint64_t entry_ns)
{
	uint64_t now = bpf_ktime_get_ns();

	alloc->head.t_ns = now;
	alloc->latency_ns = latency_ns(entry_ns, now);
	bpf_get_current_comm(alloc->head.comm, sizeof(alloc->head.comm));
}

/* va_start and va_end lie side by side in every kernel so far: then one read has both. */
static __always_inline bool read_area(const struct run *run, uint32_t va, struct wire_head *head)
{
	bool read;

	if (FIELD_ADDR(0, struct vmap_area, va_end) ==
	    FIELD_ADDR(0, struct vmap_area, va_start) + sizeof(uint32_t))
		read = read_kernel(FIELD_ADDR(va, struct vmap_area, va_start), &head->start,
				   2 * sizeof(uint32_t));
	else
		read = read32(FIELD_ADDR(va, struct vmap_area, va_start), &head->start) &&
		       read32(FIELD_ADDR(va, struct vmap_area, va_end), &head->end);
	if (!read)
		COUNT(run, read_failed);
	return read;
}

/* ---- alloc_vmap_area(size, align, vstart, vend, node, gfp) ---------------------------------- */

/* What a slot of any call begins with. */
static __always_inline void begin_slot(struct inflight_slot *slot, const struct pt_regs *ctx,
				       uint64_t pid_tgid, uint32_t sp)
{
	struct wire_alloc *alloc = &slot->alloc;

	slot->t_ns = bpf_ktime_get_ns();
	slot->bp = ctx->bp;
	slot->sp = sp;
	slot->nr_vms = 0;
	slot->reported = 0;
	alloc->head.type = WIRE_ALLOC;
	alloc->head.nr_frames = 0;
	alloc->head.flags = 0;
	alloc->head.pid = pid_tgid >> 32;
	alloc->head.tid = (uint32_t)pid_tgid;
	if (!read_kernel(sp, alloc->at_sp, sizeof(alloc->at_sp)))
		__builtin_memset(alloc->at_sp, 0, sizeof(alloc->at_sp));
}

PROGRAM("kprobe", alloc_entry, struct pt_regs)
{
	uint64_t pid_tgid = bpf_get_current_pid_tgid();
	uint32_t sp = entry_sp(ctx, run->config);
	struct inflight *task;
	struct inflight_slot *slot = inflight_push(run, (uint32_t)pid_tgid, sp, &task);

	if (!slot)
		return;
	begin_slot(slot, ctx, pid_tgid, sp);
	slot->alloc.head.reserved = run->config->gfp_arg;
	slot->alloc.size = ARG1(ctx);
	slot->alloc.align = ARG2(ctx);
	slot->alloc.vstart = ARG3(ctx);
	if (run->config->with_requests)
		slot->alloc.requested = take_request(sp, slot->alloc.size);
	inflight_pushed(run, task);
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
static __always_inline bool is_told(const struct run *run, const struct inflight_slot *slot)
{
	return slot ? slot->reported : !run->config->alloc_by_return;
}

PROGRAM("kretprobe", alloc_return, struct pt_regs)
{
	uint32_t va = result_of(ctx);
	struct alloc_record record = {};
	struct inflight_slot *slot;
	struct inflight *task;
	uint64_t pid_tgid;

	if (va == run->stats->inserted && !run->config->insert_needs_slot) {
		run->stats->inserted = 0;
		return; /* insert_entry has told it, and is done with its slot */
	}
	pid_tgid = bpf_get_current_pid_tgid();
	slot = inflight_pop(run, (uint32_t)pid_tgid, ctx->bp, &task);
	if (!IS_ERROR(va) && is_told(run, slot)) {
		if (slot)
			inflight_popped((uint32_t)pid_tgid, task);
		return;
	}
	if (slot) {
		fill_end(&slot->alloc, slot->t_ns);
		record.alloc = slot->alloc;
		record.alloc.stack_name = 0; /* of an earlier use of the slot */
		inflight_popped((uint32_t)pid_tgid, task);
	} else {
		COUNT(run, no_entry);
		fill_unknown(&record.alloc);
	}
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

/* ---- insert_vmap_area(va, ...): an area with its final range -----------------------------------
 */

#ifdef VMT_PERF

static __always_inline void send_inserted(struct pt_regs *ctx, const struct run *run,
					  const struct inflight_slot *slot,
					  struct wire_alloc *alloc)
{
	struct alloc_record record = {};

	record.alloc = *alloc;
	add_stack(ctx, run, OWN_FRAME, &record);
	send_alloc(ctx, run, &record);
}

#else

/*
 * The frame pointer is still that of the caller, alloc_vmap_area: the word there is the one with
 * which that was entered, the word above what it returns to. Its return probe has put an address of
 * its own there; the slot has the true one.
 */
static __always_inline void send_inserted(struct pt_regs *ctx, const struct run *run,
					  const struct inflight_slot *slot,
					  struct wire_alloc *alloc)
{
	struct scratch *scratch = get_scratch();
	uint32_t depth = run->config->stack_depth, first, seen;
	uint64_t name;
	bool cut;

	if (!scratch || depth == 0 || depth > VMT_MAX_FRAMES || !read_piece(scratch, ctx->bp)) {
		alloc->stack_name = 0;
		send(run, ctx, alloc, sizeof(*alloc));
		return;
	}
	first = seen = scratch->piece[1];
	if (slot && slot->bp == scratch->piece[0])
		first = slot->alloc.at_sp[0];
	name = walk_name(scratch, first, ctx->bp, depth, &cut);
	send_named(ctx, run, scratch, alloc, name, cut, first, seen);
}

#endif

/* Room for a record that has no slot: the stack of a program has none left. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct wire_alloc);
} unknowns SEC(".maps");

/* The record of an area whose call was not seen. */
static __always_inline struct wire_alloc *unknown_alloc(const struct run *run)
{
	uint32_t key = 0;
	struct wire_alloc *alloc = bpf_map_lookup_elem(&unknowns, &key);

	if (!alloc)
		return NULL;
	if (!run->config->insert_alone)
		COUNT(run, no_entry);
	__builtin_memset(alloc, 0, sizeof(*alloc));
	fill_unknown(alloc);
	return alloc;
}

/* Of no use any more but to the return, where that has to know; else it goes here. */
static __always_inline void slot_told(const struct run *run, struct inflight *task, uint32_t tid,
				      uint32_t va)
{
	COUNT(run, returns);
	if (run->config->insert_needs_slot)
		return;
	run->stats->inserted = va;
	task->depth--;
	inflight_popped(tid, task);
}

/*
 * Called by alloc_vmap_area and pcpu_get_vm_areas for what they return, under vmap_area_lock; from
 * 6.12 on for lazy areas too, perhaps in the middle of an allocation, which purges.
 */
PROGRAM("kprobe", insert_entry, struct pt_regs)
{
	uint32_t tid = current_tid(), caller_bp;
	struct inflight *task;
	struct inflight_slot *slot = inflight_top(tid, entry_sp(ctx, run->config), &task);
	struct wire_alloc *alloc;
	struct wire_head area;

	if (slot && slot->nr_vms)
		return; /* percpu_return reports it */
	/* Made by the call that slot is of itself, and not by a purge inside it. */
	if (run->config->insert_needs_slot &&
	    (!slot || !read32(ctx->bp, &caller_bp) || caller_bp != slot->bp))
		return;
	if (!read_area(run, ARG1(ctx), &area))
		return;
	if (slot && slot->alloc.size != area.end - area.start)
		slot = NULL; /* of a call whose return was missed */
	if (slot) {
		alloc = &slot->alloc;
		fill_end(alloc, slot->t_ns);
		slot->reported = 1;
	} else {
		alloc = unknown_alloc(run);
		if (!alloc)
			return;
	}
	alloc->head.start = area.start;
	alloc->head.end = area.end;
	send_inserted(ctx, run, slot, alloc);
	if (slot)
		slot_told(run, task, tid, ARG1(ctx));
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
	struct wire_head record = {};

	fill_head(&record, WIRE_FREE, bpf_ktime_get_ns());
	if (read_area(run, ARG1(ctx), &record))
		send(run, ctx, &record, sizeof(record));
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
	uint64_t pid_tgid = bpf_get_current_pid_tgid();
	uint32_t sp = entry_sp(ctx, run->config);
	struct inflight *task;
	struct inflight_slot *slot = inflight_push(run, (uint32_t)pid_tgid, sp, &task);

	if (!slot)
		return;
	begin_slot(slot, ctx, pid_tgid, sp);
	slot->nr_vms = ARG3(ctx);
	slot->alloc.head.reserved = 0;
	slot->alloc.align = slot->alloc.at_sp[1]; /* its fourth argument is that */
	slot->alloc.at_sp[1] = 0;
	slot->alloc.vstart = 0;
	slot->alloc.requested = 0;
	slot->alloc.size = 0;
	read32(ARG2(ctx), &slot->alloc.size);
	inflight_pushed(run, task);
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
	uint64_t pid_tgid = bpf_get_current_pid_tgid();
	struct alloc_record record = {};
	struct inflight *task;
	struct inflight_slot *slot = inflight_pop(run, (uint32_t)pid_tgid, ctx->bp, &task);

	if (slot) {
		nr_vms = slot->nr_vms;
		fill_end(&slot->alloc, slot->t_ns);
		record.alloc = slot->alloc;
		record.alloc.stack_name = 0; /* of an earlier use of the slot */
		inflight_popped((uint32_t)pid_tgid, task);
	} else {
		COUNT(run, no_entry);
		fill_unknown(&record.alloc);
	}
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
PROGRAM("kprobe", vmalloc_entry, struct pt_regs)
{
	ask(entry_sp(ctx, run->config), ARG1(ctx));
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
	if (inflight_unreturned(asked->sp) || attempt_untaken(asked->size))
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
	struct wire_vfree record = {};
	uint32_t addr = ARG1(ctx);

	if (!addr)
		return;
	fill_head(&record.head, WIRE_VFREE, bpf_ktime_get_ns());
	record.head.start = addr;
	read32(entry_sp(ctx, run->config), &record.caller);
	read32(ctx->bp + 4, &record.caller2);
	send(run, ctx, &record, sizeof(record));
}

char LICENSE[] SEC("license") = "GPL";
