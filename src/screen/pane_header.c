// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "screen/panes.h"
#include "units.h"
#include "view/text_util.h"

#define NS_PER_MS    1000000u
#define LAYOUT_SMALL 70u /* columns below which addresses have no room */

static const struct view *view_of(const struct pane_args *args)
{
	return &args->model->from.view;
}

/* ---- the first row ------------------------------------------------------------------------ */

static uint8_t mode_text(const struct pane_args *args, char *text, size_t len)
{
	const struct model_play *play = &args->model->play;
	char interval[16];

	if (play->on) {
		if (args->state->paused)
			snprintf(text, len, " %s ", play->ended ? "END" : "STOPPED");
		else
			snprintf(text, len, "REPLAY %gx", args->state->speed);
		return args->state->paused ? STYLE_REVERSE : STYLE_BOLD;
	}
	if (args->state->paused) {
		snprintf(text, len, " PAUSED ");
		return STYLE_REVERSE;
	}
	snprintf(text, len, "LIVE %s",
		 units_duration(args->model->interval_ns, interval, sizeof(interval)));
	return STYLE_BOLD;
}

static void title_row(const struct pane_args *args)
{
	const struct view_facts *facts = view_of(args)->facts;
	struct pane_flow flow = { .args = args, .column = 1, .gap = 2 };
	struct pane_args left = *args;
	char mode[40], watched[16], right[64], host[80];
	uint8_t style = mode_text(args, mode, sizeof(mode));
	uint32_t room;

	snprintf(right, sizeof(right), "  watched %s ",
		 units_duration(facts->uptime_ns, watched, sizeof(watched)));
	room = (uint32_t)(strlen(mode) + strlen(right));
	left.box.columns = args->box.columns > room ? args->box.columns - room : 0;
	flow.args = &left;
	pane_item(&flow, STYLE_BOLD, "vmtrace %s", facts->version ? facts->version : "");
	if (facts->hostname && *facts->hostname)
		pane_item(&flow, STYLE_PLAIN, "%s",
			  text_ascii(facts->hostname, host, sizeof(host)));
	if (facts->kernel && *facts->kernel)
		pane_item(&flow, STYLE_PLAIN, "%s", text_ascii(facts->kernel, host, sizeof(host)));
	if (facts->cpus)
		pane_item(&flow, STYLE_PLAIN, "%" PRIu32 " cpu%s", facts->cpus,
			  facts->cpus == 1 ? "" : "s");
	if (args->model->recording)
		pane_item(&flow, STYLE_ALARM | STYLE_BOLD, "REC %s",
			  units_bytes(args->model->recorded_bytes, watched, sizeof(watched)));
	grid_text(args->grid, &args->box, 0, left.box.columns, style, mode);
	grid_text(args->grid, &args->box, 0, left.box.columns + (uint32_t)strlen(mode), STYLE_PLAIN,
		  right);
}

/* ---- totals ------------------------------------------------------------------------------- */

struct shares {
	uint32_t gap;
	bool range;   /* where the space lies */
	bool all;     /* percents of all four */
	bool percent; /* ... of used and free */
};

static void share(struct pane_flow *flow, uint8_t style, const char *name, uint32_t bytes,
		  bool percent)
{
	const struct view *view = view_of(flow->args);
	char size[TEXT_NUMBER], part[TEXT_NUMBER];

	text_percent(view, bytes, flow->args->model->totals.total_bytes, part);
	pane_item(flow, style, "%s %s%s%s", name, text_bytes(view, bytes, size), percent ? " " : "",
		  percent ? part : "");
}

static void put_shares(struct pane_flow *flow, const struct shares *shares)
{
	const struct space_totals *totals = &flow->args->model->totals;
	char size[16];

	units_bytes(totals->total_bytes, size, sizeof(size));
	flow->gap = shares->gap;
	if (shares->range)
		pane_item(flow, STYLE_PLAIN, "%08" PRIx32 "-%08" PRIx32 " %s", totals->start,
			  totals->end, size);
	share(flow, STYLE_USED | STYLE_BOLD, "used", totals->used_bytes, shares->percent);
	share(flow, STYLE_PLAIN, "guard", totals->guard_bytes, shares->all);
	share(flow, STYLE_LAZY, "lazy", totals->lazy_bytes, shares->all);
	share(flow, STYLE_PLAIN, "free", totals->free_bytes, shares->percent);
	if (totals->unknown_bytes)
		share(flow, STYLE_ALARM, "unknown", totals->unknown_bytes, false);
}

/* As much as there is room for: first the percents go, then where the space lies. */
static void totals_row(const struct pane_args *args, uint32_t row)
{
	static const struct shares shares[] = {
		{ 3, true, true, true },    { 2, true, true, true },   { 2, true, false, true },
		{ 2, true, false, false },  { 2, false, false, true }, { 2, false, false, false },
		{ 1, false, false, false },
	};
	struct pane_args wide = *args;
	struct box box = { 0, 0, 1, 4 * GRID_MAX_COLUMNS };

	/* Measured where nothing is cut, in a box that is not on the grid. */
	wide.box = box;
	wide.box.row = GRID_MAX_ROWS;
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		struct pane_flow flow = { .args = &wide, .column = 1 };

		put_shares(&flow, &shares[i]);
		if (flow.column > args->box.columns && i + 1 < sizeof(shares) / sizeof(shares[0]))
			continue;
		flow = (struct pane_flow){ .args = args, .row = row, .column = 1 };
		put_shares(&flow, &shares[i]);
		return;
	}
}

/* ---- holes -------------------------------------------------------------------------------- */

