// SPDX-License-Identifier: GPL-2.0-only
/* Who holds the space; and who holds more or less of it than at the mark. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "screen/panes.h"
#include "space/kind.h"
#include "units.h"
#include "view/text_util.h"

#define WIDE 62u /* from here on all columns are shown */

static const char *sort_name(const struct state *state)
{
	static const char *const names[] = {
		[OWNERS_SORT_BYTES] = "size",  [OWNERS_SORT_COUNT] = "areas",
		[OWNERS_SORT_GUARD] = "guard", [OWNERS_SORT_AGE] = "age",
		[OWNERS_SORT_WASTE] = "waste",
	};

	return state->by_growth ? "growth" : names[state->sort];
}

static const char *by_name(enum owners_by by)
{
	return by == OWNERS_BY_COMM     ? "task"
	       : by == OWNERS_BY_CALLER ? "function"
					: text_by_name(by);
}

static void put_title(const struct pane_args *args)
{
	const struct state *state = args->state;
	char title[160];

	if (args->model->from.filter && state->filter[0])
		snprintf(title, sizeof(title), "by %s, %s%s  filter (%" PRIu32 " areas): %.60s",
			 by_name(state->by), sort_name(state), state->reverse ? " reversed" : "",
			 args->model->filtered_areas, state->filter);
	else
		snprintf(title, sizeof(title), "by %s, %s%s", by_name(state->by), sort_name(state),
			 state->reverse ? " reversed" : "");
	pane_title(args, PANE_OWNERS, title);
}

static void put_heading(const struct pane_args *args)
{
	bool wide = args->box.columns >= WIDE;

	grid_printf(args->grid, &args->box, 1, 0, STYLE_FREE,
		    wide ? " %7s %5s %5s %7s %7s %8s %s" : " %7s %5s %5s %.0s%7s %.0s%s", "SIZE",
		    "USED", "AREAS", "GUARD", "/MIN", "OLDEST", "OWNER");
}

/* Of one's own or of what is followed the name has a sign, too. */
static const char *sign_of(const struct pane_args *args, uint32_t i)
{
	const struct owner *owner = &args->model->owners[i].owner;
	const struct state *state = args->state;

	if (state->following && state->follow_by == state->by &&
	    state->follow_id == model_owner_id(args->model, i))
		return "* ";
	return owner->own_areas && owner->own_areas == owner->areas ? "@ " : "";
}

static void put_row(const struct pane_args *args, uint32_t row, uint32_t i, bool selected)
{
	const struct model_owner *line = &args->model->owners[i];
	const struct owner *owner = &line->owner;
	const struct view *view = &args->model->from.view;
	const struct space_totals *totals = &args->model->totals;
	bool wide = args->box.columns >= WIDE;
	char size[TEXT_NUMBER], share[TEXT_NUMBER], guard[TEXT_NUMBER], growth[24] = "-";
	char age[16], label[TEXT_LABEL], text[TEXT_LABEL + 120];
	const char *name = names_text(view->names, owner->name_id);
	uint8_t style = owner->own_areas == owner->areas ? STYLE_OWN : STYLE_PLAIN;

	style = pane_row_style(args, selected, style);
	if (args->model->growth_known)
		pane_change(line->bytes_per_min, text_tilde(view), growth, sizeof(growth));
	snprintf(text, sizeof(text),
		 wide ? " %7s %5s %5" PRIu32 " %7s %7s %8s %s%s"
		      : " %7s %5s %5" PRIu32 " %.0s%7s %.0s%s%s",
		 text_bytes(view, owner->live_bytes, size),
		 text_percent(view, owner->live_bytes, totals->used_bytes + totals->guard_bytes,
			      share),
		 owner->areas, text_bytes(view, owner->guard_bytes, guard), growth,
		 units_duration(text_age(view, owner->oldest_birth_ns), age, sizeof(age)),
		 sign_of(args, i), text_ascii(*name ? name : "?", label, sizeof(label)));
	if (selected)
		grid_printf(args->grid, &args->box, row, 0, style, "%*s", (int)args->box.columns,
			    "");
	grid_field(args->grid, &args->box, row, 0, args->box.columns, style, text);
}

