// SPDX-License-Identifier: GPL-2.0-only
#include "space_events.h"

#include "allocator/diagnose.h"
#include "allocator/failures.h"
#include "allocator/holders.h"
#include "allocator/holeset.h"

#define K 1024u

struct fixture {
	struct space *space;
	struct names *names;
	struct stacks *stacks;
	uint32_t foo; /* stacks */
	uint32_t bar;
	uint32_t core;
	bool exact_pages;
	struct diagnosis d;
};

static uint32_t stack_of(struct fixture *f, const char *owner)
{
	uint32_t frames[2] = {names_intern_str(f->names, "vmalloc+0x1"),
			      names_intern_str(f->names, owner)};

	return stacks_intern(f->stacks, frames, 2, NULL);
}

/* A space of which all is free. */
static int begin(void **state)
{
	struct event first = {.type = EV_SNAPSHOT_BEGIN, .t_ns = 1, .begin_ns = 1};
	struct event last = {.type = EV_SNAPSHOT_END, .t_ns = 1, .begin_ns = 1};
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	f->space = space_new(START, END);
	f->names = names_new();
	f->stacks = stacks_new();
	if (!f->space || !f->names || !f->stacks)
		return -1;
	f->foo = stack_of(f, "foo_alloc+0x10 [foo]");
	f->bar = stack_of(f, "bar_alloc+0x20 [bar]");
	f->core = stack_of(f, "n_tty_open+0x16");
	return space_apply(f->space, &first) || space_apply(f->space, &last);
}

static int end(void **state)
{
	struct fixture *f = *state;

	stacks_free(f->stacks);
	names_free(f->names);
	space_free(f->space);
	free(f);
	return 0;
}

static void hold(struct fixture *f, uint32_t stack, uint32_t first, uint32_t last)
{
	struct event event = ev_alloc(T0, first, last, 1);

	event.stack_id = stack;
	apply(f->space, event);
}

static void give(struct fixture *f, uint32_t first, uint32_t last)
{
	apply(f->space, ev_free(T0 + MS, first, last));
}

/* A failed vmalloc of so many pages, with the guard page. */
static struct event ev_fail(const struct fixture *f, uint32_t pages)
{
	return (struct event){.type = EV_FAIL,
			      .t_ns = T0 + 5 * MS,
			      .size = pages * PAGE,
			      .align = 1,
			      .vstart = START,
			      .vend = END,
			      .requested = (pages - 1) * PAGE,
			      .kind = KIND_VMALLOC,
			      .stack_id = f->core,
			      .err = -EBUSY};
}

static const struct diagnosis *why(struct fixture *f, struct event fail)
{
	struct diagnosis_base base = {f->space, f->names, f->stacks, f->exact_pages};

	apply(f->space, fail);
	assert_int_equal(diagnose(&base, &fail, &f->d), 0);
	assert_int_equal(f->d.t_ns, fail.t_ns);
	return &f->d;
}

static void assert_holder(const struct fixture *f, const struct holder *holder, const char *label,
			  const char *module, uint32_t areas, uint32_t pages)
{
	assert_string_equal(names_text(f->names, holder->label_id), label);
	assert_string_equal(names_text(f->names, holder->module_id), module);
	assert_int_equal(holder->areas, areas);
	assert_int_equal(holder->bytes, pages * PAGE);
}

/* foo has every other 16 pages. */
static void comb(struct fixture *f)
{
	for (uint32_t at = 0; at < PAGES; at += 32)
		hold(f, f->foo, at, at + 16);
}

/* ---- the verdicts ------------------------------------------------------------------- */

