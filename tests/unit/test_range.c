// SPDX-License-Identifier: GPL-2.0-only
#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/range.h"

struct image {
	Elf32_Ehdr ehdr;
	Elf32_Phdr phdr[4];
};

/* A stock 6.1 PAE kernel with 2 GB: note, vmalloc, low memory. */
static struct image stock_image(void)
{
	struct image image = {
		.ehdr = {
			.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_CORE,
			.e_machine = EM_386,
			.e_phoff = sizeof(Elf32_Ehdr),
			.e_phentsize = sizeof(Elf32_Phdr),
			.e_phnum = 3,
		},
		.phdr = {
			{ .p_type = PT_NOTE, .p_paddr = UINT32_MAX, .p_memsz = 4096 },
			{ .p_type = PT_LOAD,
			  .p_vaddr = 0xf77fe000,
			  .p_paddr = UINT32_MAX,
			  .p_memsz = 0x7800000 },
			{ .p_type = PT_LOAD, .p_vaddr = 0xc0000000, .p_memsz = 0x36ffe000 },
		},
	};

	return image;
}

/* The image at the end of its allocation, so that the sanitizer sees a byte read too far. */
static int parse(const void *bytes, size_t len, struct range *range)
{
	void *copy = malloc(len ? len : 1);
	int err;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	err = range_parse_kcore(copy, len, range);
	free(copy);
	return err;
}

static void stock_kernel(void **state)
{
	struct image image = stock_image();
	struct range range = { .total_bytes = 5 };

	(void)state;
	assert_int_equal(parse(&image, sizeof(image), &range), 0);
	assert_int_equal(range.vmalloc_start, 0xf77fe000);
	assert_int_equal(range.vmalloc_end, 0xfeffe000);
	assert_int_equal(range.page_offset, 0xc0000000);
	assert_int_equal(range.high_memory, 0xf6ffe000);
	assert_int_equal(range.total_bytes, 5);
}

/* Without HIGHMEM: one segment for each range of RAM, in any order. */
static void many_ram_ranges(void **state)
{
	struct image image = stock_image();
	struct range range;

	(void)state;
	image.ehdr.e_phnum = 4;
	image.phdr[2] = (Elf32_Phdr){
		.p_type = PT_LOAD, .p_vaddr = 0xc0100000, .p_paddr = 0x100000, .p_memsz = 0x10000000
	};
	image.phdr[3] = (Elf32_Phdr){
		.p_type = PT_LOAD, .p_vaddr = 0xc0001000, .p_paddr = 0x1000, .p_memsz = 0x9e000
	};
	assert_int_equal(parse(&image, sizeof(image), &range), 0);
	assert_int_equal(range.page_offset, 0xc0000000);
	assert_int_equal(range.high_memory, 0xd0100000);
}

static void odd_segments_are_skipped(void **state)
{
	struct image image = stock_image();
	struct range range;

	(void)state;
	image.ehdr.e_phnum = 4;
	/* wraps */
	image.phdr[3] = image.phdr[2];
	image.phdr[2] = image.phdr[1];
	image.phdr[1] = (Elf32_Phdr){ .p_type = PT_LOAD,
				      .p_vaddr = 0xff000000,
				      .p_paddr = UINT32_MAX,
				      .p_memsz = 0x2000000 };
	assert_int_equal(parse(&image, sizeof(image), &range), 0);
	assert_int_equal(range.vmalloc_start, 0xf77fe000);
	/* RAM above vmalloc, RAM below its own physical address */
	image.phdr[1].p_paddr = 0;
	image.phdr[1].p_memsz = 0x1000;
	image.phdr[3].p_paddr = 0xd0000000;
	assert_int_equal(parse(&image, sizeof(image), &range), 0);
	assert_int_equal(range.page_offset, 0);
	assert_int_equal(range.high_memory, 0);
	/* vmalloc empty, or not in pages */
	image.phdr[2].p_memsz = 0;
	assert_int_equal(parse(&image, sizeof(image), &range), -ENOENT);
	image.phdr[2].p_memsz = 0x1001;
	assert_int_equal(parse(&image, sizeof(image), &range), -ENOENT);
}

static void not_a_core(void **state)
{
	struct image image;
	struct range range;
	size_t cut;

	(void)state;
	image = stock_image();
	for (cut = 0; cut < sizeof(image) - sizeof(Elf32_Phdr); cut++)
		assert_int_equal(parse(&image, cut, &range), -EBADMSG);
	image.ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	assert_int_equal(parse(&image, sizeof(image), &range), -EBADMSG);
	image = stock_image();
	image.ehdr.e_ident[EI_DATA] = ELFDATA2MSB;
	assert_int_equal(parse(&image, sizeof(image), &range), -EBADMSG);
	image = stock_image();
	image.ehdr.e_ident[0] = 0;
	assert_int_equal(parse(&image, sizeof(image), &range), -EBADMSG);
	image = stock_image();
	image.ehdr.e_type = ET_EXEC;
	assert_int_equal(parse(&image, sizeof(image), &range), -EBADMSG);
	image = stock_image();
	image.ehdr.e_phentsize = 1;
	assert_int_equal(parse(&image, sizeof(image), &range), -EBADMSG);
	image = stock_image();
	image.ehdr.e_phnum = UINT16_MAX;
	assert_int_equal(parse(&image, sizeof(image), &range), -EBADMSG);
	image = stock_image();
	image.ehdr.e_phoff = UINT32_MAX;
	assert_int_equal(parse(&image, sizeof(image), &range), -EBADMSG);
	image.ehdr.e_phoff = UINT32_MAX - sizeof(Elf32_Phdr) + 1;
	assert_int_equal(parse(&image, sizeof(image), &range), -EBADMSG);
	image = stock_image();
	image.phdr[1].p_paddr = 0;
	assert_int_equal(parse(&image, sizeof(image), &range), -ENOENT);
	image.ehdr.e_phnum = 0;
	assert_int_equal(parse(&image, sizeof(image), &range), -ENOENT);
}

