// SPDX-License-Identifier: GPL-2.0-only
/* src/view: exact texts of small maps; whatever the names, the lines stay ASCII and short. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "view/json.h"
#include "view/text.h"

#define START 0xf8000000u
#define END   0xf8100000u
#define PAGE  VMT_PAGE_SIZE

struct fixture {
	struct space *space;
	struct names *names;
	struct stacks *stacks;
	struct view_facts facts;
	struct view view;
	uint32_t stack;
	char *text; /* what was printed last */
	size_t len;
	FILE *out;
};

static uint32_t name(struct fixture *fixture, const char *text)
{
	return names_intern_str(fixture->names, text);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	uint32_t frames[3];

	f->space = space_new(START, END);
	f->names = names_new();
	f->stacks = stacks_new();
	f->facts = (struct view_facts){ .version = "0.1", .hostname = "deb12",
					.kernel = "6.1.0-50-686-pae", .cpus = 2, .live = true,
					.uptime_ns = 134000000000, .now_ns = 134000000000 };
	f->view = (struct view){ f->space, f->names, f->stacks, &f->facts, { 80, false } };
	frames[0] = name(f, "vmalloc+0x6f");
	frames[1] = name(f, "ring_alloc+0x41 [foo]");
	frames[2] = name(f, "foo_open+0x90 [foo]");
	f->stack = stacks_intern(f->stacks, frames, 3, NULL);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	space_free(f->space);
	names_free(f->names);
	stacks_free(f->stacks);
	free(f->text);
	free(f);
	return 0;
}

static void apply(struct fixture *f, struct event event)
{
	assert_int_equal(space_apply(f->space, &event), 0);
}

/* 3 pages used since before the trace, a gap of 1, 2 lazy, 10 own, the rest free. */
static void fill(struct fixture *f)
{
	uint64_t s = 1000000000;

	apply(f, (struct event){ .type = EV_SNAPSHOT_BEGIN, .t_ns = s, .begin_ns = s });
	apply(f, (struct event){ .type = EV_AREA, .t_ns = s, .start = START,
				 .end = START + 3 * PAGE, .guard_pages = 1, .state = AREA_USED,
				 .kind = KIND_VMALLOC, .caller_id = name(f, "n_tty_open+0x16") });
	apply(f, (struct event){ .type = EV_SNAPSHOT_END, .t_ns = s, .begin_ns = s });
	apply(f, (struct event){ .type = EV_ALLOC, .t_ns = 14 * s, .start = START + 4 * PAGE,
				 .end = START + 6 * PAGE, .guard_pages = 1, .kind = KIND_VMALLOC,
				 .pid = 108, .comm_id = name(f, "insmod"), .stack_id = f->stack });
	apply(f, (struct event){ .type = EV_FREE, .t_ns = 74 * s, .start = START + 4 * PAGE,
				 .end = START + 6 * PAGE, .pid = 109,
				 .comm_id = name(f, "rmmod") });
	apply(f, (struct event){ .type = EV_ALLOC, .t_ns = 75 * s, .start = START + 16 * PAGE,
				 .end = START + 26 * PAGE, .guard_pages = 1, .kind = KIND_BPF,
				 .pid = 200, .comm_id = name(f, "vmtrace"),
				 .stack_id = f->stack, .flags = EV_F_OWN });
}

static void lose(struct fixture *f)
{
	apply(f, (struct event){ .type = EV_LOST, .t_ns = 80000000000, .count = 12,
				 .state = LOST_RING, .cpu = UINT32_MAX });
	f->facts.lost_by_cause[LOST_RING] = 12;
}

static FILE *begin(struct fixture *f)
{
	free(f->text);
	f->text = NULL;
	f->out = open_memstream(&f->text, &f->len);
	assert_non_null(f->out);
	return f->out;
}

static const char *end(struct fixture *f)
{
	fclose(f->out);
	return f->text;
}

static void test_summary(void **state)
{
	struct fixture *f = *state;

	fill(f);
	text_summary(begin(f), &f->view);
	assert_string_equal(end(f),
" vmtrace 0.1  deb12  6.1.0-50-686-pae  2 cpus                     watching 2m14s\n"
" f8000000-f8100000 1.0M: used 44K 4% guard 8.0K lazy 8.0K free 964K 94%\n"
" largest hole 920K @f801a000 (920K after purge)  frag 0.05  failed 0  lost 0\n"
"   self 40K\n");
}

