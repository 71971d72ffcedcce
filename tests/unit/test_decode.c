// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/decode.h"

#define MODULES	    0xf7800000u
#define MODULES_END 0xff000000u
#define OWN_PID	    4242u
#define PAGE	    VMT_PAGE_SIZE
#define T0	    1000000000000ull

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Frames of these functions, each 0x10 into it. */
#define GET_VM_AREA  0xc1001010u
#define NODE_RANGE   0xc1002010u
#define VMALLOC	     0xc1003010u
#define OWNER	     0xc1004010u
#define KVFREE	     0xc1005010u
#define VFREE_ATOMIC 0xc1006010u
#define PCPU_GET     0xc1007010u
#define VM_MAP_RAM   0xc1008010u
#define BPF_AREA     0xc1009010u
#define MODULE_ALLOC 0xc100a010u
#define KVFREE_OTHER 0xc100b010u

static const char kallsyms[] = "c1001000 t __get_vm_area_node.isra.0\n"
			       "c1002000 T __vmalloc_node_range\n"
			       "c1003000 T vmalloc\n"
			       "c1004000 t owner\n"
			       "c1005000 T kvfree\n"
			       "c1006000 T vfree_atomic\n"
			       "c1007000 T pcpu_get_vm_areas\n"
			       "c1008000 T vm_map_ram\n"
			       "c1009000 t __bpf_map_area_alloc\n"
			       "c100a000 T module_alloc\n"
			       "c100b000 T kvfree_call_rcu\n"
			       "c100c000 T last\n";

struct fixture {
	struct symbols *symbols;
	struct names *names;
	struct stacks *stacks;
	struct resolver *resolver;
	struct decode *decode;
	struct event events[8]; /* emitted since the last decode() */
	uint32_t count;
	uint32_t fail_at; /* the sink refuses this one */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->symbols = symbols_new();
	f->names = names_new();
	f->stacks = stacks_new();
	f->fail_at = UINT32_MAX;
	*state = f;
	if (!f->symbols || !f->names || !f->stacks ||
	    symbols_parse(f->symbols, kallsyms, strlen(kallsyms)))
		return -1;
	f->resolver = resolver_new(f->symbols, f->names, MODULES, MODULES_END);
	f->decode = decode_new(f->names, f->stacks, f->resolver, OWN_PID);
	return f->resolver && f->decode ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	decode_free(f->decode);
	resolver_free(f->resolver);
	stacks_free(f->stacks);
	names_free(f->names);
	symbols_free(f->symbols);
	free(f);
	return 0;
}

static int take(void *context, const struct event *event)
{
	struct fixture *f = context;

	if (f->count == f->fail_at)
		return -EPIPE;
	assert_in_range(f->count, 0, ARRAY_SIZE(f->events) - 1);
	f->events[f->count++] = *event;
	return 0;
}

/* Decodes len bytes at the end of their allocation, so that the sanitizer sees one read too far. */
static int decode(struct fixture *f, const void *record, size_t len)
{
	struct sink sink = {.event = take, .context = f};
	void *copy = malloc(len ? len : 1);
	int err;

	assert_non_null(copy);
	memcpy(copy, record, len);
	f->count = 0;
	err = decode_record(f->decode, copy, len, &sink);
	free(copy);
	return err;
}

struct alloc_record {
	struct wire_alloc alloc;
	uint32_t frames[VMT_MAX_FRAMES + 1];
};

static struct wire_head head(uint16_t type)
{
	return (struct wire_head){
		.t_ns = T0,
		.type = type,
		.pid = 7,
		.tid = 8,
		.start = 0xf8000000,
		.end = 0xf8000000 + 5 * PAGE,
		.reserved = 6,
		.comm = "insmod",
	};
}

static struct alloc_record alloc_record(const uint32_t *frames, uint8_t nr_frames)
{
	struct alloc_record r = {
		.alloc =
			{
				.head = head(WIRE_ALLOC),
				.size = 5 * PAGE,
				.align = 1,
				.vstart = MODULES,
				.at_sp = {VMALLOC, MODULES_END, UINT32_MAX, 0xcc0},
				.latency_ns = 1234,
			},
	};

