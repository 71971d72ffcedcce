/* SPDX-License-Identifier: GPL-2.0-only */
/* The JSON Schema of one line of vmtrace.events/1. */
#ifndef VMTRACE_RECORD_JSONL_SCHEMA_H
#define VMTRACE_RECORD_JSONL_SCHEMA_H

#include <stdio.h>

/* Prints the schema, indented. 0, -ENOMEM, or -EIO when out refuses. */
int jsonl_schema_print(FILE *out);

#endif
