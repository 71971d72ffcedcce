// SPDX-License-Identifier: GPL-2.0-only
#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct outfile {
	FILE *stream;
	char *path; /* what the file is to be, links resolved */
	char *temp; /* what it is now; NULL = written in place */
};

static void release(struct outfile *out)
{
	if (out->stream)
		fclose(out->stream);
	free(out->path);
	free(out->temp);
	free(out);
}

/* "dir/.name.XXXXXX" of "dir/name". */
static char *temp_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	int dir = slash ? (int)(slash - path) + 1 : 0;
	char *temp;

	return asprintf(&temp, "%.*s.%s.XXXXXX", dir, path, path + dir) < 0 ? NULL : temp;
}

/* As open(2) with O_CREAT would have it. */
static mode_t usual_mode(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

static int open_temp(struct outfile *out)
{
	int fd, err;

	out->temp = temp_name(out->path);
	if (!out->temp)
		return -ENOMEM;
	fd = mkostemp(out->temp, O_CLOEXEC);
	if (fd < 0) {
		err = -errno;
		free(out->temp);
		out->temp = NULL;
		return err;
	}
	if (fchmod(fd, usual_mode()) == 0)
		out->stream = fdopen(fd, "w");
	if (out->stream)
		return 0;
	err = -errno;
	close(fd);
	unlink(out->temp);
	return err;
}

static int open_in_place(struct outfile *out)
{
	out->stream = fopen(out->path, "we");
	return out->stream ? 0 : -errno;
}

/* What is not to be replaced: no regular file, or a link that leads nowhere yet. */
static bool is_special(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0)
		return !S_ISREG(st.st_mode);
	return lstat(path, &st) == 0;
}

int outfile_open(const char *path, struct outfile **result)
{
	struct outfile *out;
	bool special;
	int err;

	if (!*path)
		return -ENOENT;
	out = calloc(1, sizeof(*out));
	if (!out)
		return -ENOMEM;
	special = is_special(path);
	if (!special)
		out->path = realpath(path, NULL);
	if (!out->path)
		out->path = strdup(path);
	err = !out->path ? -ENOMEM : special ? open_in_place(out) : open_temp(out);
	if (err) {
		release(out);
		return err;
	}
	*result = out;
	return 0;
}

int outfile_check(const char *path)
{
	struct outfile *out;
	int err;

	/* To open a FIFO and close it again would be an end for its reader. */
	if (*path && is_special(path))
		return access(path, W_OK) == 0 || errno == ENOENT ? 0 : -errno;
	err = outfile_open(path, &out);
	if (!err)
		outfile_abort(out);
	return err;
}

FILE *outfile_stream(struct outfile *out)
{
	return out->stream;
}

int outfile_stream_error(FILE *stream)
{
	bool failed = ferror(stream);

	errno = 0;
	if (failed)
		putc('\n', stream);
	if (fflush(stream) == 0 && !failed)
		return 0;
	return errno ? -errno : -EIO;
}

/* Flushed and, if it has a name of its own, on the disk: a crash after the rename must not leave an
 * empty file in place of the old one. */
static int finish_stream(struct outfile *out)
{
	int err = outfile_stream_error(out->stream);

	if (!err && out->temp && fsync(fileno(out->stream)))
		err = -errno;
	if (fclose(out->stream) && !err)
		err = -errno;
	out->stream = NULL;
	return err;
}

int outfile_commit(struct outfile *out)
{
	int err = finish_stream(out);

	if (!err && out->temp && rename(out->temp, out->path) < 0)
		err = -errno;
	if (err && out->temp)
		unlink(out->temp);
	release(out);
	return err;
}

void outfile_abort(struct outfile *out)
{
	if (!out)
		return;
	if (out->temp)
		unlink(out->temp);
	release(out);
}
