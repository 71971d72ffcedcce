// SPDX-License-Identifier: GPL-2.0-only
/* The report of struct leaks: what lives is asked of the space, and judged. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "space/leaks_internal.h"

#define GONE_SCORE 950u
#define LOADED     300u

struct living {
	uint64_t birth_ns;
	uint32_t start;
	struct leak_task task;
};

/* The live areas of group i are living[first[i]] .. living[first[i + 1] - 1], by birth. */
struct roll {
	struct living *living;
	uint64_t *births; /* room for those of one group */
	uint32_t *first;
};

static void roll_release(struct roll *roll)
{
	free(roll->living);
	free(roll->births);
	free(roll->first);
}

/* ---- who lives ---------------------------------------------------------------------------------
 */

static int compare_living(const void *a, const void *b)
{
	const struct living *x = a, *y = b;

	if (x->birth_ns != y->birth_ns)
		return x->birth_ns < y->birth_ns ? -1 : 1;
	return x->start < y->start ? -1 : x->start > y->start;
}

static bool passes(const struct leaks *leaks, const struct area *area,
		   const struct leaks_report *report, const struct leaks_filter *filter)
{
	struct filter_base base = { leaks->names, leaks->stacks, report->now_ns };

	return filter_area(filter->filter, &base, area);
}

static bool is_wanted(const struct leaks *leaks, const struct area *area,
		      const struct leaks_report *report, const struct leaks_filter *filter)
{
	return leaks_counts(leaks, area) && area->birth_ns <= report->now_ns &&
	       report->now_ns - area->birth_ns >= filter->older_ns &&
	       passes(leaks, area, report, filter);
}

/* Counts the wanted areas of each group in next, or puts them where next says into the roll; with
 * neither it only sees to it that each has its group. */
static int walk(struct leaks *leaks, const struct space *space, struct leaks_report *report,
		const struct leaks_filter *filter, struct roll *roll, uint32_t *next)
{
	const struct area *area;

	for (area = space_first(space, space_start(space)); area;
	     area = space_first(space, area->end)) {
		uint32_t group;

		if (!is_wanted(leaks, area, report, filter))
			continue;
		if (leaks_group_of(leaks, area, &group))
			return -ENOMEM;
		if (group == NO_GROUP)
			continue;
		if (roll)
			roll->living[next[group]] = (struct living){ area->birth_ns,
								     area->start,
								     { area->pid, area->comm_id } };
		if (next)
			next[group]++;
	}
	return 0;
}

static int roll_call(struct leaks *leaks, const struct space *space, struct leaks_report *report,
		     const struct leaks_filter *filter, struct roll *roll)
{
	int err = walk(leaks, space, report, filter, NULL, NULL);
	uint32_t *next = calloc(leaks->nr_groups + 1, sizeof(*next));
	uint32_t sum = 0, most = 0;

	if (!err)
		err = next ? walk(leaks, space, report, filter, NULL, next) : -ENOMEM;

	roll->first = calloc(leaks->nr_groups + 1, sizeof(*roll->first));
	for (uint32_t i = 0; !err && roll->first && i <= leaks->nr_groups; i++) {
		uint32_t count = i < leaks->nr_groups ? next[i] : 0;

		roll->first[i] = next[i] = sum;
		sum += count;
		most = count > most ? count : most;
	}
	roll->living = calloc(sum + 1, sizeof(*roll->living));
	roll->births = calloc(most + 1, sizeof(*roll->births));
	if (!err && (!roll->first || !roll->living || !roll->births))
		err = -ENOMEM;
	if (!err)
		err = walk(leaks, space, report, filter, roll, next);
	free(next);
	for (uint32_t i = 0; !err && i < leaks->nr_groups; i++)
		qsort(&roll->living[roll->first[i]], roll->first[i + 1] - roll->first[i],
		      sizeof(*roll->living), compare_living);
	return err;
}

/* ---- missed events -----------------------------------------------------------------------------
 */

/* How many frees of a group may have been missed: three times its share of those that were seen,
 * and a few. A group of which none was ever freed has no such share. */
static uint64_t most_missed(const struct leaks *leaks, const struct leak_group *group)
{
	uint64_t missed = 0, seen = leaks->frees + 1;

	for (uint32_t l = 0; l < leaks->nr_losses; l++)
		missed += leaks->losses[l].count;
	if (missed > UINT32_MAX)
		missed = UINT32_MAX;
	return 3 * missed * (group->freed < UINT32_MAX / 3 ? group->freed : UINT32_MAX / 3) / seen +
	       3;
}

