// SPDX-License-Identifier: GPL-2.0-only
/* .vmt files made by hand, with right checksums around whatever records one likes. Not by the
 * writer, so that both do not err together. */
#ifndef TESTS_VMT_WRAP_H
#define TESTS_VMT_WRAP_H

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "record/vmt_format.h"

struct wrap {
	uint8_t *bytes;
	size_t len;
	uint64_t events;
	uint64_t index_offset;
};

static inline void wrap_add(struct wrap *wrap, const void *bytes, size_t len)
{
	wrap->bytes = realloc(wrap->bytes, wrap->len + len + 1);
	if (len)
		memcpy(wrap->bytes + wrap->len, bytes, len);
	wrap->len += len;
}

static inline struct vmt_file_header wrap_file_header(void)
{
	return (struct vmt_file_header){ .magic = VMT_MAGIC, .version = 1,
					 .header_bytes = sizeof(struct vmt_file_header),
					 .page_size = 4096, .state = VMT_UNFINISHED,
					 .vmalloc_start = 0xf77fe000, .vmalloc_end = 0xfeffe000,
					 .cpus = 2, .kernel = "6.1.0-47-686-pae" };
}

static inline void wrap_header(struct wrap *wrap, struct vmt_file_header header)
{
	header.crc = 0;
	header.crc = (uint32_t)crc32(0, (uint8_t *)&header, sizeof(header));
	wrap_add(wrap, &header, sizeof(header));
}

/* What is 0 in block is filled in. */
static inline void wrap_block(struct wrap *wrap, struct vmt_block_header block, const void *payload,
			      size_t len)
{
	block.magic = VMT_BLOCK_MAGIC;
	block.type = block.type ? block.type : VMT_BLOCK_RECORDS;
	block.stored_bytes = block.stored_bytes ? block.stored_bytes : (uint32_t)len;
	block.raw_bytes = block.raw_bytes ? block.raw_bytes : (uint32_t)len;
	block.first_event = block.first_event ? block.first_event : wrap->events;
	block.payload_crc = (uint32_t)crc32(0, payload, (uInt)len);
	block.header_crc = (uint32_t)crc32(0, (uint8_t *)&block,
					   offsetof(struct vmt_block_header, header_crc));
	if (block.type == VMT_BLOCK_INDEX)
		wrap->index_offset = wrap->len;
	wrap->events += block.nr_events;
	wrap_add(wrap, &block, sizeof(block));
	wrap_add(wrap, payload, len);
}

static inline void wrap_trailer(struct wrap *wrap)
{
	struct vmt_trailer trailer = { .magic = VMT_TRAILER_MAGIC,
				       .index_offset = wrap->index_offset,
				       .events = wrap->events };

	trailer.bytes = wrap->len + sizeof(trailer);
	trailer.crc = (uint32_t)crc32(0, (uint8_t *)&trailer, sizeof(trailer));
	wrap_add(wrap, &trailer, sizeof(trailer));
}

#endif
