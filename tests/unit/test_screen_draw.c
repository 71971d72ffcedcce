/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the screen shows, as grids: tests/golden/screen/NAME.grid. RECORD=1 writes them anew: read the
 * diff before you commit it. SHOW=1 prints them.
 */
#include "screen_load.h"


#define BUSY   "tests/golden/busy.jsonl"
#define FAILED "tests/golden/failed.jsonl"
#define LEAK   "tests/golden/leak.jsonl"
#define LOSS   "tests/golden/lost.jsonl"
#define FULL   "tests/golden/full.jsonl"
#define SPLIT  "tests/golden/vmsplit-1g.jsonl"
#define SMALL  "tests/golden/small.jsonl"
#define NAMES  "tests/golden/hostile-names.jsonl"

static char *dump(const struct grid *grid, bool styles)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	grid_dump(out, grid, styles);
	fclose(out);
	return text;
}

static char *slurp(const char *path)
{
	FILE *in = fopen(path, "r");
	char *text = calloc(1, 200000);

	assert_non_null(text);
	if (in) {
		text[fread(text, 1, 199999, in)] = '\0';
		fclose(in);
	}
	return text;
}

static void compare(const char *name, const char *text)
{
	char path[200], *expected;

	snprintf(path, sizeof(path), "tests/golden/screen/%s.grid", name);
	if (getenv("SHOW"))
		printf("==== %s\n%s", name, text);
	if (getenv("RECORD")) {
		FILE *out = fopen(path, "w");

		assert_non_null(out);
		fputs(text, out);
		fclose(out);
	}
	expected = slurp(path);
	if (strcmp(expected, text))
		fail_msg("%s is not as in %s:\n%s", name, path, text);
	free(expected);
}

static void check_styled(struct load *load, const char *name, uint32_t columns, uint32_t rows,
			 bool utf8, bool styles)
{
	struct grid *grid = load_draw(load, rows, columns, utf8);
	char *text = dump(grid, styles);

	compare(name, text);
	free(text);
	grid_free(grid);
}

static void check_grid(struct load *load, const char *name, uint32_t columns, uint32_t rows,
		       bool utf8)
{
	check_styled(load, name, columns, rows, utf8, false);
}

/* ---- sizes -------------------------------------------------------------------------------- */

static void test_sizes(void **unused)
{
	struct load load;

	(void)unused;
	load_open(&load, LEAK, LOAD_ALL);
	check_grid(&load, "59x15", 59, 15, false);
	check_grid(&load, "60x16", 60, 16, false);
	check_grid(&load, "80x24", 80, 24, false);
	check_grid(&load, "80x24-utf8", 80, 24, true);
	check_styled(&load, "80x24-styles", 80, 24, false, true);
	check_grid(&load, "100x30", 100, 30, false);
	check_grid(&load, "100x30-utf8", 100, 30, true);
	check_grid(&load, "200x60", 200, 60, false);
	check_grid(&load, "200x60-utf8", 200, 60, true);
	load_close(&load);
}

/* Whatever the size, nothing is drawn outside, and nothing is read that is not there. */
static void test_any_size(void **unused)
{
	static const uint32_t sizes[] = { 1, 2, 5, 6, 7, 15, 16, 17, 20, 24, 29, 30, 40, 60, 100, 299 };
	struct load load;

	(void)unused;
	load_open(&load, LEAK, LOAD_ALL);
	grid_free(load_draw(&load, 24, 80, false));
	for (int pane = 0; pane < PANE_COUNT; pane++) {
		load.state.pane = (enum pane)pane;
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			for (size_t j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++)
				grid_free(load_redraw(&load, sizes[i], sizes[j] * 2, j % 2));
		}
	}
	load_close(&load);
}

/* ---- panes -------------------------------------------------------------------------------- */

