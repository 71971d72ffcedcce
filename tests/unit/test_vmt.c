// SPDX-License-Identifier: GPL-2.0-only
/* src/record/vmt_*: what is written reads back as the same events; what is cut reads up to there;
 * no bytes break the reader. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zstd.h>

#include "all_events.h"
#include "record/reader.h"
#include "record/vmt_index.h"
#include "record/vmt_read.h"
#include "record/vmt_write.h"
#include "vmt_wrap.h"

struct fixture {
	char path[32];
	struct names *names;
	struct stacks *stacks;
	struct input *input;
	struct event events[ALL_EVENTS_MAX];
	unsigned int count;
	char why[320];
};

static const struct stream_header header = {
	.kernel = "6.1.0-47-686-pae", .vmalloc_start = 0xf77fe000, .vmalloc_end = 0xfeffe000,
	.cpus = 2, .pmd_bytes = 2u << 20, .exact_pages = true, .sequence = 3, .hostname = "deb12", .tool = "0.1.0", .start_ns = 1234567890123,
	.start_wall_ns = 1700000000123456789,
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int fd;

	strcpy(f->path, "/tmp/test_vmt.XXXXXX");
	fd = mkstemp(f->path);
	assert_true(fd >= 0);
	close(fd);
	f->names = names_new();
	f->stacks = stacks_new();
	f->count = all_events(f->names, f->stacks, f->events);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	input_close(f->input);
	names_free(f->names);
	stacks_free(f->stacks);
	free(f);
	return 0;
}

static int open_fd(struct fixture *f)
{
	FILE *file = fopen(f->path, "w");
	int fd;

	assert_non_null(file);
	fd = dup(fileno(file));
	fclose(file);
	return fd;
}

static struct vmt_writer_options options_of(struct fixture *f)
{
	return (struct vmt_writer_options){ .names = f->names, .stacks = f->stacks };
}

static struct vmt_writer *begin(struct fixture *f, uint64_t max_bytes)
{
	struct vmt_writer_options options = options_of(f);
	struct vmt_writer *writer;

	options.max_bytes = max_bytes;
	assert_int_equal(vmt_writer_open(open_fd(f), &header, &options, &writer), 0);
	return writer;
}

static int end(struct vmt_writer *writer, bool finished)
{
	int err = vmt_writer_end(writer, finished);

	vmt_writer_close(writer);
	return err;
}

static uint8_t *slurp(struct fixture *f, size_t *len)
{
	FILE *file = fopen(f->path, "r");
	struct stat st;
	uint8_t *bytes;

	assert_non_null(file);
	fstat(fileno(file), &st);
	*len = (size_t)st.st_size;
	bytes = malloc(*len + 1);
	assert_int_equal(fread(bytes, 1, *len, file), *len);
	fclose(file);
	return bytes;
}

static int open_memory(struct fixture *f, const void *bytes, size_t len, struct vmt_reader **reader)
{
	input_close(f->input);
	f->input = input_memory(bytes, len);
	f->why[0] = '\0';
	return vmt_open(f->input, f->names, f->stacks, reader, f->why, sizeof(f->why));
}

/* A small file of several blocks: its bytes. */
static uint8_t *write_small(struct fixture *f, bool finished, size_t *len)
{
	struct vmt_writer *writer = begin(f, 0);

	for (unsigned int i = 0; i < f->count; i++) {
		assert_int_equal(vmt_writer_event(writer, &f->events[i]), 0);
		if (i % 7 == 3)
			assert_int_equal(vmt_writer_flush(writer), 0);
	}
	assert_int_equal(end(writer, finished), 0);
	return slurp(f, len);
}

/* ---- round trip ---- */

static void test_round_trip(void **state)
{
	struct fixture *f = *state;
	struct vmt_reader *reader;
	struct event event;
	size_t len;
	uint8_t *bytes = write_small(f, true, &len);

	assert_int_equal(open_memory(f, bytes, len, &reader), 0);
	assert_string_equal(vmt_header(reader)->kernel, header.kernel);
	assert_string_equal(vmt_header(reader)->hostname, "deb12");
	assert_string_equal(vmt_header(reader)->tool, "0.1.0");
	assert_int_equal(vmt_header(reader)->vmalloc_start, 0xf77fe000);
	assert_int_equal(vmt_header(reader)->vmalloc_end, 0xfeffe000);
	assert_int_equal(vmt_header(reader)->cpus, 2);
	assert_int_equal(vmt_header(reader)->pmd_bytes, 2u << 20);
	assert_true(vmt_header(reader)->exact_pages);
	assert_int_equal(vmt_header(reader)->sequence, 3);
	assert_true(vmt_header(reader)->start_ns == header.start_ns);
	assert_true(vmt_header(reader)->start_wall_ns == header.start_wall_ns);
	for (unsigned int i = 0; i < f->count; i++) {
		assert_int_equal(vmt_end(reader), VMT_END_NONE);
		assert_int_equal(vmt_next(reader, &event), 1);
		assert_memory_equal(&event, &f->events[i], sizeof(event));
	}
	assert_int_equal(vmt_next(reader, &event), 0);
	assert_int_equal(vmt_next(reader, &event), 0);
	assert_int_equal(vmt_end(reader), VMT_END_COMPLETE);
	assert_int_equal(vmt_events(reader), f->count - 1); /* one is a stack */
	vmt_close(reader);
	free(bytes);
}

