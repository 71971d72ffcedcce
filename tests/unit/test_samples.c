// SPDX-License-Identifier: GPL-2.0-only
#include "space_events.h"

#include "export/samples.h"
#include "space/stacks.h"

struct fixture {
	struct space *space;
	struct names *names;
	struct stacks *stacks;
	struct samples *samples;
	uint64_t t_ns;
};

static int open_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->space = space_new(START, END);
	f->names = names_new();
	f->stacks = stacks_new();
	f->samples = samples_new();
	f->t_ns = T0;
	*state = f;
	return f->space && f->names && f->stacks && f->samples ? 0 : -1;
}

static int close_fixture(void **state)
{
	struct fixture *f = *state;

	samples_free(f->samples);
	stacks_free(f->stacks);
	names_free(f->names);
	space_free(f->space);
	free(f);
	return 0;
}

static uint32_t stack_of(struct fixture *f, const char *inner, const char *outer)
{
	uint32_t frames[] = { names_intern_str(f->names, inner), names_intern_str(f->names, outer) };

	return stacks_intern(f->stacks, frames, 2, NULL);
}

static void feed(struct fixture *f, struct event event)
{
	event.t_ns = f->t_ns += MS;
	space_apply(f->space, &event);
	assert_int_equal(samples_event(f->samples, f->space, &event), 0);
}

static void feed_alloc(struct fixture *f, uint32_t first, uint32_t last, uint32_t stack_id)
{
	struct event event = ev_alloc(0, first, last, 1);

	event.stack_id = stack_id;
	event.comm_id = names_intern_str(f->names, "dd");
	feed(f, event);
}

static void feed_fail(struct fixture *f, uint32_t bytes, uint32_t stack_id)
{
	feed(f, (struct event){ .type = EV_FAIL, .size = bytes, .stack_id = stack_id, .err = -EBUSY });
}

/* Sums over all samples. */
static struct sample_sum total(const struct fixture *f, enum samples_value value)
{
	struct sample_sum sum = { 0 };

	for (uint32_t i = 0; i < samples_count(f->samples); i++) {
		sum.bytes += samples_at(f->samples, i)->sum[value].bytes;
		sum.count += samples_at(f->samples, i)->sum[value].count;
	}
	return sum;
}

static void assert_total(const struct fixture *f, enum samples_value value, uint64_t bytes,
			 uint64_t count)
{
	assert_int_equal(total(f, value).bytes, bytes);
	assert_int_equal(total(f, value).count, count);
}

static void three_values(void **state)
{
	struct fixture *f = *state;
	uint32_t foo = stack_of(f, "vmalloc+0x1", "foo+0x1 [foo]");
	uint32_t bar = stack_of(f, "vmalloc+0x1", "bar+0x1");

	snapshot(f->space, T0, (struct event[]){ ev_used(0, 4), ev_lazy(6, 8) }, 2);
	f->t_ns = T0 + LONG;
	feed_alloc(f, 10, 13, foo);
	feed_alloc(f, 20, 23, foo);
	feed_alloc(f, 30, 35, foo);
	feed_alloc(f, 40, 42, bar);
	feed(f, ev_free(0, 10, 13));
	feed_fail(f, 999 * PAGE, bar);
	feed_fail(f, 999 * PAGE, bar);
	assert_int_equal(samples_finish(f->samples, f->space), 0);
	assert_total(f, SAMPLES_INUSE, (4 + 3 + 5 + 2) * PAGE, 4);
	assert_total(f, SAMPLES_ALLOC, (3 + 3 + 5 + 2) * PAGE, 4);
	assert_total(f, SAMPLES_FAILED, 2 * 999 * PAGE, 2);
	assert_int_equal(samples_at(f->samples, 0)->sum[SAMPLES_ALLOC].count, 2);
	assert_int_equal(samples_at(f->samples, 0)->sum[SAMPLES_INUSE].count, 1);
	assert_int_equal(samples_at(f->samples, 0)->size, 3 * PAGE);
	/* What is live is what the map says is used. */
	assert_int_equal(total(f, SAMPLES_INUSE).bytes, space_totals(f->space).used_bytes +
								space_totals(f->space).guard_bytes);
}

