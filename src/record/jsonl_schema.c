// SPDX-License-Identifier: GPL-2.0-only
#include "record/jsonl_schema.h"

#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "event.h"
#include "record/jsonl_names.h"
#include "space/kind.h"

enum kind_of_value {
	V_UINT,
	V_ADDR, /* "0xf77fe000" */
	V_TEXT,
	V_TRUE,
	V_FRAMES,
	V_KIND,
	V_CAUSE,
	V_STATE,
	V_PHASE,
	V_SCHEMA,
};

enum need { OPTIONAL, REQUIRED };

/* Every key of every type, in the order in which the writer has them. */
static const struct row {
	const char *type;
	const char *key;
	enum kind_of_value value;
	enum need need;
} rows[] = {
	{ "header", "schema", V_SCHEMA, REQUIRED },
	{ "header", "kernel", V_TEXT, REQUIRED },
	{ "header", "vmalloc_start", V_ADDR, REQUIRED },
	{ "header", "vmalloc_end", V_ADDR, REQUIRED },
	{ "header", "page_size", V_UINT, REQUIRED },
	{ "header", "cpus", V_UINT, REQUIRED },
	{ "header", "pmd_bytes", V_UINT, OPTIONAL },
	{ "header", "exact_pages", V_TRUE, OPTIONAL },
	{ "header", "hostname", V_TEXT, OPTIONAL },
	{ "header", "tool", V_TEXT, OPTIONAL },
	{ "header", "start", V_UINT, OPTIONAL },
	{ "header", "start_wall", V_UINT, OPTIONAL },
	{ "header", "filter", V_TEXT, OPTIONAL },

	{ "stack", "id", V_UINT, REQUIRED },
	{ "stack", "frames", V_FRAMES, REQUIRED },
	{ "stack", "t", V_UINT, OPTIONAL },

	{ "snapshot", "t", V_UINT, REQUIRED },
	{ "snapshot", "begin", V_UINT, REQUIRED },
	{ "snapshot", "phase", V_PHASE, REQUIRED },

	{ "area", "t", V_UINT, REQUIRED },
	{ "area", "start", V_ADDR, REQUIRED },
	{ "area", "end", V_ADDR, REQUIRED },
	{ "area", "guard_pages", V_UINT, REQUIRED },
	{ "area", "state", V_STATE, REQUIRED },
	{ "area", "kind", V_KIND, REQUIRED },
	{ "area", "caller", V_TEXT, OPTIONAL },
	{ "area", "nr_pages", V_UINT, OPTIONAL },
	{ "area", "begin", V_UINT, OPTIONAL },
	{ "area", "since", V_UINT, OPTIONAL },
	{ "area", "pid", V_UINT, OPTIONAL },
	{ "area", "comm", V_TEXT, OPTIONAL },
	{ "area", "stack", V_UINT, OPTIONAL },
	{ "area", "requested", V_UINT, OPTIONAL },
	{ "area", "align", V_UINT, OPTIONAL },
	{ "area", "vstart", V_ADDR, OPTIONAL },
	{ "area", "own", V_TRUE, OPTIONAL },
	{ "area", "stack_cut", V_TRUE, OPTIONAL },

	{ "alloc", "t", V_UINT, REQUIRED },
	{ "alloc", "start", V_ADDR, REQUIRED },
	{ "alloc", "end", V_ADDR, REQUIRED },
	{ "alloc", "guard_pages", V_UINT, REQUIRED },
	{ "alloc", "align", V_UINT, OPTIONAL },
	{ "alloc", "kind", V_KIND, REQUIRED },
	{ "alloc", "pid", V_UINT, REQUIRED },
	{ "alloc", "tid", V_UINT, OPTIONAL },
	{ "alloc", "comm", V_TEXT, REQUIRED },
	{ "alloc", "stack", V_UINT, OPTIONAL },
	{ "alloc", "size", V_UINT, OPTIONAL },
	{ "alloc", "requested", V_UINT, OPTIONAL },
	{ "alloc", "vstart", V_ADDR, OPTIONAL },
	{ "alloc", "vend", V_ADDR, OPTIONAL },
	{ "alloc", "gfp", V_UINT, OPTIONAL },
	{ "alloc", "latency_ns", V_UINT, OPTIONAL },
	{ "alloc", "own", V_TRUE, OPTIONAL },
	{ "alloc", "stack_cut", V_TRUE, OPTIONAL },

	{ "vfree", "t", V_UINT, REQUIRED },
	{ "vfree", "addr", V_ADDR, REQUIRED },
	{ "vfree", "pid", V_UINT, REQUIRED },
	{ "vfree", "tid", V_UINT, OPTIONAL },
	{ "vfree", "comm", V_TEXT, REQUIRED },
	{ "vfree", "caller", V_TEXT, OPTIONAL },
	{ "vfree", "own", V_TRUE, OPTIONAL },
	{ "vfree", "stack_cut", V_TRUE, OPTIONAL },

	{ "free", "t", V_UINT, REQUIRED },
	{ "free", "start", V_ADDR, REQUIRED },
	{ "free", "end", V_ADDR, REQUIRED },
	{ "free", "pid", V_UINT, REQUIRED },
	{ "free", "tid", V_UINT, OPTIONAL },
	{ "free", "comm", V_TEXT, REQUIRED },
	{ "free", "own", V_TRUE, OPTIONAL },
	{ "free", "stack_cut", V_TRUE, OPTIONAL },

	{ "purge", "t", V_UINT, REQUIRED },
	{ "purge", "begin", V_UINT, OPTIONAL },
	{ "purge", "pid", V_UINT, OPTIONAL },
	{ "purge", "tid", V_UINT, OPTIONAL },
	{ "purge", "comm", V_TEXT, OPTIONAL },
	{ "purge", "own", V_TRUE, OPTIONAL },
	{ "purge", "stack_cut", V_TRUE, OPTIONAL },

	{ "fail", "t", V_UINT, REQUIRED },
	{ "fail", "size", V_UINT, REQUIRED },
	{ "fail", "align", V_UINT, REQUIRED },
	{ "fail", "vstart", V_ADDR, REQUIRED },
	{ "fail", "vend", V_ADDR, REQUIRED },
	{ "fail", "errno", V_UINT, REQUIRED },
	{ "fail", "pid", V_UINT, REQUIRED },
	{ "fail", "tid", V_UINT, OPTIONAL },
	{ "fail", "comm", V_TEXT, REQUIRED },
	{ "fail", "stack", V_UINT, OPTIONAL },
	{ "fail", "kind", V_KIND, OPTIONAL },
	{ "fail", "requested", V_UINT, OPTIONAL },
	{ "fail", "gfp", V_UINT, OPTIONAL },
	{ "fail", "latency_ns", V_UINT, OPTIONAL },
	{ "fail", "own", V_TRUE, OPTIONAL },
	{ "fail", "stack_cut", V_TRUE, OPTIONAL },

	{ "lost", "t", V_UINT, REQUIRED },
	{ "lost", "count", V_UINT, REQUIRED },
	{ "lost", "cause", V_CAUSE, REQUIRED },
	{ "lost", "cpu", V_UINT, OPTIONAL },

	{ "time", "t", V_UINT, REQUIRED },

	{ "trailer", "events", V_UINT, REQUIRED },
	{ "trailer", "lost", V_UINT, REQUIRED },
};

