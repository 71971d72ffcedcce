// SPDX-License-Identifier: GPL-2.0-only
/* In the place of debug_file.c in a build without libdw. */
#include "debuginfo/debug_file.h"

#include <errno.h>
#include <stddef.h>

#include "log.h"

int debug_file_open(const char *path, struct debug_file **file)
{
	*file = NULL;
	log_error("--vmlinux=%s: this vmtrace was built without libdw (apt install libdw-dev and "
		  "build it again)",
		  path);
	return -ENOSYS;
}

void debug_file_close(struct debug_file *file)
{
	(void)file;
}

const char *debug_file_module(const struct debug_file *file)
{
	(void)file;
	return "";
}

const char *debug_file_release(const struct debug_file *file)
{
	(void)file;
	return "";
}

int debug_file_lines(struct debug_file *file, const char *symbol, uint32_t offset, uint32_t size,
		     struct debug_line *lines, uint32_t max)
{
	(void)file, (void)symbol, (void)offset, (void)size, (void)lines, (void)max;
	return 0;
}
