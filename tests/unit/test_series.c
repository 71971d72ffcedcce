// SPDX-License-Identifier: GPL-2.0-only
/* src/record/model and series: a file of a ring shows by itself what the whole stream shows. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../load.h"
#include "record/jsonl.h"
#include "record/model.h"
#include "record/reader.h"
#include "record/series.h"
#include "space/space.h"

#define MAX_FILES 64

struct fixture {
	char dir[32];
	char path[64];
	struct names *names;
	struct stacks *stacks;
	struct space *space;
	struct load load;
	struct series *series;
	uint32_t begun; /* how often the begin function was called */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct stream_header header = load_header();

	strcpy(f->dir, "/tmp/test_series.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/x.vmt", f->dir);
	f->names = names_new();
	f->stacks = stacks_new();
	f->space = space_new(header.vmalloc_start, header.vmalloc_end);
	load_init(&f->load, 1, f->names, f->stacks);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char path[96];

	unlink(f->path);
	for (unsigned int i = 1; i <= MAX_FILES; i++) {
		snprintf(path, sizeof(path), "%s.%u", f->path, i);
		unlink(path);
	}
	assert_int_equal(rmdir(f->dir), 0);
	names_free(f->names);
	stacks_free(f->stacks);
	space_free(f->space);
	free(f);
	return 0;
}

/* ---- what a space holds, as text: ids differ from one reader to the next ---- */

static void describe(FILE *out, const struct space *space, const struct names *names,
		     const struct stacks *stacks)
{
	struct space_totals totals = space_totals(space);
	const struct area *a;

	fprintf(out, "%u %u %u %u %u own %u areas %u %u uncertain %d modules %x\n", totals.used_bytes,
		totals.guard_bytes, totals.lazy_bytes, totals.free_bytes, totals.unknown_bytes,
		totals.own_bytes, totals.areas, totals.lazy_areas, space_uncertain(space),
		space_module_start(space));
	for (a = space_first(space, space_start(space)); a; a = space_first(space, a->end)) {
		struct stack stack = stacks_get(stacks, area_stack(a));
		bool lazy = a->state == AREA_LAZY;

		fprintf(out, "%08x %08x %u %u %u %x %u %u %u %s", a->start, a->end, a->state, a->kind,
			a->guard_pages, a->flags & (AREA_F_OWN | AREA_F_STACK_CUT), a->requested,
			area_align(a), a->nr_pages, names_text(names, area_caller(a)));
		if (lazy)
			fprintf(out, " freed %llu by %u %s%s", (unsigned long long)a->free_ns,
				a->freer_pid, names_text(names, a->freer_comm),
				a->flags & AREA_F_UNSEEN ? " unseen" : "");
		else
			fprintf(out, " born %llu by %u %s%s%s", (unsigned long long)a->birth_ns,
				a->pid, names_text(names, a->comm_id),
				a->flags & AREA_F_SEEDED ? " seeded" : "",
				a->flags & AREA_F_VFREED ? " vfreed" : "");
		for (uint32_t i = 0; i < stack.nr_frames; i++)
			fprintf(out, " %s", names_text(names, stack.frames[i]));
		fputc('\n', out);
	}
}

static char *description(const struct space *space, const struct names *names,
			 const struct stacks *stacks)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	describe(out, space, names, stacks);
	fclose(out);
	return text;
}

/* The end of the recording at path, described; *events: how many it has. */
static char *description_of(const char *path, enum reader_end expected, uint64_t *events)
{
	struct names *names = names_new();
	struct stacks *stacks = stacks_new();
	struct stream_header header = load_header();
	struct space *space = space_new(header.vmalloc_start, header.vmalloc_end);
	struct reader *reader;
	struct event event;
	char why[256] = "", *text;

	*events = 0;
	assert_int_equal(reader_open(path, names, stacks, &reader, why, sizeof(why)), 0);
	while (reader_next(reader, &event) == 1) {
		assert_int_equal(space_apply(space, &event), 0);
		*events += event.type != EV_STACK;
	}
	assert_int_equal(reader_end(reader), expected);
	assert_int_equal(space_counters(space)->rejected, 0);
	assert_int_equal(space_counters(space)->healed_allocs, 0);
	assert_true(space_check(space, why, sizeof(why)));
	text = description(space, names, stacks);
	reader_close(reader);
	space_free(space);
	stacks_free(stacks);
	names_free(names);
	return text;
}

