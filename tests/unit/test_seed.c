// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/seed.h"

#define START 0xf7800000u
#define END   0xff000000u
#define PAGE  VMT_PAGE_SIZE
#define P(n)  (START + (n)*PAGE)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The event of one line of /proc/vmallocinfo. */
static struct event classify(const char *text)
{
	struct vmallocinfo info;
	struct event area;

	assert_int_equal(vmallocinfo_parse(text, strlen(text), START, END, &info), 0);
	assert_int_equal(info.count, 1);
	memset(&area, 0xa5, sizeof(area));
	seed_classify(&info, &info.lines[0], &area);
	vmallocinfo_release(&info);
	assert_int_equal(area.type, EV_AREA);
	return area;
}

/* Kind, state and guard pages of a line of each sort. */
static void every_kind(void **state)
{
	static const struct {
		const char *text; /* what follows the range */
		uint8_t pages;	  /* of the range */
		uint8_t kind, area_state, guard;
	} want[] = {
		{"n_tty_open+0x16/0xc0 pages=1 vmalloc", 2, KIND_VMALLOC, AREA_USED, 1},
		{"n_tty_open+0x16/0xc0 pages=1 vmalloc", 1, KIND_VMALLOC, AREA_USED, 0},
		{"foo+0x1/0x2 [foo] pages=4 vmalloc vpages N0=4", 5, KIND_VMALLOC, AREA_USED, 1},
		{"drm_map+0x1/0x20 vmap", 4, KIND_VMAP, AREA_USED, 1},
		{"0xc1234567 sparse", 4, KIND_VMAP, AREA_USED, 1},
		{"hpet_enable+0x2b/0x2a4 phys=0xfed00000 ioremap", 2, KIND_IOREMAP, AREA_USED, 1},
		{"ioremap", 2, KIND_IOREMAP, AREA_USED, 1},
		{"bpf_x+0x1/0x2 phys=0xfed00000 ioremap", 2, KIND_IOREMAP, AREA_USED, 1},
		{"move_module+0x14/0x160 pages=7 vmalloc", 8, KIND_MODULE, AREA_USED, 1},
		{"module_alloc+0x14/0x160 pages=7 vmalloc", 8, KIND_MODULE, AREA_USED, 1},
		{"bpf_prog_alloc_no_stats+0x2c/0x100 pages=1 vmalloc", 2, KIND_BPF, AREA_USED, 1},
		{"bpf_map_area_alloc+0x2c/0x60 pages=1 vmalloc user", 2, KIND_BPF, AREA_USED, 1},
		{"bpf_prog_load+0x2c/0x60 [foo] pages=1 vmalloc", 2, KIND_VMALLOC, AREA_USED, 1},
		{"pcpu_get_vm_areas+0x0/0x7a0 vmalloc", 16, KIND_PERCPU, AREA_USED, 0},
		{"vm_map_ram", 64, KIND_VM_MAP_RAM, AREA_USED, 0},
		{"foo_init+0x1/0x2 [foo] pages=15 vmalloc user", 16, KIND_USER, AREA_USED, 1},
		{"vmalloc_user+0x1/0x2 pages=15 vmalloc user", 16, KIND_USER, AREA_USED, 1},
		{"foo+0x1/0x20 phys=0xfed00000 dma-coherent", 2, KIND_DMA_COHERENT, AREA_USED, 1},
		{"unpurged vm_area", 8, KIND_UNKNOWN, AREA_LAZY, 0},
		{"", 2, KIND_EARLY, AREA_USED, 0},
		{"start_kernel+0x1/0x2", 2, KIND_UNKNOWN, AREA_USED, 1},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		struct event area;

		snprintf(text, sizeof(text), "0x%08x-0x%08x %7u%s%s\n", P(5), P(5 + want[i].pages),
			 want[i].pages * PAGE, want[i].text[0] ? " " : "", want[i].text);
		area = classify(text);
		if (area.kind != want[i].kind || area.state != want[i].area_state ||
		    area.guard_pages != want[i].guard)
			fail_msg("'%s': kind %u state %u guard %u", want[i].text, area.kind,
				 area.state, area.guard_pages);
		assert_int_equal(area.start, P(5));
		assert_int_equal(area.end, P(5 + want[i].pages));
	}
}

/* All other members are set: 0, or what the line tells. */
static void other_members(void **state)
{
	struct event want = {
		.type = EV_AREA,
		.kind = KIND_VMALLOC,
		.state = AREA_USED,
		.guard_pages = 1,
		.start = P(0),
		.end = P(3),
		.nr_pages = 2,
	};
	struct event area =
		classify("0xf7800000-0xf7803000   12288 foo+0x1/0x2 pages=2 vmalloc N0=2\n");

	(void)state;
	assert_memory_equal(&area, &want, sizeof(want));
}

#define LIST(...)                                                     \
	(struct seed)                                                 \
	{                                                             \
		.areas = (struct event[]){__VA_ARGS__},               \
		.count = ARRAY_SIZE(((struct event[]){__VA_ARGS__})), \
	}

static struct event line(uint8_t area_state, uint32_t first, uint32_t last)
{
	return (struct event){
		.type = EV_AREA, .state = area_state, .start = P(first), .end = P(last)};
}

