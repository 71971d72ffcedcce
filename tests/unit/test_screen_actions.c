/* SPDX-License-Identifier: GPL-2.0-only */
/* Jumps, following and questions, on a recording. */
#include "screen_load.h"

#include "screen/actions.h"

static struct load load;
static struct actions actions;

static int open_busy(void **unused)
{
	(void)unused;
	load_open(&load, "tests/golden/failed.jsonl", LOAD_ALL);
	grid_free(load_draw(&load, 24, 80, false));
	actions = (struct actions){ 0 };
	return 0;
}

static int close_busy(void **unused)
{
	(void)unused;
	actions_release(&actions);
	load_close(&load);
	return 0;
}

static void act(enum action action, const char *line)
{
	snprintf(load.state.line, sizeof(load.state.line), "%s", line);
	load.state.line_len = (uint32_t)strlen(line);
	load.state.message[0] = '\0';
	load.state.alarm = false;
	assert_true(actions_do(&actions, action, &load.state, &load.model));
}

static void test_areas_forth_and_back(void **unused)
{
	const struct area *area = space_first(load.space, space_start(load.space));
	uint32_t count = 0;

	(void)unused;
	load.state.cursor = space_start(load.space);
	for (; area; area = space_first(load.space, area->end)) {
		if (area->start == load.state.cursor)
			continue;
		act(ACTION_AREA_NEXT, "");
		assert_int_equal(load.state.cursor, area->start);
		count++;
	}
	assert_true(count > 10);
	act(ACTION_AREA_NEXT, "");
	assert_string_equal(load.state.message, "no area lies behind");
	for (; count > 1; count--) {
		uint32_t before = load.state.cursor;

		act(ACTION_AREA_BACK, "");
		assert_true(load.state.cursor < before);
		assert_non_null(space_area_at(load.space, load.state.cursor));
	}
}

static void test_filter(void **unused)
{
	(void)unused;
	act(ACTION_FILTER, "size>=");
	assert_true(load.state.alarm);
	assert_string_equal(load.state.filter, "");
	assert_null(actions.filter);
	act(ACTION_FILTER, "mod=foo");
	assert_false(load.state.alarm);
	assert_string_equal(load.state.filter, "mod=foo");
	assert_non_null(actions.filter);
	/* a wrong one leaves the one in force */
	act(ACTION_FILTER, "nonsense=");
	assert_true(load.state.alarm);
	assert_string_equal(load.state.filter, "mod=foo");
	act(ACTION_FILTER, "");
	assert_string_equal(load.state.filter, "");
}

static void test_find(void **unused)
{
	struct filter_base base = { load.names, load.stacks, load.facts.now_ns };
	uint32_t first, matches = 0;

	(void)unused;
	act(ACTION_FIND_NEXT, "");
	assert_non_null(strstr(load.state.message, "F takes"));
	load.state.cursor = space_start(load.space);
	act(ACTION_FIND, "mod=foo");
	first = load.state.cursor;
	for (const struct area *a = space_first(load.space, space_start(load.space)); a;
	     a = space_first(load.space, a->end))
		matches += filter_area(actions.find, &base, a);
	assert_true(matches > 2);
	/* round, and back */
	for (uint32_t i = 0; i < matches; i++) {
		const struct area *area = space_area_at(load.space, load.state.cursor);

		assert_non_null(area);
		assert_true(filter_area(actions.find, &base, area));
		act(ACTION_FIND_NEXT, "");
	}
	assert_int_equal(load.state.cursor, first);
	act(ACTION_FIND_NEXT, "");
	act(ACTION_FIND_BACK, "");
	assert_int_equal(load.state.cursor, first);
	act(ACTION_FIND, "mod=nobody");
	assert_string_equal(load.state.message, "no area is like that");
	assert_int_equal(load.state.cursor, first);
}

static void test_goto(void **unused)
{
	(void)unused;
	act(ACTION_GOTO, "f7941234");
	assert_int_equal(load.state.cursor, 0xf7941000);
	assert_true(load.state.on_map);
	act(ACTION_GOTO, "0xf7942000");
	assert_int_equal(load.state.cursor, 0xf7942000);
	act(ACTION_GOTO, "c0000000");
	assert_true(load.state.alarm);
	act(ACTION_GOTO, "ffffffffffffffffffff");
	assert_true(load.state.alarm);
	act(ACTION_GOTO, "what");
	assert_true(load.state.alarm);
	assert_int_equal(load.state.cursor, 0xf7942000);
}

static void test_fit(void **unused)
{
	(void)unused;
	act(ACTION_FIT, "16M");
	assert_int_equal(load.state.pane, PANE_DETAIL);
	assert_int_equal(load.state.fit_bytes, 16 << 20);
	assert_int_equal(load.state.before, PANE_OWNERS);
	/* another one on top of it: back is still where it came from */
	act(ACTION_FIT, "4096");
	assert_int_equal(load.state.before, PANE_OWNERS);
	act(ACTION_FIT, "0");
	assert_true(load.state.alarm);
	act(ACTION_FIT, "9G");
	assert_true(load.state.alarm);
	assert_int_equal(load.state.fit_bytes, 4096);
}

static void test_follow(void **unused)
{
	uint64_t second = model_owner_id(&load.model, 1);

	(void)unused;
	load.state.selections[PANE_OWNERS].index = 1;
	act(ACTION_FOLLOW, "");
	assert_true(load.state.following);
	assert_int_equal(load.state.follow_id, second);
	/* the same again: no more; another one: that */
	act(ACTION_FOLLOW, "");
	assert_false(load.state.following);
	act(ACTION_FOLLOW, "");
	load.state.selections[PANE_OWNERS].index = 0;
	act(ACTION_FOLLOW, "");
	assert_true(load.state.following);
	assert_int_not_equal(load.state.follow_id, second);
	/* on the map: that of the area under the cursor, or nobody */
	load.state.on_map = true;
	load.state.cursor = load.model.hole_list.holes[0].start + 0x400000;
	act(ACTION_FOLLOW, "");
	assert_false(load.state.following);
}

static void test_others_are_not_ours(void **unused)
{
	(void)unused;
	assert_false(actions_do(&actions, ACTION_QUIT, &load.state, &load.model));
	assert_false(actions_do(&actions, ACTION_MARK, &load.state, &load.model));
	assert_false(actions_do(&actions, ACTION_STEP, &load.state, &load.model));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_areas_forth_and_back, open_busy, close_busy),
		cmocka_unit_test_setup_teardown(test_filter, open_busy, close_busy),
		cmocka_unit_test_setup_teardown(test_find, open_busy, close_busy),
		cmocka_unit_test_setup_teardown(test_goto, open_busy, close_busy),
		cmocka_unit_test_setup_teardown(test_fit, open_busy, close_busy),
		cmocka_unit_test_setup_teardown(test_follow, open_busy, close_busy),
		cmocka_unit_test_setup_teardown(test_others_are_not_ours, open_busy, close_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
