// SPDX-License-Identifier: GPL-2.0-only
/* What a walk over the space costs (holes_report), and what the trend adds to an event.
 * `make bench`; prints the best of several runs. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "space/holes.h"
#include "space/trend.h"

#define START  0x3fffe000u
#define EVENTS 5000000u
#define RUNS   20

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 12;
}

/* A space of which all is free and known. */
static struct space *make_space(uint32_t pages)
{
	struct event begin = { .type = EV_SNAPSHOT_BEGIN, .t_ns = 1, .begin_ns = 1 };
	struct event end = { .type = EV_SNAPSHOT_END, .t_ns = 1, .begin_ns = 1 };
	struct space *space = space_new(START, START + pages * VMT_PAGE_SIZE);

	if (!space || space_apply(space, &begin) || space_apply(space, &end))
		exit(1);
	return space;
}

/* Areas of 2 to 11 pages with up to max_gap pages between them; half of them lazy. */
static uint32_t fill(struct space *space, uint32_t pages, uint32_t max_gap)
{
	uint32_t seed = 1, areas = 0, page = 0;

	while (page + 12 < pages) {
		struct event event = { .type = EV_ALLOC, .t_ns = 100, .guard_pages = 1 };
		uint32_t length = 2 + next_random(&seed) % 10;

		event.start = START + page * VMT_PAGE_SIZE;
		event.end = event.start + length * VMT_PAGE_SIZE;
		if (space_apply(space, &event))
			exit(1);
		event.type = EV_FREE;
		if (areas++ % 2 && space_apply(space, &event))
			exit(1);
		page += length + next_random(&seed) % max_gap;
	}
	return areas;
}

static void bench_walk(uint32_t pages, uint32_t max_gap)
{
	struct space *space = make_space(pages);
	uint32_t areas = fill(space, pages, max_gap);
	struct holes_report report;
	double best = 1e9;

	for (unsigned int i = 0; i < RUNS; i++) {
		double begin = now_s(), took;

		holes_report(space, &report);
		took = now_s() - begin;
		if (took < best)
			best = took;
	}
	printf("holes: %6u pages %6u areas %6u holes: %7.0f us\n", pages, areas, report.count,
	       best * 1e6);
	space_free(space);
}

/* Allocations and frees at random places, 5 us apart. */
static double apply_events(uint32_t pages, struct trend *trend)
{
	struct space *space = make_space(pages);
	uint32_t seed = 1;
	double begin = now_s(), took;

	for (uint32_t i = 0; i < EVENTS; i++) {
		struct event event = { .type = i % 2 ? EV_FREE : EV_ALLOC, .guard_pages = 1 };

		event.t_ns = 1000 + i * 5000ull;
		event.start = START + next_random(&seed) % (pages / 16) * 16 * VMT_PAGE_SIZE;
		event.end = event.start + 3 * VMT_PAGE_SIZE;
		if (trend)
			trend_before(trend, space, &event);
		if (space_apply(space, &event))
			exit(1);
	}
	took = now_s() - begin;
	space_free(space);
	return took;
}

static void bench_trend(uint32_t pages)
{
	double without = 1e9, with = 1e9;

	for (unsigned int i = 0; i < 3; i++) {
		struct trend *trend = trend_new();
		double took = apply_events(pages, NULL);

		without = took < without ? took : without;
		took = apply_events(pages, trend);
		with = took < with ? took : with;
		trend_free(trend);
	}
	printf("trend: %6u pages: an event %.1f ns without, %.1f ns with it\n", pages,
	       without * 1e9 / EVENTS, with * 1e9 / EVENTS);
}

int main(void)
{
	bench_walk(30720, 2000);
	bench_walk(30720, 4);
	bench_walk(786432, 2000);
	bench_walk(786432, 4);
	bench_trend(30720);
	bench_trend(786432);
	return 0;
}
