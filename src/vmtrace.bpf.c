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
#include "transport.bpf.h"

#define MAX_PERCPU_VMS 4 /* areas of one percpu chunk: one a NUMA node, 1 on most i386 */
#define ENOMEM         12
#define GFP_BITS       28 /* include/linux/gfp_types.h: no flag lies higher on i386 */
#define NR_ATTEMPTS    64 /* power of two */
#define OWN_FRAME      1  /* the stack of an entry probe begins with the probed function itself */

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

/* ---- records with a stack ------------------------------------------------------------------ */

struct alloc_record {
	struct wire_alloc alloc;
	uint32_t frames[VMT_MAX_FRAMES];
};

/* Stacks arrive as 8 bytes a frame even on a 32-bit kernel; half of each is zero. */
static __always_inline void add_stack(void *ctx, const volatile struct wire_config *config,
				      uint32_t skip, struct alloc_record *record)
{
#ifndef VMT_NO_STACK
	uint64_t ips[VMT_MAX_FRAMES];
	uint32_t depth = config->stack_depth, nr;
	long bytes;

	if (depth == 0 || depth > VMT_MAX_FRAMES)
		return;
#ifdef VMT_PERF /* the verifier wants a size that it knows, or memory that is initialized */
	bytes = bpf_get_stack(ctx, ips, sizeof(ips), skip);
#else
	bytes = bpf_get_stack(ctx, ips, depth * sizeof(ips[0]), skip);
#endif
	if (bytes <= 0) {
		COUNT(stack_failed);
		return;
	}
	nr = (uint32_t)bytes / sizeof(ips[0]);
	if (nr >= depth)
		record->alloc.head.flags |= WIRE_F_STACK_CUT;
	/* A depth that the user chose is no loss. */
	if (nr >= depth && depth == VMT_MAX_FRAMES)
		COUNT(stack_cut);
	if (nr > depth)
		nr = depth;
#pragma unroll
	for (uint32_t i = 0; i < VMT_MAX_FRAMES; i++) {
		if (i < nr)
			record->frames[i] = (uint32_t)ips[i];
	}
	record->alloc.head.nr_frames = nr;
#endif
}

static __always_inline void fill_alloc(struct alloc_record *record,
				       const struct inflight_slot *slot)
{
	uint64_t now = bpf_ktime_get_ns(), latency;

	fill_head(&record->alloc.head, WIRE_ALLOC, now);
	if (!slot->t_ns) {
		record->alloc.head.flags |= WIRE_F_NO_ENTRY;
		return;
	}
	latency = now - slot->t_ns;
	record->alloc.latency_ns = latency > 0xffffffff ? 0xffffffff : (uint32_t)latency;
	record->alloc.size = slot->size;
	record->alloc.align = slot->align;
	record->alloc.vstart = slot->vstart;
	record->alloc.vend = slot->vend;
	record->alloc.gfp = slot->gfp;
	record->alloc.requested = slot->requested;
}

static __always_inline void send_alloc(void *ctx, struct alloc_record *record)
{
	uint32_t nr = record->alloc.head.nr_frames;

	if (nr > VMT_MAX_FRAMES)
		nr = VMT_MAX_FRAMES;
	send(ctx, record, sizeof(record->alloc) + nr * sizeof(record->frames[0]));
}

static __always_inline bool read_area(uint32_t va, struct wire_head *head)
{
	if (read32(FIELD_ADDR(va, struct vmap_area, va_start), &head->start) &&
	    read32(FIELD_ADDR(va, struct vmap_area, va_end), &head->end))
		return true;
	COUNT(read_failed);
	return false;
}

/* ---- alloc_vmap_area(size, align, vstart, vend, node, gfp) ---------------------------------- */

