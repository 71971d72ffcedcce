// SPDX-License-Identifier: GPL-2.0-only
#include "space/leak_ages.h"

#define FIRST_POWER 19u /* 2^19 ns are 0.5 ms */

uint64_t leak_ages_edge(uint32_t bin)
{
	return bin ? (uint64_t)(2 + bin % 2) << (FIRST_POWER + bin / 2 - 1) : 0;
}

static uint32_t bin_of(uint64_t age_ns)
{
	uint32_t power, bin;

	if (age_ns < leak_ages_edge(1))
		return 0;
	power = 63u - (uint32_t)__builtin_clzll(age_ns);
	bin = 2 * (power - FIRST_POWER) + (uint32_t)(age_ns >> (power - 1) & 1);
	return bin < LEAK_AGE_BINS ? bin : LEAK_AGE_BINS - 1;
}

void leak_ages_add(struct leak_ages *ages, uint64_t age_ns, uint32_t count)
{
	uint32_t *bin = &ages->count[bin_of(age_ns)];

	*bin = *bin > UINT32_MAX - count ? UINT32_MAX : *bin + count;
}

uint64_t leak_ages_from(const struct leak_ages *ages, uint32_t bin)
{
	uint64_t sum = 0;

	for (; bin < LEAK_AGE_BINS; bin++)
		sum += ages->count[bin];
	return sum;
}

uint64_t leak_ages_total(const struct leak_ages *ages)
{
	return leak_ages_from(ages, 0);
}

uint64_t leak_ages_percentile(const struct leak_ages *ages, uint32_t percent)
{
	uint64_t wanted = (leak_ages_total(ages) * percent + 99) / 100, sum = 0;

	for (uint32_t bin = 0; wanted && bin < LEAK_AGE_BINS; bin++) {
		sum += ages->count[bin];
		if (sum >= wanted)
			return leak_ages_edge(bin + 1);
	}
	return 0;
}
