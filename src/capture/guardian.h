/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guardian undoes what its parent did to the machine, also when the parent is killed with
 * SIGKILL. It is a forked child that waits for EOF on a pipe whose other end only the parent
 * holds. It keeps every signal blocked (only SIGKILL ends it early), is in a session of its own,
 * has a task name of its own, and holds no file of its parent's.
 *
 *   parent                          guardian
 *   guardian_start: fork      --->  job->run: prepares
 *   read answer               <---  guardian_answer
 *   guardian_end: close       --->  guardian_parent_done: EOF, undoes, returns 0
 *   waitpid                   <---
 */
#ifndef VMTRACE_CAPTURE_GUARDIAN_H
#define VMTRACE_CAPTURE_GUARDIAN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct guardian {
	pid_t pid;
	int control; /* -1: there is none */
};

struct guardian_job {
	/* Of the task, at most 15 characters; not vmtrace's: `pkill -9 vmtrace` and
	 * `killall -9 vmtrace` are not to end parent and guardian together. */
	const char *name;
	/* Runs in the child and only makes async-signal-safe calls, as the parent may have had
	 * threads. Answers once, waits, undoes. Returns 0, or what makes guardian_end false. */
	int (*run)(const void *context, int control, int reply);
	const void *context; /* the child has the copy of the moment of the fork */
};

/*
 * Starts the guardian and waits for its answer of len bytes (at most PIPE_BUF, so that it comes in
 * one piece or not at all). 0; -EIO if it ended without one; -errno of pipe or fork. On failure
 * there is no guardian, and guardian->control is -1.
 */
int guardian_start(struct guardian *guardian, const struct guardian_job *job, void *answer,
		   size_t len);

/* Tells it to undo and waits until it has. True if it ended by itself and returned 0. With no
 * guardian, true. */
bool guardian_end(struct guardian *guardian);

/* ---- in the child ---------------------------------------------------------------------------- */

/* Sends the answer and closes reply. A parent that is gone is no error: control tells so. */
void guardian_answer(int reply, const void *answer, size_t len);

/* Waits until the parent has closed its end or timeout_ms (-1 = for ever) is over. */
bool guardian_parent_done(int control, int timeout_ms);

#endif
