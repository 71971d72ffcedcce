/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bytes of a .vmt file, version 1. docs/FORMAT.md tells the same in words and tables; what is
 * changed here is changed there.
 *
 *   struct vmt_file_header
 *   blocks of records: struct vmt_block_header, then stored_bytes of payload
 *   a block that is the index
 *   struct vmt_trailer, the last bytes of a file that was finished
 *
 * Rules that keep old files readable, and new files readable by old programs:
 *   - numbers once given keep their meaning; new ones are added at the end;
 *   - a record may grow at its end: a reader takes what is missing as 0, and skips what it does
 *     not know; so it does with types of records and of blocks, and with a longer file header;
 *   - anything else is a new version, which an old reader refuses.
 *
 * Little-endian. Fixed-width members, each on a multiple of its size, counted from the start of
 * its struct; in a file a struct lies on any multiple of 4.
 */
#ifndef VMTRACE_RECORD_VMT_FORMAT_H
#define VMTRACE_RECORD_VMT_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "event.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "structs are read as they lie in files");

/* As of PNG: no text, and damaged by whatever changes line ends. */
#define VMT_MAGIC     "\x8fVMT\r\n\x1a\n"
#define VMT_MAGIC_LEN 8u
#define VMT_VERSION   1u

#define VMT_MAX_HEADER     4096u
#define VMT_MAX_RAW        (1u << 20) /* of a block, unpacked; ours have 64 KiB and a little */
#define VMT_MAX_RECORD     65532u
#define VMT_MAX_NAME       1024u      /* bytes of a name */
#define VMT_MAX_STACK      128u       /* frames of a stack */
#define VMT_MAX_NAMES      (1u << 20) /* in a file */
#define VMT_MAX_NAME_BYTES (64u << 20)
#define VMT_MAX_STACKS     (1u << 20)
#define VMT_MAX_FRAMES_SUM (16u << 20)
#define VMT_MAX_MODULES    4096u

#define VMT_UNFINISHED 0xffffffffu
#define VMT_FINISHED   0u

#define VMT_KNOWN_EXACT_PAGES 1u /* areas aligned to a page get the lowest address that fits */

struct vmt_file_header {
	uint8_t magic[8];
	uint16_t version;
	uint16_t header_bytes; /* where the first block begins */
	uint32_t page_size;
	uint32_t state; /* VMT_UNFINISHED until the file has its trailer */
	uint32_t crc;   /* CRC-32 of header_bytes with this member 0 */
	uint32_t vmalloc_start;
	uint32_t vmalloc_end;
	uint64_t start_ns VMT_ALIGNED8;
	uint64_t start_wall_ns VMT_ALIGNED8;
	uint32_t cpus;
	uint32_t sequence;
	uint32_t pmd_bytes;
	uint32_t known;   /* VMT_KNOWN_* */
	char kernel[128]; /* texts: filled up with zeros, of which there is at least one */
	char hostname[64];
	char tool[32];
	uint8_t reserved2[32];
};
_Static_assert(sizeof(struct vmt_file_header) == 320, "vmt_file_header");
_Static_assert(offsetof(struct vmt_file_header, state) == 16, "state and crc: one 8-byte write");
_Static_assert(offsetof(struct vmt_file_header, kernel) == 64, "vmt_file_header.kernel");

#define VMT_BLOCK_MAGIC 0x42544d56u /* "VMTB" */

enum vmt_block_type {
	VMT_BLOCK_RECORDS = 1,
	VMT_BLOCK_INDEX = 2, /* not packed: struct vmt_index_entry, one after the other */
};

enum vmt_codec {
	VMT_STORED = 0, /* raw_bytes = stored_bytes */
	VMT_ZSTD = 1,   /* one zstd frame */
};

struct vmt_block_header {
	uint32_t magic;
	uint8_t type;  /* enum vmt_block_type */
	uint8_t codec; /* enum vmt_codec */
	uint16_t reserved;
	uint32_t stored_bytes; /* of the payload that follows */
	uint32_t raw_bytes;    /* of the same unpacked */
	uint32_t nr_events;    /* event records in it (enum vmt_record_type) */
	uint32_t reserved2;
	uint64_t first_event VMT_ALIGNED8; /* how many events the blocks before it have */
	uint64_t first_ns VMT_ALIGNED8;    /* earliest and latest t_ns of its events */
	uint64_t last_ns VMT_ALIGNED8;
	uint32_t payload_crc; /* CRC-32 of the payload as it is stored */
	uint32_t header_crc;  /* CRC-32 of this header up to here */
};
_Static_assert(sizeof(struct vmt_block_header) == 56, "vmt_block_header");
_Static_assert(offsetof(struct vmt_block_header, header_crc) == 52, "vmt_block_header.header_crc");

