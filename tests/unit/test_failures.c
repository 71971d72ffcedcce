// SPDX-License-Identifier: GPL-2.0-only
#include "space_events.h"

#include "allocator/failures.h"

struct fixture {
	struct space *space;
	struct names *names;
	struct stacks *stacks;
	struct failures *failures;
};

static int take(struct fixture *f, const struct event *fail)
{
	struct diagnosis_base base = {f->space, f->names, f->stacks, false};

	return failures_take(f->failures, fail, &base);
}

static int make(struct fixture *f, uint32_t end)
{
	struct event first = {.type = EV_SNAPSHOT_BEGIN, .t_ns = 1, .begin_ns = 1};
	struct event last = {.type = EV_SNAPSHOT_END, .t_ns = 1, .begin_ns = 1};

	f->space = space_new(START, end);
	f->names = names_new();
	f->stacks = stacks_new();
	f->failures = failures_new();
	if (!f->space || !f->names || !f->stacks || !f->failures)
		return -1;
	return space_apply(f->space, &first) || space_apply(f->space, &last);
}

static void unmake(struct fixture *f)
{
	failures_free(f->failures);
	stacks_free(f->stacks);
	names_free(f->names);
	space_free(f->space);
}

static int begin(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return make(*state, END);
}

static int end(void **state)
{
	unmake(*state);
	free(*state);
	failures_free(NULL);
	return 0;
}

/* A request for more than the whole space. */
static void fail_at(struct fixture *f, uint64_t t_ns, uint32_t size, uint32_t pid)
{
	struct event fail = {.type = EV_FAIL,
			     .t_ns = t_ns,
			     .size = size,
			     .align = 1,
			     .vstart = START,
			     .vend = END,
			     .pid = pid,
			     .err = -EBUSY};

	assert_int_equal(space_apply(f->space, &fail), 0);
	assert_int_equal(take(f, &fail), 0);
}

#define LARGE ((PAGES + 1) * PAGE)

static void none(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(failures_total(f->failures), 0);
	assert_int_equal(failures_count(f->failures), 0);
	assert_int_equal(failures_forgotten(f->failures), 0);
}

/* One kind is one entry, diagnosed anew when its diagnosis is 100 ms old. */
static void one_kind(void **state)
{
	struct fixture *f = *state;
	const struct failure *entry;

	fail_at(f, T0, LARGE, 1);
	fail_at(f, T0 + 99 * MS, LARGE, 2);
	entry = failures_at(f->failures, 0);
	assert_int_equal(failures_count(f->failures), 1);
	assert_int_equal(entry->count, 2);
	assert_int_equal(entry->first_ns, T0);
	assert_int_equal(entry->last_ns, T0 + 99 * MS);
	assert_int_equal(entry->diagnosis.t_ns, T0);
	assert_int_equal(entry->event.pid, 1);
	assert_int_equal(entry->diagnosis.verdict, VERDICT_RANGE);
	fail_at(f, T0 + 100 * MS, LARGE, 3);
	entry = failures_at(f->failures, 0);
	assert_int_equal(entry->count, 3);
	assert_int_equal(entry->diagnosis.t_ns, T0 + 100 * MS);
	assert_int_equal(entry->event.pid, 3);
	/* Time that goes back is none. */
	fail_at(f, T0, LARGE, 4);
	assert_int_equal(failures_at(f->failures, 0)->diagnosis.t_ns, T0 + 100 * MS);
	assert_int_equal(failures_total(f->failures), 4);
}

/* What any of these differs in is another kind. */
static void kinds(void **state)
{
	struct fixture *f = *state;
	const struct event base = {.type = EV_FAIL,
				   .t_ns = T0,
				   .size = LARGE,
				   .align = 1,
				   .vstart = START,
				   .vend = END,
				   .err = -EBUSY};
	struct event list[8] = {base, base, base, base, base, base, base, base};

	list[1].size += PAGE;
	list[2].align = PAGE;
	list[3].vstart += PAGE;
	list[4].vend -= PAGE;
	list[5].err = -ENOMEM;
	list[6].requested = 5;
	list[7].kind = KIND_MODULE;
	for (size_t n = 0; n < 2 * ARRAY_SIZE(list); n++)
		assert_int_equal(take(f, &list[n % 8]), 0);
	assert_int_equal(failures_count(f->failures), ARRAY_SIZE(list));
	for (size_t n = 0; n < ARRAY_SIZE(list); n++)
		assert_int_equal(failures_at(f->failures, (uint32_t)n)->count, 2);
	assert_int_equal(failures_at(f->failures, 0)->event.kind, KIND_MODULE);
}

