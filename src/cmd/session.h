/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every view command needs: a source of events (this machine or a file), the model fed by
 * it, and the facts to show beside it. Everything after the source is one path for both.
 */
#ifndef VMTRACE_CMD_SESSION_H
#define VMTRACE_CMD_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cmd/options.h"
#include "record/reader.h"
#include "space/compare.h"
#include "allocator/diagnose.h"
#include "space/names.h"
#include "space/space.h"
#include "space/stacks.h"
#include "space/trend.h"
#include "stream.h"
#include "capture/plan.h"
#include "view/facts.h"
#include "view/text.h"

struct capture;

#define SESSION_NO_LIMIT UINT64_MAX

struct session {
	const struct options *options;
	struct names *names;
	struct stacks *stacks;
	struct space *space;
	struct trend *trend;     /* of space, over the events */
	struct capture *capture; /* live, else NULL */
	struct reader *reader;   /* file, else NULL */
	struct stream_header header;
	struct view_facts facts;
	struct plan_report plans;       /* live: which probe plans were tried, and failed */
	struct event last_fail;         /* type EV_NONE if there was none */
	uint64_t start_ns VMT_ALIGNED8; /* when watching began; of a file that does not say: its
					   first event */
	const struct sink *before;      /* sees every event before the model, may be NULL */
	const struct sink *tee;         /* sees every event after the model, may be NULL */
	uint32_t reconciles;            /* live: comparisons on the way that came to an end */
	bool cut_off;                   /* the recording is not all that was recorded */
	bool damaged;                   /* ... because it is not as it was written */
	bool limit_reached;
	bool wants_list;  /* file: limit_ns is not to lie before its first list; may be
			     set before session_run */
	bool begins_late; /* the first list of the file lies behind limit_ns: it was
			     taken nevertheless */
	bool listed;      /* file: it was */
	bool was_uncertain; /* the map, after the last event */
	bool in_snapshot; /* half of the kernel's list is applied: no state to stop
			     at */
	/* live: asked while it waits for events; if true, session_run returns early. May be NULL */
	bool (*wanted)(void *context);
	void *wanted_context;
	struct event held; /* file: read, and not applied by session_play; type EV_NONE: none */
	uint64_t limit_ns VMT_ALIGNED8; /* file: how far from start_ns on it is read; may be set
					   before session_run. SESSION_NO_LIMIT: to its end */
};

/*
 * Opens the source: -i FILE or this machine (with the first snapshot taken). tee may be NULL. 0, or
 * the exit code of the command, with a message logged. session_close is legal after a failure.
 */
int session_open(struct session *session, const struct options *options, const struct sink *tee);

/* The same, and before sees each event before the model does; if it returns not 0, the model does
 * not take it, and the source stops. */
int session_open_around(struct session *session, const struct options *options,
			const struct sink *before, const struct sink *tee);
void session_close(struct session *session);

/*
 * Lets events flow for at most for_ns (live) or until the file ends. SESSION_MORE; SESSION_END when
 * there will be no more (file ended, stop requested, reader of stdout gone); an exit code after a
 * message.
 */
#define SESSION_MORE 0
#define SESSION_END  (-1)
int session_run(struct session *session, uint64_t for_ns);

/*
 * File: applies its events up to until_ns (event time), and then returns SESSION_MORE; what a sink
 * returned -EINTR for is the last of them. Not between SNAPSHOT_BEGIN and SNAPSHOT_END. SESSION_END
 * at the end of the file, or when a stop was requested or a sink returned -EPIPE; or an exit code.
 */
int session_play(struct session *session, uint64_t until_ns);

/* File: back to its begin, with an empty model. Names and stacks stay, so ids mean what they meant.
 * Exit code. */
int session_rewind(struct session *session);

/* Live: puts the time into the stream, as an event, so that what is done at this moment has a place
 * in it. 0, or what `before` and `tee` return. Nothing for a file, which has its own. */
int session_tell_time(struct session *session);

/* A session whose model holds the kernel's own list, read once, without probes. Exit code. */
int session_snapshot(struct session *session, const struct options *options);

/* What a failure of the session is held against. */
struct diagnosis_base session_diagnosis_base(const struct session *session);

/* What the views take. */
struct view session_view(struct session *session, FILE *out);

/* Compares the model with the kernel's list now (live only) and prints the outcome: text or JSON.
 * EXIT_FINDING if they differ, EXIT_FAILED with a message if they cannot be compared, else as
 * session_exit_code. */
int session_verify(struct session *session, bool json);

/* The exit code at a normal end: EXIT_INCOMPLETE under --strict if anything was lost. */
int session_exit_code(const struct session *session);

/* Opens, runs for --duration (live default: fallback_ns), and leaves the session for one view. */
int session_once(struct session *session, const struct options *options, uint64_t fallback_ns);

#endif
