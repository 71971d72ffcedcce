// SPDX-License-Identifier: GPL-2.0-only
/* What views print of very many holes, very many failures, and of time that begins at 0. */
#include "space_events.h"

#include <jansson.h>

#include "view/json.h"
#include "view/text.h"

struct fixture {
	struct space *space;
	struct trend *trend;
	struct view_facts facts;
	struct view view;
	char *text; /* what was printed last */
	size_t len;
	FILE *out;
};

static struct fixture *fixture_new(uint32_t start, uint32_t end)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->space = space_new(start, end);
	f->trend = trend_new();
	f->facts = (struct view_facts){ .version = "0.1", .hostname = "h", .kernel = "k" };
	f->view = (struct view){ f->space, names_new(),  stacks_new(), &f->facts,
				 { 80, false }, f->trend, NULL, NULL };
	return f;
}

static void fixture_free(struct fixture *f)
{
	space_free(f->space);
	trend_free(f->trend);
	names_free(f->view.names);
	stacks_free((struct stacks *)f->view.stacks);
	free(f->text);
	free(f);
}

static void see(struct fixture *f, struct event event)
{
	trend_before(f->trend, f->space, &event);
	assert_int_equal(space_apply(f->space, &event), 0);
}

static FILE *begin(struct fixture *f)
{
	free(f->text);
	f->text = NULL;
	f->out = open_memstream(&f->text, &f->len);
	return f->out;
}

static json_t *print_json(struct fixture *f)
{
	json_t *object;

	assert_int_equal(json_holes(begin(f), &f->view, UINT32_MAX), 0);
	fclose(f->out);
	assert_ptr_equal(strchr(f->text, '\n'), f->text + f->len - 1);
	object = json_loads(f->text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(object);
	return object;
}

/* ---- the memory of holes --json --------------------------------------------------------- */

static size_t taken, most_taken;

static void *count_malloc(size_t len)
{
	size_t *mem = malloc(len + 16);

	if (!mem)
		return NULL;
	mem[0] = len;
	taken += len;
	most_taken = taken > most_taken ? taken : most_taken;
	return mem + 16 / sizeof(*mem);
}

static void count_free(void *mem)
{
	size_t *base = mem;

	if (!mem)
		return;
	base -= 16 / sizeof(*base);
	taken -= *base;
	free(base);
}

static size_t json_memory(uint32_t holes)
{
	struct fixture *f = fixture_new(START, START + 2 * holes * PAGE);
	json_t *object;

	see(f, ev_mark(EV_SNAPSHOT_BEGIN, T0, T0));
	for (uint32_t i = 0; i < holes; i++) {
		struct event area = ev_used(2 * i, 2 * i + 1);

		area.t_ns = area.begin_ns = T0;
		see(f, area);
	}
	see(f, ev_mark(EV_SNAPSHOT_END, T0, T0));
	taken = most_taken = 0;
	json_set_alloc_funcs(count_malloc, count_free);
	assert_int_equal(json_holes(begin(f), &f->view, UINT32_MAX), 0);
	fclose(f->out);
	json_set_alloc_funcs(malloc, free);
	assert_int_equal(taken, 0);
	object = json_loads(f->text, JSON_REJECT_DUPLICATES, NULL);
	assert_int_equal(json_array_size(json_object_get(object, "holes_list")), holes);
	json_decref(object);
	fixture_free(f);
	return most_taken;
}

/* It does not grow with the number of holes. */
static void json_memory_is_bounded(void **unused)
{
	size_t few = json_memory(2), many = json_memory(2000);

	(void)unused;
	assert_true(few > 1000);
	assert_in_range(many, few / 2, few + 4096);
}

/* ---- trend ------------------------------------------------------------------------------- */

/* 20 steps; in each of the first two are so many failures, then one. */
static void watch(struct fixture *f, uint64_t start_ns, uint64_t step_ns, uint32_t fails)
{
	see(f, ev_mark(EV_SNAPSHOT_BEGIN, start_ns, start_ns));
	see(f, ev_mark(EV_SNAPSHOT_END, start_ns, start_ns));
	for (uint32_t i = 0; i < 20; i++) {
		for (uint32_t n = 0; n < (i < 2 ? fails : 1); n++)
			see(f, (struct event){ .type = EV_FAIL,
					       .t_ns = start_ns + i * step_ns + 1 + n,
					       .size = PAGE });
	}
}

static void trend_from_0(void **unused)
{
	struct fixture *f = fixture_new(START, END);
	json_t *object, *start;

	(void)unused;
	watch(f, 0, 1000 * MS, 1);
	object = print_json(f);
	assert_true(json_array_size(json_object_get(object, "trend")) > 1);
	start = json_object_get(object, "trend_start_ns");
	assert_true(json_is_integer(start));
	assert_int_equal(json_integer_value(start), 0);
	assert_true(json_integer_value(json_object_get(object, "trend_step_ns")) > 0);
	json_decref(object);
	fixture_free(f);
}

/* None at all: then nothing tells when it begins. */
static void no_trend(void **unused)
{
	struct fixture *f = fixture_new(START, END);
	json_t *object = print_json(f);

	(void)unused;
	assert_int_equal(json_array_size(json_object_get(object, "trend")), 0);
	assert_null(json_object_get(object, "trend_start_ns"));
	assert_null(json_object_get(object, "trend_step_ns"));
	json_decref(object);
	fixture_free(f);
}

static unsigned int widest_line(const char *text)
{
	unsigned int widest = 0;

	for (; *text; text += strcspn(text, "\n") + 1)
		widest = strcspn(text, "\n") > widest ? (unsigned int)strcspn(text, "\n") : widest;
	return widest;
}

/* 27,000 days and millions of failures a row: all numbers whole, the bars get what is left. */
static void trend_rows_fit(void **unused)
{
	struct fixture *f = fixture_new(START, END);

	(void)unused;
	watch(f, T0, UINT64_MAX / 160, 1);
	text_trend(begin(f), &f->view);
	fclose(f->out);
	assert_non_null(strstr(f->text, "d")); /* the time of a row, in days */
	assert_non_null(strstr(f->text, "######"));
	assert_in_range(widest_line(f->text), 78, 80);
	fixture_free(f);

	f = fixture_new(START, END);
	watch(f, T0, 1000 * MS, 600000);
	text_trend(begin(f), &f->view);
	fclose(f->out);
	assert_non_null(strstr(f->text, " 1200000 ##########"));
	assert_in_range(widest_line(f->text), 78, 80);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_memory_is_bounded),
		cmocka_unit_test(trend_from_0),
		cmocka_unit_test(no_trend),
		cmocka_unit_test(trend_rows_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
