/* SPDX-License-Identifier: GPL-2.0-only */
/* One event to the bytes of its record in a .vmt file, and back from hostile ones. */
#ifndef VMTRACE_RECORD_VMT_RECORD_H
#define VMTRACE_RECORD_VMT_RECORD_H

#include <stdint.h>

#include "event.h"
#include "record/header.h"
#include "record/vmt_format.h"

#define VMT_MAX_EVENT 72u /* bytes of the largest event record */

/* The ids of an event, as its file has them. */
struct vmt_event_ids {
	uint32_t comm;
	uint32_t caller;
	uint32_t stack;
};

/* Writes the record into bytes (VMT_MAX_EVENT). Its length; 0 for what is no event record
 * (EV_NONE, EV_STACK, an unknown type). */
uint32_t vmt_record_encode(const struct event *event, const struct vmt_event_ids *ids,
			   uint8_t *bytes);

/* What is needed to understand a file's records. */
struct vmt_decoder {
	const struct stream_header *header;
	const uint32_t *names; /* ids of the file -> ours; [0] = 0 */
	const uint32_t *stacks;
	uint32_t nr_names; /* with [0] */
	uint32_t nr_stacks;
	char why[160]; /* set on -EBADMSG */
};

/* The event of the record at bytes (of len bytes, as its head says; a type from VMT_FIRST_EVENT
 * on). 1; 0 for a type that is unknown here; -EBADMSG for what cannot be true. */
int vmt_record_decode(struct vmt_decoder *decoder, const uint8_t *bytes, uint32_t len,
		      struct event *event);

#endif