static void expect_same(const char *got, const char *want)
{
	size_t i = 0;

	while (got[i] && got[i] == want[i])
		i++;
	if (got[i] == want[i])
		return;
	while (i && got[i - 1] != '\n')
		i--;
	fail_msg("\n%.200s\nnot\n%.200s", got + i, want + i);
}

/* ---- the stream ---- */

static int feed(struct fixture *f, const struct event *event)
{
	assert_int_equal(space_apply(f->space, event), 0);
	return series_event(f->series, event);
}

static int feed_area(struct fixture *f, uint32_t slot)
{
	const struct area *area = space_area_at(f->space, LOAD_START + slot * LOAD_SLOT);
	struct event event = { .type = EV_AREA, .t_ns = f->load.t_ns, .state = AREA_USED,
			       .begin_ns = f->load.t_ns - 1000, .kind = KIND_VMALLOC };

	if (!area)
		return 0;
	event.start = area->start;
	event.end = area->end;
	event.state = area->state;
	event.guard_pages = area->guard_pages;
	event.nr_pages = 3;
	event.caller_id = f->load.caller;
	return feed(f, &event);
}

/* The kernel's list, which has what the model has, and of every 10th slot nothing. */
static int feed_list(struct fixture *f)
{
	struct event mark = { .type = EV_SNAPSHOT_BEGIN, .flags = EV_F_HAS_BEGIN };
	int err;

	f->load.t_ns += 100000000;
	mark.t_ns = f->load.t_ns;
	mark.begin_ns = f->load.t_ns - 1000;
	err = feed(f, &mark);
	for (uint32_t slot = 0; slot < LOAD_SLOTS && !err; slot++) {
		if (slot % 10)
			err = feed_area(f, slot);
		else
			f->load.taken[slot] = f->load.pages[slot] = 0;
	}
	/* What the list lacks is gone from the lazy ones too. */
	f->load.nr_lazy = 0;
	for (uint32_t slot = 0; slot < LOAD_SLOTS; slot++) {
		if (f->load.taken[slot] && !f->load.pages[slot])
			f->load.lazy[f->load.nr_lazy++] = slot;
	}
	f->load.freeing = 0;
	mark.type = EV_SNAPSHOT_END;
	return err ? err : feed(f, &mark);
}

static struct event area_at(uint32_t slot, uint64_t t_ns)
{
	return (struct event){ .type = EV_AREA, .t_ns = t_ns, .begin_ns = t_ns, .state = AREA_USED,
			       .guard_pages = 1, .start = LOAD_START + slot * 2 * VMT_PAGE_SIZE,
			       .end = LOAD_START + (slot + 1) * 2 * VMT_PAGE_SIZE };
}

/* Hardly to be packed. */
static struct event fail_of(uint32_t i, uint64_t t_ns)
{
	return (struct event){ .type = EV_FAIL, .t_ns = t_ns, .err = -12, .size = i * 2654435761u,
			       .gfp = i * 40503u * 2654435761u, .pid = (i + 7) * 2246822519u,
			       .tid = (i + 9) * 3266489917u, .requested = i * 668265263u };
}

static uint64_t count_in(const char *path, unsigned int type)
{
	struct names *names = names_new();
	struct stacks *stacks = stacks_new();
	struct reader *reader;
	struct event event;
	char why[256] = "";
	uint64_t count = 0;

	assert_int_equal(reader_open(path, names, stacks, &reader, why, sizeof(why)), 0);
	while (reader_next(reader, &event) == 1)
		count += event.type == type;
	reader_close(reader);
	stacks_free(stacks);
	names_free(names);
	return count;
}

static int begin_hook(void *context, struct vmt_writer *writer)
{
	struct fixture *f = context;

	f->begun++;
	return vmt_writer_fact(writer,
			       (struct stream_fact){ names_intern_str(f->names, "key"),
						     names_intern_str(f->names, "value") });
}

static int open_series(struct fixture *f, uint64_t max_bytes, uint32_t nr_files, bool overwrite)
{
	struct stream_header header = load_header();
	struct series_options options = { .path = f->path, .max_bytes = max_bytes,
					  .nr_files = nr_files, .overwrite = overwrite,
					  .begin = begin_hook, .context = f };

	return series_open(&options, &header, f->names, f->stacks, f->space, &f->series);
}

