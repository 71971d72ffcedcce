// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/plan.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* What the kernels of docs/KERNELS.md have, as far as the plan asks. */
#define CORE                                                                        \
	"c1000000 t free_vmap_area_noflush\nc1000100 t __purge_vmap_area_lazy\n"    \
	"c1000200 T pcpu_get_vm_areas\nc1000300 T vfree\nc1000400 T vfree_atomic\n" \
	"c1000500 t __get_vm_area_node.constprop.0\n"
#define K61                                                                          \
	CORE "c1001000 t alloc_vmap_area\nc1001100 t insert_vmap_area.constprop.0\n" \
	     "c1001200 T __vmalloc_node_range\nc1001300 T vmalloc\nc1001400 T vzalloc\n"
#define K510                                                                              \
	CORE "c1001000 t alloc_vmap_area.constprop.0\nc1001080 t "                        \
	     "alloc_vmap_area.constprop.0.cold\n"                                         \
	     "c1001100 t insert_vmap_area.constprop.0\nc1001200 T __vmalloc_node_range\n" \
	     "c1001300 T vmalloc\nc1001400 T vzalloc\n"
#define TRACEPOINTS \
	"c1002000 t perf_trace_alloc_vmap_area\nc1002100 t perf_trace_purge_vmap_area_lazy\n"
#define K612                                                             \
	CORE "c1001000 t alloc_vmap_area\nc1001100 t insert_vmap_area\n" \
	     "c1001200 T __vmalloc_node_range_noprof\nc1001300 T vmalloc_noprof\n" TRACEPOINTS

#define FREE    0xc1000000u
#define AREA    0xc1000500u
#define INSERT  0xc1001100u
#define VMALLOC 0xc1001300u

struct edge {
	uint32_t from, to;
};

struct fixture {
	struct symbols *symbols;
	struct plan_options options;
	struct plan plans[PLAN_MAX_PLANS];
	struct edge edges[2]; /* who calls whom */
	uint32_t count;
};

static enum plan_calls calls(void *context, uint32_t from, uint32_t to)
{
	struct fixture *f = context;

	for (size_t i = 0; i < ARRAY_SIZE(f->edges); i++) {
		if (f->edges[i].from == from && f->edges[i].to == to && from)
			return CALLS_YES;
	}
	return from && to ? CALLS_NO : CALLS_UNKNOWN;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->symbols = symbols_new();
	plan_default_ways(&f->options);
	f->options.with_requests = true;
	f->options.calls = calls;
	f->options.calls_context = f;
	*state = f;
	return f->symbols ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	symbols_free(f->symbols);
	free(f);
	return 0;
}

static void plan_for(struct fixture *f, const char *kallsyms)
{
	int err = symbols_parse(f->symbols, kallsyms, strlen(kallsyms));

	assert_true(err == 0 || err == -EPERM); /* -EPERM: addresses are hidden */
	memset(f->plans, 0, sizeof(f->plans));
	f->count = plan_make(f->symbols, &f->options, f->plans);
}

static const struct probe *probe_of(const struct plan *plan, const char *program)
{
	for (uint32_t i = 0; i < plan->nr_probes; i++) {
		if (!strcmp(plan->probes[i].program, program))
			return &plan->probes[i];
	}
	return NULL;
}

static uint32_t index_of(const struct plan *plan, const char *program)
{
	for (uint32_t i = 0; i < plan->nr_probes; i++) {
		if (!strcmp(plan->probes[i].program, program))
			return i;
	}
	fail_msg("no probe %s", program);
	return 0;
}

static void assert_plans(const struct fixture *f, const char *const *names, uint32_t count)
{
	assert_int_equal(f->count, count);
	for (uint32_t i = 0; i < count; i++)
		assert_string_equal(plan_name(&f->plans[i]), names[i]);
}

static void order_of_plans(void **state)
{
	static const char *const without[] = { "insert", "insert/regs", "return", "return/regs" };
	static const char *const with[] = { "insert", "insert/regs", "return", "return/regs",
					    "tracepoint" };
	struct fixture *f = *state;

	plan_for(f, K61);
	assert_plans(f, without, ARRAY_SIZE(without));
	plan_for(f, K61 TRACEPOINTS);
	assert_plans(f, with, ARRAY_SIZE(with));
}

/* A function that has the tracepoint's name is no tracepoint. */
static void tracepoint_is_not_its_function(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(plan_parse_ways("tracepoint", &f->options), 0);
	plan_for(f, K61);
	assert_int_equal(f->count, 0);
	assert_string_equal(plan_missing(&f->plans[0])->what, "area allocated");
	assert_string_equal(plan_missing(&f->plans[0])->why,
			    "tracepoint vmalloc:alloc_vmap_area is not there");
}

static void only_the_ways_asked_for(void **state)
{
	static const char *const wanted[] = { "tracepoint", "return", "return/regs" };
	struct fixture *f = *state;

	assert_int_equal(plan_parse_ways("tracepoint,return", &f->options), 0);
	plan_for(f, K61 TRACEPOINTS);
	assert_plans(f, wanted, ARRAY_SIZE(wanted));
}

