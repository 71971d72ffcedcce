/* SPDX-License-Identifier: GPL-2.0-only */
/* What capture.c (the flow) and start.c (how it comes up) share; nobody else includes this. */
#ifndef VMTRACE_CAPTURE_INTERNAL_H
#define VMTRACE_CAPTURE_INTERNAL_H

#include "capture/capture.h"
#include "capture/decode.h"
#include "capture/kernel_tree.h"
#include "capture/kptr.h"
#include "capture/perfbuf.h"
#include "capture/pump.h"
#include "capture/relist.h"
#include "capture/resolver.h"
#include "capture/ring.h"

#define CAPTURE_UNION_READINGS 8 /* of the list, together, when none is quiet */

struct capture {
	struct capture_options options;
	struct names *names;
	struct stacks *stacks;
	struct symbols *symbols;
	struct kernel_tree *kernel_tree; /* opened when it is first asked for */
	struct resolver *resolver;
	struct decode *decode;
	struct probes *probes;
	struct ring *ring; /* the one in use */
	struct ring rings[2];
	int ring_fd;
	struct perfbuf *perfbuf; /* instead of a ring: TRANSPORT_PERF */
	uint64_t ring_retry_ns;  /* when a failed switch is tried again */
	struct pump *pump;
	struct counters *counters;
	struct losses *losses;
	uint64_t misses_ns; /* when the kernel's own counts were last read */
	uint64_t swept_ns;
	bool misses_failed;
	struct seed before; /* the kernel's list before anything of ours was in it */
	int start_lock;     /* fd; held until seeded, so that two starts do not take each other's */
	struct sink sink;
	struct range range;
	bool can_list;
	/* events that change the map, seen since list_begin_ns */
	uint64_t list_begin_ns;
	uint32_t list_disturbed;
	struct relist relist; /* when the list is read again */
	int broken;           /* -errno of the sink or the pump: the capture is over */
	char list_why[160];   /* why the list could not be read */
	/* What was told of it last, so that it is told once: of a heal, of a reconcile. */
	char heal_told[160];
	char reconcile_told[160];
};

/* Makes and maps a ring into capture->rings[index]. 0 and its fd, or -errno. */
int capture_open_ring(struct capture *capture, unsigned int index, int *fd);

/* Finds a plan that is true here and leaves it running; the reasons of the others go into
 * options.report. 0; -ENOSYS or another -errno, with a message logged. */
int capture_start_flow(struct capture *capture);
/* Ends what that has started; also what a failed one left. */
void capture_stop_flow(struct capture *capture);

/* Replaces the ring if it has carried its limit. 0; -ENOTRECOVERABLE, after a message. */
int capture_rotate_if_due(struct capture *capture);

/* Emits what is queued now: how many records, or -errno. */
int capture_emit_queued(struct capture *capture);

/* A sink for events that nobody wants: before the user's is known. */
struct sink capture_no_sink(void);

/* Raises kptr_restrict for a reading; the reason of a failure is in list_why. */
int capture_raise_kptr(struct capture *capture, struct kptr **kptr);

/* Lets the next vmtrace start: taken in capture_open, until the first seed. */
void capture_start_unlock(struct capture *capture);

#endif
