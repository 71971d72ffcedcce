// SPDX-License-Identifier: GPL-2.0-only
/* The evidence: what is counted, in which group, and what is not. */
#include "space_events.h"

#include "space/leaks.h"

#define S 1000000000ull

struct fixture {
	struct space *space;
	struct names *names;
	struct stacks *stacks;
	struct leaks *leaks;
	struct leaks_report report;
	uint32_t good, bad, loader; /* stacks */
};

static uint32_t stack(struct fixture *f, const char *inner, const char *outer)
{
	uint32_t frames[3] = {names_intern_str(f->names, "vmalloc+0x6f"),
			      names_intern_str(f->names, inner), names_intern_str(f->names, outer)};

	return stacks_intern(f->stacks, frames, 3, NULL);
}

static int begin_by(void **state, enum owners_by by, uint64_t since_ns)
{
	struct leaks_options options = {.by = by, .since_ns = since_ns};
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	f->space = space_new(START, END);
	f->names = names_new();
	f->stacks = stacks_new();
	f->leaks = leaks_new(f->names, f->stacks, &options);
	f->good = stack(f, "get+0x1 [foo]", "good+0x2 [foo]");
	f->bad = stack(f, "get+0x1 [foo]", "bad+0x3 [foo]");
	f->loader = stack(f, "load_module+0x1", "init_module+0x1");
	return f->leaks ? 0 : -1;
}

static int begin(void **state)
{
	return begin_by(state, OWNERS_BY_STACK, 0);
}

static int begin_by_module(void **state)
{
	return begin_by(state, OWNERS_BY_MODULE, 0);
}

static int begin_since(void **state)
{
	return begin_by(state, OWNERS_BY_STACK, 100 * S);
}

static int end(void **state)
{
	struct fixture *f = *state;

	leaks_report_release(&f->report);
	leaks_free(f->leaks);
	leaks_free(NULL);
	stacks_free(f->stacks);
	names_free(f->names);
	space_free(f->space);
	free(f);
	return 0;
}

/* As a session does, refused events too. */
static void pass(struct fixture *f, struct event event)
{
	assert_int_equal(leaks_before(f->leaks, f->space, &event), 0);
	space_apply(f->space, &event);
	check(f->space);
	assert_int_equal(leaks_after(f->leaks, f->space, &event), 0);
}

static void list(struct fixture *f, uint64_t t_ns, const struct event *areas, size_t count)
{
	pass(f, ev_mark(EV_SNAPSHOT_BEGIN, t_ns, t_ns));
	for (size_t i = 0; i < count; i++) {
		struct event area = areas[i];

		area.t_ns = t_ns;
		pass(f, area);
	}
	pass(f, ev_mark(EV_SNAPSHOT_END, t_ns, t_ns));
}

static void born(struct fixture *f, uint64_t t_ns, uint32_t page, uint32_t stack_id)
{
	struct event event = ev_alloc(t_ns, page, page + 2, 1);

	event.stack_id = stack_id;
	pass(f, event);
}

static void report(struct fixture *f, uint64_t older_ns, uint32_t min_bytes)
{
	struct leaks_filter filter = { older_ns, min_bytes, NULL };

	leaks_report_release(&f->report);
	assert_int_equal(leaks_report(f->leaks, f->space, 0, &filter, &f->report), 0);
}

/* As it is live. */
static void report_at(struct fixture *f, uint64_t now_ns)
{
	struct leaks_filter filter = { 0, 0, NULL };

	leaks_report_release(&f->report);
	assert_int_equal(leaks_report(f->leaks, f->space, now_ns, &filter, &f->report), 0);
}

static const struct leak_suspect *of_stack(struct fixture *f, uint32_t stack_id)
{
	for (uint32_t i = 0; i < f->report.count; i++) {
		if (f->report.list[i].stack_id == stack_id)
			return &f->report.list[i];
	}
	return NULL;
}

/* Sixty seconds: the bad path leaks one every second, the good one gives back. */
static void load(struct fixture *f)
{
	list(f, T0, NULL, 0);
	for (uint32_t i = 0; i < 60; i++) {
		born(f, T0 + i * S, 100 + i * 2, f->bad);
		born(f, T0 + i * S + 1, 500 + i * 2, f->good);
		pass(f, ev_free(T0 + i * S + S / 2, 500 + i * 2, 502 + i * 2));
	}
	born(f, T0 + 60 * S, 50, f->good);
}

