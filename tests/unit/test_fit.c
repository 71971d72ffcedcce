// SPDX-License-Identifier: GPL-2.0-only
/* fit: its answers against a naive allocator on a bitmap, and each thing that it may depend on. */
#include "space_events.h"
#include "volume.h"

#include "allocator/fit.h"

#define MB (1u << 20)

static uint64_t rng = 0xd1342543de82ef95ull;

static uint32_t rnd(uint32_t below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 32) % below;
}

static const struct fit_kernel known = {.pmd_bytes = 2 * MB, .exact_pages = true};

static struct fit_answer ask_of(const struct space *s, const struct fit_kernel *kernel,
				enum area_kind kind, uint32_t bytes, uint32_t count)
{
	struct fit_question question = {.kind = kind, .bytes = bytes, .count = count};
	struct fit_answer answer;

	assert_int_equal(fit_ask(s, kernel, &question, &answer), 0);
	return answer;
}

/* The answer to one question, its list of addresses dropped. */
static struct fit_answer ask(const struct space *s, enum area_kind kind, uint32_t bytes)
{
	struct fit_answer answer = ask_of(s, &known, kind, bytes, 1);
	uint32_t start = answer.placed ? answer.starts[0] : 0;

	fit_release(&answer);
	answer.maybe_start = start ? start : answer.maybe_start;
	return answer;
}

static void assert_answer(struct fit_answer answer, enum attempt_answer want, uint32_t start,
			  uint32_t notes)
{
	assert_int_equal(answer.answer, want);
	assert_int_equal(answer.maybe_start, start);
	assert_int_equal(answer.notes, notes);
	assert_int_equal(fit_succeeds(&answer), want >= ATTEMPT_PURGE);
}

static struct event ev_kind(uint64_t t_ns, uint32_t first, uint32_t last, uint8_t guard,
			    enum area_kind kind)
{
	struct event event = ev_alloc(t_ns, first, last, guard);

	event.kind = (uint8_t)kind;
	return event;
}

/* ---- against a naive allocator --------------------------------------------------------------- */

/* What may be had: pages of which the first look, or the one after a purge, can make use. */
struct naive {
	bool now[PAGES];
	bool purged[PAGES];
	bool after; /* it has come to a purge */
};

static void naive_init(struct naive *n, const struct space *s)
{
	n->after = false;
	for (uint32_t page = 0; page < PAGES; page++) {
		enum page_state state = space_page(s, P(page));

		n->now[page] = state == PAGE_FREE;
		n->purged[page] = state == PAGE_FREE || state == PAGE_LAZY;
	}
}

static uint32_t lowest(const bool *pages, uint32_t count)
{
	uint32_t run = 0;

	for (uint32_t page = 0; page < PAGES; page++) {
		run = pages[page] ? run + 1 : 0;
		if (run >= count)
			return P(page + 1 - count);
	}
	return 0;
}

static enum attempt_answer naive_place(struct naive *n, uint32_t count, uint32_t *start)
{
	enum attempt_answer answer = ATTEMPT_NOW;

	*start = lowest(n->after ? n->purged : n->now, count);
	if (!*start && !n->after) {
		n->after = true;
		answer = ATTEMPT_PURGE;
		*start = lowest(n->purged, count);
	}
	if (!*start)
		return ATTEMPT_NO;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t page = (*start - START) / PAGE + i;

		n->now[page] = n->purged[page] = false;
	}
	return answer;
}

/* Without the proof after each: test_space has it, and here are many. */
static void tell(struct space *s, struct event event)
{
	assert_int_equal(space_apply(s, &event), 0);
}

/* A map of small and large areas, part of it lazy. */
static struct space *random_space(void)
{
	struct space *s;
	uint32_t most = 1 + rnd(60);

	assert_int_equal(setup_seeded((void **)&s), 0);
	for (uint32_t i = rnd(80); i > 0; i--) {
		uint32_t first = rnd(PAGES), last = first + 1 + rnd(most);

		last = last < PAGES ? last : PAGES;
		tell(s, rnd(3) ? ev_alloc(T0 - i, first, last, last - first > 1)
			       : ev_free(T0 - i, first, last));
	}
	check(s);
	return s;
}