	r.alloc.head.nr_frames = nr_frames;
	for (uint32_t i = 0; i < nr_frames; i++)
		r.frames[i] = frames[i];
	return r;
}

/* Decodes an alloc and returns its event, which comes last. */
static struct event decode_alloc(struct fixture *f, const struct alloc_record *r)
{
	size_t len = sizeof(r->alloc) + r->alloc.head.nr_frames * sizeof(uint32_t);

	assert_int_equal(decode(f, r, len), 0);
	assert_in_range(f->count, 1, 2);
	return f->events[f->count - 1];
}

static struct event decode_stack(struct fixture *f, const uint32_t *frames, uint8_t nr_frames)
{
	struct alloc_record r = alloc_record(frames, nr_frames);

	return decode_alloc(f, &r);
}

static const uint32_t vmalloc_stack[] = {GET_VM_AREA, NODE_RANGE, VMALLOC, OWNER};

/* An alloc with every member, its new stack before it. */
static void alloc(void **state)
{
	struct fixture *f = *state;
	struct event event = decode_stack(f, vmalloc_stack, 4);
	struct stack stack = stacks_get(f->stacks, event.stack_id);

	assert_int_equal(f->count, 2);
	assert_int_equal(f->events[0].type, EV_STACK);
	assert_int_equal(f->events[0].stack_id, event.stack_id);
	assert_int_equal(f->events[0].t_ns, T0);
	assert_int_equal(stack.nr_frames, 4);
	assert_string_equal(names_text(f->names, stack.frames[3]), "owner+0x10");
	assert_int_equal(event.type, EV_ALLOC);
	assert_int_equal(event.t_ns, T0);
	assert_int_equal(event.pid, 7);
	assert_int_equal(event.tid, 8);
	assert_int_equal(event.start, 0xf8000000);
	assert_int_equal(event.end, 0xf8000000 + 5 * PAGE);
	assert_int_equal(event.size, 5 * PAGE);
	assert_int_equal(event.align, 1);
	assert_int_equal(event.vstart, MODULES);
	assert_int_equal(event.vend, MODULES_END);
	assert_int_equal(event.gfp, 0xcc0);
	assert_int_equal(event.latency_ns, 1234);
	assert_int_equal(event.kind, KIND_VMALLOC);
	assert_int_equal(event.guard_pages, 1);
	assert_int_equal(event.flags, 0);
	assert_string_equal(names_text(f->names, event.comm_id), "insmod");
}

/* EV_STACK comes once for each stack; an empty stack has none. */
static void stack_only_once(void **state)
{
	struct fixture *f = *state;
	uint32_t id = decode_stack(f, vmalloc_stack, 4).stack_id;

	assert_int_equal(f->count, 2);
	assert_int_equal(decode_stack(f, vmalloc_stack, 4).stack_id, id);
	assert_int_equal(f->count, 1);
	assert_int_not_equal(decode_stack(f, vmalloc_stack, 3).stack_id, id);
	assert_int_equal(f->count, 2);
	assert_int_equal(decode_stack(f, NULL, 0).stack_id, 0);
	assert_int_equal(f->count, 1);
	assert_int_equal(f->events[0].kind, KIND_UNKNOWN);
	assert_int_equal(f->events[0].guard_pages, 1);
}

/* The deepest stack a record can carry. */
static void deepest_stack(void **state)
{
	struct fixture *f = *state;
	struct alloc_record r = alloc_record(vmalloc_stack, 4);

	for (uint32_t i = 4; i < VMT_MAX_FRAMES; i++)
		r.frames[i] = OWNER + i;
	r.alloc.head.nr_frames = VMT_MAX_FRAMES;
	r.alloc.head.flags = WIRE_F_STACK_CUT;
	assert_int_equal(decode_alloc(f, &r).flags, EV_F_STACK_CUT);
	assert_int_equal(stacks_get(f->stacks, f->events[0].stack_id).nr_frames, VMT_MAX_FRAMES);
}