static void what_the_model_refuses(void **state)
{
	struct fixture *f = *state;

	feed_alloc(f, PAGES - 1, PAGES + 3, 0);
	feed(f, ev_alloc(0, 5, 5, 0));
	assert_int_equal(samples_count(f->samples), 0);
	feed_alloc(f, 10, 13, 0);
	feed(f, ev_alloc(0, 10, 13, 3)); /* nothing but guard pages */
	assert_total(f, SAMPLES_ALLOC, 3 * PAGE, 1);
}

static void assert_path(struct fixture *f, const struct sample *sample, const char *want)
{
	uint32_t frames[SAMPLES_PATH_MAX];
	uint32_t count = samples_path(sample, f->names, f->stacks, frames);
	char got[512] = "";

	for (uint32_t i = 0; i < count; i++) {
		strcat(got, i ? ";" : "");
		strcat(got, names_text(f->names, frames[i]));
	}
	assert_string_equal(got, want);
}

static void paths(void **state)
{
	struct fixture *f = *state;
	struct sample sample = { .stack_id = stack_of(f, "vmalloc+0x1", "foo+0x1 [foo]") };

	assert_path(f, &sample, "vmalloc;[foo];foo+0x1 [foo];vmalloc+0x1");
	sample.stack_id = stack_of(f, "0xf7abc123", "x+0x1");
	assert_path(f, &sample, "vmalloc;?;x+0x1;0xf7abc123");
	sample = (struct sample){ .caller_id = names_intern_str(f->names, "a+0x1/0x2 [m]") };
	assert_path(f, &sample, "vmalloc;[m];a+0x1 [m]");
	sample = (struct sample){ .kind = KIND_VM_MAP_RAM };
	assert_path(f, &sample, "vmalloc;?;(vm_map_ram)");
	sample = (struct sample){ 0 };
	assert_path(f, &sample, "vmalloc;?;?");
	/* A frame without a name. */
	sample.stack_id = stack_of(f, "vmalloc+0x1", "");
	assert_path(f, &sample, "vmalloc;?;?;vmalloc+0x1");
}

/* More frames than a path takes: the outermost go. */
static void deep_stack(void **state)
{
	struct fixture *f = *state;
	uint32_t deep[SAMPLES_PATH_MAX + 50], frames[SAMPLES_PATH_MAX];
	struct sample sample = { 0 };
	char name[16];

	for (uint32_t i = 0; i < ARRAY_SIZE(deep); i++) {
		snprintf(name, sizeof(name), "f%u", i);
		deep[i] = names_intern_str(f->names, name);
	}
	sample.stack_id = stacks_intern(f->stacks, deep, ARRAY_SIZE(deep), NULL);
	assert_int_equal(samples_path(&sample, f->names, f->stacks, frames), SAMPLES_PATH_MAX);
	assert_string_equal(names_text(f->names, frames[SAMPLES_PATH_MAX - 1]), "f0");
	assert_string_equal(names_text(f->names, frames[2]), "f253");
}

static void too_many(void **state)
{
	struct fixture *f = *state;

	for (uint32_t i = 0; i < SAMPLES_MAX + 10; i++)
		feed_fail(f, i * PAGE, 1);
	feed_fail(f, 5 * PAGE, 1); /* one that has a name already */
	assert_int_equal(samples_count(f->samples), SAMPLES_MAX + 1);
	assert_int_equal(samples_unnamed(f->samples), 10);
	assert_int_equal(samples_at(f->samples, SAMPLES_MAX)->sum[SAMPLES_FAILED].count, 10);
	assert_int_equal(samples_at(f->samples, SAMPLES_MAX)->stack_id, 0);
	assert_int_equal(samples_at(f->samples, 5)->sum[SAMPLES_FAILED].count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(three_values, open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(what_the_model_refuses, open_fixture,
						close_fixture),
		cmocka_unit_test_setup_teardown(paths, open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(deep_stack, open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(too_many, open_fixture, close_fixture),
	};

	return cmocka_run_group_tests_name("samples", tests, NULL, NULL);
}
