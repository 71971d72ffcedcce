// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "capture/wire.h"

static int len_of(uint16_t type, uint8_t nr_frames, uint32_t len)
{
	union {
		struct wire_head head;
		uint8_t bytes[WIRE_MAX_LEN];
	} record;

	memset(&record, 0, sizeof(record));
	record.head.type = type;
	record.head.nr_frames = nr_frames;
	return wire_record_len(&record, len);
}

/* As the BPF side sends them, and padded. */
static void lengths(void **state)
{
	(void)state;
	assert_int_equal(len_of(WIRE_FREE, 0, 48), 48);
	assert_int_equal(len_of(WIRE_FREE, 0, 52), 48);
	assert_int_equal(len_of(WIRE_PURGE, 0, 60), 56);
	assert_int_equal(len_of(WIRE_VFREE, 0, 60), 56);
	assert_int_equal(len_of(WIRE_ALLOC, 0, 100), 96);
	assert_int_equal(len_of(WIRE_FAIL, 3, 108), 108);
	assert_int_equal(len_of(WIRE_ALLOC, VMT_MAX_FRAMES, WIRE_MAX_LEN), WIRE_MAX_LEN);
	assert_int_equal(WIRE_MAX_LEN, 192);
}

/* Frames belong to allocations only. */
static void frames_of_others(void **state)
{
	(void)state;
	assert_int_equal(len_of(WIRE_FREE, 200, 48), 48);
}

static void hostile(void **state)
{
	(void)state;
	assert_int_equal(len_of(WIRE_FREE, 0, 0), -EBADMSG);
	assert_int_equal(len_of(WIRE_FREE, 0, 47), -EBADMSG);
	assert_int_equal(len_of(WIRE_PURGE, 0, 55), -EBADMSG);
	assert_int_equal(len_of(WIRE_VFREE, 0, 48), -EBADMSG);
	assert_int_equal(len_of(WIRE_ALLOC, 0, 95), -EBADMSG);
	assert_int_equal(len_of(WIRE_ALLOC, 2, 103), -EBADMSG);
	assert_int_equal(len_of(WIRE_ALLOC, VMT_MAX_FRAMES + 1, WIRE_MAX_LEN), -EBADMSG);
	assert_int_equal(len_of(0, 0, 192), -EBADMSG);
	assert_int_equal(len_of(WIRE_VFREE + 1, 0, 192), -EBADMSG);
	assert_int_equal(len_of(0xffff, 0, 192), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths),
		cmocka_unit_test(frames_of_others),
		cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
