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

#include "capture/vmallocinfo.h"

#define START 0xf77fe000u
#define END   0xfeffe000u

static const char real[] =
	"0xf77fe000-0xf7800000    8192 hpet_enable+0x2b/0x2a4 phys=0x00000000fed00000 ioremap\n"
	"0xf7849000-0xf784b000    8192 n_tty_open+0x16/0xc0 pages=1 vmalloc\n"
	"0xf7850000-0xf7860000   65536 foo_init+0x1/0x2 [foo] pages=15 vmalloc user vpages N0=15\n"
	"0xf7d00000-0xf7d40000  262144 vm_map_ram\n"
	"0xf7d40000-0xf7d42000    8192 drm_map+0x1/0x20 vmap\n"
	"0xf7d42000-0xf7d44000    8192 dma_alloc+0x1/0x20 phys=0xfed00000 dma-coherent\n"
	"0xf7d44000-0xf7d46000    8192 0xc1234567 sparse\n"
	"0xf7d46000-0xf7d48000    8192 ioremap\n"
	"0xf7d48000-0xf7d4a000    8192\n"
	"0xfec00000-0xfee00000 2097152 pcpu_get_vm_areas+0x0/0x7a0 vmalloc\n"
	"0xf8e15000-0xf8e1a000   20480 unpurged vm_area\n";
#define REAL_LINES 11

/* The text at the end of its allocation, so that the sanitizer sees a byte read too far. */
static int parse(const char *text, size_t len, uint32_t start, uint32_t end,
		 struct vmallocinfo *info)
{
	char *copy = malloc(len ? len : 1);
	int err;

	assert_non_null(copy);
	memcpy(copy, text, len);
	err = vmallocinfo_parse(copy, len, start, end, info);
	free(copy);
	return err;
}

static int parse_str(const char *text, struct vmallocinfo *info)
{
	return parse(text, strlen(text), START, END, info);
}

static void real_list(void **state)
{
	static const struct {
		uint32_t start, end, flags, pages;
		uint64_t phys;
		const char *caller;
	} want[REAL_LINES] = {
		{ 0xf77fe000, 0xf7800000, VMI_IOREMAP, 0, 0xfed00000, "hpet_enable+0x2b/0x2a4" },
		{ 0xf7849000, 0xf784b000, VMI_VMALLOC, 1, 0, "n_tty_open+0x16/0xc0" },
		{ 0xf7850000, 0xf7860000, VMI_VMALLOC | VMI_USER | VMI_VPAGES, 15, 0,
		  "foo_init+0x1/0x2 [foo]" },
		{ 0xf7d00000, 0xf7d40000, VMI_VM_MAP_RAM, 0, 0, "" },
		{ 0xf7d40000, 0xf7d42000, VMI_VMAP, 0, 0, "drm_map+0x1/0x20" },
		{ 0xf7d42000, 0xf7d44000, VMI_DMA_COHERENT, 0, 0xfed00000, "dma_alloc+0x1/0x20" },
		{ 0xf7d44000, 0xf7d46000, VMI_SPARSE, 0, 0, "0xc1234567" },
		{ 0xf7d46000, 0xf7d48000, VMI_IOREMAP, 0, 0, "" },
		{ 0xf7d48000, 0xf7d4a000, 0, 0, 0, "" },
		{ 0xfec00000, 0xfee00000, VMI_VMALLOC, 0, 0, "pcpu_get_vm_areas+0x0/0x7a0" },
		{ 0xf8e15000, 0xf8e1a000, VMI_LAZY, 0, 0, "" },
	};
	struct vmallocinfo info;
	size_t i;

	(void)state;
	assert_int_equal(parse_str(real, &info), 0);
	assert_int_equal(info.trust, VMI_REAL);
	assert_int_equal(info.bad_line, 0);
	assert_int_equal(info.count, REAL_LINES);
	for (i = 0; i < REAL_LINES; i++) {
		const struct vmallocinfo_line *line = &info.lines[i];

		assert_int_equal(line->start, want[i].start);
		assert_int_equal(line->end, want[i].end);
		assert_int_equal(line->flags, want[i].flags);
		assert_int_equal(line->nr_pages, want[i].pages);
		assert_true(line->phys == want[i].phys);
		assert_string_equal(vmallocinfo_caller(&info, line), want[i].caller);
		assert_int_equal(line->caller_len, strlen(want[i].caller));
	}
	assert_string_equal(info.text, "");
	vmallocinfo_release(&info);
	assert_null(info.lines);
	vmallocinfo_release(&info);
}