/* Into other tables the ids differ, the texts do not. A stack is defined by its first use too. */
static void test_ids_are_mapped(void **state)
{
	struct fixture *f = *state;
	struct names *names = names_new();
	struct stacks *stacks = stacks_new();
	uint32_t other[2] = { names_intern_str(names, "x"), names_intern_str(names, "y") };
	struct vmt_writer *writer = begin(f, 0);
	struct vmt_reader *reader;
	struct event event;
	char why[64];

	stacks_intern(stacks, other, 2, NULL);
	assert_int_equal(vmt_writer_event(writer, &f->events[7]), 0); /* an alloc with a stack */
	assert_int_equal(vmt_writer_event(writer, &f->events[0]), 0); /* its stack, too late */
	assert_int_equal(end(writer, true), 0);
	assert_int_equal(input_open(f->path, &f->input), 0);
	assert_int_equal(vmt_open(f->input, names, stacks, &reader, why, sizeof(why)), 0);
	assert_int_equal(vmt_next(reader, &event), 1);
	assert_int_equal(event.type, EV_STACK);
	assert_int_equal(event.stack_id, 2);
	assert_int_equal(vmt_next(reader, &event), 1);
	assert_int_equal(event.type, EV_ALLOC);
	assert_int_equal(event.stack_id, 2);
	assert_string_equal(names_text(names, event.comm_id), "insmod");
	assert_int_equal(stacks_get(stacks, 2).nr_frames, 3);
	assert_string_equal(names_text(names, stacks_get(stacks, 2).frames[1]),
			    "ring_alloc+0x41 [foo]");
	assert_int_equal(vmt_next(reader, &event), 0);
	vmt_close(reader);
	names_free(names);
	stacks_free(stacks);
}

static void test_facts_and_modules(void **state)
{
	struct fixture *f = *state;
	struct stream_module list[2] = {
		{ names_intern_str(f->names, "foo"), 0xf7849000, 0x4000 },
		{ names_intern_str(f->names, "bar"), 0xf784f000, 0x8000 },
	};
	uint32_t key = names_intern_str(f->names, "machine.cmdline");
	struct stream_fact old = { key, names_intern_str(f->names, "old") };
	struct stream_fact other = { names_intern_str(f->names, "other"), old.value_id };
	struct stream_fact new = { key, names_intern_str(f->names, "new") };
	struct vmt_writer *writer = begin(f, 0);
	const struct stream_module *modules;
	const struct stream_fact *facts;
	struct vmt_reader *reader;
	struct event event;
	uint32_t count;

	assert_int_equal(vmt_writer_fact(writer, old), 0);
	assert_int_equal(vmt_writer_fact(writer, other), 0);
	assert_int_equal(vmt_writer_modules(writer, 7, list, 1), 0);
	assert_int_equal(vmt_writer_event(writer, &f->events[1]), 0);
	assert_int_equal(vmt_writer_fact(writer, new), 0);
	assert_int_equal(vmt_writer_modules(writer, 8, list, 2), 0);
	assert_int_equal(end(writer, true), 0);
	assert_int_equal(input_open(f->path, &f->input), 0);
	assert_int_equal(vmt_open(f->input, f->names, f->stacks, &reader, f->why, 64), 0);
	vmt_facts(reader, &count);
	assert_int_equal(count, 0);
	assert_int_equal(vmt_next(reader, &event), 1);
	facts = vmt_facts(reader, &count);
	assert_int_equal(count, 2);
	assert_memory_equal(&facts[0], &old, sizeof(old));
	assert_memory_equal(&facts[1], &other, sizeof(other));
	vmt_modules(reader, &count);
	assert_int_equal(count, 1);
	assert_int_equal(vmt_next(reader, &event), 0);
	facts = vmt_facts(reader, &count);
	assert_int_equal(count, 2);
	assert_memory_equal(&facts[0], &new, sizeof(new));
	modules = vmt_modules(reader, &count);
	assert_int_equal(count, 2);
	assert_memory_equal(modules, list, sizeof(list));
	vmt_close(reader);
}

/* Random events, until there are several full blocks: every bit of a record survives. */
static void test_many_events(void **state)
{
	struct fixture *f = *state;
	struct vmt_writer *writer = begin(f, 0);
	struct vmt_writer_stats stats;
	struct vmt_reader *reader;
	struct event event;

	for (uint32_t i = 0; i < 20000; i++) {
		struct event alloc = f->events[7];
		char comm[16];

		snprintf(comm, sizeof(comm), "task%u", i % 5000);
		alloc.comm_id = names_intern_str(f->names, comm);
		alloc.t_ns = (uint64_t)i << 32;
		alloc.gfp = i * 2654435761u;
		assert_int_equal(vmt_writer_event(writer, &alloc), 0);
	}
	stats = vmt_writer_stats(writer);
	assert_true(stats.blocks > 20);
	assert_true(stats.written < 20000 && 20000 - stats.written < 1000);
	assert_int_equal(end(writer, true), 0);
	assert_int_equal(input_open(f->path, &f->input), 0);
	assert_int_equal(vmt_open(f->input, f->names, f->stacks, &reader, f->why, 64), 0);
	assert_int_equal(vmt_next(reader, &event), 1);
	assert_int_equal(event.type, EV_STACK);
	for (uint32_t i = 0; i < 20000; i++) {
		assert_int_equal(vmt_next(reader, &event), 1);
		assert_true(event.t_ns == (uint64_t)i << 32);
		assert_int_equal(event.gfp, i * 2654435761u);
		assert_int_equal(atoi(names_text(f->names, event.comm_id) + 4), i % 5000);
	}
	assert_int_equal(vmt_next(reader, &event), 0);
	assert_int_equal(vmt_end(reader), VMT_END_COMPLETE);
	vmt_close(reader);
}

/* Events that come too fast are not packed if the machine is to be spared; nor less than there is
 * to gain. They read back all the same. */