#define NR_ROWS (sizeof(rows) / sizeof(rows[0]))

static json_t *words(const char *(*name)(unsigned int), unsigned int from, unsigned int to)
{
	json_t *list = json_array();

	for (unsigned int i = from; i < to; i++)
		json_array_append_new(list, json_string(name(i)));
	return json_pack("{s:o}", "enum", list);
}

static json_t *value_schema(enum kind_of_value value)
{
	switch (value) {
	case V_UINT:
		return json_pack("{s:s, s:i}", "type", "integer", "minimum", 0);
	case V_ADDR:
		return json_pack("{s:s, s:s}", "type", "string", "pattern", "^0x[0-9a-f]{8}$");
	case V_TEXT:
		return json_pack("{s:s}", "type", "string");
	case V_TRUE:
		return json_pack("{s:s}", "type", "boolean");
	case V_FRAMES:
		return json_pack("{s:s, s:{s:s}}", "type", "array", "items", "type", "string");
	case V_KIND:
		return words(kind_name, 0, KIND_COUNT);
	case V_CAUSE:
		return words(jsonl_cause_name, 1, LOST_CAUSE_COUNT);
	case V_STATE:
		return json_pack("{s:[s,s]}", "enum", "used", "lazy");
	case V_PHASE:
		return json_pack("{s:[s,s]}", "enum", "begin", "end");
	case V_SCHEMA:
		return json_pack("{s:s}", "const", JSONL_SCHEMA);
	}
	return NULL;
}

/* "If it is of this type, it has these keys", for the rows from *row on that are of one type. */
static json_t *type_schema(size_t *row)
{
	const char *type = rows[*row].type;
	json_t *keys = json_object(), *required = json_array();

	for (; *row < NR_ROWS && !strcmp(rows[*row].type, type); ++*row) {
		json_object_set_new(keys, rows[*row].key, value_schema(rows[*row].value));
		if (rows[*row].need == REQUIRED)
			json_array_append_new(required, json_string(rows[*row].key));
	}
	return json_pack("{s:{s:{s:{s:s}}}, s:{s:o, s:o}}", "if", "properties", "type", "const",
			 type, "then", "required", required, "properties", keys);
}

int jsonl_schema_print(FILE *out)
{
	json_t *types = json_array(), *schema;
	size_t row = 0;
	int err = 0;

	while (types && row < NR_ROWS)
		json_array_append_new(types, type_schema(&row));
	schema =
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:[s], s:{s:{s:s}}, s:o}", "$schema",
			  "https://json-schema.org/draft/2020-12/schema", "$id", JSONL_SCHEMA,
			  "title", "one line of a vmtrace recording in JSON Lines", "$comment",
			  "Readers skip types and keys that they do not know; docs/FORMAT.md tells "
			  "what they mean",
			  "type", "object", "required", "type", "properties", "type", "type",
			  "string", "allOf", types);
	if (!schema)
		return -ENOMEM;
	if (json_dumpf(schema, out, JSON_INDENT(1)) < 0 || putc('\n', out) == EOF)
		err = -EIO;
	json_decref(schema);
	return err;
}
