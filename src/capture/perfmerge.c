/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/perfmerge.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/order.h"
#include "capture/wire.h"
#include "clock.h"

#define LOOKS  16 /* at a busy CPU before the pauses begin: a program takes some us */
#define NAP_US 50

#define MAX_LEN ((WIRE_MAX_LEN + 15) & ~7u) /* perf pads a record so that it ends at 8 bytes */

struct perfmerge {
	struct channel channel;
	struct perfring *rings;
	uint32_t nr_rings;
	struct counters *counters;
	struct order *order;
	uint32_t hold_max; /* bytes: where hold() stops */
	uint64_t proven_ns;
	/* the proof in progress */
	uint64_t candidate_ns; /* T; 0 = none is in progress */
	uint32_t next_cpu;     /* those below have been passed */
	uint32_t odd;          /* next_cpu's busy as first seen, 0 = not yet or even */
	uint32_t claimed;      /* records sent by the CPUs passed, as they say */
	uint32_t missing;      /* of all that was claimed, up to the last proof */
};

/* ---- into the hold ----------------------------------------------------------------------- */

static int hold(void *context, const void *record, uint32_t len)
{
	struct perfmerge *merge = context;

	if (len > MAX_LEN)
		return -EBADMSG;
	if (order_bytes(merge->order) >= merge->hold_max)
		return -ENOBUFS;
	return order_add(merge->order, record, len);
}

/* 0; -ENOBUFS, -ENOMEM: something stays in a buffer; -EBADMSG. */
static int drain_rings(struct perfmerge *merge, uint32_t hold_max)
{
	int err = 0;

	merge->hold_max = hold_max;
	for (uint32_t i = 0; i < merge->nr_rings && err != -EBADMSG; i++) {
		int this_err = perfring_drain(&merge->rings[i], hold, merge);

		err = this_err ? this_err : err;
	}
	return err;
}

/* ---- the proof --------------------------------------------------------------------------- */

static void begin_proof(struct perfmerge *merge, uint64_t now_ns)
{
	merge->candidate_ns = now_ns - PERFMERGE_SETTLE_NS;
	merge->next_cpu = 0;
	merge->odd = 0;
	merge->claimed = 0;
}

/* Step 2, as far as it goes without waiting. */
static bool all_passed(struct perfmerge *merge)
{
	uint32_t busy, records;

	for (; merge->next_cpu < counters_cpus(merge->counters); merge->next_cpu++) {
		if (counters_progress(merge->counters, merge->next_cpu, &busy, &records) < 0)
			return false;
		if (busy % 2 && (!merge->odd || merge->odd == busy)) {
			merge->odd = busy;
			return false;
		}
		merge->odd = 0;
		merge->claimed += records;
	}
	return true;
}

static void count_missing(struct perfmerge *merge)
{
	uint32_t missing = merge->claimed;

	for (uint32_t i = 0; i < merge->nr_rings; i++)
		missing -= merge->rings[i].received;
	if ((int32_t)(missing - merge->missing) <= 0)
		return;
	counters_add_missing(merge->counters, missing - merge->missing);
	merge->missing = missing;
}

/* Step 3. Without memory for it the proof stays open. */
static int finish_proof(struct perfmerge *merge)
{
	int err = drain_rings(merge, UINT32_MAX);

	if (err)
		return err == -EBADMSG ? err : 0;
	count_missing(merge);
	merge->proven_ns = merge->candidate_ns;
	merge->candidate_ns = 0;
	return 0;
}

/* Proves a new time, or gets nearer to it. 0 or -EBADMSG. */
static int advance(struct perfmerge *merge)
{
	uint64_t start_ns = clock_now_ns();

	if (!merge->candidate_ns)
		begin_proof(merge, start_ns);
	for (uint32_t tries = 0; !all_passed(merge); tries++) {
		if (drain_rings(merge, PERFMERGE_HOLD_BYTES) == -EBADMSG)
			return -EBADMSG;
		if (clock_now_ns() - start_ns >= PERFMERGE_WAIT_NS)
			return 0;
		if (tries >= LOOKS)
			usleep(NAP_US);
	}
	return finish_proof(merge);
}

/* ---- as a channel ------------------------------------------------------------------------ */

struct taker {
	channel_take_fn take;
	void *context;
};

static int take_one(void *context, const void *record, uint32_t len)
{
	const struct taker *taker = context;
	uint64_t run[(CHANNEL_HEADER + MAX_LEN) / 8];

	memcpy(run, &len, sizeof(len));
	memcpy(run + CHANNEL_HEADER / 8, record, len);
	return taker->take(taker->context, run, channel_room(len));
}

static int emit(struct perfmerge *merge, channel_take_fn take, void *context)
{
	struct taker taker = { take, context };

	return order_emit_until(merge->order, merge->proven_ns, take_one, &taker);
}

static bool is_stuck(const struct perfmerge *merge)
{
	return order_oldest_ns(merge->order) <= merge->proven_ns &&
	       order_bytes(merge->order) >= PERFMERGE_HOLD_BYTES;
}

static int drain(struct channel *channel, channel_take_fn take, void *context)
{
	struct perfmerge *merge = channel_owner(struct perfmerge, channel);
	int given = emit(merge, take, context), err;

	if (is_stuck(merge))
		return given;
	err = advance(merge);
	return err ? err : given + emit(merge, take, context);
}

static uint64_t mark(const struct channel *channel)
{
	(void)channel;
	return clock_now_ns();
}

static bool reached(const struct channel *channel, uint64_t mark_ns)
{
	const struct perfmerge *merge = channel_owner(struct perfmerge, channel);

	return merge->proven_ns >= mark_ns && order_oldest_ns(merge->order) > mark_ns;
}

struct channel *perfmerge_channel(struct perfmerge *merge)
{
	return &merge->channel;
}

int perfmerge_new(const struct perfring *rings, uint32_t nr_rings, struct counters *counters,
		  int watch_fd, struct perfmerge **out)
{
	static const struct channel_ops ops = {
		.drain = drain,
		.mark = mark,
		.reached = reached,
	};
	struct perfmerge *merge = calloc(1, sizeof(*merge));

	if (!merge)
		return -ENOMEM;
	merge->channel = (struct channel){ .ops = &ops, .watch_fd = watch_fd };
	merge->counters = counters;
	merge->nr_rings = nr_rings;
	merge->rings = calloc(nr_rings, sizeof(*rings));
	merge->order = order_new();
	if (!merge->rings || !merge->order) {
		perfmerge_free(merge);
		return -ENOMEM;
	}
	memcpy(merge->rings, rings, nr_rings * sizeof(*rings));
	*out = merge;
	return 0;
}

void perfmerge_free(struct perfmerge *merge)
{
	if (!merge)
		return;
	order_free(merge->order);
	free(merge->rings);
	free(merge);
}
