/* SPDX-License-Identifier: GPL-2.0-only */
/* How long a wire record (src/event.h) is: what carries it may have padded it, or be hostile. */
#ifndef VMTRACE_CAPTURE_WIRE_H
#define VMTRACE_CAPTURE_WIRE_H

#include <stdint.h>

#include "event.h"

/* The longest record there is. */
#define WIRE_MAX_LEN ((uint32_t)(sizeof(struct wire_alloc) + VMT_MAX_FRAMES * sizeof(uint32_t)))

/*
 * The length of the record that begins at record (aligned to 8), of which len bytes are there: what
 * its type and its nr_frames say. -EBADMSG if the type is unknown or fewer bytes are there.
 */
int wire_record_len(const void *record, uint32_t len);

#endif
