/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "capture/range.h"

#define HEAD_BYTES 16384u /* holds all program headers */
#define MAX_CODE   8192u  /* more than any function of mm/vmalloc.c */
#define CALL_BYTES 5u

struct text {
	const struct symbols *symbols;
	int fd;
	size_t head_len;
	uint8_t head[HEAD_BYTES];
	uint8_t code[MAX_CODE];
};

/* Up to len bytes at offset: how many were read. */
static size_t read_at(int fd, uint8_t *bytes, size_t len, uint32_t offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t got = pread(fd, bytes + done, len - done, (off_t)offset + (off_t)done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	return done;
}

struct text *text_open(const char *path, const struct symbols *symbols)
{
	struct text *text = calloc(1, sizeof(*text));

	if (!text)
		return NULL;
	text->symbols = symbols;
	text->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (text->fd >= 0)
		text->head_len = read_at(text->fd, text->head, sizeof(text->head), 0);
	if (text->head_len)
		return text;
	text_close(text);
	return NULL;
}

void text_close(struct text *text)
{
	if (!text)
		return;
	if (text->fd >= 0)
		close(text->fd);
	free(text);
}

/* Where an instruction begins is not known here. A wrong match would need four bytes that happen
 * to be the distance to that function. */
bool text_bytes_call(const uint8_t *code, size_t len, uint32_t addr, uint32_t to)
{
	for (size_t i = 0; i + CALL_BYTES <= len; i++) {
		uint32_t distance;

		if (code[i] != 0xe8 && code[i] != 0xe9)
			continue;
		distance = code[i + 1] | (uint32_t)code[i + 2] << 8 | (uint32_t)code[i + 3] << 16 |
			   (uint32_t)code[i + 4] << 24;
		if (addr + (uint32_t)i + CALL_BYTES + distance == to)
			return true;
	}
	return false;
}

bool text_has(const struct text *text, uint32_t addr, uint32_t len)
{
	uint32_t offset, follow;

	return !range_kcore_offset(text->head, text->head_len, addr, &offset, &follow) &&
	       len <= follow;
}

bool text_read(struct text *text, uint32_t addr, void *bytes, uint32_t len)
{
	uint32_t offset, follow;

	return !range_kcore_offset(text->head, text->head_len, addr, &offset, &follow) &&
	       len <= follow && read_at(text->fd, bytes, len, offset) == len;
}

const uint8_t *text_code(struct text *text, uint32_t addr, uint32_t *len)
{
	*len = symbols_size(text->symbols, addr);
	if (!addr || !*len || *len > MAX_CODE || !text_read(text, addr, text->code, *len))
		return NULL;
	return text->code;
}

enum plan_calls text_calls(void *context, uint32_t from, uint32_t to)
{
	const uint8_t *code;
	uint32_t len;

	code = to ? text_code(context, from, &len) : NULL;
	if (!code)
		return CALLS_UNKNOWN;
	return text_bytes_call(code, len, from, to) ? CALLS_YES : CALLS_NO;
}
