/* SPDX-License-Identifier: GPL-2.0-only */
/* A recording, whatever its format: .vmt or JSON Lines, told apart by its first bytes. */
#ifndef VMTRACE_RECORD_READER_H
#define VMTRACE_RECORD_READER_H

#include <stddef.h>

#include "event.h"
#include "record/header.h"
#include "record/input.h"
#include "space/names.h"
#include "space/stacks.h"

struct reader;

/* Opens path ("-" = stdin) and reads its header. 0; -errno of open and read; -EBADMSG with why:
 * not a recording, or one that cannot be read. */
int reader_open(const char *path, struct names *names, struct stacks *stacks,
		struct reader **reader, char *why, size_t why_len);

/* The same of an input, which becomes the reader's, also on error. */
int reader_open_input(struct input *input, struct names *names, struct stacks *stacks,
		      struct reader **reader, char *why, size_t why_len);
void reader_close(struct reader *reader);
const struct stream_header *reader_header(const struct reader *reader);

/*
 * The next event into *event. 1 = an event; 0 = no more (reader_end tells why); -EBADMSG =
 * something that cannot be true was left out (reader_why), reading may go on; -ENOMEM; -EIO;
 * -EINTR (a signal came while it waited for input; nothing is lost by calling again). EV_STACK
 * comes before the first use of a stack.
 */
int reader_next(struct reader *reader, struct event *event);

enum reader_end {
	READER_MORE = 0,
	READER_COMPLETE,
	READER_CUT,     /* it ends early: what there is of it was read */
	READER_DAMAGED, /* not as it was written: what follows was not read */
};
enum reader_end reader_end(const struct reader *reader);

/* After -EBADMSG: "line 5: ...; the line is left out". After an end that is not complete what goes
 * behind the name of the recording: "was cut off: ...". */
const char *reader_why(const struct reader *reader);

/* What a .vmt file says beside its events, as far as it was read. *count = 0 if nothing. Valid
 * until the next reader_next. */
const struct stream_fact *reader_facts(const struct reader *reader, uint32_t *count);
const struct stream_module *reader_modules(const struct reader *reader, uint32_t *count);

#endif