static void bad_lists_are_refused(void **state)
{
	static const char *const bad[] = {
		"",        ",",       "inser",
		"insert,", "insertx", "insert return",
		",insert", "INSERT",  "insert,return,tracepoint,insert"
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(plan_parse_ways(bad[i], &f->options), -EINVAL);
}

/* A free or purge that is seen before the allocations is healed by the seed; not so the reverse. */
static void frees_before_allocations(void **state)
{
	struct fixture *f = *state;

	plan_for(f, K61 TRACEPOINTS);
	for (uint32_t i = 0; i < f->count; i++) {
		const struct plan *plan = &f->plans[i];

		assert_int_equal(index_of(plan, "free_entry"), 0);
		assert_true(index_of(plan, "purge_entry") < index_of(plan, "percpu_return"));
		if (plan->way != WAY_TRACEPOINT)
			assert_true(index_of(plan, "alloc_return") < index_of(plan, "alloc_entry"));
		assert_true(index_of(plan, "percpu_return") < index_of(plan, "percpu_entry"));
	}
}

static void each_probe_once(void **state)
{
	struct fixture *f = *state;

	plan_for(f, K61 TRACEPOINTS);
	for (uint32_t p = 0; p < f->count; p++) {
		const struct plan *plan = &f->plans[p];

		for (uint32_t i = 0; i < plan->nr_probes; i++) {
			for (uint32_t j = 0; j < i; j++)
				assert_false(
					!strcmp(plan->probes[i].program, plan->probes[j].program) &&
					!strcmp(plan->probes[i].symbol, plan->probes[j].symbol));
		}
	}
}

static void place_of_gfp(void **state)
{
	struct fixture *f = *state;

	plan_for(f, K61);
	assert_int_equal(f->plans[0].gfp_arg, 6);
	plan_for(f, K510);
	assert_string_equal(probe_of(&f->plans[0], "alloc_entry")->symbol,
			    "alloc_vmap_area.constprop.0");
	assert_int_equal(f->plans[0].gfp_arg, 5);
	plan_for(f, CORE "c1001000 t alloc_vmap_area.isra.0\nc1001100 t insert_vmap_area\n");
	assert_int_equal(f->plans[0].gfp_arg, 0);
}

/* A probe that two needs share is as important as the more important of them. */
static void shared_probe_is_required(void **state)
{
	struct fixture *f = *state;

	plan_for(f, K61);
	assert_true(probe_of(&f->plans[0], "alloc_entry")->required);
	assert_true(probe_of(&f->plans[0], "alloc_entry")->map);
	assert_true(probe_of(&f->plans[0], "alloc_return")->required);
	assert_false(probe_of(&f->plans[0], "alloc_return")->map);
	assert_true(probe_of(&f->plans[2], "alloc_return")->map);
	assert_false(probe_of(&f->plans[0], "percpu_entry")->required);
}

/* 5.10: vmalloc has an allocator of its own inside, vzalloc as well in this kernel. */
static void family_gets_probes_where_it_calls_by_itself(void **state)
{
	struct fixture *f = *state;

	plan_for(f, K510);
	assert_null(strstr(f->plans[0].probes[f->plans[0].nr_probes - 1].symbol, "vmalloc"));
	f->edges[0] = (struct edge){ VMALLOC, AREA };
	plan_for(f, K510);
	assert_string_equal(f->plans[0].probes[f->plans[0].nr_probes - 1].symbol, "vmalloc");
	assert_string_equal(f->plans[0].probes[f->plans[0].nr_probes - 1].program, "vmalloc_entry");
	f->options.with_requests = false;
	plan_for(f, K510);
	assert_null(probe_of(&f->plans[0], "vmalloc_entry"));
	assert_string_equal(f->plans[0].needs[NEED_REQUESTED].why, "--probes=area");
}

static void lazy_areas_in_insert(void **state)
{
	struct fixture *f = *state;

	plan_for(f, K61);
	assert_false(f->plans[0].insert_needs_slot);
	f->edges[0] = (struct edge){ FREE, INSERT };
	plan_for(f, K612);
	assert_true(f->plans[0].insert_needs_slot);
	assert_false(f->plans[2].insert_needs_slot); /* plan return */
	plan_for(f, "00000000 t free_vmap_area_noflush\n00000000 t __purge_vmap_area_lazy\n"
		    "00000000 t alloc_vmap_area\n00000000 t insert_vmap_area\n");
	assert_true(f->plans[0].insert_needs_slot); /* kptr_restrict=2: addresses are hidden */
	f->options.calls = NULL;                    /* not known: be careful */
	plan_for(f, K61);
	assert_true(f->plans[0].insert_needs_slot);
}

static void renamed_functions(void **state)
{
	struct fixture *f = *state;

	plan_for(f, K612);
	assert_string_equal(probe_of(&f->plans[0], "vmalloc_entry")->symbol,
			    "__vmalloc_node_range_noprof");
	plan_for(f, CORE "c1001000 t alloc_vmap_area\nc1001100 t __insert_vmap_area\n");
	assert_string_equal(probe_of(&f->plans[0], "insert_entry")->symbol, "__insert_vmap_area");
}

/* alloc_vmap_area inlined: areas are still seen, but not why they came or that they failed. */
static void insert_alone(void **state)
{
	struct fixture *f = *state;

	plan_for(f, CORE "c1001100 t insert_vmap_area\n");
	assert_int_equal(f->count, 1);
	assert_true(f->plans[0].insert_alone);
	assert_false(f->plans[0].needs[NEED_FAILED].met);
	f->edges[0] = (struct edge){ FREE, INSERT };
	plan_for(f, CORE "c1001100 t insert_vmap_area\n");
	assert_int_equal(f->count, 0);
}

static void without_percpu_function(void **state)
{
	static const char kallsyms[] = "c1000000 t free_vmap_area_noflush\n"
				       "c1000100 t __purge_vmap_area_lazy\n"
				       "c1001000 t alloc_vmap_area\nc1001100 t insert_vmap_area\n";
	struct fixture *f = *state;

	plan_for(f, kallsyms);
	assert_true(f->plans[0].insert_alone);
	assert_true(f->plans[0].needs[NEED_PERCPU].met);
	assert_string_equal(plan_name(&f->plans[2]), "return");
	assert_false(f->plans[2].needs[NEED_PERCPU].met);
}

/* What warn_alloc says is of use only with the request; it is never needed for the map. */
static void out_of_pages(void **state)
{
	struct fixture *f = *state;
	const struct probe *warn;

	plan_for(f, K61 "c1003000 T warn_alloc\n");
	warn = probe_of(&f->plans[0], "warn_entry");
	assert_non_null(warn);
	assert_false(warn->required);
	assert_false(warn->map);
	assert_true(f->plans[0].needs[NEED_PAGES].met);
	f->options.with_requests = false;
	plan_for(f, K61 "c1003000 T warn_alloc\n");
	assert_null(probe_of(&f->plans[0], "warn_entry"));
	assert_string_equal(f->plans[0].needs[NEED_PAGES].why, "--probes=area");
	f->options.with_requests = true;
	plan_for(f, K61);
	assert_true(f->count > 0);
	assert_false(f->plans[0].needs[NEED_PAGES].met);
	assert_string_equal(f->plans[0].needs[NEED_PAGES].why, "warn_alloc is not there");
	plan_for(f, CORE "c1001000 t alloc_vmap_area\nc1003000 T warn_alloc\n");
	assert_null(probe_of(&f->plans[0], "warn_entry"));
	assert_null(probe_of(&f->plans[0], "vmalloc_entry"));
}

static void ambiguous_is_refused(void **state)
{
	struct fixture *f = *state;

	plan_for(f, K61 "c1003000 t free_vmap_area_noflush\n");
	assert_int_equal(f->count, 0);
	assert_string_equal(plan_missing(&f->plans[0])->why,
			    "free_vmap_area_noflush exists several times");
}

static void nothing_there(void **state)
{
	struct fixture *f = *state;

	plan_for(f, "c1000000 T start_kernel\n");
	assert_int_equal(f->count, 0);
	assert_string_equal(plan_missing(&f->plans[0])->what, "area freed");
}

/* What the trust line says of the plan in use. */
static void told_in_short(void **state)
{
	struct plan_report report = { .count = 3, .stackless = true };
	struct fixture *f = *state;
	struct plan *plan = &f->plans[0];

	plan_for(f, K61 "c1003000 T warn_alloc\n");
	plan_tell(plan, &report);
	assert_int_equal(report.probes_planned, plan->nr_probes);
	assert_int_equal(report.probes_active, 0);
	assert_string_equal(report.lacking, "");
	assert_int_equal(report.count, 3); /* what it says of the others stays */
	for (uint32_t i = 1; i < plan->nr_probes; i++)
		plan->probes[i].state = PROBE_ATTACHED;
	plan->probes[0].state = PROBE_FAILED;
	plan->needs[NEED_PERCPU].met = plan->needs[NEED_PAGES].met = false;
	plan_tell(plan, &report);
	assert_int_equal(report.probes_active, plan->nr_probes - 1);
	assert_string_equal(report.lacking, "percpu, pages");
	f->options.with_requests = false; /* what nobody asked for is not lacking */
	plan_for(f, K61);
	plan_tell(plan, &report);
	assert_string_equal(report.lacking, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(order_of_plans),
		TEST(tracepoint_is_not_its_function),
		TEST(only_the_ways_asked_for),
		TEST(bad_lists_are_refused),
		TEST(frees_before_allocations),
		TEST(each_probe_once),
		TEST(place_of_gfp),
		TEST(shared_probe_is_required),
		TEST(family_gets_probes_where_it_calls_by_itself),
		TEST(lazy_areas_in_insert),
		TEST(renamed_functions),
		TEST(insert_alone),
		TEST(without_percpu_function),
		TEST(out_of_pages),
		TEST(told_in_short),
		TEST(ambiguous_is_refused),
		TEST(nothing_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
