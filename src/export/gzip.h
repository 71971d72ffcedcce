/* SPDX-License-Identifier: GPL-2.0-only */
/* A gzip file written piece by piece. Without a time or a name in it: the same bytes in give the
 * same bytes out. */
#ifndef VMTRACE_EXPORT_GZIP_H
#define VMTRACE_EXPORT_GZIP_H

#include <stddef.h>
#include <stdio.h>

struct gzip;

/* NULL when memory runs out. */
struct gzip *gzip_new(FILE *out);
void gzip_free(struct gzip *gzip);

/* 0 or -EIO. */
int gzip_write(struct gzip *gzip, const void *bytes, size_t len);
/* The end of the file; out is not closed. 0 or -EIO. */
int gzip_finish(struct gzip *gzip);

#endif
