/* SPDX-License-Identifier: GPL-2.0-only */
#include "allocator/fit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PMD_PAE          (2u << 20)
#define PMD_TWO_LEVELS   (4u << 20)
#define MODULE_MAX_PAGES 1024u /* of KASLR below the module range, see space_module_start */
#define BLOCK_MAX_BYTES  (32u * VMT_PAGE_SIZE) /* VMAP_MAX_ALLOC */
#define POINTER_BYTES    4u                    /* of the kernel that is asked */

static uint32_t without_guard(const struct area *area)
{
	return area->end - area->start - area->guard_pages * VMT_PAGE_SIZE;
}

uint32_t fit_learn_pmd(const struct space *space)
{
	const struct area *area = space_first(space, space_start(space));

	for (; area; area = space_first(space, area->end)) {
		if (area->state != AREA_USED || area->kind != KIND_IOREMAP ||
		    without_guard(area) <= PMD_PAE)
			continue;
		if (area_align(area) == PMD_TWO_LEVELS)
			return PMD_TWO_LEVELS;
		if (area->start % PMD_TWO_LEVELS)
			return PMD_PAE;
	}
	return 0;
}

/* ---- one way it may be -------------------------------------------------------------------- */

/* vmalloc takes its array of page pointers by vmalloc too if that is more than a page
 * (mm/vmalloc.c:__vmalloc_area_node); without it, it fails. Returns its bytes, 0 = none. */
static uint32_t array_bytes(const struct fit_question *question)
{
	bool has_array = question->kind == KIND_VMALLOC || question->kind == KIND_USER ||
			 question->kind == KIND_MODULE || question->kind == KIND_BPF;
	uint32_t pages = (question->bytes - 1) / VMT_PAGE_SIZE + 1;

	return has_array && pages * POINTER_BYTES > VMT_PAGE_SIZE ? pages * POINTER_BYTES : 0;
}

/* The next of them, its page array included. */
static int place_next(struct attempt *attempt, const struct place_request *request,
		      const struct place_request *array, struct fit_answer *answer,
		      enum attempt_answer *got)
{
	struct place place, array_place;
	enum attempt_answer array_got = ATTEMPT_NOW;
	int err = attempt_place(attempt, request, got, &place);

	answer->maybe_start = place.start;
	if (!answer->placed)
		answer->latest = place.latest;
	if (!err && *got == ATTEMPT_NO && place_find(attempt_left(attempt), request).start)
		answer->notes |= FIT_NOTE_PASSED;
	if (err || *got == ATTEMPT_NO || *got == ATTEMPT_PERHAPS)
		return err;
	answer->certain &= place.certain;
	if (array->size)
		err = attempt_place(attempt, array, &array_got, &array_place);
	if (!err && (array_got == ATTEMPT_NO || array_got == ATTEMPT_PERHAPS)) {
		answer->notes |= FIT_NOTE_ARRAY;
		err = attempt_undo(attempt);
	} else if (!err) {
		answer->starts[answer->placed++] = place.start;
	}
	*got = array_got < *got ? array_got : *got;
	return err;
}

/* Where the next one would cost least; together with its array, if it is that which fails. */
static void find_window(const struct space *space, const struct attempt *attempt,
			const struct place_request *array, struct fit_answer *answer)
{
	struct place_request request = answer->request;

	if (answer->notes & FIT_NOTE_ARRAY)
		request.size = request.size > UINT32_MAX - array->size ? UINT32_MAX
								       : request.size + array->size;
	window_cheapest_in(space, attempt_left(attempt), &request, &answer->window);
	if (!answer->window.areas) /* nothing known is in the way */
		memset(&answer->window, 0, sizeof(answer->window));
}

static int place_all(struct attempt *attempt, const struct place_request *array,
		     struct fit_answer *answer)
{
	uint32_t doubts;
	int err = 0;

