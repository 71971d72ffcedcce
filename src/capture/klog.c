/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/klog.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>

#include "space/kind.h"

/* include/linux/syslog.h in the kernel's tree; no header of user space has them. */
#define ACTION_READ_ALL    3
#define ACTION_SIZE_BUFFER 10
#define MAX_LOG_BYTES      (16 << 20)

#define MAX_FRAME_TEXT 640 /* the longest kernel symbol is 511 bytes, plus offset and module */
#define NS_PER_S       1000000000ull

/* What is left of a line. */
struct cursor {
	const char *p;
	const char *end;
};

enum part {
	OUTSIDE = 0,
	IN_REPORT, /* after the line that names the task */
	IN_TRACE,  /* after "Call Trace:" */
};

struct scan {
	struct names *names;
	struct stacks *stacks;
	struct klog *klog;
	struct klog_failure now; /* being read; count 0 = none */
	enum part part;
	uint32_t frames[VMT_MAX_FRAMES];
	uint32_t nr_frames;
};

/* ---- words ---------------------------------------------------------------------------------- */

static bool skip(struct cursor *c, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(c->end - c->p) < len || memcmp(c->p, word, len))
		return false;
	c->p += len;
	return true;
}

static int digit_of(char ch, unsigned int base)
{
	int digit = -1;

	if (ch >= '0' && ch <= '9')
		digit = ch - '0';
	else if (ch >= 'a' && ch <= 'f')
		digit = ch - 'a' + 10;
	return digit < (int)base ? digit : -1;
}

static bool number(struct cursor *c, unsigned int base, uint64_t max, uint64_t *value)
{
	uint64_t sum = 0;
	const char *first = c->p;

	for (; c->p < c->end && digit_of(*c->p, base) >= 0; c->p++) {
		unsigned int digit = (unsigned int)digit_of(*c->p, base);

		if (sum > (max - digit) / base)
			return false;
		sum = sum * base + digit;
	}
	*value = sum;
	return c->p > first;
}

static bool number32(struct cursor *c, unsigned int base, uint32_t *value)
{
	uint64_t wide = 0;
	bool ok = number(c, base, UINT32_MAX, &wide);

	*value = ok ? (uint32_t)wide : 0;
	return ok;
}

/* Moves behind the next word in the line. */
static bool find(struct cursor *c, const char *word)
{
	size_t len = strlen(word);
	const char *at = (size_t)(c->end - c->p) < len
				 ? NULL
				 : memmem(c->p, (size_t)(c->end - c->p), word, len);

	if (!at)
		return false;
	c->p = at + len;
	return true;
}

static void skip_blanks(struct cursor *c)
{
	while (c->p < c->end && *c->p == ' ')
		c->p++;
}

/* "<4>", "[  123.456789] " and "[  T121] " (CONFIG_PRINTK_CALLER); the time, 0 if there is none. */
static uint64_t skip_prefix(struct cursor *c)
{
	struct cursor at = *c;
	uint64_t level, seconds, micros, t_ns = 0;

	if (skip(&at, "<") && number(&at, 10, UINT32_MAX, &level) && skip(&at, ">"))
		*c = at;
	at = *c;
	if (!skip(&at, "["))
		return 0;
	skip_blanks(&at);
	if (!number(&at, 10, UINT32_MAX, &seconds) || !skip(&at, ".") ||
	    !number(&at, 10, 999999, &micros) || !skip(&at, "]"))
		return 0;
	t_ns = seconds * NS_PER_S + micros * 1000;
	*c = at;
	if (skip(&at, "[")) {
		while (at.p < at.end && (isalnum((unsigned char)*at.p) || *at.p == ' '))
			at.p++;
		if (skip(&at, "]"))
			*c = at;
	}
	skip(c, " ");
	return t_ns;
}

/* ---- one failure ---------------------------------------------------------------------------- */

static bool is_same(const struct event *a, const struct event *b)
{
	return a->size == b->size && a->vstart == b->vstart && a->vend == b->vend &&
	       a->err == b->err &&
	       (!a->requested || !b->requested || a->requested == b->requested) &&
	       (!a->stack_id || !b->stack_id || a->stack_id == b->stack_id);
}

/* The report of warn_alloc is printed seldom: what one had and this one lacks is the same. */
static void merge(struct event *now, const struct event *before)
{
	if (!now->requested)
		now->requested = before->requested;
	if (now->stack_id || !before->stack_id)
		return;
	now->stack_id = before->stack_id;
	now->kind = before->kind;
	now->pid = before->pid;
	now->comm_id = before->comm_id;
}