static void test_summary_uncertain(void **state)
{
	struct fixture *f = *state;

	fill(f);
	lose(f);
	apply(f, (struct event){ .type = EV_FAIL, .size = PAGE, .err = -16 });
	text_summary(begin(f), &f->view);
	assert_string_equal(end(f),
" vmtrace 0.1  deb12  6.1.0-50-686-pae  2 cpus                     watching 2m14s\n"
" f8000000-f8100000 1.0M: used ~44K ~4% guard ~8.0K lazy ~8.0K free ~964K ~94%\n"
" largest hole ~920K @f801a000 (~920K after purge)  frag ~0.05  failed 1\n"
"   lost 12 (ring 12)  self ~40K\n"
" ~ uncertain: events were lost and the kernel's list was not read since\n");
}

static void test_summary_before_seed(void **state)
{
	struct fixture *f = *state;

	f->facts = (struct view_facts){ .now_ns = 1 };
	text_summary(begin(f), &f->view);
	assert_string_equal(end(f),
" vmtrace                                                            recorded 0ns\n"
" f8000000-f8100000 1.0M: used ~0 ~0% guard ~0 lazy ~0 free ~0 ~0% unknown ~1.0M\n"
" largest hole ~none (~0 after purge)  frag ~0.00  failed 0  lost 0\n"
" ~ uncertain: areas older than the trace are not known\n");
}

static void test_map(void **state)
{
	struct fixture *f = *state;

	fill(f);
	text_map(begin(f), &f->view, 4);
	assert_string_equal(end(f),
" 1 char = 4.0K   # used  % partly used  ~ lazy  . free  @ vmtrace\n"
" f8000000 ###.~~..........@@@@@@@@@@......................................   20%\n"
" f8040000 ................................................................    0%\n"
" f8080000 ................................................................    0%\n"
" f80c0000 ................................................................    0%\n");
	/* 1 row: 4 pages a cell; the first has 3 used and 1 free, the second lazy and free */
	lose(f);
	text_map(begin(f), &f->view, 1);
	assert_string_equal(end(f),
" 1 char = 16K   # used  % partly used  ~ lazy  . free  @ vmtrace\n"
" f8000000 %~..@@@.........................................................   ~5%\n");
}

static void test_map_unknown_and_narrow(void **state)
{
	struct fixture *f = *state;

	f->view.style.columns = 40;
	apply(f, (struct event){ .type = EV_ALLOC, .start = START, .end = START + PAGE });
	text_map(begin(f), &f->view, 1);
	assert_string_equal(end(f),
" 1 char = 44K   # used  % partly used\n"
"   ~ lazy  . free  ? unknown\n"
" f8000000 %???????????????????????  ~<1%\n");
}

static void test_color(void **state)
{
	struct fixture *f = *state;

	f->view.style.color = true;
	fill(f);
	text_map(begin(f), &f->view, 1);
	assert_non_null(strstr(end(f), " f8000000 \033[0m\033[34m%\033[0m\033[33m~\033[0m\033[2m.."
				       "\033[0m\033[35m@@@\033[0m\033[2m...."));
	assert_non_null(strstr(f->text, "\033[0m    5%\n"));
}

static void test_areas(void **state)
{
	struct fixture *f = *state;

	fill(f);
	text_areas(begin(f), &f->view);
	assert_memory_equal(end(f), " vmtrace 0.1  deb12 ", 20);
	assert_non_null(strstr(f->text, " 1 char = 4.0K "));
	assert_string_equal(strstr(f->text, " RANGE"),
" RANGE               SIZE GUARD STATE KIND        AGE OWNER, TASK\n"
" f8000000-f8003000    12K  4.0K used  vmalloc  >2m13s n_tty_open+0x16\n"
" f8004000-f8006000   8.0K  4.0K lazy  vmalloc   1m00s ring_alloc+0x41 [foo]  in>\n"
" f8010000-f801a000    40K  4.0K used  bpf       59.0s @ ring_alloc+0x41 [foo]  >\n");
	f->view.style.columns = 0;
	text_areas(begin(f), &f->view);
	assert_non_null(strstr(end(f), " @ ring_alloc+0x41 [foo]  vmtrace[200]\n"));
}

