/* SPDX-License-Identifier: GPL-2.0-only */
/* One JSON object of a vmtrace.events/1 file, hostile until checked, to a header or an event. */
#ifndef VMTRACE_RECORD_JSONL_PARSE_H
#define VMTRACE_RECORD_JSONL_PARSE_H

#include <stddef.h>

#include <jansson.h>

#include "event.h"
#include "record/idmap.h"
#include "record/jsonl.h"

#define JSONL_MAX_FRAMES 128u
#define JSONL_MAX_FRAME  1024u /* KSYM_NAME_LEN is 512; offset and module come on top */
#define JSONL_MAX_COMM   64u   /* VMT_COMM_LEN bytes, each perhaps replaced by three */

struct jsonl_parse {
	struct names *names;
	struct stacks *stacks;
	struct idmap *ids; /* stack ids of the file -> ours */
	/* What the file has made, for which there are the limits of a .vmt file (vmt_format.h): a
	 * name beyond them is missing, a stack is left out. */
	uint32_t nr_names;
	uint32_t nr_stacks;
	uint32_t nr_frames;
	uint64_t name_bytes VMT_ALIGNED8;
	struct stream_header header;
	char why[160]; /* set on -EBADMSG */
};

/* Fills parse->header. 0 or -EBADMSG. */
int jsonl_parse_header(struct jsonl_parse *parse, json_t *object);

/* 1 and *event; 0 for a type that is unknown here, a trailer, or a stack without frames;
 * -EBADMSG; -ENOMEM. */
int jsonl_parse_event(struct jsonl_parse *parse, json_t *object, struct event *event);

/* The object's type, NULL if it has none. */
const char *jsonl_parse_type(json_t *object);

#endif
