/* SPDX-License-Identifier: GPL-2.0-only */
/* A recording, read as often as it takes to answer what should stand after vmalloc=. */
#ifndef VMTRACE_CMD_SIZING_FILE_H
#define VMTRACE_CMD_SIZING_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "record/reader.h"
#include "space/names.h"
#include "space/sizing.h"
#include "space/stacks.h"

struct sizing_file {
	const char *path; /* "-" = stdin, which can be read once only */
	struct names *names;
	struct stacks *stacks;
	struct stream_header header;
	struct sizing *sizing;
	uint64_t events;
	bool cut_off; /* it has no trailer */
};

/*
 * Simulates spaces of the sizes given, or (nr_sizes 0) looks for the smallest that is enough. cpus:
 * 0 = as recorded. 0, or the exit code of the command with a message logged. sizing_file_close is
 * legal after a failure.
 */
int sizing_file_run(struct sizing_file *file, const char *path, const uint32_t *sizes,
		    uint32_t nr_sizes, uint32_t cpus);
void sizing_file_close(struct sizing_file *file);

#endif
