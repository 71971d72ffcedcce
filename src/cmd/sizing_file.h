/* SPDX-License-Identifier: GPL-2.0-only */
/* A recording, read as often as it takes to answer what should stand after vmalloc=. */
#ifndef VMTRACE_CMD_SIZING_FILE_H
#define VMTRACE_CMD_SIZING_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "record/reader.h"
#include "space/names.h"
#include "allocator/sizing.h"
#include "space/stacks.h"

struct sizing_request {
	const char *path;      /* "-" = stdin, which can be read once only */
	const uint32_t *sizes; /* to be simulated; */
	uint32_t nr_sizes;     /* 0: look for the smallest that is enough */
	uint32_t cpus;         /* 0 = as recorded */
	bool quiet;            /* someone else has told what is wrong with the recording */
};

struct sizing_file {
	struct sizing_request request;
	struct names *names;
	struct stacks *stacks;
	struct stream_header header;
	struct sizing *sizing;
	uint64_t events;
	uint64_t begin_ns;
	bool cut_off; /* it has no trailer */
};

/*
 * Simulates. 0, or the exit code of the command with a message logged; sizing->played is false if
 * the recording has nothing to start from. sizing_file_close is legal after a failure.
 */
int sizing_file_run(struct sizing_file *file, const struct sizing_request *request);
void sizing_file_close(struct sizing_file *file);

#endif
