// SPDX-License-Identifier: GPL-2.0-only
/* The verdict: each finding, and what lies next to it. Time in seconds, the watch from 0 on. */
#include "space_events.h"

#include "space/leak_judge.h"

#define S    1000000000ull
#define HOUR (3600 * S)

struct fixture {
	uint64_t births[2000];
	struct leak_ages ages;
	struct leak_case c;
};

static int begin(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (!f)
		return -1;
	f->c = (struct leak_case){.births = f->births, .ages = &f->ages, .now_ns = HOUR};
	return 0;
}

static int end(void **state)
{
	free(*state);
	return 0;
}

/* Lives from `from` on: count, one every wait. */
static void live(struct fixture *f, uint64_t from_ns, uint64_t wait_ns, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		f->births[f->c.count++] = from_ns + i * wait_ns;
	f->c.born += count;
}

static void freed(struct fixture *f, uint64_t age_ns, uint32_t count)
{
	leak_ages_add(&f->ages, age_ns, count);
	f->c.born += count;
}

static struct leak_verdict expect(struct fixture *f, enum leak_finding finding)
{
	struct leak_verdict v = leak_judge(&f->c);

	assert_int_equal(v.finding, finding);
	assert_true(v.score <= LEAK_SCORE_MAX);
	if (finding != LEAK_GROWS)
		assert_true(v.score < LEAK_SCORE);
	return v;
}

static void nothing(void **state)
{
	struct leak_verdict v = expect(*state, LEAK_NONE);

	assert_int_equal(v.score, 0);
}

static void steady(void **state)
{
	struct fixture *f = *state;
	struct leak_verdict v;

	live(f, 60 * S, 60 * S, 59);
	v = expect(f, LEAK_GROWS);
	assert_true(v.score > 900);
	assert_int_equal(v.old, 59);
	assert_int_equal(v.old_age_ns, 0);
	assert_int_equal(v.first_ns, 60 * S);
	assert_int_equal(v.last_ns, 59 * 60 * S);
}

/* The score rises with the number; five are not enough, six are. */
static void number(void **state)
{
	struct fixture *f = *state;

	live(f, 0, 600 * S, 5);
	f->c.now_ns = 3000 * S;
	assert_true(expect(f, LEAK_GROWS).score < LEAK_SCORE);
	live(f, 3000 * S, 600 * S, 1);
	f->c.now_ns = 3600 * S;
	assert_true(expect(f, LEAK_GROWS).score >= LEAK_SCORE);
}

static void few(void **state)
{
	struct fixture *f = *state;

	live(f, 60 * S, 1200 * S, 2);
	expect(f, LEAK_FEW);
}

/* One page an hour for two days. */
static void slow(void **state)
{
	struct fixture *f = *state;

	f->c.now_ns = 48 * HOUR;
	live(f, HOUR, HOUR, 47);
	assert_true(expect(f, LEAK_GROWS).score > 800);
}

/* 3 % of the calls, of which the others live a second. */
static void error_path(void **state)
{
	struct fixture *f = *state;
	struct leak_verdict v;

	live(f, 60 * S, 120 * S, 29);
	freed(f, S, 900);
	v = expect(f, LEAK_GROWS);
	assert_true(v.old_age_ns >= S && v.old_age_ns < 4 * S);
	assert_int_equal(v.freed_old, 0);
}

/* Four are enough if they stand out from hundreds that were freed young. */
static void stand_out(void **state)
{
	struct fixture *f = *state;

	live(f, 300 * S, 1000 * S, 4);
	assert_true(expect(f, LEAK_GROWS).score < LEAK_SCORE);
	freed(f, S, 200);
	assert_true(expect(f, LEAK_GROWS).score >= LEAK_SCORE);
	freed(f, 400 * S, 5);
	assert_true(leak_judge(&f->c).score < LEAK_SCORE);
}

static void late(void **state)
{
	struct fixture *f = *state;

	live(f, 2900 * S, 20 * S, 35);
	freed(f, S, 900);
	expect(f, LEAK_GROWS);
}

/* A few that were freed when old do not speak for all; one in ten do. */
static void some_freed_late(void **state)
{
	struct fixture *f = *state;

	live(f, 0, 36 * S, 100);
	freed(f, 1800 * S, 2);
	expect(f, LEAK_GROWS);
	freed(f, 1800 * S, 8);
	expect(f, LEAK_FREED);
}

