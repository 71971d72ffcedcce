/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The probes. Each program reads what its hook shows, writes one record of src/event.h into the
 * ring, and counts whatever it had to drop. What the records mean is user space's business.
 *
 * The kernel runs no second program on a CPU while one runs there, so a CPU's own counters need no
 * atomics (which would also push the i386 JIT back to the interpreter). All hooks but vfree and
 * vfree_atomic are in process context; in those two, `current` may be an interrupted bystander.
 */
#include "kernel.bpf.h"
#include "event.h"

#define MAX_NESTED     4    /* power of two; allocations of one task inside each other */
#define MAX_PERCPU_VMS 8    /* areas of one percpu chunk: one a NUMA node, 1 on i386 */
#define NR_REQUESTS    1024 /* power of two */
#define ENOMEM         12
#define GFP_BITS       28 /* include/linux/gfp_types.h: no flag lies higher on i386 */

/* Set by the loader before load; constants to the verifier, which drops dead branches. */
const volatile uint32_t cfg_stack_depth = VMT_MAX_FRAMES;
const volatile uint32_t cfg_gfp_arg = 6; /* which argument of alloc_vmap_area is gfp, 0 = none */
const volatile uint32_t cfg_wake_bytes = 32768; /* power of two */

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
	uint32_t nr_vms;
	uint32_t reserved;
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

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* set to the number of possible CPUs by the loader */
	__type(key, uint32_t);
	__type(value, struct wire_stats);
} stats SEC(".maps");

/*
 * The ring in use, put here by the loader and replaced before it has carried 4 GiB: on 32-bit
 * kernels up to 6.12 a ring is dead after that (kernel/bpf/ringbuf.c, positions of 32 bits).
 */
struct events_ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__array(values, struct events_ring);
} rings SEC(".maps");

/* The purge in progress: one at a time, the kernel holds vmap_purge_lock around it. */
uint64_t purge_begin_ns = 0;
uint32_t purge_tid = 0;

static const struct inflight inflight_empty = {};

#define COUNT(counter)                                   \
	do {                                             \
		struct wire_stats *stats_ = cpu_stats(); \
		if (stats_)                              \
			stats_->counter++;               \
	} while (0)

static __always_inline struct wire_stats *cpu_stats(void)
{
	uint32_t cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&stats, &cpu);
}

static __always_inline uint32_t current_tid(void)
{
	return (uint32_t)bpf_get_current_pid_tgid();
}

static __always_inline void fill_head(struct wire_head *head, uint16_t type, uint64_t t_ns)
{
	uint64_t pid_tgid = bpf_get_current_pid_tgid();

	head->t_ns = t_ns;
	head->type = type;
	head->pid = pid_tgid >> 32;
	head->tid = (uint32_t)pid_tgid;
	bpf_get_current_comm(head->comm, sizeof(head->comm));
}

/*
 * Wakes the consumer each time the fill level crosses a multiple of cfg_wake_bytes: a wake-up per
 * record would cost more than the record. Below that level the consumer's own timeout applies.
 */
static __always_inline void send(void *record, uint64_t bytes)
{
	uint32_t key = 0, waiting;
	uint64_t flags = BPF_RB_NO_WAKEUP;
	void *ring = bpf_map_lookup_elem(&rings, &key);

	if (!ring) {
		COUNT(lost_ring);
		return;
	}
	waiting = (uint32_t)bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA);
	if (waiting >= cfg_wake_bytes && (waiting & (cfg_wake_bytes - 1)) < 1024)
		flags = BPF_RB_FORCE_WAKEUP;
	if (bpf_ringbuf_output(ring, record, bytes, flags) == 0)
		COUNT(records);
	else
		COUNT(lost_ring);
}

/* ---- allocations in progress ------------------------------------------------------------- */

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
	for (int i = 0; i < MAX_NESTED; i++) {
		uint32_t depth = task->depth;

		if (depth == 0 || depth > MAX_NESTED || slot_at(task, depth - 1)->sp > sp)
			return;
		task->depth = depth - 1;
		COUNT(unmatched);
	}
}

