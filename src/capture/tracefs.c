// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probe I of process P is vmtrace_P/vP_I: the group tells whose it is, and as kprobe_profile shows
 * no groups, the event's name tells it too. What has another name is somebody else's.
 */
#include "capture/tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/guardian.h"
#include "file.h"
#include "log.h"

#define ROOT_MAX     256
#define SYMBOL_MAX   511u     /* KSYM_NAME_LEN - 1, as of 6.1; 127 before */
#define PID_LIMIT    4194304u /* PID_MAX_LIMIT of include/linux/threads.h, 64-bit */
#define BUSY_TRIES   500      /* of BUSY_POLL_MS: 10 s */
#define BUSY_POLL_MS 20

struct tracefs {
	uint32_t pid;
	uint32_t count;
	int profile_fd;
	struct guardian guardian;
	volatile uint64_t *made; /* bit I: probe I may exist; shared with the guardian */
	struct {
		uint32_t hits;
		uint32_t misses;
	} last[TRACEFS_MAX_PROBES];
	struct tracefs_profile total[TRACEFS_MAX_PROBES];
	char root[ROOT_MAX];
	char events[ROOT_MAX + 16]; /* root/kprobe_events */
};

/* ---- text, async-signal-safe as the guardian writes it too ----------------------------------- */

struct text {
	size_t len;
	char bytes[SYMBOL_MAX + 129];
};

static void put(struct text *text, const char *more)
{
	size_t len = strlen(more);

	if (len > sizeof(text->bytes) - text->len)
		len = sizeof(text->bytes) - text->len;
	memcpy(text->bytes + text->len, more, len);
	text->len += len;
}

static void put_number(struct text *text, uint32_t value)
{
	char digits[11];
	char *p = digits + sizeof(digits) - 1;

	*p = '\0';
	do {
		*--p = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	put(text, p);
}

/* GROUP/EVENT */
static void put_probe(struct text *text, uint32_t pid, uint32_t index)
{
	put(text, "vmtrace_");
	put_number(text, pid);
	put(text, "/v");
	put_number(text, pid);
	put(text, "_");
	put_number(text, index);
}

/* ---- parsing: every line may be somebody else's, and anything -------------------------------- */

struct cursor {
	const char *p;
	const char *end;
};

static bool take_text(struct cursor *c, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(c->end - c->p) < len || memcmp(c->p, text, len))
		return false;
	c->p += len;
	return true;
}

static void skip_blanks(struct cursor *c)
{
	while (c->p < c->end && *c->p == ' ')
		c->p++;
}

static bool is_digit(const struct cursor *c)
{
	return c->p < c->end && *c->p >= '0' && *c->p <= '9';
}

static bool take_number(struct cursor *c, uint64_t max, uint64_t *value)
{
	uint64_t sum = 0;

	if (!is_digit(c))
		return false;
	for (; is_digit(c); c->p++) {
		uint64_t digit = (uint64_t)(*c->p - '0');

		if (sum > (max - digit) / 10)
			return false;
		sum = sum * 10 + digit;
	}
	*value = sum;
	return true;
}

/* As put_number writes it, so that the name can be made again from the value. */
static bool take_plain_number(struct cursor *c, uint32_t max, uint32_t *value)
{
	const char *first = c->p;
	uint64_t wide;

	if (!take_number(c, max, &wide) || (*first == '0' && c->p != first + 1))
		return false;
	*value = (uint32_t)wide;
	return true;
}

struct probe_name {
	uint32_t pid;
	uint32_t index;
};

/* vP_I and a blank, which follows it in either file. */
static bool take_event(struct cursor *c, struct probe_name *name)
{
	return take_text(c, "v") && take_plain_number(c, PID_LIMIT, &name->pid) &&
	       take_text(c, "_") && take_plain_number(c, TRACEFS_MAX_PROBES - 1, &name->index) &&
	       take_text(c, " ");
}

/* p:GROUP/EVENT symbol, r:... or, from 5.7 on, r256:... */
static bool parse_definition(struct cursor c, struct probe_name *name)
{
	uint32_t group;

	if (!take_text(&c, "p") && !take_text(&c, "r"))
		return false;
	while (is_digit(&c))
		c.p++;
	return take_text(&c, ":vmtrace_") && take_plain_number(&c, PID_LIMIT, &group) &&
	       take_text(&c, "/") && take_event(&c, name) && name->pid == group;
}

