// SPDX-License-Identifier: GPL-2.0-only
/* src/record: what is written reads back as the same events; no bytes break the reader. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "all_events.h"
#include "record/jsonl.h"
#include "space/space.h"

#define HEADER                                                                                     \
	"{\"type\":\"header\",\"schema\":\"vmtrace.events/1\",\"kernel\":\"6.1.0-47-686-pae\","    \
	"\"vmalloc_start\":\"0xf77fe000\",\"vmalloc_end\":\"0xfeffe000\",\"page_size\":4096,"      \
	"\"cpus\":2,\"pmd_bytes\":2097152,\"exact_pages\":true}\n"
#define GOOD                                                                                       \
	"{\"type\":\"free\",\"t\":77,\"start\":\"0xf7849000\",\"end\":\"0xf784b000\",\"pid\":1,"   \
	"\"comm\":\"x\"}\n"

struct fixture {
	char path[32];
	struct input *input; /* of the reader that was opened last */
	struct names *names;
	struct stacks *stacks;
	char why[256];
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	int fd;

	strcpy(fixture->path, "/tmp/test_jsonl.XXXXXX");
	fd = mkstemp(fixture->path);
	assert_true(fd >= 0);
	close(fd);
	fixture->names = names_new();
	fixture->stacks = stacks_new();
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	unlink(fixture->path);
	input_close(fixture->input);
	names_free(fixture->names);
	stacks_free(fixture->stacks);
	free(fixture);
	return 0;
}

