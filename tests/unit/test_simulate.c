/* SPDX-License-Identifier: GPL-2.0-only */
/* Recordings played again: against a naive allocator, then case by case. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "naive_allocator.h"
#include "volume.h"
#include "allocator/freetree.h"
#include "allocator/simulate.h"

#define MB	   (1u << 20)
#define T0	   1000000000000ull
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* ---- against the naive allocator ---------------------------------------------------------- */

#define RECORDED_PAGES (48u * 256)
#define NR_IDS	       1600u
#define NR_OPS	       3000u
#define NR_BOOT	       150u /* played before the recording begins */

struct script {
	struct op ops[NR_OPS];
	uint32_t live[NR_IDS];
	uint32_t nr_live;
	uint32_t nr_ids;
	uint64_t rng;
};

static uint32_t rnd(struct script *script, uint32_t below)
{
	script->rng ^= script->rng << 13;
	script->rng ^= script->rng >> 7;
	script->rng ^= script->rng << 17;
	return (uint32_t)(script->rng >> 32) % below;
}

static uint8_t some_kind(struct script *script)
{
	uint32_t what = rnd(script, 20);

	return what == 0 ? KIND_PERCPU : what < 4 ? KIND_MODULE : KIND_VMALLOC;
}

/* In waves: up to what does not fit in the recorded space, and down again. */
static void make_script(struct script *script, uint64_t seed)
{
	memset(script, 0, sizeof(*script));
	script->rng = seed * 0x9e3779b97f4a7c15ull + 1;
	for (uint32_t i = 0; i < NR_OPS; i++) {
		struct op *op = &script->ops[i];
		bool up = i < NR_BOOT || (i / 500) % 2;
		uint32_t what = rnd(script, 100), at;

		op->t_ns = T0 + i * 3 * MS + rnd(script, 500000);
		op->type = OP_ALLOC;
		if (what < 2) {
			op->type = OP_PURGE;
		} else if (script->nr_ids == NR_IDS || (script->nr_live && what > (up ? 58 : 42))) {
			if (!script->nr_live) {
				op->type = OP_PURGE;
				continue;
			}
			at = rnd(script, script->nr_live);
			op->type = OP_FREE;
			op->id = script->live[at];
			script->live[at] = script->live[--script->nr_live];
		} else {
			op->id = script->nr_ids++;
			op->kind = some_kind(script);
			op->pages = 2 + rnd(script, i < NR_BOOT ? 60 : rnd(script, 30) ? 150 : 1500);
			script->live[script->nr_live++] = op->id;
		}
	}
}

static void feed(void *context, const struct event *event)
{
	assert_int_equal(simulate_apply(context, event), 0);
}

/* Without the first part; what it left is in the snapshot. */
static void record(const struct script *script, struct naive *n, struct simulate *simulate)
{
	naive_play(n, script->ops, NR_BOOT);
	naive_begin(n);
	n->emit = feed;
	n->context = simulate;
	naive_snapshot(n, script->ops[NR_BOOT].t_ns - MS);
	naive_play(n, script->ops + NR_BOOT, NR_OPS - NR_BOOT);
	assert_int_equal(simulate_finish(simulate), 0);
}

static void compare(const struct simulation_result *got, const struct naive_stats *want)
{
	assert_int_equal(got->seeds_moved, 0);
	assert_int_equal(got->fails_stay, want->fails_stay);
	assert_int_equal(got->fails_gone, want->fails_gone);
	assert_int_equal(got->fails_new, want->fails_new);
	assert_int_equal(got->purges_overflow, want->purges_overflow);
	assert_int_equal(got->purges_threshold, want->purges_threshold);
	assert_int_equal(got->used_bytes, want->used_bytes);
	assert_int_equal(got->lazy_bytes, want->lazy_bytes);
	assert_int_equal(got->max_used_bytes, want->max_used_bytes);
	assert_int_equal(got->max_lazy_bytes, want->max_lazy_bytes);
	assert_int_equal(got->largest_bytes, want->largest_bytes);
	assert_int_equal(got->largest_purged_bytes, want->largest_purged_bytes);
	assert_int_equal(got->min_largest_bytes, want->min_largest_bytes);
	assert_int_equal(got->min_largest_purged_bytes, want->min_largest_purged_bytes);
}

static void check_recorded(const struct simulate *simulate, const struct naive *n)
{
	const struct simulate_recorded *facts = simulate_recorded(simulate);
	const struct simulation_result *same = simulate_result(simulate, 0);

	assert_true(facts->allocs > 1000);
	assert_int_equal(facts->exact, facts->allocs);
	assert_int_equal(facts->fails, n->stats.fails_stay);
	assert_int_equal(facts->fails_predicted, facts->fails);
	assert_int_equal(facts->purges_overflow, n->stats.purges_overflow);
	assert_int_equal(facts->purges_threshold, n->stats.purges_threshold);
	assert_int_equal(facts->curve_max_bytes, 0);
	assert_int_equal(same->same_address, facts->allocs);
	assert_int_equal(simulate_truth(simulate)->min_largest_purged_bytes,
			 n->stats.min_largest_purged_bytes);
	assert_int_equal(simulate_truth(simulate)->max_lazy_bytes, n->stats.max_lazy_bytes);
	compare(same, &n->stats);
}

/* The recorded size is predicted address for address; any other equals the naive allocator in a
 * space of that size, from boot on. */
