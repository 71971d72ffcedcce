/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which modules were unloaded, and when, as far as the stream tells. No event says so; it is told
 * by any of
 *   - the areas of a module's own text and data are freed. Which module they are of is known if
 *     the task that loaded them allocated from the module's functions next (its init runs in that
 *     task: do_init_module in kernel/module), or if a function of the module called vfree in the
 *     task that then frees them (its exit does: delete_module);
 *     If neither is seen, but rmmod or modprobe frees such areas, it is the one module that
 *     allocated only between that load and that unload, if there is one only;
 *   - the kernel's list names the caller of an area that one of the module's functions made by its
 *     bare address: it has no symbol any more.
 */
#ifndef VMTRACE_SPACE_LEAK_MODULES_H
#define VMTRACE_SPACE_LEAK_MODULES_H

#include <stdbool.h>
#include <stdint.h>

#include "space/names.h"
#include "space/space.h"
#include "space/stacks.h"

struct leak_modules;

struct leak_modules *leak_modules_new(struct names *names, const struct stacks *stacks);
void leak_modules_free(struct leak_modules *modules);

/* The label of the module that an area is of, a string id. One that was unloaded before its symbols
 * could be read is named by where it lay: "[at f7ae4000]". */
uint32_t leak_modules_label(const struct leak_modules *modules, const struct area *area);

/* An area was born; module: the label of its owner ("[foo]", "kernel"), a string id. */
void leak_modules_born(struct leak_modules *modules, const struct area *area, uint32_t module);
/* An area is about to be freed by this event. */
void leak_modules_freed(struct leak_modules *modules, const struct area *area,
			const struct event *event);
/* vfree was called. */
void leak_modules_vfree(struct leak_modules *modules, const struct event *event);
/* The kernel's list names an area that the space has too. */
void leak_modules_listed(struct leak_modules *modules, const struct area *area,
			 const struct event *event);

struct leak_gone {
	uint64_t t_ns VMT_ALIGNED8; /* when the module was unloaded last, or known to be */
	uint64_t settled_ns
		VMT_ALIGNED8; /* what it allocated and lives after that is left behind */
};

/* False: as far as is known the module was not unloaded. */
bool leak_modules_gone(const struct leak_modules *modules, uint32_t module, struct leak_gone *gone);

#endif
