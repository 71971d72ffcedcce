/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the export formats read, and the formats: one file each. Conventions of each front-end are
 * in docs/EXPORTS.md. All return 0, -ENOMEM, or -EIO when out refuses; none of them asks the system
 * for anything, so the same stream always gives the same bytes.
 */
#ifndef VMTRACE_EXPORT_EXPORT_H
#define VMTRACE_EXPORT_EXPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "export/samples.h"
#include "export/trace.h"
#include "record/json_put.h"
#include "space/names.h"
#include "space/space.h"
#include "space/stacks.h"
#include "view/text.h"

struct export_failures { /* failed allocations by reason */
	uint64_t no_space VMT_ALIGNED8;
	uint64_t no_memory VMT_ALIGNED8;
	uint64_t other VMT_ALIGNED8;
};

struct export_data {
	struct view view;              /* names grows by labels */
	const struct samples *samples; /* folded, pprof, speedscope */
	const struct trace *trace;     /* perfetto */
	enum samples_value value; /* which one the front-end shows first; folded: the only one */
	uint32_t top;             /* prom: owners */
	struct export_failures failures;
	uint64_t first_ns VMT_ALIGNED8; /* time of the first event, CLOCK_MONOTONIC */
	uint64_t wall_ns VMT_ALIGNED8; /* what to add to CLOCK_MONOTONIC for the time of day; 0: not
					* known */
};

/* flamegraph.pl, inferno, speedscope: "root;...;leaf BYTES", sorted. */
int export_folded(FILE *out, const struct export_data *data);

/* pprof, Pyroscope, Parca: gzipped profile.proto with the sample names of a Go heap profile; for
 * the value failed: failed_objects and failed_space. -ENOSYS in a build without protobuf-c, which
 * export_has_pprof tells before. */
int export_pprof(FILE *out, const struct export_data *data);
extern const bool export_has_pprof;

/* speedscope's own JSON: a profile for each value. */
int export_speedscope(FILE *out, const struct export_data *data);

/* Chrome trace JSON for ui.perfetto.dev: counters, failures, the largest lifetimes. */
int export_perfetto(FILE *out, const struct export_data *data);

/* A table of the areas, RFC 4180 but for the line ends, which are LF. */
int export_csv(FILE *out, const struct export_data *data);

/* Prometheus text format 0.0.4 without timestamps, as the textfile collector wants it. */
int export_prom(FILE *out, const struct export_data *data);

enum export_format {
	EXPORT_NONE = 0,
	EXPORT_FOLDED,
	EXPORT_PPROF,
	EXPORT_SPEEDSCOPE,
	EXPORT_PERFETTO,
	EXPORT_CSV,
	EXPORT_PROM,
	EXPORT_JSONL, /* the event stream: record/jsonl.h writes it */
	EXPORT_FORMATS,
};

/* "inuse", "alloc", "failed"; "folded", "pprof" ... The inverses: 0, or -EINVAL for a name that is
 * none. */
const char *export_value_name(enum samples_value value);
int export_value_from_name(const char *name, enum samples_value *value);
const char *export_format_name(enum export_format format);
int export_format_from_name(const char *name, enum export_format *format);

/* Puts text as CLEAN_TEXT. */
void export_put_text(struct json_put *put, const char *key, const char *text);

/* The frames of a stack as an array of such text. */
void export_put_frames(struct json_put *put, const char *key, const struct view *view,
		       uint32_t stack_id);

/* 0, or the error that ended the writing to out. */
int export_status(FILE *out);

#endif