static void test_thrifty(void **state)
{
	struct fixture *f = *state;
	struct vmt_writer_options options = options_of(f);
	uint64_t bytes[4];

	for (unsigned int round = 0; round < 4; round++) {
		uint64_t step_ns = round % 2 ? 1000000 : 10000;
		struct vmt_writer *writer;
		struct vmt_reader *reader;
		struct event event;

		options.thrifty = round >= 2;
		assert_int_equal(vmt_writer_open(open_fd(f), &header, &options, &writer), 0);
		for (uint32_t i = 0; i < 5000; i++) {
			f->events[7].t_ns = 1000 + i * step_ns;
			assert_int_equal(vmt_writer_event(writer, &f->events[7]), 0);
		}
		assert_int_equal(end(writer, true), 0);
		free(slurp(f, &bytes[round]));
		input_close(f->input);
		assert_int_equal(input_open(f->path, &f->input), 0);
		assert_int_equal(vmt_open(f->input, f->names, f->stacks, &reader, f->why, 64), 0);
		assert_int_equal(vmt_next(reader, &event), 1); /* the stack */
		for (uint32_t i = 0; i < 5000; i++) {
			assert_int_equal(vmt_next(reader, &event), 1);
			assert_true(event.t_ns == 1000 + i * step_ns);
		}
		assert_int_equal(vmt_next(reader, &event), 0);
		assert_int_equal(vmt_end(reader), VMT_END_COMPLETE);
		vmt_close(reader);
	}
	assert_true(bytes[0] < 100000 && bytes[1] < 100000 && bytes[3] == bytes[1]);
	assert_true(bytes[2] > 5000 * 65);
}

/* What has waited for a second is written; nothing is written before. */
static void test_tick(void **state)
{
	struct fixture *f = *state;
	struct vmt_writer *writer = begin(f, 0);

	assert_int_equal(vmt_writer_tick(writer, 5), 0);
	assert_int_equal(vmt_writer_stats(writer).blocks, 0);
	assert_int_equal(vmt_writer_event(writer, &f->events[1]), 0);
	assert_int_equal(vmt_writer_tick(writer, 1000), 0);
	assert_int_equal(vmt_writer_tick(writer, 1000 + VMT_BLOCK_NS - 1), 0);
	assert_int_equal(vmt_writer_stats(writer).blocks, 0);
	assert_int_equal(vmt_writer_tick(writer, 1000 + VMT_BLOCK_NS), 0);
	assert_int_equal(vmt_writer_stats(writer).blocks, 1);
	assert_int_equal(vmt_writer_stats(writer).written, 1);
	assert_int_equal(end(writer, true), 0);
}

/* While it is written, and through a pipe, which cannot be marked as finished. */
static void test_pipe(void **state)
{
	struct fixture *f = *state;
	struct vmt_writer_options options;
	struct vmt_writer *writer;
	struct vmt_reader *reader;
	struct event event;
	char path[32];
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
	options = options_of(f);
	assert_int_equal(vmt_writer_open(ends[1], &header, &options, &writer), 0);
	assert_int_equal(vmt_writer_event(writer, &f->events[1]), 0);
	assert_int_equal(vmt_writer_flush(writer), 0);
	assert_int_equal(input_open(path, &f->input), 0);
	close(ends[0]);
	assert_int_equal(vmt_open(f->input, f->names, f->stacks, &reader, f->why, 64), 0);
	assert_int_equal(vmt_next(reader, &event), 1);
	assert_memory_equal(&event, &f->events[1], sizeof(event));
	assert_int_equal(vmt_writer_event(writer, &f->events[2]), 0);
	assert_int_equal(end(writer, true), 0);
	assert_int_equal(vmt_next(reader, &event), 1);
	assert_memory_equal(&event, &f->events[2], sizeof(event));
	assert_int_equal(vmt_next(reader, &event), 0);
	assert_int_equal(vmt_end(reader), VMT_END_COMPLETE);
	vmt_close(reader);
}

/* ---- limits ---- */

static void test_max_bytes(void **state)
{
	struct fixture *f = *state;

	for (uint64_t max = VMT_LEAST_MAX; max < 3 * VMT_LEAST_MAX; max += 77777) {
		struct vmt_writer *writer = begin(f, max);
		uint64_t taken = 0, got = 0;
		struct vmt_reader *reader;
		struct event event;
		struct stat st;
		uint32_t seed = (uint32_t)max;
		int err = 0;

		while (!err) {
			struct event alloc = f->events[7];

			seed = seed * 1664525 + 1013904223;
			alloc.gfp = seed;
			alloc.vstart = seed * 77;
			assert_true(taken < 1000000);
			err = vmt_writer_event(writer, &alloc);
			if (!err && vmt_writer_full(writer))
				seed++;
			taken += !err;
		}
		assert_int_equal(err, -E2BIG);
		assert_true(vmt_writer_full(writer));
		assert_int_equal(end(writer, true), 0);
		assert_int_equal(stat(f->path, &st), 0);
		assert_true((uint64_t)st.st_size <= max);
		/* and not much less */
		assert_true((uint64_t)st.st_size > max - max / 50);
		input_close(f->input);
		assert_int_equal(input_open(f->path, &f->input), 0);
		assert_int_equal(vmt_open(f->input, f->names, f->stacks, &reader, f->why, 64), 0);
		while (vmt_next(reader, &event) == 1)
			got += event.type != EV_STACK;
		assert_int_equal(got, taken);
		assert_int_equal(vmt_end(reader), VMT_END_COMPLETE);
		vmt_close(reader);
	}
}

