// SPDX-License-Identifier: GPL-2.0-only
/*
 * A profile that pprof reads, with the sample names of a Go heap profile. Written as many small
 * messages one after the other: by the rules of protocol buffers that is the same as one message
 * with all their repeated fields, and nothing has to be held in memory but the tables of names.
 *
 * Frames are text by the time they get here, so locations have no address (an unresolved frame is
 * one). A location is one frame with its offset, a function one symbol, a mapping one module.
 */
#include "export/export.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "export/clean.h"
#include "export/gzip.h"
#include "profile.pb-c.h"
#include "space/kind.h"
#include "space/owners.h"

#define ROOT_FRAMES 2 /* of samples_path: "vmalloc" and the module, which is a mapping here */
#define KERNEL      "[kernel.kallsyms]"
#define MAX_PATTERN 65536

/* Ids in a table of names count up from 1, as those of pprof do; string 0 is "" in both. */
struct writer {
	const struct export_data *data;
	struct gzip *gzip;
	struct names *strings;
	struct names *mappings;
	struct names *functions;
	struct names *locations;
	struct names *plumbing; /* functions that are the allocator's own */
	uint8_t *buf;
	size_t buf_size;
	int err; /* the first one; nothing is written after it */
};

static void fail(struct writer *writer, int err)
{
	if (err && !writer->err)
		writer->err = err;
}

static void emit(struct writer *writer, const Pprof__Profile *part)
{
	size_t len = pprof__profile__get_packed_size(part);

	if (len > writer->buf_size) {
		uint8_t *buf = realloc(writer->buf, len);

		if (!buf) {
			fail(writer, -ENOMEM);
			return;
		}
		writer->buf = buf;
		writer->buf_size = len;
	}
	pprof__profile__pack(part, writer->buf);
	if (!writer->err)
		fail(writer, gzip_write(writer->gzip, writer->buf, len));
}

/* The id of text in a table; *is_new tells whether it was made now. Text must be clean. */
static uint32_t id_of(struct writer *writer, struct names *table, const char *text, bool *is_new)
{
	uint32_t count = names_count(table);
	uint32_t id = names_intern_str(table, text);

	if (!id && *text)
		fail(writer, -ENOMEM);
	*is_new = id && id == count;
	return id;
}

static int64_t string(struct writer *writer, const char *text)
{
	char *clean = clean_text(text, CLEAN_TEXT);
	bool is_new;
	uint32_t id = 0;

	if (clean)
		id = id_of(writer, writer->strings, clean, &is_new);
	else
		fail(writer, -ENOMEM);
	free(clean);
	return id;
}

static uint64_t mapping(struct writer *writer, const char *module)
{
	Pprof__Mapping message = PPROF__MAPPING__INIT, *list[] = { &message };
	Pprof__Profile part = PPROF__PROFILE__INIT;
	const char *name = strcmp(module, "kernel") ? module : KERNEL;
	bool is_new;

	if (!strcmp(module, "?"))
		return 0;
	message.id = id_of(writer, writer->mappings, name, &is_new);
	if (!is_new)
		return message.id;
	message.filename = string(writer, name);
	message.has_functions = true;
	part.n_mapping = 1;
	part.mapping = list;
	emit(writer, &part);
	return message.id;
}

/* symbol: of "symbol+0xoff [module]". */
static uint64_t function(struct writer *writer, const char *symbol)
{
	Pprof__Function message = PPROF__FUNCTION__INIT, *list[] = { &message };
	Pprof__Profile part = PPROF__PROFILE__INIT;
	bool is_new;

	message.id = id_of(writer, writer->functions, symbol, &is_new);
	if (!is_new)
		return message.id;
	message.name = string(writer, symbol);
	message.system_name = message.name;
	part.n_function = 1;
	part.function = list;
	emit(writer, &part);
	return message.id;
}

/* Cuts the offset and the module off. */
static void cut_symbol(char *frame)
{
	char *end = strstr(frame, "+0x");

	if (!end)
		end = strstr(frame, " [");
	if (end && end != frame)
		*end = '\0';
}

