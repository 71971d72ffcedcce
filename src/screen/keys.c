// SPDX-License-Identifier: GPL-2.0-only
#include "screen/keys.h"

#include <stdio.h>
#include <string.h>

#define MAX_SPEED 1024.0
#define MIN_SPEED 0.125
#define HELP_PAGE 12u

static const struct keys_help help[] = {
	{ NULL, "EVERYWHERE" },
	{ "q  Ctrl-C", "quit; what was seen is summed up in words" },
	{ "?", "this help; any key leaves it" },
	{ "p", "pause: what is shown stands still, capture goes on" },
	{ "Tab  Shift-Tab", "the next pane, the one before" },
	{ "o h l f e D", "owners, holes, leaks, failures, events, diff to the mark" },
	{ "Up Down PgUp PgDn", "select a row;  Home End: the first, the last" },
	{ "Enter", "detail: full stack, task, age, history;  Esc: back" },
	{ "Ctrl-L  Ctrl-Z", "draw everything anew;  suspend ('fg' comes back)" },
	{ NULL, "OWNERS" },
	{ "b", "group by function, stack, module, kind, task" },
	{ "s  S", "sort by size, areas, growth, guard, age;  S: reversed" },
	{ "*", "follow: marks the owner's areas on the map; again: not" },
	{ "d  D", "set a mark;  D: who holds more or less than then" },
	{ NULL, "MAP" },
	{ "m", "arrows move the cursor of the map; again: the list" },
	{ "+  -  0", "zoom in, to single pages;  out;  the whole space" },
	{ "[  ]", "the area before, the next one" },
	{ "g", "go to an address" },
	{ NULL, "FIND" },
	{ "/", "filter: mod=foo size>=1M age>10m stack~bar kind=ioremap" },
	{ "F  n  N", "find an area like that;  the next one, the one before" },
	{ "1 .. 9", "would 1M 2M 4M 8M 16M 32M 64M 128M 256M fit, who is" },
	{ "", "in the way?  =: any size" },
	{ "w", "NAME.vmt: record from now on (w ends it), replay: this" },
	{ "", "moment;  NAME.txt: the map in words" },
	{ NULL, "REPLAY" },
	{ "Space", "play, stop;  live: as p" },
	{ ".  ,", "the next change;  one interval back" },
	{ "x  X", "to the next failure;  to the one before" },
	{ "<  >", "half as fast;  twice as fast" },
	{ "(  )  t", "a twentieth back, on;  go to a time (90s, 5m)" },
	{ NULL, "SIGNS" },
	{ "# % ~ . |", "used, partly used, lazy (freed, not purged yet), free," },
	{ "", "guard page" },
	{ "! * @ ? [", "leak, followed, vmtrace's own, unknown, begin of an area" },
	{ "~7.2M", "events were lost: uncertain until the map is read anew" },
};

const struct keys_help *keys_help(uint32_t *count)
{
	*count = sizeof(help) / sizeof(help[0]);
	return help;
}

uint32_t keys_fit_bytes(uint32_t digit)
{
	return digit >= 1 && digit <= 9 ? 1u << (19 + digit) : 0;
}

/* ---- typing ------------------------------------------------------------------------------- */

static enum action ask(struct state *state, enum prompt prompt, const char *line)
{
	state->prompt = prompt;
	snprintf(state->line, sizeof(state->line), "%s", line);
	state->line_len = (uint32_t)strlen(state->line);
	return ACTION_DRAW;
}

static enum action typed(struct state *state)
{
	static const enum action actions[] = {
		[PROMPT_FILTER] = ACTION_FILTER, [PROMPT_FIND] = ACTION_FIND,
		[PROMPT_GOTO] = ACTION_GOTO,     [PROMPT_TIME] = ACTION_TIME,
		[PROMPT_FIT] = ACTION_FIT,       [PROMPT_WRITE] = ACTION_WRITE,
	};
	enum action action = actions[state->prompt];
	bool empty_means = state->prompt == PROMPT_FILTER || state->prompt == PROMPT_FIND;

	state->prompt = PROMPT_NONE;
	return state->line_len || empty_means ? action : ACTION_DRAW;
}

