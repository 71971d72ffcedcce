/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The whole screen as a grid: a pure function of model, state and layout. No clock, no terminal, no
 * environment: the same arguments draw the same cells.
 */
#ifndef VMTRACE_SCREEN_DRAW_H
#define VMTRACE_SCREEN_DRAW_H

#include "screen/grid.h"
#include "screen/layout.h"
#include "screen/model.h"
#include "screen/state.h"

/* A new grid of the layout's size; NULL on lack of memory. */
struct grid *draw_screen(const struct model *model, const struct state *state,
			 const struct layout *layout, bool utf8);

/* Rows of the help that a screen of so many rows has no room for. */
uint32_t draw_help_excess(uint32_t rows);

#endif
