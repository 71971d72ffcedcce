// SPDX-License-Identifier: GPL-2.0-only
#include "view/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "space/kind.h"
#include "view/text_util.h"
#include "view/units.h"

#define OWNER_COLUMN 44u
#define FRAME_INDENT 20u

static void print_owner(FILE *out, const struct view *view, const struct owner *owner)
{
	const char *name = names_text(view->names, owner->name_id);
	bool own = owner->own_areas && owner->own_areas == owner->areas;
	char bytes[TEXT_NUMBER], guard[TEXT_NUMBER], count[TEXT_NUMBER], age[16];
	char label[TEXT_LABEL], text[TEXT_LABEL + 2];

	if (own)
		text_color(out, view, TEXT_OWN);
	fprintf(out, " %7s %6s %7s %7.7s ", text_bytes(view, owner->live_bytes, bytes),
		text_count(view, owner->areas, count), text_bytes(view, owner->guard_bytes, guard),
		units_duration(text_age(view, owner->oldest_birth_ns), age, sizeof(age)));
	text_field(out, owner->kind == KIND_UNKNOWN ? "-" : kind_name(owner->kind), 10);
	snprintf(text, sizeof(text), "%s%s", own ? "@ " : "",
		 text_ascii(*name ? name : "?", label, sizeof(label)));
	if (own)
		text_color(out, view, TEXT_PLAIN);
	putc(' ', out);
	text_last(out, view, text, OWNER_COLUMN);
}

static void print_rest(FILE *out, const struct view *view, const struct owners *owners,
		       uint32_t from)
{
	char bytes[TEXT_NUMBER], count[TEXT_NUMBER];
	uint32_t live = 0, areas = 0;
	uint32_t i;

	for (i = from; i < owners->count; i++) {
		live += owners->list[i].live_bytes;
		areas += owners->list[i].areas;
	}
	fprintf(out, " %7s %6s  in %" PRIu32 " more\n", text_bytes(view, live, bytes),
		text_count(view, areas, count), owners->count - from);
}

void text_top(FILE *out, const struct view *view, enum owners_by by, enum owners_sort sort,
	      unsigned int top)
{
	struct owners owners;
	uint32_t i;

	if (owners_collect(view->space, view->names, view->stacks, by, sort, &owners) < 0) {
		fputs(" out of memory\n", out);
		return;
	}
	fprintf(out, " %7s %6s %7s %7s %-10s OWNER by %s, sorted by %s\n", "BYTES", "AREAS",
		"GUARD", "OLDEST", "KIND", text_by_name(by), text_sort_name(sort));
	for (i = 0; i < owners.count && i < top; i++) {
		print_owner(out, view, &owners.list[i]);
		if (by == OWNERS_BY_STACK)
			text_frames(out, view, owners.list[i].stack_id, FRAME_INDENT);
	}
	if (i < owners.count)
		print_rest(out, view, &owners, i);
	owners_free(&owners);
}
