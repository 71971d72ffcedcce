/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages to the user: stderr, one line each, "vmtrace: " in front. */
#ifndef VMTRACE_LOG_H
#define VMTRACE_LOG_H

#include <stdarg.h>

enum log_level {
	LOG_ERROR = 0, /* what happened, why, what to do */
	LOG_NOTE,      /* something is degraded; silenced by -q */
	LOG_INFO,      /* progress; silenced by -q, shown with it off */
	LOG_DEBUG,     /* -v */
	LOG_LIBBPF,    /* -vv: libbpf's own words */
};

/* The most detailed level that is printed; LOG_INFO at start. */
void log_set_level(enum log_level level);
enum log_level log_level(void);

void log_message(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void log_vmessage(enum log_level level, const char *format, va_list args);

/*
 * While a screen covers the terminal, lines go to take instead of stderr: from any thread, and it
 * must not log itself. NULL: to stderr again.
 */
typedef void log_taker(void *context, enum log_level level, const char *line);
void log_divert(log_taker *take, void *context);

#define log_error(...) log_message(LOG_ERROR, __VA_ARGS__)
#define log_note(...)  log_message(LOG_NOTE, __VA_ARGS__)
#define log_info(...)  log_message(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_message(LOG_DEBUG, __VA_ARGS__)

#endif
