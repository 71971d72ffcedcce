// SPDX-License-Identifier: GPL-2.0-only
#include "screen/detail.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allocator/blockers.h"
#include "space/kind.h"
#include "units.h"
#include "view/leaks.h"
#include "view/text_fit.h"
#include "view/text_util.h"
#include "view/why.h"

#define MAX_AREAS   200u
#define MAX_HISTORY 32u
#define KIND_WIDTH  8u
#define FIT_OWNERS  12u

struct page {
	FILE *out;
	struct view view; /* as wide as the pane, without colours */
	const struct model *model;
};

/* ---- an area ------------------------------------------------------------------------------ */

static void put_stack(struct page *page, uint32_t stack_id, uint32_t caller_id)
{
	const char *caller = names_text(page->view.names, caller_id);
	char label[TEXT_LABEL];

	if (stacks_get(page->view.stacks, stack_id).nr_frames) {
		fputs(" stack, the innermost first:\n", page->out);
		text_frames(page->out, &page->view, stack_id, 3);
	} else if (*caller) {
		fprintf(page->out,
			" asked for by %s; it was there before vmtrace, which has no stack\n",
			text_ascii(caller, label, sizeof(label)));
	} else {
		fputs(" no stack is known\n", page->out);
	}
}

static void put_birth(struct page *page, const struct area *area)
{
	char age[16], task[TEXT_TASK], asked[16];

	units_duration(text_age(&page->view, area->birth_ns), age, sizeof(age));
	if (area->state == AREA_LAZY && area->flags & (AREA_F_UNSEEN | AREA_F_SEEDED)) {
		fputs(" when it was allocated is not known\n", page->out);
		return;
	}
	if (area->flags & AREA_F_SEEDED)
		fprintf(page->out, " older than %s: it was there before vmtrace", age);
	else
		fprintf(page->out, " born %s ago, %s", age,
			text_task(&page->view, area->pid, area->comm_id, task));
	if (area->requested)
		fprintf(page->out, ", asked for %s",
			units_bytes(area->requested, asked, sizeof(asked)));
	if (area_align(area) > VMT_PAGE_SIZE)
		fprintf(page->out, ", align %s", units_bytes(area_align(area), asked, sizeof(asked)));
	putc('\n', page->out);
}

static void put_death(struct page *page, const struct area *area)
{
	const char *caller = names_text(page->view.names, area->freer_caller);
	char age[16], task[TEXT_TASK], label[TEXT_LABEL];

	if (area->state != AREA_LAZY)
		return;
	units_duration(text_age(&page->view, area->free_ns), age, sizeof(age));
	if (area->flags & AREA_F_UNSEEN) {
		fprintf(page->out,
			" freed at least %s ago, which nobody saw; a purge gives it back\n", age);
		return;
	}
	fprintf(page->out, " freed %s ago by %s%s%s; the next purge gives it back\n", age,
		text_task(&page->view, area->freer_pid, area->freer_comm, task),
		*caller ? ", " : "", text_ascii(caller, label, sizeof(label)));
}

static void put_history(struct page *page, uint32_t start, uint32_t end)
{
	const struct tail_entry *list[MAX_HISTORY];
	struct tail_history history;

	if (!page->model->from.tail)
		return;
	history = tail_history(page->model->from.tail, start, end, list, MAX_HISTORY);
	if (!history.count) {
		fputs(" nothing has happened here lately\n", page->out);
		return;
	}
	fputs(" what happened here, the newest first:\n", page->out);
	for (uint32_t i = 0; i < history.count; i++)
		text_event(page->out, &page->view, &list[i]->event, page->model->from.base_ns,
			   false);
	if (history.gap)
		fputs(" events were lost meanwhile: something may be missing here\n", page->out);
}

static void put_area(struct page *page, const struct area *area)
{
	char size[16], guard[16], label[TEXT_LABEL];

	fprintf(page->out, " %08" PRIx32 "-%08" PRIx32 "  %s, of it %s guard   %s   %s%s\n",
		area->start, area->end, units_bytes(area->end - area->start, size, sizeof(size)),
		units_bytes(area->guard_pages * VMT_PAGE_SIZE, guard, sizeof(guard)),
		area->state == AREA_LAZY ? "lazy" : "used", kind_name(area->kind),
		area->flags & AREA_F_OWN ? "   @ vmtrace's own" : "");
	fprintf(page->out, " of %s\n", text_owner(&page->view, area, label));
	put_birth(page, area);
	put_death(page, area);
	put_stack(page, area_stack(area), area_caller(area));
	put_history(page, area->start, area->end);
}

/* The area that ends before start, if no hole lies between. */
static const struct area *area_below(const struct space *space, uint32_t start)
{
	return start > space_start(space) ? space_area_at(space, start - 1) : NULL;
}

