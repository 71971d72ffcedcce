// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "space/slope.h"

#define MOST 9000u

static uint64_t rng = 0x9e3779b97f4a7c15ull;

static uint64_t rnd(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

static int by_value(const void *a, const void *b)
{
	const int64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static void compare(const int64_t *values, uint32_t count)
{
	int64_t *moved = malloc((count + 1) * sizeof(*moved)), *sorted;
	int64_t got;

	memcpy(moved, values, count * sizeof(*moved));
	got = slope_median(moved, count);
	sorted = malloc((count + 1) * sizeof(*sorted));
	memcpy(sorted, values, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), by_value);
	assert_int_equal(got, count ? (sorted[(count - 1) / 2] + sorted[count / 2]) / 2 : 0);
	/* They are moved, and no other. */
	qsort(moved, count, sizeof(*moved), by_value);
	assert_memory_equal(moved, sorted, count * sizeof(*moved));
	free(moved);
	free(sorted);
}

/* All lengths, of many values and of few: most slopes are the same. */
static void as_sorted(void **state)
{
	static int64_t values[MOST];
	static const uint64_t kinds[] = {1, 2, 3, 10, 1000, 1ull << 54};

	(void)state;
	for (uint32_t count = 0; count < 70; count++) {
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
			for (uint32_t i = 0; i < count; i++)
				values[i] = (int64_t)(rnd() % kinds[k]) - (int64_t)(kinds[k] / 2);
			compare(values, count);
		}
	}
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		for (uint32_t i = 0; i < MOST; i++)
			values[i] = (int64_t)(rnd() % kinds[k]);
		compare(values, MOST);
		compare(values, MOST - 1);
	}
}

/* In order already, the other way round, and in both at once. */
static void in_order(void **state)
{
	static int64_t values[MOST];

	(void)state;
	for (int shape = 0; shape < 4; shape++) {
		for (uint32_t i = 0; i < MOST; i++) {
			bool falls = shape == 2 ? i % 2 : shape == 3 ? i > MOST / 2 : shape == 1;

			values[i] = falls ? (int64_t)MOST - i : (int64_t)i;
		}
		compare(values, MOST);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_sorted),
		cmocka_unit_test(in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