static enum action press_in_prompt(struct state *state, uint32_t key)
{
	if (state->prompt == PROMPT_OVERWRITE) {
		state->prompt = PROMPT_NONE;
		if (key == 'y' || key == 'Y')
			return ACTION_OVERWRITE;
		state_say(state, false, "nothing was written");
		return ACTION_DRAW;
	}
	if (key == KEYS_ENTER)
		return typed(state);
	if (key == KEYS_ESC || key == KEYS_CTRL_C)
		state->prompt = PROMPT_NONE;
	else if (key == KEYS_BACKSPACE && state->line_len)
		state->line[--state->line_len] = '\0';
	else if (key == KEYS_CTRL_U)
		state->line[state->line_len = 0] = '\0';
	else if (key >= ' ' && key <= '~' && state->line_len + 1 < sizeof(state->line)) {
		state->line[state->line_len++] = (char)key;
		state->line[state->line_len] = '\0';
	} else if (key != KEYS_BACKSPACE)
		return ACTION_NONE;
	return ACTION_DRAW;
}

/* ---- lists -------------------------------------------------------------------------------- */

static enum action to_pane(struct state *state, enum pane pane)
{
	state->on_map = false;
	if (pane == PANE_DETAIL && state->pane != PANE_DETAIL)
		state->before = state->pane;
	state->pane = pane;
	return ACTION_DRAW;
}

/* Detail has its place in the round only while there is one to go back from. */
static enum action next_pane(struct state *state, uint32_t step)
{
	enum pane pane = state->pane == PANE_DETAIL ? state->before : state->pane;

	return to_pane(state, (enum pane)((pane + step) % PANE_DETAIL));
}

static enum action move_list(struct state *state, const struct keys_context *context, uint32_t key)
{
	struct selection *sel = &state->selections[state->pane];
	uint32_t page = context->list_rows > 1 ? context->list_rows - 1 : 1;
	uint32_t index = sel->index;

	switch (key) {
	case KEYS_UP:
		index -= index > 0;
		break;
	case KEYS_DOWN:
		index++;
		break;
	case KEYS_PAGE_UP:
		index = index > page ? index - page : 0;
		break;
	case KEYS_PAGE_DOWN:
		index += page;
		break;
	case KEYS_HOME:
		index = 0;
		break;
	case KEYS_END:
		index = UINT32_MAX / 2;
		break;
	default:
		return ACTION_NONE;
	}
	sel->index = index;
	sel->moved = true;
	return ACTION_DRAW;
}

/* ---- the map ------------------------------------------------------------------------------ */

static void move_cursor(struct state *state, const struct keys_context *context, int64_t bytes)
{
	uint32_t cell = context->cell_bytes ? context->cell_bytes : VMT_PAGE_SIZE;
	int64_t at = (int64_t)state->cursor - context->start + bytes;
	int64_t last = (int64_t)context->end - context->start - VMT_PAGE_SIZE;

	if (at < 0)
		at = 0;
	if (at > last)
		at = last;
	state->cursor = context->start + (uint32_t)at / cell * cell;
}

static enum action move_map(struct state *state, const struct keys_context *context, uint32_t key)
{
	int64_t row = context->row_bytes, page = row * (context->map_rows ? context->map_rows : 1);

	switch (key) {
	case KEYS_LEFT:
		move_cursor(state, context, -(int64_t)context->cell_bytes);
		break;
	case KEYS_RIGHT:
		move_cursor(state, context, context->cell_bytes);
		break;
	case KEYS_UP:
		move_cursor(state, context, -row);
		break;
	case KEYS_DOWN:
		move_cursor(state, context, row);
		break;
	case KEYS_PAGE_UP:
		move_cursor(state, context, -page);
		break;
	case KEYS_PAGE_DOWN:
		move_cursor(state, context, page);
		break;
	case KEYS_HOME:
		move_cursor(state, context, INT32_MIN * 2ll);
		break;
	case KEYS_END:
		move_cursor(state, context, INT32_MAX * 2ll);
		break;
	default:
		return ACTION_NONE;
	}
	return ACTION_DRAW;
}

