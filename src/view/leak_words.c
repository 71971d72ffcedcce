// SPDX-License-Identifier: GPL-2.0-only
#include "view/leak_words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "debuginfo/debug_files.h"
#include "units.h"
#include "view/text_util.h"

#define TIME 16

const char *leak_finding_name(enum leak_finding finding)
{
	static const char *const names[] = {
		[LEAK_NONE] = "none",
		[LEAK_FEW] = "few",
		[LEAK_YOUNG] = "young",
		[LEAK_FREED] = "freed",
		[LEAK_BURST] = "burst",
		[LEAK_STOPPED] = "stopped",
		[LEAK_SLOWING] = "slowing",
		[LEAK_STEPS] = "steps",
		[LEAK_LOADED] = "loaded",
		[LEAK_GROWS] = "grows",
		[LEAK_OWNER_GONE] = "owner-gone",
	};

	return names[finding];
}

static const char *duration(uint64_t from_ns, uint64_t to_ns, char buf[TIME])
{
	return units_duration(to_ns > from_ns ? to_ns - from_ns : 0, buf, TIME);
}

static void add(struct leak_words *words, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add(struct leak_words *words, const char *format, ...)
{
	va_list list;

	if (words->count == LEAK_REASONS)
		return;
	va_start(list, format);
	vsnprintf(words->reasons[words->count++], LEAK_WORDS, format, list);
	va_end(list);
}

/* ---- reasons -----------------------------------------------------------------------------------
 */

static void tell_survival(const struct view *view, const struct leaks_report *report,
			  const struct leak_suspect *s, struct leak_words *words)
{
	char since[TIME], live[TEXT_NUMBER];
	uint64_t born = s->born_since > s->live ? s->born_since : s->live;

	add(words, "%s of %" PRIu64 " allocations since +%s still live",
	    text_count(view, s->live, live), born,
	    duration(report->start_ns, s->verdict.first_ns, since));
}

static void tell_growth(const struct leaks_report *report, const struct leak_suspect *s,
			struct leak_words *words)
{
	const struct leak_verdict *v = &s->verdict;
	char bytes[16], span[TIME], wait[TIME], ago[TIME];

	if (s->slope > 0)
		add(words, "+%s/h for %s (median of all slopes), the last %s ago",
		    units_bytes((uint64_t)s->slope, bytes, sizeof(bytes)),
		    duration(v->first_ns, report->now_ns, span),
		    duration(s->newest_ns, report->now_ns, ago));
	else if (v->old > 1)
		add(words, "one more every %s for %s, the last %s ago",
		    units_duration((v->last_ns - v->first_ns) / (v->old - 1), wait, sizeof(wait)),
		    duration(v->first_ns, report->now_ns, span),
		    duration(v->last_ns, report->now_ns, ago));
}

static void tell_freed(const struct leaks_report *report, const struct leak_suspect *s,
		       struct leak_words *words)
{
	char most[TIME], old[TIME], oldest[TIME];

	if (!s->freed) {
		add(words, "none was ever freed");
		return;
	}
	units_duration(leak_ages_percentile(&s->ages, 90), most, sizeof(most));
	add(words,
	    s->freed == 1 ? "%" PRIu64 " was freed, within %.0s%s%s"
			  : "%" PRIu64 " were freed, %s of them within %s%s",
	    s->freed, "90%", most,
	    s->vanished ? " (some by the kernel's list: their free was missed)" : "");
	if (s->verdict.finding == LEAK_GROWS && s->verdict.old_age_ns)
		add(words, "%u are older than %s (the oldest %s), and of such %u were freed",
		    s->verdict.old, units_duration(s->verdict.old_age_ns, old, sizeof(old)),
		    duration(s->oldest_ns, report->now_ns, oldest), s->verdict.freed_old);
}

static void tell_doubt(const struct view *view, const struct leaks_report *report,
		       const struct leak_suspect *s, struct leak_words *words)
{
	if (s->doubtful)
		add(words,
		    "%u more are left out: their free may be among %" PRIu64 " missed events",
		    s->doubtful, report->missed);
	else if (space_uncertain(view->space) && report->missed)
		add(words, "%" PRIu64 " events were missed: too few to explain this",
		    report->missed);
}

const char *leak_brief(const struct leaks_report *report, const struct leak_suspect *s,
		       char buf[LEAK_WORDS])
{
	const struct leak_verdict *v = &s->verdict;
	char a[TIME], b[TIME];

	switch (v->finding) {
	case LEAK_NONE:
		snprintf(buf, LEAK_WORDS, "only such whose free may have been missed");
		break;
	case LEAK_FEW:
		snprintf(buf, LEAK_WORDS, "too few of them are old to tell");
		break;
	case LEAK_YOUNG:
		snprintf(buf, LEAK_WORDS, "none is older than they usually become (%s)",
			 units_duration(leak_ages_percentile(&s->ages, 90), a, sizeof(a)));
		break;
	case LEAK_FREED:
		snprintf(buf, LEAK_WORDS, "others as old as these were freed");
		break;
	case LEAK_BURST:
		snprintf(buf, LEAK_WORDS, "all came within %s; %s of growth would tell",
			 duration(v->first_ns, v->last_ns, a),
			 units_duration(v->needed_ns, b, sizeof(b)));
		break;
	case LEAK_STOPPED:
		snprintf(buf, LEAK_WORDS, "came within %s, none that stayed for %s since",
			 duration(v->first_ns, v->last_ns, a),
			 duration(v->last_ns + v->old_age_ns, report->now_ns, b));
		break;
	case LEAK_SLOWING:
		snprintf(buf, LEAK_WORDS, "ever fewer are added: it fills up");
		break;
	case LEAK_STEPS:
		snprintf(buf, LEAK_WORDS, "came in a few steps, not one by one");
		break;
	case LEAK_LOADED:
		snprintf(buf, LEAK_WORDS, "modules that are loaded: lsmod lists them");
		break;
	case LEAK_GROWS:
		snprintf(buf, LEAK_WORDS, "grows, but %u are too few to tell", v->old);
		break;
	case LEAK_OWNER_GONE:
		snprintf(buf, LEAK_WORDS, "the module is unloaded");
		break;
	}
	return buf;
}

static void tell_gone(const struct view *view, const struct leaks_report *report,
		      const struct leak_suspect *s, struct leak_words *words)
{
	char when[TIME];

	add(words,
	    "the module %s was unloaded at +%s, and %u areas that it allocated are left: "
	    "nobody can free them any more",
	    names_text(view->names, s->module_id), duration(report->start_ns, s->gone_ns, when),
	    s->orphans);
}

/* ---- what would change it, what to do
 * ------------------------------------------------------------ */

static void tell_change(const struct leaks_report *report, const struct leak_suspect *s,
			struct leak_words *words)
{
	const struct leak_verdict *v = &s->verdict;
	uint64_t wait_ns = v->old > 1 ? (v->last_ns - v->first_ns) / (v->old - 1) : 0;
	uint64_t quiet_ns = (report->now_ns - v->first_ns) / 4;
	char a[TIME], *buf = words->would_change;

	if (quiet_ns < 5 * wait_ns)
		quiet_ns = 5 * wait_ns;
	switch (v->finding) {
	case LEAK_OWNER_GONE:
		snprintf(buf, LEAK_WORDS, "nothing but their free, by whoever took them over");
		break;
	case LEAK_GROWS:
		snprintf(buf, LEAK_WORDS, "frees of old ones, or no more of them for %s",
			 units_duration(quiet_ns, a, sizeof(a)));
		break;
	case LEAK_LOADED:
		snprintf(buf, LEAK_WORDS, "an unload after which areas are left");
		break;
	case LEAK_FREED:
	case LEAK_YOUNG:
		snprintf(buf, LEAK_WORDS, "ever more that live longer than any that was freed");
		break;
	default:
		snprintf(buf, LEAK_WORDS, "growth that goes on, for %s and more, and no frees",
			 units_duration(v->needed_ns, a, sizeof(a)));
		break;
	}
}

static void tell_next(const struct view *view, const struct leak_suspect *s,
		      struct leak_words *words)
{
	const char *frame = names_text(view->names, s->owner_id);
	const char *module = strrchr(frame, '[');
	struct debug_line lines[DEBUG_INLINED];
	char symbol[80], file[40];

	snprintf(symbol, sizeof(symbol), "%.*s", (int)strcspn(frame, "+ "), frame);
	if (!strncmp(names_text(view->names, s->module_id), "[at ", 4)) {
		snprintf(words->next, LEAK_WORDS,
			 "load the module again while vmtrace runs: its symbols were gone before "
			 "they could be read");
		return;
	}
	if (!*frame || *frame == '?' || *frame == '(' || !strncmp(frame, "0x", 2)) {
		snprintf(words->next, LEAK_WORDS, "find the function: watch with all probes");
		return;
	}
	if (view->debug && debug_files_lines(view->debug, frame, lines)) {
		const char *slash = strrchr(lines[0].file, '/');

		snprintf(words->next, LEAK_WORDS,
			 "who frees what %s allocates at %.*s:%u, on every path?",
			 lines[0].function, 80, slash ? slash + 1 : lines[0].file, lines[0].line);
		return;
	}
	if (module && module[1])
		snprintf(file, sizeof(file), "%.*s.ko", (int)strcspn(module + 1, "]"), module + 1);
	else
		snprintf(file, sizeof(file), "vmlinux");
	snprintf(words->next, LEAK_WORDS,
		 "who frees what %s gets, on every path? --vmlinux=%s names its line", symbol,
		 file);
}

void leak_words(const struct view *view, const struct leaks_report *report,
		const struct leak_suspect *suspect, struct leak_words *words)
{
	char brief[LEAK_WORDS];

	memset(words, 0, sizeof(*words));
	if (suspect->verdict.finding == LEAK_OWNER_GONE)
		tell_gone(view, report, suspect, words);
	else if (suspect->verdict.score < LEAK_SCORE)
		add(words, "%s", leak_brief(report, suspect, brief));
	tell_survival(view, report, suspect, words);
	if (suspect->verdict.finding == LEAK_GROWS)
		tell_growth(report, suspect, words);
	tell_freed(report, suspect, words);
	tell_doubt(view, report, suspect, words);
	tell_change(report, suspect, words);
	if (suspect->verdict.score >= LEAK_SCORE)
		tell_next(view, suspect, words);
}
