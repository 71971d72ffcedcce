/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel symbols from /proc/kallsyms, module names included. Text symbols only (types t T w W),
 * sorted u32 addresses beside one string blob: about 2 MB for a stock kernel.
 */
#ifndef VMTRACE_CAPTURE_SYMBOLS_H
#define VMTRACE_CAPTURE_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbols;

/* An empty table. NULL on lack of memory. */
struct symbols *symbols_new(void);
void symbols_free(struct symbols *symbols);

/*
 * Replaces the contents by the kallsyms text in bytes (hostile until checked: over-long names,
 * addresses beyond 32 bits, unsorted lines, no final newline). 0; -EPERM when all addresses are
 * zero (kptr_restrict hides them: names stay usable for symbols_find, addresses do not); -EBADMSG
 * when no text symbol is found; -ENOMEM. On error the old contents stay, but on -EPERM the names
 * replace a table that had no addresses either.
 */
int symbols_parse(struct symbols *symbols, const char *bytes, size_t len);

/* Reads path (normally "/proc/kallsyms") in one go and parses it. Also -errno of open and read. */
int symbols_load(struct symbols *symbols, const char *path);

/* True if the addresses are real. */
bool symbols_have_addresses(const struct symbols *symbols);
uint32_t symbols_count(const struct symbols *symbols);

/*
 * Writes "name+0xoff" or "name+0xoff [module]" for addr into buf, "0xf7abc123" if no symbol
 * covers it (below the first symbol, or further than 1 MiB, in
 * a module 64 KiB, above its symbol). Returns the length
 * as snprintf does. A core symbol never claims an address in [module_start, module_end), where
 * modules live: a stale table must not lend the name of a core function to a module.
 */
int symbols_format(const struct symbols *symbols, uint32_t addr, uint32_t module_start,
		   uint32_t module_end, char *buf, size_t len);

/* True if a symbol covers addr (as symbols_format would name it). */
bool symbols_covers(const struct symbols *symbols, uint32_t addr, uint32_t module_start,
		    uint32_t module_end);

/* How many bytes there are from addr to the next symbol: the size of a function that begins there.
 * 0 if addresses are hidden or no symbol follows. */
uint32_t symbols_size(const struct symbols *symbols, uint32_t addr);

enum symbols_match {
	SYMBOLS_NONE = 0,
	SYMBOLS_ONE,
	SYMBOLS_AMBIGUOUS,
};

/*
 * Resolves a function as the compiler may have renamed it: name(.constprop.N|.isra.N|.part.N)*,
 * never .cold, core kernel only (no module). SYMBOLS_ONE: real name in found (of found_len bytes)
 * and its address in *addr (0 if addresses are hidden). A plain match beats suffixed ones. Also
 * SYMBOLS_NONE if the real name does not fit into found.
 */
enum symbols_match symbols_find(const struct symbols *symbols, const char *name, char *found,
				size_t found_len, uint32_t *addr);

#endif
