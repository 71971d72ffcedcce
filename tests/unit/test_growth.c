// SPDX-License-Identifier: GPL-2.0-only
#include "space_events.h"

#include "space/growth.h"

#define S    1000000000ull
#define STEP (5 * S) /* of a window of a minute */

struct fixture {
	struct space *space;
	struct names *names;
	struct stacks *stacks;
	struct growth *growth;
	struct growth_rows rows;
	uint32_t next; /* free page */
	uint64_t now_ns;
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
	f->growth = growth_new(60 * S);
	f->now_ns = T0;
	*state = f;
	return f->growth ? 0 : -1;
}

static int close_fixture(void **state)
{
	struct fixture *f = *state;

	growth_release(&f->rows);
	growth_free(f->growth);
	stacks_free(f->stacks);
	names_free(f->names);
	space_free(f->space);
	free(f);
	return 0;
}

/* Returns the first page. */
static uint32_t hold(struct fixture *f, uint32_t pages, const char *function)
{
	const uint32_t frames[] = { names_intern_str(f->names, "vmalloc+0x1"),
				    names_intern_str(f->names, function) };
	struct event event = ev_alloc(f->now_ns, f->next, f->next + pages, 0);

	event.stack_id = stacks_intern(f->stacks, frames, 2, NULL);
	event.comm_id = names_intern_str(f->names, "task");
	assert_int_equal(space_apply(f->space, &event), 0);
	f->next += pages;
	return f->next - pages;
}

static void drop(struct fixture *f, uint32_t page, uint32_t pages)
{
	struct event event = ev_free(f->now_ns, page, page + pages);

	assert_int_equal(space_apply(f->space, &event), 0);
}

static void sample(struct fixture *f)
{
	assert_int_equal(growth_sample(f->growth, f->space, f->now_ns), 0);
}

static void step(struct fixture *f)
{
	f->now_ns += STEP;
	sample(f);
}

static void collect(struct fixture *f, enum owners_by by)
{
	growth_release(&f->rows);
	assert_int_equal(growth_rows(f->growth, f->names, f->stacks, by, &f->rows), 0);
}

static const struct growth_row *row_of(struct fixture *f, const char *label)
{
	const struct growth_row *row;

	collect(f, OWNERS_BY_CALLER);
	row = growth_find(&f->rows, names_find_str(f->names, label), 0);
	assert_non_null(row);
	assert_string_equal(names_text(f->names, row->name_id), label);
	return row;
}

static void nothing_yet(void **state)
{
	struct fixture *f = *state;

	collect(f, OWNERS_BY_CALLER);
	assert_int_equal(f->rows.count, 0);
	assert_false(f->rows.known);
	hold(f, 4, "foo+0x1");
	sample(f);
	step(f);
	assert_int_equal(row_of(f, "foo+0x1")->bytes_per_min, 0); /* of two samples none */
	assert_int_equal(row_of(f, "foo+0x1")->bytes, 4 * PAGE);
	assert_false(f->rows.known);
	step(f);
	collect(f, OWNERS_BY_CALLER);
	assert_true(f->rows.known);
	assert_int_equal(f->rows.span_ns, 2 * STEP);
}

/* A page every 5 s: 12 pages a minute, from the third sample on. */
static void steady_growth(void **state)
{
	struct fixture *f = *state;

	hold(f, 3, "still+0x1");
	sample(f);
	for (uint32_t i = 0; i < 40; i++) {
		hold(f, 1, "leak+0x1 [m]");
		step(f);
		if (i >= 2)
			assert_int_equal(row_of(f, "leak+0x1 [m]")->bytes_per_min, 12 * PAGE);
	}
	assert_int_equal(row_of(f, "leak+0x1 [m]")->bytes, 40 * PAGE);
	assert_int_equal(row_of(f, "leak+0x1 [m]")->bytes_changed, 12 * PAGE);
	assert_int_equal(row_of(f, "leak+0x1 [m]")->areas_changed, 12);
	assert_int_equal(row_of(f, "still+0x1")->bytes_per_min, 0);
	assert_int_equal(f->rows.span_ns, 60 * S);
	assert_string_equal(names_text(f->names, f->rows.list[0].name_id), "leak+0x1 [m]");
}

