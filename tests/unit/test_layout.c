// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "view/layout.h"

static const struct layout_input stock = {
	.vmalloc_start = 0xf7ffe000,
	.vmalloc_end = 0xff5fe000,
	.page_offset = 0xc0000000,
	.high_memory = 0xf77fe000, /* 8M below */
	.highmem = true,
};

static struct layout build(const struct layout_input *input)
{
	struct layout layout;

	layout_build(input, &layout);
	assert_in_range(layout.count, 3, LAYOUT_MAX);
	assert_int_equal(layout.rows[0].addr, 1ull << 32);
	assert_int_equal(layout.rows[layout.count - 1].addr, 0);
	for (uint32_t i = 0; i < layout.count; i++) {
		assert_non_null(layout.rows[i].name);
		assert_non_null(layout.rows[i].below);
		assert_non_null(layout.rows[i].source);
		if (i)
			assert_true(layout.rows[i].addr < layout.rows[i - 1].addr);
	}
	return layout;
}

static const struct layout_row *row(const struct layout *layout, const char *name)
{
	for (uint32_t i = 0; i < layout->count; i++) {
		if (!strcmp(layout->rows[i].name, name))
			return &layout->rows[i];
	}
	return NULL;
}

/* Every boundary of a stock kernel with HIGHMEM, from the top down. */
static void with_highmem(void **state)
{
	static const struct {
		uint64_t addr;
		const char *name;
	} want[] = {
		{1ull << 32, ""},
		{0xff600000, "PKMAP_BASE"},
		{0xff5fe000, "VMALLOC_END"},
		{0xf7ffe000, "VMALLOC_START"},
		{0xf77fe000, "high_memory"},
		{0xc0000000, "PAGE_OFFSET"},
		{0, ""},
	};
	struct layout layout = build(&stock);

	(void)state;
	assert_int_equal(layout.count, sizeof(want) / sizeof(want[0]));
	for (uint32_t i = 0; i < layout.count; i++) {
		assert_int_equal(layout.rows[i].addr, want[i].addr);
		assert_string_equal(layout.rows[i].name, want[i].name);
	}
	assert_non_null(strstr(layout.rows[0].below, "persistent kmap"));
	assert_string_equal(row(&layout, "PKMAP_BASE")->source, "derived: VMALLOC_END + 8K");
	assert_string_equal(row(&layout, "high_memory")->source,
			    "/proc/kcore; 8M below VMALLOC_START");
	assert_string_equal(row(&layout, "PAGE_OFFSET")->below, "user space");
}

/* Without HIGHMEM there is no persistent kmap: fixmap begins right above VMALLOC_END. */
static void without_highmem(void **state)
{
	struct layout_input input = stock;
	struct layout layout;

	(void)state;
	input.highmem = false;
	layout = build(&input);
	assert_int_equal(layout.count, 6);
	assert_null(row(&layout, "PKMAP_BASE"));
	assert_null(strstr(layout.rows[0].below, "kmap"));
	assert_string_equal(layout.rows[1].name, "VMALLOC_END");
}

/* What is not known is left out, not guessed. */
static void unknown_boundaries(void **state)
{
	struct layout_input input = stock;
	struct layout layout;

	(void)state;
	input.high_memory = 0;
	layout = build(&input);
	assert_null(row(&layout, "high_memory"));
	assert_non_null(row(&layout, "PAGE_OFFSET"));
	assert_int_equal(layout.count, 6);
	input.page_offset = 0;
	layout = build(&input);
	assert_null(row(&layout, "PAGE_OFFSET"));
	assert_int_equal(layout.count, 5);
	input.highmem = false;
	assert_int_equal(build(&input).count, 4);
}

/* A high_memory that is not where the rule puts it is said to be so. */
static void odd_high_memory(void **state)
{
	struct layout_input input = stock;
	struct layout layout;

	(void)state;
	input.high_memory -= VMT_PAGE_SIZE;
	layout = build(&input);
	assert_string_equal(row(&layout, "high_memory")->source,
			    "/proc/kcore; not 8M below VMALLOC_START");
}

/* The output of print, which the caller frees. */
static char *printed(const struct layout *layout, bool json)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	if (json)
		assert_int_equal(layout_json(out, layout, "6.1.0 \"x\""), 0);
	else
		layout_text(out, layout, "6.1.0");
	assert_int_equal(fclose(out), 0);
	return text;
}

/* Text and JSON have every boundary, and 4G in full. */
static void output(void **state)
{
	struct layout layout = build(&stock);
	char *text = printed(&layout, false), *json = printed(&layout, true);

	(void)state;
	assert_non_null(strstr(text, "        4G +"));
	assert_non_null(strstr(text, "0xff5fe000 +"));
	assert_non_null(strstr(text, "VMALLOC_START  0xf7ffe000  /proc/kcore\n"));
	assert_non_null(strstr(text, "0x00000000 +"));
	assert_non_null(strstr(json, "{\"kernel\":\"6.1.0 \\\"x\\\"\",\"boundaries\":["));
	assert_non_null(strstr(json, "\"addr\":\"0x100000000\""));
	assert_non_null(strstr(json, "\"addr\":\"0xff600000\",\"name\":\"PKMAP_BASE\""));
	assert_int_equal(json[strlen(json) - 1], '\n');
	free(text);
	free(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_highmem),
		cmocka_unit_test(without_highmem),
		cmocka_unit_test(unknown_boundaries),
		cmocka_unit_test(odd_high_memory),
		cmocka_unit_test(output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
