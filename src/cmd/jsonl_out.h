/* SPDX-License-Identifier: GPL-2.0-only */
/* A session's event stream as a JSON Lines recording: header, events, trailer. */
#ifndef VMTRACE_CMD_JSONL_OUT_H
#define VMTRACE_CMD_JSONL_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cmd/session.h"

struct jsonl_out {
	FILE *out;
	const struct session *session; /* its header is known when the first event comes */
	bool header_written;
	uint64_t events VMT_ALIGNED8;
	uint64_t lost VMT_ALIGNED8;
};

/* 0, -ENOMEM, -EIO, or -EPIPE when the reader of out has gone. */
int jsonl_out_event(struct jsonl_out *jsonl, const struct event *event);
/* The header if there was no event, and the trailer, if the session read its source to the end. 0,
 * -ENOMEM or -EIO. */
int jsonl_out_finish(struct jsonl_out *jsonl);

#endif
