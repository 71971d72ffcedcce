// SPDX-License-Identifier: GPL-2.0-only
#include "space/leak_series.h"

#include "space/slope.h"

#define FIRST_STEP_NS 10000000ull /* 2^64 ns are reached by 35 doublings */
#define NS_PER_MS     1000000u
#define MS_PER_HOUR   3600000

struct leak_clock leak_clock_new(uint64_t start_ns)
{
	return (struct leak_clock){ .start_ns = start_ns, .step_ns = FIRST_STEP_NS };
}

void leak_clock_advance(struct leak_clock *clock, uint64_t t_ns)
{
	uint64_t passed_ns = t_ns > clock->start_ns ? t_ns - clock->start_ns : 0;

	while (passed_ns / clock->step_ns >= LEAK_STEPS_MAX) {
		clock->step_ns *= 2;
		clock->now /= 2;
		clock->doubled++;
	}
	if (passed_ns / clock->step_ns > clock->now)
		clock->now = (uint32_t)(passed_ns / clock->step_ns);
}

static void widen(struct leak_series *series)
{
	for (uint32_t i = 0; i <= series->now; i += 2) {
		bool pair = i < series->now;

		series->pages[i / 2] = series->pages[i + pair];
		series->born[i / 2] = series->born[i] + (pair ? series->born[i + 1] : 0);
	}
	for (uint32_t i = series->now / 2 + 1; i < LEAK_STEPS_MAX; i++)
		series->born[i] = 0;
	series->now /= 2;
	series->doubled++;
}

void leak_series_advance(struct leak_series *series, const struct leak_clock *clock)
{
	while (series->doubled < clock->doubled)
		widen(series);
	for (; series->now < clock->now; series->now++)
		series->pages[series->now + 1] = series->pages[series->now];
}

void leak_series_put(struct leak_series *series, const struct leak_clock *clock, uint32_t pages,
		     uint32_t born)
{
	leak_series_advance(series, clock);
	series->pages[series->now] = pages;
	series->born[series->now] += born;
}

uint64_t leak_series_born_since(const struct leak_series *series, const struct leak_clock *clock,
				uint64_t t_ns)
{
	uint64_t passed_ns = t_ns > clock->start_ns ? t_ns - clock->start_ns : 0, sum = 0;

	for (uint64_t i = passed_ns / clock->step_ns; i <= series->now; i++)
		sum += series->born[i];
	return sum;
}

/* Fits 64 bits: 2^32 bytes x 3,600,000 is below 2^54. */
int64_t leak_series_slope(const struct leak_series *series, const struct leak_clock *clock)
{
	int64_t slopes[LEAK_STEPS_MAX * (LEAK_STEPS_MAX - 1) / 2];
	uint32_t count = 0;

	for (uint32_t i = 0; i <= series->now; i++) {
		for (uint32_t j = i + 1; j <= series->now; j++) {
			int64_t bytes =
				((int64_t)series->pages[j] - series->pages[i]) * VMT_PAGE_SIZE;
			int64_t ms = (int64_t)((j - i) * (clock->step_ns / NS_PER_MS));

			slopes[count++] = bytes * MS_PER_HOUR / ms;
		}
	}
	return slope_median(slopes, count);
}
