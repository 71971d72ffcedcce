/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The event stream as JSON Lines, schema vmtrace.events/1 (DESIGN.md section 4, docs/FORMAT.md):
 * written by `events --json`, read by -i FILE.jsonl. What is written reads back as the same
 * events.
 */
#ifndef VMTRACE_RECORD_JSONL_H
#define VMTRACE_RECORD_JSONL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "event.h"
#include "record/header.h"
#include "record/input.h"
#include "space/names.h"
#include "space/stacks.h"

/* ---- writer: 0, -ENOMEM or -EIO --- */
/* filter: the expression that what follows has passed, NULL = it is whole. The reader refuses what
 * is not: no map can be made of it. */
int jsonl_write_header(FILE *out, const struct stream_header *header, const char *filter);
int jsonl_write_event(FILE *out, const struct event *event, const struct names *names,
		      const struct stacks *stacks);
int jsonl_write_trailer(FILE *out, uint64_t events, uint64_t lost);

/* ---- reader: hostile bytes --- */
struct jsonl_reader;

/* Reads the header from input, which stays the caller's. 0; -errno of reading; -EBADMSG with why:
 * not this schema, no header, a range that is empty, unaligned or impossible. */
int jsonl_open(struct input *input, struct names *names, struct stacks *stacks,
	       struct jsonl_reader **reader, char *why, size_t why_len);
void jsonl_close(struct jsonl_reader *reader);
const struct stream_header *jsonl_header(const struct jsonl_reader *reader);

/*
 * The next event into *event. 1 = an event, 0 = end of file, -EBADMSG = a line that cannot be
 * true (jsonl_why tells which line and why; reading may go on with the next call), -ENOMEM, -EIO,
 * -EINTR (a signal came while it waited for input; nothing is lost by calling again).
 * Unknown types and keys are skipped. The file's own stack ids are mapped to ids in stacks;
 * EV_STACK is returned with the mapped id. A last line that was cut off is the end of the file.
 * A run of area lines outside snapshot lines is a snapshot: EV_SNAPSHOT_BEGIN and _END are supplied
 * around it. Such a run makes sense once, and again after a loss; an area line anywhere else would
 * wipe what it does not list, and is an error.
 */
int jsonl_next(struct jsonl_reader *reader, struct event *event);
const char *jsonl_why(const struct jsonl_reader *reader);

/* False if the file ended without a trailer: it was cut off. */
bool jsonl_complete(const struct jsonl_reader *reader);

#endif
