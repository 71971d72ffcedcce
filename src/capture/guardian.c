// SPDX-License-Identifier: GPL-2.0-only
#include "capture/guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- child: only async-signal-safe calls, as the parent may have had threads ---------------- */

static void close_range_of(unsigned int first, unsigned int last)
{
	struct rlimit limit = { 0 };
	unsigned int fd;

	if (first > last)
		return;
#ifdef SYS_close_range
	if (!syscall(SYS_close_range, first, last, 0))
		return;
#endif
	/* Before 5.9. */
	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur > 65536)
		limit.rlim_cur = 65536;
	for (fd = first; fd <= last && fd < limit.rlim_cur; fd++)
		close((int)fd);
}

/* A pipe that someone waits on for EOF (vmtrace | head) must not stay open here. */
static void close_all_but(int a, int b)
{
	unsigned int low = (unsigned int)(a < b ? a : b);
	unsigned int high = (unsigned int)(a < b ? b : a);

	if (low)
		close_range_of(0, low - 1);
	close_range_of(low + 1, high - 1);
	close_range_of(high + 1, UINT_MAX);
}

/* The kill commands go by the task's name or by argv[0]. */
static void rename_process(const char *name)
{
	size_t room = strlen(program_invocation_name);
	size_t len = strlen(name);

	prctl(PR_SET_NAME, name);
	memset(program_invocation_name, 0, room);
	memcpy(program_invocation_name, name, room < len ? room : len);
}

static _Noreturn void be_guardian(const struct guardian_job *job, int control, int reply)
{
	setsid();
	rename_process(job->name);
	close_all_but(control, reply);
	_exit(job->run(job->context, control, reply) ? 1 : 0);
}

void guardian_answer(int reply, const void *answer, size_t len)
{
	ssize_t sent = write(reply, answer, len);

	(void)sent;
	close(reply);
}

bool guardian_parent_done(int control, int timeout_ms)
{
	struct pollfd pfd = { .fd = control, .events = POLLIN };

	return poll(&pfd, 1, timeout_ms) != 0;
}

/* ---- parent --------------------------------------------------------------------------------- */

static int read_answer(int fd, void *answer, size_t len)
{
	ssize_t got;

	do {
		got = read(fd, answer, len);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	return (size_t)got == len ? 0 : -EIO;
}

/* A parent that ignores SIGCHLD gets ECHILD once the guardian has ended, and then cannot know
 * more. */
static bool reap(pid_t pid)
{
	int status;
	pid_t got;

	do {
		got = waitpid(pid, &status, 0);
	} while (got < 0 && errno == EINTR);
	return got < 0 || (WIFEXITED(status) && !WEXITSTATUS(status));
}

/* Forks with all signals blocked, so that none can reach the child before it is on its own. */
static pid_t fork_guardian(const struct guardian_job *job, const int control[2], const int reply[2])
{
	sigset_t all, old;
	pid_t pid;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid = fork();
	if (!pid)
		be_guardian(job, control[0], reply[1]);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return pid;
}

static int open_pipes(int control[2], int reply[2])
{
	int err;

	if (pipe2(control, O_CLOEXEC))
		return -errno;
	if (!pipe2(reply, O_CLOEXEC))
		return 0;
	err = -errno;
	close(control[0]);
	close(control[1]);
	return err;
}

int guardian_start(struct guardian *guardian, const struct guardian_job *job, void *answer,
		   size_t len)
{
	int control[2];
	int reply[2];
	int err;

	guardian->control = -1;
	err = open_pipes(control, reply);
	if (err)
		return err;
	guardian->pid = fork_guardian(job, control, reply);
	err = guardian->pid < 0 ? -errno : 0;
	close(control[0]);
	close(reply[1]);
	if (!err) {
		guardian->control = control[1];
		err = read_answer(reply[0], answer, len);
		if (err)
			guardian_end(guardian);
	} else {
		close(control[1]);
	}
	close(reply[0]);
	return err;
}

bool guardian_end(struct guardian *guardian)
{
	if (guardian->control < 0)
		return true;
	close(guardian->control);
	guardian->control = -1;
	return reap(guardian->pid);
}
