/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The panes: each draws itself into its box, from the model and the state alone. Only draw.c calls
 * them.
 */
#ifndef VMTRACE_SCREEN_PANES_H
#define VMTRACE_SCREEN_PANES_H

#include "screen/grid.h"
#include "screen/model.h"
#include "screen/state.h"

/* What every pane takes. active: the keys go to it. */
struct pane_args {
	struct grid *grid;
	struct box box;
	const struct model *model;
	const struct state *state;
	bool active;
};

/* Title, totals, holes, fit: four rows. And all that fits into six rows, where there is no map. */
void pane_header(const struct pane_args *args);
void pane_summary(const struct pane_args *args);

/* Legend and rows; and one row that tells what is under the cursor. */
void pane_map(const struct pane_args *args);
void pane_cursor(const struct pane_args *args);

/* Lists: title, heading, rows. */
void pane_owners(const struct pane_args *args);
void pane_holes(const struct pane_args *args);
void pane_leaks(const struct pane_args *args);
void pane_failures(const struct pane_args *args);
void pane_events(const struct pane_args *args);
void pane_diff(const struct pane_args *args);

/* Texts: the detail chosen; the stack of what is selected. */
void pane_detail(const struct pane_args *args);
void pane_stack(const struct pane_args *args);

/* The last failure, in as many rows as there are. */
void pane_failure(const struct pane_args *args);

void pane_timebar(const struct pane_args *args);
void pane_trust(const struct pane_args *args);
/* What is typed, or the last message, or the keys that matter. */
void pane_keys(const struct pane_args *args);
void pane_help(const struct pane_args *args);

/* ---- what they share ---------------------------------------------------------------------- */

/* Items one after the other on a row, each only if all of it fits. */
struct pane_flow {
	const struct pane_args *args;
	uint32_t row;
	uint32_t column;
	uint32_t gap;
};
/* False: there was no room. */
bool pane_item(struct pane_flow *flow, uint8_t style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The title row of a list, with the names of the panes if it is the active one. */
void pane_title(const struct pane_args *args, enum pane pane, const char *text);
/* "OWNERS" ... */
const char *pane_name(enum pane pane);

/* Style of a row: reverse if it is the selected one of the active pane, bold if of another. */
uint8_t pane_row_style(const struct pane_args *args, bool selected, uint8_t style);

/* A bar of `part` of `all` in width columns, at least one cell for more than nothing. */
void pane_bar(const struct pane_args *args, uint32_t row, uint32_t column, uint32_t width,
	      uint64_t part, uint64_t all, uint8_t style);

/* "+64.0K", "-1.2M", "0". Returns buf. */
const char *pane_change(int64_t bytes, const char *tilde, char *buf, size_t len);

#endif