static void run_script(uint64_t seed, uint32_t cpus)
{
	static const uint32_t sizes[] = {24, 40, 49, 64, 128};
	struct simulate_options options = {.start = END - RECORDED_PAGES * PAGE, .end = END,
					   .cpus = 1, .kernel = "6.1.0-50-686-pae"};
	struct simulate *simulate = simulate_new(&options);
	struct script *script = calloc(1, sizeof(*script));
	struct naive recorded, other;
	uint64_t purged = 0;

	assert_non_null(simulate);
	assert_non_null(script);
	make_script(script, seed);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		assert_int_equal(simulate_add(simulate, sizes[i] * MB, cpus, true), i + 1);
	naive_init(&recorded, RECORDED_PAGES, simulation_lazy_max_bytes(1) / PAGE, NR_IDS);
	record(script, &recorded, simulate);
	check_recorded(simulate, &recorded);
	assert_true(recorded.stats.fails_stay > 0);
	assert_true(recorded.stats.purges_overflow > 0);
	assert_true(simulate_recorded(simulate)->purges_other > 0);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		naive_init(&other, sizes[i] * 256, simulation_lazy_max_bytes(cpus) / PAGE, NR_IDS);
		other.recorded = &recorded;
		naive_play(&other, script->ops, NR_BOOT);
		naive_begin(&other);
		naive_play(&other, script->ops + NR_BOOT, NR_OPS - NR_BOOT);
		compare(simulate_result(simulate, (uint32_t)i + 1), &other.stats);
		purged += other.stats.purges_threshold;
		naive_release(&other);
	}
	assert_true(purged + recorded.stats.purges_threshold > 0);
	naive_release(&recorded);
	free(script);
	simulate_free(simulate);
}

static void equals_naive(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 1 + ROUNDS(1); seed++)
		run_script(seed, 1);
}

static void equals_naive_with_more_cpus(void **state)
{
	(void)state;
	run_script(5, 4);
}

/* ---- case by case: 120 MB at f77fe000, 2 CPUs ------------------------------------------------ */

#define START 0xf77fe000u
#define P(n)  (START + (n)*PAGE)
#define TOP(n) (END - (n)*PAGE)

struct fixture {
	struct simulate *simulate;
	uint64_t t_ns;
};

static void apply(struct fixture *f, struct event event)
{
	f->t_ns += 10 * US;
	if (!event.t_ns)
		event.t_ns = f->t_ns;
	assert_int_equal(simulate_apply(f->simulate, &event), 0);
}

static struct event ev_alloc(uint32_t first, uint32_t pages)
{
	return (struct event){.type = EV_ALLOC, .start = P(first), .end = P(first + pages),
			      .size = pages * PAGE, .align = 1, .vstart = START, .vend = END,
			      .kind = KIND_VMALLOC, .tid = 11, .pid = 11, .stack_id = 1,
			      .latency_ns = 5 * US};
}

static struct event ev_free(uint32_t first, uint32_t pages)
{
	return (struct event){.type = EV_FREE, .start = P(first), .end = P(first + pages), .tid = 11};
}

static struct event ev_fail(uint32_t pages, uint32_t stack_id)
{
	return (struct event){.type = EV_FAIL, .size = pages * PAGE, .align = 1, .vstart = START,
			      .vend = END, .kind = KIND_VMALLOC, .tid = 12, .pid = 12, .err = -EBUSY,
			      .stack_id = stack_id, .latency_ns = 5 * US};
}

static struct event ev_purge(const struct fixture *f, uint32_t tid)
{
	return (struct event){.type = EV_PURGE, .begin_ns = f->t_ns + 5 * US, .tid = tid,
			      .flags = EV_F_HAS_BEGIN};
}

static struct event ev_area(uint32_t start, uint32_t pages, uint8_t kind)
{
	return (struct event){.type = EV_AREA, .start = start, .end = start + pages * PAGE,
			      .kind = kind, .state = AREA_USED};
}

/* The list of the areas, long after the last event. */
static void snapshot(struct fixture *f, const struct event *areas, uint32_t count)
{
	struct event event = {.type = EV_SNAPSHOT_BEGIN, .flags = EV_F_HAS_BEGIN};

	f->t_ns += 200 * MS;
	event.begin_ns = f->t_ns;
	apply(f, event);
	for (uint32_t i = 0; i < count; i++)
		apply(f, areas[i]);
	event.type = EV_SNAPSHOT_END;
	apply(f, event);
	f->t_ns += 200 * MS;
}

static uint32_t add(struct fixture *f, uint32_t mb, uint32_t cpus, bool each_failure)
{
	int number = simulate_add(f->simulate, mb * MB, cpus, each_failure);

	assert_true(number > 0);
	return (uint32_t)number;
}

static const struct simulation_result *result(struct fixture *f, uint32_t number)
{
	return simulate_result(f->simulate, number);
}

static const struct simulate_recorded *finish(struct fixture *f)
{
	assert_int_equal(simulate_finish(f->simulate), 0);
	return simulate_recorded(f->simulate);
}

static void without_a_snapshot(void **state)
{
	struct fixture *f = *state;

	apply(f, ev_alloc(0, 2));
	apply(f, ev_fail(9, 1));
	assert_int_equal(finish(f)->allocs, 0);
	assert_false(simulate_played(f->simulate));
	assert_int_equal(result(f, 0)->requests, 0);
}

/* What came before the list is in it. */
static void before_the_snapshot(void **state)
{
	struct fixture *f = *state;
	struct event area = ev_area(P(5), 2, KIND_VMALLOC);

	apply(f, ev_alloc(5, 2));
	snapshot(f, &area, 1);
	apply(f, ev_alloc(0, 5));
	apply(f, ev_alloc(7, 1));
	assert_int_equal(finish(f)->exact, 2);
	assert_int_equal(result(f, 0)->used_bytes, 8 * PAGE);
}

/* Two at once: the first to be reported was served second. */
static void raced(void **state)
{
	struct fixture *f = *state;
	struct event late = ev_alloc(0, 3);
	uint32_t larger = add(f, 200, 0, false);

	snapshot(f, NULL, 0);
	apply(f, ev_alloc(3, 2));
	apply(f, ev_alloc(5, 2));
	late.latency_ns = 100 * US;
	apply(f, late);
	apply(f, ev_alloc(7, 2));
	assert_int_equal(finish(f)->exact, 3);
	assert_int_equal(finish(f)->exact_reordered, 1);
	assert_int_equal(finish(f)->reordered, 1);
	assert_int_equal(result(f, 0)->same_address, 4);
	assert_int_equal(result(f, larger)->used_bytes, 9 * PAGE);
}

