/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/wire.h"

#include <errno.h>

/* -EBADMSG: no such record. */
static int claimed_len(const struct wire_head *head)
{
	switch (head->type) {
	case WIRE_ALLOC:
	case WIRE_FAIL:
		if (head->nr_frames > VMT_MAX_FRAMES)
			return -EBADMSG;
		return (int)(sizeof(struct wire_alloc) + head->nr_frames * sizeof(uint32_t));
	case WIRE_FREE:
		return sizeof(struct wire_head);
	case WIRE_PURGE:
		return sizeof(struct wire_purge);
	case WIRE_VFREE:
		return sizeof(struct wire_vfree);
	default:
		return -EBADMSG;
	}
}

int wire_record_len(const void *record, uint32_t len)
{
	int claimed;

	if (len < sizeof(struct wire_head))
		return -EBADMSG;
	claimed = claimed_len(record);
	if (claimed < 0 || (uint32_t)claimed > len)
		return -EBADMSG;
	return claimed;
}