void pane_owners(const struct pane_args *args)
{
	const struct selection *sel = &args->state->selections[PANE_OWNERS];
	const struct model *model = args->model;

	put_title(args);
	if (!model->nr_owners) {
		grid_text(args->grid, &args->box, 1, 1, STYLE_PLAIN,
			  args->state->filter[0] ? "no area passes the filter (/ changes it)"
						 : "nobody holds anything");
		return;
	}
	put_heading(args);
	for (uint32_t i = sel->top; i < model->nr_owners && i - sel->top + 2 < args->box.rows; i++)
		put_row(args, i - sel->top + 2, i, i == sel->index);
}

/* ---- diff to the mark --------------------------------------------------------------------- */

static void put_change(const struct pane_args *args, uint32_t row, const struct diff_row *diff,
		       bool selected)
{
	const char *tilde = text_tilde(&args->model->from.view);
	uint8_t style = pane_row_style(args, selected, STYLE_PLAIN);
	char change[24], then[16], now[16], label[TEXT_LABEL], text[TEXT_LABEL + 100];

	snprintf(text, sizeof(text), " %8s %+6" PRId64 "  %7s %7s  %-6s %s",
		 pane_change(diff_bytes(diff), tilde, change, sizeof(change)), diff_areas(diff),
		 units_bytes(diff->bytes[DIFF_A], then, sizeof(then)),
		 units_bytes(diff->bytes[DIFF_B], now, sizeof(now)),
		 mark_change_name(mark_change_of(diff)),
		 text_ascii(*diff->label ? diff->label : "?", label, sizeof(label)));
	if (selected)
		grid_printf(args->grid, &args->box, row, 0, style, "%*s", (int)args->box.columns,
			    "");
	grid_field(args->grid, &args->box, row, 0, args->box.columns, style, text);
}

static void mark_title(const struct pane_args *args)
{
	const struct model *model = args->model;
	struct space_totals then = space_totals(mark_space(model->from.mark));
	const char *tilde = text_tilde(&model->from.view);
	char title[120], age[16], used[24];
	uint64_t now_ns = model->from.view.facts->now_ns, at_ns = mark_ns(model->from.mark);

	snprintf(title, sizeof(title), "by %s  %s%s the mark: used %s", by_name(args->state->by),
		 units_duration(now_ns > at_ns ? now_ns - at_ns : at_ns - now_ns, age, sizeof(age)),
		 now_ns >= at_ns ? " since" : " before",
		 pane_change((int64_t)model->totals.used_bytes + model->totals.guard_bytes -
				     then.used_bytes - then.guard_bytes,
			     tilde, used, sizeof(used)));
	pane_title(args, PANE_DIFF, title);
}

void pane_diff(const struct pane_args *args)
{
	const struct selection *sel = &args->state->selections[PANE_DIFF];
	const struct diff_rows *diff = &args->model->diff;

	if (!args->model->from.mark) {
		pane_title(args, PANE_DIFF, "");
		grid_text(args->grid, &args->box, 1, 1, STYLE_PLAIN,
			  "no mark is set: d sets one; here stands then who holds more or less");
		return;
	}
	mark_title(args);
	if (!diff->count) {
		grid_text(args->grid, &args->box, 1, 1, STYLE_PLAIN,
			  "all hold what they held then");
		return;
	}
	grid_printf(args->grid, &args->box, 1, 0, STYLE_FREE, " %8s %6s  %7s %7s  %-6s %s",
		    "CHANGE", "AREAS", "THEN", "NOW", "", "OWNER");
	for (uint32_t i = sel->top; i < diff->count && i - sel->top + 2 < args->box.rows; i++)
		put_change(args, i - sel->top + 2, &diff->list[i], i == sel->index);
}
