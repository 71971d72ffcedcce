// SPDX-License-Identifier: GPL-2.0-only
#include "space/slope.h"

/* The value that would stand at index if the values were in order; moves them. All below index are
 * then no larger, all above it no smaller. */
static int64_t select_value(int64_t *values, uint32_t count, uint32_t index)
{
	uint32_t low = 0, high = count - 1;

	while (low < high) {
		int64_t pivot = values[low + (high - low) / 2];
		uint32_t left = low, right = high;

		for (;;) {
			int64_t swap;

			while (values[left] < pivot)
				left++;
			while (values[right] > pivot)
				right--;
			if (left >= right)
				break;
			swap = values[left];
			values[left++] = values[right];
			values[right--] = swap;
		}
		/* [low, right] is no larger than what is behind it. */
		if (index <= right)
			high = right;
		else
			low = right + 1;
	}
	return values[index];
}

int64_t slope_median(int64_t *slopes, uint32_t count)
{
	if (!count)
		return 0;
	/* The same one if the count is odd. */
	return (select_value(slopes, count, (count - 1) / 2) +
		select_value(slopes, count, count / 2)) /
	       2;
}