static void by_stack(void **state)
{
	struct fixture *f = *state;
	const struct leak_suspect *bad, *good;

	load(f);
	report(f, 0, 0);
	assert_int_equal(f->report.count, 2);
	assert_int_equal(f->report.leaks, 1);
	bad = &f->report.list[0];
	assert_int_equal(bad->stack_id, f->bad);
	assert_int_equal(bad->verdict.finding, LEAK_GROWS);
	assert_int_equal(bad->live, 60);
	assert_int_equal(bad->live_bytes, 60 * 2 * PAGE);
	assert_int_equal(bad->born, 60);
	assert_int_equal(bad->born_since, 60);
	assert_int_equal(bad->freed, 0);
	assert_int_equal(bad->oldest_ns, T0);
	assert_int_equal(bad->newest_ns, T0 + 59 * S);
	assert_int_equal(bad->oldest[0], P(100));
	assert_int_equal(bad->oldest[3], P(106));
	assert_int_equal(bad->nr_tasks, 1);
	assert_int_equal(bad->tasks[0].pid, 7);
	assert_string_equal(names_text(f->names, bad->module_id), "[foo]");
	/* 8 KB a second. */
	assert_in_range(bad->slope, 7 * 1024 * 3600, 9 * 1024 * 3600);
	good = &f->report.list[1];
	assert_int_equal(good->stack_id, f->good);
	assert_int_equal(good->live, 1);
	assert_int_equal(good->born, 61);
	assert_int_equal(good->freed, 60);
	assert_in_range(leak_ages_percentile(&good->ages, 50), S / 2, S);
	assert_int_equal(good->slope, 0);
}

static void by_module(void **state)
{
	struct fixture *f = *state;

	load(f);
	report(f, 0, 0);
	assert_int_equal(f->report.count, 1);
	assert_string_equal(names_text(f->names, f->report.list[0].name_id), "[foo]");
	assert_int_equal(f->report.list[0].live, 61);
	assert_int_equal(f->report.leaks, 1);
}

static void filters(void **state)
{
	struct fixture *f = *state;

	load(f);
	report(f, 0, 3 * PAGE);
	assert_int_equal(f->report.count, 1);
	report(f, 58 * S, 0);
	assert_int_equal(f->report.count, 1);
	assert_int_equal(f->report.list[0].verdict.old, 3);
	assert_int_equal(f->report.leaks, 0);
	report(f, 61 * S, 0);
	assert_int_equal(f->report.count, 0);
}

/* What was born before --since is as what was there before the watch. */
static void since(void **state)
{
	struct fixture *f = *state;

	load(f);
	born(f, T0 + 101 * S, 60, f->good);
	pass(f, ev_free(T0 + 102 * S, 100, 102));
	report(f, 0, 0);
	assert_int_equal(f->report.count, 1);
	assert_int_equal(f->report.list[0].born, 1);
	assert_int_equal(f->report.list[0].freed, 0);
	assert_int_equal(f->report.before, 60);
}

static void before_and_own(void **state)
{
	struct fixture *f = *state;
	struct event seed = ev_used(10, 12), own = ev_alloc(T0 + S, 20, 22, 1);

	list(f, T0, &seed, 1);
	own.flags = EV_F_OWN;
	pass(f, own);
	report(f, 0, 0);
	assert_int_equal(f->report.count, 0);
	assert_int_equal(f->report.before, 1);
	assert_int_equal(f->report.before_bytes, 2 * PAGE);
	assert_int_equal(f->report.own, 1);
	own = ev_alloc(T0 + S, 30, 32, 1);
	own.comm_id = names_intern_str(f->names, "vmtrace");
	pass(f, own);
	report(f, 0, 0);
	assert_int_equal(f->report.count, 0);
	assert_int_equal(f->report.own, 2);
	pass(f, ev_free(T0 + 2 * S, 10, 12));
	pass(f, ev_free(T0 + 2 * S, 20, 22));
	pass(f, ev_free(T0 + 2 * S, 30, 32));
	report(f, 0, 0);
	assert_int_equal(f->report.before + f->report.own, 0);
}

/* A list without a time, in front of a clock that has run for days. */
static void untimed(void **state)
{
	struct fixture *f = *state;

	list(f, 0, NULL, 0);
	for (uint32_t i = 0; i < 60; i++)
		born(f, T0 * 100 + i * S, 100 + i * 2, f->bad);
	report(f, 0, 0);
	assert_int_equal(f->report.start_ns, T0 * 100);
	assert_int_equal(f->report.leaks, 1);
}

