/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Call stacks. bpf_get_stack gives them, and is what every stack that leaves the kernel comes from,
 * but it costs 4,000 instructions. A stack that has been sent before is told by its name alone: a
 * number made of its return addresses by walking the frame pointers in a copy of the stack, at half
 * the price or a third.
 *
 * A stack gets its name only when the walk and bpf_get_stack give the same frames. After that the
 * same name means the same addresses in the same order (but for a chance of 1 in 2^64 a pair), so
 * whatever the kernel is built like, a name is right or there is none: without frame pointers no
 * walk agrees, and every stack is sent whole.
 */
#ifndef VMTRACE_STACK_BPF_H
#define VMTRACE_STACK_BPF_H

#include "kernel.bpf.h"
#include "transport.bpf.h"

#define OWN_FRAME 1 /* the stack of an entry probe begins with the probed function itself */

struct alloc_record {
	struct wire_alloc alloc;
	uint32_t frames[VMT_MAX_FRAMES];
};

/* Keeps nr of the frames that bpf_get_stack has put into ips: 8 bytes each even on a 32-bit kernel,
 * half of them zero. */
static __always_inline void keep_frames(const struct run *run, const uint64_t *ips, long bytes,
					struct alloc_record *record)
{
	uint32_t depth = run->config->stack_depth, nr;

	if (bytes <= 0) {
		COUNT(run, stack_failed);
		return;
	}
	nr = (uint32_t)bytes / sizeof(ips[0]);
	if (nr >= depth)
		record->alloc.head.flags |= WIRE_F_STACK_CUT;
	/* A depth that the user chose is no loss. */
	if (nr >= depth && depth == VMT_MAX_FRAMES)
		COUNT(run, stack_cut);
	if (nr > depth)
		nr = depth;
#pragma unroll
	for (uint32_t i = 0; i < VMT_MAX_FRAMES; i++) {
		if (i < nr)
			record->frames[i] = (uint32_t)ips[i];
	}
	record->alloc.head.nr_frames = nr;
}

/* Of the place that ctx is of, without the innermost skip frames. */
static __always_inline void add_stack(void *ctx, const struct run *run, uint32_t skip,
				      struct alloc_record *record)
{
#ifndef VMT_NO_STACK
	uint64_t ips[VMT_MAX_FRAMES];
	uint32_t depth = run->config->stack_depth;
	long bytes;

	if (depth == 0 || depth > VMT_MAX_FRAMES)
		return;
#ifdef VMT_PERF /* the verifier wants a size that it knows, or memory that is initialized */
	bytes = bpf_get_stack(ctx, ips, sizeof(ips), skip);
#else
	bytes = bpf_get_stack(ctx, ips, depth * sizeof(ips[0]), skip);
#endif
	keep_frames(run, ips, bytes, record);
#endif
}

static __always_inline bool send_alloc(void *ctx, const struct run *run,
				       struct alloc_record *record)
{
	uint32_t nr = record->alloc.head.nr_frames;

	if (nr > VMT_MAX_FRAMES)
		nr = VMT_MAX_FRAMES;
	return send(run, ctx, record, sizeof(record->alloc) + nr * sizeof(record->frames[0]));
}

#ifndef VMT_PERF

#define PIECE_BYTES  3072u /* of a stack, at most: 24 frames of 128 bytes */
#define NR_KNOWN     1024  /* power of two */
#define NR_SCRATCHES 8
/* Odd, an immediate of BPF, and larger than two addresses of kernel code can be apart: so frames
 * that stand for digits do not make up for one another. */
#define NAME_FACTOR 0x6c078965u
#define REGS_MARK   0x80000000u /* clear in a saved %ebp that points to registers instead */
#define USER_CS     3u
/* The last frame and the registers above it. */
#define LAST_FRAME_BYTES (8 + PT_REGS_BYTES)

struct scratch {
	uint32_t piece[PIECE_BYTES / sizeof(uint32_t)];
	uint64_t ips[VMT_MAX_FRAMES];
	struct alloc_record record;
};

/* Of the first CPUs as global data, since a look-up costs five times as much. */
struct scratch first_scratches[NR_SCRATCHES] SEC(".data.scratch");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct scratch);
} scratches SEC(".maps");

/* The names that have been sent with their frames, each where its bits say; a later one takes the
 * place of an earlier one, which is then sent whole again. */
