/* SPDX-License-Identifier: GPL-2.0-only */
/* From the stack ids of a file, which may be any number, to ours. */
#ifndef VMTRACE_RECORD_IDMAP_H
#define VMTRACE_RECORD_IDMAP_H

#include <stdbool.h>
#include <stdint.h>

struct idmap;

struct idmap *idmap_new(void);
void idmap_free(struct idmap *map);

/* Sets the value of key (not 0). 0, -EEXIST if it has another value already, -ENOMEM. */
int idmap_set(struct idmap *map, uint32_t key, uint32_t value);
bool idmap_get(const struct idmap *map, uint32_t key, uint32_t *value);

#endif