/* Many stacks: what is known of one stays with it while the table of facts grows. */
static void facts_of_many_stacks(void **state)
{
	struct fixture *f = *state;
	uint32_t ram[] = {VM_MAP_RAM, 0}, plain[] = {GET_VM_AREA, NODE_RANGE, 0};

	for (uint32_t round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 700; i++) {
			struct event event;

			ram[1] = plain[2] = OWNER + i;
			event = decode_stack(f, ram, 2);
			assert_int_equal(event.kind, KIND_VM_MAP_RAM);
			assert_int_equal(event.guard_pages, 0);
			event = decode_stack(f, plain, 3);
			assert_int_equal(event.kind, KIND_VMALLOC);
			assert_int_equal(event.guard_pages, 1);
			assert_int_equal(f->count, round ? 1 : 2);
		}
	}
}

/* The kind is told by the stack, but for percpu by the flag, and then there is no guard page. */
static void kinds(void **state)
{
	static const uint32_t bpf[] = {GET_VM_AREA, NODE_RANGE, BPF_AREA};
	static const uint32_t module[] = {GET_VM_AREA, NODE_RANGE, MODULE_ALLOC};
	static const uint32_t pcpu[] = {PCPU_GET};
	struct fixture *f = *state;
	struct alloc_record r = alloc_record(vmalloc_stack, 4);
	struct event event;

	assert_int_equal(decode_stack(f, bpf, 3).kind, KIND_BPF);
	assert_int_equal(decode_stack(f, module, 3).kind, KIND_MODULE);
	assert_int_equal(decode_stack(f, pcpu, 1).kind, KIND_PERCPU);
	r.alloc.head.flags = WIRE_F_PERCPU;
	r.alloc.requested = 3 * PAGE;
	event = decode_alloc(f, &r);
	assert_int_equal(event.kind, KIND_PERCPU);
	assert_int_equal(event.guard_pages, 0);
}

/* What was asked for decides whether there is a guard page; unknown, the stack does. */
static void guard(void **state)
{
	static const uint32_t ram[] = {VM_MAP_RAM, OWNER};
	static const struct {
		uint32_t pages, requested;
		uint8_t with_guard, with_ram;
	} want[] = {
		{5, 4 * PAGE, 1, 1},
		{5, 5 * PAGE, 0, 0},
		{5, 4 * PAGE + 1, 0, 0},
		{5, 4 * PAGE - 1, 1, 1},
		{2, 1, 1, 1},
		{5, 0, 1, 0},
		{1, 0, 0, 0},
		{1, 1, 0, 0},
		{2, 0, 1, 0},
		{1025, 1000 * PAGE, 1, 1},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		struct alloc_record r = alloc_record(vmalloc_stack, 4);
		struct alloc_record without = alloc_record(ram, 2);

		r.alloc.head.end = r.alloc.head.start + want[i].pages * PAGE;
		r.alloc.requested = want[i].requested;
		assert_int_equal(decode_alloc(f, &r).guard_pages, want[i].with_guard);
		assert_int_equal(f->events[f->count - 1].requested, want[i].requested);
		without.alloc.head.end = r.alloc.head.end;
		without.alloc.requested = want[i].requested;
		assert_int_equal(decode_alloc(f, &without).guard_pages, want[i].with_ram);
	}
}

/* A failure has what was asked for, and no area. */
static void failure(void **state)
{
	struct fixture *f = *state;
	struct alloc_record r = alloc_record(vmalloc_stack, 4);
	struct event event;

	r.alloc.head.type = WIRE_FAIL;
	r.alloc.head.start = r.alloc.head.end = 0;
	r.alloc.err = -EBUSY;
	r.alloc.requested = 4 * PAGE;
	event = decode_alloc(f, &r);
	assert_int_equal(event.type, EV_FAIL);
	assert_int_equal(event.err, -EBUSY);
	assert_int_equal(event.kind, KIND_VMALLOC);
	assert_int_equal(event.guard_pages, 0);
	assert_int_equal(event.size, 5 * PAGE);
	assert_int_equal(event.start | event.end, 0);
}

static const uint32_t warn_stack[] = {VMALLOC, OWNER};

