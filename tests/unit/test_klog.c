// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/klog.h"

#define MB 1048576u

struct fixture {
	struct names *names;
	struct stacks *stacks;
	struct klog klog;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	f->names = names_new();
	f->stacks = stacks_new();
	return f->names && f->stacks ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	stacks_free(f->stacks);
	names_free(f->names);
	free(f);
	return 0;
}

/* At the end of its allocation, so that the sanitizer sees a byte read too far. */
static uint32_t parse(struct fixture *f, const char *text, size_t len)
{
	char *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, text, len);
	klog_parse(copy, len, f->names, f->stacks, &f->klog);
	free(copy);
	return f->klog.count;
}

static uint32_t parse_str(struct fixture *f, const char *text)
{
	return parse(f, text, strlen(text));
}

static const char *frame(const struct fixture *f, const struct event *event, uint32_t i)
{
	struct stack stack = stacks_get(f->stacks, event->stack_id);

	return i < stack.nr_frames ? names_text(f->names, stack.frames[i]) : "";
}

/* As the kernels printed it when vmfail.ko asked for 16 MB of a full space. */
static const char linux_510[] =
	"<4>[    7.269664] vmap allocation for size 4198400 failed: use vmalloc=<size> to increase "
	"size\n"
	"<6>[    7.269700] vmfail: op=fill bytes=4194304 held=29\n"
	"<4>[    7.271752] vmap allocation for size 16781312 failed: use vmalloc=<size> to increase "
	"size\n"
	"<4>[    7.272023] sh: vmalloc: allocation failure: 16777216 bytes, mode:0xcc0(GFP_KERNEL), "
	"nodemask=(null),cpuset=/,mems_allowed=0\n"
	"<4>[    7.272359] CPU: 1 PID: 109 Comm: sh Tainted: G           OE     5.10.0-32-686-pae #1 "
	"Debian 5.10.223-1\n"
	"<4>[    7.272373] Hardware name: QEMU Standard PC (i440FX + PIIX, 1996)\n"
	"<4>[    7.272462] Call Trace:\n"
	"<4>[    7.273189]  dump_stack+0x54/0x68\n"
	"<4>[    7.273231]  warn_alloc.cold+0x52/0xac\n"
	"<4>[    7.273288]  vmalloc+0xca/0xe0\n"
	"<4>[    7.273597]  vmfail_ask_loud+0xd/0x10 [vmfail]\n"
	"<4>[    7.273629]  ? apparmor_file_permission+0x52/0x160\n"
	"<4>[    7.273714]  ? 0xf7840000\n"
	"<4>[    7.273609]  cmd_loud+0x10/0x30 [vmfail]\n"
	"<4>[    7.273902] EIP: 0xb7fe3559\n"
	"<4>[    7.274118] Code: 03 74 c0 01 10 05\n";

static const char linux_61[] =
	"[    6.167807] vmap allocation for size 16781312 failed: use vmalloc=<size> to increase size\n"
	"[    6.167978] sh: vmalloc error: size 16777216, vm_struct allocation failed, "
	"mode:0xcc0(GFP_KERNEL), nodemask=(null),cpuset=/,mems_allowed=0\n"
	"[    6.168705] CPU: 0 PID: 121 Comm: sh Tainted: G           OE      6.1.0-50-686-pae #1\n"
	"[    6.168961] Call Trace:\n"
	"[    6.169757]  dump_stack_lvl+0x34/0x44\n"
	"[    6.170280]  dump_stack+0xd/0x10\n"
	"[    6.170296]  warn_alloc.cold+0x52/0xbf\n"
	"[    6.170323]  __vmalloc_node_range+0x99/0x570\n"
	"[    6.170389]  ? vmfail_ask_loud+0xd/0x10 [vmfail]\n"
	"[    6.170482]  vmalloc+0x5f/0x70\n"
	"[    6.170522]  vmfail_ask_loud+0xd/0x10 [vmfail]\n"
	"[    6.170542]  cmd_loud+0x10/0x30 [vmfail]\n";

/* Without times, as with CONFIG_PRINTK_TIME off. */
static const char linux_612[] =
	"vmalloc_node_range for size 16781312 failed: Address range restricted to 0xf77fe000 - "
	"0xfeffe000\n"
	"sh: vmalloc error: size 16777216, vm_struct allocation failed, mode:0xcc0(GFP_KERNEL), "
	"nodemask=(null)\n"
	"CPU: 0 UID: 0 PID: 79 Comm: sh Tainted: G           O       6.12.95-built-6.12 #4 \n"
	"Tainted: [O]=OOT_MODULE\n"
	"Call Trace:\n"
	" dump_stack_lvl+0x56/0x64\n"
	" dump_stack+0x12/0x18\n"
	" warn_alloc+0xe4/0x154\n"
	" __vmalloc_node_range_noprof+0xa3/0x4e4\n"
	" ? mntput+0x20/0x3c\n"
	" vmalloc_noprof+0x6c/0x74\n"
	" vmfail_ask_loud+0xd/0x10 [vmfail]\n"
	"EIP: 0xb7f1c579\n";

