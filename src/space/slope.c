// SPDX-License-Identifier: GPL-2.0-only
#include "space/slope.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

int64_t slope_median(int64_t *slopes, uint32_t count)
{
	if (!count)
		return 0;
	qsort(slopes, count, sizeof(*slopes), compare);
	return (slopes[(count - 1) / 2] + slopes[count / 2]) / 2;
}
