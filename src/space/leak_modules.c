// SPDX-License-Identifier: GPL-2.0-only
#include "space/leak_modules.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "space/owners.h"

/* What its exit left to a kworker may be freed so long after the module's own. */
#define SETTLE_NS 1000000000ull

/* What is kept of each, the newest; more of them at once are not told. */
#define KEPT 256u

/* An area of a module's own. */
struct load {
	uint32_t start; /* 0 = none */
	uint32_t end;
	uint32_t pid;
	uint32_t module; /* label, 0 = not known yet */
	uint64_t t_ns;
};

/* The unload of areas of nobody knows which module. */
struct unload {
	uint64_t from_ns; /* when they were loaded; 0 = before the watch */
	uint64_t t_ns;    /* 0 = none */
};

/* When a module allocated. */
struct active {
	uint32_t module;
	uint64_t first_ns;
	uint64_t last_ns;
};

struct leaver {
	uint32_t pid;
	uint32_t module;
};

struct gone {
	uint32_t module;
	bool listed; /* the kernel's list said so: after it */
	uint64_t t_ns;
};

struct leak_modules {
	struct names *names;
	const struct stacks *stacks;
	struct load loads[KEPT];
	struct leaver leavers[KEPT]; /* by pid */
	struct gone gone[KEPT];
	struct unload unloads[KEPT];
	struct active active[KEPT]; /* the first ones */
	uint32_t nr_active;
	uint32_t nr_unloads;
	uint32_t nr_loads; /* ever: the next goes to nr_loads % KEPT */
	uint32_t nr_gone;
};

struct leak_modules *leak_modules_new(struct names *names, const struct stacks *stacks)
{
	struct leak_modules *modules = calloc(1, sizeof(*modules));

	if (modules) {
		modules->names = names;
		modules->stacks = stacks;
	}
	return modules;
}

void leak_modules_free(struct leak_modules *modules)
{
	free(modules);
}

static bool is_module(const struct leak_modules *modules, uint32_t label)
{
	return names_text(modules->names, label)[0] == '[';
}

/* 0 if no module that was loaded in the watch lies there. */
static uint32_t label_at(const struct leak_modules *modules, uint32_t addr)
{
	char label[16];

	for (uint32_t i = 0; i < KEPT; i++) {
		const struct load *load = &modules->loads[i];

		if (addr < load->start || addr >= load->end)
			continue;
		snprintf(label, sizeof(label), "[at %08x]", load->start);
		return names_intern_str(modules->names, label);
	}
	return 0;
}

uint32_t leak_modules_label(const struct leak_modules *modules, const struct area *area)
{
	uint32_t caller = owners_caller_of(area, modules->names, modules->stacks), label = 0;
	const char *text = names_text(modules->names, caller);

	if (!strncmp(text, "0x", 2))
		label = label_at(modules, (uint32_t)strtoul(text, NULL, 16));
	if (label)
		return label;
	return owners_label(area, modules->names, modules->stacks, OWNERS_BY_MODULE);
}

static void note_active(struct leak_modules *modules, uint32_t module, uint64_t t_ns)
{
	uint32_t i = 0;

	while (i < modules->nr_active && modules->active[i].module != module)
		i++;
	if (i == KEPT)
		return;
	if (i == modules->nr_active)
		modules->active[modules->nr_active++] = (struct active){ module, t_ns, t_ns };
	modules->active[i].last_ns = t_ns;
}

void leak_modules_born(struct leak_modules *modules, const struct area *area, uint32_t module)
{
	if (area->kind == KIND_MODULE) {
		modules->loads[modules->nr_loads++ % KEPT] = (struct load){
			.start = area->start,
			.end = area->end,
			.pid = area->pid,
			.t_ns = area->birth_ns,
		};
		return;
	}
	if (!is_module(modules, module))
		return;
	note_active(modules, module, area->birth_ns);
	for (uint32_t i = 0; i < KEPT; i++) {
		struct load *load = &modules->loads[i];

		if (load->start && !load->module && load->pid == area->pid)
			load->module = module;
	}
}

