// SPDX-License-Identifier: GPL-2.0-only
#include "record/vmt_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "record/vmt_format.h"
#include "record/vmt_index.h"
#include "record/vmt_record.h"

#define RAW_BYTES (VMT_BLOCK_RAW + VMT_MAX_RECORD) /* the last record may stick out */
#define SPARE     (32u << 10) /* of max_bytes: more than an event takes whose stack is known */
#define LEAST_RAW 4096u       /* a smaller block is not worth its header */

/* Which file id a name or stack of ours has; 0 = not defined in this file yet. */
struct id_list {
	uint32_t *ids;
	uint32_t capacity;
	uint32_t last;  /* the last file id given */
	uint64_t bytes; /* of the texts, or frames of the stacks: there are limits */
};

struct vmt_writer {
	int fd;
	bool can_go_back; /* what was written can be cut off or changed: no pipe, nothing before it
			   */
	int failed;       /* -errno of the first write that failed */
	struct vmt_writer_options options;
	struct vmt_file_header header;
	uint64_t offset; /* the file up to here is whole */
	ZSTD_CCtx *zstd;
	uint8_t *raw;
	uint32_t used;
	uint8_t *packed; /* header and payload of the block in hand */
	size_t packed_size;
	struct vmt_block_header block; /* of what is in raw: events and times */
	uint64_t waiting_since_ns;     /* of what is in raw; 0 = not known */
	struct id_list name_ids;
	struct id_list stack_ids;
	struct vmt_index index;
	struct vmt_writer_stats stats;
};

/* ---- the file ---- */

