/* SPDX-License-Identifier: GPL-2.0-only */
/* Keys and state: pure functions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "screen/keys.h"
#include "screen/state.h"

static const struct keys_context context = {
	.start = 0xf7800000,
	.end = 0xf8800000,
	.cell_bytes = 0x10000,
	.row_bytes = 0x400000,
	.map_rows = 4,
	.list_rows = 5,
	.help_rows = 10,
};

static struct state fresh(void)
{
	struct state state;

	state_init(&state);
	state.cursor = context.start;
	return state;
}

static enum action press(struct state *state, uint32_t key)
{
	return keys_press(state, &context, key);
}

static void type(struct state *state, const char *text)
{
	while (*text)
		press(state, (uint32_t)*text++);
}

/* ---- panes -------------------------------------------------------------------------------- */

static void test_tab_goes_round(void **unused)
{
	struct state state = fresh();

	(void)unused;
	for (int i = 0; i < PANE_DETAIL; i++) {
		assert_int_equal(state.pane, i);
		assert_int_equal(press(&state, KEYS_TAB), ACTION_DRAW);
	}
	assert_int_equal(state.pane, PANE_OWNERS);
	press(&state, KEYS_BACKTAB);
	assert_int_equal(state.pane, PANE_DIFF);
}

static void test_pane_keys(void **unused)
{
	struct state state = fresh();

	(void)unused;
	press(&state, 'h');
	assert_int_equal(state.pane, PANE_HOLES);
	press(&state, 'l');
	assert_int_equal(state.pane, PANE_LEAKS);
	press(&state, 'f');
	assert_int_equal(state.pane, PANE_FAILURES);
	press(&state, 'e');
	assert_int_equal(state.pane, PANE_EVENTS);
	press(&state, 'D');
	assert_int_equal(state.pane, PANE_DIFF);
	press(&state, 'o');
	assert_int_equal(state.pane, PANE_OWNERS);
}

static void test_detail_and_back(void **unused)
{
	struct state state = fresh();

	(void)unused;
	press(&state, 'h');
	state.selections[PANE_HOLES].row_id = 0xf7900000;
	press(&state, KEYS_ENTER);
	assert_int_equal(state.pane, PANE_DETAIL);
	assert_int_equal(state.detail, DETAIL_HOLE);
	assert_int_equal(state.detail_id, 0xf7900000);
	/* Enter in a detail is nothing, Tab leaves it for the pane after the one it came from. */
	assert_int_equal(press(&state, KEYS_ENTER), ACTION_NONE);
	press(&state, KEYS_ESC);
	assert_int_equal(state.pane, PANE_HOLES);
	press(&state, KEYS_ENTER);
	press(&state, KEYS_TAB);
	assert_int_equal(state.pane, PANE_LEAKS);
}

static void test_detail_of_cursor(void **unused)
{
	struct state state = fresh();

	(void)unused;
	press(&state, 'm');
	assert_true(state.on_map);
	press(&state, KEYS_ENTER);
	assert_int_equal(state.detail, DETAIL_AREA);
	assert_true(state.on_map);
	press(&state, KEYS_ESC);
	assert_int_equal(state.pane, PANE_OWNERS);
	assert_true(state.on_map);
	press(&state, KEYS_ESC);
	assert_false(state.on_map);
}

/* ---- lists -------------------------------------------------------------------------------- */

static uint64_t id_at(const void *list, uint32_t i)
{
	return ((const uint64_t *)list)[i];
}

static void test_list_moves(void **unused)
{
	struct state state = fresh();
	struct selection *sel = &state.selections[PANE_OWNERS];

	(void)unused;
	press(&state, KEYS_UP);
	assert_int_equal(sel->index, 0);
	press(&state, KEYS_DOWN);
	press(&state, KEYS_DOWN);
	assert_int_equal(sel->index, 2);
	assert_true(sel->moved);
	press(&state, KEYS_PAGE_DOWN);
	assert_int_equal(sel->index, 6);
	press(&state, KEYS_PAGE_UP);
	assert_int_equal(sel->index, 2);
	press(&state, KEYS_HOME);
	assert_int_equal(sel->index, 0);
	press(&state, KEYS_END);
	assert_true(sel->index > 1000000);
}

static void test_settle_keeps_the_row(void **unused)
{
	uint64_t before[] = { 11, 22, 33, 44 }, after[] = { 44, 33, 55, 22, 11 };
	struct selection sel = { .index = 1, .moved = true };

	(void)unused;
	state_settle(&sel, 4, 10, false, id_at, before);
	assert_int_equal(sel.id, 22);
	state_settle(&sel, 5, 10, false, id_at, after);
	assert_int_equal(sel.index, 3);
	assert_int_equal(sel.id, 22);
	/* gone: what stands there now */
	state_settle(&sel, 2, 10, false, id_at, after);
	assert_int_equal(sel.index, 1);
	assert_int_equal(sel.id, 33);
	state_settle(&sel, 0, 10, false, id_at, after);
	assert_int_equal(sel.index, 0);
}

