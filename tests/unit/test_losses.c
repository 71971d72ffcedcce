// SPDX-License-Identifier: GPL-2.0-only
/* capture/counters and capture/losses: the same checks on a mapped array and on looked-up ones. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/counters.h"
#include "capture/losses.h"

#define NR_CPUS    3
#define MAX_EVENTS 16
#define NOT_MAPPED (-1) /* an fd that mmap refuses, so that there are look-ups */

/* What the BPF side writes. */
static struct wire_cpu *array;
static int lookups_fail; /* -errno that every look-up ends with */

struct fixture {
	int map_fd;
	struct counters *counters;
	struct losses *losses;
	struct event events[MAX_EVENTS];
	uint32_t nr_events;
};

static int lookup(int map_fd, uint32_t cpu, struct wire_cpu *value)
{
	assert_int_equal(map_fd, NOT_MAPPED);
	assert_true(cpu < NR_CPUS);
	if (lookups_fail)
		return lookups_fail;
	*value = array[cpu];
	return 0;
}

static int collect(void *context, const struct event *event)
{
	struct fixture *f = context;

	assert_true(f->nr_events < MAX_EVENTS);
	f->events[f->nr_events++] = *event;
	return 0;
}

static int start(void **state, bool mapped)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	*state = f;
	f->map_fd = memfd_create("stats", MFD_CLOEXEC);
	if (f->map_fd < 0 || ftruncate(f->map_fd, sysconf(_SC_PAGESIZE)))
		return -1;
	array = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
		     f->map_fd, 0);
	if (array == MAP_FAILED)
		return -1;
	lookups_fail = 0;
	if (counters_open(mapped ? f->map_fd : NOT_MAPPED, NR_CPUS, lookup, &f->counters))
		return -1;
	return losses_new(f->counters, &f->losses);
}

static int setup_mapped(void **state)
{
	return start(state, true);
}

static int setup_looked_up(void **state)
{
	return start(state, false);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	losses_free(f->losses);
	counters_free(f->counters);
	munmap(array, (size_t)sysconf(_SC_PAGESIZE));
	close(f->map_fd);
	free(f);
	return 0;
}

/* The table of calls in progress: how many began before any time that is asked about. */
static uint32_t in_table = UINT32_MAX;

static uint32_t count_table(void *context, uint64_t before_ns)
{
	assert_null(context);
	assert_int_not_equal(before_ns, 0);
	return in_table;
}

static int64_t report(struct fixture *f, uint64_t t_ns)
{
	struct sink sink = { .event = collect, .context = f };

	f->nr_events = 0;
	return losses_report(f->losses, t_ns, &sink);
}

static void expect(const struct event *event, uint8_t cause, uint32_t cpu, uint32_t count)
{
	assert_int_equal(event->type, EV_LOST);
	assert_int_equal(event->state, cause);
	assert_int_equal(event->cpu, cpu);
	assert_int_equal(event->count, count);
}

static void nothing_lost(void **state)
{
	struct fixture *f = *state;

	array[1].stats.records = 5;
	assert_int_equal(report(f, 10), 0);
	assert_int_equal(f->nr_events, 0);
	assert_int_equal(losses_total(f->losses).records, 5);
}

/* Each loss is told once, with its CPU; one that leaves the map right does not count as hurting. */
static void each_cause(void **state)
{
	struct fixture *f = *state;

	array[0].stats.lost_ring = 3;
	array[2].stats.stack_cut = 2;
	array[2].stats.stack_failed = 4;
	array[2].stats.read_failed = 1;
	assert_int_equal(report(f, 10), 4);
	assert_int_equal(f->nr_events, 4);
	expect(&f->events[0], LOST_RING, 0, 3);
	expect(&f->events[1], LOST_STACK, 2, 2);
	expect(&f->events[2], LOST_STACK, 2, 4);
	expect(&f->events[3], LOST_READ, 2, 1);
	assert_int_equal(report(f, 11), 0);
	assert_int_equal(f->nr_events, 0);
	assert_int_equal(losses_total(f->losses).lost[LOST_STACK], 6);
}

