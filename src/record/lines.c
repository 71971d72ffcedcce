// SPDX-License-Identifier: GPL-2.0-only
#include "record/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 65536u

/* bytes[begin .. end) is read and not yet handed out; bytes[begin .. scanned) has no newline. */
struct lines {
	struct input *input;
	size_t max_len;
	char *bytes;
	size_t capacity;
	size_t begin;
	size_t scanned;
	size_t end;
	uint64_t number;
	bool eof;
	bool torn;
	bool skipping; /* inside a line that is too long */
};

struct lines *lines_new(struct input *input, size_t max_len)
{
	struct lines *lines = calloc(1, sizeof(*lines));

	if (!lines)
		return NULL;
	lines->input = input;
	lines->max_len = max_len;
	lines->capacity = FIRST_CAPACITY;
	lines->bytes = malloc(lines->capacity);
	if (!lines->bytes) {
		free(lines);
		return NULL;
	}
	return lines;
}

void lines_free(struct lines *lines)
{
	if (!lines)
		return;
	free(lines->bytes);
	free(lines);
}

uint64_t lines_number(const struct lines *lines)
{
	return lines->number;
}

bool lines_torn(const struct lines *lines)
{
	return lines->torn;
}

static int make_room(struct lines *lines)
{
	char *bytes;

	if (lines->begin) {
		memmove(lines->bytes, lines->bytes + lines->begin, lines->end - lines->begin);
		lines->end -= lines->begin;
		lines->scanned -= lines->begin;
		lines->begin = 0;
	}
	if (lines->end < lines->capacity)
		return 0;
	bytes = realloc(lines->bytes, lines->capacity * 2);
	if (!bytes)
		return -ENOMEM;
	lines->bytes = bytes;
	lines->capacity *= 2;
	return 0;
}

static int fill(struct lines *lines)
{
	int err = lines->end == lines->capacity ? make_room(lines) : 0;
	int64_t got;

	if (err < 0)
		return err;
	got = input_read(lines->input, lines->bytes + lines->end, lines->capacity - lines->end);
	if (got < 0)
		return (int)got;
	if (!got)
		lines->eof = true;
	lines->end += (size_t)got;
	return 0;
}

/* Hands out bytes[begin .. stop) and goes on behind it and its newline. */
static int take(struct lines *lines, size_t stop, size_t newline, const char **text, size_t *len)
{
	bool too_long = lines->skipping || stop - lines->begin > lines->max_len;

	*text = lines->bytes + lines->begin;
	*len = stop - lines->begin;
	lines->begin = lines->scanned = stop + newline;
	lines->skipping = false;
	lines->torn = !newline;
	lines->number++;
	return too_long ? -E2BIG : 1;
}

int lines_next(struct lines *lines, const char **text, size_t *len)
{
	for (;;) {
		char *newline =
			memchr(lines->bytes + lines->scanned, '\n', lines->end - lines->scanned);
		int err;

		if (newline)
			return take(lines, (size_t)(newline - lines->bytes), 1, text, len);
		lines->scanned = lines->end;
		if (lines->eof) {
			if (lines->begin == lines->end && !lines->skipping)
				return 0;
			return take(lines, lines->end, 0, text, len);
		}
		if (lines->end - lines->begin > lines->max_len) {
			lines->skipping = true;
			lines->begin = lines->scanned = lines->end = 0;
		}
		err = fill(lines);
		if (err < 0)
			return err;
	}
}