static void fragmented(void **state)
{
	struct fixture *f = *state;
	const struct diagnosis *d;

	comb(f);
	hold(f, f->bar, 20, 24);
	d = why(f, ev_fail(f, 40));
	assert_int_equal(d->verdict, VERDICT_FRAGMENTED);
	assert_int_equal(d->free_bytes, (512 - 4) * PAGE);
	assert_int_equal(d->lazy_bytes, 0);
	assert_int_equal(d->largest.start, P(48));
	assert_int_equal(d->largest.end, P(64));
	assert_int_equal(d->guard_bytes, PAGE);
	assert_int_equal(d->payload_bytes, 39 * PAGE);
	assert_true(d->has_window);
	assert_int_equal(d->window.live_bytes, 16 * PAGE);
	assert_int_equal(d->blockers.count, 1);
	assert_holder(f, &d->blockers.list[0], "foo_alloc+0x10 [foo]", "[foo]", 1, 16);
	assert_int_equal(d->owners.count, 2);
	assert_holder(f, &d->owners.list[0], "foo_alloc+0x10 [foo]", "[foo]", 32, 512);
	assert_holder(f, &d->owners.list[1], "bar_alloc+0x20 [bar]", "[bar]", 1, 4);
	assert_int_equal(d->smaller_bytes, 15 * PAGE);
	assert_int_equal(d->now_bytes, 15 * PAGE);
	assert_int_equal(d->nr_modules, 1);
	assert_string_equal(names_text(f->names, d->modules[0].module_id), "[foo]");
	assert_int_equal(d->modules[0].bytes, 512 * PAGE);
	assert_int_equal(d->modules[0].hole_bytes, 1000 * PAGE);
	assert_int_equal(d->more_bytes, 40 * PAGE); /* the first page is in use */
}

static void exhausted(void **state)
{
	struct fixture *f = *state;
	const struct diagnosis *d;

	hold(f, f->foo, 8, 600);
	hold(f, f->core, 601, 1020);
	d = why(f, ev_fail(f, 14));
	assert_int_equal(d->verdict, VERDICT_EXHAUSTED); /* 8 + 1 + 4 pages */
	assert_int_equal(d->free_bytes, 13 * PAGE);
	assert_int_equal(d->smaller_bytes, 7 * PAGE);
	assert_int_equal(d->more_bytes, 6 * PAGE);
	d = why(f, ev_fail(f, 13));
	assert_int_equal(d->verdict, VERDICT_FRAGMENTED);
}

/* Lazy space counts as room; it is what the kernel purges itself. */
static void lazy(void **state)
{
	struct fixture *f = *state;
	const struct diagnosis *d;

	comb(f);
	give(f, 64, 80);
	d = why(f, ev_fail(f, 40));
	assert_int_equal(d->verdict, VERDICT_LAZY);
	assert_int_equal(d->fits_at, P(48));
	assert_int_equal(d->lazy_bytes, 16 * PAGE);
	assert_int_equal(d->largest.end - d->largest.start, 16 * PAGE);
	assert_int_equal(d->after_purge.end - d->after_purge.start, 48 * PAGE);
	assert_int_equal(d->now_bytes, 15 * PAGE);
	assert_int_equal(d->smaller_bytes, 47 * PAGE);
	assert_false(d->has_window);
	assert_int_equal(d->more_bytes, 0);
	d = why(f, ev_fail(f, 49));
	assert_int_equal(d->verdict, VERDICT_FRAGMENTED);
}

static void range(void **state)
{
	struct fixture *f = *state;
	struct event fail = ev_fail(f, PAGES + 1);
	const struct diagnosis *d = why(f, fail);

	assert_int_equal(d->verdict, VERDICT_RANGE);
	assert_int_equal(d->fits_at, 0);
	assert_false(d->has_window);
	assert_int_equal(d->more_bytes, PAGE);
	/* A module may not lie so low. */
	hold(f, f->foo, 100, PAGES);
	fail = ev_fail(f, 50);
	fail.vstart = P(60);
	d = why(f, fail);
	assert_int_equal(d->verdict, VERDICT_RANGE);
	assert_int_equal(d->fits_at, P(0));
	assert_int_equal(d->range_bytes, (PAGES - 60) * PAGE);
	assert_int_equal(d->free_bytes, 40 * PAGE);
	assert_int_equal(d->smaller_bytes, 39 * PAGE);
	/* A range of another's making does not grow with the space. */
	fail.vend = P(900);
	assert_int_equal(why(f, fail)->more_bytes, 0);
	fail.vend = P(10);
	fail.vstart = P(20);
	assert_int_equal(why(f, fail)->verdict, VERDICT_RANGE);
}

/* One that begins further up than modules do is tied to its place. */
static void range_far_up(void **state)
{
	struct fixture *f = *state;
	struct event fail = ev_fail(f, 5000);

	space_free(f->space);
	f->space = space_new(START, START + (32u << 20));
	fail.vend = START + (32u << 20);
	fail.vstart = START + (16u << 20);
	assert_int_equal(why(f, fail)->verdict, VERDICT_RANGE);
	assert_int_equal(f->d.more_bytes, 0);
	fail.vstart = START + (4u << 20);
	fail.size = 8000 * PAGE;
	assert_int_equal(why(f, fail)->more_bytes, 8000 * PAGE + (4u << 20));
}

