// SPDX-License-Identifier: GPL-2.0-only
#include "record/jsonl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "record/jsonl_parse.h"
#include "record/lines.h"

#define MAX_LINE_BYTES (1024u * 1024u)

struct jsonl_reader {
	struct lines *lines;
	struct jsonl_parse parse;
	bool complete;
	/* Area lines outside "snapshot" lines: a run of them is a snapshot by itself. */
	bool in_snapshot; /* between the file's own begin and end */
	bool in_run;
	bool may_run; /* no snapshot so far, or a loss since: a run makes sense */
	uint64_t run_begin_ns;
	uint64_t run_t_ns;
	bool cut;            /* the last line is not whole */
	struct event queued; /* EV_NONE = nothing queued */
	char why[256];
};

static void set_why(struct jsonl_reader *reader, const char *why)
{
	snprintf(reader->why, sizeof(reader->why), "line %" PRIu64 ": %s",
		 lines_number(reader->lines), why);
}

/* jansson quotes the file's own bytes, which must not reach a terminal as they are. */
static void set_json_why(struct jsonl_reader *reader, const json_error_t *error)
{
	char *at;

	snprintf(reader->why, sizeof(reader->why), "line %" PRIu64 ", byte %d: %s",
		 lines_number(reader->lines), error->position, error->text);
	for (at = reader->why; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
}

static bool is_blank(const char *text, size_t len)
{
	while (len && (text[len - 1] == ' ' || text[len - 1] == '\t' || text[len - 1] == '\r'))
		len--;
	return !len;
}

/*
 * The next line as an object: 1, 0 at the end, or an error. A last line without a newline that is
 * not JSON is where the file was cut, which is an end like any other; jsonl_complete tells.
 */
static int next_object(struct jsonl_reader *reader, json_t **object)
{
	json_error_t error;
	const char *text;
	size_t len;
	int err;

	do {
		err = lines_next(reader->lines, &text, &len);
	} while (err == 1 && is_blank(text, len));
	if (err == -E2BIG) {
		set_why(reader, "longer than 1 MiB");
		return -EBADMSG;
	}
	if (err <= 0)
		return err;
	*object = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (*object)
		return 1;
	if (lines_torn(reader->lines)) {
		reader->cut = true;
		return 0;
	}
	set_json_why(reader, &error);
	return -EBADMSG;
}

static int read_header(struct jsonl_reader *reader)
{
	json_t *object = NULL;
	int err = next_object(reader, &object);

	if (!err) {
		snprintf(reader->why, sizeof(reader->why),
			 "it has no header: not a vmtrace recording");
		return -EBADMSG;
	}
	if (err < 0)
		return err;
	err = jsonl_parse_header(&reader->parse, object);
	if (err < 0)
		set_why(reader, reader->parse.why);
	json_decref(object);
	return err;
}

static int reader_init(struct jsonl_reader *reader, struct input *input, struct names *names,
		       struct stacks *stacks)
{
	reader->may_run = true;
	reader->parse.names = names;
	reader->parse.stacks = stacks;
	reader->parse.ids = idmap_new();
	reader->lines = lines_new(input, MAX_LINE_BYTES);
	return reader->lines && reader->parse.ids ? 0 : -ENOMEM;
}

int jsonl_open(struct input *input, struct names *names, struct stacks *stacks,
	       struct jsonl_reader **reader, char *why, size_t why_len)
{
	struct jsonl_reader *new = calloc(1, sizeof(*new));
	int err;

	*reader = NULL;
	if (!new)
		return -ENOMEM;
	err = reader_init(new, input, names, stacks);
	if (!err)
		err = read_header(new);
	if (err < 0) {
		if (err == -EBADMSG)
			snprintf(why, why_len, "%s", new->why);
		jsonl_close(new);
		return err;
	}
	*reader = new;
	return 0;
}

void jsonl_close(struct jsonl_reader *reader)
{
	if (!reader)
		return;
	lines_free(reader->lines);
	idmap_free(reader->parse.ids);
	free(reader);
}

const struct stream_header *jsonl_header(const struct jsonl_reader *reader)
{
	return &reader->parse.header;
}

const char *jsonl_why(const struct jsonl_reader *reader)
{
	return reader->why;
}

bool jsonl_complete(const struct jsonl_reader *reader)
{
	return reader->complete;
}

/* One object: 1 and an event, 0 = nothing to hand on, or an error. */
static int take_object(struct jsonl_reader *reader, json_t *object, struct event *event)
{
	const char *type = jsonl_parse_type(object);
	int err;

	if (reader->complete || (type && !strcmp(type, "header"))) {
		snprintf(reader->parse.why, sizeof(reader->parse.why), "%s",
			 reader->complete ? "it comes after the trailer" : "a second header");
		err = -EBADMSG;
	} else if (type && !strcmp(type, "trailer")) {
		reader->complete = true;
		return 0;
	} else {
		err = jsonl_parse_event(&reader->parse, object, event);
	}
	if (err == -EBADMSG)
		set_why(reader, reader->parse.why);
	return err;
}

static int read_event(struct jsonl_reader *reader, struct event *event)
{
	for (;;) {
		json_t *object = NULL;
		int err = next_object(reader, &object);

		if (err <= 0)
			return err;
		err = take_object(reader, object, event);
		json_decref(object);
		if (err)
			return err;
	}
}

/* Keeps track of snapshots. 0, or -EBADMSG for what cannot follow on what was read before. */
static int follow(struct jsonl_reader *reader, const struct event *event)
{
	const char *why = NULL;

	switch (event->type) {
	case EV_SNAPSHOT_BEGIN:
		reader->in_snapshot = true;
		reader->may_run = false;
		break;
	case EV_SNAPSHOT_END:
		if (!reader->in_snapshot)
			why = "the end of a snapshot that did not begin";
		reader->in_snapshot = false;
		break;
	case EV_LOST:
		reader->may_run = true;
		break;
	case EV_AREA:
		if (!reader->in_snapshot && !reader->in_run && !reader->may_run)
			why = "an area outside a snapshot";
		break;
	}
	if (!why)
		return 0;
	set_why(reader, why);
	return -EBADMSG;
}

static int supply_begin(struct jsonl_reader *reader, struct event *event, uint64_t t_ns)
{
	reader->in_run = true;
	reader->may_run = false;
	*event = (struct event){
		.type = EV_SNAPSHOT_BEGIN, .flags = EV_F_HAS_BEGIN, .t_ns = t_ns, .begin_ns = t_ns
	};
	reader->run_begin_ns = t_ns;
	reader->run_t_ns = t_ns;
	return 1;
}

static int supply_end(struct jsonl_reader *reader, struct event *event)
{
	reader->in_run = false;
	*event = (struct event){ .type = EV_SNAPSHOT_END,
				 .flags = EV_F_HAS_BEGIN,
				 .t_ns = reader->run_t_ns,
				 .begin_ns = reader->run_begin_ns };
	return 1;
}

static int hand_on(struct jsonl_reader *reader, struct event *event)
{
	struct event read = *event;

	if (read.type == EV_AREA && !reader->in_snapshot && !reader->in_run) {
		reader->queued = read;
		return supply_begin(reader, event, read.t_ns);
	}
	if (read.type == EV_AREA && read.t_ns > reader->run_t_ns)
		reader->run_t_ns = read.t_ns;
	if (reader->in_run && read.type != EV_AREA && read.type != EV_STACK) {
		reader->queued = read;
		return supply_end(reader, event);
	}
	return 1;
}

int jsonl_next(struct jsonl_reader *reader, struct event *event)
{
	int err;

	if (reader->queued.type != EV_NONE) {
		*event = reader->queued;
		reader->queued.type = EV_NONE;
		return 1;
	}
	err = read_event(reader, event);
	if (err < 0)
		return err == -EBADMSG || err == -ENOMEM || err == -EINTR ? err : -EIO;
	/* Cut inside the run: what would have followed must not be taken for free. */
	if (!err)
		return reader->in_run && !reader->cut ? supply_end(reader, event) : 0;
	err = follow(reader, event);
	return err < 0 ? err : hand_on(reader, event);
}
