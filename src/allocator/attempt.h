/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Allocations tried one after the other, as the kernel would make them now: each takes its place,
 * and the first that finds none purges, once, and tries again (mm/vmalloc.c:alloc_vmap_area, label
 * overflow). The model is not touched.
 *
 * What is not known for sure is kept apart. Two sets of holes are carried along: what is free for
 * certain, and what may be. Between them lie pages of which nothing is known, lazy areas that a
 * purge may have freed since, and after a purge vm_map_ram blocks: the purge gives back blocks of
 * which no part is in use any more (purge_fragmented_blocks), and from outside nobody sees which
 * those are. An answer is sure only if both sets give it.
 *
 * Of an aligned request the holes alone do not tell which one the kernel takes (allocator/place.h);
 * its free tree does, where it could be read.
 */
#ifndef VMTRACE_ALLOCATOR_ATTEMPT_H
#define VMTRACE_ALLOCATOR_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "allocator/freetree.h"
#include "allocator/holeset.h"
#include "allocator/place.h"
#include "space/space.h"

struct attempt;

enum attempt_answer {
	ATTEMPT_NO = 0,  /* it fails, after a purge too */
	ATTEMPT_PERHAPS, /* nobody can tell from outside */
	ATTEMPT_PURGE, /* it succeeds, after the purge that the kernel does by itself, or before */
	ATTEMPT_NOW,   /* it succeeds */
};

/* The space as it is; without_own: as if vmtrace had ended, its areas freed. 0 or -ENOMEM; *made is
 * NULL then. The space must not change while the attempt is in use. */
int attempt_new(const struct space *space, bool without_own, struct attempt **made);
void attempt_free(struct attempt *attempt);

/*
 * Goes by the kernel's own free tree from now on, so that every address is the one that it will
 * take: for as long as nothing else is open (the two sets differ, or the order in which a purge
 * gives back is not known). Before the first attempt_place. The tree is copied; one that is not of
 * this space is not used. 0 or -ENOMEM.
 */
int attempt_use_tree(struct attempt *attempt, const struct freetree *tree, enum purge_order order);

/*
 * One more allocation. place->start is its address, or the lowest that may be; place->latest the
 * highest; each 0 if that is not known; place->certain: no other is possible. What succeeds is
 * taken from the holes. 0 or -ENOMEM.
 */
int attempt_place(struct attempt *attempt, const struct place_request *request,
		  enum attempt_answer *answer, struct place *place);

/* Gives back the place of the last allocation that succeeded: one that belongs to it has failed. 0
 * or -ENOMEM. */
int attempt_undo(struct attempt *attempt);

/* True once an allocation could not do without a purge. */
bool attempt_purged(const struct attempt *attempt);

/* Why places so far were not certain: enum attempt_doubt. */
enum attempt_doubt {
	ATTEMPT_DOUBT_TREE = 1 << 0,  /* the shape of the kernel's free tree: allocator/place.h */
	ATTEMPT_DOUBT_HOLES = 1 << 1, /* the two sets differ */
	ATTEMPT_DOUBT_PURGE = 1 << 2, /* ATTEMPT_PURGE: it may do without the purge */
};
uint32_t attempt_doubts(const struct attempt *attempt);

/* What is free for certain, lazy pages included if it has come to a purge. */
const struct holeset *attempt_left(const struct attempt *attempt);

#endif