PROGRAM("kprobe", alloc_entry, struct pt_regs)
{
	struct inflight_slot slot = {
		.t_ns = bpf_ktime_get_ns(),
		.bp = ctx->bp,
		.sp = entry_sp(ctx, config),
		.size = ARG1(ctx),
		.align = ARG2(ctx),
		.vstart = ARG3(ctx),
	};
	uint32_t gfp_arg = config->gfp_arg;

	stack_arg(slot.sp, 4, &slot.vend);
	if (gfp_arg)
		stack_arg(slot.sp, gfp_arg, &slot.gfp);
	if (slot.gfp >> GFP_BITS)
		slot.gfp = 0;
	slot.requested = take_request(slot.sp, slot.size);
	inflight_push(&slot);
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
PROGRAM("kretprobe", alloc_return, struct pt_regs)
{
	struct inflight_slot slot = {};
	struct alloc_record record = {};
	uint32_t va = RESULT(ctx);
	bool known = inflight_pop(ctx->bp, &slot);

	if (!IS_ERROR(va) && (slot.reported || (!known && !config->alloc_by_return)))
		return;
	if (!known)
		COUNT(no_entry);
	fill_alloc(&record, &slot);
	if (IS_ERROR(va)) {
		record.alloc.head.type = WIRE_FAIL;
		record.alloc.err = (int32_t)va;
		if (record.alloc.requested)
			fail_request(ctx->bp);
	} else if (!read_area(va, &record.alloc.head)) {
		return;
	}
	add_stack(ctx, config, 0, &record);
	send_alloc(ctx, &record);
}

/* ---- insert_vmap_area(va, ...): an area with its final range -----------------------------------
 */

/* True if the call that slot is of has made this one itself: the frame pointer is still its own,
 * and the word there its caller's. */
static __always_inline bool called_by(const struct pt_regs *ctx, const struct inflight_slot *slot)
{
	uint32_t bp;

	return read32(ctx->bp, &bp) && bp == slot->bp;
}

/*
 * Called by alloc_vmap_area and pcpu_get_vm_areas for what they return, under vmap_area_lock; from
 * 6.12 on for lazy areas too, perhaps in the middle of an allocation, which purges.
 */
PROGRAM("kprobe", insert_entry, struct pt_regs)
{
	struct inflight_slot *slot = inflight_top(entry_sp(ctx, config)), none = {};
	struct alloc_record record = {};

	if (slot && slot->nr_vms)
		return; /* percpu_return reports it */
	if (config->insert_needs_slot && (!slot || !called_by(ctx, slot)))
		return;
	if (!read_area(ARG1(ctx), &record.alloc.head))
		return;
	if (slot && slot->size != record.alloc.head.end - record.alloc.head.start)
		slot = NULL; /* of a call whose return was missed */
	if (!slot && !config->insert_alone)
		COUNT(no_entry);
	fill_alloc(&record, slot ? slot : &none);
	if (slot) {
		slot->reported = 1;
		COUNT(returns);
	}
	add_stack(ctx, config, OWN_FRAME, &record);
	send_alloc(ctx, &record);
}

/* ---- tracepoint vmalloc:alloc_vmap_area(addr, size, align, vstart, vend, failed) ---------------
 */

static __always_inline struct attempt *task_attempt(void)
{
	uint32_t key = current_tid() & (NR_ATTEMPTS - 1);

	return bpf_map_lookup_elem(&attempts, &key);
}

static __always_inline void note_attempt(const struct inflight_slot *slot)
{
	struct attempt *attempt = task_attempt();

	if (!attempt)
		return;
	attempt->t_ns = slot->t_ns;
	attempt->tid = current_tid();
	attempt->size = slot->size;
	attempt->align = slot->align;
	attempt->vstart = slot->vstart;
	attempt->vend = slot->vend;
	attempt->requested = slot->requested;
}

static __always_inline void take_attempt(struct inflight_slot *slot)
{
	struct attempt *attempt = task_attempt();

	if (!attempt || attempt->tid != current_tid())
		return;
	attempt->tid = 0;
	slot->t_ns = attempt->t_ns;
	slot->size = attempt->size;
	slot->align = attempt->align;
	slot->vstart = attempt->vstart;
	slot->vend = attempt->vend;
	slot->requested = attempt->requested;
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
	struct inflight_slot slot = {
		.t_ns = bpf_ktime_get_ns(),
		.size = ctx->size,
		.align = ctx->align,
		.vstart = ctx->vstart,
		.vend = ctx->vend,
	};
	struct inflight_slot failed = {};
	struct alloc_record record = {};

	take_attempt(&failed); /* of this call, or left by one whose return was missed */
	slot.requested = take_request(0, slot.size);
	if (failed.t_ns && failed.size == slot.size && !slot.requested)
		slot.requested = failed.requested;
	if (ctx->failed) {
		note_attempt(&slot);
		return;
	}
	fill_alloc(&record, &slot);
	record.alloc.head.start = ctx->addr;
	record.alloc.head.end = ctx->addr + slot.size;
	add_stack(ctx, config, 0, &record);
	send_alloc(ctx, &record);
}

/* alloc_vmap_area returned: only failures are news. */
PROGRAM("kretprobe", fail_return, struct pt_regs)
{
	struct inflight_slot slot = {};
	struct alloc_record record = {};

	if (!IS_ERROR(RESULT(ctx)))
		return;
	take_attempt(&slot);
	fill_alloc(&record, &slot);
	record.alloc.head.type = WIRE_FAIL;
	record.alloc.err = (int32_t)RESULT(ctx);
	if (record.alloc.requested)
		fail_request(ctx->bp);
	add_stack(ctx, config, 0, &record);
	send_alloc(ctx, &record);
}

/* ---- free_vmap_area_noflush(va): used -> lazy ------------------------------------------------ */

/* At the entry, since the area can be purged and reused before the function returns. */
PROGRAM("kprobe", free_entry, struct pt_regs)
{
	struct wire_head record = {};

	fill_head(&record, WIRE_FREE, bpf_ktime_get_ns());
	if (read_area(ARG1(ctx), &record))
		send(ctx, &record, sizeof(record));
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

static __always_inline void send_purge(void *ctx)
{
	struct wire_purge record = {};
	struct purge *purge = current_purge();

	fill_head(&record.head, WIRE_PURGE, bpf_ktime_get_ns());
	if (!purge)
		return;
	if (purge->tid == record.head.tid)
		record.begin_ns = purge->begin_ns;
	purge->tid = 0;
	send(ctx, &record, sizeof(record));
}

PROGRAM("kretprobe", purge_return, struct pt_regs)
{
	send_purge(ctx);
}

/* Tracepoint vmalloc:purge_vmap_area_lazy: at the end of every purge, also of an empty one. */
PROGRAM("tracepoint", purge_tracepoint, struct purge_tracepoint_args)
{
	send_purge(ctx);
}

/* ---- pcpu_get_vm_areas(offsets, sizes, nr_vms, align): percpu chunks ---------------------------
 */

PROGRAM("kprobe", percpu_entry, struct pt_regs)
{
	struct inflight_slot slot = {
		.t_ns = bpf_ktime_get_ns(),
		.bp = ctx->bp,
		.sp = entry_sp(ctx, config),
		.nr_vms = ARG3(ctx),
	};

	read32(ARG2(ctx), &slot.size);
	stack_arg(slot.sp, 4, &slot.align);
	inflight_push(&slot);
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

static __always_inline void send_percpu_vm(void *ctx, struct alloc_record *record, uint32_t at)
{
	uint32_t vm;

	if (read32(at, &vm) && read_vm_struct(vm, &record->alloc.head))
		send_alloc(ctx, record);
	else
		COUNT(read_failed);
}

PROGRAM("kretprobe", percpu_return, struct pt_regs)
{
	struct inflight_slot slot = {};
	struct alloc_record record = {};
	uint32_t vms = RESULT(ctx);

	if (!inflight_pop(ctx->bp, &slot)) {
		COUNT(no_entry);
		slot.nr_vms = 1;
	}
	fill_alloc(&record, &slot);
	record.alloc.head.flags |= WIRE_F_PERCPU;
	add_stack(ctx, config, 0, &record);
	if (!vms) {
		record.alloc.head.type = WIRE_FAIL;
		record.alloc.err = -ENOMEM;
		send_alloc(ctx, &record);
		return;
	}
#pragma unroll
	for (uint32_t i = 0; i < MAX_PERCPU_VMS; i++) {
		if (i < slot.nr_vms)
			send_percpu_vm(ctx, &record, vms + 4 * i);
	}
}

/* ---- the vmalloc and vfree families (--probes=all) ---------------------------------------------
 */

/* vmalloc(size), __vmalloc_node_range(size, ...) and whatever else takes the size first. */
PROGRAM("kprobe", vmalloc_entry, struct pt_regs)
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
	uint32_t sp = entry_sp(ctx, config);
	struct asked *asked = request_around(sp);
	struct alloc_record record = {};

	if (!asked || asked->size == ASKED_FAILED)
		return;
	if (inflight_unreturned(asked->sp) || attempt_untaken(asked->size))
		return; /* its search may be what failed: that is counted as missed */
	fill_head(&record.alloc.head, WIRE_FAIL, bpf_ktime_get_ns());
	record.alloc.head.flags |= WIRE_F_PAGES;
	read32(sp, &record.alloc.head.start);
	stack_arg(sp, 4, &record.alloc.gfp);
	if (record.alloc.gfp >> GFP_BITS)
		record.alloc.gfp = 0;
	record.alloc.requested = asked->bytes;
	record.alloc.size = asked->size;
	if (!asked->size) /* it got no further: whole pages and the guard page */
		record.alloc.size = (asked->bytes + 2 * VMT_PAGE_SIZE - 1) & ~(VMT_PAGE_SIZE - 1);
	record.alloc.err = -ENOMEM;
	add_stack(ctx, config, OWN_FRAME, &record);
	send_alloc(ctx, &record);
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
	read32(entry_sp(ctx, config), &record.caller);
	read32(ctx->bp + 4, &record.caller2);
	send(ctx, &record, sizeof(record));
}

char LICENSE[] SEC("license") = "GPL";