#define USED(first, last) line(AREA_USED, first, last)
#define LAZY(first, last) line(AREA_LAZY, first, last)

/* The largest hole below, between and above the areas; what is lazy can be purged for it. */
static void largest_hole(void **state)
{
	struct seed seed = LIST(USED(10, 20), LAZY(25, 30), USED(33, 40));
	struct seed inside = LIST(USED(0, 10), USED(2, 5), USED(12, 20));
	struct seed empty = {0};

	(void)state;
	assert_int_equal(seed_largest_hole(&empty, P(0), P(50)), 50 * PAGE);
	assert_int_equal(seed_largest_hole(&seed, P(0), P(44)), 13 * PAGE);
	assert_int_equal(seed_largest_hole(&seed, P(8), P(44)), 13 * PAGE);
	assert_int_equal(seed_largest_hole(&seed, P(8), P(60)), 20 * PAGE);
	assert_int_equal(seed_largest_hole(&seed, P(10), P(40)), 13 * PAGE);
	/* one line of a union lies in another: what is behind it is no hole */
	assert_int_equal(seed_largest_hole(&inside, P(0), P(20)), 2 * PAGE);
	seed = LIST(USED(0, 40));
	assert_int_equal(seed_largest_hole(&seed, P(0), P(40)), 0);
}

/* Areas above the range asked for do not make a hole in it larger. */
static void largest_hole_of_a_part(void **state)
{
	struct seed seed = LIST(USED(0, 10), USED(40, 50));

	(void)state;
	assert_int_equal(seed_largest_hole(&seed, P(0), P(20)), 10 * PAGE);
}

/* The same areas in the same states; kind and caller do not matter. */
static void same(void **state)
{
	struct seed a = LIST(USED(0, 5), LAZY(5, 9)), b = LIST(USED(0, 5), LAZY(5, 9));
	struct seed other_state = LIST(USED(0, 5), USED(5, 9));
	struct seed other_end = LIST(USED(0, 5), LAZY(5, 8));
	struct seed other_start = LIST(USED(0, 5), LAZY(6, 9));
	struct seed shorter = LIST(USED(0, 5));
	struct seed empty = {0};

	(void)state;
	b.areas[0].kind = KIND_BPF;
	b.areas[1].caller_id = 5;
	assert_true(seed_same(&a, &b));
	assert_true(seed_same(&empty, &empty));
	assert_false(seed_same(&a, &other_state));
	assert_false(seed_same(&a, &other_end));
	assert_false(seed_same(&a, &other_start));
	assert_false(seed_same(&a, &shorter));
	assert_false(seed_same(&shorter, &a));
	assert_false(seed_same(&empty, &a));
}

/* Exactly this range, and used. */
static void has(void **state)
{
	struct seed seed = LIST(USED(0, 5), LAZY(5, 9), USED(5, 8));

	(void)state;
	assert_true(seed_has(&seed, P(0), P(5)));
	assert_true(seed_has(&seed, P(5), P(8)));
	assert_false(seed_has(&seed, P(5), P(9)));
	assert_false(seed_has(&seed, P(0), P(4)));
	assert_false(seed_has(&seed, P(1), P(5)));
}

struct taken {
	struct event events[8];
	uint32_t count;
	uint32_t fail_at; /* the sink refuses this one, UINT32_MAX = none */
};

static int take(void *context, const struct event *event)
{
	struct taken *taken = context;

	if (taken->count == taken->fail_at)
		return -EPIPE;
	taken->events[taken->count++] = *event;
	return 0;
}

/* One snapshot: begin, the areas as they are, end; a refusal of the sink ends it. */
static void emit(void **state)
{
	struct seed seed = LIST(USED(0, 5), LAZY(5, 9));
	struct taken taken = {.fail_at = UINT32_MAX};
	struct sink sink = {.event = take, .context = &taken};

	(void)state;
	seed.begin_ns = 100;
	seed.end_ns = 200;
	assert_int_equal(seed_emit(&seed, &sink), 0);
	assert_int_equal(taken.count, 4);
	assert_int_equal(taken.events[0].type, EV_SNAPSHOT_BEGIN);
	assert_int_equal(taken.events[0].begin_ns, 100);
	assert_memory_equal(&taken.events[1], &seed.areas[0], sizeof(struct event));
	assert_memory_equal(&taken.events[2], &seed.areas[1], sizeof(struct event));
	assert_int_equal(taken.events[3].type, EV_SNAPSHOT_END);
	assert_int_equal(taken.events[3].begin_ns, 100);
	assert_int_equal(taken.events[3].t_ns, 200);
	for (uint32_t i = 0; i < 4; i++) {
		taken = (struct taken){.fail_at = i};
		assert_int_equal(seed_emit(&seed, &sink), -EPIPE);
		assert_int_equal(taken.count, i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind),	cmocka_unit_test(other_members),
		cmocka_unit_test(largest_hole), cmocka_unit_test(largest_hole_of_a_part),
		cmocka_unit_test(same),		cmocka_unit_test(has),
		cmocka_unit_test(emit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