static void write_bytes(struct fixture *fixture, const char *bytes, size_t len)
{
	FILE *file = fopen(fixture->path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	fclose(file);
}

static int open_path(struct fixture *fixture, const char *path, struct names *names,
		     struct stacks *stacks, struct jsonl_reader **reader)
{
	input_close(fixture->input);
	fixture->why[0] = '\0';
	assert_int_equal(input_open(path, &fixture->input), 0);
	return jsonl_open(fixture->input, names, stacks, reader, fixture->why,
			  sizeof(fixture->why));
}

static int open_bytes(struct fixture *fixture, const char *bytes, size_t len,
		      struct jsonl_reader **reader)
{
	input_close(fixture->input);
	fixture->why[0] = '\0';
	fixture->input = input_memory(bytes, len);
	return jsonl_open(fixture->input, fixture->names, fixture->stacks, reader, fixture->why,
			  sizeof(fixture->why));
}

static struct jsonl_reader *open_text(struct fixture *fixture, const char *text)
{
	struct jsonl_reader *reader;

	assert_int_equal(open_bytes(fixture, text, strlen(text), &reader), 0);
	return reader;
}

/* ---- round trip ---- */

static uint32_t name(struct fixture *fixture, const char *text)
{
	return names_intern_str(fixture->names, text);
}

static char *write_all(struct fixture *fixture, const struct event *events, unsigned int count,
		       size_t *len)
{
	struct stream_header header = { .kernel = "6.1.0-47-686-pae", .vmalloc_start = 0xf77fe000,
					.vmalloc_end = 0xfeffe000, .cpus = 2,
					.pmd_bytes = 2u << 20, .exact_pages = true };
	char *bytes;
	FILE *out = open_memstream(&bytes, len);

	assert_int_equal(jsonl_write_header(out, &header, NULL), 0);
	for (unsigned int i = 0; i < count; i++)
		assert_int_equal(jsonl_write_event(out, &events[i], fixture->names,
						   fixture->stacks), 0);
	assert_int_equal(jsonl_write_trailer(out, count, 18), 0);
	fclose(out);
	return bytes;
}

static void test_round_trip(void **state)
{
	struct fixture *fixture = *state;
	struct event events[ALL_EVENTS_MAX], event;
	unsigned int count = all_events(fixture->names, fixture->stacks, events), i;
	struct jsonl_reader *reader;
	size_t len;
	char *bytes = write_all(fixture, events, count, &len);

	assert_int_equal(open_bytes(fixture, bytes, len, &reader), 0);
	assert_string_equal(jsonl_header(reader)->kernel, "6.1.0-47-686-pae");
	assert_int_equal(jsonl_header(reader)->vmalloc_start, 0xf77fe000);
	assert_int_equal(jsonl_header(reader)->vmalloc_end, 0xfeffe000);
	assert_int_equal(jsonl_header(reader)->cpus, 2);
	assert_int_equal(jsonl_header(reader)->pmd_bytes, 2u << 20);
	assert_true(jsonl_header(reader)->exact_pages);
	for (i = 0; i < count; i++) {
		assert_int_equal(jsonl_next(reader, &event), 1);
		assert_memory_equal(&event, &events[i], sizeof(event));
	}
	assert_int_equal(jsonl_next(reader, &event), 0);
	assert_int_equal(jsonl_next(reader, &event), 0);
	assert_true(jsonl_complete(reader));
	jsonl_close(reader);
	free(bytes);
}

static void test_header_facts(void **state)
{
	struct stream_header header = { .kernel = "6.1", .vmalloc_start = 0xf77fe000,
					.vmalloc_end = 0xfeffe000, .cpus = 2, .hostname = "deb12",
					.tool = "0.1.0", .start_ns = 123456789012,
					.start_wall_ns = 1700000000123456789 };
	struct jsonl_reader *reader;
	char *bytes;
	size_t len;
	FILE *out = open_memstream(&bytes, &len);

	memset(header.hostname, '\xff', sizeof(header.hostname) - 1);
	assert_int_equal(jsonl_write_header(out, &header, NULL), 0);
	fclose(out);
	assert_int_equal(open_bytes(*state, bytes, len, &reader), 0);
	/* U+FFFD for each bad byte, as many as there is room for. */
	assert_int_equal(strlen(jsonl_header(reader)->hostname), sizeof(header.hostname) - 1);
	assert_string_equal(jsonl_header(reader)->tool, "0.1.0");
	assert_true(jsonl_header(reader)->start_ns == header.start_ns);
	assert_true(jsonl_header(reader)->start_wall_ns == header.start_wall_ns);
	jsonl_close(reader);
	free(bytes);
}

/* Into other tables the ids differ, the texts do not. */
static void test_ids_are_mapped(void **state)
{
	static const char text[] = HEADER
		"{\"type\":\"stack\",\"id\":4000000000,\"frames\":[\"a\",\"b [m]\"]}\n"
		"{\"type\":\"alloc\",\"t\":1,\"start\":\"0xf7849000\",\"end\":\"0xf784b000\","
		"\"comm\":\"me\",\"stack\":4000000000}\n";
	struct fixture *fixture = *state;
	struct names *names = names_new();
	struct stacks *stacks = stacks_new();
	struct jsonl_reader *reader;
	struct event event;
	uint32_t other[2] = { names_intern_str(names, "x"), names_intern_str(names, "y") };

	stacks_intern(stacks, other, 2, NULL);
	write_bytes(fixture, text, strlen(text));
	assert_int_equal(open_path(fixture, fixture->path, names, stacks, &reader), 0);
	assert_int_equal(jsonl_next(reader, &event), 1);
	assert_int_equal(event.type, EV_STACK);
	assert_int_equal(event.stack_id, 2);
	assert_int_equal(jsonl_next(reader, &event), 1);
	assert_int_equal(event.stack_id, 2);
	assert_string_equal(names_text(names, event.comm_id), "me");
	assert_int_equal(stacks_get(stacks, 2).nr_frames, 2);
	assert_string_equal(names_text(names, stacks_get(stacks, 2).frames[1]), "b [m]");
	jsonl_close(reader);
	names_free(names);
	stacks_free(stacks);
}

/* A task may call itself anything; the file stays JSON. */
static void test_bad_utf8_is_written_as_utf8(void **state)
{
	struct fixture *fixture = *state;
	struct event event = { .type = EV_VFREE, .start = 0xf7849000 };
	char text[512] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	event.comm_id = name(fixture, "\xff" "a\xc3\xa9\xc3" "\"\x1b\xed\xa0\x80");
	assert_int_equal(jsonl_write_event(out, &event, fixture->names, fixture->stacks), 0);
	fclose(out);
	assert_string_equal(text, "{\"type\":\"vfree\",\"t\":0,\"addr\":\"0xf7849000\",\"pid\":0,"
				  "\"comm\":\"\xef\xbf\xbd" "a\xc3\xa9\xef\xbf\xbd\\\"\\u001B"
				  "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"}\n");
}

static void test_full_disk_is_told(void **state)
{
	struct fixture *fixture = *state;
	struct event event = { .type = EV_PURGE };
	FILE *out = fopen("/dev/full", "w");

	assert_non_null(out);
	setvbuf(out, NULL, _IONBF, 0);
	assert_int_equal(jsonl_write_event(out, &event, fixture->names, fixture->stacks), -EIO);
	fclose(out);
}

/* ---- snapshots ---- */

#define AREA(t, at)                                                                                \
	"{\"type\":\"area\",\"t\":" #t ",\"start\":\"0xf78" #at "0000\",\"end\":\"0xf78" #at       \
	"8000\",\"state\":\"used\"}\n"
#define STACK	 "{\"type\":\"stack\",\"id\":1,\"frames\":[\"a\"]}\n"
#define LOST	 "{\"type\":\"lost\",\"t\":5,\"count\":1,\"cause\":\"ring\"}\n"
#define TRAILER	 "{\"type\":\"trailer\",\"events\":1,\"lost\":0}\n"
#define PHASE(p) "{\"type\":\"snapshot\",\"t\":9,\"phase\":\"" p "\"}\n"

/* Types of all events in order; 'X' = -EBADMSG. */
static void expect_types(struct fixture *fixture, const char *text, const char *expected)
{
	static const char letters[] = "-sAFPxvLBaE";
	struct jsonl_reader *reader = open_text(fixture, text);
	struct event event;
	char got[64];
	size_t n = 0;
	int err;

	while ((err = jsonl_next(reader, &event)) != 0 && n + 1 < sizeof(got))
		got[n++] = err < 0 ? 'X' : letters[event.type];
	got[n] = '\0';
	assert_string_equal(got, expected);
	jsonl_close(reader);
}

static void test_areas_alone_are_a_snapshot(void **state)
{
	expect_types(*state, HEADER AREA(0, 1) STACK AREA(0, 2) GOOD TRAILER, "BasaEF");
	expect_types(*state, HEADER AREA(0, 1) TRAILER, "BaE");
	expect_types(*state, HEADER AREA(0, 1), "BaE");
	expect_types(*state, HEADER GOOD AREA(0, 1) GOOD TRAILER, "FBaEF");
	/* a re-seed after a loss */
	expect_types(*state, HEADER AREA(0, 1) LOST AREA(6, 1) GOOD, "BaELBaEF");
	/* but without one, an area in the middle would wipe all others */
	expect_types(*state, HEADER AREA(0, 1) GOOD AREA(6, 2) GOOD, "BaEFXF");
	expect_types(*state, HEADER PHASE("begin") AREA(0, 1) GOOD AREA(0, 2) PHASE("end") GOOD,
		     "BaFaEF");
	expect_types(*state, HEADER PHASE("begin") AREA(0, 1) PHASE("end") AREA(0, 2), "BaEX");
	expect_types(*state, HEADER PHASE("end"), "X");
	expect_types(*state, HEADER AREA(0, 1) PHASE("begin") PHASE("end"), "BaEBE");
	/* cut inside the list: what is missing must not become free */
	expect_types(*state, HEADER AREA(0, 1) "{\"type\":\"ar", "Ba");
}

static void test_supplied_snapshot_times(void **state)
{
	struct jsonl_reader *reader = open_text(*state, HEADER AREA(3, 1) AREA(7, 2) GOOD);
	struct event event;

	assert_int_equal(jsonl_next(reader, &event), 1);
	assert_int_equal(event.type, EV_SNAPSHOT_BEGIN);
	assert_int_equal(event.t_ns, 3);
	assert_int_equal(event.begin_ns, 3);
	assert_int_equal(jsonl_next(reader, &event), 1);
	assert_int_equal(jsonl_next(reader, &event), 1);
	assert_int_equal(jsonl_next(reader, &event), 1);
	assert_int_equal(event.type, EV_SNAPSHOT_END);
	assert_int_equal(event.t_ns, 7);
	assert_int_equal(event.begin_ns, 3);
	jsonl_close(reader);
}

/* ---- hostile bytes ---- */

struct hostile {
	const char *line;
	const char *why;
};

#define ALLOC(start, end, more)                                                                    \
	"{\"type\":\"alloc\",\"t\":1,\"start\":\"" start "\",\"end\":\"" end "\"" more "}\n"
#define ALLOC_OK(more) ALLOC("0xf7849000", "0xf784b000", more)

static const struct hostile hostile_lines[] = {
	{ "garbage\n", "line 2, byte" },
	{ "{\"type\":\"free\",\n", "line 2, byte" },
	{ "[]\n", "not an object" },
	{ "\"free\"\n", "line 2" },
	{ "{\"t\":1}\n", "not an object with a \"type\"" },
	{ "{\"type\":7}\n", "not an object with a \"type\"" },
	{ "{\"type\":\"purge\"}\n", "\"t\" is missing" },
	{ "{\"type\":\"purge\",\"t\":\"1\"}\n", "\"t\" is not an integer" },
	{ "{\"type\":\"purge\",\"t\":1.0}\n", "\"t\" is not an integer" },
	{ "{\"type\":\"purge\",\"t\":-1}\n", "\"t\" is -1" },
	{ "{\"type\":\"purge\",\"t\":9223372036854775808}\n", "too big" },
	{ "{\"type\":\"purge\",\"t\":1e99999}\n", "line 2" },
	{ "{\"type\":\"purge\",\"t\":null}\n", "\"t\" is not an integer" },
	{ "{\"type\":\"purge\",\"t\":1,\"begin\":2}\n", "\"begin\" is after" },
	{ "{\"type\":\"purge\",\"t\":1,\"t\":2}\n", "duplicate" },
	{ "{\"type\":\"purge\",\"t\":1}{}\n", "line 2" },
	{ "{\"type\":\"pur\\u0000ge\",\"t\":1}\n", "\\u0000" },
	{ "{\"type\":\"purge\",\"t\":1,\"x\":\"\xff\"}\n", "unable to decode" },
	{ "{\"type\":\"purge\",\"t\":1,\"x\":\"\xed\xa0\x80\"}\n", "unable to decode" },
	{ "{\"type\":\"alloc\",\"t\":1}\n", "\"start\" is missing" },
	{ "{\"type\":\"alloc\",\"t\":1,\"start\":4152659968,\"end\":4152664064}\n",
	  "\"start\" is not a string" },
	{ ALLOC("0xf784b000", "0xf7849000", ""), "is not below end" },
	{ ALLOC("0xf784b000", "0xf784b000", ""), "is not below end" },
	{ ALLOC("0xf7849001", "0xf784b000", ""), "not page aligned" },
	{ ALLOC("0xf7849000", "0xf784afff", ""), "not page aligned" },
	{ ALLOC("0xf77fd000", "0xf784b000", ""), "outside the vmalloc range" },
	{ ALLOC("0xf7849000", "0xfefff000", ""), "outside the vmalloc range" },
	{ ALLOC("0x0", "0xfffff000", ""), "outside the vmalloc range" },
	{ ALLOC("f7849000", "0xf784b000", ""), "not an address" },
	{ ALLOC("0x", "0xf784b000", ""), "not an address" },
	{ ALLOC("0xf784900g", "0xf784b000", ""), "not an address" },
	{ ALLOC("0x-7849000", "0xf784b000", ""), "not an address" },
	{ ALLOC("0xff7849000", "0xf784b000", ""), "longer than" },
	{ ALLOC("", "0xf784b000", ""), "not an address" },
	{ ALLOC_OK(",\"guard_pages\":2"), "guard pages leave nothing" },
	{ ALLOC_OK(",\"guard_pages\":256"), "\"guard_pages\" is 256" },
	{ ALLOC_OK(",\"pid\":4294967296"), "\"pid\" is 4294967296" },
	{ ALLOC_OK(",\"size\":4294967296"), "\"size\" is 4294967296" },
	{ ALLOC_OK(",\"size\":-2147483648"), "\"size\" is -2147483648" },
	{ ALLOC_OK(",\"comm\":[1]"), "\"comm\" is not a string" },
	{ ALLOC_OK(",\"kind\":3"), "\"kind\" is not a string" },
	{ ALLOC_OK(",\"own\":1"), "\"own\" is not true or false" },
	{ ALLOC_OK(",\"stack\":9"), "stack 9 is used before" },
	{ ALLOC_OK(",\"stack\":\"1\""), "\"stack\" is not an integer" },
	{ ALLOC_OK(",\"comm\":\"0123456789012345678901234567890123456789012345678901234567890"
		   "12345\""), "\"comm\" is longer" },
	{ "{\"type\":\"area\",\"t\":1,\"start\":\"0xf7849000\",\"end\":\"0xf784b000\"}\n",
	  "\"state\" is missing" },
	{ "{\"type\":\"area\",\"t\":1,\"start\":\"0xf7849000\",\"end\":\"0xf784b000\","
	  "\"state\":\"gone\"}\n", "\"state\" is neither" },
	{ "{\"type\":\"fail\",\"t\":1,\"size\":1}\n", "\"errno\" is missing" },
	{ "{\"type\":\"fail\",\"t\":1,\"size\":1,\"errno\":0}\n", "\"errno\" of a failure is 0" },
	{ "{\"type\":\"fail\",\"t\":1,\"size\":1,\"errno\":-16}\n", "\"errno\" is -16" },
	{ "{\"type\":\"fail\",\"t\":1,\"size\":1,\"errno\":2147483648}\n", "\"errno\" is" },
	{ "{\"type\":\"lost\",\"t\":1}\n", "\"count\" is missing" },
	{ "{\"type\":\"lost\",\"t\":1,\"count\":1,\"cause\":7}\n", "\"cause\" is not a string" },
	{ "{\"type\":\"snapshot\",\"t\":1}\n", "\"phase\" is missing" },
	{ "{\"type\":\"snapshot\",\"t\":1,\"phase\":\"mid\"}\n", "\"phase\" is neither" },
	{ "{\"type\":\"vfree\",\"t\":1}\n", "\"addr\" is missing" },
	{ "{\"type\":\"stack\",\"frames\":[]}\n", "\"id\" is missing" },
	{ "{\"type\":\"stack\",\"id\":0,\"frames\":[\"a\"]}\n", "stack id 0" },
	{ "{\"type\":\"stack\",\"id\":1}\n", "\"frames\" is missing" },
	{ "{\"type\":\"stack\",\"id\":1,\"frames\":{}}\n", "\"frames\" is not an array" },
	{ "{\"type\":\"stack\",\"id\":1,\"frames\":[1]}\n", "frame 0 is not a string" },
	{ "{\"type\":\"stack\",\"id\":1,\"frames\":[[\"a\"]]}\n", "frame 0 is not a string" },
	{ HEADER, "a second header" },
};

static void expect_rejected(struct fixture *fixture, const char *line, const char *why)
{
	char *text = malloc(strlen(HEADER) + strlen(line) + strlen(GOOD) + 1);
	struct jsonl_reader *reader;
	struct event event;

	assert_non_null(text);
	sprintf(text, "%s%s%s", HEADER, line, GOOD);
	reader = open_text(fixture, text);
	if (jsonl_next(reader, &event) != -EBADMSG || !strstr(jsonl_why(reader), why))
		fail_msg("%.200s\nnot rejected for '%s' but '%s'", line, why, jsonl_why(reader));
	assert_true(strstr(jsonl_why(reader), "line 2"));
	/* and reading goes on */
	assert_int_equal(jsonl_next(reader, &event), 1);
	assert_int_equal(event.t_ns, 77);
	assert_int_equal(jsonl_next(reader, &event), 0);
	assert_false(jsonl_complete(reader));
	jsonl_close(reader);
	free(text);
}

static void test_hostile_lines(void **state)
{
	for (size_t i = 0; i < sizeof(hostile_lines) / sizeof(hostile_lines[0]); i++)
		expect_rejected(*state, hostile_lines[i].line, hostile_lines[i].why);
}

/* Text of the form prefix item,item,...,item suffix. */
static char *repeat(const char *prefix, const char *item, unsigned int count, const char *suffix)
{
	size_t len = strlen(item);
	char *text = malloc(strlen(prefix) + count * len + strlen(suffix) + 1);
	char *at = text + strlen(prefix);

	assert_non_null(text);
	strcpy(text, prefix);
	for (unsigned int i = 0; i < count; i++, at += len)
		memcpy(at, item, len);
	strcpy(at, suffix);
	return text;
}

static void test_large_lines(void **state)
{
	char *text = repeat("{\"type\":\"stack\",\"id\":1,\"frames\":[", "\"f\",", 100000,
			    "\"f\"]}\n");

	expect_rejected(*state, text, "100001 frames");
	free(text);
	text = repeat("", "[", 100000, "\n");
	expect_rejected(*state, text, "depth");
	free(text);
	text = repeat("{\"type\":\"purge\",\"t\":1,\"x\":", "{\"a\":", 5000, "\n");
	expect_rejected(*state, text, "depth");
	free(text);
	text = repeat("{\"type\":\"purge\",\"t\":", "9", 100000, "}\n");
	expect_rejected(*state, text, "too big");
	free(text);
	text = repeat("", "x", 3 * 1024 * 1024, "\n");
	expect_rejected(*state, text, "longer than 1 MiB");
	free(text);
	text = repeat("{\"type\":\"stack\",\"id\":1,\"frames\":[\"", "f", 1025, "\"]}\n");
	expect_rejected(*state, text, "frame 0 is not a string of at most");
	free(text);
}

static void test_limits_are_legal(void **state)
{
	static const char lines[] = HEADER
		ALLOC_OK(",\"size\":2147483648,\"pid\":4294967295,\"guard_pages\":1")
		ALLOC("0xF77FE000", "0xfEffe000", "")
		"{\"type\":\"from the future\",\"t\":\"what\"}\n"
		"{\"type\":\"purge\",\"t\":1,\"hull\":[1,2]}\r\n"
		"\n  \t\r\n"
		"{\"type\":\"lost\",\"t\":1,\"count\":3,\"cause\":\"from the future\"}\n"
		"{\"type\":\"stack\",\"id\":1,\"frames\":[]}\n" ALLOC_OK(",\"stack\":1");
	struct jsonl_reader *reader = open_text(*state, lines);
	struct event event;

	assert_int_equal(jsonl_next(reader, &event), 1);
	assert_int_equal(event.size, 2147483648u);
	assert_int_equal(event.pid, UINT32_MAX);
	assert_int_equal(jsonl_next(reader, &event), 1);
	assert_int_equal(event.end - event.start, 0x7800000);
	assert_int_equal(jsonl_next(reader, &event), 1);
	assert_int_equal(event.type, EV_PURGE);
	assert_int_equal(jsonl_next(reader, &event), 1);
	assert_int_equal(event.type, EV_LOST);
	assert_true(lost_cause_hurts_map(event.state));
	assert_int_equal(jsonl_next(reader, &event), 1);
	assert_int_equal(event.stack_id, 0);
	assert_int_equal(jsonl_next(reader, &event), 0);
	jsonl_close(reader);
}

static void test_stack_ids_twice(void **state)
{
	expect_types(*state, HEADER STACK STACK GOOD, "ssF");
	expect_types(*state, HEADER STACK "{\"type\":\"stack\",\"id\":1,\"frames\":[\"b\"]}\n" GOOD,
		     "sXF");
	expect_types(*state, HEADER STACK "{\"type\":\"stack\",\"id\":2,\"frames\":[\"a\"]}\n"
		     ALLOC_OK(",\"stack\":2"), "ssA");
}

static void test_after_trailer(void **state)
{
	expect_types(*state, HEADER GOOD TRAILER GOOD, "FX");
}

static void test_many_stack_ids(void **state)
{
	struct fixture *fixture = *state;
	struct jsonl_reader *reader;
	struct event event;
	char *bytes;
	size_t len;
	FILE *out = open_memstream(&bytes, &len);

	fputs(HEADER, out);
	for (uint32_t i = 1; i <= 20000; i++)
		fprintf(out, "{\"type\":\"stack\",\"id\":%u,\"frames\":[\"f%u\"]}\n", i * 64, i);
	for (uint32_t i = 1; i <= 20000; i++)
		fprintf(out, "{\"type\":\"fail\",\"t\":1,\"size\":1,\"errno\":16,\"stack\":%u}\n",
			i * 64);
	fclose(out);
	assert_int_equal(open_bytes(fixture, bytes, len, &reader), 0);
	for (uint32_t i = 1; i <= 20000; i++)
		assert_int_equal(jsonl_next(reader, &event), 1);
	for (uint32_t i = 1; i <= 20000; i++) {
		char expected[16];
		struct stack stack;

		assert_int_equal(jsonl_next(reader, &event), 1);
		stack = stacks_get(fixture->stacks, event.stack_id);
		assert_int_equal(stack.nr_frames, 1);
		snprintf(expected, sizeof(expected), "f%u", i);
		assert_string_equal(names_text(fixture->names, stack.frames[0]), expected);
	}
	jsonl_close(reader);
	free(bytes);
}

static void test_headers(void **state)
{
#define HEAD(schema, start, end, more)                                                             \
	"{\"type\":\"header\",\"schema\":\"" schema "\",\"vmalloc_start\":\"" start                \
	"\",\"vmalloc_end\":\"" end "\"" more "}\n"
	static const struct hostile headers[] = {
		{ "", "no header" },
		{ "\n\n", "no header" },
		{ "{\"type\":\"hea", "no header" },
		{ "\x7f" "ELF\n", "line 1, byte" },
		{ "\x1b[31m\n", "line 1, byte" },
		{ GOOD HEADER, "does not start with a header" },
		{ HEAD("vmtrace.events/2", "0xf77fe000", "0xfeffe000", ""), "schema" },
		{ "{\"type\":\"header\"}\n", "\"schema\" is missing" },
		{ HEAD("vmtrace.events/1", "0xf77fe000", "0xf77fe000", ""), "is empty" },
		{ HEAD("vmtrace.events/1", "0xfeffe000", "0xf77fe000", ""), "is empty" },
		{ HEAD("vmtrace.events/1", "0xf77fe001", "0xfeffe000", ""), "not page aligned" },
		{ HEAD("vmtrace.events/1", "0x00000000", "0x40000000", ""), "begins at address 0" },
		{ HEAD("vmtrace.events/1", "0x00001000", "0xfeffe000", ""), "larger than 3 GiB" },
		{ HEAD("vmtrace.events/1", "0xf77fe000", "0xfeffe000", ",\"page_size\":16384"),
		  "page size" },
		{ HEAD("vmtrace.events/1", "0xf77fe000", "0xfeffe000", ",\"kernel\":6"),
		  "\"kernel\" is not a string" },
		{ HEAD("vmtrace.events/1", "0xf77fe000", "0xfeffe000", ",\"pmd_bytes\":4096"),
		  "neither 2 MB nor 4 MB" },
		{ HEAD("vmtrace.events/1", "0xf77fe000", "0xfeffe000", ",\"exact_pages\":1"),
		  "\"exact_pages\" is not true or false" },
	};
	struct fixture *fixture = *state;
	struct jsonl_reader *reader;

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		int err = open_bytes(fixture, headers[i].line, strlen(headers[i].line), &reader);

		if (err != -EBADMSG || !strstr(fixture->why, headers[i].why) || reader ||
		    strchr(fixture->why, '\x1b'))
			fail_msg("header %zu: %d '%s'", i, err, fixture->why);
	}
	assert_int_equal(open_path(fixture, "/tmp", fixture->names, fixture->stacks, &reader),
			 -EISDIR);
	jsonl_close(NULL);
}

