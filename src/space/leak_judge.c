// SPDX-License-Identifier: GPL-2.0-only
#include "space/leak_judge.h"

#include <stdbool.h>

#define NS_PER_HOUR 3600000000000ull

/* docs/LEAKS.md gives the reason of each. */
#define FEWEST         3u
#define HALF_SURE      11u /* twice the number of old areas at which the score is one half */
#define HALF_SURE_ODD  7u  /* ... if they stand out from many that were freed young */
#define FREED_SHARE    20u /* one in so many may be freed at such an age */
#define PARTS          16u
#define ASKED_SHARE    5u /* of so many that were asked for one is left: most are freed */
#define LONGEST_NEEDED (6 * NS_PER_HOUR)
#define SHORT_NS       (NS_PER_HOUR / 60)

/* ---- from which age on are they never freed? ------------------------------------------------- */

/* How many live areas are as old or older. Births ascend, so these come first. */
static uint32_t live_from(const struct leak_case *c, uint64_t age_ns)
{
	uint32_t low = 0, high = c->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (c->births[middle] <= c->now_ns && c->now_ns - c->births[middle] >= age_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static uint64_t allowed(uint32_t live)
{
	return live / FREED_SHARE + (live >= FREED_SHARE / 2);
}

/* Of those that reached this age, and of those that became older, hardly any was freed. The age of
 * the oldest few is no measure: who is older than all that were freed may be just the next. */
static bool lives_for_ever(const struct leak_case *c, uint32_t bin)
{
	uint32_t all = live_from(c, leak_ages_edge(bin));

	for (; bin < LEAK_AGE_BINS; bin++) {
		uint32_t live = live_from(c, leak_ages_edge(bin));

		if (live < FEWEST || live < all / 4)
			break;
		if (leak_ages_from(c->ages, bin) > allowed(live))
			return false;
	}
	return true;
}

/* What most of a group's areas live, and half as long again, is no age for one of them. It tells
 * something only if more than a few of them were freed. */
static uint64_t usual_age(const struct leak_case *c)
{
	uint64_t freed = leak_ages_total(c->ages), age_ns;

	if (freed < 5 || freed < c->born / 10)
		return 0;
	age_ns = leak_ages_percentile(c->ages, 90);
	return age_ns + age_ns / 2;
}

/* The bin of that age; LEAK_AGE_BINS if there is none. Not beyond half the age of the oldest: then
 * there was no time to see what becomes of them. */
static uint32_t find_age(const struct leak_case *c)
{
	uint64_t limit_ns = (c->now_ns - c->births[0]) / 2, least_ns = usual_age(c);

	for (uint32_t bin = 0; bin < LEAK_AGE_BINS && leak_ages_edge(bin) <= limit_ns; bin++) {
		if (leak_ages_edge(bin) >= least_ns && lives_for_ever(c, bin))
			return bin;
	}
	return LEAK_AGE_BINS;
}

/* ---- do they become more? -------------------------------------------------------------------- */

/* The old ones: births[0 .. count - 1], all at or before end_ns. */
struct growth {
	const uint64_t *births;
	uint32_t count;
	uint64_t first_ns;
	uint64_t end_ns;
};

/* Where in the time a birth lies, in thousandths: 0 to 999. */
static uint32_t place_of(const struct growth *g, uint64_t birth_ns)
{
	uint64_t whole_ns = g->end_ns - g->first_ns;

	return (uint32_t)((birth_ns - g->first_ns) / (whole_ns / 1000 + 1));
}

/* How many of `parts` equal parts of the time (at most 64) have a birth. */
static uint32_t parts_seen(const struct growth *g, uint32_t parts)
{
	uint64_t seen = 0;

	for (uint32_t i = 0; i < g->count; i++)
		seen |= 1ull << (place_of(g, g->births[i]) * parts / 1000);
	return (uint32_t)__builtin_popcountll(seen);
}

static uint64_t longest_wait(const struct growth *g)
{
	uint64_t longest_ns = 0;

	for (uint32_t i = 1; i < g->count; i++) {
		if (g->births[i] - g->births[i - 1] > longest_ns)
			longest_ns = g->births[i] - g->births[i - 1];
	}
	return longest_ns;
}

/*
 * None came for a tenth of the time or more, which is long beside the usual wait, and beside the
 * longest before: the more of the one, the less of the other. Where they came evenly, chance has
 * less room. What comes at once is one.
 */
static bool has_stopped(const struct growth *g)
{
	uint64_t last_ns = g->births[g->count - 1];
	uint64_t gap_ns = g->end_ns - last_ns, span_ns = last_ns - g->first_ns;
	uint64_t whole_ns = gap_ns + span_ns, longest_ns = longest_wait(g);
	uint32_t times = parts_seen(g, 64);
	uint64_t wait_ns = times > 1 ? span_ns / (times - 1) : span_ns;
	bool is_even = longest_ns / 5 * 2 < span_ns / (g->count - 1);

	return (is_even && gap_ns > whole_ns / 8 && gap_ns / 5 * 2 > wait_ns &&
		gap_ns / 2 > longest_ns) ||
	       (gap_ns > whole_ns / 10 && gap_ns / 6 > wait_ns && gap_ns / 3 * 2 > longest_ns) ||
	       (gap_ns > whole_ns / 4 && gap_ns / 11 * 2 > wait_ns);
}

/* As many births, if each came for itself, would be in as many 64ths of the time; at most all. */
static uint32_t chances(const struct growth *g)
{
	uint32_t empty = 64 << 16, wanted = (64 - parts_seen(g, 64)) << 16, count = 0;

	for (; count < g->count && empty > wanted; count++)
		empty -= empty / 64;
	return count;
}

/* How many were asked for up to that time, in 1024ths: evenly within a step. */
static uint64_t asked_until(const struct leak_asked *asked, uint64_t t_ns)
{
	uint64_t passed_ns = t_ns > asked->from_ns ? t_ns - asked->from_ns : 0;
	uint64_t last = passed_ns / asked->step_ns, sum = 0;

	for (uint32_t i = 0; i < asked->steps && i < last; i++)
		sum += 1024ull * asked->count[i];
	if (last < asked->steps)
		sum += asked->count[last] *
		       (passed_ns % asked->step_ns / (asked->step_ns / 1024 + 1));
	return sum;
}

/* The place of a birth by how many were asked for, not by time. */
static uint32_t place_asked(const struct growth *g, const struct leak_asked *asked,
			    uint64_t birth_ns)
{
	uint64_t first = asked_until(asked, g->first_ns),
		 all = asked_until(asked, g->end_ns) - first;

	return (uint32_t)((asked_until(asked, birth_ns) - first) * 1000 / (all + 1));
}

/*
 * Laplace's test: were they born evenly, the mean place were 500, with a deviation of
 * 1000 / sqrt(12 n). It slows down if the mean is 3 deviations early and the last third has less
 * than a quarter; with fewer, by whom less can be told, 2.8 or 2.5, and a fifth. n counts chances,
 * not areas: those that come together (in office hours, by a job) are fewer. Places by what was
 * asked for if `asked` is not NULL.
 */
static bool comes_early(const struct growth *g, const struct leak_asked *asked)
{
	uint32_t tenths = g->count >= 50 ? 30 : g->count >= 20 ? 28 : 25;
	uint32_t share = g->count >= 50 ? 4 : 5;
	uint64_t sum = 0, early;
	uint32_t late = 0;

	for (uint32_t i = 0; i < g->count; i++) {
		uint32_t place =
			asked ? place_asked(g, asked, g->births[i]) : place_of(g, g->births[i]);

		sum += place;
		late += place >= 667;
	}
	if (late * share >= g->count || sum / g->count >= 500)
		return false;
	early = 500 - sum / g->count;
	return early * early * 12 * chances(g) * 100 > tenths * tenths * 1000000ull;
}

/*
 * Ever fewer come, and not because fewer are asked for: where most are freed, that some stay is of
 * the asking, and if that slows down, so does a leak. Where all stay, there is no such measure.
 */
static bool is_slowing(const struct leak_case *c, const struct growth *g)
{
	bool most_are_freed = c->asked.steps && c->born / ASKED_SHARE >= c->count;

	return g->count >= 10 && comes_early(g, NULL) &&
	       (!most_are_freed || comes_early(g, &c->asked));
}

/* How many sixteenths of the time have a birth, against how many would if they were even. */
static bool has_steps(const struct growth *g)
{
	uint32_t empty = PARTS << 16;

	for (uint32_t i = 0; i < g->count && i < 100; i++)
		empty -= empty / PARTS;
	return parts_seen(g, PARTS) * 100 < 35 * (PARTS - (empty >> 16));
}

static uint64_t needed_ns(const struct leak_case *c)
{
	uint64_t part_ns = c->now_ns > c->start_ns ? (c->now_ns - c->start_ns) / 12 : 0;

	return part_ns < LONGEST_NEEDED ? part_ns : LONGEST_NEEDED;
}

/* In less than a minute much comes that stays, and is no leak: programs start. */
static uint32_t half_sure(const struct leak_case *c, bool odd)
{
	if (odd)
		return HALF_SURE_ODD;
	return c->now_ns - c->start_ns < SHORT_NS ? 2 * HALF_SURE : HALF_SURE;
}

/* For one that stayed twenty or more were freed, and half of those that stayed have ten times the
 * age that hardly any of the freed came to. */
static bool stand_out(const struct leak_case *c, const struct leak_verdict *v)
{
	uint64_t middle_ns = c->now_ns - c->births[v->old / 2];

	return leak_ages_total(c->ages) / 20 >= v->old &&
	       middle_ns / 10 > leak_ages_percentile(c->ages, 99);
}

/* What stands out fills no cache: a cache would have kept the others too. */
static void judge_growth(struct leak_verdict *v, const struct leak_case *c, const struct growth *g,
			 bool odd)
{
	uint64_t span_ns = v->last_ns - v->first_ns;

	if (v->old < FEWEST) {
		v->finding = LEAK_FEW;
		v->score = 50 * v->old;
	} else if (span_ns < v->needed_ns || !span_ns) {
		v->finding = LEAK_BURST;
		v->score = (uint32_t)(300 * (span_ns / 1024) / (v->needed_ns / 1024 + 1));
	} else if (has_stopped(g)) {
		v->finding = LEAK_STOPPED;
		v->score = 150;
	} else if (!odd && is_slowing(c, g)) {
		v->finding = LEAK_SLOWING;
		v->score = 250;
	} else if (has_steps(g)) {
		v->finding = LEAK_STEPS;
		v->score = 300;
	} else {
		v->finding = LEAK_GROWS;
		v->score = (uint32_t)(2000ull * v->old / (2ull * v->old + half_sure(c, odd)));
	}
}

/* ---- both --------------------------------------------------------------------------------------
 */

struct leak_verdict leak_judge(const struct leak_case *c)
{
	struct leak_verdict v = { .finding = LEAK_NONE };
	struct growth g = { .births = c->births };
	uint32_t bin;
	bool odd;

	if (!c->count || c->births[0] > c->now_ns)
		return v;
	v.needed_ns = needed_ns(c);
	v.first_ns = c->births[0];
	v.last_ns = c->births[c->count - 1];
	bin = find_age(c);
	if (bin == LEAK_AGE_BINS) {
		bool old = c->now_ns - v.first_ns > leak_ages_percentile(c->ages, 90);

		v.finding = old ? LEAK_FREED : LEAK_YOUNG;
		v.score = old ? 100 : 50;
		return v;
	}
	v.old_age_ns = leak_ages_edge(bin);
	v.freed_old = (uint32_t)leak_ages_from(c->ages, bin);
	v.old = g.count = live_from(c, v.old_age_ns);
	if (v.old)
		v.last_ns = c->births[v.old - 1];
	g.first_ns = v.first_ns;
	g.end_ns = c->now_ns - v.old_age_ns;
	odd = v.old && stand_out(c, &v);
	judge_growth(&v, c, &g, odd);
	return v;
}