struct vmt_index_entry {
	uint64_t offset VMT_ALIGNED8; /* of a block's header in the file */
	uint64_t first_event VMT_ALIGNED8;
	uint64_t first_ns VMT_ALIGNED8;
	uint64_t last_ns VMT_ALIGNED8; /* of all blocks up to the next entry's */
};
_Static_assert(sizeof(struct vmt_index_entry) == 32, "vmt_index_entry");

#define VMT_TRAILER_MAGIC 0x54544d56u /* "VMTT" */

struct vmt_trailer {
	uint32_t magic;
	uint32_t crc;                       /* CRC-32 of this struct with this member 0 */
	uint64_t index_offset VMT_ALIGNED8; /* of the index block's header */
	uint64_t events VMT_ALIGNED8;
	uint64_t lost VMT_ALIGNED8;  /* events lost that can have made the map wrong */
	uint64_t bytes VMT_ALIGNED8; /* of the whole file */
};
_Static_assert(sizeof(struct vmt_trailer) == 40, "vmt_trailer");

/* ---- records: what the payload of a VMT_BLOCK_RECORDS is made of ---------------------------- */

enum vmt_record_type {
	/* definitions: no events */
	VMT_NAME = 1,
	VMT_STACK = 2,
	VMT_FACT = 3,
	VMT_MODULES = 4,
	/* events; so is every type from here on that a reader does not know */
	VMT_FIRST_EVENT = 16,
	VMT_ALLOC = 16,
	VMT_FREE = 17,
	VMT_PURGE = 18,
	VMT_FAIL = 19,
	VMT_VFREE = 20,
	VMT_LOST = 21,
	VMT_SNAPSHOT_BEGIN = 22,
	VMT_AREA = 23,
	VMT_SNAPSHOT_END = 24,
	VMT_TIME = 25,
};

/* Starts every record. */
struct vmt_record {
	uint16_t bytes; /* of the whole record, a multiple of 4 */
	uint8_t type;   /* enum vmt_record_type */
	uint8_t flags;  /* enum event_flag */
};
_Static_assert(sizeof(struct vmt_record) == 4, "vmt_record");

/* Ids of names and of stacks count up from 1 in each file; 0 = none. */
struct vmt_name {
	struct vmt_record head;
	uint32_t id;
	uint32_t len; /* bytes of text that follow, and zeros up to the next multiple of 4 */
};
_Static_assert(sizeof(struct vmt_name) == 12, "vmt_name");

struct vmt_stack {
	struct vmt_record head;
	uint32_t id;
	uint64_t t_ns VMT_ALIGNED8;
	uint32_t nr_frames; /* name ids that follow, innermost first */
};
#define VMT_STACK_BYTES 20u /* without the frames */
_Static_assert(offsetof(struct vmt_stack, nr_frames) + 4 == VMT_STACK_BYTES, "vmt_stack");

/* One thing known of the machine or of how it was traced; the last one of a key counts. */
struct vmt_fact {
	struct vmt_record head;
	uint32_t key; /* name ids */
	uint32_t value;
};
_Static_assert(sizeof(struct vmt_fact) == 12, "vmt_fact");

/* The modules loaded at t_ns; replaces an earlier list. */
struct vmt_modules {
	struct vmt_record head;
	uint32_t count; /* struct vmt_module that follow */
	uint64_t t_ns VMT_ALIGNED8;
};
_Static_assert(sizeof(struct vmt_modules) == 16, "vmt_modules");

struct vmt_module {
	uint32_t name;
	uint32_t start; /* 0 = hidden */
	uint32_t bytes;
};
_Static_assert(sizeof(struct vmt_module) == 12, "vmt_module");

struct vmt_alloc {
	struct vmt_record head;
	uint32_t pid;
	uint64_t t_ns VMT_ALIGNED8;
	uint32_t tid;
	uint32_t comm;
	uint32_t start;
	uint32_t end;
	uint32_t stack;
	uint32_t size;
	uint32_t align;
	uint32_t vstart;
	uint32_t vend;
	uint32_t gfp;
	uint32_t latency_ns;
	uint32_t requested;
	uint8_t kind; /* enum area_kind */
	uint8_t guard_pages;
	uint16_t reserved;
	uint32_t reserved2;
};
_Static_assert(sizeof(struct vmt_alloc) == 72, "vmt_alloc");
_Static_assert(offsetof(struct vmt_alloc, kind) == 64, "vmt_alloc.kind");

