/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Would an allocation succeed now, where, and if not, what is in the way?
 *
 * The answer is about address space: an allocation can also fail because there are no pages. It is
 * that of the kernel's own rule (allocator/place.h, allocator/attempt.h), so that YES and NO are
 * promises; what depends on something that nobody sees from outside is PERHAPS, with the reason in
 * notes. With the kernel's free tree at hand, addresses of aligned requests are certain too.
 */
#ifndef VMTRACE_ALLOCATOR_FIT_H
#define VMTRACE_ALLOCATOR_FIT_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "allocator/attempt.h"
#include "space/space.h"
#include "allocator/window.h"

struct fit_question {
	enum area_kind kind; /* KIND_UNKNOWN and KIND_EARLY: nobody allocates such a one */
	uint32_t bytes;      /* as the kernel's function is asked for them: without guard page */
	uint32_t align;      /* 0 = the kind's own */
	uint32_t count;      /* so many, one after the other */
};

/* What is known of the kernel beside its areas; 0 and false = not known. */
struct fit_kernel {
	uint32_t pmd_bytes;
	bool exact_pages;
	const struct freetree *tree; /* its free tree, as it is now; NULL = not known */
	enum purge_order order;      /* with tree */
};

enum fit_note {
	FIT_NOTE_MODULE_START = 1 << 0, /* it depends on where the module range begins */
	FIT_NOTE_PMD = 1 << 1,          /* ... on whether the kernel has PAE */
	FIT_NOTE_TREE = 1 << 2,   /* ... on the shape of the free tree: see allocator/place.h */
	FIT_NOTE_BLOCKS = 1 << 3, /* ... on vm_map_ram blocks, on pages not known */
	FIT_NOTE_ARRAY = 1 << 4,  /* what has no place is the area's array of pages */
	FIT_NOTE_OWN = 1 << 5,    /* it fits as soon as vmtrace has ended */
	FIT_NOTE_PURGE = 1 << 6,  /* ATTEMPT_PURGE: it may do without the purge */
	FIT_NOTE_PASSED = 1 << 7, /* NO, although a hole would do: the search passes it over */
	FIT_NOTE_COUNT = 8,
};

struct fit_answer {
	struct fit_question question;
	struct place_request request; /* what one of them asks of the allocator */
	uint32_t array_bytes;         /* the area of its page array, 0 = none */
	enum attempt_answer answer;   /* of all `count` of them together */
	bool certain;                 /* every address below is the only one possible */
	uint32_t placed;              /* that surely succeed, one after the other */
	uint32_t *starts;             /* their addresses; not certain: the lowest that may be */
	uint32_t latest;              /* the highest address of the first; 0 = not known */
	uint32_t maybe_start;         /* PERHAPS: the lowest of the next one; 0 = not known */
	struct window window;         /* NO, PERHAPS: the cheapest for the next one; end 0: none */
	uint32_t notes;               /* enum fit_note */
};

/*
 * Answers the question on the space as it is. 0; -EINVAL for a question without an answer (size 0,
 * count 0, no such kind, an align that is no power of two, a size beyond 32 bits); -EDOM for
 * vm_map_ram of 32 pages or fewer, which is a part of a block (mm/vmalloc.c: VMAP_MAX_ALLOC);
 * -ENOMEM. Release with fit_release.
 */
int fit_ask(const struct space *space, const struct fit_kernel *kernel,
	    const struct fit_question *question, struct fit_answer *answer);
void fit_release(struct fit_answer *answer);

/* The answer alone, without who is in the way: for what asks every second. */
int fit_ask_briefly(const struct space *space, const struct fit_kernel *kernel,
		    const struct fit_question *question, enum attempt_answer *answer);

/* True if the answer is that it succeeds. */
bool fit_succeeds(const struct fit_answer *answer);

/*
 * 2 MB or 4 MB, if an ioremap area tells: the kernel aligns one to its size rounded up, at most to
 * this (asm/page_types.h: IOREMAP_MAX_ORDER). 0 if none does.
 */
uint32_t fit_learn_pmd(const struct space *space);

#endif
