// SPDX-License-Identifier: GPL-2.0-only
#include "view/simulate.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "space/kind.h"
#include "space/owners.h"
#include "units.h"
#include "view/text_util.h"

/* Laid out for 80 columns wherever it goes. */
static struct view plain_view(const struct simulate_view *view)
{
	return (struct view){ .names = view->names, .stacks = view->stacks };
}

#define LABEL_COLUMNS 12

/* A sentence, broken between words, behind a label of LABEL_COLUMNS columns; NULL: none, at the
 * margin. */
static void say(FILE *out, const struct simulate_view *view, const char *label, const char *format,
		...) __attribute__((format(printf, 4, 5)));

static void say(FILE *out, const struct simulate_view *view, const char *label, const char *format,
		...)
{
	struct view plain = plain_view(view);
	struct text_flow flow = text_flow_new(out, &plain, 1);
	char text[640], *rest = NULL, *word;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	flow.indent = label ? LABEL_COLUMNS : 1;
	if (label) {
		fprintf(out, " %-*s", LABEL_COLUMNS - 2, label);
		flow.at = LABEL_COLUMNS - 1;
	}
	for (word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		text_flow_item(&flow, &plain, TEXT_PLAIN, word);
	text_flow_end(&flow);
}

/* Bytes; with '~' if events were lost, since all then is a guess. */
static const char *bytes_text(const struct simulate_view *view, uint64_t bytes,
			      char buf[TEXT_NUMBER])
{
	char number[16];

	snprintf(buf, TEXT_NUMBER, "%s%s", view->sizing->facts.lost ? "~" : "",
		 units_bytes(bytes, number, sizeof(number)));
	return buf;
}

/* "192M" as one writes it after vmalloc=; recorded sizes and low memory need not be round. */
static const char *size_text(uint32_t bytes, char buf[TEXT_NUMBER])
{
	if (bytes % (1u << 20) == 0)
		snprintf(buf, TEXT_NUMBER, "%uM", bytes >> 20);
	else
		units_bytes(bytes, buf, TEXT_NUMBER);
	return buf;
}

static uint32_t recorded_bytes(const struct simulate_view *view)
{
	return view->header->vmalloc_end - view->header->vmalloc_start;
}

static const struct sizing_table *table_of(const struct simulate_view *view, enum sizing_mode mode)
{
	return &view->sizing->tables[mode];
}

/* ---- the answer
 * ------------------------------------------------------------------------------------ */

static void say_cost(FILE *out, const struct simulate_view *view, uint32_t bytes)
{
	uint32_t recorded = recorded_bytes(view);
	char more[TEXT_NUMBER], left[TEXT_NUMBER], before[TEXT_NUMBER];

	if (bytes <= recorded || !sizing_low_bytes(view->sizing, bytes))
		return;
	say(out, view, NULL, "It costs %s of low memory: %s instead of %s.",
	    size_text(bytes - recorded, more),
	    size_text(sizing_low_bytes(view->sizing, bytes), left),
	    size_text(sizing_low_bytes(view->sizing, recorded), before));
}

/* "the failure does", "none of the 14 failures does", for "... not happen". */
static const char *failures_text(uint64_t fails, char buf[64])
{
	if (fails == 1)
		return "the failure does not happen";
	snprintf(buf, 64, "none of the %" PRIu64 " failures happens", fails);
	return buf;
}

static void say_enough(FILE *out, const struct simulate_view *view, uint32_t bytes)
{
	const struct simulation_result *row = sizing_row(view->sizing, SIZING_RETRIES, bytes);
	char size[TEXT_NUMBER], hole[TEXT_NUMBER], failures[64];

	size_text(bytes, size);
	bytes_text(view, row->min_largest_purged_bytes, hole);
	if (view->sizing->facts.fails)
		say(out, view, NULL,
		    "vmalloc=%s is enough: %s, and the largest hole, as a purge would leave it, is "
		    "never smaller than %s.",
		    size, failures_text(view->sizing->facts.fails, failures), hole);
	else
		say(out, view, NULL,
		    "Nothing failed, and in %s nothing fails: the largest hole, as a purge would "
		    "leave it, is never smaller than %s.",
		    size, hole);
	say_cost(out, view, bytes);
}

static void say_none(FILE *out, const struct simulate_view *view)
{
	const struct sizing_table *table = table_of(view, SIZING_RETRIES);
	const struct simulation_result *row = &table->rows[table->count - 1];
	char size[TEXT_NUMBER], left[TEXT_NUMBER];

	size_text(row->options.bytes, size);
	size_text(sizing_low_bytes(view->sizing, row->options.bytes), left);
	if (view->sizing->search)
		say(out, view, NULL,
		    "No size is enough: in %s, which leaves %s of low memory, %" PRIu64
		    " requests fail.",
		    size, left, sizing_row_fails(row));
	else
		say(out, view, NULL, "Requests fail in every size asked for: in %s %" PRIu64 " do.",
		    size, sizing_row_fails(row));
}

/* Failures of one requester are taken for one need that is tried again. If they were not: */
static void say_each(FILE *out, const struct simulate_view *view)
{
	const struct sizing_table *table = table_of(view, SIZING_EACH);
	uint32_t bytes = table->answer_bytes;
	char size[TEXT_NUMBER];

	if (!table->count || bytes == table_of(view, SIZING_RETRIES)->answer_bytes)
		return;
	if (bytes)
		say(out, view, NULL,
		    "Repeated failures of one requester count as one need. If each is one of its "
		    "own: vmalloc=%s.",
		    size_text(bytes, size));
	else
		say(out, view, NULL,
		    "Repeated failures of one requester count as one need. If each is one of its "
		    "own, no size that was tried is enough.");
}

static double percent(uint64_t part, uint64_t all)
{
	return all ? 100.0 * (double)part / (double)all : 100.0;
}

/* What the model does not explain it cannot tell how to prevent. */
static void say_doubts(FILE *out, const struct simulate_view *view)
{
	const struct simulate_recorded *facts = &view->sizing->facts;
	double predicted = sizing_predicted_percent(view->sizing);

	if (facts->fails_predicted && facts->fails_predicted < facts->fails)
		say(out, view, NULL,
		    "Doubtful: by what was recorded there was room for %" PRIu64 " of the %" PRIu64
		    " requests that failed.",
		    facts->fails - facts->fails_predicted, facts->fails);
	if (predicted < SIZING_TRUST_PERCENT)
		say(out, view, NULL,
		    "Doubtful: only %.2f%% of the recorded addresses are those that the model "
		    "predicts.",
		    predicted);
}

static void say_answer(FILE *out, const struct simulate_view *view)
{
	const struct simulate_recorded *facts = &view->sizing->facts;
	uint32_t bytes = table_of(view, SIZING_RETRIES)->answer_bytes;

	if (facts->fails && !facts->fails_predicted)
		say(out, view, NULL,
		    "No size can be named: by what was recorded there was room for all that "
		    "failed.");
	else if (bytes)
		say_enough(out, view, bytes);
	else
		say_none(out, view);
	say_each(out, view);
	if (view->sizing->cpus != view->header->cpus)
		say(out, view, NULL, "All this with %" PRIu32 " CPUs, recorded with %" PRIu32 ".",
		    view->sizing->cpus, view->header->cpus);
	if (view->sizing->search && !view->sizing->again && facts->fails)
		say(out, view, NULL,
		    "A pipe is read only once, so the sizes are coarse: give a file.");
	say_doubts(out, view);
}

/* ---- the recording and the model
 * --------------------------------------------------------------------- */

static void say_recording(FILE *out, const struct simulate_view *view)
{
	const struct simulate_recorded *facts = &view->sizing->facts;
	char size[TEXT_NUMBER], time[16], kernel[128];

	say(out, view, "recording",
	    "%s, %" PRIu32 " CPUs, %s; %" PRIu64 " allocations in %s, %" PRIu64 " failed",
	    text_ascii(view->header->kernel, kernel, sizeof(kernel)), view->header->cpus,
	    size_text(recorded_bytes(view), size), facts->allocs,
	    units_duration(facts->end_ns - facts->begin_ns, time, sizeof(time)), facts->fails);
	if (facts->fails_pages)
		say(out, view, "", "%" PRIu64 " more failures are not about addresses: not played",
		    facts->fails_pages);
	if (facts->lost || facts->lost_allocs || facts->lost_frees || view->cut_off)
		say(out, view, "",
		    "%" PRIu64 " events lost; %" PRIu64 " allocations and %" PRIu64
		    " frees found out later%s",
		    facts->lost, facts->lost_allocs, facts->lost_frees,
		    view->cut_off ? "; it was cut off" : "");
}

static void say_missed(FILE *out, const struct simulate_view *view)
{
	static const char *const causes[SIMULATE_CAUSE_COUNT] = {
		[SIMULATE_RACED] = "raced",       [SIMULATE_PURGING] = "during a purge",
		[SIMULATE_ALIGNED] = "aligned",   [SIMULATE_NO_ENTRY] = "request unknown",
		[SIMULATE_LOST] = "after a loss", [SIMULATE_OTHER] = "unexplained",
	};
	const struct simulate_recorded *facts = &view->sizing->facts;
	char text[256] = "";
	size_t at = 0;

	for (int i = 0; i < SIMULATE_CAUSE_COUNT; i++) {
		if (facts->missed[i] && at < sizeof(text))
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%" PRIu64 " %s",
					       at ? ", " : "", facts->missed[i], causes[i]);
	}
	if (at)
		say(out, view, "", "not predicted: %s", text);
}

