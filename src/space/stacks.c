// SPDX-License-Identifier: GPL-2.0-only
/* All frames lie in one array, one stack after another; an entry tells where each begins. */
#include "space/stacks.h"

#include <stdlib.h>
#include <string.h>

#include "space/idtable.h"

#define FIRST_FRAMES  1024u
#define FIRST_ENTRIES 64u
#define MAX_FRAMES    (1u << 28)

struct entry {
	uint32_t first; /* index into frames */
	uint32_t nr_frames;
};

struct stacks {
	uint32_t *frames;
	uint32_t nr_frames;
	uint32_t frames_capacity;
	struct entry *entries; /* of id i: [i - 1] */
	uint32_t count;
	uint32_t capacity;
	struct idtable index;
};

struct stacks *stacks_new(void)
{
	return calloc(1, sizeof(struct stacks));
}

void stacks_free(struct stacks *stacks)
{
	if (!stacks)
		return;
	idtable_release(&stacks->index);
	free(stacks->entries);
	free(stacks->frames);
	free(stacks);
}

static int reserve_entry(struct stacks *stacks)
{
	uint32_t capacity = stacks->capacity ? stacks->capacity * 2 : FIRST_ENTRIES;
	struct entry *entries;

	if (stacks->count < stacks->capacity)
		return 0;
	if (capacity > MAX_FRAMES)
		return -1;
	entries = realloc(stacks->entries, (size_t)capacity * sizeof(*entries));
	if (!entries)
		return -1;
	stacks->entries = entries;
	stacks->capacity = capacity;
	return 0;
}

/*
 * Appends the frames. They may be part of the table itself (a stack without its inner frames), so
 * the old array goes only after they are copied.
 */
static int append_frames(struct stacks *stacks, const uint32_t *frames, uint32_t nr_frames)
{
	uint32_t capacity = stacks->frames_capacity ? stacks->frames_capacity : FIRST_FRAMES;
	uint32_t *old = stacks->frames;
	uint32_t *grown;

	if (nr_frames > MAX_FRAMES - stacks->nr_frames)
		return -1;
	while (capacity - stacks->nr_frames < nr_frames)
		capacity *= 2;
	if (capacity != stacks->frames_capacity) {
		grown = malloc((size_t)capacity * sizeof(*grown));
		if (!grown)
			return -1;
		if (old)
			memcpy(grown, old, (size_t)stacks->nr_frames * sizeof(*grown));
		stacks->frames = grown;
		stacks->frames_capacity = capacity;
	} else {
		old = NULL;
	}
	memcpy(stacks->frames + stacks->nr_frames, frames, (size_t)nr_frames * sizeof(*frames));
	stacks->nr_frames += nr_frames;
	free(old);
	return 0;
}

static uint32_t find(const struct stacks *stacks, const uint32_t *frames, uint32_t nr_frames,
		     uint32_t hash)
{
	uint32_t pos;
	uint32_t id;

	for (id = idtable_first(&stacks->index, hash, &pos); id;
	     id = idtable_next(&stacks->index, hash, &pos)) {
		const struct entry *entry = &stacks->entries[id - 1];

		if (entry->nr_frames == nr_frames &&
		    !memcmp(stacks->frames + entry->first, frames, nr_frames * sizeof(*frames)))
			return id;
	}
	return 0;
}

uint32_t stacks_intern(struct stacks *stacks, const uint32_t *frames, uint32_t nr_frames,
		       bool *is_new)
{
	uint32_t first = stacks->nr_frames;
	uint32_t hash;
	uint32_t id;

	if (is_new)
		*is_new = false;
	if (!nr_frames || nr_frames > MAX_FRAMES)
		return 0;
	hash = idtable_hash(frames, (size_t)nr_frames * sizeof(*frames));
	id = find(stacks, frames, nr_frames, hash);
	if (id)
		return id;
	if (reserve_entry(stacks) || append_frames(stacks, frames, nr_frames))
		return 0;
	if (idtable_add(&stacks->index, hash, stacks->count + 1)) {
		stacks->nr_frames = first;
		return 0;
	}
	stacks->entries[stacks->count] = (struct entry){ .first = first, .nr_frames = nr_frames };
	if (is_new)
		*is_new = true;
	return ++stacks->count;
}

struct stack stacks_get(const struct stacks *stacks, uint32_t id)
{
	const struct entry *entry;

	if (!id || id > stacks->count)
		return (struct stack){ 0 };
	entry = &stacks->entries[id - 1];
	return (struct stack){ .nr_frames = entry->nr_frames,
			       .frames = stacks->frames + entry->first };
}

uint32_t stacks_count(const struct stacks *stacks)
{
	return stacks->count;
}
