// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/order.h"
#include "volume.h"

#define MAX_STREAMS 9

/* A record: its time, who sent it, its number there, and filling that both of these tell. */
struct record {
	uint64_t t_ns;
	uint32_t stream;
	uint32_t number;
	uint8_t rest[185];
};

#define HEAD_LEN 16u

struct fixture {
	struct order *order;
	uint32_t seed;
	uint64_t now_ns;
	uint32_t added[MAX_STREAMS];
	uint32_t taken[MAX_STREAMS]; /* the number that must come next */
	uint64_t last_t_ns;          /* of what was taken, and who sent it */
	uint32_t last_stream;
	uint32_t nr_added;
	uint32_t nr_taken;
	uint32_t bytes_taken;
	uint32_t refuse_after; /* this many more are taken, then one is refused */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	*state = f;
	f->seed = 12345;
	f->refuse_after = UINT32_MAX;
	f->order = order_new();
	return f->order ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	order_free(f->order);
	free(f);
	return 0;
}

static uint32_t random_below(struct fixture *f, uint32_t limit)
{
	f->seed = f->seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)(f->seed >> 4) * limit >> 28);
}

static uint32_t padded(uint32_t len)
{
	return (len + 7) & ~7u;
}

static uint32_t len_of(uint32_t stream, uint32_t number)
{
	return HEAD_LEN + (stream * 31 + number * 7) % 186;
}

static void add(struct fixture *f, uint32_t stream, uint64_t t_ns)
{
	struct record record = {
		.t_ns = t_ns,
		.stream = stream,
		.number = f->added[stream]++,
	};

	memset(record.rest, (int)(stream + record.number), sizeof(record.rest));
	assert_int_equal(order_add(f->order, &record, len_of(stream, record.number)), 0);
	f->nr_added++;
}

/* Checks the content, and the order within a stream; across streams for times that must be sorted.
 */
static int take(void *context, const void *bytes, uint32_t len)
{
	struct fixture *f = context;
	struct record record = { 0 };

	assert_int_equal((uintptr_t)bytes % 8, 0);
	assert_in_range(len, HEAD_LEN, sizeof(record));
	memcpy(&record, bytes, len);
	if (f->refuse_after == 0)
		return -ENOBUFS;
	f->refuse_after--;
	assert_true(record.stream < MAX_STREAMS);
	assert_int_equal(record.number, f->taken[record.stream]);
	assert_int_equal(len, len_of(record.stream, record.number));
	for (uint32_t i = 0; i < len - HEAD_LEN; i++)
		assert_int_equal(record.rest[i], (uint8_t)(record.stream + record.number));
	assert_true(record.t_ns >= f->last_t_ns);
	f->last_t_ns = record.t_ns;
	f->last_stream = record.stream;
	f->taken[record.stream]++;
	f->nr_taken++;
	f->bytes_taken += padded(len);
	return 0;
}

/* Emits, and checks the sum returned and that nothing due stays unless it was refused. */
static void emit(struct fixture *f, uint64_t until_ns)
{
	uint32_t before = f->bytes_taken, held = order_bytes(f->order);
	int bytes = order_emit_until(f->order, until_ns, take, f);

	assert_int_equal(bytes, f->bytes_taken - before);
	assert_int_equal(order_bytes(f->order), held - (uint32_t)bytes);
	if (f->refuse_after)
		assert_true(order_oldest_ns(f->order) > until_ns ||
			    order_oldest_ns(f->order) == UINT64_MAX);
	assert_true(f->last_t_ns <= until_ns);
}

static void expect_all_taken(struct fixture *f)
{
	assert_int_equal(f->nr_taken, f->nr_added);
	assert_int_equal(order_bytes(f->order), 0);
	assert_true(order_oldest_ns(f->order) == UINT64_MAX);
}

static int ignore(void *context, const void *bytes, uint32_t len)
{
	(void)context;
	(void)bytes;
	(void)len;
	return 0;
}

static void empty(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(order_emit_until(f->order, 0, take, f), 0);
	assert_int_equal(order_emit_until(f->order, UINT64_MAX, take, f), 0);
	expect_all_taken(f);
	order_free(NULL);
}

/* Only what is due, both bounds of it. */
static void until(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 30);
	add(f, 1, 10);
	add(f, 2, 20);
	assert_int_equal(order_oldest_ns(f->order), 10);
	emit(f, 9);
	assert_int_equal(f->nr_taken, 0);
	emit(f, 10);
	assert_int_equal(f->nr_taken, 1);
	assert_int_equal(f->last_stream, 1);
	emit(f, 29);
	assert_int_equal(f->last_stream, 2);
	assert_int_equal(order_oldest_ns(f->order), 30);
	emit(f, 30);
	expect_all_taken(f);
}

/* Times are compared whole: also the upper half, and the extremes. */
static void whole_times(void **state)
{
	struct fixture *f = *state;

	add(f, 0, UINT64_MAX);
	add(f, 1, 0x100000000);
	add(f, 2, 0xffffffff);
	add(f, 3, 0);
	emit(f, 0);
	assert_int_equal(f->nr_taken, 1);
	emit(f, 0xffffffff);
	assert_int_equal(f->nr_taken, 2);
	emit(f, UINT64_MAX - 1);
	assert_int_equal(f->nr_taken, 3);
	emit(f, UINT64_MAX);
	expect_all_taken(f);
}

