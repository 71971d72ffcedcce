// SPDX-License-Identifier: GPL-2.0-only
/* The last rows: time bar, trust line, keys. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "screen/panes.h"
#include "units.h"
#include "view/trust.h"

/* ---- time bar ----------------------------------------------------------------------------- */

/* Failures in the part of the recording that a column stands for. */
static bool fails_at(const struct model_play *play, uint32_t column, uint32_t columns)
{
	uint32_t first, last;

	if (!play->nr_buckets)
		return false;
	first = (uint32_t)((uint64_t)column * play->nr_buckets / columns);
	last = (uint32_t)((uint64_t)(column + 1) * play->nr_buckets / columns);
	for (uint32_t i = first; i < last || i == first; i++) {
		if (i < play->nr_buckets && play->fails[i])
			return true;
	}
	return false;
}

void pane_timebar(const struct pane_args *args)
{
	const struct model_play *play = &args->model->play;
	uint64_t length_ns = play->end_ns > play->start_ns ? play->end_ns - play->start_ns : 1;
	uint64_t passed_ns = play->at_ns > play->start_ns ? play->at_ns - play->start_ns : 0;
	char at[16], length[16], right[40], left[24];
	uint32_t column, columns, here;

	snprintf(left, sizeof(left), "+%s ", units_duration(passed_ns, at, sizeof(at)));
	snprintf(right, sizeof(right), " %s", units_duration(length_ns, length, sizeof(length)));
	column = grid_right(args->grid, &args->box, 0, 1, 9, STYLE_BOLD, left);
	columns = args->box.columns - column - (uint32_t)strlen(right) - 3;
	grid_put(args->grid, &args->box, 0, column, '[', STYLE_PLAIN);
	here = passed_ns >= length_ns ? columns - 1
				      : (uint32_t)((double)passed_ns / (double)length_ns * columns);
	for (uint32_t i = 0; i < columns; i++) {
		bool fails = fails_at(play, i, columns);
		uint32_t rune = fails ? '!' : i == here ? 'O' : i < here ? '=' : '-';

		grid_put(args->grid, &args->box, 0, column + 1 + i, rune,
			 i == here ? STYLE_REVERSE
			 : fails   ? STYLE_ALARM | STYLE_BOLD
				   : STYLE_PLAIN);
	}
	grid_put(args->grid, &args->box, 0, column + 1 + columns, ']', STYLE_PLAIN);
	grid_text(args->grid, &args->box, 0, column + 2 + columns, STYLE_PLAIN, right);
}

/* ---- trust -------------------------------------------------------------------------------- */

void pane_trust(const struct pane_args *args)
{
	struct trust_line line;
	uint32_t column = 1;

	trust_layout(&args->model->from.trust, args->box.columns - 2, &line);
	for (uint32_t i = 0; i < line.count; i++) {
		const struct trust_item *item = &line.items[i];

		if (item->gap == 3)
			grid_put(args->grid, &args->box, 0, column + 1, '|', STYLE_FREE);
		column = grid_text(args->grid, &args->box, 0, column + item->gap,
				   item->alarm ? STYLE_ALARM | STYLE_REVERSE : STYLE_PLAIN,
				   item->text);
	}
}

/* ---- keys --------------------------------------------------------------------------------- */

static const char *question(enum prompt prompt)
{
	static const char *const questions[] = {
		[PROMPT_FILTER] = "filter (empty: all): ",
		[PROMPT_FIND] = "find area: ",
		[PROMPT_GOTO] = "go to address: ",
		[PROMPT_TIME] = "go to time (90s, 5m): ",
		[PROMPT_FIT] = "would it fit, size: ",
		[PROMPT_WRITE] = "write to (NAME.vmt, or NAME.txt): ",
	};

	return questions[prompt];
}

static void put_prompt(const struct pane_args *args)
{
	const struct state *state = args->state;
	const char *text = state->line;
	uint32_t column, room;

	if (state->prompt == PROMPT_OVERWRITE) {
		grid_printf(args->grid, &args->box, 0, 1, STYLE_ALARM | STYLE_BOLD,
			    "'%s' exists: overwrite it? y/n", state->line);
		return;
	}
	column = grid_text(args->grid, &args->box, 0, 1, STYLE_BOLD, question(state->prompt));
	room = args->box.columns > column + 2 ? args->box.columns - column - 2 : 1;
	if (state->line_len > room)
		text += state->line_len - room;
	column = grid_text(args->grid, &args->box, 0, column, STYLE_PLAIN, text);
	grid_put(args->grid, &args->box, 0, column, '_', STYLE_REVERSE);
}

void pane_keys(const struct pane_args *args)
{
	static const char live[] =
		"q quit  ? help  Tab pane  Enter detail  m map  / filter  p pause  "
		"d mark  1-9 would it fit  w write  b group  s sort";
	static const char replay[] =
		"q quit  ? help  Space play  . step  x next failure  < > speed  "
		"t time  Tab pane  Enter detail  m map  / filter";
	static const char on_map[] =
		"q quit  ? help  arrows move  + - zoom  [ ] areas  Enter detail  "
		"* follow  g go to  m back to the list";
	const struct state *state = args->state;
	const char *text = args->model->play.on ? replay : live;

	if (state->prompt) {
		put_prompt(args);
		return;
	}
	if (state->message[0]) {
		grid_field(args->grid, &args->box, 0, 1, args->box.columns - 1,
			   state->alarm ? STYLE_ALARM | STYLE_BOLD : STYLE_BOLD, state->message);
		return;
	}
	if (state->on_map)
		text = on_map;
	/* Whole keys only. */
	for (uint32_t column = 1; *text;) {
		const char *end = strstr(text, "  ");
		uint32_t len = end ? (uint32_t)(end - text) : (uint32_t)strlen(text);

		if (column + len > args->box.columns)
			break;
		grid_printf(args->grid, &args->box, 0, column, STYLE_FREE, "%.*s", (int)len, text);
		column += len + 2;
		text += end ? len + 2 : len;
	}
}
