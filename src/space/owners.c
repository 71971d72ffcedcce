// SPDX-License-Identifier: GPL-2.0-only
#include "space/owners.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "space/idtable.h"
#include "space/kind.h"
#include "space/waste.h"

#define MAX_FRAME_TEXT 640 /* the longest kernel symbol is 511 bytes, plus offset and module */

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct group {
	struct owner owner; /* name_id and, BY_STACK, stack_id are the key */
	const char *label;
	uint32_t order; /* groups that compare equal stay in address order */
};

struct collection {
	struct group *groups;
	uint32_t count;
	uint32_t capacity;
	struct idtable index; /* ids: position in groups + 1 */
};

static const char *const by_names[] = {
	[OWNERS_BY_CALLER] = "caller", [OWNERS_BY_STACK] = "stack", [OWNERS_BY_MODULE] = "module",
	[OWNERS_BY_KIND] = "kind",     [OWNERS_BY_COMM] = "comm",
};

static const char *const sort_names[] = {
	[OWNERS_SORT_BYTES] = "bytes", [OWNERS_SORT_COUNT] = "count", [OWNERS_SORT_GUARD] = "guard",
	[OWNERS_SORT_AGE] = "age",     [OWNERS_SORT_WASTE] = "waste",
};

static int find_name(const char *const *list, size_t count, const char *name)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (!strcmp(list[i], name))
			return (int)i;
	}
	return -EINVAL;
}

int owners_by_from_name(const char *name, enum owners_by *by)
{
	int found = find_name(by_names, ARRAY_SIZE(by_names), name);

	if (found < 0)
		return found;
	*by = (enum owners_by)found;
	return 0;
}

int owners_sort_from_name(const char *name, enum owners_sort *sort)
{
	int found = find_name(sort_names, ARRAY_SIZE(sort_names), name);

	if (found < 0)
		return found;
	*sort = (enum owners_sort)found;
	return 0;
}

/* "name+0xoff/0xsize [mod]" of /proc/vmallocinfo, as a live frame has it: "name+0xoff [mod]". */
static uint32_t live_form(struct names *names, uint32_t caller_id)
{
	const char *text = names_text(names, caller_id);
	const char *slash = strchr(text, '/');
	char buf[MAX_FRAME_TEXT];
	int len;

	if (!slash)
		return caller_id;
	len = snprintf(buf, sizeof(buf), "%.*s%s", (int)(slash - text), text,
		       slash + strcspn(slash, " "));
	if (len < 0 || (size_t)len >= sizeof(buf))
		return caller_id;
	return names_intern(names, buf, (size_t)len);
}

/* A seeded vm_map_ram block has no caller, but a kind: "(vm_map_ram)". */
static uint32_t no_caller_label(struct names *names, unsigned int kind)
{
	char label[32];

	if (kind == KIND_UNKNOWN)
		return names_intern_str(names, "?");
	snprintf(label, sizeof(label), "(%s)", kind_name(kind));
	return names_intern_str(names, label);
}

uint32_t owners_caller_of(const struct area *area, struct names *names, const struct stacks *stacks)
{
	uint32_t frame = kind_owner_frame(names, stacks_get(stacks, area_stack(area)));

	if (!frame && area_caller(area))
		frame = live_form(names, area_caller(area));
	return frame ? frame : no_caller_label(names, area->kind);
}

/* The module's name in "symbol+0xoff [module]" and its length; NULL if there is none. */
static const char *module_in(const char *frame, size_t *len)
{
	const char *open = strrchr(frame, '[');
	const char *close = open ? strchr(open, ']') : NULL;

	if (!close || close[1] || close == open + 1 || open == frame || open[-1] != ' ')
		return NULL;
	*len = (size_t)(close - open) - 1;
	return open + 1;
}

uint32_t owners_module_of(struct names *names, uint32_t frame_id)
{
	const char *frame = names_text(names, frame_id);
	const char *module;
	size_t len;

	module = module_in(frame, &len);
	if (module)
		return names_intern(names, module, len);
	if (!frame[0] || frame[0] == '?' || frame[0] == '(' || !strncmp(frame, "0x", 2))
		return names_intern_str(names, "?");
	return names_intern_str(names, "kernel");
}

