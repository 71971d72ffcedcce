// SPDX-License-Identifier: GPL-2.0-only
#include "capture/range.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Not event.h: <elf.h> has an EV_NONE too. */
#define PAGE_BYTES 4096u

/* Without HIGHMEM each System RAM range has its own program header: some dozens at most. */
#define KCORE_BYTES   16384u
#define MEMINFO_BYTES 8192u

#define NO_PADDR UINT32_MAX

/* Little-endian, whatever the host and the alignment of the bytes. */
static uint32_t load16(const unsigned char *p)
{
	return p[0] | (uint32_t)p[1] << 8;
}

static uint32_t load32(const unsigned char *p)
{
	return load16(p) | load16(p + 2) << 16;
}

/* A PT_LOAD segment that does not wrap: 0xffffffff is no valid end of one either. */
static bool load_segment(const unsigned char *phdr, uint32_t *start, uint32_t *end, uint32_t *paddr)
{
	uint32_t bytes = load32(phdr + offsetof(Elf32_Phdr, p_memsz));

	*start = load32(phdr + offsetof(Elf32_Phdr, p_vaddr));
	*paddr = load32(phdr + offsetof(Elf32_Phdr, p_paddr));
	if (load32(phdr + offsetof(Elf32_Phdr, p_type)) != PT_LOAD || !bytes ||
	    bytes > UINT32_MAX - *start)
		return false;
	*end = *start + bytes;
	return true;
}

static bool is_vmalloc(uint32_t start, uint32_t end, uint32_t paddr)
{
	return paddr == NO_PADDR && start && !((start | end) % PAGE_BYTES);
}

static int check_header(const unsigned char *bytes, size_t len, uint32_t *table, uint32_t *count)
{
	if (len < sizeof(Elf32_Ehdr) || memcmp(bytes, ELFMAG, SELFMAG) ||
	    bytes[EI_CLASS] != ELFCLASS32 || bytes[EI_DATA] != ELFDATA2LSB ||
	    load16(bytes + offsetof(Elf32_Ehdr, e_type)) != ET_CORE ||
	    load16(bytes + offsetof(Elf32_Ehdr, e_phentsize)) != sizeof(Elf32_Phdr))
		return -EBADMSG;
	*table = load32(bytes + offsetof(Elf32_Ehdr, e_phoff));
	*count = load16(bytes + offsetof(Elf32_Ehdr, e_phnum));
	if (*table > len || (len - *table) / sizeof(Elf32_Phdr) < *count)
		return -EBADMSG;
	return 0;
}

/* page_offset and high_memory, from the RAM segments below the vmalloc segment. */
static void note_ram(struct range *range, uint32_t start, uint32_t end, uint32_t paddr,
		     uint32_t *lowest)
{
	if (paddr == NO_PADDR || paddr > start || end > range->vmalloc_start)
		return;
	if (start < *lowest) {
		*lowest = start;
		range->page_offset = start - paddr;
	}
	if (end > range->high_memory)
		range->high_memory = end;
}

int range_parse_kcore(const void *bytes, size_t len, struct range *range)
{
	const unsigned char *table = bytes;
	uint32_t lowest = UINT32_MAX;
	uint32_t start, end, paddr;
	uint32_t offset, count;
	uint32_t i;
	int err = check_header(bytes, len, &offset, &count);

	if (err)
		return err;
	table += offset;
	range->vmalloc_start = 0;
	range->vmalloc_end = 0;
	range->page_offset = 0;
	range->high_memory = 0;
	for (i = 0; i < count && !range->vmalloc_start; i++) {
		if (load_segment(table + i * sizeof(Elf32_Phdr), &start, &end, &paddr) &&
		    is_vmalloc(start, end, paddr)) {
			range->vmalloc_start = start;
			range->vmalloc_end = end;
		}
	}
	if (!range->vmalloc_start)
		return -ENOENT;
	for (i = 0; i < count; i++) {
		if (load_segment(table + i * sizeof(Elf32_Phdr), &start, &end, &paddr))
			note_ram(range, start, end, paddr, &lowest);
	}
	return 0;
}

int range_kcore_offset(const void *bytes, size_t len, uint32_t addr, uint32_t *offset,
		       uint32_t *follow)
{
	const unsigned char *phdr;
	uint32_t start, end, paddr, table, count, begin;
	int err = check_header(bytes, len, &table, &count);

	if (err)
		return err;
	for (uint32_t i = 0; i < count; i++) {
		phdr = (const unsigned char *)bytes + table + i * sizeof(Elf32_Phdr);
		begin = load32(phdr + offsetof(Elf32_Phdr, p_offset));
		if (!load_segment(phdr, &start, &end, &paddr) || addr < start || addr >= end ||
		    addr - start > UINT32_MAX - begin)
			continue;
		*offset = begin + (addr - start);
		*follow = end - addr;
		return 0;
	}
	return -ENOENT;
}

