// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "space/stacks.h"

static int setup(void **state)
{
	*state = stacks_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	stacks_free(*state);
	return 0;
}

static void empty_and_unknown(void **state)
{
	struct stacks *stacks = *state;
	uint32_t frame = 1;
	bool is_new = true;

	assert_int_equal(stacks_intern(stacks, &frame, 0, &is_new), 0);
	assert_false(is_new);
	assert_int_equal(stacks_intern(stacks, NULL, 0, NULL), 0);
	assert_int_equal(stacks_get(stacks, 0).nr_frames, 0);
	assert_int_equal(stacks_get(stacks, 1).nr_frames, 0);
	assert_int_equal(stacks_get(stacks, UINT32_MAX).nr_frames, 0);
	assert_int_equal(stacks_count(stacks), 0);
}

static void same_frames_have_same_id(void **state)
{
	static const uint32_t a[] = { 1, 2, 3 };
	static const uint32_t b[] = { 1, 3, 2 };
	struct stacks *stacks = *state;
	struct stack got;
	bool is_new;

	assert_int_equal(stacks_intern(stacks, a, 3, &is_new), 1);
	assert_true(is_new);
	assert_int_equal(stacks_intern(stacks, b, 3, &is_new), 2);
	assert_true(is_new);
	assert_int_equal(stacks_intern(stacks, a, 3, &is_new), 1);
	assert_false(is_new);
	assert_int_equal(stacks_intern(stacks, a, 2, NULL), 3);
	assert_int_equal(stacks_count(stacks), 3);
	got = stacks_get(stacks, 2);
	assert_int_equal(got.nr_frames, 3);
	assert_memory_equal(got.frames, b, sizeof(b));
	assert_int_equal(stacks_get(stacks, 3).nr_frames, 2);
}

static void many(void **state)
{
	struct stacks *stacks = *state;
	uint32_t frames[24];
	uint32_t i, k;

	for (i = 0; i < 10000; i++) {
		for (k = 0; k < 24; k++)
			frames[k] = i * k;
		frames[0] = i;
		assert_int_equal(stacks_intern(stacks, frames, 1 + i % 24, NULL), i + 1);
	}
	for (i = 0; i < 10000; i++) {
		struct stack got = stacks_get(stacks, i + 1);

		assert_int_equal(got.nr_frames, 1 + i % 24);
		assert_int_equal(got.frames[0], i);
		for (k = 1; k < got.nr_frames; k++)
			assert_int_equal(got.frames[k], i * k);
	}
}

/* Frames may come out of the table itself, which moves while it grows. */
static void frames_of_its_own(void **state)
{
	struct stacks *stacks = *state;
	uint32_t frames[1024];
	uint32_t i;

	for (i = 0; i < 1024; i++)
		frames[i] = i + 1;
	assert_int_equal(stacks_intern(stacks, frames, 1024, NULL), 1);
	for (i = 1; i < 100; i++) {
		struct stack whole = stacks_get(stacks, 1);

		assert_int_equal(stacks_intern(stacks, whole.frames + i, 1024 - i, NULL), i + 1);
		assert_memory_equal(stacks_get(stacks, i + 1).frames, frames + i,
				    (1024 - i) * sizeof(*frames));
	}
}

static void free_null(void **state)
{
	(void)state;
	stacks_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(empty_and_unknown, setup, teardown),
		cmocka_unit_test_setup_teardown(same_frames_have_same_id, setup, teardown),
		cmocka_unit_test_setup_teardown(many, setup, teardown),
		cmocka_unit_test_setup_teardown(frames_of_its_own, setup, teardown),
		cmocka_unit_test(free_null),
	};

	return cmocka_run_group_tests_name("stacks", tests, NULL, NULL);
}
