/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The debug information (DWARF) of one file: vmlinux, or a module (foo.ko, foo.ko.debug), of a
 * 32-bit x86 kernel. Asked by symbol and offset, so where the kernel was loaded does not matter.
 *
 * libdw alone, without libdwfl: that would load libdebuginfod and ask servers, as root. What it is
 * for (a module is not linked: its DWARF is to be relocated first) is one kind of relocation.
 * The file may be hostile: libelf and libdw check what they read, this what it makes of it.
 */
#ifndef VMTRACE_DEBUGINFO_DEBUG_FILE_H
#define VMTRACE_DEBUGINFO_DEBUG_FILE_H

#include <stdbool.h>
#include <stdint.h>

#define DEBUG_NAME 64
#define DEBUG_PATH 160

/* A place in the source. */
struct debug_line {
	char function[DEBUG_NAME]; /* as in the source: an inlined one has its own name */
	char file[DEBUG_PATH];     /* below the folder it was built in, if it is */
	uint32_t line;
	bool inlined; /* into the next one of the list */
};

struct debug_file;

/* 0, -ENOENT and such, -ENOEXEC (no ELF file of this machine), -ENODATA (no debug information),
 * -ENOSYS (built without libdw); a message is logged. debug_file_close(NULL) is legal. */
int debug_file_open(const char *path, struct debug_file **file);
void debug_file_close(struct debug_file *file);

/* The module's name, "" = vmlinux. */
const char *debug_file_module(const struct debug_file *file);
/* The kernel release that it was built for; "" if it does not say (a part split off). */
const char *debug_file_release(const struct debug_file *file);

/* Where symbol+offset, a return address unless offset is 0, is in the source: the innermost
 * inlined function first, the function itself last. size: of the function as the running kernel
 * has it, 0 = not known. Returns how many (at most max), 0 if no line is known there, -ENOENT if no
 * function has that name, -ESTALE if those that have cannot be it (another build), -ENOTUNIQ if
 * several can. */
int debug_file_lines(struct debug_file *file, const char *symbol, uint32_t offset, uint32_t size,
		     struct debug_line *lines, uint32_t max);

#endif
