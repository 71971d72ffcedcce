// SPDX-License-Identifier: GPL-2.0-only
#include "record/vmt_read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>

#include "record/crc.h"
#include "record/vmt_define.h"
#include "record/vmt_record.h"

struct vmt_reader {
	struct input *input;
	struct stream_header header;
	bool was_finished; /* the file header says so */
	/* The piece in hand (a header, a payload, the trailer), as far as it is read. */
	uint8_t *piece;
	size_t piece_size;
	size_t have;
	uint64_t offset;       /* where the piece begins in the file */
	uint64_t block_offset; /* header of the block in hand */
	uint64_t index_offset; /* 0 = no index so far */
	bool in_payload;       /* the piece is the payload of block */
	bool in_block;         /* its records are in raw, and not all handed out */
	struct vmt_block_header block;
	uint8_t *raw; /* its records */
	size_t raw_size;
	uint32_t raw_len;
	uint32_t at;
	uint32_t block_events;
	ZSTD_DCtx *zstd;
	struct vmt_defined defined;
	struct vmt_decoder decoder;
	uint64_t events;
	uint64_t blocks;
	enum vmt_end end;
	char why[320];
};

/* ---- how it ends ---- */

__attribute__((cold, format(printf, 3, 4))) static int
damaged(struct vmt_reader *reader, uint64_t offset, const char *format, ...)
{
	char what[160];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	reader->end = VMT_END_DAMAGED;
	snprintf(reader->why, sizeof(reader->why),
		 "is damaged at offset %" PRIu64 ": %s; the %" PRIu64
		 " events before it were read, the rest was not",
		 offset, what, reader->events);
	return 0;
}

static int cut_off(struct vmt_reader *reader)
{
	uint64_t end = reader->offset + reader->have;
	int len = snprintf(reader->why, sizeof(reader->why),
			   "%s: %" PRIu64 " events in %" PRIu64 " block%s were read",
			   reader->was_finished
				   ? "was cut off"
				   : "was not finished (its recorder was killed, or still writes)",
			   reader->events, reader->blocks, reader->blocks == 1 ? "" : "s");

	reader->end = VMT_END_CUT;
	if (end > reader->block_offset && len > 0 && (size_t)len < sizeof(reader->why))
		snprintf(reader->why + len, sizeof(reader->why) - (size_t)len,
			 "; what follows, %" PRIu64 " bytes from offset %" PRIu64
			 " on, is no whole block",
			 end - reader->block_offset, reader->block_offset);
	return 0;
}

/* ---- pieces ---- */

static int reserve(uint8_t **bytes, size_t *size, size_t need)
{
	uint8_t *larger;

	if (need <= *size)
		return 0;
	larger = realloc(*bytes, need);
	if (!larger)
		return -ENOMEM;
	*bytes = larger;
	*size = need;
	return 0;
}

/* Reads until the piece has len bytes: 1; 0 = the file ends before; or -errno, then what was read
 * stays for the next call. */
static int fill(struct vmt_reader *reader, size_t len)
{
	int err = reserve(&reader->piece, &reader->piece_size, len);

	if (err < 0)
		return err;
	while (reader->have < len) {
		int64_t got =
			input_read(reader->input, reader->piece + reader->have, len - reader->have);

		if (got <= 0)
			return (int)got;
		reader->have += (size_t)got;
	}
	return 1;
}

static void next_piece(struct vmt_reader *reader)
{
	reader->offset += reader->have;
	reader->have = 0;
}

/* ---- the file header ---- */

static bool text_ok(const char *text, size_t size)
{
	return memchr(text, 0, size) != NULL;
}

