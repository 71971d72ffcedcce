// SPDX-License-Identifier: GPL-2.0-only
#include "export/samples.h"

#include <errno.h>
#include <stdlib.h>

#include "space/idtable.h"
#include "space/owners.h"

#define ROOT_FRAMES 2 /* "vmalloc" and the module */

struct samples {
	struct sample *list;
	uint32_t count;
	uint32_t capacity;
	struct idtable index; /* ids: position in list + 1 */
	uint64_t unnamed;
};

struct samples *samples_new(void)
{
	return calloc(1, sizeof(struct samples));
}

void samples_free(struct samples *samples)
{
	if (!samples)
		return;
	idtable_release(&samples->index);
	free(samples->list);
	free(samples);
}

static bool same_key(const struct sample *a, const struct sample *b)
{
	return a->stack_id == b->stack_id && a->caller_id == b->caller_id &&
	       a->comm_id == b->comm_id && a->size == b->size && a->kind == b->kind;
}

static uint32_t hash_key(const struct sample *key)
{
	uint32_t words[] = { key->stack_id, key->caller_id, key->comm_id, key->size, key->kind };

	return idtable_hash(words, sizeof(words));
}

static int reserve(struct samples *samples)
{
	uint32_t capacity = samples->capacity ? samples->capacity * 2 : 256;
	struct sample *list;

	if (samples->count < samples->capacity)
		return 0;
	list = realloc(samples->list, (size_t)capacity * sizeof(*list));
	if (!list)
		return -ENOMEM;
	samples->list = list;
	samples->capacity = capacity;
	return 0;
}

static struct sample *find(const struct samples *samples, const struct sample *key)
{
	uint32_t hash = hash_key(key);
	uint32_t pos;
	uint32_t id;

	for (id = idtable_first(&samples->index, hash, &pos); id;
	     id = idtable_next(&samples->index, hash, &pos)) {
		if (same_key(&samples->list[id - 1], key))
			return &samples->list[id - 1];
	}
	return NULL;
}

/* NULL on lack of memory. */
static struct sample *make(struct samples *samples, const struct sample *key)
{
	if (reserve(samples) || idtable_add(&samples->index, hash_key(key), samples->count + 1))
		return NULL;
	samples->list[samples->count] = *key;
	return &samples->list[samples->count++];
}

static int add(struct samples *samples, const struct sample *key, enum samples_value value)
{
	static const struct sample nobody = { 0 };
	struct sample *sample = find(samples, key);

	if (!sample && samples->count >= SAMPLES_MAX) {
		samples->unnamed++;
		sample = find(samples, &nobody);
		if (!sample)
			sample = make(samples, &nobody);
	} else if (!sample) {
		sample = make(samples, key);
	}
	if (!sample)
		return -ENOMEM;
	sample->sum[value].bytes += key->size;
	sample->sum[value].count++;
	return 0;
}

/* The model takes no ALLOC that cannot be true. */
static bool was_taken(const struct space *space, const struct event *event)
{
	const struct area *area = space_area_at(space, event->start);

	return area && area->start == event->start && area->end == event->end &&
	       area->state == AREA_USED && area->birth_ns == event->t_ns;
}

int samples_event(struct samples *samples, const struct space *space, const struct event *event)
{
	struct sample key = {
		.stack_id = event->stack_id,
		.comm_id = event->comm_id,
		.kind = event->kind,
		.size = event->type == EV_FAIL ? event->size : event->end - event->start,
	};

	if (event->type == EV_FAIL)
		return add(samples, &key, SAMPLES_FAILED);
	if (event->type == EV_ALLOC && was_taken(space, event))
		return add(samples, &key, SAMPLES_ALLOC);
	return 0;
}

static struct sample key_of(const struct area *area)
{
	return (struct sample){
		.stack_id = area_stack(area),
		.caller_id = area_caller(area),
		.comm_id = area->comm_id,
		.kind = area->kind,
		.size = area->end - area->start,
	};
}

int samples_finish(struct samples *samples, const struct space *space)
{
	const struct area *area = space_first(space, space_start(space));
	int err = 0;

	for (; area && !err; area = space_first(space, area->end)) {
		struct sample key = key_of(area);

		if (area->state == AREA_USED)
			err = add(samples, &key, SAMPLES_INUSE);
	}
	return err;
}

int samples_leaked(struct samples *samples, const struct space *space, const struct leaks *leaks,
		   const struct leaks_report *report)
{
	const struct area *area = space_first(space, space_start(space));
	int err = 0;

	for (; area && !err; area = space_first(space, area->end)) {
		struct sample key = key_of(area);

		if (leaks_is_leaked(leaks, report, area))
			err = add(samples, &key, SAMPLES_LEAKED);
	}
	return err;
}

uint32_t samples_count(const struct samples *samples)
{
	return samples->count;
}

const struct sample *samples_at(const struct samples *samples, uint32_t index)
{
	return &samples->list[index];
}

uint64_t samples_unnamed(const struct samples *samples)
{
	return samples->unnamed;
}

/* A frame may have an empty name in a file; no format can carry that. */
static uint32_t named(struct names *names, uint32_t frame)
{
	return frame ? frame : names_intern_str(names, "?");
}

uint32_t samples_path(const struct sample *sample, struct names *names, const struct stacks *stacks,
		      uint32_t frames[SAMPLES_PATH_MAX])
{
	struct area area = {
		.origin = area_origin(sample->stack_id, sample->caller_id),
		.kind = sample->kind,
	};
	struct stack stack = stacks_get(stacks, sample->stack_id);
	uint32_t count = 0, i = stack.nr_frames;

	frames[count++] = names_intern_str(names, "vmalloc");
	frames[count++] = named(names, owners_label(&area, names, stacks, OWNERS_BY_MODULE));
	if (!stack.nr_frames)
		frames[count++] =
			named(names, owners_label(&area, names, stacks, OWNERS_BY_CALLER));
	if (i > SAMPLES_PATH_MAX - ROOT_FRAMES)
		i = SAMPLES_PATH_MAX - ROOT_FRAMES; /* the innermost tell most */
	while (i-- > 0)
		frames[count++] = named(names, stack.frames[i]);
	return count;
}