static void remove_at(struct klog *klog, uint32_t at)
{
	klog->count--;
	memmove(&klog->list[at], &klog->list[at + 1], (klog->count - at) * sizeof(klog->list[0]));
}

/* The failure that was being read is complete. */
static void finish(struct scan *scan)
{
	struct klog *klog = scan->klog;
	struct event *event = &scan->now.event;

	scan->part = OUTSIDE;
	if (!scan->now.count)
		return;
	if (scan->nr_frames) {
		event->stack_id = stacks_intern(scan->stacks, scan->frames, scan->nr_frames, NULL);
		event->kind = (uint8_t)kind_of_stack(scan->names,
						     stacks_get(scan->stacks, event->stack_id));
	}
	for (uint32_t i = klog->count; i-- > 0;) {
		if (!is_same(event, &klog->list[i].event))
			continue;
		merge(event, &klog->list[i].event);
		scan->now.count += klog->list[i].count;
		remove_at(klog, i);
		break;
	}
	if (klog->count == KLOG_KEPT) {
		remove_at(klog, 0);
		klog->forgotten++;
	}
	klog->list[klog->count++] = scan->now;
	scan->now.count = 0;
}

static void begin(struct scan *scan, uint64_t t_ns, int err)
{
	finish(scan);
	memset(&scan->now, 0, sizeof(scan->now));
	scan->now.count = 1;
	scan->now.event.type = EV_FAIL;
	scan->now.event.t_ns = t_ns;
	scan->now.event.err = err;
	scan->nr_frames = 0;
}

/* "vmap allocation for size ..." and its successor. */
static bool address_line(struct scan *scan, struct cursor c, uint64_t t_ns)
{
	uint32_t size, vstart = 0, vend = 0;

	if (skip(&c, "vmap allocation for size ")) {
		if (!number32(&c, 10, &size) || !skip(&c, " failed"))
			return false;
	} else if (skip(&c, "vmalloc_node_range for size ")) {
		if (!number32(&c, 10, &size) ||
		    !skip(&c, " failed: Address range restricted to 0x") ||
		    !number32(&c, 16, &vstart) || !skip(&c, " - 0x") || !number32(&c, 16, &vend))
			return false;
	} else {
		return false;
	}
	begin(scan, t_ns, -EBUSY);
	scan->now.event.size = size;
	scan->now.event.vstart = vstart;
	scan->now.event.vend = vend;
	return true;
}

static uint64_t with_guard(uint32_t bytes)
{
	return (((uint64_t)bytes + VMT_PAGE_SIZE - 1) & ~(uint64_t)(VMT_PAGE_SIZE - 1)) +
	       VMT_PAGE_SIZE;
}

/* True if the report is about the failure being read: it follows, and has its size. */
static bool belongs(const struct scan *scan, uint32_t bytes)
{
	return scan->now.count && scan->part == OUTSIDE && scan->now.event.err == -EBUSY &&
	       scan->now.event.size == with_guard(bytes);
}

/* A report for bytes; err: why, if it stands alone. */
static void report(struct scan *scan, uint64_t t_ns, uint32_t bytes, int err)
{
	if (!belongs(scan, bytes)) {
		begin(scan, t_ns, err);
		if (bytes && with_guard(bytes) <= UINT32_MAX)
			scan->now.event.size = (uint32_t)with_guard(bytes);
	}
	scan->now.event.requested = bytes;
}

/* What follows "TASK: vmalloc". False: it is no report. */
static bool report_line(struct scan *scan, struct cursor c, uint64_t t_ns)
{
	uint32_t bytes, size;

	if (skip(&c, ": allocation failure: ") && number32(&c, 10, &bytes) && skip(&c, " bytes")) {
		report(scan, t_ns, bytes, -ENOMEM);
	} else if (skip(&c, ": allocation failure, allocated ") && number32(&c, 10, &bytes) &&
		   skip(&c, " of ") && number32(&c, 10, &size) && skip(&c, " bytes")) {
		begin(scan, t_ns, -ENOMEM);
		scan->now.event.size = size;
	} else if (skip(&c, " error: size ") && number32(&c, 10, &bytes) && skip(&c, ", ")) {
		if (find(&c, "vm_struct allocation failed"))
			report(scan, t_ns, bytes, -EBUSY);
		else /* of the others only this one tells what was asked for */
			report(scan, t_ns, skip(&c, "exceeds total pages") ? bytes : 0, -ENOMEM);
	} else {
		return false;
	}
	return true;
}