static int end(struct fixture *f, bool finished)
{
	int err = series_end(f->series, finished);

	series_close(f->series);
	return err;
}

/* ---- tests ---- */

/* Each file of a ring ends with what the model was when the next one began. */
static void test_ring(void **state)
{
	struct fixture *f = *state;
	const uint32_t nr_files = 5;
	char *ends[MAX_FILES] = { 0 }, *text, path[96];
	uint64_t sum = 0, events;
	struct series_stats stats;
	struct stat st;

	assert_int_equal(open_series(f, 256 << 10, nr_files, false), 0);
	for (uint32_t i = 0; i < 300000; i++) {
		struct event event = load_next(&f->load);
		uint32_t begun = series_stats(f->series).nr_begun;
		int err = feed(f, &event);

		/* Doubt, from time to time, and a list that ends it, a little later. */
		if (!err && i % 30000 == 20000) {
			struct event lost = { .type = EV_LOST, .t_ns = f->load.t_ns, .count = 3,
					      .state = LOST_RING };

			err = feed(f, &lost);
		}
		if (!err && i % 30000 == 25000 && !f->load.freeing)
			err = feed_list(f);
		assert_int_equal(err, 0);
		if (series_stats(f->series).nr_begun != begun) {
			assert_true(begun < MAX_FILES);
			ends[begun - 1] = description(f->space, f->names, f->stacks);
		}
	}
	stats = series_stats(f->series);
	assert_true(stats.nr_begun > nr_files + 3);
	assert_int_equal(f->begun, stats.nr_begun);
	assert_int_equal(end(f, true), 0);
	ends[stats.nr_begun - 1] = description(f->space, f->names, f->stacks);
	for (uint32_t n = stats.nr_begun - nr_files; n < stats.nr_begun; n++) {
		snprintf(path, sizeof(path), "%s.%u", f->path, n % nr_files + 1);
		text = description_of(path, READER_COMPLETE, &events);
		expect_same(text, ends[n]);
		assert_int_equal(stat(path, &st), 0);
		assert_true(st.st_size <= 256 << 10);
		assert_int_equal(st.st_mode & 0777, 0600);
		sum += events;
		free(text);
	}
	if (sum < 40000)
		fail_msg("%llu events in %u files", (unsigned long long)sum, nr_files);
	for (uint32_t n = 0; n < MAX_FILES; n++)
		free(ends[n]);
}

/* A model anywhere in a stream, through either format, is the model; and goes on as it does. */
static int to_jsonl(void *context, const struct event *event)
{
	struct fixture *f = context;
	FILE *out = fopen(f->path, "a");

	if (event->stack_id) {
		struct event stack = { .type = EV_STACK, .stack_id = event->stack_id };

		jsonl_write_event(out, &stack, f->names, f->stacks);
	}
	assert_int_equal(jsonl_write_event(out, event, f->names, f->stacks), 0);
	fclose(out);
	return 0;
}

static void test_model_through_jsonl(void **state)
{
	struct fixture *f = *state;
	struct stream_header header = load_header();
	struct sink sink = { .event = to_jsonl, .context = f };
	uint64_t events;
	char *want, *got;
	FILE *out;

	for (uint32_t i = 0; i < 8000; i++) {
		struct event event = load_next(&f->load);

		assert_int_equal(space_apply(f->space, &event), 0);
	}
	out = fopen(f->path, "w");
	assert_int_equal(jsonl_write_header(out, &header, NULL), 0);
	fclose(out);
	assert_int_equal(model_emit(f->space, &sink), 0);
	want = description(f->space, f->names, f->stacks);
	got = description_of(f->path, READER_CUT, &events);
	expect_same(got, want);
	assert_true(events > 1000);
	free(want);
	free(got);
}

static int apply_to(void *context, const struct event *event)
{
	return space_apply(context, event);
}