static void trust(void **state)
{
	static const struct {
		const char *text;
		int err;
		enum vmallocinfo_trust trust;
		uint32_t count;
		uint32_t bad_line;
	} rows[] = {
		{ "", -ENODATA, VMI_EMPTY, 0, 0 },
		{ "\n", -EBADMSG, VMI_GARBAGE, 0, 1 },
		{ "hello\n", -EBADMSG, VMI_GARBAGE, 0, 1 },
		{ "0x5c7a1b2e-0x9d0e3f11    8192 foo+0x1/0x2 vmalloc\n", -EPERM, VMI_HASHED, 0, 0 },
		{ "0x9d0e3f11-0x5c7a1b2e    8192 foo+0x1/0x2 vmalloc\n", -EPERM, VMI_HASHED, 0, 0 },
		{ "0x(ptrval)-0x(ptrval)    8192 foo+0x1/0x2 vmalloc\n", -EPERM, VMI_HASHED, 0, 0 },
		{ "0x(____ptrval____)-0x(____ptrval____)    8192 foo\n", -EPERM, VMI_HASHED, 0, 0 },
		{ "0x00000000-0x00000000    8192 foo+0x1/0x2 vmalloc\n", -EPERM, VMI_ZEROED, 0, 0 },
		{ "0x0000000000000000-0x0000000000000000    8192 f\n", -EPERM, VMI_ZEROED, 0, 0 },
		/* a 64-bit kernel's */
		{ "0xffffa00000000000-0xffffa00000005000   20480 f\n", -EBADMSG, VMI_GARBAGE, 0,
		  0 },
		{ "0x00000000aabbccdd-0x00000000eeff0011   20480 f\n", -EPERM, VMI_HASHED, 0, 0 },
		{ "0xf7800000123456789-0xf7801000    4096 f\n", -EBADMSG, VMI_GARBAGE, 0, 1 },
		/* sane arithmetic, insane pages */
		{ "0xf7800001-0xf7801001    4096 f\n", -EPERM, VMI_HASHED, 0, 0 },
		{ "0xf7800000-0xf7800000       0 f\n", -EPERM, VMI_HASHED, 0, 0 },
		{ "0xf7800000-0xf7802000    4096 f\n", -EPERM, VMI_HASHED, 0, 0 },
		{ "0xf7800000-0xf7801000 18446744073709551616 f\n", -EBADMSG, VMI_GARBAGE, 0, 1 },
		{ "0xf7800000-0xf7801000 99999999999999999999999 f\n", -EBADMSG, VMI_GARBAGE, 0,
		  1 },
		{ "0xf7800000-0xf7801000   -4096 f\n", -EBADMSG, VMI_GARBAGE, 0, 1 },
		{ "0xf7800000-0xf7801000    4096f\n", -EBADMSG, VMI_GARBAGE, 0, 1 },
		{ "0xf7800000-0xf7801000\n", -EBADMSG, VMI_GARBAGE, 0, 1 },
		{ "0xf7800000 0xf7801000    4096 f\n", -EBADMSG, VMI_GARBAGE, 0, 1 },
		{ "0x-0x    4096 f\n", -EBADMSG, VMI_GARBAGE, 0, 1 },
		{ "f7800000-f7801000    4096 f\n", -EBADMSG, VMI_GARBAGE, 0, 1 },
		/* outside the range: another kernel's */
		{ "0xf7000000-0xf7001000    4096 f\n", -EBADMSG, VMI_GARBAGE, 0, 0 },
		{ "0xfeffd000-0xfefff000    8192 f\n", -EBADMSG, VMI_GARBAGE, 0, 0 },
		/* the sysctl changed while the kernel printed */
		{ "0xf7800000-0xf7801000    4096 f\n0x00000000-0x00000000    4096 f\n", -EPERM,
		  VMI_ZEROED, 1, 0 },
		{ "0xf7800000-0xf7801000    4096 f\n0x5c7a1b2e-0x9d0e3f11    4096 f\n", -EPERM,
		  VMI_HASHED, 1, 0 },
		{ "0xf7800000-0xf7801000    4096 f\nwhat\n0xf7802000-0xf7803000    4096 f\n",
		  -EBADMSG, VMI_GARBAGE, 2, 2 },
		/* a keyword of a later kernel */
		{ "0xf7800000-0xf7801000    4096 f+0x1/0x2 shiny new=7 vmalloc\n", 0, VMI_REAL, 1,
		  0 },
		{ "0xf7800000-0xf7801000 4096 f pages=99999999999999999 phys=0x10000000000000000\n",
		  0, VMI_REAL, 1, 0 },
		/* no newline at the end: counts if it is whole */
		{ "0xf7800000-0xf7801000    4096 f\n0xf7802000-0xf7803000    4096 g vmalloc", 0,
		  VMI_REAL, 2, 0 },
		{ "0xf7800000-0xf7801000    4096 f\n0xf7802000-0xf7803000    4096 unpurged vm_area",
		  0, VMI_REAL, 2, 0 },
		{ "0xf7800000-0xf7801000    4096 f\n0xf7802000-0xf7803000    4096 unpurged vm_are",
		  0, VMI_REAL, 1, 2 },
		{ "0xf7800000-0xf7801000    4096 f\n0xf7802000-0xf7803000    4096 g", 0, VMI_REAL,
		  1, 2 },
		{ "0xf7800000-0xf7801000    4096 f\n0xf7802000-0xf7803000    40", 0, VMI_REAL, 1,
		  2 },
		{ "0xf7802000-0xf7803000    40", -EBADMSG, VMI_GARBAGE, 0, 1 },
		{ "0xf7802000-0xf7803000    4096 f vmalloc\r\n", 0, VMI_REAL, 1, 0 },
	};
	struct vmallocinfo info;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s", rows[i].text);
		assert_int_equal(parse_str(rows[i].text, &info), rows[i].err);
		assert_int_equal(info.trust, rows[i].trust);
		assert_int_equal(info.count, rows[i].count);
		assert_int_equal(info.bad_line, rows[i].bad_line);
		assert_non_null(info.text);
		vmallocinfo_release(&info);
	}
}

