// SPDX-License-Identifier: GPL-2.0-only
#include "record/vmt_blocks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/crc.h"

#define RAW_BYTES (VMT_BLOCK_RAW + VMT_MAX_RECORD) /* the last record may stick out */

/* ---- the file ---- */

static int write_all(struct vmt_blocks *blocks, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	while (len) {
		ssize_t done = write(blocks->fd, at, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? -errno : -EIO;
		at += done;
		len -= (size_t)done;
	}
	return 0;
}

/* False for stdout if it is a pipe, appends (>>), or stands behind what another program wrote. */
static bool can_go_back(int fd)
{
	return lseek(fd, 0, SEEK_CUR) == 0 && !(fcntl(fd, F_GETFL) & O_APPEND);
}

/* What cannot be cut keeps a block that is not whole, which readers can tell. */
static void cut(struct vmt_blocks *blocks, uint64_t offset)
{
	int err = blocks->can_go_back ? ftruncate(blocks->fd, (off_t)offset) : 0;

	(void)err;
}

/* Appends all of it, or nothing. */
static int append(struct vmt_blocks *blocks, const void *bytes, size_t len)
{
	int err;

	if (blocks->failed)
		return blocks->failed;
	err = write_all(blocks, bytes, len);
	if (!err) {
		blocks->offset += len;
		return 0;
	}
	blocks->failed = err;
	cut(blocks, blocks->offset);
	return err;
}

static void seal_header(struct vmt_file_header *header, uint32_t state)
{
	header->state = state;
	header->crc = 0;
	header->crc = crc_of(header, sizeof(*header));
}

static void seal_block(struct vmt_block_header *block, const void *payload)
{
	block->magic = VMT_BLOCK_MAGIC;
	block->payload_crc = crc_of(payload, block->stored_bytes);
	block->header_crc = crc_of(block, offsetof(struct vmt_block_header, header_crc));
}

static void begin_block(struct vmt_blocks *blocks)
{
	blocks->used = 0;
	blocks->waiting_since_ns = 0;
	blocks->block = (struct vmt_block_header){ .type = VMT_BLOCK_RECORDS,
						   .first_event = blocks->stats.events,
						   .first_ns = UINT64_MAX };
}

/* True if events come so fast that this block is not to be packed. */
static bool too_fast(const struct vmt_blocks *blocks)
{
	const struct vmt_block_header *block = &blocks->block;

	return blocks->thrifty && blocks->used > VMT_BLOCK_RAW / 2 &&
	       block->last_ns - block->first_ns <
		       blocks->used * UINT64_C(1000000000) / VMT_PACK_RATE;
}

/* The block in hand, header and payload: packed, or as it is if that is not smaller. */
static const uint8_t *pack(struct vmt_blocks *blocks)
{
	struct vmt_block_header *block = &blocks->block;
	uint8_t *whole = blocks->packed;
	size_t len = blocks->used;

	if (!too_fast(blocks))
		len = ZSTD_compress2(blocks->zstd, whole + sizeof(*block),
				     blocks->packed_size - sizeof(*block), blocks->raw,
				     blocks->used);
	block->raw_bytes = blocks->used;
	block->codec = VMT_ZSTD;
	if (ZSTD_isError(len) || len >= blocks->used) {
		block->codec = VMT_STORED;
		whole = blocks->stored;
		len = blocks->used;
	}
	block->stored_bytes = (uint32_t)len;
	seal_block(block, whole + sizeof(*block));
	memcpy(whole, block, sizeof(*block));
	return whole;
}

int vmt_blocks_flush(struct vmt_blocks *blocks)
{
	struct vmt_block_header *block = &blocks->block;
	struct vmt_index_entry entry = { .offset = blocks->offset,
					 .first_event = block->first_event };
	const uint8_t *whole;
	int err;

	if (blocks->failed || !blocks->used)
		return blocks->failed;
	if (!block->nr_events)
		block->first_ns = 0;
	whole = pack(blocks);
	err = append(blocks, whole, sizeof(*block) + block->stored_bytes);
	if (err)
		return err;
	entry.first_ns = block->first_ns;
	entry.last_ns = block->last_ns;
	/* Without memory the index lacks a block, which it may anyway. */
	vmt_index_add(&blocks->index, &entry);
	blocks->stats.written = blocks->stats.events;
	blocks->stats.blocks++;
	begin_block(blocks);
	return 0;
}

int vmt_blocks_tick(struct vmt_blocks *blocks, uint64_t now_ns)
{
	if (!blocks->used)
		return blocks->failed;
	if (!blocks->waiting_since_ns)
		blocks->waiting_since_ns = now_ns;
	if (now_ns - blocks->waiting_since_ns < VMT_BLOCK_NS)
		return blocks->failed;
	return vmt_blocks_flush(blocks);
}

void vmt_blocks_count(struct vmt_blocks *blocks, const struct event *event)
{
	struct vmt_block_header *block = &blocks->block;

	block->nr_events++;
	if (event->t_ns < block->first_ns)
		block->first_ns = event->t_ns;
	if (event->t_ns > block->last_ns)
		block->last_ns = event->t_ns;
	blocks->stats.events++;
	if (event->type == EV_LOST && lost_cause_hurts_map(event->state))
		blocks->stats.lost += event->count;
}

uint64_t vmt_blocks_size(const struct vmt_blocks *blocks)
{
	return blocks->offset + blocks->used + sizeof(struct vmt_trailer) +
	       3 * sizeof(struct vmt_block_header) +
	       (vmt_index_next_count(&blocks->index) + 1) * sizeof(struct vmt_index_entry);
}

/* ---- begin and end ---- */

static void fill_header(struct vmt_file_header *file, const struct stream_header *header)
{
	memcpy(file->magic, VMT_MAGIC, VMT_MAGIC_LEN);
	file->version = VMT_VERSION;
	file->header_bytes = sizeof(*file);
	file->page_size = VMT_PAGE_SIZE;
	file->vmalloc_start = header->vmalloc_start;
	file->vmalloc_end = header->vmalloc_end;
	file->start_ns = header->start_ns;
	file->start_wall_ns = header->start_wall_ns;
	file->cpus = header->cpus;
	file->sequence = header->sequence;
	file->pmd_bytes = header->pmd_bytes;
	file->known = header->exact_pages ? VMT_KNOWN_EXACT_PAGES : 0;
	snprintf(file->kernel, sizeof(file->kernel), "%s", header->kernel);
	snprintf(file->hostname, sizeof(file->hostname), "%s", header->hostname);
	snprintf(file->tool, sizeof(file->tool), "%s", header->tool);
	seal_header(file, VMT_UNFINISHED);
}

/*
 * The fastest strategy with matches from 4 bytes on, which a 32-bit machine finds without 64-bit
 * arithmetic, and every other position tried: a fifth less work than level 1, a tenth more bytes.
 */
static ZSTD_CCtx *make_zstd(void)
{
	static const struct {
		ZSTD_cParameter parameter;
		int value;
	} settings[] = {
		{ ZSTD_c_compressionLevel, 1 }, { ZSTD_c_strategy, ZSTD_fast },
		{ ZSTD_c_windowLog, 17 },       { ZSTD_c_hashLog, 12 },
		{ ZSTD_c_minMatch, 4 },         { ZSTD_c_targetLength, 2 },
	};
	ZSTD_CCtx *zstd = ZSTD_createCCtx();

	for (size_t i = 0; zstd && i < sizeof(settings) / sizeof(settings[0]); i++)
		ZSTD_CCtx_setParameter(zstd, settings[i].parameter, settings[i].value);
	return zstd;
}

static int allocate(struct vmt_blocks *blocks)
{
	blocks->packed_size = sizeof(struct vmt_block_header) + ZSTD_compressBound(RAW_BYTES);
	blocks->packed = malloc(blocks->packed_size);
	blocks->stored = malloc(sizeof(struct vmt_block_header) + RAW_BYTES);
	blocks->zstd = make_zstd();
	if (!blocks->packed || !blocks->stored || !blocks->zstd)
		return -ENOMEM;
	blocks->raw = blocks->stored + sizeof(struct vmt_block_header);
	return 0;
}

int vmt_blocks_open(struct vmt_blocks *blocks, int fd, const struct stream_header *header,
		    bool thrifty)
{
	int err;

	memset(blocks, 0, sizeof(*blocks));
	blocks->fd = fd;
	blocks->can_go_back = can_go_back(fd);
	blocks->thrifty = thrifty;
	fill_header(&blocks->header, header);
	begin_block(blocks);
	err = allocate(blocks);
	return err ? err : append(blocks, &blocks->header, sizeof(blocks->header));
}

void vmt_blocks_release(struct vmt_blocks *blocks)
{
	if (blocks->fd != STDOUT_FILENO)
		close(blocks->fd);
	ZSTD_freeCCtx(blocks->zstd);
	vmt_index_release(&blocks->index);
	free(blocks->stored);
	free(blocks->packed);
}

static int write_index(struct vmt_blocks *blocks)
{
	uint32_t bytes = (uint32_t)(blocks->index.count * sizeof(struct vmt_index_entry));
	struct vmt_block_header block = { .type = VMT_BLOCK_INDEX,
					  .stored_bytes = bytes,
					  .raw_bytes = bytes,
					  .first_event = blocks->stats.events };
	int err;

	seal_block(&block, blocks->index.entries ? (void *)blocks->index.entries : "");
	err = append(blocks, &block, sizeof(block));
	return err ? err : append(blocks, blocks->index.entries, bytes);
}

static int write_trailer(struct vmt_blocks *blocks, uint64_t index_offset)
{
	struct vmt_trailer trailer = {
		.magic = VMT_TRAILER_MAGIC,
		.index_offset = index_offset,
		.events = blocks->stats.events,
		.lost = blocks->stats.lost,
		.bytes = blocks->offset + sizeof(trailer),
	};

	trailer.crc = crc_of(&trailer, sizeof(trailer));
	return append(blocks, &trailer, sizeof(trailer));
}

/* Where the header cannot be written again, the trailer alone tells. */
static int mark_finished(struct vmt_blocks *blocks)
{
	size_t at = offsetof(struct vmt_file_header, state);
	ssize_t done;

	if (!blocks->can_go_back)
		return 0;
	seal_header(&blocks->header, VMT_FINISHED);
	do {
		done = pwrite(blocks->fd, (uint8_t *)&blocks->header + at, 8, (off_t)at);
	} while (done < 0 && errno == EINTR);
	if (done == 8)
		return 0;
	return done < 0 ? -errno : -EIO;
}

int vmt_blocks_end(struct vmt_blocks *blocks, bool finished)
{
	int err = vmt_blocks_flush(blocks);
	uint64_t blocks_end = blocks->offset;

	if (!err && finished)
		err = write_index(blocks);
	if (!err && finished)
		err = write_trailer(blocks, blocks_end);
	if (!err && finished)
		err = mark_finished(blocks);
	if (!err)
		return 0;
	/* An index without its trailer is of no use. */
	if (blocks->offset != blocks_end)
		cut(blocks, blocks_end);
	blocks->offset = blocks_end;
	return err;
}
