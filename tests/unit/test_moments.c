// SPDX-License-Identifier: GPL-2.0-only
/* view/moments: when live and replay draw a block. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "view/moments.h"

#define S  1000000000ull
#define T0 (1000 * S)
#define MAX_DRAWN 64

struct drawn {
	struct moments moments;
	uint64_t at_ns[MAX_DRAWN];
	unsigned int count;
	unsigned int before; /* of them: before the last event */
};

static struct drawn begin(uint64_t interval_ns)
{
	return (struct drawn){.moments = {.interval_ns = interval_ns}};
}

static void draw(struct drawn *drawn, uint64_t at_ns)
{
	assert_true(drawn->count < MAX_DRAWN);
	drawn->at_ns[drawn->count++] = at_ns;
}

/* As watch does it. */
static void see(struct drawn *drawn, unsigned int type, uint64_t t_ns)
{
	struct event event = {.type = (uint8_t)type, .t_ns = t_ns};
	uint64_t at_ns;

	moments_start(&drawn->moments, T0);
	drawn->before = 0;
	while (moments_before(&drawn->moments, &event, &at_ns)) {
		drawn->before++;
		draw(drawn, at_ns);
	}
	if (moments_after(&drawn->moments, &event, &at_ns))
		draw(drawn, at_ns);
}

static void see_snapshot(struct drawn *drawn, uint64_t t_ns)
{
	see(drawn, EV_SNAPSHOT_BEGIN, t_ns);
	see(drawn, EV_AREA, t_ns);
	see(drawn, EV_SNAPSHOT_END, t_ns);
}

static void first_block_shows_the_first_snapshot(void **state)
{
	struct drawn drawn = begin(S);

	(void)state;
	see(&drawn, EV_STACK, T0 + 1);
	see(&drawn, EV_ALLOC, T0 + 2);
	see_snapshot(&drawn, T0 + 300);
	assert_int_equal(drawn.count, 1);
	assert_int_equal(drawn.at_ns[0], T0 + 300);
	see_snapshot(&drawn, T0 + 500); /* a heal is none */
	assert_int_equal(drawn.count, 1);
}

static void blocks_come_at_multiples_before_what_is_later(void **state)
{
	struct drawn drawn = begin(S);

	(void)state;
	see(&drawn, EV_ALLOC, T0 + S - 1);
	see(&drawn, EV_ALLOC, T0 + S);
	assert_int_equal(drawn.count, 0);
	see(&drawn, EV_FREE, T0 + S + 1);
	assert_int_equal(drawn.before, 1);
	assert_int_equal(drawn.at_ns[0], T0 + S);
	see(&drawn, EV_FREE, T0 + S - 5); /* late: it belongs to the next block */
	assert_int_equal(drawn.count, 1);
	see(&drawn, EV_TIME, T0 + 4 * S + 1);
	assert_int_equal(drawn.count, 4);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(drawn.at_ns[i], T0 + (i + 1) * S);
}

static void snapshot_is_not_torn(void **state)
{
	struct drawn drawn = begin(S);

	(void)state;
	see(&drawn, EV_ALLOC, T0 + 1);
	see(&drawn, EV_SNAPSHOT_BEGIN, T0 + S);
	see(&drawn, EV_AREA, T0 + 3 * S);
	assert_int_equal(drawn.count, 0);
	see(&drawn, EV_SNAPSHOT_END, T0 + 3 * S);
	assert_int_equal(drawn.count, 1);
	assert_int_equal(drawn.at_ns[0], T0 + 3 * S);
	see(&drawn, EV_ALLOC, T0 + 3 * S + 1);
	assert_int_equal(drawn.count, 4);
	assert_int_equal(drawn.at_ns[1], T0 + S);
	assert_int_equal(drawn.at_ns[3], T0 + 3 * S);
}

static void stack_has_no_moment(void **state)
{
	struct drawn drawn = begin(S);

	(void)state;
	see(&drawn, EV_STACK, T0 + 9 * S);
	assert_int_equal(drawn.count, 0);
}

static void end_without_begin_is_no_snapshot(void **state)
{
	struct drawn drawn = begin(S);

	(void)state;
	see(&drawn, EV_SNAPSHOT_END, T0 + 1);
	assert_int_equal(drawn.count, 0);
}

/* A file of a ring. */
static void nothing_before_the_first_event(void **state)
{
	static const unsigned int firsts[] = {EV_SNAPSHOT_BEGIN, EV_LOST, EV_ALLOC};

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		struct drawn drawn = begin(S);

		see(&drawn, EV_STACK, T0 + 1);
		see(&drawn, firsts[i], T0 + 77 * S + 5);
		assert_int_equal(drawn.count, 0);
		see_snapshot(&drawn, T0 + 77 * S + 5);
		assert_int_equal(drawn.count, 1);
		assert_int_equal(drawn.at_ns[0], T0 + 77 * S + 5);
		see(&drawn, EV_ALLOC, T0 + 78 * S + 1);
		assert_int_equal(drawn.count, 2);
		assert_int_equal(drawn.at_ns[1], T0 + 78 * S);
	}
}

static void time_alone_is_shown(void **state)
{
	struct drawn drawn = begin(S);

	(void)state;
	see(&drawn, EV_TIME, T0 + S + 1);
	see(&drawn, EV_TIME, T0 + 2 * S + 1);
	assert_int_equal(drawn.count, 2);
	assert_int_equal(drawn.at_ns[0], T0 + S);
}

