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

#include "space/kind.h"
#include "space/owners.h"
#include "space/waste.h"

#define START 0xf7800000u
#define PAGE  VMT_PAGE_SIZE

struct fixture {
	struct space *space;
	struct names *names;
	struct stacks *stacks;
	struct owners owners;
	uint32_t next; /* where the next area goes */
	uint64_t t_ns;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->space = space_new(START, START + 0x4000000);
	f->names = names_new();
	f->stacks = stacks_new();
	f->next = START;
	f->t_ns = 1000000000;
	*state = f;
	return f->space && f->names && f->stacks ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	owners_free(&f->owners);
	stacks_free(f->stacks);
	names_free(f->names);
	space_free(f->space);
	free(f);
	return 0;
}

/* "innermost<next<outermost" */
static uint32_t stack_id(struct fixture *f, const char *text)
{
	uint32_t frames[16];
	uint32_t count = 0;

	while (*text) {
		size_t len = strcspn(text, "<");

		frames[count++] = names_intern(f->names, text, len);
		text += len + (text[len] == '<');
	}
	return stacks_intern(f->stacks, frames, count, NULL);
}

/* A new area of pages, one of them guard, of which `requested` bytes were asked (0: not known). */
static uint32_t alloc_of(struct fixture *f, uint32_t pages, enum area_kind kind, const char *comm,
			 const char *stack, uint32_t flags, uint32_t requested)
{
	struct event event = {
		.type = EV_ALLOC,
		.t_ns = f->t_ns += 1000,
		.kind = (uint8_t)kind,
		.guard_pages = 1,
		.flags = flags,
		.pid = 7,
		.tid = 7,
		.start = f->next,
		.end = f->next + pages * PAGE,
		.size = pages * PAGE,
		.align = 1,
		.vstart = START,
		.vend = START + 0x4000000,
		.stack_id = stack_id(f, stack),
		.comm_id = names_intern_str(f->names, comm),
		.requested = requested,
	};

	assert_int_equal(space_apply(f->space, &event), 0);
	f->next = event.end;
	return event.start;
}

static uint32_t alloc(struct fixture *f, uint32_t pages, enum area_kind kind, const char *comm,
		      const char *stack, uint32_t flags)
{
	return alloc_of(f, pages, kind, comm, stack, flags, 0);
}

static void release(struct fixture *f, uint32_t start, uint32_t pages)
{
	struct event event = {
		.type = EV_FREE,
		.t_ns = f->t_ns += 1000,
		.pid = 7,
		.start = start,
		.end = start + pages * PAGE,
	};

	assert_int_equal(space_apply(f->space, &event), 0);
}

/* A snapshot with one area for each caller, each of two pages, the guard among them. */
static void seed(struct fixture *f, const char *const *callers, uint32_t count)
{
	struct event event = { .type = EV_SNAPSHOT_BEGIN, .t_ns = f->t_ns, .begin_ns = f->t_ns };
	uint32_t i;

	assert_int_equal(space_apply(f->space, &event), 0);
	for (i = 0; i < count; i++) {
		event = (struct event){
			.type = EV_AREA,
			.t_ns = f->t_ns,
			.state = AREA_USED,
			.kind = (uint8_t)kind_of_caller(callers[i]),
			.guard_pages = 1,
			.start = f->next,
			.end = f->next + 2 * PAGE,
			.caller_id = names_intern_str(f->names, callers[i]),
		};
		assert_int_equal(space_apply(f->space, &event), 0);
		f->next += 2 * PAGE;
	}
	f->t_ns += 1000;
	event = (struct event){ .type = EV_SNAPSHOT_END,
				.t_ns = f->t_ns,
				.begin_ns = f->t_ns - 1000 };
	assert_int_equal(space_apply(f->space, &event), 0);
}

static void collect(struct fixture *f, enum owners_by by, enum owners_sort sort)
{
	owners_free(&f->owners);
	assert_int_equal(owners_collect(f->space, f->names, f->stacks, by, sort, &f->owners), 0);
}

