/* SPDX-License-Identifier: GPL-2.0-only */
/* Which size is enough: the search over readings of a recording. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "allocator/sizing.h"

#define PAGE  VMT_PAGE_SIZE
#define MB    (1u << 20)
#define START 0xf77fe000u
#define END   0xfeffe000u
#define T0    1000000000000ull
#define MS    1000000ull

static const struct simulate_options recorded = {
	.start = START, .end = END, .cpus = 2, .kernel = "6.1.0-50-686-pae"};

/* A recording: an area of used_mb, then failures of fail_mb each, alike or not. */
struct recording {
	uint32_t used_mb;
	uint32_t fail_mb;
	uint32_t nr_fails;
	bool alike;
	bool listless; /* no snapshot */
};

static void feed(struct simulate *simulate, const struct recording *recording)
{
	struct event event = {.type = EV_SNAPSHOT_BEGIN, .flags = EV_F_HAS_BEGIN, .t_ns = T0,
			      .begin_ns = T0};

	if (!recording->listless) {
		simulate_apply(simulate, &event);
		event.type = EV_SNAPSHOT_END;
		simulate_apply(simulate, &event);
	}
	event = (struct event){.type = EV_ALLOC, .t_ns = T0 + MS, .start = START, .align = 1,
			       .end = START + recording->used_mb * MB, .vstart = START, .vend = END};
	event.size = event.end - event.start;
	simulate_apply(simulate, &event);
	for (uint32_t i = 0; i < recording->nr_fails; i++) {
		event = (struct event){.type = EV_FAIL, .t_ns = T0 + (2 + i) * MS, .err = -EBUSY,
				       .size = recording->fail_mb * MB, .align = 1, .vstart = START,
				       .vend = END, .stack_id = recording->alike ? 1 : 1 + i};
		simulate_apply(simulate, &event);
	}
}

/* Reads it as often as wanted; how often that was. */
static uint32_t read_all(struct sizing *sizing, const struct recording *recording)
{
	struct simulate *simulate;
	uint32_t readings = 0;

	while (sizing_begin(sizing, &simulate)) {
		assert_non_null(simulate);
		feed(simulate, recording);
		assert_int_equal(sizing_end(sizing, simulate), 0);
		readings++;
	}
	return readings;
}

static struct sizing *search(const struct recording *recording, bool again, uint32_t *readings)
{
	struct sizing *sizing = sizing_new(&recorded, 0, again);

	assert_non_null(sizing);
	sizing_search(sizing);
	*readings = read_all(sizing, recording);
	return sizing;
}

static void nothing_failed(void **state)
{
	struct recording recording = {.used_mb = 100};
	uint32_t readings;
	struct sizing *sizing = search(&recording, true, &readings);

	(void)state;
	assert_true(sizing->played);
	assert_int_equal(readings, 1);
	assert_int_equal(sizing->tables[SIZING_RETRIES].answer_bytes, 120 * MB);
	assert_int_equal(sizing->tables[SIZING_EACH].count, 0);
	sizing_free(sizing);
}

/* 100 MB and 70 MB want 170 MB: 176 is the first multiple of 16. */
static void smallest(void **state)
{
	struct recording recording = {.used_mb = 100, .fail_mb = 70, .nr_fails = 1};
	uint32_t readings;
	struct sizing *sizing = search(&recording, true, &readings);
	const struct simulation_result *row;

	(void)state;
	assert_int_equal(readings, 2);
	assert_int_equal(sizing->tables[SIZING_RETRIES].answer_bytes, 176 * MB);
	row = sizing_row(sizing, SIZING_RETRIES, 160 * MB);
	assert_non_null(row);
	assert_int_equal(sizing_row_fails(row), 1);
	assert_false(sizing_row_ok(sizing, row));
	assert_false(sizing_row_ok(sizing, sizing_row(sizing, SIZING_RETRIES, 120 * MB)));
	assert_int_equal(sizing->free_running.fails_stay, 1);
	sizing_free(sizing);
}

/* What can be read only once is answered as well as one reading can. */
static void one_reading(void **state)
{
	struct recording recording = {.used_mb = 100, .fail_mb = 70, .nr_fails = 1};
	uint32_t readings;
	struct sizing *sizing = search(&recording, false, &readings);

	(void)state;
	assert_int_equal(readings, 1);
	assert_int_equal(sizing->tables[SIZING_RETRIES].answer_bytes, 208 * MB);
	sizing_free(sizing);
}

/* One need of 30 MB tried four times, or four: 140 or 220 MB. */
static void each_failure(void **state)
{
	struct recording recording = {.used_mb = 100, .fail_mb = 30, .nr_fails = 4, .alike = true};
	uint32_t readings;
	struct sizing *sizing = search(&recording, true, &readings);

	(void)state;
	assert_int_equal(readings, 3);
	assert_int_equal(sizing->tables[SIZING_RETRIES].answer_bytes, 144 * MB);
	assert_int_equal(sizing->tables[SIZING_EACH].answer_bytes, 224 * MB);
	sizing_free(sizing);
}

static void none_is_enough(void **state)
{
	struct recording recording = {.used_mb = 100, .fail_mb = 800, .nr_fails = 1};
	uint32_t readings;
	struct sizing *sizing = search(&recording, true, &readings);

	(void)state;
	assert_int_equal(readings, 1);
	assert_int_equal(sizing->tables[SIZING_RETRIES].answer_bytes, 0);
	sizing_free(sizing);
}