static enum action zoom(struct state *state, const struct keys_context *context, uint32_t key)
{
	if (key == '0')
		state->zoom = 0;
	else if (key == '-')
		state->zoom -= state->zoom > 0;
	else if (context->cell_bytes > VMT_PAGE_SIZE)
		state->zoom++;
	state->recenter = true;
	state->on_map = true;
	return ACTION_DRAW;
}

/* ---- the rest ----------------------------------------------------------------------------- */

static enum action enter(struct state *state)
{
	static const enum detail details[] = {
		[PANE_OWNERS] = DETAIL_OWNER, [PANE_HOLES] = DETAIL_HOLE,
		[PANE_LEAKS] = DETAIL_LEAK,   [PANE_FAILURES] = DETAIL_FAILURE,
		[PANE_EVENTS] = DETAIL_EVENT, [PANE_DIFF] = DETAIL_OWNER,
	};
	bool on_map = state->on_map;

	if (state->pane == PANE_DETAIL && !on_map)
		return ACTION_NONE;
	state->detail = on_map ? DETAIL_AREA : details[state->pane];
	state->detail_id = on_map ? 0 : state->selections[state->pane].row_id;
	state->detail_by = state->by;
	state->selections[PANE_DETAIL] = (struct selection){ 0 };
	to_pane(state, PANE_DETAIL);
	state->on_map = on_map;
	return ACTION_DRAW;
}

static enum action leave(struct state *state)
{
	if (state->pane == PANE_DETAIL)
		state->pane = state->before;
	else if (state->on_map)
		state->on_map = false;
	else if (state->filter[0])
		return ask(state, PROMPT_NONE, ""), ACTION_FILTER;
	else
		return ACTION_NONE;
	return ACTION_DRAW;
}

static enum action sort(struct state *state)
{
	static const enum owners_sort order[] = { OWNERS_SORT_BYTES, OWNERS_SORT_COUNT,
						  OWNERS_SORT_GUARD, OWNERS_SORT_AGE };
	uint32_t i = 0, count = sizeof(order) / sizeof(order[0]);

	state->pane = PANE_OWNERS;
	/* size, areas, growth, guard, age */
	if (state->by_growth) {
		state->by_growth = false;
		state->sort = OWNERS_SORT_GUARD;
		return ACTION_DRAW;
	}
	if (state->sort == OWNERS_SORT_COUNT) {
		state->by_growth = true;
		return ACTION_DRAW;
	}
	while (i < count && order[i] != state->sort)
		i++;
	state->sort = order[(i + 1) % count];
	return ACTION_DRAW;
}

static enum action group(struct state *state)
{
	static const enum owners_by next[] = {
		[OWNERS_BY_CALLER] = OWNERS_BY_STACK, [OWNERS_BY_STACK] = OWNERS_BY_MODULE,
		[OWNERS_BY_MODULE] = OWNERS_BY_KIND,  [OWNERS_BY_KIND] = OWNERS_BY_COMM,
		[OWNERS_BY_COMM] = OWNERS_BY_CALLER,
	};

	state->by = next[state->by];
	if (state->pane != PANE_DIFF)
		state->pane = PANE_OWNERS;
	state->selections[PANE_OWNERS] = (struct selection){ 0 };
	state->selections[PANE_DIFF] = (struct selection){ 0 };
	return ACTION_DRAW;
}

static enum action press_for_pane(struct state *state, uint32_t key)
{
	switch (key) {
	case 'o':
		return to_pane(state, PANE_OWNERS);
	case 'h':
		return to_pane(state, PANE_HOLES);
	case 'l':
		return to_pane(state, PANE_LEAKS);
	case 'f':
		return to_pane(state, PANE_FAILURES);
	case 'e':
		return to_pane(state, PANE_EVENTS);
	case 'D':
		return to_pane(state, PANE_DIFF);
	case KEYS_TAB:
		return next_pane(state, 1);
	case KEYS_BACKTAB:
		return next_pane(state, PANE_DETAIL - 1);
	case KEYS_ENTER:
		return enter(state);
	case KEYS_ESC:
		return leave(state);
	case 's':
		return sort(state);
	case 'S':
		state->reverse = !state->reverse;
		return ACTION_DRAW;
	case 'b':
		return group(state);
	case 'd':
		return ACTION_MARK;
	case '*':
		return ACTION_FOLLOW;
	default:
		return ACTION_NONE;
	}
}

