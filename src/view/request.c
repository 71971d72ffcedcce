/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/request.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "space/kind.h"
#include "units.h"

#define BLANKS " \t\r\n"

int request_parse_kind(const char *text, enum area_kind *kind)
{
	static const enum area_kind kinds[] = {
		KIND_VMALLOC, KIND_VMAP, KIND_IOREMAP, KIND_MODULE, KIND_PERCPU, KIND_VM_MAP_RAM,
	};
	enum area_kind named = kind_from_name(text);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i] == named) {
			*kind = named;
			return 0;
		}
	}
	return -EINVAL;
}

int request_parse_align(const char *text, uint32_t *align)
{
	uint32_t value;

	if (units_parse_bytes(text, &value) < 0 || value < VMT_PAGE_SIZE || (value & (value - 1)))
		return -EINVAL;
	*align = value;
	return 0;
}

int request_parse_size(const char *text, uint32_t *bytes)
{
	uint32_t value;
	int err = units_parse_bytes(text, &value);

	if (!err && !value)
		err = -EINVAL;
	if (!err)
		*bytes = value;
	return err;
}

static int parse_count(const char *text, uint32_t *count)
{
	unsigned long value;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || !value || value > REQUEST_MAX_COUNT)
		return -EINVAL;
	*count = (uint32_t)value;
	return 0;
}

static int parse_word(const char *word, struct fit_question *question)
{
	if (!strncmp(word, "kind=", 5))
		return request_parse_kind(word + 5, &question->kind);
	if (!strncmp(word, "align=", 6))
		return request_parse_align(word + 6, &question->align);
	if (!strncmp(word, "count=", 6))
		return parse_count(word + 6, &question->count);
	return -EINVAL;
}

int request_parse_line(char *line, struct fit_question *question, char *why, size_t why_len)
{
	char *rest = NULL, *word = strtok_r(line, BLANKS, &rest);
	bool bad = !word || request_parse_size(word, &question->bytes) < 0;

	if (bad) {
		snprintf(why, why_len, "'%s' is not a size from 1 to 4G", word ? word : "");
		return -EINVAL;
	}
	while ((word = strtok_r(NULL, BLANKS, &rest)) != NULL) {
		if (parse_word(word, question) < 0) {
			snprintf(why, why_len, "'%s' is no kind=, align= or count= with a value",
				 word);
			return -EINVAL;
		}
	}
	return 0;
}