static void assert_16m(const struct fixture *f, const struct event *event, uint64_t t_ns,
		       uint32_t pid)
{
	assert_int_equal(event->type, EV_FAIL);
	assert_int_equal(event->size, 16 * MB + 4096);
	assert_int_equal(event->requested, 16 * MB);
	assert_int_equal(event->err, -EBUSY);
	assert_int_equal(event->kind, KIND_VMALLOC);
	assert_int_equal(event->t_ns, t_ns);
	assert_int_equal(event->pid, pid);
	assert_string_equal(names_text(f->names, event->comm_id), "sh");
}

static void kernel_510(void **state)
{
	struct fixture *f = *state;
	const struct event *event = &f->klog.list[1].event;

	assert_int_equal(parse_str(f, linux_510), 2);
	assert_int_equal(f->klog.list[0].event.size, 4198400);
	assert_int_equal(f->klog.list[0].event.stack_id | f->klog.list[0].event.pid, 0);
	assert_int_equal(f->klog.list[0].event.t_ns, 7269664000ull);
	assert_16m(f, event, 7271752000ull, 109);
	assert_string_equal(frame(f, event, 0), "vmalloc+0xca");
	assert_string_equal(frame(f, event, 1), "vmfail_ask_loud+0xd [vmfail]");
	assert_string_equal(frame(f, event, 2), "cmd_loud+0x10 [vmfail]");
	assert_string_equal(frame(f, event, 3), "");
}

static void kernel_61(void **state)
{
	struct fixture *f = *state;
	const struct event *event = &f->klog.list[0].event;

	assert_int_equal(parse_str(f, linux_61), 1);
	assert_16m(f, event, 6167807000ull, 121);
	assert_string_equal(frame(f, event, 0), "__vmalloc_node_range+0x99");
	assert_string_equal(frame(f, event, 2), "vmfail_ask_loud+0xd [vmfail]");
	assert_int_equal(event->vstart | event->vend, 0);
}

static void kernel_612(void **state)
{
	struct fixture *f = *state;
	const struct event *event = &f->klog.list[0].event;

	assert_int_equal(parse_str(f, linux_612), 1);
	assert_16m(f, event, 0, 79);
	assert_int_equal(event->vstart, 0xf77fe000);
	assert_int_equal(event->vend, 0xfeffe000);
	assert_string_equal(frame(f, event, 0), "__vmalloc_node_range_noprof+0xa3");
}

/* The report comes once in 10 s: the failures without it are the same. */
static void repeated(void **state)
{
	static const char line[] =
		"[   99.000001] vmap allocation for size 16781312 failed: use vmalloc=\n";
	struct fixture *f = *state;
	char text[4096];

	snprintf(text, sizeof(text), "%s%s%s", line, linux_61, line);
	assert_int_equal(parse_str(f, text), 1);
	assert_int_equal(f->klog.list[0].count, 3);
	assert_16m(f, &f->klog.list[0].event, 99000001000ull, 121);
	assert_string_equal(frame(f, &f->klog.list[0].event, 2), "vmfail_ask_loud+0xd [vmfail]");
}

static void out_of_pages(void **state)
{
	static const char text[] =
		"[    5.223117] sh: vmalloc error: size 293601280, exceeds total pages, mode:0xcc0\n"
		"[    5.223778] CPU: 0 PID: 121 Comm: sh Tainted\n"
		"[    6.000000][  T121] a b: vmalloc error: size 8192, failed to allocate pages, x\n"
		"[    7.000000][    C0] sh: vmalloc: allocation failure, allocated 5 of 20480 bytes, m\n"
		"[    8.000000] sh: vmalloc: allocation failure: 77 bytes, mode:0xcc0(GFP_KERNEL)\n"
		"[    9.000000] sh: vmalloc error: size 70000, vm_struct allocation failed, mode\n";
	static const struct {
		uint32_t size, requested;
		int err;
		const char *comm;
	} want[] = {
		{293601280 + 4096, 293601280, -ENOMEM, "sh"}, {0, 0, -ENOMEM, "a b"},
		{20480, 0, -ENOMEM, "sh"},		      {8192, 77, -ENOMEM, "sh"},
		{19 * 4096, 70000, -EBUSY, "sh"},
	};
	struct fixture *f = *state;

	assert_int_equal(parse_str(f, text), 5);
	for (uint32_t i = 0; i < 5; i++) {
		const struct event *event = &f->klog.list[i].event;

		assert_int_equal(event->size, want[i].size);
		assert_int_equal(event->requested, want[i].requested);
		assert_int_equal(event->err, want[i].err);
		assert_string_equal(names_text(f->names, event->comm_id), want[i].comm);
		assert_int_equal(event->t_ns / 1000000000, 5 + i);
	}
	assert_int_equal(f->klog.list[0].event.pid, 121);
}

