// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything happens in the guardian: it alone opens, locks, raises and restores, so the lock
 * lives exactly as long as it does, and nothing needs to be undone if the parent dies at any
 * point. It keeps every signal blocked (only SIGKILL ends it early) and holds two pipe ends and
 * the locked file, nothing else of its parent's.
 *
 *   parent                      guardian
 *   kptr_raise: fork      --->  lock, read, raise
 *   read answer           <---  struct answer
 *   kptr_restore: close   --->  EOF: restore, exit 0 (the lock goes with it)
 *   waitpid               <---
 */
#include "capture/kptr.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"

#define LOCK_TRIES   250 /* of LOCK_POLL_MS: 5 s */
#define LOCK_POLL_MS 20
#define RAISED       1

/* From the guardian, once. Shorter than PIPE_BUF, so it comes in one piece or not at all. */
struct answer {
	int32_t err; /* 0 or -errno */
	int32_t value;
	int32_t raised;
};

struct kptr {
	int value;
	int control; /* -1 if nothing was raised, then there is no guardian any more */
	pid_t guardian;
	char path[];
};

static int read_value(int fd, int *value)
{
	char text[16];
	ssize_t got = pread(fd, text, sizeof(text), 0);

	if (got < 0)
		return -errno;
	if (got < 1 || text[0] < '0' || text[0] > '2' || (got > 1 && text[1] != '\n'))
		return -EINVAL;
	*value = text[0] - '0';
	return 0;
}

static int write_value(const char *path, int value)
{
	char text[2] = { (char)('0' + value), '\n' };
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (pwrite(fd, text, sizeof(text), 0) != sizeof(text))
		err = errno ? -errno : -EIO;
	close(fd);
	return err;
}

/* Puts value back, unless someone has set another one meanwhile: that is then what is wanted. */
static int put_back(const char *path, int value)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int now;
	int err;

	if (fd < 0)
		return -errno;
	err = read_value(fd, &now);
	close(fd);
	if (err || now != RAISED)
		return err;
	return write_value(path, value);
}

/* ---- guardian: only async-signal-safe calls, as the parent may have had threads ------------- */

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

/* Waits until the parent has closed its end or timeout_ms (-1 = for ever) is over. */
static bool parent_is_done(int control, int timeout_ms)
{
	struct pollfd pfd = { .fd = control, .events = POLLIN };

	return poll(&pfd, 1, timeout_ms) != 0;
}

static int lock(int fd, int control)
{
	int tries;

	for (tries = 0; flock(fd, LOCK_EX | LOCK_NB); tries++) {
		if (errno != EWOULDBLOCK)
			return -errno;
		if (tries == LOCK_TRIES)
			return -EBUSY;
		if (parent_is_done(control, LOCK_POLL_MS))
			return -ECANCELED;
	}
	return 0;
}

/* The lock stays with the returned fd. */
static int lock_and_raise(const char *path, bool force_from_2, int control, struct answer *answer)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int value = 0;

	if (fd < 0) {
		answer->err = -errno;
		return -1;
	}
	answer->err = lock(fd, control);
	if (!answer->err)
		answer->err = read_value(fd, &value);
	answer->value = value;
	if (!answer->err && (value == 0 || (value == 2 && force_from_2))) {
		answer->err = write_value(path, RAISED);
		answer->raised = !answer->err;
	}
	return fd;
}

/* Neither `pkill -9 vmtrace` nor `killall -9 vmtrace` is to end parent and guardian together: they
 * go by the task's name or by argv[0]. */
static void rename_process(void)
{
	static const char name[] = "kptr-restore";
	size_t room = strlen(program_invocation_name);

	prctl(PR_SET_NAME, name);
	memset(program_invocation_name, 0, room);
	memcpy(program_invocation_name, name, room < sizeof(name) ? room : sizeof(name) - 1);
}

static _Noreturn void guardian(const char *path, bool force_from_2, int control, int reply)
{
	struct answer answer = { 0 };
	ssize_t sent;
	int locked;

	setsid();
	rename_process();
	close_all_but(control, reply);
	locked = lock_and_raise(path, force_from_2, control, &answer);
	/* If this fails, the parent is gone, and control tells so. */
	sent = write(reply, &answer, sizeof(answer));
	(void)sent;
	close(reply);
	if (answer.raised) {
		while (!parent_is_done(control, -1))
			;
		answer.err = put_back(path, answer.value);
	}
	if (locked >= 0)
		close(locked);
	_exit(answer.err ? 1 : 0);
}

/* ---- parent --------------------------------------------------------------------------------- */

static int read_answer(int fd, struct answer *answer)
{
	ssize_t got;

	do {
		got = read(fd, answer, sizeof(*answer));
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	return got == sizeof(*answer) ? answer->err : -EIO;
}

/* True if the guardian ended by itself and without an error. A parent that ignores SIGCHLD gets
 * ECHILD once it has ended, and then cannot know more. */
static bool reap(pid_t guardian)
{
	int status;
	pid_t got;

	do {
		got = waitpid(guardian, &status, 0);
	} while (got < 0 && errno == EINTR);
	return got < 0 || (WIFEXITED(status) && !WEXITSTATUS(status));
}

/* Forks with all signals blocked, so that none can reach the child before it is on its own. */
static pid_t fork_guardian(const char *path, bool force_from_2, const int control[2],
			   const int reply[2])
{
	sigset_t all, old;
	pid_t pid;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid = fork();
	if (!pid)
		guardian(path, force_from_2, control[0], reply[1]);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return pid;
}

static int start(struct kptr *kptr, bool force_from_2)
{
	struct answer answer = { 0 };
	int control[2];
	int reply[2];
	int err;

	if (pipe2(control, O_CLOEXEC))
		return -errno;
	if (pipe2(reply, O_CLOEXEC)) {
		err = -errno;
		close(control[0]);
		close(control[1]);
		return err;
	}
	kptr->guardian = fork_guardian(kptr->path, force_from_2, control, reply);
	err = kptr->guardian < 0 ? -errno : 0;
	close(control[0]);
	close(reply[1]);
	if (!err)
		err = read_answer(reply[0], &answer);
	close(reply[0]);
	kptr->value = answer.value;
	if (!err && answer.raised) {
		kptr->control = control[1];
		return 0;
	}
	close(control[1]);
	if (kptr->guardian > 0)
		reap(kptr->guardian);
	return err;
}

int kptr_raise(const char *path, bool force_from_2, struct kptr **kptr)
{
	size_t len = strlen(path) + 1;
	struct kptr *made = malloc(sizeof(*made) + len);
	int err;

	*kptr = NULL;
	if (!made)
		return -ENOMEM;
	made->value = 0;
	made->control = -1;
	made->guardian = -1;
	memcpy(made->path, path, len);
	err = start(made, force_from_2);
	if (err) {
		free(made);
		return err;
	}
	*kptr = made;
	return 0;
}

void kptr_restore(struct kptr *kptr)
{
	int err = 0;

	if (!kptr)
		return;
	if (kptr->control >= 0) {
		close(kptr->control);
		/* Killed, or refused: what is left to do is done here. */
		if (!reap(kptr->guardian))
			err = put_back(kptr->path, kptr->value);
	}
	if (err)
		log_error("cannot set %s back to %d: %s", kptr->path, kptr->value, strerror(-err));
	free(kptr);
}

int kptr_value(const struct kptr *kptr)
{
	return kptr->value;
}