/* The disk is full in the middle of a block: what was whole stays, the rest is cut away. */
static void test_full_disk(void **state)
{
	struct fixture *f = *state;
	struct rlimit old, limit;
	struct vmt_writer_options options;
	struct vmt_writer *writer;
	struct vmt_writer_stats stats;
	struct vmt_reader *reader;
	struct event event;
	uint64_t got = 0;
	struct stat st;
	int err = 0;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = 30011;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	writer = begin(f, 0);
	for (uint32_t i = 0; i < 1000000 && !err; i++) {
		f->events[7].gfp = i * 2654435761u;
		err = vmt_writer_event(writer, &f->events[7]);
	}
	stats = vmt_writer_stats(writer);
	assert_int_equal(vmt_writer_event(writer, &f->events[7]), -EFBIG);
	assert_int_equal(end(writer, true), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(err, -EFBIG);
	assert_true(stats.written > 500);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_size, stats.bytes);
	assert_int_equal(input_open(f->path, &f->input), 0);
	assert_int_equal(vmt_open(f->input, f->names, f->stacks, &reader, f->why, 64), 0);
	while (vmt_next(reader, &event) == 1)
		got += event.type != EV_STACK;
	assert_int_equal(got, stats.written);
	assert_int_equal(vmt_end(reader), VMT_END_CUT);
	assert_non_null(strstr(vmt_why(reader), "was not finished"));
	vmt_close(reader);
	options = options_of(f);
	assert_int_equal(vmt_writer_open(open("/dev/full", O_WRONLY), &header, &options, &writer),
			 -ENOSPC);
}

static void test_index_is_bounded(void **state)
{
	struct vmt_index index = { 0 };
	uint64_t blocks = 5 * VMT_INDEX_MAX + 3;

	(void)state;
	for (uint64_t i = 0; i < blocks; i++) {
		struct vmt_index_entry entry = { .offset = i, .first_event = i * 10,
						 .first_ns = i * 100, .last_ns = i * 100 + 99 };

		assert_true(vmt_index_next_count(&index) <= VMT_INDEX_MAX);
		assert_int_equal(vmt_index_add(&index, &entry), 0);
		assert_true(index.count <= VMT_INDEX_MAX);
	}
	assert_int_equal(index.stride, 8);
	assert_int_equal(index.count, (blocks + 7) / 8);
	for (uint32_t i = 0; i < index.count; i++) {
		assert_int_equal(index.entries[i].offset, i * 8);
		assert_int_equal(index.entries[i].first_event, i * 80);
		assert_int_equal(index.entries[i].first_ns, i * 800);
		if (i + 1 < index.count)
			assert_int_equal(index.entries[i].last_ns, i * 800 + 799);
	}
	assert_int_equal(index.entries[index.count - 1].last_ns, (blocks - 1) * 100 + 99);
	vmt_index_release(&index);
}

/* ---- damage ---- */

/* Reads all; every event must be the next of f->events. How many there were. */
static unsigned int read_prefix(struct fixture *f, struct vmt_reader *reader)
{
	struct event event;
	unsigned int n = 0;
	int got;

	while ((got = vmt_next(reader, &event)) == 1) {
		assert_true(n < f->count);
		assert_memory_equal(&event, &f->events[n], sizeof(event));
		n++;
	}
	assert_int_equal(got, 0);
	assert_int_equal(vmt_next(reader, &event), 0);
	return n;
}

/* How many events the blocks have that end at or before cut. */
static unsigned int whole_events(const uint8_t *bytes, size_t len, size_t cut)
{
	size_t at = sizeof(struct vmt_file_header);
	struct vmt_block_header block;
	unsigned int sum = 0;

	while (at + sizeof(block) <= len) {
		memcpy(&block, bytes + at, sizeof(block));
		at += sizeof(block) + block.stored_bytes;
		if (block.magic != VMT_BLOCK_MAGIC || at > cut)
			break;
		sum += block.nr_events;
	}
	return sum;
}

/* Cut anywhere, it gives every event of every whole block, no error, and says that it is cut. */
static void cut_at_every_byte(struct fixture *f, bool finished)
{
	size_t len;
	uint8_t *bytes = write_small(f, finished, &len);

	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *copy = malloc(cut ? cut : 1); /* ASan sees what is read beyond */
		struct vmt_reader *reader;
		int err;

		memcpy(copy, bytes, cut);
		err = open_memory(f, copy, cut, &reader);
		if (cut < sizeof(struct vmt_file_header)) {
			assert_int_equal(err, -EBADMSG);
			assert_true(strlen(f->why) > 10);
		} else {
			unsigned int whole = whole_events(bytes, len, cut);

			assert_int_equal(err, 0);
			/* one of f->events is a stack */
			assert_int_equal(read_prefix(f, reader), whole ? whole + 1 : 0);
			assert_int_equal(vmt_events(reader), whole);
			assert_int_equal(vmt_end(reader), VMT_END_CUT);
			assert_non_null(strstr(vmt_why(reader),
					       finished ? "was cut off" : "was not finished"));
			vmt_close(reader);
		}
		free(copy);
	}
	free(bytes);
}

static void test_cut_at_every_byte(void **state)
{
	cut_at_every_byte(*state, true);
	cut_at_every_byte(*state, false);
}

