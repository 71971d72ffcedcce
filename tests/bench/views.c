// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the questions cost, and what an area and a stack cost in memory, for 10^3, 10^4 and 10^5
 * areas in a space of 3 GiB (the largest there is). Processor time, best of some runs; beside each
 * the growth for ten times the areas, as a share of ten: 1.0 = with the areas, above = worse. The
 * floor in the same run is space_first, which walks over all of them and asks nothing.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "allocator/diagnose.h"
#include "allocator/fit.h"
#include "screen/draw.h"
#include "screen/model.h"
#include "space/leaks.h"
#include "view/text.h"

#define START  0x3fffe000u
#define PAGES  786432u
#define END    (START + PAGES * VMT_PAGE_SIZE)
#define T0     1000000000000ull
#define STEP   1000000ull /* from one event to the next */
#define STACKS 1000u
#define FRAMES 12u
#define SIZES  3u
#define BEST   5

struct bench {
	struct space *space;
	struct names *names;
	struct stacks *stacks;
	struct leaks *leaks;
	struct trend *trend;
	struct tail *tail;
	struct growth *growth;
	struct failures *failures;
	struct leaks_report report; /* for the screen, as it was last made */
	struct view_facts facts;
	FILE *null;
	uint64_t t_ns;
	uint32_t areas;
	uint32_t stack_ids[STACKS];
};