	answer->answer = ATTEMPT_NOW;
	answer->certain = true;
	while (!err && answer->answer >= ATTEMPT_PURGE && answer->placed < answer->question.count) {
		enum attempt_answer got = ATTEMPT_NO;

		err = place_next(attempt, &answer->request, array, answer, &got);
		answer->answer = got < answer->answer ? got : answer->answer;
	}
	if (answer->answer != ATTEMPT_PERHAPS)
		answer->maybe_start = 0;
	doubts = attempt_doubts(attempt);
	if (answer->answer == ATTEMPT_PERHAPS)
		answer->certain = false;
	if (!answer->certain && (doubts & ATTEMPT_DOUBT_TREE))
		answer->notes |= FIT_NOTE_TREE;
	if (!answer->certain && (doubts & ATTEMPT_DOUBT_HOLES))
		answer->notes |= FIT_NOTE_BLOCKS;
	if (answer->answer == ATTEMPT_PURGE && (doubts & ATTEMPT_DOUBT_PURGE))
		answer->notes |= FIT_NOTE_PURGE;
	return err;
}

/* How many of them the space can hold at most, for the list of their addresses. */
static uint32_t most_starts(const struct space *space, const struct fit_answer *answer)
{
	uint32_t most = (space_end(space) - space_start(space)) / answer->request.size + 1;

	return answer->question.count < most ? answer->question.count : most;
}

enum fit_how {
	FIT_IN_FULL,
	FIT_WITHOUT_OWN, /* as if vmtrace had ended; only whether it succeeds then */
	FIT_BRIEFLY,     /* only whether it succeeds */
};

static int ask_in_range(const struct space *space, const struct fit_kernel *kernel,
			const struct fit_question *question, const struct place_range *range,
			enum fit_how how, struct fit_answer *answer)
{
	struct place_request array = { 0 };
	struct attempt *attempt;
	int err;

	memset(answer, 0, sizeof(*answer));
	answer->question = *question;
	err = place_request_of_kind(question->kind, question->bytes, question->align, range,
				    &answer->request);
	if (err)
		return err;
	answer->array_bytes = array_bytes(question);
	if (answer->array_bytes)
		place_request_of_kind(KIND_VMALLOC, answer->array_bytes, 0, range, &array);
	answer->starts = calloc(most_starts(space, answer), sizeof(*answer->starts));
	if (!answer->starts)
		return -ENOMEM;
	err = attempt_new(space, how == FIT_WITHOUT_OWN, &attempt);
	if (!err)
		err = attempt_use_tree(attempt, kernel->tree, kernel->order);
	if (!err)
		err = place_all(attempt, &array, answer);
	if (!err && answer->answer < ATTEMPT_PURGE && how == FIT_IN_FULL)
		find_window(space, attempt, &array, answer);
	attempt_free(attempt);
	return err;
}

/* ---- two ways it may be, of which one is not known ---------------------------------------- */

static bool same_answer(const struct fit_answer *a, const struct fit_answer *b)
{
	return a->answer == b->answer && a->certain && b->certain && a->placed == b->placed &&
	       !memcmp(a->starts, b->starts, (size_t)a->placed * sizeof(*a->starts));
}

/* What holds either way, into *a. Releases b. */
static void merge(struct fit_answer *a, struct fit_answer *b, uint32_t note)
{
	bool both = a->answer >= ATTEMPT_PURGE && b->answer >= ATTEMPT_PURGE;
	struct fit_answer *weak = b->answer < a->answer ? b : a, *other = weak == a ? b : a;

	if (!same_answer(a, b)) {
		weak->certain = false;
		weak->notes |= other->notes | note;
		if (!both && weak->answer != other->answer) {
			weak->answer = ATTEMPT_PERHAPS;
			weak->maybe_start = other->placed > weak->placed
						    ? other->starts[weak->placed]
						    : other->maybe_start;
		}
	}
	if (!other->latest || (weak->latest && weak->latest < other->latest))
		weak->latest = other->latest;
	for (uint32_t i = 0; i < weak->placed && i < other->placed; i++) {
		if (other->starts[i] < weak->starts[i])
			weak->starts[i] = other->starts[i];
	}
	free(other->starts);
	if (weak == b)
		*a = *b;
}

