// SPDX-License-Identifier: GPL-2.0-only
/* src/capture/modules: /proc/modules as kernels print it, and as they do not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/modules.h"

static int parse(const char *text, struct names *names, struct modules *modules)
{
	size_t len = strlen(text);
	char *copy = malloc(len ? len : 1); /* ASan sees what is read beyond */
	int err;

	memcpy(copy, text, len);
	err = modules_parse(copy, len, names, modules);
	free(copy);
	return err;
}

static void test_real(void **state)
{
	/* 6.1.0-50-686-pae, and a kernel without CONFIG_MODULE_UNLOAD */
	static const char text[] =
		"vmtest 24576 0 - Live 0xf8a1c000 (OE)\n"
		"nf_conntrack 143360 3 nf_nat,xt_conntrack,nft_ct, Live 0xf8b00000\n"
		"crc16 16384 1 ext4,[permanent], Loading 0x00000000\n"
		"loop 32768 - - Live 0xf8000000";
	struct names *names = names_new();
	struct modules modules;

	(void)state;
	assert_int_equal(parse(text, names, &modules), 0);
	assert_int_equal(modules.count, 4);
	assert_string_equal(names_text(names, modules.list[0].name_id), "vmtest");
	assert_int_equal(modules.list[0].bytes, 24576);
	assert_int_equal(modules.list[0].start, 0xf8a1c000);
	assert_string_equal(names_text(names, modules.list[1].name_id), "nf_conntrack");
	assert_int_equal(modules.list[1].start, 0xf8b00000);
	assert_int_equal(modules.list[2].start, 0);
	assert_int_equal(modules.list[3].bytes, 32768);
	modules_release(&modules);
	modules_release(&modules);
	names_free(names);
}

static void test_hostile(void **state)
{
	static const char *const bad[] = {
		"", "\n\n\n", " ", "x", "x 1", "x 1 1 - Live", "x 1 1 - Live \n", "x 1 1 - Live 0x\n",
		"x 1 1 - Live f8000000\n", "x -1 1 - Live 0xf8000000\n", "x 1 1 - Live 0x100000000\n",
		"x 4294967296 1 - Live 0xf8000000\n", " 1 1 - Live 0xf8000000\n",
		"x 1 1 - Live 0xf80000001234567890123456789012345\n", "x  1 - Live 0xf8000000\n",
		"0123456789012345678901234567890123456789012345678901234567890123456 1 1 - Live 0x1\n",
	};
	struct names *names = names_new();
	struct modules modules;
	char *many = malloc(6000 * 24 + 1), *at = many;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(bad[i], names, &modules), 0);
		if (modules.count)
			fail_msg("'%s' was taken", bad[i]);
		modules_release(&modules);
	}
	for (unsigned int i = 0; i < 6000; i++)
		at += sprintf(at, "m%u 1 1 - Live 0x%x\n", i, i);
	assert_int_equal(parse(many, names, &modules), 0);
	assert_int_equal(modules.count, 4096);
	modules_release(&modules);
	free(many);
	assert_int_equal(modules_read("/nonexistent", names, &modules), -ENOENT);
	modules_release(&modules);
	names_free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