/* The labels of the result, "|" between them. */
static void assert_labels(const struct fixture *f, const char *want)
{
	char got[512] = "";
	uint32_t i;

	for (i = 0; i < f->owners.count; i++) {
		strcat(got, i ? "|" : "");
		strcat(got, names_text(f->names, f->owners.list[i].name_id));
	}
	assert_string_equal(got, want);
}

static void nothing_held(void **state)
{
	struct fixture *f = *state;

	collect(f, OWNERS_BY_CALLER, OWNERS_SORT_BYTES);
	assert_int_equal(f->owners.count, 0);
	assert_null(f->owners.list);
}

#define VMALLOC "__get_vm_area_node+0x1<__vmalloc_node_range+0x2<vmalloc+0x3<"

static void by_caller(void **state)
{
	static const char *const callers[] = { "n_tty_open+0x16/0xc0", "foo_open+0x90/0xa0 [foo]" };
	struct fixture *f = *state;
	const struct owner *foo;
	uint32_t gone;

	seed(f, callers, 2);
	alloc(f, 3, KIND_VMALLOC, "cat", VMALLOC "foo_open+0x90 [foo]<chrdev_open+0x1", 0);
	alloc(f, 5, KIND_VMALLOC, "dd", VMALLOC "foo_open+0x90 [foo]<other+0x1", EV_F_OWN);
	alloc(f, 2, KIND_VMAP, "dd", "vmap+0x1<bar+0x1 [bar]", 0);
	gone = alloc(f, 9, KIND_VMAP, "dd", "vmap+0x1<bar+0x1 [bar]", 0);
	release(f, gone, 9);
	collect(f, OWNERS_BY_CALLER, OWNERS_SORT_BYTES);
	assert_labels(f, "foo_open+0x90 [foo]|bar+0x1 [bar]|n_tty_open+0x16");
	foo = &f->owners.list[0];
	assert_int_equal(foo->areas, 3); /* the seeded one has the same label */
	assert_int_equal(foo->live_bytes, 10 * PAGE);
	assert_int_equal(foo->guard_bytes, 3 * PAGE);
	assert_int_equal(foo->own_areas, 1);
	assert_int_equal(foo->kind, KIND_UNKNOWN); /* seeded: not told; live: vmalloc */
	assert_int_equal(foo->stack_id, 1);
	assert_true(foo->oldest_birth_ns <= 1000001000);
	assert_int_equal(f->owners.list[1].kind, KIND_VMAP);
	assert_int_equal(f->owners.list[1].areas, 1);
	assert_int_equal(f->owners.list[2].stack_id, 0);
}

static void by_stack(void **state)
{
	static const char *const callers[] = { "n_tty_open+0x16/0xc0", "foo_open+0x90/0xa0 [foo]",
					       "n_tty_open+0x16/0xc0" };
	struct fixture *f = *state;

	seed(f, callers, 3);
	alloc(f, 3, KIND_VMALLOC, "cat", VMALLOC "foo_open+0x90 [foo]<chrdev_open+0x1", 0);
	alloc(f, 5, KIND_VMALLOC, "dd", VMALLOC "foo_open+0x90 [foo]<other+0x1", 0);
	alloc(f, 5, KIND_VMALLOC, "dd", VMALLOC "foo_open+0x90 [foo]<other+0x1", 0);
	collect(f, OWNERS_BY_STACK, OWNERS_SORT_BYTES);
	assert_labels(f, "foo_open+0x90 [foo]|n_tty_open+0x16|foo_open+0x90 [foo]|"
			 "foo_open+0x90 [foo]");
	assert_int_equal(f->owners.list[0].stack_id, 2);
	assert_int_equal(f->owners.list[0].areas, 2);
	assert_int_equal(f->owners.list[1].stack_id, 0);
	assert_int_equal(f->owners.list[1].areas, 2);
	assert_int_equal(f->owners.list[2].stack_id, 1);
	assert_int_equal(f->owners.list[3].stack_id, 0);
}

