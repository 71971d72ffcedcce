/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A .vmt file as it comes to be: the header, blocks of records, packed or stored as they are, the
 * index and the trailer. Knows nothing of what the records say. What a write does not bring to its
 * end is cut away again, so that the file is whole up to its last block. Internal to vmt_write.
 */
#ifndef VMTRACE_RECORD_VMT_BLOCKS_H
#define VMTRACE_RECORD_VMT_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zstd.h>

#include "record/header.h"
#include "record/vmt_format.h"
#include "record/vmt_index.h"
#include "record/vmt_write.h"

struct vmt_blocks {
	int fd;
	bool can_go_back; /* what was written can be cut off or changed: no pipe, nothing before it
			   */
	bool thrifty;     /* as of vmt_writer_options */
	int failed;       /* -errno of the first write that failed */
	struct vmt_file_header header;
	uint64_t offset; /* the file up to here is whole */
	ZSTD_CCtx *zstd;
	uint8_t *stored; /* room for a header, then raw */
	uint8_t *raw;    /* the records of the block in hand */
	uint32_t used;   /* of raw */
	uint8_t *packed; /* header and payload, packed */
	size_t packed_size;
	struct vmt_block_header block; /* of what is in raw: events and times */
	uint64_t waiting_since_ns;     /* of what is in raw; 0 = not known */
	struct vmt_index index;
	struct vmt_writer_stats stats;
};

/* Begins a file in fd, as vmt_writer_open has it. 0 or -errno; vmt_blocks_release in any case. */
int vmt_blocks_open(struct vmt_blocks *blocks, int fd, const struct stream_header *header,
		    bool thrifty);
/* Closes the file as it is, except stdout. */
void vmt_blocks_release(struct vmt_blocks *blocks);

/* Writes what there is. 0 or -errno. */
int vmt_blocks_flush(struct vmt_blocks *blocks);
int vmt_blocks_tick(struct vmt_blocks *blocks, uint64_t now_ns);

/* Room for a record of len bytes, a multiple of 4 and not more than VMT_MAX_RECORD; NULL if a write
 * failed. */
static inline uint8_t *vmt_blocks_reserve(struct vmt_blocks *blocks, uint32_t len)
{
	uint8_t *at;

	if (blocks->used + len > VMT_BLOCK_RAW && vmt_blocks_flush(blocks) < 0)
		return NULL;
	at = blocks->raw + blocks->used;
	blocks->used += len;
	return at;
}

/* The record just made is that of an event. */
void vmt_blocks_count(struct vmt_blocks *blocks, const struct event *event);

/* How large the file would be if what is in hand were written as it is, and then ended. */
uint64_t vmt_blocks_size(const struct vmt_blocks *blocks);

/* As vmt_writer_end. */
int vmt_blocks_end(struct vmt_blocks *blocks, bool finished);

#endif
