// SPDX-License-Identifier: GPL-2.0-only
#include "screen/actions.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "units.h"
#include "view/text_util.h"

void actions_release(struct actions *actions)
{
	filter_free(actions->filter);
	filter_free(actions->find);
	*actions = (struct actions){ 0 };
}

/* ---- expressions -------------------------------------------------------------------------- */

/* Compiles what was typed in place of *filter; what is wrong is said. */
static bool compile(struct state *state, struct filter **filter, char *text, size_t len)
{
	struct filter_error error;
	struct filter *new;
	int err = filter_compile(state->line, &new, &error);

	if (err) {
		state_say(state, true, "%s (at %" PRIu32 ")",
			  err == -EINVAL ? error.why : strerror(-err), error.at + 1);
		return false;
	}
	filter_free(*filter);
	*filter = new;
	snprintf(text, len, "%s", state->line);
	return true;
}

static void set_filter(struct actions *actions, struct state *state)
{
	if (!compile(state, &actions->filter, state->filter, sizeof(state->filter)))
		return;
	state->selections[PANE_OWNERS] = (struct selection){ 0 };
	state->selections[PANE_EVENTS] = (struct selection){ 0 };
	if (state->filter[0])
		state_say(state, false, "owners and events are filtered; n and N go to the areas");
}

/* ---- jumps -------------------------------------------------------------------------------- */

static void jump(struct state *state, uint32_t address)
{
	state->cursor = address;
	state->recenter = state->zoom > 0;
}

/* The used or lazy area before address, NULL if there is none. */
static const struct area *area_before(const struct space *space, uint32_t address)
{
	const struct area *last = NULL, *area = space_first(space, space_start(space));

	for (; area && area->start < address; area = space_first(space, area->end))
		last = area;
	return last;
}

static const struct area *area_after(const struct space *space, uint32_t address)
{
	return address < UINT32_MAX ? space_first(space, address + 1) : NULL;
}

static void next_area(struct state *state, const struct model *model, bool back)
{
	const struct space *space = model->from.view.space;
	const struct area *at = space_area_at(space, state->cursor);
	const struct area *area = back ? area_before(space, at ? at->start : state->cursor)
				       : area_after(space, state->cursor);

	if (area)
		jump(state, area->start);
	else
		state_say(state, false, back ? "no area lies before" : "no area lies behind");
}

static void find(struct actions *actions, struct state *state, const struct model *model, bool back)
{
	const struct filter *filter = state->find[0] ? actions->find : actions->filter;
	const struct view *view = &model->from.view;
	struct filter_base base = { view->names, view->stacks, view->facts->now_ns };
	const struct area *area = NULL, *first = NULL, *last = NULL, *before = NULL;
	uint32_t matches = 0, number = 0;

	if (!state->find[0] && !state->filter[0]) {
		state_say(state, false, "F takes what to look for: size>=1M, mod=foo, stack~bar");
		return;
	}
	for (const struct area *a = space_first(view->space, space_start(view->space)); a;
	     a = space_first(view->space, a->end)) {
		if (!filter_area(filter, &base, a))
			continue;
		matches++;
		first = first ? first : a;
		last = a;
		if (a->start < state->cursor)
			before = a;
		if (!area && a->start > state->cursor) {
			area = a;
			number = matches;
		}
	}
	if (!matches) {
		state_say(state, false, "no area is like that");
		return;
	}
	area = back ? (before ? before : last) : (area ? area : first);
	jump(state, area->start);
	if (back)
		state_say(state, false, "%" PRIu32 " areas are like that", matches);
	else
		state_say(state, false, "%" PRIu32 " of %" PRIu32 " areas like that",
			  number ? number : 1, matches);
}