/* Takes away, of births, those whose FREE may be among the missed: of each loss, as many as were
 * missed, those born last before it. */
static uint32_t drop_doubtful(const struct leaks *leaks, const struct leak_group *group,
			      uint64_t *births, uint32_t *count)
{
	uint64_t most = leaks->nr_losses ? most_missed(leaks, group) : 0;
	uint32_t dropped = 0;

	for (uint32_t l = 0; l < leaks->nr_losses; l++) {
		const struct leak_loss *loss = &leaks->losses[l];
		uint64_t drop = loss->count < most ? loss->count : most;
		uint32_t before = 0;

		while (before < *count && births[before] <= loss->t_ns)
			before++;
		if (drop > before)
			drop = before;
		memmove(&births[before - drop], &births[before],
			(*count - before) * sizeof(*births));
		*count -= (uint32_t)drop;
		dropped += (uint32_t)drop;
		most -= drop;
	}
	return dropped;
}

/* ---- one group
 * ----------------------------------------------------------------------------------- */

static void add_task(struct leak_suspect *suspect, struct leak_task task)
{
	for (uint32_t i = 0; i < suspect->nr_tasks; i++) {
		if (suspect->tasks[i].pid == task.pid && suspect->tasks[i].comm_id == task.comm_id)
			return;
	}
	if (suspect->nr_tasks < LEAKS_TASKS)
		suspect->tasks[suspect->nr_tasks++] = task;
}

static void tell_living(struct leak_suspect *suspect, const struct living *living, uint32_t count)
{
	if (!count)
		return;
	suspect->oldest_ns = living[0].birth_ns;
	suspect->median_ns = living[count / 2].birth_ns;
	suspect->newest_ns = living[count - 1].birth_ns;
	for (uint32_t i = 0; i < count && i < LEAKS_OLDEST; i++)
		suspect->oldest[suspect->nr_oldest++] = living[i].start;
	for (uint32_t i = count; i > 0; i--)
		add_task(suspect, living[i - 1].task);
}

/* Nobody is left to free what an unloaded module allocated. */
static void judge_orphans(struct leaks *leaks, const struct leaks_report *report,
			  struct leak_suspect *suspect, const uint64_t *births, uint32_t count)
{
	enum owners_by by = leaks->options.by;
	struct leak_gone gone;

	if (by == OWNERS_BY_KIND || by == OWNERS_BY_COMM ||
	    !leak_modules_gone(leaks->modules, suspect->module_id, &gone))
		return;
	suspect->gone_ns = gone.t_ns;
	if (report->is_live && report->now_ns < gone.settled_ns)
		return;
	while (suspect->orphans < count && births[suspect->orphans] <= suspect->gone_ns)
		suspect->orphans++;
	if (!suspect->orphans)
		return;
	suspect->verdict.finding = LEAK_OWNER_GONE;
	suspect->verdict.score = GONE_SCORE;
	suspect->verdict.old = suspect->orphans;
	suspect->verdict.first_ns = births[0];
	suspect->verdict.last_ns = births[suspect->orphans - 1];
}

static void judge(struct leaks *leaks, const struct leaks_report *report, struct roll *roll,
		  uint32_t index, struct leak_suspect *suspect)
{
	const struct leak_group *group = leaks->groups[index];
	const struct living *living = &roll->living[roll->first[index]];
	uint32_t all = roll->first[index + 1] - roll->first[index], count = all;
	struct leak_case c = {
		.births = roll->births,
		.born = group->born,
		.ages = &group->ages,
		.asked = { suspect->series.born, suspect->series.now + 1, report->clock.step_ns,
			   report->clock.start_ns },
		.start_ns = report->start_ns,
		.now_ns = report->now_ns,
	};

	for (uint32_t i = 0; i < all; i++)
		roll->births[i] = living[i].birth_ns;
	tell_living(suspect, living, all);
	suspect->doubtful = drop_doubtful(leaks, group, roll->births, &count);
	c.count = count;
	suspect->verdict = leak_judge(&c);
	/* A module that is loaded is not leaked; who loads ever more of them is no allocator. */
	if (suspect->verdict.finding == LEAK_GROWS && suspect->kind == KIND_MODULE) {
		suspect->verdict.finding = LEAK_LOADED;
		suspect->verdict.score = LOADED;
	}
	judge_orphans(leaks, report, suspect, roll->births, count);
	suspect->born_since =
		leak_series_born_since(&suspect->series, &report->clock, suspect->verdict.first_ns);
}

