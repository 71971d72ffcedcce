// SPDX-License-Identifier: GPL-2.0-only
/* space/trend: what is measured, when, and that asking changes nothing. */
#include "space_events.h"
#include "volume.h"

#include "space/holes.h"
#include "space/trend.h"

#define STEP TREND_STEP_NS
#define S    1000000000ull
#define H    (3600 * S)

struct fixture {
	struct space *space;
	struct trend *trend;
	struct trend_report report;
};

static int trend_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->space = space_new(START, END);
	f->trend = trend_new();
	*state = f;
	return f->space && f->trend ? 0 : -1;
}

static int trend_teardown(void **state)
{
	struct fixture *f = *state;

	trend_free(f->trend);
	space_free(f->space);
	free(f);
	return 0;
}

static void feed(struct fixture *f, struct event event)
{
	trend_before(f->trend, f->space, &event);
	space_apply(f->space, &event);
}

static struct event ev_fail(uint64_t t_ns)
{
	return (struct event){.type = EV_FAIL, .t_ns = t_ns, .size = PAGE, .err = -16};
}

/* A first snapshot at T0 that lists nothing: all is free, the trend begins. */
static void begin(struct fixture *f)
{
	feed(f, ev_mark(EV_SNAPSHOT_BEGIN, T0, T0 - MS));
	feed(f, ev_mark(EV_SNAPSHOT_END, T0, T0 - MS));
}

static const struct trend_report *report(struct fixture *f)
{
	trend_report(f->trend, f->space, 0, &f->report);
	return &f->report;
}

static void assert_value(const struct trend_value *value, uint32_t min, uint32_t max, uint32_t last)
{
	assert_int_equal(value->min, min * PAGE);
	assert_int_equal(value->max, max * PAGE);
	assert_int_equal(value->last, last * PAGE);
}

static void assert_largest(const struct trend_report *r, uint32_t bucket, uint32_t min,
			   uint32_t max, uint32_t last)
{
	assert_true(bucket < r->count);
	assert_value(&r->buckets[bucket].value[TREND_LARGEST], min, max, last);
}

/* Before the first snapshot pages are unknown: nothing is measured, and no failure counted. */
static void nothing_before_the_first_snapshot(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(report(f)->count, 0);
	feed(f, ev_alloc(T0 - 10 * S, 0, 4, 1));
	feed(f, ev_fail(T0 - 9 * S));
	feed(f, ev_mark(EV_SNAPSHOT_BEGIN, T0 - 8 * S, T0 - 8 * S));
	feed(f, ev_used(8, 10));
	feed(f, ev_fail(T0 - 7 * S));
	assert_int_equal(report(f)->count, 0);
	feed(f, ev_mark(EV_SNAPSHOT_END, T0, T0 - 8 * S));
	assert_int_equal(report(f)->count, 1);
	assert_int_equal(f->report.end_ns, T0);
	feed(f, ev_alloc(T0 + MS, 20, 24, 1));
	assert_int_equal(report(f)->count, 1);
	assert_int_equal(f->report.start_ns, T0);
	assert_int_equal(f->report.end_ns, T0 + MS);
	assert_int_equal(f->report.buckets[0].fails, 0);
}

/* A step ends with what held then, not with what the event beyond it made of it. */
static void the_state_at_the_end_of_a_step(void **state)
{
	struct fixture *f = *state;
	const struct trend_report *r;

	begin(f);
	feed(f, ev_alloc(T0 + MS, 0, 100, 1));
	feed(f, ev_alloc(T0 + STEP - 1, 100, 300, 1));
	feed(f, ev_alloc(T0 + STEP, 300, 600, 1)); /* at the border: of the next step */
	feed(f, ev_free(T0 + STEP + MS, 300, 600));
	r = report(f);
	assert_int_equal(r->count, 2);
	assert_int_equal(r->step_ns, STEP);
	assert_int_equal(trend_end_ns(r, 0), T0 + STEP);
	assert_int_equal(trend_end_ns(r, 1), T0 + STEP + MS);
	assert_int_equal(r->first[TREND_LARGEST], PAGES * PAGE);
	assert_largest(r, 0, PAGES - 300, PAGES, PAGES - 300);
	assert_value(&r->buckets[0].value[TREND_USED], 0, 298, 298);
	assert_largest(r, 1, PAGES - 600, PAGES - 300, PAGES - 600);
	assert_value(&r->buckets[1].value[TREND_LAZY], 0, 300, 300);
	assert_value(&r->buckets[1].value[TREND_AFTER_PURGE], PAGES - 300, PAGES - 300,
		     PAGES - 300);
	assert_value(&r->buckets[1].value[TREND_FREE], PAGES - 600, PAGES - 300, PAGES - 600);
	assert_value(&r->all[TREND_LARGEST], PAGES - 600, PAGES, PAGES - 600);
}

