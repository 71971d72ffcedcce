// SPDX-License-Identifier: GPL-2.0-only
#include "export/clean.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

/* C0, DEL, and C1 (U+0080 to U+009F), which some terminals obey. */
static bool is_control(const char *text, size_t len)
{
	unsigned char first = (unsigned char)text[0];

	if (len == 1)
		return first < 0x20 || first == 0x7f;
	return len == 2 && first == 0xc2 && (unsigned char)text[1] < 0xa0;
}

/* What stands for one character; NULL: itself. */
static const char *replacement(const char *text, size_t len, enum clean_rule rule)
{
	if (!len)
		return UTF8_REPLACEMENT;
	if (is_control(text, len))
		return "?";
	if (rule != CLEAN_FRAME)
		return NULL;
	if (text[0] == ';')
		return ":";
	return text[0] == ' ' && text[1] != '[' ? "_" : NULL;
}

char *clean_text(const char *text, enum clean_rule rule)
{
	char *copy = malloc(strlen(text) * strlen(UTF8_REPLACEMENT) + 1);
	char *to = copy;

	if (!copy)
		return NULL;
	while (*text) {
		size_t len = utf8_len(text);
		const char *instead = replacement(text, len, rule);

		to = mempcpy(to, instead ? instead : text, instead ? strlen(instead) : len);
		text += len ? len : 1;
	}
	*to = '\0';
	return copy;
}
