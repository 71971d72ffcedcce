// SPDX-License-Identifier: GPL-2.0-only
/* The areas in the way: all of them, each once, in both orders. */
#include "space_events.h"

#include "allocator/blockers.h"

static struct event by(struct event event, uint32_t stack, uint32_t pid, enum area_kind kind)
{
	event.stack_id = stack;
	event.pid = pid;
	event.kind = (uint8_t)kind;
	return event;
}

static uint32_t stack_of(struct names *names, struct stacks *stacks, const char *frame)
{
	uint32_t id = names_intern_str(names, frame);

	return stacks_intern(stacks, &id, 1, NULL);
}

static void groups(void **state)
{
	struct space *s = *state;
	struct names *names = names_new();
	struct stacks *stacks = stacks_new();
	uint32_t foo = stack_of(names, stacks, "foo+0x1 [m]");
	uint32_t bar = stack_of(names, stacks, "bar+0x1 [m]");
	struct window window = {P(5), P(60), 0, 4};
	struct blockers b;
	struct event event;

	apply(s, by(ev_alloc(T0 + 5, 0, 10, 1), foo, 1, KIND_VMALLOC)); /* begins below it */
	apply(s, by(ev_alloc(T0 + 4, 10, 15, 1), bar, 2, KIND_VMALLOC));
	event = by(ev_alloc(T0 + 3, 20, 30, 1), foo, 1, KIND_VMAP);
	event.flags = EV_F_OWN;
	apply(s, event);
	apply(s, ev_alloc(T0, 30, 40, 1));
	apply(s, ev_free(T0, 30, 40)); /* lazy: in nobody's way */
	apply(s, by(ev_alloc(T0 + 2, 58, 108, 1), bar, 3, KIND_VMALLOC)); /* ends above it */
	apply(s, by(ev_alloc(T0 + 1, 110, 120, 1), bar, 3, KIND_VMALLOC));
	assert_int_equal(blockers_collect(s, names, stacks, &window, &b), 0);
	assert_int_equal(b.count, 4);
	assert_int_equal(b.list[0].area->start, P(58));
	assert_int_equal(b.list[0].bytes, 50 * PAGE);
	assert_int_equal(b.list[0].inside_bytes, 2 * PAGE);
	assert_int_equal(b.list[1].area->start, START); /* as large as the next: the lower one */
	assert_int_equal(b.list[1].inside_bytes, 5 * PAGE);
	assert_int_equal(b.list[2].area->start, P(20));
	assert_int_equal(b.list[3].area->start, P(10));
	assert_int_equal(b.nr_groups, 2);
	assert_string_equal(names_text(names, b.groups[0].name_id), "bar+0x1 [m]");
	assert_int_equal(b.groups[0].bytes, 55 * PAGE);
	assert_int_equal(b.groups[0].areas, 2);
	assert_int_equal(b.groups[0].kind, KIND_VMALLOC);
	assert_int_equal(b.groups[0].pid, 0); /* two tasks */
	assert_int_equal(b.groups[0].oldest->start, P(58));
	assert_int_equal(b.groups[1].bytes, 20 * PAGE);
	assert_int_equal(b.groups[1].own_areas, 1);
	assert_int_equal(b.groups[1].kind, KIND_UNKNOWN); /* two kinds */
	assert_int_equal(b.groups[1].pid, 1);
	assert_int_equal(b.groups[1].example->start, START);
	assert_int_equal(b.groups[1].oldest->start, P(20));
	blockers_release(&b);
	stacks_free(stacks);
	names_free(names);
}

static void nobody(void **state)
{
	struct names *names = names_new();
	struct stacks *stacks = stacks_new();
	struct window window = {START, END, 0, 0};
	struct blockers b;

	assert_int_equal(blockers_collect(*state, names, stacks, &window, &b), 0);
	assert_int_equal(b.count + b.nr_groups, 0);
	blockers_release(&b);
	stacks_free(stacks);
	names_free(names);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_seeded, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(groups), TEST(nobody)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
