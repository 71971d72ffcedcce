/* SPDX-License-Identifier: GPL-2.0-only */
/* The median of slopes (Theil-Sen): what one point far off does not turn. */
#ifndef VMTRACE_SPACE_SLOPE_H
#define VMTRACE_SPACE_SLOPE_H

#include <stdint.h>

/* The median; of an even number the mean of the middle two; 0 of none. The array is reordered. */
int64_t slope_median(int64_t *slopes, uint32_t count);

#endif