/* The simulation of the recorded size, which never sees a recorded address. */
static void say_running(FILE *out, const struct simulate_view *view)
{
	const struct simulate_recorded *facts = &view->sizing->facts;
	const struct simulation_result *running = &view->sizing->free_running;
	char mean[16], most[16], hole[64] = "the same";

	if (facts->curve_max_bytes)
		snprintf(hole, sizeof(hole), "%s off on average, at most %s",
			 units_bytes(facts->curve_sum_bytes / facts->curve_points, mean,
				     sizeof(mean)),
			 units_bytes(facts->curve_max_bytes, most, sizeof(most)));
	say(out, view, "",
	    "left to itself: %.2f%% of the addresses; %" PRIu64 " failures%s; largest hole %s",
	    percent(running->same_address, facts->allocs), running->fails_stay,
	    running->fails_new ? ", and some that were none" : "", hole);
}

static void say_model(FILE *out, const struct simulate_view *view)
{
	const struct simulate_recorded *facts = &view->sizing->facts;
	uint64_t exact = facts->exact + facts->exact_reordered;
	char order[96] = "";

	if (!facts->allocs && !facts->fails)
		return;
	if (facts->exact_reordered)
		snprintf(order, sizeof(order),
			 ", %" PRIu64 " of them by putting concurrent allocations in order",
			 facts->exact_reordered);
	say(out, view, "model",
	    "%" PRIu64 " of %" PRIu64 " addresses predicted (%.2f%%)%s; %" PRIu64 " of %" PRIu64
	    " failures",
	    exact, facts->allocs, percent(exact, facts->allocs), order, facts->fails_predicted,
	    facts->fails);
	say_missed(out, view);
	say_running(out, view);
	if (facts->rules.next_fit)
		say(out, view, "",
		    "this kernel goes on where it last was (before 5.2): addresses are guesses");
}