/* Steps without events had the state of the last one, also right after the snapshot. */
static void quiet_steps(void **state)
{
	struct fixture *f = *state;
	const struct trend_report *r;

	begin(f);
	feed(f, ev_alloc(T0 + 5 * STEP + MS, 0, 100, 1));
	feed(f, ev_alloc(T0 + 9 * STEP + MS, 100, 200, 1));
	r = report(f);
	assert_int_equal(r->count, 10);
	for (uint32_t i = 0; i < 5; i++)
		assert_largest(r, i, PAGES, PAGES, PAGES);
	assert_largest(r, 5, PAGES - 100, PAGES, PAGES - 100);
	for (uint32_t i = 6; i < 9; i++)
		assert_largest(r, i, PAGES - 100, PAGES - 100, PAGES - 100);
	assert_largest(r, 9, PAGES - 200, PAGES - 100, PAGES - 200);
}

/* Live knows that nothing has come since; what it asks for leaves no trace. */
static void up_to_now(void **state)
{
	struct fixture *f = *state;
	static struct trend_report now;

	begin(f);
	trend_report(f->trend, f->space, T0 + 7 * STEP, &now);
	assert_int_equal(now.count, 8);
	assert_int_equal(now.end_ns, T0 + 7 * STEP);
	feed(f, ev_alloc(T0 + MS, 0, 100, 1));
	feed(f, ev_alloc(T0 + STEP + MS, 100, 200, 1));
	trend_report(f->trend, f->space, T0 + TREND_SLOPE_MIN_NS, &now);
	assert_true(now.has_slope);
	assert_int_equal(now.step_ns, 8 * STEP);
	assert_largest(&now, 0, PAGES - 200, PAGES, PAGES - 200);
	assert_largest(&now, now.count - 1, PAGES - 200, PAGES - 200, PAGES - 200);
	assert_int_equal(now.end_ns, T0 + TREND_SLOPE_MIN_NS);
	assert_int_equal(report(f)->count, 2);
	assert_largest(&f->report, 0, PAGES - 100, PAGES, PAGES - 100);
	trend_report(f->trend, f->space, T0, &now);
	assert_memory_equal(&now, &f->report, sizeof(now));
}

/* A full table: steps of twice the width, each with what two had. */
static void widening(void **state)
{
	struct fixture *f = *state;
	const struct trend_report *r;

	begin(f);
	for (uint32_t i = 0; i < TREND_BUCKETS; i++) {
		feed(f, ev_alloc(T0 + i * STEP + MS, 2 * i, 2 * i + 2, 1));
		if (i % 3 == 0)
			feed(f, ev_fail(T0 + i * STEP + 2 * MS));
	}
	r = report(f);
	assert_int_equal(r->count, TREND_BUCKETS);
	assert_largest(r, 100, PAGES - 202, PAGES - 200, PAGES - 202);
	assert_int_equal(r->buckets[99].fails, 1);
	feed(f, ev_alloc(T0 + TREND_BUCKETS * STEP, 1000, 1002, 1));
	r = report(f);
	assert_int_equal(r->step_ns, 2 * STEP);
	assert_int_equal(r->count, TREND_BUCKETS / 2 + 1);
	for (uint32_t i = 0; i < TREND_BUCKETS / 2; i++) {
		assert_largest(r, i, PAGES - 4 * (i + 1), PAGES - 4 * i, PAGES - 4 * (i + 1));
		assert_int_equal(r->buckets[i].fails, (2 * i % 3 == 0) + ((2 * i + 1) % 3 == 0));
		assert_int_equal(trend_end_ns(r, i), T0 + 2 * STEP * (i + 1));
	}
	assert_value(&r->buckets[64].value[TREND_USED], 128, 129, 129);
}

