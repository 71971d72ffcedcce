/* SPDX-License-Identifier: GPL-2.0-only */
#include "allocator/diagnose.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "allocator/holeset.h"

/* KASLR moves the range of modules up by at most so much (arch/x86/kernel/module.c). A range that
 * begins further up is another's and stays where it is when the space grows. */
#define MODULE_OFFSET_MAX (1024u * VMT_PAGE_SIZE)

/* Modules looked at, and those of them with most bytes whose absence is tried. */
#define MAX_SEEN  64
#define MAX_TRIED 16

/* A used area, as far as it matters for who could give it back. */
struct given {
	uint32_t start;
	uint32_t end;
	uint32_t group;
};

struct job {
	const struct space *space;
	const struct event *fail;
	struct diagnosis *diagnosis;
	const struct names *names;
	bool exact_pages;
	struct place_request anywhere; /* the same request, in the whole space */
	struct holeset *free;
	struct holeset *purged; /* free, and lazy */
	struct holders *holders;
	struct given *given; /* all used areas */
	uint32_t nr_given;
};

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[VERDICT_COUNT] = {
		[VERDICT_NONE] = "none",       [VERDICT_EXHAUSTED] = "exhausted",
		[VERDICT_LAZY] = "lazy",       [VERDICT_FRAGMENTED] = "fragmented",
		[VERDICT_RANGE] = "range",     [VERDICT_PAGES] = "pages",
		[VERDICT_UNCLEAR] = "unclear",
	};

	return names[verdict < VERDICT_COUNT ? verdict : VERDICT_NONE];
}

const char *unclear_name(enum unclear unclear)
{
	static const char *const names[UNCLEAR_COUNT] = {
		[UNCLEAR_NOT] = "",
		[UNCLEAR_ROOM] = "room",
		[UNCLEAR_ALIGNMENT] = "alignment",
		[UNCLEAR_MAP] = "map",
		[UNCLEAR_REQUEST] = "request",
	};

	return names[unclear < UNCLEAR_COUNT ? unclear : UNCLEAR_NOT];
}

/* ---- the request ---------------------------------------------------------------------------- */

static uint64_t page_up(uint32_t bytes)
{
	return ((uint64_t)bytes + VMT_PAGE_SIZE - 1) & ~(uint64_t)(VMT_PAGE_SIZE - 1);
}

/* mm/vmalloc.c: only __get_vm_area_node adds a guard page. */
static uint32_t guard_of(const struct event *fail)
{
	if (fail->kind == KIND_PERCPU || fail->kind == KIND_VM_MAP_RAM)
		return 0;
	if (fail->requested && fail->size)
		return page_up(fail->requested) < fail->size ? VMT_PAGE_SIZE : 0;
	return VMT_PAGE_SIZE;
}

static void read_request(struct job *job)
{
	const struct event *fail = job->fail;
	struct diagnosis *d = job->diagnosis;
	uint64_t size = fail->size;

	d->guard_bytes = guard_of(fail);
	if (!size && fail->requested)
		size = page_up(fail->requested) + d->guard_bytes;
	if (size > UINT32_MAX - VMT_PAGE_SIZE)
		size = UINT32_MAX & ~(VMT_PAGE_SIZE - 1);
	job->anywhere = (struct place_request){
		.size = (uint32_t)page_up((uint32_t)size),
		.align = fail->align & (fail->align - 1) ? 0 : fail->align,
		.vstart = space_start(job->space),
		.vend = space_end(job->space),
		.top_down = fail->kind == KIND_PERCPU,
		.exact_pages = job->exact_pages,
	};
	d->request = job->anywhere;
	if (fail->vstart > d->request.vstart)
		d->request.vstart = fail->vstart & ~(VMT_PAGE_SIZE - 1);
	if (fail->vend && fail->vend < d->request.vend)
		d->request.vend = fail->vend & ~(VMT_PAGE_SIZE - 1);
	if (d->request.vend < d->request.vstart)
		d->request.vend = d->request.vstart;
	d->payload_bytes = fail->requested;
	if (!d->payload_bytes && d->request.size > d->guard_bytes)
		d->payload_bytes = d->request.size - d->guard_bytes;
}

/* ---- the space ------------------------------------------------------------------------------ */

/* What of hole lies in the request's range; false if nothing does. */
static bool cut_to_range(const struct diagnosis *d, struct hole *hole)
{
	if (hole->start < d->request.vstart)
		hole->start = d->request.vstart;
	if (hole->end > d->request.vend)
		hole->end = d->request.vend;
	return hole->start < hole->end;
}

