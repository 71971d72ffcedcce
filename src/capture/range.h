/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMALLOC_START, VMALLOC_END and their neighbours. These are run-time values (NR_CPUS, RAM size,
 * vmalloc=, VMSPLIT move them), so they are read from the kernel, never compiled in.
 *
 * Sources: the ELF32 program headers of /proc/kcore (fs/proc/kcore.c: the vmalloc segment is the
 * PT_LOAD whose p_paddr is -1; RAM segments have a real one) and VmallocTotal of /proc/meminfo as
 * the cross-check.
 */
#ifndef VMTRACE_CAPTURE_RANGE_H
#define VMTRACE_CAPTURE_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct range {
	uint32_t vmalloc_start;
	uint32_t vmalloc_end;
	uint32_t page_offset; /* lowest address of a RAM segment minus its p_paddr; 0 = not known */
	uint32_t high_memory; /* end of the last RAM segment below vmalloc_start; 0 = not known */
	uint32_t total_bytes; /* VmallocTotal, 0 = not known */
	uint32_t mem_total_kib; /* MemTotal, 0 = not known */
	uint32_t pmd_bytes;     /* 2 MB with PAE, 4 MB without: /proc/meminfo has DirectMap2M or 4M
				 * (arch/x86/mm/pat/set_memory.c:arch_report_meminfo); 0 = not known */
	bool highmem;           /* CONFIG_HIGHMEM: /proc/meminfo has HighTotal */
};

/* Parses the first len bytes of a kcore image (hostile bytes). 0, -EBADMSG (not a little-endian
 * ELF32 core, truncated tables), -ENOENT (no segment with p_paddr -1). */
int range_parse_kcore(const void *bytes, size_t len, struct range *range);

/* Where in a kcore image, whose first len bytes are given, the byte at addr is: the offset and how
 * many bytes follow in the same segment. 0; -EBADMSG; -ENOENT (no segment has addr). */
int range_kcore_offset(const void *bytes, size_t len, uint32_t addr, uint32_t *offset,
		       uint32_t *follow);

/* Parses /proc/meminfo text into total_bytes, mem_total_kib, pmd_bytes and highmem. 0 or -ENOENT.
 */
int range_parse_meminfo(const char *text, size_t len, struct range *range);

/*
 * Reads both files. 0; -EACCES/-EPERM/-ENOENT with a message in why when /proc/kcore cannot be
 * read (not root, lockdown, CONFIG_PROC_KCORE unset) or is not as expected (-EBADMSG, -ENOENT);
 * -ERANGE when kcore and VmallocTotal disagree (why says how).
 */
int range_read(struct range *range, char *why, size_t why_len);

/* The same from other files, for tests. */
int range_read_from(const char *kcore, const char *meminfo, struct range *range, char *why,
		    size_t why_len);

#endif