/* A record of warn_alloc, which caller called. */
static struct alloc_record warn_record(uint32_t caller, uint32_t tid, uint32_t requested)
{
	struct alloc_record r = alloc_record(warn_stack, ARRAY_SIZE(warn_stack));

	r.alloc.head.type = WIRE_FAIL;
	r.alloc.head.flags = WIRE_F_PAGES;
	r.alloc.head.start = caller;
	r.alloc.head.end = 0;
	r.alloc.head.tid = tid;
	r.alloc.vstart = r.alloc.at_sp[1] = 0;
	r.alloc.requested = requested;
	r.alloc.err = -ENOMEM;
	return r;
}

/* How many events r gives, its stack left out. */
static uint32_t failures_of(struct fixture *f, const struct alloc_record *r)
{
	size_t len = sizeof(r->alloc) + r->alloc.head.nr_frames * sizeof(uint32_t);

	assert_int_equal(decode(f, r, len), 0);
	return f->count && f->events[f->count - 1].type == EV_FAIL;
}

/* vmalloc called warn_alloc: a failure, with the caller as the innermost frame. */
static void out_of_pages(void **state)
{
	struct fixture *f = *state;
	struct alloc_record r = warn_record(NODE_RANGE, 8, 16 * PAGE);
	struct event event = decode_alloc(f, &r);
	struct stack stack = stacks_get(f->stacks, event.stack_id);

	assert_int_equal(event.type, EV_FAIL);
	assert_int_equal(event.err, -ENOMEM);
	assert_int_equal(event.start | event.end | event.vstart | event.vend, 0);
	assert_int_equal(event.requested, 16 * PAGE);
	assert_int_equal(event.kind, KIND_VMALLOC);
	assert_int_equal(stack.nr_frames, 3);
	assert_string_equal(names_text(f->names, stack.frames[0]), "__vmalloc_node_range+0x10");
	assert_string_equal(names_text(f->names, stack.frames[2]), "owner+0x10");
}

/* The page allocator calls warn_alloc in the middle of a vmalloc, which may go on. */
static void warning_of_another(void **state)
{
	struct fixture *f = *state;
	struct alloc_record r = warn_record(OWNER, 8, 16 * PAGE);

	assert_int_equal(failures_of(f, &r), 0);
	assert_int_equal(f->count, 0);
	r = warn_record(0, 8, 16 * PAGE);
	assert_int_equal(failures_of(f, &r), 0);
}

/* The array of page pointers failed, and therefore the request: one failure. Not so of another
 * task, of another size, or the second time. */
static void array_of_pages(void **state)
{
	struct fixture *f = *state;
	struct alloc_record array = warn_record(NODE_RANGE, 8, 2000 * 4);
	struct alloc_record request = warn_record(NODE_RANGE, 8, 2000 * PAGE - 5);
	struct alloc_record other = warn_record(NODE_RANGE, 9, 2000 * PAGE);
	struct alloc_record larger = warn_record(NODE_RANGE, 8, 2000 * PAGE + 1);
	struct alloc_record unknown = warn_record(NODE_RANGE, 8, 0);

	assert_int_equal(failures_of(f, &array), 1);
	assert_int_equal(failures_of(f, &other), 1);
	assert_int_equal(failures_of(f, &request), 0);
	assert_int_equal(failures_of(f, &array), 1);
	assert_int_equal(failures_of(f, &larger), 1);
	assert_int_equal(failures_of(f, &request), 1);
	assert_int_equal(failures_of(f, &unknown), 1);
	assert_int_equal(failures_of(f, &unknown), 1);
}

/* With the caller before it the deepest stack loses its outermost frame. */
static void deepest_stack_of_warning(void **state)
{
	struct fixture *f = *state;
	struct alloc_record r = warn_record(NODE_RANGE, 8, 16 * PAGE);
	struct stack stack;

	for (uint32_t i = 0; i < VMT_MAX_FRAMES; i++)
		r.frames[i] = i < VMT_MAX_FRAMES - 1 ? OWNER : KVFREE;
	r.alloc.head.nr_frames = VMT_MAX_FRAMES;
	stack = stacks_get(f->stacks, decode_alloc(f, &r).stack_id);
	assert_int_equal(stack.nr_frames, VMT_MAX_FRAMES);
	assert_string_equal(names_text(f->names, stack.frames[0]), "__vmalloc_node_range+0x10");
	assert_string_equal(names_text(f->names, stack.frames[VMT_MAX_FRAMES - 1]), "owner+0x10");
}