/* The module range begins below every module, and at most 1,024 pages up. */
static uint32_t latest_module_start(const struct space *space)
{
	uint32_t latest = space_start(space) + MODULE_MAX_PAGES * VMT_PAGE_SIZE;
	const struct area *area = space_first(space, space_start(space));

	for (; area && area->start < latest; area = space_first(space, area->end)) {
		if (area->state == AREA_USED && area->kind == KIND_MODULE)
			latest = area->start;
	}
	return latest;
}

/* The range if all is known; else both ends of what is not, and what that is. */
static uint32_t ranges_of(const struct space *space, const struct fit_kernel *kernel,
			  enum area_kind kind, struct place_range range[2])
{
	uint32_t pmd_bytes = kernel->pmd_bytes ? kernel->pmd_bytes : fit_learn_pmd(space);

	range[0] = (struct place_range){
		.start = space_start(space),
		.end = space_end(space),
		.module_start = space_module_start(space),
		.pmd_bytes = pmd_bytes ? pmd_bytes : PMD_PAE,
		.exact_pages = kernel->exact_pages,
	};
	range[1] = range[0];
	if ((kind == KIND_MODULE || kind == KIND_BPF) && !range[0].module_start) {
		range[1].module_start = latest_module_start(space);
		return FIT_NOTE_MODULE_START;
	}
	if (kind == KIND_IOREMAP && !pmd_bytes) {
		range[1].pmd_bytes = PMD_TWO_LEVELS;
		return FIT_NOTE_PMD;
	}
	return 0;
}

static int ask(const struct space *space, const struct fit_kernel *kernel,
	       const struct fit_question *question, enum fit_how how, struct fit_answer *answer)
{
	struct place_range range[2];
	uint32_t note = ranges_of(space, kernel, question->kind, range);
	struct fit_answer second;
	int err = ask_in_range(space, kernel, question, &range[0], how, answer);

	if (err || !note)
		return err;
	err = ask_in_range(space, kernel, question, &range[1], how, &second);
	if (err)
		fit_release(&second);
	else
		merge(answer, &second, note);
	return err;
}

/* ---- the answer ------------------------------------------------------------------------------ */

static int check(const struct fit_question *question)
{
	if (!question->count || question->kind == KIND_UNKNOWN || question->kind == KIND_EARLY ||
	    question->kind >= KIND_COUNT)
		return -EINVAL;
	if (question->kind == KIND_VM_MAP_RAM && question->bytes <= BLOCK_MAX_BYTES)
		return -EDOM;
	return 0;
}

static int would_fit_without_own(const struct space *space, const struct fit_kernel *kernel,
				 struct fit_answer *answer)
{
	struct fit_answer ended;
	int err;

	if (fit_succeeds(answer) || !space_totals(space).own_bytes)
		return 0;
	err = ask(space, kernel, &answer->question, FIT_WITHOUT_OWN, &ended);
	if (!err && fit_succeeds(&ended))
		answer->notes |= FIT_NOTE_OWN;
	fit_release(&ended);
	return err;
}

int fit_ask(const struct space *space, const struct fit_kernel *kernel,
	    const struct fit_question *question, struct fit_answer *answer)
{
	int err = check(question);

	memset(answer, 0, sizeof(*answer));
	if (!err)
		err = ask(space, kernel, question, FIT_IN_FULL, answer);
	if (!err)
		err = would_fit_without_own(space, kernel, answer);
	if (err)
		fit_release(answer);
	return err;
}

int fit_ask_briefly(const struct space *space, const struct fit_kernel *kernel,
		    const struct fit_question *question, enum attempt_answer *answer)
{
	struct fit_answer full = { 0 };
	int err = check(question);

	if (!err)
		err = ask(space, kernel, question, FIT_BRIEFLY, &full);
	*answer = full.answer;
	fit_release(&full);
	return err;
}

void fit_release(struct fit_answer *answer)
{
	free(answer->starts);
	answer->starts = NULL;
	answer->placed = 0;
}

bool fit_succeeds(const struct fit_answer *answer)
{
	return answer->answer >= ATTEMPT_PURGE;
}