static void test_settle_first_stays(void **unused)
{
	uint64_t before[] = { 11, 22 }, after[] = { 33, 11, 22 };
	struct selection sel = { 0 };

	(void)unused;
	/* nobody has chosen: the first row, whatever it is */
	state_settle(&sel, 2, 10, true, id_at, before);
	state_settle(&sel, 3, 10, true, id_at, after);
	assert_int_equal(sel.index, 0);
	assert_int_equal(sel.id, 0);
	assert_int_equal(sel.row_id, 33); /* what Enter is about */
	/* chosen: it stays with its row; back at the first one it does not */
	sel.index = 1;
	sel.moved = true;
	state_settle(&sel, 2, 10, true, id_at, before);
	assert_int_equal(sel.id, 22);
	state_settle(&sel, 3, 10, true, id_at, after);
	assert_int_equal(sel.index, 2);
	sel.index = 0;
	sel.moved = true;
	state_settle(&sel, 3, 10, true, id_at, after);
	assert_int_equal(sel.id, 0);
}

static void test_settle_scrolls(void **unused)
{
	uint64_t list[100];
	struct selection sel = { 0 };

	(void)unused;
	for (uint64_t i = 0; i < 100; i++)
		list[i] = i + 1;
	sel.index = 99;
	sel.moved = true;
	state_settle(&sel, 100, 10, false, id_at, list);
	assert_int_equal(sel.top, 90);
	/* fewer rows: the selected one stays in sight */
	state_settle(&sel, 100, 4, false, id_at, list);
	assert_int_equal(sel.top, 96);
	sel.index = 5;
	sel.moved = true;
	state_settle(&sel, 100, 4, false, id_at, list);
	assert_int_equal(sel.top, 5);
	/* more rows than the list has */
	state_settle(&sel, 100, 200, false, id_at, list);
	assert_int_equal(sel.top, 0);
	/* as many rows as a UINT32_MAX / 2 of End */
	sel.index = UINT32_MAX / 2;
	sel.moved = true;
	state_settle(&sel, 100, 0, false, id_at, list);
	assert_int_equal(sel.index, 99);
	assert_int_equal(sel.top, 99);
}

/* ---- the map ------------------------------------------------------------------------------ */

static void test_map_moves(void **unused)
{
	struct state state = fresh();

	(void)unused;
	press(&state, 'm');
	press(&state, KEYS_RIGHT);
	assert_int_equal(state.cursor, 0xf7810000);
	press(&state, KEYS_DOWN);
	assert_int_equal(state.cursor, 0xf7c10000);
	press(&state, KEYS_LEFT);
	assert_int_equal(state.cursor, 0xf7c00000);
	press(&state, KEYS_UP);
	press(&state, KEYS_UP);
	assert_int_equal(state.cursor, context.start);
	press(&state, KEYS_LEFT);
	assert_int_equal(state.cursor, context.start);
	press(&state, KEYS_PAGE_DOWN);
	press(&state, KEYS_PAGE_DOWN);
	assert_int_equal(state.cursor, 0xf87f0000);
	press(&state, KEYS_HOME);
	assert_int_equal(state.cursor, context.start);
	press(&state, KEYS_END);
	assert_int_equal(state.cursor, 0xf87f0000);
	/* the list has not moved */
	assert_int_equal(state.selections[PANE_OWNERS].index, 0);
}

static void test_zoom(void **unused)
{
	struct keys_context pages = context;
	struct state state = fresh();

	(void)unused;
	press(&state, '-');
	assert_int_equal(state.zoom, 0);
	press(&state, '+');
	press(&state, '+');
	assert_int_equal(state.zoom, 2);
	assert_true(state.recenter);
	assert_true(state.on_map);
	press(&state, '-');
	assert_int_equal(state.zoom, 1);
	press(&state, '0');
	assert_int_equal(state.zoom, 0);
	/* a page a cell: no nearer */
	pages.cell_bytes = VMT_PAGE_SIZE;
	state.zoom = 6;
	keys_press(&state, &pages, '+');
	assert_int_equal(state.zoom, 6);
}

/* ---- typing ------------------------------------------------------------------------------- */