/* The process that vmtrace is marks what it makes and frees. */
static void own_pid(void **state)
{
	struct fixture *f = *state;
	struct alloc_record r = alloc_record(vmalloc_stack, 4);
	struct wire_head free_record = head(WIRE_FREE);

	r.alloc.head.pid = OWN_PID;
	assert_int_equal(decode_alloc(f, &r).flags, EV_F_OWN);
	r.alloc.head.pid = 7;
	r.alloc.head.tid = OWN_PID; /* a thread of that number is another's */
	assert_int_equal(decode_alloc(f, &r).flags, 0);
	free_record.pid = OWN_PID;
	assert_int_equal(decode(f, &free_record, sizeof(free_record)), 0);
	assert_int_equal(f->events[0].flags, EV_F_OWN);
}

/* FREE: the range and who did it. A name of 16 bytes has no NUL. */
static void free_event(void **state)
{
	struct fixture *f = *state;
	struct wire_head record = head(WIRE_FREE);

	memcpy(record.comm, "0123456789abcdef", VMT_COMM_LEN);
	assert_int_equal(decode(f, &record, sizeof(record)), 0);
	assert_int_equal(f->count, 1);
	assert_int_equal(f->events[0].type, EV_FREE);
	assert_int_equal(f->events[0].start, 0xf8000000);
	assert_int_equal(f->events[0].end, 0xf8000000 + 5 * PAGE);
	assert_int_equal(f->events[0].pid, 7);
	assert_string_equal(names_text(f->names, f->events[0].comm_id), "0123456789abcdef");
}

/*
 * One task after another has every pair of these names, and any bytes behind the end of them: what
 * comes out is the name, whatever was compared with what.
 */
static void name_and_what_is_behind(void **state)
{
	static const char *const names[] = {
		"a",	"b",	 "ab",	  "abc",   "abcd",	    "abce",
		"abcde", "abcdefg", "abcdefgh", "abcdefghi", "0123456789abcde", "0123456789abcdf",
		"0123456789abcdef", "\x01", "\x80", "\xff\x01", "\x01\x80" "bc", "",
	};
	struct fixture *f = *state;
	struct wire_head record = head(WIRE_FREE);

	for (size_t i = 0; i < ARRAY_SIZE(names) * ARRAY_SIZE(names) * 4; i++) {
		const char *name = names[i % 2 ? i / 8 % ARRAY_SIZE(names)
					       : i / 8 / ARRAY_SIZE(names) % ARRAY_SIZE(names)];
		size_t len = strlen(name);

		memset(record.comm, "\x00\x01\xff" "a"[i / 2 % 4], VMT_COMM_LEN);
		memcpy(record.comm, name, len < VMT_COMM_LEN ? len + 1 : VMT_COMM_LEN);
		assert_int_equal(decode(f, &record, sizeof(record)), 0);
		assert_string_equal(names_text(f->names, f->events[0].comm_id), name);
	}
}

/* PURGE: no range, and a begin only if it was seen. */
static void purge(void **state)
{
	struct fixture *f = *state;
	struct wire_purge record = {.head = head(WIRE_PURGE), .begin_ns = T0 - 5};

	assert_int_equal(decode(f, &record, sizeof(record)), 0);
	assert_int_equal(f->events[0].type, EV_PURGE);
	assert_int_equal(f->events[0].begin_ns, T0 - 5);
	assert_int_equal(f->events[0].flags, EV_F_HAS_BEGIN);
	assert_int_equal(f->events[0].start | f->events[0].end, 0);
	record.begin_ns = 0;
	assert_int_equal(decode(f, &record, sizeof(record)), 0);
	assert_int_equal(f->events[0].flags, 0);
}

