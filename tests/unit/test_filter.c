// SPDX-License-Identifier: GPL-2.0-only
#include "space_events.h"

#include "space/filter.h"

#define S 1000000000ull

struct fixture {
	struct names *names;
	struct stacks *stacks;
	struct filter_base base;
	struct area area; /* 8 pages of ring_alloc [foo] and a guard, 10 minutes old */
};

static uint32_t intern(const struct fixture *f, const char *text)
{
	return names_intern_str(f->names, text);
}

static uint32_t make_stack(const struct fixture *f, const char *a, const char *b, const char *c)
{
	const uint32_t frames[] = { intern(f, a), intern(f, b), intern(f, c) };

	return stacks_intern(f->stacks, frames, 3, NULL);
}

static int open_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	*state = f;
	f->names = names_new();
	f->stacks = stacks_new();
	f->base = (struct filter_base){ f->names, f->stacks, 1000 * S };
	f->area = (struct area){
		.start = 0xf7849000,
		.end = 0xf7852000,
		.birth_ns = 400 * S,
		.origin = make_stack(f, "vmalloc+0x6f", "ring_alloc.constprop.0+0x41 [foo]",
				       "bar_open+0x90"),
		.pid = 108,
		.comm_id = intern(f, "insmod"),
		.state = AREA_USED,
		.kind = KIND_VMALLOC,
		.guard_pages = 1,
	};
	return 0;
}

static int close_fixture(void **state)
{
	struct fixture *f = *state;

	stacks_free(f->stacks);
	names_free(f->names);
	free(f);
	return 0;
}

static struct filter *compile(const char *text)
{
	struct filter_error error;
	struct filter *filter;

	if (filter_compile(text, &filter, &error))
		fail_msg("'%s' at %u: %s", text, error.at, error.why);
	return filter;
}

static bool area_passes(const struct fixture *f, const char *text)
{
	struct filter *filter = compile(text);
	bool passes = filter_area(filter, &f->base, &f->area);

	filter_free(filter);
	return passes;
}

static bool event_passes(const struct fixture *f, const char *text, const struct area *area,
			 const struct event *event)
{
	struct filter *filter = compile(text);
	bool passes = filter_event(filter, &f->base, area, event);

	filter_free(filter);
	return passes;
}

#define YES(text)                                                   \
	do {                                                        \
		if (!area_passes(f, text))                          \
			fail_msg("does not pass: %s", text);        \
		if (area_passes(f, "not (" text ")"))               \
			fail_msg("passes, and not, too: %s", text); \
	} while (0)
#define NO(text)                                                      \
	do {                                                          \
		if (area_passes(f, text))                             \
			fail_msg("passes: %s", text);                 \
		if (!area_passes(f, "not (" text ")"))                \
			fail_msg("does not pass, nor not: %s", text); \
	} while (0)

/* ---- fields ------------------------------------------------------------------------------------
 */

static void modules(void **state)
{
	struct fixture *f = *state;

	YES("mod=foo");
	YES("mod=[foo]");
	NO("mod=fo");
	NO("mod=foobar");
	YES("mod~fo");
	NO("mod~foobar");
	NO("mod=kernel");
	YES("mod!=kernel");
	f->area.origin = make_stack(f, "vmalloc+0x6f", "fork+0x1", "clone+0x1");
	YES("mod=kernel");
	f->area.origin = make_stack(f, "vmalloc+0x6f", "init+0x1 [kernel]", "clone+0x1");
	YES("mod=[kernel]");
	f->area.origin = 0;
	YES("mod=?");
}

static void functions(void **state)
{
	struct fixture *f = *state;

	YES("caller=ring_alloc"); /* what the compiler appended does not count */
	YES("caller=ring_alloc.constprop.0");
	YES("caller='ring_alloc.constprop.0+0x41 [foo]'");
	YES("caller=ring_alloc.constprop.0+0x41");
	NO("caller=ring_allo");
	NO("caller=vmalloc"); /* plumbing */
	NO("caller=bar_open");
	YES("caller~ng_al");
	YES("stack=vmalloc");
	YES("stack=bar_open");
	NO("stack=bar");
	YES("stack~bar");
	NO("stack!~bar"); /* one of them does */
	NO("stack!=vmalloc");
	YES("stack!~baz");
	NO("stack~BAR"); /* case counts */
}

