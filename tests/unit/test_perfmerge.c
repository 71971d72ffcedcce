// SPDX-License-Identifier: GPL-2.0-only
/* The perf buffers of several CPUs; threads stand in for the CPUs where that matters. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/counters.h"
#include "capture/perfmerge.h"
#include "capture/pump.h"
#include "clock.h"
#include "perf_buffer.h"

#define NR_CPUS 3
#define SIZE    65536u
#define FIRST   0xfffff000u

/* One CPU with its programs. Only its own thread, or the test's, writes here. */
struct cpu {
	struct perf_buffer_mock buffer;
	volatile struct wire_stats *stats;
	uint32_t index;
	uint32_t sent;
	bool silent; /* as before 5.1: a full buffer is not told to the program */
};

struct fixture {
	int stats_fd;
	struct wire_cpu *stats;
	struct cpu cpus[NR_CPUS];
	struct counters *counters;
	struct perfmerge *merge;
	struct channel *channel;
	uint32_t taken[NR_CPUS]; /* the next number */
	uint32_t nr_taken;
	uint64_t last_t_ns;
	uint32_t last_cpu;
	bool refuse;
};

static int no_lookup(int map_fd, uint32_t cpu, struct wire_cpu *value)
{
	(void)map_fd;
	(void)cpu;
	(void)value;
	return -ENOSYS;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct perfring rings[NR_CPUS];
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (!f)
		return -1;
	*state = f;
	f->stats_fd = memfd_create("stats", MFD_CLOEXEC);
	if (f->stats_fd < 0 || ftruncate(f->stats_fd, (off_t)page))
		return -1;
	f->stats = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, f->stats_fd, 0);
	if (f->stats == MAP_FAILED)
		return -1;
	for (uint32_t i = 0; i < NR_CPUS; i++) {
		if (!mock_init(&f->cpus[i].buffer, SIZE, FIRST))
			return -1;
		f->cpus[i].stats = &f->stats[i].stats;
		f->cpus[i].index = i;
		perfring_init(&rings[i], f->cpus[i].buffer.page, SIZE);
	}
	if (counters_open(f->stats_fd, NR_CPUS, no_lookup, &f->counters) ||
	    perfmerge_new(rings, NR_CPUS, f->counters, eventfd(0, EFD_CLOEXEC), &f->merge))
		return -1;
	f->channel = perfmerge_channel(f->merge);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close(f->channel->watch_fd);
	perfmerge_free(f->merge);
	counters_free(f->counters);
	for (uint32_t i = 0; i < NR_CPUS; i++)
		mock_free(&f->cpus[i].buffer);
	munmap(f->stats, (size_t)sysconf(_SC_PAGESIZE));
	close(f->stats_fd);
	free(f);
	return 0;
}

/* ---- the BPF side ------------------------------------------------------------------------ */

static void program_begins(struct cpu *cpu)
{
	cpu->stats->busy++;
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

static void program_ends(struct cpu *cpu)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
	cpu->stats->busy++;
}

static void send(struct cpu *cpu, uint64_t t_ns)
{
	struct wire_vfree record = {
		.head = { .t_ns = t_ns, .type = WIRE_VFREE, .pid = cpu->index, .tid = cpu->sent },
	};
	bool ok = mock_output(&cpu->buffer, &record, sizeof(record));

	if (ok)
		cpu->sent++;
	if (ok || cpu->silent)
		cpu->stats->records++;
	else
		cpu->stats->lost_ring++;
}

static uint64_t run_program(struct cpu *cpu)
{
	uint64_t t_ns;

	program_begins(cpu);
	t_ns = clock_now_ns();
	send(cpu, t_ns);
	program_ends(cpu);
	return t_ns;
}

/* ---- the reader -------------------------------------------------------------------------- */

static void check(struct fixture *f, const struct wire_head *head)
{
	assert_true(head->pid < NR_CPUS);
	assert_int_equal(head->tid, f->taken[head->pid]);
	assert_true(head->t_ns >= f->last_t_ns);
	f->taken[head->pid]++;
	f->nr_taken++;
	f->last_t_ns = head->t_ns;
	f->last_cpu = head->pid;
}

static int take(void *context, const void *run, uint32_t len)
{
	const uint32_t *words = run;
	struct fixture *f = context;

	assert_int_equal(words[0], sizeof(struct wire_vfree));
	assert_int_equal(len, CHANNEL_HEADER + sizeof(struct wire_vfree));
	if (f->refuse)
		return -ENOBUFS;
	check(f, (const struct wire_head *)(words + 2));
	return 0;
}

static int drain(struct fixture *f)
{
	return channel_drain(f->channel, take, f);
}

/* Drains until all before now is there: false if that is not so within 2 s. */
static bool drain_until_now(struct fixture *f)
{
	uint64_t mark = channel_mark(f->channel);

	while (!channel_reached(f->channel, mark)) {
		if (clock_now_ns() - mark > 2000000000)
			return false;
		assert_true(drain(f) >= 0);
	}
	return true;
}

