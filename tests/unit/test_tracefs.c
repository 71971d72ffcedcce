// SPDX-License-Identifier: GPL-2.0-only
/*
 * On a directory of plain files: what is written to kprobe_events stays there, one line after the
 * other, and nothing comes of it. What the kernel makes of it is seen in tests/vm.
 */
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
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/tracefs.h"
#include "file.h"
#include "log.h"

#define PATIENCE_MS 5000
#define TEXT_MAX    65536

struct fixture {
	char root[64];
	char events[96];
	char profile[96];
	char text[TEXT_MAX];
	char before[TEXT_MAX];
};

static void put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void put_id(const struct fixture *fixture, int pid, unsigned int index, const char *id)
{
	char path[192];
	int len = snprintf(path, sizeof(path), "%s/events/vmtrace_%d", fixture->root, pid);

	mkdir(path, 0700);
	len += snprintf(path + len, sizeof(path) - (size_t)len, "/v%d_%u", pid, index);
	mkdir(path, 0700);
	snprintf(path + len, sizeof(path) - (size_t)len, "/id");
	put_file(path, id);
}

/* format has the pid at every %d, at most 8 of them. */
static void fill(char *text, const char *format, int pid)
{
	snprintf(text, TEXT_MAX, format, pid, pid, pid, pid, pid, pid, pid, pid);
}

static bool events_are(const struct fixture *fixture, const char *text)
{
	char *bytes;
	size_t len;
	bool same;

	assert_int_equal(file_read(fixture->events, TEXT_MAX, &bytes, &len), 0);
	same = !strcmp(bytes, text);
	free(bytes);
	return same;
}

static void expect_events(struct fixture *fixture, const char *format)
{
	char *bytes;
	size_t len;

	fill(fixture->text, format, getpid());
	assert_int_equal(file_read(fixture->events, TEXT_MAX, &bytes, &len), 0);
	assert_string_equal(bytes, fixture->text);
	free(bytes);
}

static void pause_ms(unsigned int ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	char path[96];

	if (!fixture)
		return -1;
	log_set_level(LOG_ERROR);
	snprintf(fixture->root, sizeof(fixture->root), "/tmp/vmtrace-test-tracefs.XXXXXX");
	if (!mkdtemp(fixture->root))
		return -1;
	snprintf(path, sizeof(path), "%s/events", fixture->root);
	mkdir(path, 0700);
	snprintf(fixture->events, sizeof(fixture->events), "%s/kprobe_events", fixture->root);
	snprintf(fixture->profile, sizeof(fixture->profile), "%s/kprobe_profile", fixture->root);
	put_file(fixture->events, "");
	put_file(fixture->profile, "");
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	char command[96];
	int failed;

	snprintf(command, sizeof(command), "rm -rf %s", fixture->root);
	failed = system(command);
	free(fixture);
	return failed;
}

static struct tracefs *open_fake(const struct fixture *fixture)
{
	struct tracefs *tracefs;

	assert_int_equal(tracefs_open(fixture->root, &tracefs), 0);
	assert_non_null(tracefs);
	return tracefs;
}

/* Whatever index it gets, its id is 1000 more. */
static void add(const struct fixture *fixture, struct tracefs *tracefs, const char *symbol,
		bool is_return, uint32_t max_active)
{
	uint32_t index, id;
	char text[16];

	for (uint32_t i = 0; i < 3; i++) {
		snprintf(text, sizeof(text), "%u\n", 1000 + i);
		put_id(fixture, getpid(), i, text);
	}
	assert_int_equal(tracefs_add(tracefs, symbol, is_return, max_active, &index, &id), 0);
	assert_int_equal(id, 1000 + index);
}

