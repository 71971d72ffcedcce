/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kind of area a call stack or a line of /proc/vmallocinfo describes, from function names
 * alone: the names are stable where offsets and inlining are not (docs/KERNELS.md).
 */
#ifndef VMTRACE_SPACE_KIND_H
#define VMTRACE_SPACE_KIND_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "space/names.h"
#include "space/stacks.h"

/* "vmalloc", "vmap", ... as JSON and text have them; "unknown" for anything else. */
const char *kind_name(unsigned int kind);
/* The inverse; KIND_UNKNOWN for a name that is none. */
enum area_kind kind_from_name(const char *name);

/* The kind of an area whose allocation has these frames (innermost = the caller of
 * alloc_vmap_area). Scans a table of names: keep the answer with the stack id. */
enum area_kind kind_of_stack(const struct names *names, struct stack stack);

/* The kind told by the caller column of /proc/vmallocinfo ("bpf_map_area_alloc+0x2c/0x60"),
 * KIND_UNKNOWN if the name says nothing. */
enum area_kind kind_of_caller(const char *caller);

/* True if areas with this innermost frame carry a guard page: those made by __get_vm_area_node.
 * (mm/vmalloc.c: only it adds PAGE_SIZE; vm_map_ram and percpu do not.) True for an empty or
 * unresolved stack, since almost all areas have one. */
bool kind_stack_has_guard(const struct names *names, struct stack stack);

/* True if the frame belongs to the allocator's own layers (vmalloc, vzalloc, __get_vm_area_node,
 * ioremap, module_alloc ...), which never name a culprit. frame: "symbol+0xoff [module]". */
bool kind_frame_is_plumbing(const char *frame);

/* The frame that owns the stack: the first, from the inside, that is not plumbing; the outermost
 * if all are. 0 for an empty stack. */
uint32_t kind_owner_frame(const struct names *names, struct stack stack);

#endif