/* Equal times: as they were added, also after some were given on and the rest moved. */
static void equal_times(void **state)
{
	struct fixture *f = *state;

	for (uint32_t i = 0; i < 5000; i++)
		add(f, 4, i / 1000);
	for (uint32_t t = 0; t < 5; t++) {
		emit(f, t);
		assert_int_equal(f->nr_taken, (t + 1) * 1000);
	}
	expect_all_taken(f);
}

/* A refusal keeps the record refused and all behind it, whatever is added meanwhile. */
static void refused(void **state)
{
	struct fixture *f = *state;

	for (uint32_t round = 0; round < 200; round++) {
		for (uint32_t i = 0; i < 50; i++)
			add(f, i % MAX_STREAMS, round * 50 + i);
		f->refuse_after = round % 61;
		emit(f, round * 50 + 49);
		assert_int_equal(f->refuse_after, 0);
	}
	assert_true(f->nr_taken < f->nr_added);
	f->refuse_after = 0;
	assert_int_equal(order_emit_until(f->order, UINT64_MAX, take, f), 0);
	f->refuse_after = UINT32_MAX;
	emit(f, UINT64_MAX);
	expect_all_taken(f);
}

/* A record later than it should be: it comes out next, and nothing else changes. */
static void late(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 100);
	add(f, 0, 300);
	emit(f, 200);
	add(f, 1, 50);
	f->last_t_ns = 0;
	emit(f, 200);
	assert_int_equal(f->last_stream, 1);
	emit(f, 300);
	expect_all_taken(f);
}

/*
 * As perf buffers are read: streams that are monotonic each, drained one after the other, in
 * rounds; all up to a time that every stream has passed is due. The consumer refuses now and then.
 */
static void interleave(struct fixture *f, uint32_t nr_streams, uint32_t rounds)
{
	uint64_t at[MAX_STREAMS];

	f->now_ns += 100;
	for (uint32_t s = 0; s < nr_streams; s++)
		at[s] = f->now_ns;
	for (uint32_t round = 0; round < rounds; round++) {
		uint64_t due_ns = f->now_ns;

		f->now_ns += 1 + random_below(f, 200);
		for (uint32_t s = 0; s < nr_streams; s++) {
			while (at[s] < f->now_ns && random_below(f, 20)) {
				add(f, s, at[s]);
				at[s] += random_below(f, 9); /* equal times are common */
			}
			if (at[s] <= due_ns)
				at[s] = due_ns + 1;
		}
		f->refuse_after = random_below(f, 5) ? UINT32_MAX : random_below(f, 40);
		emit(f, due_ns);
	}
	f->refuse_after = UINT32_MAX;
	emit(f, UINT64_MAX);
	expect_all_taken(f);
}

static void random_streams(void **state)
{
	struct fixture *f = *state;

	for (uint32_t nr_streams = 1; nr_streams <= MAX_STREAMS; nr_streams++)
		interleave(f, nr_streams, 300);
	assert_true(f->nr_added > 100000);
}

/* A hold that has become large, and is given on bit by bit while it is added to: neither quadratic
 * (seconds here, else hours) nor growing with what has passed through it. */
static void large(void **state)
{
	struct fixture *f = *state;
	uint64_t t_ns = 0, due_ns = 0;
	uint32_t most = 0;

	while (order_bytes(f->order) < 4u << 20)
		add(f, f->nr_added % MAX_STREAMS, t_ns++);
	for (uint32_t round = 0; round < 20; round++) {
		for (uint32_t i = 0; i < 2000; i++)
			add(f, i % MAX_STREAMS, t_ns++);
		due_ns += 2000;
		emit(f, due_ns - 1);
		most = order_bytes(f->order) > most ? order_bytes(f->order) : most;
	}
	assert_true(most < 5u << 20);
	emit(f, t_ns);
	expect_all_taken(f);
}

/* Weeks of records while the hold is never empty: room is used again. */
static void long_run(void **state)
{
	struct fixture *f = *state;
	const uint32_t len = 1u << 20;
	uint64_t *record = calloc(1, len);

	assert_non_null(record);
	for (record[0] = 1; record[0] < ROUNDS(1200); record[0]++) {
		assert_int_equal(order_add(f->order, record, len), 0);
		assert_int_equal(order_emit_until(f->order, record[0] - 1, ignore, f),
				 record[0] > 1 ? len : 0);
		assert_int_equal(order_bytes(f->order), len);
	}
	free(record);
}

/* No time: refused, and the hold stays as it was. */
static void too_short(void **state)
{
	struct fixture *f = *state;
	uint64_t time = 7;

	for (uint32_t len = 0; len < sizeof(time); len++)
		assert_int_equal(order_add(f->order, &time, len), -EBADMSG);
	assert_int_equal(order_bytes(f->order), 0);
	assert_int_equal(order_add(f->order, &time, sizeof(time)), 0);
	assert_int_equal(order_bytes(f->order), 8);
	assert_int_equal(order_oldest_ns(f->order), 7);
}

/* A length that no memory holds is no reason to try. */
static void too_long(void **state)
{
	struct fixture *f = *state;
	uint64_t time = 7;

	assert_int_equal(order_add(f->order, &time, 0xfffffff0), -ENOMEM);
	assert_int_equal(order_add(f->order, &time, 0xffffffff), -ENOMEM);
	assert_int_equal(order_bytes(f->order), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(empty),
		TEST(until),
		TEST(whole_times),
		TEST(equal_times),
		TEST(refused),
		TEST(late),
		TEST(random_streams),
		TEST(large),
		TEST(long_run),
		TEST(too_short),
		TEST(too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