/* One that began only after the other was reported was not there before it. */
static void not_raced(void **state)
{
	struct fixture *f = *state;
	struct event late = ev_alloc(0, 3);

	snapshot(f, NULL, 0);
	apply(f, ev_alloc(3, 2));
	late.latency_ns = 1;
	apply(f, late);
	assert_int_equal(finish(f)->exact, 1);
	assert_int_equal(finish(f)->missed[SIMULATE_OTHER], 1);
	assert_int_equal(result(f, 0)->same_address, 0);
}

static void causes(void **state)
{
	struct fixture *f = *state;
	struct event event = ev_alloc(50, 1);

	snapshot(f, NULL, 0);
	event.size = 0;
	apply(f, event);
	event = ev_alloc(64, 1);
	event.align = 16 * PAGE;
	apply(f, event);
	event = ev_alloc(70, 1);
	event.latency_ns = 15 * US; /* the one before was reported meanwhile */
	apply(f, event);
	apply(f, ev_purge(f, 77));
	event = ev_alloc(80, 1);
	event.latency_ns = 15 * US;
	apply(f, event);
	apply(f, (struct event){.type = EV_LOST, .count = 3, .state = LOST_RING, .t_ns = T0 * 2});
	apply(f, ev_alloc(90, 1));
	assert_int_equal(finish(f)->missed[SIMULATE_NO_ENTRY], 1);
	assert_int_equal(finish(f)->missed[SIMULATE_ALIGNED], 1);
	assert_int_equal(finish(f)->missed[SIMULATE_RACED], 1);
	assert_int_equal(finish(f)->missed[SIMULATE_PURGING], 1);
	assert_int_equal(finish(f)->missed[SIMULATE_LOST], 1);
	assert_int_equal(finish(f)->lost, 3);
}

/* A purge of three areas has given back one when it is used again. */
static void purge_in_progress(void **state)
{
	struct fixture *f = *state;
	struct event purge = {.type = EV_PURGE, .flags = EV_F_HAS_BEGIN, .tid = 77};
	uint32_t larger = add(f, 200, 0, false);

	snapshot(f, NULL, 0);
	for (uint32_t i = 0; i < 6; i++)
		apply(f, ev_alloc(i * 4, 4));
	for (uint32_t i = 0; i < 6; i += 2)
		apply(f, ev_free(i * 4, 4));
	purge.begin_ns = f->t_ns + 5 * US;
	apply(f, ev_alloc(24, 1)); /* nothing is back yet */
	apply(f, ev_alloc(0, 1));
	apply(f, ev_alloc(25, 4)); /* the second is not */
	apply(f, purge);
	apply(f, ev_alloc(8, 4));
	assert_int_equal(finish(f)->allocs, 10);
	assert_int_equal(finish(f)->exact, 9);
	assert_int_equal(finish(f)->exact_reordered, 1);
	assert_int_equal(result(f, 0)->same_address, 10);
	assert_int_equal(result(f, larger)->lazy_bytes, 0);
}

/* From 6.9 on all come back at once: the second is as good as the first. */
static void purge_at_once(void **state)
{
	struct fixture *f = *state;
	struct simulate_options options = {.start = START, .end = END, .cpus = 2, .kernel = "6.12.95"};
	struct event purge = {.type = EV_PURGE, .flags = EV_F_HAS_BEGIN, .tid = 77};

	simulate_free(f->simulate);
	f->simulate = simulate_new(&options);
	snapshot(f, NULL, 0);
	apply(f, ev_alloc(0, 2));
	apply(f, ev_alloc(2, 6));
	apply(f, ev_alloc(8, 4));
	apply(f, ev_alloc(12, 4));
	apply(f, ev_free(0, 2));
	apply(f, ev_free(8, 4));
	purge.begin_ns = f->t_ns + 5 * US;
	apply(f, ev_alloc(8, 4));
	apply(f, ev_alloc(0, 2));
	apply(f, purge);
	assert_int_equal(finish(f)->exact, 5);
	assert_int_equal(finish(f)->exact_reordered, 1);
}

/* An area whose free was seen before a purge began, and which is not used afterwards though it is
 * the lowest place: its task lost the CPU before the area was in the list. */
static void missed_purge(void **state)
{
	struct fixture *f = *state;
	uint32_t larger = add(f, 200, 0, false);

	snapshot(f, NULL, 0);
	for (uint32_t i = 0; i < 6; i++)
		apply(f, ev_alloc(i * 4, 4));
	apply(f, ev_free(8, 4));
	apply(f, ev_free(0, 4));
	apply(f, ev_purge(f, 77));
	apply(f, ev_alloc(8, 4));
	apply(f, ev_alloc(24, 4));
	assert_int_equal(finish(f)->missed_purge, 1);
	assert_int_equal(finish(f)->exact, 7);
	assert_int_equal(finish(f)->exact_reordered, 1);
	assert_int_equal(result(f, 0)->same_address, 8);
	assert_int_equal(result(f, larger)->lazy_bytes, 4 * PAGE);
	apply(f, ev_purge(f, 77)); /* this one gets it */
	apply(f, ev_alloc(0, 4));
	assert_int_equal(finish(f)->exact, 8);
	assert_int_equal(result(f, larger)->lazy_bytes, 0);
}

/* Not if it was freed long before the purge; nor if the allocation was under way at the purge's end,
 * so that it may have been served before. */
