/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keys: what each does to the state, and what is left to be done by whoever has the data. Pure. The
 * help (help.h) is made of the same table, so no key is without its line there.
 */
#ifndef VMTRACE_SCREEN_KEYS_H
#define VMTRACE_SCREEN_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "screen/state.h"

/* Keys that are no character; the terminal translates to these. */
enum key {
	KEYS_CTRL_C = 3,
	KEYS_TAB = 9,
	KEYS_ENTER = 13,
	KEYS_CTRL_L = 12,
	KEYS_CTRL_U = 21,
	KEYS_ESC = 27,
	KEYS_BACKSPACE = 127,
	KEYS_UP = 256,
	KEYS_DOWN,
	KEYS_LEFT,
	KEYS_RIGHT,
	KEYS_PAGE_UP,
	KEYS_PAGE_DOWN,
	KEYS_HOME,
	KEYS_END,
	KEYS_BACKTAB,
};

/* What the key asks for beyond the state; the texts are in state->line. */
enum action {
	ACTION_NONE = 0, /* nothing has changed */
	ACTION_DRAW,     /* the state has changed */
	ACTION_QUIT,
	ACTION_REDRAW, /* everything, since the terminal may show something else */
	ACTION_PAUSE,  /* state->paused was switched */
	ACTION_FILTER, /* line is a new filter */
	ACTION_FIND,   /* line is a new expression to look for */
	ACTION_FIND_NEXT,
	ACTION_FIND_BACK,
	ACTION_AREA_NEXT, /* the cursor to the next area */
	ACTION_AREA_BACK,
	ACTION_GOTO, /* line is an address */
	ACTION_FIT,  /* line is a size */
	ACTION_MARK,
	ACTION_FOLLOW,     /* the owner selected, or that of the area under the cursor */
	ACTION_WRITE,      /* line is a file's name */
	ACTION_OVERWRITE,  /* ... and it may be overwritten */
	ACTION_WRITE_STOP, /* w while a recording is being written */
	/* replay */
	ACTION_STEP,
	ACTION_STEP_BACK,
	ACTION_FAIL_NEXT,
	ACTION_FAIL_BACK,
	ACTION_TIME,    /* line is a time */
	ACTION_FORWARD, /* by a twentieth of the recording */
	ACTION_BACKWARD,
};

/* What a key has to know of what is shown. */
struct keys_context {
	uint32_t start; /* of the space */
	uint32_t end;
	uint32_t cell_bytes; /* of the map */
	uint32_t row_bytes;
	uint32_t map_rows;
	uint32_t list_rows; /* of the pane */
	uint32_t help_rows; /* that the help has too many for the screen */
	bool replay;
	bool recording; /* a recording is being written from the screen */
};

enum action keys_press(struct state *state, const struct keys_context *context, uint32_t key);

/* What the help says: a row for each key. */
struct keys_help {
	const char *keys; /* NULL: text is a heading */
	const char *text;
};
const struct keys_help *keys_help(uint32_t *count);

/* Sizes that the keys 1 to 9 ask for. */
uint32_t keys_fit_bytes(uint32_t digit);

#endif