/* An area over another proves that the free of that was missed. */
static void overlap(void **state)
{
	struct fixture *f = *state;
	const struct leak_suspect *bad;

	list(f, T0, NULL, 0);
	born(f, T0 + S, 100, f->bad);
	born(f, T0 + 2 * S, 102, f->bad);
	pass(f, ev_alloc(T0 + 3 * S, 101, 103, 1));
	report(f, 0, 0);
	assert_int_equal(f->report.count, 1);
	assert_null(of_stack(f, f->bad));
	born(f, T0 + 4 * S, 200, f->bad);
	pass(f, ev_free(T0 + 5 * S, 199, 204));
	born(f, T0 + 6 * S, 200, f->bad);
	report(f, 0, 0);
	bad = of_stack(f, f->bad);
	assert_int_equal(bad->born, 4);
	assert_int_equal(bad->freed, 3);
	assert_int_equal(bad->vanished, 3);
	assert_int_equal(bad->live, 1);
}

/* What cannot be true is not counted. */
static void refused(void **state)
{
	struct fixture *f = *state;
	struct event event = ev_alloc(T0 + S, 100, 102, 1);

	list(f, T0, NULL, 0);
	event.end = END + PAGE;
	pass(f, event);
	event.end = event.start = 0;
	pass(f, event);
	event = ev_free(T0, 5, 6);
	event.start = 0;
	event.end = UINT32_MAX;
	pass(f, event);
	report(f, 0, 0);
	assert_int_equal(f->report.count, 0);
}

/* Missed frees: those born shortly before are in doubt, until a list tells. */
static void missed(void **state)
{
	struct fixture *f = *state;
	const struct leak_suspect *good;
	struct event kept = ev_used(50, 52);

	load(f);
	for (uint32_t i = 0; i < 8; i++)
		born(f, T0 + (61 + i) * S, 800 + i * 2, f->good);
	pass(f, ev_lost(T0 + 62 * S + 2, LOST_RING, 2));
	pass(f, ev_lost(T0 + 68 * S + 2, LOST_STACK, 50));
	report(f, 0, 0);
	assert_int_equal(f->report.missed, 2);
	good = of_stack(f, f->good);
	assert_int_equal(good->live, 9);
	/* Twice the second that they live: born at 60, 61 and 62 s; two were missed. */
	assert_int_equal(good->doubtful, 2);
	assert_int_equal(of_stack(f, f->bad)->doubtful, 2);
	list(f, T0 + 80 * S, &kept, 1);
	report(f, 0, 0);
	assert_int_equal(f->report.missed, 0);
	good = of_stack(f, f->good);
	assert_int_equal(good->live, 1);
	assert_int_equal(good->doubtful, 0);
	assert_int_equal(good->vanished, 8);
	assert_int_equal(f->report.leaks, 0);
	assert_null(of_stack(f, f->bad));
	for (uint32_t i = 0; i < 100; i++)
		pass(f, ev_lost(T0 + (90 + i) * S, LOST_MISSED, 3));
	report(f, 0, 0);
	assert_int_equal(f->report.missed, 300);
}

/* What only a later list shows was born nobody knows when. */
static void found_by_list(void **state)
{
	struct fixture *f = *state;
	struct event found[8];

	list(f, T0, NULL, 0);
	for (uint32_t i = 0; i < 8; i++) {
		found[i] = ev_used(100 + 2 * i, 102 + 2 * i);
		list(f, T0 + (i + 1) * 10 * S, found, i + 1);
	}
	report(f, 0, 0);
	assert_int_equal(f->report.count, 0);
	assert_int_equal(f->report.before, 8);
}

/* ---- modules ------------------------------------------------------------------------- */

static void load_module(struct fixture *f, uint64_t t_ns, uint32_t page, uint32_t pid)
{
	struct event event = ev_alloc(t_ns, page, page + 2, 1);

	event.stack_id = f->loader;
	event.kind = KIND_MODULE;
	event.pid = pid;
	pass(f, event);
}

static void expect_gone(struct fixture *f, uint32_t orphans)
{
	const struct leak_suspect *bad;

	report(f, 0, 0);
	bad = of_stack(f, f->bad);
	assert_non_null(bad);
	assert_int_equal(bad->orphans, orphans);
	assert_int_equal(bad->verdict.finding == LEAK_OWNER_GONE, orphans != 0);
	assert_int_equal(f->report.leaks, orphans != 0);
}