static int take_header(struct vmt_reader *reader, const struct vmt_file_header *file)
{
	struct stream_header *header = &reader->header;

	reader->was_finished = file->state == VMT_FINISHED;
	header->vmalloc_start = file->vmalloc_start;
	header->vmalloc_end = file->vmalloc_end;
	header->cpus = file->cpus;
	header->sequence = file->sequence;
	header->pmd_bytes = file->pmd_bytes;
	header->exact_pages = file->known & VMT_KNOWN_EXACT_PAGES;
	header->start_ns = file->start_ns;
	header->start_wall_ns = file->start_wall_ns;
	if (!text_ok(file->kernel, sizeof(file->kernel)) ||
	    !text_ok(file->hostname, sizeof(file->hostname)) ||
	    !text_ok(file->tool, sizeof(file->tool))) {
		snprintf(reader->why, sizeof(reader->why), "a text of its header has no end");
		return -EBADMSG;
	}
	strcpy(header->kernel, file->kernel);
	strcpy(header->hostname, file->hostname);
	strcpy(header->tool, file->tool);
	return stream_header_ok(header, reader->why, sizeof(reader->why)) ? 0 : -EBADMSG;
}

__attribute__((format(printf, 2, 3))) static int refuse(struct vmt_reader *reader,
							const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reader->why, sizeof(reader->why), format, args);
	va_end(args);
	return -EBADMSG;
}

static bool header_crc_ok(const struct vmt_file_header *file, const uint8_t *bytes)
{
	static const uint8_t zeros[4];
	const size_t at = offsetof(struct vmt_file_header, crc);
	uLong crc = crc32(0, bytes, (uInt)at);

	crc = crc32(crc, zeros, sizeof(zeros));
	crc = crc32(crc, bytes + at + 4, (uInt)(file->header_bytes - at - 4));
	return (uint32_t)crc == file->crc;
}

static int read_header(struct vmt_reader *reader)
{
	struct vmt_file_header file;
	int got = fill(reader, sizeof(file));

	if (got < 0)
		return got;
	if (reader->have < VMT_MAGIC_LEN || memcmp(reader->piece, VMT_MAGIC, VMT_MAGIC_LEN))
		return refuse(reader, "it does not begin as one: not a vmtrace recording");
	if (!got)
		return refuse(reader, "it ends inside its header, at offset %zu", reader->have);
	memcpy(&file, reader->piece, sizeof(file));
	if (file.version != VMT_VERSION)
		return refuse(reader, "its version is %u; this vmtrace reads version %u",
			      file.version, VMT_VERSION);
	if (file.header_bytes < sizeof(file) || file.header_bytes > VMT_MAX_HEADER)
		return refuse(reader, "its header has %u bytes, not %zu to %u", file.header_bytes,
			      sizeof(file), VMT_MAX_HEADER);
	got = fill(reader, file.header_bytes);
	if (got < 0)
		return got;
	if (!got)
		return refuse(reader, "it ends inside its header, at offset %zu", reader->have);
	if (!header_crc_ok(&file, reader->piece))
		return refuse(reader, "the checksum of its header, at offset 0, is wrong");
	if (file.page_size != VMT_PAGE_SIZE)
		return refuse(reader, "its page size is %" PRIu32 ", not %u", file.page_size,
			      VMT_PAGE_SIZE);
	next_piece(reader);
	reader->block_offset = reader->offset;
	return take_header(reader, &file);
}

int vmt_open(struct input *input, struct names *names, struct stacks *stacks,
	     struct vmt_reader **reader, char *why, size_t why_len)
{
	struct vmt_reader *new = calloc(1, sizeof(*new));
	int err;

	*reader = NULL;
	if (!new)
		return -ENOMEM;
	new->input = input;
	new->zstd = ZSTD_createDCtx();
	err = new->zstd ? vmt_defined_init(&new->defined, names, stacks) : -ENOMEM;
	if (!err)
		err = read_header(new);
	if (err) {
		if (err == -EBADMSG)
			snprintf(why, why_len, "%s", new->why);
		vmt_close(new);
		return err;
	}
	new->decoder.header = &new->header;
	*reader = new;
	return 0;
}

void vmt_close(struct vmt_reader *reader)
{
	if (!reader)
		return;
	ZSTD_freeDCtx(reader->zstd);
	vmt_defined_release(&reader->defined);
	free(reader->piece);
	free(reader->raw);
	free(reader);
}

/* ---- blocks ---- */

static bool all_zero(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i])
			return false;
	}
	return true;
}