/* The largest hole between two ends is seen where an allocation failed; once a step. */
static void failures(void **state)
{
	struct fixture *f = *state;
	const struct trend_report *r;

	begin(f);
	for (uint32_t i = 0; i < 2; i++) {
		uint64_t t = T0 + MS + i * 50 * MS;

		feed(f, ev_alloc(t, 0, 900 + 50 * i, 1));
		feed(f, ev_fail(t + MS));
		feed(f, ev_fail(t + 2 * MS));
		feed(f, ev_free(t + 3 * MS, 0, 900 + 50 * i));
		feed(f, ev_purge(t + 10 * MS, t + 5 * MS));
	}
	r = report(f);
	assert_int_equal(r->count, 1);
	assert_int_equal(r->buckets[0].fails, 4);
	assert_largest(r, 0, PAGES - 900, PAGES, PAGES);
	feed(f, ev_alloc(T0 + STEP + MS, 0, 1000, 1));
	feed(f, ev_fail(T0 + STEP + 2 * MS));
	feed(f, ev_free(T0 + STEP + 3 * MS, 0, 1000));
	feed(f, ev_purge(T0 + STEP + 9 * MS, T0 + STEP + 8 * MS));
	r = report(f);
	assert_largest(r, 1, PAGES - 1000, PAGES, PAGES);
}

/* While a list is read the map is neither the old nor the new one. */
static void not_inside_a_snapshot(void **state)
{
	struct fixture *f = *state;
	const struct trend_report *r;
	uint64_t t = T0 + 10 * S;

	begin(f);
	feed(f, ev_alloc(T0 + MS, 0, 100, 1));
	feed(f, ev_mark(EV_SNAPSHOT_BEGIN, t, t - MS));
	/* The list has it 500 pages long; while that is read, the first 100 are another area. */
	feed(f, ev_used(200, 500));
	feed(f, ev_alloc(t + 5 * STEP, 600, 700, 1));
	feed(f, ev_fail(t + 5 * STEP + MS));
	r = report(f);
	assert_int_equal(r->count, 101);
	assert_largest(r, 100, PAGES - 100, PAGES - 100, PAGES - 100);
	assert_int_equal(r->end_ns, T0 + 101 * STEP - 1);
	assert_int_equal(r->buckets[100].fails, 1);
	feed(f, ev_mark(EV_SNAPSHOT_END, t + 6 * STEP, t - MS));
	feed(f, ev_free(t + 7 * STEP, 600, 700));
	r = report(f);
	/* Not listed and long untouched: 0-100 is free again. 0-200 | 500-600 | 700-1024 */
	assert_int_equal(r->count, 108);
	assert_largest(r, 100, 324, PAGES - 100, 324);
	assert_largest(r, 105, 324, 324, 324);
	assert_largest(r, 107, 324, 324, 324);
	assert_value(&r->buckets[107].value[TREND_AFTER_PURGE], 324, 524, 524);
}