/* Its init ran in the task that loaded it. */
static void gone_loader(void **state)
{
	struct fixture *f = *state;

	list(f, T0, NULL, 0);
	load_module(f, T0 + S, 10, 7);
	load_module(f, T0 + S, 12, 7);
	born(f, T0 + 2 * S, 100, f->bad);
	/* The part for init goes first. */
	pass(f, ev_free(T0 + 3 * S, 12, 14));
	pass(f, ev_lost(T0 + 9 * S, LOST_STACK, 1));
	expect_gone(f, 0);
	pass(f, ev_free(T0 + 10 * S, 10, 12));
	/* What is freed a little later is not left behind; in a recording nothing comes any more. */
	report_at(f, T0 + 10 * S + S / 2);
	assert_int_equal(of_stack(f, f->bad)->orphans, 0);
	report_at(f, T0 + 11 * S);
	assert_int_equal(of_stack(f, f->bad)->orphans, 1);
	expect_gone(f, 1);
	born(f, T0 + 11 * S + 1, 102, f->bad); /* loaded again */
	expect_gone(f, 1);
	pass(f, ev_free(T0 + 12 * S, 100, 102));
	expect_gone(f, 0);
}

/* Loaded before the watch; its exit calls vfree in the task that frees it. */
static void gone_leaver(void **state)
{
	struct fixture *f = *state;
	struct event seed = ev_used(10, 12), vfree = ev_vfree(T0 + 3 * S, P(102), 9);

	seed.kind = KIND_MODULE;
	list(f, T0, &seed, 1);
	born(f, T0 + S, 100, f->bad);
	born(f, T0 + S, 102, f->bad);
	vfree.caller_id = names_intern_str(f->names, "foo_exit+0x12 [foo]");
	pass(f, vfree);
	pass(f, ev_free(T0 + 3 * S, 102, 104));
	vfree.start = P(10);
	vfree.caller_id = names_intern_str(f->names, "free_module+0x9");
	pass(f, vfree);
	pass(f, ev_free(T0 + 3 * S, 10, 12));
	pass(f, ev_lost(T0 + 9 * S, LOST_STACK, 1));
	expect_gone(f, 1);
}

/* Neither tells: it is the one module that has allocated since the load, and not since the unload. */
static void gone_alone(void **state)
{
	struct fixture *f = *state;
	uint32_t other = stack(f, "other+0x1 [other]", "out+0x1");
	struct event unload = ev_free(T0 + 3 * S, 10, 12);

	unload.comm_id = names_intern_str(f->names, "rmmod");
	list(f, T0, NULL, 0);
	born(f, T0 + 1, 200, other);
	load_module(f, T0 + S, 10, 1);
	born(f, T0 + 2 * S, 100, f->bad);
	pass(f, unload);
	pass(f, ev_lost(T0 + 9 * S, LOST_STACK, 1));
	expect_gone(f, 1);
	assert_int_equal(of_stack(f, other)->orphans, 0);
	born(f, T0 + 10 * S, 102, f->bad); /* it goes on, so it was another */
	expect_gone(f, 0);
}

/* It was gone before its symbols could be read: it is the one that lay there. */
static void gone_unnamed(void **state)
{
	struct fixture *f = *state;
	char frame[16];

	list(f, T0, NULL, 0);
	load_module(f, T0 + S, 10, 7);
	snprintf(frame, sizeof(frame), "0x%08x", P(10) + 0x4d);
	f->bad = stack(f, frame, "out+0x1");
	born(f, T0 + 2 * S, 100, f->bad);
	expect_gone(f, 0);
	pass(f, ev_free(T0 + 3 * S, 10, 12));
	expect_gone(f, 1);
	snprintf(frame, sizeof(frame), "[at %08x]", P(10));
	assert_string_equal(names_text(f->names, of_stack(f, f->bad)->module_id), frame);
}

/* However many modules are loaded: their text is no leak. */
static void loaded(void **state)
{
	struct fixture *f = *state;

	list(f, T0, NULL, 0);
	for (uint32_t i = 0; i < 60; i++)
		load_module(f, T0 + i * S, 100 + i * 2, 50 + i);
	report(f, 0, 0);
	assert_int_equal(f->report.leaks, 0);
	assert_int_equal(f->report.list[0].verdict.finding, LEAK_LOADED);
}

/* The kernel's list has no name for the caller any more. */
static void gone_listed(void **state)
{
	struct fixture *f = *state;
	struct event line = ev_used(100, 102);

	list(f, T0, NULL, 0);
	born(f, T0 + S, 100, f->bad);
	line.caller_id = names_intern_str(f->names, "get+0x1/0x20 [foo]");
	list(f, T0 + 2 * S, &line, 1);
	pass(f, ev_lost(T0 + 4 * S, LOST_STACK, 1));
	expect_gone(f, 0);
	line.caller_id = names_intern_str(f->names, "0xf7c12345");
	list(f, T0 + 5 * S, &line, 1);
	/* The list has it after the unload: nothing to wait for. */
	report_at(f, T0 + 5 * S);
	assert_int_equal(of_stack(f, f->bad)->orphans, 1);
	expect_gone(f, 1);
}

