// SPDX-License-Identifier: GPL-2.0-only
#include "capture/modules.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"

#define MAX_TEXT    (4u << 20)
#define MAX_MODULES 4096u
#define MAX_NAME    64u /* MODULE_NAME_LEN is 64 - sizeof(long) */

/* The length of the word at *at, which goes on to the next word. */
static size_t take_word(const char **at, const char *end)
{
	const char *word = *at, *space = memchr(word, ' ', (size_t)(end - word));
	size_t len = (size_t)((space ? space : end) - word);

	*at = space ? space + 1 : end;
	return len;
}

/* A number that is all of the word; false if it is none, or has more than 32 bits. */
static bool word_number(const char *word, size_t len, int base, uint32_t *number)
{
	char text[24], *end;
	unsigned long long value;

	if (!len || len >= sizeof(text))
		return false;
	memcpy(text, word, len);
	text[len] = '\0';
	value = strtoull(text, &end, base);
	*number = (uint32_t)value;
	return !*end && text[0] != '-' && value <= UINT32_MAX;
}

/* "name size refcount users state 0xaddress", perhaps " (taints)". Users may be a long list. */
static bool parse_line(const char *line, const char *end, struct names *names,
		       struct stream_module *module)
{
	const char *words[6];
	size_t lens[6];

	for (unsigned int i = 0; i < 6; i++) {
		words[i] = line;
		lens[i] = take_word(&line, end);
	}
	if (!lens[0] || lens[0] > MAX_NAME || lens[5] < 3 || memcmp(words[5], "0x", 2))
		return false;
	module->name_id = names_intern(names, words[0], lens[0]);
	return word_number(words[1], lens[1], 10, &module->bytes) &&
	       word_number(words[5], lens[5], 16, &module->start);
}

int modules_parse(const char *text, size_t len, struct names *names, struct modules *modules)
{
	const char *at = text, *end = text + len;

	modules->count = 0;
	modules->list = calloc(MAX_MODULES, sizeof(*modules->list));
	if (!modules->list)
		return -ENOMEM;
	while (at < end && modules->count < MAX_MODULES) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *line_end = newline ? newline : end;

		modules->count += parse_line(at, line_end, names, &modules->list[modules->count]);
		at = line_end + 1;
	}
	return 0;
}

int modules_read(const char *path, struct names *names, struct modules *modules)
{
	char *text;
	size_t len;
	int err = file_read(path, MAX_TEXT, &text, &len);

	modules->list = NULL;
	modules->count = 0;
	if (err)
		return err;
	err = modules_parse(text, len, names, modules);
	free(text);
	return err;
}

void modules_release(struct modules *modules)
{
	free(modules->list);
	modules->list = NULL;
	modules->count = 0;
}
