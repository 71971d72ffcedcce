// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/symbols.h"

#define MODULES     0xf77fe000u
#define MODULES_END 0xfeffe000u

static const char kallsyms[] = "00000000 A cpu_number\n"
			       "c1000000 T startup_32\n"
			       "c1000000 T _text\n"
			       "c1000040 t local_first\n"
			       "c1000040 T global_longer_name\n"
			       "c1000040 W weak\n"
			       "c1200000 t alloc_vmap_area.constprop.0\n"
			       "c1200100 t alloc_vmap_area.constprop.0.cold\n"
			       "c1200200 t free_vmap_area_noflush\n"
			       "c1200300 t free_vmap_area_noflush.part.0\n"
			       "c1200400 t twice\n"
			       "c1200500 t twice\n"
			       "c1200600 t clone.isra.0\n"
			       "c1200700 t clone.constprop.1\n"
			       "c1200800 t deep.constprop.0.isra.12\n"
			       "c1200900 t only_cold.cold\n"
			       "c1200a00 t odd.llvm.123\n"
			       "c1200b00 t same.isra.0\n"
			       "c1200b00 t same.part.0\n"
			       "c1900000 D some_data\n"
			       "f7d3c000 t foo_init\t[foo]\n"
			       "f7d3c080 T foo_read\t[foo]\n"
			       "f7d40000 t bar_init\t[bar]\n"
			       "f7d40100 t free_vmap_area_noflush\t[bar]\n"
			       "f7d40200 t only_bar\t[bar]\n";

static int setup(void **state)
{
	*state = symbols_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	symbols_free(*state);
	return 0;
}

/* The text at the end of its allocation, so that the sanitizer sees a byte read too far. */
static int parse(struct symbols *symbols, const char *text, size_t len)
{
	char *copy = malloc(len ? len : 1);
	int err;

	assert_non_null(copy);
	memcpy(copy, text, len);
	err = symbols_parse(symbols, copy, len);
	free(copy);
	return err;
}

static int parse_str(struct symbols *symbols, const char *text)
{
	return parse(symbols, text, strlen(text));
}

static void assert_format(const struct symbols *symbols, uint32_t addr, const char *want)
{
	char buf[600];

	assert_int_equal(symbols_format(symbols, addr, MODULES, MODULES_END, buf, sizeof(buf)),
			 strlen(want));
	assert_string_equal(buf, want);
	assert_int_equal(symbols_covers(symbols, addr, MODULES, MODULES_END),
			 strncmp(want, "0x", 2) != 0);
}

static void empty_table(void **state)
{
	struct symbols *symbols = *state;
	char found[32];
	uint32_t addr;

	assert_int_equal(symbols_count(symbols), 0);
	assert_false(symbols_have_addresses(symbols));
	assert_format(symbols, 0, "0x00000000");
	assert_format(symbols, 0xf7abc123, "0xf7abc123");
	assert_int_equal(symbols_find(symbols, "vmalloc", found, sizeof(found), &addr),
			 SYMBOLS_NONE);
	symbols_free(NULL);
}

static void addresses(void **state)
{
	struct symbols *symbols = *state;
	char buf[8];

	assert_int_equal(parse_str(symbols, kallsyms), 0);
	assert_true(symbols_have_addresses(symbols));
	assert_int_equal(symbols_count(symbols), 23);
	assert_format(symbols, 0xc0ffffff, "0xc0ffffff");
	assert_format(symbols, 0xc1000000, "_text+0x0");
	assert_format(symbols, 0xc100003f, "_text+0x3f");
	assert_format(symbols, 0xc1000041, "global_longer_name+0x1");
	assert_format(symbols, 0xc1200010, "alloc_vmap_area.constprop.0+0x10");
	assert_format(symbols, 0xf7d3c07f, "foo_init+0x7f [foo]");
	assert_format(symbols, 0xf7d3c080, "foo_read+0x0 [foo]");
	assert_format(symbols, 0xf7d40005, "bar_init+0x5 [bar]");
	/* further than 64 KiB above the last one: another module's, not in the list */
	assert_format(symbols, 0xf7d40200 + 0x10000, "only_bar+0x10000 [bar]");
	assert_format(symbols, 0xf7d40201 + 0x10000, "0xf7d50201");
	assert_format(symbols, UINT32_MAX, "0xffffffff");
	assert_int_equal(symbols_format(symbols, 0xc1000000, 0, 0, buf, sizeof(buf)), 9);
	assert_string_equal(buf, "_text+0");
	assert_int_equal(symbols_format(symbols, 0xc1000000, 0, 0, NULL, 0), 9);
}