static void shrinks_to_nothing(void **state)
{
	struct fixture *f = *state;

	for (uint32_t i = 0; i < 6; i++)
		hold(f, 2, "foo+0x1");
	hold(f, 1, "still+0x1");
	sample(f);
	for (uint32_t i = 0; i < 6; i++) {
		drop(f, 2 * i, 2);
		step(f);
	}
	assert_int_equal(row_of(f, "foo+0x1")->bytes_per_min, -24 * (int64_t)PAGE);
	assert_int_equal(row_of(f, "foo+0x1")->bytes_changed, -12 * (int64_t)PAGE);
	assert_int_equal(row_of(f, "foo+0x1")->areas_changed, -6);
	assert_int_equal(f->rows.list[1].name_id, names_find_str(f->names, "foo+0x1"));
	/* What holds nothing in the whole window is forgotten. */
	for (uint32_t i = 0; i < GROWTH_STEPS; i++)
		step(f);
	collect(f, OWNERS_BY_CALLER);
	assert_int_equal(f->rows.count, 1);
	assert_null(growth_find(&f->rows, names_find_str(f->names, "foo+0x1"), 0));
}

/* One large area that comes and goes, and one that comes and stays. */
static void one_large_area(void **state)
{
	struct fixture *f = *state;
	uint32_t page = 0;

	hold(f, 2, "foo+0x1");
	sample(f);
	for (uint32_t i = 0; i < GROWTH_STEPS; i++) {
		if (i == 5)
			page = hold(f, 100, "foo+0x1");
		if (i == 6)
			drop(f, page, 100);
		step(f);
		assert_int_equal(row_of(f, "foo+0x1")->bytes_per_min, 0);
	}
	for (uint32_t i = 0; i < 3; i++) {
		if (!i)
			hold(f, 100, "foo+0x1");
		step(f);
	}
	assert_int_equal(row_of(f, "foo+0x1")->bytes_per_min, 0);
	assert_int_equal(row_of(f, "foo+0x1")->bytes_changed, 100 * PAGE);
}

static void no_sample_between_steps(void **state)
{
	struct fixture *f = *state;

	sample(f);
	f->now_ns += STEP - 1;
	hold(f, 4, "foo+0x1");
	sample(f);
	collect(f, OWNERS_BY_CALLER);
	assert_int_equal(f->rows.count, 0);
	f->now_ns++;
	sample(f);
	collect(f, OWNERS_BY_CALLER);
	assert_int_equal(f->rows.count, 1);
}

/* Irregular steps count with their real length. */
static void irregular_samples(void **state)
{
	static const uint32_t seconds[] = { 5, 9, 6, 13, 7 };
	struct fixture *f = *state;

	hold(f, 1, "foo+0x1");
	sample(f);
	for (size_t i = 0; i < ARRAY_SIZE(seconds); i++) {
		f->now_ns += seconds[i] * S;
		hold(f, seconds[i], "foo+0x1");
		sample(f);
	}
	assert_int_equal(row_of(f, "foo+0x1")->bytes_per_min, 60 * PAGE);
}

static void begins_anew(void **state)
{
	struct fixture *f = *state;

	hold(f, 4, "foo+0x1");
	sample(f);
	step(f);
	step(f);
	f->now_ns += 61 * S; /* a gap */
	sample(f);
	collect(f, OWNERS_BY_CALLER);
	assert_false(f->rows.known);
	assert_int_equal(f->rows.span_ns, 0);
	assert_int_equal(f->rows.count, 1);
	step(f);
	f->now_ns -= 2 * STEP; /* replay goes back */
	sample(f);
	collect(f, OWNERS_BY_CALLER);
	assert_int_equal(f->rows.span_ns, 0);
	assert_int_equal(f->rows.list[0].bytes, 4 * PAGE);
}