/* What is not known stays unknown, what is doubtful stays doubtful. */
static void test_model_of_little_knowledge(void **state)
{
	struct fixture *f = *state;
	struct space *copy = space_new(LOAD_START, 0xfeffe000);
	struct sink sink = { .event = apply_to, .context = copy };
	struct event lost = { .type = EV_LOST, .state = LOST_RING, .count = 1 };
	char *want, *got;

	f->load.told = 2; /* no snapshot at the begin */
	for (uint32_t i = 0; i < 3000; i++) {
		struct event event = load_next(&f->load);

		assert_int_equal(space_apply(f->space, &event), 0);
	}
	assert_true(space_totals(f->space).unknown_bytes > 0);
	assert_int_equal(model_emit(f->space, &sink), 0);
	/* What events showed to be free is unknown again; the areas are the same. */
	assert_true(space_totals(copy).unknown_bytes > space_totals(f->space).unknown_bytes);
	want = description(f->space, f->names, f->stacks);
	got = description(copy, f->names, f->stacks);
	expect_same(strchr(got, '\n'), strchr(want, '\n'));
	free(want);
	free(got);
	space_free(copy);

	copy = space_new(LOAD_START, 0xfeffe000);
	sink.context = copy;
	assert_int_equal(space_apply(f->space, &(struct event){ .type = EV_SNAPSHOT_BEGIN }), 0);
	assert_int_equal(space_apply(f->space, &(struct event){ .type = EV_SNAPSHOT_END }), 0);
	assert_false(space_uncertain(f->space));
	assert_int_equal(model_emit(f->space, &sink), 0);
	assert_false(space_uncertain(copy));
	lost.t_ns = f->load.t_ns + 1;
	assert_int_equal(space_apply(f->space, &lost), 0);
	assert_true(space_uncertain(f->space));
	assert_int_equal(model_emit(f->space, &sink), 0);
	assert_true(space_uncertain(copy));
	space_free(copy);
}

static void test_one_file_is_full(void **state)
{
	struct fixture *f = *state;
	uint64_t taken = 0, events;
	int err = 0;
	char *text;

	assert_int_equal(open_series(f, 128 << 10, 0, false), 0);
	while (!err) {
		struct event event = load_next(&f->load);

		err = feed(f, &event);
		taken += !err;
	}
	assert_int_equal(err, -E2BIG);
	assert_int_equal(series_stats(f->series).events, taken);
	assert_int_equal(end(f, true), 0);
	text = description_of(f->path, READER_COMPLETE, &events);
	assert_int_equal(events, taken);
	free(text);
}

/* A stack of a file made to break things: 128 frames of 1000 bytes each. */
static uint32_t huge_stack(struct fixture *f, uint32_t n)
{
	uint32_t frames[128], state = n * 2654435761u + 1;
	char text[1001] = "";

	for (uint32_t i = 0; i < 128; i++) {
		for (uint32_t c = 0; c < 1000; c++) {
			state = state * 1664525u + 1013904223u;
			text[c] = (char)('0' + (state >> 24) % 75);
		}
		frames[i] = names_intern_str(f->names, text);
	}
	return stacks_intern(f->stacks, frames, 128, NULL);
}

static void test_limit_with_huge_stacks(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	int err = 0;

	assert_int_equal(open_series(f, 300 << 10, 0, false), 0);
	for (uint32_t i = 0; i < 20 && !err; i++) {
		struct event event = load_next(&f->load);

		event = (struct event){ .type = EV_FAIL, .t_ns = f->load.t_ns, .err = -12,
					.stack_id = huge_stack(f, i) };
		err = feed(f, &event);
	}
	assert_int_equal(err, -E2BIG);
	assert_int_equal(end(f, true), 0);
	assert_int_equal(stat(f->path, &st), 0);
	assert_true(st.st_size <= 300 << 10);
}

static void test_overwrite(void **state)
{
	struct fixture *f = *state;
	char path[96];
	uint64_t events;
	struct stat st;

	snprintf(path, sizeof(path), "%s.3", f->path);
	fclose(fopen(path, "w"));
	assert_int_equal(open_series(f, 256 << 10, 3, false), -EEXIST);
	assert_null(f->series);
	assert_int_equal(open_series(f, 256 << 10, 2, false), 0);
	assert_int_equal(end(f, true), 0);
	assert_int_equal(open_series(f, 256 << 10, 2, false), -EEXIST);
	assert_int_equal(open_series(f, 256 << 10, 3, true), 0);
	assert_int_equal(end(f, true), 0);
	assert_int_equal(stat(path, &st), -1); /* of the old ring */
	assert_int_equal(open_series(f, 0, 0, false), 0);
	assert_int_equal(end(f, true), 0);
	assert_int_equal(open_series(f, 0, 0, false), -EEXIST);
	assert_int_equal(open_series(f, 0, 0, true), 0);
	assert_int_equal(end(f, false), 0);
	free(description_of(f->path, READER_CUT, &events));
	series_close(NULL);
	f->path[5] = '/'; /* no such folder */
	assert_int_equal(open_series(f, 0, 0, false), -ENOENT);
	snprintf(f->path, sizeof(f->path), "%s/x.vmt", f->dir);
}

