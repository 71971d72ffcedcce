/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's own code and data, read through /proc/kcore. Does one function call another? That
 * tells which of the vmalloc family the compiler gave an allocator of its own (docs/KERNELS.md).
 */
#ifndef VMTRACE_CAPTURE_TEXT_H
#define VMTRACE_CAPTURE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/plan.h"
#include "capture/symbols.h"

struct text;

/* Opens path (normally "/proc/kcore"); symbols, which say where functions end, must outlive it.
 * NULL if it cannot be read. */
struct text *text_open(const char *path, const struct symbols *symbols);
void text_close(struct text *text);

/* True if /proc/kcore has these bytes of memory. */
bool text_has(const struct text *text, uint32_t addr, uint32_t len);
/* Reads them: false if that cannot be. */
bool text_read(struct text *text, uint32_t addr, void *bytes, uint32_t len);

/* The code of the function at addr, valid until the next call; NULL if it cannot be read. */
const uint8_t *text_code(struct text *text, uint32_t addr, uint32_t *len);

/* Has the function at from a call or a jump (e8, e9 rel32) to the address to? CALLS_UNKNOWN if its
 * code cannot be read, or addresses are hidden (0). context is a struct text. */
enum plan_calls text_calls(void *context, uint32_t from, uint32_t to);

/* The same for len bytes of code that lie at addr. */
bool text_bytes_call(const uint8_t *code, size_t len, uint32_t addr, uint32_t to);

#endif
