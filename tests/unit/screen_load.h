/* SPDX-License-Identifier: GPL-2.0-only */
/* A recording read up to a moment, with all the evidence that the screen shows beside the map. */
#ifndef VMTRACE_TESTS_SCREEN_LOAD_H
#define VMTRACE_TESTS_SCREEN_LOAD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record/reader.h"
#include "screen/draw.h"
#include "screen/model.h"

#define S 1000000000ull

struct load {
	struct names *names;
	struct stacks *stacks;
	struct reader *reader;
	struct space *space;
	struct trend *trend;
	struct failures *failures;
	struct leaks *leaks;
	struct leaks_report report;
	struct tail *tail;
	struct growth *growth;
	struct mark *mark;
	struct view_facts facts;
	struct model_sources from;
	struct model model;
	struct state state;
	uint64_t start_ns;
	uint32_t fails[64];
};

static inline void load_event(struct load *load, const struct event *event)
{
	struct diagnosis_base base = { load->space, load->names, load->stacks, true };

	trend_before(load->trend, load->space, event);
	assert_int_equal(leaks_before(load->leaks, load->space, event), 0);
	space_apply(load->space, event);
	assert_int_equal(leaks_after(load->leaks, load->space, event), 0);
	if (event->type == EV_FAIL)
		failures_take(load->failures, event, &base);
	if (event->type == EV_LOST && event->state < LOST_CAUSE_COUNT)
		load->facts.lost_by_cause[event->state] += event->count;
	tail_add(load->tail, load->space, event);
	assert_int_equal(growth_sample(load->growth, load->space, event->t_ns), 0);
}

static inline void load_sources(struct load *load, uint64_t now_ns)
{
	static const struct leaks_filter all = { 0 };
	const struct stream_header *header = reader_header(load->reader);

	load->facts.version = "0.0";
	load->facts.hostname = header->hostname;
	load->facts.kernel = header->kernel;
	load->facts.cpus = header->cpus;
	load->facts.live = true;
	load->facts.now_ns = now_ns;
	load->facts.uptime_ns = now_ns - load->start_ns;
	assert_int_equal(leaks_report(load->leaks, load->space, now_ns, &all, &load->report), 0);
	load->from = (struct model_sources){
		.view = { .space = load->space,
			  .names = load->names,
			  .stacks = load->stacks,
			  .facts = &load->facts,
			  .trend = load->trend },
		.counters = space_counters(load->space),
		.failures = load->failures,
		.tail = load->tail,
		.last_event = UINT64_MAX,
		.growth = load->growth,
		.leaks = load->leaks,
		.leaks_report = &load->report,
		.kernel = { .exact_pages = true },
		.trust = trust_facts_of(load->space, &load->facts, NULL),
		.base_ns = load->start_ns,
	};
}

/* Reads path up to at_ns after its begin. */
static inline void load_open(struct load *load, const char *path, uint64_t at_ns)
{
	static const struct leaks_options options = { .by = OWNERS_BY_STACK };
	uint64_t last_ns = 0;
	struct event event;
	char why[256];

	memset(load, 0, sizeof(*load));
	load->names = names_new();
	load->stacks = stacks_new();
	if (reader_open(path, load->names, load->stacks, &load->reader, why, sizeof(why)))
		fail_msg("%s: %s", path, why);
	load->space = space_new(reader_header(load->reader)->vmalloc_start,
				reader_header(load->reader)->vmalloc_end);
	load->trend = trend_new();
	load->failures = failures_new();
	load->leaks = leaks_new(load->names, load->stacks, &options);
	load->tail = tail_new(1000);
	load->growth = growth_new(60 * S);
	load->start_ns = reader_header(load->reader)->start_ns;
	while (reader_next(load->reader, &event) == 1) {
		if (!load->start_ns && event.type != EV_STACK)
			load->start_ns = event.t_ns;
		if (event.type != EV_STACK && event.t_ns > load->start_ns + at_ns)
			break;
		load_event(load, &event);
		last_ns = event.t_ns > last_ns ? event.t_ns : last_ns;
	}
	state_init(&load->state);
	load->model.interval_ns = S;
	load_sources(load, at_ns == UINT64_MAX / 2 ? last_ns : load->start_ns + at_ns);
}

#define LOAD_ALL (UINT64_MAX / 2)

static inline void load_close(struct load *load)
{
	model_release(&load->model);
	leaks_report_release(&load->report);
	mark_free(load->mark);
	growth_free(load->growth);
	tail_free(load->tail);
	leaks_free(load->leaks);
	failures_free(load->failures);
	trend_free(load->trend);
	space_free(load->space);
	reader_close(load->reader);
	stacks_free(load->stacks);
	names_free(load->names);
}

static inline struct layout load_layout(struct load *load, uint32_t rows, uint32_t columns)
{
	struct layout_wants wants = {
		.failed = failures_count(load->failures) > 0,
		.leaks = load->report.leaks > 0,
		.replay = load->model.play.on,
		.pages = (space_end(load->space) - space_start(load->space)) / VMT_PAGE_SIZE,
	};

	return layout_make(rows, columns, &load->state, &wants);
}

static inline struct grid *load_draw_from(struct load *load, uint32_t rows, uint32_t columns,
					  bool utf8, bool fresh)
{
	struct layout layout = load_layout(load, rows, columns);
	struct grid *grid;

	assert_int_equal(model_build(&load->model, &load->from, &load->state, &layout, utf8, fresh),
			 0);
	grid = draw_screen(&load->model, &load->state, &layout, utf8);
	assert_non_null(grid);
	return grid;
}

/* The model for a size, and its grid. */
static inline struct grid *load_draw(struct load *load, uint32_t rows, uint32_t columns, bool utf8)
{
	return load_draw_from(load, rows, columns, utf8, true);
}

/* Another size of what was drawn before: what is of the map alone stays, as in the screen. */
static inline struct grid *load_redraw(struct load *load, uint32_t rows, uint32_t columns,
				       bool utf8)
{
	return load_draw_from(load, rows, columns, utf8, false);
}

#endif
