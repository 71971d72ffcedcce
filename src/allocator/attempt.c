/* SPDX-License-Identifier: GPL-2.0-only */
#include "allocator/attempt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "allocator/giveback.h"
#include "space/holes.h"

/* mm/vmalloc.c: VMAP_BBMAP_BITS_MIN and _MAX pages, by CONFIG_NR_CPUS. */
#define BLOCK_PAGES_MIN 64u
#define BLOCK_PAGES_MAX 1024u

/* A request and its array of pages. */
#define SEARCHES 2u

/* How far the search for a request has come in each set: place_find_from. */
struct search {
	struct place_request request;
	uint32_t from_least;
	uint32_t from_most;
};

struct attempt {
	const struct space *space;
	bool without_own;
	struct holeset *least; /* free for certain; a subset of most */
	struct holeset *most;  /* free, or perhaps so */
	struct freetree *tree; /* the kernel's; NULL = not known, or no more */
	enum purge_order order;
	bool purged;
	bool doubt; /* an earlier allocation has no certain place: the holes are not these */
	uint32_t doubts;
	uint32_t to_take;  /* where in `least` the last look found room, 0 = nowhere */
	struct hole taken; /* by the last allocation that succeeded */
	struct search searches[SEARCHES];
	uint32_t oldest; /* of them; the next to be replaced */
};

/* What one look at both sets tells. */
enum look { LOOK_NO, LOOK_PERHAPS, LOOK_YES };

/* Lazy, or will be before the kernel gives up. */
static bool is_purgeable(const struct attempt *attempt, const struct area *area)
{
	return area->state == AREA_LAZY || (attempt->without_own && (area->flags & AREA_F_OWN));
}

/* A block has a size of its own, a power of two, and is aligned to it (new_vmap_block). More than
 * 32 pages asked of vm_map_ram make an area that may look the same, but was to be aligned to a
 * page. */
static bool may_be_block(const struct area *area)
{
	uint32_t bytes = area->end - area->start, pages = bytes / VMT_PAGE_SIZE;

	return area->state == AREA_USED && area->kind == KIND_VM_MAP_RAM &&
	       pages >= BLOCK_PAGES_MIN && pages <= BLOCK_PAGES_MAX && !(bytes & (bytes - 1)) &&
	       area->start % bytes == 0 && (!area_align(area) || area_align(area) == bytes);
}

/* What did not fit may do so when something has been given. */
static void forget_searches(struct attempt *attempt)
{
	memset(attempt->searches, 0, sizeof(attempt->searches));
}

static bool same_request(const struct place_request *a, const struct place_request *b)
{
	return a->size == b->size && a->align == b->align && a->vstart == b->vstart &&
	       a->vend == b->vend && a->top_down == b->top_down && a->exact_pages == b->exact_pages;
}

static struct search *search_of(struct attempt *attempt, const struct place_request *request)
{
	struct search *search = attempt->searches;

	for (uint32_t i = 0; i < SEARCHES; i++) {
		if (same_request(&search[i].request, request))
			return &search[i];
	}
	search += attempt->oldest++ % SEARCHES;
	*search = (struct search){ *request, PLACE_FROM_START, PLACE_FROM_START };
	return search;
}

static int purge_area(struct attempt *attempt, const struct area *area)
{
	bool purgeable = is_purgeable(attempt, area);
	int err = 0;

	if (purgeable)
		err = holeset_give(attempt->least, area->start, area->end);
	if (!err && (purgeable || may_be_block(area)))
		err = holeset_give(attempt->most, area->start, area->end);
	return err;
}

/* One is a subset of the other. */
static bool same_holes(const struct attempt *attempt)
{
	return holeset_free_bytes(attempt->most) == holeset_free_bytes(attempt->least);
}

/* From here on by the two sets. */
static void drop_tree(struct attempt *attempt)
{
	freetree_free(attempt->tree);
	attempt->tree = NULL;
}