/* Seeded: no stack, a caller as /proc/vmallocinfo has it, no task. */
static void seeded(void **state)
{
	struct fixture *f = *state;

	f->area.origin = area_origin(0, intern(f, "n_tty_open+0x16/0xa0"));
	f->area.pid = f->area.comm_id = 0;
	YES("caller=n_tty_open");
	YES("caller=n_tty_open+0x16");
	YES("stack=n_tty_open");
	YES("stack~tty");
	YES("mod=kernel");
	NO("comm=insmod");
	NO("comm~i");
	YES("comm!=insmod"); /* nobody knows: not insmod, as far as is known */
	NO("pid=0");
	NO("pid<1000");
	YES("not pid<1000");
	f->area.origin = 0;
	NO("stack~tty");
	YES("stack!~tty");
}

static void tasks_kinds_states(void **state)
{
	struct fixture *f = *state;

	YES("comm=insmod");
	NO("comm=insmo");
	YES("comm~smo");
	YES("pid=108");
	YES("pid>=108 pid<=108");
	NO("pid!=108");
	NO("pid<108");
	NO("pid>108");
	YES("kind=vmalloc");
	NO("kind=ioremap");
	YES("kind!=ioremap");
	YES("state=used");
	NO("state=lazy");
	f->area.state = AREA_LAZY;
	YES("state=lazy");
	f->area.kind = KIND_DMA_COHERENT;
	YES("kind=dma-coherent");
}

static void sizes_and_ages(void **state)
{
	struct fixture *f = *state;

	YES("size=36K"); /* guard included */
	NO("size=32K");
	YES("size>32K");
	NO("size>36K");
	YES("size>=36K");
	YES("size<36865");
	NO("size<0x9000");
	YES("guard=4K");
	YES("guard>0");
	YES("age=10m");
	YES("age>9.9m");
	YES("age>599s");
	NO("age>10m");
	YES("age<=600");
	NO("age<500ms");
	f->area.state = AREA_LAZY; /* then since it was freed */
	f->area.free_ns = 998 * S;
	YES("age=2s");
	f->area.free_ns = 2000 * S; /* later than now: 0, not 2^64 */
	YES("age=0");
	f->area.guard_pages = 0;
	YES("guard=0");
}

static void addresses(void **state)
{
	struct fixture *f = *state;

	YES("addr=f7849000");
	YES("addr=0xf784afff");
	YES("addr=F7851FFF");
	NO("addr=f7852000");
	NO("addr=f7848fff");
	YES("addr=f7848000-f7849001");
	NO("addr=f7848000-f7849000");
	YES("addr=f7851000-f7900000");
	NO("addr=f7852000-f7900000");
	YES("addr!=f7852000");
	YES("addr>=f7851fff");
	NO("addr>=f7852000");
	YES("addr<f7849001");
	NO("addr<f7849000");
	YES("addr<=f7849000");
	YES("addr>f7851ffe");
	NO("addr>f7851fff");
	f->area.start = 0xfffff000; /* up to 2^32 */
	f->area.end = 0;
	f->area.end -= 4096;
	f->area.start = f->area.end - 4096;
	YES("addr=ffffe000-ffffefff");
}

/* ---- expressions -------------------------------------------------------------------------------
 */

static void joints(void **state)
{
	struct fixture *f = *state;

	YES("mod=foo size>=16K age>5m stack~bar kind=vmalloc");
	NO("mod=foo size>=16K age>5m stack~bar kind=ioremap");
	YES("mod=foo and size>=16K");
	NO("mod=foo and size>=16M");
	YES("mod=x or mod=foo");
	NO("mod=x or mod=y");
	YES("mod=foo or mod=x mod=y"); /* `and` binds more */
	NO("(mod=foo or mod=x) mod=y");
	YES("mod=x mod=y or mod=foo");
	NO("not mod=foo or mod=x");
	NO("not mod=x mod=y"); /* `not` binds most */
	YES("not (mod=x mod=y)");
	YES("not not mod=foo");
	YES("not(mod=x)and(mod=foo)");
	YES("NOT mod=x AND mod=foo Or mod=y");
	YES("  mod = foo  size\t>=\n16K ");
	YES("((((mod==foo))))");
	YES("mod=foo(size>1)"); /* side by side without a blank */
}

static void quotes(void **state)
{
	struct fixture *f = *state;

	f->area.comm_id = intern(f, "kworker/0:1 (x)");
	YES("comm='kworker/0:1 (x)'");
	YES("comm=\"kworker/0:1 (x)\"mod=foo");
	YES("comm~' ('");
	f->area.comm_id = intern(f, "it's");
	YES("comm=\"it's\"");
	f->area.comm_id = intern(f, "and");
	YES("comm=and"); /* a value, not the word */
	f->area.comm_id = intern(f, "=x");
	YES("comm='=x'");
}