static void no_missed_purge(void **state)
{
	struct fixture *f = *state;
	struct event late = ev_alloc(20, 4);

	snapshot(f, NULL, 0);
	for (uint32_t i = 0; i < 4; i++)
		apply(f, ev_alloc(i * 4, 4));
	apply(f, ev_free(0, 4));
	f->t_ns += 60 * MS;
	apply(f, ev_purge(f, 77));
	f->t_ns += 10 * MS;
	apply(f, ev_alloc(16, 4));
	assert_int_equal(finish(f)->missed_purge, 0);
	assert_int_equal(finish(f)->missed[SIMULATE_OTHER], 1);
	apply(f, ev_free(4, 4));
	apply(f, ev_purge(f, 77));
	apply(f, ev_alloc(0, 4));
	late.latency_ns = 25 * US;
	apply(f, late);
	assert_int_equal(finish(f)->missed_purge, 0);
	assert_int_equal(finish(f)->missed[SIMULATE_PURGING], 1);
}

/* The one that was first need not be where it is predicted if it is aligned. */
static void raced_by_aligned(void **state)
{
	struct fixture *f = *state;
	struct event late = ev_alloc(18, 2);

	snapshot(f, NULL, 0);
	apply(f, ev_alloc(0, 16));
	apply(f, ev_alloc(20, 4)); /* 16 would do, but for what is at 18 */
	late.align = 2 * PAGE;
	late.latency_ns = 100 * US;
	apply(f, late);
	apply(f, ev_alloc(16, 2));
	assert_int_equal(finish(f)->exact, 2);
	assert_int_equal(finish(f)->exact_reordered, 1);
	assert_int_equal(finish(f)->reordered, 1);
	assert_int_equal(finish(f)->missed[SIMULATE_ALIGNED], 1);
}

/* A purge by a task whose allocation is under way was wanted by it: a larger space needs none. */
static void overflow_purge(void **state)
{
	struct fixture *f = *state;
	uint32_t pages = 120 * 256, larger = add(f, 200, 0, false);
	struct event alloc = ev_alloc(0, 100), purge;

	snapshot(f, NULL, 0);
	apply(f, ev_alloc(0, 100));
	apply(f, ev_alloc(100, pages - 100));
	apply(f, ev_free(0, 100));
	purge = ev_purge(f, 11);
	apply(f, purge);
	alloc.latency_ns = 15 * US;
	apply(f, alloc);
	assert_int_equal(finish(f)->purges_overflow, 1);
	assert_int_equal(finish(f)->purges_other, 0);
	assert_int_equal(finish(f)->exact, 3);
	assert_int_equal(result(f, 0)->purges_overflow, 1);
	assert_int_equal(result(f, 0)->same_address, 3);
	assert_int_equal(result(f, larger)->purges_overflow, 0);
	assert_int_equal(result(f, larger)->lazy_bytes, 100 * PAGE);
}

/* The same by another task, or before the allocation began, has nothing to do with it. */
static void purge_of_others(void **state)
{
	struct fixture *f = *state;
	uint32_t larger = add(f, 200, 0, false);
	struct event alloc = ev_alloc(0, 100), unnamed;

	snapshot(f, NULL, 0);
	apply(f, ev_alloc(0, 100));
	apply(f, ev_free(0, 100));
	apply(f, ev_purge(f, 77));
	alloc.latency_ns = 15 * US;
	apply(f, alloc);
	assert_int_equal(finish(f)->purges_other, 1);
	assert_int_equal(result(f, larger)->lazy_bytes, 0);
	apply(f, ev_free(0, 100));
	apply(f, ev_purge(f, 11));
	alloc.latency_ns = 1;
	apply(f, alloc);
	assert_int_equal(finish(f)->purges_other, 2);
	/* Recordings of before purges had a task: any allocation may have wanted it. */
	apply(f, ev_free(0, 100));
	unnamed = ev_purge(f, 0);
	apply(f, unnamed);
	alloc.latency_ns = 15 * US;
	apply(f, alloc);
	assert_int_equal(finish(f)->purges_overflow, 1);
	assert_int_equal(result(f, larger)->lazy_bytes, 100 * PAGE);
}

/* A purge without its begin proves nothing. */
static void purge_without_begin(void **state)
{
	struct fixture *f = *state;

	snapshot(f, NULL, 0);
	apply(f, ev_alloc(0, 100));
	apply(f, ev_free(0, 100));
	apply(f, (struct event){.type = EV_PURGE, .tid = 77});
	finish(f);
	assert_int_equal(result(f, 0)->lazy_bytes, 100 * PAGE);
}

/* 70 MB lazy: over the threshold of 2 CPUs, not over that of 4, more than that of 1. */
static void threshold(void **state)
{
	struct fixture *f = *state;
	uint32_t four = add(f, 120, 4, false), one = add(f, 120, 1, false);
	uint32_t pages = 35 * 256;

	snapshot(f, NULL, 0);
	apply(f, ev_alloc(0, pages));
	apply(f, ev_alloc(pages, pages));
	apply(f, ev_free(0, pages));
	f->t_ns += 2 * MS;
	apply(f, ev_alloc(2 * pages, 1)); /* that of 1 CPU has purged by itself */
	apply(f, ev_free(pages, pages));
	apply(f, ev_purge(f, KWORKER));
	assert_int_equal(finish(f)->purges_threshold, 1);
	assert_int_equal(result(f, 0)->purges_threshold, 1);
	assert_int_equal(result(f, 0)->lazy_bytes, 0);
	assert_int_equal(result(f, 0)->same_address, 3);
	assert_int_equal(result(f, four)->purges_threshold, 0);
	assert_int_equal(result(f, four)->lazy_bytes, 70 * MB);
	assert_int_equal(result(f, one)->purges_threshold, 1);
	assert_int_equal(result(f, one)->max_lazy_bytes, 35 * MB);
	f->t_ns += 2 * MS;
	apply(f, ev_alloc(0, 1));
	finish(f);
	assert_int_equal(result(f, one)->purges_threshold, 2);
	assert_int_equal(result(f, one)->lazy_bytes, 0);
}

