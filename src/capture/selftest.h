/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Proof at start-up that what the probes report is true: an allocation of known size is made, and
 * exactly that allocation, in exactly the range that the kernel's own list shows, and its free
 * must come out of the ring. Whatever is wrong with registers, offsets or symbols shows here and
 * not in the user's map.
 */
#ifndef VMTRACE_CAPTURE_SELFTEST_H
#define VMTRACE_CAPTURE_SELFTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/range.h"
#include "event.h"
#include "stream.h"

struct selftest {
	/* input */
	const struct range *range;
	uint32_t own_pid;
	bool with_requests;
	bool knows_request; /* the plan tells size and range that were asked for */
	/* found */
	struct event alloc;
	bool allocated;
	bool freed;
	bool repeated;   /* after its free it was reported as allocated again */
	uint32_t others; /* events of other tasks meanwhile */
};

/* Feeds one event of the stream to the test. */
int selftest_event(void *context, const struct event *event);

/* Makes the test allocation (a BPF array map, one vmalloc). Returns its fd or -errno. */
int selftest_allocate(void);

/* True if its stack names the BPF system call's functions: stacks can be believed. */
bool selftest_stack_ok(const struct selftest *test);

/* True if the allocation was reported as it must be; else false and the reason in why. Call when
 * test->alloc was seen or waiting for it has ended. */
bool selftest_alloc_ok(const struct selftest *test, char *why, size_t why_len);

#endif