static void compare(const struct fit_answer *answer, struct naive *n, uint32_t pages,
		    uint32_t *answers)
{
	enum attempt_answer want = ATTEMPT_NOW;
	uint32_t i;

	for (i = 0; i < answer->question.count; i++) {
		uint32_t start;
		enum attempt_answer got = naive_place(n, pages, &start);

		want = got < want ? got : want;
		if (got == ATTEMPT_NO)
			break;
		assert_true(i < answer->placed);
		assert_int_equal(answer->starts[i], start);
	}
	assert_int_equal(answer->placed, i);
	assert_int_equal(answer->answer, want);
	assert_true(answer->certain);
	answers[want]++;
}

/* vmalloc, one or several: the same verdict and the same addresses. */
static void naive_allocator(void **state)
{
	uint32_t answers[4] = {0};

	(void)state;
	for (int round = 0; round < ROUNDS(4000); round++) {
		struct space *s = random_space();
		struct naive n;

		for (int i = 0; i < 4; i++) {
			uint32_t pages = 2 + rnd(rnd(2) ? 10 : 200);
			struct fit_answer answer =
				ask_of(s, &known, KIND_VMALLOC, (pages - 1) * PAGE - rnd(PAGE),
				       rnd(2) ? 1 : 1 + rnd(9));

			naive_init(&n, s);
			compare(&answer, &n, pages, answers);
			if (answer.question.count == 1)
				assert_int_equal(answer.window.end != 0,
						 answer.answer == ATTEMPT_NO);
			fit_release(&answer);
		}
		space_free(s);
	}
	assert_int_equal(answers[ATTEMPT_PERHAPS], 0);
	assert_true(answers[ATTEMPT_NO] > ROUNDS(500) && answers[ATTEMPT_PURGE] > ROUNDS(500));
}

/* ---- what it depends on ----------------------------------------------------------------------- */

/* Nothing is known: nothing is promised. */
static void unknown(void **state)
{
	struct space *s = *state;
	struct space *bare = space_new(START, END);

	assert_answer(ask(bare, KIND_VMALLOC, PAGE), ATTEMPT_PERHAPS, START, FIT_NOTE_BLOCKS);
	apply(bare, ev_alloc(T0, 0, 10, 1));
	apply(bare, ev_free(T0 + 1, 0, 10));
	apply(bare, ev_purge(T0 + 3, T0 + 2));
	/* It fits at the bottom, for certain: nothing is lower. */
	assert_answer(ask(bare, KIND_VMALLOC, PAGE), ATTEMPT_NOW, START, 0);
	apply(bare, ev_alloc(T0 + 4, 0, 1, 0));
	apply(bare, ev_alloc(T0 + 4, 8, 20, 0));
	apply(bare, ev_alloc(T0 + 4, 5, 6, 0));
	assert_answer(ask(bare, KIND_VMALLOC, 3 * PAGE), ATTEMPT_NOW, P(1), 0);
	assert_answer(ask(bare, KIND_VMALLOC, 4 * PAGE), ATTEMPT_PERHAPS, P(20), FIT_NOTE_BLOCKS);
	assert_answer(ask(bare, KIND_VMALLOC, PAGES * PAGE), ATTEMPT_NO, 0, 0);
	assert_answer(ask(s, KIND_VMALLOC, PAGE), ATTEMPT_NOW, START, 0);
	space_free(bare);
}

/* A purge gives back vm_map_ram blocks of which no part is used any more: perhaps these. */
static void blocks(void **state)
{
	struct event block = ev_kind(T0, 0, 128, 0, KIND_VM_MAP_RAM);
	struct space *s = *state;
	struct fit_answer answer;

	block.align = 128 * PAGE;
	apply(s, block);
	apply(s, ev_alloc(T0, 128, 200, 1));
	apply(s, ev_free(T0 + 1, 128, 200));
	apply(s, ev_alloc(T0 + 2, 200, PAGES, 1));
	/* It fits after the purge in any case, but perhaps lower. */
	answer = ask(s, KIND_VMALLOC, 50 * PAGE);
	assert_answer(answer, ATTEMPT_PURGE, START, FIT_NOTE_BLOCKS);
	assert_int_equal(answer.latest, P(128));
	assert_answer(ask(s, KIND_VMALLOC, 72 * PAGE), ATTEMPT_PERHAPS, START, FIT_NOTE_BLOCKS);
	assert_answer(ask(s, KIND_VMALLOC, 200 * PAGE), ATTEMPT_NO, 0, 0);
	block.align = 0; /* not known */
	apply(s, block);
	assert_answer(ask(s, KIND_VMALLOC, 50 * PAGE), ATTEMPT_PURGE, START, FIT_NOTE_BLOCKS);
	block.align = PAGE; /* an area of its own */
	apply(s, block);
	assert_answer(ask(s, KIND_VMALLOC, 50 * PAGE), ATTEMPT_PURGE, P(128), 0);
	apply(s, ev_kind(T0 + 3, 0, 100, 0, KIND_VM_MAP_RAM)); /* no size for a block */
	assert_answer(ask(s, KIND_VMALLOC, 90 * PAGE), ATTEMPT_PURGE, P(100), 0);
	assert_answer(ask(s, KIND_VMALLOC, 100 * PAGE), ATTEMPT_NO, 0, 0);
}

