/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A filter: an expression that says which areas, and which events, are meant. Compiled once, then
 * asked of each. The words (docs/FILTER.md has them for users):
 *
 *   expression  what stands side by side, or is joined by `and`, must all hold; `or` binds less;
 *               `not` binds most; ( ) group
 *   comparison  FIELD OPERATOR VALUE, blanks around the operator or not
 *   value       up to the next blank or parenthesis; "..." or '...' if it has those
 *
 *   FIELD   of an area                                   OPERATORS
 *   mod     the module that it is for: foo, kernel, ?    = != ~ !~
 *   caller  the function that asked for it               = != ~ !~
 *   stack   any frame of its stack; if only the caller   = != ~ !~
 *           is known (seeded): that
 *   comm    name of the task that allocated it           = != ~ !~
 *   kind    vmalloc, ioremap ... (kind_name)             = !=
 *   state   used, lazy; of an event failed too           = !=
 *   pid     of that task                                 = != < <= > >=
 *   size    bytes, guard pages included: 64K, 1M         = != < <= > >=
 *   guard   bytes of its guard pages                     = != < <= > >=
 *   age     used: since its birth; lazy: since it was    = != < <= > >=
 *           freed; as `map --areas` shows it: 500ms, 10m
 *   addr    hexadecimal, or a range f7800000-f7900000    = != < <= > >=
 *
 * `~` is "contains": no patterns, so that no expression can cost more than its length times that of
 * a name. Case counts. `=` of a function takes the whole label ("foo+0x41 [bar]") or the name alone
 * ("foo").
 *
 * A field may have several values (the frames of a stack, the addresses of an area, the tasks that
 * freed and allocated what a FREE is about) or none (nobody saw who allocated it). A comparison
 * holds if it holds for any of them; `!=` and `!~` hold if `=` and `~` do not.
 *
 * Text and values are hostile: bounded in length, in depth and in number, and no input is more
 * than -EINVAL.
 */
#ifndef VMTRACE_SPACE_FILTER_H
#define VMTRACE_SPACE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "space/names.h"
#include "space/space.h"
#include "space/stacks.h"

#define FILTER_MAX_LEN   1024u /* bytes of an expression */
#define FILTER_MAX_TERMS 64u   /* comparisons */
#define FILTER_MAX_DEPTH 32u   /* of ( ) and `not` */

struct filter;

struct filter_error {
	uint32_t at;   /* byte of the text, from 0 on; its length: the end */
	char why[160]; /* "expected a size (64K, 1M), not 'x'": printable ASCII */
};

/* What an area or event is judged by. */
struct filter_base {
	struct names *names; /* grows by labels */
	const struct stacks *stacks;
	uint64_t now_ns VMT_ALIGNED8; /* for ages; of an event its own time is taken */
};

/* Compiles text. An empty one (blanks only) is a filter that everything passes. 0; -EINVAL and
 * *error; -ENOMEM. Release with filter_free. */
int filter_compile(const char *text, struct filter **filter, struct filter_error *error);
void filter_free(struct filter *filter);

/* The expression as it was given. */
const char *filter_text(const struct filter *filter);

/* True if filter is NULL, empty, or holds for area. */
bool filter_area(const struct filter *filter, const struct filter_base *base,
		 const struct area *area);

/*
 * The same for an event. area: the area that it is about as the space has it, before or after the
 * event was applied (space_area_at(event->start)), or NULL; it is what a FREE or VFREE tells of
 * size, stack and age. An ALLOC, AREA or FAIL is judged by itself; pid and comm of a FREE or VFREE
 * are those of both tasks, who freed and who had allocated.
 *
 * LOST, SNAPSHOT_*, STACK and TIME, which are about the whole stream, always pass: a filter must
 * not hide a loss. A PURGE, which is about no one area, passes only an empty filter.
 */
bool filter_event(const struct filter *filter, const struct filter_base *base,
		  const struct area *area, const struct event *event);

#endif
