/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A way for records to come from the kernel, as the pump sees it: a BPF ring (capture/ring) or the
 * perf buffers of all CPUs together (capture/perfmerge). Its owner embeds a struct channel.
 */
#ifndef VMTRACE_CAPTURE_CHANNEL_H
#define VMTRACE_CAPTURE_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct channel;

/* Takes one record of len bytes, aligned to 8; its bytes are gone after the call. 0 = taken;
 * anything else stops the draining before this record, which stays where it is. */
typedef int (*channel_record_fn)(void *context, const void *record, uint32_t len);

#define CHANNEL_HEADER 8u /* bytes before each record of a run: uint32_t len, and what nobody reads */

/* The place of a record of len bytes in a run. */
static inline uint32_t channel_room(uint32_t len)
{
	return CHANNEL_HEADER + ((len + 7) & ~7u);
}

/* The same of a run: one record after the other, len bytes in all, each behind its header and padded to
 * 8. All of it is taken or, if not 0 is returned, stays. */
typedef int (*channel_take_fn)(void *context, const void *run, uint32_t len);

struct channel_ops {
	/*
	 * Hands over what is ready, in order. Returns how many bytes that were (0 = nothing was
	 * ready, or take refused the first); -EBADMSG when the kernel's buffer holds what cannot
	 * be, and then the channel is of no more use.
	 */
	int (*drain)(struct channel *channel, channel_take_fn take, void *context);
	/* Now, as a position of this channel: all that was sent before lies before it. */
	uint64_t (*mark)(const struct channel *channel);
	/* True when all before mark has been handed over. */
	bool (*reached)(const struct channel *channel, uint64_t mark);
};

struct channel {
	const struct channel_ops *ops;
	int watch_fd; /* for epoll, edge-triggered: the kernel's wake-ups, by fill level */
};

/* The struct type that has channel as its member. */
#define channel_owner(type, channel) \
	((type *)((char *)(uintptr_t)(channel)-offsetof(type, channel)))

static inline int channel_drain(struct channel *channel, channel_take_fn take, void *context)
{
	return channel->ops->drain(channel, take, context);
}

static inline uint64_t channel_mark(const struct channel *channel)
{
	return channel->ops->mark(channel);
}

static inline bool channel_reached(const struct channel *channel, uint64_t mark)
{
	return channel->ops->reached(channel, mark);
}

#endif
