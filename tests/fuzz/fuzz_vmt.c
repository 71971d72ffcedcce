// SPDX-License-Identifier: GPL-2.0-only
/* A .vmt file: as it is, and again with its checksums put right, so that they hide nothing. */
#include <zlib.h>

#include "fuzz.h"
#include "record/vmt_format.h"

static void read_file(const uint8_t *bytes, size_t len)
{
	struct names *names = names_new();
	struct stacks *stacks = stacks_new();

	fuzz_read(input_memory(bytes, len), names, stacks, NULL, NULL);
	names_free(names);
	stacks_free(stacks);
}

static void put_crc(uint8_t *at, const uint8_t *from, size_t len)
{
	uint32_t crc = (uint32_t)crc32(0, from, (uInt)len);

	memcpy(at, &crc, sizeof(crc));
}

/* Puts right the checksums of a struct of which the crc is the member at crc_at. */
static void mend(uint8_t *bytes, size_t len, size_t crc_at)
{
	memset(bytes + crc_at, 0, 4);
	put_crc(bytes + crc_at, bytes, len);
}

/* One block, or the trailer. Its length, 0 = there is none. */
static size_t mend_block(uint8_t *bytes, size_t len)
{
	struct vmt_block_header block;

	if (len >= sizeof(struct vmt_trailer) && !memcmp(bytes, "VMTT", 4))
		mend(bytes, sizeof(struct vmt_trailer), offsetof(struct vmt_trailer, crc));
	if (len < sizeof(block))
		return 0;
	memcpy(&block, bytes, sizeof(block));
	if (block.magic != VMT_BLOCK_MAGIC || block.stored_bytes > len - sizeof(block))
		return 0;
	put_crc(bytes + offsetof(struct vmt_block_header, payload_crc), bytes + sizeof(block),
		block.stored_bytes);
	put_crc(bytes + offsetof(struct vmt_block_header, header_crc), bytes,
		offsetof(struct vmt_block_header, header_crc));
	return sizeof(block) + block.stored_bytes;
}

static void mend_file(uint8_t *bytes, size_t len)
{
	struct vmt_file_header header;
	size_t at, block;

	if (len < sizeof(header))
		return;
	memcpy(&header, bytes, sizeof(header));
	if (header.header_bytes < sizeof(header) || header.header_bytes > len)
		return;
	mend(bytes, header.header_bytes, offsetof(struct vmt_file_header, crc));
	at = header.header_bytes;
	while ((block = mend_block(bytes + at, len - at)) != 0)
		at += block;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	FUZZ_CHECK(copy);
	memcpy(copy, bytes, len);
	read_file(bytes, len);
	mend_file(copy, len);
	read_file(copy, len);
	free(copy);
	return 0;
}