/* Counters of 32 bits wrap; the sums do not. */
static void counters_wrap(void **state)
{
	struct fixture *f = *state;

	array[0].stats.lost_ring = array[0].stats.records = 0xfffffff0;
	assert_int_equal(report(f, 10), 0xfffffff0);
	assert_int_equal(losses_total(f->losses).records, 0xfffffff0);
	array[0].stats.lost_ring = array[0].stats.records = 0x10;
	assert_int_equal(report(f, 11), 0x20);
	expect(&f->events[0], LOST_RING, 0, 0x20);
	assert_int_equal(losses_total(f->losses).records, 0x100000010);
	assert_int_equal(losses_total(f->losses).lost[LOST_RING], 0x100000010);
}

/* What was counted as sent and did not arrive is a loss, and no record. */
static void missing(void **state)
{
	struct fixture *f = *state;

	array[0].stats.records = 100;
	counters_add_missing(f->counters, 7);
	assert_int_equal(report(f, 10), 7);
	assert_int_equal(f->nr_events, 1);
	expect(&f->events[0], LOST_RING, UINT32_MAX, 7);
	assert_int_equal(report(f, 11), 0);
	counters_add_missing(f->counters, 1);
	assert_int_equal(report(f, 12), 1);
	assert_int_equal(losses_total(f->losses).records, 92);
	assert_int_equal(losses_total(f->losses).lost[LOST_RING], 8);
}

/* Entries that never return: told when the floor has held for the window. */
static void unmatched(void **state)
{
	struct fixture *f = *state;
	struct sink sink = { .event = collect, .context = f };
	uint32_t stale;

	array[0].stats.entries = 10;
	array[1].stats.returns = 8; /* of a task that moved */
	assert_int_equal(losses_unmatched(f->losses, 1, count_table, NULL, &stale, &sink), 0);
	array[0].stats.entries = 11;
	assert_int_equal(
		losses_unmatched(f->losses, LOSSES_WINDOW_NS, count_table, NULL, &stale, &sink), 0);
	assert_int_equal(
		losses_unmatched(f->losses, LOSSES_WINDOW_NS + 1, count_table, NULL, &stale, &sink),
		2);
	expect(&f->events[0], LOST_UNMATCHED, UINT32_MAX, 2);
}

/* Tasks that allocate all the time: some are always at it, and no call is an old one. */
static void busy_is_not_lost(void **state)
{
	struct fixture *f = *state;
	struct sink sink = { .event = collect, .context = f };
	uint32_t stale;

	in_table = 0;
	array[0].stats.entries = 20;
	assert_int_equal(losses_unmatched(f->losses, 1, count_table, NULL, &stale, &sink), 0);
	array[0].stats.entries = 500;
	array[1].stats.returns = 490;
	assert_int_equal(
		losses_unmatched(f->losses, 1 + LOSSES_WINDOW_NS, count_table, NULL, &stale, &sink),
		0);
	assert_int_equal(stale, 0);
	assert_int_equal(f->nr_events, 0);
	/* Two of them never return: once told. */
	in_table = 2;
	assert_int_equal(losses_unmatched(f->losses, 1 + 2 * LOSSES_WINDOW_NS, count_table, NULL,
					  &stale, &sink),
			 2);
	assert_int_equal(stale, 2);
	in_table = 0;
	assert_int_equal(losses_unmatched(f->losses, 1 + 3 * LOSSES_WINDOW_NS, count_table, NULL,
					  &stale, &sink),
			 0);
	in_table = UINT32_MAX;
}

/* What the kernel counts as missed is told once, although the entry without its return shows later
 * too: noticed by the BPF side, or by the floor. */
static void missed_is_told_once(void **state)
{
	struct fixture *f = *state;
	struct sink sink = { .event = collect, .context = f };
	uint32_t stale;

	assert_int_equal(losses_missed(f->losses, 1, 5, 2, 4, &sink), 5);
	assert_int_equal(f->nr_events, 2);
	expect(&f->events[0], LOST_MISSED, UINT32_MAX, 5);
	expect(&f->events[1], LOST_DETAIL, UINT32_MAX, 2);
	f->nr_events = 0;
	assert_int_equal(losses_missed(f->losses, 2, 5, 2, 4, &sink), 0);
	assert_int_equal(f->nr_events, 0);

	array[0].stats.entries = 6;
	array[0].stats.unmatched = 1;
	assert_true(losses_has_unmatched(f->losses));
	assert_int_equal(report(f, 3), 0);
	assert_int_equal(f->nr_events, 0);
	assert_false(losses_has_unmatched(f->losses));
	assert_int_equal(losses_unmatched(f->losses, 4, count_table, NULL, &stale, &sink), 0);
	/* Five are left over, three of which the kernel has told. */
	assert_int_equal(
		losses_unmatched(f->losses, 4 + LOSSES_WINDOW_NS, count_table, NULL, &stale, &sink),
		2);
	assert_int_equal(stale, 5);
	assert_int_equal(f->nr_events, 1);
	expect(&f->events[0], LOST_UNMATCHED, UINT32_MAX, 2);
	assert_int_equal(losses_unmatched(f->losses, 4 + 3 * LOSSES_WINDOW_NS, count_table, NULL,
					  &stale, &sink),
			 0);
	assert_int_equal(stale, 0);
}

