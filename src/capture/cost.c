/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/cost.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "capture/selftest.h"
#include "clock.h"

#define TRIES      8
#define WAIT_MS    500 /* for the frees, after a grace period */
#define PATH_JIT   "/proc/sys/net/core/bpf_jit_enable"
#define NS_AT_MOST 1000000u /* more is no cost, but a machine that did something else */

struct cost {
	uint64_t bare_ns; /* the fastest allocation without probes */
};

/* What the kernel has counted of a program. */
struct account {
	uint64_t ns;
	uint64_t runs;
};

/* The fastest of some allocations; 0 if one failed. */
static uint64_t fastest_ns(void)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		uint64_t begin = clock_now_ns(), ns;
		int fd = selftest_allocate();

		ns = clock_now_ns() - begin;
		if (fd < 0)
			return 0;
		close(fd);
		if (ns < least)
			least = ns;
	}
	return least;
}

struct cost *cost_begin(void)
{
	struct cost *cost = calloc(1, sizeof(*cost));

	if (!cost)
		return NULL;
	cost->bare_ns = fastest_ns();
	if (cost->bare_ns)
		return cost;
	free(cost);
	return NULL;
}

void cost_free(struct cost *cost)
{
	free(cost);
}

static void read_accounts(const struct probes *probes, struct account *accounts)
{
	for (uint32_t i = 0; i < probes_plan(probes)->nr_probes; i++) {
		struct bpf_prog_info info = { 0 };
		uint32_t len = sizeof(info);
		int fd = probes_program_fd(probes, i);

		accounts[i] = (struct account){ 0 };
		if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &len) == 0)
			accounts[i] = (struct account){ info.run_time_ns, info.run_cnt };
	}
}

static bool is_of_free(const struct probe *probe)
{
	return !strcmp(probe->program, "free_entry") || !strcmp(probe->program, "vfree_entry");
}

/* True when as many frees as there were allocations have been counted. */
static bool all_freed(const struct probes *probes, const struct account *before)
{
	struct account now[PLAN_MAX_PROBES];
	const struct plan *plan = probes_plan(probes);

	read_accounts(probes, now);
	for (uint32_t i = 0; i < plan->nr_probes; i++) {
		if (!strcmp(plan->probes[i].program, "free_entry"))
			return now[i].runs - before[i].runs >= TRIES;
	}
	return true;
}

/* The accounts of some allocations and their frees. False if the kernel keeps none. */
static bool count_programs(const struct probes *probes, struct account *accounts)
{
	struct account before[PLAN_MAX_PROBES];
	int fd = bpf_enable_stats(BPF_STATS_RUN_TIME);

	if (fd < 0)
		return false;
	read_accounts(probes, before);
	fastest_ns();
	for (int ms = 0; ms < WAIT_MS && !all_freed(probes, before); ms += 5)
		usleep(5000);
	read_accounts(probes, accounts);
	close(fd);
	for (uint32_t i = 0; i < probes_plan(probes)->nr_probes; i++) {
		accounts[i].ns -= before[i].ns;
		accounts[i].runs -= before[i].runs;
	}
	return true;
}

/* A program that shares its name with another probe has one account: halves of it. */
static uint32_t probes_of_program(const struct plan *plan, const char *program)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < plan->nr_probes; i++)
		count += !strcmp(plan->probes[i].program, program);
	return count;
}

/* Of one side, allocation or free: the time of its programs, and how many probes it hits. */
static void sum_side(const struct plan *plan, const struct account *accounts, bool of_free,
		     uint64_t *ns, uint32_t *hits)
{
	*ns = 0;
	*hits = 0;
	for (uint32_t i = 0; i < plan->nr_probes; i++) {
		uint32_t sharing = probes_of_program(plan, plan->probes[i].program);
		uint64_t runs = accounts[i].runs / sharing;

		if (is_of_free(&plan->probes[i]) != of_free || runs < TRIES / 2)
			continue;
		*ns += accounts[i].ns / accounts[i].runs;
		*hits += (uint32_t)((runs + TRIES / 2) / TRIES);
	}
}

static bool jit_is_on(void)
{
	char value = '0';
	int fd = open(PATH_JIT, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (read(fd, &value, 1) != 1)
		value = '0';
	close(fd);
	return value != '0';
}

void cost_measure(struct cost *cost, const struct probes *probes, struct plan_cost *out)
{
	const struct plan *plan = probes_plan(probes);
	struct account accounts[PLAN_MAX_PROBES];
	uint64_t with_ns, alloc_ns, programs_ns, free_ns;
	uint32_t hits, free_hits;

	*out = (struct plan_cost){ .jit = jit_is_on() };
	with_ns = cost ? fastest_ns() : 0;
	if (with_ns <= (cost ? cost->bare_ns : 0) || with_ns - cost->bare_ns > NS_AT_MOST)
		return;
	alloc_ns = with_ns - cost->bare_ns;
	out->alloc_ns = (uint32_t)alloc_ns;
	if (!count_programs(probes, accounts))
		return;
	sum_side(plan, accounts, false, &programs_ns, &hits);
	sum_side(plan, accounts, true, &free_ns, &free_hits);
	if (!hits || !free_hits)
		return;
	if (alloc_ns > programs_ns)
		out->probe_ns = (uint32_t)((alloc_ns - programs_ns) / hits);
	out->free_ns = (uint32_t)(free_ns + (uint64_t)free_hits * out->probe_ns);
	out->ns_per_event = (out->alloc_ns + out->free_ns) / (1 + free_hits);
}
