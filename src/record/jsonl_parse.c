// SPDX-License-Identifier: GPL-2.0-only
#include "record/jsonl_parse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "record/jsonl_names.h"
#include "record/vmt_format.h"
#include "space/kind.h"

#define MAX_ERRNO 4095u /* include/linux/err.h */

/* The object in hand. The first thing wrong with it is kept; later gets then change nothing. */
struct line {
	struct jsonl_parse *parse;
	json_t *object;
	bool bad;
};

__attribute__((format(printf, 2, 3))) static void bad(struct line *line, const char *format, ...)
{
	va_list args;

	if (line->bad)
		return;
	line->bad = true;
	va_start(args, format);
	vsnprintf(line->parse->why, sizeof(line->parse->why), format, args);
	va_end(args);
}

enum need { OPTIONAL, REQUIRED };

static json_t *get(struct line *line, const char *key, enum need need)
{
	json_t *value = json_object_get(line->object, key);

	if (!value && need == REQUIRED)
		bad(line, "\"%s\" is missing", key);
	return value;
}

static uint64_t get_uint(struct line *line, const char *key, enum need need, uint64_t max)
{
	json_t *value = get(line, key, need);
	json_int_t number;

	if (!value)
		return 0;
	if (!json_is_integer(value)) {
		bad(line, "\"%s\" is not an integer", key);
		return 0;
	}
	number = json_integer_value(value);
	if (number < 0 || (uint64_t)number > max) {
		bad(line, "\"%s\" is %" PRId64 ", not 0..%" PRIu64, key, (int64_t)number, max);
		return 0;
	}
	return (uint64_t)number;
}

static uint32_t get_u32(struct line *line, const char *key, enum need need)
{
	return (uint32_t)get_uint(line, key, need, UINT32_MAX);
}

static bool get_bool(struct line *line, const char *key)
{
	json_t *value = get(line, key, OPTIONAL);

	if (value && !json_is_boolean(value))
		bad(line, "\"%s\" is not true or false", key);
	return json_is_true(value);
}

/* "" if absent. */
static const char *get_text(struct line *line, const char *key, enum need need, size_t max_len)
{
	json_t *value = get(line, key, need);

	if (!value)
		return "";
	if (!json_is_string(value)) {
		bad(line, "\"%s\" is not a string", key);
		return "";
	}
	if (json_string_length(value) > max_len) {
		bad(line, "\"%s\" is longer than %zu bytes", key, max_len);
		return "";
	}
	return json_string_value(value);
}

static uint32_t get_addr(struct line *line, const char *key, enum need need)
{
	const char *text = get_text(line, key, need, 10);
	size_t digits;

	if (line->bad || !get(line, key, OPTIONAL))
		return 0;
	if (text[0] != '0' || text[1] != 'x') {
		bad(line, "\"%s\" is not an address (0x...)", key);
		return 0;
	}
	digits = strspn(text + 2, "0123456789abcdefABCDEF");
	if (!digits || text[2 + digits]) {
		bad(line, "\"%s\" is not an address (0x...)", key);
		return 0;
	}
	return (uint32_t)strtoul(text + 2, NULL, 16);
}

static uint32_t intern(struct jsonl_parse *parse, const char *text)
{
	uint32_t count = names_count(parse->names), id;

	if (parse->nr_names >= VMT_MAX_NAMES || parse->name_bytes > VMT_MAX_NAME_BYTES)
		return names_find_str(parse->names, text);
	id = names_intern_str(parse->names, text);
	if (names_count(parse->names) > count) {
		parse->nr_names++;
		parse->name_bytes += strlen(text);
	}
	return id;
}

static uint32_t get_name(struct line *line, const char *key, size_t max_len)
{
	const char *text = get_text(line, key, OPTIONAL, max_len);

	return intern(line->parse, text);
}

static void get_range(struct line *line, struct event *event)
{
	const struct stream_header *header = &line->parse->header;

	event->start = get_addr(line, "start", REQUIRED);
	event->end = get_addr(line, "end", REQUIRED);
	if (event->start >= event->end)
		bad(line, "start 0x%08" PRIx32 " is not below end 0x%08" PRIx32, event->start,
		    event->end);
	if (event->start % VMT_PAGE_SIZE || event->end % VMT_PAGE_SIZE)
		bad(line, "0x%08" PRIx32 "-0x%08" PRIx32 " is not page aligned", event->start,
		    event->end);
	if (event->start < header->vmalloc_start || event->end > header->vmalloc_end)
		bad(line, "0x%08" PRIx32 "-0x%08" PRIx32 " is outside the vmalloc range",
		    event->start, event->end);
}

