// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/perfring.h"
#include "capture/wire.h"
#include "perf_buffer.h"

#define SIZE  8192u
#define FIRST 0xffffff00u /* positions start here: they wrap past 4 GiB within 256 bytes */

union record {
	struct wire_head head;
	struct wire_alloc alloc;
	uint8_t bytes[WIRE_MAX_LEN];
};

struct fixture {
	struct perf_buffer_mock mock;
	struct perfring ring;
	uint32_t sent;
	uint32_t taken;
	uint32_t refuse_at;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || !mock_init(&f->mock, SIZE, FIRST))
		return -1;
	*state = f;
	f->refuse_at = UINT32_MAX;
	perfring_init(&f->ring, f->mock.page, SIZE);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	mock_free(&f->mock);
	free(f);
	return 0;
}

/* Record number n: all types, all numbers of frames. */
static uint32_t make(union record *record, uint32_t n)
{
	uint32_t len;

	memset(record, (int)n, sizeof(*record));
	record->head.t_ns = n;
	record->head.type = (uint16_t)(WIRE_ALLOC + n % WIRE_VFREE);
	record->head.nr_frames = (uint8_t)(n % (VMT_MAX_FRAMES + 1));
	len = (uint32_t)wire_record_len(record, sizeof(*record));
	assert_in_range(len, sizeof(struct wire_head), sizeof(*record));
	return len;
}

static bool send(struct fixture *f)
{
	union record record;
	uint32_t len = make(&record, f->sent);

	if (!mock_output(&f->mock, &record, len))
		return false;
	f->sent++;
	return true;
}

static int take(void *context, const void *bytes, uint32_t len)
{
	struct fixture *f = context;
	union record expected;

	if (f->taken == f->refuse_at)
		return -ENOBUFS;
	assert_int_equal((uintptr_t)bytes % 8, 0);
	assert_int_equal(len, make(&expected, f->taken));
	assert_memory_equal(bytes, &expected, len);
	f->taken++;
	return 0;
}

static int drain(struct fixture *f)
{
	return perfring_drain(&f->ring, take, f);
}

static void empty(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(drain(f), 0);
	assert_int_equal(f->taken, 0);
}

/* Trimmed, whole where the buffer's end splits them, and over 4 GiB. */
static void in_order(void **state)
{
	struct fixture *f = *state;

	for (uint32_t round = 0; round < 500; round++) {
		for (uint32_t i = 0; i < 1 + round % 30; i++)
			assert_true(send(f));
		assert_int_equal(drain(f), 0);
		assert_int_equal(f->taken, f->sent);
		assert_int_equal(mock_waiting(&f->mock), 0);
	}
	assert_int_equal(f->ring.received, f->sent);
	assert_true(f->mock.head < FIRST); /* it did wrap */
	assert_int_equal(f->mock.page->data_tail >> 32, 0);
}

/* To the position 0 exactly, and over it. */
static void at_4g(void **state)
{
	struct fixture *f = *state;
	uint64_t body[(256 - 8) / 8] = { 0 };

	assert_true(mock_event(&f->mock, 99, body, sizeof(body)));
	assert_int_equal(f->mock.head, 0);
	assert_int_equal(drain(f), 0);
	assert_int_equal(mock_waiting(&f->mock), 0);
	assert_true(send(f));
	assert_int_equal(drain(f), 0);
	assert_int_equal(f->taken, 1);
}

/* A full buffer, and the kernel's word of what it refused: skipped. */
static void full(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++) {
		while (send(f))
			;
		assert_true(f->mock.lost > 0);
		assert_int_equal(drain(f), 0);
		assert_int_equal(f->taken, f->sent);
		assert_true(send(f));
		assert_int_equal(f->mock.lost, 0);
	}
	assert_int_equal(drain(f), 0);
	assert_int_equal(f->taken, f->sent);
}

/* A record that is refused stays, and comes first next time. */
static void refused_stays(void **state)
{
	struct fixture *f = *state;
	uint32_t waiting;

	for (int i = 0; i < 3; i++)
		assert_true(send(f));
	f->refuse_at = 1;
	assert_int_equal(drain(f), -ENOBUFS);
	waiting = mock_waiting(&f->mock);
	assert_int_equal(drain(f), -ENOBUFS);
	assert_int_equal(mock_waiting(&f->mock), waiting);
	assert_int_equal(f->ring.received, 1);
	f->refuse_at = UINT32_MAX;
	assert_int_equal(drain(f), 0);
	assert_int_equal(f->taken, 3);
}

/* What another program put into the map, and what a later kernel may add. */
static void foreign(void **state)
{
	struct fixture *f = *state;
	static const uint8_t bytes[5000];

	assert_true(send(f));
	assert_true(mock_output(&f->mock, bytes, 5000)); /* of no type */
	assert_true(mock_output(&f->mock, bytes, 1));
	assert_true(mock_event(&f->mock, PERF_RECORD_THROTTLE, bytes, 24));
	assert_true(mock_event(&f->mock, 4711, bytes, 0));
	assert_true(send(f));
	assert_int_equal(drain(f), 0);
	assert_int_equal(f->taken, 2);
	assert_int_equal(f->ring.received, 2);
}

static void put_header(struct fixture *f, uint32_t type, uint16_t size)
{
	struct perf_event_header header = { .type = type, .size = size };
	uint32_t len[2] = { 48, 0 };

	mock_put(&f->mock, &header, sizeof(header));
	mock_put(&f->mock, len, sizeof(len));
	mock_publish(&f->mock);
}

/* Lengths that cannot be, of an event and of what is in a sample. */
static void impossible(void **state)
{
	static const struct {
		uint32_t type;
		uint16_t size;
	} events[] = {
		{ PERF_RECORD_LOST, 0 },    { PERF_RECORD_LOST, 4 },
		{ PERF_RECORD_LOST, 12 },   { PERF_RECORD_LOST, 24 },
		{ PERF_RECORD_SAMPLE, 7 },  { PERF_RECORD_SAMPLE, 8 },
		{ PERF_RECORD_SAMPLE, 16 }, { PERF_RECORD_SAMPLE, 65528 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		f->mock.page->data_tail = f->mock.head;
		put_header(f, events[i].type, events[i].size);
		assert_int_equal(drain(f), -EBADMSG);
		assert_int_equal(mock_waiting(&f->mock), 16);
	}
	assert_int_equal(f->taken, 0);
}

/* More waits than there is room for. */
static void impossible_head(void **state)
{
	struct fixture *f = *state;

	f->mock.head += SIZE + 8;
	mock_publish(&f->mock);
	assert_int_equal(drain(f), -EBADMSG);
	f->mock.head = FIRST - 8;
	mock_publish(&f->mock);
	assert_int_equal(drain(f), -EBADMSG);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(empty),
		TEST(in_order),
		TEST(at_4g),
		TEST(full),
		TEST(refused_stays),
		TEST(foreign),
		TEST(impossible),
		TEST(impossible_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