static int check_block(struct vmt_reader *reader, const struct vmt_block_header *block)
{
	/* After a power cut a file may end in zeros that were never written. */
	if (all_zero(reader->piece, sizeof(*block)))
		return cut_off(reader);
	if (block->magic != VMT_BLOCK_MAGIC)
		return damaged(reader, reader->offset, "no block begins there");
	if (block->header_crc != crc_of(block, offsetof(struct vmt_block_header, header_crc)))
		return damaged(reader, reader->offset, "the checksum of a block's header is wrong");
	if (reader->index_offset)
		return damaged(reader, reader->offset, "a block behind the index");
	if (block->raw_bytes > VMT_MAX_RAW || block->stored_bytes > block->raw_bytes)
		return damaged(reader, reader->offset,
			       "a block of %" PRIu32 " bytes, unpacked %" PRIu32,
			       block->stored_bytes, block->raw_bytes);
	if (block->first_event != reader->events)
		return damaged(reader, reader->offset,
			       "the block begins with event %" PRIu64 ", not %" PRIu64,
			       block->first_event, reader->events);
	return 1;
}

static int unpack(struct vmt_reader *reader, const struct vmt_block_header *block)
{
	int err = reserve(&reader->raw, &reader->raw_size, block->raw_bytes);
	size_t len = block->stored_bytes;

	if (err < 0)
		return err;
	if (block->codec == VMT_ZSTD)
		len = ZSTD_decompressDCtx(reader->zstd, reader->raw, block->raw_bytes,
					  reader->piece, block->stored_bytes);
	else if (block->codec != VMT_STORED)
		return damaged(reader, reader->block_offset, "a block is packed in the way %u",
			       block->codec);
	else if (block->stored_bytes)
		memcpy(reader->raw, reader->piece, block->stored_bytes);
	if (ZSTD_isError(len) || len != block->raw_bytes)
		return damaged(reader, reader->block_offset, "a block cannot be unpacked");
	reader->raw_len = block->raw_bytes;
	reader->at = 0;
	reader->block_events = 0;
	reader->in_block = true;
	return 1;
}

/* The payload of reader->block is in the piece. 1 or an end, or -ENOMEM. */
static int take_payload(struct vmt_reader *reader)
{
	const struct vmt_block_header *block = &reader->block;
	int err = 1;

	if (block->payload_crc != crc_of(reader->piece, block->stored_bytes))
		return damaged(reader, reader->block_offset, "the checksum of a block is wrong");
	if (block->type == VMT_BLOCK_INDEX)
		reader->index_offset = reader->block_offset;
	else if (block->type == VMT_BLOCK_RECORDS)
		err = unpack(reader, block);
	if (err <= 0)
		return err;
	next_piece(reader);
	reader->in_payload = false;
	if (block->type != VMT_BLOCK_RECORDS)
		reader->block_offset = reader->offset;
	return 1;
}

/* The trailer is in the piece. */
static int take_trailer(struct vmt_reader *reader)
{
	struct vmt_trailer trailer;
	uint32_t crc;
	int got;

	memcpy(&trailer, reader->piece, sizeof(trailer));
	crc = trailer.crc;
	trailer.crc = 0;
	if (crc != crc_of(&trailer, sizeof(trailer)))
		return damaged(reader, reader->offset, "the checksum of the trailer is wrong");
	if (trailer.events != reader->events || trailer.index_offset != reader->index_offset ||
	    trailer.bytes != reader->offset + sizeof(trailer))
		return damaged(reader, reader->offset, "the trailer is not of this file");
	got = fill(reader, sizeof(trailer) + 1);
	if (got < 0)
		return got;
	if (got)
		return damaged(reader, reader->offset + sizeof(trailer),
			       "there is more behind the end");
	reader->end = VMT_END_COMPLETE;
	return 0;
}

/* The next block, unpacked if it has records: 1; 0 at the end, which is then known; -errno. May be
 * called again after -EINTR at any point. */