/* The state then, not now. */
static void state_then(void **state)
{
	struct fixture *f = *state;

	apply(f->space, ev_alloc(T0, 0, PAGES - 1, 1));
	fail_at(f, T0 + MS, 2 * PAGE, 1);
	apply(f->space, ev_free(T0 + 2 * MS, 0, PAGES - 1));
	assert_int_equal(failures_at(f->failures, 0)->diagnosis.verdict, VERDICT_EXHAUSTED);
	assert_int_equal(failures_at(f->failures, 0)->diagnosis.free_bytes, PAGE);
	fail_at(f, T0 + 200 * MS, 2 * PAGE, 1);
	assert_int_equal(failures_at(f->failures, 0)->diagnosis.verdict, VERDICT_LAZY);
}

/* Those that failed last are kept, in their order. */
static void forgets_the_oldest(void **state)
{
	struct fixture *f = *state;

	for (uint32_t i = 0; i < FAILURES_KEPT; i++)
		fail_at(f, T0 + i * 200 * MS, LARGE + i * PAGE, i);
	fail_at(f, T0 + 99 * 200 * MS, LARGE, 7); /* the first one again */
	fail_at(f, T0 + 100 * 200 * MS, LARGE + 500 * PAGE, 8);
	assert_int_equal(failures_count(f->failures), FAILURES_KEPT);
	assert_int_equal(failures_forgotten(f->failures), 1);
	assert_int_equal(failures_total(f->failures), FAILURES_KEPT + 2);
	assert_int_equal(failures_at(f->failures, 0)->event.size, LARGE + 500 * PAGE);
	assert_int_equal(failures_at(f->failures, 0)->count, 1);
	assert_int_equal(failures_at(f->failures, 1)->event.size, LARGE);
	assert_int_equal(failures_at(f->failures, 1)->count, 2);
	for (uint32_t i = 2; i < FAILURES_KEPT; i++)
		assert_int_equal(failures_at(f->failures, i)->event.pid, FAILURES_KEPT + 1 - i);
}

/* Many kinds at once in a large space: some are only counted, and diagnosed the next time. */
static void storm(void **state)
{
	struct fixture large = {0};
	uint32_t diagnosed = 0;

	(void)state;
	assert_int_equal(make(&large, 0xff000000), 0); /* 28,672 pages */
	for (uint32_t i = 0; i < 50; i++)
		fail_at(&large, T0 + i, 0x08000000 + i * PAGE, i);
	for (uint32_t i = 0; i < 50; i++)
		diagnosed += failures_at(large.failures, i)->diagnosis.verdict != VERDICT_NONE;
	assert_int_equal(diagnosed, 9); /* of 2^18 pages */
	assert_int_equal(failures_at(large.failures, 0)->diagnosis.verdict, VERDICT_NONE);
	assert_int_equal(failures_at(large.failures, 0)->event.pid, 49);
	fail_at(&large, T0 + 100 * MS, 0x08000000 + 49 * PAGE, 49);
	assert_int_equal(failures_at(large.failures, 0)->diagnosis.verdict, VERDICT_RANGE);
	assert_int_equal(failures_at(large.failures, 0)->count, 2);
	unmake(&large);
	/* One diagnosis is made however large the space is. */
	memset(&large, 0, sizeof(large));
	large.space = space_new(0x10000000, 0xd0000000);
	large.failures = failures_new();
	large.names = names_new();
	large.stacks = stacks_new();
	fail_at(&large, T0, UINT32_MAX - PAGE + 1, 1);
	assert_int_not_equal(failures_at(large.failures, 0)->diagnosis.verdict, VERDICT_NONE);
	unmake(&large);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(none),	  TEST(one_kind),	    TEST(kinds),
		TEST(state_then), TEST(forgets_the_oldest), TEST(storm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
