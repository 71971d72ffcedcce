// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stdbool.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/pump.h"
#include "capture/ring.h"

#define BUSY	(1u << 31)
#define DISCARD (1u << 30)
#define SIZE	16384u
#define FIRST	0xffffff00u /* positions start here: they wrap past 4 GiB within 256 bytes */

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/*
 * A ring as kernel/bpf/ringbuf.c has it: a page with the consumer's position, one with the
 * producer's, then the data, mapped twice in a row.
 */
struct fixture {
	struct ring ring;
	uint8_t *base;
	uint32_t *producer;
	uint8_t *data;
	size_t page;
	uint32_t next;	/* number of the next record to be written */
	uint32_t taken; /* number of the next one to be read */
	uint32_t taken_bytes;
	uint32_t refuse_at; /* the consumer refuses the record of this number */
	uint32_t endless;   /* every record taken is replaced by a new one */
};

/* Bytes of records, finished or not, that wait. */
static uint32_t ring_waiting(const struct ring *ring)
{
	return ring_produced(ring) - ring_consumed(ring);
}

static int map_data_twice(struct fixture *f, int fd)
{
	size_t head = 2 * f->page;
	void *second = f->base + head + SIZE;

	if (mmap(f->base, head + SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) ==
	    MAP_FAILED)
		return -1;
	return mmap(second, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		    (off_t)head) == MAP_FAILED
		       ? -1
		       : 0;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int fd = memfd_create("ring", MFD_CLOEXEC), err;

	if (!f || fd < 0)
		return -1;
	*state = f;
	f->page = (size_t)sysconf(_SC_PAGESIZE);
	f->refuse_at = UINT32_MAX;
	f->base = mmap(NULL, 2 * f->page + 2 * SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (f->base == MAP_FAILED || ftruncate(fd, (off_t)(2 * f->page + SIZE)))
		return -1;
	err = map_data_twice(f, fd);
	close(fd);
	f->producer = (uint32_t *)(f->base + f->page);
	f->data = f->base + 2 * f->page;
	f->ring = (struct ring){.consumer = (uint32_t *)f->base,
				.producer = f->producer,
				.data = f->data,
				.size = SIZE};
	*f->ring.consumer = *f->producer = FIRST;
	return err;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	munmap(f->base, 2 * f->page + 2 * SIZE);
	free(f);
	return 0;
}

/* The content of record number n. */
static uint8_t pattern(uint32_t n, uint32_t at)
{
	return (uint8_t)(n * 7 + at);
}

/* As __bpf_ringbuf_reserve: a busy record of len bytes, NULL if the ring is full. */
static uint32_t *reserve(struct fixture *f, uint32_t len)
{
	uint32_t pos = *f->producer, whole = (len + 8 + 7) & ~7u;
	uint32_t *header = (uint32_t *)(f->data + (pos & (SIZE - 1)));

	if (pos + whole - __atomic_load_n(f->ring.consumer, __ATOMIC_ACQUIRE) > SIZE - 1)
		return NULL;
	header[0] = len | BUSY;
	header[1] = (uint32_t)((uint8_t *)header - f->base) / (uint32_t)f->page; /* pgoff */
	__atomic_store_n(f->producer, pos + whole, __ATOMIC_RELEASE);
	for (uint32_t i = 0; i < len; i++)
		((uint8_t *)(header + 2))[i] = pattern(f->next, i);
	f->next++;
	return header;
}

/* As bpf_ringbuf_commit. */
static void commit(uint32_t *header, uint32_t flags)
{
	__atomic_store_n(header, (*header ^ BUSY) | flags, __ATOMIC_RELEASE);
}

static bool produce(struct fixture *f, uint32_t len)
{
	uint32_t *header = reserve(f, len);

	if (header)
		commit(header, 0);
	return header;
}

/* Checks that the records come in order, with their content. */
static void check(struct fixture *f, const uint8_t *record, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		assert_int_equal(record[i], pattern(f->taken, i));
	assert_int_equal((uintptr_t)record % 8, 0);
	f->taken++;
	f->taken_bytes += len;
	if (f->endless) {
		*f->ring.consumer += (len + 15) & ~7u; /* its place, for the new one */
		assert_true(produce(f, len));
		*f->ring.consumer -= (len + 15) & ~7u;
	}
}

static uint32_t nr_records(const uint8_t *run, uint32_t len)
{
	uint32_t count = 0, record_len;

	for (uint32_t at = 0; at < len; at += channel_room(record_len), count++)
		memcpy(&record_len, run + at, sizeof(record_len));
	return count;
}

static int take(void *context, const void *run, uint32_t len)
{
	struct fixture *f = context;
	const uint8_t *bytes = run;
	uint32_t at = 0;

	if (f->taken <= f->refuse_at && f->refuse_at - f->taken < nr_records(run, len))
		return -ENOBUFS;
	while (at < len) {
		uint32_t record_len;

		memcpy(&record_len, bytes + at, sizeof(record_len));
		check(f, bytes + at + CHANNEL_HEADER, record_len);
		at += channel_room(record_len);
	}
	assert_int_equal(at, len);
	return 0;
}

static int drain(struct fixture *f)
{
	return ring_drain(&f->ring, take, f);
}

/* ---- ring --------------------------------------------------------------------------- */

static void empty(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(drain(f), 0);
	assert_int_equal(ring_waiting(&f->ring), 0);
}

/* Records of any length, while the positions wrap past 4 GiB and the data at the ring's end. */
static void records_in_order(void **state)
{
	struct fixture *f = *state;
	uint32_t bytes = 0, produced;

	for (uint32_t round = 0; round < 300; round++) {
		produced = 0;
		for (uint32_t i = 0; i < 5; i++) {
			uint32_t len = (round * 131 + i * 17) % 1500;

			assert_true(produce(f, len));
			bytes += len;
			produced += (len + 15) & ~7u;
		}
		assert_int_equal(ring_waiting(&f->ring), produced);
		assert_int_equal(drain(f), produced);
		assert_int_equal(ring_waiting(&f->ring), 0);
	}
	assert_int_equal(f->taken, 1500);
	assert_int_equal(f->taken_bytes, bytes);
	assert_true(*f->producer < FIRST); /* it did wrap */
}

/* The wrap alone: a record that begins below 4 GiB and ends above. */
static void over_4g(void **state)
{
	struct fixture *f = *state;

	assert_true(produce(f, 240)); /* to 0xfffffff8 */
	assert_true(produce(f, 16));
	assert_int_equal(*f->producer, 0x10);
	assert_int_equal(ring_waiting(&f->ring), 272);
	assert_int_equal(drain(f), 272);
	assert_int_equal(*f->ring.consumer, 0x10);
	assert_int_equal(f->taken, 2);
}

/* Exactly to the position 0, so that a comparison of positions would stall. */
static void to_position_zero(void **state)
{
	struct fixture *f = *state;

	assert_true(produce(f, 248));
	assert_int_equal(*f->producer, 0);
	assert_int_equal(drain(f), 256);
	assert_int_equal(drain(f), 0);
	assert_true(produce(f, 8));
	assert_int_equal(drain(f), 16);
}

/* A ring filled to the last byte that the kernel allows, and the longest record. */
static void full(void **state)
{
	struct fixture *f = *state;

	while (produce(f, 120))
		;
	assert_int_equal(f->next, SIZE / 128 - 1);
	assert_int_equal(drain(f), SIZE - 128);
	assert_int_equal(f->taken, f->next);
	assert_true(produce(f, SIZE - 16));
	assert_int_equal(drain(f), SIZE - 8);
}

/* A busy record holds back all behind it until it is committed. */
static void busy_stops(void **state)
{
	struct fixture *f = *state;
	uint32_t *header;

	assert_true(produce(f, 8));
	header = reserve(f, 24);
	assert_true(produce(f, 8));
	assert_int_equal(drain(f), 16);
	assert_int_equal(drain(f), 0);
	assert_int_equal(f->taken, 1);
	assert_int_equal(ring_waiting(&f->ring), 48);
	commit(header, 0);
	assert_int_equal(drain(f), 48);
	assert_int_equal(f->taken, 3);
}

/* A discarded record is given back and never seen. */
static void discard_is_skipped(void **state)
{
	struct fixture *f = *state;

	assert_true(produce(f, 8));
	commit(reserve(f, 40), DISCARD);
	f->next--;
	assert_true(produce(f, 8));
	assert_int_equal(drain(f), 16 + 48 + 16);
	assert_int_equal(f->taken, 2);
	commit(reserve(f, 40), DISCARD);
	assert_int_equal(drain(f), 48);
}

/* A run that the consumer refuses stays, and comes first next time. What ends a run begins the next one:
 * what was before it is not handed over again. */
static void refused_stays(void **state)
{
	struct fixture *f = *state;

	assert_true(produce(f, 8));
	commit(reserve(f, 40), DISCARD);
	f->next--;
	for (int i = 0; i < 2; i++)
		assert_true(produce(f, 8));
	f->refuse_at = 2;
	assert_int_equal(drain(f), 16 + 48);
	assert_int_equal(drain(f), 0);
	assert_int_equal(ring_waiting(&f->ring), 32);
	f->refuse_at = UINT32_MAX;
	assert_int_equal(drain(f), 32);
	assert_int_equal(f->taken, 3);
}

/* More than a ring holds cannot wait in it. */
static void beyond_the_ring(void **state)
{
	struct fixture *f = *state;

	*f->producer += SIZE + 8;
	f->refuse_at = 0;
	assert_int_equal(drain(f), -EBADMSG);
	assert_int_equal(ring_waiting(&f->ring), SIZE + 8);
}

/* A length that no ring can hold: an error, and the record is not taken. */
static void impossible_length(void **state)
{
	static const uint32_t lens[] = {SIZE, SIZE - 7, 0x3fffffff};
	struct fixture *f = *state;
	uint32_t *header;

	assert_true(produce(f, 8));
	header = reserve(f, 8);
	for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
		uint32_t before = f->taken;

		*header = lens[i];
		assert_int_equal(drain(f), -EBADMSG);
		assert_true(f->taken == 1 || f->taken == before);
		*header = lens[i] | DISCARD;
		assert_int_equal(drain(f), -EBADMSG);
	}
	assert_int_equal(ring_waiting(&f->ring), 16);
	assert_int_equal(f->taken, 1);
}

