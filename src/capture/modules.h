/* SPDX-License-Identifier: GPL-2.0-only */
/* The loaded modules, from /proc/modules (kernel/module/procfs.c: m_show). */
#ifndef VMTRACE_CAPTURE_MODULES_H
#define VMTRACE_CAPTURE_MODULES_H

#include <stddef.h>
#include <stdint.h>

#include "record/header.h"
#include "space/names.h"

struct modules {
	struct stream_module *list;
	uint32_t count;
};

/* Parses the text of /proc/modules (hostile bytes) into *modules; lines that are none of its format
 * are left out. 0 or -ENOMEM; modules_release in both cases. */
int modules_parse(const char *text, size_t len, struct names *names, struct modules *modules);

/* Reads path, normally "/proc/modules". Also -errno. */
int modules_read(const char *path, struct names *names, struct modules *modules);
void modules_release(struct modules *modules);

#endif
