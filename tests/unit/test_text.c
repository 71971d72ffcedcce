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
	f->view = (struct view){ f->space, f->names, f->stacks, &f->facts, { 80, false }, NULL, NULL, NULL };
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
" f8000000-f8100000 1.0M: used 44K 4% guard 8.0K 1% lazy 8.0K free 964K 94%\n"
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
" f8000000-f8100000 1.0M: used ~44K ~4% guard ~8.0K ~1% lazy ~8.0K\n"
"   free ~964K ~94%\n"
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
" HOLE                 SIZE NEIGHBOURS\n"
" f801a000-f8100000    920K below    40K @ ring_alloc+0x41 [foo]  vmtrace[200]\n"
"                           above (end of the range)\n"
" f8006000-f8010000     40K below   8.0K lazy ring_alloc+0x41 [foo]  insmod[108]\n"
"                           above    40K @ ring_alloc+0x41 [foo]  vmtrace[200]\n"
" 1 more hole, 4.0K in all: --top=0 shows every hole\n"
" a purge would free 8.0K, but make no larger hole\n"
" no trend yet: --duration=TIME watches for longer\n");
	text_hole_histogram(begin(f), &f->view);
	assert_string_equal(end(f),
"      4K-16K      1    4.0K ##          |    64K-256K      0       -\n"
"     16K-64K      1     40K ######      |     256K-1M      1    920K ###########\n");
}

/* The purge joins what lies on both sides of the lazy area. */
static void test_holes_after_purge(void **state)
{
	struct fixture *f = *state;
	uint64_t s = 1000000000;

	fill(f);
	apply(f, (struct event){ .type = EV_ALLOC, .t_ns = 80 * s, .start = START + 26 * PAGE,
				 .end = END - 8 * PAGE, .guard_pages = 1, .kind = KIND_VMALLOC,
				 .pid = 7, .comm_id = name(f, "x"), .stack_id = f->stack });
	f->facts.live = false;
	text_holes(begin(f), &f->view, UINT32_MAX);
	assert_non_null(strstr(end(f),
" f8003000-f8004000    4.0K below    12K n_tty_open+0x16\n"
"                           above   8.0K lazy ring_alloc+0x41 [foo]  insmod[108]\n"
" a purge would free 8.0K, and the largest hole would be\n"
" f8003000-f8010000     52K below    12K n_tty_open+0x16\n"
"                           above    40K @ ring_alloc+0x41 [foo]  vmtrace[200]\n"
" no trend: too few events after the first snapshot\n"));
	assert_null(strstr(f->text, "--top=0"));
	apply(f, (struct event){ .type = EV_PURGE, .t_ns = 90 * s, .begin_ns = 89 * s,
				 .flags = EV_F_HAS_BEGIN });
	text_holes(begin(f), &f->view, 1);
	assert_non_null(strstr(end(f), " a purge would free 0: nothing is lazy\n"));
}

/* A space of which a page is lost every minute for two hours, with a failure at the end. */
static void watch(struct fixture *f, struct trend *trend)
{
	uint64_t s = 1000000000;

	f->view.trend = trend;
	fill(f);
	for (uint32_t i = 0; i <= 120; i++) {
		struct event event = { .type = EV_ALLOC, .t_ns = 75 * s + i * 60 * s,
				       .start = START + (30 + i) * PAGE, .kind = KIND_PERCPU };

		event.end = event.start + PAGE;
		trend_before(trend, f->space, &event);
		apply(f, event);
		event = (struct event){ .type = EV_FAIL, .t_ns = event.t_ns + 1, .size = PAGE };
		if (i < 119)
			continue;
		trend_before(trend, f->space, &event);
		apply(f, event);
	}
}