/* A purge that ran while an area was freed may have taken it. */
static void maybe_free(void **state)
{
	struct space *s = *state;

	apply(s, ev_alloc(T0, 0, 50, 1));
	apply(s, ev_alloc(T0, 50, PAGES, 1));
	apply(s, ev_free(T0 + 5, 0, 50));
	assert_answer(ask(s, KIND_VMALLOC, PAGE), ATTEMPT_PURGE, START, 0);
	apply(s, ev_purge(T0 + 6, T0 + 4));
	assert_answer(ask(s, KIND_VMALLOC, PAGE), ATTEMPT_PURGE, START,
		      FIT_NOTE_BLOCKS | FIT_NOTE_PURGE);
}

/* What is uncertain once makes the next one so too, unless there cannot be room. */
static void doubt(void **state)
{
	static const struct fit_kernel old = {.pmd_bytes = 2 * MB};
	struct fit_question question = {
		.kind = KIND_VMALLOC, .bytes = 9 * PAGE, .align = PAGE, .count = 2};
	struct space *s = *state;
	struct fit_answer answer;

	apply(s, ev_alloc(T0, 0, 10, 1));
	apply(s, ev_alloc(T0, 20, 30, 1)); /* [10, 20) has no margin */
	apply(s, ev_alloc(T0, 45, PAGES, 1));
	assert_int_equal(fit_ask(s, &old, &question, &answer), 0);
	assert_int_equal(answer.answer, ATTEMPT_PERHAPS);
	assert_int_equal(answer.placed, 1);
	assert_int_equal(answer.starts[0], P(10));
	assert_true(answer.notes & FIT_NOTE_TREE);
	fit_release(&answer);
	question.bytes = 6 * PAGE;
	question.count = 9; /* more bytes than are free */
	assert_int_equal(fit_ask(s, &known, &question, &answer), 0);
	assert_int_equal(answer.answer, ATTEMPT_NO);
	assert_int_equal(answer.placed, 3);
	fit_release(&answer);
}

/* Above 4 MB vmalloc takes an array of page pointers too: 8 KB and more, and a guard page. */
static void page_array(void **state)
{
	uint32_t pages = 4096;
	struct space *s = space_new(START, START + pages * PAGE);
	struct fit_answer answer;

	(void)state;
	snapshot(s, T0 - LONG, NULL, 0);
	apply(s, ev_alloc(T0, 0, pages - 1102, 1));
	answer = ask(s, KIND_VMALLOC, 1024 * PAGE);
	assert_int_equal(answer.array_bytes, 0);
	assert_answer(answer, ATTEMPT_NOW, P(pages - 1102), 0);
	answer = ask(s, KIND_VMALLOC, 1025 * PAGE);
	assert_int_equal(answer.array_bytes, 4100);
	assert_answer(answer, ATTEMPT_NOW, P(pages - 1102), 0);
	/* 1099 pages and a guard page leave two, and three are needed. */
	answer = ask(s, KIND_VMALLOC, 1099 * PAGE);
	assert_answer(answer, ATTEMPT_NO, 0, FIT_NOTE_ARRAY);
	assert_int_equal(answer.window.end - answer.window.start, 1103 * PAGE);
	assert_answer(ask(s, KIND_VMALLOC, 1098 * PAGE), ATTEMPT_NOW, P(pages - 1102), 0);
	assert_answer(ask(s, KIND_VMAP, 1101 * PAGE), ATTEMPT_NOW, P(pages - 1102), 0);
	/* The array of the one that fits has its place too: no second one. */
	answer = ask_of(s, &known, KIND_VMALLOC, 1025 * PAGE, 2);
	assert_int_equal(answer.answer, ATTEMPT_NO);
	assert_int_equal(answer.placed, 1);
	fit_release(&answer);
	space_free(s);
}