static void put_neighbours(struct page *page, uint32_t start, uint32_t end)
{
	const struct area *below = area_below(page->view.space, start);
	const struct area *above = space_area_at(page->view.space, end);

	fputs(" neighbours, below and above:\n", page->out);
	if (below)
		text_area_row(page->out, &page->view, below, KIND_WIDTH);
	if (above)
		text_area_row(page->out, &page->view, above, KIND_WIDTH);
	if (!below && !above)
		fputs("   none\n", page->out);
}

static void put_hole(struct page *page, uint32_t at)
{
	enum page_state state = space_page(page->view.space, at);
	struct hole hole = { at, at };
	char size[16];

	if (state == PAGE_UNKNOWN) {
		fprintf(page->out, " %08" PRIx32 ": nothing is known of it\n", at);
		return;
	}
	while (hole.start > space_start(page->view.space) &&
	       space_page(page->view.space, hole.start - VMT_PAGE_SIZE) == PAGE_FREE)
		hole.start -= VMT_PAGE_SIZE;
	space_run(page->view.space, at, &hole.end);
	fprintf(page->out, " %08" PRIx32 "-%08" PRIx32 "  %s free\n", hole.start, hole.end,
		units_bytes(hole.end - hole.start, size, sizeof(size)));
	put_neighbours(page, hole.start, hole.end);
	put_history(page, hole.start, hole.end);
}

static void put_cursor(struct page *page, const struct state *state)
{
	uint32_t count;
	const struct area *area = model_area_at_cursor(page->model, state, &count);

	if (!area) {
		put_hole(page, state->cursor);
		return;
	}
	if (count > 1)
		fprintf(page->out,
			" one of %" PRIu32
			" areas in this cell of the map ([ and ] walk, + zooms)\n",
			count);
	put_area(page, area);
	put_neighbours(page, area->start, area->end);
}

/* ---- an owner ----------------------------------------------------------------------------- */

static bool is_of(const struct page *page, const struct area *area, enum owners_by by, uint64_t id)
{
	uint32_t name = owners_label(area, page->view.names, page->view.stacks, by);

	return area->state == AREA_USED &&
	       state_owner_id(name, by == OWNERS_BY_STACK ? area_stack(area) : 0) == id;
}

static void put_owners_areas(struct page *page, enum owners_by by, uint64_t id)
{
	const struct space *space = page->view.space;
	const struct area *area = space_first(space, space_start(space));
	uint32_t count = 0;

	text_area_heading(page->out, &page->view, KIND_WIDTH);
	for (; area; area = space_first(space, area->end)) {
		if (!is_of(page, area, by, id))
			continue;
		if (count++ < MAX_AREAS)
			text_area_row(page->out, &page->view, area, KIND_WIDTH);
	}
	if (count > MAX_AREAS)
		fprintf(page->out, " and %" PRIu32 " more\n", count - MAX_AREAS);
}

static const struct model_owner *find_owner(const struct model *model, uint64_t id)
{
	for (uint32_t i = 0; i < model->nr_owners; i++) {
		if (model_owner_id(model, i) == id)
			return &model->owners[i];
	}
	return NULL;
}

static void put_owner(struct page *page, const struct state *state)
{
	const struct model_owner *row = find_owner(page->model, state->detail_id);
	const struct owner *owner = row ? &row->owner : NULL;
	const struct view *view = &page->view;
	char label[TEXT_LABEL], bytes[TEXT_NUMBER], guard[TEXT_NUMBER], age[16], growth[16];

	if (!owner) {
		fputs(" it holds nothing now\n", page->out);
		return;
	}
	fprintf(page->out, " %s\n",
		text_ascii(names_text(view->names, owner->name_id), label, sizeof(label)));
	fprintf(page->out,
		" holds %s in %s%" PRIu32 " areas, of it %s guard pages; the oldest is %s",
		text_bytes(view, owner->live_bytes, bytes), text_tilde(view), owner->areas,
		text_bytes(view, owner->guard_bytes, guard),
		units_duration(text_age(view, owner->oldest_birth_ns), age, sizeof(age)));
	if (page->model->growth_known)
		fprintf(page->out, "; %s%s/min", row->bytes_per_min < 0 ? "-" : "+",
			units_bytes((uint64_t)llabs(row->bytes_per_min), growth, sizeof(growth)));
	putc('\n', page->out);
	if (owner->stack_id) {
		fputs(state->detail_by == OWNERS_BY_STACK
			      ? " its stack, the innermost first:\n"
			      : " one of its stacks, the innermost first:\n",
		      page->out);
		text_frames(page->out, view, owner->stack_id, 3);
	}
	put_owners_areas(page, state->detail_by, state->detail_id);
}

/* ---- the rest ----------------------------------------------------------------------------- */

static void put_leak(struct page *page, uint64_t id)
{
	const struct leaks_report *report = page->model->from.leaks_report;

	for (uint32_t i = 0; report && i < report->count; i++) {
		struct leak_suspect *suspect = &report->list[i];
		struct leaks_report one = *report;

		if (state_owner_id(suspect->name_id, suspect->stack_id) != id)
			continue;
		one.list = suspect;
		one.count = 1;
		one.leaks = suspect->verdict.score >= LEAK_SCORE;
		text_leaks(page->out, &page->view, &one, 1);
		if (!one.leaks)
			put_stack(page, suspect->stack_id, 0);
		return;
	}
	fputs(" it holds nothing any more that was born while vmtrace watched\n", page->out);
}