/* The largest hole in the range, and the bytes of all. */
static struct hole look_at_holes(const struct diagnosis *d, const struct holeset *set,
				 uint32_t *bytes)
{
	struct hole largest = { 0, 0 };

	*bytes = 0;
	for (uint32_t i = holeset_index(set, d->request.vstart); i < holeset_count(set); i++) {
		struct hole hole = holeset_at(set, i);

		if (!cut_to_range(d, &hole))
			break;
		*bytes += hole.end - hole.start;
		if (hole.end - hole.start > largest.end - largest.start)
			largest = hole;
	}
	return largest;
}

static void measure(struct job *job)
{
	struct diagnosis *d = job->diagnosis;

	d->totals = space_totals(job->space);
	d->range_bytes = d->request.vend - d->request.vstart;
	d->largest = look_at_holes(d, job->free, &d->free_bytes);
	d->after_purge = look_at_holes(d, job->purged, &d->lazy_bytes);
	d->lazy_bytes -= d->free_bytes;
}

/* ---- the verdict ---------------------------------------------------------------------------- */

static void set_unclear(struct diagnosis *d, enum unclear unclear, uint32_t fits_at)
{
	d->verdict = VERDICT_UNCLEAR;
	d->unclear = unclear;
	d->fits_at = fits_at;
}

/* The model shows room, now or after a purge. */
static bool judge_room(struct job *job)
{
	struct diagnosis *d = job->diagnosis;
	struct place now = place_find(job->free, &d->request);
	struct place purged = place_find(job->purged, &d->request);

	if (now.answer == PLACE_YES) {
		set_unclear(d, d->uncertain ? UNCLEAR_MAP : UNCLEAR_ROOM, now.start);
	} else if (purged.answer == PLACE_YES) {
		d->verdict = VERDICT_LAZY;
		d->fits_at = purged.start;
	} else if (purged.answer == PLACE_PERHAPS) {
		set_unclear(d, UNCLEAR_ALIGNMENT, purged.start);
	} else {
		return false;
	}
	return true;
}

static void judge_no_room(struct job *job)
{
	struct diagnosis *d = job->diagnosis;
	struct place outside = place_find(job->purged, &job->anywhere);

	if (outside.answer == PLACE_YES || d->request.size > d->range_bytes) {
		d->verdict = VERDICT_RANGE;
		d->fits_at = outside.start;
	} else if ((uint64_t)d->free_bytes + d->lazy_bytes < d->request.size) {
		d->verdict = VERDICT_EXHAUSTED;
	} else {
		d->verdict = VERDICT_FRAGMENTED;
	}
}

/* pcpu_get_vm_areas returns NULL for want of an address as for want of memory. */
static bool is_want_of_pages(const struct job *job)
{
	const struct event *fail = job->fail;

	return fail->err == -ENOMEM && fail->kind != KIND_PERCPU;
}

static void judge(struct job *job)
{
	struct diagnosis *d = job->diagnosis;

	if (is_want_of_pages(job))
		d->verdict = VERDICT_PAGES;
	else if (!d->request.size || job->fail->err == -EINVAL)
		set_unclear(d, UNCLEAR_REQUEST, 0);
	else if (!judge_room(job))
		judge_no_room(job);
	else if (job->fail->kind == KIND_PERCPU && d->unclear == UNCLEAR_ROOM)
		d->verdict = VERDICT_PAGES;
	if (d->verdict == VERDICT_PAGES)
		d->unclear = UNCLEAR_NOT;
}

/* ---- who is in the way ---------------------------------------------------------------------- */

static void take_list(const struct job *job, struct diagnosis_list *list)
{
	list->count = holders_largest(job->holders, list->list, DIAGNOSIS_OWNERS, &list->rest,
				      &list->rest_groups);
}

static int find_blockers(struct job *job)
{
	struct diagnosis *d = job->diagnosis;
	const struct area *area = NULL;
	int err = 0;

	if (window_cheapest(job->space, &d->request, &d->window) < 0)
		return 0;
	d->has_window = true;
	holders_clear(job->holders);
	while (!err && (area = window_next_area(job->space, &d->window, area)))
		err = holders_add(job->holders, area);
	if (!err)
		take_list(job, &d->blockers);
	return err;
}

