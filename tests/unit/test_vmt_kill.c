// SPDX-License-Identifier: GPL-2.0-only
/* A recorder killed with SIGKILL at any moment has lost nothing of what it had written. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../load.h"
#include "record/vmt_read.h"
#include "record/vmt_write.h"

#define ROUNDS 50

/* What the recorder says of itself, in memory that survives it. */
struct shared {
	volatile uint64_t taken;
	volatile uint64_t written; /* as vmt_writer_stats has it: after the write */
};

static void record_for_ever(const char *path, uint64_t seed, struct shared *shared)
{
	struct stream_header header = load_header();
	struct names *names = names_new();
	struct stacks *stacks = stacks_new();
	/* Every other recording with blocks that are not packed. */
	struct vmt_writer_options options = { .names = names, .stacks = stacks,
					      .thrifty = seed % 2 };
	struct vmt_writer *writer;
	struct load load;

	load_init(&load, seed, names, stacks);
	if (vmt_writer_open(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600), &header, &options,
			    &writer))
		_exit(1);
	for (uint64_t i = 0;; i++) {
		struct event event = load_next(&load);

		if (vmt_writer_event(writer, &event))
			_exit(1);
		/* Blocks of every size, as time makes them. */
		if (load_random(&load, 2000) == 0 && vmt_writer_flush(writer))
			_exit(1);
		shared->taken = i + 1;
		shared->written = vmt_writer_stats(writer).written;
	}
}

/* Everything in the file is the beginning of the stream. How many events it has. */
static uint64_t check_file(const char *path, uint64_t seed)
{
	struct names *names = names_new(), *own_names = names_new();
	struct stacks *stacks = stacks_new(), *own_stacks = stacks_new();
	struct vmt_reader *reader;
	struct input *input;
	struct event event;
	uint64_t events = 0;
	struct load load;
	char why[256];

	load_init(&load, seed, own_names, own_stacks);
	assert_int_equal(input_open(path, &input), 0);
	if (vmt_open(input, names, stacks, &reader, why, sizeof(why))) {
		/* killed before the file had its header */
		assert_non_null(strstr(why, "begin as one"));
		goto out;
	}
	while (vmt_next(reader, &event) == 1) {
		struct event expected;

		if (event.type == EV_STACK)
			continue;
		expected = load_next(&load);
		load_random(&load, 2000);
		assert_string_equal(names_text(names, event.comm_id),
				    names_text(own_names, expected.comm_id));
		assert_int_equal(stacks_get(stacks, event.stack_id).nr_frames,
				 stacks_get(own_stacks, expected.stack_id).nr_frames);
		event.comm_id = expected.comm_id;
		event.stack_id = expected.stack_id;
		event.caller_id = expected.caller_id;
		assert_memory_equal(&event, &expected, sizeof(event));
		events++;
	}
	assert_int_equal(vmt_end(reader), VMT_END_CUT);
	vmt_close(reader);
out:
	input_close(input);
	names_free(names);
	names_free(own_names);
	stacks_free(stacks);
	stacks_free(own_stacks);
	return events;
}

static void test_kill(void **state)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char path[] = "/tmp/test_vmt_kill.XXXXXX";
	uint64_t seed = 1, events, sum = 0;
	unsigned int partly = 0;

	(void)state;
	assert_ptr_not_equal(shared, MAP_FAILED);
	close(mkstemp(path));
	for (unsigned int round = 1; round <= ROUNDS; round++) {
		pid_t child;
		int status;

		shared->taken = shared->written = 0;
		unlink(path);
		child = fork();
		if (!child)
			record_for_ever(path, round, shared);
		/* The first rounds may fall into its start. */
		while (round > 5 && !shared->taken)
			usleep(100);
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		usleep((useconds_t)(seed >> 33) % 10000);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		if (access(path, F_OK) < 0)
			continue; /* killed before it made the file */
		events = check_file(path, round);
		if (events < shared->written || events > shared->taken + 1)
			fail_msg("round %u: %llu events read, %llu written, %llu taken", round,
				 (unsigned long long)events, (unsigned long long)shared->written,
				 (unsigned long long)shared->taken);
		sum += events;
		partly += shared->taken > events;
	}
	print_message("%llu events in %u files, %u lost some that were not written\n",
		      (unsigned long long)sum, ROUNDS, partly);
	assert_true(sum > 10000);
	assert_true(partly > ROUNDS / 2);
	unlink(path);
	munmap(shared, sizeof(*shared));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