static void failed_item(struct pane_flow *flow)
{
	const struct model *model = flow->args->model;
	uint64_t fails = model->from.counters->fails;
	char ago[16];

	if (!fails) {
		pane_item(flow, STYLE_PLAIN, "failed 0");
		return;
	}
	if (model->from.failures && failures_count(model->from.failures)) {
		uint64_t last_ns = failures_at(model->from.failures, 0)->last_ns;

		uint64_t age_ns = text_age(view_of(flow->args), last_ns);

		if (age_ns >= NS_PER_MS &&
		    pane_item(flow, STYLE_ALARM | STYLE_BOLD, "FAILED %" PRIu64 " (%s ago)", fails,
			      units_duration(age_ns, ago, sizeof(ago))))
			return;
	}
	pane_item(flow, STYLE_ALARM | STYLE_BOLD, "FAILED %" PRIu64, fails);
}

static void holes_row(const struct pane_args *args, uint32_t row)
{
	const struct holes_report *holes = &args->model->holes;
	const struct view *view = view_of(args);
	struct pane_flow flow = { .args = args, .row = row, .column = 1, .gap = 2 };
	uint32_t now = holes->largest.end - holes->largest.start;
	uint32_t after = holes->largest_after_purge.end - holes->largest_after_purge.start;
	char size[TEXT_NUMBER], purged[TEXT_NUMBER];

	text_bytes(view, now, size);
	if (now && args->box.columns < LAYOUT_SMALL)
		pane_item(&flow, STYLE_BOLD, "LARGEST HOLE %s", size);
	else if (now)
		pane_item(&flow, STYLE_BOLD, "LARGEST HOLE %s @%08" PRIx32, size,
			  holes->largest.start);
	else
		pane_item(&flow, STYLE_ALARM | STYLE_BOLD, "LARGEST HOLE %snone", text_tilde(view));
	flow.gap = 1;
	pane_item(&flow, STYLE_PLAIN, "(%s after purge)", text_bytes(view, after, purged));
	flow.gap = 2;
	pane_item(&flow, STYLE_PLAIN, "frag %s%.2f", text_tilde(view), holes_fragmentation(holes));
	failed_item(&flow);
}

/* ---- fit ---------------------------------------------------------------------------------- */

static void fit_item(struct pane_flow *flow, const struct model_fit *fit)
{
	static const struct {
		const char *word;
		uint8_t style;
	} answers[] = {
		[ATTEMPT_NO] = { "NO", STYLE_ALARM | STYLE_BOLD },
		[ATTEMPT_PERHAPS] = { "perhaps", STYLE_LAZY },
		[ATTEMPT_PURGE] = { "after purge", STYLE_LAZY },
		[ATTEMPT_NOW] = { "yes", STYLE_GOOD },
	};
	const char *tilde = text_tilde(view_of(flow->args));
	char size[16];

	units_bytes(fit->bytes, size, sizeof(size));
	/* "1M", not "1.0M": it is a question, not a measurement. */
	snprintf(size, sizeof(size), "%uM", fit->bytes >> 20);
	if (fit->known)
		pane_item(flow, answers[fit->answer].style, "%s %s%s", size, tilde,
			  answers[fit->answer].word);
	else
		pane_item(flow, STYLE_PLAIN, "%s ?", size);
}

static void fit_row(const struct pane_args *args, uint32_t row)
{
	const struct trend_report *trend = &args->model->trend;
	struct pane_flow flow = { .args = args, .row = row, .column = 1, .gap = 2 };
	char number[TEXT_NUMBER];

	pane_item(&flow, STYLE_BOLD, "FITS NOW?");
	for (uint32_t i = 0; i < MODEL_FITS; i++)
		fit_item(&flow, &args->model->fits[i]);
	if (trend->has_slope) {
		flow.gap = args->box.columns < 100 ? 2 : 4;
		if (!pane_item(&flow, STYLE_PLAIN, "largest hole: %s", text_slope(trend, number)))
			pane_item(&flow, STYLE_PLAIN, "hole %s", text_slope(trend, number));
	}
}

void pane_header(const struct pane_args *args)
{
	title_row(args);
	totals_row(args, 1);
	holes_row(args, 2);
	fit_row(args, 3);
}

/* ---- without a map ------------------------------------------------------------------------ */

static void owner_row(const struct pane_args *args, uint32_t row)
{
	const struct view *view = view_of(args);
	const struct owner *owner;
	char size[TEXT_NUMBER], label[TEXT_LABEL];

	if (!args->model->nr_owners)
		return;
	owner = &args->model->owners[0].owner;
	grid_printf(args->grid, &args->box, row, 1, STYLE_PLAIN, "most: %s in %" PRIu32 ": %s",
		    text_bytes(view, owner->live_bytes, size), owner->areas,
		    text_ascii(names_text(view->names, owner->name_id), label, sizeof(label)));
}

void pane_summary(const struct pane_args *args)
{
	const struct space_totals *totals = &args->model->totals;
	struct pane_flow flow = { .args = args, .row = 1, .column = 1, .gap = 2 };
	struct pane_args trust = *args;

	title_row(args);
	share(&flow, STYLE_USED | STYLE_BOLD, "used", totals->used_bytes, true);
	share(&flow, STYLE_PLAIN, "free", totals->free_bytes, true);
	share(&flow, STYLE_LAZY, "lazy", totals->lazy_bytes, false);
	holes_row(args, 2);
	fit_row(args, 3);
	owner_row(args, 4);
	trust.box.row += 5;
	trust.box.rows = args->box.rows > 5 ? 1 : 0;
	if (trust.box.rows)
		pane_trust(&trust);
}
