/* SPDX-License-Identifier: GPL-2.0-only */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int read_all(int fd, size_t max, size_t first, char **bytes, size_t *len)
{
	size_t capacity = 65536, used = 0;
	char *buf = malloc(capacity);

	while (buf) {
		size_t room = capacity - used - 1;
		ssize_t got = read(fd, buf + used, !used && first && first < room ? first : room);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || used > max) {
			int err = got < 0 ? -errno : -EFBIG;

			free(buf);
			return err;
		}
		if (got == 0) {
			buf[used] = '\0';
			*bytes = buf;
			*len = used;
			return 0;
		}
		used += (size_t)got;
		if (capacity - used < 32768) {
			char *grown = realloc(buf, capacity * 2);

			if (!grown)
				free(buf);
			buf = grown;
			capacity *= 2;
		}
	}
	return -ENOMEM;
}

int file_read_from(const char *path, size_t max, size_t first, char **bytes, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = read_all(fd, max, first, bytes, len);
	close(fd);
	return err;
}

int file_read(const char *path, size_t max, char **bytes, size_t *len)
{
	return file_read_from(path, max, 0, bytes, len);
}

int file_read_line(const char *path, char *buf, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return -errno;
	got = read(fd, buf, len - 1);
	if (got < 0)
		got = -errno;
	close(fd);
	if (got < 0)
		return (int)got;
	buf[got] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return (int)strlen(buf);
}
