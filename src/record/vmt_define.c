// SPDX-License-Identifier: GPL-2.0-only
#include "record/vmt_define.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((cold, format(printf, 2, 3))) static int bad(struct vmt_defined *defined,
							   const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(defined->why, sizeof(defined->why), format, args);
	va_end(args);
	return -EBADMSG;
}

static int map_add(struct vmt_id_map *map, uint32_t ours)
{
	if (map->count == map->capacity) {
		uint32_t capacity = map->capacity ? map->capacity * 2 : 256;
		uint32_t *ids = realloc(map->ids, capacity * sizeof(*ids));

		if (!ids)
			return -ENOMEM;
		map->ids = ids;
		map->capacity = capacity;
	}
	map->ids[map->count++] = ours;
	return 0;
}

int vmt_defined_init(struct vmt_defined *defined, struct names *names, struct stacks *stacks)
{
	defined->to_names = names;
	defined->to_stacks = stacks;
	return map_add(&defined->names, 0) || map_add(&defined->stacks, 0) ? -ENOMEM : 0;
}

void vmt_defined_release(struct vmt_defined *defined)
{
	free(defined->names.ids);
	free(defined->stacks.ids);
	free(defined->modules);
	memset(defined, 0, sizeof(*defined));
}

static int define_name(struct vmt_defined *defined, const uint8_t *bytes, uint32_t len)
{
	struct vmt_id_map *map = &defined->names;
	struct vmt_name name;

	if (len < sizeof(name))
		return bad(defined, "a name of %" PRIu32 " bytes", len);
	memcpy(&name, bytes, sizeof(name));
	if (name.id != map->count)
		return bad(defined, "name %" PRIu32 " where %" PRIu32 " is due", name.id,
			   map->count);
	if (name.len > VMT_MAX_NAME || name.len > len - sizeof(name))
		return bad(defined, "a name of %" PRIu32 " bytes in a record of %" PRIu32, name.len,
			   len);
	map->bytes += name.len;
	if (map->count >= VMT_MAX_NAMES || map->bytes > VMT_MAX_NAME_BYTES)
		return bad(defined, "more than %u names, or %u bytes of them", VMT_MAX_NAMES,
			   VMT_MAX_NAME_BYTES);
	return map_add(
		map, names_intern(defined->to_names, (const char *)bytes + sizeof(name), name.len));
}

/* The frames of a stack, as our names. */
static int get_frames(struct vmt_defined *defined, const uint8_t *bytes, uint32_t nr_frames,
		      uint32_t *frames)
{
	memcpy(frames, bytes, 4 * nr_frames);
	for (uint32_t i = 0; i < nr_frames; i++) {
		if (frames[i] >= defined->names.count)
			return bad(defined, "name %" PRIu32 " is used before it is defined",
				   frames[i]);
		frames[i] = defined->names.ids[frames[i]];
	}
	return 0;
}

static int define_stack(struct vmt_defined *defined, const uint8_t *bytes, uint32_t len,
			struct event *event)
{
	struct vmt_id_map *map = &defined->stacks;
	uint32_t frames[VMT_MAX_STACK];
	struct vmt_stack stack;
	uint32_t ours;
	int err;

	if (len < VMT_STACK_BYTES)
		return bad(defined, "a stack of %" PRIu32 " bytes", len);
	memcpy(&stack, bytes, VMT_STACK_BYTES);
	if (stack.id != map->count)
		return bad(defined, "stack %" PRIu32 " where %" PRIu32 " is due", stack.id,
			   map->count);
	if (!stack.nr_frames || stack.nr_frames > VMT_MAX_STACK ||
	    stack.nr_frames > (len - VMT_STACK_BYTES) / 4)
		return bad(defined, "a stack of %" PRIu32 " frames in a record of %" PRIu32,
			   stack.nr_frames, len);
	if (stack.t_ns > INT64_MAX)
		return bad(defined, "a time of %" PRIu64 " ns", stack.t_ns);
	map->bytes += stack.nr_frames;
	if (map->count >= VMT_MAX_STACKS || map->bytes > VMT_MAX_FRAMES_SUM)
		return bad(defined, "more than %u stacks, or %u frames of them", VMT_MAX_STACKS,
			   VMT_MAX_FRAMES_SUM);
	err = get_frames(defined, bytes + VMT_STACK_BYTES, stack.nr_frames, frames);
	if (err)
		return err;
	ours = stacks_intern(defined->to_stacks, frames, stack.nr_frames, NULL);
	if (!ours || map_add(map, ours) < 0)
		return -ENOMEM;
	*event = (struct event){ .type = EV_STACK, .t_ns = stack.t_ns, .stack_id = ours };
	return 1;
}

static int define_fact(struct vmt_defined *defined, const uint8_t *bytes, uint32_t len)
{
	struct vmt_fact fact;
	uint32_t key, i;

	if (len < sizeof(fact))
		return bad(defined, "a fact of %" PRIu32 " bytes", len);
	memcpy(&fact, bytes, sizeof(fact));
	if (fact.key >= defined->names.count || fact.value >= defined->names.count)
		return bad(defined, "name %" PRIu32 " or %" PRIu32 " is used before it is defined",
			   fact.key, fact.value);
	key = defined->names.ids[fact.key];
	for (i = 0; i < defined->nr_facts && defined->facts[i].key_id != key; i++)
		;
	if (i == VMT_MAX_FACTS)
		return 0;
	defined->facts[i].key_id = key;
	defined->facts[i].value_id = defined->names.ids[fact.value];
	if (i == defined->nr_facts)
		defined->nr_facts++;
	return 0;
}

static int get_module(struct vmt_defined *defined, const uint8_t *bytes,
		      struct stream_module *module)
{
	struct vmt_module record;

	memcpy(&record, bytes, sizeof(record));
	if (record.name >= defined->names.count)
		return bad(defined, "name %" PRIu32 " is used before it is defined", record.name);
	*module = (struct stream_module){ .name_id = defined->names.ids[record.name],
					  .start = record.start,
					  .bytes = record.bytes };
	return 0;
}

static int define_modules(struct vmt_defined *defined, const uint8_t *bytes, uint32_t len)
{
	struct stream_module *modules;
	struct vmt_modules list;
	int err = 0;

	if (len < sizeof(list))
		return bad(defined, "a list of modules of %" PRIu32 " bytes", len);
	memcpy(&list, bytes, sizeof(list));
	if (list.count > (len - sizeof(list)) / sizeof(struct vmt_module))
		return bad(defined, "%" PRIu32 " modules in a record of %" PRIu32 " bytes",
			   list.count, len);
	modules = malloc(list.count * sizeof(*modules) + 1);
	if (!modules)
		return -ENOMEM;
	bytes += sizeof(list);
	for (uint32_t i = 0; i < list.count && !err; i++, bytes += sizeof(struct vmt_module))
		err = get_module(defined, bytes, &modules[i]);
	if (err) {
		free(modules);
		return err;
	}
	free(defined->modules);
	defined->modules = modules;
	defined->nr_modules = list.count;
	return 0;
}

int vmt_define(struct vmt_defined *defined, const uint8_t *bytes, uint32_t len, struct event *event)
{
	struct vmt_record head;

	memcpy(&head, bytes, sizeof(head));
	switch (head.type) {
	case VMT_NAME:
		return define_name(defined, bytes, len);
	case VMT_STACK:
		return define_stack(defined, bytes, len, event);
	case VMT_FACT:
		return define_fact(defined, bytes, len);
	case VMT_MODULES:
		return define_modules(defined, bytes, len);
	default:
		return 0;
	}
}
