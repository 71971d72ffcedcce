// SPDX-License-Identifier: GPL-2.0-only
#include "screen/mapview.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The smallest cell with which the whole space fits. */
static uint32_t whole_cell(uint32_t pages, uint32_t cells, bool even)
{
	uint32_t cell = (uint32_t)(((uint64_t)pages + cells - 1) / cells);

	return even && cell > 1 ? (cell + 1) & ~1u : cell;
}

static uint32_t zoomed(uint32_t cell, uint32_t *zoom, bool even)
{
	uint32_t steps = 0;

	while (steps < *zoom && cell > 1) {
		cell = (cell + 1) / 2;
		if (even && cell > 1)
			cell = (cell + 1) & ~1u;
		steps++;
	}
	*zoom = steps;
	return cell;
}

/* Rows begin at multiples of their length, so that panning moves them whole. */
static uint32_t place_window(const struct mapview *map, uint32_t rows, uint32_t pan,
			     uint32_t cursor, bool recenter)
{
	uint32_t row = map->cell_pages * map->columns, window = row * rows;
	uint32_t at = cursor ? (cursor - map->start) / VMT_PAGE_SIZE : pan;
	uint32_t last =
		map->total_pages > window ? (map->total_pages - window + row - 1) / row * row : 0;

	if (recenter)
		pan = at > window / 2 ? at - window / 2 : 0;
	pan = pan / row * row;
	if (at < pan)
		pan = at / row * row;
	if (at >= pan + window)
		pan = at / row * row - (rows - 1) * row;
	return pan < last ? pan : last;
}

struct mapview mapview_make(const struct space *space, uint32_t rows, uint32_t columns, bool even,
			    uint32_t *zoom, uint32_t *pan, uint32_t cursor, bool recenter)
{
	struct mapview map = { .start = space_start(space), .columns = columns ? columns : 1 };
	uint32_t row, left;

	rows = rows ? rows : 1;
	map.total_pages = (space_end(space) - map.start) / VMT_PAGE_SIZE;
	map.cell_pages = zoomed(whole_cell(map.total_pages, rows * map.columns, even), zoom, even);
	row = map.cell_pages * map.columns;
	map.first = *zoom ? place_window(&map, rows, *pan, cursor, recenter) : 0;
	*pan = map.first;
	left = map.total_pages - map.first;
	map.window_pages = left < row * rows ? left : row * rows;
	map.rows = (map.window_pages + row - 1) / row;
	return map;
}

/* The pages [first, last) of the window, all of one state, into the cells that they lie in. */
static void add_run(struct mapview *map, uint32_t first, uint32_t last, enum page_state state,
		    uint8_t marks)
{
	while (first < last) {
		uint32_t cell = first / map->cell_pages, within = first % map->cell_pages;
		uint32_t middle = (map->cell_pages + 1) / 2;
		uint32_t end = within < middle ? middle : map->cell_pages;
		uint32_t count = end - within < last - first ? end - within : last - first;

		map->cells[cell].pages[within >= middle][state] += count;
		map->cells[cell].marks |= marks;
		first += count;
	}
}

static uint8_t marks_of(const struct area *area, mapview_marks *marks, void *context)
{
	uint8_t got = 0;

	if (!area)
		return 0;
	if (area->flags & AREA_F_OWN && area->state == AREA_USED)
		got |= MAP_OWN;
	if (marks && area->state == AREA_USED)
		got |= marks(context, area);
	return got;
}

int mapview_fill(struct mapview *map, const struct space *space, mapview_marks *marks,
		 void *context)
{
	uint32_t begin = map->start + map->first * VMT_PAGE_SIZE, at, end;
	uint32_t stop = begin + map->window_pages * VMT_PAGE_SIZE;
	const struct area *known = NULL;
	uint8_t known_marks = 0;

	map->cells = calloc((size_t)map->rows * map->columns, sizeof(*map->cells));
	if (!map->cells)
		return -ENOMEM;
	for (at = begin; at < stop && at >= begin; at = end) {
		enum page_state state = space_run(space, at, &end);
		const struct area *area = space_area_at(space, at);
		uint32_t last = end < stop && end > at ? end : stop;

		if (area != known)
			known_marks = marks_of(area, marks, context);
		known = area;
		if (area && area->start >= begin)
			map->cells[(area->start - begin) / VMT_PAGE_SIZE / map->cell_pages].marks |=
				MAP_BEGIN;
		add_run(map, (at - begin) / VMT_PAGE_SIZE, (last - begin) / VMT_PAGE_SIZE, state,
			known_marks);
		if (last == stop)
			break;
	}
	return 0;
}

void mapview_release(struct mapview *map)
{
	free(map->cells);
	map->cells = NULL;
}

uint32_t mapview_address(const struct mapview *map, uint32_t cell)
{
	uint64_t page = (uint64_t)map->first + (uint64_t)cell * map->cell_pages;

	if (page > map->first + (uint64_t)map->window_pages)
		page = map->first + (uint64_t)map->window_pages;
	return map->start + (uint32_t)page * VMT_PAGE_SIZE;
}

uint32_t mapview_cell_of(const struct mapview *map, uint32_t address)
{
	uint32_t page = (address - map->start) / VMT_PAGE_SIZE;

	if (address < map->start || page < map->first || page >= map->first + map->window_pages)
		return UINT32_MAX;
	return (page - map->first) / map->cell_pages;
}
