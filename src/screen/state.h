/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the person at the screen has chosen: pane, order, selection, window of the map, texts typed.
 * It holds no data of the map: a selection is an address or an owner's id, so it stays with its
 * thing when rows move, the terminal is resized or a recording is played back and forth.
 */
#ifndef VMTRACE_SCREEN_STATE_H
#define VMTRACE_SCREEN_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "space/owners.h"

#define STATE_LINE 240u

enum pane {
	PANE_OWNERS = 0,
	PANE_HOLES,
	PANE_LEAKS,
	PANE_FAILURES,
	PANE_EVENTS,
	PANE_DIFF,
	PANE_DETAIL,
	PANE_COUNT
};

/* What is being typed. */
enum prompt {
	PROMPT_NONE = 0,
	PROMPT_FILTER,
	PROMPT_FIND,
	PROMPT_GOTO,
	PROMPT_TIME,
	PROMPT_FIT,
	PROMPT_WRITE,
	PROMPT_OVERWRITE, /* y or n; the name stands in line */
};

/* What the detail pane is about. */
enum detail {
	DETAIL_AREA = 0, /* under the map's cursor */
	DETAIL_OWNER,
	DETAIL_HOLE,
	DETAIL_LEAK,
	DETAIL_FAILURE,
	DETAIL_EVENT,
	DETAIL_FIT,
};

/* Where one is in a list. */
struct selection {
	uint64_t id VMT_ALIGNED8;     /* of the row selected; 0 = none was: the first row */
	uint64_t row_id VMT_ALIGNED8; /* of the row that is marked, chosen or not */
	uint32_t index;               /* where that row is now */
	uint32_t top;                 /* the first row shown */
	bool moved; /* a key has changed index: the row there is the selected one */
};

struct state {
	enum pane pane;
	enum pane before; /* detail: where Esc goes back to */
	bool on_map;      /* arrows move the map's cursor */
	bool paused;      /* what is shown stands still; replay: so does the play */
	bool help;
	uint32_t help_top;
	enum owners_by by;
	enum owners_sort sort;
	bool by_growth; /* sorted by it instead */
	bool reverse;
	struct selection selections[PANE_COUNT];
	/* the map */
	uint32_t cursor; /* address, 0 = not set yet */
	uint32_t zoom;   /* 0 = the whole space, each step twice as near */
	uint32_t pan;    /* page with which the window begins */
	bool recenter;   /* the window is to be laid around the cursor */
	bool following;
	uint64_t follow_id VMT_ALIGNED8; /* owner, as state_owner_id */
	enum owners_by follow_by;
	/* the detail */
	enum detail detail;
	uint64_t detail_id VMT_ALIGNED8;
	enum owners_by detail_by;
	uint32_t fit_bytes;
	/* what is typed */
	enum prompt prompt;
	uint32_t line_len;
	char line[STATE_LINE];
	char filter[STATE_LINE]; /* those in force, "" = none */
	char find[STATE_LINE];
	char message[STATE_LINE]; /* until the next key */
	bool alarm;               /* ... it tells of an error */
	double speed;             /* replay: N x; 0 = as fast as it goes */
};

void state_init(struct state *state);

/* An owner by label and stack, as struct owner has them. */
static inline uint64_t state_owner_id(uint32_t name_id, uint32_t stack_id)
{
	return (uint64_t)name_id << 32 | stack_id;
}

/*
 * Brings a selection in line with a list of count rows, of which `rows` are shown: finds the
 * selected row again, or takes the one that a key went to. first_stays: while nothing is selected
 * by hand the first row is, whatever it is. id_at: of row i.
 */
void state_settle(struct selection *sel, uint32_t count, uint32_t rows, bool first_stays,
		  uint64_t (*id_at)(const void *list, uint32_t i), const void *list);

/* A message for the person, shown until the next key. */
void state_say(struct state *state, bool alarm, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