static void test_panes(void **unused)
{
	static const char *const names[] = { "owners", "holes", "leaks", "failures", "events", "diff" };
	struct load load;
	char name[40];

	(void)unused;
	load_open(&load, FAILED, 30 * S);
	load.mark = mark_take(load.space, load.start_ns + 30 * S);
	assert_non_null(load.mark);
	struct mark *mark = load.mark;

	load.mark = NULL;
	load_close(&load);
	load_open(&load, FAILED, LOAD_ALL);
	load.from.mark = mark;
	for (int pane = PANE_OWNERS; pane <= PANE_DIFF; pane++) {
		load.state.pane = (enum pane)pane;
		snprintf(name, sizeof(name), "pane-%s", names[pane]);
		check_grid(&load, name, 80, 24, false);
	}
	mark_free(mark);
	load_close(&load);
}

static void test_details(void **unused)
{
	static const char *const names[] = { "area", "owner", "hole", "leak", "failure", "event", "fit" };
	static const enum pane panes[] = { PANE_OWNERS, PANE_OWNERS, PANE_HOLES, PANE_LEAKS,
					   PANE_FAILURES, PANE_EVENTS, PANE_OWNERS };
	struct load load;
	char name[40];

	(void)unused;
	load_open(&load, LEAK, LOAD_ALL);
	load.state.cursor = 0xf79fe000;
	load.state.fit_bytes = 32u << 20;
	/* so that the selections have their rows */
	grid_free(load_draw(&load, 30, 100, false));
	for (int detail = DETAIL_AREA; detail <= DETAIL_FIT; detail++) {
		uint32_t i = load.state.selections[panes[detail]].index;

		load.state.pane = PANE_DETAIL;
		load.state.before = panes[detail];
		load.state.detail = (enum detail)detail;
		load.state.detail_id = detail == DETAIL_OWNER  ? model_owner_id(&load.model, i)
				       : detail == DETAIL_HOLE ? load.model.hole_list.holes[0].start
				       : detail == DETAIL_LEAK
					       ? state_owner_id(load.report.list[0].name_id,
								load.report.list[0].stack_id)
					       : 0;
		snprintf(name, sizeof(name), "detail-%s", names[detail]);
		check_grid(&load, name, 100, 40, false);
	}
	load_close(&load);
}

static void test_help(void **unused)
{
	struct load load;

	(void)unused;
	load_open(&load, BUSY, LOAD_ALL);
	load.state.help = true;
	check_grid(&load, "help", 80, 40, false);
	load.state.help_top = draw_help_excess(24);
	check_grid(&load, "help-80x24-end", 80, 24, false);
	load_close(&load);
}

/* No line of the help is cut on 80 columns. */
static void test_help_fits(void **unused)
{
	struct load load;
	struct grid *grid;
	char *text;

	(void)unused;
	load_open(&load, BUSY, LOAD_ALL);
	load.state.help = true;
	grid = load_draw(&load, 60, 80, false);
	text = dump(grid, false);
	assert_null(strstr(text, ">\n"));
	free(text);
	grid_free(grid);
	load_close(&load);
}

/* ---- the map ------------------------------------------------------------------------------ */

static void test_uncertain(void **unused)
{
	struct load load;

	(void)unused;
	load_open(&load, "tests/golden/unseeded.jsonl", LOAD_ALL);
	check_grid(&load, "uncertain", 80, 24, false);
	check_grid(&load, "uncertain-100x30", 100, 30, false);
	load_close(&load);
}

static void test_loss(void **unused)
{
	struct load load;

	(void)unused;
	load_open(&load, LOSS, LOAD_ALL);
	check_grid(&load, "loss", 80, 24, false);
	check_styled(&load, "loss-styles", 80, 24, false, true);
	load_close(&load);
}

static void test_spaces(void **unused)
{
	static const struct {
		const char *path, *name;
	} spaces[] = { { SPLIT, "space-huge" }, { SMALL, "space-small" }, { FULL, "space-full" },
		       { NAMES, "names" } };
	struct load load;

	(void)unused;
	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
		load_open(&load, spaces[i].path, LOAD_ALL);
		check_grid(&load, spaces[i].name, 80, 24, true);
		load_close(&load);
	}
}