static void test_trend(void **state)
{
	struct trend *trend = trend_new();
	struct fixture *f = *state;

	watch(f, trend);
	text_trend(begin(f), &f->view);
	assert_string_equal(end(f),
" TREND in steps of 1m42s          ------ LARGEST HOLE ----\n"
"    UNTIL    USED    LAZY    FREE  AT END  LOWEST  PURGED FAILED (bar: AT END)\n"
"   10m14s     88K    8.0K    920K    860K    860K    860K      0 ##############\n"
"   20m28s    128K    8.0K    880K    820K    820K    820K      0 #############\n"
"   30m43s    168K    8.0K    840K    780K    780K    780K      0 ############\n"
"   40m57s    208K    8.0K    800K    740K    740K    740K      0 ############\n"
"   51m12s    252K    8.0K    756K    696K    696K    696K      0 ###########\n"
"    1h01m    292K    8.0K    716K    656K    656K    656K      0 ##########\n"
"    1h11m    332K    8.0K    676K    616K    616K    616K      0 ##########\n"
"    1h21m    372K    8.0K    636K    576K    576K    576K      0 #########\n"
"    1h32m    416K    8.0K    592K    532K    532K    532K      0 ########\n"
"    1h42m    456K    8.0K    552K    492K    492K    492K      0 ########\n"
"    1h52m    496K    8.0K    512K    452K    452K    452K      0 #######\n"
"    2h00m    528K    8.0K    480K    420K    420K    420K      2 ######\n"
" largest hole: first 920K, lowest 420K, last 420K; slope -240.2K/h\n");
	text_summary(begin(f), &f->view);
	assert_non_null(strstr(end(f), "  trend: largest hole -240.2K/h\n"));
	trend_free(trend);
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

/* What it costs: an area of one page is half guard; of 5,000 bytes in two pages 3,192 are waste. */
static void test_top_cost(void **state)
{
	struct fixture *f = *state;
	struct event small = { .type = EV_ALLOC, .start = START + 30 * PAGE,
			       .end = START + 33 * PAGE, .guard_pages = 1, .kind = KIND_VMALLOC,
			       .stack_id = f->stack, .requested = 5000 };

	fill(f);
	apply(f, small);
	small.start += 3 * PAGE;
	small.end += 2 * PAGE;
	small.requested = 96;
	apply(f, small);
	text_top(begin(f), &f->view, OWNERS_BY_CALLER, OWNERS_SORT_WASTE, 1);
	assert_string_equal(end(f),
"   BYTES  AREAS   GUARD    %   WASTE KIND       OWNER by caller, sorted by waste\n"
"     60K      3     12K  20%   7.0K+ -          ring_alloc+0x41 [foo]\n"
"     12K      1    4.0K  33%       - in 1 more\n"
" guard 16K: 2% of the space, behind 4 of 4 areas\n"
" one-page areas cost double: 4.0K of payload in 8.0K, 1 of them\n"
" rounding waste 7.0K in 2 areas; of 2 others it is not known\n");
	lose(f);
	text_waste(begin(f), &f->view);
	assert_string_equal(end(f),
" guard ~16K: ~2% of the space, behind ~4 of ~4 areas\n"
" one-page areas cost double: ~4.0K of payload in ~8.0K, ~1 of them\n"
" rounding waste ~7.0K in ~2 areas; of ~2 others it is not known\n");
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
	print_event(f, (struct event){ .type = EV_TIME, .t_ns = 1 });
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
	text_top(f->out, &f->view, OWNERS_BY_CALLER, OWNERS_SORT_GUARD, 1);
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
	struct trend *trend = trend_new();
	uint32_t frame;

	memset(evil, 'x', sizeof(evil) - 1);
	memcpy(evil, "\033[2J\r\n\t\xff\x9b", 9);
	evil[sizeof(evil) - 1] = '\0';
	frame = name(f, evil);
	fail.stack_id = stacks_intern(f->stacks, &frame, 1, NULL);
	fail.comm_id = name(f, evil);
	f->facts.hostname = f->facts.kernel = f->facts.version = evil;
	f->facts.uptime_ns = f->facts.now_ns = UINT64_MAX;
	watch(f, trend);
	lose(f);
	apply(f, (struct event){ .type = EV_ALLOC, .t_ns = 1, .start = END - 2 * PAGE,
				 .end = END - PAGE, .stack_id = fail.stack_id, .pid = UINT32_MAX,
				 .comm_id = frame });
	for (unsigned int columns = 80; columns <= 200; columns += 30) {
		f->view.style.columns = columns;
		print_all(f, (begin(f), &fail));
		check_lines(end(f), columns);
	}
	trend_free(trend);
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
	assert_int_equal(json_array_size(json_object_get(object, "holes_list")), 2);
	assert_int_equal(json_array_size(json_object_get(object, "trend")), 0);
	assert_true(json_is_null(json_object_get(object, "largest_hole_slope_bytes_per_hour")));
	json_decref(object);
	assert_int_equal(json_top(begin(f), &f->view, OWNERS_BY_STACK, OWNERS_SORT_BYTES, 1), 0);
	object = parse(f);
	assert_int_equal(integer(object, "owners_total"), 2);
	assert_int_equal(json_array_size(json_object_get(object, "owners")), 1);
	json_decref(object);
}

static void test_json_trend(void **state)
{
	struct trend *trend = trend_new();
	struct fixture *f = *state;
	json_t *object, *steps, *step;

	watch(f, trend);
	assert_int_equal(json_holes(begin(f), &f->view, UINT32_MAX), 0);
	object = parse(f);
	steps = json_object_get(object, "trend");
	assert_int_equal(integer(object, "trend_start_ns"), 75000000000);
	assert_int_equal(integer(object, "trend_step_ns"), 102400000000);
	assert_int_equal(json_array_size(steps), 71);
	step = json_array_get(steps, 70);
	assert_int_equal(integer(step, "t"), 75000000000 + 7200000000001);
	assert_int_equal(integer(step, "largest_hole_bytes"), 420 * 1024);
	assert_int_equal(integer(step, "largest_hole_bytes_max"), 424 * 1024);
	assert_int_equal(integer(step, "free_bytes") + integer(step, "used_bytes") +
			 integer(step, "lazy_bytes") + 8192, END - START);
	assert_int_equal(integer(step, "failed"), 1);
	assert_true(json_is_false(json_object_get(step, "uncertain")));
	assert_int_equal(integer(object, "largest_hole_slope_bytes_per_hour"), -245959);
	json_decref(object);
	trend_free(trend);
}

static void test_json_verify(void **state)
{
	struct diff diffs[] = { { DIFF_EXTRA, 0xf8000000, 0xf8001000, 0 } };
	struct compare_result result = { .areas_model = 2, .areas_kernel = 1, .extra = 1,
					 .in_flight = 4, .diffs = diffs, .nr_diffs = 1 };
	struct space_counters counters = { .allocs = 20, .frees = 18, .purges = 3, .fails = 1,
					   .lost = 7, .healed_frees = 1, .healed_allocs = 2,
					   .repaired = 2, .lazy_settled = 8 };
	struct fixture *f = *state;

	assert_int_equal(json_verify(begin(f), &result, &counters, 3, 6), 0);
	assert_string_equal(end(f),
"{\"areas_model\":2,\"areas_kernel\":1,\"missing\":0,\"extra\":1,\"mismatched\":0,"
"\"lazy_model_bytes\":0,\"lazy_kernel_bytes\":0,\"lazy_diff_bytes\":0,"
"\"allocations\":20,\"frees\":18,\"purges\":3,\"failed\":1,"
"\"lost_events\":7,\"healed\":5,\"repaired\":2,\"lazy_settled\":8,\"reconciles\":6,\"tries\":3,\"in_flight\":4,"
"\"differences\":[{\"type\":\"extra\",\"start\":\"0xf8000000\",\"model_end\":\"0xf8001000\"}]}\n");
}

/* Under load the list and the map have other numbers of areas, and yet nothing differs. */
static void test_verify(void **state)
{
	struct compare_result result = { .areas_model = 664, .areas_kernel = 777, .in_flight = 113,
					 .lazy_model_bytes = 8192, .lazy_kernel_bytes = 12288 };
	struct space_counters counters = { .lost = 7 };
	struct fixture *f = *state;

	text_verify(begin(f), &result, &counters, 5);
	assert_string_equal(end(f),
"verify: 0 missing, 0 extra, 0 mismatched\n"
"  777 areas in the kernel's list, 664 in the map; 113 places changed\n"
"  while the list was read: not counted as a difference\n"
"  lazy: 12 KiB in the kernel's list, 8 in the map, 0 differ\n"
"  7 lost, 5 healed\n");
	result.in_flight = 0;
	result.areas_kernel = 664;
	text_verify(begin(f), &result, &counters, 5);
	assert_non_null(strstr(end(f), "  664 areas in the kernel's list, 664 in the map\n  lazy: "));
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
		TEST(test_holes_after_purge),
		TEST(test_trend),
		TEST(test_top),
		TEST(test_top_cost),
		TEST(test_events),
		TEST(test_live),
		TEST(test_percent_of_almost_all),
		TEST(test_hostile_names),
		TEST(test_json),
		TEST(test_json_trend),
		TEST(test_json_verify),
		TEST(test_verify),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
