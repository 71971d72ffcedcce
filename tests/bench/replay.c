// SPDX-License-Identifier: GPL-2.0-only
/*
 * replay FILE [VMTRACE]: how fast a .vmt file is read, and its events applied to the model, on one
 * core (processor time, best of some runs); beside it the floor, which is what any reader has to
 * do: read the blocks, check and unpack them. With VMTRACE also what `VMTRACE map -i FILE` takes,
 * and how much memory.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "file.h"
#include "record/reader.h"
#include "record/vmt_format.h"
#include "space/space.h"

#define ROUNDS 5 /* the best counts: the others were disturbed */

static void die(const char *what)
{
	fprintf(stderr, "replay: %s\n", what);
	exit(1);
}

/* Events in the file, read from memory, so that the disk does not count. */
static uint64_t unpack_all(const uint8_t *bytes, size_t len)
{
	static uint8_t raw[VMT_MAX_RAW];
	ZSTD_DCtx *zstd = ZSTD_createDCtx();
	struct vmt_block_header block;
	struct vmt_file_header file;
	uint64_t events = 0;
	size_t at;

	memcpy(&file, bytes, sizeof(file));
	for (at = file.header_bytes; at + sizeof(block) <= len;
	     at += sizeof(block) + block.stored_bytes) {
		const uint8_t *payload = bytes + at + sizeof(block);

		memcpy(&block, bytes + at, sizeof(block));
		if (block.magic != VMT_BLOCK_MAGIC || block.type != VMT_BLOCK_RECORDS)
			break;
		if (crc32(0, payload, block.stored_bytes) != block.payload_crc)
			die("a checksum is wrong");
		if (block.codec == VMT_ZSTD &&
		    ZSTD_decompressDCtx(zstd, raw, sizeof(raw), payload, block.stored_bytes) !=
			    block.raw_bytes)
			die("a block cannot be unpacked");
		events += block.nr_events;
	}
	ZSTD_freeDCtx(zstd);
	return events;
}

static uint64_t read_all(const uint8_t *bytes, size_t len, bool apply)
{
	struct names *names = names_new();
	struct stacks *stacks = stacks_new();
	struct space *space = NULL;
	struct reader *reader;
	struct event event;
	uint64_t events = 0;
	char why[256] = "";

	if (reader_open_input(input_memory(bytes, len), names, stacks, &reader, why, sizeof(why)))
		die(why);
	if (apply)
		space = space_new(reader_header(reader)->vmalloc_start,
				  reader_header(reader)->vmalloc_end);
	while (reader_next(reader, &event) == 1) {
		if (apply && space_apply(space, &event))
			die("an event was refused");
		events += event.type != EV_STACK;
	}
	if (reader_end(reader) != READER_COMPLETE)
		die(reader_why(reader));
	if (apply && (space_uncertain(space) || !space_check(space, why, sizeof(why))))
		die("the model is not what the events make");
	space_free(space);
	reader_close(reader);
	stacks_free(stacks);
	names_free(names);
	return events;
}

enum work { UNPACK, READ, APPLY };

/* Of the processor: others on this machine do not count, as far as that goes. */
static double cpu_now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds(enum work work, const uint8_t *bytes, size_t len, uint64_t *events)
{
	double best = 1e9;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		double begin_s = cpu_now_s(), took;

		*events = work == UNPACK ? unpack_all(bytes, len)
					 : read_all(bytes, len, work == APPLY);
		took = cpu_now_s() - begin_s;
		if (took < best)
			best = took;
	}
	return best;
}

static double rusage_s(const struct rusage *usage)
{
	return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
	       (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e6;
}

/* Time and memory of the program itself, start and output included. */
static void run_program(const char *program, const char *path, uint64_t events)
{
	double best = 1e9;
	struct rusage usage;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		pid_t child;
		int status;

		fflush(stdout);
		child = fork();
		if (!child) {
			if (!freopen("/dev/null", "w", stdout))
				_exit(1);
			execl(program, program, "map", "-i", path, NULL);
			_exit(1);
		}
		if (wait4(child, &status, 0, &usage) != child || status)
			die("the program failed");
		if (rusage_s(&usage) < best)
			best = rusage_s(&usage);
	}
	printf("vmtrace map -i     %6.2f s  %6.2f million events/s  %ld KiB of memory\n", best,
	       (double)events / best / 1e6, usage.ru_maxrss);
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "unpack (floor)", "read", "read and apply" };
	double took, floor = 0;
	uint64_t events;
	char *bytes;
	size_t len;

	if (argc != 2 && argc != 3)
		die("usage: replay FILE [VMTRACE]");
	if (file_read(argv[1], 1u << 30, &bytes, &len))
		die("cannot read the file");
	for (enum work work = UNPACK; work <= APPLY; work++) {
		took = seconds(work, (const uint8_t *)bytes, len, &events);
		if (work == UNPACK) {
			floor = took;
			printf("%" PRIu64 " events, %.1f MB, %.1f bytes an event\n", events,
			       (double)len / 1e6, (double)len / (double)events);
		}
		printf("%-18s %6.2f s  %6.2f million events/s  %.2f x the floor\n", names[work],
		       took, (double)events / took / 1e6, took / floor);
	}
	free(bytes);
	if (argc == 3)
		run_program(argv[2], argv[1], events);
	return 0;
}
