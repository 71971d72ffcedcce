// SPDX-License-Identifier: GPL-2.0-only
/*
 * Texts lie NUL-terminated in chunks that never move, so that a pointer from names_text stays
 * good while the table grows.
 */
#include "space/names.h"

#include <stdlib.h>
#include <string.h>

#include "space/idtable.h"

#define CHUNK_BYTES   32768u
#define MAX_NAME      (1u << 20)
#define FIRST_ENTRIES 256u

struct chunk {
	struct chunk *next;
	uint32_t used;
	uint32_t size;
	char bytes[];
};

struct entry {
	const char *text;
	uint32_t len;
};

struct names {
	struct entry *entries; /* [0] is the empty string */
	uint32_t count;
	uint32_t capacity;
	struct chunk *chunks; /* the newest first: only it has room */
	struct idtable index;
};

struct names *names_new(void)
{
	struct names *names = calloc(1, sizeof(*names));

	if (!names)
		return NULL;
	names->entries = calloc(FIRST_ENTRIES, sizeof(*names->entries));
	if (!names->entries) {
		free(names);
		return NULL;
	}
	names->capacity = FIRST_ENTRIES;
	names->entries[0].text = "";
	names->count = 1;
	return names;
}

void names_free(struct names *names)
{
	struct chunk *chunk;

	if (!names)
		return;
	while ((chunk = names->chunks)) {
		names->chunks = chunk->next;
		free(chunk);
	}
	idtable_release(&names->index);
	free(names->entries);
	free(names);
}

static int reserve_entry(struct names *names)
{
	uint32_t capacity = names->capacity;
	struct entry *entries;

	if (names->count < capacity)
		return 0;
	if (capacity > UINT32_MAX / 2 / sizeof(*entries))
		return -1;
	entries = realloc(names->entries, (size_t)capacity * 2 * sizeof(*entries));
	if (!entries)
		return -1;
	names->entries = entries;
	names->capacity = capacity * 2;
	return 0;
}

/* Room for len + 1 bytes in the newest chunk; NULL on lack of memory. */
static struct chunk *reserve_text(struct names *names, uint32_t len)
{
	struct chunk *chunk = names->chunks;
	uint32_t size = CHUNK_BYTES;

	if (chunk && chunk->size - chunk->used > len)
		return chunk;
	if (size <= len)
		size = len + 1;
	chunk = malloc(sizeof(*chunk) + size);
	if (!chunk)
		return NULL;
	chunk->next = names->chunks;
	chunk->used = 0;
	chunk->size = size;
	names->chunks = chunk;
	return chunk;
}

static uint32_t find(const struct names *names, const char *text, uint32_t len, uint32_t hash)
{
	uint32_t pos;
	uint32_t id;

	for (id = idtable_first(&names->index, hash, &pos); id;
	     id = idtable_next(&names->index, hash, &pos)) {
		const struct entry *entry = &names->entries[id];

		if (entry->len == len && !memcmp(entry->text, text, len))
			return id;
	}
	return 0;
}

uint32_t names_intern(struct names *names, const char *text, size_t len)
{
	const char *nul = len ? memchr(text, 0, len) : NULL;
	struct chunk *chunk;
	uint32_t hash;
	uint32_t id;
	char *copy;

	if (nul)
		len = (size_t)(nul - text);
	if (!len || len > MAX_NAME)
		return 0;
	hash = idtable_hash(text, len);
	id = find(names, text, (uint32_t)len, hash);
	if (id)
		return id;
	if (reserve_entry(names))
		return 0;
	chunk = reserve_text(names, (uint32_t)len);
	if (!chunk || idtable_add(&names->index, hash, names->count))
		return 0;
	copy = chunk->bytes + chunk->used;
	memcpy(copy, text, len);
	copy[len] = 0;
	chunk->used += (uint32_t)len + 1;
	names->entries[names->count] = (struct entry){ .text = copy, .len = (uint32_t)len };
	return names->count++;
}

uint32_t names_find_str(const struct names *names, const char *text)
{
	size_t len = strlen(text);

	if (!len || len > MAX_NAME)
		return 0;
	return find(names, text, (uint32_t)len, idtable_hash(text, len));
}

uint32_t names_intern_str(struct names *names, const char *text)
{
	return text ? names_intern(names, text, strlen(text)) : 0;
}

const char *names_text(const struct names *names, uint32_t id)
{
	return id < names->count ? names->entries[id].text : "";
}

uint32_t names_count(const struct names *names)
{
	return names->count;
}
