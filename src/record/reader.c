// SPDX-License-Identifier: GPL-2.0-only
#include "record/reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/jsonl.h"
#include "record/vmt_read.h"

/* One of vmt and jsonl is set. */
struct reader {
	struct input *input;
	struct vmt_reader *vmt;
	struct jsonl_reader *jsonl;
	enum reader_end end; /* of jsonl */
	char why[320];       /* of jsonl */
};

int reader_open(const char *path, struct names *names, struct stacks *stacks,
		struct reader **reader, char *why, size_t why_len)
{
	struct input *input;
	int err = input_open(path, &input);

	*reader = NULL;
	return err ? err : reader_open_input(input, names, stacks, reader, why, why_len);
}

static int open_format(struct reader *reader, struct names *names, struct stacks *stacks, char *why,
		       size_t why_len)
{
	char first[VMT_MAGIC_LEN];
	int64_t got = input_peek(reader->input, first, sizeof(first));

	if (got < 0)
		return (int)got;
	/* Also what is left of the magic in a file that is cut off there, or was damaged. */
	if (got && first[0] == VMT_MAGIC[0])
		return vmt_open(reader->input, names, stacks, &reader->vmt, why, why_len);
	return jsonl_open(reader->input, names, stacks, &reader->jsonl, why, why_len);
}

int reader_open_input(struct input *input, struct names *names, struct stacks *stacks,
		      struct reader **reader, char *why, size_t why_len)
{
	struct reader *new = calloc(1, sizeof(*new));
	int err = -ENOMEM;

	*reader = NULL;
	if (new) {
		new->input = input;
		err = open_format(new, names, stacks, why, why_len);
	}
	if (!err)
		*reader = new;
	else if (new)
		reader_close(new);
	else
		input_close(input);
	return err;
}

void reader_close(struct reader *reader)
{
	if (!reader)
		return;
	vmt_close(reader->vmt);
	jsonl_close(reader->jsonl);
	input_close(reader->input);
	free(reader);
}

const struct stream_header *reader_header(const struct reader *reader)
{
	return reader->vmt ? vmt_header(reader->vmt) : jsonl_header(reader->jsonl);
}

static int next_of_jsonl(struct reader *reader, struct event *event)
{
	int got = jsonl_next(reader->jsonl, event);

	if (got == -EBADMSG)
		snprintf(reader->why, sizeof(reader->why), "%s; the line is left out",
			 jsonl_why(reader->jsonl));
	if (got)
		return got;
	reader->end = jsonl_complete(reader->jsonl) ? READER_COMPLETE : READER_CUT;
	if (reader->end == READER_CUT)
		snprintf(reader->why, sizeof(reader->why),
			 "was cut off: its last events are missing");
	return 0;
}

int reader_next(struct reader *reader, struct event *event)
{
	int got = reader->vmt ? vmt_next(reader->vmt, event) : next_of_jsonl(reader, event);

	if (got >= 0 || got == -EBADMSG || got == -ENOMEM || got == -EINTR)
		return got;
	return -EIO;
}

enum reader_end reader_end(const struct reader *reader)
{
	static const enum reader_end ends[] = {
		[VMT_END_NONE] = READER_MORE,
		[VMT_END_COMPLETE] = READER_COMPLETE,
		[VMT_END_CUT] = READER_CUT,
		[VMT_END_DAMAGED] = READER_DAMAGED,
	};

	return reader->vmt ? ends[vmt_end(reader->vmt)] : reader->end;
}

const char *reader_why(const struct reader *reader)
{
	return reader->vmt ? vmt_why(reader->vmt) : reader->why;
}

const struct stream_fact *reader_facts(const struct reader *reader, uint32_t *count)
{
	*count = 0;
	return reader->vmt ? vmt_facts(reader->vmt, count) : NULL;
}

const struct stream_module *reader_modules(const struct reader *reader, uint32_t *count)
{
	*count = 0;
	return reader->vmt ? vmt_modules(reader->vmt, count) : NULL;
}
