// SPDX-License-Identifier: GPL-2.0-only
#include "screen/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "screen/detail.h"

#define TREND_NS 5000000000ull

static const uint32_t fit_sizes[MODEL_FITS] = { 1u << 20, 4u << 20, 8u << 20, 16u << 20,
						32u << 20 };

/* ---- what depends on the map alone -------------------------------------------------------- */

/* What succeeds for a size succeeds for each smaller one, and what fails for each larger one. So
 * most often one question is enough: whether the largest fits. */
static void build_fits(struct model *model)
{
	enum attempt_answer most = ATTEMPT_NO;

	for (uint32_t i = MODEL_FITS; i-- > 0;) {
		struct fit_question question = { .kind = KIND_VMALLOC,
						 .bytes = fit_sizes[i],
						 .count = 1 };
		struct model_fit *fit = &model->fits[i];

		*fit = (struct model_fit){ .bytes = fit_sizes[i], .answer = most, .known = true };
		if (most == ATTEMPT_NOW)
			continue;
		fit->known = !fit_ask_briefly(model->from.view.space, &model->from.kernel,
					      &question, &fit->answer);
		most = fit->known ? fit->answer : most;
	}
}

/* The slope over the whole watch does not change from one second to the next, and costs. */
static void build_trend(struct model *model)
{
	const struct view *view = &model->from.view;
	uint64_t now_ns = view->facts->now_ns;

	if (model->trend_ns && now_ns >= model->trend_ns && now_ns - model->trend_ns < TREND_NS)
		return;
	memset(&model->trend, 0, sizeof(model->trend));
	model->trend_ns = now_ns;
	if (view->trend)
		trend_report(view->trend, view->space, now_ns, &model->trend);
}

static int build_map_facts(struct model *model)
{
	const struct view *view = &model->from.view;

	model->totals = space_totals(view->space);
	holes_report(view->space, &model->holes);
	hole_list_release(&model->hole_list);
	build_trend(model);
	build_fits(model);
	return hole_list_largest(view->space, MODEL_HOLES, &model->hole_list);
}

/* ---- owners ------------------------------------------------------------------------------- */

struct picker {
	const struct filter *filter;
	struct filter_base base;
	uint32_t passed;
};

static struct picker picker_of(const struct model *model)
{
	const struct view *view = &model->from.view;

	return (struct picker){
		.filter = model->from.filter,
		.base = { .names = view->names,
			  .stacks = view->stacks,
			  .now_ns = view->facts->now_ns },
	};
}

static bool pick(void *context, const struct area *area)
{
	struct picker *picker = context;
	bool passes = filter_area(picker->filter, &picker->base, area);

	picker->passed += passes;
	return passes;
}

static int by_growth(const void *a, const void *b)
{
	const struct model_owner *x = a, *y = b;

	if (x->bytes_per_min != y->bytes_per_min)
		return x->bytes_per_min > y->bytes_per_min ? -1 : 1;
	return x->owner.live_bytes < y->owner.live_bytes   ? 1
	       : x->owner.live_bytes > y->owner.live_bytes ? -1
							   : 0;
}

static void take_growth(struct model *model, const struct state *state)
{
	struct growth_rows rows = { 0 };

	model->growth_known = false;
	if (!model->from.growth || growth_rows(model->from.growth, model->from.view.names,
					       model->from.view.stacks, state->by, &rows))
		return;
	model->growth_known = rows.known;
	for (uint32_t i = 0; rows.known && i < model->nr_owners; i++) {
		const struct owner *owner = &model->owners[i].owner;
		const struct growth_row *row = growth_find(
			&rows, owner->name_id, state->by == OWNERS_BY_STACK ? owner->stack_id : 0);

		model->owners[i].bytes_per_min = row ? row->bytes_per_min : 0;
	}
	growth_release(&rows);
}

static void reverse_owners(struct model *model)
{
	for (uint32_t i = 0, j = model->nr_owners; i + 1 < j; i++) {
		struct model_owner swap = model->owners[i];

		model->owners[i] = model->owners[--j];
		model->owners[j] = swap;
	}
}