/* Times that make no sense cost nothing and overflow nothing. */
static void hostile_times(void **state)
{
	struct fixture *f = *state;
	const struct trend_report *r;

	begin(f);
	feed(f, ev_alloc(T0 + 3 * STEP, 0, 100, 1));
	feed(f, ev_alloc(5, 100, 200, 1));
	feed(f, ev_alloc(0, 200, 300, 1));
	r = report(f);
	assert_int_equal(r->count, 4);
	assert_largest(r, 3, PAGES - 300, PAGES, PAGES - 300);
	feed(f, ev_alloc(UINT64_MAX, 300, 400, 1));
	feed(f, ev_alloc(UINT64_MAX, 400, 500, 1));
	feed(f, ev_fail(UINT64_MAX));
	feed(f, ev_alloc(UINT64_MAX - 1, 500, 600, 1));
	r = report(f);
	assert_true(r->count > TREND_BUCKETS / 2 && r->count <= TREND_BUCKETS);
	assert_int_equal(r->end_ns, UINT64_MAX);
	assert_largest(r, 0, PAGES - 300, PAGES, PAGES - 300);
	assert_largest(r, r->count - 1, PAGES - 600, PAGES - 300, PAGES - 600);
	assert_int_equal(r->slope, 0);
}

/* Nor does a recording that begins at the end of time. */
static void begins_at_the_end_of_time(void **state)
{
	struct fixture *f = *state;

	feed(f, ev_mark(EV_SNAPSHOT_BEGIN, UINT64_MAX - 5, 1));
	feed(f, ev_mark(EV_SNAPSHOT_END, UINT64_MAX - 5, 1));
	feed(f, ev_alloc(UINT64_MAX, 0, 100, 1));
	feed(f, ev_alloc(UINT64_MAX, 100, 200, 1));
	assert_int_equal(report(f)->count, 1);
	assert_largest(&f->report, 0, PAGES - 200, PAGES, PAGES - 200);
	assert_false(f->report.has_slope);
}

static void uncertain_steps(void **state)
{
	struct fixture *f = *state;
	const struct trend_report *r;

	begin(f);
	feed(f, ev_lost(T0 + STEP + MS, LOST_RING, 3));
	feed(f, ev_alloc(T0 + 2 * STEP + MS, 0, 10, 1));
	feed(f, ev_mark(EV_SNAPSHOT_BEGIN, T0 + 3 * STEP - 2 * MS, T0 + 3 * STEP - 3 * MS));
	feed(f, ev_mark(EV_SNAPSHOT_END, T0 + 3 * STEP - MS, T0 + 3 * STEP - 3 * MS));
	feed(f, ev_alloc(T0 + 4 * STEP, 10, 20, 1));
	r = report(f);
	assert_false(r->buckets[0].uncertain);
	assert_true(r->buckets[1].uncertain);
	assert_true(r->buckets[2].uncertain); /* it was so where it began */
	assert_true(r->buckets[1].last_uncertain);
	assert_false(r->buckets[2].last_uncertain);
	assert_false(r->first_uncertain);
	assert_false(r->buckets[3].uncertain);
	assert_true(r->uncertain);
}

/* Ten pages an hour, straight on: that is the slope, whatever comes and goes meanwhile. */
static void slope(void **state)
{
	struct fixture *f = *state;
	const struct trend_report *r;

	begin(f);
	for (uint32_t i = 1; i <= 60; i++) {
		if (i == 20)
			feed(f, ev_alloc(T0 + i * H / 10, 500, PAGES, 1));
		if (i == 25)
			feed(f, ev_free(T0 + i * H / 10, 500, PAGES));
		if (i == 25)
			feed(f, ev_purge(T0 + i * H / 10 + MS, T0 + i * H / 10 + 1));
		feed(f, ev_alloc(T0 + i * H / 10 + 2 * MS, i - 1, i, 0));
	}
	r = report(f);
	assert_true(r->has_slope);
	assert_in_range(-r->slope, 95 * PAGE / 10, 105 * PAGE / 10);
}

static void no_slope_below_a_minute(void **state)
{
	struct fixture *f = *state;

	begin(f);
	feed(f, ev_alloc(T0 + S, 0, 100, 1));
	feed(f, ev_alloc(T0 + TREND_SLOPE_MIN_NS - 1, 100, 200, 1));
	assert_false(report(f)->has_slope);
	assert_int_equal(f->report.slope, 0);
	feed(f, ev_alloc(T0 + TREND_SLOPE_MIN_NS, 200, 300, 1));
	assert_true(report(f)->has_slope);
}

