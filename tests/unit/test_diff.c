// SPDX-License-Identifier: GPL-2.0-only
#include "space_events.h"

#include "space/diff.h"

/* Two maps whose tables give the same text other ids: B has met other names before. */
struct fixture {
	struct space *space[DIFF_SIDES];
	struct names *names[DIFF_SIDES];
	struct stacks *stacks[DIFF_SIDES];
	struct diff_rows rows;
	uint32_t next[DIFF_SIDES];
};

static int open_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	for (unsigned int side = 0; side < DIFF_SIDES; side++) {
		f->space[side] = space_new(START, END);
		f->names[side] = names_new();
		f->stacks[side] = stacks_new();
	}
	for (const char *text = "zyxwv"; *text; text++) {
		uint32_t id = names_intern(f->names[DIFF_B], text, 1);

		stacks_intern(f->stacks[DIFF_B], &id, 1, NULL);
	}
	*state = f;
	return 0;
}

static int close_fixture(void **state)
{
	struct fixture *f = *state;

	diff_release(&f->rows);
	for (unsigned int side = 0; side < DIFF_SIDES; side++) {
		space_free(f->space[side]);
		names_free(f->names[side]);
		stacks_free(f->stacks[side]);
	}
	free(f);
	return 0;
}

/* `count` areas of pages each. */
static void hold(struct fixture *f, enum diff_side side, uint32_t count, uint32_t pages,
		 const char *inner, const char *outer, enum area_kind kind)
{
	uint32_t frames[] = { names_intern_str(f->names[side], inner),
			      names_intern_str(f->names[side], outer) };
	uint32_t stack_id = stacks_intern(f->stacks[side], frames, 2, NULL);

	while (count--) {
		struct event event = ev_alloc(T0, f->next[side], f->next[side] + pages, 0);

		event.stack_id = stack_id;
		event.kind = (uint8_t)kind;
		assert_int_equal(space_apply(f->space[side], &event), 0);
		f->next[side] += pages;
	}
}

static void compare(struct fixture *f, enum owners_by by, enum owners_sort sort)
{
	struct diff_map maps[DIFF_SIDES];

	for (unsigned int side = 0; side < DIFF_SIDES; side++)
		maps[side] = (struct diff_map){ f->space[side], f->names[side], f->stacks[side] };
	diff_release(&f->rows);
	assert_int_equal(diff_owners(maps, by, sort, &f->rows), 0);
}

static void assert_row(const struct fixture *f, uint32_t i, const char *label, int64_t pages,
		       int64_t areas)
{
	const struct diff_row *row = &f->rows.list[i];

	assert_true(i < f->rows.count);
	assert_string_equal(row->label, label);
	assert_int_equal(diff_bytes(row), pages * (int64_t)PAGE);
	assert_int_equal(diff_areas(row), areas);
}

static void hold_all(struct fixture *f)
{
	hold(f, DIFF_A, 2, 3, "vmalloc+0x1", "same+0x1", KIND_VMALLOC);
	hold(f, DIFF_A, 1, 9, "vmalloc+0x1", "gone+0x1 [m]", KIND_VMALLOC);
	hold(f, DIFF_A, 1, 4, "vmalloc+0x1", "grown+0x1", KIND_VMALLOC);
	hold(f, DIFF_B, 3, 7, "vmap+0x1", "new+0x1 [m]", KIND_VMAP);
	hold(f, DIFF_B, 2, 4, "vmalloc+0x1", "grown+0x1", KIND_VMALLOC);
	hold(f, DIFF_B, 2, 3, "vmalloc+0x1", "same+0x1", KIND_VMALLOC);
}

static void by_caller(void **state)
{
	struct fixture *f = *state;

	hold_all(f);
	compare(f, OWNERS_BY_CALLER, OWNERS_SORT_BYTES);
	assert_int_equal(f->rows.count, 3);
	assert_int_equal(f->rows.unchanged, 1);
	assert_row(f, 0, "new+0x1 [m]", 21, 3);
	assert_row(f, 1, "gone+0x1 [m]", -9, -1); /* the size counts, not the sign */
	assert_row(f, 2, "grown+0x1", 4, 1);
	assert_int_equal(f->rows.list[0].kind, KIND_VMAP);
	assert_int_equal(f->rows.list[0].stack_side, DIFF_B);
	assert_int_equal(f->rows.list[1].stack_side, DIFF_A);
	compare(f, OWNERS_BY_CALLER, OWNERS_SORT_COUNT);
	assert_row(f, 0, "new+0x1 [m]", 21, 3);
	assert_row(f, 1, "gone+0x1 [m]", -9, -1);
	assert_row(f, 2, "grown+0x1", 4, 1);
}

