/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An open-addressing index from hash values to ids, for tables whose items never go away. The
 * items live with the caller, who compares the candidates:
 *
 *   for (id = idtable_first(&t, hash, &pos); id; id = idtable_next(&t, hash, &pos))
 *           if (item id equals what is looked for) ...
 *
 * Id 0 marks an empty slot and is never a valid id. A zeroed struct is an empty table.
 */
#ifndef VMTRACE_SPACE_IDTABLE_H
#define VMTRACE_SPACE_IDTABLE_H

#include <stddef.h>
#include <stdint.h>

struct idtable_slot {
	uint32_t hash;
	uint32_t id;
};

struct idtable {
	struct idtable_slot *slots;
	uint32_t size; /* 0 or a power of 2, always more than used */
	uint32_t used;
};

void idtable_release(struct idtable *table);

/* The next id stored under hash; 0 when there is no more. */
uint32_t idtable_first(const struct idtable *table, uint32_t hash, uint32_t *pos);
uint32_t idtable_next(const struct idtable *table, uint32_t hash, uint32_t *pos);

/* 0 or -ENOMEM, then nothing has changed. */
int idtable_add(struct idtable *table, uint32_t hash, uint32_t id);

uint32_t idtable_hash(const void *bytes, size_t len);

#endif