static void range_is_optional(void **state)
{
	static const char text[] = "0xe0800000-0xe0801000    4096 f vmalloc\n";
	static const char wide[] = "0xffffa000e0800000-0xffffa000e0801000    4096 f vmalloc\n";
	struct vmallocinfo info;

	(void)state;
	assert_int_equal(parse(text, strlen(text), 0, 0, &info), 0);
	vmallocinfo_release(&info);
	assert_int_equal(parse(wide, strlen(wide), 0, 0, &info), -EBADMSG);
	vmallocinfo_release(&info);
	assert_int_equal(parse(text, strlen(text), 0xe0800000, 0xe0801000, &info), 0);
	vmallocinfo_release(&info);
	assert_int_equal(parse(text, strlen(text), 0xe0801000, 0xf0801000, &info), -EBADMSG);
	vmallocinfo_release(&info);
}

/* Wherever the text is cut: the whole lines count, and no half line becomes an area. */
static void cut_at_every_byte(void **state)
{
	size_t len = strlen(real);
	struct vmallocinfo whole;
	struct vmallocinfo info;
	size_t cut;
	uint32_t i;

	(void)state;
	assert_int_equal(parse_str(real, &whole), 0);
	for (cut = 1; cut < len; cut++) {
		uint32_t lines = 0;
		int err = parse(real, cut, START, END, &info);
		size_t k;

		for (k = 0; k < cut; k++)
			lines += real[k] == '\n';
		assert_true(info.count == lines || info.count == lines + 1);
		assert_int_equal(err, info.count ? 0 : -EBADMSG);
		assert_true(real[cut - 1] == '\n' || info.count == lines + 1 ||
			    info.bad_line == lines + 1);
		for (i = 0; i < info.count; i++) {
			assert_int_equal(info.lines[i].start, whole.lines[i].start);
			assert_int_equal(info.lines[i].end, whole.lines[i].end);
			assert_int_equal(info.lines[i].flags & VMI_LAZY,
					 whole.lines[i].flags & VMI_LAZY);
			assert_string_equal(vmallocinfo_caller(&info, &info.lines[i]),
					    vmallocinfo_caller(&whole, &whole.lines[i]));
		}
		vmallocinfo_release(&info);
	}
	vmallocinfo_release(&whole);
}

