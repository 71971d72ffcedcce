/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The terminal: shows grids and tells of keys. A thread of its own (the painter) has it to itself,
 * so that a terminal that does not take its bytes (a slow serial line, Ctrl-S, a stopped tmux)
 * holds up nobody else: only the newest grid is kept for it, older ones are dropped unseen.
 *
 * Whatever ends vmtrace, the terminal is left as it was: also a crash, a second Ctrl-C, and Ctrl-Z,
 * after which it comes back. A build without ncursesw has these functions too; term_open says so.
 */
#ifndef VMTRACE_SCREEN_TERM_H
#define VMTRACE_SCREEN_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "screen/grid.h"

struct term;

enum term_input_type {
	TERM_NOTHING = 0,
	TERM_KEY,     /* enum key, or a character */
	TERM_RESIZED, /* term_size tells */
	TERM_CLOSED,  /* the terminal has gone: nothing will come any more */
};

struct term_input {
	uint32_t type;
	uint32_t key;
};

/* 0 if term_open would succeed, as far as can be told without touching the terminal; else as it. */
int term_check(char *why, size_t why_len);

/* Takes the controlling terminal, with or without colours. 0; -ENOTTY: there is none; -ENOTSUP: it
 * cannot do what is needed; -ENOSYS: not built in; -ENOMEM, -errno; and why in words. */
int term_open(bool color, struct term **term, char *why, size_t why_len);

/* Leaves the terminal as it was. Waits a moment for a painter that is stuck, not for ever. NULL is
 * legal. */
void term_close(struct term *term);

/* Async-signal-safe: what restores the terminal, at once. */
void term_abort(void);

/* The grid becomes the terminal's. anew: everything is to be drawn, not only what has changed. */
void term_show(struct term *term, struct grid *grid, bool anew);

/* True if something is there to be read; never waits. term_wait waits up to timeout_ms for it. */
bool term_pending(struct term *term);
void term_wait(struct term *term, unsigned int timeout_ms);
/* The next input; type TERM_NOTHING if there is none. Never waits. */
struct term_input term_read(struct term *term);

void term_size(const struct term *term, uint32_t *rows, uint32_t *columns);
/* The locale takes UTF-8. */
bool term_utf8(const struct term *term);

#endif