/* A length beyond what the producer has published cannot be either: the kernel moves its position
 * before it lets go of the record. */
static void length_beyond_the_producer(void **state)
{
	struct fixture *f = *state;
	uint32_t *header = reserve(f, 8);

	*header = 16;
	f->refuse_at = 0; /* it must not even be offered */
	assert_int_equal(drain(f), -EBADMSG);
	*header = 16 | DISCARD;
	assert_int_equal(drain(f), -EBADMSG);
	assert_int_equal(ring_waiting(&f->ring), 16);
}

/* A producer that is as fast as the consumer does not keep it for ever. */
static void endless_producer(void **state)
{
	struct fixture *f = *state;

	assert_true(produce(f, 120));
	f->endless = 1;
	assert_int_equal(drain(f), 4 * SIZE);
	f->endless = 0;
	assert_int_equal(drain(f), 128);
}

/* ring_map finds the three parts of the map where the kernel has them. */
static void map_and_unmap(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = memfd_create("map", MFD_CLOEXEC);
	uint32_t position = FIRST, header[3] = {4, 2, 0x12345678};
	struct ring ring;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)(2 * page + 2 * SIZE)), 0);
	assert_int_equal(ring_map(&ring, fd, SIZE), 0);
	assert_int_equal(pwrite(fd, &position, 4, 0), 4);
	assert_int_equal(pwrite(fd, header, 12, (off_t)(2 * page + (FIRST & (SIZE - 1)))), 12);
	position += 16;
	assert_int_equal(pwrite(fd, &position, 4, (off_t)page), 4);
	assert_int_equal(ring_waiting(&ring), 16);
	assert_memory_equal(ring.data + (FIRST & (SIZE - 1)), header, 12);
	*ring.consumer = 77;
	assert_int_equal(pread(fd, &position, 4, 0), 4);
	assert_int_equal(position, 77);
	ring_unmap(&ring);
	assert_null(ring.data);
	ring_unmap(&ring);
	close(fd);
	assert_int_equal(ring_map(&ring, -1, SIZE), -EBADF);
	assert_null(ring.consumer_map);
}

