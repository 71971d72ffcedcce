/* SPDX-License-Identifier: GPL-2.0-only */
#include "log.h"

#include <stdio.h>

static enum log_level level_shown = LOG_INFO;
static log_taker *taker;
static void *taker_context;

void log_set_level(enum log_level level)
{
	level_shown = level;
}

enum log_level log_level(void)
{
	return level_shown;
}

void log_vmessage(enum log_level level, const char *format, va_list args)
{
	char line[1024];

	if (level > level_shown)
		return;
	vsnprintf(line, sizeof(line), format, args);
	if (taker)
		taker(taker_context, level, line);
	else
		fprintf(stderr, "vmtrace: %s%s\n", level == LOG_NOTE ? "note: " : "", line);
}

void log_divert(log_taker *take, void *context)
{
	taker_context = context;
	taker = take;
}

void log_message(enum log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_vmessage(level, format, args);
	va_end(args);
}