static void test_holes(void **state)
{
	struct fixture *f = *state;

	fill(f);
	text_holes(begin(f), &f->view, 2);
	assert_string_equal(end(f),
" free 964K in 3 holes, largest 920K, 920K after purge, frag 0.05\n"
"        SIZE  HOLES   BYTES (bar: log2)\n"
"       4K-8K      1    4.0K #######\n"
"      8K-16K      0       -\n"
"     16K-32K      0       -\n"
"     32K-64K      1     40K ##########################\n"
"    64K-128K      0       -\n"
"   128K-256K      0       -\n"
"   256K-512K      0       -\n"
"     512K-1M      1    920K ####################################################\n"
" HOLE                 SIZE  BELOW IT                   ABOVE IT\n"
" f801a000-f8100000    920K  40K ring_alloc+0x41 [foo]  (end of the range)\n"
" f8006000-f8010000     40K  8.0K lazy ring_alloc+0x4>  40K ring_alloc+0x41 [foo]\n");
	text_hole_histogram(begin(f), &f->view);
	assert_string_equal(end(f),
"      4K-16K      1    4.0K ##          |    64K-256K      0       -\n"
"     16K-64K      1     40K ######      |     256K-1M      1    920K ###########\n");
}

static void test_top(void **state)
{
	struct fixture *f = *state;

	fill(f);
	text_top(begin(f), &f->view, OWNERS_BY_STACK, OWNERS_SORT_BYTES, 1);
	assert_string_equal(end(f),
"   BYTES  AREAS   GUARD  OLDEST KIND       OWNER by stack, sorted by bytes\n"
"     40K      1    4.0K   59.0s bpf        @ ring_alloc+0x41 [foo]\n"
"                    vmalloc+0x6f\n"
"                    ring_alloc+0x41 [foo]\n"
"                    foo_open+0x90 [foo]\n"
"     12K      1  in 1 more\n");
}

static void print_event(struct fixture *f, struct event event)
{
	text_event(f->out, &f->view, &event, 1000000000, true);
}

static void test_events(void **state)
{
	struct fixture *f = *state;
	uint64_t t = 2002345678;

	fill(f);
	begin(f);
	print_event(f, (struct event){ .type = EV_STACK, .stack_id = f->stack });
	print_event(f, (struct event){ .type = EV_SNAPSHOT_BEGIN, .t_ns = 999999000 });
	print_event(f, (struct event){ .type = EV_AREA, .t_ns = t, .start = START,
				       .end = START + PAGE, .state = AREA_LAZY });
	print_event(f, (struct event){ .type = EV_ALLOC, .t_ns = t, .start = START,
				       .end = START + 2 * PAGE, .kind = KIND_VMALLOC, .pid = 108,
				       .comm_id = name(f, "insmod"), .stack_id = f->stack,
				       .flags = EV_F_STACK_CUT });
	print_event(f, (struct event){ .type = EV_VFREE, .t_ns = t, .start = START, .pid = 1,
				       .comm_id = name(f, "rmmod"),
				       .caller_id = name(f, "foo_exit+0x1 [foo]") });
	print_event(f, (struct event){ .type = EV_FREE, .t_ns = t, .start = START,
				       .end = START + 2 * PAGE, .pid = 1 });
	print_event(f, (struct event){ .type = EV_PURGE, .t_ns = t, .begin_ns = t - 400000,
				       .flags = EV_F_HAS_BEGIN });
	print_event(f, (struct event){ .type = EV_PURGE, .t_ns = t });
	print_event(f, (struct event){ .type = EV_FAIL, .t_ns = t, .size = 0x2001000,
				       .requested = 0x2000000, .align = 1 << 20, .err = -16,
				       .vstart = START, .vend = END, .pid = 4211,
				       .kind = KIND_MODULE });
	print_event(f, (struct event){ .type = EV_LOST, .t_ns = t, .count = 12,
				       .state = LOST_RING, .cpu = 1 });
	print_event(f, (struct event){ .type = EV_LOST, .t_ns = t, .count = 1,
				       .state = LOST_STACK, .cpu = UINT32_MAX });
	assert_string_equal(end(f),
"   -0.000001 seed  the kernel's own list begins\n"
"   +1.002345 area  f8000000-f8001000   4.0K unknown  lazy ?\n"
"   +1.002345 alloc f8000000-f8002000   8.0K vmalloc  insmod[108] ring_alloc+0x4>\n"
"                    vmalloc+0x6f\n"
"                    ring_alloc+0x41 [foo]\n"
"                    foo_open+0x90 [foo]\n"
"                    ...\n"
"   +1.002345 vfree f8000000                          rmmod[1] foo_exit+0x1 [foo]\n"
"   +1.002345 free  f8000000-f8002000   8.0K          ?[1]\n"
"   +1.002345 purge      lazy -> free        took 400us\n"
"   +1.002345 purge      lazy -> free        its begin was not seen\n"
"   +1.002345 FAIL  f8000000-f8100000  32.0M module   ?[4211] EBUSY align 1.0M a>\n"
"   +1.002345 LOST  12 (ring, cpu 1): the map is uncertain until it is re-read\n"
"   +1.002345 LOST  1 (stack): the map stays exact\n");
}