static void nul_makes_a_line_bad(void **state)
{
	char text[sizeof(real)];
	struct vmallocinfo info;
	size_t i;

	(void)state;
	for (i = 0; i < strlen(real); i += 7) {
		memcpy(text, real, sizeof(real));
		if (text[i] == '\n')
			continue;
		text[i] = 0;
		assert_int_equal(parse(text, strlen(real), START, END, &info), -EBADMSG);
		assert_true(info.bad_line > 0);
		assert_int_equal(info.count, REAL_LINES - 1);
		vmallocinfo_release(&info);
	}
}

/* Every byte replaced by every other: no crash, and what is an area is inside the range. */
static void any_byte_changed(void **state)
{
	size_t len = strlen(real);
	char text[sizeof(real)];
	struct vmallocinfo info;
	unsigned int change;
	uint32_t k;
	size_t i;

	(void)state;
	for (i = 0; i < len; i++) {
		for (change = 1; change < 256; change += 83) {
			memcpy(text, real, sizeof(real));
			text[i] = (char)(text[i] ^ change);
			parse(text, len, START, END, &info);
			for (k = 0; k < info.count; k++) {
				assert_true(info.lines[k].start >= START);
				assert_true(info.lines[k].end <= END);
				assert_true(info.lines[k].start < info.lines[k].end);
			}
			vmallocinfo_release(&info);
		}
	}
}

static void long_lines(void **state)
{
	static const char head[] = "0xf7800000-0xf7801000    4096 ";
	const size_t len = 10u << 20;
	char *text = malloc(len);
	struct vmallocinfo info;

	(void)state;
	assert_non_null(text);
	memset(text, 'a', len);
	assert_int_equal(vmallocinfo_parse(text, len, START, END, &info), -EBADMSG);
	vmallocinfo_release(&info);
	memcpy(text, head, strlen(head));
	text[len - 1] = '\n';
	assert_int_equal(vmallocinfo_parse(text, len, START, END, &info), 0);
	assert_int_equal(info.lines[0].caller_len, len - strlen(head) - 1);
	vmallocinfo_release(&info);
	memset(text, '\n', len);
	assert_int_equal(vmallocinfo_parse(text, len, START, END, &info), -EBADMSG);
	assert_int_equal(info.bad_line, 1);
	vmallocinfo_release(&info);
	free(text);
}

static void many_lines(void **state)
{
	struct vmallocinfo info;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	uint32_t i;

	(void)state;
	assert_non_null(out);
	for (i = 0; i < 15000; i++)
		fprintf(out, "0x%08x-0x%08x %7u caller_%u+0x1/0x2 pages=1 vmalloc\n",
			START + i * 8192, START + i * 8192 + 8192, 8192, i);
	fclose(out);
	assert_int_equal(vmallocinfo_parse(text, len, START, END, &info), 0);
	assert_int_equal(info.count, 15000);
	for (i = 0; i < 15000; i++) {
		char caller[40];

		snprintf(caller, sizeof(caller), "caller_%u+0x1/0x2", i);
		assert_string_equal(vmallocinfo_caller(&info, &info.lines[i]), caller);
		assert_int_equal(info.lines[i].start, START + i * 8192);
	}
	vmallocinfo_release(&info);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_list),
		cmocka_unit_test(trust),
		cmocka_unit_test(range_is_optional),
		cmocka_unit_test(cut_at_every_byte),
		cmocka_unit_test(nul_makes_a_line_bad),
		cmocka_unit_test(any_byte_changed),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(many_lines),
	};

	return cmocka_run_group_tests_name("vmallocinfo", tests, NULL, NULL);
}