/* ---- the age of what was freed unseen ------------------------------------------------ */

static void expect_ages(struct fixture *f, uint64_t age_ns, uint32_t count)
{
	const struct leak_suspect *bad;

	report(f, 0, 0);
	bad = of_stack(f, f->bad);
	assert_non_null(bad);
	assert_int_equal(bad->vanished, count);
	assert_int_equal(leak_ages_total(&bad->ages), count);
	/* All in the bin of this age: the percentiles are its upper end. */
	assert_true(leak_ages_percentile(&bad->ages, 1) > age_ns);
	assert_true(leak_ages_percentile(&bad->ages, 100) < 2 * age_ns);
}

/* Whatever shows that it is gone shows it late: its FREE was in the first loss since its birth. */
static void unseen_below_another(void **state)
{
	struct fixture *f = *state;

	list(f, T0, NULL, 0);
	pass(f, ev_lost(T0 + S, LOST_RING, 1));
	born(f, T0 + 2 * S, 100, f->bad);
	born(f, T0 + 2 * S, 110, f->bad);
	pass(f, ev_lost(T0 + 5 * S, LOST_RING, 1));
	pass(f, ev_lost(T0 + 50 * S, LOST_RING, 1));
	born(f, T0 + 90 * S, 100, f->bad);
	expect_ages(f, 3 * S, 1);
}

static void unseen_in_a_list(void **state)
{
	struct fixture *f = *state;
	struct event stays = ev_used(110, 112);

	list(f, T0, NULL, 0);
	born(f, T0 + 2 * S, 100, f->bad);
	born(f, T0 + 2 * S, 110, f->bad);
	pass(f, ev_lost(T0 + 5 * S, LOST_RING, 1));
	list(f, T0 + 90 * S, &stays, 1);
	expect_ages(f, 3 * S, 1);
}

/* ---- bounds -------------------------------------------------------------------------- */

static void many_groups(void **state)
{
	struct fixture *f = *state;

	list(f, T0, NULL, 0);
	for (uint32_t i = 0; i < LEAKS_MAX_GROUPS + 100; i++) {
		char frame[32];

		snprintf(frame, sizeof(frame), "f%u+0x1", i);
		struct event event = ev_alloc(T0 + i, 100, 102, 1);

		event.stack_id = stack(f, frame, "g+0x1");
		assert_int_equal(leaks_before(f->leaks, f->space, &event), 0);
		assert_int_equal(space_apply(f->space, &event), 0);
		assert_int_equal(leaks_after(f->leaks, f->space, &event), 0);
	}
	report(f, 0, 0);
	assert_int_equal(f->report.count, 0);
}

/* Bytes and births over time, whatever the width of the steps. */
static void series(void **state)
{
	struct leak_clock clock = leak_clock_new(T0);
	struct leak_series s = {.now = 0};

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		leak_clock_advance(&clock, T0 + i * S);
		leak_clock_advance(&clock, T0); /* goes back: nothing */
		leak_series_put(&s, &clock, i, 1);
		assert_true(s.now < LEAK_STEPS_MAX);
		assert_int_equal(s.pages[s.now], i);
		assert_int_equal(leak_series_born_since(&s, &clock, T0), i + 1);
	}
	assert_in_range(leak_series_slope(&s, &clock), 4000 * 3600, 4200 * 3600);
	/* A tooth does not turn it. */
	s.pages[10] = 100000;
	assert_in_range(leak_series_slope(&s, &clock), 4000 * 3600, 4200 * 3600);
	leak_clock_advance(&clock, UINT64_MAX);
	leak_series_advance(&s, &clock);
	assert_int_equal(s.now, clock.now);
	assert_int_equal(s.pages[s.now], 999);
}

#define TEST(f)		  cmocka_unit_test_setup_teardown(f, begin, end)
#define TEST_WITH(b, f) cmocka_unit_test_setup_teardown(f, b, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(by_stack),
		TEST_WITH(begin_by_module, by_module),
		TEST(filters),
		TEST_WITH(begin_since, since),
		TEST(before_and_own),
		TEST(untimed),
		TEST(overlap),
		TEST(refused),
		TEST(missed),
		TEST(found_by_list),
		TEST(gone_loader),
		TEST(gone_leaver),
		TEST(gone_alone),
		TEST(unseen_below_another),
		TEST(unseen_in_a_list),
		TEST(gone_listed),
		TEST(gone_unnamed),
		TEST(loaded),
		TEST(many_groups),
		cmocka_unit_test(series),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