static void describe(const struct leak_group *group, const struct leak_clock *clock,
		     struct leak_suspect *suspect)
{
	*suspect = (struct leak_suspect){
		.ages = group->ages,
		.series = group->series,
		.name_id = group->name_id,
		.owner_id = group->owner_id,
		.module_id = group->module_id,
		.stack_id = group->stack_id ? group->stack_id : group->example,
		.live = group->live,
		.live_bytes = group->live_pages * VMT_PAGE_SIZE,
		.kind = group->kind,
		.born = group->born,
		.freed = group->freed,
		.vanished = group->vanished,
	};
	leak_series_advance(&suspect->series, clock);
	suspect->slope = leak_series_slope(&suspect->series, clock);
}

/* ---- all of them
 * --------------------------------------------------------------------------------- */

static void count_others(const struct leaks *leaks, const struct space *space,
			 const struct leaks_filter *filter, struct leaks_report *report)
{
	const struct area *area;

	for (area = space_first(space, space_start(space)); area;
	     area = space_first(space, area->end)) {
		if (area->state != AREA_USED)
			continue;
		if (leaks_counts(leaks, area)) {
			report->filtered += !passes(leaks, area, report, filter);
			continue;
		}
		if (leaks_is_own(leaks, area)) {
			report->own++;
			report->own_bytes += area->end - area->start;
		} else {
			report->before++;
			report->before_bytes += area->end - area->start;
		}
	}
	for (uint32_t i = 0; i < leaks->nr_losses; i++)
		report->missed += leaks->losses[i].count;
}

/* Replay must print what live printed, so ties fall to no id: the sort below is stable. */
static bool comes_before(const struct leak_suspect *a, const struct leak_suspect *b)
{
	if (a->verdict.score != b->verdict.score)
		return a->verdict.score > b->verdict.score;
	if (a->live_bytes != b->live_bytes)
		return a->live_bytes > b->live_bytes;
	if (a->oldest_ns != b->oldest_ns)
		return a->oldest_ns < b->oldest_ns;
	return a->oldest[0] < b->oldest[0];
}

static int compare_suspects(const void *a, const void *b)
{
	return comes_before(a, b) ? -1 : comes_before(b, a);
}

int leaks_report(struct leaks *leaks, const struct space *space, uint64_t now_ns,
		 const struct leaks_filter *filter, struct leaks_report *report)
{
	struct roll roll = { 0 };
	int err;

	memset(report, 0, sizeof(*report));
	report->start_ns = leaks->start_ns;
	report->now_ns = space_counters(space)->last_t_ns;
	report->is_live = now_ns != 0;
	if (now_ns > report->now_ns)
		report->now_ns = now_ns;
	report->clock = leaks->clock;
	if (leaks->begun)
		leak_clock_advance(&report->clock, report->now_ns);
	err = roll_call(leaks, space, report, filter, &roll);
	report->list = calloc(leaks->nr_groups + 1, sizeof(*report->list));
	for (uint32_t i = 0; !err && report->list && i < leaks->nr_groups; i++) {
		struct leak_suspect *suspect = &report->list[report->count];

		if (roll.first[i] == roll.first[i + 1] ||
		    leaks->groups[i]->live_pages < filter->min_bytes / VMT_PAGE_SIZE)
			continue;
		describe(leaks->groups[i], &report->clock, suspect);
		judge(leaks, report, &roll, i, suspect);
		report->leaks += suspect->verdict.score >= LEAK_SCORE;
		report->count++;
	}
	roll_release(&roll);
	if (err || !report->list) {
		leaks_report_release(report);
		return -ENOMEM;
	}
	qsort(report->list, report->count, sizeof(*report->list), compare_suspects);
	count_others(leaks, space, filter, report);
	return 0;
}

void leaks_report_release(struct leaks_report *report)
{
	free(report->list);
	report->list = NULL;
	report->count = 0;
}

bool leaks_is_leaked(const struct leaks *leaks, const struct leaks_report *report,
		     const struct area *area)
{
	if (!leaks_counts(leaks, area))
		return false;
	for (uint32_t i = 0; i < report->leaks; i++) {
		if (report->list[i].stack_id == area_stack(area))
			return true;
	}
	return false;
}
