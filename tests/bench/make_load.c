// SPDX-License-Identifier: GPL-2.0-only
/* make_load FILE EVENTS: a recording of a made-up kernel (tests/load.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../load.h"
#include "record/vmt_write.h"

static int fail(const char *path, int err)
{
	fprintf(stderr, "make_load: %s: %s\n", path, strerror(-err));
	return 1;
}

int main(int argc, char **argv)
{
	struct stream_header header = load_header();
	struct names *names = names_new();
	struct stacks *stacks = stacks_new();
	struct vmt_writer_options options = { .names = names, .stacks = stacks };
	struct vmt_writer *writer;
	struct load load;
	int err, fd;

	if (argc != 3) {
		fputs("usage: make_load FILE EVENTS\n", stderr);
		return 2;
	}
	fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0)
		return fail(argv[1], -errno);
	load_init(&load, 1, names, stacks);
	err = vmt_writer_open(fd, &header, &options, &writer);
	for (long i = atol(argv[2]); i > 0 && !err; i--) {
		struct event event = load_next(&load);

		err = vmt_writer_event(writer, &event);
	}
	if (!err)
		err = vmt_writer_end(writer, true);
	vmt_writer_close(writer);
	names_free(names);
	stacks_free(stacks);
	return err ? fail(argv[1], err) : 0;
}
