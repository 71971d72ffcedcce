// SPDX-License-Identifier: GPL-2.0-only
#include "screen/draw.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "screen/keys.h"
#include "screen/panes.h"
#include "units.h"

/* ---- what panes share --------------------------------------------------------------------- */

bool pane_item(struct pane_flow *flow, uint8_t style, const char *format, ...)
{
	uint32_t column = flow->column + (flow->column > 1 ? flow->gap : 0);
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (column + strlen(text) > flow->args->box.columns)
		return false;
	flow->column =
		grid_text(flow->args->grid, &flow->args->box, flow->row, column, style, text);
	return true;
}

const char *pane_name(enum pane pane)
{
	static const char *const names[PANE_COUNT] = {
		[PANE_OWNERS] = "OWNERS",     [PANE_HOLES] = "HOLES",   [PANE_LEAKS] = "LEAKS",
		[PANE_FAILURES] = "FAILURES", [PANE_EVENTS] = "EVENTS", [PANE_DIFF] = "DIFF",
		[PANE_DETAIL] = "DETAIL",
	};

	return names[pane];
}

/* "FAILURES 3": what is not empty tells so where it is only a name. */
static void pane_tab(const struct pane_args *args, enum pane pane, char *text, size_t len)
{
	const struct model *model = args->model;
	uint64_t count = 0;

	if (pane == PANE_FAILURES)
		count = model->from.counters->fails;
	if (pane == PANE_LEAKS && model->from.leaks_report)
		count = model->from.leaks_report->leaks;
	if (count)
		snprintf(text, len, "%s %llu", pane_name(pane), (unsigned long long)count);
	else
		snprintf(text, len, "%s", pane_name(pane));
	for (char *c = text; *c && pane != args->state->pane; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
}

void pane_title(const struct pane_args *args, enum pane pane, const char *text)
{
	uint8_t style = args->active ? STYLE_BOLD : STYLE_PLAIN;
	uint32_t column, room;
	char title[200], tab[32], tabs[120] = "";

	snprintf(title, sizeof(title), "%s%s%s", pane_name(pane), *text ? "  " : "", text);
	column = grid_rule(args->grid, &args->box, 0, style, title);
	if (!args->active)
		return;
	for (int i = PANE_OWNERS; i < PANE_DETAIL; i++) {
		pane_tab(args, (enum pane)i, tab, sizeof(tab));
		if (i != (int)pane)
			snprintf(tabs + strlen(tabs), sizeof(tabs) - strlen(tabs), " %s", tab);
	}
	room = (uint32_t)strlen(tabs) + 7;
	if (column + room < args->box.columns)
		grid_printf(args->grid, &args->box, 0, args->box.columns - room, STYLE_FREE,
			    " Tab:%s ", tabs);
}

uint8_t pane_row_style(const struct pane_args *args, bool selected, uint8_t style)
{
	if (!selected)
		return style;
	return args->active && !args->state->on_map ? STYLE_REVERSE | (style & STYLE_CLASS_MASK)
						    : style | STYLE_BOLD;
}

void pane_bar(const struct pane_args *args, uint32_t row, uint32_t column, uint32_t width,
	      uint64_t part, uint64_t all, uint8_t style)
{
	uint64_t halves = all ? part * width * 2 / all : 0;
	bool utf8 = args->grid->utf8;

	if (part && !halves)
		halves = 1;
	for (uint32_t i = 0; i < halves / 2 && i < width; i++)
		grid_put(args->grid, &args->box, row, column + i, utf8 ? 0x2588 : '#', style);
	if (halves % 2 && (utf8 || halves == 1))
		grid_put(args->grid, &args->box, row, column + (uint32_t)(halves / 2),
			 utf8 ? 0x258c : '#', style);
}

const char *pane_change(int64_t bytes, const char *tilde, char *buf, size_t len)
{
	uint64_t size = bytes < 0 ? 0 - (uint64_t)bytes : (uint64_t)bytes;
	char number[16];

	if (!bytes)
		snprintf(buf, len, "0");
	else
		snprintf(buf, len, "%s%c%s", tilde, bytes < 0 ? '-' : '+',
			 units_bytes(size, number, sizeof(number)));
	return buf;
}

/* ---- the screen --------------------------------------------------------------------------- */

typedef void pane_draw(const struct pane_args *args);

static void draw(struct pane_args args, const struct box *box, bool active, pane_draw *pane)
{
	args.box = *box;
	args.active = active;
	if (box->rows && box->columns)
		pane(&args);
}

static pane_draw *drawer_of(enum pane pane)
{
	static pane_draw *const drawers[PANE_COUNT] = {
		[PANE_OWNERS] = pane_owners, [PANE_HOLES] = pane_holes,
		[PANE_LEAKS] = pane_leaks,   [PANE_FAILURES] = pane_failures,
		[PANE_EVENTS] = pane_events, [PANE_DIFF] = pane_diff,
		[PANE_DETAIL] = pane_detail,
	};

	return drawers[pane];
}

static void draw_all(struct pane_args args, const struct layout *layout)
{
	draw(args, &layout->header, false, pane_header);
	draw(args, &layout->failure, false, pane_failure);
	draw(args, &layout->map, args.state->on_map, pane_map);
	draw(args, &layout->cursor, args.state->on_map, pane_cursor);
	draw(args, &layout->pane, true, drawer_of(args.state->pane));
	draw(args, &layout->side, false, drawer_of(layout->side_pane));
	draw(args, &layout->stack, false, pane_stack);
	draw(args, &layout->suspects, false, pane_leaks);
	draw(args, &layout->timebar, false, pane_timebar);
	draw(args, &layout->trust, false, pane_trust);
}

struct grid *draw_screen(const struct model *model, const struct state *state,
			 const struct layout *layout, bool utf8)
{
	struct grid *grid = grid_new(layout->rows, layout->columns, utf8);
	struct pane_args args = { .grid = grid, .model = model, .state = state };
	struct box all = { 0, 0, layout->rows, layout->columns };

	if (!grid)
		return NULL;
	if (state->help) {
		draw(args, &all, true, pane_help);
		return grid;
	}
	if (layout->summary)
		draw(args, &layout->header, false, pane_summary);
	else
		draw_all(args, layout);
	draw(args, &layout->keys, false, pane_keys);
	return grid;
}
