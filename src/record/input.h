/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes of a recording: a file, a pipe, or memory. Read once, from the beginning to the end. */
#ifndef VMTRACE_RECORD_INPUT_H
#define VMTRACE_RECORD_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INPUT_MAX_PEEK 16u

struct input;

/* Opens path ("-" = stdin, which stays open at the end). 0, or -errno. */
int input_open(const char *path, struct input **input);

/* True if output leads to the regular file that input_open of path reads: to write there would
 * destroy what is still to be read. */
bool input_is_output(const char *path, const char *output);

/* Bytes in memory, which must stay. NULL on lack of memory. */
struct input *input_memory(const void *bytes, size_t len);

void input_close(struct input *input);

/* Reads at most len bytes. How many, 0 at the end, or -errno (-EINTR: nothing was read, and the
 * next call goes on). */
int64_t input_read(struct input *input, void *bytes, size_t len);

/* The first len bytes (at most INPUT_MAX_PEEK), which a later input_read will hand out again. How
 * many there are, or -errno. Only before the first input_read. */
int64_t input_peek(struct input *input, void *bytes, size_t len);

#endif