static void pages(void **state)
{
	struct fixture *f = *state;
	struct event fail = ev_fail(f, 50);
	const struct diagnosis *d;

	fail.err = -ENOMEM;
	fail.vstart = fail.vend = 0;
	hold(f, f->foo, 3, 9);
	d = why(f, fail);
	assert_int_equal(d->verdict, VERDICT_PAGES);
	assert_int_equal(d->owners.count, 1);
	assert_int_equal(d->smaller_bytes | d->more_bytes | d->nr_modules, 0);
	assert_int_equal(d->range_bytes, PAGES * PAGE);
}

/* pcpu_get_vm_areas does not tell why it returns NULL. */
static void percpu(void **state)
{
	struct fixture *f = *state;
	struct event fail = {.type = EV_FAIL,
			     .t_ns = T0 + 5 * MS,
			     .size = 64 * PAGE,
			     .align = 64 * PAGE,
			     .kind = KIND_PERCPU,
			     .err = -ENOMEM};
	const struct diagnosis *d = why(f, fail);

	assert_int_equal(d->verdict, VERDICT_PAGES);
	assert_int_equal(d->unclear, UNCLEAR_NOT);
	assert_int_equal(d->guard_bytes, 0);
	for (uint32_t at = 0; at < PAGES; at += 64)
		hold(f, f->foo, at + 10, at + 12);
	d = why(f, fail);
	assert_int_equal(d->verdict, VERDICT_FRAGMENTED);
	assert_int_equal(d->window.end % (64 * PAGE), 0);
	assert_int_equal(d->more_bytes, 64 * PAGE);
}

static void unclear(void **state)
{
	struct fixture *f = *state;
	struct event fail = ev_fail(f, 40), invalid = ev_fail(f, 40), unknown = ev_fail(f, 40);
	const struct diagnosis *d = why(f, fail);

	assert_int_equal(d->verdict, VERDICT_UNCLEAR);
	assert_int_equal(d->unclear, UNCLEAR_ROOM);
	assert_int_equal(d->fits_at, P(0));
	invalid.err = -EINVAL;
	assert_int_equal(why(f, invalid)->unclear, UNCLEAR_REQUEST);
	unknown.size = unknown.requested = 0;
	assert_int_equal(why(f, unknown)->unclear, UNCLEAR_REQUEST);
	apply(f->space, ev_lost(T0 + 6 * MS, LOST_RING, 3));
	d = why(f, fail);
	assert_int_equal(d->unclear, UNCLEAR_MAP);
	assert_true(d->uncertain);
}

/* A hole that the search for an aligned address may pass over (allocator/place.h). */
static void alignment(void **state)
{
	struct fixture *f = *state;
	struct event fail = ev_fail(f, 33);
	const struct diagnosis *d;

	fail.kind = KIND_IOREMAP;
	fail.align = 32 * PAGE;
	hold(f, f->foo, 0, 64);
	hold(f, f->foo, 98, PAGES);
	d = why(f, fail);
	assert_int_equal(d->verdict, VERDICT_UNCLEAR);
	assert_int_equal(d->unclear, UNCLEAR_ALIGNMENT);
	assert_int_equal(d->fits_at, P(64));
	/* A page's alignment needs no margin where that is known (5.16). */
	fail.align = PAGE;
	fail.size = 34 * PAGE;
	assert_int_equal(why(f, fail)->unclear, UNCLEAR_ALIGNMENT);
	f->exact_pages = true;
	assert_int_equal(why(f, fail)->unclear, UNCLEAR_ROOM);
}

/* Only requested is known: where pages were asked for and no address. */
static void size_from_bytes(void **state)
{
	struct fixture *f = *state;
	struct event fail = ev_fail(f, 1);

	fail.size = 0;
	fail.requested = 3 * PAGE + 1;
	assert_int_equal(why(f, fail)->request.size, 5 * PAGE);
	fail.kind = KIND_VM_MAP_RAM;
	assert_int_equal(why(f, fail)->request.size, 4 * PAGE);
	fail.requested = UINT32_MAX;
	assert_int_equal(why(f, fail)->verdict, VERDICT_RANGE);
}

