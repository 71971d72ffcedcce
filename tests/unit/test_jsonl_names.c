// SPDX-License-Identifier: GPL-2.0-only
/* src/record/jsonl: a file with too many names. What is too many is missing, memory has an end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record/jsonl_parse.h"
#include "record/vmt_format.h"
#include "space/names.h"
#include "space/stacks.h"
#include "volume.h"

#define NAME_BYTES 1000u
#define GOOD                                                                                       \
	"{\"type\":\"free\",\"t\":77,\"start\":\"0xf7849000\",\"end\":\"0xf784b000\",\"pid\":1,"   \
	"\"comm\":\"x\"}\n"

/* A stack of names that no other id has. */
static void put_stack(FILE *out, uint32_t id)
{
	char name[NAME_BYTES + 1];

	memset(name, '0', NAME_BYTES);
	fprintf(out, "{\"type\":\"stack\",\"id\":%u,\"frames\":[", id);
	for (uint32_t i = 0; i < JSONL_MAX_FRAMES; i++) {
		snprintf(name + NAME_BYTES - 10, 11, "%010u", id * JSONL_MAX_FRAMES + i);
		fputs(i ? ",\"" : "\"", out);
		fwrite(name, 1, NAME_BYTES, out);
		fputs("\"", out);
	}
	fputs("]}\n", out);
}

static void take(struct jsonl_parse *parse, const char *text, struct event *event)
{
	json_t *object = json_loads(text, 0, NULL);

	assert_non_null(object);
	assert_int_equal(jsonl_parse_event(parse, object, event), 1);
	json_decref(object);
}

/* A file that has defined nearly all that it may. */
static void nearly_too_many(void **state)
{
	const uint32_t nr_stacks = 8, room = 300;
	struct jsonl_parse parse = { .names = names_new(), .stacks = stacks_new(),
				     .ids = idmap_new(),
				     .header = { .vmalloc_start = 0xf77fe000,
						 .vmalloc_end = 0xfeffe000 },
				     .name_bytes = VMT_MAX_NAME_BYTES + 1 - room * NAME_BYTES };
	struct event event;

	(void)state;
	/* Known before there is no room, it stays known. */
	take(&parse, GOOD, &event);
	for (uint32_t id = 1; id <= nr_stacks; id++) {
		char *text;
		size_t len;
		FILE *out = open_memstream(&text, &len);

		put_stack(out, id);
		fclose(out);
		take(&parse, text, &event);
		assert_int_equal(event.type, EV_STACK);
		free(text);
		take(&parse, GOOD, &event);
		assert_string_equal(names_text(parse.names, event.comm_id), "x");
	}
	/* The empty name, "x", and those for which there was room. */
	assert_int_equal(names_count(parse.names), 2 + room);
	idmap_free(parse.ids);
	stacks_free(parse.stacks);
	names_free(parse.names);
}

#ifdef VOLUME_IN_FULL
/* 68 MB of names that are all different. */
static void too_many(void **state)
{
	const uint32_t nr_stacks = 530;
	struct names *names = names_new();
	struct stacks *known = stacks_new();
	struct jsonl_reader *reader;
	struct input *input;
	struct event event;
	uint32_t stacks = 0, events = 0;
	char why[256];
	/* In one piece: a memstream would copy all of it each time that it grows. */
	const size_t room = (size_t)nr_stacks * (JSONL_MAX_FRAMES * (NAME_BYTES + 3) + 256);
	char *text = malloc(room);
	FILE *out = fmemopen(text, room, "w");
	long len;

	(void)state;
	assert_non_null(out);
	fputs("{\"type\":\"header\",\"schema\":\"vmtrace.events/1\","
	      "\"vmalloc_start\":\"0xf77fe000\",\"vmalloc_end\":\"0xfeffe000\"}\n",
	      out);
	for (uint32_t id = 1; id <= nr_stacks; id++) {
		put_stack(out, id);
		fputs(GOOD, out);
	}
	len = ftell(out);
	assert_int_equal(fclose(out), 0);
	input = input_memory(text, (size_t)len);
	assert_int_equal(jsonl_open(input, names, known, &reader, why, sizeof(why)), 0);
	while (jsonl_next(reader, &event) == 1) {
		stacks += event.type == EV_STACK;
		events += event.type == EV_FREE;
		if (event.type == EV_FREE)
			assert_string_equal(names_text(names, event.comm_id), "x");
	}
	assert_int_equal(stacks, nr_stacks);
	assert_int_equal(events, nr_stacks);
	assert_true(names_count(names) > 60000);
	assert_true(names_count(names) <= VMT_MAX_NAME_BYTES / NAME_BYTES + 4);
	jsonl_close(reader);
	input_close(input);
	free(text);
	stacks_free(known);
	names_free(names);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nearly_too_many),
#ifdef VOLUME_IN_FULL
		cmocka_unit_test(too_many),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
