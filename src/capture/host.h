/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this machine allows: privileges, kernel configuration, lockdown, settings. Every command
 * that traces asks first, `doctor` prints the answers.
 */
#ifndef VMTRACE_CAPTURE_HOST_H
#define VMTRACE_CAPTURE_HOST_H

#include <stdbool.h>
#include <stdint.h>

enum host_level {
	HOST_OK = 0,
	HOST_NOTE, /* degraded or worth knowing */
	HOST_STOP, /* tracing cannot work */
};

#define HOST_MAX_FINDINGS 16

struct host_finding {
	const char *name; /* "privileges", "kprobes" ... */
	enum host_level level;
	int exit_code;  /* HOST_STOP: 1 or 77 */
	char text[360]; /* what is, and for STOP why and what to do */
};

struct host_findings {
	struct host_finding list[HOST_MAX_FINDINGS];
	uint32_t count;
};

/* Looks at everything. Reads only; needs no privilege itself. */
void host_examine(struct host_findings *findings);

/* The first finding that stops tracing, or NULL. */
const struct host_finding *host_stopper(const struct host_findings *findings);

/* Root, which reading /proc/kcore and /proc/vmallocinfo needs even without BPF. Logs the error. */
bool host_is_root(void);

#endif
