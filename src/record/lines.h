/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines of a file of hostile bytes: any length, NULs inside, no newline at the end. */
#ifndef VMTRACE_RECORD_LINES_H
#define VMTRACE_RECORD_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/input.h"

struct lines;

/* Reads from input, which stays the caller's. No line of more than max_len bytes is ever kept in
 * memory. NULL on lack of memory. */
struct lines *lines_new(struct input *input, size_t max_len);
void lines_free(struct lines *lines);

/* The next line without its newline, valid until the next call. 1; 0 at the end; -E2BIG for a
 * line that is too long (skipped); -errno of reading (-EINTR too: go on with the next call);
 * -ENOMEM. */
int lines_next(struct lines *lines, const char **text, size_t *len);

/* Number of the line that lines_next has returned last, from 1. */
uint64_t lines_number(const struct lines *lines);

/* True if that line was the last one and has no newline: the file may have been cut inside it. */
bool lines_torn(const struct lines *lines);

#endif