/* The recorded kernel was over its threshold and late with the purge: so is the simulated one. */
static void threshold_waits(void **state)
{
	struct fixture *f = *state;
	uint32_t pages = 35 * 256, one = add(f, 120, 1, false);
	struct event purge;

	snapshot(f, NULL, 0);
	apply(f, ev_alloc(0, pages));
	apply(f, ev_alloc(pages, pages));
	apply(f, ev_free(0, pages));
	apply(f, ev_free(pages, pages));
	f->t_ns += 20 * MS;
	apply(f, ev_alloc(2 * pages, 1));
	purge = ev_purge(f, KWORKER);
	apply(f, purge);
	apply(f, ev_alloc(0, 1));
	assert_int_equal(finish(f)->exact, 4);
	assert_int_equal(result(f, 0)->same_address, 4);
	assert_int_equal(result(f, 0)->purges_threshold, 1);
	/* that of 1 CPU has long since purged: its page went to the start, the next behind it */
	assert_int_equal(result(f, one)->largest_bytes, 120 * MB - 2 * PAGE);
	assert_int_equal(result(f, one)->same_address, 2);
}

/* A loss is told at a time that lies ahead: what comes after is still looked at in advance. */
static void loss_ahead_of_time(void **state)
{
	struct fixture *f = *state;
	struct event late = ev_alloc(0, 3);

	snapshot(f, NULL, 0);
	apply(f, ev_alloc(3, 2));
	apply(f, (struct event){.type = EV_LOST, .count = 3, .state = LOST_DETAIL, .t_ns = T0 * 2});
	late.latency_ns = 100 * US;
	apply(f, late);
	assert_int_equal(finish(f)->exact_reordered, 1);
	assert_int_equal(finish(f)->lost, 0);
}

static void fill_to(struct fixture *f, uint32_t pages)
{
	snapshot(f, NULL, 0);
	apply(f, ev_alloc(0, pages));
}

static void failures(void **state)
{
	struct fixture *f = *state;
	uint32_t smaller = add(f, 64, 0, false), larger = add(f, 200, 0, false);

	fill_to(f, 100 * 256);
	apply(f, ev_fail(40 * 256, 5));
	assert_int_equal(finish(f)->fails, 1);
	assert_int_equal(finish(f)->fails_predicted, 1);
	assert_int_equal(result(f, 0)->fails_stay, 1);
	assert_int_equal(result(f, 0)->first.size, 40 * MB);
	assert_int_equal(result(f, 0)->first.stack_id, 5);
	assert_true(result(f, 0)->first.recorded);
	assert_int_equal(result(f, smaller)->fails_new, 1);
	assert_int_equal(result(f, smaller)->fails_gone, 1);
	assert_int_equal(result(f, smaller)->first.size, 100 * MB);
	assert_false(result(f, smaller)->first.recorded);
	assert_int_equal(result(f, larger)->fails_gone, 1);
	assert_int_equal(result(f, larger)->first.t_ns, 0);
	assert_int_equal(result(f, larger)->used_bytes, 140 * MB);
	assert_int_equal(result(f, larger)->held_bytes, 40 * MB);
	/* what a smaller space could not serve, it is not asked to free */
	apply(f, ev_free(0, 100 * 256));
	finish(f);
	assert_int_equal(result(f, smaller)->unknown_frees, 1);
	assert_int_equal(result(f, 0)->unknown_frees, 0);
}

/* Three failures of one requester, one of another: two needs, or four. */
static void retries(void **state)
{
	struct fixture *f = *state;
	uint32_t once = add(f, 250, 0, false), each = add(f, 250, 0, true);

	fill_to(f, 110 * 256);
	for (uint32_t i = 0; i < 3; i++) {
		struct event fail = ev_fail(20 * 256, 5);

		fail.comm_id = i + 1; /* the stack counts, not who runs it */
		apply(f, fail);
	}
	apply(f, ev_fail(20 * 256, 6));
	finish(f);
	assert_int_equal(result(f, once)->fails_gone, 4);
	assert_int_equal(result(f, once)->retries, 2);
	assert_int_equal(result(f, once)->held_bytes, 40 * MB);
	assert_int_equal(result(f, each)->fails_gone, 4);
	assert_int_equal(result(f, each)->retries, 0);
	assert_int_equal(result(f, each)->held_bytes, 80 * MB);
}

/* Without stacks the task's name tells requesters apart. */
static void retries_without_stacks(void **state)
{
	struct fixture *f = *state;
	uint32_t once = add(f, 250, 0, false);
	struct event fail = ev_fail(20 * 256, 0);

	fill_to(f, 110 * 256);
	for (uint32_t i = 0; i < 4; i++) {
		fail.comm_id = 1 + i % 2;
		apply(f, fail);
	}
	finish(f);
	assert_int_equal(result(f, once)->retries, 2);
	assert_int_equal(result(f, once)->held_bytes, 40 * MB);
}

/* The retry that succeeded in the recording: the area is that which the first try got. */
static void retry_succeeds(void **state)
{
	struct fixture *f = *state;
	uint32_t larger = add(f, 200, 0, false);
	struct event alloc = ev_alloc(0, 20 * 256);

	fill_to(f, 110 * 256);
	apply(f, ev_fail(20 * 256, 5));
	apply(f, ev_free(0, 110 * 256));
	apply(f, ev_purge(f, 77));
	alloc.stack_id = 5;
	apply(f, alloc);
	finish(f);
	assert_int_equal(result(f, larger)->used_bytes, 20 * MB);
	assert_int_equal(result(f, larger)->held_bytes, 0);
	apply(f, ev_free(0, 20 * 256));
	apply(f, ev_fail(20 * 256, 5)); /* it holds nothing any more: not a retry */
	finish(f);
	assert_int_equal(result(f, larger)->retries, 0);
	assert_int_equal(result(f, larger)->unknown_frees, 0);
}

