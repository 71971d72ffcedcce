// SPDX-License-Identifier: GPL-2.0-only
#include "space_events.h"

#include "space/holes.h"
#include "space/mark.h"

struct fixture {
	struct space *space;
	struct names *names;
	struct stacks *stacks;
	struct mark *mark;
	struct diff_rows rows;
	struct mark_sums sums;
};

static int open_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	void *space = NULL;

	if (!f || setup_seeded(&space))
		return -1;
	f->space = space;
	f->names = names_new();
	f->stacks = stacks_new();
	*state = f;
	return 0;
}

static int close_fixture(void **state)
{
	struct fixture *f = *state;

	diff_release(&f->rows);
	mark_free(f->mark);
	stacks_free(f->stacks);
	names_free(f->names);
	space_free(f->space);
	free(f);
	return 0;
}

static void hold(struct fixture *f, uint32_t first, uint32_t last, const char *function)
{
	const uint32_t frames[] = { names_intern_str(f->names, "vmalloc+0x1"),
				    names_intern_str(f->names, function) };
	struct event event = ev_alloc(T0, first, last, 1);

	event.stack_id = stacks_intern(f->stacks, frames, 2, NULL);
	apply(f->space, event);
}

static void drop(struct fixture *f, uint32_t first, uint32_t last)
{
	apply(f->space, ev_free(T0 + 1, first, last));
}

static void diff(struct fixture *f, enum owners_by by)
{
	diff_release(&f->rows);
	assert_int_equal(mark_diff(f->mark, f->space, f->names, f->stacks, by, OWNERS_SORT_BYTES,
				   &f->rows, &f->sums),
			 0);
}

static void assert_row(const struct fixture *f, uint32_t i, const char *label,
		       enum mark_change change, int64_t pages)
{
	assert_true(i < f->rows.count);
	assert_string_equal(f->rows.list[i].label, label);
	assert_string_equal(mark_change_name(mark_change_of(&f->rows.list[i])),
			    mark_change_name(change));
	assert_int_equal(diff_bytes(&f->rows.list[i]), pages * (int64_t)PAGE);
}

static void five_changes(void **state)
{
	struct fixture *f = *state;

	hold(f, 0, 8, "grew+0x1");
	hold(f, 10, 19, "went+0x1 [m]");
	hold(f, 20, 24, "shrank+0x1");
	hold(f, 24, 30, "shrank+0x1");
	hold(f, 30, 34, "pieces+0x1");
	hold(f, 40, 44, "same+0x1");
	f->mark = mark_take(f->space, T0 + 7);
	assert_int_equal(mark_ns(f->mark), T0 + 7);
	hold(f, 50, 53, "grew+0x1");
	drop(f, 10, 19);
	drop(f, 20, 24);
	drop(f, 30, 34);
	hold(f, 60, 62, "pieces+0x1");
	hold(f, 62, 64, "pieces+0x1");
	hold(f, 70, 100, "came+0x1 [m]");
	diff(f, OWNERS_BY_CALLER);
	assert_int_equal(f->rows.count, 5);
	assert_int_equal(f->rows.unchanged, 1);
	assert_row(f, 0, "came+0x1 [m]", MARK_CAME, 30);
	assert_row(f, 1, "went+0x1 [m]", MARK_WENT, -9);
	assert_row(f, 2, "shrank+0x1", MARK_SHRANK, -4);
	assert_row(f, 3, "grew+0x1", MARK_GREW, 3);
	assert_row(f, 4, "pieces+0x1", MARK_PIECES, 0);
	for (unsigned int change = 0; change < MARK_CHANGE_COUNT; change++)
		assert_int_equal(f->sums.owners[change], 1);
	assert_int_equal(f->sums.bytes[MARK_WENT], -9 * (int64_t)PAGE);
	assert_int_equal(f->sums.areas[MARK_PIECES], 1);
	/* Another grouping of the same mark. */
	diff(f, OWNERS_BY_MODULE);
	assert_int_equal(f->rows.count, 2);
	assert_row(f, 0, "[m]", MARK_GREW, 21);
	assert_row(f, 1, "kernel", MARK_SHRANK, -1);
}

/* The mark stays as it was, down to every page, whatever comes after. */
static void stays_as_it_was(void **state)
{
	struct fixture *f = *state;
	struct space_totals before, after;
	struct holes_report holes;

	hold(f, 0, 8, "foo+0x1");
	hold(f, 8, 16, "foo+0x1");
	drop(f, 8, 16);
	before = space_totals(f->space);
	f->mark = mark_take(f->space, T0 + 2);
	apply(f->space, ev_purge(T0 + 9, T0 + 8));
	drop(f, 0, 8);
	for (uint32_t i = 0; i < 600; i++) /* beyond the first slots */
		hold(f, 20 + i, 22 + i, "bar+0x1");
	after = space_totals(mark_space(f->mark));
	assert_memory_equal(&after, &before, sizeof(after));
	check(mark_space(f->mark));
	assert_state(mark_space(f->mark), 0, 7, PAGE_USED);
	assert_state(mark_space(f->mark), 8, 16, PAGE_LAZY);
	assert_int_equal(space_area_at(mark_space(f->mark), P(8))->free_ns, T0 + 1);
	holes_report(mark_space(f->mark), &holes);
	assert_int_equal(holes.largest.start, P(16));
	check(f->space);
}

static void of_itself(void **state)
{
	struct fixture *f = *state;

	hold(f, 0, 8, "foo+0x1");
	f->mark = mark_take(f->space, T0);
	diff(f, OWNERS_BY_STACK);
	assert_int_equal(f->rows.count, 0);
	assert_int_equal(f->rows.unchanged, 1);
}

/* Half a map is no mark. */
static void not_inside_a_snapshot(void **state)
{
	struct fixture *f = *state;

	apply(f->space, ev_mark(EV_SNAPSHOT_BEGIN, T0, T0));
	assert_null(mark_take(f->space, T0));
	apply(f->space, ev_mark(EV_SNAPSHOT_END, T0, T0));
	f->mark = mark_take(f->space, T0);
	assert_non_null(f->mark);
	mark_free(NULL);
}

/* A space without a single area can be marked too, and the copy goes on as a space of its own. */
static void empty_space(void **state)
{
	struct fixture *f = *state;
	struct space *fresh = space_new(START, END), *copy = space_copy(fresh);

	assert_non_null(copy);
	snapshot(copy, T0, NULL, 0);
	apply(copy, ev_alloc(T0 + LONG, 0, 4, 1));
	assert_int_equal(space_totals(fresh).unknown_bytes, END - START);
	assert_int_equal(space_totals(copy).areas, 1);
	check(fresh);
	space_free(copy);
	space_free(fresh);
	(void)f;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(five_changes),          TEST(stays_as_it_was), TEST(of_itself),
		TEST(not_inside_a_snapshot), TEST(empty_space),
	};

	return cmocka_run_group_tests_name("mark", tests, NULL, NULL);
}