static void get_guard(struct line *line, struct event *event)
{
	event->guard_pages = (uint8_t)get_uint(line, "guard_pages", OPTIONAL, UINT8_MAX);
	if (!line->bad && event->guard_pages >= (event->end - event->start) / VMT_PAGE_SIZE)
		bad(line, "%u guard pages leave nothing of 0x%08" PRIx32 "-0x%08" PRIx32,
		    event->guard_pages, event->start, event->end);
}

static void get_kind(struct line *line, struct event *event)
{
	event->kind = (uint8_t)kind_from_name(get_text(line, "kind", OPTIONAL, 64));
}

static void get_task(struct line *line, struct event *event)
{
	event->pid = get_u32(line, "pid", OPTIONAL);
	event->tid = get_u32(line, "tid", OPTIONAL);
	event->comm_id = get_name(line, "comm", JSONL_MAX_COMM);
}

static void get_flags(struct line *line, struct event *event)
{
	if (get_bool(line, "own"))
		event->flags |= EV_F_OWN;
	if (get_bool(line, "stack_cut"))
		event->flags |= EV_F_STACK_CUT;
}

static void get_stack_id(struct line *line, struct event *event)
{
	uint32_t id = get_u32(line, "stack", OPTIONAL);

	if (id && !idmap_get(line->parse->ids, id, &event->stack_id))
		bad(line, "stack %" PRIu32 " is used before it is defined", id);
}

static void parse_alloc(struct line *line, struct event *event)
{
	get_range(line, event);
	get_guard(line, event);
	get_kind(line, event);
	get_task(line, event);
	get_stack_id(line, event);
	event->align = get_u32(line, "align", OPTIONAL);
	event->size = get_u32(line, "size", OPTIONAL);
	event->requested = get_u32(line, "requested", OPTIONAL);
	event->vstart = get_addr(line, "vstart", OPTIONAL);
	event->vend = get_addr(line, "vend", OPTIONAL);
	event->gfp = get_u32(line, "gfp", OPTIONAL);
	event->latency_ns = get_u32(line, "latency_ns", OPTIONAL);
	get_flags(line, event);
}

static void parse_free(struct line *line, struct event *event)
{
	get_range(line, event);
	get_task(line, event);
	get_flags(line, event);
}

static void get_begin(struct line *line, struct event *event, const char *key)
{
	if (!get(line, key, OPTIONAL))
		return;
	event->begin_ns = get_uint(line, key, OPTIONAL, INT64_MAX);
	if (event->begin_ns > event->t_ns)
		bad(line, "\"%s\" is after \"t\"", key);
}

static void parse_purge(struct line *line, struct event *event)
{
	get_begin(line, event, "begin");
	if (get(line, "begin", OPTIONAL))
		event->flags |= EV_F_HAS_BEGIN;
	get_task(line, event);
	get_flags(line, event);
}

static void parse_fail(struct line *line, struct event *event)
{
	event->size = get_u32(line, "size", REQUIRED);
	event->align = get_u32(line, "align", OPTIONAL);
	event->vstart = get_addr(line, "vstart", OPTIONAL);
	event->vend = get_addr(line, "vend", OPTIONAL);
	event->err = -(int32_t)get_uint(line, "errno", REQUIRED, MAX_ERRNO);
	if (!line->bad && !event->err)
		bad(line, "\"errno\" of a failure is 0");
	get_task(line, event);
	get_stack_id(line, event);
	get_kind(line, event);
	event->requested = get_u32(line, "requested", OPTIONAL);
	event->gfp = get_u32(line, "gfp", OPTIONAL);
	event->latency_ns = get_u32(line, "latency_ns", OPTIONAL);
	get_flags(line, event);
}

static void parse_vfree(struct line *line, struct event *event)
{
	event->start = get_addr(line, "addr", REQUIRED);
	get_task(line, event);
	event->caller_id = get_name(line, "caller", JSONL_MAX_FRAME);
	get_flags(line, event);
}

