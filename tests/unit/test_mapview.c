/* SPDX-License-Identifier: GPL-2.0-only */
/* The map's window: every page is in exactly one cell, at any size and zoom. */
#include "space_events.h"

#include "screen/mapview.h"

static uint32_t count(const struct mapview *map, enum page_state state)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < map->rows * map->columns; i++)
		sum += mapview_pages(&map->cells[i], state);
	return sum;
}

static void fill(struct space *space)
{
	apply(space, ev_alloc(T0, 0, 10, 1));
	apply(space, ev_alloc(T0 + 1, 10, 11, 0));
	apply(space, ev_alloc(T0 + 2, 100, 400, 1));
	apply(space, ev_free(T0 + 3, 100, 400));
	apply(space, ev_alloc(T0 + 4, 1000, 1024, 1));
}

static void test_all_pages_once(void **state)
{
	struct space *space = *state;
	struct space_totals totals;

	fill(space);
	totals = space_totals(space);
	for (uint32_t rows = 1; rows < 40; rows += 3) {
		for (uint32_t columns = 1; columns < 300; columns += 7) {
			uint32_t zoom = 0, pan = 5;
			struct mapview map = mapview_make(space, rows, columns, columns % 2, &zoom,
							  &pan, 0, false);

			assert_int_equal(mapview_fill(&map, space, NULL, NULL), 0);
			assert_true(map.rows <= rows);
			assert_int_equal(map.first, 0);
			assert_int_equal(count(&map, PAGE_USED) * PAGE, totals.used_bytes);
			assert_int_equal(count(&map, PAGE_GUARD) * PAGE, totals.guard_bytes);
			assert_int_equal(count(&map, PAGE_LAZY) * PAGE, totals.lazy_bytes);
			assert_int_equal(count(&map, PAGE_FREE) * PAGE, totals.free_bytes);
			mapview_release(&map);
		}
	}
}

static void test_zoom_to_pages(void **state)
{
	struct space *space = *state;
	uint32_t zoom = 100, pan = 0;
	struct mapview map;

	fill(space);
	map = mapview_make(space, 4, 16, true, &zoom, &pan, P(10), true);
	assert_int_equal(map.cell_pages, 1);
	assert_int_equal(zoom, 4); /* 16 pages a cell, 8, 4, 2, 1 */
	assert_int_equal(mapview_fill(&map, space, NULL, NULL), 0);
	assert_int_equal(map.first, 0);
	assert_int_equal(mapview_cell_of(&map, P(10)), 10);
	assert_int_equal(mapview_address(&map, 10), P(10));
	/* guard page of the first area, begin of the second, of one page without a guard */
	assert_int_equal(mapview_pages(&map.cells[9], PAGE_GUARD), 1);
	assert_int_equal(map.cells[9].marks & MAP_BEGIN, 0);
	assert_int_equal(map.cells[10].marks & MAP_BEGIN, MAP_BEGIN);
	assert_int_equal(mapview_pages(&map.cells[11], PAGE_FREE), 1);
	mapview_release(&map);
}

static void test_window_follows_cursor(void **state)
{
	struct space *space = *state;
	uint32_t pan = 0;

	for (uint32_t zoom_wanted = 0; zoom_wanted < 6; zoom_wanted++) {
		for (uint32_t page = 0; page < PAGES; page += 3) {
			uint32_t zoom = zoom_wanted;
			struct mapview map = mapview_make(space, 5, 13, page % 2, &zoom, &pan,
							  P(page), page % 4 == 0);
			uint32_t cell = mapview_cell_of(&map, P(page));

			assert_true(cell < map.rows * map.columns);
			assert_true(mapview_address(&map, cell) <= P(page));
			assert_true(mapview_address(&map, cell + 1) > P(page));
			assert_true(map.first + map.window_pages <= PAGES);
			assert_int_equal(map.first % (map.cell_pages * map.columns), 0);
		}
	}
}

static void test_outside(void **state)
{
	struct space *space = *state;
	uint32_t zoom = 100, pan = 200;
	struct mapview map = mapview_make(space, 2, 10, false, &zoom, &pan, P(200), false);

	assert_int_equal(mapview_cell_of(&map, START - 1), UINT32_MAX);
	assert_int_equal(mapview_cell_of(&map, END), UINT32_MAX);
	assert_int_equal(mapview_cell_of(&map, P(0)), UINT32_MAX);
	assert_int_equal(mapview_address(&map, 1000), P(map.first + map.window_pages));
}

static uint8_t mark_second(void *context, const struct area *area)
{
	(*(uint32_t *)context)++;
	return area->start == P(10) ? MAP_FOLLOW : 0;
}

static void test_marks(void **state)
{
	struct space *space = *state;
	uint32_t zoom = 100, pan = 0, asked = 0;
	struct mapview map;

	fill(space);
	map = mapview_make(space, 32, 32, false, &zoom, &pan, 0, false);
	assert_int_equal(mapview_fill(&map, space, mark_second, &asked), 0);
	assert_int_equal(asked, 3); /* the used ones, once each */
	for (uint32_t i = 0; i < PAGES; i++)
		assert_int_equal(map.cells[i].marks & MAP_FOLLOW, i == 10 ? MAP_FOLLOW : 0);
	mapview_release(&map);
}

/* Halves: the first half of a cell of an even number of pages. */
static void test_halves(void **state)
{
	struct space *space = *state;
	uint32_t zoom = 0, pan = 0;
	struct mapview map;

	apply(space, ev_alloc(T0, 0, 8, 0));
	map = mapview_make(space, 4, 16, true, &zoom, &pan, 0, false);
	assert_int_equal(map.cell_pages, 16);
	assert_int_equal(mapview_fill(&map, space, NULL, NULL), 0);
	assert_int_equal(map.cells[0].pages[0][PAGE_USED], 8);
	assert_int_equal(map.cells[0].pages[1][PAGE_FREE], 8);
	mapview_release(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_pages_once, setup_seeded, teardown),
		cmocka_unit_test_setup_teardown(test_zoom_to_pages, setup_seeded, teardown),
		cmocka_unit_test_setup_teardown(test_window_follows_cursor, setup_seeded, teardown),
		cmocka_unit_test_setup_teardown(test_outside, setup_seeded, teardown),
		cmocka_unit_test_setup_teardown(test_marks, setup_seeded, teardown),
		cmocka_unit_test_setup_teardown(test_halves, setup_seeded, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
