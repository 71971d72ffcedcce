/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/decode.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "capture/known_stacks.h"
#include "capture/named_stacks.h"
#include "capture/wire.h"
#include "space/kind.h"

/* What a stack tells of the area it allocates, found once per stack. */
struct stack_facts {
	uint8_t known;
	uint8_t kind;
	uint8_t has_guard;
};

/* The last failure of a task. */
struct last_fail {
	uint32_t tid;
	uint32_t requested;
};

#define NR_LAST_FAILS   16 /* power of two */
#define FIRST_STACK_ARG 4  /* after three in registers; at_sp[0] is the return address */
#define GFP_BITS        28

/* The name of a task, as it came last. */
struct task_name {
	uint32_t words[VMT_COMM_LEN / 4]; /* all 0: none */
	uint32_t name_id;
};

#define NR_TASK_NAMES 64 /* power of two */

struct decode {
	struct names *names;
	struct stacks *stacks;
	struct resolver *resolver;
	uint32_t own_pid;
	struct stack_facts *facts; /* by stack id */
	uint32_t nr_facts;
	struct last_fail last_fails[NR_LAST_FAILS]; /* by the low bits of tid */
	struct task_name task_names[NR_TASK_NAMES]; /* by the low bits of tid */
	struct known_stacks *known;
	struct named_stacks *named;
	uint32_t generation; /* of the resolver when they were learnt */
	/* One of each type, whose other members stay 0: what is decoded is filled in here. */
	struct event alloc, fail, free, purge, vfree;
};

struct decode *decode_new(struct names *names, struct stacks *stacks, struct resolver *resolver,
			  uint32_t own_pid)
{
	struct decode *decode = calloc(1, sizeof(*decode));

	if (!decode)
		return NULL;
	decode->names = names;
	decode->stacks = stacks;
	decode->resolver = resolver;
	decode->own_pid = own_pid;
	decode->alloc.type = EV_ALLOC;
	decode->fail.type = EV_FAIL;
	decode->free.type = EV_FREE;
	decode->purge.type = EV_PURGE;
	decode->vfree.type = EV_VFREE;
	decode->known = known_stacks_new();
	decode->named = named_stacks_new();
	if (!decode->known || !decode->named) {
		decode_free(decode);
		return NULL;
	}
	return decode;
}

void decode_free(struct decode *decode)
{
	if (!decode)
		return;
	known_stacks_free(decode->known);
	named_stacks_free(decode->named);
	free(decode->facts);
	free(decode);
}

static struct stack_facts find_facts(struct decode *decode, uint32_t stack_id)
{
	struct stack_facts facts = { .known = 1, .kind = KIND_UNKNOWN };
	struct stack stack = stacks_get(decode->stacks, stack_id);

	facts.kind = (uint8_t)kind_of_stack(decode->names, stack);
	facts.has_guard = kind_stack_has_guard(decode->names, stack);
	if (stack_id >= decode->nr_facts) {
		uint32_t nr_facts = stack_id * 2 + 256;
		struct stack_facts *grown = realloc(decode->facts, nr_facts * sizeof(*grown));

		if (!grown)
			return facts;
		memset(grown + decode->nr_facts, 0, (nr_facts - decode->nr_facts) * sizeof(*grown));
		decode->facts = grown;
		decode->nr_facts = nr_facts;
	}
	decode->facts[stack_id] = facts;
	return facts;
}

static inline struct stack_facts facts_of_stack(struct decode *decode, uint32_t stack_id)
{
	if (stack_id < decode->nr_facts && decode->facts[stack_id].known)
		return decode->facts[stack_id];
	return find_facts(decode, stack_id);
}

/* Interns count addresses, seen at t_ns; emits EV_STACK if they are new. first: a frame before
 * them, 0 if there is none. */
