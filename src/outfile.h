/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file that appears whole or not at all: written under another name in the same folder, synced,
 * then renamed. Whoever reads FILE meanwhile (node_exporter's textfile collector does, at any
 * moment) sees the old one or the new one. The other name begins with a dot and does not end as
 * FILE does, so that no collector of *.prom takes it.
 *
 * What exists and is no regular file (a FIFO, /dev/stdout) is written to as it is; a symbolic link
 * stays, and what it leads to is replaced, or made in place if there is nothing yet.
 */
#ifndef VMTRACE_OUTFILE_H
#define VMTRACE_OUTFILE_H

#include <stdio.h>

struct outfile;

/* Opens for writing. The file will have the mode of any new file (umask). 0 or -errno. */
int outfile_open(const char *path, struct outfile **out);

/* 0, or why outfile_open would fail, as far as can be told without it. Changes nothing. */
int outfile_check(const char *path);

/* Where to write, until outfile_commit or outfile_abort. */
FILE *outfile_stream(struct outfile *out);

/* 0, or -errno of what stream refused, flushed. stdio keeps no errno of an earlier write, so one
 * more byte is tried: the stream is good for nothing else then. */
int outfile_stream_error(FILE *stream);

/* Makes the file appear; out is released. 0 or -errno (then it did not appear). */
int outfile_commit(struct outfile *out);

/* Removes what was written; NULL is legal. */
void outfile_abort(struct outfile *out);

#endif