static void by_module(void **state)
{
	static const char *const callers[] = { "n_tty_open+0x16/0xc0", "f+0x90/0xa0 [foo]",
					       "0xf7abc123" };
	struct fixture *f = *state;

	seed(f, callers, 3);
	alloc(f, 9, KIND_VMALLOC, "cat", VMALLOC "foo_open+0x90 [foo]<chrdev_open+0x1", 0);
	alloc(f, 7, KIND_IOREMAP, "cat", "ioremap+0x1<pci_iomap+0x1<k_probe+0x2 [kernel]", 0);
	alloc(f, 6, KIND_VMALLOC, "cat", VMALLOC "foo+0x1<bar+0x1", 0);
	alloc(f, 2, KIND_VMALLOC, "cat", VMALLOC "0xf7abc123<x+0x1 [late]", 0);
	alloc(f, 2, KIND_VMALLOC, "cat", "", 0);
	collect(f, OWNERS_BY_MODULE, OWNERS_SORT_BYTES);
	assert_labels(f, "[foo]|kernel|[kernel]|?");
	assert_int_equal(f->owners.list[0].areas, 2);
	assert_int_equal(f->owners.list[1].areas, 2);
	assert_int_equal(f->owners.list[3].areas, 3);
}

static void by_kind_and_comm(void **state)
{
	static const char *const callers[] = { "pcpu_get_vm_areas+0x0/0x7a0" };
	struct fixture *f = *state;

	seed(f, callers, 1);
	alloc(f, 3, KIND_VMALLOC, "cat", VMALLOC "a+0x1", 0);
	alloc(f, 4, KIND_MODULE, "insmod", "module_alloc+0x1<move_module+0x2", 0);
	alloc(f, 4, KIND_VMALLOC, "cat", VMALLOC "b+0x1", 0);
	alloc(f, 2, KIND_VMALLOC, "", VMALLOC "c+0x1", 0);
	alloc(f, 2, KIND_VMAP, "insmod", "vmap+0x1<d+0x1", 0);
	collect(f, OWNERS_BY_KIND, OWNERS_SORT_BYTES);
	assert_labels(f, "vmalloc|module|percpu|vmap");
	assert_int_equal(f->owners.list[0].kind, KIND_VMALLOC);
	collect(f, OWNERS_BY_COMM, OWNERS_SORT_BYTES);
	assert_labels(f, "cat|insmod|(before vmtrace)|?");
	assert_int_equal(f->owners.list[0].kind, KIND_VMALLOC);
	assert_int_equal(f->owners.list[1].kind, KIND_UNKNOWN);
}

static void sort_orders(void **state)
{
	struct fixture *f = *state;

	alloc(f, 2, KIND_VMALLOC, "x", "old+0x1", 0);
	alloc(f, 20, KIND_VMALLOC, "x", "big+0x1", 0);
	alloc(f, 2, KIND_VMALLOC, "x", "many+0x1", 0);
	alloc(f, 2, KIND_VMALLOC, "x", "many+0x1", 0);
	alloc(f, 2, KIND_VMALLOC, "x", "many+0x1", 0);
	alloc(f, 2, KIND_VMALLOC, "x", "also+0x1", 0);
	collect(f, OWNERS_BY_CALLER, OWNERS_SORT_BYTES);
	assert_labels(f, "big+0x1|many+0x1|also+0x1|old+0x1");
	collect(f, OWNERS_BY_CALLER, OWNERS_SORT_COUNT);
	assert_labels(f, "many+0x1|big+0x1|also+0x1|old+0x1");
	collect(f, OWNERS_BY_CALLER, OWNERS_SORT_GUARD);
	assert_labels(f, "many+0x1|big+0x1|also+0x1|old+0x1");
	collect(f, OWNERS_BY_CALLER, OWNERS_SORT_AGE);
	assert_labels(f, "old+0x1|big+0x1|many+0x1|also+0x1");
}