static void test_prompt(void **unused)
{
	struct state state = fresh();

	(void)unused;
	press(&state, '/');
	assert_int_equal(state.prompt, PROMPT_FILTER);
	type(&state, "sizex>=1Mq?");
	assert_string_equal(state.line, "sizex>=1Mq?");
	press(&state, KEYS_BACKSPACE);
	press(&state, KEYS_BACKSPACE);
	assert_string_equal(state.line, "sizex>=1M");
	assert_int_equal(press(&state, KEYS_ENTER), ACTION_FILTER);
	assert_int_equal(state.prompt, PROMPT_NONE);
	/* it begins with the one in force, Ctrl-U empties it, Esc leaves it */
	strcpy(state.filter, "mod=foo");
	press(&state, '/');
	assert_string_equal(state.line, "mod=foo");
	press(&state, KEYS_CTRL_U);
	assert_string_equal(state.line, "");
	press(&state, KEYS_ESC);
	assert_int_equal(state.prompt, PROMPT_NONE);
	assert_string_equal(state.filter, "mod=foo");
	/* Esc outside of it takes the filter away */
	assert_int_equal(press(&state, KEYS_ESC), ACTION_FILTER);
	assert_string_equal(state.line, "");
}

static void test_prompt_is_bounded(void **unused)
{
	struct state state = fresh();

	(void)unused;
	press(&state, 'g');
	for (int i = 0; i < 1000; i++)
		press(&state, 'f');
	assert_int_equal(strlen(state.line), STATE_LINE - 1);
	assert_int_equal(state.line_len, STATE_LINE - 1);
	for (int i = 0; i < 1000; i++)
		press(&state, KEYS_BACKSPACE);
	assert_int_equal(state.line_len, 0);
	/* nothing typed: nothing asked */
	assert_int_equal(press(&state, KEYS_ENTER), ACTION_DRAW);
	/* keys that are no characters do nothing here */
	press(&state, 'g');
	press(&state, KEYS_UP);
	press(&state, 200);
	assert_string_equal(state.line, "");
	assert_int_equal(state.prompt, PROMPT_GOTO);
}

static void test_overwrite(void **unused)
{
	struct state state = fresh();

	(void)unused;
	press(&state, 'w');
	type(&state, "a.vmt");
	assert_int_equal(press(&state, KEYS_ENTER), ACTION_WRITE);
	state.prompt = PROMPT_OVERWRITE;
	assert_int_equal(press(&state, 'n'), ACTION_DRAW);
	assert_int_equal(state.prompt, PROMPT_NONE);
	state.prompt = PROMPT_OVERWRITE;
	assert_int_equal(press(&state, KEYS_ENTER), ACTION_DRAW);
	state.prompt = PROMPT_OVERWRITE;
	assert_int_equal(press(&state, 'y'), ACTION_OVERWRITE);
	assert_string_equal(state.line, "a.vmt");
}

static void test_write_ends_recording(void **unused)
{
	struct keys_context recording = context;
	struct state state = fresh();

	(void)unused;
	recording.recording = true;
	assert_int_equal(keys_press(&state, &recording, 'w'), ACTION_WRITE_STOP);
	assert_int_equal(state.prompt, PROMPT_NONE);
}

/* ---- the rest ----------------------------------------------------------------------------- */

static void test_sort(void **unused)
{
	struct state state = fresh();

	(void)unused;
	press(&state, 's');
	assert_int_equal(state.sort, OWNERS_SORT_COUNT);
	press(&state, 's');
	assert_true(state.by_growth);
	press(&state, 's');
	assert_false(state.by_growth);
	assert_int_equal(state.sort, OWNERS_SORT_GUARD);
	press(&state, 's');
	assert_int_equal(state.sort, OWNERS_SORT_AGE);
	press(&state, 's');
	assert_int_equal(state.sort, OWNERS_SORT_BYTES);
	press(&state, 'S');
	assert_true(state.reverse);
}

static void test_group(void **unused)
{
	static const enum owners_by order[] = { OWNERS_BY_STACK, OWNERS_BY_MODULE, OWNERS_BY_KIND,
						OWNERS_BY_COMM, OWNERS_BY_CALLER };
	struct state state = fresh();

	(void)unused;
	state.selections[PANE_OWNERS].id = 5;
	for (int i = 0; i < 5; i++) {
		press(&state, 'b');
		assert_int_equal(state.by, order[i]);
	}
	/* an owner of one grouping is none of the next */
	assert_int_equal(state.selections[PANE_OWNERS].id, 0);
}

static void test_fit_sizes(void **unused)
{
	struct state state = fresh();

	(void)unused;
	assert_int_equal(press(&state, '5'), ACTION_FIT);
	assert_string_equal(state.line, "16777216");
	assert_int_equal(keys_fit_bytes(1), 1 << 20);
	assert_int_equal(keys_fit_bytes(9), 256 << 20);
	press(&state, '=');
	type(&state, "600K");
	assert_int_equal(press(&state, KEYS_ENTER), ACTION_FIT);
	assert_string_equal(state.line, "600K");
}

