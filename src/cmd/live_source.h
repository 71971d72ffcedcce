/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The live half of a session. A build that cannot trace (not i386) has these functions too; they
 * say so.
 */
#ifndef VMTRACE_CMD_LIVE_SOURCE_H
#define VMTRACE_CMD_LIVE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "space/compare.h"
#include "allocator/freetree.h"
#include "stream.h"

struct session;

/* Finds range and kernel without any probe. Exit code. */
int live_describe(struct session *session);
/* Feeds the kernel's own list, read without any probe, into sink. Exit code. */
int live_snapshot(struct session *session, const struct sink *sink);
/* Checks the machine, opens the capture, fills the session's header and facts. Exit code. */
int live_open(struct session *session);
/* Takes the first snapshot into sink. Exit code. */
int live_seed(struct session *session, const struct sink *sink);
/* SESSION_MORE, SESSION_END or an exit code. */
int live_run(struct session *session, uint64_t for_ns);
/* The model against the kernel's list, over as many looks as it takes. Exit code. */
int live_verify(struct session *session, struct compare_result *result, unsigned int *tries);
/* The same if it is time for it (--reconcile), and what differs in all looks is put right; used
 * areas are told: events were missed that no counter shows. SESSION_MORE, SESSION_END or an exit
 * code. */
int live_reconcile(struct session *session);
/* False where the kernel's list cannot be read (kptr_restrict=2). */
bool live_can_verify(const struct session *session);
/* The kernel's free tree where it is that of the map as it is on return: all that has happened
 * before is in it; and the order of this kernel's purges. NULL if it cannot be told. Release with
 * freetree_free. */
struct freetree *live_free_tree(struct session *session, enum purge_order *order);
/* The map has shown that it missed an event. */
void live_request_heal(struct session *session);
void live_close(struct session *session);

#endif
