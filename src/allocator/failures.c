/* SPDX-License-Identifier: GPL-2.0-only */
#include "allocator/failures.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A diagnosis looks at every page several times: so many pages may be looked at in 100 ms of event
 * time (8 diagnoses of a space of 128 MB), and one diagnosis in any case. */
#define PAGES_PER_WINDOW (1u << 18)

struct failures {
	struct failure *entries[FAILURES_KEPT]; /* the one that failed last first */
	uint32_t count;
	uint64_t total;
	uint64_t forgotten;
	uint64_t window_ns; /* when the window began */
	uint32_t window_pages;
};

struct failures *failures_new(void)
{
	return calloc(1, sizeof(struct failures));
}

void failures_free(struct failures *failures)
{
	if (!failures)
		return;
	for (uint32_t i = 0; i < failures->count; i++)
		free(failures->entries[i]);
	free(failures);
}

static bool is_same_kind(const struct event *a, const struct event *b)
{
	return a->stack_id == b->stack_id && a->size == b->size && a->requested == b->requested &&
	       a->align == b->align && a->vstart == b->vstart && a->vend == b->vend &&
	       a->err == b->err && a->kind == b->kind;
}

/* The entry of this kind, or a new one, at the front; NULL on lack of memory. */
static struct failure *entry_get(struct failures *failures, const struct event *fail)
{
	struct failure *entry = NULL;
	uint32_t at = 0;

	while (at < failures->count && !is_same_kind(&failures->entries[at]->event, fail))
		at++;
	if (at < failures->count) {
		entry = failures->entries[at];
	} else if (at < FAILURES_KEPT) {
		entry = calloc(1, sizeof(*entry));
		failures->count += entry != NULL;
	} else {
		entry = failures->entries[--at];
		memset(entry, 0, sizeof(*entry));
		failures->forgotten++;
	}
	if (!entry)
		return NULL;
	memmove(&failures->entries[1], &failures->entries[0], at * sizeof(failures->entries[0]));
	failures->entries[0] = entry;
	return entry;
}

/* Event times may go back a little between CPUs: that is no time passed. */
static bool has_passed(uint64_t since_ns, uint64_t now_ns)
{
	return now_ns > since_ns && now_ns - since_ns >= FAILURES_DIAGNOSIS_NS;
}

static bool is_due(const struct failure *entry, uint64_t now_ns)
{
	return entry->diagnosis.verdict == VERDICT_NONE ||
	       has_passed(entry->diagnosis.t_ns, now_ns);
}

static bool can_afford(struct failures *failures, const struct space *space, uint64_t now_ns)
{
	uint32_t pages = (space_end(space) - space_start(space)) / VMT_PAGE_SIZE;

	if (!failures->window_pages || has_passed(failures->window_ns, now_ns)) {
		failures->window_ns = now_ns;
		failures->window_pages = pages;
		return true;
	}
	if (failures->window_pages + pages > PAGES_PER_WINDOW)
		return false;
	failures->window_pages += pages;
	return true;
}

int failures_take(struct failures *failures, const struct event *fail,
		  const struct diagnosis_base *base)
{
	struct failure *entry = entry_get(failures, fail);

	failures->total++;
	if (!entry)
		return -ENOMEM;
	if (!entry->count++) {
		entry->event = *fail;
		entry->first_ns = fail->t_ns;
	}
	entry->last_ns = fail->t_ns;
	if (!is_due(entry, fail->t_ns) || !can_afford(failures, base->space, fail->t_ns))
		return 0;
	entry->event = *fail;
	return diagnose(base, fail, &entry->diagnosis);
}

uint64_t failures_total(const struct failures *failures)
{
	return failures->total;
}

uint64_t failures_forgotten(const struct failures *failures)
{
	return failures->forgotten;
}

uint32_t failures_count(const struct failures *failures)
{
	return failures->count;
}

const struct failure *failures_at(const struct failures *failures, uint32_t index)
{
	return failures->entries[index];
}