/* VFREE: the caller, or its caller where the nearest is a wrapper and the next is known. */
static void vfree(void **state)
{
	static const struct {
		uint32_t caller, caller2;
		const char *want;
	} cases[] = {
		{OWNER, VMALLOC, "owner+0x10"},	     {OWNER, 0, "owner+0x10"},
		{KVFREE, OWNER, "owner+0x10"},	     {KVFREE, 0, "kvfree+0x10"},
		{VFREE_ATOMIC, OWNER, "owner+0x10"}, {KVFREE_OTHER, OWNER, "kvfree_call_rcu+0x10"},
		{0x00001234, OWNER, "0x00001234"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct wire_vfree record = {.head = head(WIRE_VFREE),
					    .caller = cases[i].caller,
					    .caller2 = cases[i].caller2};

		record.head.end = 0;
		assert_int_equal(decode(f, &record, sizeof(record)), 0);
		assert_int_equal(f->count, 1);
		assert_int_equal(f->events[0].type, EV_VFREE);
		assert_int_equal(f->events[0].start, 0xf8000000);
		assert_string_equal(names_text(f->names, f->events[0].caller_id), cases[i].want);
	}
}

/* A record shorter than its type says, or of no type: refused, nothing emitted. */
static void bad_records(void **state)
{
	static const struct {
		uint16_t type;
		uint8_t nr_frames;
		size_t need;
	} cases[] = {
		{WIRE_ALLOC, 0, sizeof(struct wire_alloc)},
		{WIRE_ALLOC, 3, sizeof(struct wire_alloc) + 12},
		{WIRE_FAIL, 1, sizeof(struct wire_alloc) + 4},
		{WIRE_FREE, 0, sizeof(struct wire_head)},
		{WIRE_PURGE, 0, sizeof(struct wire_purge)},
		{WIRE_VFREE, 0, sizeof(struct wire_vfree)},
	};
	static const uint16_t no_type[] = {0, WIRE_VFREE + 1, 0xffff};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct alloc_record r = alloc_record(NULL, 0);

		r.alloc.head.type = cases[i].type;
		r.alloc.head.nr_frames = cases[i].nr_frames;
		for (size_t len = 0; len < cases[i].need; len++) {
			assert_int_equal(decode(f, &r, len), -EBADMSG);
			assert_int_equal(f->count, 0);
		}
		assert_int_equal(decode(f, &r, cases[i].need), 0);
		assert_int_equal(decode(f, &r, cases[i].need + 4), 0); /* the ring pads */
	}
	for (size_t i = 0; i < ARRAY_SIZE(no_type); i++) {
		struct alloc_record r = alloc_record(NULL, 0);

		r.alloc.head.type = no_type[i];
		assert_int_equal(decode(f, &r, sizeof(r)), -EBADMSG);
		assert_int_equal(f->count, 0);
	}
}

/* The fifth argument where the compiler dropped the node; none where it is not known; what can be no
 * flags is none. */
