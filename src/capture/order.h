/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A hold of records that came by several ways, given on in the order of their times (t_ns of struct
 * wire_head). Records of equal time keep the order in which they were added. No I/O, no clock.
 */
#ifndef VMTRACE_CAPTURE_ORDER_H
#define VMTRACE_CAPTURE_ORDER_H

#include <stdint.h>

#include "capture/channel.h"

struct order;

struct order *order_new(void); /* NULL: no memory */
void order_free(struct order *order);

/* Keeps a copy of a record of len bytes. 0; -EBADMSG if it is too short to have a time; -ENOMEM,
 * and then the hold is as before. */
int order_add(struct order *order, const void *record, uint32_t len);

/*
 * Hands over, and forgets, the records with t_ns <= until_ns. If take refuses one, that and all
 * after it stay. Returns how many bytes of records (each padded to 8) were handed over. Costs
 * O(n log n) over the records held if some were added since the last call, nothing if none is due.
 */
int order_emit_until(struct order *order, uint64_t until_ns, channel_record_fn take, void *context);

/* Bytes of the records held, each padded to 8. The memory behind them is up to twice that and 16
 * bytes a record. */
uint32_t order_bytes(const struct order *order);

/* The earliest t_ns held; UINT64_MAX when the hold is empty. */
uint64_t order_oldest_ns(const struct order *order);

#endif