static int intern_stack(struct decode *decode, const uint32_t *addrs, uint32_t count,
			uint32_t first, uint64_t t_ns, const struct sink *sink, uint32_t *stack_id)
{
	uint32_t frames[VMT_MAX_FRAMES + 1], nr_frames = 0;
	struct event event = { .t_ns = t_ns, .type = EV_STACK };
	bool is_new = false;

	if (first)
		frames[nr_frames++] = first;
	for (uint32_t i = 0; i < count; i++)
		frames[nr_frames++] = resolver_frame(decode->resolver, addrs[i], t_ns);
	if (nr_frames > VMT_MAX_FRAMES)
		nr_frames = VMT_MAX_FRAMES;
	*stack_id = stacks_intern(decode->stacks, frames, nr_frames, &is_new);
	if (!is_new)
		return 0;
	event.stack_id = *stack_id;
	return sink_event(sink, &event);
}

/* The same, by what is known of these addresses, unless their symbols may be others now. *settled:
 * the answer holds for as long as the symbols are what they are. */
static int look_up_stack(struct decode *decode, const uint32_t *addrs, uint32_t count,
			 uint64_t t_ns, const struct sink *sink, uint32_t *stack_id, bool *settled)
{
	uint32_t unsettled = resolver_unsettled(decode->resolver);
	int err;

	if (decode->generation != resolver_generation(decode->resolver))
		known_stacks_forget(decode->known);
	decode->generation = resolver_generation(decode->resolver);
	*settled = true;
	*stack_id = known_stacks_find(decode->known, addrs, count);
	if (*stack_id)
		return 0;
	err = intern_stack(decode, addrs, count, 0, t_ns, sink, stack_id);
	*settled = *stack_id && decode->generation == resolver_generation(decode->resolver) &&
		   unsettled == resolver_unsettled(decode->resolver);
	if (*settled)
		known_stacks_add(decode->known, addrs, count, *stack_id);
	return err;
}

/* The stack of a name: as found before, unless the symbols have changed since then. */
static int look_up_named(struct decode *decode, struct named_stack *named, uint64_t t_ns,
			 const struct sink *sink, uint32_t *stack_id)
{
	bool settled;
	int err;

	*stack_id = named->stack_id;
	if (*stack_id && named->generation == resolver_generation(decode->resolver))
		return 0;
	err = look_up_stack(decode, named->addrs, named->count, t_ns, sink, stack_id, &settled);
	named->stack_id = settled ? *stack_id : 0;
	named->generation = resolver_generation(decode->resolver);
	return err;
}

/* A name that was never given, or that there was no memory for: whose area it is, is not known. */
static int tell_unknown_name(uint64_t t_ns, const struct sink *sink)
{
	struct event event = {
		.t_ns = t_ns, .type = EV_LOST, .state = LOST_STACK, .count = 1, .cpu = UINT32_MAX
	};

	return sink_event(sink, &event);
}

/* first: as of intern_stack; then the stack has no name. */
static int decode_stack(struct decode *decode, const struct wire_alloc *alloc, uint32_t first,
			const struct sink *sink, uint32_t *stack_id)
{
	const uint32_t *addrs = (const uint32_t *)(alloc + 1);
	uint32_t count = alloc->head.nr_frames;
	struct named_stack *named = NULL;
	bool settled;

	if (first)
		return intern_stack(decode, addrs, count, first, alloc->head.t_ns, sink, stack_id);
	if (alloc->stack_name && count)
		named = named_stacks_give(decode->named, alloc->stack_name, addrs, count);
	else if (alloc->stack_name)
		named = named_stacks_find(decode->named, alloc->stack_name);
	if (named)
		return look_up_named(decode, named, alloc->head.t_ns, sink, stack_id);
	if (alloc->stack_name && !count)
		return tell_unknown_name(alloc->head.t_ns, sink);
	return look_up_stack(decode, addrs, count, alloc->head.t_ns, sink, stack_id, &settled);
}

/* The bits of its bytes before the first that is 0, and of that; all of them if none is. */
static inline uint32_t bits_of_text(uint32_t word)
{
	uint32_t zero = (word - 0x01010101) & ~word & 0x80808080; /* its lowest bit is right */

	return zero ? zero ^ (zero - 1) : 0xffffffff;
}