/* EVENT hits misses */
static bool parse_profile(struct cursor c, struct probe_name *name, struct tracefs_profile *profile)
{
	skip_blanks(&c);
	if (!take_event(&c, name))
		return false;
	skip_blanks(&c);
	if (!take_number(&c, UINT64_MAX, &profile->hits) || !take_text(&c, " "))
		return false;
	skip_blanks(&c);
	return take_number(&c, UINT64_MAX, &profile->misses) && c.p == c.end;
}

/* ---- reading the lists ----------------------------------------------------------------------- */

struct reader {
	int fd;
	off_t at;
	size_t begin;
	size_t end;
	bool skipping; /* inside a line longer than buf */
	char buf[4096];
};

/* 1, 0 at the end, -errno of read. What comes before the end without a newline is no line. */
static int fill(struct reader *reader)
{
	ssize_t got;

	reader->end -= reader->begin;
	memmove(reader->buf, reader->buf + reader->begin, reader->end);
	reader->begin = 0;
	if (reader->end == sizeof(reader->buf)) {
		reader->skipping = true;
		reader->end = 0;
	}
	do {
		got = pread(reader->fd, reader->buf + reader->end,
			    sizeof(reader->buf) - reader->end, reader->at);
	} while (got < 0 && errno == EINTR);
	if (got <= 0)
		return got < 0 ? -errno : 0;
	reader->at += got;
	reader->end += (size_t)got;
	return 1;
}

static int next_line(struct reader *reader, struct cursor *line)
{
	for (;;) {
		char *first = reader->buf + reader->begin;
		char *newline = memchr(first, '\n', reader->end - reader->begin);

		if (!newline) {
			int got = fill(reader);

			if (got <= 0)
				return got;
			continue;
		}
		reader->begin = (size_t)(newline + 1 - reader->buf);
		if (!reader->skipping) {
			*line = (struct cursor){ first, newline };
			return 1;
		}
		reader->skipping = false;
	}
}

/* ---- making and removing --------------------------------------------------------------------- */