static void by_module_and_kind(void **state)
{
	struct fixture *f = *state;

	hold_all(f);
	compare(f, OWNERS_BY_MODULE, OWNERS_SORT_BYTES);
	assert_int_equal(f->rows.count, 2);
	assert_row(f, 0, "[m]", 12, 2);
	assert_int_equal(f->rows.list[0].kind, KIND_UNKNOWN); /* vmalloc there, vmap here */
	assert_row(f, 1, "kernel", 4, 1);
	compare(f, OWNERS_BY_KIND, OWNERS_SORT_BYTES);
	assert_row(f, 0, "vmap", 21, 3);
	assert_row(f, 1, "vmalloc", -5, 0);
}

/* One function, two ways to it. */
static void by_stack(void **state)
{
	struct fixture *f = *state;

	hold(f, DIFF_A, 1, 2, "foo+0x1", "open+0x1", KIND_VMALLOC);
	hold(f, DIFF_A, 1, 2, "foo+0x1", "ioctl+0x1", KIND_VMALLOC);
	hold(f, DIFF_B, 1, 5, "foo+0x1", "ioctl+0x1", KIND_VMALLOC);
	hold(f, DIFF_B, 1, 2, "foo+0x1", "open+0x1", KIND_VMALLOC);
	compare(f, OWNERS_BY_STACK, OWNERS_SORT_BYTES);
	assert_int_equal(f->rows.count, 1);
	assert_int_equal(f->rows.unchanged, 1);
	assert_row(f, 0, "foo+0x1", 3, 0);
	compare(f, OWNERS_BY_CALLER, OWNERS_SORT_BYTES);
	assert_row(f, 0, "foo+0x1", 3, 0);
	assert_int_equal(f->rows.list[0].areas[DIFF_A], 2);
}

/* The same bytes in other pieces are a change too. */
static void other_pieces(void **state)
{
	struct fixture *f = *state;

	hold(f, DIFF_A, 1, 8, "foo+0x1", "x+0x1", KIND_VMALLOC);
	hold(f, DIFF_B, 4, 2, "foo+0x1", "x+0x1", KIND_VMALLOC);
	compare(f, OWNERS_BY_CALLER, OWNERS_SORT_BYTES);
	assert_row(f, 0, "foo+0x1", 0, 3);
}

/* A knows it only by its caller, from before it watched; B has a stack to show. */
static void stack_of_the_other(void **state)
{
	struct fixture *f = *state;
	struct event seeded = ev_used(0, 4);

	seeded.caller_id = names_intern_str(f->names[DIFF_A], "foo+0x1/0x20");
	snapshot(f->space[DIFF_A], T0, &seeded, 1);
	hold(f, DIFF_B, 1, 6, "foo+0x1", "x+0x1", KIND_VMAP);
	compare(f, OWNERS_BY_CALLER, OWNERS_SORT_BYTES);
	assert_row(f, 0, "foo+0x1", 2, 0);
	assert_int_equal(f->rows.list[0].stack_side, DIFF_B);
	assert_int_not_equal(f->rows.list[0].stack_id, 0);
	compare(f, OWNERS_BY_STACK, OWNERS_SORT_BYTES); /* with a stack it is another */
	assert_int_equal(f->rows.count, 2);
}

static void one_side_empty(void **state)
{
	struct fixture *f = *state;

	compare(f, OWNERS_BY_CALLER, OWNERS_SORT_BYTES);
	assert_int_equal(f->rows.count, 0);
	assert_int_equal(f->rows.unchanged, 0);
	hold(f, DIFF_A, 2, 3, "foo+0x1", "x+0x1", KIND_VMALLOC);
	compare(f, OWNERS_BY_CALLER, OWNERS_SORT_BYTES);
	assert_row(f, 0, "foo+0x1", -6, -2);
}

static void a_map_with_itself(void **state)
{
	struct fixture *f = *state;
	struct diff_map maps[DIFF_SIDES];

	hold_all(f);
	for (unsigned int side = 0; side < DIFF_SIDES; side++)
		maps[side] = (struct diff_map){ f->space[DIFF_B], f->names[DIFF_B],
						f->stacks[DIFF_B] };
	assert_int_equal(diff_owners(maps, OWNERS_BY_STACK, OWNERS_SORT_BYTES, &f->rows), 0);
	assert_int_equal(f->rows.count, 0);
	assert_int_equal(f->rows.unchanged, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(by_caller, open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(by_module_and_kind, open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(by_stack, open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(other_pieces, open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(stack_of_the_other, open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(one_side_empty, open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(a_map_with_itself, open_fixture, close_fixture),
	};

	return cmocka_run_group_tests_name("diff", tests, NULL, NULL);
}