static int next_block(struct vmt_reader *reader)
{
	uint32_t magic = 0;
	int got;

	if (!reader->in_payload) {
		got = fill(reader, sizeof(magic));
		if (got > 0)
			memcpy(&magic, reader->piece, sizeof(magic));
		if (got > 0 && magic == VMT_TRAILER_MAGIC) {
			got = fill(reader, sizeof(struct vmt_trailer));
			return got > 0 ? take_trailer(reader) : got < 0 ? got : cut_off(reader);
		}
		if (got > 0)
			got = fill(reader, sizeof(reader->block));
		if (got <= 0)
			return got < 0 ? got : cut_off(reader);
		memcpy(&reader->block, reader->piece, sizeof(reader->block));
		got = check_block(reader, &reader->block);
		if (got <= 0)
			return got;
		next_piece(reader);
		reader->in_payload = true;
	}
	got = fill(reader, reader->block.stored_bytes);
	if (got <= 0)
		return got < 0 ? got : cut_off(reader);
	return take_payload(reader);
}

/* 0; with an end if the block is not what its header says. */
static int end_block(struct vmt_reader *reader)
{
	reader->in_block = false;
	if (reader->block_events != reader->block.nr_events)
		return damaged(reader, reader->block_offset,
			       "a block has %" PRIu32 " events, not %" PRIu32, reader->block_events,
			       reader->block.nr_events);
	reader->blocks++;
	reader->block_offset = reader->offset;
	return 0;
}

/* ---- records ---- */

/* The record at reader->at: 1 and *event, 0 = nothing to hand on, or -errno. */
static int next_record(struct vmt_reader *reader, struct event *event)
{
	const uint8_t *bytes = reader->raw + reader->at;
	uint32_t left = reader->raw_len - reader->at;
	struct vmt_record head = { 0 };
	int got;

	if (left >= sizeof(head))
		memcpy(&head, bytes, sizeof(head));
	if (head.bytes < sizeof(head) || head.bytes % 4 || head.bytes > left)
		return damaged(reader, reader->block_offset,
			       "a record of %u bytes where there are %" PRIu32, head.bytes, left);
	reader->at += head.bytes;
	if (head.type < VMT_FIRST_EVENT) {
		got = vmt_define(&reader->defined, bytes, head.bytes, event);
		if (got == -EBADMSG)
			return damaged(reader, reader->block_offset, "%s", reader->defined.why);
		return got;
	}
	reader->events++;
	reader->block_events++;
	reader->decoder.names = reader->defined.names.ids;
	reader->decoder.nr_names = reader->defined.names.count;
	reader->decoder.stacks = reader->defined.stacks.ids;
	reader->decoder.nr_stacks = reader->defined.stacks.count;
	got = vmt_record_decode(&reader->decoder, bytes, head.bytes, event);
	if (got == -EBADMSG)
		snprintf(reader->why, sizeof(reader->why),
			 "offset %" PRIu64 ", byte %td of its block: %s; the record is left out",
			 reader->block_offset, bytes - reader->raw, reader->decoder.why);
	return got;
}

int vmt_next(struct vmt_reader *reader, struct event *event)
{
	int got = 0;

	while (!reader->end && !got) {
		if (!reader->in_block) {
			got = next_block(reader);
			if (got > 0)
				got = 0;
		} else if (reader->at == reader->raw_len) {
			got = end_block(reader);
		} else {
			got = next_record(reader, event);
		}
	}
	return got;
}

enum vmt_end vmt_end(const struct vmt_reader *reader)
{
	return reader->end;
}

const struct stream_header *vmt_header(const struct vmt_reader *reader)
{
	return &reader->header;
}

const char *vmt_why(const struct vmt_reader *reader)
{
	return reader->why;
}

uint64_t vmt_events(const struct vmt_reader *reader)
{
	return reader->events;
}

uint64_t vmt_blocks(const struct vmt_reader *reader)
{
	return reader->blocks;
}

const struct stream_fact *vmt_facts(const struct vmt_reader *reader, uint32_t *count)
{
	*count = reader->defined.nr_facts;
	return reader->defined.facts;
}

const struct stream_module *vmt_modules(const struct vmt_reader *reader, uint32_t *count)
{
	*count = reader->defined.nr_modules;
	return reader->defined.modules;
}
