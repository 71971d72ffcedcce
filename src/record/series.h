/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a recording goes: one .vmt file, or a ring of them. Of a ring, every file is complete by
 * itself: it begins with the model as it was then (record/model.h), and defines what it uses.
 */
#ifndef VMTRACE_RECORD_SERIES_H
#define VMTRACE_RECORD_SERIES_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "record/header.h"
#include "record/vmt_write.h"
#include "space/names.h"
#include "space/space.h"
#include "space/stacks.h"

#define SERIES_MAX_FILES 10000u

struct series;

struct series_options {
	const char *path;   /* "-" = stdout; of a ring the files are PATH.1, PATH.2 ... */
	const char *input;  /* what is read meanwhile, and so must stay; NULL = nothing */
	uint64_t max_bytes; /* of each file, 0 = no limit */
	uint32_t nr_files;  /* of the ring, 0 = one file */
	bool overwrite;
	bool thrifty;    /* see vmt_writer_options */
	bool from_model; /* the stream has gone on before: the one file, too, begins with the model
			  */
	/* Called for each file when it begins, before its first event; may be NULL. */
	int (*begin)(void *context, struct vmt_writer *writer);
	void *context;
};

struct series_stats {
	uint64_t events VMT_ALIGNED8; /* taken, without stacks and the snapshots at the begin; at
					 the end without those that could not be written */
	uint64_t lost VMT_ALIGNED8;   /* sum of the LOST events that hurt the map */
	uint64_t bytes VMT_ALIGNED8;  /* written to all files */
	uint32_t nr_begun;            /* files */
};

/* 0; with the name of the file -EEXIST: it is there already, and not to be overwritten, or
 * -ETXTBSY: it is the input; or -errno. Changes nothing. */
int series_check(const struct series_options *options, char *path, size_t path_len);

/*
 * Begins the first file. names, stacks and space are those of the events, and stay the caller's;
 * series_event is called after the space has taken the event. 0; as series_check; -ENOMEM; -errno
 * of open or write.
 */
int series_open(const struct series_options *options, const struct stream_header *header,
		const struct names *names, const struct stacks *stacks, const struct space *space,
		struct series **series);

/* 0; -E2BIG: the one file is full (nothing was taken); -EOVERFLOW: the model alone does not fit
 * into a file of the ring; -errno of open or write, which is final. */
int series_event(struct series *series, const struct event *event);

/* As vmt_writer_tick. */
int series_tick(struct series *series, uint64_t now_ns);

/* The file being written, for facts. NULL after an error. */
struct vmt_writer *series_writer(struct series *series);

/* The path of the file being written. */
const char *series_path(const struct series *series);
struct series_stats series_stats(const struct series *series);

/* Ends the last file, as vmt_writer_end; series_stats, series_path and series_close may follow. */
int series_end(struct series *series, bool finished);
void series_close(struct series *series);

#endif