/* Born all the time, each lives 40 minutes: as many were freed as time allowed. */
static void long_lives(void **state)
{
	struct fixture *f = *state;

	freed(f, 2400 * S, 40);
	live(f, 1200 * S, 30 * S, 80);
	expect(f, LEAK_YOUNG);
	freed(f, 30 * S, 400);
	expect(f, LEAK_FREED);
}

/* Balanced load: none is older than the others were when they were freed. */
static void young(void **state)
{
	struct fixture *f = *state;

	freed(f, 60 * S, 2000);
	live(f, 3550 * S, S, 49);
	expect(f, LEAK_YOUNG);
}

/* However many: what came within the last minutes is no growth. */
static void burst(void **state)
{
	struct fixture *f = *state;

	live(f, 3400 * S, S / 10, 1990);
	expect(f, LEAK_BURST);
}

static void module_load(void **state)
{
	struct fixture *f = *state;

	live(f, 600 * S, MS, 60);
	expect(f, LEAK_BURST);
	/* Two hours later it is no more than it was. */
	f->c.now_ns = 3 * HOUR;
	expect(f, LEAK_BURST);
}

static void plateau(void **state)
{
	struct fixture *f = *state;

	live(f, 10 * S, 10 * S, 200);
	expect(f, LEAK_STOPPED);
	f->c.now_ns = 2100 * S;
	expect(f, LEAK_GROWS);
}

/* Few, but so even that four waits without one tell. */
static void even_plateau(void **state)
{
	struct fixture *f = *state;

	live(f, 0, 200 * S, 15);
	expect(f, LEAK_STOPPED);
}

/* It has paused for as long before. */
static void pauses(void **state)
{
	struct fixture *f = *state;

	live(f, 0, 10 * S, 100);
	live(f, 1600 * S, 10 * S, 150);
	expect(f, LEAK_GROWS);
}

/* What is older than most become, but not by far, is not judged yet. */
static void not_yet(void **state)
{
	struct fixture *f = *state;

	freed(f, 400 * S, 1000);
	live(f, 2600 * S, S, 1000);
	expect(f, LEAK_FREED);
}

/* Four were freed at an age that only a few of the live have: that says nothing of the others. */
static void last_few(void **state)
{
	struct fixture *f = *state;

	live(f, 0, 18 * S, 200);
	freed(f, 3400 * S, 4);
	expect(f, LEAK_GROWS);
}

/* In half a minute twice as many are asked for. */
static void short_watch(void **state)
{
	struct fixture *f = *state;

	f->c.now_ns = 30 * S;
	live(f, S, 3 * S, 10);
	assert_true(expect(f, LEAK_GROWS).score < LEAK_SCORE);
	live(f, 29 * S, S / 2, 2);
	assert_true(expect(f, LEAK_GROWS).score >= LEAK_SCORE);
}

/* The time between two doubles again and again: a cache that fills. */
static void fills_up(void **state)
{
	struct fixture *f = *state;

	for (uint64_t at = 0, wait = S; at < HOUR; at += wait, wait += wait / 16 + 1)
		live(f, at, 0, 1);
	expect(f, LEAK_SLOWING);
}

/* In the office hours of five days, and the night after the last: 200 births, but a
 * few chances. The same number, early by as much, each for itself: that slows down. */
static void office_hours(void **state)
{
	struct fixture *f = *state;

	f->c.now_ns = 122 * HOUR;
	for (uint64_t day = 0; day < 5; day++)
		live(f, day * 24 * HOUR, 720 * S, 40);
	expect(f, LEAK_GROWS);
	f->c.count = 0;
	for (uint64_t i = 0; i < 200; i++)
		live(f, i * i * 122 * HOUR / 40000 * 97 / 100, 1, 1);
	expect(f, LEAK_SLOWING);
}