static void listless(void **state)
{
	struct recording recording = {.used_mb = 100, .fail_mb = 70, .nr_fails = 1, .listless = true};
	uint32_t readings;
	struct sizing *sizing = search(&recording, true, &readings);

	(void)state;
	assert_int_equal(readings, 1);
	assert_false(sizing->played);
	assert_false(sizing_trusted(sizing));
	sizing_free(sizing);
}

/* Believed from 95 of 100 addresses on, and not if all failures are a riddle. */
static void trust(void **state)
{
	struct sizing sizing = {.played = true};

	(void)state;
	assert_true(sizing_trusted(&sizing)); /* nothing was said, nothing was wrong */
	sizing.facts.allocs = 100;
	sizing.facts.exact = 90;
	sizing.facts.exact_reordered = 4;
	assert_false(sizing_trusted(&sizing));
	sizing.facts.exact_reordered = 5;
	assert_true(sizing_predicted_percent(&sizing) == 95.0);
	assert_true(sizing_trusted(&sizing));
	sizing.facts.fails = 3;
	assert_false(sizing_trusted(&sizing));
	sizing.facts.fails_predicted = 1;
	assert_true(sizing_trusted(&sizing));
	sizing.played = false;
	assert_false(sizing_trusted(&sizing));
}

static void asked(void **state)
{
	struct recording recording = {.used_mb = 100, .fail_mb = 70, .nr_fails = 1};
	struct sizing *sizing = sizing_new(&recorded, 0, true);

	(void)state;
	assert_int_equal(sizing_ask(sizing, 256 * MB), 0);
	assert_int_equal(sizing_ask(sizing, 64 * MB), 0);
	assert_int_equal(sizing_ask(sizing, 0), -EINVAL);
	assert_int_equal(sizing_ask(sizing, MB + 1), -EINVAL);
	assert_int_equal(sizing_ask(sizing, 1000 * MB), -EINVAL); /* more than the kernel's part */
	assert_int_equal(read_all(sizing, &recording), 1);
	assert_int_equal(sizing->tables[SIZING_RETRIES].count, 2);
	assert_int_equal(sizing->tables[SIZING_RETRIES].rows[0].options.bytes, 64 * MB);
	assert_int_equal(sizing->tables[SIZING_RETRIES].rows[0].fails_new, 1);
	assert_int_equal(sizing->tables[SIZING_RETRIES].answer_bytes, 256 * MB);
	assert_null(sizing_row(sizing, SIZING_RETRIES, 120 * MB));
	sizing_free(sizing);
}

/* A size that works below one that does not is no answer. */
static void from_which_on(void **state)
{
	struct sizing *sizing = sizing_new(&recorded, 0, true);
	struct recording recording = {.used_mb = 100, .fail_mb = 70, .nr_fails = 1};

	(void)state;
	for (uint32_t mb = 160; mb <= 192; mb += 16)
		assert_int_equal(sizing_ask(sizing, mb * MB), 0);
	read_all(sizing, &recording);
	assert_int_equal(sizing->tables[SIZING_RETRIES].answer_bytes, 176 * MB);
	sizing->tables[SIZING_RETRIES].rows[0].fails_stay = 0;
	sizing->tables[SIZING_RETRIES].rows[1].fails_stay = 1;
	assert_int_equal(sizing_ask(sizing, 208 * MB), 0);
	read_all(sizing, &recording);
	assert_int_equal(sizing->tables[SIZING_RETRIES].answer_bytes, 192 * MB);
	sizing_free(sizing);
}

static void low_memory(void **state)
{
	struct simulate_options two = {.start = 0xa07e0000, .end = 0xff3fe000, .kernel = ""};
	struct simulate_options small = {.start = 0xe07e0000, .end = END, .kernel = ""};
	struct sizing *sizing = sizing_new(&recorded, 0, true);

	(void)state;
	/* 6.1 686-pae with 2 GB: high_memory is 0xf6ffe000 */
	assert_int_equal(sizing_low_bytes(sizing, 120 * MB), 0x36ffe000);
	assert_int_equal(sizing_low_bytes(sizing, 256 * MB), 0x36ffe000 - 136 * MB);
	assert_int_equal(sizing_max_bytes(sizing), 736 * MB);
	sizing_free(sizing);
	sizing = sizing_new(&two, 0, true); /* 2G/2G, 512 MB of RAM */
	assert_int_equal(sizing_low_bytes(sizing, two.end - two.start), 0x1ffe0000);
	sizing_free(sizing);
	sizing = sizing_new(&small, 0, true); /* 512 MB of RAM */
	assert_int_equal(sizing_low_bytes(sizing, small.end - small.start), 0x1ffe0000);
	assert_int_equal(sizing_low_bytes(sizing, 0xffffffff), 0);
	sizing_free(sizing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_failed), cmocka_unit_test(smallest),
		cmocka_unit_test(one_reading),	  cmocka_unit_test(each_failure),
		cmocka_unit_test(none_is_enough), cmocka_unit_test(listless), cmocka_unit_test(trust),
		cmocka_unit_test(asked),	  cmocka_unit_test(from_which_on),
		cmocka_unit_test(low_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