static void test_zoom(void **unused)
{
	struct load load;

	(void)unused;
	load_open(&load, BUSY, LOAD_ALL);
	load.state.cursor = 0xf7941000;
	load.state.on_map = true;
	for (uint32_t zoom = 2; zoom < 40; zoom += 35) {
		load.state.zoom = zoom;
		load.state.recenter = true;
		check_grid(&load, zoom == 2 ? "zoom-2" : "zoom-pages", 80, 24, false);
		check_grid(&load, zoom == 2 ? "zoom-2-utf8" : "zoom-pages-utf8", 80, 24, true);
	}
	load_close(&load);
}

static void test_follow(void **unused)
{
	struct load load;

	(void)unused;
	load_open(&load, FAILED, LOAD_ALL);
	grid_free(load_draw(&load, 24, 80, false));
	load.state.following = true;
	load.state.follow_by = OWNERS_BY_CALLER;
	load.state.follow_id = model_owner_id(&load.model, 1);
	check_grid(&load, "follow", 80, 24, false);
	load_close(&load);
}

static void test_filter(void **unused)
{
	struct filter *filter;
	struct filter_error error;
	struct load load;

	(void)unused;
	load_open(&load, FAILED, LOAD_ALL);
	snprintf(load.state.filter, sizeof(load.state.filter), "mod=foo size>=64K");
	assert_int_equal(filter_compile(load.state.filter, &filter, &error), 0);
	load.from.filter = filter;
	check_grid(&load, "filter", 80, 24, false);
	load.state.pane = PANE_EVENTS;
	check_grid(&load, "filter-events", 80, 24, false);
	filter_free(filter);
	load_close(&load);
}

/* ---- replay, prompts ---------------------------------------------------------------------- */

static void test_replay(void **unused)
{
	struct load load;

	(void)unused;
	load_open(&load, FAILED, 45 * S);
	load.fails[40] = load.fails[60] = 1;
	load.model.play = (struct model_play){ .on = true,
					       .start_ns = load.start_ns,
					       .end_ns = load.start_ns + 63 * S,
					       .at_ns = load.start_ns + 45 * S,
					       .fails = load.fails,
					       .nr_buckets = 64 };
	load.state.speed = 4;
	check_grid(&load, "replay", 80, 24, false);
	load.state.paused = load.model.play.ended = true;
	load.model.play.at_ns = load.model.play.end_ns;
	check_grid(&load, "replay-end", 100, 30, true);
	load_close(&load);
}

static void test_bottom(void **unused)
{
	struct load load;

	(void)unused;
	load_open(&load, BUSY, LOAD_ALL);
	load.state.prompt = PROMPT_FILTER;
	snprintf(load.state.line, sizeof(load.state.line), "size>=1M");
	load.state.line_len = 8;
	load.state.paused = true;
	load.model.recording = "x.vmt";
	load.model.recorded_bytes = 123456;
	check_grid(&load, "prompt", 80, 24, false);
	load.state.prompt = PROMPT_NONE;
	state_say(&load.state, true, "expected a size (64K, 1M), not 'x' (at 7)");
	check_grid(&load, "message", 80, 24, false);
	load_close(&load);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),    cmocka_unit_test(test_any_size),
		cmocka_unit_test(test_panes),    cmocka_unit_test(test_details),
		cmocka_unit_test(test_help),     cmocka_unit_test(test_help_fits),
		cmocka_unit_test(test_uncertain), cmocka_unit_test(test_loss),
		cmocka_unit_test(test_spaces),   cmocka_unit_test(test_zoom),
		cmocka_unit_test(test_follow),   cmocka_unit_test(test_filter),
		cmocka_unit_test(test_replay),   cmocka_unit_test(test_bottom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
