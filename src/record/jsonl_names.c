// SPDX-License-Identifier: GPL-2.0-only
#include "record/jsonl_names.h"

#include <string.h>

#include "event.h"

static const char *const type_names[EV_TYPE_COUNT] = {
	[EV_NONE] = "",
	[EV_STACK] = "stack",
	[EV_ALLOC] = "alloc",
	[EV_FREE] = "free",
	[EV_PURGE] = "purge",
	[EV_FAIL] = "fail",
	[EV_VFREE] = "vfree",
	[EV_LOST] = "lost",
	[EV_SNAPSHOT_BEGIN] = "snapshot",
	[EV_AREA] = "area",
	[EV_SNAPSHOT_END] = "snapshot",
	[EV_TIME] = "time",
};

static const char *const cause_names[LOST_CAUSE_COUNT] = {
	[0] = "unknown",
	[LOST_RING] = "ring",
	[LOST_INFLIGHT] = "inflight",
	[LOST_UNMATCHED] = "unmatched",
	[LOST_NO_ENTRY] = "no_entry",
	[LOST_STACK] = "stack",
	[LOST_READ] = "read",
	[LOST_QUEUE] = "queue",
	[LOST_MISSED] = "missed",
	[LOST_DETAIL] = "detail",
};

const char *jsonl_type_name(unsigned int type)
{
	return type < EV_TYPE_COUNT ? type_names[type] : "";
}

unsigned int jsonl_type_from_name(const char *name)
{
	unsigned int i;

	for (i = EV_NONE + 1; i < EV_TYPE_COUNT; i++)
		if (!strcmp(name, type_names[i]))
			return i;
	return EV_NONE;
}

const char *jsonl_cause_name(unsigned int cause)
{
	return cause < LOST_CAUSE_COUNT ? cause_names[cause] : cause_names[0];
}

unsigned int jsonl_cause_from_name(const char *name)
{
	unsigned int i;

	for (i = LOST_RING; i < LOST_CAUSE_COUNT; i++)
		if (!strcmp(name, cause_names[i]))
			return i;
	return LOST_QUEUE;
}
