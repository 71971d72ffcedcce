// SPDX-License-Identifier: GPL-2.0-only
/* The records of a .vmt file: the bytes become blocks, not packed, of a file that is right
 * otherwise. Two bytes of 0xff where a record would begin begin another block. */
#include "../unit/vmt_wrap.h"
#include "fuzz.h"

/* How many bytes from here on are of one block, and how many events it has. */
static size_t measure(const uint8_t *bytes, size_t len, uint32_t *events)
{
	size_t at = 0;

	*events = 0;
	while (len - at >= 4 && at < VMT_MAX_RAW / 2) {
		uint32_t record = bytes[at] | (uint32_t)bytes[at + 1] << 8;

		if (record == 0xffff)
			return at;
		/* What is no record is an event to nobody. */
		if (record < 4 || record % 4 || record > len - at)
			break;
		*events += bytes[at + 2] >= VMT_FIRST_EVENT;
		at += record;
	}
	return len < VMT_MAX_RAW ? len : VMT_MAX_RAW;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct names *names = names_new();
	struct stacks *stacks = stacks_new();
	struct vmt_file_header header = wrap_file_header();
	struct wrap wrap = { 0 };

	header.vmalloc_end = header.vmalloc_start + FUZZ_MAX_RANGE;
	wrap_header(&wrap, header);
	while (len) {
		struct vmt_block_header block = { 0 };
		size_t part = measure(bytes, len, &block.nr_events);

		wrap_block(&wrap, block, bytes, part);
		bytes += part;
		len -= part;
		if (len >= 2 && bytes[0] == 0xff && bytes[1] == 0xff) {
			bytes += 2;
			len -= 2;
		}
	}
	fuzz_read(input_memory(wrap.bytes, wrap.len), names, stacks, NULL, NULL);
	free(wrap.bytes);
	names_free(names);
	stacks_free(stacks);
	return 0;
}