/* A missed return that never shows as an entry without one (its entry was missed too) must not make
 * up for another that is lost later. */
static void told_does_not_last(void **state)
{
	struct fixture *f = *state;
	struct sink sink = { .event = collect, .context = f };
	uint32_t stale;

	assert_int_equal(losses_unmatched(f->losses, 1, count_table, NULL, &stale, &sink), 0);
	assert_int_equal(losses_missed(f->losses, 2, 2, 0, 1, &sink), 2);
	assert_int_equal(
		losses_unmatched(f->losses, 1 + LOSSES_WINDOW_NS, count_table, NULL, &stale, &sink),
		0);
	assert_int_equal(losses_unmatched(f->losses, 1 + 2 * LOSSES_WINDOW_NS, count_table, NULL,
					  &stale, &sink),
			 0);
	array[0].stats.entries = 1;
	assert_int_equal(losses_unmatched(f->losses, 2 + 2 * LOSSES_WINDOW_NS, count_table, NULL,
					  &stale, &sink),
			 0);
	assert_int_equal(losses_unmatched(f->losses, 1 + 3 * LOSSES_WINDOW_NS, count_table, NULL,
					  &stale, &sink),
			 0);
	assert_int_equal(losses_unmatched(f->losses, 1 + 4 * LOSSES_WINDOW_NS, count_table, NULL,
					  &stale, &sink),
			 1);
	assert_int_equal(stale, 1);
}

/* How far a CPU is, as it is now. */
static void progress(void **state)
{
	struct fixture *f = *state;
	uint32_t busy, records;

	assert_int_equal(counters_cpus(f->counters), NR_CPUS);
	for (uint32_t i = 1; i < 4; i++) {
		array[2].stats.busy = i;
		array[2].stats.records = 10 * i;
		assert_int_equal(counters_progress(f->counters, 2, &busy, &records), 0);
		assert_int_equal(busy, i);
		assert_int_equal(records, 10 * i);
	}
}

/* A look-up that fails loses nothing: the next one has it. */
static void lookup_fails(void **state)
{
	struct fixture *f = *state;
	uint32_t busy, records;

	array[1].stats.lost_ring = 1;
	assert_int_equal(report(f, 10), 1);
	array[1].stats.lost_ring = 3;
	lookups_fail = -ENOMEM;
	assert_int_equal(counters_progress(f->counters, 1, &busy, &records), -ENOMEM);
	assert_int_equal(report(f, 11), 0);
	lookups_fail = 0;
	assert_int_equal(report(f, 12), 2);
}

/* An array that can neither be mapped nor looked up. */
static void no_array(void **state)
{
	struct counters *counters = NULL;

	(void)state;
	lookups_fail = -EPERM;
	assert_int_equal(counters_open(NOT_MAPPED, NR_CPUS, lookup, &counters), -EPERM);
	assert_null(counters);
	counters_free(NULL);
	losses_free(NULL);
}

/* The system call itself, as far as a machine without BPF goes. */
static void no_such_map(void **state)
{
	struct wire_cpu value;

	(void)state;
	assert_true(counters_lookup(-1, 0, &value) < 0);
}

#define BOTH(f)                                                      \
	{ #f ", mapped", f, setup_mapped, teardown, NULL },          \
	{                                                            \
#f ", looked up", f, setup_looked_up, teardown, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(nothing_lost),
		BOTH(each_cause),
		BOTH(counters_wrap),
		BOTH(missing),
		BOTH(unmatched),
		BOTH(busy_is_not_lost),
		BOTH(missed_is_told_once),
		BOTH(told_does_not_last),
		BOTH(progress),
		cmocka_unit_test_setup_teardown(lookup_fails, setup_looked_up, teardown),
		cmocka_unit_test(no_array),
		cmocka_unit_test(no_such_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
