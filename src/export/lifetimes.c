// SPDX-License-Identifier: GPL-2.0-only
#include "export/lifetimes.h"

#include <stdlib.h>

struct lifetimes {
	struct lifetime *heap; /* heap[0] is the lightest; children of i at 2i + 1 and 2i + 2 */
	uint32_t count;
	uint32_t most;
	uint64_t total;
};

struct lifetimes *lifetimes_new(uint32_t most)
{
	struct lifetimes *lifetimes = calloc(1, sizeof(*lifetimes));

	if (!lifetimes)
		return NULL;
	lifetimes->most = most;
	lifetimes->heap = calloc((size_t)most + 1, sizeof(*lifetimes->heap));
	if (lifetimes->heap)
		return lifetimes;
	free(lifetimes);
	return NULL;
}

void lifetimes_free(struct lifetimes *lifetimes)
{
	if (!lifetimes)
		return;
	free(lifetimes->heap);
	free(lifetimes);
}

/* A double, since bytes times nanoseconds do not fit 64 bits. Times from a file can be in any
 * order. */
static double weight(const struct lifetime *life)
{
	double ns = life->end_ns > life->area.birth_ns
			    ? (double)(life->end_ns - life->area.birth_ns)
			    : 0;

	return ns * (life->area.end - life->area.start);
}

/* Of equals the later one is the lighter, so that the first ones stay. */
static bool lighter(const struct lifetime *a, const struct lifetime *b)
{
	double of_a = weight(a), of_b = weight(b);

	return of_a < of_b || (of_a == of_b && a->number > b->number);
}

static void swap(struct lifetime *a, struct lifetime *b)
{
	struct lifetime held = *a;

	*a = *b;
	*b = held;
}

static void sift_up(struct lifetime *heap, uint32_t i)
{
	while (i && lighter(&heap[i], &heap[(i - 1) / 2])) {
		swap(&heap[i], &heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
}

static void sift_down(struct lifetime *heap, uint32_t count)
{
	uint32_t i = 0;

	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child >= count)
			return;
		if (child + 1 < count && lighter(&heap[child + 1], &heap[child]))
			child++;
		if (!lighter(&heap[child], &heap[i]))
			return;
		swap(&heap[i], &heap[child]);
		i = child;
	}
}

void lifetimes_add(struct lifetimes *lifetimes, const struct area *area, uint64_t end_ns, bool live)
{
	struct lifetime life = {
		.area = *area,
		.end_ns = end_ns,
		.live = live,
		.number = lifetimes->total++,
	};

	if (lifetimes->count < lifetimes->most) {
		lifetimes->heap[lifetimes->count] = life;
		sift_up(lifetimes->heap, lifetimes->count++);
	} else if (lifetimes->most && lighter(&lifetimes->heap[0], &life)) {
		lifetimes->heap[0] = life;
		sift_down(lifetimes->heap, lifetimes->count);
	}
}

static int by_birth(const void *a, const void *b)
{
	const struct lifetime *x = a, *y = b;

	if (x->area.birth_ns != y->area.birth_ns)
		return x->area.birth_ns < y->area.birth_ns ? -1 : 1;
	if (x->area.start != y->area.start)
		return x->area.start < y->area.start ? -1 : 1;
	return x->number < y->number ? -1 : 1;
}

void lifetimes_sort(struct lifetimes *lifetimes)
{
	qsort(lifetimes->heap, lifetimes->count, sizeof(*lifetimes->heap), by_birth);
}

uint32_t lifetimes_count(const struct lifetimes *lifetimes)
{
	return lifetimes->count;
}

const struct lifetime *lifetimes_at(const struct lifetimes *lifetimes, uint32_t index)
{
	return &lifetimes->heap[index];
}

uint64_t lifetimes_total(const struct lifetimes *lifetimes)
{
	return lifetimes->total;
}
