/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/decode.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

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

#define NR_LAST_FAILS 16 /* power of two */

/* A stack that the kernel side has named, and names alone from then on. */
struct named_stack {
	uint64_t name; /* 0 = empty */
	uint32_t frames[VMT_MAX_FRAMES];
	uint32_t nr_frames;
	uint32_t stack_id;
	uint32_t generation; /* of the resolver, when stack_id was found */
	bool settled;        /* stack_id is right for as long as that is the same */
};

#define FIRST_NAMED 256u /* power of two */

struct decode {
	struct names *names;
	struct stacks *stacks;
	struct resolver *resolver;
	uint32_t own_pid;
	struct stack_facts *facts; /* by stack id */
	uint32_t nr_facts;
	struct last_fail last_fails[NR_LAST_FAILS]; /* by the low bits of tid */
	struct named_stack *named;                  /* open addressing; at most half full */
	uint32_t nr_named;
	uint32_t named_size; /* power of two */
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
	return decode;
}

void decode_free(struct decode *decode)
{
	if (!decode)
		return;
	free(decode->facts);
	free(decode->named);
	free(decode);
}

static struct stack_facts facts_of_stack(struct decode *decode, uint32_t stack_id)
{
	struct stack_facts facts = { .known = 1, .kind = KIND_UNKNOWN };
	struct stack stack = stacks_get(decode->stacks, stack_id);

	if (stack_id < decode->nr_facts && decode->facts[stack_id].known)
		return decode->facts[stack_id];
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

/* ---- stacks, and their names ------------------------------------------------------------------
 */

/* The place of name: its own, or the empty one that it would have. */
static struct named_stack *named_place(struct named_stack *table, uint32_t size, uint64_t name)
{
	uint32_t at = (uint32_t)(name ^ name >> 32) & (size - 1);

	while (table[at].name && table[at].name != name)
		at = (at + 1) & (size - 1);
	return &table[at];
}

static int named_grow(struct decode *decode)
{
	uint32_t size = decode->named_size ? 2 * decode->named_size : FIRST_NAMED;
	struct named_stack *table;

	if (decode->nr_named < decode->named_size / 2)
		return 0;
	table = calloc(size, sizeof(*table));
	if (!table)
		return -ENOMEM;
	for (uint32_t i = 0; i < decode->named_size; i++) {
		if (decode->named[i].name)
			*named_place(table, size, decode->named[i].name) = decode->named[i];
	}
	free(decode->named);
	decode->named = table;
	decode->named_size = size;
	return 0;
}

/* The stack of that name, NULL if none was given. */
static struct named_stack *find_named(struct decode *decode, uint64_t name)
{
	struct named_stack *named =
		decode->named_size ? named_place(decode->named, decode->named_size, name) : NULL;

	return named && named->name ? named : NULL;
}

/* Remembers what the frames of alloc are called. NULL: no memory. */
static struct named_stack *give_name(struct decode *decode, const struct wire_alloc *alloc)
{
	struct named_stack *named = find_named(decode, alloc->stack_name);

