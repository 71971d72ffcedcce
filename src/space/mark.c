// SPDX-License-Identifier: GPL-2.0-only
#include "space/mark.h"

#include <stdlib.h>

struct mark {
	struct space *space;
	uint64_t t_ns;
};

struct mark *mark_take(const struct space *space, uint64_t now_ns)
{
	struct mark *mark = space_in_snapshot(space) ? NULL : calloc(1, sizeof(*mark));

	if (!mark)
		return NULL;
	mark->t_ns = now_ns;
	mark->space = space_copy(space);
	if (mark->space)
		return mark;
	free(mark);
	return NULL;
}

void mark_free(struct mark *mark)
{
	if (!mark)
		return;
	space_free(mark->space);
	free(mark);
}

uint64_t mark_ns(const struct mark *mark)
{
	return mark->t_ns;
}

const struct space *mark_space(const struct mark *mark)
{
	return mark->space;
}

enum mark_change mark_change_of(const struct diff_row *row)
{
	int64_t bytes = diff_bytes(row);

	if (!row->areas[DIFF_A])
		return MARK_CAME;
	if (!row->areas[DIFF_B])
		return MARK_WENT;
	return bytes > 0 ? MARK_GREW : bytes < 0 ? MARK_SHRANK : MARK_PIECES;
}

const char *mark_change_name(enum mark_change change)
{
	static const char *const names[MARK_CHANGE_COUNT] = {
		[MARK_CAME] = "came",     [MARK_WENT] = "went",     [MARK_GREW] = "grew",
		[MARK_SHRANK] = "shrank", [MARK_PIECES] = "pieces",
	};

	return change < MARK_CHANGE_COUNT ? names[change] : "";
}

int mark_diff(const struct mark *mark, const struct space *space, struct names *names,
	      const struct stacks *stacks, enum owners_by by, enum owners_sort sort,
	      struct diff_rows *rows, struct mark_sums *sums)
{
	const struct diff_map maps[DIFF_SIDES] = {
		[DIFF_A] = { mark->space, names, stacks },
		[DIFF_B] = { space, names, stacks },
	};
	int err = diff_owners(maps, by, sort, rows);

	if (err || !sums)
		return err;
	*sums = (struct mark_sums){ 0 };
	for (uint32_t i = 0; i < rows->count; i++) {
		enum mark_change change = mark_change_of(&rows->list[i]);

		sums->owners[change]++;
		sums->bytes[change] += diff_bytes(&rows->list[i]);
		sums->areas[change] += diff_areas(&rows->list[i]);
	}
	return 0;
}