/* Core symbols end just below the range on a kernel with little RAM. */
static void no_core_name_for_a_module(void **state)
{
	struct symbols *symbols = *state;

	assert_int_equal(parse_str(symbols, "f77fd000 T core\nf7800000 t stale\n"
					    "f7800000 t fresh_with_long_name\t[mod]\n"),
			 0);
	assert_format(symbols, 0xf77fdfff, "core+0xfff");
	assert_format(symbols, 0xf77fe000, "0xf77fe000");
	assert_format(symbols, 0xf7800010, "fresh_with_long_name+0x10 [mod]");
}

static void unsorted_lines(void **state)
{
	struct symbols *symbols = *state;

	assert_int_equal(parse_str(symbols, "c1000300 t c\nc1000100 t a\nc1000200 t b\n"
					    "c1000000 t z"),
			 0);
	assert_format(symbols, 0xc1000001, "z+0x1");
	assert_format(symbols, 0xc1000101, "a+0x1");
	assert_format(symbols, 0xc1000201, "b+0x1");
	assert_format(symbols, 0xc1000301, "c+0x1");
}

static void find(void **state)
{
	static const struct {
		const char *name;
		enum symbols_match match;
		const char *found;
		uint32_t addr;
	} rows[] = {
		{ "alloc_vmap_area", SYMBOLS_ONE, "alloc_vmap_area.constprop.0", 0xc1200000 },
		{ "free_vmap_area_noflush", SYMBOLS_ONE, "free_vmap_area_noflush", 0xc1200200 },
		{ "deep", SYMBOLS_ONE, "deep.constprop.0.isra.12", 0xc1200800 },
		{ "same", SYMBOLS_ONE, "same.isra.0", 0xc1200b00 },
		{ "twice", SYMBOLS_AMBIGUOUS, NULL, 0 },
		{ "clone", SYMBOLS_AMBIGUOUS, NULL, 0 },
		{ "only_cold", SYMBOLS_NONE, NULL, 0 },
		{ "odd", SYMBOLS_NONE, NULL, 0 },
		{ "only_bar", SYMBOLS_NONE, NULL, 0 },
		{ "some_data", SYMBOLS_NONE, NULL, 0 },
		{ "alloc_vmap", SYMBOLS_NONE, NULL, 0 },
		{ "alloc_vmap_area_", SYMBOLS_NONE, NULL, 0 },
		{ "clone.isra.0", SYMBOLS_ONE, "clone.isra.0", 0xc1200600 },
	};
	struct symbols *symbols = *state;
	char found[28];
	size_t i;

	assert_int_equal(parse_str(symbols, kallsyms), 0);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t addr = 0;

		print_message("%s\n", rows[i].name);
		assert_int_equal(symbols_find(symbols, rows[i].name, found, sizeof(found), &addr),
				 rows[i].match);
		if (rows[i].match != SYMBOLS_ONE)
			continue;
		assert_string_equal(found, rows[i].found);
		assert_int_equal(addr, rows[i].addr);
	}
	/* "alloc_vmap_area.constprop.0" has 27 characters */
	assert_int_equal(symbols_find(symbols, "alloc_vmap_area", found, 27, &(uint32_t){ 0 }),
			 SYMBOLS_NONE);
}

static void hidden_addresses(void **state)
{
	static const char hidden[] = "00000000 t alloc_vmap_area.constprop.0\n"
				     "00000000 t vfree\n00000000 T twice\n00000000 t twice\n";
	struct symbols *symbols = *state;
	uint32_t addr = 1;
	char found[64];

	assert_int_equal(parse_str(symbols, hidden), -EPERM);
	assert_false(symbols_have_addresses(symbols));
	assert_int_equal(symbols_count(symbols), 4);
	assert_format(symbols, 0, "0x00000000");
	assert_format(symbols, 16, "0x00000010");
	assert_int_equal(symbols_find(symbols, "alloc_vmap_area", found, sizeof(found), &addr),
			 SYMBOLS_ONE);
	assert_string_equal(found, "alloc_vmap_area.constprop.0");
	assert_int_equal(addr, 0);
	assert_int_equal(symbols_find(symbols, "twice", found, sizeof(found), &addr),
			 SYMBOLS_AMBIGUOUS);

	/* A table with addresses is worth more than one without. */
	assert_int_equal(parse_str(symbols, kallsyms), 0);
	assert_int_equal(parse_str(symbols, hidden), -EPERM);
	assert_format(symbols, 0xc1000041, "global_longer_name+0x1");
}

