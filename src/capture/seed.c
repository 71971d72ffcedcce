/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/seed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "file.h"
#include "space/kind.h"

#define VMALLOCINFO_MAX (64u << 20) /* 120 bytes a line: half a million areas */

static enum area_kind kind_of_line(uint32_t flags, const char *caller)
{
	enum area_kind kind = kind_of_caller(caller);

	if (flags & VMI_IOREMAP)
		return KIND_IOREMAP;
	if (flags & VMI_DMA_COHERENT)
		return KIND_DMA_COHERENT;
	if (kind != KIND_UNKNOWN)
		return kind;
	if (flags & VMI_USER)
		return KIND_USER;
	if (flags & VMI_VM_MAP_RAM)
		return KIND_VM_MAP_RAM;
	if (flags & VMI_VMALLOC)
		return KIND_VMALLOC;
	if (flags & (VMI_VMAP | VMI_SPARSE))
		return KIND_VMAP;
	return caller[0] ? KIND_UNKNOWN : KIND_EARLY;
}

/* Only __get_vm_area_node adds a guard page (mm/vmalloc.c), and VM_NO_GUARD is not shown in the
 * list; nothing on i386 that has a caller uses it but percpu chunks. */
static uint8_t guard_of_line(const struct event *area)
{
	if (area->state == AREA_LAZY || area->kind == KIND_PERCPU ||
	    area->kind == KIND_VM_MAP_RAM || area->kind == KIND_EARLY)
		return 0;
	return area->end - area->start >= 2 * VMT_PAGE_SIZE;
}

void seed_classify(const struct vmallocinfo *info, const struct vmallocinfo_line *line,
		   struct event *area)
{
	memset(area, 0, sizeof(*area));
	area->type = EV_AREA;
	area->start = line->start;
	area->end = line->end;
	area->nr_pages = line->nr_pages;
	area->state = line->flags & VMI_LAZY ? AREA_LAZY : AREA_USED;
	if (area->state == AREA_USED)
		area->kind = (uint8_t)kind_of_line(line->flags, vmallocinfo_caller(info, line));
	area->guard_pages = guard_of_line(area);
}

/* "foo+0x1/0x20 [bar]" (%pS) as live stacks have it: "foo+0x1 [bar]". */
static uint32_t intern_caller(struct names *names, const char *caller)
{
	const char *slash = strchr(caller, '/');
	char text[256];
	const char *rest;

	if (!slash)
		return names_intern_str(names, caller);
	rest = strchr(slash, ' ');
	snprintf(text, sizeof(text), "%.*s%s", (int)(slash - caller), caller, rest ? rest : "");
	return names_intern_str(names, text);
}

static int add_areas(struct seed *seed, const struct vmallocinfo *info, struct names *names)
{
	uint32_t needed = seed->count + info->count;

	if (needed > seed->capacity) {
		struct event *areas = realloc(seed->areas, (size_t)needed * sizeof(*areas));

		if (!areas)
			return -ENOMEM;
		seed->areas = areas;
		seed->capacity = needed;
	}
	for (uint32_t i = 0; i < info->count; i++) {
		const struct vmallocinfo_line *line = &info->lines[i];
		struct event *area = &seed->areas[seed->count++];

		seed_classify(info, line, area);
		area->caller_id = intern_caller(names, vmallocinfo_caller(info, line));
	}
	return 0;
}

/* By range; of two lines for one range the one that names a caller comes first. */
static int by_range(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->end != y->end)
		return x->end < y->end ? -1 : 1;
	if (x->state != y->state)
		return x->state < y->state ? -1 : 1;
	return (x->caller_id == 0) - (y->caller_id == 0);
}

static void sort_unique(struct seed *seed)
{
	uint32_t kept = 0;

	qsort(seed->areas, seed->count, sizeof(*seed->areas), by_range);
	for (uint32_t i = 0; i < seed->count; i++) {
		if (kept && seed->areas[kept - 1].start == seed->areas[i].start &&
		    seed->areas[kept - 1].end == seed->areas[i].end &&
		    seed->areas[kept - 1].state == seed->areas[i].state)
			continue;
		seed->areas[kept++] = seed->areas[i];
	}
	seed->count = kept;
}

/* Lazy lines are of the last reading only: merged neighbours differ from one to the next, and a
 * purge between two would leave those of the first. */
static void drop_lazy(struct seed *seed)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < seed->count; i++) {
		if (seed->areas[i].state != AREA_LAZY)
			seed->areas[kept++] = seed->areas[i];
	}
	seed->count = kept;
}

int seed_read(struct seed *seed, struct names *names, uint32_t start, uint32_t end)
{
	struct vmallocinfo info;
	uint64_t begin_ns = clock_now_ns();
	char *text;
	size_t len;
	int err;

	/* Another first chunk each time, so that what one reading skips at a chunk's border does
	 * not lie at a border of the next. */
	err = file_read_from("/proc/vmallocinfo", VMALLOCINFO_MAX, 1024 + 640 * seed->readings,
			     &text, &len);
	if (err)
		return err;
	if (!seed->readings)
		seed->begin_ns = begin_ns;
	seed->end_ns = clock_now_ns();
	seed->readings++;
	err = vmallocinfo_parse(text, len, start, end, &info);
	free(text);
	seed->trust = info.trust;
	drop_lazy(seed);
	if (!err)
		err = add_areas(seed, &info, names);
	vmallocinfo_release(&info);
	if (!err)
		sort_unique(seed);
	for (uint32_t i = 0; !err && i < seed->count; i++) {
		struct event *area = &seed->areas[i];

		area->t_ns = seed->end_ns;
		area->begin_ns = area->state == AREA_LAZY ? begin_ns : seed->begin_ns;
	}
	return err;
}

void seed_release(struct seed *seed)
{
	free(seed->areas);
	memset(seed, 0, sizeof(*seed));
}

int seed_emit(const struct seed *seed, const struct sink *sink)
{
	struct event mark = {
		.type = EV_SNAPSHOT_BEGIN,
		.t_ns = seed->end_ns,
		.begin_ns = seed->begin_ns,
	};
	int err = sink_event(sink, &mark);

	for (uint32_t i = 0; i < seed->count && !err; i++)
		err = sink_event(sink, &seed->areas[i]);
	mark.type = EV_SNAPSHOT_END;
	return err ? err : sink_event(sink, &mark);
}

bool seed_same(const struct seed *a, const struct seed *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++) {
		const struct event *x = &a->areas[i], *y = &b->areas[i];

		if (x->start != y->start || x->end != y->end || x->state != y->state)
			return false;
	}
	return true;
}

uint32_t seed_largest_hole(const struct seed *seed, uint32_t start, uint32_t end)
{
	uint32_t largest = 0, at = start;

	for (uint32_t i = 0; i < seed->count; i++) {
		const struct event *area = &seed->areas[i];

		if (area->state == AREA_LAZY || area->start >= end)
			continue;
		if (area->start > at && area->start - at > largest)
			largest = area->start - at;
		if (area->end > at)
			at = area->end;
	}
	return end > at && end - at > largest ? end - at : largest;
}

bool seed_has(const struct seed *seed, uint32_t start, uint32_t end)
{
	for (uint32_t i = 0; i < seed->count; i++) {
		const struct event *area = &seed->areas[i];

		if (area->state == AREA_USED && area->start == start && area->end == end)
			return true;
	}
	return false;
}
