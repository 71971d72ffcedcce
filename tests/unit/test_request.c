// SPDX-License-Identifier: GPL-2.0-only
/* Requests as words: what `fit -` reads from stdin. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "view/request.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static int parse(const char *text, struct fit_question *question, char why[256])
{
	char line[300];

	*question = (struct fit_question){.kind = KIND_VMALLOC, .align = 8192, .count = 7};
	snprintf(line, sizeof(line), "%s", text);
	why[0] = '\0';
	return request_parse_line(line, question, why, 256);
}

static void good(void **state)
{
	static const struct {
		const char *text;
		struct fit_question question;
	} cases[] = {
		{"1", {KIND_VMALLOC, 1, 8192, 7}},
		{"16M", {KIND_VMALLOC, 16u << 20, 8192, 7}},
		{"  0x1000\tkind=vmap \r", {KIND_VMAP, 4096, 8192, 7}},
		{"4K kind=ioremap align=4096 count=1", {KIND_IOREMAP, 4096, 4096, 1}},
		{"4K count=1000000 kind=module", {KIND_MODULE, 4096, 8192, 1000000}},
		{"4K kind=percpu kind=vm_map_ram", {KIND_VM_MAP_RAM, 4096, 8192, 7}},
		{"4K align=2G", {KIND_VMALLOC, 4096, 1u << 31, 7}},
	};
	struct fit_question got;
	char why[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse(cases[i].text, &got, why), 0);
		assert_int_equal(got.kind, cases[i].question.kind);
		assert_int_equal(got.bytes, cases[i].question.bytes);
		assert_int_equal(got.align, cases[i].question.align);
		assert_int_equal(got.count, cases[i].question.count);
	}
}

/* What is wrong is named, and nothing is believed. */
static void bad(void **state)
{
	static const char *const cases[][2] = {
		{"", "''"},
		{" \t", "''"},
		{"0", "'0'"},
		{"-1", "'-1'"},
		{"4G", "'4G'"},
		{"16X", "'16X'"},
		{"kind=vmap", "'kind=vmap'"},
		{"4K vmap", "'vmap'"},
		{"4K kind=", "'kind='"},
		{"4K kind=unknown", "'kind=unknown'"},
		{"4K kind=early", "'kind=early'"},
		{"4K kind=bpf", "'kind=bpf'"},
		{"4K align=1", "'align=1'"},
		{"4K align=0", "'align=0'"},
		{"4K align=12K", "'align=12K'"},
		{"4K count=0", "'count=0'"},
		{"4K count=1000001", "'count=1000001'"},
		{"4K count=99999999999999999999", "'count=99999999999999999999'"},
		{"4K count= 3", "'count='"},
		{"4K count=+3", "'count=+3'"},
		{"4K count=3x", "'count=3x'"},
		{"4K =", "'='"},
	};
	struct fit_question got;
	char why[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (parse(cases[i][0], &got, why) != -EINVAL || !strstr(why, cases[i][1]))
			fail_msg("'%s': '%s'", cases[i][0], why);
	}
}

/* A reason never runs over its buffer. */
static void long_word(void **state)
{
	char line[300], why[32];
	struct fit_question got;

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	assert_int_equal(request_parse_line(line, &got, why, sizeof(why)), -EINVAL);
	assert_int_equal(strlen(why), sizeof(why) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(bad),
		cmocka_unit_test(long_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
