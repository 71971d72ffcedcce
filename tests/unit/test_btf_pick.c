// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture/btf_pick.h"

#define KNOWN   "6.1.0-50-686-pae"
#define UNKNOWN "6.1.0-50-686-pa"

static const struct btf_embedded table[] = {
	{ .name = "5.10.0-32-686" },
	{ .name = BTF_GENERIC },
	{ .name = KNOWN },
};

static const struct btf_embedded *const generic = &table[1], *const known = &table[2];

static void picks(const char *wish, bool kernel_has_btf, const char *release, enum btf_from from,
		  const struct btf_embedded *wanted)
{
	const struct btf_embedded *entry = &table[0];

	assert_int_equal(btf_pick(wish, kernel_has_btf, release, table, 3, &entry), from);
	assert_ptr_equal(entry, wanted);
}

static void without_a_wish(void **state)
{
	(void)state;
	picks(NULL, true, KNOWN, BTF_FROM_KERNEL, NULL);
	picks(NULL, false, KNOWN, BTF_FROM_EMBEDDED, known);
	picks(NULL, false, UNKNOWN, BTF_FROM_GENERIC, generic);
	picks(NULL, false, "6.1.0-50-686-pae+", BTF_FROM_GENERIC, generic);
	picks(NULL, false, "", BTF_FROM_GENERIC, generic);
}

static void a_file_wins(void **state)
{
	(void)state;
	picks("some.btf", true, KNOWN, BTF_FROM_FILE, NULL);
	picks("some.btf", false, KNOWN, BTF_FROM_FILE, NULL);
	picks("./generic", false, KNOWN, BTF_FROM_FILE, NULL);
	picks("embedded.btf", false, KNOWN, BTF_FROM_FILE, NULL);
	picks("", true, KNOWN, BTF_FROM_FILE, NULL);
}

static void generic_is_forced(void **state)
{
	(void)state;
	picks(BTF_GENERIC, true, KNOWN, BTF_FROM_GENERIC, generic);
	picks(BTF_GENERIC, false, UNKNOWN, BTF_FROM_GENERIC, generic);
}

static void embedded_is_forced(void **state)
{
	(void)state;
	picks(BTF_EMBEDDED, true, KNOWN, BTF_FROM_EMBEDDED, known);
	picks(BTF_EMBEDDED, true, UNKNOWN, BTF_FROM_NOWHERE, NULL);
	picks(BTF_EMBEDDED, false, UNKNOWN, BTF_FROM_NOWHERE, NULL);
}

static void an_empty_table(void **state)
{
	const struct btf_embedded *entry = &table[0];

	(void)state;
	assert_int_equal(btf_pick(NULL, false, KNOWN, NULL, 0, &entry), BTF_FROM_NOWHERE);
	assert_null(entry);
	assert_int_equal(btf_pick(BTF_GENERIC, true, KNOWN, NULL, 0, &entry), BTF_FROM_NOWHERE);
	assert_null(entry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_wish),    cmocka_unit_test(a_file_wins),
		cmocka_unit_test(generic_is_forced), cmocka_unit_test(embedded_is_forced),
		cmocka_unit_test(an_empty_table),
	};

	return cmocka_run_group_tests_name("btf_pick", tests, NULL, NULL);
}
