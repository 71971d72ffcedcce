/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who asked for an area and failed in the recording, and which area it got in a simulation: so that
 * the same request made again (same stack, size and alignment; without a stack, same task name) is
 * known for a retry.
 */
#ifndef VMTRACE_ALLOCATOR_REQUESTERS_H
#define VMTRACE_ALLOCATOR_REQUESTERS_H

#include <stdint.h>

struct simulation_request;
struct requesters;

/* NULL when memory runs out. */
struct requesters *requesters_new(void);
void requesters_free(struct requesters *requesters);

/* Start of the area that the requester holds; 0 = none. */
uint32_t requesters_get(const struct requesters *requesters,
			const struct simulation_request *request);

/* It holds the area at start from here on; 0 = none any more. 0, -ENOMEM. */
int requesters_set(struct requesters *requesters, const struct simulation_request *request,
		   uint32_t start);

#endif
