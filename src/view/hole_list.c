// SPDX-License-Identifier: GPL-2.0-only
#include "view/hole_list.h"

#include <errno.h>
#include <stdlib.h>

static int by_size(const void *a, const void *b)
{
	const struct hole *x = a, *y = b;
	uint32_t x_bytes = x->end - x->start, y_bytes = y->end - y->start;

	if (x_bytes != y_bytes)
		return x_bytes > y_bytes ? -1 : 1;
	return x->start < y->start ? -1 : x->start > y->start;
}

int hole_list_largest(const struct space *space, uint32_t top, struct hole_list *list)
{
	struct holes_report report;
	struct hole hole;
	uint32_t addr = space_start(space);

	holes_report(space, &report);
	list->count = 0;
	list->holes = calloc(report.count + 1, sizeof(*list->holes));
	if (!list->holes)
		return -ENOMEM;
	while (list->count < report.count && holes_next(space, addr, false, &hole)) {
		list->holes[list->count++] = hole;
		addr = hole.end;
	}
	qsort(list->holes, list->count, sizeof(*list->holes), by_size);
	if (list->count > top)
		list->count = top;
	return 0;
}

void hole_list_release(struct hole_list *list)
{
	free(list->holes);
	list->holes = NULL;
	list->count = 0;
}