static void go_to(struct state *state, const struct model *model)
{
	const struct space *space = model->from.view.space;
	char *end;
	unsigned long long address = strtoull(state->line, &end, 16);

	if (*end || end == state->line) {
		state_say(state, true, "'%.40s' is not a hexadecimal address", state->line);
	} else if (address < space_start(space) || address >= space_end(space)) {
		state_say(state, true, "%llx lies outside %08" PRIx32 "-%08" PRIx32, address,
			  space_start(space), space_end(space));
	} else {
		jump(state, (uint32_t)address & ~(VMT_PAGE_SIZE - 1));
		state->on_map = true;
	}
}

/* ---- the rest ----------------------------------------------------------------------------- */

static void ask_fit(struct state *state)
{
	uint32_t bytes;

	if (units_parse_bytes(state->line, &bytes) || !bytes) {
		state_say(state, true, "'%.40s' is not a size (16M, 64K, 4096)", state->line);
		return;
	}
	if (state->pane != PANE_DETAIL)
		state->before = state->pane;
	state->pane = PANE_DETAIL;
	state->on_map = false;
	state->detail = DETAIL_FIT;
	state->fit_bytes = bytes;
	state->selections[PANE_DETAIL] = (struct selection){ 0 };
}

/* The owner that a key means: that of the area under the cursor, or of the selected row. */
static bool owner_meant(const struct state *state, const struct model *model, enum owners_by *by,
			uint64_t *id)
{
	const struct view *view = &model->from.view;
	uint32_t row = state->selections[state->pane].index, count;
	const struct leaks_report *leaks = model->from.leaks_report;
	const struct area *area;

	*by = state->by;
	if (!state->on_map && state->pane == PANE_OWNERS && row < model->nr_owners) {
		*id = model_owner_id(model, row);
		return true;
	}
	if (!state->on_map && state->pane == PANE_LEAKS && leaks && row < leaks->count) {
		*by = OWNERS_BY_STACK;
		*id = state_owner_id(leaks->list[row].name_id, leaks->list[row].stack_id);
		return true;
	}
	if (!state->on_map && state->pane == PANE_DETAIL && state->detail == DETAIL_OWNER) {
		*by = state->detail_by;
		*id = state->detail_id;
		return true;
	}
	area = model_area_at_cursor(model, state, &count);
	if (!area)
		return false;
	*id = state_owner_id(owners_label(area, view->names, view->stacks, *by),
			     *by == OWNERS_BY_STACK ? area_stack(area) : 0);
	return true;
}

static void follow(struct state *state, const struct model *model)
{
	const struct names *names = model->from.view.names;
	char label[TEXT_LABEL];
	enum owners_by by;
	uint64_t id;

	if (!owner_meant(state, model, &by, &id)) {
		state->following = false;
		state_say(state, false, "nobody is followed");
		return;
	}
	state->following = !state->following || state->follow_id != id || state->follow_by != by;
	state->follow_id = id;
	state->follow_by = by;
	text_ascii(names_text(names, (uint32_t)(id >> 32)), label, sizeof(label));
	if (state->following)
		state_say(state, false, "* on the map: areas of %s", *label ? label : "?");
	else
		state_say(state, false, "nobody is followed");
}

bool actions_do(struct actions *actions, enum action action, struct state *state,
		const struct model *model)
{
	switch (action) {
	case ACTION_FILTER:
		set_filter(actions, state);
		return true;
	case ACTION_FIND:
		if (compile(state, &actions->find, state->find, sizeof(state->find)) &&
		    state->find[0])
			find(actions, state, model, false);
		return true;
	case ACTION_FIND_NEXT:
	case ACTION_FIND_BACK:
		find(actions, state, model, action == ACTION_FIND_BACK);
		return true;
	case ACTION_AREA_NEXT:
	case ACTION_AREA_BACK:
		next_area(state, model, action == ACTION_AREA_BACK);
		return true;
	case ACTION_GOTO:
		go_to(state, model);
		return true;
	case ACTION_FIT:
		ask_fit(state);
		return true;
	case ACTION_FOLLOW:
		follow(state, model);
		return true;
	default:
		return false;
	}
}
