/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "space/kind.h"
#include "units.h"
#include "view/text_util.h"
#include "view/why.h"
#include "view/why_words.h"

#define INDENT      10u /* where what follows a word begins */
#define SCREEN_ROWS 6u  /* of holders: blockers and owners together */
#define FEW_ROWS    2u
#define MODULE_ROWS 2u
#define NS_PER_S    UINT64_C(1000000000)

struct screen {
	FILE *out;
	const struct view *view;
	const struct why_report *report;
	const struct failure *failure;
	const struct diagnosis *d;
};

/* ---- pieces --------------------------------------------------------------------------------- */

/* Words of text up to the columns, the next lines indented; a word too long is not cut. at: columns
 * taken already. */
static void put_words(const struct screen *s, unsigned int at, unsigned int indent,
		      const char *text)
{
	unsigned int columns = text_columns(s->view);
	bool first = true;

	while (*text) {
		unsigned int len = (unsigned int)strcspn(text, " ");

		if (!first && at + 1 + len > columns) {
			putc('\n', s->out);
			text_repeat(s->out, ' ', indent);
			at = indent;
			first = true;
		}
		if (!first)
			putc(' ', s->out);
		fprintf(s->out, "%.*s", (int)len, text);
		at += len + !first;
		first = false;
		text += len;
		text += strspn(text, " ");
	}
	putc('\n', s->out);
}

