/* SPDX-License-Identifier: GPL-2.0-only */
/* How long a wire record (src/event.h) is: what carries it may have padded it, or be hostile. */
#ifndef VMTRACE_CAPTURE_WIRE_H
#define VMTRACE_CAPTURE_WIRE_H

#include <errno.h>
#include <stdint.h>

#include "event.h"

/* The longest record there is. */
#define WIRE_MAX_LEN ((uint32_t)(sizeof(struct wire_alloc) + VMT_MAX_FRAMES * sizeof(uint32_t)))

/* What the type and nr_frames of a record say that it is long; -EBADMSG: no such record. */
static inline int wire_claimed_len(const struct wire_head *head)
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

/*
 * The length of the record that begins at record (aligned to 8), of which len bytes are there: what
 * its type and its nr_frames say. -EBADMSG if the type is unknown or fewer bytes are there.
 */
static inline int wire_record_len(const void *record, uint32_t len)
{
	int claimed;

	if (len < sizeof(struct wire_head))
		return -EBADMSG;
	claimed = wire_claimed_len((const struct wire_head *)record);
	return claimed < 0 || (uint32_t)claimed > len ? -EBADMSG : claimed;
}

#endif
