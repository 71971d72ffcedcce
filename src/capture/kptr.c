// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything happens in the guardian: it alone opens, locks, raises and restores, so the lock
 * lives exactly as long as it does, and nothing needs to be undone if the parent dies at any
 * point.
 */
#include "capture/kptr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "capture/guardian.h"
#include "log.h"

#define LOCK_TRIES   250 /* of LOCK_POLL_MS: 5 s */
#define LOCK_POLL_MS 20
#define RAISED       1

/* From the guardian, once. */
struct answer {
	int32_t err; /* 0 or -errno */
	int32_t value;
	int32_t raised;
};

struct kptr {
	int value;
	bool force_from_2;
	struct guardian guardian; /* none any more if nothing was raised */
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

static int lock(int fd, int control)
{
	int tries;

	for (tries = 0; flock(fd, LOCK_EX | LOCK_NB); tries++) {
		if (errno != EWOULDBLOCK)
			return -errno;
		if (tries == LOCK_TRIES)
			return -EBUSY;
		if (guardian_parent_done(control, LOCK_POLL_MS))
			return -ECANCELED;
	}
	/* It may be free because the parent is gone, or long after that. */
	return guardian_parent_done(control, 0) ? -ECANCELED : 0;
}

/* The lock stays with the returned fd. */
static int lock_and_raise(const struct kptr *kptr, int control, struct answer *answer)
{
	int fd = open(kptr->path, O_RDONLY | O_CLOEXEC);
	int value = 0;

	if (fd < 0) {
		answer->err = -errno;
		return -1;
	}
	answer->err = lock(fd, control);
	if (!answer->err)
		answer->err = read_value(fd, &value);
	answer->value = value;
	if (!answer->err && (value == 0 || (value == 2 && kptr->force_from_2))) {
		answer->err = write_value(kptr->path, RAISED);
		answer->raised = !answer->err;
	}
	return fd;
}

static int guard(const void *context, int control, int reply)
{
	const struct kptr *kptr = context;
	struct answer answer = { 0 };
	int locked = lock_and_raise(kptr, control, &answer);

	guardian_answer(reply, &answer, sizeof(answer));
	if (answer.raised) {
		while (!guardian_parent_done(control, -1))
			;
		answer.err = put_back(kptr->path, answer.value);
	}
	if (locked >= 0)
		close(locked);
	return answer.err;
}

/* ---- parent --------------------------------------------------------------------------------- */

static int start(struct kptr *kptr)
{
	const struct guardian_job job = { "kptr-restore", guard, kptr };
	struct answer answer = { 0 };
	int err = guardian_start(&kptr->guardian, &job, &answer, sizeof(answer));

	if (err)
		return err;
	kptr->value = answer.value;
	if (!answer.raised)
		guardian_end(&kptr->guardian);
	return answer.err;
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
	made->force_from_2 = force_from_2;
	memcpy(made->path, path, len);
	err = start(made);
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
	/* Killed, or refused: what is left to do is done here. */
	if (!guardian_end(&kptr->guardian))
		err = put_back(kptr->path, kptr->value);
	if (err)
		log_error("cannot set %s back to %d: %s", kptr->path, kptr->value, strerror(-err));
	free(kptr);
}

int kptr_value(const struct kptr *kptr)
{
	return kptr->value;
}
