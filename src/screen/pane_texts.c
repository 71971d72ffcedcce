// SPDX-License-Identifier: GPL-2.0-only
/* Texts: detail, stack, help. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "screen/draw.h"
#include "screen/keys.h"
#include "screen/panes.h"

#define HELP_KEYS 20u

static void put_lines(const struct pane_args *args, const char *text, uint32_t skip)
{
	for (uint32_t row = 1; text && *text && row < args->box.rows; text += *text == '\n') {
		char line[GRID_MAX_COLUMNS];
		size_t len = strcspn(text, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)len, text);
		text += len;
		if (skip) {
			skip--;
			continue;
		}
		grid_field(args->grid, &args->box, row++, 0, args->box.columns, STYLE_PLAIN, line);
	}
}

void pane_detail(const struct pane_args *args)
{
	static const char *const names[] = {
		[DETAIL_AREA] = "of what is under the cursor",
		[DETAIL_OWNER] = "of an owner",
		[DETAIL_HOLE] = "of a hole",
		[DETAIL_LEAK] = "of a suspect",
		[DETAIL_FAILURE] = "of a failure",
		[DETAIL_EVENT] = "of an event",
		[DETAIL_FIT] = "would it fit",
	};
	const struct selection *sel = &args->state->selections[PANE_DETAIL];
	uint32_t rows = args->box.rows - 1, lines = args->model->detail_lines;
	char title[120];

	if (lines > rows)
		snprintf(title, sizeof(title),
			 "%s  %" PRIu32 "-%" PRIu32 " of %" PRIu32 " lines, Esc: back",
			 names[args->state->detail], sel->top + 1,
			 sel->top + rows < lines ? sel->top + rows : lines, lines);
	else
		snprintf(title, sizeof(title), "%s  Esc: back", names[args->state->detail]);
	pane_title(args, PANE_DETAIL, title);
	put_lines(args, args->model->detail, sel->top);
}

void pane_stack(const struct pane_args *args)
{
	grid_rule(args->grid, &args->box, 0, STYLE_PLAIN,
		  args->state->on_map ? "STACK under the cursor" : "STACK of the selected row");
	put_lines(args, args->model->stack, 0);
}

/* ---- help --------------------------------------------------------------------------------- */

uint32_t draw_help_excess(uint32_t rows)
{
	uint32_t count;

	keys_help(&count);
	return count + 1 > rows ? count + 1 - rows : 0;
}

void pane_help(const struct pane_args *args)
{
	uint32_t count, top = args->state->help_top;
	const struct keys_help *help = keys_help(&count);

	grid_rule(args->grid, &args->box, 0, STYLE_BOLD,
		  draw_help_excess(args->box.rows) ? "HELP  Down: more, any other key: back"
						   : "HELP  any key: back");
	for (uint32_t i = top; i < count && i - top + 1 < args->box.rows; i++) {
		uint32_t row = i - top + 1;

		if (!help[i].keys) {
			grid_text(args->grid, &args->box, row, 1, STYLE_BOLD, help[i].text);
			continue;
		}
		grid_text(args->grid, &args->box, row, 2, STYLE_GOOD, help[i].keys);
		grid_field(args->grid, &args->box, row, HELP_KEYS + 1,
			   args->box.columns > HELP_KEYS + 1 ? args->box.columns - HELP_KEYS - 1
							     : 0,
			   STYLE_PLAIN, help[i].text);
	}
}
