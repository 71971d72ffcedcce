/* SPDX-License-Identifier: GPL-2.0-only */
/* Where events go: the one seam between what produces the stream and what reads it. */
#ifndef VMTRACE_STREAM_H
#define VMTRACE_STREAM_H

#include "event.h"

struct sink {
	/* 0, or -errno, which stops the producer. */
	int (*event)(void *context, const struct event *event);
	void *context;
};

static inline int sink_event(const struct sink *sink, const struct event *event)
{
	return sink->event(sink->context, event);
}

#endif