/* A core helper (pci_iomap, alloc_netdev) works for the module that called it. */
static uint32_t responsible_frame(const struct area *area, struct names *names,
				  const struct stacks *stacks)
{
	struct stack stack = stacks_get(stacks, area_stack(area));
	uint32_t owner = owners_caller_of(area, names, stacks);
	size_t len;
	uint32_t i;

	if (!strncmp(names_text(names, owner), "0x", 2))
		return owner;
	for (i = 0; i < stack.nr_frames; i++) {
		if (module_in(names_text(names, stack.frames[i]), &len))
			return stack.frames[i];
	}
	return owner;
}

static uint32_t module_label(const struct area *area, struct names *names,
			     const struct stacks *stacks)
{
	uint32_t frame = responsible_frame(area, names, stacks);
	size_t len;
	const char *module = module_in(names_text(names, frame), &len);

	if (module) /* with the brackets, so that a module named kernel stays apart */
		return names_intern(names, module - 1, len + 2);
	return owners_module_of(names, frame);
}

static uint32_t comm_label(const struct area *area, struct names *names)
{
	if (area->flags & AREA_F_SEEDED)
		return names_intern_str(names, "(before vmtrace)");
	return area->comm_id ? area->comm_id : names_intern_str(names, "?");
}

uint32_t owners_label(const struct area *area, struct names *names, const struct stacks *stacks,
		      enum owners_by by)
{
	switch (by) {
	case OWNERS_BY_MODULE:
		return module_label(area, names, stacks);
	case OWNERS_BY_KIND:
		return names_intern_str(names, kind_name(area->kind));
	case OWNERS_BY_COMM:
		return comm_label(area, names);
	case OWNERS_BY_CALLER:
	case OWNERS_BY_STACK:
		break;
	}
	return owners_caller_of(area, names, stacks);
}

static int reserve_group(struct collection *all)
{
	uint32_t capacity = all->capacity ? all->capacity * 2 : 64;
	struct group *groups;

	if (all->count < all->capacity)
		return 0;
	groups = realloc(all->groups, (size_t)capacity * sizeof(*groups));
	if (!groups)
		return -ENOMEM;
	all->groups = groups;
	all->capacity = capacity;
	return 0;
}

/* The group of this label (and stack, if by_stack), made if need be; NULL on lack of memory. */
static struct group *group_get(struct collection *all, uint32_t name_id, uint32_t stack_id,
			       bool by_stack)
{
	uint32_t key[2] = { name_id, by_stack ? stack_id : 0 };
	uint32_t hash = idtable_hash(key, sizeof(key));
	struct group *group;
	uint32_t pos;
	uint32_t id;

	for (id = idtable_first(&all->index, hash, &pos); id;
	     id = idtable_next(&all->index, hash, &pos)) {
		group = &all->groups[id - 1];
		if (group->owner.name_id == name_id &&
		    (!by_stack || group->owner.stack_id == stack_id))
			return group;
	}
	if (reserve_group(all) || idtable_add(&all->index, hash, all->count + 1))
		return NULL;
	group = &all->groups[all->count];
	*group = (struct group){ .order = all->count };
	group->owner.name_id = name_id;
	group->owner.stack_id = stack_id;
	all->count++;
	return group;
}

static void group_add(struct group *group, const struct area *area)
{
	struct owner *owner = &group->owner;
	uint32_t waste;

	if (!owner->areas) {
		owner->kind = area->kind;
		owner->oldest_birth_ns = area->birth_ns;
	}
	owner->areas++;
	owner->live_bytes += area->end - area->start;
	owner->guard_bytes += area->guard_pages * VMT_PAGE_SIZE;
	if (waste_of(area, &waste)) {
		owner->waste_bytes += waste;
		owner->waste_known++;
	}
	if (area->flags & AREA_F_OWN)
		owner->own_areas++;
	if (owner->kind != area->kind)
		owner->kind = KIND_UNKNOWN;
	if (area->birth_ns < owner->oldest_birth_ns)
		owner->oldest_birth_ns = area->birth_ns;
	if (!owner->stack_id)
		owner->stack_id = area_stack(area);
}

