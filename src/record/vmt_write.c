// SPDX-License-Identifier: GPL-2.0-only
#include "record/vmt_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/vmt_blocks.h"
#include "record/vmt_format.h"
#include "record/vmt_record.h"

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
	struct vmt_blocks blocks;
	struct vmt_writer_options options;
	struct id_list name_ids;
	struct id_list stack_ids;
};

/* ---- records ---- */

/* 0 also for id 0. */
static inline uint32_t known_id(const struct id_list *list, uint32_t id)
{
	return id < list->capacity ? list->ids[id] : 0;
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
	at = vmt_blocks_reserve(&writer->blocks, bytes);
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

/* Inline, as use_stack is, and define_name not: for most events there is nothing to define. */
static inline __attribute__((always_inline)) uint32_t use_name(struct vmt_writer *writer,
								uint32_t id)
{
	uint32_t known = known_id(&writer->name_ids, id);

	return known || !id ? known : define_name(writer, id);
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
	at = vmt_blocks_reserve(&writer->blocks, record.head.bytes);
	if (!at)
		return 0;
	memcpy(at, &record, VMT_STACK_BYTES);
	memcpy(at + VMT_STACK_BYTES, frames, 4 * stack.nr_frames);
	list->last++;
	list->bytes += stack.nr_frames;
	list->ids[id] = record.id;
	return record.id;
}

static inline __attribute__((always_inline)) uint32_t use_stack(struct vmt_writer *writer,
								 uint32_t id, uint64_t t_ns)
{
	uint32_t known = known_id(&writer->stack_ids, id);

	return known || !id ? known : define_stack(writer, id, t_ns);
}

/* ---- the limit ---- */

/* Of max_bytes, how much is left when all is written that is to be. */
static uint64_t room(const struct vmt_writer *writer)
{
	uint64_t taken = vmt_blocks_size(&writer->blocks);

	return taken < writer->options.max_bytes ? writer->options.max_bytes - taken : 0;
}

static uint32_t name_need(const struct vmt_writer *writer, uint32_t id)
{
	if (known_id(&writer->name_ids, id))
		return 0;
	return (uint32_t)sizeof(struct vmt_name) + padded(name_len(writer, id));
}

static uint32_t event_need(const struct vmt_writer *writer, const struct event *event)
{
	uint32_t need = VMT_MAX_EVENT + name_need(writer, event->comm_id) +
			name_need(writer, event->caller_id);

	if (!known_id(&writer->stack_ids, event->stack_id)) {
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
		(event->stack_id && !known_id(&writer->stack_ids, event->stack_id)));
}

static int make_room(struct vmt_writer *writer, uint32_t need)
{
	if (!writer->options.max_bytes || room(writer) >= need)
		return 0;
	/* Packed it takes less than was reckoned with. */
	if (vmt_blocks_flush(&writer->blocks) < 0)
		return writer->blocks.failed;
	return room(writer) >= need ? 0 : -E2BIG;
}

bool vmt_writer_full(struct vmt_writer *writer)
{
	if (!writer->options.max_bytes || room(writer) >= SPARE)
		return false;
	if (writer->blocks.used >= LEAST_RAW && vmt_blocks_flush(&writer->blocks) < 0)
		return false;
	return room(writer) < SPARE;
}

/* ---- what is put in ---- */

int vmt_writer_event(struct vmt_writer *writer, const struct event *event)
{
	struct vmt_event_ids ids;
	uint32_t len;
	uint8_t *at;
	int err;

	if (writer->blocks.failed)
		return writer->blocks.failed;
	if (may_not_fit(writer, event)) {
		err = make_room(writer, event_need(writer, event));
		if (err)
			return err;
	}
	if (event->type == EV_STACK) {
		use_stack(writer, event->stack_id, event->t_ns);
		return writer->blocks.failed;
	}
	ids.comm = use_name(writer, event->comm_id);
	ids.caller = use_name(writer, event->caller_id);
	ids.stack = use_stack(writer, event->stack_id, event->t_ns);
	at = vmt_blocks_reserve(&writer->blocks, VMT_MAX_EVENT);
	if (!at)
		return writer->blocks.failed;
	len = vmt_record_encode(event, &ids, at);
	writer->blocks.used -= VMT_MAX_EVENT - len;
	if (len)
		vmt_blocks_count(&writer->blocks, event);
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
	at = vmt_blocks_reserve(&writer->blocks, sizeof(record));
	if (at)
		memcpy(at, &record, sizeof(record));
	return writer->blocks.failed;
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
	at = vmt_blocks_reserve(&writer->blocks, list.head.bytes);
	if (!at)
		return writer->blocks.failed;
	memcpy(at, &list, sizeof(list));
	at += sizeof(list);
	for (uint32_t i = 0; i < count; i++, at += sizeof(struct vmt_module)) {
		struct vmt_module module = { .name = use_name(writer, modules[i].name_id),
					     .start = modules[i].start,
					     .bytes = modules[i].bytes };

		memcpy(at, &module, sizeof(module));
	}
	return writer->blocks.failed;
}

struct vmt_writer_stats vmt_writer_stats(const struct vmt_writer *writer)
{
	struct vmt_writer_stats stats = writer->blocks.stats;

	stats.bytes = writer->blocks.offset;
	return stats;
}

/* ---- begin and end ---- */

static void release(struct vmt_writer *writer)
{
	vmt_blocks_release(&writer->blocks);
	free(writer->name_ids.ids);
	free(writer->stack_ids.ids);
	free(writer);
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
	new->options = *options;
	err = vmt_blocks_open(&new->blocks, fd, header, options->thrifty);
	if (err) {
		release(new);
		return err;
	}
	*writer = new;
	return 0;
}

int vmt_writer_flush(struct vmt_writer *writer)
{
	return vmt_blocks_flush(&writer->blocks);
}

int vmt_writer_tick(struct vmt_writer *writer, uint64_t now_ns)
{
	return vmt_blocks_tick(&writer->blocks, now_ns);
}

int vmt_writer_end(struct vmt_writer *writer, bool finished)
{
	return vmt_blocks_end(&writer->blocks, finished);
}

void vmt_writer_close(struct vmt_writer *writer)
{
	if (writer)
		release(writer);
}
