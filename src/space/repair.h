/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The list that puts right what several looks at the kernel's own list found to differ, and of the
 * used areas nothing else. The last look alone is no ground: the kernel hides an area of 6.12+ that
 * it is still filling (VM_UNINITIALIZED), and an event may be late.
 */
#ifndef VMTRACE_SPACE_REPAIR_H
#define VMTRACE_SPACE_REPAIR_H

#include <stdint.h>

#include "event.h"
#include "space/compare.h"
#include "space/space.h"

/*
 * Makes lines, EV_AREA events for a snapshot: of listed (as compare_run left it) the used lines
 * that the model has too or that settled names; every used area of the model that settled does not
 * name; the lazy lines, without what such an area covers. t_ns, begin_ns: when the list ended and
 * began. 0 and an array to free; -ENOMEM.
 */
int repair_list(const struct space *space, const struct compare_result *settled,
		const struct event *listed, uint32_t count, uint64_t begin_ns, uint64_t t_ns,
		struct event **lines, uint32_t *nr_lines);

#endif
