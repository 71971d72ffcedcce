/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A fresh ring well before the old one has carried 4 GiB. On 32-bit kernels up to 6.12 the kernel's
 * own test for room (kernel/bpf/ringbuf.c:__bpf_ringbuf_reserve, unsigned long positions) sticks
 * at that wrap, and the ring refuses every record from one ring size after it on (docs/KERNELS.md).
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "capture/capture_internal.h"
#include "clock.h"
#include "log.h"

#define RETRY_NS     10000000000ull
#define SWITCH_TRIES 100

int capture_open_ring(struct capture *capture, unsigned int index, int *fd)
{
	int err;

	*fd = probes_new_ring(capture->probes);
	if (*fd < 0)
		return *fd;
	err = ring_map(&capture->rings[index], *fd, capture->options.probes.ring_bytes);
	if (err) {
		close(*fd);
		*fd = -1;
	}
	return err;
}

static void drop_ring(struct capture *capture, unsigned int index, int fd)
{
	ring_unmap(&capture->rings[index]);
	close(fd);
}

/* The queue may be full: what is in it is emitted between the tries. */
static int switch_pump(struct capture *capture)
{
	int err = pump_switch(capture->pump);

	for (int i = 0; i < SWITCH_TRIES && err == -EAGAIN; i++) {
		err = capture_emit_queued(capture);
		err = err < 0 ? err : pump_switch(capture->pump);
	}
	return err;
}

static int rotate(struct capture *capture)
{
	unsigned int old = capture->ring == &capture->rings[0] ? 0 : 1, new = !old;
	int old_fd = capture->ring_fd, new_fd;
	int err = capture_open_ring(capture, new, &new_fd);

	if (err)
		return err;
	err = pump_add_next(capture->pump, ring_channel(&capture->rings[new], new_fd));
	if (!err)
		err = probes_use_ring(capture->probes, new_fd);
	if (err) {
		/* The pump may watch it, but no program writes to it. */
		log_debug("switching the ring: %s", strerror(-err));
		return -ENOTRECOVERABLE;
	}
	err = switch_pump(capture);
	if (err)
		return -ENOTRECOVERABLE;
	capture->ring = &capture->rings[new];
	capture->ring_fd = new_fd;
	drop_ring(capture, old, old_fd);
	return 0;
}

int capture_rotate_if_due(struct capture *capture)
{
	uint32_t limit = capture->options.ring_limit_bytes;
	uint64_t now_ns;
	int err;

	if (!capture->ring || !limit || ring_produced(capture->ring) < limit)
		return 0;
	now_ns = clock_now_ns();
	if (now_ns < capture->ring_retry_ns)
		return 0;
	err = rotate(capture);
	if (err == -ENOTRECOVERABLE) {
		log_error("the ring could not be replaced: the capture ends here");
		return err;
	}
	if (err) {
		capture->ring_retry_ns = now_ns + RETRY_NS;
		log_note("no room for a fresh ring (%s), which is needed before this one has "
			 "carried "
			 "4 GiB; next try in 10 s",
			 strerror(-err));
		return 0;
	}
	log_debug("the ring was replaced");
	return 0;
}
