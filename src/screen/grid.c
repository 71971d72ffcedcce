// SPDX-License-Identifier: GPL-2.0-only
#include "screen/grid.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 1024

struct grid *grid_new(uint32_t rows, uint32_t columns, bool utf8)
{
	struct grid *grid = calloc(1, sizeof(*grid));

	if (!grid)
		return NULL;
	grid->rows = rows < GRID_MAX_ROWS ? rows : GRID_MAX_ROWS;
	grid->columns = columns < GRID_MAX_COLUMNS ? columns : GRID_MAX_COLUMNS;
	grid->utf8 = utf8;
	grid->cells = calloc((size_t)grid->rows * grid->columns + 1, sizeof(*grid->cells));
	if (!grid->cells) {
		free(grid);
		return NULL;
	}
	for (uint32_t i = 0; i < grid->rows * grid->columns; i++)
		grid->cells[i].rune = ' ';
	return grid;
}

void grid_free(struct grid *grid)
{
	if (!grid)
		return;
	free(grid->cells);
	free(grid);
}

static struct cell *cell_at(struct grid *grid, const struct box *box, uint32_t row, uint32_t column)
{
	if (row >= box->rows || column >= box->columns || box->row + row >= grid->rows ||
	    box->column + column >= grid->columns)
		return NULL;
	return &grid->cells[(size_t)(box->row + row) * grid->columns + box->column + column];
}

void grid_put(struct grid *grid, const struct box *box, uint32_t row, uint32_t column,
	      uint32_t rune, uint8_t style)
{
	struct cell *cell = cell_at(grid, box, row, column);

	if (!cell)
		return;
	cell->rune = rune < ' ' || (rune > '~' && !grid->utf8) ? '?' : rune;
	cell->style = style;
}

uint32_t grid_text(struct grid *grid, const struct box *box, uint32_t row, uint32_t column,
		   uint8_t style, const char *text)
{
	for (; *text; text++, column++) {
		bool printable = *text >= ' ' && *text <= '~';

		grid_put(grid, box, row, column, printable ? (uint32_t)*text : '?', style);
	}
	return column;
}

uint32_t grid_printf(struct grid *grid, const struct box *box, uint32_t row, uint32_t column,
		     uint8_t style, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return grid_text(grid, box, row, column, style, text);
}

uint32_t grid_field(struct grid *grid, const struct box *box, uint32_t row, uint32_t column,
		    uint32_t width, uint8_t style, const char *text)
{
	struct box field = *box;

	if (column + width < field.columns)
		field.columns = column + width;
	grid_text(grid, &field, row, column, style, text);
	if (width && column + strlen(text) > field.columns && field.columns)
		grid_put(grid, &field, row, field.columns - 1, '>', style);
	return column + width;
}

uint32_t grid_right(struct grid *grid, const struct box *box, uint32_t row, uint32_t column,
		    uint32_t width, uint8_t style, const char *text)
{
	uint32_t len = (uint32_t)strlen(text);

	if (len >= width)
		return grid_field(grid, box, row, column, width, style, text);
	grid_text(grid, box, row, column + width - len, style, text);
	return column + width;
}

void grid_restyle(struct grid *grid, const struct box *box, uint32_t row, uint32_t column,
		  uint32_t width, uint8_t style)
{
	for (uint32_t i = column; i < column + width && i < box->columns; i++) {
		struct cell *cell = cell_at(grid, box, row, i);

		if (cell)
			cell->style = style;
	}
}

uint32_t grid_rule(struct grid *grid, const struct box *box, uint32_t row, uint8_t style,
		   const char *title)
{
	uint32_t line = grid->utf8 ? 0x2500 : '-';
	uint32_t column = 2, end;

	for (uint32_t i = 0; i < box->columns; i++)
		grid_put(grid, box, row, i, line, STYLE_FREE);
	if (!*title)
		return column;
	grid_text(grid, box, row, column, STYLE_PLAIN, " ");
	end = grid_text(grid, box, row, column + 1, style, title);
	return grid_text(grid, box, row, end, STYLE_PLAIN, " ");
}

/* How much of text goes on a line of width: up to the last blank that fits. */
static size_t line_len(const char *text, size_t width)
{
	size_t len = strlen(text), at;

	if (len <= width)
		return len;
	for (at = width; at > 0 && text[at] != ' '; at--)
		;
	return at ? at : width;
}

uint32_t grid_wrap(struct grid *grid, const struct box *box, uint32_t row, uint32_t indent,
		   uint8_t style, const char *text)
{
	uint32_t begin = row, column = 0;
	char line[TEXT_MAX];

	while (*text && box->columns > indent + 1) {
		size_t len = line_len(text, box->columns - column);

		if (len >= sizeof(line))
			len = sizeof(line) - 1;
		memcpy(line, text, len);
		line[len] = '\0';
		grid_text(grid, box, row++, column, style, line);
		for (text += len; *text == ' '; text++)
			;
		column = indent;
	}
	return row - begin;
}

unsigned int grid_encode(uint32_t rune, char out[5])
{
	unsigned int len = 0;

	if (rune < 0x80) {
		out[len++] = (char)rune;
	} else if (rune < 0x800) {
		out[len++] = (char)(0xc0 | rune >> 6);
		out[len++] = (char)(0x80 | (rune & 0x3f));
	} else {
		out[len++] = (char)(0xe0 | (rune >> 12 & 0x0f));
		out[len++] = (char)(0x80 | (rune >> 6 & 0x3f));
		out[len++] = (char)(0x80 | (rune & 0x3f));
	}
	out[len] = '\0';
	return len;
}

/* '.' plain, a letter for the class, capital when bold, '*' when reverse. */
static char style_letter(uint8_t style)
{
	static const char letters[] = ".ulfoagw";
	char letter = letters[(style & STYLE_CLASS_MASK) % (sizeof(letters) - 1)];

	if (style & STYLE_REVERSE)
		return letter == '.' ? '=' : (char)(letter - 'a' + 'A');
	return style & STYLE_BOLD && letter == '.' ? '+' : letter;
}

static uint32_t row_end(const struct grid *grid, uint32_t row, bool styles)
{
	const struct cell *cells = &grid->cells[(size_t)row * grid->columns];
	uint32_t end = grid->columns;

	while (end && (styles ? !cells[end - 1].style : cells[end - 1].rune == ' '))
		end--;
	return end;
}

void grid_dump(FILE *out, const struct grid *grid, bool styles)
{
	for (uint32_t row = 0; row < grid->rows; row++) {
		const struct cell *cells = &grid->cells[(size_t)row * grid->columns];
		uint32_t end = row_end(grid, row, styles);

		for (uint32_t i = 0; i < end; i++) {
			char utf8[5];

			if (styles) {
				putc(style_letter(cells[i].style), out);
				continue;
			}
			grid_encode(cells[i].rune, utf8);
			fputs(utf8, out);
		}
		putc('\n', out);
	}
}
