// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "record/crc.h"

#define MOST 70000u

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static uint32_t want(const uint8_t *bytes, size_t len)
{
	return (uint32_t)crc32(0, bytes, (uInt)len);
}

/* Every length at which something else begins, wherever it lies; no byte behind the end is read. */
static void as_zlib(void **state)
{
	uint8_t *bytes = malloc(MOST);
	uint32_t seed = 1;

	(void)state;
	for (uint32_t i = 0; i < MOST; i++)
		bytes[i] = (uint8_t)next_random(&seed);
	for (size_t len = 0; len < 600; len++) {
		uint8_t *exact = malloc(len + 1);

		memcpy(exact + 1, bytes, len);
		assert_int_equal(crc_of(exact + 1, len), want(bytes, len));
		free(exact);
	}
	for (uint32_t i = 0; i < 200; i++) {
		size_t from = next_random(&seed) % 64, len = next_random(&seed) % (MOST - 64);

		assert_int_equal(crc_of(bytes + from, len), want(bytes + from, len));
	}
	free(bytes);
}

/* What the eye would find: all zeros, all ones, and every single bit matters. */
static void bits(void **state)
{
	uint8_t bytes[192];
	uint32_t zeros, crc;

	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(crc_of(bytes, sizeof(bytes)), want(bytes, sizeof(bytes)));
	memset(bytes, 0, sizeof(bytes));
	zeros = crc_of(bytes, sizeof(bytes));
	assert_int_equal(zeros, want(bytes, sizeof(bytes)));
	for (uint32_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		crc = crc_of(bytes, sizeof(bytes));
		assert_int_not_equal(crc, zeros);
		assert_int_equal(crc, want(bytes, sizeof(bytes)));
		bytes[bit / 8] = 0;
	}
}

/* The check value of CRC-32. */
static void known(void **state)
{
	(void)state;
	assert_int_equal(crc_of("123456789", 9), 0xcbf43926);
	assert_int_equal(crc_of("", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_zlib),
		cmocka_unit_test(bits),
		cmocka_unit_test(known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
