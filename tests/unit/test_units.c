// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "units.h"

#define KIB 1024ull
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define MS  1000000ull
#define S   1000000000ull

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void bytes_as_text(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {
		{ 0, "0" },
		{ 1, "1" },
		{ 512, "512" },
		{ 1023, "1023" },
		{ KIB, "1.0K" },
		{ 4 * KIB, "4.0K" },
		{ 10 * KIB, "10K" },
		{ 10 * KIB + 1, "10.0K" },
		{ 12 * KIB + 512, "12.5K" },
		{ 256 * KIB, "256K" },
		{ 1000 * KIB, "1000K" },
		{ 999 * KIB + 900, "999.9K" },
		{ 1020 * KIB, "1020K" },
		{ 1023 * KIB + 511, "1023K" },
		{ 1023 * KIB + 512, "1.0M" },
		{ MIB - 1, "1.0M" },
		{ MIB, "1.0M" },
		{ 120 * MIB, "120M" },
		{ 84 * MIB + 614 * KIB, "84.6M" },
		{ 1229 * MIB, "1.2G" },
		{ 4 * GIB - 1, "4.0G" },
		{ 4 * GIB, "4.0G" },
		{ 1024 * GIB, "1.0T" },
		{ UINT64_MAX, "16.0E" },
	};
	char buf[16];
	uint64_t bytes;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		assert_string_equal(units_bytes(rows[i].bytes, buf, sizeof(buf)), rows[i].text);
	for (bytes = 1; bytes < UINT64_MAX / 5; bytes += bytes / 37 + 1)
		assert_true(strlen(units_bytes(bytes, buf, sizeof(buf))) <= 6);
	assert_string_equal(units_bytes(84 * MIB + 1, buf, 4), "84.");
}

static void duration_as_text(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} rows[] = {
		{ 0, "0ns" },
		{ 850, "850ns" },
		{ 999, "999ns" },
		{ 12345, "12us" },
		{ 999999, "999us" },
		{ 3400000, "3.4ms" },
		{ 99 * MS, "99.0ms" },
		{ 340200000, "340ms" },
		{ S - 1, "999ms" },
		{ 2 * S + 500 * MS, "2.5s" },
		{ 60 * S - 1, "59.9s" },
		{ 60 * S, "1m00s" },
		{ 842 * S, "14m02s" },
		{ 3600 * S - 1, "59m59s" },
		{ (2 * 3600 + 14 * 60 + 59) * S, "2h14m" },
		{ 86400 * S - 1, "23h59m" },
		{ (3 * 86400 + 4 * 3600) * S, "3d04h" },
		{ UINT64_MAX, "213503d23h" },
	};
	char buf[16];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		assert_string_equal(units_duration(rows[i].ns, buf, sizeof(buf)), rows[i].text);
}

static void text_as_bytes(void **state)
{
	static const struct {
		const char *text;
		int err;
		uint32_t bytes;
	} rows[] = {
		{ "0", 0, 0 },
		{ "4", 0, 4 },
		{ "4B", 0, 4 },
		{ "4K", 0, 4096 },
		{ "4k", 0, 4096 },
		{ "4KB", 0, 4096 },
		{ "4KiB", 0, 4096 },
		{ "16M", 0, 16u << 20 },
		{ "1G", 0, 1u << 30 },
		{ "1GiB", 0, 1u << 30 },
		{ "0x1000", 0, 4096 },
		{ "0XfF", 0, 255 },
		{ "0x10B", 0, 0x10b },
		{ "010", 0, 10 },
		{ "4294967295", 0, UINT32_MAX },
		{ "0xffffffff", 0, UINT32_MAX },
		{ "4194303K", 0, 4194303u * 1024 },
		{ "4294967296", -ERANGE, 0 },
		{ "4G", -ERANGE, 0 },
		{ "4194304K", -ERANGE, 0 },
		{ "0x100000000", -ERANGE, 0 },
		{ "99999999999999999999999", -ERANGE, 0 },
		{ "18446744073709551616G", -ERANGE, 0 },
		{ "17179869184G", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "K", -EINVAL, 0 },
		{ "0x", -EINVAL, 0 },
		{ "0xg", -EINVAL, 0 },
		{ "0x10K", -EINVAL, 0 },
		{ "4iB", -EINVAL, 0 },
		{ "4Ki", -EINVAL, 0 },
		{ "4KiBB", -EINVAL, 0 },
		{ "4KK", -EINVAL, 0 },
		{ "1.5M", -EINVAL, 0 },
		{ "1T", -EINVAL, 0 },
		{ "99999999999999999999999x", -EINVAL, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		uint32_t bytes = 77;

		print_message("%s\n", rows[i].text);
		assert_int_equal(units_parse_bytes(rows[i].text, &bytes), rows[i].err);
		assert_int_equal(bytes, rows[i].err ? 77 : rows[i].bytes);
	}
}

static void text_as_size(void **state)
{
	uint64_t bytes = 77;

	(void)state;
	assert_int_equal(units_parse_size("4G", UINT32_MAX, &bytes), -ERANGE);
	assert_int_equal(bytes, 77);
	assert_int_equal(units_parse_size("4G", INT64_MAX, &bytes), 0);
	assert_true(bytes == 4ull << 30);
	assert_int_equal(units_parse_size("8589934591G", INT64_MAX, &bytes), 0);
	assert_true(bytes == 8589934591ull << 30);
	assert_int_equal(units_parse_size("8589934592G", INT64_MAX, &bytes), -ERANGE);
	assert_int_equal(units_parse_size("1T", INT64_MAX, &bytes), -EINVAL);
}

static void text_as_duration(void **state)
{
	static const struct {
		const char *text;
		int err;
		uint64_t ns;
	} rows[] = {
		{ "0", 0, 0 },
		{ "1", 0, S },
		{ "1s", 0, S },
		{ "0.5s", 0, S / 2 },
		{ "2.25", 0, 2250 * MS },
		{ "500ms", 0, 500 * MS },
		{ "1.5ms", 0, 1500000 },
		{ "7us", 0, 7000 },
		{ "7ns", 0, 7 },
		{ "10m", 0, 600 * S },
		{ "1.5m", 0, 90 * S },
		{ "2h", 0, 7200 * S },
		{ "1d", 0, 86400 * S },
		{ "0.999999999999d", 0, 86399999913600ull },
		{ "3650d", 0, 3650ull * 86400 * S },
		{ "3650.1d", -ERANGE, 0 },
		{ "3651d", -ERANGE, 0 },
		{ "315360001", -ERANGE, 0 },
		{ "99999999999999999999d", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "s", -EINVAL, 0 },
		{ "-1s", -EINVAL, 0 },
		{ "1 s", -EINVAL, 0 },
		{ "1.s", -EINVAL, 0 },
		{ ".5s", -EINVAL, 0 },
		{ "1.5.2s", -EINVAL, 0 },
		{ "1w", -EINVAL, 0 },
		{ "1sec", -EINVAL, 0 },
		{ "1e3", -EINVAL, 0 },
		{ "1S", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		uint64_t ns = 77;

		print_message("%s\n", rows[i].text);
		assert_int_equal(units_parse_duration(rows[i].text, &ns), rows[i].err);
		assert_int_equal(ns, rows[i].err ? 77 : rows[i].ns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_as_text),
		cmocka_unit_test(duration_as_text),
		cmocka_unit_test(text_as_bytes),
		cmocka_unit_test(text_as_size),
		cmocka_unit_test(text_as_duration),
	};

	return cmocka_run_group_tests_name("units", tests, NULL, NULL);
}