static void not_inside_a_snapshot(void **state)
{
	struct fixture *f = *state;

	hold(f, 4, "foo+0x1");
	apply(f->space, ev_mark(EV_SNAPSHOT_BEGIN, f->now_ns, f->now_ns));
	sample(f);
	collect(f, OWNERS_BY_CALLER);
	assert_int_equal(f->rows.count, 0);
	apply(f->space, ev_mark(EV_SNAPSHOT_END, f->now_ns, f->now_ns));
	sample(f);
	collect(f, OWNERS_BY_CALLER);
	assert_int_equal(f->rows.count, 1);
}

/* All groupings from the same samples; what owners_collect finds has its row. */
static void groupings(void **state)
{
	static const enum owners_by all[] = { OWNERS_BY_CALLER, OWNERS_BY_STACK, OWNERS_BY_MODULE,
					      OWNERS_BY_KIND, OWNERS_BY_COMM };
	struct fixture *f = *state;

	hold(f, 2, "foo+0x1 [m]");
	hold(f, 3, "foo+0x1 [m]");
	hold(f, 5, "bar+0x1 [m]");
	hold(f, 7, "baz+0x1");
	sample(f);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct owners owners;

		collect(f, all[i]);
		assert_int_equal(owners_collect(f->space, f->names, f->stacks, all[i],
						OWNERS_SORT_BYTES, &owners),
				 0);
		assert_int_equal(owners.count, f->rows.count);
		for (uint32_t o = 0; o < owners.count; o++) {
			const struct owner *owner = &owners.list[o];
			const struct growth_row *row =
				growth_find(&f->rows, owner->name_id,
					    all[i] == OWNERS_BY_STACK ? owner->stack_id : 0);

			assert_non_null(row);
			assert_int_equal(row->bytes, owner->live_bytes);
			assert_int_equal(row->areas, owner->areas);
		}
		owners_free(&owners);
	}
	collect(f, OWNERS_BY_MODULE);
	assert_int_equal(f->rows.count, 2);
	assert_int_equal(f->rows.list[0].bytes, 10 * PAGE); /* ties: the larger first */
	assert_null(growth_find(&f->rows, 0, 0));
}

static void too_short_a_window(void **state)
{
	(void)state;
	assert_null(growth_new(GROWTH_STEPS - 1));
	growth_free(NULL);
}

/* More different ones than there is room for are counted, and come in when others go. */
static void too_many(void **state)
{
	struct fixture *f = *state;
	const uint32_t pages = GROWTH_MAX_CELLS + 10;
	struct space *space = space_new(START, START + pages * PAGE);
	struct growth_rows rows;

	for (uint32_t i = 0; i < pages; i++) {
		struct event event = ev_alloc(T0, i, i + 1, 0);

		event.comm_id = i + 1;
		assert_int_equal(space_apply(space, &event), 0);
	}
	assert_int_equal(growth_sample(f->growth, space, T0), 0);
	assert_int_equal(growth_rows(f->growth, f->names, f->stacks, OWNERS_BY_KIND, &rows), 0);
	assert_int_equal(rows.left_out, 10);
	assert_int_equal(rows.list[0].areas, GROWTH_MAX_CELLS);
	growth_release(&rows);
	for (uint32_t i = 0; i < 20; i++) {
		struct event event = ev_free(T0 + 1, i, i + 1);

		assert_int_equal(space_apply(space, &event), 0);
	}
	for (uint32_t i = 1; i <= GROWTH_STEPS + 1; i++)
		assert_int_equal(growth_sample(f->growth, space, T0 + i * STEP), 0);
	assert_int_equal(growth_rows(f->growth, f->names, f->stacks, OWNERS_BY_KIND, &rows), 0);
	assert_int_equal(rows.left_out, 0);
	assert_int_equal(rows.list[0].areas, pages - 20);
	growth_release(&rows);
	space_free(space);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_yet),
		TEST(steady_growth),
		TEST(shrinks_to_nothing),
		TEST(one_large_area),
		TEST(no_sample_between_steps),
		TEST(irregular_samples),
		TEST(begins_anew),
		TEST(not_inside_a_snapshot),
		TEST(groupings),
		TEST(too_short_a_window),
		TEST(too_many),
	};

	return cmocka_run_group_tests_name("growth", tests, NULL, NULL);
}
