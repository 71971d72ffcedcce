// SPDX-License-Identifier: GPL-2.0-only
#include "space/median.h"

/* Parts values[low .. high] in two, neither of them empty: none of the first is larger than one of
 * the second. Returns where the first one ends. */
static uint32_t part(int64_t *values, uint32_t low, uint32_t high)
{
	int64_t pivot = values[low + (high - low) / 2];

	for (;; low++, high--) {
		int64_t larger;

		while (values[low] < pivot)
			low++;
		while (values[high] > pivot)
			high--;
		if (low >= high)
			return high;
		larger = values[low];
		values[low] = values[high];
		values[high] = larger;
	}
}

/* The value that would stand at index if the values were in order. */
static int64_t select_value(int64_t *values, uint32_t count, uint32_t index)
{
	uint32_t low = 0, high = count - 1;

	while (low < high) {
		uint32_t end = part(values, low, high);

		if (index <= end)
			high = end;
		else
			low = end + 1;
	}
	return values[index];
}

int64_t median_of(int64_t *values, uint32_t count)
{
	int64_t lower, upper;

	if (!count)
		return 0;
	lower = select_value(values, count, (count - 1) / 2);
	upper = select_value(values, count, count / 2); /* the same one if the count is odd */
	return (lower + upper) / 2;
}