/* ---- tests ------------------------------------------------------------------------------- */

static void empty(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(drain(f), 0);
	assert_true(drain_until_now(f));
	perfmerge_free(NULL);
}

/* Out of the order of the buffers, into that of the times. */
static void across_cpus(void **state)
{
	struct fixture *f = *state;

	for (uint32_t i = 0; i < 3000; i++) {
		run_program(&f->cpus[(i * 7 + i / 5) % NR_CPUS]);
		if (i % 100 == 99)
			assert_true(drain_until_now(f));
	}
	assert_int_equal(f->nr_taken, 3000);
	assert_int_equal(counters_missing(f->counters), 0);
}

/* The bytes handed over are what drain returns: the pump goes by that. */
static void returns_bytes(void **state)
{
	struct fixture *f = *state;
	uint64_t t_ns = run_program(&f->cpus[1]);

	while (clock_now_ns() <= t_ns + PERFMERGE_SETTLE_NS)
		usleep(100);
	assert_int_equal(drain(f), 56);
	assert_int_equal(f->nr_taken, 1);
	assert_int_equal(drain(f), 0);
}

/* A program that runs holds back what is later than its own record, which is not there yet. */
static void busy_cpu(void **state)
{
	struct fixture *f = *state;
	uint64_t mark, early_ns;

	run_program(&f->cpus[0]);
	program_begins(&f->cpus[1]);
	early_ns = clock_now_ns();
	usleep(1000);
	for (int i = 0; i < 10; i++)
		run_program(&f->cpus[0]);
	mark = channel_mark(f->channel);
	usleep(1000);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(drain(f), 0);
		assert_false(channel_reached(f->channel, mark));
	}
	assert_int_equal(mock_waiting(&f->cpus[0].buffer), 0); /* held, not left */
	send(&f->cpus[1], early_ns);
	assert_int_equal(drain(f), 0);
	program_ends(&f->cpus[1]);
	assert_true(drain_until_now(f));
	assert_true(channel_reached(f->channel, mark));
	assert_int_equal(f->nr_taken, 12);
	assert_int_equal(f->last_cpu, 0);
}

/* One program ended and the next one runs: also odd, but another value, so that is proof. */
static void busy_again(void **state)
{
	struct fixture *f = *state;

	run_program(&f->cpus[0]);
	program_begins(&f->cpus[2]);
	usleep(1000);
	assert_int_equal(drain(f), 0);
	send(&f->cpus[2], clock_now_ns());
	program_ends(&f->cpus[2]);
	program_begins(&f->cpus[2]);
	assert_int_equal(drain(f), 56); /* proves the time of the drain before */
	program_ends(&f->cpus[2]);
	assert_true(drain_until_now(f));
	assert_int_equal(f->nr_taken, 2);
}

/* busy wraps like every counter. */
static void busy_wraps(void **state)
{
	struct fixture *f = *state;

	f->stats[0].stats.busy = UINT32_MAX - 1;
	program_begins(&f->cpus[0]);
	usleep(1000);
	assert_int_equal(drain(f), 0);
	send(&f->cpus[0], clock_now_ns());
	program_ends(&f->cpus[0]);
	assert_int_equal(f->stats[0].stats.busy, 0);
	assert_true(drain_until_now(f));
	assert_int_equal(f->nr_taken, 1);
}

/* A mark is not reached while something before it waits for the queue. */
static void refused(void **state)
{
	struct fixture *f = *state;
	uint64_t mark;

	run_program(&f->cpus[1]);
	mark = channel_mark(f->channel);
	usleep(1000);
	f->refuse = true;
	assert_int_equal(drain(f), 0);
	assert_false(channel_reached(f->channel, mark));
	f->refuse = false;
	assert_int_equal(drain(f), 56);
	assert_true(channel_reached(f->channel, mark));
}

/* A full queue: nothing is lost or doubled, the hold is bounded, and then the buffers fill. */
static void full_queue(void **state)
{
	struct fixture *f = *state;
	uint32_t sent = 0;

	f->refuse = true;
	while (f->cpus[0].stats->lost_ring == 0) {
		for (int i = 0; i < 2000; i++)
			run_program(&f->cpus[sent++ % NR_CPUS]);
		assert_int_equal(drain(f), 0);
	}
	assert_in_range(sent * 56, PERFMERGE_HOLD_BYTES, PERFMERGE_HOLD_BYTES + 3 * NR_CPUS * SIZE);
	f->refuse = false;
	assert_true(drain_until_now(f));
	for (uint32_t i = 0; i < NR_CPUS; i++)
		assert_int_equal(f->taken[i], f->cpus[i].sent);
	assert_int_equal(counters_missing(f->counters), 0);
}

