/* SPDX-License-Identifier: GPL-2.0-only */
/* Whole small files, as /proc and /sys have them. */
#ifndef VMTRACE_FILE_H
#define VMTRACE_FILE_H

#include <stddef.h>

/* Reads all of path into *bytes (malloc'ed, NUL-terminated beyond *len). At most max bytes. 0,
 * -EFBIG, -ENOMEM or -errno. */
int file_read(const char *path, size_t max, char **bytes, size_t *len);

/* The same with a first read of first bytes (0 = as many as fit): moves the borders at which a
 * seq_file lets go of its lock. */
int file_read_from(const char *path, size_t max, size_t first, char **bytes, size_t *len);

/* The first line of path without its newline, into buf. Length, or -errno. */
int file_read_line(const char *path, char *buf, size_t len);

#endif