/* A flipped bit is noticed wherever it is; no event that was not written comes out. */
static void test_flipped_bits(void **state)
{
	struct fixture *f = *state;
	size_t len;
	uint8_t *bytes = write_small(f, true, &len);

	for (size_t bit = 0; bit < len * 8; bit++) {
		struct vmt_reader *reader;
		char offset[32];

		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (open_memory(f, bytes, len, &reader) == 0) {
			unsigned int n = read_prefix(f, reader);

			assert_true(vmt_end(reader) == VMT_END_DAMAGED ||
				    (vmt_end(reader) == VMT_END_CUT && n == f->count));
			snprintf(offset, sizeof(offset), "offset %zu", len);
			assert_non_null(strstr(vmt_why(reader), vmt_end(reader) == VMT_END_CUT ?
					       "from offset " : "is damaged at offset "));
			vmt_close(reader);
		}
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	free(bytes);
}

/* Any byte becomes any other, two at once: no crash, no endless loop. */
static void test_random_bytes(void **state)
{
	struct fixture *f = *state;
	size_t len;
	uint8_t *bytes = write_small(f, true, &len), *copy = malloc(len);
	uint32_t seed = 1;

	for (unsigned int round = 0; round < 20000; round++) {
		struct vmt_reader *reader;
		struct event event;

		memcpy(copy, bytes, len);
		for (unsigned int i = 0; i < 1 + round % 4; i++) {
			seed = seed * 1664525 + 1013904223;
			copy[(seed >> 4) % len] = (uint8_t)(seed >> 24);
		}
		if (open_memory(f, copy, len - round % 3, &reader))
			continue;
		while (vmt_next(reader, &event))
			;
		assert_true(vmt_end(reader));
		vmt_close(reader);
	}
	free(bytes);
	free(copy);
}

/* After a power cut a file can end in zeros that were never written. */
static void test_zeros_at_the_end(void **state)
{
	struct fixture *f = *state;
	struct vmt_reader *reader;
	size_t len;
	uint8_t *bytes = write_small(f, false, &len);

	bytes = realloc(bytes, len + 4096);
	memset(bytes + len, 0, 4096);
	assert_int_equal(open_memory(f, bytes, len + 4096, &reader), 0);
	assert_int_equal(read_prefix(f, reader), f->count);
	assert_int_equal(vmt_end(reader), VMT_END_CUT);
	vmt_close(reader);
	free(bytes);
}

/* ---- hostile files with right checksums ---- */

#define HEAD(type_, record) { .bytes = sizeof(record), .type = (type_) }
#define GOOD_FREE(name)                                                                            \
	struct vmt_free name = { .head = HEAD(VMT_FREE, name), .t_ns = 77, .start = 0xf7849000,    \
				 .end = 0xf784b000 }

/* The record, then a good free: the record is refused with why, the free is read. */
static void expect_left_out(struct fixture *f, const void *record, size_t len, const char *why)
{
	struct wrap wrap = { 0 };
	uint8_t payload[4096];
	struct vmt_reader *reader;
	struct event event;
	GOOD_FREE(good);
	int got;

	memcpy(payload, record, len);
	memcpy(payload + len, &good, sizeof(good));
	wrap_header(&wrap, wrap_file_header());
	wrap_block(&wrap, (struct vmt_block_header){ .nr_events = 2 }, payload, len + sizeof(good));
	assert_int_equal(open_memory(f, wrap.bytes, wrap.len, &reader), 0);
	got = vmt_next(reader, &event);
	if (got != -EBADMSG || !strstr(vmt_why(reader), why) ||
	    !strstr(vmt_why(reader), "offset 320, byte 0 of its block: "))
		fail_msg("%s: %d '%s'", why, got, vmt_why(reader));
	assert_int_equal(vmt_next(reader, &event), 1);
	assert_int_equal(event.t_ns, 77);
	assert_int_equal(vmt_next(reader, &event), 0);
	assert_int_equal(vmt_end(reader), VMT_END_CUT);
	vmt_close(reader);
	free(wrap.bytes);
}

static void test_hostile_records(void **state)
{
	struct fixture *f = *state;
	struct vmt_alloc good = { .head = HEAD(VMT_ALLOC, good), .t_ns = 1, .start = 0xf7849000,
				  .end = 0xf784b000 };
	struct vmt_area area = { .head = HEAD(VMT_AREA, area), .t_ns = 1, .start = 0xf7849000,
				 .end = 0xf784b000, .state = AREA_USED };
	struct vmt_fail failed = { .head = HEAD(VMT_FAIL, failed), .t_ns = 1, .err = -16 };
	struct vmt_purge purge = { .head = HEAD(VMT_PURGE, purge), .t_ns = 1 };
	struct vmt_alloc bad;

#define EXPECT(from, member, value, why)                                                           \
	do {                                                                                       \
		__typeof__(from) changed = from;                                                   \
		changed.member = value;                                                            \
		expect_left_out(f, &changed, sizeof(changed), why);                                \
	} while (0)
	EXPECT(good, start, 0xf784b000, "no range of pages");
	EXPECT(good, start, 0xf7849001, "no range of pages");
	EXPECT(good, start, 0, "no range of pages");
	EXPECT(good, end, 0xfefff000, "no range of pages");
	EXPECT(good, end, 0xfffff000, "no range of pages");
	EXPECT(good, end, 0xf784afff, "no range of pages");
	EXPECT(good, guard_pages, 2, "2 guard pages leave nothing");
	EXPECT(good, t_ns, UINT64_MAX, "a time of");
	EXPECT(good, comm, 1, "name 1 is used before");
	EXPECT(good, comm, UINT32_MAX, "is used before");
	EXPECT(good, stack, 1, "stack 1 is used before");
	EXPECT(area, state, 0, "neither used nor lazy");
	EXPECT(area, state, 3, "neither used nor lazy");
	EXPECT(area, caller, 9, "name 9");
	EXPECT(area, begin_ns, 2, "begun at 2");
	EXPECT(failed, err, 0, "the error 0");
	EXPECT(failed, err, 16, "the error 16");
	EXPECT(failed, err, INT32_MIN, "the error -2147483648");
	EXPECT(purge, begin_ns, 2, "begun at 2");
	bad = good;
	bad.head.bytes -= 4;
	expect_left_out(f, &bad, bad.head.bytes, "with 68 bytes, less than 72");
	bad.head.bytes = 4;
	expect_left_out(f, &bad, 4, "with 4 bytes");
}

/* What makes the rest of the file unreadable: no event, the end, and why. */
static void expect_damaged(struct fixture *f, struct vmt_block_header block, const void *payload,
			   size_t len, const char *why)
{
	struct wrap wrap = { 0 };
	struct vmt_reader *reader;
	struct event event;
	GOOD_FREE(good);
	int got;

	wrap_header(&wrap, wrap_file_header());
	wrap_block(&wrap, block, payload, len);
	wrap_block(&wrap, (struct vmt_block_header){ .nr_events = 1 }, &good, sizeof(good));
	assert_int_equal(open_memory(f, wrap.bytes, wrap.len, &reader), 0);
	got = vmt_next(reader, &event);
	if (got || vmt_end(reader) != VMT_END_DAMAGED || !strstr(vmt_why(reader), why) ||
	    !strstr(vmt_why(reader), "is damaged at offset 320: "))
		fail_msg("%s: %d '%s'", why, got, vmt_why(reader));
	vmt_close(reader);
	free(wrap.bytes);
}

static void test_hostile_definitions(void **state)
{
	struct fixture *f = *state;
	struct { struct vmt_name name; char text[8]; } name =
		{ { { 20, VMT_NAME, 0 }, 1, 5 }, "hello" };
	struct vmt_stack stack = { .head = { VMT_STACK_BYTES, VMT_STACK, 0 }, .id = 1 };
	struct vmt_fact fact = { .head = HEAD(VMT_FACT, fact) };
	struct vmt_modules list = { .head = HEAD(VMT_MODULES, list) };
	uint32_t one = 1, big[16384] = { 0 };
	struct vmt_block_header none = { 0 };

#define EXPECT_DAMAGED(from, member, value, why)                                                   \
	do {                                                                                       \
		__typeof__(from) changed = from;                                                   \
		changed.member = value;                                                            \
		expect_damaged(f, none, &changed, from##_bytes, why);                              \
	} while (0)
	const size_t name_bytes = 20, stack_bytes = VMT_STACK_BYTES, fact_bytes = sizeof(fact),
		     list_bytes = sizeof(list);

	EXPECT_DAMAGED(name, name.id, 0, "name 0 where 1 is due");
	EXPECT_DAMAGED(name, name.id, 2, "name 2 where 1 is due");
	EXPECT_DAMAGED(name, name.id, UINT32_MAX, "where 1 is due");
	EXPECT_DAMAGED(name, name.len, 9, "a name of 9 bytes in a record of 20");
	EXPECT_DAMAGED(name, name.len, UINT32_MAX, "a name of 4294967295 bytes");
	EXPECT_DAMAGED(name, name.head.bytes, 8, "a name of 8 bytes");
	EXPECT_DAMAGED(name, name.head.bytes, 0, "a record of 0 bytes where there are 20");
	EXPECT_DAMAGED(name, name.head.bytes, 19, "a record of 19 bytes");
	EXPECT_DAMAGED(name, name.head.bytes, 24, "a record of 24 bytes where there are 20");
	EXPECT_DAMAGED(name, name.head.bytes, 65532, "a record of 65532 bytes");
	EXPECT_DAMAGED(stack, id, 2, "stack 2 where 1 is due");
	EXPECT_DAMAGED(stack, nr_frames, 1, "a stack of 1 frames");
	EXPECT_DAMAGED(stack, nr_frames, 0, "a stack of 0 frames");
	EXPECT_DAMAGED(stack, nr_frames, UINT32_MAX, "a stack of 4294967295 frames");
	EXPECT_DAMAGED(stack, head.bytes, 16, "a stack of 16 bytes");
	EXPECT_DAMAGED(fact, key, 1, "is used before it is defined");
	EXPECT_DAMAGED(fact, value, 1, "is used before it is defined");
	EXPECT_DAMAGED(fact, head.bytes, 8, "a fact of 8 bytes");
	EXPECT_DAMAGED(list, count, 1, "1 modules in a record of 16");
	EXPECT_DAMAGED(list, count, UINT32_MAX, "4294967295 modules");
	EXPECT_DAMAGED(list, head.bytes, 8, "a list of modules of 8 bytes");
	expect_damaged(f, none, &one, 3, "a record of 0 bytes where there are 3");
	/* frames and texts of more than there may be */
	stack.head.bytes = 20 + 4 * 129;
	stack.nr_frames = 129;
	memcpy(big, &stack, VMT_STACK_BYTES);
	expect_damaged(f, none, big, stack.head.bytes, "a stack of 129 frames");
	stack.head.bytes = 24;
	stack.nr_frames = 1;
	memcpy(big, &stack, VMT_STACK_BYTES);
	big[5] = 1;
	expect_damaged(f, none, big, 24, "name 1 is used before it is defined");
	name.name.head.bytes = 12 + 1028;
	name.name.len = 1025;
	memcpy(big, &name, 20);
	expect_damaged(f, none, big, name.name.head.bytes, "a name of 1025 bytes");
}

static void test_hostile_blocks(void **state)
{
	struct fixture *f = *state;
	GOOD_FREE(good);
	uint8_t packed[4096], *large = calloc(1, 2 << 20);
	size_t len;

#define BLOCK(...) ((struct vmt_block_header){ __VA_ARGS__ })
	expect_damaged(f, BLOCK(.nr_events = 1, .raw_bytes = 64), &good, 32, "cannot be unpacked");
	expect_damaged(f, BLOCK(.nr_events = 1, .codec = 2), &good, 32, "packed in the way 2");
	expect_damaged(f, BLOCK(.nr_events = 1, .codec = VMT_ZSTD), &good, 32,
		       "cannot be unpacked");
	expect_damaged(f, BLOCK(.stored_bytes = 33, .raw_bytes = 32), &good, 32,
		       "a block of 33 bytes, unpacked 32");
	expect_damaged(f, BLOCK(.stored_bytes = UINT32_MAX), &good, 32, "a block of 4294967295");
	expect_damaged(f, BLOCK(.raw_bytes = UINT32_MAX), &good, 32, "unpacked 4294967295");
	expect_damaged(f, BLOCK(.first_event = 1), &good, 32, "begins with event 1, not 0");
	/* More than the header says, and as much as it says but more than there may be. */
	len = ZSTD_compress(packed, sizeof(packed), large, 2 << 20, 3);
	expect_damaged(f, BLOCK(.codec = VMT_ZSTD, .raw_bytes = 1 << 20), packed, len,
		       "cannot be unpacked");
	expect_damaged(f, BLOCK(.codec = VMT_ZSTD, .raw_bytes = 2 << 20), packed, len,
		       "unpacked 2097152");
	free(large);
}

/* Events of a block are handed out before it shows that there are too few. */
static void test_wrong_count(void **state)
{
	struct fixture *f = *state;

	for (uint32_t said = 0; said < 3; said++) {
		struct wrap wrap = { 0 };
		struct vmt_reader *reader;
		struct event event;
		GOOD_FREE(good);

		wrap_header(&wrap, wrap_file_header());
		wrap_block(&wrap, BLOCK(.nr_events = said), &good, sizeof(good));
		assert_int_equal(open_memory(f, wrap.bytes, wrap.len, &reader), 0);
		assert_int_equal(vmt_next(reader, &event), 1);
		assert_int_equal(vmt_next(reader, &event), 0);
		assert_int_equal(vmt_end(reader), said == 1 ? VMT_END_CUT : VMT_END_DAMAGED);
		vmt_close(reader);
		free(wrap.bytes);
	}
}

/* What a newer vmtrace may add: types of records and of blocks, longer records and headers. */
static void test_from_the_future(void **state)
{
	struct fixture *f = *state;
	struct vmt_file_header file = wrap_file_header();
	struct { struct vmt_free free; uint32_t more[3]; } longer =
		{ { .head = HEAD(VMT_FREE, longer), .t_ns = 5, .start = 0xf7849000,
		    .end = 0xf784b000 }, { 1, 2, 3 } };
	struct { struct vmt_record head; uint32_t what; } unknown = { { 8, 200, 255 }, 1 };
	struct wrap wrap = { 0 };
	struct vmt_reader *reader;
	struct event event;
	uint32_t crc;
	GOOD_FREE(good);

	/* a header of 8 bytes more */
	file.header_bytes += 8;
	file.crc = 0;
	wrap_add(&wrap, &file, sizeof(file));
	wrap_add(&wrap, "12345678", 8);
	crc = (uint32_t)crc32(0, wrap.bytes, (uInt)wrap.len);
	memcpy(wrap.bytes + offsetof(struct vmt_file_header, crc), &crc, 4);
	wrap_block(&wrap, BLOCK(.nr_events = 1), &unknown, sizeof(unknown));
	unknown.head.type = VMT_FIRST_EVENT - 1;
	wrap_block(&wrap, BLOCK(.nr_events = 0), &unknown, sizeof(unknown));
	wrap_block(&wrap, BLOCK(.type = 77), "what", 4);
	wrap_block(&wrap, BLOCK(.nr_events = 0), "", 0);
	wrap_block(&wrap, BLOCK(.nr_events = 1), &longer, sizeof(longer));
	wrap_block(&wrap, BLOCK(.nr_events = 1), &good, sizeof(good));
	wrap_block(&wrap, BLOCK(.type = VMT_BLOCK_INDEX), "", 0);
	wrap_trailer(&wrap);
	assert_int_equal(open_memory(f, wrap.bytes, wrap.len, &reader), 0);
	assert_int_equal(vmt_next(reader, &event), 1);
	assert_int_equal(event.t_ns, 5);
	assert_int_equal(vmt_next(reader, &event), 1);
	assert_int_equal(event.t_ns, 77);
	assert_int_equal(vmt_next(reader, &event), 0);
	assert_int_equal(vmt_end(reader), VMT_END_COMPLETE);
	vmt_close(reader);
	/* and nothing may follow on the end */
	wrap_add(&wrap, "", 1);
	assert_int_equal(open_memory(f, wrap.bytes, wrap.len, &reader), 0);
	while (vmt_next(reader, &event))
		;
	assert_int_equal(vmt_end(reader), VMT_END_DAMAGED);
	assert_non_null(strstr(vmt_why(reader), "there is more behind the end"));
	vmt_close(reader);
	free(wrap.bytes);
}

static void expect_refused(struct fixture *f, struct vmt_file_header file, const char *why)
{
	struct wrap wrap = { 0 };
	struct vmt_reader *reader;

	wrap_header(&wrap, file);
	if (open_memory(f, wrap.bytes, wrap.len, &reader) != -EBADMSG || !strstr(f->why, why) ||
	    reader)
		fail_msg("%s: '%s'", why, f->why);
	free(wrap.bytes);
}

static void test_headers(void **state)
{
	struct fixture *f = *state;
	struct vmt_file_header file = wrap_file_header();
	struct reader *any;

#define REFUSED(member, value, why)                                                                \
	do {                                                                                       \
		file = wrap_file_header();                                                         \
		file.member = value;                                                               \
		expect_refused(f, file, why);                                                      \
	} while (0)
	REFUSED(magic[1], 'v', "not a vmtrace recording");
	REFUSED(version, 2, "its version is 2; this vmtrace reads version 1");
	REFUSED(header_bytes, 319, "its header has 319 bytes");
	REFUSED(header_bytes, 4097, "its header has 4097 bytes");
	REFUSED(header_bytes, 4096, "ends inside its header, at offset 320");
	REFUSED(page_size, 16384, "page size is 16384");
	REFUSED(pmd_bytes, 1u << 20, "neither 2 MB nor 4 MB");
	REFUSED(vmalloc_start, 0xfeffe000, "is empty");
	REFUSED(vmalloc_start, 0, "begins at address 0");
	REFUSED(vmalloc_start, 0xf77fe001, "not page aligned");
	REFUSED(vmalloc_start, 0x00001000, "larger than 3 GiB");
	file = wrap_file_header();
	memset(file.kernel, 'x', sizeof(file.kernel));
	expect_refused(f, file, "has no end");
	assert_int_equal(reader_open("/nonexistent/x", f->names, f->stacks, &any, f->why, 64),
			 -ENOENT);
	assert_int_equal(reader_open("/tmp", f->names, f->stacks, &any, f->why, 64), -EISDIR);
	reader_close(NULL);
	vmt_close(NULL);
	vmt_writer_close(NULL);
}

/* Definitions that cost little in the file cost no more memory than there is a limit for. */
static void test_too_many_names(void **state)
{
	struct fixture *f = *state;
	struct vmt_name *list = calloc(65536, sizeof(*list));
	struct wrap wrap = { 0 };
	struct vmt_reader *reader;
	struct event event;
	uint8_t *packed = malloc(1 << 20);

	wrap_header(&wrap, wrap_file_header());
	for (uint32_t block = 0; block < 17; block++) {
		size_t len;

		for (uint32_t i = 0; i < 65536; i++) {
			list[i].head = (struct vmt_record){ sizeof(*list), VMT_NAME, 0 };
			list[i].id = block * 65536 + i + 1;
		}
		len = ZSTD_compress(packed, 1 << 20, list, 65536 * sizeof(*list), 1);
		wrap_block(&wrap, BLOCK(.codec = VMT_ZSTD, .raw_bytes = 65536 * sizeof(*list)),
			   packed, len);
	}
	assert_int_equal(open_memory(f, wrap.bytes, wrap.len, &reader), 0);
	assert_int_equal(vmt_next(reader, &event), 0);
	assert_int_equal(vmt_end(reader), VMT_END_DAMAGED);
	assert_non_null(strstr(vmt_why(reader), "more than 1048576 names"));
	vmt_close(reader);
	free(wrap.bytes);
	free(packed);
	free(list);
}

/* ---- either format ---- */

static void test_reader_takes_both(void **state)
{
	static const char text[] =
		"{\"type\":\"header\",\"schema\":\"vmtrace.events/1\","
		"\"vmalloc_start\":\"0xf77fe000\",\"vmalloc_end\":\"0xfeffe000\"}\n"
		"{\"type\":\"purge\",\"t\":1}\n{\"type\":\"what\n";
	struct fixture *f = *state;
	struct reader *reader;
	struct event event;
	size_t len;
	uint8_t *bytes = write_small(f, true, &len);
	unsigned int n = 0;

	assert_int_equal(reader_open(f->path, f->names, f->stacks, &reader, f->why, 64), 0);
	assert_string_equal(reader_header(reader)->hostname, "deb12");
	while (reader_next(reader, &event) == 1)
		n++;
	assert_int_equal(n, f->count);
	assert_int_equal(reader_end(reader), READER_COMPLETE);
	reader_close(reader);
	assert_int_equal(reader_open_input(input_memory(text, strlen(text)), f->names, f->stacks,
					   &reader, f->why, 64), 0);
	assert_int_equal(reader_next(reader, &event), 1);
	assert_int_equal(reader_end(reader), READER_MORE);
	assert_int_equal(reader_next(reader, &event), -EBADMSG);
	assert_non_null(strstr(reader_why(reader), "line 3"));
	assert_int_equal(reader_next(reader, &event), 0);
	assert_int_equal(reader_end(reader), READER_CUT);
	assert_non_null(strstr(reader_why(reader), "was cut off"));
	reader_close(reader);
	assert_int_equal(reader_open_input(input_memory(bytes, 3), f->names, f->stacks, &reader,
					   f->why, 64), -EBADMSG);
	assert_int_equal(reader_open_input(input_memory("", 0), f->names, f->stacks, &reader,
					   f->why, 64), -EBADMSG);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_round_trip),
		TEST(test_ids_are_mapped),
		TEST(test_facts_and_modules),
		TEST(test_many_events),
		TEST(test_thrifty),
		TEST(test_tick),
		TEST(test_pipe),
		TEST(test_max_bytes),
		TEST(test_full_disk),
		TEST(test_index_is_bounded),
		TEST(test_cut_at_every_byte),
		TEST(test_flipped_bits),
		TEST(test_random_bytes),
		TEST(test_zeros_at_the_end),
		TEST(test_hostile_records),
		TEST(test_hostile_definitions),
		TEST(test_hostile_blocks),
		TEST(test_wrong_count),
		TEST(test_from_the_future),
		TEST(test_headers),
		TEST(test_too_many_names),
		TEST(test_reader_takes_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
