// SPDX-License-Identifier: GPL-2.0-only
/* How often chance alone misleads the judge (src/space/leak_judge.h): births drawn at random, never
 * freed, watched for an hour; of a leak (even) and of caches that become full. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "space/leak_judge.h"

#define WATCH_NS 3600e9
#define RUNS     20000

static const uint32_t counts[] = { 8, 10, 15, 20, 30, 50, 100, 300 };
#define NR_COUNTS (sizeof(counts) / sizeof(counts[0]))

/* Where in the watch (0 to 1) the next is born; 1 and more = not in it. */
typedef double draw(double parameter);

static double even(void)
{
	return ((double)random() + 0.5) / 2147483648.0;
}

/* From `begin` on. */
static double draw_leak(double begin)
{
	return begin + (1 - begin) * even();
}

/* Slots are filled at random; time constant tau. */
static double draw_filling(double tau)
{
	return -log(even()) * tau;
}

/* Nothing comes after `full`. */
static double draw_plateau(double full)
{
	return full * even();
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool is_leak(draw *place, double parameter, uint32_t count)
{
	static const struct leak_ages none;
	uint64_t births[300];
	struct leak_case c = { .births = births, .ages = &none, .now_ns = (uint64_t)WATCH_NS };

	for (uint32_t i = 0; i < count; i++) {
		double at = place(parameter);

		if (at < 1)
			births[c.count++] = (uint64_t)(at * WATCH_NS);
	}
	c.born = c.count;
	qsort(births, c.count, sizeof(births[0]), compare);
	return leak_judge(&c).score >= LEAK_SCORE;
}

/* How often it is not as it should be, in percent. */
static void show(const char *name, draw *place, double parameter, bool leak)
{
	printf("%-22s %4.2f", name, parameter);
	for (size_t i = 0; i < NR_COUNTS; i++) {
		uint32_t wrong = 0;

		for (uint32_t run = 0; run < RUNS; run++)
			wrong += is_leak(place, parameter, counts[i]) != leak;
		printf(" %6.2f", 100.0 * wrong / RUNS);
	}
	putchar('\n');
}

int main(void)
{
	static const double taus[] = { 0.1, 0.2, 0.25, 0.33, 0.5 };
	static const double fulls[] = { 0.3, 0.5, 0.7, 0.8 };

	printf("%-27s", "wrong in %, of areas:");
	for (size_t i = 0; i < NR_COUNTS; i++)
		printf(" %6u", counts[i]);
	putchar('\n');
	show("leak missed, from", draw_leak, 0, true);
	show("leak missed, from", draw_leak, 0.7, true);
	for (size_t i = 0; i < sizeof(taus) / sizeof(taus[0]); i++)
		show("filling told, constant", draw_filling, taus[i], false);
	for (size_t i = 0; i < sizeof(fulls) / sizeof(fulls[0]); i++)
		show("plateau told, full at", draw_plateau, fulls[i], false);
	return 0;
}
