// SPDX-License-Identifier: GPL-2.0-only
#include "screen/state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void state_init(struct state *state)
{
	memset(state, 0, sizeof(*state));
	state->speed = 1;
}

void state_say(struct state *state, bool alarm, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(state->message, sizeof(state->message), format, args);
	va_end(args);
	state->alarm = alarm;
}

static void find_again(struct selection *sel, uint32_t count,
		       uint64_t (*id_at)(const void *list, uint32_t i), const void *list)
{
	for (uint32_t i = 0; i < count; i++) {
		if (id_at(list, i) == sel->id) {
			sel->index = i;
			return;
		}
	}
	/* It is gone: what has come to its place is selected. */
	if (sel->index >= count)
		sel->index = count - 1;
	sel->id = id_at(list, sel->index);
}

void state_settle(struct selection *sel, uint32_t count, uint32_t rows, bool first_stays,
		  uint64_t (*id_at)(const void *list, uint32_t i), const void *list)
{
	if (!count) {
		sel->index = sel->top = 0;
		sel->row_id = 0;
		sel->moved = false;
		return;
	}
	if (sel->moved) {
		if (sel->index >= count)
			sel->index = count - 1;
		sel->id = first_stays && !sel->index ? 0 : id_at(list, sel->index);
	} else if (sel->id) {
		find_again(sel, count, id_at, list);
	} else {
		sel->index = 0;
	}
	sel->moved = false;
	sel->row_id = id_at(list, sel->index);
	if (!rows)
		rows = 1;
	if (sel->top + rows > count)
		sel->top = count > rows ? count - rows : 0;
	if (sel->index < sel->top)
		sel->top = sel->index;
	if (sel->index >= sel->top + rows)
		sel->top = sel->index - rows + 1;
}
