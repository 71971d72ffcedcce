// SPDX-License-Identifier: GPL-2.0-only
#include "record/series.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/input.h"
#include "record/model.h"

#define MAX_HELD 16

struct series {
	struct series_options options;
	struct stream_header header;
	const struct names *names;
	const struct stacks *stacks;
	const struct space *space;
	struct vmt_writer *writer; /* NULL after an error */
	char path[PATH_MAX];
	bool in_snapshot; /* a list of the kernel is being passed on */
	bool list_torn;   /* ... whose file is full: the next one begins where the list ends */
	uint32_t dropped; /* events that a full file did not take, not told yet */
	struct event held[MAX_HELD]; /* ... which the model does not have, for the next file */
	uint32_t nr_held;
	struct series_stats stats;
	uint64_t closed_bytes; /* of the files before */
};

/* ---- paths ---- */

static bool is_stdout(const struct series_options *options)
{
	return !strcmp(options->path, "-");
}

/* The path of file i of the ring, or of the one file. 0 or -ENAMETOOLONG. */
static int file_path(const struct series_options *options, uint32_t i, char *path, size_t len)
{
	int need = options->nr_files ? snprintf(path, len, "%s.%u", options->path, i + 1)
				     : snprintf(path, len, "%s", options->path);

	return need >= 0 && (size_t)need < len ? 0 : -ENAMETOOLONG;
}

int series_check(const struct series_options *options, char *path, size_t path_len)
{
	uint32_t nr_files = options->nr_files ? options->nr_files : 1;
	struct stat st;

	for (uint32_t i = 0; i < nr_files; i++) {
		int err = file_path(options, i, path, path_len);

		if (err)
			return err;
		if (is_stdout(options))
			continue;
		if (!options->overwrite && lstat(path, &st) == 0)
			return -EEXIST;
		if (options->input && input_is_output(options->input, path))
			return -ETXTBSY;
	}
	return 0;
}