/* "TASK: vmalloc ...", where TASK is what the task likes to call itself, blanks and all. */
static bool task_line(struct scan *scan, struct cursor c, uint64_t t_ns)
{
	struct cursor at = c;
	size_t len;

	if (!find(&at, ": vmalloc"))
		return false;
	len = (size_t)(at.p - c.p) - strlen(": vmalloc");
	if (len >= VMT_COMM_LEN || !report_line(scan, at, t_ns))
		return false;
	scan->now.event.comm_id = names_intern(scan->names, c.p, len);
	scan->part = IN_REPORT;
	return true;
}

/* ---- its call trace ------------------------------------------------------------------------- */

static bool is_reporter(const char *frame)
{
	static const char *const names[] = { "dump_stack", "dump_stack_lvl", "show_stack",
					     "warn_alloc" };
	size_t len = strcspn(frame, ".+");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strlen(names[i]) == len && !memcmp(names[i], frame, len))
			return true;
	}
	return false;
}

/* "name+0xoff/0xsize [module]" as a frame has it: without the size. False if it is none. */
static bool frame_text(struct cursor c, char *text)
{
	const char *plus, *slash, *rest;
	size_t name_len, rest_len;

	while (c.end > c.p && c.end[-1] == ' ')
		c.end--;
	plus = memchr(c.p, '+', (size_t)(c.end - c.p));
	slash = plus ? memchr(plus, '/', (size_t)(c.end - plus)) : NULL;
	if (!slash || plus == c.p || memchr(c.p, ' ', (size_t)(slash - c.p)))
		return false;
	rest = memchr(slash, ' ', (size_t)(c.end - slash));
	if (!rest)
		rest = c.end;
	name_len = (size_t)(slash - c.p);
	rest_len = (size_t)(c.end - rest);
	if (name_len + rest_len >= MAX_FRAME_TEXT)
		return false;
	memcpy(text, c.p, name_len);
	memcpy(text + name_len, rest, rest_len);
	text[name_len + rest_len] = '\0';
	return true;
}

/* A line of the trace: " name+0x1/0x2 [module]"; "? name" is only a guess. Another line ends it. */
static void trace_line(struct scan *scan, struct cursor c)
{
	char text[MAX_FRAME_TEXT];

	if (!skip(&c, " ")) {
		finish(scan);
		return;
	}
	skip_blanks(&c);
	if (!frame_text(c, text) || scan->nr_frames == VMT_MAX_FRAMES ||
	    (!scan->nr_frames && is_reporter(text)))
		return;
	scan->frames[scan->nr_frames++] = names_intern_str(scan->names, text);
}

/* "CPU: 0 PID: 121 Comm: ..."; with "UID: 0" in between from 6.12 on. */
static void pid_line(struct scan *scan, struct cursor c)
{
	uint32_t pid;

	if (skip(&c, "CPU: ") && find(&c, " PID: ") && number32(&c, 10, &pid))
		scan->now.event.pid = pid;
}

static void take_line(struct scan *scan, struct cursor c)
{
	uint64_t t_ns = skip_prefix(&c);

	if (address_line(scan, c, t_ns) || task_line(scan, c, t_ns))
		return;
	if (scan->part == IN_TRACE) {
		trace_line(scan, c);
	} else if (scan->part == IN_REPORT) {
		pid_line(scan, c);
		if (skip(&c, "Call Trace:"))
			scan->part = IN_TRACE;
	}
}

void klog_parse(const char *text, size_t len, struct names *names, struct stacks *stacks,
		struct klog *klog)
{
	struct scan scan = { .names = names, .stacks = stacks, .klog = klog };
	const char *end = text + len;

	memset(klog, 0, sizeof(*klog));
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		struct cursor line = { text, newline ? newline : end };

		take_line(&scan, line);
		if (!newline)
			break;
		text = newline + 1;
	}
	finish(&scan);
}

int klog_read(struct names *names, struct stacks *stacks, struct klog *klog)
{
	int size = klogctl(ACTION_SIZE_BUFFER, NULL, 0), got;
	char *text;

	memset(klog, 0, sizeof(*klog));
	if (size < 0)
		return -errno;
	if (size > MAX_LOG_BYTES)
		size = MAX_LOG_BYTES;
	text = malloc((size_t)size + 1);
	if (!text)
		return -ENOMEM;
	got = klogctl(ACTION_READ_ALL, text, size);
	if (got < 0)
		got = -errno;
	else
		klog_parse(text, (size_t)got, names, stacks, klog);
	free(text);
	return got < 0 ? got : 0;
}