static void makes_and_removes(void **state)
{
	struct fixture *fixture = *state;
	struct tracefs *tracefs = open_fake(fixture);

	add(fixture, tracefs, "alloc_vmap_area", false, 0);
	add(fixture, tracefs, "alloc_vmap_area.constprop.0", true, 256);
	add(fixture, tracefs, "purge$1", true, 0);
	expect_events(fixture, "p:vmtrace_%d/v%d_0 alloc_vmap_area\n"
			       "r256:vmtrace_%d/v%d_1 alloc_vmap_area.constprop.0\n"
			       "r:vmtrace_%d/v%d_2 purge$1\n");
	put_file(fixture->events, "");
	tracefs_close(tracefs);
	expect_events(fixture, "-:vmtrace_%d/v%d_0\n-:vmtrace_%d/v%d_1\n-:vmtrace_%d/v%d_2\n");
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	tracefs_close(NULL);
}

static void entry_probe_has_no_instances(void **state)
{
	struct fixture *fixture = *state;
	struct tracefs *tracefs = open_fake(fixture);

	add(fixture, tracefs, "f", false, 256);
	expect_events(fixture, "p:vmtrace_%d/v%d_0 f\n");
	tracefs_close(tracefs);
}

static void what_is_no_symbol(void **state)
{
	static const char *const odd[] = { "",      "a b",   "a\nb",     "a\n-:b/c", "f+4",
					   "mod:f", "f;p g", "\xc3\xa4", "0x%x",     "/f" };
	struct fixture *fixture = *state;
	struct tracefs *tracefs = open_fake(fixture);
	char *too_long = calloc(1, 513);
	uint32_t index = 77, id = 77;

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		assert_int_equal(tracefs_add(tracefs, odd[i], false, 0, &index, &id), -EINVAL);
	assert_non_null(too_long);
	memset(too_long, 'f', 512);
	assert_int_equal(tracefs_add(tracefs, too_long, false, 0, &index, &id), -EINVAL);
	expect_events(fixture, "");
	/* The longest that goes in, whole. */
	put_id(fixture, getpid(), 0, "5\n");
	too_long[511] = '\0';
	assert_int_equal(tracefs_add(tracefs, too_long, true, UINT32_MAX, &index, &id), 0);
	assert_int_equal(id, 5);
	strcpy(fixture->before, "r4294967295:vmtrace_%d/v%d_0 ");
	strcat(strcat(fixture->before, too_long), "\n");
	expect_events(fixture, fixture->before);
	free(too_long);
	tracefs_close(tracefs);
}

/* The kernel made it, but it cannot be used: removed again, and its number is free. */
static void without_an_id(void **state)
{
	static const char *const odd[] = { "", "\n", "x\n", "12x\n", "-1\n", "4294967296\n" };
	struct fixture *fixture = *state;
	struct tracefs *tracefs = open_fake(fixture);
	uint32_t index, id;

	assert_int_equal(tracefs_add(tracefs, "f", false, 0, &index, &id), -ENOENT);
	expect_events(fixture, "p:vmtrace_%d/v%d_0 f\n-:vmtrace_%d/v%d_0\n");
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		put_id(fixture, getpid(), 0, odd[i]);
		assert_int_equal(tracefs_add(tracefs, "f", false, 0, &index, &id), -EINVAL);
	}
	put_id(fixture, getpid(), 0, "4294967295\n");
	assert_int_equal(tracefs_add(tracefs, "f", false, 0, &index, &id), 0);
	assert_int_equal(index, 0);
	assert_true(id == UINT32_MAX);
	tracefs_close(tracefs);
}

static void no_more_than_fit(void **state)
{
	struct fixture *fixture = *state;
	struct tracefs *tracefs = open_fake(fixture);
	struct tracefs_profile list[TRACEFS_MAX_PROBES + 1];
	uint32_t index, id;

	for (uint32_t i = 0; i < TRACEFS_MAX_PROBES; i++) {
		put_id(fixture, getpid(), i, "9\n");
		assert_int_equal(tracefs_add(tracefs, "f", false, 0, &index, &id), 0);
		assert_int_equal(index, i);
	}
	assert_int_equal(tracefs_add(tracefs, "f", false, 0, &index, &id), -ENOSPC);
	assert_int_equal(tracefs_read_profile(tracefs, list, TRACEFS_MAX_PROBES + 1),
			 TRACEFS_MAX_PROBES);
	tracefs_close(tracefs);
}