/* ---- the table
 * ------------------------------------------------------------------------------------------ */

#define ROWS_ABOVE 2 /* the answer, in a search */

struct row {
	const char *size;
	uint32_t bytes;
	uint64_t stay;
	uint64_t gone;
	uint64_t new;
	const struct simulation_result *result;
};

static void print_row(FILE *out, const struct simulate_view *view, const struct row *row)
{
	const struct simulation_result *result = row->result;
	uint32_t low_bytes = sizing_low_bytes(view->sizing, row->bytes);
	char low[TEXT_NUMBER], used[TEXT_NUMBER], lazy[TEXT_NUMBER], hole[TEXT_NUMBER],
		end[TEXT_NUMBER];

	fprintf(out, " %8s%8s%6" PRIu64 "%6" PRIu64 "%6" PRIu64 "%9s%9s%8" PRIu64 "%9s%9s\n",
		row->size, low_bytes ? size_text(low_bytes, low) : "?", row->stay, row->gone,
		row->new, bytes_text(view, result->max_used_bytes, used),
		bytes_text(view, result->max_lazy_bytes, lazy), result->purges_overflow,
		bytes_text(view, result->min_largest_purged_bytes, hole),
		bytes_text(view, result->largest_purged_bytes, end));
}

static void print_recorded(FILE *out, const struct simulate_view *view)
{
	const struct simulate_recorded *facts = &view->sizing->facts;
	struct simulation_result truth = view->sizing->truth;
	struct row row = { .size = "recorded",
			   .bytes = recorded_bytes(view),
			   .stay = facts->fails,
			   .result = &truth };

	truth.purges_overflow = facts->purges_overflow;
	print_row(out, view, &row);
}