/* No pages, no memory for a struct: no other size would have helped. */
static void not_about_addresses(void **state)
{
	struct fixture *f = *state;
	struct event fail = ev_fail(10, 5);

	snapshot(f, NULL, 0);
	fail.err = -ENOMEM;
	apply(f, fail);
	fail.vstart = fail.vend = 0;
	apply(f, fail);
	fail.err = -EBUSY;
	fail.size = 0;
	apply(f, fail);
	assert_int_equal(finish(f)->fails, 0);
	assert_int_equal(finish(f)->fails_pages, 3);
	assert_int_equal(result(f, 0)->requests, 0);
	fail = ev_fail(130 * 256, 6);
	fail.kind = KIND_PERCPU;
	fail.err = -ENOMEM;
	fail.vstart = fail.vend = 0;
	apply(f, fail);
	assert_int_equal(finish(f)->fails, 1);
	assert_int_equal(finish(f)->fails_predicted, 1);
}

/* Areas from before keep their distance from the start, percpu chunks that from the end. */
static void seeds(void **state)
{
	struct fixture *f = *state;
	struct event areas[] = {ev_area(P(0), 20 * 256, KIND_PERCPU), ev_area(P(80 * 256), 256, KIND_VMAP),
				ev_area(TOP(512), 256, KIND_PERCPU),
				ev_area(TOP(70 * 256), 256, KIND_PERCPU)};
	uint32_t larger = add(f, 200, 0, false), smaller = add(f, 64, 0, false),
		 tiny = add(f, 2, 0, false);

	areas[0].guard_pages = 1; /* no chunk */
	snapshot(f, areas, 4);
	finish(f);
	assert_int_equal(result(f, 0)->largest_bytes, 37 * MB);
	assert_int_equal(result(f, larger)->largest_bytes, 67 * MB);
	assert_int_equal(result(f, larger)->seeds_moved, 0);
	/* 80 MB up and 70 MB down are outside of 64 MB: placed anew, right behind the first and at
	 * the top */
	assert_int_equal(result(f, smaller)->seeds_moved, 2);
	assert_int_equal(result(f, smaller)->seeds_failed, 0);
	assert_int_equal(result(f, smaller)->largest_bytes, (62 - 21) * MB);
	assert_int_equal(result(f, tiny)->seeds_failed, 2);
	assert_int_equal(result(f, tiny)->used_bytes, 2 * MB);
}

/* Modules begin some pages above the start, wherever that is; percpu chunks go to the top. */
static void bounds_move(void **state)
{
	struct fixture *f = *state;
	struct event module = ev_alloc(37, 3), percpu = ev_alloc(0, 2);
	uint32_t larger = add(f, 200, 0, false);

	snapshot(f, NULL, 0);
	module.vstart = P(37);
	module.kind = KIND_MODULE;
	apply(f, module);
	percpu.start = TOP(2);
	percpu.end = END;
	percpu.kind = KIND_PERCPU;
	percpu.align = PAGE;
	percpu.vstart = percpu.vend = 0;
	apply(f, percpu);
	/* what goes with a chunk (pcpu_mem_zalloc) is a plain area, and has a range */
	percpu = ev_alloc(0, 5);
	percpu.kind = KIND_PERCPU;
	apply(f, percpu);
	assert_int_equal(finish(f)->exact, 3);
	assert_int_equal(result(f, larger)->largest_bytes, 200 * MB - 42 * PAGE);
	assert_int_equal(result(f, larger)->used_bytes, 10 * PAGE);
}

/* An allocation over a used area: its free was lost. */
static void lost_free(void **state)
{
	struct fixture *f = *state;
	uint32_t larger = add(f, 200, 0, false);

	snapshot(f, NULL, 0);
	apply(f, ev_alloc(0, 10));
	apply(f, ev_alloc(0, 4));
	assert_int_equal(finish(f)->lost_frees, 1);
	assert_int_equal(result(f, larger)->used_bytes, 4 * PAGE);
	assert_int_equal(result(f, larger)->lazy_bytes, 10 * PAGE);
	assert_int_equal(simulate_truth(f->simulate)->used_bytes, 4 * PAGE);
}

/* A free of what nobody saw allocated. */
static void lost_alloc(void **state)
{
	struct fixture *f = *state;

	snapshot(f, NULL, 0);
	apply(f, ev_alloc(0, 10));
	apply(f, ev_free(20, 5));
	assert_int_equal(finish(f)->lost_allocs, 1);
	assert_int_equal(result(f, 0)->unknown_frees, 1);
	assert_int_equal(simulate_truth(f->simulate)->lazy_bytes, 5 * PAGE);
	apply(f, ev_free(0, 8)); /* not what is there: both are wrong */
	assert_int_equal(finish(f)->lost_allocs, 2);
	assert_int_equal(finish(f)->lost_frees, 1);
	assert_int_equal(simulate_truth(f->simulate)->used_bytes, 0);
}

/* A later list shows what was lost; one that shows nothing new changes nothing. */
static void reconciled(void **state)
{
	struct fixture *f = *state;
	struct event areas[] = {ev_area(P(0), 10, KIND_VMALLOC), ev_area(P(16), 4, KIND_VMALLOC)};
	uint32_t larger = add(f, 200, 0, false);

	snapshot(f, NULL, 0);
	apply(f, ev_alloc(0, 10));
	apply(f, ev_alloc(10, 6));
	apply(f, ev_alloc(16, 4));
	snapshot(f, areas, 2);
	assert_int_equal(finish(f)->lost_frees, 1);
	assert_int_equal(finish(f)->lost_allocs, 0);
	assert_int_equal(result(f, larger)->used_bytes, 14 * PAGE);
	assert_int_equal(simulate_truth(f->simulate)->used_bytes, 14 * PAGE);
	snapshot(f, areas, 2);
	areas[1] = ev_area(P(30), 7, KIND_VMALLOC);
	assert_int_equal(finish(f)->lost_frees, 1);
	snapshot(f, areas, 2);
	assert_int_equal(finish(f)->lost_frees, 2);
	assert_int_equal(finish(f)->lost_allocs, 1);
	assert_int_equal(result(f, larger)->used_bytes, 17 * PAGE);
	apply(f, ev_alloc(10, 1));
	apply(f, ev_free(30, 7));
	assert_int_equal(finish(f)->missed[SIMULATE_OTHER] + finish(f)->missed[SIMULATE_LOST], 0);
	assert_int_equal(result(f, larger)->unknown_frees, 0);
}

