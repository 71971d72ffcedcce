/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a screen shows, as cells: a code point and a style each. Pure memory; who draws into it
 * knows no terminal, and the terminal (term.h) knows only this.
 *
 * Everything is written into a box of the grid and clipped to it, so that no text of a task or a
 * module can leave its pane. Text is printable ASCII: any other byte becomes '?'.
 */
#ifndef VMTRACE_SCREEN_GRID_H
#define VMTRACE_SCREEN_GRID_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define GRID_MAX_ROWS    300u
#define GRID_MAX_COLUMNS 1000u

/* Colour only repeats what glyph and place say already. */
enum style {
	STYLE_PLAIN = 0,
	STYLE_USED,
	STYLE_LAZY,
	STYLE_FREE,
	STYLE_OWN,
	STYLE_ALARM,
	STYLE_GOOD,
	STYLE_FOLLOW,
	STYLE_CLASSES,
	STYLE_CLASS_MASK = 0x0f,
	/* may be added to one of those */
	STYLE_BOLD = 0x10,
	STYLE_REVERSE = 0x20,
};

struct cell {
	uint32_t rune;
	uint8_t style; /* enum style */
};

struct grid {
	uint32_t rows;
	uint32_t columns;
	bool utf8; /* code points beyond ASCII may be put into it */
	struct cell *cells;
};

struct box {
	uint32_t row;
	uint32_t column;
	uint32_t rows;
	uint32_t columns;
};

/* All blank. At most GRID_MAX_ROWS by GRID_MAX_COLUMNS: what is beyond is not there. NULL on lack
 * of memory. grid_free(NULL) is legal. */
struct grid *grid_new(uint32_t rows, uint32_t columns, bool utf8);
void grid_free(struct grid *grid);

/* One cell; rows and columns count from the box's corner. */
void grid_put(struct grid *grid, const struct box *box, uint32_t row, uint32_t column,
	      uint32_t rune, uint8_t style);

/* Text from column on. Returns the column behind it, also if that is outside. */
uint32_t grid_text(struct grid *grid, const struct box *box, uint32_t row, uint32_t column,
		   uint8_t style, const char *text);
uint32_t grid_printf(struct grid *grid, const struct box *box, uint32_t row, uint32_t column,
		     uint8_t style, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* Text in a field of width columns: cut with '>' at its end if it does not fit. Returns column +
 * width. */
uint32_t grid_field(struct grid *grid, const struct box *box, uint32_t row, uint32_t column,
		    uint32_t width, uint8_t style, const char *text);
/* The same at the right end of the field. */
uint32_t grid_right(struct grid *grid, const struct box *box, uint32_t row, uint32_t column,
		    uint32_t width, uint8_t style, const char *text);

/* Sets the style of a row from column on, without touching what is written there. */
void grid_restyle(struct grid *grid, const struct box *box, uint32_t row, uint32_t column,
		  uint32_t width, uint8_t style);

/* A line across the box: a title, and a rule to the end. Returns the column behind the title. */
uint32_t grid_rule(struct grid *grid, const struct box *box, uint32_t row, uint8_t style,
		   const char *title);

/* Text over several rows, broken between words; continued rows begin at indent. Returns how many
 * rows it took. */
uint32_t grid_wrap(struct grid *grid, const struct box *box, uint32_t row, uint32_t indent,
		   uint8_t style, const char *text);

/* The cells as UTF-8, a row a line, blanks at the ends of lines left out; with styles also the
 * style of each as a letter. For tests. */
void grid_dump(FILE *out, const struct grid *grid, bool styles);

/* UTF-8 of rune into out, NUL at the end. Returns its length. */
unsigned int grid_encode(uint32_t rune, char out[5]);

#endif
