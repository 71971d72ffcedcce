/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files that --vmlinux named: vmlinux, modules, and folders in which each is looked for when
 * a frame asks for it. Finds the source of frames as recordings have them.
 */
#ifndef VMTRACE_DEBUGINFO_DEBUG_FILES_H
#define VMTRACE_DEBUGINFO_DEBUG_FILES_H

#include <stdint.h>

#include "debuginfo/debug_file.h"

#define DEBUG_INLINED 8u /* of what one frame is inlined from, at most */

struct debug_files;

/* Opens each path, or remembers it if it is a folder; the paths must outlive it. NULL with a
 * message logged. */
struct debug_files *debug_files_new(const char *const *paths, uint32_t count);
void debug_files_free(struct debug_files *files);

/* The release of the kernel that the frames are of; it must outlive it. Files that say that they
 * are of another are not used, which is logged. */
void debug_files_set_release(struct debug_files *files, const char *release);

/* The source of a frame ("vmalloc+0x6f", "foo_open+0x90/0x120 [foo]"): innermost inlined function
 * first. Returns how many lines (at most DEBUG_INLINED), 0 if not known. */
uint32_t debug_files_lines(struct debug_files *files, const char *frame,
			   struct debug_line lines[DEBUG_INLINED]);

/* One message for each reason for which frames asked for have no line. */
void debug_files_tell(const struct debug_files *files);

#endif