uint64_t known_names[NR_KNOWN] SEC(".data.known");

static __always_inline struct scratch *get_scratch(const struct run *run)
{
	uint64_t cpu = run->cpu->number;

	if (cpu < NR_SCRATCHES)
		return &first_scratches[cpu];
	return bpf_map_lookup_elem(&scratches, &run->cpu->zero);
}

static __always_inline uint64_t *known_name(uint64_t name)
{
	return &known_names[(name >> 40) & (NR_KNOWN - 1)];
}

/* From sp to the top of its stack, at most PIECE_BYTES. */
static __always_inline bool read_piece(struct scratch *scratch, uint32_t sp)
{
	uint32_t bytes = (~sp & (KERNEL_STACK_BYTES - 1)) + 1;

	if (bytes > PIECE_BYTES)
		bytes = PIECE_BYTES;
	return read_kernel(sp, scratch->piece, bytes);
}

/* The words at off in the piece: the saved %ebp, the return address. off <= PIECE_BYTES - 8. In
 * assembler, since clang takes a register more to add, and an instruction for that. */
static __always_inline const uint32_t *frame_at(const struct scratch *scratch, uint64_t off)
{
	asm volatile("%0 += %1" : "+r"(off) : "r"(scratch->piece));
	return (const uint32_t *)(unsigned long)off;
}

/*
 * From the frame at off in the piece to its caller's, which lies as far above base; its return
 * address goes into the name. In assembler, which keeps to these registers: clang takes another one
 * in every second step.
 */
static __always_inline uint64_t follow(const struct scratch *scratch, uint64_t base, uint64_t off,
				       uint64_t *name, uint64_t *returns)
{
	asm volatile("%0 += %3\n\t"
		     "%2 = *(u32 *)(%0 + 4)\n\t"
		     "%0 = *(u32 *)(%0 + 0)\n\t"
		     "%0 -= %4\n\t"
		     "%1 *= %5\n\t"
		     "%1 += %2"
		     : "+r"(off), "+r"(*name), "=&r"(*returns)
		     : "r"(scratch->piece), "r"(base), "i"(NAME_FACTOR));
	return off;
}

/* Of registers that mark the end of a stack: those of user space, or the empty ones with which a
 * kernel thread begins. */
static __always_inline bool cs_of_end(uint32_t cs)
{
	return !cs || (cs & USER_CS);
}

/*
 * True if the frame that holds saved and returns is that of a system call: it lies right below the
 * registers at the top of the stack (arch/x86/kernel/unwind_frame.c:is_last_frame), and
 * arch/x86/include/asm/thread_info.h:TOP_OF_KERNEL_STACK_PADDING is 16 or 8. What returns into the
 * code of the entry lies nowhere else, so it is known by its content.
 */
static __always_inline bool is_entry_frame(const struct scratch *scratch, uint32_t base,
					   uint32_t saved, uint32_t returns)
{
	uint64_t room = (base | (KERNEL_STACK_BYTES - 1)) + 1 - base - LAST_FRAME_BYTES;
	const uint32_t *frame;

#pragma unroll
	for (uint32_t padding = 16; padding >= 8; padding -= 8) {
		if (room - padding > PIECE_BYTES - LAST_FRAME_BYTES)
			continue;
		frame = frame_at(scratch, room - padding);
		if (frame[0] == saved && frame[1] == returns)
			return cs_of_end(frame[2 + PT_REGS_CS / sizeof(*frame)]);
	}
	return false;
}

/* True if saved points to registers that mark the end, in the piece
 * (unwind_frame.c:decode_frame_pointer). */
static __always_inline bool is_end(const struct scratch *scratch, uint32_t base, uint32_t saved)
{
	uint64_t off = (uint64_t)(saved | REGS_MARK) + PT_REGS_CS - base;

	return !(saved & REGS_MARK) && off <= PIECE_BYTES - 8 && cs_of_end(*frame_at(scratch, off));
}

/*
 * The name of the stack at the entry of a function, whose return address is the first word of the
 * piece; bp: the frame pointer there, its caller's. sp: where the piece was read. 0 if the walk
 * comes to no end that it knows, or out of the piece. *cut, which is 0, becomes 1: there are more
 * than depth frames, or as many.
 *
 * What is done for a frame is 7 instructions, unrolled, if the depth is the one that is usual.
 */