static void errors_of_open(void **state)
{
	struct fixture *fixture = *state;
	struct tracefs *tracefs = (struct tracefs *)1;
	char long_root[300];

	assert_int_equal(tracefs_open("/nonexistent", &tracefs), -ENOENT);
	assert_null(tracefs);
	memset(long_root, 'x', sizeof(long_root) - 1);
	long_root[sizeof(long_root) - 1] = '\0';
	assert_int_equal(tracefs_open(long_root, &tracefs), -ENAMETOOLONG);
	unlink(fixture->profile);
	assert_int_equal(tracefs_open(fixture->root, &tracefs), -ENOENT);
	put_file(fixture->profile, "");
	unlink(fixture->events);
	assert_int_equal(tracefs_open(fixture->root, &tracefs), -ENOENT);
	assert_int_equal(mkdir(fixture->events, 0700), 0);
	assert_int_equal(tracefs_open(fixture->root, &tracefs), -EISDIR);
	rmdir(fixture->events);
	assert_null(tracefs);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void kernel_refuses(void **state)
{
	struct fixture *fixture = *state;
	struct tracefs *tracefs = open_fake(fixture);
	uint32_t index, id;

	unlink(fixture->events);
	assert_int_equal(symlink("/dev/full", fixture->events), 0);
	assert_int_equal(tracefs_add(tracefs, "f", false, 0, &index, &id), -ENOSPC);
	assert_int_equal(tracefs_add(tracefs, "f", true, 256, &index, &id), -ENOSPC);
	unlink(fixture->events);
	put_file(fixture->events, "");
	tracefs_close(tracefs);
	expect_events(fixture, "");
}

/* ---- profile --------------------------------------------------------------------------------- */

static void expect_profile(struct tracefs *tracefs, uint64_t hits0, uint64_t misses0,
			   uint64_t hits1, uint64_t misses1)
{
	struct tracefs_profile list[3] = { 0 };

	assert_int_equal(tracefs_read_profile(tracefs, list, 3), 2);
	assert_true(list[0].hits == hits0 && list[0].misses == misses0);
	assert_true(list[1].hits == hits1 && list[1].misses == misses1);
}

static void put_profile(struct fixture *fixture, const char *format)
{
	fill(fixture->text, format, getpid());
	put_file(fixture->profile, fixture->text);
}

static struct tracefs *open_with_two(struct fixture *fixture)
{
	struct tracefs *tracefs = open_fake(fixture);

	add(fixture, tracefs, "f", false, 0);
	add(fixture, tracefs, "f", true, 256);
	return tracefs;
}

static void profile_values(void **state)
{
	struct fixture *fixture = *state;
	struct tracefs *tracefs = open_with_two(fixture);
	struct tracefs_profile one;

	expect_profile(tracefs, 0, 0, 0, 0);
	/* The kernel's format; the order of the lines is not that of the making. */
	put_profile(fixture,
		    "  v%d_1                                              7               3\n"
		    "  v%d_0                                            100               0\n");
	expect_profile(tracefs, 100, 0, 7, 3);
	/* Again from the start, and one that is not listed keeps its counts. */
	put_profile(fixture,
		    "  v%d_0                                            120               1\n");
	expect_profile(tracefs, 120, 1, 7, 3);
	assert_int_equal(tracefs_read_profile(tracefs, &one, 1), 1);
	assert_true(one.hits == 120 && one.misses == 1);
	assert_int_equal(tracefs_read_profile(tracefs, NULL, 0), 0);
	tracefs_close(tracefs);
}

/* A 32-bit kernel's counts begin at 0 again. */
static void profile_wraps(void **state)
{
	struct fixture *fixture = *state;
	struct tracefs *tracefs = open_with_two(fixture);

	put_profile(fixture, "  v%d_0 4294967290 4294967295\n");
	expect_profile(tracefs, 4294967290u, 4294967295u, 0, 0);
	put_profile(fixture, "  v%d_0 4 0\n");
	expect_profile(tracefs, UINT64_C(0x100000004), UINT64_C(0x100000000), 0, 0);
	tracefs_close(tracefs);
}

static void profile_of_others(void **state)
{
	struct fixture *fixture = *state;
	struct tracefs *tracefs = open_with_two(fixture);
	size_t len;

	put_profile(fixture, "\n \nv\n  v_0 1 1\n"
			     "  v%d_2 1 1\n  v%d_00 1 1\n  v0%d_0 1 1\n  v1%d_0 1 1\n"
			     "  V%d_0 1 1\n  xv%d_0 1 1\n  v%d_0x 1 1\n  v%d_4294967296 1 1\n"
			     "  v99999999999999999999999_0 1 1\n");
	expect_profile(tracefs, 0, 0, 0, 0);
	put_profile(fixture, "  v%d_0 -1 1\n  v%d_0 1\n  v%d_0 1 1 1\n  v%d_0 1 1x\n"
			     "  v%d_0 18446744073709551616 1\n  v%d_0 1,1\n  v%d_0\n  v%d_0 \n");
	expect_profile(tracefs, 0, 0, 0, 0);
	/* A last line that is cut. */
	put_profile(fixture, "  v%d_1 5 6\n  v%d_0 12 3");
	expect_profile(tracefs, 0, 0, 5, 6);
	/* Ours behind other lines of every length around the buffer's. */
	for (len = 4000; len < 4200; len++) {
		memset(fixture->text, 'v', len);
		snprintf(fixture->text + len, 200, "\n  v%d_0 %zu 2\n  v%d_1 8 9\n", getpid(), len,
			 getpid());
		put_file(fixture->profile, fixture->text);
		expect_profile(tracefs, len, 2, 8, 9);
	}
	/* The end of a line that is too long is no line of its own. */
	for (len = 8000; len < 8300; len++) {
		memset(fixture->text, 'v', len);
		snprintf(fixture->text + len, 200, "  v%d_0 1 1\n  v%d_0 %zu 2\n", getpid(),
			 getpid(), len);
		put_file(fixture->profile, fixture->text);
		expect_profile(tracefs, len, 2, 8, 9);
	}
	tracefs_close(tracefs);
}

/* ---- what was left --------------------------------------------------------------------------- */

static pid_t dead_pid(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return pid;
}

static void sweeps_dead_pids(void **state)
{
	static const char left[] = "p:vmtrace_%d/v%d_0 alloc_vmap_area.constprop.0\n"
				   "r256:vmtrace_%d/v%d_63 alloc_vmap_area.constprop.0\n"
				   "r:vmtrace_%d/v%d_7 vfree arg1=%%ax\n";
	struct fixture *fixture = *state;
	struct tracefs *tracefs;
	pid_t dead = dead_pid();

	fill(fixture->before, left, dead);
	put_file(fixture->events, fixture->before);
	tracefs = open_fake(fixture);
	fill(fixture->text, "-:vmtrace_%d/v%d_0\n-:vmtrace_%d/v%d_63\n-:vmtrace_%d/v%d_7\n", dead);
	strcat(fixture->before, fixture->text);
	assert_true(events_are(fixture, fixture->before));
	tracefs_close(tracefs);
}

static void append(struct fixture *fixture, const char *format, pid_t pid)
{
	fill(fixture->text, format, pid);
	strcat(fixture->before, fixture->text);
}

/* Only what has the names that vmtrace gives. */
static void sweeps_nothing_else(void **state)
{
	struct fixture *fixture = *state;
	struct tracefs *tracefs;
	pid_t dead = dead_pid();

	append(fixture, "\nx\np\np:\nr:\nr256\np:vmtrace_%d\np:vmtrace_%d/\n", dead);
	append(fixture, "p:vmtrace_%d/v%d_0\np:vmtrace_%d/mine f\np:vmtrace_%d/v1_0 f\n", dead);
	append(fixture, "p:vmtrace_0%d/v%d_0 f\np:vmtrace_%d/v%d_64 f\np:vmtrace_%d/v%d_ f\n",
	       dead);
	append(fixture, "p:vmtrace/v%d_0 f\nq:vmtrace_%d/v%d_0 f\np:vmtrace_-%d/v0_0 f\n", dead);
	append(fixture,
	       "p:vmtrace_1/v%d_0 f\np:vmtrace_0/v0_0 f\np:vmtrace_4294967297/v4294967297_0 f\n",
	       dead);
	/* Alive. */
	append(fixture, "p:vmtrace_1/v1_0 f\np:vmtrace_%d/v%d_0 f\n", getppid());
	put_file(fixture->events, fixture->before);
	tracefs = open_fake(fixture);
	assert_true(events_are(fixture, fixture->before));
	tracefs_close(tracefs);
}

static void sweeps_its_own_group(void **state)
{
	struct fixture *fixture = *state;
	struct tracefs *tracefs;

	fill(fixture->text, "p:vmtrace_%d/v%d_3 f\n", getpid());
	put_file(fixture->events, fixture->text);
	tracefs = open_fake(fixture);
	expect_events(fixture, "p:vmtrace_%d/v%d_3 f\n-:vmtrace_%d/v%d_3\n");
	tracefs_close(tracefs);
}

/* ---- guardian -------------------------------------------------------------------------------- */

/* Makes two probes in a child process, which tells when it has and then waits to be killed. */
static pid_t add_in_child(struct fixture *fixture)
{
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		alarm(60); /* if the test fails */
		close(ready[0]);
		open_with_two(fixture);
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
	struct fixture *fixture = *state;
	pid_t pid = add_in_child(fixture);

	append(fixture, "p:vmtrace_%d/v%d_0 f\nr256:vmtrace_%d/v%d_1 f\n", pid);
	pause_ms(20);
	assert_true(events_are(fixture, fixture->before));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	append(fixture, "-:vmtrace_%d/v%d_0\n-:vmtrace_%d/v%d_1\n", pid);
	for (int i = 0; i < PATIENCE_MS && !events_are(fixture, fixture->before); i++)
		pause_ms(1);
	assert_true(events_are(fixture, fixture->before));
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
	struct fixture *fixture = *state;
	struct tracefs *tracefs = open_with_two(fixture);
	pid_t guardian = child_of_self();

	if (guardian) /* the file needs CONFIG_PROC_CHILDREN */
		kill(guardian, SIGKILL);
	put_file(fixture->events, "");
	tracefs_close(tracefs);
	expect_events(fixture, "-:vmtrace_%d/v%d_0\n-:vmtrace_%d/v%d_1\n");
}

/* `pkill -9 vmtrace` must not find it, and by the first probe it is already named. */
static void guardian_has_its_own_name(void **state)
{
	struct fixture *fixture = *state;
	struct tracefs *tracefs = open_fake(fixture);
	pid_t guardian = child_of_self();
	char path[64], name[32];

	if (guardian) {
		snprintf(path, sizeof(path), "/proc/%d/comm", (int)guardian);
		assert_true(file_read_line(path, name, sizeof(name)) > 0);
		assert_string_equal(name, "probe-remove");
		assert_int_equal(getsid(guardian), guardian);
	}
	tracefs_close(tracefs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(makes_and_removes, setup, teardown),
		cmocka_unit_test_setup_teardown(entry_probe_has_no_instances, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_no_symbol, setup, teardown),
		cmocka_unit_test_setup_teardown(without_an_id, setup, teardown),
		cmocka_unit_test_setup_teardown(no_more_than_fit, setup, teardown),
		cmocka_unit_test_setup_teardown(errors_of_open, setup, teardown),
		cmocka_unit_test_setup_teardown(kernel_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(profile_values, setup, teardown),
		cmocka_unit_test_setup_teardown(profile_wraps, setup, teardown),
		cmocka_unit_test_setup_teardown(profile_of_others, setup, teardown),
		cmocka_unit_test_setup_teardown(sweeps_dead_pids, setup, teardown),
		cmocka_unit_test_setup_teardown(sweeps_nothing_else, setup, teardown),
		cmocka_unit_test_setup_teardown(sweeps_its_own_group, setup, teardown),
		cmocka_unit_test_setup_teardown(killed_parent, setup, teardown),
		cmocka_unit_test_setup_teardown(killed_guardian, setup, teardown),
		cmocka_unit_test_setup_teardown(guardian_has_its_own_name, setup, teardown),
	};

	return cmocka_run_group_tests_name("tracefs", tests, NULL, NULL);
}
