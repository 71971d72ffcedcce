// SPDX-License-Identifier: GPL-2.0-only
#include "record/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Else open(2) refuses a recording of more than 2 GiB on i386, and write(2) ends there. */
_Static_assert(sizeof(off_t) == 8, "built without _FILE_OFFSET_BITS=64");

struct input {
	int fd; /* -1 = memory */
	bool owns_fd;
	bool may_wait;         /* a pipe, a terminal: no regular file */
	const uint8_t *memory; /* what is left of it */
	size_t memory_len;
	uint8_t peeked[INPUT_MAX_PEEK]; /* [peeked_at, peeked_len) was read and not handed out */
	size_t peeked_at;
	size_t peeked_len;
};

/* A FIFO that nobody writes yet is not waited for here, where no signal would end it. */
static int open_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	fcntl(fd, F_SETFL, 0);
	return fd;
}

int input_open(const char *path, struct input **input)
{
	struct input *new = calloc(1, sizeof(*new));
	struct stat st;

	*input = NULL;
	if (!new)
		return -ENOMEM;
	new->owns_fd = strcmp(path, "-") != 0;
	new->fd = new->owns_fd ? open_path(path) : STDIN_FILENO;
	if (new->fd < 0) {
		int err = new->fd;

		free(new);
		return err;
	}
	new->may_wait = fstat(new->fd, &st) < 0 || !S_ISREG(st.st_mode);
	*input = new;
	return 0;
}

bool input_is_output(const char *path, const char *output)
{
	struct stat in, out;

	if ((strcmp(path, "-") ? stat(path, &in) : fstat(STDIN_FILENO, &in)) < 0 ||
	    stat(output, &out) < 0)
		return false;
	return S_ISREG(in.st_mode) && in.st_dev == out.st_dev && in.st_ino == out.st_ino;
}

struct input *input_memory(const void *bytes, size_t len)
{
	struct input *input = calloc(1, sizeof(*input));

	if (!input)
		return NULL;
	input->fd = -1;
	input->memory = bytes;
	input->memory_len = len;
	return input;
}

void input_close(struct input *input)
{
	if (!input)
		return;
	if (input->owns_fd)
		close(input->fd);
	free(input);
}

static int64_t read_memory(struct input *input, void *bytes, size_t len)
{
	if (len > input->memory_len)
		len = input->memory_len;
	if (!len)
		return 0;
	memcpy(bytes, input->memory, len);
	input->memory += len;
	input->memory_len -= len;
	return (int64_t)len;
}

/* Until there is something to read, or a signal comes, which read(2) would not end for. */
static int wait_readable(const struct input *input)
{
	struct pollfd ready = { .fd = input->fd, .events = POLLIN };

	return input->may_wait && poll(&ready, 1, -1) < 0 ? -errno : 0;
}

static int64_t read_source(struct input *input, void *bytes, size_t len)
{
	ssize_t got;
	int err;

	if (input->fd < 0)
		return read_memory(input, bytes, len);
	err = wait_readable(input);
	if (err)
		return err;
	got = read(input->fd, bytes, len);
	return got < 0 ? -errno : got;
}

int64_t input_read(struct input *input, void *bytes, size_t len)
{
	size_t left = input->peeked_len - input->peeked_at;

	if (!left)
		return read_source(input, bytes, len);
	if (len > left)
		len = left;
	memcpy(bytes, input->peeked + input->peeked_at, len);
	input->peeked_at += len;
	return (int64_t)len;
}

int64_t input_peek(struct input *input, void *bytes, size_t len)
{
	while (input->peeked_len < len) {
		int64_t got = read_source(input, input->peeked + input->peeked_len,
					  len - input->peeked_len);

		if (got < 0)
			return got;
		if (!got)
			break;
		input->peeked_len += (size_t)got;
	}
	if (len > input->peeked_len)
		len = input->peeked_len;
	memcpy(bytes, input->peeked, len);
	return (int64_t)len;
}