/* The list had the area before its allocation was reported. */
static void late_report(void **state)
{
	struct fixture *f = *state;
	struct event area = ev_area(P(0), 4, KIND_VMALLOC), late = ev_alloc(0, 4);

	snapshot(f, &area, 1);
	late.latency_ns = UINT32_MAX;
	apply(f, late);
	assert_int_equal(finish(f)->allocs, 0);
	assert_int_equal(finish(f)->lost_frees, 0);
	assert_int_equal(result(f, 0)->used_bytes, 4 * PAGE);
}

/* More events at once than are held back, and times that run backwards. */
static void many(void **state)
{
	struct fixture *f = *state;
	struct event event;

	snapshot(f, NULL, 0);
	for (uint32_t i = 0; i < 3 * SIMULATE_AHEAD; i++) {
		event = ev_alloc(i, 1);
		event.t_ns = T0 + 900 * MS - i;
		apply(f, event);
	}
	assert_int_equal(finish(f)->exact, 3 * SIMULATE_AHEAD);
	assert_int_equal(result(f, 0)->same_address, 3 * SIMULATE_AHEAD);
}

/* Nothing that a file can hold does harm. */
static void nonsense(void **state)
{
	static const uint32_t addrs[] = {0, 1, PAGE, START - PAGE, START, START + 1, P(1), P(5), TOP(1),
					 END, END + PAGE, 0xfffff000, 0xffffffff};
	struct fixture *f = *state;
	struct script random = {.rng = 99};
	struct event event;

	add(f, 3, 0, true);
	add(f, 700, 9, false);
	snapshot(f, NULL, 0);
	for (uint32_t i = 0; i < ROUNDS(40000); i++) {
		event = (struct event){.type = (uint8_t)(1 + rnd(&random, EV_TYPE_COUNT)),
				       .kind = (uint8_t)rnd(&random, KIND_COUNT),
				       .state = (uint8_t)rnd(&random, 4),
				       .t_ns = T0 + rnd(&random, 1000000),
				       .begin_ns = T0 + rnd(&random, 1000000),
				       .flags = rnd(&random, 8),
				       .start = addrs[rnd(&random, ARRAY_SIZE(addrs))],
				       .end = addrs[rnd(&random, ARRAY_SIZE(addrs))],
				       .size = addrs[rnd(&random, ARRAY_SIZE(addrs))],
				       .align = rnd(&random, 2) ? 1u << rnd(&random, 32) : rnd(&random, 9),
				       .vstart = addrs[rnd(&random, ARRAY_SIZE(addrs))],
				       .vend = addrs[rnd(&random, ARRAY_SIZE(addrs))],
				       .latency_ns = rnd(&random, 1000000),
				       .guard_pages = (uint8_t)rnd(&random, 3),
				       .err = rnd(&random, 2) ? -EBUSY : -(int)rnd(&random, 40),
				       .tid = rnd(&random, 3), .stack_id = rnd(&random, 5),
				       .count = rnd(&random, 3)};
		assert_int_equal(simulate_apply(f->simulate, &event), 0);
	}
	assert_int_equal(simulate_finish(f->simulate), 0);
}

static void sizes_that_cannot_be(void **state)
{
	struct fixture *f = *state;
	struct simulate_options options = {.start = END, .end = START, .kernel = ""};

	assert_int_equal(simulate_add(f->simulate, 0, 0, false), -EINVAL);
	assert_int_equal(simulate_add(f->simulate, PAGE + 1, 0, false), -EINVAL);
	assert_int_equal(simulate_add(f->simulate, END, 0, false), -EINVAL);
	assert_int_equal(simulate_add(f->simulate, END - 8 * MB, 0, false), -EINVAL);
	for (uint32_t i = 1; i < SIMULATE_MAX; i++)
		assert_int_equal(simulate_add(f->simulate, MB, 0, false), i);
	assert_int_equal(simulate_add(f->simulate, MB, 0, false), -ENOSPC);
	assert_null(simulate_new(&options));
}

static void rules(void **state)
{
	(void)state;
	assert_int_equal(simulate_rules("6.1.0-50-686-pae").order, PURGE_ASCENDING);
	assert_false(simulate_rules("6.1.0-50-686-pae").adjust_pages);
	assert_int_equal(simulate_rules("5.10.0-32-686").order, PURGE_NEWEST_FIRST);
	assert_true(simulate_rules("5.10.0-32-686").adjust_pages);
	assert_false(simulate_rules("5.10.0-32-686").next_fit);
	assert_int_equal(simulate_rules("6.12.95").order, PURGE_DESCENDING);
	assert_int_equal(simulate_rules("7.3.4-built").order, PURGE_DESCENDING);
	assert_true(simulate_rules("4.19.304").next_fit);
	assert_int_equal(simulate_rules("").order, PURGE_ASCENDING);
	assert_int_equal(simulate_rules("x.y").order, PURGE_ASCENDING);
}

/* ---- purges by kernel: the order in which areas come back decides what an aligned request gets - */

struct range {
	uint32_t start, end;
};

