/* SPDX-License-Identifier: GPL-2.0-only */
/* What the fuzz targets share. Each is a fuzz_NAME.c with LLVMFuzzerTestOneInput; make fuzz runs
 * them under libFuzzer, make unit their corpora (replay.c). */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/reader.h"
#include "space/space.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* What must hold whatever the bytes are. */
#define FUZZ_CHECK(condition)                                                                     \
	do {                                                                                      \
		if (!(condition)) {                                                               \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                  \
		}                                                                                 \
	} while (0)

/* A larger range makes a fuzzer slow: the check looks at every page. The corpora have 16 MB. */
#define FUZZ_MAX_RANGE (16u << 20)

/*
 * Reads all of an input, which it closes, as every view does: events into a model, which stays
 * consistent. take gets every event too, may be NULL.
 */
static inline void fuzz_read(struct input *input, struct names *names, struct stacks *stacks,
			     void (*take)(void *context, const struct stream_header *header,
					  const struct event *event),
			     void *context)
{
	const struct stream_header *header;
	struct space *space = NULL;
	struct reader *reader;
	struct event event;
	char why[256] = "";
	int got;

	FUZZ_CHECK(input);
	if (reader_open_input(input, names, stacks, &reader, why, sizeof(why))) {
		FUZZ_CHECK(*why);
		return;
	}
	header = reader_header(reader);
	FUZZ_CHECK(header->vmalloc_start < header->vmalloc_end);
	if (header->vmalloc_end - header->vmalloc_start <= FUZZ_MAX_RANGE)
		space = space_new(header->vmalloc_start, header->vmalloc_end);
	while ((got = reader_next(reader, &event)) != 0) {
		FUZZ_CHECK(got == 1 || got == -EBADMSG);
		if (got < 0) {
			FUZZ_CHECK(*reader_why(reader));
			continue;
		}
		FUZZ_CHECK(event.type > EV_NONE && event.type < EV_TYPE_COUNT);
		if (space)
			space_apply(space, &event);
		if (take)
			take(context, header, &event);
	}
	FUZZ_CHECK(reader_end(reader) != READER_MORE);
	FUZZ_CHECK(!space || space_check(space, why, sizeof(why)));
	space_free(space);
	reader_close(reader);
}

#endif
