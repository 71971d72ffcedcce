// SPDX-License-Identifier: GPL-2.0-only
#include "view/text_fit.h"

#include <inttypes.h>
#include <string.h>

#include "space/kind.h"
#include "units.h"
#include "view/text_util.h"

#define KIND_WIDTH   10
#define TASK_WIDTH   16
#define OWNER_COLUMN 53u /* columns before the owner */

const char *text_fit_note(unsigned int index)
{
	static const char *const notes[FIT_NOTE_COUNT] = {
		"it depends on where the module range begins, which no module has shown yet",
		"it depends on whether the kernel has PAE, which is not known here",
		"the kernel may pass over a hole that fits without room for the alignment",
		"part of the space may be free or not: vm_map_ram blocks, a purge, unknown pages",
		"what has no place is the array of page pointers of an area so large",
		"it fits as soon as vmtrace has ended: its own areas are in the way",
		"it may do without a purge",
		"a hole would do, but the kernel's search for an aligned one passes it over",
	};

	return notes[index];
}

static const char *answer_word(enum attempt_answer answer)
{
	static const char *const words[] = {
		[ATTEMPT_NO] = "NO",
		[ATTEMPT_PERHAPS] = "PERHAPS",
		[ATTEMPT_PURGE] = "after purge",
		[ATTEMPT_NOW] = "yes",
	};

	return words[answer];
}

/* "16M vmalloc", "3 x 16M ioremap". */
static void print_question(FILE *out, const struct fit_question *question)
{
	char bytes[16];

	if (question->count > 1)
		fprintf(out, "%" PRIu32 " x ", question->count);
	fprintf(out, "%s %s", units_bytes(question->bytes, bytes, sizeof(bytes)),
		kind_name(question->kind));
	if (question->align)
		fprintf(out, " aligned to %s", units_bytes(question->align, bytes, sizeof(bytes)));
}

static void print_places(FILE *out, const struct view *view, const struct fit_answer *answer)
{
	const char *tilde = text_tilde(view);

	if (!answer->certain && answer->placed == 1 && answer->latest > answer->starts[0])
		fprintf(out, ", between %s%08" PRIx32 " and %s%08" PRIx32, tilde, answer->starts[0],
			tilde, answer->latest);
	else
		fprintf(out, ", at %s%08" PRIx32, tilde, answer->starts[0]);
	if (answer->placed > 1)
		fprintf(out, " .. %s%08" PRIx32, tilde, answer->starts[answer->placed - 1]);
	else if (!answer->certain && !answer->latest)
		fputs(" or above", out);
	putc('\n', out);
}

static void print_largest(FILE *out, const struct view *view)
{
	char now[TEXT_NUMBER], purged[TEXT_NUMBER];
	struct holes_report report;

	holes_report(view->space, &report);
	fprintf(out, "largest hole %s (%s after a purge)\n",
		text_bytes(view, report.largest.end - report.largest.start, now),
		text_bytes(view, report.largest_after_purge.end - report.largest_after_purge.start,
			   purged));
}

static void print_answer(FILE *out, const struct view *view, const struct fit_answer *answer)
{
	print_question(out, &answer->question);
	fprintf(out, ": %s", text_tilde(view));
	if (answer->answer < ATTEMPT_PURGE)
		text_color(out, view, TEXT_ALARM);
	fputs(answer->answer == ATTEMPT_PURGE
		      ? "yes, after the purge that the kernel does by itself"
		      : answer_word(answer->answer),
	      out);
	if (answer->answer < ATTEMPT_PURGE)
		text_color(out, view, TEXT_PLAIN);
	if (fit_succeeds(answer)) {
		print_places(out, view, answer);
		return;
	}
	fputs(": ", out);
	if (answer->question.count > 1)
		fprintf(out, "%" PRIu32 " of them fit; ", answer->placed);
	if (answer->answer == ATTEMPT_PERHAPS && answer->maybe_start)
		fprintf(out, "%08" PRIx32 " may do; ", answer->maybe_start);
	print_largest(out, view);
}

static void print_notes(FILE *out, const struct view *view, const struct fit_answer *answer)
{
	for (unsigned int i = 0; i < FIT_NOTE_COUNT; i++) {
		if (!(answer->notes & (1u << i)))
			continue;
		fputs(" ! ", out);
		text_last(out, view, text_fit_note(i), 3);
	}
	if (space_uncertain(view->space))
		fputs(" ~ the map is uncertain (events lost, or not all is known): so is the "
		      "answer\n",
		      out);
}

const char *text_window_price(const struct view *view, const struct window *window, char *buf,
			      size_t len)
{
	char bytes[TEXT_NUMBER], areas[TEXT_NUMBER];

	snprintf(buf, len, "%s live%s in %s area%s", text_bytes(view, window->live_bytes, bytes),
		 space_totals(view->space).unknown_bytes ? " or not known" : "",
		 text_count(view, window->areas, areas), window->areas == 1 ? "" : "s");
	return buf;
}

