// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "space/names.h"

static int setup(void **state)
{
	*state = names_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	names_free(*state);
	return 0;
}

static void empty_is_id_0(void **state)
{
	struct names *names = *state;

	assert_int_equal(names_count(names), 1);
	assert_int_equal(names_intern_str(names, ""), 0);
	assert_int_equal(names_intern_str(names, NULL), 0);
	assert_int_equal(names_intern(names, NULL, 0), 0);
	assert_string_equal(names_text(names, 0), "");
	assert_string_equal(names_text(names, 77), "");
	assert_string_equal(names_text(names, UINT32_MAX), "");
	assert_int_equal(names_count(names), 1);
}

static void same_text_has_same_id(void **state)
{
	struct names *names = *state;
	uint32_t a = names_intern_str(names, "insmod");
	uint32_t b = names_intern_str(names, "rmmod");

	assert_int_equal(a, 1);
	assert_int_equal(b, 2);
	assert_int_equal(names_intern(names, "insmodXX", 6), a);
	assert_int_equal(names_intern_str(names, "insmo"), 3);
	assert_string_equal(names_text(names, a), "insmod");
	assert_string_equal(names_text(names, b), "rmmod");
	assert_int_equal(names_count(names), 4);
}

/* A task's name comes as 16 bytes padded with NULs: the text ends at the first. */
static void nul_ends_the_text(void **state)
{
	struct names *names = *state;
	const char comm[16] = "kworker/0:1\0jnk";
	uint32_t id = names_intern(names, comm, sizeof(comm));

	assert_string_equal(names_text(names, id), "kworker/0:1");
	assert_int_equal(names_intern_str(names, "kworker/0:1"), id);
	assert_int_equal(names_intern(names, "\0abc", 4), 0);
}

static void texts_stay_where_they_are(void **state)
{
	struct names *names = *state;
	const char *first = names_text(names, names_intern_str(names, "the first"));
	char text[32];
	uint32_t i;

	for (i = 0; i < 50000; i++) {
		snprintf(text, sizeof(text), "symbol_%u+0x%x", i, i);
		assert_int_equal(names_intern_str(names, text), i + 2);
	}
	assert_string_equal(first, "the first");
	assert_ptr_equal(first, names_text(names, 1));
	for (i = 0; i < 50000; i++) {
		snprintf(text, sizeof(text), "symbol_%u+0x%x", i, i);
		assert_int_equal(names_intern_str(names, text), i + 2);
		assert_string_equal(names_text(names, i + 2), text);
	}
	assert_int_equal(names_count(names), 50002);
}

static void any_length(void **state)
{
	static const size_t sizes[] = { 32766, 32767, 32768, 32769, 1u << 20 };
	struct names *names = *state;
	char *big = malloc((1u << 20) + 1);
	uint32_t id;
	size_t i;

	assert_non_null(big);
	memset(big, 'x', (1u << 20) + 1);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		id = names_intern(names, big, sizes[i]);
		assert_int_equal(id, 2 * i + 1);
		assert_int_equal(strlen(names_text(names, id)), sizes[i]);
		big[0] = (char)('a' + i);
		names_intern(names, big, 1);
		big[0] = 'x';
	}
	assert_int_equal(names_intern(names, big, (1u << 20) + 1), 0);
	free(big);
}

static void free_null(void **state)
{
	(void)state;
	names_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(empty_is_id_0, setup, teardown),
		cmocka_unit_test_setup_teardown(same_text_has_same_id, setup, teardown),
		cmocka_unit_test_setup_teardown(nul_ends_the_text, setup, teardown),
		cmocka_unit_test_setup_teardown(texts_stay_where_they_are, setup, teardown),
		cmocka_unit_test_setup_teardown(any_length, setup, teardown),
		cmocka_unit_test(free_null),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