static void emit_location(struct writer *writer, uint32_t id, char *frame, const char *module)
{
	Pprof__Location message = PPROF__LOCATION__INIT, *list[] = { &message };
	Pprof__Line line = PPROF__LINE__INIT, *lines[] = { &line };
	Pprof__Profile part = PPROF__PROFILE__INIT;

	message.id = id;
	message.mapping_id = mapping(writer, module);
	if (!strncmp(frame, "0x", 2))
		message.address = strtoul(frame, NULL, 16);
	cut_symbol(frame);
	line.function_id = function(writer, frame);
	message.n_line = 1;
	message.line = lines;
	part.n_location = 1;
	part.location = list;
	emit(writer, &part);
}

static uint64_t location(struct writer *writer, uint32_t frame_id)
{
	struct names *names = writer->data->view.names;
	char *frame = clean_text(names_text(names, frame_id), CLEAN_TEXT);
	char *module = clean_text(names_text(names, owners_module_of(names, frame_id)), CLEAN_TEXT);
	uint32_t id = 0;
	bool is_new;

	if (frame && module) {
		id = id_of(writer, writer->locations, frame, &is_new);
		if (is_new)
			emit_location(writer, id, frame, module); /* cuts frame */
		if (is_new && kind_frame_is_plumbing(names_text(names, frame_id)))
			id_of(writer, writer->plumbing, frame, &is_new);
	} else {
		fail(writer, -ENOMEM);
	}
	free(frame);
	free(module);
	return id;
}

/* The labels of a sample; those that say nothing are left out. Returns how many. */
static size_t fill_labels(struct writer *writer, const struct sample *sample, const char *module,
			  Pprof__Label labels[4])
{
	const char *texts[] = { "kind",   kind_name(sample->kind),
				"module", module,
				"comm",   names_text(writer->data->view.names, sample->comm_id) };
	size_t count = 0;

	for (size_t i = 0; i < 6; i += 2) {
		if (!*texts[i + 1])
			continue;
		pprof__label__init(&labels[count]);
		labels[count].key = string(writer, texts[i]);
		labels[count++].str = string(writer, texts[i + 1]);
	}
	pprof__label__init(&labels[count]);
	labels[count].key = string(writer, "size");
	labels[count].num = sample->size;
	labels[count++].num_unit = string(writer, "bytes");
	return count;
}

/* Shown as a heap profile: in use and allocated together. */
static bool is_heap(enum samples_value value)
{
	return value == SAMPLES_INUSE || value == SAMPLES_ALLOC;
}

/* The values in the order of the sample types. Returns how many, 0 if all are 0. */
static size_t fill_values(const struct writer *writer, const struct sample *sample,
			  int64_t values[4])
{
	enum samples_value value = writer->data->value;
	bool heap = is_heap(value);
	const struct sample_sum *first = &sample->sum[heap ? SAMPLES_INUSE : value];
	const struct sample_sum *second = heap ? &sample->sum[SAMPLES_ALLOC] : NULL;

	values[0] = (int64_t)first->count;
	values[1] = (int64_t)first->bytes;
	if (!second)
		return first->count ? 2 : 0;
	values[2] = (int64_t)second->count;
	values[3] = (int64_t)second->bytes;
	return first->count || second->count ? 4 : 0;
}

static void put_sample(struct writer *writer, const struct sample *sample)
{
	const struct view *view = &writer->data->view;
	Pprof__Sample message = PPROF__SAMPLE__INIT, *list[] = { &message };
	Pprof__Label labels[4], *label_list[] = { &labels[0], &labels[1], &labels[2], &labels[3] };
	Pprof__Profile part = PPROF__PROFILE__INIT;
	uint32_t path[SAMPLES_PATH_MAX], count;
	uint64_t locations[SAMPLES_PATH_MAX];
	int64_t values[4];

	message.n_value = fill_values(writer, sample, values);
	if (!message.n_value)
		return;
	message.value = values;
	count = samples_path(sample, view->names, view->stacks, path);
	while (count > ROOT_FRAMES)
		locations[message.n_location_id++] = location(writer, path[--count]);
	message.location_id = locations;
	message.n_label = fill_labels(writer, sample, names_text(view->names, path[1]), labels);
	message.label = label_list;
	part.n_sample = 1;
	part.sample = list;
	emit(writer, &part);
}