/* Cut anywhere, the file gives the same events up to there, no error, and says that it is cut. */
static void test_cut_at_every_byte(void **state)
{
	struct fixture *fixture = *state;
	struct event events[ALL_EVENTS_MAX], event;
	unsigned int count = all_events(fixture->names, fixture->stacks, events);
	size_t len, head = strlen(HEADER);
	char *bytes = write_all(fixture, events, count, &len);

	assert_memory_equal(bytes, HEADER, head);
	for (size_t cut = 0; cut < len; cut++) {
		struct jsonl_reader *reader;
		unsigned int n = 0;
		int err = open_bytes(fixture, bytes, cut, &reader);

		if (cut < head - 1) {
			assert_int_equal(err, -EBADMSG);
			continue;
		}
		assert_int_equal(err, 0);
		while ((err = jsonl_next(reader, &event)) == 1) {
			assert_true(n < count);
			assert_memory_equal(&event, &events[n], sizeof(event));
			n++;
		}
		assert_int_equal(err, 0);
		assert_int_equal(jsonl_complete(reader), cut == len - 1);
		jsonl_close(reader);
	}
	free(bytes);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void check_event(const struct event *event)
{
	bool area = event->type == EV_ALLOC || event->type == EV_FREE || event->type == EV_AREA;

	assert_true(event->type > EV_NONE && event->type < EV_TYPE_COUNT);
	assert_true(event->kind < KIND_COUNT);
	assert_true(event->begin_ns <= event->t_ns);
	if (!area)
		return;
	assert_true(event->start >= 0xf77fe000 && event->start < event->end);
	assert_true(event->end <= 0xfeffe000 && !(event->start % 4096) && !(event->end % 4096));
	assert_true(event->guard_pages < (event->end - event->start) / 4096);
}

/* Changed bytes: whatever is still an event holds its contract, and the model takes it. */
static void test_flipped_bytes(void **state)
{
	struct fixture *fixture = *state;
	struct event events[ALL_EVENTS_MAX], event;
	unsigned int count = all_events(fixture->names, fixture->stacks, events);
	size_t len, head = strlen(HEADER);
	char *bytes = write_all(fixture, events, count, &len), why[128];
	struct space *space = space_new(0xf77fe000, 0xfeffe000);
	uint32_t seed = 1;

	for (unsigned int round = 0; round < 1500; round++) {
		struct jsonl_reader *reader;
		char *copy = malloc(len);
		int err;

		memcpy(copy, bytes, len);
		for (unsigned int i = 0; i < 8; i++) {
			size_t at = head + next_random(&seed) % (len - head);

			copy[at] = i % 2 ? "0123456789{}[]\",:f-\n"[next_random(&seed) % 20] :
					   (char)next_random(&seed);
		}
		assert_int_equal(open_bytes(fixture, copy, len, &reader), 0);
		while ((err = jsonl_next(reader, &event)) != 0) {
			assert_true(err == 1 || err == -EBADMSG);
			if (err == 1) {
				check_event(&event);
				err = space_apply(space, &event);
				assert_true(err == 0 || err == -EINVAL);
			}
		}
		/* What is once wrong stays wrong: it need not be looked for each time. */
		if (round % 10 == 0 && !space_check(space, why, sizeof(why)))
			fail_msg("round %u: %s", round, why);
		jsonl_close(reader);
		free(copy);
	}
	space_free(space);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_round_trip),
		TEST(test_header_facts),
		TEST(test_ids_are_mapped),
		TEST(test_bad_utf8_is_written_as_utf8),
		TEST(test_full_disk_is_told),
		TEST(test_areas_alone_are_a_snapshot),
		TEST(test_supplied_snapshot_times),
		TEST(test_hostile_lines),
		TEST(test_large_lines),
		TEST(test_limits_are_legal),
		TEST(test_stack_ids_twice),
		TEST(test_after_trailer),
		TEST(test_many_stack_ids),
		TEST(test_headers),
		TEST(test_cut_at_every_byte),
		TEST(test_flipped_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
