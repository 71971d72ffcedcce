/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A live source of events: probes, ring, decoding, seed and loss counters put together.
 *
 *   capture_open    checks the machine, loads and attaches, proves itself (self-test)
 *   capture_seed    emits the first snapshot
 *   capture_poll    emits what has happened
 *   capture_close   detaches; nothing of it stays behind
 *
 * All events go to one sink, in one order. A loss that can have made the map wrong is followed by
 * a new snapshot by itself, so the map heals. What no counter shows is found by whoever has the
 * map, when capture_reconcile_due says that it is time to compare it with the list.
 */
#ifndef VMTRACE_CAPTURE_H
#define VMTRACE_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/losses.h"
#include "capture/probes.h"
#include "capture/range.h"
#include "capture/seed.h"
#include "allocator/freetree.h"
#include "space/names.h"
#include "space/stacks.h"
#include "stream.h"

struct capture;

struct capture_options {
	struct probes_options probes;
	struct plan_report *report; /* what came of the plans, filled by capture_open; or NULL */
	struct plan_options plan;   /* calls is set by capture_open; no ways = the default ones */
	bool measure_cost;          /* what the probes cost, into report */
	bool force_kptr;            /* --seed=sysctl: change kptr_restrict even from 2 */
	uint32_t ring_limit_bytes;  /* a ring is replaced after this much; 0 = never (tests) */
	uint64_t reconcile_ns VMT_ALIGNED8; /* time between two reconciles; 0 = never */
	bool reconcile_asked; /* else there is none where kptr_restrict is 2 at the start */
};

/* 0 or -errno, with a message logged; -ENOSYS: the kernel lacks what is needed (exit 77). names
 * and stacks must outlive the capture. */
int capture_open(const struct capture_options *options, struct names *names, struct stacks *stacks,
		 struct capture **capture);
void capture_close(struct capture *capture);

/* Emits the first snapshot into sink, which stays the sink of all later calls. */
int capture_seed(struct capture *capture, const struct sink *sink);

/* Waits at most timeout_ms for events (returns early on a signal) and emits all there are. Returns
 * how many records were decoded, or -errno. */
int capture_poll(struct capture *capture, unsigned int timeout_ms);

/* Emits all that has happened up to now. 0 or -errno. */
int capture_drain(struct capture *capture);

/* Asks for a snapshot: the map has shown that it missed something. */
void capture_request_heal(struct capture *capture);

/* Takes the snapshot that a loss made necessary now, if one is due, instead of when the back-off
 * (1 s, doubling to 32 s, 1 s again after 5 minutes of calm) has passed. 0, or -errno of the sink
 * or the pump; why the list cannot be read is noted, and it is tried again. */
int capture_heal(struct capture *capture);
bool capture_heal_wanted(const struct capture *capture);

/* True when reconcile_ns have passed since the map was last compared with the list or read from
 * it. Never while a heal is waiting, which does the same. */
bool capture_reconcile_due(const struct capture *capture);

/* Emits seed as a snapshot: what a reconcile found is put right. 0 or -errno. */
int capture_put_right(struct capture *capture, const struct seed *seed);

/* The end of a reconcile; err: what came of it. 0, or -errno of the sink or the pump; why the list
 * cannot be read is noted, and it is tried again. */
int capture_reconciled(struct capture *capture, int err);

/*
 * Reads the kernel's own list while events go on, all events up to its end emitted before it
 * returns: for verify. Several readings unless one was quiet. Release with seed_release.
 */
int capture_list(struct capture *capture, struct seed *seed);
/* Why it could not, after it has failed. */
const char *capture_list_why(const struct capture *capture);

const struct range *capture_range(const struct capture *capture);
struct losses_total capture_losses(struct capture *capture);
const struct probes *capture_probes(const struct capture *capture);
enum transport capture_transport(const struct capture *capture);
/* True if this kernel is known to place areas aligned to a page at the lowest address that fits:
 * place_request.exact_pages. That came with 5.16; what shows it is drain_vmap_area_work of 5.18. */
bool capture_places_exactly(const struct capture *capture);
/* The kernel's free tree, if it is that of these holes: see kernel_tree_read. */
struct freetree *capture_free_tree(struct capture *capture, const struct holeset *holes,
				   enum purge_order *order);
/* False when the kernel's list cannot be read (kptr_restrict=2): then there is no seed, no repair
 * and no verify. */
bool capture_can_list(const struct capture *capture);

#endif
