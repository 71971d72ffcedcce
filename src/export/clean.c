// SPDX-License-Identifier: GPL-2.0-only
#include "export/clean.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

/* C0, DEL, C1 (U+0080 to U+009F), which some terminals obey, U+2028 and U+2029, which end a line
 * for some readers, and what turns the direction of writing (U+202A to E, U+2066 to 9). */
static bool is_control(const char *text, size_t len)
{
	const unsigned char *bytes = (const unsigned char *)text;

	if (len == 1)
		return bytes[0] < 0x20 || bytes[0] == 0x7f;
	if (len == 2)
		return bytes[0] == 0xc2 && bytes[1] < 0xa0;
	if (len != 3 || bytes[0] != 0xe2)
		return false;
	return (bytes[1] == 0x80 && bytes[2] >= 0xa8 && bytes[2] <= 0xae) ||
	       (bytes[1] == 0x81 && bytes[2] >= 0xa6 && bytes[2] <= 0xa9);
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
