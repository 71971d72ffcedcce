/* SPDX-License-Identifier: GPL-2.0-only */
#include "space/trend.h"

#include <stdlib.h>
#include <string.h>

#include "space/holes.h"
#include "space/slope.h"

#define NS_PER_MS   1000000u
#define MS_PER_HOUR 3600000

struct sample {
	uint32_t value[TREND_WHAT_COUNT];
	bool uncertain;
};

/* Buckets before `now` are closed; bucket `now` takes what comes up to until_ns. */
struct trend {
	struct trend_step step; /* bucket `now` */
	uint64_t start_ns;
	uint64_t step_ns;
	uint32_t now;
	bool begun;
	bool fail_sampled; /* in bucket `now` */
	struct sample first;
	struct trend_bucket buckets[TREND_BUCKETS];
};

struct trend *trend_new(void)
{
	return calloc(1, sizeof(struct trend));
}

void trend_free(struct trend *trend)
{
	free(trend);
}

static uint32_t hole_bytes(const struct hole *hole)
{
	return hole->end - hole->start;
}

static struct sample take_sample(const struct space *space)
{
	struct space_totals totals = space_totals(space);
	struct holes_report holes;

	holes_report(space, &holes);
	return (struct sample){
		.value = {
			[TREND_USED] = totals.used_bytes,
			[TREND_LAZY] = totals.lazy_bytes,
			[TREND_FREE] = totals.free_bytes,
			[TREND_LARGEST] = hole_bytes(&holes.largest),
			[TREND_AFTER_PURGE] = hole_bytes(&holes.largest_after_purge),
		},
		.uncertain = space_uncertain(space),
	};
}

static void merge_value(struct trend_value *into, const struct trend_value *next)
{
	if (next->min < into->min)
		into->min = next->min;
	if (next->max > into->max)
		into->max = next->max;
	into->last = next->last;
}

void trend_merge(struct trend_bucket *into, const struct trend_bucket *next)
{
	for (unsigned int i = 0; i < TREND_WHAT_COUNT; i++)
		merge_value(&into->value[i], &next->value[i]);
	into->fails += next->fails;
	into->uncertain |= next->uncertain;
	into->last_uncertain = next->last_uncertain;
}

/* A bucket in which nothing was measured but this. */
static struct trend_bucket flat_bucket(const struct sample *sample)
{
	struct trend_bucket bucket = {
		.uncertain = sample->uncertain,
		.last_uncertain = sample->uncertain,
	};

	for (unsigned int i = 0; i < TREND_WHAT_COUNT; i++) {
		uint32_t value = sample->value[i];

		bucket.value[i] = (struct trend_value){ value, value, value };
	}
	return bucket;
}

static void add_sample(struct trend_bucket *bucket, const struct sample *sample)
{
	struct trend_bucket flat = flat_bucket(sample);

	trend_merge(bucket, &flat);
}

static uint64_t last_ns_of(uint64_t start_ns, uint64_t step_ns, uint32_t index)
{
	uint64_t room = UINT64_MAX - start_ns;

	return room / step_ns <= index ? UINT64_MAX : start_ns + (index + 1) * step_ns - 1;
}

static void begin(struct trend *trend, const struct space *space)
{
	trend->start_ns = space_counters(space)->last_t_ns;
	trend->step_ns = TREND_STEP_NS;
	trend->first = take_sample(space);
	trend->buckets[0] = flat_bucket(&trend->first);
	trend->step.until_ns = last_ns_of(trend->start_ns, trend->step_ns, 0);
	trend->begun = true;
}

/* Twice the width: bucket i takes what 2i and 2i + 1 had. `now` may be alone. */
static void widen(struct trend *trend)
{
	uint32_t i;

	for (i = 0; i <= trend->now; i += 2) {
		trend->buckets[i / 2] = trend->buckets[i];
		if (i < trend->now)
			trend_merge(&trend->buckets[i / 2], &trend->buckets[i + 1]);
	}
	trend->now /= 2;
	trend->step_ns *= 2;
}

/*
 * Closes the buckets that end at or before t_ns, with the state of space, which has held since the
 * event before. The first width is 1e8 ns, so after 31 doublings 128 steps exceed 2^64 ns.
 */
static void advance(struct trend *trend, const struct space *space, uint64_t t_ns)
{
	struct sample sample = take_sample(space);

	add_sample(&trend->buckets[trend->now], &sample);
	while ((t_ns - trend->start_ns) / trend->step_ns >= TREND_BUCKETS)
		widen(trend);
	while (trend->now < (t_ns - trend->start_ns) / trend->step_ns)
		trend->buckets[++trend->now] = flat_bucket(&sample);
	trend->step.until_ns = last_ns_of(trend->start_ns, trend->step_ns, trend->now);
	trend->fail_sampled = false;
}