/* ---- pump: an eventfd stands in for the ring's own wake-ups ------------------------- */

static struct pump *start_pump(struct fixture *f, int *wake_fd)
{
	struct pump *pump = NULL;

	*wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	assert_true(*wake_fd >= 0);
	assert_int_equal(pump_start(&pump, ring_channel(&f->ring, *wake_fd)), 0);
	return pump;
}

static void stop_pump(struct pump *pump, int wake_fd)
{
	pump_stop(pump);
	close(wake_fd);
}

/* Takes what is queued through take(), which checks it. Returns the length of the batch. */
static size_t take_queued(struct fixture *f, struct pump *pump)
{
	const uint8_t *bytes;
	size_t len = pump_take(pump, &bytes);

	assert_int_equal(take(f, bytes, (uint32_t)len), 0);
	return len;
}

/* Many rings full arrive in order and complete, taken while more come. */
static void pump_in_order(void **state)
{
	struct fixture *f = *state;
	int wake_fd;
	struct pump *pump = start_pump(f, &wake_fd);
	uint64_t one = 1;

	while (f->next < 20000) {
		if (produce(f, 48 + f->next % 100))
			continue;
		assert_int_equal(write(wake_fd, &one, sizeof(one)), sizeof(one));
		assert_true(pump_wait(pump, 5000));
		take_queued(f, pump);
	}
	assert_int_equal(pump_flush(pump, pump_mark(pump), 5000), 0);
	take_queued(f, pump);
	assert_int_equal(f->taken, 20000);
	stop_pump(pump, wake_fd);
}

