// SPDX-License-Identifier: GPL-2.0-only
/* The map: every state has a glyph of its own, so that it can be read without colours. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "screen/panes.h"
#include "space/kind.h"
#include "units.h"
#include "view/text_util.h"

#define FULL_BLOCK  0x2588
#define LEFT_BLOCK  0x258c
#define RIGHT_BLOCK 0x2590
#define SHADE       0x2592
#define LIGHT_SHADE 0x2591
#define MIDDLE_DOT  0x00b7

struct glyph {
	uint32_t rune;
	uint8_t style;
};

static uint32_t pages_of(const struct map_cell *cell)
{
	uint32_t sum = 0;

	for (int i = 0; i < PAGE_STATE_COUNT; i++)
		sum += cell->pages[0][i] + cell->pages[1][i];
	return sum;
}

static uint32_t half_pages(const struct map_cell *cell, int half)
{
	uint32_t sum = 0;

	for (int i = 0; i < PAGE_STATE_COUNT; i++)
		sum += cell->pages[half][i];
	return sum;
}

static uint32_t taken(const uint32_t pages[PAGE_STATE_COUNT])
{
	return pages[PAGE_USED] + pages[PAGE_GUARD];
}

/* A cell that is used in one half only, and wholly, is drawn as that half. */
static uint32_t partly(const struct map_cell *cell, bool utf8)
{
	bool full[2], empty[2];

	if (!utf8)
		return '%';
	for (int i = 0; i < 2; i++) {
		full[i] = half_pages(cell, i) && taken(cell->pages[i]) == half_pages(cell, i);
		empty[i] = !taken(cell->pages[i]) && !cell->pages[i][PAGE_LAZY];
	}
	if (full[0] && empty[1])
		return LEFT_BLOCK;
	return full[1] && empty[0] ? RIGHT_BLOCK : SHADE;
}

static struct glyph used_glyph(const struct map_cell *cell, uint32_t pages, bool utf8)
{
	uint32_t used = mapview_pages(cell, PAGE_USED), guard = mapview_pages(cell, PAGE_GUARD);
	bool page = pages == 1;

	if (page && guard)
		return (struct glyph){ '|', STYLE_USED };
	if (page && cell->marks & MAP_BEGIN)
		return (struct glyph){ '[', STYLE_USED };
	if (used + guard == pages)
		return (struct glyph){ utf8 ? FULL_BLOCK : '#', STYLE_USED };
	return (struct glyph){ partly(cell, utf8), STYLE_USED };
}

/* vmtrace's own, what is followed and suspects show even where they are a small part of a cell. */
static struct glyph glyph_of(const struct map_cell *cell, bool utf8)
{
	uint32_t pages = pages_of(cell);
	bool guard = pages == 1 && mapview_pages(cell, PAGE_GUARD);

	if (!pages)
		return (struct glyph){ ' ', STYLE_PLAIN };
	if (cell->marks & MAP_FOLLOW && !guard)
		return (struct glyph){ '*', STYLE_FOLLOW | STYLE_BOLD };
	if (cell->marks & MAP_SUSPECT && !guard)
		return (struct glyph){ '!', STYLE_ALARM | STYLE_BOLD };
	if (cell->marks & MAP_OWN && !guard)
		return (struct glyph){ '@', STYLE_OWN | STYLE_BOLD };
	if (mapview_pages(cell, PAGE_USED) + mapview_pages(cell, PAGE_GUARD))
		return used_glyph(cell, pages, utf8);
	if (mapview_pages(cell, PAGE_UNKNOWN))
		return (struct glyph){ '?', STYLE_PLAIN };
	if (mapview_pages(cell, PAGE_LAZY))
		return (struct glyph){ utf8 ? LIGHT_SHADE : '~', STYLE_LAZY };
	return (struct glyph){ utf8 ? MIDDLE_DOT : '.', STYLE_FREE };
}

/* ---- legend ------------------------------------------------------------------------------- */

static uint32_t put_sign(const struct pane_args *args, uint32_t column, uint32_t rune,
			 uint8_t style, const char *name)
{
	uint32_t need = (uint32_t)strlen(name) + 4;

	if (column + need > args->box.columns)
		return column;
	grid_put(args->grid, &args->box, 0, column, ' ', STYLE_PLAIN);
	grid_put(args->grid, &args->box, 0, column + 1, rune, style);
	return grid_printf(args->grid, &args->box, 0, column + 2, STYLE_PLAIN, " %s ", name);
}