static __always_inline uint64_t walk_name(struct scratch *scratch, uint32_t sp, uint32_t bp,
					  uint32_t depth, uint32_t *cut)
{
	/* 64 bits wide: the interpreter then has no halves to clear. */
	uint64_t base = sp, above = bp - base, returns = scratch->piece[0];
	uint64_t name = NAME_FACTOR + returns;
	uint32_t last;

	if (depth == VMT_MAX_FRAMES) {
#pragma unroll
		for (int i = 1; i < VMT_MAX_FRAMES; i++) {
			if (above > PIECE_BYTES - 8)
				goto out_of_piece;
			above = follow(scratch, base, above, &name, &returns);
		}
	} else {
		for (uint32_t i = 1; i < depth; i++) {
			if (above > PIECE_BYTES - 8)
				goto out_of_piece;
			above = follow(scratch, base, above, &name, &returns);
		}
	}
	*cut = 1;
	return name;
out_of_piece:
	last = above + base;
	return is_entry_frame(scratch, base, last, returns) || is_end(scratch, base, last) ? name
											   : 0;
}

/* The name that nr frames as bpf_get_stack gives them would have, were the first one first. */
static __always_inline uint64_t name_of(const uint64_t *ips, uint32_t nr, uint32_t first)
{
	uint64_t name = NAME_FACTOR + (uint64_t)first;

	for (uint32_t i = 1; i < VMT_MAX_FRAMES && i < nr; i++)
		name = name * NAME_FACTOR + (uint32_t)ips[i];
	return name;
}

/*
 * Sends the record of call with its whole stack, as it is in the function that ctx is of, which the
 * function that was called has called. If the frames are those of call's name, they are named from
 * now on. In place of the first one there may lie what a return probe has put there since:
 * bpf_get_stack shows that on kernels before 5.15.
 */
static __always_inline void send_whole(void *ctx, const struct run *run, struct inflight_slot *call)
{
	struct scratch *scratch = get_scratch(run);
	uint32_t depth = run->config->stack_depth, first = call->alloc.at_sp[0], seen = 0;
	uint64_t name = call->alloc.stack_name;
	struct alloc_record *record;
	long bytes;

	if (!scratch || depth > VMT_MAX_FRAMES)
		return; /* never: for the verifier */
	record = &scratch->record;
	record->alloc = call->alloc;
	record->alloc.stack_name = 0;
	bytes = bpf_get_stack(ctx, scratch->ips, depth * sizeof(scratch->ips[0]), OWN_FRAME);
	keep_frames(run, scratch->ips, bytes, record);
	if (name)
		read32(call->sp, &seen);
	if (!name || ((uint32_t)scratch->ips[0] != first && (uint32_t)scratch->ips[0] != seen) ||
	    name_of(scratch->ips, record->alloc.head.nr_frames, first) != name) {
		send_alloc(ctx, run, record);
		return;
	}
	record->frames[0] = first;
	record->alloc.stack_name = name;
	if (send_alloc(ctx, run, record))
		*known_name(name) = name;
}

/* Sends the record of call with its stack: by name if that is known, else whole. */
static __always_inline void send_stack(void *ctx, const struct run *run, struct inflight_slot *call)
{
	uint64_t name = call->alloc.stack_name;

	if (!name || *known_name(name) != name) {
		send_whole(ctx, run, call);
		return;
	}
	if (call->cut) {
		call->alloc.head.flags |= WIRE_F_STACK_CUT;
		if (run->config->stack_depth == VMT_MAX_FRAMES)
			COUNT(run, stack_cut);
	}
	send(run, ctx, &call->alloc, sizeof(call->alloc));
}

/* At the entry of the function that call is of: the name of its stack, and what lies on it. */
static __always_inline void name_stack(const struct run *run, struct inflight_slot *call,
				       uint32_t sp, uint32_t bp)
{
	struct scratch *scratch = get_scratch(run);

	if (!scratch || !read_piece(scratch, sp)) {
		__builtin_memset(call->alloc.at_sp, 0, sizeof(call->alloc.at_sp));
		call->alloc.stack_name = 0;
		return;
	}
	__builtin_memcpy(call->alloc.at_sp, scratch->piece, sizeof(call->alloc.at_sp));
	call->alloc.stack_name = walk_name(scratch, sp, bp, run->config->stack_depth, &call->cut);
}

#endif /* !VMT_PERF */
#endif