/* Flush: all that was in the ring is queued, and the reader is told; taken, nothing is left. */
static void pump_flushes(void **state)
{
	struct fixture *f = *state;
	int wake_fd;
	struct pump *pump = start_pump(f, &wake_fd);

	for (uint32_t i = 1; i <= 50; i++) {
		assert_true(produce(f, i));
		assert_int_equal(pump_flush(pump, pump_mark(pump), 5000), 0);
		assert_int_equal(ring_waiting(&f->ring), 0);
		assert_true(pump_wait(pump, 0));
		assert_int_equal(take_queued(f, pump), (i + 15) & ~7u);
		assert_int_equal(f->taken, i);
		assert_false(pump_wait(pump, 0));
		assert_int_equal(take_queued(f, pump), 0);
	}
	assert_int_equal(pump_flush(pump, pump_mark(pump), 5000), 0);
	stop_pump(pump, wake_fd);
}

/* What comes after the mark is not waited for; what lies before it is. */
static void pump_flushes_to_a_mark(void **state)
{
	struct fixture *f = *state;
	int wake_fd;
	struct pump *pump = start_pump(f, &wake_fd);
	uint32_t *header;
	uint64_t mark;

	assert_true(produce(f, 8));
	mark = pump_mark(pump);
	header = reserve(f, 24);
	assert_int_equal(pump_flush(pump, mark, 5000), 0);
	assert_int_equal(pump_flush(pump, pump_mark(pump), 20), -ETIMEDOUT);
	take_queued(f, pump);
	assert_int_equal(f->taken, 1);
	commit(header, 0);
	assert_int_equal(pump_flush(pump, pump_mark(pump), 5000), 0);
	take_queued(f, pump);
	assert_int_equal(f->taken, 2);
	stop_pump(pump, wake_fd);
}

/* A record below the wake-up level is not left to lie: no wake-up, and still it comes. */
static void pump_without_wakeup(void **state)
{
	struct fixture *f = *state;
	int wake_fd;
	struct pump *pump = start_pump(f, &wake_fd);

	assert_true(produce(f, 8));
	assert_true(pump_wait(pump, 5000));
	take_queued(f, pump);
	assert_int_equal(f->taken, 1);
	stop_pump(pump, wake_fd);
}

/* A full queue leaves the records in the ring; once taken, they follow in order. */
static void pump_queue_limit(void **state)
{
	struct fixture *f = *state;
	int wake_fd;
	struct pump *pump = start_pump(f, &wake_fd);
	uint32_t rounds = 0, waiting;
	size_t queued;

	do {
		while (produce(f, 4000))
			;
	} while (pump_flush(pump, pump_mark(pump), 200) == 0 && rounds++ < 2 * PUMP_QUEUE_MAX / SIZE);
	while (produce(f, 4000))
		;
	waiting = ring_waiting(&f->ring);
	assert_int_equal(waiting, SIZE / 4008 * 4008);
	assert_int_equal(pump_flush(pump, pump_mark(pump), 200), -ETIMEDOUT);
	assert_int_equal(ring_waiting(&f->ring), waiting);
	queued = take_queued(f, pump);
	assert_true(queued <= PUMP_QUEUE_MAX && queued > PUMP_QUEUE_MAX - SIZE);
	assert_int_equal(f->taken, queued / 4008);
	assert_int_equal(pump_flush(pump, pump_mark(pump), 5000), 0);
	assert_int_equal(ring_waiting(&f->ring), 0);
	take_queued(f, pump);
	assert_int_equal(f->taken, f->next);
	stop_pump(pump, wake_fd);
}

