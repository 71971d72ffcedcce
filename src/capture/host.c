/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/host.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "file.h"
#include "log.h"

#define NOT_ROOT                                                                              \
	"need root (or CAP_BPF,CAP_PERFMON,CAP_SYSLOG and uid 0 for /proc/vmallocinfo): run " \
	"'sudo vmtrace'. Without it, 'vmtrace map -i FILE' still works"

static struct host_finding *add(struct host_findings *findings, const char *name,
				enum host_level level, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static struct host_finding *add(struct host_findings *findings, const char *name,
				enum host_level level, const char *format, ...)
{
	struct host_finding *finding = &findings->list[findings->count];
	va_list args;

	if (findings->count < HOST_MAX_FINDINGS - 1)
		findings->count++;
	finding->name = name;
	finding->level = level;
	finding->exit_code = level == HOST_STOP ? 77 : 0;
	va_start(args, format);
	vsnprintf(finding->text, sizeof(finding->text), format, args);
	va_end(args);
	return finding;
}

/* The value of a small /proc or /sys number, -1 if it cannot be read. */
static int read_number(const char *path)
{
	char line[32];

	if (file_read_line(path, line, sizeof(line)) <= 0)
		return -1;
	return atoi(line);
}

static void look_privileges(struct host_findings *findings)
{
	if (geteuid() == 0)
		add(findings, "privileges", HOST_OK, "root");
	else
		add(findings, "privileges", HOST_STOP, NOT_ROOT)->exit_code = 1;
}

static void look_machine(struct host_findings *findings)
{
	struct utsname uts;

	if (uname(&uts) < 0)
		return;
	if (uts.machine[0] == 'i' && !strcmp(uts.machine + 2, "86"))
		add(findings, "kernel", HOST_OK, "%s %s", uts.release, uts.machine);
	else
		add(findings, "kernel", HOST_STOP,
		    "kernel %s is %s: vmtrace traces 32-bit x86 kernels. To read a recording "
		    "made on one: 'vmtrace map -i FILE'",
		    uts.release, uts.machine);
}

static void look_lockdown(struct host_findings *findings)
{
	char line[128];

	if (file_read_line("/sys/kernel/security/lockdown", line, sizeof(line)) <= 0)
		add(findings, "lockdown", HOST_OK, "none (no /sys/kernel/security/lockdown)");
	else if (strstr(line, "[confidentiality]"))
		add(findings, "lockdown", HOST_STOP,
		    "kernel lockdown is 'confidentiality' (/sys/kernel/security/lockdown): "
		    "kprobes, "
		    "BPF reads and /proc/kcore are forbidden. Boot with lockdown=integrity; until "
		    "then /proc/vmallocinfo is all there is");
	else
		add(findings, "lockdown", HOST_OK, "%s", line);
}

static void look_kprobes(struct host_findings *findings)
{
	int enabled = read_number("/sys/kernel/debug/kprobes/enabled");
	int ftrace = read_number("/proc/sys/kernel/ftrace_enabled");

	if (access("/sys/bus/event_source/devices/kprobe/type", F_OK) < 0 &&
	    access("/sys/kernel/tracing/kprobe_events", F_OK) < 0 &&
	    access("/sys/kernel/debug/tracing/kprobe_events", F_OK) < 0)
		add(findings, "kprobes", HOST_STOP,
		    "the kernel has no kprobe events (CONFIG_KPROBES, CONFIG_KPROBE_EVENTS; before "
		    "Linux 4.17 also tracefs at /sys/kernel/tracing): nothing can be traced. "
		    "'vmtrace snapshot' works without");
	else if (enabled == 0)
		add(findings, "kprobes", HOST_STOP,
		    "kprobes are switched off: echo 1 >/sys/kernel/debug/kprobes/enabled. "
		    "'vmtrace snapshot' works without");
	else if (ftrace == 0)
		add(findings, "kprobes", HOST_STOP,
		    "kernel.ftrace_enabled is 0, which disables kprobes at function entries: "
		    "sysctl kernel.ftrace_enabled=1. 'vmtrace snapshot' works without");
	else
		add(findings, "kprobes", HOST_OK, "available");
}

static void look_bpf(struct host_findings *findings)
{
	long result = syscall(SYS_bpf, -1, NULL, 0);
	int jit = read_number("/proc/sys/net/core/bpf_jit_enable");

	if (result < 0 && errno == ENOSYS) {
		add(findings, "bpf", HOST_STOP,
		    "the kernel has no bpf system call (CONFIG_BPF_SYSCALL). 'vmtrace snapshot' "
		    "works without");
		return;
	}
	add(findings, "bpf", HOST_OK, "bpf system call present");
	if (jit < 0)
		add(findings, "jit", HOST_NOTE,
		    "no BPF JIT in this kernel: programs are "
		    "interpreted");
	else if (jit == 0)
		add(findings, "jit", HOST_NOTE,
		    "off (net.core.bpf_jit_enable=0): programs are interpreted; "
		    "sysctl net.core.bpf_jit_enable=1 before the start makes probes cheaper");
	else
		add(findings, "jit", HOST_OK, "on (net.core.bpf_jit_enable=%d)", jit);
}

static void look_symbols(struct host_findings *findings)
{
	int kptr = read_number("/proc/sys/kernel/kptr_restrict");

	if (kptr == 2)
		add(findings, "kptr_restrict", HOST_NOTE,
		    "2: hides symbols and the kernel's list even from root; areas that exist "
		    "already are unknown until freed. --seed=sysctl sets it to 1 to read it");
	else if (kptr == 0)
		add(findings, "kptr_restrict", HOST_OK,
		    "0: /proc/vmallocinfo is hashed; raised to 1 for each read and restored");
	else
		add(findings, "kptr_restrict", HOST_OK, "%d", kptr);
}

void host_examine(struct host_findings *findings)
{
	memset(findings, 0, sizeof(*findings));
	look_machine(findings);
	look_privileges(findings);
	look_lockdown(findings);
	look_kprobes(findings);
	look_bpf(findings);
	look_symbols(findings);
}

const struct host_finding *host_stopper(const struct host_findings *findings)
{
	for (uint32_t i = 0; i < findings->count; i++) {
		if (findings->list[i].level == HOST_STOP)
			return &findings->list[i];
	}
	return NULL;
}

bool host_is_root(void)
{
	if (geteuid() == 0)
		return true;
	log_error(NOT_ROOT);
	return false;
}