/* A thousand areas of one page cost double, and all of what was not asked of the page. */
static void guard_and_waste(void **state)
{
	struct fixture *f = *state;
	struct waste_report report;
	const struct owner *owner;
	uint32_t i, gone;

	for (i = 0; i < 1000; i++)
		alloc_of(f, 2, KIND_VMALLOC, "x", "small+0x1", 0, 96);
	alloc_of(f, 101, KIND_VMALLOC, "x", "big+0x1", 0, 100 * PAGE);
	alloc(f, 3, KIND_IOREMAP, "x", "mixed+0x1", 0);
	alloc_of(f, 3, KIND_VMALLOC, "x", "mixed+0x1", 0, PAGE + 1);
	alloc_of(f, 101, KIND_VMALLOC, "x", "sloppy+0x1", 0, 1);
	gone = alloc_of(f, 2, KIND_VMALLOC, "x", "small+0x1", 0, 1);
	release(f, gone, 2);
	collect(f, OWNERS_BY_CALLER, OWNERS_SORT_GUARD);
	assert_labels(f, "small+0x1|mixed+0x1|big+0x1|sloppy+0x1");
	collect(f, OWNERS_BY_CALLER, OWNERS_SORT_WASTE);
	assert_labels(f, "small+0x1|sloppy+0x1|mixed+0x1|big+0x1");
	owner = &f->owners.list[0];
	assert_int_equal(owner->areas, 1000);
	assert_int_equal(owner->guard_bytes * 2, owner->live_bytes);
	assert_int_equal(owner->waste_bytes, 1000 * (PAGE - 96));
	assert_int_equal(owner->waste_known, 1000);
	owner = &f->owners.list[2];
	assert_int_equal(owner->areas, 2);
	assert_int_equal(owner->waste_known, 1);
	assert_int_equal(owner->waste_bytes, PAGE - 1);
	owner = &f->owners.list[3];
	assert_int_equal(owner->waste_known, 1);
	assert_int_equal(owner->waste_bytes, 0);
	waste_report(f->space, &report);
	assert_int_equal(report.areas, 1004);
	assert_int_equal(report.guarded_areas, 1004);
	assert_int_equal(report.guard_bytes, 1004 * PAGE);
	assert_int_equal(report.guard_bytes, space_totals(f->space).guard_bytes);
	assert_int_equal(report.one_page_areas, 1000);
	assert_int_equal(report.one_page_bytes, 2000 * PAGE);
	assert_int_equal(report.known_areas, 1003);
	assert_int_equal(report.waste_bytes, 1000 * (PAGE - 96) + PAGE - 1 + 100 * PAGE - 1);
}

/* What is not known is not waste: no request, one that cannot be true, a lazy area. */
static void waste_not_known(void **state)
{
	struct area area = { .start = START, .end = START + 3 * PAGE, .guard_pages = 1,
			     .state = AREA_USED };
	uint32_t waste = 77;

	(void)state;
	assert_false(waste_of(&area, &waste));
	area.requested = 2 * PAGE + 1;
	assert_false(waste_of(&area, &waste));
	area.requested = UINT32_MAX;
	assert_false(waste_of(&area, &waste));
	assert_int_equal(waste, 77);
	area.requested = 2 * PAGE;
	assert_true(waste_of(&area, &waste));
	assert_int_equal(waste, 0);
	area.requested = 1;
	assert_true(waste_of(&area, &waste));
	assert_int_equal(waste, 2 * PAGE - 1);
	area.state = AREA_LAZY;
	assert_false(waste_of(&area, &waste));
}

static void many_groups(void **state)
{
	struct fixture *f = *state;
	char frame[32];
	uint32_t i;

	for (i = 0; i < 4000; i++) {
		snprintf(frame, sizeof(frame), "f%u+0x1", i % 2000);
		alloc(f, 2, KIND_VMALLOC, "x", frame, 0);
	}
	collect(f, OWNERS_BY_CALLER, OWNERS_SORT_BYTES);
	assert_int_equal(f->owners.count, 2000);
	for (i = 0; i < 2000; i++)
		assert_int_equal(f->owners.list[i].areas, 2);
}