/* A list that does not end leaves a file of the ring no bigger, and nothing else is lost. */
static void test_list_longer_than_a_file(void **state)
{
	struct fixture *f = *state;
	struct event area = { .type = EV_AREA, .t_ns = 2000000000000, .state = AREA_USED,
			      .begin_ns = 2000000000000, .guard_pages = 1 };
	struct event mark = { .type = EV_SNAPSHOT_BEGIN, .t_ns = 2000000000000,
			      .begin_ns = 2000000000000 };
	char *want, *got, path[96];
	uint64_t events;
	struct stat st;

	assert_int_equal(open_series(f, 128 << 10, 2, false), 0);
	assert_int_equal(feed(f, &mark), 0);
	for (uint32_t i = 0; i < 13000; i++) {
		char caller[64];

		area.start = LOAD_START + i * 2 * VMT_PAGE_SIZE;
		area.end = area.start + 2 * VMT_PAGE_SIZE;
		snprintf(caller, sizeof(caller), "caller_%08x%08x", i * 2654435761u, i * 40503u);
		area.caller_id = names_intern_str(f->names, i % 3 ? "one" : caller);
		assert_int_equal(feed(f, &area), 0);
	}
	assert_int_equal(series_stats(f->series).nr_begun, 1);
	mark.type = EV_SNAPSHOT_END;
	/* The model does not fit either, with all these names. */
	assert_int_equal(feed(f, &mark), -EOVERFLOW);
	assert_int_equal(series_end(f->series, false), 0);
	series_close(f->series);
	snprintf(path, sizeof(path), "%s.1", f->path);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size <= 128 << 10);

	/* Every 8th only: the model fits. */
	for (uint32_t i = 0; i < 13000; i++) {
		area.start = LOAD_START + i * 2 * VMT_PAGE_SIZE;
		area.end = area.start + 2 * VMT_PAGE_SIZE;
		area.type = EV_FREE;
		area.t_ns += 100000000;
		if (i % 8)
			assert_int_equal(space_apply(f->space, &area), 0);
	}
	mark.type = EV_PURGE;
	mark.flags = EV_F_HAS_BEGIN;
	mark.t_ns = mark.begin_ns = area.t_ns + 1;
	assert_int_equal(space_apply(f->space, &mark), 0);
	assert_int_equal(open_series(f, 128 << 10, 2, true), 0);
	mark.type = EV_SNAPSHOT_BEGIN;
	mark.t_ns = mark.begin_ns += 1000000000;
	assert_int_equal(feed(f, &mark), 0);
	area.type = EV_AREA;
	area.t_ns = mark.t_ns;
	area.begin_ns = mark.begin_ns;
	for (uint32_t i = 0; i < 13000; i += 8) {
		for (unsigned int again = 0; again < 40; again++) { /* lines that say the same */
			area.start = LOAD_START + i * 2 * VMT_PAGE_SIZE;
			area.end = area.start + 2 * VMT_PAGE_SIZE;
			area.nr_pages = i * 2654435761u + again;
			area.caller_id = names_intern_str(f->names, "one");
			assert_int_equal(feed(f, &area), 0);
		}
	}
	mark.type = EV_SNAPSHOT_END;
	assert_int_equal(feed(f, &mark), 0);
	assert_int_equal(series_stats(f->series).nr_begun, 2);
	assert_int_equal(end(f, true), 0);
	snprintf(path, sizeof(path), "%s.2", f->path);
	want = description(f->space, f->names, f->stacks);
	got = description_of(path, READER_COMPLETE, &events);
	expect_same(got, want);
	free(got);
	free(want);
}