/* A CPU that is busy while the others fill the hold: bounded, and it gets free by itself. */
static void busy_while_full(void **state)
{
	struct fixture *f = *state;
	uint64_t early_ns;

	program_begins(&f->cpus[1]);
	early_ns = clock_now_ns();
	while (f->cpus[0].stats->lost_ring == 0) {
		for (int i = 0; i < 500; i++)
			run_program(&f->cpus[0]);
		assert_true(drain(f) >= 0);
	}
	assert_in_range(f->cpus[0].sent * 56, PERFMERGE_HOLD_BYTES,
			PERFMERGE_HOLD_BYTES + 2 * SIZE);
	send(&f->cpus[1], early_ns);
	program_ends(&f->cpus[1]);
	assert_true(drain_until_now(f));
	assert_int_equal(f->taken[0], f->cpus[0].sent);
	assert_int_equal(f->taken[1], 1);
}

/* What a full buffer refuses without saying so (before 5.1) is found, once; what it says is not
 * counted again. */
static void missing(void **state)
{
	struct fixture *f = *state;
	uint32_t full, lost;

	for (full = 0; f->cpus[0].stats->lost_ring == 0; full++)
		run_program(&f->cpus[0]);
	assert_true(drain_until_now(f));
	assert_int_equal(counters_missing(f->counters), 0);
	f->cpus[0].silent = f->cpus[1].silent = true;
	for (uint32_t i = 0; i < full + 10; i++)
		run_program(&f->cpus[1]);
	assert_true(drain_until_now(f));
	lost = full + 10 - f->cpus[1].sent;
	assert_in_range(lost, 10, 12);
	assert_int_equal(counters_missing(f->counters), lost);
	for (uint32_t i = 0; i < 10; i++)
		run_program(&f->cpus[i % NR_CPUS]);
	assert_true(drain_until_now(f));
	assert_int_equal(counters_missing(f->counters), lost);
}

/* A buffer with what cannot be. */
static void corrupt(void **state)
{
	struct fixture *f = *state;
	uint64_t zero = 0;

	mock_put(&f->cpus[1].buffer, &zero, sizeof(zero));
	mock_publish(&f->cpus[1].buffer);
	assert_int_equal(drain(f), -EBADMSG);
	assert_int_equal(drain(f), -EBADMSG);
}

/* ---- threads as CPUs --------------------------------------------------------------------- */

#define PROGRAMS 60000u

static void *cpu_main(void *arg)
{
	struct cpu *cpu = arg;
	uint32_t seed = cpu->index + 1;

	while (cpu->sent < PROGRAMS) {
		uint64_t t_ns;

		program_begins(cpu);
		t_ns = clock_now_ns();
		seed = seed * 1664525 + 1013904223;
		for (volatile uint32_t i = 0; i < seed >> 24; i++)
			;
		if (seed >> 20 == 0)
			usleep(300); /* a virtual CPU that does not run */
		send(cpu, t_ns);
		program_ends(cpu);
		if (mock_waiting(&cpu->buffer) > SIZE / 2)
			usleep(50);
	}
	return NULL;
}

static void start_cpus(struct fixture *f, pthread_t *threads)
{
	for (uint32_t i = 0; i < NR_CPUS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, cpu_main, &f->cpus[i]), 0);
}

static void join_cpus(pthread_t *threads)
{
	for (uint32_t i = 0; i < NR_CPUS; i++)
		pthread_join(threads[i], NULL);
}

/* Nothing ever comes out before something that is earlier, whatever the CPUs are doing. */
static void exact_order(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[NR_CPUS];

	start_cpus(f, threads);
	while (f->nr_taken < NR_CPUS * PROGRAMS)
		assert_true(drain(f) >= 0);
	join_cpus(threads);
	assert_int_equal(counters_missing(f->counters), 0);
}

/* The same through the pump, as capture uses it: woken by time alone, and by flushes. */
static void through_the_pump(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[NR_CPUS];
	struct pump *pump = NULL;
	const uint8_t *bytes;

	assert_int_equal(pump_start(&pump, f->channel), 0);
	start_cpus(f, threads);
	while (f->nr_taken < NR_CPUS * PROGRAMS) {
		size_t len;

		assert_int_equal(pump_flush(pump, pump_mark(pump), 5000), 0);
		len = pump_take(pump, &bytes);
		for (size_t at = 0; at < len; at += 8 + sizeof(struct wire_vfree))
			check(f, (const struct wire_head *)(bytes + at + 8));
	}
	join_cpus(threads);
	pump_stop(pump);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(empty),
		TEST(across_cpus),
		TEST(returns_bytes),
		TEST(busy_cpu),
		TEST(busy_again),
		TEST(busy_wraps),
		TEST(refused),
		TEST(full_queue),
		TEST(busy_while_full),
		TEST(missing),
		TEST(corrupt),
		TEST(exact_order),
		TEST(through_the_pump),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