/* vmtrace counts as one, whatever its areas are; and is no part of a module. */
static void without_vmtrace(void **state)
{
	struct fixture *f = *state;
	struct event own = ev_alloc(T0, 500, 502, 1);
	const struct diagnosis *d;

	hold(f, f->core, 0, 400);
	hold(f, f->core, 600, PAGES);
	hold(f, f->foo, 598, 600);
	own.stack_id = f->foo;
	own.flags = EV_F_OWN;
	apply(f->space, own);
	d = why(f, ev_fail(f, 150));
	assert_int_equal(d->verdict, VERDICT_FRAGMENTED);
	assert_int_equal(d->nr_modules, 1);
	assert_true(d->modules[0].own);
	assert_int_equal(d->modules[0].bytes, 2 * PAGE);
	assert_int_equal(d->modules[0].hole_bytes, 198 * PAGE);
	assert_true(d->blockers.list[0].own);
	assert_int_equal(d->owners.count, 3);
}

/* More owners than are kept: the rest is summed; more modules: the cheapest are kept. */
static void many_owners(void **state)
{
	struct fixture *f = *state;
	const struct diagnosis *d;
	char owner[40];

	for (uint32_t i = 0; i < 20; i++) {
		snprintf(owner, sizeof(owner), "f+0x1 [mod%02u]", i);
		hold(f, stack_of(f, owner), i * 50, i * 50 + 2 + i);
	}
	d = why(f, ev_fail(f, 60));
	assert_int_equal(d->verdict, VERDICT_FRAGMENTED);
	assert_int_equal(d->owners.count, DIAGNOSIS_OWNERS);
	assert_int_equal(d->owners.list[0].bytes, 21 * PAGE);
	assert_int_equal(d->owners.rest_groups, 12);
	assert_int_equal(d->owners.rest.areas, 12);
	assert_int_equal(d->owners.rest.bytes, (2 + 13) * 12 / 2 * PAGE);
	assert_int_equal(d->nr_modules, DIAGNOSIS_MODULES);
	for (uint32_t i = 0; i < DIAGNOSIS_MODULES; i++)
		assert_int_equal(d->modules[i].bytes, (6 + i) * PAGE); /* of 16 */
}

/* ---- properties --------------------------------------------------------------------- */

static uint32_t random_below(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)*seed * below >> 32);
}

static void random_space(struct fixture *f, uint32_t *seed)
{
	uint32_t stacks[3] = {f->foo, f->bar, f->core};
	uint32_t dense = 1 + random_below(seed, 40);

	for (uint32_t at = random_below(seed, 8); at < PAGES - 40;) {
		uint32_t pages = 2 + random_below(seed, 30);

		hold(f, stacks[random_below(seed, 3)], at, at + pages);
		if (!random_below(seed, 4))
			give(f, at, at + pages);
		at += pages + random_below(seed, dense);
	}
}

/* The free and lazy pages as they would be if the space began so much lower. */
static bool fits_in_larger(const struct fixture *f, uint32_t more)
{
	struct holeset *purged = holeset_of_space(f->space, true);
	struct holeset *larger = holeset_new(START - more, END);
	struct place_request request = f->d.request;
	bool fits;

	for (uint32_t i = 0; i < holeset_count(purged); i++) {
		struct hole hole = holeset_at(purged, i);

		assert_int_equal(holeset_give(larger, hole.start, hole.end), 0);
	}
	if (more)
		assert_int_equal(holeset_give(larger, START - more, START), 0);
	request.vstart -= more;
	fits = place_find(larger, &request).answer != PLACE_NO;
	holeset_free(purged);
	holeset_free(larger);
	return fits;
}

static bool fits_with(const struct fixture *f, uint32_t payload, bool lazy_too)
{
	struct holeset *set = holeset_of_space(f->space, lazy_too);
	struct place_request request = f->d.request;
	bool fits;

	request.size = payload + f->d.guard_bytes;
	fits = place_find(set, &request).answer != PLACE_NO;
	holeset_free(set);
	return fits;
}

