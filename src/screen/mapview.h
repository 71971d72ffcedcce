/* SPDX-License-Identifier: GPL-2.0-only */
/* The window of the map: which pages lie in which cell, and what is in a cell. Pure. */
#ifndef VMTRACE_SCREEN_MAPVIEW_H
#define VMTRACE_SCREEN_MAPVIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "space/space.h"

enum map_mark {
	MAP_OWN = 1 << 0,
	MAP_SUSPECT = 1 << 1,
	MAP_FOLLOW = 1 << 2,
	MAP_BEGIN = 1 << 3, /* an area begins in it */
};

/* A cell is two halves, which half blocks can show; of a cell of one page the second is empty. */
struct map_cell {
	uint32_t pages[2][PAGE_STATE_COUNT];
	uint8_t marks; /* enum map_mark */
};

struct mapview {
	uint32_t start; /* of the space */
	uint32_t total_pages;
	uint32_t first; /* page with which the window begins */
	uint32_t cell_pages;
	uint32_t columns; /* cells in a row */
	uint32_t rows;    /* that are needed, at most those asked for */
	uint32_t window_pages;
	struct map_cell *cells; /* rows * columns, in order; NULL until mapview_fill */
};

/*
 * The window of rows by columns cells over space: all of it at zoom 0, each step twice as near,
 * down to a page a cell. even: cells of more than a page are of an even number of pages. *pan: page
 * where the window began; moved so that cursor (0: none) is inside, or in the middle with recenter,
 * and nothing beyond the end is shown. *zoom is cut to where a cell is a page.
 */
struct mapview mapview_make(const struct space *space, uint32_t rows, uint32_t columns, bool even,
			    uint32_t *zoom, uint32_t *pan, uint32_t cursor, bool recenter);

/* Marks of an area, asked for each used one in the window: MAP_SUSPECT, MAP_FOLLOW or 0. */
typedef uint8_t mapview_marks(void *context, const struct area *area);

/* Counts what is in each cell. 0 or -ENOMEM; release with mapview_release. */
int mapview_fill(struct mapview *map, const struct space *space, mapview_marks *marks,
		 void *context);
void mapview_release(struct mapview *map);

/* Address of a cell; of the cell behind the last it is the window's end. */
uint32_t mapview_address(const struct mapview *map, uint32_t cell);
/* The cell that shows address; UINT32_MAX if it is outside the window. */
uint32_t mapview_cell_of(const struct mapview *map, uint32_t address);

/* Pages of a state in both halves. */
static inline uint32_t mapview_pages(const struct map_cell *cell, enum page_state state)
{
	return cell->pages[0][state] + cell->pages[1][state];
}

#endif