static void count_failure(struct trend *trend, const struct space *space)
{
	struct sample sample;

	trend->buckets[trend->now].fails++;
	if (trend->fail_sampled || space_in_snapshot(space))
		return;
	sample = take_sample(space);
	add_sample(&trend->buckets[trend->now], &sample);
	trend->fail_sampled = true;
}

void trend_look(struct trend *trend, const struct space *space, const struct event *event)
{
	if (event->t_ns > trend->step.until_ns && !space_in_snapshot(space)) {
		if (!trend->begun && space_counters(space)->snapshots)
			begin(trend, space);
		if (trend->begun && event->t_ns > trend->step.until_ns)
			advance(trend, space, event->t_ns);
	}
	if (event->type == EV_FAIL && trend->begun)
		count_failure(trend, space);
}

uint64_t trend_end_ns(const struct trend_report *report, uint32_t index)
{
	if (index + 1 >= report->count)
		return report->end_ns;
	return report->start_ns + (index + 1) * report->step_ns;
}

/* What the slope is drawn through: the begin (0), then the end of each bucket. Returns the largest
 * hole there; *ms: when, since the begin. */
static int64_t point(const struct trend_report *report, uint32_t index, int64_t *ms)
{
	*ms = 0;
	if (!index)
		return report->first[TREND_LARGEST];
	*ms = (int64_t)((trend_end_ns(report, index - 1) - report->start_ns) / NS_PER_MS);
	return report->buckets[index - 1].value[TREND_LARGEST].last;
}

/* Fits 64 bits: 2^32 bytes x 3,600,000 is below 2^54. */
static int64_t median_slope(const struct trend_report *report)
{
	int64_t slopes[(TREND_BUCKETS + 1) * TREND_BUCKETS / 2];
	uint32_t count = 0;

	for (uint32_t i = 0; i <= report->count; i++) {
		int64_t from_ms, from = point(report, i, &from_ms);

		for (uint32_t j = i + 1; j <= report->count; j++) {
			int64_t to_ms, to = point(report, j, &to_ms);

			if (to_ms > from_ms)
				slopes[count++] = (to - from) * MS_PER_HOUR / (to_ms - from_ms);
		}
	}
	return slope_median(slopes, count);
}

static void sum_up(struct trend_report *report)
{
	memcpy(report->all, report->buckets[0].value, sizeof(report->all));
	for (uint32_t i = 0; i < report->count; i++) {
		for (unsigned int what = 0; what < TREND_WHAT_COUNT; what++)
			merge_value(&report->all[what], &report->buckets[i].value[what]);
		report->uncertain |= report->buckets[i].uncertain;
	}
	report->has_slope = report->end_ns - report->start_ns >= TREND_SLOPE_MIN_NS;
	if (report->has_slope)
		report->slope = median_slope(report);
}

/* Brings a copy up to now; false if there is nothing to show. now_ns: at least that of the newest
 * event. */
static bool bring_up(struct trend *copy, const struct space *space, uint64_t now_ns)
{
	struct sample sample;

	if (space_in_snapshot(space))
		return copy->begun;
	if (!copy->begun && !space_counters(space)->snapshots)
		return false;
	if (!copy->begun)
		begin(copy, space);
	if (now_ns > copy->step.until_ns)
		advance(copy, space, now_ns);
	sample = take_sample(space);
	add_sample(&copy->buckets[copy->now], &sample);
	return true;
}

/* now_ns lies in bucket `now` but after an event that was rejected, or in a snapshot. */
static uint64_t end_of(const struct trend *trend, uint64_t now_ns)
{
	uint64_t from_ns = trend->start_ns + trend->now * trend->step_ns;

	if (now_ns < from_ns)
		return from_ns;
	return now_ns > trend->step.until_ns ? trend->step.until_ns : now_ns;
}

void trend_report(const struct trend *trend, const struct space *space, uint64_t now_ns,
		  struct trend_report *report)
{
	uint64_t last_ns = space_counters(space)->last_t_ns;
	struct trend copy = *trend;

	memset(report, 0, sizeof(*report));
	if (now_ns < last_ns)
		now_ns = last_ns;
	if (!bring_up(&copy, space, now_ns))
		return;
	report->start_ns = copy.start_ns;
	report->end_ns = end_of(&copy, now_ns);
	report->step_ns = copy.step_ns;
	memcpy(report->first, copy.first.value, sizeof(report->first));
	report->first_uncertain = copy.first.uncertain;
	report->count = copy.now + 1;
	memcpy(report->buckets, copy.buckets, report->count * sizeof(report->buckets[0]));
	sum_up(report);
}
