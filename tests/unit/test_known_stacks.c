// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture/known_stacks.h"
#include "event.h"

static int setup(void **state)
{
	*state = known_stacks_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	known_stacks_free(*state);
	return 0;
}

/* Stack number n: its depth, and frames of which most are those of other numbers. */
static uint32_t make(uint32_t n, uint32_t *addrs)
{
	uint32_t count = n % (VMT_MAX_FRAMES + 1);

	for (uint32_t i = 0; i < count; i++)
		addrs[i] = 0xc1000000u + i * 64;
	if (count)
		addrs[n / 7 % count] += n;
	return count;
}

static void found_again(void **state)
{
	uint32_t addrs[VMT_MAX_FRAMES], count;

	for (uint32_t n = 0; n < KNOWN_STACKS_MAX; n++) {
		count = make(n, addrs);
		/* Those without frames are all the same. */
		assert_int_equal(known_stacks_find(*state, addrs, count), count || !n ? 0 : 1);
		if (count || !n)
			known_stacks_add(*state, addrs, count, n + 1);
	}
	for (uint32_t n = 0; n < KNOWN_STACKS_MAX; n++) {
		count = make(n, addrs);
		assert_int_equal(known_stacks_find(*state, addrs, count), count ? n + 1 : 1);
	}
}

/* One frame more or less, or others in another order, are another stack. */
static void nearly_the_same(void **state)
{
	const uint32_t addrs[] = {1, 2, 3, 4}, other[] = {1, 3, 2, 4};

	known_stacks_add(*state, addrs, 3, 7);
	assert_int_equal(known_stacks_find(*state, addrs, 3), 7);
	assert_int_equal(known_stacks_find(*state, addrs, 2), 0);
	assert_int_equal(known_stacks_find(*state, addrs, 4), 0);
	assert_int_equal(known_stacks_find(*state, other, 3), 0);
	known_stacks_add(*state, other, 3, 8);
	assert_int_equal(known_stacks_find(*state, addrs, 3), 7);
	assert_int_equal(known_stacks_find(*state, other, 3), 8);
}

static void forgotten(void **state)
{
	const uint32_t addrs[] = {1, 2, 3};

	known_stacks_forget(*state);
	known_stacks_add(*state, addrs, 3, 7);
	known_stacks_forget(*state);
	assert_int_equal(known_stacks_find(*state, addrs, 3), 0);
	known_stacks_add(*state, addrs, 3, 9);
	assert_int_equal(known_stacks_find(*state, addrs, 3), 9);
	known_stacks_free(NULL);
}

/* Not more than so many are kept; the newest always is. */
static void full(void **state)
{
	uint32_t addrs[2] = {0xc1000000u, 0}, known = 0;

	for (uint32_t n = 1; n <= 3 * KNOWN_STACKS_MAX; n++) {
		addrs[1] = n;
		known_stacks_add(*state, addrs, 2, n);
		assert_int_equal(known_stacks_find(*state, addrs, 2), n);
	}
	for (addrs[1] = 1; addrs[1] <= 3 * KNOWN_STACKS_MAX; addrs[1]++)
		known += known_stacks_find(*state, addrs, 2) != 0;
	assert_in_range(known, 1, KNOWN_STACKS_MAX);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(found_again),
		TEST(nearly_the_same),
		TEST(forgotten),
		TEST(full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