static void produce_some(struct fixture *f, uint32_t first)
{
	f->next = first;
	for (uint32_t i = 0; i < 10; i++)
		assert_true(produce(f, 40 + i));
}

/* Waits until the pump has taken all of the ring. */
static void until_drained(const struct ring *ring, struct pump *pump, int wake_fd)
{
	uint64_t one = 1;

	for (int i = 0; i < 500 && ring_waiting(ring); i++) {
		assert_int_equal(write(wake_fd, &one, sizeof(one)), sizeof(one));
		assert_true(pump_wait(pump, 0) || !usleep(10000));
	}
	assert_int_equal(ring_waiting(ring), 0);
}

/* Another ring takes over: what came through it early follows all that the first one still had. */
static void pump_switches(void **state)
{
	struct fixture *f = *state, *g;
	void *second;
	int wake_fd, next_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	struct pump *pump = start_pump(f, &wake_fd);

	assert_int_equal(setup(&second), 0);
	g = second;
	produce_some(f, 0);
	assert_int_equal(pump_add_next(pump, ring_channel(&g->ring, next_fd)), 0);
	produce_some(g, 20);
	until_drained(&g->ring, pump, wake_fd);
	produce_some(f, 10);
	assert_int_equal(pump_switch(pump), 0);
	take_queued(f, pump);
	assert_int_equal(f->taken, 30);
	produce_some(f, 900); /* nobody looks there any more */
	produce_some(g, 30);
	assert_int_equal(pump_flush(pump, pump_mark(pump), 5000), 0);
	take_queued(f, pump);
	assert_int_equal(f->taken, 40);
	stop_pump(pump, wake_fd);
	close(next_fd);
	teardown(&second);
}

/* A record that is being written when the other ring takes over is waited for. */
static void pump_switch_waits(void **state)
{
	struct fixture *f = *state, *g;
	void *second;
	int wake_fd, next_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	struct pump *pump = start_pump(f, &wake_fd);
	uint32_t *header;

	assert_int_equal(setup(&second), 0);
	g = second;
	header = reserve(f, 16);
	assert_int_equal(pump_add_next(pump, ring_channel(&g->ring, next_fd)), 0);
	g->next = 1;
	assert_true(produce(g, 24));
	assert_int_equal(pump_switch(pump), -EAGAIN);
	commit(header, 0);
	assert_int_equal(pump_switch(pump), 0);
	take_queued(f, pump);
	assert_int_equal(pump_flush(pump, pump_mark(pump), 5000), 0);
	take_queued(f, pump);
	assert_int_equal(f->taken, 2);
	stop_pump(pump, wake_fd);
	close(next_fd);
	teardown(&second);
}

/* A corrupt ring ends the pump, and every flush says so; what came before it is queued. */
static void pump_of_a_corrupt_ring(void **state)
{
	struct fixture *f = *state;
	uint32_t *header;
	int wake_fd;
	struct pump *pump;

	assert_true(produce(f, 8));
	header = reserve(f, 8);
	pump = start_pump(f, &wake_fd);
	*header = SIZE;
	assert_int_equal(pump_flush(pump, pump_mark(pump), 5000), -EBADMSG);
	assert_int_equal(pump_flush(pump, pump_mark(pump), 5000), -EBADMSG);
	take_queued(f, pump);
	assert_int_equal(f->taken, 1);
	stop_pump(pump, wake_fd);
}

/* An fd that cannot be watched is an error; no pump is no pump. */
static void pump_that_cannot_start(void **state)
{
	struct fixture *f = *state;
	struct pump *pump = NULL;

	assert_int_equal(pump_start(&pump, ring_channel(&f->ring, -1)), -EBADF);
	assert_null(pump);
	pump_stop(NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(empty),
		TEST(records_in_order),
		TEST(over_4g),
		TEST(to_position_zero),
		TEST(full),
		TEST(busy_stops),
		TEST(discard_is_skipped),
		TEST(refused_stays),
		TEST(beyond_the_ring),
		TEST(impossible_length),
		TEST(length_beyond_the_producer),
		TEST(endless_producer),
		cmocka_unit_test(map_and_unmap),
		TEST(pump_in_order),
		TEST(pump_flushes),
		TEST(pump_flushes_to_a_mark),
		TEST(pump_without_wakeup),
		TEST(pump_queue_limit),
		TEST(pump_switches),
		TEST(pump_switch_waits),
		TEST(pump_of_a_corrupt_ring),
		TEST(pump_that_cannot_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