static void parse_lost(struct line *line, struct event *event)
{
	event->count = get_u32(line, "count", REQUIRED);
	event->state = (uint8_t)jsonl_cause_from_name(get_text(line, "cause", OPTIONAL, 64));
	event->cpu = get(line, "cpu", OPTIONAL) ? get_u32(line, "cpu", OPTIONAL) : UINT32_MAX;
}

static void parse_area(struct line *line, struct event *event)
{
	const char *state = get_text(line, "state", REQUIRED, 64);

	get_range(line, event);
	get_guard(line, event);
	get_kind(line, event);
	if (!strcmp(state, "used"))
		event->state = AREA_USED;
	else if (!strcmp(state, "lazy"))
		event->state = AREA_LAZY;
	else
		bad(line, "\"state\" is neither used nor lazy");
	event->caller_id = get_name(line, "caller", JSONL_MAX_FRAME);
	event->nr_pages = get_u32(line, "nr_pages", OPTIONAL);
	get_begin(line, event, "begin");
	if (get(line, "since", OPTIONAL)) {
		get_begin(line, event, "since");
		event->flags |= EV_F_KNOWN;
	}
	event->vstart = get_addr(line, "vstart", OPTIONAL);
	event->pid = get_u32(line, "pid", OPTIONAL);
	event->comm_id = get_name(line, "comm", JSONL_MAX_COMM);
	get_stack_id(line, event);
	event->requested = get_u32(line, "requested", OPTIONAL);
	event->align = get_u32(line, "align", OPTIONAL);
	get_flags(line, event);
}

static void parse_snapshot(struct line *line, struct event *event)
{
	const char *phase = get_text(line, "phase", REQUIRED, 64);

	if (!strcmp(phase, "end"))
		event->type = EV_SNAPSHOT_END;
	else if (strcmp(phase, "begin"))
		bad(line, "\"phase\" is neither begin nor end");
	event->begin_ns = event->t_ns;
	event->flags |= EV_F_HAS_BEGIN;
	get_begin(line, event, "begin");
}

static uint32_t get_frames(struct line *line, uint32_t frames[JSONL_MAX_FRAMES])
{
	json_t *array = get(line, "frames", REQUIRED);
	size_t i;

	if (!json_is_array(array)) {
		bad(line, "\"frames\" is not an array");
		return 0;
	}
	if (json_array_size(array) > JSONL_MAX_FRAMES) {
		bad(line, "%zu frames, more than %u", json_array_size(array), JSONL_MAX_FRAMES);
		return 0;
	}
	for (i = 0; i < json_array_size(array); i++) {
		json_t *frame = json_array_get(array, i);

		if (!json_is_string(frame) || json_string_length(frame) > JSONL_MAX_FRAME) {
			bad(line, "frame %zu is not a string of at most %u bytes", i,
			    JSONL_MAX_FRAME);
			return 0;
		}
		frames[i] = intern(line->parse, json_string_value(frame));
	}
	return (uint32_t)i;
}

/* Another id, perhaps of frames that are known. */
static int map_stack(struct line *line, uint32_t id, uint32_t stack_id)
{
	struct jsonl_parse *parse = line->parse;
	uint32_t known;
	int err;

	if (!idmap_get(parse->ids, id, &known))
		parse->nr_stacks++;
	err = idmap_set(parse->ids, id, stack_id);
	if (err != -EEXIST)
		return err;
	bad(line, "stack %" PRIu32 " is defined twice, differently", id);
	return -EBADMSG;
}

static int parse_stack(struct line *line, struct event *event)
{
	uint32_t id = get_u32(line, "id", REQUIRED);
	uint32_t frames[JSONL_MAX_FRAMES];
	uint32_t nr_frames = get_frames(line, frames);
	bool is_new = false;
	int err;

	event->t_ns = get_uint(line, "t", OPTIONAL, INT64_MAX);
	if (!line->bad && !id)
		bad(line, "stack id 0 means no stack");
	if (line->parse->nr_stacks >= VMT_MAX_STACKS || line->parse->nr_frames > VMT_MAX_FRAMES_SUM)
		bad(line, "more than %u stacks, or %u frames of them", VMT_MAX_STACKS,
		    VMT_MAX_FRAMES_SUM);
	if (line->bad)
		return -EBADMSG;
	event->stack_id = stacks_intern(line->parse->stacks, frames, nr_frames, &is_new);
	if (nr_frames && !event->stack_id)
		return -ENOMEM;
	line->parse->nr_frames += is_new ? nr_frames : 0;
	err = map_stack(line, id, event->stack_id);
	return err < 0 ? err : nr_frames ? 1 : 0;
}