/* ---- random streams ------------------------------------------------------------------ */

#define EVENTS 1500u

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Areas in cells of 16 pages, times from microseconds to minutes apart, sometimes backwards. */
static struct event random_event(uint32_t *seed, uint64_t *t_ns)
{
	static const uint64_t scale[] = {1000, MS, 20 * MS, STEP, S, 60 * S};
	uint32_t cell = next_random(seed) % (PAGES / 16) * 16;
	uint32_t length = 2 + next_random(seed) % 15;
	uint64_t jump = next_random(seed) % 1000 * scale[next_random(seed) % 6] / 1000;
	uint64_t t = *t_ns += jump;

	if (next_random(seed) % 50 == 0)
		t -= jump;
	switch (next_random(seed) % 8) {
	case 0:
	case 1:
	case 2:
		return ev_alloc(t, cell, cell + length, 1);
	case 3:
	case 4:
		return ev_free(t, cell, cell + length);
	case 5:
		return ev_purge(t, t - next_random(seed) % S);
	case 6:
		return ev_fail(t);
	default:
		return ev_lost(t, LOST_RING, 1);
	}
}

/* One event, now and then a whole snapshot: what a session is fed. */
static void random_feed(struct fixture *f, uint32_t *seed, uint64_t *t_ns)
{
	if (next_random(seed) % 200) {
		feed(f, random_event(seed, t_ns));
		return;
	}
	feed(f, ev_mark(EV_SNAPSHOT_BEGIN, *t_ns, *t_ns - MS));
	feed(f, ev_used(16, 20));
	*t_ns += next_random(seed) % S;
	feed(f, random_event(seed, t_ns));
	feed(f, ev_mark(EV_SNAPSHOT_END, *t_ns, *t_ns - MS));
}

