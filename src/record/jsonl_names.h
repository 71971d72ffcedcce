/* SPDX-License-Identifier: GPL-2.0-only */
/* The words of schema vmtrace.events/1, one table for the writer, the reader and the views. */
#ifndef VMTRACE_RECORD_JSONL_NAMES_H
#define VMTRACE_RECORD_JSONL_NAMES_H

#define JSONL_SCHEMA "vmtrace.events/1"

/* "alloc", "free" ... of an enum event_type; both snapshot events are "snapshot", "" for none. */
const char *jsonl_type_name(unsigned int type);
/* The inverse; "snapshot" gives EV_SNAPSHOT_BEGIN, an unknown word EV_NONE. */
unsigned int jsonl_type_from_name(const char *name);

/* "ring" ... of an enum lost_cause. */
const char *jsonl_cause_name(unsigned int cause);
/* The inverse. A word of a newer vmtrace gives LOST_QUEUE, since that counts as hurting the map. */
unsigned int jsonl_cause_from_name(const char *name);

#endif