/* What is said to help helps, and a page less does not. */
static void help_is_exact(void **state)
{
	uint32_t seed = 4711, verdicts[VERDICT_COUNT] = {0};

	for (int round = 0; round < 300; round++) {
		struct fixture *f;
		struct event fail;

		end(state);
		assert_int_equal(begin(state), 0);
		f = *state;
		random_space(f, &seed);
		fail = ev_fail(f, 2 + random_below(&seed, round % 3 ? 60 : 1100));
		fail.align = PAGE << random_below(&seed, 6);
		if (round % 5 == 0) {
			fail.kind = KIND_PERCPU;
			fail.requested = 0;
		}
		if (round % 7 == 0)
			fail.vstart = P(random_below(&seed, 200));
		why(f, fail);
		verdicts[f->d.verdict]++;
		if (f->d.verdict == VERDICT_UNCLEAR || f->d.verdict == VERDICT_LAZY ||
		    f->d.verdict == VERDICT_PAGES)
			continue;
		if (f->d.smaller_bytes)
			assert_true(fits_with(f, f->d.smaller_bytes, true));
		assert_false(fits_with(f, f->d.smaller_bytes + PAGE, true));
		if (f->d.now_bytes)
			assert_true(fits_with(f, f->d.now_bytes, false));
		assert_false(fits_with(f, f->d.now_bytes + PAGE, false));
		if (f->d.request.vstart != START)
			continue;
		assert_true(f->d.more_bytes > 0);
		assert_true(fits_in_larger(f, f->d.more_bytes));
		assert_false(fits_in_larger(f, f->d.more_bytes - PAGE));
	}
	assert_true(verdicts[VERDICT_FRAGMENTED] > 20 && verdicts[VERDICT_EXHAUSTED] > 5 &&
		    verdicts[VERDICT_RANGE] > 5 && verdicts[VERDICT_LAZY] > 5);
}

/* Whatever a recording says was asked for. */
static void hostile_requests(void **state)
{
	struct fixture *f = *state;
	struct diagnosis_base base = {f->space, f->names, f->stacks, false};
	uint32_t seed = 99;

	random_space(f, &seed);
	for (int i = 0; i < 3000; i++) {
		struct event fail = ev_fail(f, 40);
		uint32_t *fields[] = {&fail.size,   &fail.align, &fail.vstart,
				      &fail.vend, &fail.requested, &fail.stack_id};

		for (size_t n = 0; n < ARRAY_SIZE(fields); n++) {
			if (random_below(&seed, 2))
				*fields[n] = random_below(&seed, 2) ? 0u - random_below(&seed, 9999)
								    : random_below(&seed, 1u << 31);
		}
		fail.kind = (uint8_t)random_below(&seed, KIND_COUNT + 3);
		fail.err = random_below(&seed, 2) ? -EBUSY : -(int)random_below(&seed, 40);
		if (space_apply(f->space, &fail) == 0)
			assert_int_equal(diagnose(&base, &fail, &f->d), 0);
	}
}

/* ---- holders ------------------------------------------------------------------------ */

/* Other stacks with the same function are one group; equal ones come in a fixed order. */
static void groups_of_holders(void **state)
{
	struct fixture *f = *state;
	uint32_t frames[3] = {names_intern_str(f->names, "__vmalloc_node_range+0x1"),
			      names_intern_str(f->names, "vzalloc+0x1"),
			      names_intern_str(f->names, "foo_alloc+0x10 [foo]")};
	struct holders *holders = holders_new(f->names, f->stacks);
	struct holder list[8], rest;
	uint32_t rest_groups, count;

	hold(f, f->bar, 0, 4);
	hold(f, stacks_intern(f->stacks, frames, 3, NULL), 10, 12);
	hold(f, f->foo, 20, 22);
	for (const struct area *a = space_first(f->space, START); a; a = space_first(f->space, a->end))
		assert_int_equal(holders_add(holders, a), 0);
	assert_int_equal(holders_groups(holders), 2);
	count = holders_largest(holders, list, 8, &rest, &rest_groups);
	assert_int_equal(count, 2);
	assert_int_equal(rest_groups, 0);
	assert_holder(f, &list[0], "foo_alloc+0x10 [foo]", "[foo]", 2, 4);
	assert_holder(f, &list[1], "bar_alloc+0x20 [bar]", "[bar]", 1, 4);
	assert_int_equal(holders_largest(holders, list, 1, &rest, &rest_groups), 1);
	assert_int_equal(rest_groups, 1);
	assert_int_equal(rest.bytes, 4 * PAGE);
	holders_clear(holders);
	assert_int_equal(holders_largest(holders, list, 8, &rest, &rest_groups), 0);
	holders_free(holders);
	holders_free(NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fragmented),      TEST(exhausted),	      TEST(lazy),
		TEST(range),	       TEST(range_far_up),    TEST(pages),	      TEST(percpu),
		TEST(unclear),	       TEST(alignment),	      TEST(size_from_bytes),
		TEST(without_vmtrace), TEST(many_owners),     TEST(help_is_exact),
		TEST(hostile_requests), TEST(groups_of_holders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
