// SPDX-License-Identifier: GPL-2.0-only
#include "screen/terminfo.h"

#include <curses.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>

static bool has(const char *name)
{
	const char *text = tigetstr(name);

	return text && text != (char *)-1;
}

int terminfo_check(int fd, char *why, size_t why_len)
{
	const char *name = getenv("TERM");
	bool able;
	int known = 0;

	if (!name || !*name || !strcmp(name, "dumb")) {
		snprintf(why, why_len, "TERM is %s", name && *name ? name : "not set");
		return -ENOTSUP;
	}
	if (setupterm(name, fd, &known) != OK) {
		snprintf(why, why_len, "terminfo does not know TERM=%.40s", name);
		return -ENOTSUP;
	}
	able = has("cup") && has("clear");
	del_curterm(cur_term);
	if (able)
		return 0;
	snprintf(why, why_len, "TERM=%.40s cannot place a cursor", name);
	return -ENOTSUP;
}
