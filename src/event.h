/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ABI between the kernel side, the ring and everything that reads it.
 *
 * Two layers, different on purpose:
 *   wire_*       what the BPF programs put into the ring: cheap to emit, variable length;
 *   struct event what every later stage sees, live or from a file: one fixed-size struct, strings
 *                and stacks by id.
 *
 * This header is compiled for three targets (bpf, i386, amd64) and must mean the same bytes in
 * each: only fixed-width members, every 64-bit member on an 8-byte offset and aligned by hand
 * (i386 aligns uint64_t to 4), no pointer, no enum as a member. The static asserts at the end of
 * each struct hold this.
 */
#ifndef VMTRACE_EVENT_H
#define VMTRACE_EVENT_H

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <stddef.h>
#include <stdint.h>
#endif

#define VMT_PAGE_SIZE  4096u
#define VMT_COMM_LEN   16
#define VMT_MAX_FRAMES 24 /* deepest stack a record can carry */
#define VMT_MAX_CPUS   64 /* power of two; arch/x86/Kconfig: what NR_CPUS can be on i386 */
#define VMT_ALIGNED8   __attribute__((aligned(8)))

/* ---- wire: one record in the ring ---------------------------------------------------------- */

enum wire_type {
	WIRE_ALLOC =
		1, /* alloc_vmap_area or pcpu_get_vm_areas returned an area: struct wire_alloc */
	WIRE_FAIL = 2,  /* ... returned an error: struct wire_alloc with err set, start = end = 0 */
	WIRE_FREE = 3,  /* free_vmap_area_noflush entered: struct wire_head */
	WIRE_PURGE = 4, /* __purge_vmap_area_lazy returned: struct wire_purge */
	WIRE_VFREE = 5, /* vfree or vfree_atomic entered: struct wire_vfree */
};

enum wire_flag {
	WIRE_F_PERCPU = 1 << 0,    /* from pcpu_get_vm_areas: no guard page, no alloc_vmap_area */
	WIRE_F_NO_ENTRY = 1 << 1,  /* the return was seen, the entry was not: request unknown */
	WIRE_F_STACK_CUT = 1 << 2, /* the stack was deeper than the record takes */
	WIRE_F_PAGES = 1 << 3,     /* FAIL: from warn_alloc, whose caller is at start */
};

/* Starts every record. Times are bpf_ktime_get_ns(), that is CLOCK_MONOTONIC. */
struct wire_head {
	uint64_t t_ns VMT_ALIGNED8;
	uint32_t tid VMT_ALIGNED8;   /* this and pid: as bpf_get_current_pid_tgid() has them */
	uint32_t pid;                /* the process (tgid) */
	uint32_t start VMT_ALIGNED8; /* area, or the hull of a purge */
	uint32_t end;
	uint16_t type;     /* enum wire_type */
	uint8_t nr_frames; /* u32 return addresses that follow the record, innermost first */
	uint8_t flags;     /* enum wire_flag */
	uint32_t reserved;
	char comm[VMT_COMM_LEN]; /* up to a 0; what is behind that is anything */
};
_Static_assert(sizeof(struct wire_head) == 48, "wire_head: one layout on bpf, i386, amd64");
_Static_assert(__builtin_offsetof(struct wire_head, type) == 24, "wire_head.type");

#define WIRE_AT_SP 4 /* words on the stack where alloc_vmap_area is entered */

struct wire_alloc {
	struct wire_head
		head;  /* reserved: which argument of alloc_vmap_area is gfp, 0 = not known */
	uint32_t size; /* as asked of alloc_vmap_area: guard page included */
	uint32_t align;
	uint32_t vstart;
	uint32_t requested;         /* bytes asked of __vmalloc_node_range, 0 = not known */
	uint32_t at_sp[WIRE_AT_SP]; /* return address, then arguments 4 (vend), 5, 6 */
	uint32_t latency_ns;        /* entry to return; saturates at UINT32_MAX */
	int32_t err;                /* -errno of a failure, else 0 */
	/*
	 * Names the stack, 0 = it has no name. With frames: they are what the name stands for from
	 * here on. Without: what it was last given for; never before a record that gives it.
	 */
	uint64_t stack_name VMT_ALIGNED8;
};
_Static_assert(sizeof(struct wire_alloc) == 96, "wire_alloc: one layout on bpf, i386, amd64");
_Static_assert(__builtin_offsetof(struct wire_alloc, size) == 48, "wire_alloc.size");
_Static_assert(__builtin_offsetof(struct wire_alloc, err) == 84, "wire_alloc.err");
_Static_assert(__builtin_offsetof(struct wire_alloc, stack_name) == 88, "wire_alloc.stack_name");

