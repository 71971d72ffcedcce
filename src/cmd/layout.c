/* SPDX-License-Identifier: GPL-2.0-only */
/* layout: the textbook picture of the kernel's address space, for the running kernel. */
#include "view/layout.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "capture/host.h"
#include "capture/range.h"
#include "cmd/command.h"
#include "log.h"

static int run(const struct options *options)
{
	struct layout_input input;
	struct layout layout;
	struct range range = { 0 };
	struct utsname uts;
	char why[256];

	if (!host_is_root())
		return EXIT_FAILED;
	if (range_read(&range, why, sizeof(why)) < 0 || uname(&uts) < 0) {
		log_error("cannot find the vmalloc range: %s", why);
		return EXIT_FAILED;
	}
	input = (struct layout_input){
		.vmalloc_start = range.vmalloc_start,
		.vmalloc_end = range.vmalloc_end,
		.page_offset = range.page_offset,
		.high_memory = range.high_memory,
		.highmem = range.highmem,
	};
	layout_build(&input, &layout);
	if (options->json)
		return layout_json(stdout, &layout, uts.release) ? EXIT_FAILED : EXIT_OK;
	layout_text(stdout, &layout, uts.release);
	return EXIT_OK;
}

const struct command cmd_layout = {
	.name = "layout",
	.summary = "the kernel's address space: every boundary with its source",
	.help = "Draws the address space of the running kernel and tells where each boundary was "
		"read or how it was derived.",
	.takes = TAKES_JSON,
	.run = run,
};
