/* SPDX-License-Identifier: GPL-2.0-only */
/* What a .vmt file defines beside its events: names, stacks, facts, modules. Hostile bytes. */
#ifndef VMTRACE_RECORD_VMT_DEFINE_H
#define VMTRACE_RECORD_VMT_DEFINE_H

#include <stdint.h>

#include "event.h"
#include "record/header.h"
#include "record/vmt_format.h"
#include "space/names.h"
#include "space/stacks.h"

#define VMT_MAX_FACTS 64u

/* ids[id of the file] = ours; ids[0] = 0. */
struct vmt_id_map {
	uint32_t *ids;
	uint32_t count; /* with [0] */
	uint32_t capacity;
	uint64_t bytes; /* of texts, or frames of stacks */
};

struct vmt_defined {
	struct names *to_names;
	struct stacks *to_stacks;
	struct vmt_id_map names;
	struct vmt_id_map stacks;
	struct stream_fact facts[VMT_MAX_FACTS];
	uint32_t nr_facts;
	struct stream_module *modules; /* names: ours */
	uint32_t nr_modules;
	char why[160]; /* set on -EBADMSG */
};

/* 0 or -ENOMEM; release it in both cases. */
int vmt_defined_init(struct vmt_defined *defined, struct names *names, struct stacks *stacks);
void vmt_defined_release(struct vmt_defined *defined);

/* Takes the record at bytes (of len bytes, as its head says; a type below VMT_FIRST_EVENT). 1 and
 * an EV_STACK in *event for a stack; 0 for the others and for an unknown type; -EBADMSG; -ENOMEM.
 */
int vmt_define(struct vmt_defined *defined, const uint8_t *bytes, uint32_t len,
	       struct event *event);

#endif
