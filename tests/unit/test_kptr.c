// SPDX-License-Identifier: GPL-2.0-only
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
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/kptr.h"

#define PATIENCE_MS 5000

struct fixture {
	char path[64];
};

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static char get(const char *path)
{
	char c = '?';
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(read(fd, &c, 1), 1);
	close(fd);
	return c;
}

static void pause_ms(unsigned int ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

static bool becomes(const char *path, char value)
{
	int i;

	for (i = 0; i < PATIENCE_MS && get(path) != value; i++)
		pause_ms(1);
	return get(path) == value;
}

/* True if the lock is free, that is if no guardian is left. */
static bool is_unlocked(const char *path)
{
	int fd = open(path, O_RDONLY);
	bool unlocked;

	assert_true(fd >= 0);
	unlocked = !flock(fd, LOCK_EX | LOCK_NB);
	close(fd);
	return unlocked;
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	int fd;

	if (!fixture)
		return -1;
	snprintf(fixture->path, sizeof(fixture->path), "/tmp/vmtrace-test-kptr.XXXXXX");
	fd = mkstemp(fixture->path);
	if (fd < 0)
		return -1;
	close(fd);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	unlink(fixture->path);
	free(fixture);
	return 0;
}

static void raise_and_restore(void **state)
{
	const char *path = ((struct fixture *)*state)->path;
	struct kptr *kptr;

	put(path, "0\n");
	assert_int_equal(kptr_raise(path, false, &kptr), 0);
	assert_int_equal(get(path), '1');
	assert_int_equal(kptr_value(kptr), 0);
	assert_false(is_unlocked(path));
	kptr_restore(kptr);
	assert_int_equal(get(path), '0');
	assert_true(is_unlocked(path));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	kptr_restore(NULL);
}

static void one_is_left_alone(void **state)
{
	const char *path = ((struct fixture *)*state)->path;
	struct kptr *kptr;

	put(path, "1\n");
	assert_int_equal(kptr_raise(path, false, &kptr), 0);
	assert_int_equal(kptr_value(kptr), 1);
	assert_true(is_unlocked(path));
	put(path, "2\n");
	kptr_restore(kptr);
	assert_int_equal(get(path), '2');
}

static void two_needs_force(void **state)
{
	const char *path = ((struct fixture *)*state)->path;
	struct kptr *kptr;

	put(path, "2\n");
	assert_int_equal(kptr_raise(path, false, &kptr), 0);
	assert_int_equal(kptr_value(kptr), 2);
	assert_int_equal(get(path), '2');
	assert_true(is_unlocked(path));
	kptr_restore(kptr);
	assert_int_equal(get(path), '2');

	assert_int_equal(kptr_raise(path, true, &kptr), 0);
	assert_int_equal(kptr_value(kptr), 2);
	assert_int_equal(get(path), '1');
	kptr_restore(kptr);
	assert_int_equal(get(path), '2');
}

static void errors(void **state)
{
	static const char *const odd[] = { "", "\n", "3\n", "-1\n", "10\n", "abc" };
	const char *path = ((struct fixture *)*state)->path;
	struct kptr *kptr = (struct kptr *)1;
	size_t i;

	assert_int_equal(kptr_raise("/nonexistent/kptr", false, &kptr), -ENOENT);
	assert_null(kptr);
	assert_int_equal(kptr_raise("/", false, &kptr), -EISDIR);
	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		put(path, odd[i]);
		assert_int_equal(kptr_raise(path, true, &kptr), -EINVAL);
		assert_null(kptr);
	}
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_true(is_unlocked(path));
}

/* Someone else's change while it was raised is what is wanted now. */
static void foreign_change_stays(void **state)
{
	const char *path = ((struct fixture *)*state)->path;
	struct kptr *kptr;

	put(path, "0\n");
	assert_int_equal(kptr_raise(path, false, &kptr), 0);
	put(path, "2\n");
	kptr_restore(kptr);
	assert_int_equal(get(path), '2');
}

