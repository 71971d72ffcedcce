// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/jsonl_out.h"

#include <errno.h>

#include "record/jsonl.h"

static int write_header(struct jsonl_out *jsonl)
{
	const struct filter *filter = jsonl->session->options->filter;

	if (jsonl->header_written)
		return 0;
	jsonl->header_written = true;
	return jsonl_write_header(jsonl->out, &jsonl->session->header,
				  filter ? filter_text(filter) : NULL);
}

int jsonl_out_event(struct jsonl_out *jsonl, const struct event *event)
{
	int err = write_header(jsonl);

	if (!err)
		err = jsonl_write_event(jsonl->out, event, jsonl->session->names,
					jsonl->session->stacks);
	jsonl->events += event->type != EV_STACK;
	if (event->type == EV_LOST && lost_cause_hurts_map(event->state))
		jsonl->lost += event->count;
	return err == -EIO && errno == EPIPE ? -EPIPE : err;
}

int jsonl_out_finish(struct jsonl_out *jsonl)
{
	int err = write_header(jsonl);

	/* What was made of a part does not look like a whole one. */
	if (err || jsonl->session->cut_off)
		return err;
	return jsonl_write_trailer(jsonl->out, jsonl->events, jsonl->lost);
}