static void empty(void **state)
{
	struct fixture *f = *state;
	struct filter *filter = compile(" \t\n");

	assert_true(filter_area(filter, &f->base, &f->area));
	assert_true(filter_area(NULL, &f->base, &f->area));
	assert_string_equal(filter_text(filter), " \t\n");
	filter_free(filter);
	filter_free(NULL);
}

/* ---- errors ------------------------------------------------------------------------------------
 */

static void refuse(const char *text, uint32_t at, const char *why)
{
	struct filter *filter = (struct filter *)text;
	struct filter_error error;

	assert_int_equal(filter_compile(text, &filter, &error), -EINVAL);
	assert_null(filter);
	if (error.at != at || !strstr(error.why, why))
		fail_msg("'%s' at %u, not %u: %s", text, error.at, at, error.why);
}

static void errors(void **state)
{
	(void)state;
	refuse("foo", 0, "no such field: 'foo'. There are mod caller");
	refuse("mod=foo sise>1M", 8, "no such field: 'sise'");
	refuse("mod=a or", 8,
	       "expected a field (mod caller stack comm kind state pid size guard "
	       "age addr), not the end");
	refuse("and mod=a", 0, "expected a field");
	refuse("mod=a or or mod=b", 9, "not 'or'");
	refuse("mod=a and and mod=b", 10, "not 'and'");
	refuse("mod=a )", 6, "expected a comparison or the end, not ')'");
	refuse("mod foo", 4, "expected = != ~ !~ after 'mod', not 'foo'");
	refuse("mod", 3, "after 'mod', not the end");
	refuse("mod<foo", 3, "mod takes = != ~ !~, not '<'");
	refuse("size~1M", 4, "size takes = != < <= > >=, not '~'");
	refuse("kind~io", 4, "kind takes = !=, not '~'");
	refuse("kind=>x", 5, "expected a value, not '>x'");
	refuse("size=", 5, "expected a value, not the end");
	refuse("size= (", 6, "expected a value, not '('");
	refuse("comm=\"x", 5, "the quote \" is not closed");
	refuse("comm=''", 5, "not an empty one");
	refuse("comm='a'b", 8, "no such field: 'b'");
	refuse("kind=vmaloc", 5, "expected a kind (vmalloc vmap");
	refuse("state=free", 6, "expected used, lazy or failed, not 'free'");
	refuse("size>1X", 5, "expected a size (64K, 1M), not '1X'");
	refuse("size>5G", 5, "expected a size");
	refuse("age>10y", 4, "expected a time (500ms, 10m, 2h), not '10y'");
	refuse("pid=4294967296", 4, "expected a process id");
	refuse("pid=-1", 4, "expected a process id");
	refuse("addr=f78490001", 5, "expected an address or a range");
	refuse("addr=0x", 5, "expected an address");
	refuse("addr=f7849000-f7849000", 5, "expected an address");
	refuse("addr=f7849000-", 5, "expected an address");
	refuse("(mod=a", 6, "expected ')' for the '(' at 1, not the end");
	refuse("()", 1, "expected a field");
	refuse("not", 3, "expected a field");
	refuse("\x1b[31m", 0, "not '?[31m'"); /* no escape reaches the terminal */
}

static void bounds(void **state)
{
	char text[FILTER_MAX_LEN + 2];
	struct filter *filter;
	struct filter_error error;

	(void)state;
	memset(text, ' ', sizeof(text));
	text[FILTER_MAX_LEN] = '\0';
	filter_free(compile(text));
	text[FILTER_MAX_LEN] = ' ';
	text[FILTER_MAX_LEN + 1] = '\0';
	assert_int_equal(filter_compile(text, &filter, &error), -EINVAL);
	assert_int_equal(error.at, FILTER_MAX_LEN);

	memset(text, '(', sizeof(text));
	text[FILTER_MAX_LEN] = '\0';
	refuse(text, FILTER_MAX_DEPTH, "nested deeper than 32");

	text[0] = '\0';
	for (uint32_t i = 0; i < FILTER_MAX_TERMS; i++)
		strcat(text, "pid!=1 ");
	filter_free(compile(text));
	strcat(text, "pid!=1");
	refuse(text, 7 * FILTER_MAX_TERMS + 3, "more than 64 comparisons");

	/* One value that is all of the text but for four bytes. */
	memset(text, 'x', sizeof(text));
	memcpy(text, "mod=", 4);
	text[FILTER_MAX_LEN] = '\0';
	filter_free(compile(text));
}

