/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A thread that moves records from the kernel's small buffer into a larger queue in user memory as
 * soon as they come, so that a slow moment of the reader (symbols, a slow terminal) costs memory
 * and not events. A ring is small because it lies in the very space being watched.
 */
#ifndef VMTRACE_CAPTURE_PUMP_H
#define VMTRACE_CAPTURE_PUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/channel.h"

struct pump;

#define PUMP_QUEUE_MAX (8u << 20) /* bytes; beyond it records wait in the kernel's buffer */

/* Starts the thread on channel, which must outlive the pump. 0 / -errno. */
int pump_start(struct pump **pump, struct channel *channel);
/* Drains what is left into the queue and ends the thread. pump_stop(NULL) is legal. */
void pump_stop(struct pump *pump);

/*
 * Another channel takes over: from pump_add_next on both are drained, and what comes through next
 * is held back; when no program writes to the first one any more, pump_switch queues the rest of
 * it, then what was held, and goes on with next alone. So no record is lost and the order stays
 * that of cause and effect: a program that saw the new channel began after the switch. pump_switch:
 * 0; -EAGAIN when the queue is full (take it, and try again); -ENOMEM; -EBADMSG.
 */
int pump_add_next(struct pump *pump, struct channel *next);
int pump_switch(struct pump *pump);

/* Waits until records are queued, or the thread has ended: true; false after timeout_ms. A signal does
 * not end it. */
bool pump_wait(struct pump *pump, unsigned int timeout_ms);

/* 0, or the -errno that ended the thread. */
int pump_failed(struct pump *pump);

/*
 * Takes everything queued so far: a run (capture/channel.h). The bytes stay valid until the next call.
 * Returns the length.
 */
size_t pump_take(struct pump *pump, const uint8_t **bytes);

/* Now, for pump_flush; not to be used after a pump_switch. */
uint64_t pump_mark(struct pump *pump);

/* Waits until all that was sent before the mark is queued. 0; -ETIMEDOUT (the queue is full, or a
 * record is still being written); -EBADMSG when the channel is corrupt (then the thread has
 * stopped). */
int pump_flush(struct pump *pump, uint64_t mark, unsigned int timeout_ms);

#endif