static void die(const char *what)
{
	fprintf(stderr, "views: %s\n", what);
	exit(1);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static size_t heap_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static double cpu_now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- the space -------------------------------------------------------------------------------- */

static void tell(struct bench *b, struct event event)
{
	event.t_ns = b->t_ns;
	if (leaks_before(b->leaks, b->space, &event))
		die("out of memory");
	trend_before(b->trend, b->space, &event);
	if (space_apply(b->space, &event) || leaks_after(b->leaks, b->space, &event))
		die("an event was refused");
	tail_add(b->tail, b->space, &event);
}

/* The names of stack i, which shares most of them with others. */
static void make_frames(struct bench *b, uint32_t i, uint32_t *frames)
{
	for (uint32_t j = 0; j < FRAMES; j++) {
		char text[64];

		snprintf(text, sizeof(text), "function_%u+0x%x [module%u]", i / (j + 1), j, i % 50);
		frames[j] = names_intern_str(b->names, text);
	}
}

static void make_stacks(struct bench *b)
{
	uint32_t frames[FRAMES];

	for (uint32_t i = 0; i < STACKS; i++) {
		make_frames(b, i, frames);
		b->stack_ids[i] = stacks_intern(b->stacks, frames, FRAMES, NULL);
	}
}

static struct event alloc_at(const struct bench *b, uint32_t page, uint32_t pages, uint32_t what)
{
	return (struct event){
		.type = EV_ALLOC,
		.start = START + page * VMT_PAGE_SIZE,
		.end = START + (page + pages) * VMT_PAGE_SIZE,
		.size = pages * VMT_PAGE_SIZE,
		.requested = (pages - 1) * VMT_PAGE_SIZE - what % VMT_PAGE_SIZE,
		.align = 1,
		.vstart = START,
		.vend = END,
		.guard_pages = 1,
		.kind = what % 16 ? KIND_VMALLOC : KIND_IOREMAP,
		.pid = 100 + what % 40,
		.stack_id = b->stack_ids[what % STACKS],
	};
}

/* Areas of 2 to 6 pages over the whole space, every eighth freed again, holes between them. */
static void fill(struct bench *b)
{
	uint32_t slot = PAGES / b->areas, seed = 1;

	for (uint32_t i = 0; i < b->areas; i++) {
		uint32_t pages = 2 + next_random(&seed) % 5, what = next_random(&seed);
		struct event event =
			alloc_at(b, i * slot + next_random(&seed) % 2, pages, what);

		b->t_ns += STEP;
		tell(b, event);
		event.type = EV_FREE;
		if (i % 8 == 0)
			tell(b, event);
	}
}

static void make(struct bench *b, uint32_t areas)
{
	struct event begin = { .type = EV_SNAPSHOT_BEGIN, .begin_ns = T0 };
	struct event end = { .type = EV_SNAPSHOT_END, .begin_ns = T0 };
	struct leaks_options options = { .by = OWNERS_BY_STACK };
	struct leaks_filter all = { 0 };

	memset(b, 0, sizeof(*b));
	b->areas = areas;
	b->t_ns = T0;
	b->names = names_new();
	b->stacks = stacks_new();
	b->space = space_new(START, END);
	b->leaks = leaks_new(b->names, b->stacks, &options);
	b->trend = trend_new();
	b->tail = tail_new(1000);
	b->growth = growth_new(60000 * STEP);
	b->failures = failures_new();
	b->null = fopen("/dev/null", "w");
	if (!b->space || !b->leaks || !b->trend || !b->tail || !b->growth || !b->failures || !b->null)
		die("out of memory");
	make_stacks(b);
	tell(b, begin);
	tell(b, end);
	fill(b);
	b->facts = (struct view_facts){
		.version = "bench", .hostname = "bench", .kernel = "bench", .cpus = 1
	};
	b->facts.now_ns = b->t_ns + STEP;
	b->facts.uptime_ns = b->facts.now_ns - T0;
	if (growth_sample(b->growth, b->space, b->facts.now_ns) ||
	    leaks_report(b->leaks, b->space, b->facts.now_ns, &all, &b->report))
		die("out of memory");
}

static void release(struct bench *b)
{
	fclose(b->null);
	leaks_report_release(&b->report);
	failures_free(b->failures);
	growth_free(b->growth);
	tail_free(b->tail);
	trend_free(b->trend);
	leaks_free(b->leaks);
	space_free(b->space);
	stacks_free(b->stacks);
	names_free(b->names);
}

static struct view view_of(struct bench *b)
{
	return (struct view){ .space = b->space, .names = b->names, .stacks = b->stacks,
			      .facts = &b->facts, .trend = b->trend,
			      .style = { .columns = 80 } };
}

/* ---- the questions ---------------------------------------------------------------------------- */

static void ask_walk(struct bench *b)
{
	const struct area *area = space_first(b->space, START);
	uint32_t areas = 0;

	for (; area; area = space_first(b->space, area->end))
		areas++;
	if (areas < b->areas / 2)
		die("areas are missing");
}

static void ask_fit_of(struct bench *b, uint32_t bytes, uint32_t count)
{
	struct fit_question question = { .kind = KIND_VMALLOC, .bytes = bytes, .count = count };
	struct fit_kernel kernel = { .pmd_bytes = 2u << 20, .exact_pages = true };
	struct fit_answer answer;

	if (fit_ask(b->space, &kernel, &question, &answer))
		die("fit failed");
	fit_release(&answer);
}

static void ask_fit(struct bench *b)
{
	ask_fit_of(b, 8 * VMT_PAGE_SIZE, 1);
}

/* It does not: who is in the way? */
static void ask_fit_no(struct bench *b)
{
	ask_fit_of(b, 1u << 30, 1);
}

static void ask_why(struct bench *b)
{
	struct diagnosis_base base = { .space = b->space, .names = b->names,
				       .stacks = b->stacks, .exact_pages = true };
	struct event fail = alloc_at(b, 0, 1u << 18, 1);
	struct diagnosis diagnosis;

	fail.type = EV_FAIL;
	fail.t_ns = b->t_ns;
	fail.start = fail.end = 0;
	fail.err = -16;
	if (diagnose(&base, &fail, &diagnosis) || diagnosis.verdict == VERDICT_NONE)
		die("no diagnosis");
}

static void ask_leaks(struct bench *b)
{
	struct leaks_filter filter = { 0 };
	struct leaks_report report;

	if (leaks_report(b->leaks, b->space, b->facts.now_ns, &filter, &report))
		die("no report of leaks");
	leaks_report_release(&report);
}

static void ask_map(struct bench *b)
{
	struct view view = view_of(b);

	text_summary(b->null, &view);
	text_map(b->null, &view, 16);
}

static void ask_top(struct bench *b)
{
	struct view view = view_of(b);

	text_top(b->null, &view, OWNERS_BY_CALLER, OWNERS_SORT_BYTES, 20);
}

static void ask_top_stack(struct bench *b)
{
	struct view view = view_of(b);

	text_top(b->null, &view, OWNERS_BY_STACK, OWNERS_SORT_BYTES, 20);
}

static void ask_holes(struct bench *b)
{
	struct view view = view_of(b);

	text_holes(b->null, &view, 10);
}

/* The block that live prints every interval. */
static void ask_live(struct bench *b)
{
	struct view view = view_of(b);

	text_live(b->null, &view, NULL, NULL, 10);
}

/* The full screen at 100x30: the model made anew, and drawn; all but the terminal. */
static void ask_frame(struct bench *b)
{
	struct model_sources from = {
		.view = view_of(b),
		.counters = space_counters(b->space),
		.failures = b->failures,
		.tail = b->tail,
		.last_event = UINT64_MAX,
		.growth = b->growth,
		.leaks = b->leaks,
		.leaks_report = &b->report,
		.kernel = { .pmd_bytes = 2u << 20, .exact_pages = true },
		.trust = trust_facts_of(b->space, &b->facts, NULL),
		.base_ns = T0,
	};
	struct layout_wants wants = { .leaks = true, .pages = PAGES };
	struct model model = { .interval_ns = 1000 * STEP };
	struct layout layout;
	struct state state;
	struct grid *grid;

	state_init(&state);
	layout = layout_make(30, 100, &state, &wants);
	if (model_build(&model, &from, &state, &layout, false, true))
		die("no frame");
	grid = draw_screen(&model, &state, &layout, false);
	if (!grid)
		die("no frame");
	grid_free(grid);
	model_release(&model);
}

static const struct {
	const char *name;
	void (*ask)(struct bench *b);
} questions[] = {
	{ "walk (floor)", ask_walk },   { "fit", ask_fit },
	{ "fit, does not", ask_fit_no }, { "why", ask_why },
	{ "leaks", ask_leaks },         { "map", ask_map },
	{ "top", ask_top },             { "top --by=stack", ask_top_stack },
	{ "holes", ask_holes },         { "a block of live", ask_live },
	{ "a frame of screen", ask_frame },
};

#define NR_QUESTIONS (sizeof(questions) / sizeof(questions[0]))

static double seconds_of(void (*ask)(struct bench *b), struct bench *b)
{
	double best = 1e9;

	for (int round = 0; round < BEST; round++) {
		double begin_s = cpu_now_s(), took;

		ask(b);
		took = cpu_now_s() - begin_s;
		best = took < best ? took : best;
	}
	return best;
}

static void time_questions(void)
{
	static const uint32_t areas[SIZES] = { 1000, 10000, 100000 };
	double took[SIZES][NR_QUESTIONS];

	for (uint32_t i = 0; i < SIZES; i++) {
		struct bench b;

		make(&b, areas[i]);
		for (size_t q = 0; q < NR_QUESTIONS; q++)
			took[i][q] = seconds_of(questions[q].ask, &b);
		release(&b);
	}
	printf("views: %-17s %12s %12s %12s   growth, of ten\n", "areas", "1000", "10000",
	       "100000");
	for (size_t q = 0; q < NR_QUESTIONS; q++)
		printf("views: %-17s %9.0f us %9.0f us %9.0f us   %.2f %.2f\n", questions[q].name,
		       took[0][q] * 1e6, took[1][q] * 1e6, took[2][q] * 1e6,
		       took[1][q] / took[0][q] / 10, took[2][q] / took[1][q] / 10);
}

/* ---- memory ----------------------------------------------------------------------------------- */

static struct space *known_space(void)
{
	struct event begin = { .type = EV_SNAPSHOT_BEGIN, .begin_ns = 1, .t_ns = 1 };
	struct event end = { .type = EV_SNAPSHOT_END, .begin_ns = 1, .t_ns = 1 };
	struct space *space = space_new(START, END);

	if (!space || space_apply(space, &begin) || space_apply(space, &end))
		die("out of memory");
	return space;
}

/* Whole powers of two, so that it is what an area takes and not how far an array has grown. */
static void measure_areas(void)
{
	size_t before = heap_bytes(), empty, filled;
	uint32_t areas = 1u << 16, seed = 1;
	struct space *space = known_space();
	struct bench b = { 0 };

	empty = heap_bytes();
	for (uint32_t i = 0; i < areas; i++) {
		struct event event = alloc_at(&b, i * 7, 2 + next_random(&seed) % 5, i);

		event.t_ns = T0 + i;
		if (space_apply(space, &event))
			die("an event was refused");
	}
	filled = heap_bytes();
	printf("memory: %.1f bytes a page of the space, %.1f bytes an area\n",
	       (double)(empty - before) / PAGES, (double)(filled - empty) / areas);
	space_free(space);
}

static void measure_stacks(void)
{
	struct bench b = { .names = names_new(), .stacks = stacks_new() };
	uint32_t frames[FRAMES];
	size_t before, named;

	if (!b.names || !b.stacks)
		die("out of memory");
	before = heap_bytes();
	for (uint32_t i = 0; i < STACKS; i++)
		make_frames(&b, i, frames);
	named = heap_bytes();
	make_stacks(&b);
	printf("memory: %.1f bytes a stack of %u frames, and %.1f bytes a name\n",
	       (double)(heap_bytes() - named) / STACKS, FRAMES,
	       (double)(named - before) / names_count(b.names));
	names_free(b.names);
	stacks_free(b.stacks);
}

int main(void)
{
	measure_areas();
	measure_stacks();
	time_questions();
	return 0;
}
