// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "export/clean.h"
#include "utf8.h"

static void rules(void **state)
{
	static const struct {
		const char *text;
		const char *clean;
		const char *frame; /* NULL: as clean */
	} rows[] = {
		{ "", "", NULL },
		{ "vmalloc+0x6f", "vmalloc+0x6f", NULL },
		{ "ring_alloc+0x41 [foo]", "ring_alloc+0x41 [foo]", NULL },
		{ "a;b 12 34", "a;b 12 34", "a:b_12_34" },
		{ "a\nb\r\tc\x7f\x1b[0m", "a?b??c??[0m", NULL },
		{ "na\xc3\xafve", "na\xc3\xafve", NULL },
		{ "\xc2\x9b" "31m", "?31m", NULL },				/* C1: CSI */
		{ "\xc2\xa0", "\xc2\xa0", NULL },				/* no control */
		{ "a\xe2\x80\xaf" "b", "a\xe2\x80\xaf" "b", NULL },		/* U+202F */
		{ "\xe2\x80\xa8\xe2\x80\xae\xe2\x81\xa6x", "???x", NULL },
		{ "a\xff" "b", "a" UTF8_REPLACEMENT "b", NULL },
		{ "\xc0\xaf", UTF8_REPLACEMENT UTF8_REPLACEMENT, NULL },	/* overlong '/' */
		{ "\xed\xa0\x80", UTF8_REPLACEMENT UTF8_REPLACEMENT UTF8_REPLACEMENT, NULL },
		{ "\xf4\x90\x80\x80x", UTF8_REPLACEMENT UTF8_REPLACEMENT UTF8_REPLACEMENT
				       UTF8_REPLACEMENT "x", NULL },		/* above U+10FFFF */
		{ "\xe2\x82", UTF8_REPLACEMENT UTF8_REPLACEMENT, NULL },	/* cut off */
		{ "\xe2\x82\xac\xf0\x9f\x98\x80", "\xe2\x82\xac\xf0\x9f\x98\x80", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *clean = clean_text(rows[i].text, CLEAN_TEXT);
		char *frame = clean_text(rows[i].text, CLEAN_FRAME);

		assert_string_equal(clean, rows[i].clean);
		assert_string_equal(frame, rows[i].frame ? rows[i].frame : rows[i].clean);
		free(clean);
		free(frame);
	}
}

/* Whatever the bytes, the result is UTF-8 without a control character. */
static void any_bytes(void **state)
{
	uint32_t rng = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char text[16];
		char *clean;

		for (size_t i = 0; i < sizeof(text); i++) {
			rng = rng * 1664525 + 1013904223;
			text[i] = (char)(rng >> 24);
		}
		text[sizeof(text) - 1] = '\0';
		clean = clean_text(text, round % 2 ? CLEAN_TEXT : CLEAN_FRAME);
		for (const char *at = clean; *at; at += utf8_len(at)) {
			assert_true(utf8_len(at) > 0);
			assert_true((unsigned char)*at >= 0x20 && *at != 0x7f);
		}
		free(clean);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules),
		cmocka_unit_test(any_bytes),
	};

	return cmocka_run_group_tests_name("clean", tests, NULL, NULL);
}