/* Replay must print what live printed, so ties never fall to ids, which may differ. */
static int compare_rest(const struct group *a, const struct group *b)
{
	int by_label;

	if (a->owner.live_bytes != b->owner.live_bytes)
		return a->owner.live_bytes < b->owner.live_bytes ? 1 : -1;
	if (a->owner.areas != b->owner.areas)
		return a->owner.areas < b->owner.areas ? 1 : -1;
	by_label = strcmp(a->label, b->label);
	if (by_label)
		return by_label;
	return a->order < b->order ? -1 : a->order > b->order;
}

static int compare_bytes(const void *a, const void *b)
{
	return compare_rest(a, b);
}

static int compare_count(const void *a, const void *b)
{
	const struct group *x = a;
	const struct group *y = b;

	if (x->owner.areas != y->owner.areas)
		return x->owner.areas < y->owner.areas ? 1 : -1;
	return compare_rest(x, y);
}

static int compare_guard(const void *a, const void *b)
{
	const struct group *x = a;
	const struct group *y = b;

	if (x->owner.guard_bytes != y->owner.guard_bytes)
		return x->owner.guard_bytes < y->owner.guard_bytes ? 1 : -1;
	return compare_rest(x, y);
}

static int compare_age(const void *a, const void *b)
{
	const struct group *x = a;
	const struct group *y = b;

	if (x->owner.oldest_birth_ns != y->owner.oldest_birth_ns)
		return x->owner.oldest_birth_ns < y->owner.oldest_birth_ns ? -1 : 1;
	return compare_rest(x, y);
}

static int compare_waste(const void *a, const void *b)
{
	const struct group *x = a;
	const struct group *y = b;

	if (x->owner.waste_bytes != y->owner.waste_bytes)
		return x->owner.waste_bytes < y->owner.waste_bytes ? 1 : -1;
	return compare_rest(x, y);
}

static int finish(struct collection *all, const struct names *names, enum owners_sort sort,
		  struct owners *owners)
{
	static int (*const compare[])(const void *, const void *) = {
		[OWNERS_SORT_BYTES] = compare_bytes, [OWNERS_SORT_COUNT] = compare_count,
		[OWNERS_SORT_GUARD] = compare_guard, [OWNERS_SORT_AGE] = compare_age,
		[OWNERS_SORT_WASTE] = compare_waste,
	};
	uint32_t i;

	if (!all->count)
		return 0;
	for (i = 0; i < all->count; i++)
		all->groups[i].label = names_text(names, all->groups[i].owner.name_id);
	qsort(all->groups, all->count, sizeof(*all->groups), compare[sort]);
	owners->list = malloc((size_t)all->count * sizeof(*owners->list));
	if (!owners->list)
		return -ENOMEM;
	for (i = 0; i < all->count; i++)
		owners->list[i] = all->groups[i].owner;
	owners->count = all->count;
	return 0;
}

int owners_collect(const struct space *space, struct names *names, const struct stacks *stacks,
		   enum owners_by by, enum owners_sort sort, struct owners *owners)
{
	return owners_collect_some(space, names, stacks, by, sort, NULL, NULL, owners);
}

int owners_collect_some(const struct space *space, struct names *names, const struct stacks *stacks,
			enum owners_by by, enum owners_sort sort, owners_pick *pick, void *context,
			struct owners *owners)
{
	struct collection all = { 0 };
	const struct area *area;
	int err = 0;

	*owners = (struct owners){ 0 };
	for (area = space_first(space, space_start(space)); area && !err;
	     area = space_first(space, area->end)) {
		struct group *group;

		if (area->state != AREA_USED || (pick && !pick(context, area)))
			continue;
		group = group_get(&all, owners_label(area, names, stacks, by), area_stack(area),
				  by == OWNERS_BY_STACK);
		if (group)
			group_add(group, area);
		else
			err = -ENOMEM;
	}
	if (!err)
		err = finish(&all, names, sort, owners);
	idtable_release(&all.index);
	free(all.groups);
	return err;
}

void owners_free(struct owners *owners)
{
	free(owners->list);
	*owners = (struct owners){ 0 };
}