struct vmt_free {
	struct vmt_record head;
	uint32_t pid;
	uint64_t t_ns VMT_ALIGNED8;
	uint32_t tid;
	uint32_t comm;
	uint32_t start;
	uint32_t end;
};
_Static_assert(sizeof(struct vmt_free) == 32, "vmt_free");

struct vmt_purge {
	struct vmt_record head;
	uint32_t pid;
	uint64_t t_ns VMT_ALIGNED8;
	uint32_t tid;
	uint32_t comm;
	uint64_t begin_ns VMT_ALIGNED8; /* if flags has EV_F_HAS_BEGIN */
};
_Static_assert(sizeof(struct vmt_purge) == 32, "vmt_purge");

struct vmt_fail {
	struct vmt_record head;
	uint32_t pid;
	uint64_t t_ns VMT_ALIGNED8;
	uint32_t tid;
	uint32_t comm;
	uint32_t stack;
	uint32_t size;
	uint32_t align;
	uint32_t vstart;
	uint32_t vend;
	uint32_t gfp;
	uint32_t latency_ns;
	uint32_t requested;
	int32_t err; /* -errno */
	uint8_t kind;
	uint8_t reserved[3];
};
_Static_assert(sizeof(struct vmt_fail) == 64, "vmt_fail");

struct vmt_vfree {
	struct vmt_record head;
	uint32_t pid;
	uint64_t t_ns VMT_ALIGNED8;
	uint32_t tid;
	uint32_t comm;
	uint32_t addr;
	uint32_t caller; /* name id */
};
_Static_assert(sizeof(struct vmt_vfree) == 32, "vmt_vfree");

struct vmt_lost {
	struct vmt_record head;
	uint32_t count;
	uint64_t t_ns VMT_ALIGNED8;
	uint32_t cpu;  /* all ones = not known */
	uint8_t cause; /* enum lost_cause */
	uint8_t reserved[3];
};
_Static_assert(sizeof(struct vmt_lost) == 24, "vmt_lost");

/* VMT_SNAPSHOT_BEGIN, VMT_SNAPSHOT_END */
struct vmt_snapshot {
	struct vmt_record head;
	uint32_t reserved;
	uint64_t t_ns VMT_ALIGNED8;
	uint64_t begin_ns VMT_ALIGNED8;
};
_Static_assert(sizeof(struct vmt_snapshot) == 24, "vmt_snapshot");

struct vmt_time {
	struct vmt_record head;
	uint32_t reserved;
	uint64_t t_ns VMT_ALIGNED8;
};
_Static_assert(sizeof(struct vmt_time) == 16, "vmt_time");

struct vmt_area {
	struct vmt_record head;
	uint32_t pid;
	uint64_t t_ns VMT_ALIGNED8;
	uint64_t begin_ns VMT_ALIGNED8;
	uint32_t start;
	uint32_t end;
	uint32_t nr_pages;
	uint32_t caller; /* name id */
	uint32_t stack;
	uint32_t comm;
	uint32_t requested;
	uint32_t align;
	uint8_t kind;
	uint8_t guard_pages;
	uint8_t state; /* enum area_state */
	uint8_t reserved;
	uint32_t vstart;
};
_Static_assert(sizeof(struct vmt_area) == 64, "vmt_area");

/* The file has these numbers: they cannot change. */
_Static_assert(EV_F_OWN == 1 && EV_F_STACK_CUT == 2 && EV_F_HAS_BEGIN == 4 && EV_F_KNOWN == 8,
	       "flags in files");
_Static_assert(AREA_USED == 1 && AREA_LAZY == 2, "states in files");
_Static_assert(LOST_RING == 1 && LOST_INFLIGHT == 2 && LOST_UNMATCHED == 3 && LOST_NO_ENTRY == 4 &&
		       LOST_STACK == 5 && LOST_READ == 6 && LOST_QUEUE == 7 && LOST_MISSED == 8 &&
		       LOST_DETAIL == 9,
	       "causes in files");
_Static_assert(KIND_UNKNOWN == 0 && KIND_VMALLOC == 1 && KIND_VMAP == 2 && KIND_IOREMAP == 3 &&
		       KIND_MODULE == 4 && KIND_BPF == 5 && KIND_PERCPU == 6 &&
		       KIND_VM_MAP_RAM == 7 && KIND_USER == 8 && KIND_DMA_COHERENT == 9 &&
		       KIND_EARLY == 10,
	       "kinds in files");

#endif
