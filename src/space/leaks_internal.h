/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files that make up struct leaks share; nobody else includes this. */
#ifndef VMTRACE_SPACE_LEAKS_INTERNAL_H
#define VMTRACE_SPACE_LEAKS_INTERNAL_H

#include "space/idtable.h"
#include "space/leak_modules.h"
#include "space/leaks.h"

#define LEAKS_LOSSES 32u
#define NO_GROUP     UINT32_MAX

struct leak_group {
	uint32_t name_id;  /* with stack_id the key */
	uint32_t stack_id; /* BY_STACK */
	uint32_t example;  /* a stack */
	uint32_t owner_id;
	uint32_t module_id;
	uint32_t live; /* areas born in the watch */
	uint32_t live_pages;
	uint32_t walk; /* leaks_after(SNAPSHOT_END): live as the space has it */
	uint32_t walk_pages;
	uint8_t kind;
	uint64_t births_us; /* sum of the births of the live, in us: tells the age of what goes */
	uint64_t walk_us;
	uint64_t born;
	uint64_t freed;
	uint64_t vanished;
	struct leak_ages ages;
	struct leak_series series;
};

/* Events missed before t_ns that no list has put right. */
struct leak_loss {
	uint64_t t_ns;
	uint64_t count;
};

struct leaks {
	struct names *names;
	const struct stacks *stacks;
	struct leaks_options options;
	uint32_t own_comm; /* string id of vmtrace's own name */
	struct leak_group **groups;
	uint32_t nr_groups;
	uint32_t room; /* of groups */
	struct idtable index;
	uint32_t *by_stack; /* stack id: its group + 1, where the stack alone tells it */
	uint32_t nr_by_stack;
	uint64_t start_ns;
	uint64_t begin_ns; /* the first event */
	bool begun;
	bool timed; /* an event was seen that is not of a list */
	struct leak_clock clock;
	struct leak_modules *modules;
	struct leak_loss losses[LEAKS_LOSSES];
	uint32_t nr_losses;
	uint64_t frees; /* seen, of areas of any age */
};

/* vmtrace's: made by this one, or by a task of its name. */
bool leaks_is_own(const struct leaks *leaks, const struct area *area);

/* True if an area is counted: a used one that is not vmtrace's own, born in the watch. */
bool leaks_counts(const struct leaks *leaks, const struct area *area);

/* The group of an area, made if need be. NO_GROUP: there are too many. -ENOMEM as such. */
int leaks_group_of(struct leaks *leaks, const struct area *area, uint32_t *group);

#endif
