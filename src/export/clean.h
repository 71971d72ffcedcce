/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names as a format can carry them. Task names and symbols are arbitrary bytes: a name must not be
 * able to end a line, close a quote, add a frame or drive a terminal.
 */
#ifndef VMTRACE_EXPORT_CLEAN_H
#define VMTRACE_EXPORT_CLEAN_H

enum clean_rule {
	CLEAN_TEXT = 0, /* control characters become '?', bytes that are no UTF-8 U+FFFD */
	CLEAN_FRAME, /* also ';' ':' and blanks '_', except the one before "[module]": flamegraph.pl
		      * takes "name 12 34" for a name and two numbers */
};

/* A clean copy, to be freed; NULL when memory runs out. Clean text is copied as it is. */
char *clean_text(const char *text, enum clean_rule rule);

#endif