/* All used areas: who owns them, and where they lie. */
static int find_owners(struct job *job)
{
	const struct area *area;
	int err = 0;

	job->given = malloc((size_t)(job->diagnosis->totals.areas + 1) * sizeof(*job->given));
	if (!job->given)
		return -ENOMEM;
	holders_clear(job->holders);
	for (area = space_first(job->space, space_start(job->space)); area && !err;
	     area = space_first(job->space, area->end)) {
		if (area->state != AREA_USED || job->nr_given > job->diagnosis->totals.areas)
			continue;
		err = holders_add(job->holders, area);
		if (err)
			break;
		job->given[job->nr_given++] = (struct given){
			area->start,
			area->end,
			(uint32_t)holders_group_of(job->holders, area),
		};
	}
	if (!err)
		take_list(job, &job->diagnosis->owners);
	return err;
}

/* ---- what would have helped ----------------------------------------------------------------- */

/* The largest request like this one that fits into hole, guard page included. */
static uint32_t room_in(const struct diagnosis *d, struct hole hole)
{
	uint64_t mask = d->request.align > 1 ? d->request.align - 1 : 0;
	uint64_t start = hole.start, end = hole.end;
	uint64_t vstart = (d->request.vstart + mask) & ~mask;

	if (!d->request.top_down) {
		start = (start + mask) & ~mask;
	} else {
		end &= ~mask;
		start = start > vstart ? start : vstart;
	}
	return start < end ? (uint32_t)(end - start) : 0;
}

static uint32_t largest_payload(const struct diagnosis *d, const struct holeset *set)
{
	uint32_t most = 0;

	for (uint32_t i = holeset_index(set, d->request.vstart); i < holeset_count(set); i++) {
		struct hole hole = holeset_at(set, i);
		uint32_t room;

		if (!cut_to_range(d, &hole))
			break;
		room = room_in(d, hole);
		if (room > most)
			most = room;
	}
	return most > d->guard_bytes ? most - d->guard_bytes : 0;
}

/*
 * By how much VMALLOC_START would have to be lower. It goes down when the space grows (VMALLOC_END
 * is fixed, arch/x86/include/asm/pgtable_32_areas.h), so what is free at the low end counts.
 */
static uint32_t more_needed(const struct job *job)
{
	const struct diagnosis *d = job->diagnosis;
	uint32_t low = space_start(job->space), free_end = low, offset = d->request.vstart - low;
	uint64_t mask = d->request.align > 1 ? d->request.align - 1 : 0;
	int64_t start;

	if (offset > MODULE_OFFSET_MAX || d->request.vend != space_end(job->space))
		return 0;
	if (!offset && holeset_count(job->purged) && holeset_at(job->purged, 0).start == low)
		free_end = holeset_at(job->purged, 0).end;
	if (d->request.top_down) /* the end is aligned, and VMALLOC_START aligned up */
		free_end &= ~(uint32_t)mask;
	start = ((int64_t)free_end - d->request.size) & ~(int64_t)mask;
	return start < low && low - start <= UINT32_MAX ? (uint32_t)(low - start) + offset : 0;
}

/* True if the groups have something to do with one module, or with vmtrace itself. */
static bool same_module(const struct holder *group, const struct diagnosis_module *module)
{
	if (module->own)
		return group->own;
	return !group->own && group->module_id == module->module_id;
}

static bool is_cheaper(const struct diagnosis_module *a, const struct diagnosis_module *b,
		       const struct names *names)
{
	if (a->bytes != b->bytes)
		return a->bytes < b->bytes;
	return strcmp(names_text(names, a->module_id), names_text(names, b->module_id)) < 0;
}

static void keep_module(struct diagnosis *d, const struct diagnosis_module *module,
			const struct names *names)
{
	uint32_t at = d->nr_modules;

	while (at > 0 && is_cheaper(module, &d->modules[at - 1], names))
		at--;
	if (at == DIAGNOSIS_MODULES)
		return;
	if (d->nr_modules == DIAGNOSIS_MODULES)
		d->nr_modules--;
	memmove(&d->modules[at + 1], &d->modules[at], (d->nr_modules - at) * sizeof(d->modules[0]));
	d->modules[at] = *module;
	d->nr_modules++;
}

/* The next area from index i on that would be given back; nr_given at the end. */
static uint32_t next_given(const struct job *job, const struct diagnosis_module *module, uint32_t i)
{
	while (i < job->nr_given &&
	       !same_module(holders_group(job->holders, job->given[i].group), module))
		i++;
	return i;
}

/* The holes, after a purge, as they would be without the module; in address order, since a set
 * grows at its end at no cost. NULL when memory runs out. */
static struct holeset *holes_without(const struct job *job, const struct diagnosis_module *module)
{
	struct holeset *set = holeset_new(space_start(job->space), space_end(job->space));
	uint32_t h = 0, nr_holes = holeset_count(job->purged), g = next_given(job, module, 0);
	int err = set ? 0 : -ENOMEM;