static void put_line(const struct screen *s, const char *word, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* " word     text", the text from column INDENT on. */
static void put_line(const struct screen *s, const char *word, const char *format, ...)
{
	char text[600];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(s->out, " %-*s", (int)INDENT - 1, word);
	put_words(s, INDENT, INDENT, text);
}

static void put_verdict(const struct screen *s)
{
	char text[400];

	text_color(s->out, s->view, TEXT_ALARM);
	fputs(s->report->from_log ? " NOW: " : " WHY: ", s->out);
	put_words(s, 6, 6, why_sentence(s->failure, s->report->from_log, text, sizeof(text)));
	text_color(s->out, s->view, TEXT_PLAIN);
}

/* ---- who asked, and for what ---------------------------------------------------------------- */

static void put_time(const struct screen *s, char *buf, size_t len)
{
	uint64_t t_ns = s->failure->event.t_ns, base_ns = s->report->base_ns;
	uint64_t ns = t_ns > base_ns ? t_ns - base_ns : 0;

	snprintf(buf, len, "+%" PRIu64 ".%06u", ns / NS_PER_S,
		 (unsigned int)(ns % NS_PER_S / 1000));
}

/* What the log tells first: whoever reads on must know that the space is another by now. */
static void put_log_line(const struct screen *s)
{
	const struct failure *f = s->failure;
	char asked[16], when[40] = "";

	if (f->last_ns)
		snprintf(when, sizeof(when), " at [%5" PRIu64 ".%06u]", f->last_ns / NS_PER_S,
			 (unsigned int)(f->last_ns % NS_PER_S / 1000));
	fprintf(s->out, " Kernel log%s: %s failed. Below: the space now, not then.\n", when,
		s->d->request.size ? units_bytes(s->d->request.size, asked, sizeof(asked))
				   : "a request");
}

static void put_asked(const struct screen *s)
{
	const struct event *event = &s->failure->event;
	char task[TEXT_TASK], when[40], times[40] = "";

	if (s->failure->count > 1)
		snprintf(times, sizeof(times), "; %" PRIu64 " times in all", s->failure->count);
	text_task(s->view, event->pid, event->comm_id, task);
	put_time(s, when, sizeof(when));
	if (s->report->from_log)
		put_line(s, "asked", "%s%s", event->comm_id ? task : "by a task not told", times);
	else
		put_line(s, "asked", "%s at %s%s", task, when, times);
}

/* As many of the frames from index i on as one line holds. */
static void put_callers(const struct screen *s, struct stack stack, uint32_t i)
{
	unsigned int at = INDENT;
	char label[TEXT_LABEL];

	for (; i < stack.nr_frames; i++) {
		text_ascii(names_text(s->view->names, stack.frames[i]), label, sizeof(label));
		if (at > INDENT && at + 3 + strlen(label) > text_columns(s->view))
			break;
		if (at == INDENT)
			text_repeat(s->out, ' ', INDENT - 1);
		at += (unsigned int)fprintf(s->out, " < %s", label);
	}
	if (at > INDENT)
		putc('\n', s->out);
}

/* The function that asked, and who called it. */
static void put_stack(const struct screen *s)
{
	struct stack stack = stacks_get(s->view->stacks, s->failure->event.stack_id);
	uint32_t owner = kind_owner_frame(s->view->names, stack), i = 0;
	char label[TEXT_LABEL];

	if (!stack.nr_frames) {
		put_line(s, "by", "%s",
			 s->report->from_log ? "a function that the log does not name" : "?");
		return;
	}
	while (i < stack.nr_frames && stack.frames[i] != owner)
		i++;
	put_line(s, "by", "%s",
		 text_ascii(names_text(s->view->names, owner), label, sizeof(label)));
	put_callers(s, stack, i + 1);
}

static void put_request(const struct screen *s)
{
	const struct diagnosis *d = s->d;
	const struct event *event = &s->failure->event;
	char payload[16], align[16], range[WHY_NUMBER], errname[TEXT_NUMBER], text[300];
	size_t len = 0, max = sizeof(text);

	if (event->kind != KIND_UNKNOWN)
		len += (size_t)snprintf(text, max, "%s, ", kind_name(event->kind));
	if (d->payload_bytes)
		len += (size_t)snprintf(text + len, max - len, "%s%s",
					units_bytes(d->payload_bytes, payload, sizeof(payload)),
					d->guard_bytes ? " and a guard page" : "");
	else
		len += (size_t)snprintf(text + len, max - len, "size not known");
	if (event->align > 1)
		len += (size_t)snprintf(text + len, max - len, ", aligned to %s",
					units_bytes(event->align, align, sizeof(align)));
	if (event->vend)
		len += (size_t)snprintf(text + len, max - len, ", in %s",
					why_range(event->vstart, event->vend, range));
	snprintf(text + len, max - len, ": %s", text_errno(event->err, errname));
	put_line(s, "request", "%s", text);
}

/* ---- the space ------------------------------------------------------------------------------ */

static void put_space(const struct screen *s)
{
	const struct space_totals *t = &s->d->totals;
	char total[16], used[WHY_NUMBER], guard[WHY_NUMBER], lazy[WHY_NUMBER], free[WHY_NUMBER];

	put_line(s, "space", "%s: used %s in %s%" PRIu32 " areas, guard %s, lazy %s, free %s",
		 units_bytes(t->total_bytes, total, sizeof(total)),
		 why_amount(s->d, t->used_bytes, used), s->d->uncertain ? "~" : "", t->areas,
		 why_amount(s->d, t->guard_bytes, guard), why_amount(s->d, t->lazy_bytes, lazy),
		 why_amount(s->d, t->free_bytes, free));
}

static void put_holes(const struct screen *s)
{
	const struct diagnosis *d = s->d;
	bool cut = d->range_bytes != d->totals.total_bytes;
	char hole[WHY_NUMBER], purged[WHY_NUMBER], text[200] = "none";
	size_t len = strlen(text);

	if (d->largest.end)
		len = (size_t)snprintf(text, sizeof(text), "%s at %08" PRIx32,
				       why_amount(d, why_hole(&d->largest), hole),
				       d->largest.start);
	if (why_hole(&d->after_purge) > why_hole(&d->largest))
		len += (size_t)snprintf(
			text + len, sizeof(text) - len, "; after a purge %s at %08" PRIx32,
			why_amount(d, why_hole(&d->after_purge), purged), d->after_purge.start);
	put_line(s, "largest", "hole%s %s", cut ? " in that range" : "", text);
}

/* Of a list that was read only now no age is known. */
static void put_age(const struct screen *s, const struct holder *holder)
{
	uint64_t t_ns = s->d->t_ns, birth_ns = holder->oldest_birth_ns;
	char age[16] = "";

	if (!s->report->from_log)
		units_duration(t_ns > birth_ns ? t_ns - birth_ns : 0, age, sizeof(age));
	fprintf(s->out, " %s%7.7s ", *age && holder->seeded ? ">" : " ", age);
}

static void put_holder(const struct screen *s, const struct holder *holder)
{
	char bytes[WHY_NUMBER], label[TEXT_LABEL], text[TEXT_LABEL + 8];
	const char *name = names_text(s->view->names, holder->label_id);

	if (holder->own)
		text_color(s->out, s->view, TEXT_OWN);
	fprintf(s->out, "  %8s in %5" PRIu32, why_amount(s->d, holder->bytes, bytes),
		holder->areas);
	put_age(s, holder);
	text_field(s->out, holder->kind == KIND_UNKNOWN ? "-" : kind_name(holder->kind), 10);
	putc(' ', s->out);
	snprintf(text, sizeof(text), "%s%s", holder->own ? "@ " : "",
		 text_ascii(*name ? name : "?", label, sizeof(label)));
	text_last(s->out, s->view, text, 40);
	if (holder->own)
		text_color(s->out, s->view, TEXT_PLAIN);
}

/* At most rows lines, the last of them for what is left. */
static void put_list(const struct screen *s, const struct diagnosis_list *list, unsigned int rows)
{
	bool all = !list->rest_groups && list->count <= rows;
	uint32_t shown = all ? list->count : rows - 1, groups = list->rest_groups;
	uint32_t areas = list->rest.areas, bytes = list->rest.bytes;
	char number[WHY_NUMBER];

	for (uint32_t i = 0; i < list->count; i++) {
		if (i < shown) {
			put_holder(s, &list->list[i]);
			continue;
		}
		groups++;
		areas += list->list[i].areas;
		bytes += list->list[i].bytes;
	}
	if (!all)
		fprintf(s->out, "  %8s in %5" PRIu32 "  of %" PRIu32 " others\n",
			why_amount(s->d, bytes, number), areas, groups);
}

static void put_window(const struct screen *s, unsigned int rows)
{
	const struct diagnosis *d = s->d;
	char range[WHY_NUMBER], live[WHY_NUMBER];

	if (!d->has_window)
		return;
	put_line(s, "nearest", "%s: %s live%s", why_range(d->window.start, d->window.end, range),
		 why_amount(d, d->window.live_bytes, live),
		 !d->blockers.count    ? ""
		 : s->report->from_log ? "; in the way (bytes, areas):"
				       : "; in the way (bytes, areas, oldest):");
	put_list(s, &d->blockers, rows);
}

static void put_owners(const struct screen *s, unsigned int rows)
{
	if (!s->d->owners.count)
		return;
	put_line(s, "most", "of the space is held by (bytes, areas%s):",
		 s->report->from_log ? "" : ", oldest");
	put_list(s, &s->d->owners, rows);
}

/* Where all is full the owners of all of it matter, where it is torn those in the way. */
static void put_holders(const struct screen *s)
{
	const struct diagnosis *d = s->d;
	unsigned int blockers =
		d->verdict == VERDICT_FRAGMENTED ? SCREEN_ROWS - FEW_ROWS : FEW_ROWS;

	if (d->verdict == VERDICT_PAGES || d->unclear == UNCLEAR_REQUEST) {
		put_owners(s, FEW_ROWS);
		return;
	}
	if (d->has_window && d->blockers.count + (d->blockers.rest_groups > 0) < blockers)
		blockers = d->blockers.count ? d->blockers.count : 1;
	put_window(s, blockers);
	put_owners(s, d->has_window ? SCREEN_ROWS - blockers : SCREEN_ROWS - FEW_ROWS);
}

/* ---- what would have helped ----------------------------------------------------------------- */

static void put_help_line(const struct screen *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void put_help_line(const struct screen *s, const char *format, ...)
{
	char text[400];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fputs("   ", s->out);
	put_words(s, 3, 5, text);
}

static void help_modules(const struct screen *s)
{
	const struct diagnosis *d = s->d;

	for (uint32_t i = 0; i < d->nr_modules && i < MODULE_ROWS; i++) {
		const struct diagnosis_module *module = &d->modules[i];
		char bytes[WHY_NUMBER], hole[WHY_NUMBER], label[TEXT_LABEL];

		text_ascii(names_text(s->view->names, module->module_id), label, sizeof(label));
		put_help_line(s, "%s%s, which holds %s: the largest hole becomes %s",
			      module->own ? "ending vmtrace" : "unloading ",
			      module->own ? "" : label, why_amount(d, module->bytes, bytes),
			      why_amount(d, module->hole_bytes, hole));
	}
}

/* What `simulate` says; true if it can be believed. */
static bool help_simulated(const struct screen *s)
{
	const struct sizing *sizing = s->report->sizing;
	uint32_t answer;
	char now[16], low[16];

	if (!sizing || !sizing_trusted(sizing))
		return false;
	answer = sizing->tables[SIZING_RETRIES].answer_bytes;
	units_bytes(s->d->totals.total_bytes, now, sizeof(now));
	if (!answer)
		put_help_line(
			s,
			"no vmalloc=: simulated in up to %s, requests of this recording still "
			"fail",
			units_bytes(sizing_max_bytes(sizing), low, sizeof(low)));
	else if (!sizing_low_bytes(sizing, answer))
		put_help_line(s,
			      "vmalloc=%" PRIu32 "M at boot (%s now): simulated, nothing of this "
			      "recording fails",
			      answer >> 20, now);
	else
		put_help_line(s,
			      "vmalloc=%" PRIu32 "M at boot (%s now): simulated, nothing of this "
			      "recording fails; %" PRIu32 "M of low memory are left",
			      answer >> 20, now, sizing_low_bytes(sizing, answer) >> 20);
	return true;
}

static void help_vmalloc(const struct screen *s)
{
	const struct diagnosis *d = s->d;
	uint32_t wanted = why_vmalloc_megabytes(d);
	char now[16];

	if (!d->more_bytes || help_simulated(s))
		return;
	if (wanted)
		put_help_line(s,
			      "vmalloc=%" PRIu32 "M at boot (%s now; an estimate; it takes low "
			      "memory away)",
			      wanted, units_bytes(d->totals.total_bytes, now, sizeof(now)));
	else
		put_help_line(s, "no vmalloc=: it would leave too little low memory");
}

static void put_help(const struct screen *s)
{
	const struct diagnosis *d = s->d;
	char bytes[WHY_NUMBER];

	if (d->verdict == VERDICT_NONE || d->unclear == UNCLEAR_REQUEST)
		return;
	fprintf(s->out, " WHAT WOULD %s\n", s->report->from_log ? "HELP NOW" : "HAVE HELPED");
	if (d->verdict == VERDICT_PAGES) {
		put_help_line(s, "free memory, or a smaller request; vmalloc= would not: it makes "
				 "the address space larger, not the memory");
		return;
	}
	if (d->unclear == UNCLEAR_ALIGNMENT) {
		put_help_line(s, "a request of less size or less alignment");
		return;
	}
	if (d->verdict == VERDICT_LAZY || d->verdict == VERDICT_UNCLEAR) {
		put_help_line(s, "the same request once more");
		return;
	}
	if (d->smaller_bytes)
		put_help_line(s, "a smaller request: up to %s",
			      why_amount(d, d->smaller_bytes, bytes));
	else
		put_help_line(s, "no smaller request: not even a page would fit");
	help_modules(s);
	help_vmalloc(s);
}

/* ---- all of it ------------------------------------------------------------------------------ */

static void put_failure(const struct screen *s)
{
	if (s->report->from_log)
		put_log_line(s);
	put_verdict(s);
	put_asked(s);
	put_stack(s);
	if (s->d->verdict == VERDICT_NONE)
		return;
	put_request(s);
	put_space(s);
	put_holes(s);
	put_holders(s);
	put_help(s);
}

static void put_count(FILE *out, const struct why_report *report)
{
	if (report->failures <= 1 && report->kinds <= 1)
		return;
	fprintf(out, " %" PRIu64 " failures of %" PRIu64 " kind%s %s", report->failures,
		report->kinds, report->kinds == 1 ? "" : "s",
		report->from_log ? "in the kernel log" : "in all");
	if (report->kinds > report->count)
		fprintf(out, "; 'why %" PRIu64 "' explains more",
			report->kinds < 5 ? report->kinds : 5);
	putc('\n', out);
}

void text_why(FILE *out, const struct view *view, const struct why_report *report)
{
	for (uint32_t i = 0; i < report->count; i++) {
		struct screen screen = {
			.out = out,
			.view = view,
			.report = report,
			.failure = &report->list[i],
			.d = &report->list[i].diagnosis,
		};

		if (i)
			putc('\n', out);
		put_failure(&screen);
	}
	put_count(out, report);
}