/* In a search what is much larger than the answer tells nothing. */
static bool is_shown(const struct simulate_view *view, uint32_t index)
{
	const struct sizing_table *table = table_of(view, SIZING_RETRIES);

	if (!view->sizing->search || !table->answer_bytes || index < ROWS_ABOVE)
		return true;
	return table->rows[index - ROWS_ABOVE].options.bytes < table->answer_bytes;
}

static void print_table(FILE *out, const struct simulate_view *view)
{
	const struct sizing_table *table = table_of(view, SIZING_RETRIES);
	char size[TEXT_NUMBER];

	fprintf(out, " %8s%8s%6s%6s%6s%9s%9s%8s%9s%9s\n", "VMALLOC", "LOWMEM", "STAY", "GONE",
		"NEW", "MAX USED", "MAX LAZY", "PURGES", "HOLE >=", "AT END");
	print_recorded(out, view);
	for (uint32_t i = 0; i < table->count; i++) {
		const struct simulation_result *result = &table->rows[i];
		struct row row = { .size = size_text(result->options.bytes, size),
				   .bytes = result->options.bytes,
				   .stay = result->fails_stay,
				   .gone = result->fails_gone,
				   .new = result->fails_new + result->seeds_failed,
				   .result = result };

		if (is_shown(view, i))
			print_row(out, view, &row);
	}
	fputs(" STAY, GONE: failures of the recording; NEW: only here. PURGES: since nothing fit."
	      "\n HOLE >=: the largest hole, as a purge would leave it, at its smallest.\n",
	      out);
}

/* The largest size in which something fails. */
static const struct simulation_result *last_failing(const struct simulate_view *view)
{
	const struct sizing_table *table = table_of(view, SIZING_RETRIES);

	for (uint32_t i = table->count; i-- > 0;) {
		if (table->rows[i].first.t_ns)
			return &table->rows[i];
	}
	return NULL;
}

static void print_first_failure(FILE *out, const struct simulate_view *view)
{
	const struct simulation_result *row = last_failing(view);
	struct view plain = plain_view(view);
	struct area area = { .state = AREA_USED };
	char size[TEXT_NUMBER], bytes[16], time[16], task[TEXT_TASK], owner[TEXT_LABEL];
	const struct simulation_failure *first;

	if (!row)
		return;
	first = &row->first;
	area.origin = area_origin(first->stack_id, 0);
	say(out, view, "fails", "%s: the first is %s, %s by %s, %s, %s after the start",
	    size_text(row->options.bytes, size), units_bytes(first->size, bytes, sizeof(bytes)),
	    kind_name(first->kind), text_task(&plain, first->pid, first->comm_id, task),
	    text_owner(&plain, &area, owner),
	    units_duration(first->t_ns > view->sizing->facts.begin_ns
				   ? first->t_ns - view->sizing->facts.begin_ns
				   : 0,
			   time, sizeof(time)));
}

void text_simulate(FILE *out, const struct simulate_view *view)
{
	say_answer(out, view);
	putc('\n', out);
	print_table(out, view);
	print_first_failure(out, view);
	putc('\n', out);
	say_recording(out, view);
	say_model(out, view);
}