static void test_live(void **state)
{
	struct event fail = { .type = EV_FAIL, .t_ns = 93000000000, .size = 0x2001000,
			      .requested = 0x2000000, .err = -16, .vstart = START, .vend = END,
			      .pid = 4211 };
	struct fixture *f = *state;

	fill(f);
	fail.comm_id = name(f, "insmod");
	fail.stack_id = f->stack;
	apply(f, fail);
	text_live(begin(f), &f->view, &fail, "fragmented", 5);
	assert_memory_equal(end(f), "--- +2m14s  2 allocs  1 frees  0 purges ---", 43);
	assert_non_null(strstr(f->text,
" LAST FAILURE 41.0s ago: insmod[4211] asked 32M in f8000000-f8100000: EBUSY\n"
"   fragmented ring_alloc+0x41 [foo]\n"));
	text_live(begin(f), &f->view, NULL, "", 0);
	assert_null(strstr(end(f), "LAST FAILURE"));
	assert_null(strstr(f->text, "OWNER"));
}

/* 100% only when not a page is left, 0% only when none is taken. */
static void test_percent_of_almost_all(void **state)
{
	struct fixture *f = *state;

	fill(f);
	apply(f, (struct event){ .type = EV_ALLOC, .t_ns = 1, .start = START, .end = END - PAGE });
	text_summary(begin(f), &f->view);
	assert_non_null(strstr(end(f), "used ~1020K ~99% guard ~0 lazy ~0 free ~4.0K ~<1%\n"));
}

/* No line longer than the columns, no byte that a terminal would obey. */
static void check_lines(const char *text, unsigned int columns)
{
	unsigned int at = 0;

	for (; *text; text++) {
		assert_true(*text == '\n' || (*text >= ' ' && *text <= '~'));
		at = *text == '\n' ? 0 : at + 1;
		if (at > columns)
			fail_msg("longer than %u: %.*s", columns, (int)at, text - at + 1);
	}
}

static void print_all(struct fixture *f, const struct event *event)
{
	text_summary(f->out, &f->view);
	text_map(f->out, &f->view, 16);
	text_areas(f->out, &f->view);
	text_holes(f->out, &f->view, 10);
	text_top(f->out, &f->view, OWNERS_BY_STACK, OWNERS_SORT_AGE, 10);
	text_top(f->out, &f->view, OWNERS_BY_COMM, OWNERS_SORT_COUNT, 10);
	text_live(f->out, &f->view, event, "", 10);
	text_event(f->out, &f->view, event, 0, true);
}