/* Where the module range begins is told by what asks for it; until then both ends must agree. */
static void module_start(void **state)
{
	struct space *s = *state;
	struct event event = ev_kind(T0 + 1, 600, 610, 1, KIND_MODULE);

	apply(s, ev_alloc(T0, 0, 10, 1));
	assert_answer(ask(s, KIND_MODULE, PAGE), ATTEMPT_PERHAPS, P(10), FIT_NOTE_MODULE_START);
	apply(s, ev_kind(T0, 500, 510, 1, KIND_MODULE)); /* it begins at page 500 at the latest */
	assert_answer(ask(s, KIND_MODULE, PAGE), ATTEMPT_NOW, P(10), FIT_NOTE_MODULE_START);
	event.vstart = P(400);
	event.vend = END;
	apply(s, event);
	assert_int_equal(space_module_start(s), P(400));
	assert_answer(ask(s, KIND_MODULE, PAGE), ATTEMPT_NOW, P(400), 0);
	assert_answer(ask(s, KIND_VMALLOC, PAGE), ATTEMPT_NOW, P(10), 0);
	event = ev_kind(T0 + 2, 700, 710, 1, KIND_BPF); /* not from module_alloc */
	event.vstart = START;
	apply(s, event);
	event = ev_kind(T0 + 2, 720, 730, 1, KIND_VMALLOC);
	event.vstart = P(20);
	apply(s, event);
	assert_int_equal(space_module_start(s), P(400));
	event = (struct event){.type = EV_FAIL, .t_ns = T0 + 3, .kind = KIND_BPF, .vstart = P(30)};
	apply(s, event);
	assert_int_equal(space_module_start(s), P(30));
}

/* PAE or not matters to a large ioremap only. */
static void pmd(void **state)
{
	static const struct fit_kernel nothing = {.exact_pages = true};
	uint32_t start = 0xf8200000u;
	struct space *s = space_new(start, start + 16 * MB);
	struct event area = {.type = EV_AREA, .t_ns = T0 + LONG, .state = AREA_USED};
	struct fit_answer answer;

	(void)state;
	snapshot(s, T0 - LONG, NULL, 0);
	answer = ask_of(s, &nothing, KIND_IOREMAP, 2 * MB, 1);
	assert_answer(answer, ATTEMPT_NOW, 0, 0);
	fit_release(&answer);
	answer = ask_of(s, &nothing, KIND_IOREMAP, 3 * MB, 1);
	assert_answer(answer, ATTEMPT_NOW, 0, FIT_NOTE_PMD);
	assert_false(answer.certain);
	fit_release(&answer);
	answer = ask_of(s, &nothing, KIND_IOREMAP, 15 * MB, 1);
	assert_int_equal(answer.answer, ATTEMPT_PERHAPS);
	assert_int_equal(answer.maybe_start, start);
	fit_release(&answer);
	assert_int_equal(fit_learn_pmd(s), 0);
	area.start = start;
	area.end = start + 3 * MB;
	area.kind = KIND_IOREMAP;
	apply(s, ev_mark(EV_SNAPSHOT_BEGIN, T0 + LONG, T0 + LONG));
	apply(s, area);
	apply(s, ev_mark(EV_SNAPSHOT_END, T0 + LONG, T0 + LONG));
	assert_int_equal(fit_learn_pmd(s), 2 * MB); /* 3 MB, and not aligned to 4 MB */
	answer = ask_of(s, &nothing, KIND_IOREMAP, 3 * MB, 1);
	assert_answer(answer, ATTEMPT_NOW, 0, 0);
	assert_int_equal(answer.starts[0], start + 4 * MB);
	fit_release(&answer);
	space_free(s);
}

static void learn_pmd(void **state)
{
	struct space *s = space_new(0xf8000000u, 0xf9000000u);
	struct event event = {.type = EV_ALLOC,
			      .t_ns = T0,
			      .start = 0xf8800000u,
			      .end = 0xf8b01000u,
			      .guard_pages = 1,
			      .kind = KIND_IOREMAP};

	(void)state;
	snapshot(s, T0 - LONG, NULL, 0);
	apply(s, event);
	assert_int_equal(fit_learn_pmd(s), 0); /* where it lies may be by chance */
	event.align = 4 * MB;
	apply(s, event);
	assert_int_equal(fit_learn_pmd(s), 4 * MB);
	space_free(s);
}