static void print_group(FILE *out, const struct view *view, const struct blocker_group *group)
{
	const char *name = names_text(view->names, group->name_id);
	bool own = group->own_areas != 0, seeded = group->oldest->flags & AREA_F_SEEDED;
	char bytes[TEXT_NUMBER], count[TEXT_NUMBER], age[16], older[20], task[TEXT_TASK];
	char label[TEXT_LABEL], text[TEXT_LABEL + 2];

	if (own)
		text_color(out, view, TEXT_OWN);
	snprintf(older, sizeof(older), "%s%s", seeded ? ">" : "",
		 units_duration(text_age(view, group->oldest->birth_ns), age, sizeof(age)));
	fprintf(out, " %7s %6s %7.7s ", text_bytes(view, group->bytes, bytes),
		text_count(view, group->areas, count), older);
	text_field(out, group->kind == KIND_UNKNOWN ? "-" : kind_name(group->kind), KIND_WIDTH);
	putc(' ', out);
	text_field(out, text_task(view, group->pid, group->comm_id, task), TASK_WIDTH);
	snprintf(text, sizeof(text), "%s%s", own ? "@ " : "",
		 text_ascii(*name ? name : "?", label, sizeof(label)));
	if (own)
		text_color(out, view, TEXT_PLAIN);
	putc(' ', out);
	text_last(out, view, text, OWNER_COLUMN);
}

static void print_rest(FILE *out, const struct view *view, const struct blockers *blockers,
		       uint32_t from)
{
	char bytes[TEXT_NUMBER], count[TEXT_NUMBER];
	uint64_t rest = 0;
	uint32_t areas = 0;

	for (uint32_t i = from; i < blockers->nr_groups; i++) {
		rest += blockers->groups[i].bytes;
		areas += blockers->groups[i].areas;
	}
	fprintf(out, " %7s %6s  of %" PRIu32 " more owners\n", text_bytes(view, rest, bytes),
		text_count(view, areas, count), blockers->nr_groups - from);
}

void text_blockers(FILE *out, const struct view *view, const struct blockers *blockers,
		   unsigned int top)
{
	bool own = false;
	uint32_t i;

	if (!blockers->nr_groups)
		return;
	fprintf(out, " %7s %6s %7s %-10s %-16s OWNER\n", "BYTES", "AREAS", "OLDEST", "KIND",
		"TASK");
	for (i = 0; i < blockers->nr_groups && i < top; i++) {
		print_group(out, view, &blockers->groups[i]);
		own |= blockers->groups[i].own_areas != 0;
	}
	if (i < blockers->nr_groups)
		print_rest(out, view, blockers, i);
	if (own)
		fputs(" @ vmtrace's own: gone when it ends\n", out);
}

static void print_window(FILE *out, const struct view *view, const struct window *window,
			 unsigned int top)
{
	struct blockers blockers;
	char price[80];

	fprintf(out, " in the way at the cheapest place, %08" PRIx32 "-%08" PRIx32 ": %s\n",
		window->start, window->end, text_window_price(view, window, price, sizeof(price)));
	if (blockers_collect(view->space, view->names, view->stacks, window, &blockers) < 0) {
		fputs(" out of memory\n", out);
		return;
	}
	text_blockers(out, view, &blockers, top);
	blockers_release(&blockers);
}

void text_fit(FILE *out, const struct view *view, const struct fit_answer *answer, unsigned int top)
{
	print_answer(out, view, answer);
	print_notes(out, view, answer);
	if (answer->window.end)
		print_window(out, view, &answer->window, top);
	else if (answer->answer == ATTEMPT_NO && !answer->placed &&
		 !(answer->notes & FIT_NOTE_PASSED))
		fputs(" the range is too small for it, even when it is empty\n", out);
}

void text_fit_heading(FILE *out, const struct view *view)
{
	putc(' ', out);
	print_largest(out, view);
	fprintf(out, " %7s %-10s %-12s %-9s IN THE WAY AT THE CHEAPEST PLACE\n", "SIZE", "KIND",
		"ANSWER", "ADDRESS");
}

void text_fit_row(FILE *out, const struct view *view, const struct fit_answer *answer)
{
	char bytes[16], word[16], addr[16] = "-", price[80];
	uint32_t start = answer->placed ? answer->starts[0] : answer->maybe_start;

	snprintf(word, sizeof(word), "%s%s", text_tilde(view), answer_word(answer->answer));
	if (start)
		snprintf(addr, sizeof(addr), "%08" PRIx32 "%s", start, answer->certain ? "" : "+");
	fprintf(out, " %7s %-10s %-12s %s",
		units_bytes(answer->question.bytes, bytes, sizeof(bytes)),
		kind_name(answer->question.kind), word, addr);
	if (answer->window.end)
		fprintf(out, "%*s %08" PRIx32 ": %s", 9 - (int)strlen(addr), "",
			answer->window.start,
			text_window_price(view, &answer->window, price, sizeof(price)));
	putc('\n', out);
}
