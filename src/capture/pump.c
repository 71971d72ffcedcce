/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/pump.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define PUMP_IDLE_MS 50 /* how long a record below the wake-up level may wait */

struct batch {
	uint8_t *bytes;
	size_t len;
	size_t capacity;
};

struct pump {
	struct channel *channel;
	struct channel *next; /* what replaces it, while both may be written to; or NULL */
	pthread_t thread;
	pthread_mutex_t lock; /* guards all below and channel, next */
	pthread_cond_t drained; /* for who flushes */
	pthread_cond_t queued;  /* for who waits */
	struct batch filling;
	struct batch held;    /* records of next, which come after all of channel's */
	struct batch reading; /* the reader's own */
	int failed;           /* -errno that ended the thread */
	int epoll_fd;
	int wake_fd; /* to the thread: flush or stop */
	volatile bool stopping;
};

static int batch_reserve(struct batch *batch, size_t more)
{
	size_t capacity = batch->capacity ? batch->capacity : 65536;
	uint8_t *bytes;

	if (batch->len + more <= batch->capacity)
		return 0;
	while (capacity < batch->len + more)
		capacity *= 2;
	bytes = realloc(batch->bytes, capacity);
	if (!bytes)
		return -ENOMEM;
	batch->bytes = bytes;
	batch->capacity = capacity;
	return 0;
}

/* Called with the lock held. */
static int queue_run(void *context, const void *run, uint32_t len)
{
	struct batch *batch = context;

	if (batch->len + len > PUMP_QUEUE_MAX || batch_reserve(batch, len) < 0)
		return -ENOBUFS; /* stays in the channel, and what that then refuses is counted */
	memcpy(batch->bytes + batch->len, run, len);
	batch->len += len;
	return 0;
}

static void signal_fd(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) < 0)
		return; /* the counter is already far from empty: it is readable */
}

static void clear_fd(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0)
		return; /* not signalled: nothing to clear */
}

/* Called with the lock held. */
static int drain_next(struct pump *pump, int bytes)
{
	int more = channel_drain(pump->next, queue_run, &pump->held);

	return more < 0 ? more : bytes;
}

static int drain_once(struct pump *pump)
{
	int bytes;

	pthread_mutex_lock(&pump->lock);
	bytes = channel_drain(pump->channel, queue_run, &pump->filling);
	if (bytes >= 0 && pump->next)
		bytes = drain_next(pump, bytes);
	if (bytes < 0)
		pump->failed = bytes;
	if (bytes)
		pthread_cond_signal(&pump->queued);
	pthread_cond_broadcast(&pump->drained);
	pthread_mutex_unlock(&pump->lock);
	return bytes;
}

static void *pump_main(void *arg)
{
	struct pump *pump = arg;
	struct epoll_event ready[2];

	while (!pump->stopping) {
		int count = epoll_wait(pump->epoll_fd, ready, 2, PUMP_IDLE_MS);

		for (int i = 0; i < count; i++) {
			if (ready[i].data.fd == pump->wake_fd)
				clear_fd(pump->wake_fd);
		}
		if (drain_once(pump) < 0)
			break;
	}
	drain_once(pump);
	return NULL;
}

/* Edge-triggered: a ring's poll says "readable" whenever a record waits, and only the kernel side's
 * wake-ups (by fill level) are to interrupt the idle time. */
static int watch_channel(struct pump *pump, const struct channel *channel)
{
	struct epoll_event on_fill = { .events = EPOLLIN | EPOLLET,
				       .data.fd = channel->watch_fd };

	if (epoll_ctl(pump->epoll_fd, EPOLL_CTL_ADD, channel->watch_fd, &on_fill) < 0)
		return -errno;
	return 0;
}

static int watch_fds(struct pump *pump)
{
	struct epoll_event on_wake = { .events = EPOLLIN, .data.fd = pump->wake_fd };

	if (epoll_ctl(pump->epoll_fd, EPOLL_CTL_ADD, pump->wake_fd, &on_wake) < 0)
		return -errno;
	return watch_channel(pump, pump->channel);
}

/* Signals belong to the main thread. */
static int start_thread(struct pump *pump)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&pump->thread, NULL, pump_main, pump);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -err;
}

static void pump_destroy(struct pump *pump)
{
	if (pump->epoll_fd >= 0)
		close(pump->epoll_fd);
	if (pump->wake_fd >= 0)
		close(pump->wake_fd);
	free(pump->filling.bytes);
	free(pump->held.bytes);
	free(pump->reading.bytes);
	pthread_cond_destroy(&pump->drained);
	pthread_cond_destroy(&pump->queued);
	pthread_mutex_destroy(&pump->lock);
	free(pump);
}