	if (!named) {
		if (named_grow(decode) < 0)
			return NULL;
		named = named_place(decode->named, decode->named_size, alloc->stack_name);
		decode->nr_named++;
	}
	named->name = alloc->stack_name;
	named->nr_frames = alloc->head.nr_frames;
	memcpy(named->frames, alloc + 1, alloc->head.nr_frames * sizeof(uint32_t));
	named->settled = false;
	return named;
}

/* Interns frames, seen at t_ns; emits EV_STACK if they are new. first: the string id of a frame
 * before them, 0 if there is none. */
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

/* The stack of a name: as found before, unless modules have come since then. */
static int decode_named(struct decode *decode, struct named_stack *named, uint64_t t_ns,
			const struct sink *sink, uint32_t *stack_id)
{
	int err;

	*stack_id = named->stack_id;
	if (named->settled && named->generation == resolver_generation(decode->resolver))
		return 0;
	err = intern_stack(decode, named->frames, named->nr_frames, 0, t_ns, sink, stack_id);
	named->stack_id = *stack_id;
	named->generation = resolver_generation(decode->resolver);
	named->settled = !err && *stack_id;
	for (uint32_t i = 0; i < named->nr_frames; i++)
		named->settled &= resolver_is_settled(decode->resolver, named->frames[i]);
	return err;
}

/* A name that was never given: the record that gave it did not come here. */
static int tell_unknown_name(uint64_t t_ns, const struct sink *sink)
{
	struct event event = {
		.t_ns = t_ns, .type = EV_LOST, .state = LOST_STACK, .count = 1, .cpu = UINT32_MAX
	};

	return sink_event(sink, &event);
}

/* first: as of intern_stack; its stacks have no names. */
static int decode_stack(struct decode *decode, const struct wire_alloc *alloc, uint32_t first,
			const struct sink *sink, uint32_t *stack_id)
{
	struct named_stack *named = NULL;

	if (alloc->stack_name && !first)
		named = alloc->head.nr_frames ? give_name(decode, alloc)
					      : find_named(decode, alloc->stack_name);
	if (named)
		return decode_named(decode, named, alloc->head.t_ns, sink, stack_id);
	if (alloc->stack_name && !alloc->head.nr_frames)
		return tell_unknown_name(alloc->head.t_ns, sink);
	return intern_stack(decode, (const uint32_t *)(alloc + 1), alloc->head.nr_frames, first,
			    alloc->head.t_ns, sink, stack_id);
}

static void decode_head(struct decode *decode, const struct wire_head *head, struct event *event)
{
	event->t_ns = head->t_ns;
	event->pid = head->pid;
	event->tid = head->tid;
	event->start = head->start;
	event->end = head->end;
	event->comm_id =
		names_intern(decode->names, head->comm, strnlen(head->comm, sizeof(head->comm)));
	if (head->pid == decode->own_pid)
		event->flags |= EV_F_OWN;
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
	if (alloc->head.flags & WIRE_F_PERCPU)
		event->kind = KIND_PERCPU;
	else if (event->type == EV_ALLOC)
		event->guard_pages = guard_pages(alloc, &facts);
	if (alloc->head.flags & WIRE_F_STACK_CUT)
		event->flags |= EV_F_STACK_CUT;
}

static int decode_alloc(struct decode *decode, const struct wire_alloc *alloc,
			const struct sink *sink)
{
	struct event event = {
		.type = alloc->head.type == WIRE_FAIL ? EV_FAIL : EV_ALLOC,
		.size = alloc->size,
		.align = alloc->align,
		.vstart = alloc->vstart,
		.vend = alloc->vend,
		.gfp = alloc->gfp,
		.latency_ns = alloc->latency_ns,
		.requested = alloc->requested,
		.err = alloc->err,
	};
	uint32_t caller = 0;
	int err;

	if (alloc->head.flags & WIRE_F_PAGES) {
		caller = resolver_frame(decode->resolver, alloc->head.start, alloc->head.t_ns);
		if (!is_failure_of_pages(decode, alloc, caller))
			return 0;
	}
	err = decode_stack(decode, alloc, caller, sink, &event.stack_id);
	if (err)
		return err;
	decode_head(decode, &alloc->head, &event);
	decode_area_facts(decode, alloc, &event);
	if (event.type == EV_FAIL) {
		note_fail(decode, alloc);
		event.start = event.end = 0;
	}
	if (event.kind == KIND_MODULE)
		resolver_modules_changed(decode->resolver, event.t_ns);
	return sink_event(sink, &event);
}

static int decode_purge(struct decode *decode, const struct wire_purge *purge,
			const struct sink *sink)
{
	struct event event = { .type = EV_PURGE, .begin_ns = purge->begin_ns };

	decode_head(decode, &purge->head, &event);
	event.start = event.end = 0;
	if (purge->begin_ns)
		event.flags |= EV_F_HAS_BEGIN;
	return sink_event(sink, &event);
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
	struct event event = { .type = EV_VFREE };

	decode_head(decode, &vfree->head, &event);
	event.caller_id = vfree_caller(decode, vfree);
	return sink_event(sink, &event);
}

static int decode_free_record(struct decode *decode, const struct wire_head *head,
			      const struct sink *sink)
{
	struct event event = { .type = EV_FREE };

	decode_head(decode, head, &event);
	return sink_event(sink, &event);
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