static __always_inline void inflight_push(const struct inflight_slot *slot)
{
	uint32_t tid = current_tid(), depth;
	struct inflight *task = bpf_map_lookup_elem(&inflight, &tid);

	if (!task) {
		bpf_map_update_elem(&inflight, &tid, &inflight_empty, BPF_NOEXIST);
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

/* Takes the slot of the call that returns now; false if its entry was not seen. */
static __always_inline bool inflight_pop(uint32_t bp, struct inflight_slot *slot)
{
	uint32_t tid = current_tid(), depth;
	struct inflight *task = bpf_map_lookup_elem(&inflight, &tid);

	if (!task)
		return false;
	depth = task->depth;
	for (int i = 0; i < MAX_NESTED; i++) {
		if (depth == 0 || depth > MAX_NESTED)
			return false;
		depth--;
		if (slot_at(task, depth)->bp != bp)
			continue;
		*slot = *slot_at(task, depth);
		for (int j = 0; j < i; j++)
			COUNT(unmatched);
		task->depth = depth;
		if (depth == 0)
			bpf_map_delete_elem(&inflight, &tid);
		COUNT(returns);
		return true;
	}
	return false;
}

/* The size asked of __vmalloc_node_range, if it fits what alloc_vmap_area is now asked for: whole
 * pages and the guard page (mm/vmalloc.c:__get_vm_area_node), or no guard page. */
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

/* ---- records with a stack ------------------------------------------------------------------ */

struct alloc_record {
	struct wire_alloc alloc;
	uint32_t frames[VMT_MAX_FRAMES];
};

/* Stacks arrive as 8 bytes a frame even on a 32-bit kernel; half of each is zero. */
static __always_inline void add_stack(void *ctx, struct alloc_record *record)
{
	uint64_t ips[VMT_MAX_FRAMES];
	uint32_t depth = cfg_stack_depth, nr;
	long bytes;

	if (depth == 0 || depth > VMT_MAX_FRAMES)
		return;
	bytes = bpf_get_stack(ctx, ips, depth * sizeof(ips[0]), 0);
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
	if (nr > VMT_MAX_FRAMES)
		nr = VMT_MAX_FRAMES;
#pragma unroll
	for (uint32_t i = 0; i < VMT_MAX_FRAMES; i++) {
		if (i < nr)
			record->frames[i] = (uint32_t)ips[i];
	}
	record->alloc.head.nr_frames = nr;
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

static __always_inline void send_alloc(struct alloc_record *record)
{
	uint32_t nr = record->alloc.head.nr_frames;

	if (nr > VMT_MAX_FRAMES)
		nr = VMT_MAX_FRAMES;
	send(record, sizeof(record->alloc) + nr * sizeof(record->frames[0]));
}

/* ---- alloc_vmap_area(size, align, vstart, vend, node, gfp) ---------------------------------- */

SEC("kprobe")
int alloc_entry(struct pt_regs *ctx)
{
	struct inflight_slot slot = {
		.t_ns = bpf_ktime_get_ns(),
		.bp = ctx->bp,
		.sp = ctx->sp,
		.size = ARG1(ctx),
		.align = ARG2(ctx),
		.vstart = ARG3(ctx),
	};

	stack_arg(ctx, 4, &slot.vend);
	if (cfg_gfp_arg)
		stack_arg(ctx, cfg_gfp_arg, &slot.gfp);
	if (slot.gfp >> GFP_BITS)
		slot.gfp = 0;
	slot.requested = take_request(slot.sp, slot.size);
	inflight_push(&slot);
	return 0;
}

SEC("kretprobe")
int alloc_return(struct pt_regs *ctx)
{
	struct inflight_slot slot = {};
	struct alloc_record record = {};
	uint32_t va = RESULT(ctx);

	if (!inflight_pop(ctx->bp, &slot))
		COUNT(no_entry);
	fill_alloc(&record, &slot);
	if (IS_ERROR(va)) {
		record.alloc.head.type = WIRE_FAIL;
		record.alloc.err = (int32_t)va;
	} else if (!read32(FIELD_ADDR(va, struct vmap_area, va_start), &record.alloc.head.start) ||
		   !read32(FIELD_ADDR(va, struct vmap_area, va_end), &record.alloc.head.end)) {
		COUNT(read_failed);
		return 0;
	}
	add_stack(ctx, &record);
	send_alloc(&record);
	return 0;
}

/* ---- free_vmap_area_noflush(va): used -> lazy ------------------------------------------------ */

/* At the entry, since the area can be purged and reused before the function returns. */
SEC("kprobe")
int free_entry(struct pt_regs *ctx)
{
	struct wire_head record = {};
	uint32_t va = ARG1(ctx);

	fill_head(&record, WIRE_FREE, bpf_ktime_get_ns());
	if (!read32(FIELD_ADDR(va, struct vmap_area, va_start), &record.start) ||
	    !read32(FIELD_ADDR(va, struct vmap_area, va_end), &record.end)) {
		COUNT(read_failed);
		return 0;
	}
	send(&record, sizeof(record));
	return 0;
}

/* ---- __purge_vmap_area_lazy: lazy -> free -----------------------------------------------------
 */

SEC("kprobe")
int purge_entry(struct pt_regs *ctx)
{
	purge_begin_ns = bpf_ktime_get_ns();
	purge_tid = current_tid();
	return 0;
}

SEC("kretprobe")
int purge_return(struct pt_regs *ctx)
{
	struct wire_purge record = {};

	fill_head(&record.head, WIRE_PURGE, bpf_ktime_get_ns());
	if (purge_tid == record.head.tid)
		record.begin_ns = purge_begin_ns;
	purge_tid = 0;
	send(&record, sizeof(record));
	return 0;
}

/* ---- pcpu_get_vm_areas(offsets, sizes, nr_vms, align): percpu chunks --------------------------
 */

SEC("kprobe")
int percpu_entry(struct pt_regs *ctx)
{
	struct inflight_slot slot = {
		.t_ns = bpf_ktime_get_ns(),
		.bp = ctx->bp,
		.sp = ctx->sp,
		.nr_vms = ARG3(ctx),
	};

	read32(ARG2(ctx), &slot.size);
	stack_arg(ctx, 4, &slot.align);
	inflight_push(&slot);
	return 0;
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

SEC("kretprobe")
int percpu_return(struct pt_regs *ctx)
{
	struct inflight_slot slot = {};
	struct alloc_record record = {};
	uint32_t vms = RESULT(ctx), vm;

	if (!inflight_pop(ctx->bp, &slot)) {
		COUNT(no_entry);
		slot.nr_vms = 1;
	}
	fill_alloc(&record, &slot);
	record.alloc.head.flags |= WIRE_F_PERCPU;
	add_stack(ctx, &record);
	if (!vms) {
		record.alloc.head.type = WIRE_FAIL;
		record.alloc.err = -ENOMEM;
		send_alloc(&record);
		return 0;
	}
	for (uint32_t i = 0; i < MAX_PERCPU_VMS; i++) {
		if (i >= slot.nr_vms)
			break;
		if (read32(vms + 4 * i, &vm) && read_vm_struct(vm, &record.alloc.head))
			send_alloc(&record);
		else
			COUNT(read_failed);
	}
	return 0;
}

/* ---- the vmalloc and vfree families (--probes=all) ---------------------------------------------
 */

/* __vmalloc_node_range(size, ...): every vmalloc of 6.1 passes here, module_alloc included. */
SEC("kprobe")
int vmalloc_entry(struct pt_regs *ctx)
{
	uint32_t tid = current_tid(), key = tid & (NR_REQUESTS - 1);
	struct request *request = bpf_map_lookup_elem(&requests, &key);

	if (!request)
		return 0;
	request->tid = tid;
	request->sp = ctx->sp;
	request->bytes = ARG1(ctx);
	return 0;
}

/* vfree(addr), vfree_atomic(addr): from atomic context the area is given up later, by a kworker,
 * so this is the only place that sees who frees. */
SEC("kprobe")
int vfree_entry(struct pt_regs *ctx)
{
	struct wire_vfree record = {};
	uint32_t addr = ARG1(ctx);

	if (!addr)
		return 0;
	fill_head(&record.head, WIRE_VFREE, bpf_ktime_get_ns());
	record.head.start = addr;
	read32(ctx->sp, &record.caller);
	read32(ctx->bp + 4, &record.caller2);
	send(&record, sizeof(record));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