/* The value of "KEY:   123 kB" at the beginning of a line. False if absent or not that. */
static bool find_kib(const char *text, size_t len, const char *key, uint64_t *kib)
{
	const char *end = text + len;
	size_t key_len = strlen(key);
	const char *p = text;

	while (p && (size_t)(end - p) > key_len && memcmp(p, key, key_len)) {
		p = memchr(p, '\n', (size_t)(end - p));
		p = p ? p + 1 : NULL;
	}
	if (!p || (size_t)(end - p) <= key_len)
		return false;
	for (p += key_len; p < end && *p == ' '; p++)
		;
	*kib = 0;
	if (p == end || *p < '0' || *p > '9')
		return false;
	for (; p < end && *p >= '0' && *p <= '9'; p++) {
		if (*kib > UINT64_MAX / 16)
			return false;
		*kib = *kib * 10 + (unsigned int)(*p - '0');
	}
	return end - p >= 3 && !memcmp(p, " kB", 3);
}

int range_parse_meminfo(const char *text, size_t len, struct range *range)
{
	uint64_t kib;

	range->total_bytes = 0;
	range->mem_total_kib = 0;
	if (find_kib(text, len, "MemTotal:", &kib) && kib <= UINT32_MAX)
		range->mem_total_kib = (uint32_t)kib;
	range->pmd_bytes = 0;
	if (find_kib(text, len, "DirectMap2M:", &kib))
		range->pmd_bytes = 2u << 20;
	else if (find_kib(text, len, "DirectMap4M:", &kib))
		range->pmd_bytes = 4u << 20;
	range->highmem = find_kib(text, len, "HighTotal:", &kib);
	if (find_kib(text, len, "VmallocTotal:", &kib) && kib <= UINT32_MAX / 1024)
		range->total_bytes = (uint32_t)kib * 1024;
	return range->total_bytes ? 0 : -ENOENT;
}

/* Up to *len bytes from the beginning of path; *len becomes what was read. */
static int read_head(const char *path, void *bytes, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t done = 0;
	int err = 0;

	if (fd < 0)
		return -errno;
	while (done < *len) {
		ssize_t got = read(fd, (char *)bytes + done, *len - done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			err = -errno;
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	close(fd);
	*len = done;
	return err;
}

static int read_kcore(const char *path, struct range *range, char *why, size_t why_len)
{
	unsigned char bytes[KCORE_BYTES];
	size_t len = sizeof(bytes);
	int err = read_head(path, bytes, &len);

	if (err) {
		const char *reason = "";

		if (err == -EACCES)
			reason = "; root is needed";
		else if (err == -EPERM)
			reason = "; CAP_SYS_RAWIO is needed, and no lockdown=confidentiality";
		else if (err == -ENOENT)
			reason = "; the kernel was built without CONFIG_PROC_KCORE";
		snprintf(why, why_len, "cannot read %s: %s%s", path, strerror(-err), reason);
		return err;
	}
	err = range_parse_kcore(bytes, len, range);
	if (err == -ENOENT)
		snprintf(why, why_len, "%s has no vmalloc segment", path);
	else if (err)
		snprintf(why, why_len, "%s is not the core of a 32-bit kernel", path);
	return err;
}

int range_read_from(const char *kcore, const char *meminfo, struct range *range, char *why,
		    size_t why_len)
{
	char text[MEMINFO_BYTES];
	size_t len = sizeof(text);
	int err;

	*range = (struct range){ 0 };
	err = read_kcore(kcore, range, why, why_len);
	if (err)
		return err;
	/* Only a cross-check: without it the segment stands alone. */
	if (read_head(meminfo, text, &len) || range_parse_meminfo(text, len, range))
		return 0;
	if (range->vmalloc_end - range->vmalloc_start == range->total_bytes)
		return 0;
	snprintf(why, why_len,
		 "%s has the vmalloc range 0x%08x-0x%08x (%u kB), but %s says VmallocTotal %u kB",
		 kcore, range->vmalloc_start, range->vmalloc_end,
		 (range->vmalloc_end - range->vmalloc_start) / 1024, meminfo,
		 range->total_bytes / 1024);
	return -ERANGE;
}

int range_read(struct range *range, char *why, size_t why_len)
{
	return range_read_from("/proc/kcore", "/proc/meminfo", range, why, why_len);
}
