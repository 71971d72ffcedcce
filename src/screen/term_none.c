// SPDX-License-Identifier: GPL-2.0-only
/* In place of term.c where there is no ncursesw. */
#include "screen/term.h"

#include <errno.h>
#include <stdio.h>

int term_check(char *why, size_t why_len)
{
	snprintf(why, why_len, "this vmtrace was built without ncursesw");
	return -ENOSYS;
}

int term_open(bool color, struct term **term, char *why, size_t why_len)
{
	(void)color;
	*term = NULL;
	return term_check(why, why_len);
}

void term_close(struct term *term)
{
	(void)term;
}

void term_abort(void)
{
}

void term_show(struct term *term, struct grid *grid, bool anew)
{
	(void)term;
	(void)anew;
	grid_free(grid);
}

bool term_pending(struct term *term)
{
	(void)term;
	return false;
}

void term_wait(struct term *term, unsigned int timeout_ms)
{
	(void)term;
	(void)timeout_ms;
}

struct term_input term_read(struct term *term)
{
	(void)term;
	return (struct term_input){ .type = TERM_CLOSED };
}

void term_size(const struct term *term, uint32_t *rows, uint32_t *columns)
{
	(void)term;
	*rows = *columns = 0;
}

bool term_utf8(const struct term *term)
{
	(void)term;
	return false;
}
