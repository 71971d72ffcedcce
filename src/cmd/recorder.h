/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The events of a session into a .vmt file or a ring of them: all of `record`, and on the side of
 * `live -o FILE`. What goes wrong while writing is kept until it is asked for, so that it ends the
 * watching as a stop does.
 */
#ifndef VMTRACE_CMD_RECORDER_H
#define VMTRACE_CMD_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/options.h"
#include "cmd/session.h"
#include "event.h"
#include "record/series.h"

struct recorder;

/* Before anything is done: can -o be written? Exit code, with a message. */
int recorder_check(const struct options *options);

/* session: of the events, opened later; both stay the caller's. NULL on lack of memory. */
struct recorder *recorder_new(struct session *session, const struct options *options);
/* The session has gone on for a while: the file is to begin with what its model holds now, and
 * recorder_begin to be called before the next event, outside of a snapshot. */
void recorder_from_model(struct recorder *recorder);
/* A file that is not finished is left as one that was cut off, with all that came. */
void recorder_free(struct recorder *recorder);

/* Begins the file, if no event has done that already: live once the session is open; of another
 * recording at its end, as what that says of its machine is known with its first event. Exit code,
 * with a message. */
int recorder_begin(struct recorder *recorder);

/* Takes an event, after the session's model. -EPIPE: a file is being read, and reading on is of no
 * use; else 0. */
int recorder_event(struct recorder *recorder, const struct event *event);

/* To be called at least every half second when live: blocks that have waited are written, and a
 * changed list of modules. */
void recorder_tick(struct recorder *recorder, uint64_t now_ns);

/* True if no event can be taken any more: the file is full, or cannot be written. */
bool recorder_is_over(const struct recorder *recorder);

struct series_stats recorder_stats(const struct recorder *recorder);
const char *recorder_path(const struct recorder *recorder);

/* Ends the file and tells what it has. EXIT_FAILED if it could not be written, else EXIT_OK. */
int recorder_finish(struct recorder *recorder);

#endif
