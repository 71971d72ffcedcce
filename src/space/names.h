/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interned strings: task names, symbol names, callers. The same text always has the same id, so
 * the rest of the tool stores and compares 4-byte ids. Id 0 is the empty string.
 */
#ifndef VMTRACE_SPACE_NAMES_H
#define VMTRACE_SPACE_NAMES_H

#include <stddef.h>
#include <stdint.h>

struct names;

/* NULL on lack of memory. names_free(NULL) is legal. */
struct names *names_new(void);
void names_free(struct names *names);

/* The id of text (len bytes, no NUL inside needed), made on first use; 0 for "" and when memory
 * runs out: a missing name is shown as such, it never stops the map. */
uint32_t names_intern(struct names *names, const char *text, size_t len);
uint32_t names_intern_str(struct names *names, const char *text);

/* The id of text if it has one, else 0. */
uint32_t names_find_str(const struct names *names, const char *text);

/* The text of id, "" for 0 or an unknown id. Valid until names_free. */
const char *names_text(const struct names *names, uint32_t id);

/* How many ids exist, 0 included: valid ids are 0 .. names_count - 1. */
uint32_t names_count(const struct names *names);

#endif
