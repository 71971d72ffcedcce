/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The screen of a session that is watched: evidence collected while events pass, a frame when one
 * is due, and what keys ask for. live_screen and replay_screen drive it, each with its own source
 * and clock.
 *
 * Nothing here waits for the terminal (screen/term.h), so capture goes on whatever that does.
 */
#ifndef VMTRACE_CMD_SCREEN_H
#define VMTRACE_CMD_SCREEN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "cmd/options.h"
#include "cmd/recorder.h"
#include "cmd/watch.h"
#include "screen/actions.h"
#include "screen/keys.h"
#include "screen/layout.h"
#include "screen/model.h"
#include "screen/state.h"
#include "screen/term.h"
#include "space/growth.h"
#include "space/leaks.h"
#include "space/mark.h"
#include "space/tail.h"
#include "view/trust.h"

#define SCREEN_MESSAGES 32u
#define SCREEN_MESSAGE  256u

/* Lines that were logged while the screen covered the terminal. */
struct screen_messages {
	pthread_mutex_t lock;
	char lines[SCREEN_MESSAGES][SCREEN_MESSAGE];
	uint32_t count; /* in all */
	uint32_t said;  /* that have been shown */
};

/* What stands still while it is paused. */
struct screen_frozen {
	struct mark *mark;
	struct space_counters counters;
	struct view_facts facts;
	uint64_t last_event VMT_ALIGNED8; /* number in the tail */
};

struct screen {
	struct watch *watch;
	const struct options *options;
	struct term *term; /* NULL: not open */
	struct state state;
	struct layout layout;
	struct model model;
	struct actions actions;
	struct screen_messages messages;
	/* evidence */
	struct leaks *leaks;
	struct leaks_report report;
	uint64_t report_ns VMT_ALIGNED8;       /* when it was made, by the clock of the frames */
	uint64_t report_after_ns VMT_ALIGNED8; /* no other one before, by the machine's clock */
	bool reported;
	struct tail *tail;
	struct growth *growth;
	struct mark *mark;
	struct screen_frozen frozen;
	/* the frame */
	struct view_facts facts;
	uint64_t events VMT_ALIGNED8; /* that tell of something: no stacks, no times */
	struct trust_rate events_rate, cpu_rate;
	uint64_t frame_ns VMT_ALIGNED8; /* the last one's time */
	bool changed;                   /* the map has, since then */
	bool dirty;                     /* the state has, or the size */
	bool anew;                      /* all of it is to be drawn */
	bool built;                     /* the model can be drawn */
	/* w */
	struct recorder *recorder;
	struct options recorder_options;
	char recorder_path[STATE_LINE];
};

/* True if stdout (or, with --json, the terminal) is to show the screen: it can, and nobody wants it
 * otherwise. Says in a note why not where a person may have expected it. */
bool screen_is_wanted(const struct options *options);

/* Zeroes it and ties it to the watch, whose events it is to see from the first on. */
void screen_init(struct screen *screen, struct watch *watch, const struct options *options);

/* To be called for each event, before and after the model took it. 0 or -ENOMEM. */
int screen_before(struct screen *screen, const struct event *event);
int screen_after(struct screen *screen, const struct event *event);

/* The map begins anew (replay goes back): evidence is dropped, what the person chose stays. */
void screen_forget(struct screen *screen);

/* Takes the terminal. 0, or -errno with a message. */
int screen_open(struct screen *screen);
/* Gives it back, and prints what was logged meanwhile. Legal if it is not open. */
void screen_close(struct screen *screen);
void screen_release(struct screen *screen);

/* Takes a key, and does what it asks for as far as that needs no more than the map. Returns what is
 * left to be done; ACTION_NONE: nothing; *any false: there was no key. */
enum action screen_input(struct screen *screen, bool *any);

/* Shows the map as of now_ns, if anything has changed since the last frame, the clock included.
 * wall_ns: the clock, for rates. */
void screen_frame(struct screen *screen, uint64_t now_ns, uint64_t wall_ns);

/* ACTION_WRITE and what belongs to it, in live (a recording from now on) and in replay (this moment
 * alone). */
void screen_write(struct screen *screen, enum action action);
/* The recording begun by w, if any: takes the event; is looked after. */
void screen_record(struct screen *screen, const struct event *event);
void screen_record_tick(struct screen *screen, uint64_t now_ns);

#endif
