/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses to interned frame names, with a cache, over a symbol table that is read again when
 * modules have come or gone. Names are taken at the first sight of an address: later the module
 * may be unloaded.
 */
#ifndef VMTRACE_CAPTURE_RESOLVER_H
#define VMTRACE_CAPTURE_RESOLVER_H

#include <stdint.h>

#include "capture/symbols.h"
#include "space/names.h"

struct resolver;

/* symbols: loaded or empty; owned by the caller, as names is. [module_start, module_end): where
 * module code lies (MODULES_VADDR..MODULES_END, the vmalloc range on i386). */
struct resolver *resolver_new(struct symbols *symbols, struct names *names, uint32_t module_start,
			      uint32_t module_end);
void resolver_free(struct resolver *resolver);

/* String id of "symbol+0xoff [module]", or of "0xf7abc123". now_ns (CLOCK_MONOTONIC) limits how
 * often the table is read again. */
uint32_t resolver_frame(struct resolver *resolver, uint32_t addr, uint64_t now_ns);

/*
 * As long as both stay what they were, an address has the name that it had: the generation changes
 * with the symbols, and an answer that is not final (the module's symbols may appear later) is
 * counted.
 */
uint32_t resolver_generation(const struct resolver *resolver);
uint32_t resolver_unsettled(const struct resolver *resolver);

/* A module was loaded: the table is stale where modules live. (One that was only unloaded keeps its
 * names, for the events still to be decoded: nothing else is there until the next one is loaded.)
 */
void resolver_modules_changed(struct resolver *resolver, uint64_t now_ns);

#endif
