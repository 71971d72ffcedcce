/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/selftest.h"

#include <errno.h>
#include <stdio.h>

#include <bpf/bpf.h>

/*
 * An array map of one element is struct bpf_array (a few hundred bytes) and the element in one
 * vmalloc, since it is over 32 KiB (kernel/bpf/syscall.c:bpf_map_area_alloc). Half a page over a
 * whole number of pages, so the header cannot change how many pages it takes.
 */
#define TEST_PAGES       9u
#define TEST_VALUE_BYTES (8u * VMT_PAGE_SIZE + VMT_PAGE_SIZE / 2)
#define TEST_AREA_BYTES  ((TEST_PAGES + 1) * VMT_PAGE_SIZE) /* and the guard page */

int selftest_allocate(void)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "vmtrace_test", sizeof(uint32_t),
				TEST_VALUE_BYTES, 1, NULL);

	return fd < 0 ? -errno : fd;
}

int selftest_event(void *context, const struct event *event)
{
	struct selftest *test = context;

	if (event->type == EV_ALLOC && event->pid == test->own_pid && !test->allocated &&
	    (event->size == TEST_AREA_BYTES || event->end - event->start == TEST_AREA_BYTES)) {
		test->alloc = *event;
		test->allocated = true;
	} else if (event->type == EV_FREE && test->allocated && event->start == test->alloc.start &&
		   event->end == test->alloc.end) {
		test->freed = true;
	} else if (event->type == EV_ALLOC && test->freed && event->start == test->alloc.start &&
		   event->end == test->alloc.end && event->pid == test->alloc.pid) {
		test->repeated = true;
	} else if (event->type == EV_ALLOC || event->type == EV_FREE) {
		test->others++;
	}
	return 0;
}

bool selftest_alloc_ok(const struct selftest *test, char *why, size_t why_len)
{
	const struct event *alloc = &test->alloc;
	const struct range *range = test->range;

	if (!test->allocated)
		snprintf(why, why_len,
			 "an allocation of %u bytes was made, and no probe reported one of that "
			 "size "
			 "(%u other events came)",
			 TEST_AREA_BYTES, test->others);
	else if ((test->knows_request && alloc->size != TEST_AREA_BYTES) ||
		 alloc->end - alloc->start != TEST_AREA_BYTES)
		snprintf(why, why_len,
			 "an allocation of %u bytes was reported as size %u, range %08x-%08x",
			 TEST_AREA_BYTES, alloc->size, alloc->start, alloc->end);
	else if (alloc->start < range->vmalloc_start || alloc->end > range->vmalloc_end)
		snprintf(why, why_len, "area %08x-%08x is outside the vmalloc range %08x-%08x",
			 alloc->start, alloc->end, range->vmalloc_start, range->vmalloc_end);
	else if (test->knows_request &&
		 (alloc->vstart != range->vmalloc_start || alloc->vend != range->vmalloc_end))
		snprintf(why, why_len,
			 "the kernel searched %08x-%08x, /proc/kcore says vmalloc is %08x-%08x",
			 alloc->vstart, alloc->vend, range->vmalloc_start, range->vmalloc_end);
	else if (test->with_requests && alloc->requested &&
		 (alloc->requested < TEST_VALUE_BYTES ||
		  alloc->requested > TEST_PAGES * VMT_PAGE_SIZE))
		snprintf(why, why_len, "%u bytes were asked for, %u reported", TEST_VALUE_BYTES,
			 alloc->requested);
	else
		return true;
	return false;
}

bool selftest_stack_ok(const struct selftest *test)
{
	return test->alloc.kind == KIND_BPF;
}