static int purge_tree(struct attempt *attempt)
{
	int err;

	if (!attempt->tree)
		return 0;
	err = same_holes(attempt) ? giveback_lazy(attempt->tree, attempt->space, attempt->order)
				  : -EAGAIN;
	if (err)
		drop_tree(attempt);
	return err == -ENOMEM ? err : 0;
}

static int purge(struct attempt *attempt)
{
	const struct area *area = space_first(attempt->space, space_start(attempt->space));
	int err = 0;

	attempt->purged = true;
	forget_searches(attempt);
	for (; area && !err; area = space_first(attempt->space, area->end))
		err = purge_area(attempt, area);
	return err ? err : purge_tree(attempt);
}

/* A purge that ran since they were freed may have taken them. */
static int give_maybe_free(const struct attempt *attempt)
{
	const struct area *area = space_first(attempt->space, space_start(attempt->space));
	int err = 0;

	for (; area && !err; area = space_first(attempt->space, area->end)) {
		if (area->state == AREA_LAZY && (area->flags & AREA_F_MAYBE_FREE))
			err = holeset_give(attempt->most, area->start, area->end);
	}
	return err;
}

/* Pages of which nothing is known may be free. */
static int give_unknown(const struct attempt *attempt)
{
	const struct space *space = attempt->space;
	uint32_t end = space_end(space), run_end;
	int err = 0;

	if (!space_totals(space).unknown_bytes)
		return 0;
	for (uint32_t at = space_start(space); at < end && !err; at = run_end) {
		if (space_run(space, at, &run_end) == PAGE_UNKNOWN)
			err = holeset_give(attempt->most, at, run_end);
	}
	return err;
}

int attempt_new(const struct space *space, bool without_own, struct attempt **made)
{
	struct attempt *attempt = calloc(1, sizeof(*attempt));
	int err;

	*made = NULL;
	if (!attempt)
		return -ENOMEM;
	attempt->space = space;
	attempt->without_own = without_own;
	attempt->least = holeset_of_space(space, false);
	attempt->most = attempt->least ? holeset_copy(attempt->least) : NULL;
	err = attempt->most ? give_maybe_free(attempt) : -ENOMEM;
	if (!err)
		err = give_unknown(attempt);
	if (err) {
		attempt_free(attempt);
		return err;
	}
	*made = attempt;
	return 0;
}

void attempt_free(struct attempt *attempt)
{
	if (!attempt)
		return;
	holeset_free(attempt->least);
	holeset_free(attempt->most);
	freetree_free(attempt->tree);
	free(attempt);
}

int attempt_use_tree(struct attempt *attempt, const struct freetree *tree, enum purge_order order)
{
	if (!tree || attempt->without_own || !same_holes(attempt) ||
	    !freetree_is_of(tree, attempt->least))
		return 0;
	attempt->tree = freetree_copy(tree);
	attempt->order = order;
	return attempt->tree ? 0 : -ENOMEM;
}

/*
 * What can be said when the real holes are those of `least`, of `most`, or anything between. From
 * the bottom up: no address is below what `most` gives; none is above what `least` gives for
 * certain. What fits in `most` only may begin anywhere in there. Top down it is the other way
 * round.
 */
static void widen(const struct attempt *attempt, const struct place_request *request,
		  const struct place *most, struct place *place)
{
	bool bounded = place->answer == PLACE_YES || same_holes(attempt);

	place->certain &= most->certain && most->start == place->start;
	if (most->answer == PLACE_NO)
		return;
	if (request->top_down) {
		place->latest = most->latest;
		place->start = bounded ? place->start : request->vstart;
	} else {
		place->latest = bounded ? place->latest : 0;
		place->start = most->start;
	}
}

/* As the kernel will do it. */
static enum look look_in_tree(struct attempt *attempt, const struct place_request *request,
			      struct place *place)
{
	uint32_t start = freetree_place(attempt->tree, request);

	*place = (struct place){ start ? PLACE_YES : PLACE_NO, start, start, true };
	attempt->to_take = start;
	return start ? LOOK_YES : LOOK_NO;
}