struct wire_purge {
	struct wire_head head;
	uint64_t begin_ns VMT_ALIGNED8; /* 0 = the begin was not seen */
};
_Static_assert(sizeof(struct wire_purge) == 56, "wire_purge: one layout on bpf, i386, amd64");
_Static_assert(__builtin_offsetof(struct wire_purge, begin_ns) == 48, "wire_purge.begin_ns");

struct wire_vfree {
	struct wire_head head; /* start = the address, end = 0 */
	uint32_t caller;       /* return address: who called vfree */
	uint32_t caller2;      /* its caller, by the frame pointer; 0 = not known */
};
_Static_assert(sizeof(struct wire_vfree) == 56, "wire_vfree: one layout on bpf, i386, amd64");

/*
 * Counters of one CPU, in an mmapable array map. The BPF side is the only writer of its own
 * entry, with preemption off, so plain increments are exact. 32 bits, since a 32-bit reader can
 * load those in one piece and so needs no lock; it takes differences, which survive the wrap.
 */
struct wire_stats {
	uint32_t records;       /* records put into the ring */
	uint32_t lost_ring;     /* records refused by a full ring */
	uint32_t lost_inflight; /* entries dropped: in-flight table full or nested too deep */
	uint32_t unmatched;     /* entries of which neither area nor return was seen */
	uint32_t no_entry;      /* returns whose entry was not seen */
	uint32_t stack_cut;     /* stacks deeper than the record takes */
	uint32_t stack_failed;  /* bpf_get_stack gave nothing */
	uint32_t read_failed;   /* a kernel struct could not be read: the record was dropped */
	uint32_t entries;       /* entry probes that took a slot in the in-flight table */
	uint32_t returns;       /* slots done with: the area was reported, or the call returned */
	uint32_t busy;          /* perf buffers only: odd while a program runs on this CPU */
	uint32_t inserted;      /* no counter: the vmap_area that insert_entry has told last */
	uint32_t reserved[4];
};
_Static_assert(sizeof(struct wire_stats) == 64, "wire_stats: one cache line a CPU");

/* What the loader tells the programs, once, before they are attached. */
struct wire_config {
	uint32_t stack_depth;       /* frames to keep, at most VMT_MAX_FRAMES */
	uint32_t gfp_arg;           /* which argument of alloc_vmap_area is gfp, 0 = not known */
	uint32_t sp_is_regs;        /* regs->sp is not saved (before 5.8): the stack begins there */
	uint32_t alloc_by_return;   /* alloc_return also reports areas whose entry was not seen */
	uint32_t insert_alone;      /* insert_entry sees areas whose request no probe shows */
	uint32_t insert_needs_slot; /* insert_vmap_area also takes lazy areas: 6.12 on */
	uint32_t with_requests;     /* vmalloc_entry is there: what it notes is worth a look */
	uint32_t nr_cpus;           /* possible ones */
};
_Static_assert(sizeof(struct wire_config) == 32, "wire_config: one layout on bpf, i386, amd64");

/* ---- allocations in progress: of the BPF programs, swept by capture/probes ------------------- */

/*
 * An allocation in progress, from its entry to the insertion of its area, or to its return. A call
 * of another CPU, or of user space, that is done with it writes released and nothing else, since
 * this CPU may be about to use the slot for another one.
 */
struct inflight_slot {
	uint64_t t_ns VMT_ALIGNED8;
	uint32_t sp; /* at the entry of alloc_vmap_area, 0 = the slot is free; pcpu_get_vm_areas:
			odd */
	uint32_t bp; /* callee-saved, so the same at entry and return: tells which call returns */
	uint32_t nr_vms;   /* pcpu_get_vm_areas: how many areas; 0 = alloc_vmap_area */
	uint32_t reported; /* insert_entry has sent its area */
	uint32_t released; /* the sp of a call in this slot that is over */
	uint32_t cut; /* alloc.stack_name is of as many frames as are kept: there may be more */
	struct wire_alloc alloc; /* the record, filled in as things are known, and sent from here */
};
_Static_assert(sizeof(struct inflight_slot) == 128, "inflight_slot");

/* What a CPU has to itself. */
struct wire_cpu {
	struct wire_stats stats;
	struct inflight_slot call; /* the last call that was entered here */
	struct wire_head freed;    /* where free_entry makes its record */
	uint32_t zero;             /* the key of a map that has one entry */
	uint32_t wake_mask;        /* of a record's number: none of these bits set, it wakes */
	uint32_t number;           /* of the CPU */
	uint32_t with_stacks;      /* stack_depth of the configuration is not 0 */
};
_Static_assert(sizeof(struct wire_cpu) == 256,
	       "wire_cpu: a power of two, so that a shift finds it");

/* ---- stream: what every stage after decoding sees ------------------------------------------- */
#ifndef __bpf__