/* Files of an earlier ring must not be taken for ones of this. */
static int remove_old(const struct series_options *options)
{
	char path[PATH_MAX];

	for (uint32_t i = 0; i < options->nr_files; i++) {
		int err = file_path(options, i, path, sizeof(path));

		if (err)
			return err;
		if (unlink(path) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

/* It holds kernel addresses, so it is for its owner only. */
static int open_path(const struct series *series)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC;
	struct stat st;
	int fd;

	if (is_stdout(&series->options))
		return STDOUT_FILENO;
	if (series->options.overwrite && !series->options.nr_files)
		flags |= O_TRUNC;
	else
		flags |= O_EXCL;
	fd = open(series->path, flags, 0600);
	if (fd < 0)
		return -errno;
	/* Of a file that was there; what is another's stays as it is. */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid())
		fchmod(fd, 0600);
	return fd;
}

/* ---- files ---- */

static int put_event(void *context, const struct event *event)
{
	return vmt_writer_event(context, event);
}

static int tell_dropped(struct series *series)
{
	struct event lost = {
		.type = EV_LOST,
		.t_ns = space_counters(series->space)->last_t_ns,
		.state = LOST_DETAIL, /* the model, with which the file begins, has them */
		.count = series->dropped,
		.cpu = UINT32_MAX,
	};

	series->dropped = 0;
	return lost.count ? vmt_writer_event(series->writer, &lost) : 0;
}

static void count(struct series *series, const struct event *event)
{
	series->stats.events += event->type != EV_STACK;
	if (event->type == EV_LOST && lost_cause_hurts_map(event->state))
		series->stats.lost += event->count;
}

static int write_held(struct series *series)
{
	int err = 0;

	for (uint32_t i = 0; i < series->nr_held && !err; i++) {
		err = vmt_writer_event(series->writer, &series->held[i]);
		if (!err)
			count(series, &series->held[i]);
	}
	series->nr_held = 0;
	return err;
}

static int begin_file(struct series *series)
{
	uint32_t begun = series->stats.nr_begun, nr_files = series->options.nr_files;
	struct vmt_writer_options writer_options = {
		.names = series->names,
		.stacks = series->stacks,
		.max_bytes = series->options.max_bytes,
		.thrifty = series->options.thrifty,
	};
	struct sink sink = { .event = put_event };
	int err = file_path(&series->options, nr_files ? begun % nr_files : 0, series->path,
			    sizeof(series->path));
	int fd;

	if (!err && nr_files && begun >= nr_files && unlink(series->path) < 0 && errno != ENOENT)
		err = -errno;
	if (err)
		return err;
	fd = open_path(series);
	if (fd < 0)
		return fd;
	series->header.sequence = begun;
	err = vmt_writer_open(fd, &series->header, &writer_options, &series->writer);
	if (err)
		return err;
	series->stats.nr_begun++;
	if (series->options.begin)
		err = series->options.begin(series->options.context, series->writer);
	sink.context = series->writer;
	if (!err && (begun || series->options.from_model))
		err = model_emit(series->space, &sink);
	if (!err)
		err = tell_dropped(series);
	return err ? err : write_held(series);
}

static int end_file(struct series *series, bool finished)
{
	int err = vmt_writer_end(series->writer, finished);
	struct vmt_writer_stats stats = vmt_writer_stats(series->writer);

	series->closed_bytes = series_stats(series).bytes;
	series->stats.events -= stats.events - stats.written;
	vmt_writer_close(series->writer);
	series->writer = NULL;
	return err;
}

static int rotate(struct series *series)
{
	int err = end_file(series, true);

	if (!err)
		err = begin_file(series);
	return err == -E2BIG ? -EOVERFLOW : err;
}

int series_open(const struct series_options *options, const struct stream_header *header,
		const struct names *names, const struct stacks *stacks, const struct space *space,
		struct series **series)
{
	struct series *new = calloc(1, sizeof(*new));
	int err;

	*series = NULL;
	if (!new)
		return -ENOMEM;
	new->options = *options;
	new->header = *header;
	new->names = names;
	new->stacks = stacks;
	new->space = space;
	err = series_check(options, new->path, sizeof(new->path));
	if (!err)
		err = remove_old(options);
	if (!err)
		err = begin_file(new);
	if (err) {
		series_close(new);
		return err;
	}
	*series = new;
	return 0;
}

/* ---- events ---- */

static bool is_mark(const struct event *event)
{
	return event->type == EV_SNAPSHOT_BEGIN || event->type == EV_SNAPSHOT_END;
}

/* Of failures and losses the model has no more than the number. */
static void keep(struct series *series, const struct event *event)
{
	if (event->type == EV_STACK || event->type == EV_TIME || is_mark(event) ||
	    (event->type == EV_AREA && series->in_snapshot))
		return;
	if ((event->type == EV_FAIL || event->type == EV_LOST) && series->nr_held < MAX_HELD)
		series->held[series->nr_held++] = *event;
	else
		series->dropped++;
}

/*
 * The file did not take the event, which the model has, and with it the file that is begun. But a
 * list of the kernel is not torn apart: what is left of it is left out, with its end, and then the
 * model has all of it; and one that begins, begins in the next file.
 */
static int on_full(struct series *series, const struct event *event)
{
	int err;

	keep(series, event);
	if (event->type == EV_STACK)
		return 0;
	series->list_torn = series->in_snapshot && event->type != EV_SNAPSHOT_BEGIN;
	if (series->list_torn)
		return 0;
	err = rotate(series);
	if (!err && event->type == EV_SNAPSHOT_BEGIN)
		err = vmt_writer_event(series->writer, event);
	return err;
}

int series_event(struct series *series, const struct event *event)
{
	bool ring = series->options.nr_files > 0;
	int err;

	if (!series->writer)
		return -EIO;
	if (is_mark(event))
		series->in_snapshot = event->type == EV_SNAPSHOT_BEGIN;
	if (series->list_torn)
		return on_full(series, event);
	err = vmt_writer_event(series->writer, event);
	if (err == -E2BIG && ring)
		return on_full(series, event);
	if (err)
		return err;
	count(series, event);
	if (ring && !series->in_snapshot && vmt_writer_full(series->writer))
		err = rotate(series);
	return err;
}

int series_tick(struct series *series, uint64_t now_ns)
{
	return series->writer ? vmt_writer_tick(series->writer, now_ns) : -EIO;
}

struct vmt_writer *series_writer(struct series *series)
{
	return series->writer;
}

const char *series_path(const struct series *series)
{
	return series->path;
}

struct series_stats series_stats(const struct series *series)
{
	struct series_stats stats = series->stats;

	stats.bytes = series->closed_bytes;
	if (series->writer)
		stats.bytes += vmt_writer_stats(series->writer).bytes;
	return stats;
}

int series_end(struct series *series, bool finished)
{
	return series->writer ? end_file(series, finished) : -EIO;
}

void series_close(struct series *series)
{
	if (!series)
		return;
	vmt_writer_close(series->writer);
	free(series);
}