/* ---- events ------------------------------------------------------------------------------------
 */

#define EVENT_YES(text, area, event) assert_true(event_passes(f, text, area, &(event)))
#define EVENT_NO(text, area, event)  assert_false(event_passes(f, text, area, &(event)))

static void births(void **state)
{
	struct fixture *f = *state;
	struct event event = ev_alloc(5 * S, 0, 3, 1);

	event.stack_id = area_stack(&f->area);
	event.comm_id = f->area.comm_id;
	EVENT_YES("mod=foo comm=insmod pid=7 size=12K guard=4K age=0 state=used", NULL, event);
	EVENT_YES("addr=f8000000-f8000001", NULL, event);
	EVENT_NO("mod=kernel", NULL, event);
	EVENT_NO("age>0", NULL, event);

	event = ev_used(2, 4);
	event.t_ns = 100 * S;
	event.caller_id = intern(f, "foo+0x1/0x2");
	EVENT_YES("kind=vmap caller=foo size=8K state=used", NULL, event);
	EVENT_NO("age>=0", NULL, event); /* nobody saw it born */
	event.flags = EV_F_KNOWN;
	event.begin_ns = 40 * S;
	EVENT_YES("age=1m", NULL, event);
	event.state = AREA_LAZY;
	EVENT_YES("state=lazy", NULL, event);
}

static void failures(void **state)
{
	struct fixture *f = *state;
	struct event event = { .type = EV_FAIL,
			       .t_ns = S,
			       .size = 32u << 20,
			       .kind = KIND_IOREMAP,
			       .pid = 1,
			       .stack_id = area_stack(&f->area) };

	EVENT_YES("state=failed size>=16M kind=ioremap mod=foo pid=1", NULL, event);
	EVENT_NO("state=used", NULL, event);
	EVENT_NO("addr>=0", NULL, event); /* it is nowhere */
	EVENT_NO("age>=0", NULL, event);
	EVENT_NO("guard=0", NULL, event);
	EVENT_YES("guard!=0", NULL, event);
}

static void deaths(void **state)
{
	struct fixture *f = *state;
	struct event event = { .type = EV_FREE,
			       .t_ns = 460 * S,
			       .start = f->area.start,
			       .end = f->area.end,
			       .pid = 9,
			       .comm_id = intern(f, "rmmod") };

	/* Of both tasks; the age that it had. */
	EVENT_YES("comm=rmmod comm=insmod pid=9 pid=108 mod=foo size=36K age=1m state=lazy",
		  &f->area, event);
	EVENT_NO("comm!=rmmod", &f->area, event);
	f->area.state = AREA_LAZY; /* after the event was applied */
	f->area.free_ns = event.t_ns;
	EVENT_YES("mod=foo age=1m state=lazy", &f->area, event);
	/* Nothing is known of what it freed. */
	EVENT_YES("size=36K addr=f7849000 comm=rmmod", NULL, event);
	EVENT_NO("mod=foo", NULL, event);
	EVENT_NO("age>=0", NULL, event);
	/* Another area lies there now. */
	event.end += PAGE;
	EVENT_NO("mod=foo", &f->area, event);

	event = ev_vfree(460 * S, f->area.start, 9);
	EVENT_YES("mod=foo pid=9 pid=108 age=1m state=used", &f->area, event);
	EVENT_YES("addr=f7849000 pid=9", NULL, event);
	EVENT_NO("size>=0", NULL, event);
}

/* A loss is never hidden. */
static void about_no_area(void **state)
{
	static const uint8_t types[] = { EV_STACK, EV_LOST, EV_TIME, EV_SNAPSHOT_BEGIN,
					 EV_SNAPSHOT_END };
	struct event purge = { .type = EV_PURGE, .t_ns = S };
	struct fixture *f = *state;

	EVENT_NO("mod=foo", NULL, purge);
	EVENT_NO("not mod=foo", NULL, purge);
	EVENT_YES(" ", NULL, purge);

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct event event = { .type = types[i], .t_ns = S, .state = LOST_RING };

		EVENT_YES("mod=nothing pid=1 pid=2", NULL, event);
		EVENT_YES("not mod!=nothing", NULL, event);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(modules),        TEST(functions),
		TEST(seeded),         TEST(tasks_kinds_states),
		TEST(sizes_and_ages), TEST(addresses),
		TEST(joints),         TEST(quotes),
		TEST(empty),          TEST(errors),
		TEST(bounds),         TEST(births),
		TEST(failures),       TEST(deaths),
		TEST(about_no_area),
	};

	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