enum event_type {
	EV_NONE = 0,
	EV_STACK, /* defines stack_id (frames are in the stack table): before its first use */
	EV_ALLOC, /* [start, end) came into use */
	EV_FREE,  /* [start, end): used -> lazy */
	EV_PURGE, /* what was lazy before begin_ns is free */
	EV_FAIL,  /* an allocation failed: size, align, vstart, vend, err */
	EV_VFREE, /* vfree(start) was called; the EV_FREE may come later, from a kworker */
	EV_LOST,  /* count events of cause were lost somewhere before t_ns */
	EV_SNAPSHOT_BEGIN, /* the kernel's own list, read from begin_ns on, follows */
	EV_AREA,           /* one line of that list: state used or lazy */
	EV_SNAPSHOT_END,   /* read to its end at t_ns */
	EV_TIME,           /* the clock was at t_ns, whether anything had happened or not */
	EV_TYPE_COUNT
};

enum area_state {
	AREA_USED = 1,
	AREA_LAZY = 2,
};

/* Why something was lost, for EV_LOST. */
enum lost_cause {
	LOST_RING = 1,  /* ring full */
	LOST_INFLIGHT,  /* in-flight table full or nested too deep: the request is not known */
	LOST_UNMATCHED, /* an entry whose return probe never ran */
	LOST_NO_ENTRY,  /* a return whose entry was not seen: area known, request not */
	LOST_STACK,     /* stack truncated or not readable: the area is known, its owner is not */
	LOST_READ,      /* a kernel struct could not be read */
	LOST_QUEUE,     /* user space could not keep up or ran out of memory */
	LOST_MISSED,    /* the kernel hit a probe that the map needs, and could not run it */
	LOST_DETAIL,    /* the same of a probe that tells more of an area, or of a failure */
	LOST_CAUSE_COUNT
};

/* True if a loss of this cause can make the map wrong. A cut stack can not; nor can a lost entry,
 * whose return still reports the area. */
static inline int lost_cause_hurts_map(unsigned int cause)
{
	return cause != LOST_STACK && cause != LOST_NO_ENTRY && cause != LOST_INFLIGHT &&
	       cause != LOST_DETAIL;
}

enum area_kind {
	KIND_UNKNOWN = 0,
	KIND_VMALLOC,
	KIND_VMAP,
	KIND_IOREMAP,
	KIND_MODULE,
	KIND_BPF,
	KIND_PERCPU,
	KIND_VM_MAP_RAM,
	KIND_USER, /* vmalloc_user, remap_vmalloc_range: mapped to user space */
	KIND_DMA_COHERENT,
	KIND_EARLY, /* registered at boot, before vmalloc_init */
	KIND_COUNT
};

enum event_flag {
	EV_F_OWN = 1 << 0,       /* made by this vmtrace itself */
	EV_F_STACK_CUT = 1 << 1, /* the stack goes on beyond what was kept */
	EV_F_HAS_BEGIN = 1 << 2, /* begin_ns is valid */
	EV_F_KNOWN = 1 << 3,     /* AREA: an event showed it born (lazy: freed) at begin_ns */
};

/*
 * One event of the stream. Only the members that its type names are meaningful; the others are 0.
 * Ids: string ids index a struct names, stack ids a struct stacks; 0 = none in both.
 */
struct event {
	uint64_t t_ns VMT_ALIGNED8;
	uint64_t begin_ns VMT_ALIGNED8; /* PURGE, SNAPSHOT_*: when it began; AREA: see EV_F_KNOWN */
	uint8_t type;                   /* enum event_type */
	uint8_t kind;                   /* enum area_kind: ALLOC, AREA, FAIL */
	uint8_t guard_pages; /* ALLOC, AREA: trailing pages of [start, end) never mapped */
	uint8_t state;       /* enum area_state: AREA. LOST: enum lost_cause */
	uint32_t flags;      /* enum event_flag */
	uint32_t pid;
	uint32_t tid;
	uint32_t start;
	uint32_t end;
	uint32_t size; /* as asked of the allocator, guard included: ALLOC, FAIL */
	uint32_t align;
	uint32_t vstart;
	uint32_t vend;
	uint32_t gfp;
	uint32_t latency_ns;
	uint32_t requested; /* bytes the caller asked of vmalloc, 0 = not known */
	uint32_t nr_pages;  /* AREA: pages= of /proc/vmallocinfo */
	int32_t err;        /* FAIL: -errno */
	uint32_t count;     /* LOST: how many */
	uint32_t cpu;       /* LOST: on which CPU, UINT32_MAX = not known */
	uint32_t stack_id;  /* STACK, ALLOC, FAIL, AREA */
	uint32_t caller_id; /* AREA: caller; VFREE: who called vfree (string ids) */
	uint32_t comm_id;   /* string id of the task's name */
};
_Static_assert(sizeof(struct event) == 96, "event: one layout on i386 and amd64");
_Static_assert(offsetof(struct event, start) == 32, "event.start");
_Static_assert(offsetof(struct event, comm_id) == 92, "event.comm_id");

#endif /* !__bpf__ */
#endif