static int build_owners(struct model *model, const struct state *state)
{
	const struct view *view = &model->from.view;
	struct picker picker = picker_of(model);
	struct owners owners;
	int err = owners_collect_some(view->space, view->names, view->stacks, state->by,
				      state->sort, pick, &picker, &owners);

	free(model->owners);
	model->owners = NULL;
	model->nr_owners = 0;
	if (err)
		return err;
	model->filtered_areas = picker.passed;
	model->owners = calloc(owners.count + 1, sizeof(*model->owners));
	if (model->owners) {
		model->nr_owners = owners.count;
		for (uint32_t i = 0; i < owners.count; i++)
			model->owners[i].owner = owners.list[i];
	}
	owners_free(&owners);
	if (!model->owners)
		return -ENOMEM;
	take_growth(model, state);
	if (state->by_growth)
		qsort(model->owners, model->nr_owners, sizeof(*model->owners), by_growth);
	if (state->reverse)
		reverse_owners(model);
	return 0;
}

/* ---- the other lists ---------------------------------------------------------------------- */

static int build_diff(struct model *model, const struct state *state)
{
	const struct view *view = &model->from.view;

	diff_release(&model->diff);
	memset(&model->diff, 0, sizeof(model->diff));
	if (!model->from.mark)
		return 0;
	return mark_diff(model->from.mark, view->space, view->names, view->stacks, state->by,
			 OWNERS_SORT_BYTES, &model->diff, &model->diff_sums);
}

static int build_events(struct model *model)
{
	const struct tail *tail = model->from.tail;
	struct picker picker = picker_of(model);
	uint32_t count = tail ? tail_count(tail) : 0;

	free(model->events);
	model->nr_events = 0;
	model->events = calloc(count + 1, sizeof(*model->events));
	if (!model->events)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		const struct tail_entry *entry = tail_at(tail, i);
		const struct area *area = entry->area.end ? &entry->area : NULL;

		if (entry->number <= model->from.last_event &&
		    filter_event(picker.filter, &picker.base, area, &entry->event))
			model->events[model->nr_events++] = entry;
	}
	return 0;
}

/* ---- the map ------------------------------------------------------------------------------ */

struct marker {
	const struct model *model;
	const struct state *state;
};

static uint8_t marks(void *context, const struct area *area)
{
	const struct marker *marker = context;
	const struct model_sources *from = &marker->model->from;
	const struct state *state = marker->state;
	uint8_t got = 0;

	if (from->leaks_report && from->leaks_report->leaks &&
	    leaks_is_leaked(from->leaks, from->leaks_report, area))
		got |= MAP_SUSPECT;
	if (state->following) {
		uint32_t name =
			owners_label(area, from->view.names, from->view.stacks, state->follow_by);
		uint32_t stack = state->follow_by == OWNERS_BY_STACK ? area_stack(area) : 0;

		if (state_owner_id(name, stack) == state->follow_id)
			got |= MAP_FOLLOW;
	}
	return got;
}

static int build_map(struct model *model, struct state *state, const struct layout *layout,
		     bool utf8)
{
	const struct space *space = model->from.view.space;
	struct marker marker = { model, state };

	mapview_release(&model->map);
	if (state->cursor < space_start(space) || state->cursor >= space_end(space))
		state->cursor = space_start(space);
	model->map = mapview_make(space, layout->map_rows, layout->map_cells, utf8, &state->zoom,
				  &state->pan, state->cursor, state->recenter);
	state->recenter = false;
	return mapview_fill(&model->map, space, marks, &marker);
}

const struct area *model_area_at_cursor(const struct model *model, const struct state *state,
					uint32_t *count)
{
	const struct space *space = model->from.view.space;
	uint32_t cell = mapview_cell_of(&model->map, state->cursor);
	uint32_t begin = state->cursor, end = begin + VMT_PAGE_SIZE, most = 0;
	const struct area *at = space_area_at(space, begin), *best = at, *area;

	*count = 0;
	if (cell != UINT32_MAX) {
		begin = mapview_address(&model->map, cell);
		end = mapview_address(&model->map, cell + 1);
	}
	area = space_area_at(space, begin);
	if (!area)
		area = space_first(space, begin);
	for (; area && area->start < end; area = space_first(space, area->end)) {
		uint32_t from = area->start > begin ? area->start : begin;
		uint32_t bytes = (area->end < end ? area->end : end) - from;

		(*count)++;
		if (!at && bytes > most) {
			most = bytes;
			best = area;
		}
	}
	return best;
}

/* ---- selections --------------------------------------------------------------------------- */

/* Only by stack is the stack of an owner more than an example, which may be another one next time.
 */
uint64_t model_owner_id(const struct model *model, uint32_t i)
{
	const struct owner *owner = &model->owners[i].owner;

	return state_owner_id(owner->name_id, model->by == OWNERS_BY_STACK ? owner->stack_id : 0);
}

