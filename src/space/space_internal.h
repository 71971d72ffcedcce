/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files that make up struct space share; nobody else includes this. */
#ifndef VMTRACE_SPACE_INTERNAL_H
#define VMTRACE_SPACE_INTERNAL_H

#include "space/space.h"
#include "space/table.h"

struct snapshot_state {
	bool active;
	bool seeded; /* a first snapshot was completed: no page is unknown any more */
	uint64_t since_ns;  /* pages touched from here on keep what the events said */
	uint64_t end_ns;    /* of the last completed one */
	uint64_t first_ns;  /* end of the first */
	bool doubtful;      /* the running one has lazy pages that may be free again, or lost */
	uint8_t *lazy_page; /* pages that the running snapshot lists as lazy */
};

struct space {
	struct table table;
	struct space_counters counters;
	struct snapshot_state snapshot;
	uint64_t hurt_ns;      /* time of the last loss that can have made the map wrong */
	uint64_t purged_ns;    /* end of the last purge */
	uint32_t module_start; /* space_module_start() */
	bool uncertain;
};

/* From an allocation, or from a line that tells of one. */
void space_learn_module_start(struct space *space, const struct event *event);

int snapshot_begin(struct space *space, const struct event *event);
int snapshot_area(struct space *space, const struct event *event);
int snapshot_end(struct space *space, const struct event *event);

#endif
