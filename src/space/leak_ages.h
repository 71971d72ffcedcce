/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How old areas were when they were freed: a histogram of fixed size, two bins for each power of
 * two from 0.5 ms to 26 days. Bin i holds ages from leak_ages_edge(i) on; the first also what is
 * less, the last also what is more.
 */
#ifndef VMTRACE_SPACE_LEAK_AGES_H
#define VMTRACE_SPACE_LEAK_AGES_H

#include <stdint.h>

#define LEAK_AGE_BINS 64

struct leak_ages {
	uint32_t count[LEAK_AGE_BINS];
};

/* The shortest age of a bin, ns; 0 for the first. */
uint64_t leak_ages_edge(uint32_t bin);

/* Counts `count` areas that were freed at this age. Saturates. */
void leak_ages_add(struct leak_ages *ages, uint64_t age_ns, uint32_t count);

uint64_t leak_ages_total(const struct leak_ages *ages);

/* How many were freed at the age of this bin or later. */
uint64_t leak_ages_from(const struct leak_ages *ages, uint32_t bin);

/* The age before which `percent` of a hundred were freed: the upper end of its bin. 0 if none was.
 */
uint64_t leak_ages_percentile(const struct leak_ages *ages, uint32_t percent);

#endif