/* Ever fewer stay, as ever fewer are asked for: a leak. As many are asked for as ever: it fills. */
static void asked_for_less(void **state)
{
	struct fixture *f = *state;
	uint32_t asked[64];

	f->c.asked = (struct leak_asked){ asked, 64, HOUR / 64, 0 };
	for (uint64_t i = 0; i < 40; i++)
		live(f, i * i * HOUR / 1600, 1, 1);
	freed(f, S, 200);
	for (uint32_t i = 0; i < 64; i++)
		asked[i] = 4;
	expect(f, LEAK_SLOWING);
	memset(asked, 0, sizeof(asked));
	for (uint32_t i = 0; i < f->c.count; i++)
		asked[f->births[i] / (HOUR / 64)] += 6;
	expect(f, LEAK_GROWS);
	/* Half of all at once, at the begin: that is one step. */
	f->c.count = 0;
	for (uint64_t i = 0; i < 40; i++)
		live(f, i < 20 ? i * HOUR / 1300 : (i - 19) * HOUR / 21, 1, 1);
	memset(asked, 0, sizeof(asked));
	asked[0] = 100;
	for (uint32_t i = 1; i < 64; i++)
		asked[i] = i % 2;
	expect(f, LEAK_GROWS);
	/* Where all stay, what is asked for is no measure. */
	f->c.born = 40;
	expect(f, LEAK_SLOWING);
}

static void stairs(void **state)
{
	struct fixture *f = *state;

	live(f, 100 * S, MS, 100);
	live(f, 1500 * S, MS, 100);
	live(f, 3300 * S, MS, 100);
	expect(f, LEAK_STEPS);
}

/* The last of a sawtooth lives no longer than those before. */
static void sawtooth(void **state)
{
	struct fixture *f = *state;

	for (uint32_t i = 0; i < 30; i++)
		freed(f, (900 - i * 30) * S, 3);
	live(f, 2700 * S, 30 * S, 30);
	expect(f, LEAK_FREED);
}

/* In a recording of weeks no more than hours are asked for. */
static void needed(void **state)
{
	struct fixture *f = *state;
	uint64_t weeks = 24 * 7 * 3 * HOUR;

	f->c.now_ns = weeks;
	live(f, weeks - 7 * HOUR, HOUR / 10, 70);
	assert_int_equal(expect(f, LEAK_GROWS).needed_ns, 6 * HOUR);
}

/* Clocks that stand still or run backwards. */
static void strange_times(void **state)
{
	struct fixture *f = *state;

	f->c.now_ns = 0;
	live(f, 0, 0, 100);
	expect(f, LEAK_BURST);
	f->c.start_ns = f->c.now_ns = UINT64_MAX;
	expect(f, LEAK_BURST);
	f->births[0] = f->births[99] = UINT64_MAX;
	f->c.now_ns = 5;
	expect(f, LEAK_NONE);
}

static void ages(void **state)
{
	struct leak_ages a = {{0}};

	(void)state;
	assert_int_equal(leak_ages_percentile(&a, 90), 0);
	leak_ages_add(&a, 0, 1);
	assert_int_equal(a.count[0], 1);
	leak_ages_add(&a, UINT64_MAX, UINT32_MAX);
	leak_ages_add(&a, UINT64_MAX, 5);
	assert_int_equal(a.count[LEAK_AGE_BINS - 1], UINT32_MAX);
	for (uint32_t bin = 1; bin < LEAK_AGE_BINS; bin++) {
		struct leak_ages one = {{0}};

		assert_true(leak_ages_edge(bin) > leak_ages_edge(bin - 1));
		leak_ages_add(&one, leak_ages_edge(bin), 1);
		assert_int_equal(one.count[bin], 1);
		leak_ages_add(&one, leak_ages_edge(bin) - 1, 1);
		assert_int_equal(one.count[bin - 1], 1);
		assert_int_equal(leak_ages_from(&one, bin), 1);
		assert_int_equal(leak_ages_total(&one), 2);
		assert_int_equal(leak_ages_percentile(&one, 50), leak_ages_edge(bin));
		assert_int_equal(leak_ages_percentile(&one, 51), leak_ages_edge(bin + 1));
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing),	   TEST(steady),	  TEST(number),	   TEST(few),
		TEST(slow),	   TEST(error_path),	  TEST(late), TEST(stand_out),	   TEST(some_freed_late),
		TEST(long_lives),  TEST(young),		  TEST(burst),	   TEST(module_load),
		TEST(plateau),	   TEST(fills_up),	  TEST(office_hours), TEST(asked_for_less),
		TEST(stairs),	   TEST(sawtooth),
		TEST(needed),	   TEST(strange_times),	  TEST(ages),
		TEST(even_plateau), TEST(pauses),	  TEST(not_yet),   TEST(last_few),
		TEST(short_watch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
