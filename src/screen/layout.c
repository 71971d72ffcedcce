// SPDX-License-Identifier: GPL-2.0-only
#include "screen/layout.h"

#include <string.h>

#define TWO_COLUMNS   100u
#define TWO_ROWS      30u
#define THREE_COLUMNS 170u
#define THREE_ROWS    40u
#define SIDE_COLUMNS  42u
#define TEXT_COLUMNS  90u /* that a detail is to have before anything stands beside it */
#define MIN_PANE_ROWS 4u  /* title, heading and two rows */
#define HEADER_ROWS   4u

static struct box take_rows(struct box *from, uint32_t rows, bool at_end)
{
	struct box taken = *from;

	if (rows > from->rows)
		rows = from->rows;
	taken.rows = rows;
	from->rows -= rows;
	if (at_end)
		taken.row = from->row + from->rows;
	else
		from->row += rows;
	return taken;
}

static struct box take_columns(struct box *from, uint32_t columns)
{
	struct box taken = *from;

	if (columns > from->columns)
		columns = from->columns;
	taken.columns = columns;
	taken.column = from->column + from->columns - columns;
	from->columns -= columns;
	return taken;
}

/* How many of the rows left, for map and pane, the rows of the map get. */
static uint32_t rows_of_map(uint32_t left, uint32_t all)
{
	uint32_t rows = all < TWO_ROWS ? 8 : left * 2 / 5;

	if (rows > 32)
		rows = 32;
	if (rows > 8 && all < TWO_ROWS + 4)
		rows = 8;
	while (rows > 2 && rows + MIN_PANE_ROWS > left)
		rows--;
	/* On few rows they share what there is. */
	if (all < 24 && rows > left / 2)
		rows = left / 2;
	return rows > 2 ? rows : 2;
}

/* Cells are of whole pages, so the last of the rows may stay empty. */
static uint32_t rows_needed(uint32_t rows, uint32_t cells, uint32_t pages)
{
	uint64_t room = (uint64_t)rows * cells;
	uint64_t cell = room ? (pages + room - 1) / room : 0;

	cell += cell > 1 && cell % 2;
	if (!cell)
		return rows;
	return (uint32_t)((pages + cell * cells - 1) / (cell * cells));
}

/* Owners and holes are what a newcomer looks for: one of them stands beside what was chosen. */
static enum pane side_of(const struct state *state)
{
	enum pane pane = state->pane == PANE_DETAIL ? state->before : state->pane;

	return state->pane == PANE_DETAIL ? pane : pane == PANE_HOLES ? PANE_OWNERS : PANE_HOLES;
}

static void split_pane(struct layout *layout, const struct state *state)
{
	if (layout->columns >= THREE_COLUMNS && layout->rows >= THREE_ROWS) {
		layout->stack = take_columns(&layout->pane, layout->columns / 3);
		layout->stack.column++;
		layout->stack.columns--;
	}
	if (layout->columns < TWO_COLUMNS || layout->rows < TWO_ROWS)
		return;
	if (state->pane == PANE_DETAIL && layout->pane.columns < TEXT_COLUMNS + SIDE_COLUMNS)
		return;
	layout->side_pane = side_of(state);
	layout->side = take_columns(&layout->pane,
				    layout->side_pane == PANE_HOLES || state->pane == PANE_DETAIL
					    ? SIDE_COLUMNS
					    : layout->pane.columns / 2);
	layout->side.column++;
	layout->side.columns--;
}

struct layout layout_make(uint32_t rows, uint32_t columns, const struct state *state,
			  const struct layout_wants *wants)
{
	struct layout layout = { .rows = rows, .columns = columns };
	struct box left = { 0, 0, rows, columns };
	bool wide = columns >= TWO_COLUMNS && rows >= TWO_ROWS;

	if (rows < LAYOUT_MIN_ROWS || columns < LAYOUT_MIN_COLUMNS) {
		layout.summary = true;
		layout.keys = take_rows(&left, rows > 6, true);
		layout.header = left;
		return layout;
	}
	layout.header = take_rows(&left, HEADER_ROWS, false);
	layout.keys = take_rows(&left, 1, true);
	layout.trust = take_rows(&left, 1, true);
	if (wants->replay)
		layout.timebar = take_rows(&left, 1, true);
	if (wants->failed && wide)
		layout.failure = take_rows(&left, 3, true);
	else if (wants->failed)
		layout.failure = take_rows(&left, 1, false);
	if (wants->leaks && wide && state->pane != PANE_LEAKS)
		layout.suspects = take_rows(&left, rows >= THREE_ROWS ? 6 : 3, true);
	layout.map_cells = columns - LAYOUT_MAP_FRAME;
	if (rows >= TWO_ROWS || state->pane != PANE_DETAIL || state->on_map) {
		layout.map_rows = rows_needed(rows_of_map(left.rows - 2, rows), layout.map_cells,
					      wants->pages);
		layout.map = take_rows(&left, layout.map_rows + 1, false);
		layout.cursor = take_rows(&left, 1, false);
	}
	layout.pane = left;
	split_pane(&layout, state);
	return layout;
}

uint32_t layout_list_rows(const struct box *box)
{
	return box->rows > 2 ? box->rows - 2 : 0;
}