static void no_interval_no_blocks(void **state)
{
	struct drawn drawn = begin(0);

	(void)state;
	see_snapshot(&drawn, T0 + 1);
	see(&drawn, EV_ALLOC, T0 + 100 * S);
	assert_int_equal(drawn.count, 0);
}

static void start_may_be_unknown(void **state)
{
	struct moments moments = {.interval_ns = S};
	struct event event = {.type = EV_ALLOC, .t_ns = T0};
	uint64_t at_ns;

	(void)state;
	moments_start(&moments, 0);
	assert_false(moments_before(&moments, &event, &at_ns));
	moments_start(&moments, T0);
	moments_start(&moments, T0 + 5); /* the first one counts */
	event.type = EV_TIME;
	event.t_ns = T0 + S + 1;
	assert_true(moments_before(&moments, &event, &at_ns));
	assert_int_equal(at_ns, T0 + S);
}

/* JSON Lines without a start: it is that of the first event, after which time passes as ever. */
static void first_event_is_the_start(void **state)
{
	struct moments moments = {.interval_ns = S};
	struct event event = {.type = EV_SNAPSHOT_BEGIN, .t_ns = T0};
	uint64_t at_ns;

	(void)state;
	moments_start(&moments, 0);
	assert_false(moments_before(&moments, &event, &at_ns));
	assert_false(moments_after(&moments, &event, &at_ns));
	moments_start(&moments, T0);
	event.type = EV_SNAPSHOT_END;
	assert_false(moments_before(&moments, &event, &at_ns));
	assert_true(moments_after(&moments, &event, &at_ns));
	event = (struct event){.type = EV_ALLOC, .t_ns = T0 + 5 * S};
	assert_true(moments_before(&moments, &event, &at_ns));
	assert_int_equal(at_ns, T0 + S);
}

static void quiet_ages_are_cut_short(void **state)
{
	struct drawn drawn = begin(S);

	(void)state;
	see(&drawn, EV_ALLOC, T0 + 1);
	see(&drawn, EV_ALLOC, INT64_MAX);
	assert_int_equal(drawn.count, 2);
	assert_true(drawn.at_ns[1] < INT64_MAX && drawn.at_ns[1] >= INT64_MAX - S);
	assert_int_equal(drawn.at_ns[1] % S, T0 % S);
}

static void quiet_day_is_drawn(void **state)
{
	struct moments moments = {.interval_ns = S};
	struct event event = {.type = EV_TIME, .t_ns = T0 + MOMENTS_MAX_QUIET * S + 1};
	unsigned int count = 0;
	uint64_t at_ns;

	(void)state;
	moments_start(&moments, T0);
	while (moments_before(&moments, &event, &at_ns))
		assert_int_equal(at_ns, T0 + ++count * S);
	assert_int_equal(count, MOMENTS_MAX_QUIET);
}

static void end_of_time_is_no_moment(void **state)
{
	struct moments moments = {.interval_ns = UINT64_MAX - 5};
	struct event event = {.type = EV_TIME, .t_ns = UINT64_MAX};
	uint64_t at_ns;

	(void)state;
	moments_start(&moments, T0);
	assert_int_equal(moments.next_ns, UINT64_MAX);
	assert_false(moments_before(&moments, &event, &at_ns));
}

/* Whatever the order of the stream: the moments only rise, and none is of the future. */
static void any_stream_has_rising_moments(void **state)
{
	static const uint8_t types[] = {EV_STACK, EV_ALLOC, EV_FREE, EV_SNAPSHOT_BEGIN, EV_AREA,
					EV_SNAPSHOT_END, EV_TIME, EV_LOST};

	(void)state;
	srand(1);
	for (unsigned int run = 0; run < 2000; run++) {
		struct moments moments = {.interval_ns = 1 + (unsigned int)rand() % 50};
		uint64_t t_ns = 1000, last_ns = 0, at_ns, newest_ns = 0;

		for (unsigned int i = 0; i < 100; i++) {
			struct event event = {.type = types[(unsigned int)rand() % sizeof(types)]};

			t_ns += (unsigned int)rand() % 60;
			event.t_ns = t_ns - (unsigned int)rand() % 30;
			if (event.t_ns > newest_ns)
				newest_ns = event.t_ns;
			moments_start(&moments, 1000);
			while (moments_before(&moments, &event, &at_ns)) {
				assert_true(at_ns > last_ns || !moments.any);
				assert_true(at_ns < newest_ns);
				assert_int_equal((at_ns - 1000) % moments.interval_ns, 0);
				last_ns = at_ns;
			}
			if (moments_after(&moments, &event, &at_ns))
				assert_int_equal(last_ns, 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_block_shows_the_first_snapshot),
		cmocka_unit_test(blocks_come_at_multiples_before_what_is_later),
		cmocka_unit_test(snapshot_is_not_torn),
		cmocka_unit_test(stack_has_no_moment),
		cmocka_unit_test(end_without_begin_is_no_snapshot),
		cmocka_unit_test(nothing_before_the_first_event),
		cmocka_unit_test(time_alone_is_shown),
		cmocka_unit_test(no_interval_no_blocks),
		cmocka_unit_test(start_may_be_unknown),
		cmocka_unit_test(first_event_is_the_start),
		cmocka_unit_test(quiet_ages_are_cut_short),
		cmocka_unit_test(quiet_day_is_drawn),
		cmocka_unit_test(end_of_time_is_no_moment),
		cmocka_unit_test(any_stream_has_rising_moments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