/* Raises in a child process, which tells when it has and then waits to be killed. */
static pid_t raise_in_child(const char *path)
{
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		struct kptr *kptr;

		close(ready[0]);
		if (kptr_raise(path, false, &kptr))
			_exit(1);
		if (write(ready[1], "r", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	return pid;
}

static void killed_parent(void **state)
{
	const char *path = ((struct fixture *)*state)->path;
	pid_t pid;

	put(path, "0\n");
	pid = raise_in_child(path);
	assert_int_equal(get(path), '1');
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(becomes(path, '0'));
}

/* The only child of this process is the guardian: /proc tells its id. */
static pid_t child_of_self(void)
{
	char path[64];
	int pid = 0;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	in = fopen(path, "r");
	if (!in)
		return 0;
	if (fscanf(in, "%d", &pid) != 1)
		pid = 0;
	fclose(in);
	return pid;
}

static void killed_guardian(void **state)
{
	const char *path = ((struct fixture *)*state)->path;
	struct kptr *kptr;
	pid_t guardian;

	put(path, "2\n");
	assert_int_equal(kptr_raise(path, true, &kptr), 0);
	guardian = child_of_self();
	if (guardian) /* the file needs CONFIG_PROC_CHILDREN */
		kill(guardian, SIGKILL);
	kptr_restore(kptr);
	assert_int_equal(get(path), '2');
}

/* ^C and a service manager's SIGTERM reach the whole group, sometimes twice. */
static void signals_do_not_reach_the_guardian(void **state)
{
	static const int signals[] = {
		SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGALRM
	};
	const char *path = ((struct fixture *)*state)->path;
	struct kptr *kptr;
	pid_t guardian;
	size_t i;

	put(path, "0\n");
	assert_int_equal(kptr_raise(path, false, &kptr), 0);
	guardian = child_of_self();
	if (guardian) {
		assert_int_equal(getsid(guardian), guardian);
		for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
			assert_int_equal(kill(guardian, signals[i]), 0);
		pause_ms(10);
	}
	assert_int_equal(get(path), '1');
	assert_false(is_unlocked(path));
	kptr_restore(kptr);
	assert_int_equal(get(path), '0');
}

/* `vmtrace | head`: who reads the other end of stdout must see EOF when the parent closes it. */
static void guardian_holds_no_pipe(void **state)
{
	const char *path = ((struct fixture *)*state)->path;
	struct kptr *kptr;
	int ends[2];
	char c;

	put(path, "0\n");
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(kptr_raise(path, false, &kptr), 0);
	close(ends[1]);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(read(ends[0], &c, 1), 0);
	close(ends[0]);
	kptr_restore(kptr);
}

/* With stdin, stdout and stderr closed, the guardian's own pipes get the lowest numbers. */
static void low_descriptors(void **state)
{
	const char *path = ((struct fixture *)*state)->path;
	int status;
	pid_t pid;

	put(path, "0\n");
	pid = fork();
	if (!pid) {
		struct kptr *kptr;
		bool raised;

		close(0);
		close(1);
		close(2);
		if (kptr_raise(path, false, &kptr))
			_exit(1);
		raised = get(path) == '1';
		kptr_restore(kptr);
		_exit(raised && get(path) == '0' ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* The second one waits, and takes the user's value for what it found, not the first one's. */
static void two_raisers(void **state)
{
	const char *path = ((struct fixture *)*state)->path;
	struct kptr *kptr;
	pid_t first;
	pid_t killer;

	put(path, "0\n");
	first = raise_in_child(path);
	killer = fork();
	if (!killer) {
		pause_ms(50);
		kill(first, SIGKILL);
		_exit(0);
	}
	assert_int_equal(kptr_raise(path, false, &kptr), 0);
	assert_int_equal(kptr_value(kptr), 0);
	assert_int_equal(get(path), '1');
	assert_int_equal(waitpid(first, NULL, 0), first);
	kptr_restore(kptr);
	assert_int_equal(get(path), '0');
	assert_int_equal(waitpid(killer, NULL, 0), killer);
}

/* Many at once, each writing down what it found: always the user's value. */
static void crowd(void **state)
{
	const char *path = ((struct fixture *)*state)->path;
	pid_t pids[6];
	size_t i;
	int status;

	put(path, "0\n");
	for (i = 0; i < 6; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			struct kptr *kptr;
			bool good;

			if (kptr_raise(path, false, &kptr))
				_exit(1);
			good = kptr_value(kptr) == 0 && get(path) == '1';
			kptr_restore(kptr);
			_exit(good ? 0 : 2);
		}
	}
	for (i = 0; i < 6; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(get(path), '0');
}

/* A parent that dies while the guardian still waits for the lock: nothing is ever raised. */
static void killed_while_waiting(void **state)
{
	const char *path = ((struct fixture *)*state)->path;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat before;
	struct stat after;
	pid_t pid;

	put(path, "0\n");
	assert_int_equal(fstat(fd, &before), 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	pid = fork();
	if (!pid) {
		struct kptr *kptr;

		close(fd);
		kptr_raise(path, false, &kptr);
		_exit(0);
	}
	pause_ms(30);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	pause_ms(30);
	close(fd);
	pause_ms(30);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
	assert_int_equal(get(path), '0');
	assert_true(is_unlocked(path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(raise_and_restore, setup, teardown),
		cmocka_unit_test_setup_teardown(one_is_left_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(two_needs_force, setup, teardown),
		cmocka_unit_test_setup_teardown(errors, setup, teardown),
		cmocka_unit_test_setup_teardown(foreign_change_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(killed_parent, setup, teardown),
		cmocka_unit_test_setup_teardown(killed_guardian, setup, teardown),
		cmocka_unit_test_setup_teardown(signals_do_not_reach_the_guardian, setup, teardown),
		cmocka_unit_test_setup_teardown(guardian_holds_no_pipe, setup, teardown),
		cmocka_unit_test_setup_teardown(low_descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(two_raisers, setup, teardown),
		cmocka_unit_test_setup_teardown(crowd, setup, teardown),
		cmocka_unit_test_setup_teardown(killed_while_waiting, setup, teardown),
	};

	return cmocka_run_group_tests_name("kptr", tests, NULL, NULL);
}
