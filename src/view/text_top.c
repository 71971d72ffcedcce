// SPDX-License-Identifier: GPL-2.0-only
#include "view/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "space/kind.h"
#include "units.h"
#include "view/pick.h"
#include "view/text_util.h"

#define FRAME_INDENT 20u

/* Sorted by what the space costs, the table shows that; else the age. */
static bool shows_cost(enum owners_sort sort)
{
	return sort == OWNERS_SORT_GUARD || sort == OWNERS_SORT_WASTE;
}

static const char *waste_text(const struct view *view, const struct owner *owner,
			      char buf[TEXT_NUMBER + 1])
{
	char bytes[TEXT_NUMBER];

	if (owner->waste_known)
		snprintf(buf, TEXT_NUMBER + 1, "%s%s", text_bytes(view, owner->waste_bytes, bytes),
			 owner->waste_known < owner->areas ? "+" : "");
	else
		snprintf(buf, TEXT_NUMBER + 1, "-");
	return buf;
}

/* " 2.4M 300 1.2M 50% 900K+ ": the columns that add up. Returns how many columns they take. */
static unsigned int print_cost(FILE *out, const struct view *view, const struct owner *owner)
{
	char bytes[TEXT_NUMBER], guard[TEXT_NUMBER], count[TEXT_NUMBER], percent[TEXT_NUMBER];
	char waste[TEXT_NUMBER + 1];

	return (unsigned int)fprintf(
		out, " %7s %6s %7s %4s %7.7s ", text_bytes(view, owner->live_bytes, bytes),
		text_count(view, owner->areas, count), text_bytes(view, owner->guard_bytes, guard),
		text_percent(view, owner->guard_bytes, owner->live_bytes, percent),
		waste_text(view, owner, waste));
}

static unsigned int print_age(FILE *out, const struct view *view, const struct owner *owner)
{
	char bytes[TEXT_NUMBER], guard[TEXT_NUMBER], count[TEXT_NUMBER], age[16];

	return (unsigned int)fprintf(
		out, " %7s %6s %7s %7.7s ", text_bytes(view, owner->live_bytes, bytes),
		text_count(view, owner->areas, count), text_bytes(view, owner->guard_bytes, guard),
		units_duration(text_age(view, owner->oldest_birth_ns), age, sizeof(age)));
}

static void print_owner(FILE *out, const struct view *view, const struct owner *owner, bool cost)
{
	const char *name = names_text(view->names, owner->name_id);
	bool own = owner->own_areas && owner->own_areas == owner->areas;
	char label[TEXT_LABEL], text[TEXT_LABEL + 2];
	unsigned int used;

	if (own)
		text_color(out, view, TEXT_OWN);
	used = cost ? print_cost(out, view, owner) : print_age(out, view, owner);
	text_field(out, owner->kind == KIND_UNKNOWN ? "-" : kind_name(owner->kind), 10);
	snprintf(text, sizeof(text), "%s%s", own ? "@ " : "",
		 text_ascii(*name ? name : "?", label, sizeof(label)));
	if (own)
		text_color(out, view, TEXT_PLAIN);
	putc(' ', out);
	text_last(out, view, text, used + 11);
}

static void print_rest(FILE *out, const struct view *view, const struct owners *owners,
		       uint32_t from, bool cost)
{
	char bytes[TEXT_NUMBER], count[TEXT_NUMBER];
	struct owner rest = { 0 };
	uint32_t i;

	for (i = from; i < owners->count; i++) {
		rest.live_bytes += owners->list[i].live_bytes;
		rest.areas += owners->list[i].areas;
		rest.guard_bytes += owners->list[i].guard_bytes;
		rest.waste_bytes += owners->list[i].waste_bytes;
		rest.waste_known += owners->list[i].waste_known;
	}
	if (cost)
		print_cost(out, view, &rest);
	else
		fprintf(out, " %7s %6s  ", text_bytes(view, rest.live_bytes, bytes),
			text_count(view, rest.areas, count));
	fprintf(out, "in %" PRIu32 " more\n", owners->count - from);
}

static void print_head(FILE *out, enum owners_by by, enum owners_sort sort)
{
	fprintf(out, " %7s %6s %7s ", "BYTES", "AREAS", "GUARD");
	if (shows_cost(sort))
		fprintf(out, "%4s %7s ", "%", "WASTE");
	else
		fprintf(out, "%7s ", "OLDEST");
	fprintf(out, "%-10s OWNER by %s, sorted by %s\n", "KIND", text_by_name(by),
		text_sort_name(sort));
}

void text_top(FILE *out, const struct view *view, enum owners_by by, enum owners_sort sort,
	      unsigned int top)
{
	struct owners owners;
	uint32_t i;

	if (owners_collect_some(view->space, view->names, view->stacks, by, sort, pick_area,
				(void *)view, &owners) < 0) {
		fputs(" out of memory\n", out);
		return;
	}
	pick_text(out, view, false);
	print_head(out, by, sort);
	for (i = 0; i < owners.count && i < top; i++) {
		print_owner(out, view, &owners.list[i], shows_cost(sort));
		if (by == OWNERS_BY_STACK)
			text_frames(out, view, owners.list[i].stack_id, FRAME_INDENT);
	}
	if (i < owners.count)
		print_rest(out, view, &owners, i, shows_cost(sort));
	if (shows_cost(sort))
		text_waste(out, view);
	owners_free(&owners);
}
