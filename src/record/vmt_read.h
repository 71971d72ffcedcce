/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads a .vmt file (vmt_format.h, docs/FORMAT.md), from the beginning to the end, pipes too.
 * Its bytes are hostile until checked; memory is bounded whatever they say. */
#ifndef VMTRACE_RECORD_VMT_READ_H
#define VMTRACE_RECORD_VMT_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "record/header.h"
#include "record/input.h"
#include "record/vmt_format.h"
#include "space/names.h"
#include "space/stacks.h"

struct vmt_reader;

/* Reads the file header from input, which stays the caller's. 0; -errno of reading; -EBADMSG with
 * why: not a .vmt file, a newer version, a damaged header. */
int vmt_open(struct input *input, struct names *names, struct stacks *stacks,
	     struct vmt_reader **reader, char *why, size_t why_len);
void vmt_close(struct vmt_reader *reader);
const struct stream_header *vmt_header(const struct vmt_reader *reader);

/*
 * The next event into *event. 1 = an event; 0 = no more (vmt_end tells why); -EBADMSG = a record
 * that cannot be true was left out (vmt_why), reading may go on; -ENOMEM; -errno of reading
 * (-EINTR: nothing is lost by calling again). EV_STACK comes before the first use of a stack.
 */
int vmt_next(struct vmt_reader *reader, struct event *event);

enum vmt_end {
	VMT_END_NONE = 0, /* there may be more */
	VMT_END_COMPLETE, /* the trailer was read, and agrees */
	VMT_END_CUT,      /* the file ends early: every whole block of it was read */
	VMT_END_DAMAGED,  /* bytes are not as they were written: what follows was not read */
};
enum vmt_end vmt_end(const struct vmt_reader *reader);

/* After -EBADMSG which record is wrong and how; after an end that is not complete what was found,
 * at which offset, and how much was read. */
const char *vmt_why(const struct vmt_reader *reader);

/* How many events and blocks have been read so far. */
uint64_t vmt_events(const struct vmt_reader *reader);
uint64_t vmt_blocks(const struct vmt_reader *reader);

/* The facts read so far, each key once, with what was said of it last. */
const struct stream_fact *vmt_facts(const struct vmt_reader *reader, uint32_t *count);

/* The last list of modules read so far; *count may be 0. Valid until the next vmt_next. */
const struct stream_module *vmt_modules(const struct vmt_reader *reader, uint32_t *count);

#endif