int pump_start(struct pump **out, struct channel *channel)
{
	struct pump *pump = calloc(1, sizeof(*pump));
	pthread_condattr_t attr;
	int err;

	if (!pump)
		return -ENOMEM;
	pump->channel = channel;
	pthread_mutex_init(&pump->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&pump->drained, &attr);
	pthread_cond_init(&pump->queued, &attr);
	pthread_condattr_destroy(&attr);
	pump->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	pump->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (pump->epoll_fd < 0 || pump->wake_fd < 0)
		err = -errno;
	else
		err = watch_fds(pump);
	if (!err)
		err = start_thread(pump);
	if (err) {
		pump_destroy(pump);
		return err;
	}
	*out = pump;
	return 0;
}

int pump_add_next(struct pump *pump, struct channel *next)
{
	int err = watch_channel(pump, next);

	if (err)
		return err;
	pthread_mutex_lock(&pump->lock);
	pump->next = next;
	pthread_mutex_unlock(&pump->lock);
	return 0;
}

/* What came through next follows what the channel before it had. Called with the lock held. */
static int append_held(struct pump *pump)
{
	if (!pump->held.len)
		return 0;
	if (batch_reserve(&pump->filling, pump->held.len) < 0)
		return -ENOMEM;
	memcpy(pump->filling.bytes + pump->filling.len, pump->held.bytes, pump->held.len);
	pump->filling.len += pump->held.len;
	pump->held.len = 0;
	return 0;
}

int pump_switch(struct pump *pump)
{
	uint64_t end;
	int err = 0;

	pthread_mutex_lock(&pump->lock);
	end = channel_mark(pump->channel);
	while (!err && !channel_reached(pump->channel, end)) {
		int bytes = channel_drain(pump->channel, queue_run, &pump->filling);

		if (bytes <= 0)
			err = bytes ? bytes : -EAGAIN;
	}
	if (!err)
		err = append_held(pump);
	if (!err) {
		epoll_ctl(pump->epoll_fd, EPOLL_CTL_DEL, pump->channel->watch_fd, NULL);
		pump->channel = pump->next;
		pump->next = NULL;
		pthread_cond_signal(&pump->queued);
	}
	pthread_mutex_unlock(&pump->lock);
	return err;
}

void pump_stop(struct pump *pump)
{
	if (!pump)
		return;
	pump->stopping = true;
	signal_fd(pump->wake_fd);
	pthread_join(pump->thread, NULL);
	pump_destroy(pump);
}

/* Now and timeout_ms, on the clock of the conditions. */
static struct timespec after(unsigned int timeout_ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += (timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	return until;
}

bool pump_wait(struct pump *pump, unsigned int timeout_ms)
{
	struct timespec until = after(timeout_ms);
	bool queued;
	int err = 0;

	pthread_mutex_lock(&pump->lock);
	while (!err && !pump->filling.len && !pump->failed)
		err = pthread_cond_timedwait(&pump->queued, &pump->lock, &until);
	queued = pump->filling.len || pump->failed;
	pthread_mutex_unlock(&pump->lock);
	return queued;
}

int pump_failed(struct pump *pump)
{
	int failed;

	pthread_mutex_lock(&pump->lock);
	failed = pump->failed;
	pthread_mutex_unlock(&pump->lock);
	return failed;
}

size_t pump_take(struct pump *pump, const uint8_t **bytes)
{
	struct batch taken;

	pthread_mutex_lock(&pump->lock);
	taken = pump->filling;
	pump->filling = pump->reading;
	pump->filling.len = 0;
	pthread_mutex_unlock(&pump->lock);
	pump->reading = taken;
	*bytes = taken.bytes;
	return taken.len;
}

uint64_t pump_mark(struct pump *pump)
{
	uint64_t mark;

	pthread_mutex_lock(&pump->lock);
	mark = channel_mark(pump->channel);
	pthread_mutex_unlock(&pump->lock);
	return mark;
}

int pump_flush(struct pump *pump, uint64_t mark, unsigned int timeout_ms)
{
	struct timespec until = after(timeout_ms);
	int err = 0;

	pthread_mutex_lock(&pump->lock);
	while (!err && !pump->failed && !channel_reached(pump->channel, mark)) {
		signal_fd(pump->wake_fd);
		err = pthread_cond_timedwait(&pump->drained, &pump->lock, &until);
	}
	if (pump->failed)
		err = -pump->failed;
	pthread_mutex_unlock(&pump->lock);
	return -err;
}