static void parse_members(struct line *line, struct event *event)
{
	switch (event->type) {
	case EV_ALLOC:
		parse_alloc(line, event);
		break;
	case EV_FREE:
		parse_free(line, event);
		break;
	case EV_PURGE:
		parse_purge(line, event);
		break;
	case EV_FAIL:
		parse_fail(line, event);
		break;
	case EV_VFREE:
		parse_vfree(line, event);
		break;
	case EV_LOST:
		parse_lost(line, event);
		break;
	case EV_AREA:
		parse_area(line, event);
		break;
	case EV_SNAPSHOT_BEGIN:
		parse_snapshot(line, event);
		break;
	}
}

int jsonl_parse_event(struct jsonl_parse *parse, json_t *object, struct event *event)
{
	struct line line = { .parse = parse, .object = object };
	const char *type = jsonl_parse_type(object);

	memset(event, 0, sizeof(*event));
	if (!type) {
		bad(&line, "not an object with a \"type\"");
		return -EBADMSG;
	}
	event->type = (uint8_t)jsonl_type_from_name(type);
	if (event->type == EV_NONE)
		return 0;
	if (event->type == EV_STACK)
		return parse_stack(&line, event);
	event->t_ns = get_uint(&line, "t", REQUIRED, INT64_MAX);
	parse_members(&line, event);
	return line.bad ? -EBADMSG : 1;
}

const char *jsonl_parse_type(json_t *object)
{
	return json_string_value(json_object_get(object, "type"));
}

/* Each of its bytes may have been replaced by three when it was written. */
static void get_header_text(struct line *line, const char *key, char *text, size_t size)
{
	snprintf(text, size, "%s", get_text(line, key, OPTIONAL, 3 * (size - 1)));
}

int jsonl_parse_header(struct jsonl_parse *parse, json_t *object)
{
	struct line line = { .parse = parse, .object = object };
	struct stream_header *header = &parse->header;
	const char *type = jsonl_parse_type(object);
	char why[128];
	json_t *page_size;

	if (!type || strcmp(type, "header"))
		bad(&line, "it does not start with a header: not a vmtrace recording");
	else if (strcmp(get_text(&line, "schema", REQUIRED, 64), JSONL_SCHEMA))
		bad(&line, "its schema is not " JSONL_SCHEMA);
	get_header_text(&line, "kernel", header->kernel, sizeof(header->kernel));
	get_header_text(&line, "hostname", header->hostname, sizeof(header->hostname));
	get_header_text(&line, "tool", header->tool, sizeof(header->tool));
	header->vmalloc_start = get_addr(&line, "vmalloc_start", REQUIRED);
	header->vmalloc_end = get_addr(&line, "vmalloc_end", REQUIRED);
	header->cpus = get_u32(&line, "cpus", OPTIONAL);
	header->pmd_bytes = get_u32(&line, "pmd_bytes", OPTIONAL);
	header->exact_pages = get_bool(&line, "exact_pages");
	header->start_ns = get_uint(&line, "start", OPTIONAL, INT64_MAX);
	header->start_wall_ns = get_uint(&line, "start_wall", OPTIONAL, INT64_MAX);
	if (get(&line, "filter", OPTIONAL))
		bad(&line, "it has only the events that passed --filter, so no map can be made of "
			   "it; record without");
	page_size = get(&line, "page_size", OPTIONAL);
	if (page_size && get_uint(&line, "page_size", OPTIONAL, INT64_MAX) != VMT_PAGE_SIZE)
		bad(&line, "its page size is not %u", VMT_PAGE_SIZE);
	if (!line.bad && !stream_header_ok(header, why, sizeof(why)))
		bad(&line, "%s", why);
	return line.bad ? -EBADMSG : 0;
}
