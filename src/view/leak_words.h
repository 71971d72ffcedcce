/* SPDX-License-Identifier: GPL-2.0-only */
/* The verdict on a group in words, the same for text and JSON. Only src/view includes it. */
#ifndef VMTRACE_VIEW_LEAK_WORDS_H
#define VMTRACE_VIEW_LEAK_WORDS_H

#include <stdint.h>

#include "space/leaks.h"
#include "view/text.h"

#define LEAK_REASONS 6
#define LEAK_WORDS   200

struct leak_words {
	char reasons[LEAK_REASONS][LEAK_WORDS]; /* what speaks for the score */
	uint32_t count;
	char would_change[LEAK_WORDS]; /* what would change the verdict */
	char next[LEAK_WORDS];         /* what to do next; "" for what is no leak */
};

void leak_words(const struct view *view, const struct leaks_report *report,
		const struct leak_suspect *suspect, struct leak_words *words);

/* "grows", "stopped" ...: a name that never changes. */
const char *leak_finding_name(enum leak_finding finding);

/* The finding in a few words, for a table: "none added for 12m". */
const char *leak_brief(const struct leaks_report *report, const struct leak_suspect *suspect,
		       char buf[LEAK_WORDS]);

#endif
