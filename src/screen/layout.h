/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which panes stand where on a terminal of a given size. Pure.
 *
 *   below 60 columns or 16 rows   a summary of six lines, no map
 *   80x24    header, map, one pane, trust line, keys; a detail takes the place of the map
 *   100x30   the pane and one beside it, suspects and the last failure in boxes of their own
 *   170x40   a third column with the stack of what is selected; a larger map
 */
#ifndef VMTRACE_SCREEN_LAYOUT_H
#define VMTRACE_SCREEN_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "screen/grid.h"
#include "screen/state.h"

#define LAYOUT_MIN_COLUMNS 60u
#define LAYOUT_MIN_ROWS    16u
#define LAYOUT_MAP_FRAME   16u /* " f77fe000 " before the cells of a row, "  ~98%" behind */

/* A box of no rows is not there. */
struct layout {
	uint32_t rows;
	uint32_t columns;
	bool summary;
	struct box header;
	struct box failure; /* the last one, in one line or two */
	struct box map;     /* legend and rows */
	struct box cursor;
	struct box pane; /* with its title */
	struct box side;
	struct box stack;
	struct box suspects;
	struct box timebar;
	struct box trust;
	struct box keys;
	uint32_t map_rows;
	uint32_t map_cells; /* in a row */
	enum pane side_pane;
};

/* What there is to be shown beside the size. */
struct layout_wants {
	bool failed; /* an allocation has */
	bool leaks;  /* there are suspects */
	bool replay;
	uint32_t pages; /* of the space: the map takes no more rows than it needs */
};

struct layout layout_make(uint32_t rows, uint32_t columns, const struct state *state,
			  const struct layout_wants *wants);

/* Rows of a list in box, below title and heading. */
uint32_t layout_list_rows(const struct box *box);

#endif