/* A file that gets full in the middle of a list, by something else: the list goes on in the next one
 * from what the model has of it, and no failure is missing. */
static void test_full_inside_a_list(void **state)
{
	struct fixture *f = *state;
	const uint64_t t_ns = 2000000000000;
	struct event event = { .type = EV_SNAPSHOT_BEGIN, .t_ns = t_ns, .begin_ns = t_ns };
	struct event list_end = { .type = EV_SNAPSHOT_END, .t_ns = t_ns, .begin_ns = t_ns };
	uint64_t fed = 0, found = 0, before, events;
	char *want, *got, path[96];

	assert_int_equal(open_series(f, 128 << 10, 3, false), 0);
	assert_int_equal(feed(f, &event), 0);
	assert_int_equal(feed(f, &list_end), 0);
	assert_int_equal(feed(f, &event), 0);
	for (uint32_t i = 0; i < 300; i++) {
		event = area_at(i, t_ns);
		assert_int_equal(feed(f, &event), 0);
	}
	do {
		before = series_stats(f->series).events;
		event = fail_of(fed++, t_ns);
		assert_int_equal(feed(f, &event), 0);
	} while (series_stats(f->series).nr_begun == 1 && series_stats(f->series).events > before);
	for (uint32_t i = 300; i < 600; i++) {
		event = area_at(i, t_ns);
		assert_int_equal(feed(f, &event), 0);
	}
	event = fail_of(fed++, t_ns);
	assert_int_equal(feed(f, &event), 0);
	assert_int_equal(feed(f, &list_end), 0);
	event = fail_of(fed++, t_ns);
	assert_int_equal(feed(f, &event), 0);
	assert_int_equal(series_stats(f->series).nr_begun, 2);
	assert_int_equal(end(f, true), 0);
	snprintf(path, sizeof(path), "%s.2", f->path);
	want = description(f->space, f->names, f->stacks);
	got = description_of(path, READER_COMPLETE, &events);
	expect_same(got, want);
	free(want);
	free(got);
	found = count_in(path, EV_FAIL);
	snprintf(path, sizeof(path), "%s.1", f->path);
	found += count_in(path, EV_FAIL);
	assert_int_equal(found, fed);
}

/* A list that lacks a line for want of room has no end either: what it lacks would be free. */
static void test_list_without_a_line(void **state)
{
	struct fixture *f = *state;
	const uint64_t t_ns = 2000000000000;
	struct event event = { .type = EV_SNAPSHOT_BEGIN, .t_ns = t_ns, .begin_ns = t_ns };
	char *want, *got, path[96], caller[1000];
	uint64_t before, events;
	uint32_t i = 0;

	assert_int_equal(open_series(f, 128 << 10, 2, false), 0);
	assert_int_equal(feed(f, &event), 0);
	do {
		event = fail_of(i, t_ns);
		assert_int_equal(feed(f, &event), 0);
		before = series_stats(f->series).events;
		event = area_at(i, t_ns);
		snprintf(caller, sizeof(caller), "%0900u", i++);
		event.caller_id = names_intern_str(f->names, caller);
		assert_int_equal(feed(f, &event), 0);
	} while (series_stats(f->series).events > before);
	event = (struct event){ .type = EV_SNAPSHOT_END, .t_ns = t_ns, .begin_ns = t_ns };
	assert_int_equal(feed(f, &event), 0);
	assert_int_equal(series_stats(f->series).nr_begun, 2);
	assert_int_equal(end(f, true), 0);
	snprintf(path, sizeof(path), "%s.1", f->path);
	assert_int_equal(count_in(path, EV_AREA), i - 1);
	assert_int_equal(count_in(path, EV_SNAPSHOT_END), 0);
	snprintf(path, sizeof(path), "%s.2", f->path);
	want = description(f->space, f->names, f->stacks);
	got = description_of(path, READER_COMPLETE, &events);
	expect_same(got, want);
	free(want);
	free(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_ring),
		TEST(test_model_through_jsonl),
		TEST(test_model_of_little_knowledge),
		TEST(test_one_file_is_full),
		TEST(test_limit_with_huge_stacks),
		TEST(test_overwrite),
		TEST(test_list_longer_than_a_file),
		TEST(test_full_inside_a_list),
		TEST(test_list_without_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