/* A report about another size is not about this failure. */
static void report_of_another(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		parse_str(f, "vmap allocation for size 8192 failed: use vmalloc=<size>\n"
			     "sh: vmalloc error: size 8192, vm_struct allocation failed, m\n"),
		2);
	assert_int_equal(f->klog.list[0].event.requested, 0);
	assert_int_equal(f->klog.list[1].event.size, 12288);
}

/* What only looks like it: in the middle of a line, cut short, too large, a task's name. */
static void not_a_failure(void **state)
{
	static const char *const lines[] = {
		"",
		"\n\n",
		"foo: vmap allocation for size 8192 failed: use\n",
		"vmap allocation for size  failed: use\n",
		"vmap allocation for size 8192",
		"vmap allocation for size 4294967296 failed: use\n",
		"vmap allocation for size 99999999999999999999999 failed: use\n",
		"vmap allocation for size -1 failed: use\n",
		"vmalloc_node_range for size 8192 failed: Address range restricted to 0x1 -\n",
		"vmalloc_node_range for size 8192 failed: Address range restricted to f - 0xf\n",
		"[   1.0] [ vmap allocation for size 8192 failed: use\n",
		"0123456789abcdef: vmalloc error: size 8192, exceeds total pages\n",
		"sh: vmalloc error: size x, exceeds total pages\n",
		"sh: vmalloc error: size 8192\n",
		"sh: vmalloc is nice\n",
		"<4vmap allocation for size 8192 failed: use\n",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(parse_str(f, lines[i]), 0);
}

/* Frames as they may be forged or garbled. */
static void odd_traces(void **state)
{
	static const char text[] =
		"sh: vmalloc error: size 8192, exceeds total pages\n"
		"CPU: 0 PID: 99999999999999 Comm: sh\n"
		"Call Trace:\n"
		" <TASK>\n"
		" +0x1/0x2\n"
		" /+\n"
		" a b+0x1/0x2\n"
		" good+0x1/0x2   \n"
		" good2+0x1/0x2 [mod abcdef]\n"
		"end\n"
		" late+0x1/0x2\n";
	struct fixture *f = *state;
	const struct event *event = &f->klog.list[0].event;
	char line[2000], all[2200];

	assert_int_equal(parse_str(f, text), 1);
	assert_int_equal(event->pid, 0);
	assert_string_equal(frame(f, event, 0), "good+0x1");
	assert_string_equal(frame(f, event, 1), "good2+0x1 [mod abcdef]");
	assert_string_equal(frame(f, event, 2), "");
	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	snprintf(all, sizeof(all), "sh: vmalloc error: size 8192, exceeds total pages\nCall Trace:\n %s+0x1/0x2\n",
		 line);
	assert_int_equal(parse_str(f, all), 1);
	assert_int_equal(event->stack_id, 0);
}

/* More than 24 frames, more than 64 failures. */
static void bounded(void **state)
{
	struct fixture *f = *state;
	char *text = malloc(100000);
	size_t at = 0;

	assert_non_null(text);
	at += (size_t)sprintf(text, "sh: vmalloc error: size 8192, exceeds total pages\nCall Trace:\n");
	for (int i = 0; i < 40; i++)
		at += (size_t)sprintf(text + at, " f%d+0x1/0x2\n", i);
	assert_int_equal(parse(f, text, at), 1);
	assert_string_equal(frame(f, &f->klog.list[0].event, VMT_MAX_FRAMES - 1), "f23+0x1");
	assert_string_equal(frame(f, &f->klog.list[0].event, VMT_MAX_FRAMES), "");
	at = 0;
	for (uint32_t i = 1; i <= 100; i++)
		at += (size_t)sprintf(text + at, "vmap allocation for size %u failed: u\n", i * 4096);
	assert_int_equal(parse(f, text, at), KLOG_KEPT);
	assert_int_equal(f->klog.forgotten, 100 - KLOG_KEPT);
	assert_int_equal(f->klog.list[0].event.size, 37 * 4096);
	assert_int_equal(f->klog.list[KLOG_KEPT - 1].event.size, 100 * 4096);
	free(text);
}

/* Each byte of a good log in turn is changed, or the log ends there. */
static void damaged(void **state)
{
	struct fixture *f = *state;
	size_t len = sizeof(linux_510) - 1;
	char *text = malloc(len);

	assert_non_null(text);
	for (size_t i = 0; i < len; i++) {
		memcpy(text, linux_510, len);
		text[i] = (char)(i * 37);
		parse(f, text, len);
		assert_in_range(f->klog.count, 0, 3);
		parse(f, linux_510, i);
		assert_in_range(f->klog.count, 0, 2);
	}
	free(text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(kernel_510),   TEST(kernel_61),	     TEST(kernel_612),
		TEST(repeated),	    TEST(out_of_pages),	     TEST(report_of_another),
		TEST(not_a_failure), TEST(odd_traces),	     TEST(bounded),
		TEST(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