/* Four bytes at a time, the first one lowest: the byte order of x86. Not in line, where it would
 * take the registers of what is done for each record. */
static __attribute__((noinline)) bool same_text(const uint32_t *a, const uint32_t *b)
{
	for (int i = 0; i < VMT_COMM_LEN / 4; i++) {
		uint32_t bits = bits_of_text(a[i]);

		if ((a[i] ^ b[i]) & bits)
			return false;
		if (bits != 0xffffffff || (a[i] >> 24) == 0)
			return true;
	}
	return true;
}

static inline bool same_name(const uint32_t *a, const uint32_t *b)
{
	return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3])) || same_text(a, b);
}

static inline uint32_t task_name(struct decode *decode, const struct wire_head *head)
{
	struct task_name *task = &decode->task_names[head->tid & (NR_TASK_NAMES - 1)];
	const uint32_t *words = (const uint32_t *)head->comm; /* aligned in the struct */

	if (words[0] && same_name(words, task->words))
		return task->name_id;
	memcpy(task->words, words, sizeof(task->words));
	task->name_id =
		names_intern(decode->names, head->comm, strnlen(head->comm, sizeof(head->comm)));
	return task->name_id;
}

static inline void decode_head(struct decode *decode, const struct wire_head *head,
			       struct event *event)
{
	event->t_ns = head->t_ns;
	event->pid = head->pid;
	event->tid = head->tid;
	event->start = head->start;
	event->end = head->end;
	event->comm_id = task_name(decode, head);
	event->flags = head->pid == decode->own_pid ? EV_F_OWN : 0;
}

/* The guard page: told exactly by the requested size where that is known, by the function that
 * called alloc_vmap_area otherwise. */
static uint8_t guard_pages(const struct wire_alloc *alloc, const struct stack_facts *facts)
{
	uint32_t payload = (alloc->requested + VMT_PAGE_SIZE - 1) & ~(VMT_PAGE_SIZE - 1);

	if (alloc->head.end - alloc->head.start < 2 * VMT_PAGE_SIZE)
		return 0;
	if (alloc->requested)
		return alloc->head.end - alloc->head.start > payload;
	return facts->has_guard;
}

/* True if the task has just failed to get the array of page pointers for so many bytes. */
static bool array_has_failed(const struct decode *decode, uint32_t tid, uint32_t bytes)
{
	const struct last_fail *last = &decode->last_fails[tid & (NR_LAST_FAILS - 1)];
	uint32_t pages = bytes / VMT_PAGE_SIZE + (bytes % VMT_PAGE_SIZE != 0);

	return bytes && last->tid == tid && last->requested == pages * sizeof(uint32_t);
}

/*
 * True if the call of warn_alloc is a failure of vmalloc that no other record tells of. caller: the
 * frame that called it. The page allocator calls it too, on its way to a failure or to another try;
 * and a vmalloc that did not get its array of page pointers calls it after the one for the array
 * has failed.
 */
static bool is_failure_of_pages(const struct decode *decode, const struct wire_alloc *alloc,
				uint32_t caller)
{
	return kind_frame_is_plumbing(names_text(decode->names, caller)) &&
	       !array_has_failed(decode, alloc->head.tid, alloc->requested);
}

static void note_fail(struct decode *decode, const struct wire_alloc *alloc)
{
	decode->last_fails[alloc->head.tid & (NR_LAST_FAILS - 1)] =
		(struct last_fail){ alloc->head.tid, alloc->requested };
}

static void decode_area_facts(struct decode *decode, const struct wire_alloc *alloc,
			      struct event *event)
{
	struct stack_facts facts = facts_of_stack(decode, event->stack_id);

	event->kind = facts.kind;
	event->guard_pages = 0;
	if (alloc->head.flags & WIRE_F_PERCPU)
		event->kind = KIND_PERCPU;
	else if (event->type == EV_ALLOC)
		event->guard_pages = guard_pages(alloc, &facts);
	if (alloc->head.flags & WIRE_F_STACK_CUT)
		event->flags |= EV_F_STACK_CUT;
}