static const struct gone *find_gone(const struct leak_modules *modules, uint32_t module)
{
	for (uint32_t i = 0; i < KEPT; i++) {
		if (modules->gone[i].module == module)
			return &modules->gone[i];
	}
	return NULL;
}

static void note_gone(struct leak_modules *modules, struct gone gone)
{
	for (uint32_t i = 0; i < KEPT; i++) {
		if (modules->gone[i].module == gone.module) {
			modules->gone[i] = gone;
			return;
		}
	}
	modules->gone[modules->nr_gone++ % KEPT] = gone;
}

/* The label of the module whose function called vfree in this task last; 0 = none. */
static uint32_t leaving(const struct leak_modules *modules, uint32_t pid)
{
	const struct leaver *leaver = &modules->leavers[pid % KEPT];

	return leaver->pid == pid ? leaver->module : 0;
}

/* The parts for init are freed by a kworker. */
static void note_unload(struct leak_modules *modules, const struct load *own,
			const struct event *event)
{
	const char *comm = names_text(modules->names, event->comm_id);

	if (strcmp(comm, "rmmod") && strcmp(comm, "modprobe"))
		return;
	modules->unloads[modules->nr_unloads++ % KEPT] =
		(struct unload){ own ? own->t_ns : 0, event->t_ns };
}

void leak_modules_freed(struct leak_modules *modules, const struct area *area,
			const struct event *event)
{
	struct load *own = NULL;
	bool others = false;
	uint32_t module;

	if (area->kind != KIND_MODULE)
		return;
	for (uint32_t i = 0; i < KEPT; i++) {
		if (modules->loads[i].start == area->start)
			own = &modules->loads[i];
	}
	module = own && own->module ? own->module : leaving(modules, event->pid);
	if (own)
		own->start = own->end = 0;
	/* The parts for init are freed when that is done: others of the module stay. */
	for (uint32_t i = 0; i < KEPT; i++)
		others |= modules->loads[i].start && modules->loads[i].module == module;
	if (!module)
		note_unload(modules, own, event);
	else if (!others)
		note_gone(modules, (struct gone){ .module = module, .t_ns = event->t_ns });
}

void leak_modules_vfree(struct leak_modules *modules, const struct event *event)
{
	const char *open = strrchr(names_text(modules->names, event->caller_id), '[');
	uint32_t module = open && open[1] ? names_intern_str(modules->names, open) : 0;

	/* free_module() calls it too, and is no function of the module. */
	if (module)
		modules->leavers[event->pid % KEPT] = (struct leaver){ event->pid, module };
}

void leak_modules_listed(struct leak_modules *modules, const struct area *area,
			 const struct event *event)
{
	uint32_t module;

	if (strncmp(names_text(modules->names, event->caller_id), "0x", 2) || !area_stack(area))
		return;
	module = owners_label(area, modules->names, modules->stacks, OWNERS_BY_MODULE);
	if (is_module(modules, module) && !find_gone(modules, module))
		note_gone(modules, (struct gone){ module, true, event->t_ns });
}

/* The one module that allocated between that load and that unload, and not before or since. */
static uint32_t fits_alone(const struct leak_modules *modules, const struct unload *unload)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < modules->nr_active; i++) {
		const struct active *active = &modules->active[i];

		if (active->first_ns < unload->from_ns || active->last_ns > unload->t_ns)
			continue;
		if (found)
			return 0;
		found = active->module;
	}
	return found;
}

/* When areas of nobody knows which module were freed that were this one's; 0 = never. */
static uint64_t unloaded_ns(const struct leak_modules *modules, uint32_t module)
{
	for (uint32_t i = 0; i < KEPT; i++) {
		if (modules->unloads[i].t_ns && fits_alone(modules, &modules->unloads[i]) == module)
			return modules->unloads[i].t_ns;
	}
	return 0;
}

bool leak_modules_gone(const struct leak_modules *modules, uint32_t module, struct leak_gone *gone)
{
	const struct gone *known = module ? find_gone(modules, module) : NULL;
	uint64_t t_ns = known ? known->t_ns : module ? unloaded_ns(modules, module) : 0;

	*gone = (struct leak_gone){ t_ns, known && known->listed ? t_ns : t_ns + SETTLE_NS };
	return t_ns != 0;
}