static void legend(const struct pane_args *args)
{
	const struct model *model = args->model;
	const struct leaks_report *leaks = model->from.leaks_report;
	bool utf8 = args->grid->utf8, pages = model->map.cell_pages == 1;
	char title[80], size[16], zoom[24] = "";
	uint32_t column;

	if (args->state->zoom)
		snprintf(zoom, sizeof(zoom), " zoom %" PRIu32, args->state->zoom);
	snprintf(title, sizeof(title), "MAP 1 char=%s%s",
		 units_bytes((uint64_t)model->map.cell_pages * VMT_PAGE_SIZE, size, sizeof(size)),
		 zoom);
	column = grid_rule(args->grid, &args->box, 0, args->active ? STYLE_REVERSE : STYLE_PLAIN,
			   title);
	column = put_sign(args, column, utf8 ? FULL_BLOCK : '#', STYLE_USED, "used");
	if (pages)
		column = put_sign(args, column, '|', STYLE_USED, "guard");
	else
		column = put_sign(args, column, utf8 ? SHADE : '%', STYLE_USED, "partly");
	column = put_sign(args, column, utf8 ? LIGHT_SHADE : '~', STYLE_LAZY, "lazy");
	column = put_sign(args, column, utf8 ? MIDDLE_DOT : '.', STYLE_FREE, "free");
	if (model->totals.unknown_bytes)
		column = put_sign(args, column, '?', STYLE_PLAIN, "unknown");
	if (args->state->following)
		column = put_sign(args, column, '*', STYLE_FOLLOW | STYLE_BOLD, "followed");
	if (leaks && leaks->leaks)
		column = put_sign(args, column, '!', STYLE_ALARM | STYLE_BOLD, "leak");
	if (model->totals.own_bytes)
		put_sign(args, column, '@', STYLE_OWN | STYLE_BOLD, "self");
}

/* ---- rows --------------------------------------------------------------------------------- */

static void put_percent(const struct pane_args *args, uint32_t row, uint32_t first)
{
	const struct mapview *map = &args->model->map;
	uint32_t used = 0, unknown = 0, all = 0;
	char text[TEXT_NUMBER];

	for (uint32_t i = first; i < first + map->columns; i++) {
		const struct map_cell *cell = &map->cells[i];

		used += mapview_pages(cell, PAGE_USED) + mapview_pages(cell, PAGE_GUARD);
		unknown += mapview_pages(cell, PAGE_UNKNOWN);
		all += pages_of(cell);
	}
	if (all && unknown == all)
		snprintf(text, sizeof(text), "?");
	else
		text_percent(&args->model->from.view, used, all, text);
	grid_right(args->grid, &args->box, row, 10 + map->columns, 6, STYLE_PLAIN, text);
}

static void put_cells(const struct pane_args *args, uint32_t row, uint32_t first)
{
	const struct mapview *map = &args->model->map;
	uint32_t cursor = mapview_cell_of(map, args->state->cursor);

	for (uint32_t i = 0; i < map->columns; i++) {
		struct glyph glyph = glyph_of(&map->cells[first + i], args->grid->utf8);

		if (first + i == cursor)
			glyph.style = STYLE_REVERSE | (glyph.style & STYLE_CLASS_MASK);
		grid_put(args->grid, &args->box, row, 10 + i, glyph.rune, glyph.style);
	}
}

void pane_map(const struct pane_args *args)
{
	const struct mapview *map = &args->model->map;

	legend(args);
	for (uint32_t row = 0; map->cells && row < map->rows; row++) {
		uint32_t first = row * map->columns;

		grid_printf(args->grid, &args->box, row + 1, 1, STYLE_PLAIN, "%08" PRIx32,
			    mapview_address(map, first));
		put_cells(args, row + 1, first);
		put_percent(args, row + 1, first);
	}
}

/* ---- what is under the cursor ------------------------------------------------------------- */

static void put_area(const struct pane_args *args, const struct area *area, uint32_t count)
{
	const struct view *view = &args->model->from.view;
	bool lazy = area->state == AREA_LAZY;
	char size[16], age[16], task[TEXT_TASK] = "", label[TEXT_LABEL], more[32] = "";
	char line[TEXT_LABEL + 200];

	if (area->pid || area->comm_id) {
		task[0] = ' ';
		text_task(view, area->pid, area->comm_id, task);
	}
	if (count > 1)
		snprintf(more, sizeof(more), " (1 of %" PRIu32 " here)", count);
	snprintf(line, sizeof(line), "%08" PRIx32 "-%08" PRIx32 " %s %s%s %s%s %s%s %s",
		 area->start, area->end, units_bytes(area->end - area->start, size, sizeof(size)),
		 area->flags & AREA_F_OWN ? "@ " : "", lazy ? "lazy" : kind_name(area->kind),
		 area->flags & AREA_F_SEEDED && !lazy ? ">" : "",
		 units_duration(text_age(view, lazy ? area->free_ns : area->birth_ns), age,
				sizeof(age)),
		 text_owner(view, area, label), more, task);
	grid_field(args->grid, &args->box, 0, 1, args->box.columns - 1, STYLE_PLAIN, line);
}

static void put_hole(const struct pane_args *args)
{
	const struct space *space = args->model->from.view.space;
	uint32_t at = args->state->cursor, start = at, end;
	enum page_state state = space_page(space, at);
	char size[TEXT_NUMBER];

	space_run(space, at, &end);
	while (start > space_start(space) && space_page(space, start - VMT_PAGE_SIZE) == state)
		start -= VMT_PAGE_SIZE;
	grid_printf(args->grid, &args->box, 0, 1, STYLE_PLAIN, "%08" PRIx32 "-%08" PRIx32 " %s %s",
		    start, end, text_bytes(&args->model->from.view, end - start, size),
		    state == PAGE_UNKNOWN ? "unknown: older than vmtrace, and no list was read"
					  : "free");
}

void pane_cursor(const struct pane_args *args)
{
	uint32_t count;
	const struct area *area = model_area_at_cursor(args->model, args->state, &count);

	grid_put(args->grid, &args->box, 0, 0, args->active ? '>' : ' ', STYLE_BOLD);
	if (area)
		put_area(args, area, count);
	else
		put_hole(args);
}