/* Never O_TRUNC, which removes everybody's probes. */
static int open_events(const struct tracefs *tracefs)
{
	int fd = open(tracefs->events, O_WRONLY | O_APPEND | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int command(int fd, struct text *text)
{
	ssize_t written;

	put(text, "\n");
	written = write(fd, text->bytes, text->len);
	if (written < 0)
		return -errno;
	return (size_t)written == text->len ? 0 : -EIO;
}

/* -EBUSY while a perf event has it open. One that is gone already is no error. */
static int remove_probe(int fd, uint32_t pid, uint32_t index)
{
	struct text text = { 0 };
	int err;

	put(&text, "-:");
	put_probe(&text, pid, index);
	err = command(fd, &text);
	return err == -ENOENT ? 0 : err;
}

/* Once for each that was made. -EBUSY goes before other errors, as it passes. */
static int remove_made(const struct tracefs *tracefs)
{
	int err = 0;
	int fd;

	if (!*tracefs->made)
		return 0;
	fd = open_events(tracefs);
	if (fd < 0)
		return fd;
	for (uint32_t index = 0; index < TRACEFS_MAX_PROBES; index++) {
		uint64_t bit = UINT64_C(1) << index;
		int failed;

		if (!(*tracefs->made & bit))
			continue;
		failed = remove_probe(fd, tracefs->pid, index);
		if (!failed)
			*tracefs->made &= ~bit;
		else if (err != -EBUSY)
			err = failed;
	}
	close(fd);
	return err;
}

/* ---- guardian: only async-signal-safe calls -------------------------------------------------- */

/* A process that is killed closes its files in the order of their numbers, the pipe to here before
 * some of its perf events, and with each of those the kernel waits for grace periods. */
static int guard(const void *context, int control, int reply)
{
	const struct tracefs *tracefs = context;
	int err;

	guardian_answer(reply, "", 1);
	while (!guardian_parent_done(control, -1))
		;
	err = remove_made(tracefs);
	for (int i = 0; i < BUSY_TRIES && err == -EBUSY; i++) {
		poll(NULL, 0, BUSY_POLL_MS);
		err = remove_made(tracefs);
	}
	return err;
}

/* ---- what a killed vmtrace has left ---------------------------------------------------------- */

struct leftovers {
	struct probe_name *list;
	size_t count;
	size_t capacity;
};

static int push(struct leftovers *left, struct probe_name name)
{
	if (left->count == left->capacity) {
		size_t capacity = left->capacity ? 2 * left->capacity : 64;
		struct probe_name *grown = realloc(left->list, capacity * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		left->list = grown;
		left->capacity = capacity;
	}
	left->list[left->count++] = name;
	return 0;
}

/* This process has made none yet: what has its pid is of one before it. */
static bool is_leftover(const struct tracefs *tracefs, struct probe_name name)
{
	return name.pid == tracefs->pid || (kill((pid_t)name.pid, 0) < 0 && errno == ESRCH);
}

/* All of them before any is removed, as that moves what comes after it in the list. */
static int find_leftovers(const struct tracefs *tracefs, struct leftovers *left)
{
	struct reader reader = { .fd = open(tracefs->events, O_RDONLY | O_CLOEXEC) };
	struct probe_name name;
	struct cursor line;
	int err;

	if (reader.fd < 0)
		return -errno;
	while ((err = next_line(&reader, &line)) > 0) {
		if (!parse_definition(line, &name) || !is_leftover(tracefs, name))
			continue;
		err = push(left, name);
		if (err)
			break;
	}
	close(reader.fd);
	return err;
}

/* A failure of another pid's is not ours: its guardian may be at it. One of our own group would
 * get a second function when a probe of its name is made. */
static int remove_leftovers(const struct tracefs *tracefs, const struct leftovers *left)
{
	int fd, err = 0;

	if (!left->count)
		return 0;
	fd = open_events(tracefs);
	if (fd < 0)
		return fd;
	for (size_t i = 0; i < left->count; i++) {
		int failed = remove_probe(fd, left->list[i].pid, left->list[i].index);

		log_debug("removing a probe that a vmtrace with pid %u has left: %s",
			  left->list[i].pid, failed ? strerror(-failed) : "done");
		if (failed && left->list[i].pid == tracefs->pid)
			err = failed;
	}
	close(fd);
	return err;
}

static int sweep(const struct tracefs *tracefs)
{
	struct leftovers left = { 0 };
	int err = find_leftovers(tracefs, &left);

	if (!err)
		err = remove_leftovers(tracefs, &left);
	free(left.list);
	return err;
}

/* ---- open, close ----------------------------------------------------------------------------- */

static int use_root(struct tracefs *tracefs, const char *root)
{
	if (strlen(root) >= sizeof(tracefs->root))
		return -ENAMETOOLONG;
	strcpy(tracefs->root, root);
	snprintf(tracefs->events, sizeof(tracefs->events), "%s/kprobe_events", root);
	return access(tracefs->events, R_OK | W_OK) ? -errno : 0;
}

/* Looking into the second one mounts tracefs there. */
static int find_root(struct tracefs *tracefs)
{
	int err = use_root(tracefs, "/sys/kernel/tracing");

	return err == -ENOENT ? use_root(tracefs, "/sys/kernel/debug/tracing") : err;
}

static int open_profile(struct tracefs *tracefs)
{
	char path[ROOT_MAX + 16];

	snprintf(path, sizeof(path), "%s/kprobe_profile", tracefs->root);
	tracefs->profile_fd = open(path, O_RDONLY | O_CLOEXEC);
	return tracefs->profile_fd < 0 ? -errno : 0;
}

static int share(struct tracefs *tracefs)
{
	void *shared = mmap(NULL, sizeof(*tracefs->made), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		return -errno;
	tracefs->made = shared;
	return 0;
}

static int set_up(struct tracefs *tracefs, const char *root)
{
	const struct guardian_job job = { "probe-remove", guard, tracefs };
	char answer;
	int err = root ? use_root(tracefs, root) : find_root(tracefs);

	if (!err)
		err = sweep(tracefs);
	if (!err)
		err = open_profile(tracefs);
	if (!err)
		err = share(tracefs);
	if (!err)
		err = guardian_start(&tracefs->guardian, &job, &answer, sizeof(answer));
	return err;
}

static void free_all(struct tracefs *tracefs)
{
	if (tracefs->made)
		munmap((void *)(uintptr_t)tracefs->made, sizeof(*tracefs->made));
	if (tracefs->profile_fd >= 0)
		close(tracefs->profile_fd);
	free(tracefs);
}

int tracefs_open(const char *root, struct tracefs **tracefs)
{
	struct tracefs *made = calloc(1, sizeof(*made));
	int err;

	*tracefs = NULL;
	if (!made)
		return -ENOMEM;
	made->pid = (uint32_t)getpid();
	made->profile_fd = -1;
	made->guardian.control = -1;
	err = set_up(made, root);
	if (err) {
		log_debug("no probes through tracefs: %s", strerror(-err));
		free_all(made);
		return err;
	}
	*tracefs = made;
	return 0;
}

/* What the kernel does not let go of at once, the guardian waits for; if that was killed, what is
 * left to do is done here. */
void tracefs_close(struct tracefs *tracefs)
{
	int err;

	if (!tracefs)
		return;
	remove_made(tracefs);
	guardian_end(&tracefs->guardian);
	err = remove_made(tracefs);
	if (err)
		log_error("cannot remove the probes vmtrace_%u in %s: %s", tracefs->pid,
			  tracefs->events, strerror(-err));
	free_all(tracefs);
}

/* ---- probes ---------------------------------------------------------------------------------- */

/* Nothing that would begin another word or line of the command, or an offset or a module. */
static bool is_symbol(const char *symbol)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.$";
	size_t len = strspn(symbol, allowed);

	return len && len <= SYMBOL_MAX && !symbol[len];
}

static int make_probe(const struct tracefs *tracefs, int fd, const char *symbol, bool is_return,
		      uint32_t max_active)
{
	struct text text = { 0 };

	put(&text, is_return ? "r" : "p");
	if (is_return && max_active)
		put_number(&text, max_active);
	put(&text, ":");
	put_probe(&text, tracefs->pid, tracefs->count);
	put(&text, " ");
	put(&text, symbol);
	return command(fd, &text);
}

/* The perf tracepoint id of the probe made last. */
static int read_id(const struct tracefs *tracefs, uint32_t *id)
{
	char path[ROOT_MAX + 80], line[16];
	struct cursor c = { .p = line };
	uint64_t value;
	int len;

	snprintf(path, sizeof(path), "%s/events/vmtrace_%u/v%u_%u/id", tracefs->root, tracefs->pid,
		 tracefs->pid, tracefs->count);
	len = file_read_line(path, line, sizeof(line));
	if (len < 0)
		return len;
	c.end = line + len;
	if (!take_number(&c, UINT32_MAX, &value) || c.p != c.end)
		return -EINVAL;
	*id = (uint32_t)value;
	return 0;
}

static int add(const struct tracefs *tracefs, int fd, const char *symbol, bool is_return,
	       uint32_t max_active, uint32_t *id)
{
	int err = make_probe(tracefs, fd, symbol, is_return, max_active);

	if (err && err != -ENOENT && is_return && max_active) {
		log_debug("the kernel refuses %u instances of a return probe on %s: %s", max_active,
			  symbol, strerror(-err));
		err = make_probe(tracefs, fd, symbol, is_return, 0);
	}
	if (err)
		return err;
	err = read_id(tracefs, id);
	if (err)
		remove_probe(fd, tracefs->pid, tracefs->count);
	return err;
}

int tracefs_add(struct tracefs *tracefs, const char *symbol, bool is_return, uint32_t max_active,
		uint32_t *index, uint32_t *id)
{
	uint64_t bit = UINT64_C(1) << (tracefs->count % TRACEFS_MAX_PROBES);
	int fd, err;

	if (!is_symbol(symbol))
		return -EINVAL;
	if (tracefs->count == TRACEFS_MAX_PROBES)
		return -ENOSPC;
	fd = open_events(tracefs);
	if (fd < 0)
		return fd;
	/* Before it is made: being killed in between must not leave it. */
	*tracefs->made |= bit;
	err = add(tracefs, fd, symbol, is_return, max_active, id);
	close(fd);
	if (err) {
		*tracefs->made &= ~bit;
		log_debug("no probe on %s through tracefs: %s", symbol, strerror(-err));
		return err;
	}
	*index = tracefs->count++;
	return 0;
}

/* The kernel's counts are unsigned long, that is 32-bit here. */
static void advance(uint64_t *total, uint32_t *last, uint64_t now)
{
	*total += (uint32_t)now - *last;
	*last = (uint32_t)now;
}

int tracefs_read_profile(struct tracefs *tracefs, struct tracefs_profile *list, uint32_t max)
{
	struct reader reader = { .fd = tracefs->profile_fd };
	uint32_t count = tracefs->count < max ? tracefs->count : max;
	struct tracefs_profile now;
	struct probe_name name;
	struct cursor line;
	int err;

	while ((err = next_line(&reader, &line)) > 0) {
		if (!parse_profile(line, &name, &now) || name.pid != tracefs->pid)
			continue;
		advance(&tracefs->total[name.index].hits, &tracefs->last[name.index].hits,
			now.hits);
		advance(&tracefs->total[name.index].misses, &tracefs->last[name.index].misses,
			now.misses);
	}
	if (err)
		return err;
	for (uint32_t i = 0; i < count; i++)
		list[i] = tracefs->total[i];
	return (int)count;
}