static void callers(void **state)
{
	static const struct {
		const char *caller;
		const char *label;
	} rows[] = {
		{ "n_tty_open+0x16/0xc0", "n_tty_open+0x16" },
		{ "n_tty_open+0x16", "n_tty_open+0x16" },
		{ "f+0x1/0x2 [foo]", "f+0x1 [foo]" },
		{ "f+0x1/", "f+0x1" },
		{ "0xc1234567", "0xc1234567" },
		{ "bpf_map_area_alloc+0x2c/0x60", "bpf_map_area_alloc+0x2c" },
		{ "", "?" },
	};
	struct fixture *f = *state;
	char text[1024];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct area area = { .origin = area_origin(0, names_intern_str(f->names, rows[i].caller)) };

		assert_string_equal(
			names_text(f->names, owners_caller_of(&area, f->names, f->stacks)),
			rows[i].label);
	}
	/* Longer than any symbol: as it is. */
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	text[1000] = '/';
	assert_string_equal(
		names_text(f->names, owners_caller_of(&(struct area){ .origin = area_origin(0,
						names_intern_str(f->names, text)) },
						      f->names, f->stacks)),
		text);
}

static void modules(void **state)
{
	static const struct {
		const char *frame;
		const char *module;
	} rows[] = {
		{ "bar+0x1 [foo]", "foo" },
		{ "bar+0x1", "kernel" },
		{ "0xf7abc123", "?" },
		{ "?", "?" },
		{ "", "?" },
		{ "bar+0x1 [foo", "kernel" },
		{ "bar+0x1[foo]", "kernel" },
		{ "[foo]", "kernel" },
		{ "a [b] c", "kernel" },
		{ "x+0x1 []", "kernel" },
	};
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t frame = names_intern_str(f->names, rows[i].frame);

		assert_string_equal(names_text(f->names, owners_module_of(f->names, frame)),
				    rows[i].module);
	}
}

static void option_names(void **state)
{
	enum owners_sort sort;
	enum owners_by by;

	(void)state;
	assert_int_equal(owners_by_from_name("caller", &by), 0);
	assert_int_equal(by, OWNERS_BY_CALLER);
	assert_int_equal(owners_by_from_name("comm", &by), 0);
	assert_int_equal(by, OWNERS_BY_COMM);
	assert_int_equal(owners_by_from_name("Comm", &by), -EINVAL);
	assert_int_equal(owners_by_from_name("", &by), -EINVAL);
	assert_int_equal(owners_sort_from_name("age", &sort), 0);
	assert_int_equal(sort, OWNERS_SORT_AGE);
	assert_int_equal(owners_sort_from_name("bytes", &sort), 0);
	assert_int_equal(sort, OWNERS_SORT_BYTES);
	assert_int_equal(owners_sort_from_name("waste", &sort), 0);
	assert_int_equal(sort, OWNERS_SORT_WASTE);
	assert_int_equal(owners_sort_from_name("agee", &sort), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_held, setup, teardown),
		cmocka_unit_test_setup_teardown(by_caller, setup, teardown),
		cmocka_unit_test_setup_teardown(by_stack, setup, teardown),
		cmocka_unit_test_setup_teardown(by_module, setup, teardown),
		cmocka_unit_test_setup_teardown(by_kind_and_comm, setup, teardown),
		cmocka_unit_test_setup_teardown(sort_orders, setup, teardown),
		cmocka_unit_test_setup_teardown(guard_and_waste, setup, teardown),
		cmocka_unit_test(waste_not_known),
		cmocka_unit_test_setup_teardown(many_groups, setup, teardown),
		cmocka_unit_test_setup_teardown(callers, setup, teardown),
		cmocka_unit_test_setup_teardown(modules, setup, teardown),
		cmocka_unit_test(option_names),
	};

	return cmocka_run_group_tests_name("owners", tests, NULL, NULL);
}
