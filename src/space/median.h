/* SPDX-License-Identifier: GPL-2.0-only */
/* The median, without sorting: of the thousands of slopes between the points of a series (Theil-Sen),
 * for each group of a report. */
#ifndef VMTRACE_SPACE_MEDIAN_H
#define VMTRACE_SPACE_MEDIAN_H

#include <stdint.h>

/* Of an even number of values the mean of the two in the middle, whose sum must fit 64 bits; 0 of
 * none. Moves the values about. Costs about 4 comparisons a value. */
int64_t median_of(int64_t *values, uint32_t count);

#endif