	while (!err && (h < nr_holes || g < job->nr_given)) {
		struct hole hole = { UINT32_MAX, UINT32_MAX };

		if (h < nr_holes)
			hole = holeset_at(job->purged, h);
		if (g < job->nr_given && job->given[g].start < hole.start) {
			err = holeset_give(set, job->given[g].start, job->given[g].end);
			g = next_given(job, module, g + 1);
		} else {
			err = holeset_give(set, hole.start, hole.end);
			h++;
		}
	}
	if (!err)
		return set;
	holeset_free(set);
	return NULL;
}

/* Keeps the module in mind if the request would have fitted without it. */
static int try_without(struct job *job, struct diagnosis_module *module)
{
	struct holeset *set = holes_without(job, module);
	struct hole hole;
	uint32_t bytes;

	if (!set)
		return -ENOMEM;
	if (place_find(set, &job->diagnosis->request).answer == PLACE_YES) {
		hole = look_at_holes(job->diagnosis, set, &bytes);
		module->hole_bytes = hole.end - hole.start;
		keep_module(job->diagnosis, module, job->names);
	}
	holeset_free(set);
	return 0;
}

/* The modules that hold anything, and vmtrace. The groups are those of all areas. */
static uint32_t collect_modules(const struct job *job, struct diagnosis_module *seen)
{
	uint32_t count = 0;

	for (uint32_t g = 0; g < holders_groups(job->holders); g++) {
		const struct holder *group = holders_group(job->holders, g);
		uint32_t i = 0;

		if (!group->areas ||
		    (!group->own && names_text(job->names, group->module_id)[0] != '['))
			continue;
		while (i < count && !same_module(group, &seen[i]))
			i++;
		if (i == MAX_SEEN)
			continue;
		if (i == count)
			seen[count++] = (struct diagnosis_module){
				.module_id = group->own ? 0 : group->module_id,
				.own = group->own,
			};
		seen[i].bytes += group->bytes;
	}
	return count;
}

/* Those with most bytes first; equal ones stay in the order of their addresses, which is the same
 * for a recording. */
static void sort_modules(struct diagnosis_module *list, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		struct diagnosis_module module = list[i];
		uint32_t at = i;

		for (; at > 0 && list[at - 1].bytes < module.bytes; at--)
			list[at] = list[at - 1];
		list[at] = module;
	}
}

static int find_modules(struct job *job)
{
	struct diagnosis *d = job->diagnosis;
	struct diagnosis_module seen[MAX_SEEN];
	uint32_t count = collect_modules(job, seen);
	int err = 0;

	sort_modules(seen, count);
	for (uint32_t i = 0; i < count && i < MAX_TRIED && !err; i++) {
		if ((uint64_t)d->free_bytes + d->lazy_bytes + seen[i].bytes >= d->request.size)
			err = try_without(job, &seen[i]);
	}
	return err;
}

static int find_help(struct job *job)
{
	struct diagnosis *d = job->diagnosis;
	int err;

	d->now_bytes = largest_payload(d, job->free);
	d->smaller_bytes = largest_payload(d, job->purged);
	if (d->verdict == VERDICT_LAZY || d->verdict == VERDICT_UNCLEAR)
		return find_owners(job);
	d->more_bytes = more_needed(job);
	err = find_blockers(job);
	if (!err)
		err = find_owners(job);
	return err ? err : find_modules(job);
}

/* ---- all of it ------------------------------------------------------------------------------ */

static int run(struct job *job)
{
	struct diagnosis *d = job->diagnosis;

	read_request(job);
	measure(job);
	judge(job);
	if (d->verdict == VERDICT_PAGES || d->unclear == UNCLEAR_REQUEST)
		return find_owners(job);
	return find_help(job);
}

int diagnose(const struct diagnosis_base *base, const struct event *fail,
	     struct diagnosis *diagnosis)
{
	struct job job = {
		.space = base->space,
		.fail = fail,
		.diagnosis = diagnosis,
		.names = base->names,
		.exact_pages = base->exact_pages,
		.free = holeset_of_space(base->space, false),
		.purged = holeset_of_space(base->space, true),
		.holders = holders_new(base->names, base->stacks),
	};
	int err = -ENOMEM;

	memset(diagnosis, 0, sizeof(*diagnosis));
	diagnosis->t_ns = fail->t_ns;
	diagnosis->uncertain = space_uncertain(base->space);
	if (job.free && job.purged && job.holders)
		err = run(&job);
	if (err)
		diagnosis->verdict = VERDICT_NONE;
	free(job.given);
	holders_free(job.holders);
	holeset_free(job.purged);
	holeset_free(job.free);
	return err;
}
