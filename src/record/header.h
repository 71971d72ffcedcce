/* SPDX-License-Identifier: GPL-2.0-only */
/* What a recording says of itself, whatever its format: about the machine, and when it began. */
#ifndef VMTRACE_RECORD_HEADER_H
#define VMTRACE_RECORD_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"

struct stream_header {
	char kernel[128]; /* release */
	uint32_t vmalloc_start;
	uint32_t vmalloc_end;
	uint32_t cpus;      /* 0 = not known */
	uint32_t pmd_bytes; /* 2 MB (PAE) or 4 MB; 0 = not known */
	bool exact_pages;   /* known: place_request.exact_pages (allocator/place.h) */
	uint32_t sequence;  /* which file of a ring of files this is, from 0; only .vmt has it */
	char hostname[64];  /* "" = not known */
	char tool[32];      /* the vmtrace that recorded it, "" = not known */
	uint64_t start_ns VMT_ALIGNED8;      /* when watching began, 0 = not known */
	uint64_t start_wall_ns VMT_ALIGNED8; /* the same in ns since 1970, 0 = not known */
};

/* One thing known of the machine or of how it was traced: "machine.cmdline", "vmalloc=256M". */
struct stream_fact {
	uint32_t key_id; /* names */
	uint32_t value_id;
};

/* A loaded module, as /proc/modules has it. */
struct stream_module {
	uint32_t name_id;
	uint32_t start; /* 0 = hidden by kptr_restrict */
	uint32_t bytes;
};

/* 3 GiB: VMSPLIT_1G leaves no more to the kernel. */
#define STREAM_MAX_RANGE_BYTES 0xc0000000u

/* True if range and pmd_bytes are such as a kernel can have; else false, and why says what is
 * wrong. */
bool stream_header_ok(const struct stream_header *header, char *why, size_t why_len);

#endif