/* Where the kernel's code puts it is told by its symbols, and that may be wrong: then it shows,
 * since no flag lies so high on i386 (include/linux/gfp_types.h). */
static uint32_t gfp_of(const struct wire_alloc *alloc)
{
	uint32_t arg = alloc->head.reserved, gfp;

	if (arg < FIRST_STACK_ARG || arg - FIRST_STACK_ARG + 1 >= WIRE_AT_SP)
		return 0;
	gfp = alloc->at_sp[arg - FIRST_STACK_ARG + 1];
	return gfp >> GFP_BITS ? 0 : gfp;
}

static int decode_alloc(struct decode *decode, const struct wire_alloc *alloc,
			const struct sink *sink)
{
	bool failed = alloc->head.type == WIRE_FAIL;
	struct event *event = failed ? &decode->fail : &decode->alloc;
	uint32_t caller = 0;
	int err;

	if (alloc->head.flags & WIRE_F_PAGES) {
		caller = resolver_frame(decode->resolver, alloc->head.start, alloc->head.t_ns);
		if (!is_failure_of_pages(decode, alloc, caller))
			return 0;
	}
	err = decode_stack(decode, alloc, caller, sink, &event->stack_id);
	if (err)
		return err;
	decode_head(decode, &alloc->head, event);
	event->size = alloc->size;
	event->align = alloc->align;
	event->vstart = alloc->vstart;
	event->vend = alloc->at_sp[1];
	event->gfp = gfp_of(alloc);
	event->latency_ns = alloc->latency_ns;
	event->requested = alloc->requested;
	event->err = alloc->err;
	decode_area_facts(decode, alloc, event);
	if (failed) {
		note_fail(decode, alloc);
		event->start = event->end = 0;
	}
	if (event->kind == KIND_MODULE)
		resolver_modules_changed(decode->resolver, event->t_ns);
	return sink_event(sink, event);
}

static int decode_purge(struct decode *decode, const struct wire_purge *purge,
			const struct sink *sink)
{
	struct event *event = &decode->purge;

	decode_head(decode, &purge->head, event);
	event->begin_ns = purge->begin_ns;
	event->start = event->end = 0;
	if (purge->begin_ns)
		event->flags |= EV_F_HAS_BEGIN;
	return sink_event(sink, event);
}

/* The nearest caller that is not one of the kvfree wrappers. */
static uint32_t vfree_caller(struct decode *decode, const struct wire_vfree *vfree)
{
	uint32_t caller = resolver_frame(decode->resolver, vfree->caller, vfree->head.t_ns);
	const char *name = names_text(decode->names, caller);

	if (vfree->caller2 && (!strncmp(name, "kvfree+", 7) || !strncmp(name, "vfree", 5)))
		return resolver_frame(decode->resolver, vfree->caller2, vfree->head.t_ns);
	return caller;
}

static int decode_vfree(struct decode *decode, const struct wire_vfree *vfree,
			const struct sink *sink)
{
	struct event *event = &decode->vfree;

	decode_head(decode, &vfree->head, event);
	event->caller_id = vfree_caller(decode, vfree);
	return sink_event(sink, event);
}

static int decode_free_record(struct decode *decode, const struct wire_head *head,
			      const struct sink *sink)
{
	decode_head(decode, head, &decode->free);
	return sink_event(sink, &decode->free);
}

int decode_record(struct decode *decode, const void *record, size_t len, const struct sink *sink)
{
	const struct wire_head *head = record;

	if (len > UINT32_MAX || wire_record_len(record, (uint32_t)len) < 0)
		return -EBADMSG;
	switch (head->type) {
	case WIRE_FREE:
		return decode_free_record(decode, head, sink);
	case WIRE_PURGE:
		return decode_purge(decode, record, sink);
	case WIRE_VFREE:
		return decode_vfree(decode, record, sink);
	default:
		return decode_alloc(decode, record, sink);
	}
}
