// SPDX-License-Identifier: GPL-2.0-only
/*
 * speedscope's file format: one table of frames, and profiles of type "sampled", which have for
 * each sample the indices of its frames, outermost first, and its weight. Written as it is walked,
 * since a tree of it in memory would be many times its size.
 */
#include "export/export.h"

#include <inttypes.h>
#include <stdbool.h>

#include "export/frames.h"
#include "record/json_put.h"
#include "space/owners.h"

#define SCHEMA "https://www.speedscope.app/file-format-schema.json"

/* "file" is what speedscope colours by: the module. */
static int put_frame(FILE *out, struct names *names, uint32_t frame)
{
	struct json_put put = json_put_new();

	export_put_text(&put, "name", names_text(names, frame));
	export_put_text(&put, "file", names_text(names, owners_module_of(names, frame)));
	return json_put_line(out, &put);
}

static int put_frames(FILE *out, const struct export_data *data, const struct frames *frames)
{
	int err = 0;

	fputs("\"shared\":{\"frames\":[\n", out);
	for (uint32_t i = 0; i < frames->count && !err; i++) {
		if (i)
			putc(',', out);
		err = put_frame(out, data->view.names, frames->ids[i]);
	}
	fputs("]},\n", out);
	return err;
}

static void put_path(FILE *out, const struct export_data *data, const struct frames *frames,
		     const struct sample *sample)
{
	uint32_t path[SAMPLES_PATH_MAX];
	uint32_t count = samples_path(sample, data->view.names, data->view.stacks, path);

	for (uint32_t i = 0; i < count; i++)
		fprintf(out, "%c%" PRIu32, i ? ',' : '[', frames_number(frames, path[i]));
	putc(']', out);
}

static void put_profile(FILE *out, const struct export_data *data, const struct frames *frames,
			enum samples_value value)
{
	uint32_t count = samples_count(data->samples);
	uint64_t total = 0;
	bool first = true;

	fprintf(out, "{\"type\":\"sampled\",\"name\":\"%s\",\"unit\":\"bytes\",\"samples\":[\n",
		export_value_name(value));
	for (uint32_t i = 0; i < count; i++) {
		const struct sample *sample = samples_at(data->samples, i);

		if (!sample->sum[value].bytes)
			continue;
		if (!first)
			fputs(",\n", out);
		first = false;
		put_path(out, data, frames, sample);
	}
	fputs("],\n\"weights\":[", out);
	for (uint32_t i = 0; i < count; i++) {
		uint64_t bytes = samples_at(data->samples, i)->sum[value].bytes;

		if (bytes)
			fprintf(out, "%s%" PRIu64, total ? "," : "", bytes);
		total += bytes;
	}
	fprintf(out, "],\"startValue\":0,\"endValue\":%" PRIu64 "}", total);
}

static void put_profiles(FILE *out, const struct export_data *data, const struct frames *frames)
{
	fputs("\"profiles\":[\n", out);
	for (unsigned int value = 0; value < SAMPLES_VALUES; value++) {
		if (value == SAMPLES_LEAKED && data->value != SAMPLES_LEAKED)
			continue; /* not judged: it was not asked for */
		if (value)
			fputs(",\n", out);
		put_profile(out, data, frames, value);
	}
	fputs("],\n", out);
}

static int put_end(FILE *out, const struct export_data *data)
{
	const struct view_facts *facts = data->view.facts;
	struct json_put put = json_put_new();
	char exporter[64];
	int err;

	snprintf(exporter, sizeof(exporter), "vmtrace@%s", facts->version);
	export_put_text(&put, "name", *facts->kernel ? facts->kernel : "vmalloc");
	json_put_uint(&put, "activeProfileIndex", data->value);
	json_put_text(&put, "exporter", exporter);
	err = json_put_part(out, &put, false);
	fputs("}\n", out);
	return err;
}

int export_speedscope(FILE *out, const struct export_data *data)
{
	struct frames frames;
	int err = frames_collect(&frames, data->samples, data->view.names, data->view.stacks);

	if (err)
		return err;
	fputs("{\"$schema\":\"" SCHEMA "\",\n", out);
	err = put_frames(out, data, &frames);
	if (!err) {
		put_profiles(out, data, &frames);
		err = put_end(out, data);
	}
	frames_release(&frames);
	return err ? err : export_status(out);
}