static void put_failure(struct page *page, uint64_t id)
{
	const struct failures *failures = page->model->from.failures;
	uint32_t count = failures ? failures_count(failures) : 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct failure *failure = failures_at(failures, i);
		struct why_report report = { .list = failure,
					     .count = 1,
					     .failures = failure->count,
					     .kinds = 1,
					     .base_ns = page->model->from.base_ns };

		if (id && failure->first_ns != id)
			continue;
		text_why(page->out, &page->view, &report);
		put_stack(page, failure->event.stack_id, 0);
		return;
	}
	fputs(" no allocation has failed\n", page->out);
}

static void put_event(struct page *page, uint64_t id)
{
	const struct model *model = page->model;
	const struct tail_entry *entry = NULL;

	if (model->from.tail && id)
		entry = tail_find(model->from.tail, id);
	else if (model->from.tail)
		entry = tail_at(model->from.tail, 0);
	if (!entry) {
		fputs(" it is so long ago that it is not kept any more\n", page->out);
		return;
	}
	text_event(page->out, &page->view, &entry->event, model->from.base_ns, true);
	if (entry->area.end) {
		fputs(" the area after that:\n", page->out);
		put_area(page, &entry->area);
	}
}

static void put_fit(struct page *page, uint32_t bytes)
{
	struct fit_question question = { .kind = KIND_VMALLOC, .bytes = bytes, .count = 1 };
	struct fit_answer answer;

	if (fit_ask(page->view.space, &page->model->from.kernel, &question, &answer)) {
		fputs(" there is no answer to that\n", page->out);
		return;
	}
	text_fit(page->out, &page->view, &answer, FIT_OWNERS);
	fit_release(&answer);
}

static void put(struct page *page, const struct state *state)
{
	switch (state->detail) {
	case DETAIL_AREA:
		put_cursor(page, state);
		break;
	case DETAIL_OWNER:
		put_owner(page, state);
		break;
	case DETAIL_HOLE:
		put_hole(page, state->detail_id ? (uint32_t)state->detail_id : state->cursor);
		break;
	case DETAIL_LEAK:
		put_leak(page, state->detail_id);
		break;
	case DETAIL_FAILURE:
		put_failure(page, state->detail_id);
		break;
	case DETAIL_EVENT:
		put_event(page, state->detail_id);
		break;
	case DETAIL_FIT:
		put_fit(page, state->fit_bytes);
		break;
	}
}

static bool begin(struct page *page, const struct model *model, uint32_t columns, char **text,
		  size_t *len)
{
	*text = NULL;
	*page = (struct page){ .out = open_memstream(text, len),
			       .view = model->from.view,
			       .model = model };
	page->view.style = (struct text_style){ .columns = columns };
	return page->out;
}

char *detail_text(const struct model *model, const struct state *state, uint32_t columns)
{
	struct page page;
	char *text;
	size_t len;

	if (!begin(&page, model, columns, &text, &len))
		return NULL;
	put(&page, state);
	fclose(page.out);
	return text;
}

/* What the selected row of the pane is, as a stack. */
static uint32_t selected_stack(const struct model *model, const struct state *state,
			       uint32_t *caller_id)
{
	enum pane pane = state->pane == PANE_DETAIL ? state->before : state->pane;
	uint32_t i = state->selections[pane].index, count;
	const struct leaks_report *leaks = model->from.leaks_report;
	const struct failures *failures = model->from.failures;
	const struct area *area;

	*caller_id = 0;
	if (!state->on_map && pane == PANE_OWNERS && i < model->nr_owners) {
		if (!model->owners[i].owner.stack_id)
			*caller_id = model->owners[i].owner.name_id;
		return model->owners[i].owner.stack_id;
	}
	if (!state->on_map && pane == PANE_LEAKS && leaks && i < leaks->count)
		return leaks->list[i].stack_id;
	if (!state->on_map && pane == PANE_FAILURES && failures && i < failures_count(failures))
		return failures_at(failures, i)->event.stack_id;
	if (!state->on_map && pane == PANE_EVENTS && i < model->nr_events)
		return model->events[i]->event.stack_id ? model->events[i]->event.stack_id
							: area_stack(&model->events[i]->area);
	area = model_area_at_cursor(model, state, &count);
	if (area)
		*caller_id = area_caller(area);
	return area ? area_stack(area) : 0;
}

char *detail_stack(const struct model *model, const struct state *state, uint32_t columns)
{
	struct page page;
	uint32_t stack_id, caller_id;
	char *text;
	size_t len;

	if (!begin(&page, model, columns, &text, &len))
		return NULL;
	stack_id = selected_stack(model, state, &caller_id);
	put_stack(&page, stack_id, caller_id);
	fclose(page.out);
	return text;
}