static int write_all(struct vmt_writer *writer, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	while (len) {
		ssize_t done = write(writer->fd, at, len);

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
static void cut(struct vmt_writer *writer, uint64_t offset)
{
	int err = writer->can_go_back ? ftruncate(writer->fd, (off_t)offset) : 0;

	(void)err;
}

/* Appends all of it, or nothing. */
static int append(struct vmt_writer *writer, const void *bytes, size_t len)
{
	int err;

	if (writer->failed)
		return writer->failed;
	err = write_all(writer, bytes, len);
	if (!err) {
		writer->offset += len;
		return 0;
	}
	writer->failed = err;
	cut(writer, writer->offset);
	return err;
}

static uint32_t crc_of(const void *bytes, size_t len)
{
	return (uint32_t)crc32(0, bytes, (uInt)len);
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

static void begin_block(struct vmt_writer *writer)
{
	writer->used = 0;
	writer->waiting_since_ns = 0;
	writer->block = (struct vmt_block_header){ .type = VMT_BLOCK_RECORDS,
						   .first_event = writer->stats.events,
						   .first_ns = UINT64_MAX };
}

/* True if events come so fast that this block is not to be packed. */
static bool too_fast(const struct vmt_writer *writer)
{
	const struct vmt_block_header *block = &writer->block;

	return writer->options.thrifty && writer->used > VMT_BLOCK_RAW / 2 &&
	       block->last_ns - block->first_ns <
		       writer->used * UINT64_C(1000000000) / VMT_PACK_RATE;
}

/* Packs what is in raw behind room for the header; what does not get smaller is stored. */
static void pack(struct vmt_writer *writer)
{
	struct vmt_block_header *block = &writer->block;
	uint8_t *payload = writer->packed + sizeof(*block);
	size_t len = writer->used;

	if (!too_fast(writer))
		len = ZSTD_compress2(writer->zstd, payload, writer->packed_size - sizeof(*block),
				     writer->raw, writer->used);
	block->raw_bytes = writer->used;
	block->codec = VMT_ZSTD;
	if (ZSTD_isError(len) || len >= writer->used) {
		block->codec = VMT_STORED;
		memcpy(payload, writer->raw, writer->used);
		len = writer->used;
	}
	block->stored_bytes = (uint32_t)len;
	seal_block(block, payload);
	memcpy(writer->packed, block, sizeof(*block));
}

int vmt_writer_flush(struct vmt_writer *writer)
{
	struct vmt_block_header *block = &writer->block;
	struct vmt_index_entry entry = { .offset = writer->offset,
					 .first_event = block->first_event };
	int err;

	if (writer->failed || !writer->used)
		return writer->failed;
	if (!block->nr_events)
		block->first_ns = 0;
	pack(writer);
	err = append(writer, writer->packed, sizeof(*block) + block->stored_bytes);
	if (err)
		return err;
	entry.first_ns = block->first_ns;
	entry.last_ns = block->last_ns;
	/* Without memory the index lacks a block, which it may anyway. */
	vmt_index_add(&writer->index, &entry);
	writer->stats.written = writer->stats.events;
	writer->stats.blocks++;
	begin_block(writer);
	return 0;
}

int vmt_writer_tick(struct vmt_writer *writer, uint64_t now_ns)
{
	if (!writer->used)
		return writer->failed;
	if (!writer->waiting_since_ns)
		writer->waiting_since_ns = now_ns;
	if (now_ns - writer->waiting_since_ns < VMT_BLOCK_NS)
		return writer->failed;
	return vmt_writer_flush(writer);
}

/* ---- records ---- */

/* Room for a record of len bytes, which is a multiple of 4; NULL if a write failed. */
static uint8_t *reserve(struct vmt_writer *writer, uint32_t len)
{
	uint8_t *at;

	if (writer->used + len > VMT_BLOCK_RAW && vmt_writer_flush(writer) < 0)
		return NULL;
	at = writer->raw + writer->used;
	writer->used += len;
	return at;
}

static bool list_has(const struct id_list *list, uint32_t id)
{
	return id < list->capacity && list->ids[id];
}

static int list_reserve(struct id_list *list, uint32_t id)
{
	uint32_t capacity = list->capacity ? list->capacity : 256;
	uint32_t *ids;

	if (id < list->capacity)
		return 0;
	while (capacity <= id)
		capacity = capacity > UINT32_MAX / 2 ? UINT32_MAX : capacity * 2;
	ids = realloc(list->ids, (size_t)capacity * sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	memset(ids + list->capacity, 0, (size_t)(capacity - list->capacity) * sizeof(*ids));
	list->ids = ids;
	list->capacity = capacity;
	return 0;
}

static uint32_t name_len(const struct vmt_writer *writer, uint32_t id)
{
	return (uint32_t)strnlen(names_text(writer->options.names, id), VMT_MAX_NAME);
}

static uint32_t padded(uint32_t len)
{
	return (len + 3) & ~3u;
}

/* The file's id of a name, which is defined if need be. 0 without memory, beyond the limits of a
 * file, and after a failed write: the name is then missing, nothing else. */
static uint32_t define_name(struct vmt_writer *writer, uint32_t id)
{
	struct id_list *list = &writer->name_ids;
	uint32_t len, bytes;
	struct vmt_name name;
	uint8_t *at;

	len = name_len(writer, id);
	bytes = (uint32_t)sizeof(name) + padded(len);
	if (!len || list->last + 1 >= VMT_MAX_NAMES || list->bytes + len > VMT_MAX_NAME_BYTES ||
	    list_reserve(list, id) < 0)
		return 0;
	at = reserve(writer, bytes);
	if (!at)
		return 0;
	name = (struct vmt_name){ .head = { .bytes = (uint16_t)bytes, .type = VMT_NAME },
				  .id = ++list->last,
				  .len = len };
	memset(at, 0, bytes);
	memcpy(at, &name, sizeof(name));
	memcpy(at + sizeof(name), names_text(writer->options.names, id), len);
	list->bytes += len;
	list->ids[id] = name.id;
	return name.id;
}

static uint32_t use_name(struct vmt_writer *writer, uint32_t id)
{
	const struct id_list *list = &writer->name_ids;

	if (!id)
		return 0;
	return list_has(list, id) ? list->ids[id] : define_name(writer, id);
}

static uint32_t define_stack(struct vmt_writer *writer, uint32_t id, uint64_t t_ns)
{
	struct stack stack = stacks_get(writer->options.stacks, id);
	struct id_list *list = &writer->stack_ids;
	uint32_t frames[VMT_MAX_STACK];
	struct vmt_stack record;
	uint8_t *at;

	if (stack.nr_frames > VMT_MAX_STACK)
		stack.nr_frames = VMT_MAX_STACK;
	if (!stack.nr_frames || list->last + 1 >= VMT_MAX_STACKS ||
	    list->bytes + stack.nr_frames > VMT_MAX_FRAMES_SUM || list_reserve(list, id) < 0)
		return 0;
	for (uint32_t i = 0; i < stack.nr_frames; i++)
		frames[i] = use_name(writer, stack.frames[i]);
	record = (struct vmt_stack){ .head = { .bytes = (uint16_t)(VMT_STACK_BYTES +
								   4 * stack.nr_frames),
					       .type = VMT_STACK },
				     .id = list->last + 1,
				     .t_ns = t_ns,
				     .nr_frames = stack.nr_frames };
	at = reserve(writer, record.head.bytes);
	if (!at)
		return 0;
	memcpy(at, &record, VMT_STACK_BYTES);
	memcpy(at + VMT_STACK_BYTES, frames, 4 * stack.nr_frames);
	list->last++;
	list->bytes += stack.nr_frames;
	list->ids[id] = record.id;
	return record.id;
}

static uint32_t use_stack(struct vmt_writer *writer, uint32_t id, uint64_t t_ns)
{
	const struct id_list *list = &writer->stack_ids;

	if (!id)
		return 0;
	return list_has(list, id) ? list->ids[id] : define_stack(writer, id, t_ns);
}

/* ---- the limit ---- */

/* Of max_bytes, how much is left when all is written that is to be. */
static uint64_t room(const struct vmt_writer *writer)
{
	uint64_t taken =
		writer->offset + writer->used + sizeof(struct vmt_trailer) +
		3 * sizeof(struct vmt_block_header) +
		(vmt_index_next_count(&writer->index) + 1) * sizeof(struct vmt_index_entry);

	return taken < writer->options.max_bytes ? writer->options.max_bytes - taken : 0;
}

static uint32_t name_need(const struct vmt_writer *writer, uint32_t id)
{
	if (list_has(&writer->name_ids, id))
		return 0;
	return (uint32_t)sizeof(struct vmt_name) + padded(name_len(writer, id));
}

static uint32_t event_need(const struct vmt_writer *writer, const struct event *event)
{
	uint32_t need = VMT_MAX_EVENT + name_need(writer, event->comm_id) +
			name_need(writer, event->caller_id);

	if (!list_has(&writer->stack_ids, event->stack_id)) {
		struct stack stack = stacks_get(writer->options.stacks, event->stack_id);

		need += VMT_STACK_BYTES + 4 * stack.nr_frames;
		for (uint32_t i = 0; i < stack.nr_frames && i < VMT_MAX_STACK; i++)
			need += name_need(writer, stack.frames[i]);
	}
	return need;
}

static bool may_not_fit(const struct vmt_writer *writer, const struct event *event)
{
	return writer->options.max_bytes &&
	       (room(writer) < SPARE ||
		(event->stack_id && !list_has(&writer->stack_ids, event->stack_id)));
}

static int make_room(struct vmt_writer *writer, uint32_t need)
{
	if (!writer->options.max_bytes || room(writer) >= need)
		return 0;
	/* Packed it takes less than was reckoned with. */
	if (vmt_writer_flush(writer) < 0)
		return writer->failed;
	return room(writer) >= need ? 0 : -E2BIG;
}

bool vmt_writer_full(struct vmt_writer *writer)
{
	if (!writer->options.max_bytes || room(writer) >= SPARE)
		return false;
	if (writer->used >= LEAST_RAW && vmt_writer_flush(writer) < 0)
		return false;
	return room(writer) < SPARE;
}

/* ---- what is put in ---- */

static void count_event(struct vmt_writer *writer, const struct event *event)
{
	struct vmt_block_header *block = &writer->block;

	block->nr_events++;
	if (event->t_ns < block->first_ns)
		block->first_ns = event->t_ns;
	if (event->t_ns > block->last_ns)
		block->last_ns = event->t_ns;
	writer->stats.events++;
	if (event->type == EV_LOST && lost_cause_hurts_map(event->state))
		writer->stats.lost += event->count;
}

int vmt_writer_event(struct vmt_writer *writer, const struct event *event)
{
	struct vmt_event_ids ids;
	uint32_t len;
	uint8_t *at;
	int err;

	if (writer->failed)
		return writer->failed;
	if (may_not_fit(writer, event)) {
		err = make_room(writer, event_need(writer, event));
		if (err)
			return err;
	}
	if (event->type == EV_STACK) {
		use_stack(writer, event->stack_id, event->t_ns);
		return writer->failed;
	}
	ids.comm = use_name(writer, event->comm_id);
	ids.caller = use_name(writer, event->caller_id);
	ids.stack = use_stack(writer, event->stack_id, event->t_ns);
	at = reserve(writer, VMT_MAX_EVENT);
	if (!at)
		return writer->failed;
	len = vmt_record_encode(event, &ids, at);
	writer->used -= VMT_MAX_EVENT - len;
	if (len)
		count_event(writer, event);
	return 0;
}

int vmt_writer_fact(struct vmt_writer *writer, struct stream_fact fact)
{
	struct vmt_fact record = { .head = { .bytes = sizeof(record), .type = VMT_FACT } };
	uint8_t *at;
	int err = make_room(writer, (uint32_t)sizeof(record) + name_need(writer, fact.key_id) +
					    name_need(writer, fact.value_id));

	if (err)
		return err;
	record.key = use_name(writer, fact.key_id);
	record.value = use_name(writer, fact.value_id);
	at = reserve(writer, sizeof(record));
	if (at)
		memcpy(at, &record, sizeof(record));
	return writer->failed;
}

int vmt_writer_modules(struct vmt_writer *writer, uint64_t t_ns,
		       const struct stream_module *modules, uint32_t count)
{
	struct vmt_modules list = { .head = { .type = VMT_MODULES }, .t_ns = t_ns };
	uint32_t need = sizeof(list);
	uint8_t *at;
	int err;

	if (count > VMT_MAX_MODULES)
		count = VMT_MAX_MODULES;
	for (uint32_t i = 0; i < count; i++)
		need += (uint32_t)sizeof(struct vmt_module) + name_need(writer, modules[i].name_id);
	err = make_room(writer, need);
	if (err)
		return err;
	for (uint32_t i = 0; i < count; i++)
		use_name(writer, modules[i].name_id);
	list.count = count;
	list.head.bytes = (uint16_t)(sizeof(list) + count * sizeof(struct vmt_module));
	at = reserve(writer, list.head.bytes);
	if (!at)
		return writer->failed;
	memcpy(at, &list, sizeof(list));
	at += sizeof(list);
	for (uint32_t i = 0; i < count; i++, at += sizeof(struct vmt_module)) {
		struct vmt_module module = { .name = use_name(writer, modules[i].name_id),
					     .start = modules[i].start,
					     .bytes = modules[i].bytes };

		memcpy(at, &module, sizeof(module));
	}
	return writer->failed;
}

struct vmt_writer_stats vmt_writer_stats(const struct vmt_writer *writer)
{
	struct vmt_writer_stats stats = writer->stats;

	stats.bytes = writer->offset;
	return stats;
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

static void release(struct vmt_writer *writer)
{
	if (writer->fd != STDOUT_FILENO)
		close(writer->fd);
	ZSTD_freeCCtx(writer->zstd);
	vmt_index_release(&writer->index);
	free(writer->name_ids.ids);
	free(writer->stack_ids.ids);
	free(writer->raw);
	free(writer->packed);
	free(writer);
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

static int allocate(struct vmt_writer *writer)
{
	writer->packed_size = sizeof(struct vmt_block_header) + ZSTD_compressBound(RAW_BYTES);
	writer->packed = malloc(writer->packed_size);
	writer->raw = malloc(RAW_BYTES);
	writer->zstd = make_zstd();
	return writer->packed && writer->raw && writer->zstd ? 0 : -ENOMEM;
}

int vmt_writer_open(int fd, const struct stream_header *header,
		    const struct vmt_writer_options *options, struct vmt_writer **writer)
{
	struct vmt_writer *new = calloc(1, sizeof(*new));
	int err;

	*writer = NULL;
	if (!new) {
		if (fd != STDOUT_FILENO)
			close(fd);
		return -ENOMEM;
	}
	new->fd = fd;
	new->can_go_back = can_go_back(fd);
	new->options = *options;
	fill_header(&new->header, header);
	begin_block(new);
	err = allocate(new);
	if (!err)
		err = append(new, &new->header, sizeof(new->header));
	if (err) {
		release(new);
		return err;
	}
	*writer = new;
	return 0;
}

static int write_index(struct vmt_writer *writer)
{
	uint32_t bytes = (uint32_t)(writer->index.count * sizeof(struct vmt_index_entry));
	struct vmt_block_header block = { .type = VMT_BLOCK_INDEX,
					  .stored_bytes = bytes,
					  .raw_bytes = bytes,
					  .first_event = writer->stats.events };
	int err;

	seal_block(&block, writer->index.entries ? (void *)writer->index.entries : "");
	err = append(writer, &block, sizeof(block));
	return err ? err : append(writer, writer->index.entries, bytes);
}

static int write_trailer(struct vmt_writer *writer, uint64_t index_offset)
{
	struct vmt_trailer trailer = {
		.magic = VMT_TRAILER_MAGIC,
		.index_offset = index_offset,
		.events = writer->stats.events,
		.lost = writer->stats.lost,
		.bytes = writer->offset + sizeof(trailer),
	};

	trailer.crc = crc_of(&trailer, sizeof(trailer));
	return append(writer, &trailer, sizeof(trailer));
}

/* Where the header cannot be written again, the trailer alone tells. */
static int mark_finished(struct vmt_writer *writer)
{
	size_t at = offsetof(struct vmt_file_header, state);
	ssize_t done;

	if (!writer->can_go_back)
		return 0;
	seal_header(&writer->header, VMT_FINISHED);
	do {
		done = pwrite(writer->fd, (uint8_t *)&writer->header + at, 8, (off_t)at);
	} while (done < 0 && errno == EINTR);
	if (done == 8)
		return 0;
	return done < 0 ? -errno : -EIO;
}

int vmt_writer_end(struct vmt_writer *writer, bool finished)
{
	int err = vmt_writer_flush(writer);
	uint64_t blocks_end = writer->offset;

	if (!err && finished)
		err = write_index(writer);
	if (!err && finished)
		err = write_trailer(writer, blocks_end);
	if (!err && finished)
		err = mark_finished(writer);
	if (!err)
		return 0;
	/* An index without its trailer is of no use. */
	if (writer->offset != blocks_end)
		cut(writer, blocks_end);
	writer->offset = blocks_end;
	return err;
}

void vmt_writer_close(struct vmt_writer *writer)
{
	if (writer)
		release(writer);
}