static void test_quit_and_pause(void **unused)
{
	struct state state = fresh();

	(void)unused;
	assert_int_equal(press(&state, 'q'), ACTION_QUIT);
	assert_int_equal(press(&state, KEYS_CTRL_C), ACTION_QUIT);
	assert_int_equal(press(&state, 'p'), ACTION_PAUSE);
	assert_true(state.paused);
	assert_int_equal(press(&state, ' '), ACTION_PAUSE);
	assert_false(state.paused);
}

static void test_help(void **unused)
{
	struct state state = fresh();

	(void)unused;
	press(&state, '?');
	assert_true(state.help);
	for (int i = 0; i < 30; i++)
		press(&state, KEYS_DOWN);
	assert_true(state.help);
	assert_int_equal(state.help_top, context.help_rows);
	press(&state, KEYS_UP);
	assert_int_equal(state.help_top, context.help_rows - 1);
	assert_true(state.help);
	/* in the help a key means nothing else */
	press(&state, 'q');
	assert_false(state.help);
	press(&state, '?');
	assert_int_equal(press(&state, KEYS_CTRL_C), ACTION_QUIT);
}

static void test_replay_keys(void **unused)
{
	struct keys_context replay = context;
	struct state state = fresh();

	(void)unused;
	/* live has none of them */
	assert_int_equal(press(&state, 'x'), ACTION_NONE);
	assert_int_equal(press(&state, '.'), ACTION_NONE);
	assert_int_equal(press(&state, 't'), ACTION_NONE);
	replay.replay = true;
	assert_int_equal(keys_press(&state, &replay, '.'), ACTION_STEP);
	assert_int_equal(keys_press(&state, &replay, ','), ACTION_STEP_BACK);
	assert_int_equal(keys_press(&state, &replay, 'x'), ACTION_FAIL_NEXT);
	assert_int_equal(keys_press(&state, &replay, 'X'), ACTION_FAIL_BACK);
	for (int i = 0; i < 20; i++)
		keys_press(&state, &replay, '>');
	assert_true(state.speed == 1024);
	for (int i = 0; i < 40; i++)
		keys_press(&state, &replay, '<');
	assert_true(state.speed == 0.125);
	keys_press(&state, &replay, 't');
	assert_int_equal(state.prompt, PROMPT_TIME);
}

/* Every key that the help names does something, in live or in replay. */
static void test_help_names_keys(void **unused)
{
	struct keys_context replay = context;
	uint32_t count;
	const struct keys_help *help = keys_help(&count);

	(void)unused;
	replay.replay = true;
	for (uint32_t i = 0; i < count; i++) {
		const char *keys = help[i].keys;
		size_t len = keys ? strlen(keys) : 0;

		if (!strcmp(help[i].text, "SIGNS"))
			break;
		for (size_t at = 0; at < len; at++) {
			struct state state = fresh();
			bool alone = (!at || keys[at - 1] == ' ') &&
				     (at + 1 == len || keys[at + 1] == ' ');

			if (alone && keys[at] != ' ' &&
			    keys_press(&state, &replay, (uint32_t)keys[at]) == ACTION_NONE)
				fail_msg("key '%c' does nothing", keys[at]);
		}
	}
}

/* No key in any state does harm. */
static void test_all_keys(void **unused)
{
	static const uint32_t starts[] = { 'a', '/', '?', 'm', 'h', KEYS_ENTER, 'g' };

	(void)unused;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		struct state state = fresh();

		press(&state, starts[i]);
		for (uint32_t round = 0; round < 3; round++) {
			for (uint32_t key = 0; key < 300; key++) {
				press(&state, key);
				assert_true(state.pane < PANE_COUNT);
				assert_true(state.line_len < STATE_LINE);
				assert_true(state.cursor >= context.start &&
					    state.cursor < context.end);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tab_goes_round),
		cmocka_unit_test(test_pane_keys),
		cmocka_unit_test(test_detail_and_back),
		cmocka_unit_test(test_detail_of_cursor),
		cmocka_unit_test(test_list_moves),
		cmocka_unit_test(test_settle_keeps_the_row),
		cmocka_unit_test(test_settle_first_stays),
		cmocka_unit_test(test_settle_scrolls),
		cmocka_unit_test(test_map_moves),
		cmocka_unit_test(test_zoom),
		cmocka_unit_test(test_prompt),
		cmocka_unit_test(test_prompt_is_bounded),
		cmocka_unit_test(test_overwrite),
		cmocka_unit_test(test_write_ends_recording),
		cmocka_unit_test(test_sort),
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_fit_sizes),
		cmocka_unit_test(test_quit_and_pause),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_replay_keys),
		cmocka_unit_test(test_help_names_keys),
		cmocka_unit_test(test_all_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
