/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The index at the end of a .vmt file, while it is being made: an entry for each block, and of a
 * long recording for every 2nd, 4th ... block, so that its size is bounded whatever the
 * recording's.
 */
#ifndef VMTRACE_RECORD_VMT_INDEX_H
#define VMTRACE_RECORD_VMT_INDEX_H

#include <stdint.h>

#include "record/vmt_format.h"

#define VMT_INDEX_MAX 8192u

struct vmt_index {
	struct vmt_index_entry *entries;
	uint32_t count;
	uint32_t capacity;
	uint32_t stride; /* blocks to an entry */
	uint32_t inside; /* blocks in the last entry */
};

void vmt_index_release(struct vmt_index *index);

/* Takes a block into account. 0 or -ENOMEM, then nothing has changed. */
int vmt_index_add(struct vmt_index *index, const struct vmt_index_entry *entry);

/* How many entries there will be after one more block: at most. */
uint32_t vmt_index_next_count(const struct vmt_index *index);

#endif