/* What the values are. */
static void put_types(struct writer *writer)
{
	static const char *const heap[] = { "inuse_objects", "inuse_space", "alloc_objects",
					    "alloc_space" };
	static const char *const failed[] = { "failed_objects", "failed_space" };
	static const char *const leaked[] = { "leaked_objects", "leaked_space" };
	enum samples_value value = writer->data->value;
	const char *const *names = is_heap(value) ? heap :
				   value == SAMPLES_FAILED ? failed : leaked;
	Pprof__ValueType types[4], *list[] = { &types[0], &types[1], &types[2], &types[3] };
	Pprof__Profile part = PPROF__PROFILE__INIT;

	part.n_sample_type = is_heap(value) ? 4 : 2;
	part.sample_type = list;
	for (size_t i = 0; i < part.n_sample_type; i++) {
		pprof__value_type__init(&types[i]);
		types[i].type = string(writer, names[i]);
		types[i].unit = string(writer, i % 2 ? "bytes" : "count");
	}
	part.default_sample_type =
		string(writer, names[value == SAMPLES_ALLOC ? 3 : 1]);
	emit(writer, &part);
}

/* A pattern for the allocator's layers, without which every sample would be alloc_vmap_area's.
 * Names can hold anything, so everything but letters, digits and '_' is escaped. */
static int64_t plumbing_pattern(struct writer *writer)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int64_t id = 0;

	if (!out) {
		fail(writer, -ENOMEM);
		return 0;
	}
	for (uint32_t i = 1; i < names_count(writer->plumbing) && ftell(out) < MAX_PATTERN; i++) {
		const char *at = names_text(writer->plumbing, i);

		if (i > 1)
			putc('|', out);
		for (; *at; at++)
			fprintf(out, ispunct((unsigned char)*at) && *at != '_' ? "\\%c" : "%c",
				*at);
	}
	if (fclose(out))
		fail(writer, -ENOMEM);
	else
		id = string(writer, text);
	free(text);
	return id;
}

static void put_facts(struct writer *writer)
{
	const struct export_data *data = writer->data;
	uint64_t last_ns = space_counters(data->view.space)->last_t_ns;
	Pprof__ValueType period = PPROF__VALUE_TYPE__INIT;
	Pprof__Profile part = PPROF__PROFILE__INIT;
	char text[192];
	int64_t comments[3];

	snprintf(text, sizeof(text), "vmtrace %s", data->view.facts->version);
	comments[part.n_comment++] = string(writer, text);
	snprintf(text, sizeof(text), "kernel %s", data->view.facts->kernel);
	comments[part.n_comment++] = string(writer, text);
	if (space_uncertain(data->view.space))
		comments[part.n_comment++] = string(writer, "events were lost: not exact");
	part.comment = comments;
	part.drop_frames = plumbing_pattern(writer);
	period.type = string(writer, "space");
	period.unit = string(writer, "bytes");
	part.period_type = &period;
	part.period = 1;
	if (last_ns > data->first_ns)
		part.duration_nanos = (int64_t)(last_ns - data->first_ns);
	if (data->wall_ns)
		part.time_nanos = (int64_t)(data->wall_ns + data->first_ns);
	emit(writer, &part);
}

static void put_strings(struct writer *writer)
{
	for (uint32_t id = 0; id < names_count(writer->strings); id++) {
		char *text = (char *)names_text(writer->strings, id);
		Pprof__Profile part = PPROF__PROFILE__INIT;

		part.n_string_table = 1;
		part.string_table = &text;
		emit(writer, &part);
	}
}

static int put_all(struct writer *writer)
{
	const struct samples *samples = writer->data->samples;

	put_types(writer);
	mapping(writer, "kernel"); /* the first one is taken for the program */
	for (uint32_t i = 0; i < samples_count(samples) && !writer->err; i++)
		put_sample(writer, samples_at(samples, i));
	put_facts(writer);
	put_strings(writer);
	if (!writer->err)
		fail(writer, gzip_finish(writer->gzip));
	return writer->err;
}

const bool export_has_pprof = true;

int export_pprof(FILE *out, const struct export_data *data)
{
	struct writer writer = {
		.data = data,
		.gzip = gzip_new(out),
		.strings = names_new(),
		.mappings = names_new(),
		.functions = names_new(),
		.locations = names_new(),
		.plumbing = names_new(),
	};
	int err = -ENOMEM;

	if (writer.gzip && writer.strings && writer.mappings && writer.functions &&
	    writer.locations && writer.plumbing)
		err = put_all(&writer);
	gzip_free(writer.gzip);
	names_free(writer.strings);
	names_free(writer.mappings);
	names_free(writer.functions);
	names_free(writer.locations);
	names_free(writer.plumbing);
	free(writer.buf);
	return err ? err : export_status(out);
}