static void where_gfp_is(void **state)
{
	static const struct {
		uint32_t arg;
		uint32_t words[WIRE_AT_SP];
		uint32_t gfp;
	} cases[] = {
		{6, {1, 2, 3, 0xdc0}, 0xdc0},         {5, {1, 2, 0xcc0, 3}, 0xcc0},
		{4, {1, 0xcc0, 2, 3}, 0xcc0},         {0, {0xcc0, 0xcc0, 0xcc0, 0xcc0}, 0},
		{7, {0xcc0, 0xcc0, 0xcc0, 0xcc0}, 0}, {3, {0xcc0, 0xcc0, 0xcc0, 0xcc0}, 0},
		{UINT32_MAX, {0}, 0},                 {6, {1, 2, 3, 0x10000000}, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct alloc_record r = alloc_record(vmalloc_stack, 4);

		r.alloc.head.reserved = cases[i].arg;
		memcpy(r.alloc.at_sp, cases[i].words, sizeof(r.alloc.at_sp));
		assert_int_equal(decode_alloc(*state, &r).gfp, cases[i].gfp);
	}
}

/* A stack that has been sent with its name is then told by that alone. */
static void stack_by_name(void **state)
{
	struct fixture *f = *state;
	struct alloc_record given = alloc_record(vmalloc_stack, 4), named = alloc_record(NULL, 0);
	struct alloc_record other = alloc_record(warn_stack, 2);
	uint32_t id, other_id;

	given.alloc.stack_name = named.alloc.stack_name = 0x123456789abcdef0;
	other.alloc.stack_name = 0x123456789abcdef1;
	id = decode_alloc(f, &given).stack_id;
	assert_int_equal(decode_alloc(f, &named).stack_id, id);
	assert_int_equal(f->count, 1);
	assert_int_equal(f->events[0].kind, KIND_VMALLOC);
	other_id = decode_alloc(f, &other).stack_id;
	assert_int_not_equal(other_id, id);
	assert_int_equal(decode_alloc(f, &named).stack_id, id);
	/* What a name stands for may change: the last record that gives it counts. */
	other.alloc.stack_name = named.alloc.stack_name;
	assert_int_equal(decode_alloc(f, &other).stack_id, other_id);
	assert_int_equal(decode_alloc(f, &named).stack_id, other_id);
}

/* A name that nobody gave: the area is told, its owner is lost, and that is told too. */
static void unknown_name(void **state)
{
	struct fixture *f = *state;
	struct alloc_record r = alloc_record(NULL, 0);
	struct event event;

	r.alloc.stack_name = 77;
	event = decode_alloc(f, &r);
	assert_int_equal(f->count, 2);
	assert_int_equal(f->events[0].type, EV_LOST);
	assert_int_equal(f->events[0].state, LOST_STACK);
	assert_int_equal(f->events[0].count, 1);
	assert_int_equal(event.type, EV_ALLOC);
	assert_int_equal(event.stack_id, 0);
}

/* Many more names than the table begins with. */
static void many_names(void **state)
{
	struct fixture *f = *state;
	uint32_t ids[2000];

	for (uint32_t i = 0; i < ARRAY_SIZE(ids); i++) {
		uint32_t frames[] = {VMALLOC, 0xc2000000 + i};
		struct alloc_record r = alloc_record(frames, 2);

		r.alloc.stack_name = (uint64_t)(i + 1) << 32;
		ids[i] = decode_alloc(f, &r).stack_id;
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(ids); i++) {
		struct alloc_record r = alloc_record(NULL, 0);

		r.alloc.stack_name = (uint64_t)(i + 1) << 32;
		assert_int_equal(decode_alloc(f, &r).stack_id, ids[i]);
	}
}

/* More frames than a record can carry are refused even if the bytes are there. */
static void too_many_frames(void **state)
{
	struct fixture *f = *state;
	struct alloc_record r = alloc_record(NULL, 0);

	r.alloc.head.nr_frames = VMT_MAX_FRAMES + 1;
	assert_int_equal(decode(f, &r, sizeof(r)), -EBADMSG);
	assert_int_equal(f->count, 0);
}

/* The sink's error comes back, at the stack as at the event. */
static void sink_refuses(void **state)
{
	struct fixture *f = *state;
	struct alloc_record r = alloc_record(vmalloc_stack, 4);
	size_t len = sizeof(r.alloc) + 4 * sizeof(uint32_t);

	f->fail_at = 1;
	assert_int_equal(decode(f, &r, len), -EPIPE);
	f->fail_at = 0;
	assert_int_equal(decode(f, &r, len), -EPIPE);
	r.frames[3]++;
	assert_int_equal(decode(f, &r, len), -EPIPE);
	assert_int_equal(f->count, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(alloc),	       TEST(stack_only_once),
		TEST(deepest_stack),   TEST(facts_of_many_stacks),
		TEST(kinds),	       TEST(guard),
		TEST(failure),	       TEST(out_of_pages),
		TEST(warning_of_another), TEST(array_of_pages),
		TEST(deepest_stack_of_warning), TEST(own_pid),
		TEST(free_event),      TEST(name_and_what_is_behind), TEST(purge),
		TEST(vfree),	       TEST(bad_records),
		TEST(too_many_frames), TEST(where_gfp_is),
		TEST(stack_by_name), TEST(unknown_name), TEST(many_names), TEST(sink_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
