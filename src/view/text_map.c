// SPDX-License-Identifier: GPL-2.0-only
#include "view/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "units.h"
#include "view/text_util.h"

#define ROW_FRAME 16u /* " f77fe000 " before the cells, "  ~98%" behind them */

struct layout {
	uint32_t cell_pages;
	uint32_t cells; /* in a row */
	uint32_t pages; /* in all */
};

struct tally {
	uint32_t pages[PAGE_STATE_COUNT];
	uint32_t own;
};

/* The smallest cell with which all rows fit; the last row then ends near the right edge. */
static struct layout choose_layout(const struct view *view, unsigned int max_rows)
{
	struct layout layout;
	uint64_t room;

	layout.pages = (space_end(view->space) - space_start(view->space)) / VMT_PAGE_SIZE;
	layout.cells = text_columns(view) - ROW_FRAME;
	room = (uint64_t)layout.cells * (max_rows ? max_rows : 1);
	layout.cell_pages = (uint32_t)((layout.pages + room - 1) / room);
	return layout;
}

static uint32_t page_addr(const struct view *view, uint32_t page)
{
	return space_start(view->space) + page * VMT_PAGE_SIZE;
}

static void tally_pages(const struct view *view, uint32_t page, uint32_t last, bool own,
			struct tally *tally)
{
	memset(tally, 0, sizeof(*tally));
	for (; page < last; page++) {
		uint32_t addr = page_addr(view, page);
		const struct area *area = own ? space_area_at(view->space, addr) : NULL;

		tally->pages[space_page(view->space, addr)]++;
		if (area && area->flags & AREA_F_OWN)
			tally->own++;
	}
}

/* A cell with any of vmtrace's own pages says so: they are few, and whoever asks what the tool
 * itself costs must be able to find them. */
static char glyph(const struct tally *tally)
{
	uint32_t used = tally->pages[PAGE_USED] + tally->pages[PAGE_GUARD];
	uint32_t rest =
		tally->pages[PAGE_FREE] + tally->pages[PAGE_LAZY] + tally->pages[PAGE_UNKNOWN];

	if (tally->own)
		return '@';
	if (used)
		return rest ? '%' : '#';
	if (tally->pages[PAGE_UNKNOWN])
		return '?';
	return tally->pages[PAGE_LAZY] ? '~' : '.';
}

static enum text_class glyph_class(char c)
{
	switch (c) {
	case '#':
	case '%':
		return TEXT_USED;
	case '~':
		return TEXT_LAZY;
	case '.':
		return TEXT_FREE;
	case '@':
		return TEXT_OWN;
	default:
		return TEXT_PLAIN;
	}
}

static void add_tally(struct tally *sum, const struct tally *tally)
{
	unsigned int i;

	for (i = 0; i < PAGE_STATE_COUNT; i++)
		sum->pages[i] += tally->pages[i];
}

static void print_percent(FILE *out, const struct view *view, const struct tally *row,
			  uint32_t pages)
{
	char percent[TEXT_NUMBER];

	if (row->pages[PAGE_UNKNOWN] == pages)
		snprintf(percent, sizeof(percent), "?");
	else
		text_percent(view, row->pages[PAGE_USED] + row->pages[PAGE_GUARD], pages, percent);
	fprintf(out, "%6s\n", percent);
}

static void print_row(FILE *out, const struct view *view, const struct layout *layout,
		      uint32_t page, bool own)
{
	enum text_class class = TEXT_PLAIN;
	struct tally row = { { 0 }, 0 };
	uint32_t first = page;
	uint32_t cell;

	fprintf(out, " %08" PRIx32 " ", page_addr(view, page));
	for (cell = 0; cell < layout->cells; cell++) {
		uint32_t last = layout->pages - page > layout->cell_pages
					? page + layout->cell_pages
					: layout->pages;
		enum text_class next = TEXT_PLAIN;
		struct tally tally;
		char c = ' ';

		if (page < layout->pages) {
			tally_pages(view, page, last, own, &tally);
			add_tally(&row, &tally);
			c = glyph(&tally);
			next = glyph_class(c);
		}
		if (next != class) {
			text_color(out, view, TEXT_PLAIN);
			if (next != TEXT_PLAIN)
				text_color(out, view, next);
		}
		class = next;
		putc(c, out);
		page = last;
	}
	if (class != TEXT_PLAIN)
		text_color(out, view, TEXT_PLAIN);
	print_percent(out, view, &row, page - first);
}

static void print_legend(FILE *out, const struct view *view, const struct layout *layout)
{
	static const char *const legend[] = { "# used", "% partly used", "~ lazy", ". free" };
	struct text_flow flow = text_flow_new(out, view, 2);
	struct space_totals totals = space_totals(view->space);
	char item[48], number[16];
	unsigned int i;

	snprintf(item, sizeof(item), "1 char = %s ",
		 units_bytes((uint64_t)layout->cell_pages * VMT_PAGE_SIZE, number, sizeof(number)));
	text_flow_item(&flow, view, TEXT_PLAIN, item);
	for (i = 0; i < sizeof(legend) / sizeof(legend[0]); i++)
		text_flow_item(&flow, view, glyph_class(legend[i][0]), legend[i]);
	if (totals.unknown_bytes)
		text_flow_item(&flow, view, TEXT_PLAIN, "? unknown");
	if (totals.own_bytes)
		text_flow_item(&flow, view, TEXT_OWN, "@ vmtrace");
	text_flow_end(&flow);
}

void text_map(FILE *out, const struct view *view, unsigned int max_rows)
{
	struct layout layout = choose_layout(view, max_rows);
	bool own = space_totals(view->space).own_bytes;
	uint32_t row_pages = layout.cell_pages * layout.cells;
	uint32_t page;

	print_legend(out, view, &layout);
	for (page = 0; page < layout.pages; page += row_pages)
		print_row(out, view, &layout, page, own);
}
