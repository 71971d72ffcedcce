/* SPDX-License-Identifier: GPL-2.0-only */
/* What keys ask for that needs the map: jumps, following, questions. Pure but for state. */
#ifndef VMTRACE_SCREEN_ACTIONS_H
#define VMTRACE_SCREEN_ACTIONS_H

#include <stdbool.h>

#include "screen/keys.h"
#include "screen/model.h"
#include "screen/state.h"

/* What was typed, compiled: set by ACTION_FILTER and ACTION_FIND. Zeroed before its first use. */
struct actions {
	struct filter *filter;
	struct filter *find;
};

void actions_release(struct actions *actions);

/* Does what action asks for, in the map that the model shows, and says what came of it. False: it
 * is not one of those that need no more than that. */
bool actions_do(struct actions *actions, enum action action, struct state *state,
		const struct model *model);

#endif