static void meminfo(void **state)
{
	static const char good[] = "MemTotal:        2061416 kB\nMemFree:         1800000 kB\n"
				   "VmallocTotal:     122880 kB\nVmallocUsed:        1000 kB\n";
	/* The line exists only with CONFIG_HIGHMEM (fs/proc/meminfo.c), even when it says 0. */
	static const char highmem[] = "HighTotal:             0 kB\nVmallocTotal:     122880 kB\n";
	static const char pae[] = "DirectMap4k:      112632 kB\nDirectMap2M:      794624 kB\n";
	static const char no_pae[] = "DirectMap4k:      112632 kB\nDirectMap4M:           0 kB\n";
	static const char *const bad[] = {
		"",
		"VmallocTotal:",
		"VmallocTotal:     ",
		"VmallocTotal:     122880",
		"VmallocTotal:     122880 MB\n",
		"VmallocTotal:     -1 kB\n",
		"VmallocTotal:     4194304 kB\n",
		"VmallocTotal:     34359738367 kB\n",
		"VmallocTotal:     99999999999999999999999999 kB\n",
		"XVmallocTotal:     122880 kB\n",
		"\n\n\n",
	};
	struct range range = { 0 };
	size_t cut;
	size_t i;

	(void)state;
	assert_int_equal(range_parse_meminfo(good, strlen(good), &range), 0);
	assert_int_equal(range.total_bytes, 122880 * 1024);
	assert_int_equal(range.mem_total_kib, 2061416);
	assert_false(range.highmem);
	assert_int_equal(range_parse_meminfo(highmem, strlen(highmem), &range), 0);
	assert_true(range.highmem);
	assert_int_equal(range.pmd_bytes, 0);
	range_parse_meminfo(pae, strlen(pae), &range);
	assert_int_equal(range.pmd_bytes, 2u << 20);
	range_parse_meminfo(no_pae, strlen(no_pae), &range);
	assert_int_equal(range.pmd_bytes, 4u << 20);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(range_parse_meminfo(bad[i], strlen(bad[i]), &range), -ENOENT);
		assert_int_equal(range.total_bytes, 0);
		assert_int_equal(range.mem_total_kib, 0);
	}
	for (cut = 0; cut < strlen(good); cut++) {
		char *copy = malloc(cut ? cut : 1);

		assert_non_null(copy);
		memcpy(copy, good, cut);
		if (!range_parse_meminfo(copy, cut, &range))
			assert_int_equal(range.total_bytes, 122880 * 1024);
		free(copy);
	}
}

static void write_file(char *path, const void *bytes, size_t len)
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

static void from_files(void **state)
{
	static const char agrees[] = "MemTotal: 7 kB\nVmallocTotal: 122880 kB\n";
	static const char differs[] = "MemTotal: 7 kB\nVmallocTotal: 122876 kB\n";
	char kcore[] = "/tmp/vmtrace-test-range.XXXXXX";
	char good[] = "/tmp/vmtrace-test-range.XXXXXX";
	char other[] = "/tmp/vmtrace-test-range.XXXXXX";
	struct image image = stock_image();
	struct range range;
	char why[256] = "";

	(void)state;
	write_file(kcore, &image, sizeof(image));
	write_file(good, agrees, strlen(agrees));
	write_file(other, differs, strlen(differs));

	assert_int_equal(range_read_from(kcore, good, &range, why, sizeof(why)), 0);
	assert_string_equal(why, "");
	assert_int_equal(range.vmalloc_end, 0xfeffe000);
	assert_int_equal(range.total_bytes, 122880 * 1024);
	assert_int_equal(range.mem_total_kib, 7);
	/* no cross-check to be had */
	assert_int_equal(range_read_from(kcore, "/nonexistent", &range, why, sizeof(why)), 0);
	assert_int_equal(range_read_from(kcore, other, &range, why, sizeof(why)), -ERANGE);
	assert_non_null(strstr(why, "0xf77fe000-0xfeffe000 (122880 kB)"));
	assert_non_null(strstr(why, "122876 kB"));
	assert_int_equal(range_read_from("/nonexistent", good, &range, why, sizeof(why)), -ENOENT);
	assert_non_null(strstr(why, "CONFIG_PROC_KCORE"));
	assert_int_equal(range_read_from(good, good, &range, why, sizeof(why)), -EBADMSG);
	assert_non_null(strstr(why, "32-bit"));
	unlink(kcore);
	unlink(good);
	unlink(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stock_kernel),
		cmocka_unit_test(many_ram_ranges),
		cmocka_unit_test(odd_segments_are_skipped),
		cmocka_unit_test(not_a_core),
		cmocka_unit_test(meminfo),
		cmocka_unit_test(from_files),
	};

	return cmocka_run_group_tests_name("range", tests, NULL, NULL);
}