static int by_value(const void *a, const void *b)
{
	const int64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* The median by sorting: of the slopes between the ends of every two buckets, and the begin. */
static int64_t sorted_median(const struct trend_report *r)
{
	static int64_t slopes[(TREND_BUCKETS + 1) * (TREND_BUCKETS + 1)];
	int64_t value[TREND_BUCKETS + 1], ms[TREND_BUCKETS + 1];
	uint32_t count = 0;

	value[0] = r->first[TREND_LARGEST];
	ms[0] = 0;
	for (uint32_t i = 0; i < r->count; i++) {
		value[i + 1] = r->buckets[i].value[TREND_LARGEST].last;
		ms[i + 1] = (int64_t)((trend_end_ns(r, i) - r->start_ns) / MS);
	}
	for (uint32_t i = 0; i <= r->count; i++) {
		for (uint32_t j = i + 1; j <= r->count; j++) {
			if (ms[j] > ms[i])
				slopes[count++] =
					(value[j] - value[i]) * 3600000 / (ms[j] - ms[i]);
		}
	}
	qsort(slopes, count, sizeof(slopes[0]), by_value);
	return count ? (slopes[(count - 1) / 2] + slopes[count / 2]) / 2 : 0;
}

static void slope_is_the_median(void **state)
{
	uint32_t with = 0;

	(void)state;
	for (uint32_t round = 1; round <= ROUNDS(8); round++) {
		struct fixture *f;
		uint32_t seed = round;
		uint64_t t = T0;

		assert_int_equal(trend_setup((void **)&f), 0);
		begin(f);
		for (uint32_t i = 0; i < EVENTS; i++) {
			random_feed(f, &seed, &t);
			if (i % 50 || !report(f)->has_slope)
				continue;
			assert_int_equal(f->report.slope, sorted_median(&f->report));
			with += f->report.slope != 0;
		}
		trend_teardown((void **)&f);
	}
	assert_true(with > ROUNDS(50));
}

/* Whoever looks, and how often, the trend is the same: live as in the replay. */
static void asking_changes_nothing(void **state)
{
	static struct trend_report other;

	(void)state;
	for (uint32_t round = 1; round <= ROUNDS(4); round++) {
		struct fixture *asked, *left;
		uint32_t seed = round, again = round;
		uint64_t t = T0, t_again = T0;

		assert_int_equal(trend_setup((void **)&asked), 0);
		assert_int_equal(trend_setup((void **)&left), 0);
		begin(asked);
		begin(left);
		for (uint32_t i = 0; i < EVENTS; i++) {
			random_feed(asked, &seed, &t);
			if (i % 8 == 0)
				trend_report(asked->trend, asked->space, t + i * S, &other);
			report(asked);
			random_feed(left, &again, &t_again);
			if (i % 97)
				continue;
			trend_report(left->trend, left->space, 0, &other);
			assert_memory_equal(&asked->report, &other, sizeof(other));
		}
		trend_teardown((void **)&asked);
		trend_teardown((void **)&left);
	}
}

struct history {
	uint64_t t_ns[EVENTS + 1]; /* the newest time so far */
	uint32_t largest[EVENTS + 1];
	uint32_t used[EVENTS + 1];
	uint32_t count;
};

static void remember(struct history *history, const struct space *space)
{
	struct holes_report holes;

	holes_report(space, &holes);
	history->t_ns[history->count] = space_counters(space)->last_t_ns;
	history->largest[history->count] = holes.largest.end - holes.largest.start;
	history->used[history->count++] = space_totals(space).used_bytes;
}

/* Index of the last state before t_ns. */
static uint32_t state_at(const struct history *history, uint64_t t_ns)
{
	uint32_t i = 0;

	while (i + 1 < history->count && history->t_ns[i + 1] < t_ns)
		i++;
	return i;
}

static void assert_history(const struct trend_report *r, const struct history *history)
{
	for (uint32_t i = 0; i < r->count; i++) {
		const struct trend_value *largest = &r->buckets[i].value[TREND_LARGEST];
		uint32_t from = state_at(history, r->start_ns + i * r->step_ns), min = UINT32_MAX;
		uint32_t to = i + 1 < r->count ? state_at(history, trend_end_ns(r, i))
					       : history->count - 1;
		uint32_t max = 0;

		assert_int_equal(largest->last, history->largest[to]);
		assert_int_equal(r->buckets[i].value[TREND_USED].last, history->used[to]);
		for (; from <= to; from++) {
			if (history->largest[from] < min)
				min = history->largest[from];
			if (history->largest[from] > max)
				max = history->largest[from];
		}
		assert_true(largest->min >= min && largest->min <= largest->last);
		assert_true(largest->max <= max && largest->max >= largest->last);
	}
}

/* Against a list of every state there was: each step ends with the one that held at its end. */
static void as_the_history_has_it(void **state)
{
	static struct history history;

	(void)state;
	for (uint32_t round = 1; round <= ROUNDS(30); round++) {
		struct fixture *f;
		uint32_t seed = round * 77, fails = 0;
		uint64_t t = T0;

		assert_int_equal(trend_setup((void **)&f), 0);
		begin(f);
		history.count = 0;
		remember(&history, f->space);
		for (uint32_t i = 0; i < EVENTS; i++) {
			feed(f, random_event(&seed, &t));
			remember(&history, f->space);
			if (i % 401 == 0)
				assert_history(report(f), &history);
		}
		report(f);
		assert_history(&f->report, &history);
		for (uint32_t i = 0; i < f->report.count; i++)
			fails += f->report.buckets[i].fails;
		assert_int_equal(fails, space_counters(f->space)->fails);
		trend_teardown((void **)&f);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, trend_setup, trend_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_before_the_first_snapshot),
		TEST(the_state_at_the_end_of_a_step),
		TEST(quiet_steps),
		TEST(up_to_now),
		TEST(widening),
		TEST(failures),
		TEST(not_inside_a_snapshot),
		TEST(hostile_times),
		TEST(begins_at_the_end_of_time),
		TEST(uncertain_steps),
		TEST(slope),
		TEST(no_slope_below_a_minute),
		cmocka_unit_test(slope_is_the_median),
		cmocka_unit_test(asking_changes_nothing),
		cmocka_unit_test(as_the_history_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