/* 40 areas, 20 of them or less freed; *count: these, in the order in which they were. */
static uint32_t free_some(struct script *random, struct simulation *sim, struct freetree *tree,
			  struct range *freed)
{
	struct simulation_request request = {.place = {.align = 1, .vstart = START, .vend = END}};
	struct range areas[40];
	uint32_t count = 0, at = 0;

	for (size_t i = 0; i < ARRAY_SIZE(areas); i++) {
		areas[i].start = request.key = P(at);
		at += 2 + rnd(random, 14);
		areas[i].end = P(at);
		request.place.size = areas[i].end - areas[i].start;
		assert_int_equal(simulation_alloc(sim, &request), 0);
		assert_int_equal(freetree_take(tree, areas[i].start, areas[i].end), 0);
	}
	for (uint32_t i = 0; i < 20; i++) {
		const struct range *area = &areas[rnd(random, ARRAY_SIZE(areas))];

		if (!simulation_held_bytes(sim, area->start))
			continue;
		assert_int_equal(simulation_release(sim, area->start, 10 + i), 0);
		freed[count++] = *area;
	}
	return count;
}

static int by_start(const void *a, const void *b)
{
	const struct range *left = a, *right = b;

	return left->start < right->start ? -1 : left->start > right->start;
}

static void give_back(struct freetree *tree, struct range *freed, uint32_t count,
		      enum purge_order order)
{
	if (order != PURGE_NEWEST_FIRST)
		qsort(freed, count, sizeof(*freed), by_start);
	for (uint32_t i = 0; order == PURGE_ASCENDING && i < count; i++) {
		struct range range = freed[i];

		while (i + 1 < count && freed[i + 1].start == range.end)
			range.end = freed[++i].end;
		assert_int_equal(freetree_give(tree, range.start, range.end), 0);
	}
	for (uint32_t i = count; order != PURGE_ASCENDING && i-- > 0;)
		assert_int_equal(freetree_give(tree, freed[i].start, freed[i].end), 0);
}

/* Every request finds the same as in a tree of its own; one of the places. */
static uint32_t compare_places(const struct simulation *sim, const struct freetree *tree)
{
	struct simulation_request request = {.place = {.vend = END}};

	for (uint32_t i = 0; i < 8 * 3 * 32; i++) {
		request.place.size = (1 + i % 8) * PAGE;
		request.place.align = (2 << i / 8 % 3) * PAGE;
		request.place.vstart = P(i / 24 * 10);
		assert_int_equal(simulation_predict(sim, &request),
				 freetree_place(tree, &request.place));
	}
	request.place.size = request.place.align = 4 * PAGE;
	request.place.vstart = START;
	return simulation_predict(sim, &request);
}

/* The purge is interrupted after a third of it: what is left comes back in the same order. */
static uint32_t place_after_purge(uint64_t seed, enum purge_order order)
{
	struct simulation_options options = {.recorded_start = START, .recorded_end = END,
					     .bytes = END - START, .rules = {.order = order}};
	struct simulation *sim = simulation_new(&options);
	struct freetree *tree = freetree_new(false);
	struct script random = {.rng = seed * 0x9e3779b97f4a7c15ull};
	struct range freed[20];
	uint32_t count, place;

	simulation_seeded(sim, 1);
	count = free_some(&random, sim, tree, freed);
	assert_int_equal(simulation_purge_part(sim, 100, 1, 3), 0);
	assert_int_equal(simulation_purge(sim, SIMULATION_PURGE_OTHER, 100, 101), 0);
	assert_int_equal(simulation_result(sim)->lazy_bytes, 0);
	give_back(tree, freed, count, order);
	place = compare_places(sim, tree);
	simulation_free(sim);
	freetree_free(tree);
	return place;
}

static void order_of_purge(void **state)
{
	static const enum purge_order orders[] = {PURGE_ASCENDING, PURGE_NEWEST_FIRST, PURGE_DESCENDING};
	uint32_t differ[ARRAY_SIZE(orders)] = {0};

	(void)state;
	for (uint64_t seed = 1; seed < ROUNDS(400); seed++) {
		uint32_t place[ARRAY_SIZE(orders)];

		for (size_t i = 0; i < ARRAY_SIZE(orders); i++)
			place[i] = place_after_purge(seed, orders[i]);
		for (size_t i = 0; i < ARRAY_SIZE(orders); i++)
			differ[i] += place[i] != place[(i + 1) % ARRAY_SIZE(orders)];
	}
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++)
		assert_true(differ[i] > 0);
}

static int setup(void **state)
{
	struct simulate_options options = {.start = START, .end = END, .cpus = 2,
					   .kernel = "6.1.0-50-686-pae"};
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->simulate = simulate_new(&options);
	f->t_ns = T0;
	*state = f;
	return f->simulate ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	simulate_free(f->simulate);
	free(f);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_naive),
		cmocka_unit_test(equals_naive_with_more_cpus),
		TEST(without_a_snapshot),
		TEST(before_the_snapshot),
		TEST(raced),
		TEST(not_raced),
		TEST(causes),
		TEST(purge_in_progress),
		TEST(purge_at_once),
		TEST(missed_purge),
		TEST(no_missed_purge),
		TEST(raced_by_aligned),
		TEST(overflow_purge),
		TEST(purge_of_others),
		TEST(purge_without_begin),
		TEST(threshold),
		TEST(threshold_waits),
		TEST(loss_ahead_of_time),
		TEST(failures),
		TEST(retries),
		TEST(retries_without_stacks),
		TEST(retry_succeeds),
		TEST(not_about_addresses),
		TEST(seeds),
		TEST(bounds_move),
		TEST(lost_free),
		TEST(lost_alloc),
		TEST(reconciled),
		TEST(late_report),
		TEST(many),
		TEST(nonsense),
		TEST(sizes_that_cannot_be),
		cmocka_unit_test(rules),
		cmocka_unit_test(order_of_purge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