static void test_hostile_names(void **state)
{
	struct fixture *f = *state;
	char evil[400];
	struct event fail = { .type = EV_FAIL, .t_ns = UINT64_MAX, .size = UINT32_MAX,
			      .align = 1u << 31,
			      .err = INT32_MIN, .pid = UINT32_MAX };
	uint32_t frame;

	memset(evil, 'x', sizeof(evil) - 1);
	memcpy(evil, "\033[2J\r\n\t\xff\x9b", 9);
	evil[sizeof(evil) - 1] = '\0';
	frame = name(f, evil);
	fail.stack_id = stacks_intern(f->stacks, &frame, 1, NULL);
	fail.comm_id = name(f, evil);
	f->facts.hostname = f->facts.kernel = f->facts.version = evil;
	f->facts.uptime_ns = f->facts.now_ns = UINT64_MAX;
	fill(f);
	lose(f);
	apply(f, (struct event){ .type = EV_ALLOC, .t_ns = 1, .start = END - 2 * PAGE,
				 .end = END - PAGE, .stack_id = fail.stack_id, .pid = UINT32_MAX,
				 .comm_id = frame });
	for (unsigned int columns = 80; columns <= 200; columns += 30) {
		f->view.style.columns = columns;
		print_all(f, (begin(f), &fail));
		check_lines(end(f), columns);
	}
}

static json_t *parse(struct fixture *f)
{
	json_t *object = json_loads(end(f), JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(object);
	assert_true(strchr(f->text, '\n') == f->text + f->len - 1);
	return object;
}

static json_int_t integer(json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static void test_json(void **state)
{
	struct fixture *f = *state;
	json_t *object;

	fill(f);
	lose(f);
	assert_int_equal(json_map(begin(f), &f->view), 0);
	object = parse(f);
	assert_memory_equal(f->text, "{\"vmalloc_start\":\"0xf8000000\",\"vmalloc_end\":"
			    "\"0xf8100000\",\"total_bytes\":1048576,\"used_bytes\":45056,", 93);
	assert_int_equal(integer(object, "used_bytes") + integer(object, "guard_bytes") +
			 integer(object, "lazy_bytes") + integer(object, "free_bytes") +
			 integer(object, "unknown_bytes"), integer(object, "total_bytes"));
	assert_int_equal(integer(object, "largest_hole_bytes"), 920 * 1024);
	assert_int_equal(integer(object, "areas"), 2);
	assert_int_equal(integer(object, "holes"), 3);
	assert_int_equal(integer(object, "lost_events"), 12);
	assert_true(json_is_true(json_object_get(object, "uncertain")));
	assert_int_equal(json_array_size(json_object_get(object, "areas_list")), 3);
	json_decref(object);
	assert_int_equal(json_holes(begin(f), &f->view, 2), 0);
	object = parse(f);
	assert_int_equal(json_array_size(json_object_get(object, "largest")), 2);
	json_decref(object);
	assert_int_equal(json_top(begin(f), &f->view, OWNERS_BY_STACK, OWNERS_SORT_BYTES, 1), 0);
	object = parse(f);
	assert_int_equal(integer(object, "owners_total"), 2);
	assert_int_equal(json_array_size(json_object_get(object, "owners")), 1);
	json_decref(object);
}

static void test_json_verify(void **state)
{
	struct diff diffs[] = { { DIFF_EXTRA, 0xf8000000, 0xf8001000, 0 } };
	struct compare_result result = { .areas_model = 2, .areas_kernel = 1, .extra = 1,
					 .in_flight = 4, .diffs = diffs, .nr_diffs = 1 };
	struct fixture *f = *state;

	assert_int_equal(json_verify(begin(f), &result, 7, 5, 3), 0);
	assert_string_equal(end(f),
"{\"areas_model\":2,\"areas_kernel\":1,\"missing\":0,\"extra\":1,\"mismatched\":0,"
"\"lazy_model_bytes\":0,\"lazy_kernel_bytes\":0,\"lazy_diff_bytes\":0,"
"\"lost_events\":7,\"healed\":5,\"tries\":3,\"in_flight\":4,"
"\"differences\":[{\"type\":\"extra\",\"start\":\"0xf8000000\",\"model_end\":\"0xf8001000\"}]}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_summary),
		TEST(test_summary_uncertain),
		TEST(test_summary_before_seed),
		TEST(test_map),
		TEST(test_map_unknown_and_narrow),
		TEST(test_color),
		TEST(test_areas),
		TEST(test_holes),
		TEST(test_top),
		TEST(test_events),
		TEST(test_live),
		TEST(test_percent_of_almost_all),
		TEST(test_hostile_names),
		TEST(test_json),
		TEST(test_json_verify),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