static void error_keeps_the_old(void **state)
{
	struct symbols *symbols = *state;

	assert_int_equal(parse_str(symbols, kallsyms), 0);
	assert_int_equal(parse_str(symbols, ""), -EBADMSG);
	assert_int_equal(parse_str(symbols, "\n\n\n"), -EBADMSG);
	assert_int_equal(parse_str(symbols, "c1000000 D data\n"), -EBADMSG);
	assert_int_equal(symbols_load(symbols, "/nonexistent/kallsyms"), -ENOENT);
	assert_int_equal(symbols_load(symbols, "/"), -EISDIR);
	assert_format(symbols, 0xf7d3c080, "foo_read+0x0 [foo]");
}

static void hostile_lines(void **state)
{
	static const char lines[] = "c1000000 T good\n"
				    "ffffffff81000000 T too_wide\n"
				    "1c1000000 T too_wide\n"
				    "c1000000T glued\n"
				    "c1000010 T \n"
				    "c1000010 T\n"
				    "c1000010\n"
				    " T x\n"
				    "xyz T x\n"
				    "c1000010 T a b\n"
				    "c1000010 T esc\033[2J\n"
				    "c1000010 T x\t\n"
				    "c1000010 T x\t[]\n"
				    "c1000010 T x\t[m\n"
				    "c1000010 T x\tm]\n"
				    "c1000010 T x\t[m m]\n"
				    "c1000010 T \t[m]\n"
				    "c1000010 \0 nul\n"
				    "c1000010 T nul\0nul\n"
				    "00000000c1000020 T wide_but_fits\n";
	struct symbols *symbols = *state;
	char text[2048];

	assert_int_equal(parse(symbols, lines, sizeof(lines) - 1), 0);
	assert_int_equal(symbols_count(symbols), 2);
	assert_format(symbols, 0xc1000010, "good+0x10");
	assert_format(symbols, 0xc1000020, "wide_but_fits+0x0");

	snprintf(text, sizeof(text), "c1000000 T %0511d\nc1000010 T %0512d\n", 1, 2);
	assert_int_equal(parse_str(symbols, text), 0);
	assert_int_equal(symbols_count(symbols), 1);
}

static void cut_at_every_byte(void **state)
{
	struct symbols *symbols = *state;
	size_t cut;

	for (cut = 0; cut < strlen(kallsyms); cut++) {
		int err = parse(symbols, kallsyms, cut);

		assert_true(err == 0 || (err == -EBADMSG && symbols_count(symbols) == 0));
		symbols_covers(symbols, 0xf7d40000, MODULES, MODULES_END);
	}
}

/* A table as large as a distribution's, through a file. */
static void large_file(void **state)
{
	char path[] = "/tmp/vmtrace-test-symbols.XXXXXX";
	struct symbols *symbols = *state;
	int fd = mkstemp(path);
	FILE *out = fdopen(fd, "w");
	uint32_t i;

	assert_non_null(out);
	for (i = 0; i < 60000; i++)
		fprintf(out, "%08x t core_function_%u\n", 0xc1000000 + i * 64, i);
	for (i = 0; i < 3000; i++)
		fprintf(out, "%08x t fn_%u\t[module_%u]\n", 0xf7800000 + i * 64, i, i / 10);
	fclose(out);
	assert_int_equal(symbols_load(symbols, path), 0);
	unlink(path);
	assert_int_equal(symbols_count(symbols), 63000);
	assert_format(symbols, 0xc1000000 + 59999 * 64 + 63, "core_function_59999+0x3f");
	assert_format(symbols, 0xf7800000 + 2999 * 64, "fn_2999+0x0 [module_299]");
	assert_format(symbols, 0xf7800000 + 1234 * 64 + 1, "fn_1234+0x1 [module_123]");
}

/* More modules than a record can number: the rest is left out, not misnamed. */
static void too_many_modules(void **state)
{
	struct symbols *symbols = *state;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	uint32_t i;

	assert_non_null(out);
	for (i = 0; i < 65540; i++)
		fprintf(out, "%08x t f\t[m%u]\n", 0xf7800000 + i * 16, i);
	fclose(out);
	assert_int_equal(symbols_parse(symbols, text, len), 0);
	free(text);
	assert_int_equal(symbols_count(symbols), 65535);
	assert_format(symbols, 0xf7800000 + 65534 * 16, "f+0x0 [m65534]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(empty_table, setup, teardown),
		cmocka_unit_test_setup_teardown(addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(no_core_name_for_a_module, setup, teardown),
		cmocka_unit_test_setup_teardown(unsorted_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(find, setup, teardown),
		cmocka_unit_test_setup_teardown(hidden_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(error_keeps_the_old, setup, teardown),
		cmocka_unit_test_setup_teardown(hostile_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(cut_at_every_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(large_file, setup, teardown),
		cmocka_unit_test_setup_teardown(too_many_modules, setup, teardown),
	};

	return cmocka_run_group_tests_name("symbols", tests, NULL, NULL);
}
