/* SPDX-License-Identifier: GPL-2.0-only */
/* Wire records of the ring (src/event.h, first part) into events of the stream (second part). */
#ifndef VMTRACE_CAPTURE_DECODE_H
#define VMTRACE_CAPTURE_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "capture/resolver.h"
#include "space/names.h"
#include "space/stacks.h"
#include "stream.h"

struct decode;

/* own_pid: allocations by this process are marked EV_F_OWN. */
struct decode *decode_new(struct names *names, struct stacks *stacks, struct resolver *resolver,
			  uint32_t own_pid);
void decode_free(struct decode *decode);

/*
 * Turns one record of len bytes into its event, before it an EV_STACK if its stack is new. 0;
 * -EBADMSG when the record is shorter than its type says or its type is unknown (nothing is
 * emitted); -errno of the sink.
 */
int decode_record(struct decode *decode, const void *record, size_t len, const struct sink *sink);

#endif
