// SPDX-License-Identifier: GPL-2.0-only
/* JSON Lines; and what is read of them reads the same from a .vmt file made of it. */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "record/vmt_write.h"

#define MAX_EVENTS 4096u

struct taken {
	struct names *names;
	struct stacks *stacks;
	struct vmt_writer *writer;
	int fd;
	struct event events[MAX_EVENTS]; /* without stacks */
	uint32_t count;
	uint32_t seen; /* of them, in the .vmt file */
};

static void take(void *context, const struct stream_header *header, const struct event *event)
{
	struct taken *taken = context;

	if (taken->count == MAX_EVENTS)
		return;
	if (!taken->writer) {
		struct vmt_writer_options options = { .names = taken->names,
						      .stacks = taken->stacks };

		taken->fd = memfd_create("fuzz", MFD_CLOEXEC);
		FUZZ_CHECK(taken->fd >= 0);
		FUZZ_CHECK(!vmt_writer_open(dup(taken->fd), header, &options, &taken->writer));
	}
	FUZZ_CHECK(!vmt_writer_event(taken->writer, event));
	if (event->type != EV_STACK)
		taken->events[taken->count++] = *event;
}

/* The tables are the same, so the ids are too. */
static void compare(void *context, const struct stream_header *header, const struct event *event)
{
	struct taken *taken = context;

	(void)header;
	if (event->type == EV_STACK)
		return;
	FUZZ_CHECK(taken->seen < taken->count);
	FUZZ_CHECK(!memcmp(event, &taken->events[taken->seen], sizeof(*event)));
	taken->seen++;
}

static void read_back(struct taken *taken)
{
	off_t len;
	void *bytes;

	FUZZ_CHECK(!vmt_writer_end(taken->writer, true));
	vmt_writer_close(taken->writer);
	len = lseek(taken->fd, 0, SEEK_END);
	bytes = mmap(NULL, (size_t)len, PROT_READ, MAP_PRIVATE, taken->fd, 0);
	FUZZ_CHECK(bytes != MAP_FAILED);
	fuzz_read(input_memory(bytes, (size_t)len), taken->names, taken->stacks, compare, taken);
	FUZZ_CHECK(taken->seen == taken->count);
	munmap(bytes, (size_t)len);
	close(taken->fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct taken *taken = calloc(1, sizeof(*taken));

	FUZZ_CHECK(taken);
	taken->names = names_new();
	taken->stacks = stacks_new();
	fuzz_read(input_memory(bytes, len), taken->names, taken->stacks, take, taken);
	if (taken->writer)
		read_back(taken);
	names_free(taken->names);
	stacks_free(taken->stacks);
	free(taken);
	return 0;
}