static enum action speed(struct state *state, double factor)
{
	double next = state->speed * factor;

	if (next >= MIN_SPEED && next <= MAX_SPEED)
		state->speed = next;
	return ACTION_DRAW;
}

static enum action press_for_replay(struct state *state, uint32_t key)
{
	switch (key) {
	case '.':
		return ACTION_STEP;
	case ',':
		return ACTION_STEP_BACK;
	case 'x':
		return ACTION_FAIL_NEXT;
	case 'X':
		return ACTION_FAIL_BACK;
	case '<':
		return speed(state, 0.5);
	case '>':
		return speed(state, 2);
	case '(':
		return ACTION_BACKWARD;
	case ')':
		return ACTION_FORWARD;
	case 't':
		return ask(state, PROMPT_TIME, "");
	default:
		return ACTION_NONE;
	}
}

static enum action press_for_map(struct state *state, const struct keys_context *context,
				 uint32_t key)
{
	switch (key) {
	case 'm':
		state->on_map = !state->on_map;
		return ACTION_DRAW;
	case '+':
	case '-':
	case '0':
		return zoom(state, context, key);
	case '[':
		return ACTION_AREA_BACK;
	case ']':
		return ACTION_AREA_NEXT;
	case 'g':
		return ask(state, PROMPT_GOTO, "");
	default:
		return state->on_map ? move_map(state, context, key)
				     : move_list(state, context, key);
	}
}

static enum action press_for_all(struct state *state, const struct keys_context *context,
				 uint32_t key)
{
	switch (key) {
	case 'q':
	case KEYS_CTRL_C:
		return ACTION_QUIT;
	case KEYS_CTRL_L:
		return ACTION_REDRAW;
	case '?':
		state->help = true;
		state->help_top = 0;
		return ACTION_DRAW;
	case 'p':
	case ' ':
		state->paused = !state->paused;
		return ACTION_PAUSE;
	case '/':
		return ask(state, PROMPT_FILTER, state->filter);
	case 'F':
		return ask(state, PROMPT_FIND, state->find);
	case 'n':
		return ACTION_FIND_NEXT;
	case 'N':
		return ACTION_FIND_BACK;
	case '=':
		return ask(state, PROMPT_FIT, "");
	case 'w':
		return context->recording ? ACTION_WRITE_STOP : ask(state, PROMPT_WRITE, "");
	default:
		break;
	}
	if (key < '1' || key > '9')
		return ACTION_NONE;
	snprintf(state->line, sizeof(state->line), "%u", keys_fit_bytes(key - '0'));
	return ACTION_FIT;
}

static enum action press_in_help(struct state *state, const struct keys_context *context,
				 uint32_t key)
{
	uint32_t back = state->help_top < HELP_PAGE ? state->help_top : HELP_PAGE;

	if (key == KEYS_CTRL_C)
		return ACTION_QUIT;
	if (key == KEYS_DOWN || key == KEYS_PAGE_DOWN || key == ' ')
		state->help_top += key == KEYS_DOWN ? 1 : HELP_PAGE;
	else if (key == KEYS_UP || key == KEYS_PAGE_UP)
		state->help_top -= key == KEYS_UP ? state->help_top > 0 : back;
	else
		state->help = false;
	if (state->help_top > context->help_rows)
		state->help_top = context->help_rows;
	return ACTION_DRAW;
}

enum action keys_press(struct state *state, const struct keys_context *context, uint32_t key)
{
	enum action action;

	state->message[0] = '\0';
	state->alarm = false;
	if (!state->cursor)
		state->cursor = context->start;
	if (state->prompt)
		return press_in_prompt(state, key);
	if (state->help)
		return press_in_help(state, context, key);
	action = press_for_all(state, context, key);
	if (action == ACTION_NONE)
		action = press_for_pane(state, key);
	if (action == ACTION_NONE && context->replay)
		action = press_for_replay(state, key);
	return action == ACTION_NONE ? press_for_map(state, context, key) : action;
}
