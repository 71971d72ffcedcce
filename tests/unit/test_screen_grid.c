/* SPDX-License-Identifier: GPL-2.0-only */
/* Cells: nothing is written outside of its box, whatever is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "screen/grid.h"

static char *line(const struct grid *grid, uint32_t row)
{
	static char text[4][200];
	static int next;
	char *out = text[next++ % 4];
	size_t at = 0;

	for (uint32_t i = 0; i < grid->columns; i++)
		at += grid_encode(grid->cells[row * grid->columns + i].rune, out + at);
	return out;
}

static void test_text_is_clipped(void **unused)
{
	struct grid *grid = grid_new(3, 10, false);
	struct box box = { 1, 2, 1, 5 };

	(void)unused;
	assert_int_equal(grid_text(grid, &box, 0, 1, STYLE_PLAIN, "abcdefgh"), 9);
	grid_text(grid, &box, 1, 0, STYLE_PLAIN, "below");
	grid_put(grid, &box, 0, 5, 'x', STYLE_PLAIN);
	assert_string_equal(line(grid, 0), "          ");
	assert_string_equal(line(grid, 1), "   abcd   ");
	assert_string_equal(line(grid, 2), "          ");
	grid_free(grid);
}

/* A box may lie beyond the grid. */
static void test_box_outside(void **unused)
{
	struct grid *grid = grid_new(2, 4, true);
	struct box beyond = { 5, 1, 9, 9 }, across = { 1, 2, 9, 9 };

	(void)unused;
	grid_text(grid, &beyond, 0, 0, STYLE_PLAIN, "abc");
	grid_text(grid, &across, 0, 0, STYLE_PLAIN, "abc");
	grid_text(grid, &across, 1, 0, STYLE_PLAIN, "abc");
	assert_string_equal(line(grid, 0), "    ");
	assert_string_equal(line(grid, 1), "  ab");
	grid_free(grid);
}

static void test_field(void **unused)
{
	struct grid *grid = grid_new(4, 12, false);
	struct box box = { 0, 0, 4, 12 };

	(void)unused;
	assert_int_equal(grid_field(grid, &box, 0, 1, 5, STYLE_PLAIN, "abcdef"), 6);
	assert_int_equal(grid_field(grid, &box, 1, 1, 5, STYLE_PLAIN, "abcde"), 6);
	assert_int_equal(grid_field(grid, &box, 2, 8, 8, STYLE_PLAIN, "abcdef"), 16);
	grid_right(grid, &box, 3, 2, 6, STYLE_PLAIN, "ab");
	assert_string_equal(line(grid, 0), " abcd>      ");
	assert_string_equal(line(grid, 1), " abcde      ");
	assert_string_equal(line(grid, 2), "        abc>");
	assert_string_equal(line(grid, 3), "      ab    ");
	grid_free(grid);
}

static void test_hostile_text(void **unused)
{
	struct grid *grid = grid_new(1, 12, true);
	struct box box = { 0, 0, 1, 12 };

	(void)unused;
	grid_text(grid, &box, 0, 0, STYLE_PLAIN, "a\033[2J\n\tb\xc3\xa4\x7f");
	assert_string_equal(line(grid, 0), "a?[2J??b??? ");
	grid_free(grid);
}

static void test_utf8_only_where_it_is_known(void **unused)
{
	struct grid *ascii = grid_new(1, 2, false), *utf8 = grid_new(1, 2, true);
	struct box box = { 0, 0, 1, 2 };

	(void)unused;
	grid_put(ascii, &box, 0, 0, 0x2588, STYLE_PLAIN);
	grid_put(utf8, &box, 0, 0, 0x2588, STYLE_PLAIN);
	grid_put(utf8, &box, 0, 1, 7, STYLE_PLAIN);
	assert_string_equal(line(ascii, 0), "? ");
	assert_string_equal(line(utf8, 0), "\xe2\x96\x88?");
	grid_free(ascii);
	grid_free(utf8);
}

static void test_wrap(void **unused)
{
	struct grid *grid = grid_new(6, 10, false);
	struct box box = { 0, 0, 6, 10 };

	(void)unused;
	assert_int_equal(grid_wrap(grid, &box, 0, 2, STYLE_PLAIN, "one two three aaaaaaaaaaaaaaaa"),
			 4);
	assert_string_equal(line(grid, 0), "one two   ");
	assert_string_equal(line(grid, 1), "  three   ");
	assert_string_equal(line(grid, 2), "  aaaaaaaa");
	assert_string_equal(line(grid, 3), "  aaaaaaaa");
	assert_int_equal(grid_wrap(grid, &box, 5, 0, STYLE_PLAIN, ""), 0);
	grid_free(grid);
}

static void test_limits(void **unused)
{
	struct grid *grid = grid_new(100000, 100000, false);
	struct grid *none = grid_new(0, 0, false);
	struct box box = { 0, 0, 10, 10 };

	(void)unused;
	assert_int_equal(grid->rows, GRID_MAX_ROWS);
	assert_int_equal(grid->columns, GRID_MAX_COLUMNS);
	grid_text(none, &box, 0, 0, STYLE_PLAIN, "abc");
	grid_wrap(none, &box, 0, 0, STYLE_PLAIN, "abc");
	grid_rule(none, &box, 0, STYLE_PLAIN, "abc");
	grid_free(grid);
	grid_free(none);
	grid_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_is_clipped),
		cmocka_unit_test(test_box_outside),
		cmocka_unit_test(test_field),
		cmocka_unit_test(test_hostile_text),
		cmocka_unit_test(test_utf8_only_where_it_is_known),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