static enum look look_in_sets(struct attempt *attempt, const struct place_request *request,
			      struct place *place)
{
	struct search *search = search_of(attempt, request);
	struct place most = place_find_from(attempt->most, request, &search->from_most);

	*place = place_find_from(attempt->least, request, &search->from_least);
	attempt->to_take = place->start;
	if (!place->certain)
		attempt->doubts |= ATTEMPT_DOUBT_TREE;
	if (most.start != place->start || most.certain != place->certain)
		attempt->doubts |= ATTEMPT_DOUBT_HOLES;
	widen(attempt, request, &most, place);
	if (place->answer == PLACE_YES)
		return LOOK_YES;
	if (most.answer == PLACE_NO)
		return LOOK_NO;
	place->certain = false;
	return LOOK_PERHAPS;
}

static enum look look(struct attempt *attempt, const struct place_request *request,
		      struct place *place)
{
	return attempt->tree ? look_in_tree(attempt, request, place)
			     : look_in_sets(attempt, request, place);
}

/* First as it is, then after a purge. If it is open whether the first look succeeds, the second
 * one tells whether it succeeds at all, but not where. */
static int look_twice(struct attempt *attempt, const struct place_request *request,
		      enum attempt_answer *answer, struct place *place)
{
	static const enum attempt_answer answers[] = {
		[LOOK_NO] = ATTEMPT_NO,
		[LOOK_PERHAPS] = ATTEMPT_PERHAPS,
		[LOOK_YES] = ATTEMPT_PURGE,
	};
	enum look first = look(attempt, request, place);
	struct place before = *place;
	int err;

	if (first == LOOK_YES) {
		*answer = ATTEMPT_NOW;
		return 0;
	}
	if (!attempt->purged) {
		err = purge(attempt);
		if (err)
			return err;
	}
	*answer = answers[look(attempt, request, place)];
	if (first == LOOK_PERHAPS) {
		place->certain = false;
		if (before.start < place->start)
			place->start = before.start;
		if (!before.latest || (place->latest && place->latest < before.latest))
			place->latest = before.latest;
		attempt->doubts |= ATTEMPT_DOUBT_PURGE;
	}
	return 0;
}

int attempt_place(struct attempt *attempt, const struct place_request *request,
		  enum attempt_answer *answer, struct place *place)
{
	int err = look_twice(attempt, request, answer, place);

	if (err)
		return err;
	if (attempt->doubt) {
		place->certain = false;
		place->start = 0; /* wherever the others left room */
		place->latest = 0;
		/* Wherever the others are, they have taken as much. */
		if (*answer != ATTEMPT_NO || holeset_free_bytes(attempt->most) >= request->size)
			*answer = ATTEMPT_PERHAPS;
	}
	if (*answer == ATTEMPT_NO || *answer == ATTEMPT_PERHAPS)
		return 0;
	attempt->doubt |= !place->certain;
	attempt->taken = (struct hole){ attempt->to_take, attempt->to_take + request->size };
	err = holeset_take(attempt->least, attempt->taken.start, attempt->taken.end);
	if (!err && attempt->tree)
		err = freetree_take(attempt->tree, attempt->taken.start, attempt->taken.end);
	return err ? err : holeset_clear(attempt->most, attempt->taken.start, attempt->taken.end);
}

int attempt_undo(struct attempt *attempt)
{
	struct hole taken = attempt->taken;
	int err = holeset_give(attempt->least, taken.start, taken.end);

	drop_tree(attempt);
	forget_searches(attempt);
	return err ? err : holeset_give(attempt->most, taken.start, taken.end);
}

bool attempt_purged(const struct attempt *attempt)
{
	return attempt->purged;
}

uint32_t attempt_doubts(const struct attempt *attempt)
{
	return attempt->doubts;
}

const struct holeset *attempt_left(const struct attempt *attempt)
{
	return attempt->least;
}