/* vmtrace's own areas go when it ends, and are purged then. */
static void own(void **state)
{
	struct space *s = *state;
	struct event event = ev_kind(T0, 10, 100, 1, KIND_BPF);

	event.flags = EV_F_OWN;
	apply(s, ev_alloc(T0, 0, 10, 1));
	apply(s, event);
	apply(s, ev_alloc(T0, 110, PAGES, 1));
	assert_answer(ask(s, KIND_VMALLOC, 20 * PAGE), ATTEMPT_NO, 0, FIT_NOTE_OWN);
	assert_answer(ask(s, KIND_VMALLOC, 99 * PAGE), ATTEMPT_NO, 0, FIT_NOTE_OWN);
	assert_answer(ask(s, KIND_VMALLOC, 100 * PAGE), ATTEMPT_NO, 0, 0);
}

static void windows(void **state)
{
	struct space *s = *state;
	struct fit_answer answer;

	apply(s, ev_alloc(T0, 0, 100, 1));
	apply(s, ev_alloc(T0, 150, 153, 1));
	apply(s, ev_alloc(T0, 200, PAGES, 1));
	answer = ask(s, KIND_VMALLOC, 99 * PAGE);
	assert_answer(answer, ATTEMPT_NO, 0, 0);
	assert_int_equal(answer.window.start, P(100));
	assert_int_equal(answer.window.live_bytes, 3 * PAGE);
	assert_int_equal(answer.window.areas, 1);
	/* The second of two must not lie where the first one is. */
	answer = ask_of(s, &known, KIND_VMALLOC, 46 * PAGE, 3);
	assert_int_equal(answer.placed, 2);
	assert_true(answer.window.start >= P(153 + 47) || answer.window.end <= P(100));
	fit_release(&answer);
	/* Larger than all there is: no window at all. */
	answer = ask(s, KIND_VMALLOC, PAGES * PAGE);
	assert_answer(answer, ATTEMPT_NO, 0, 0);
	assert_int_equal(answer.window.end, 0);
}

static void no_question(void **state)
{
	static const struct {
		struct fit_question question;
		int err;
	} cases[] = {
		{{.kind = KIND_VMALLOC, .bytes = 0, .count = 1}, -EINVAL},
		{{.kind = KIND_VMALLOC, .bytes = PAGE, .count = 0}, -EINVAL},
		{{.kind = KIND_VMALLOC, .bytes = PAGE, .count = 1, .align = 3}, -EINVAL},
		{{.kind = KIND_VMALLOC, .bytes = UINT32_MAX, .count = 1}, -EINVAL},
		{{.kind = KIND_UNKNOWN, .bytes = PAGE, .count = 1}, -EINVAL},
		{{.kind = KIND_EARLY, .bytes = PAGE, .count = 1}, -EINVAL},
		{{.kind = KIND_COUNT, .bytes = PAGE, .count = 1}, -EINVAL},
		{{.kind = KIND_VM_MAP_RAM, .bytes = 32 * PAGE, .count = 1}, -EDOM},
		{{.kind = KIND_VM_MAP_RAM, .bytes = 32 * PAGE + 1, .count = 1}, 0},
		{{.kind = KIND_PERCPU, .bytes = PAGE, .count = 1}, 0},
		{{.kind = KIND_VMALLOC, .bytes = 0x80000000u, .count = 1000000}, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fit_answer answer;

		assert_int_equal(fit_ask(*state, &known, &cases[i].question, &answer),
				 cases[i].err);
		fit_release(&answer);
	}
}

/* A percpu chunk comes from the top. */
static void top_down(void **state)
{
	struct space *s = *state;

	apply(s, ev_alloc(T0, 1000, PAGES, 1));
	assert_answer(ask(s, KIND_PERCPU, 10 * PAGE), ATTEMPT_NOW, P(990), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_seeded, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(naive_allocator),
		TEST(unknown),
		TEST(blocks),
		TEST(maybe_free),
		TEST(doubt),
		cmocka_unit_test(page_array),
		TEST(module_start),
		cmocka_unit_test(pmd),
		cmocka_unit_test(learn_pmd),
		TEST(own),
		TEST(windows),
		TEST(no_question),
		TEST(top_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
