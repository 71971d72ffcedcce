// SPDX-License-Identifier: GPL-2.0-only
#include "export/export.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "export/clean.h"

struct line {
	char *path; /* "vmalloc;kernel;..." */
	uint64_t bytes;
};

struct lines {
	struct line *list;
	uint32_t count;
};

/* Prints one frame, clean, and what separates it from the one before. */
static int put_frame(FILE *out, const char *name, bool first)
{
	char *clean = clean_text(name, CLEAN_FRAME);

	if (!clean)
		return -ENOMEM;
	fprintf(out, "%s%s", first ? "" : ";", clean);
	free(clean);
	return 0;
}

/* The path of a sample as one string, to be freed; NULL when memory runs out. */
static char *path_of(const struct sample *sample, const struct view *view)
{
	uint32_t frames[SAMPLES_PATH_MAX];
	uint32_t count = samples_path(sample, view->names, view->stacks, frames);
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int err = 0;

	if (!out)
		return NULL;
	for (uint32_t i = 0; i < count && !err; i++)
		err = put_frame(out, names_text(view->names, frames[i]), i == 0);
	if (fclose(out) || err) {
		free(text);
		return NULL;
	}
	return text;
}

static int collect(struct lines *lines, const struct export_data *data)
{
	uint32_t count = samples_count(data->samples);

	lines->list = calloc((size_t)count + 1, sizeof(*lines->list));
	if (!lines->list)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		const struct sample *sample = samples_at(data->samples, i);
		struct line *line = &lines->list[lines->count];

		if (!sample->sum[data->value].bytes)
			continue;
		line->path = path_of(sample, &data->view);
		line->bytes = sample->sum[data->value].bytes;
		if (!line->path)
			return -ENOMEM;
		lines->count++;
	}
	return 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct line *)a)->path, ((const struct line *)b)->path);
}

/* Different samples can have one path: other sizes, other tasks, names that differ only in what
 * is not printed. */
static void print(FILE *out, const struct lines *lines)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < lines->count; i++) {
		bytes += lines->list[i].bytes;
		if (i + 1 < lines->count && !by_path(&lines->list[i], &lines->list[i + 1]))
			continue;
		fprintf(out, "%s %" PRIu64 "\n", lines->list[i].path, bytes);
		bytes = 0;
	}
}

int export_folded(FILE *out, const struct export_data *data)
{
	struct lines lines = { 0 };
	int err = collect(&lines, data);

	if (!err) {
		qsort(lines.list, lines.count, sizeof(*lines.list), by_path);
		print(out, &lines);
	}
	for (uint32_t i = 0; i < lines.count; i++)
		free(lines.list[i].path);
	free(lines.list);
	return err ? err : export_status(out);
}
