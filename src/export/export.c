// SPDX-License-Identifier: GPL-2.0-only
#include "export/export.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "export/clean.h"

static const char *const value_names[SAMPLES_VALUES] = {
	[SAMPLES_INUSE] = "inuse",
	[SAMPLES_ALLOC] = "alloc",
	[SAMPLES_FAILED] = "failed",
	[SAMPLES_LEAKED] = "leaked",
};

static const char *const format_names[EXPORT_FORMATS] = {
	[EXPORT_NONE] = "",
	[EXPORT_FOLDED] = "folded",
	[EXPORT_PPROF] = "pprof",
	[EXPORT_SPEEDSCOPE] = "speedscope",
	[EXPORT_PERFETTO] = "perfetto",
	[EXPORT_CSV] = "csv",
	[EXPORT_PROM] = "prom",
	[EXPORT_JSONL] = "jsonl",
};

const char *export_value_name(enum samples_value value)
{
	return value < SAMPLES_VALUES ? value_names[value] : "?";
}

int export_value_from_name(const char *name, enum samples_value *value)
{
	for (unsigned int i = 0; i < SAMPLES_VALUES; i++) {
		if (strcmp(name, value_names[i]))
			continue;
		*value = i;
		return 0;
	}
	return -EINVAL;
}

const char *export_format_name(enum export_format format)
{
	return format < EXPORT_FORMATS ? format_names[format] : "?";
}

int export_format_from_name(const char *name, enum export_format *format)
{
	for (unsigned int i = EXPORT_NONE + 1; i < EXPORT_FORMATS; i++) {
		if (strcmp(name, format_names[i]))
			continue;
		*format = i;
		return 0;
	}
	return -EINVAL;
}

void export_put_text(struct json_put *put, const char *key, const char *text)
{
	char *clean = clean_text(text, CLEAN_TEXT);

	json_put_text(put, key, clean ? clean : "");
	put->failed |= !clean;
	free(clean);
}

void export_put_frames(struct json_put *put, const char *key, const struct view *view,
		       uint32_t stack_id)
{
	struct stack stack = stacks_get(view->stacks, stack_id);
	json_t *array = json_array();

	for (uint32_t i = 0; i < stack.nr_frames; i++) {
		char *clean = clean_text(names_text(view->names, stack.frames[i]), CLEAN_TEXT);

		if (!clean || json_array_append_new(array, json_string(clean)) < 0)
			put->failed = true;
		free(clean);
	}
	json_put_value(put, key, array);
}

int export_status(FILE *out)
{
	return ferror(out) ? -EIO : 0;
}