static uint64_t owner_id(const void *list, uint32_t i)
{
	return model_owner_id(list, i);
}

static uint64_t hole_id(const void *list, uint32_t i)
{
	return ((const struct hole_list *)list)->holes[i].start;
}

static uint64_t leak_id(const void *list, uint32_t i)
{
	const struct leak_suspect *suspect = &((const struct leaks_report *)list)->list[i];

	return state_owner_id(suspect->name_id, suspect->stack_id);
}

static uint64_t failure_id(const void *list, uint32_t i)
{
	return failures_at(list, i)->first_ns;
}

static uint64_t event_id(const void *list, uint32_t i)
{
	return ((const struct model *)list)->events[i]->number;
}

static uint64_t diff_id(const void *list, uint32_t i)
{
	const struct model *model = list;
	const struct diff_row *row = &model->diff.list[i];

	return state_owner_id(names_find_str(model->from.view.names, row->label),
			      model->by == OWNERS_BY_STACK ? row->stack_id : 0);
}

static uint32_t rows_of(const struct layout *layout, enum pane pane, const struct state *state)
{
	if (state->pane == pane)
		return layout_list_rows(&layout->pane);
	return layout->side.rows && layout->side_pane == pane ? layout_list_rows(&layout->side) : 1;
}

static void settle(struct model *model, struct state *state, const struct layout *layout)
{
	const struct leaks_report *leaks = model->from.leaks_report;
	const struct failures *failures = model->from.failures;
	struct selection *selections = state->selections;

	state_settle(&selections[PANE_OWNERS], model->nr_owners,
		     rows_of(layout, PANE_OWNERS, state), false, owner_id, model);
	state_settle(&selections[PANE_HOLES], model->hole_list.count,
		     rows_of(layout, PANE_HOLES, state), false, hole_id, &model->hole_list);
	state_settle(&selections[PANE_LEAKS], leaks ? leaks->count : 0,
		     rows_of(layout, PANE_LEAKS, state), false, leak_id, leaks);
	state_settle(&selections[PANE_FAILURES], failures ? failures_count(failures) : 0,
		     rows_of(layout, PANE_FAILURES, state), true, failure_id, failures);
	state_settle(&selections[PANE_EVENTS], model->nr_events,
		     rows_of(layout, PANE_EVENTS, state), true, event_id, model);
	state_settle(&selections[PANE_DIFF], model->diff.count, rows_of(layout, PANE_DIFF, state),
		     false, diff_id, model);
}

/* ---- all of it ---------------------------------------------------------------------------- */

static uint32_t count_lines(const char *text)
{
	uint32_t count = 0;

	for (; text && *text; text++)
		count += *text == '\n';
	return count;
}

static void build_details(struct model *model, struct state *state, const struct layout *layout)
{
	struct selection *sel = &state->selections[PANE_DETAIL];
	uint32_t rows = layout->pane.rows ? layout->pane.rows - 1 : 0;

	free(model->detail);
	free(model->stack);
	model->detail = model->stack = NULL;
	model->detail_lines = 0;
	if (layout->stack.columns)
		model->stack = detail_stack(model, state, layout->stack.columns);
	if (state->pane != PANE_DETAIL)
		return;
	model->detail = detail_text(model, state, layout->pane.columns);
	model->detail_lines = count_lines(model->detail);
	/* A text has no rows to be selected: it scrolls. */
	if (sel->index + rows > model->detail_lines)
		sel->index = model->detail_lines > rows ? model->detail_lines - rows : 0;
	sel->top = sel->index;
	sel->moved = false;
}

int model_build(struct model *model, const struct model_sources *from, struct state *state,
		const struct layout *layout, bool utf8, bool fresh)
{
	int err = 0;

	model->from = *from;
	model->by = state->by;
	if (fresh)
		err = build_map_facts(model);
	if (!err)
		err = build_owners(model, state);
	if (!err)
		err = build_diff(model, state);
	if (!err)
		err = build_events(model);
	if (!err && layout->map.rows)
		err = build_map(model, state, layout, utf8);
	if (err)
		return err;
	settle(model, state, layout);
	build_details(model, state, layout);
	return 0;
}

void model_release(struct model *model)
{
	hole_list_release(&model->hole_list);
	diff_release(&model->diff);
	mapview_release(&model->map);
	free(model->owners);
	free(model->events);
	free(model->detail);
	free(model->stack);
	memset(model, 0, sizeof(*model));
}
