/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes a .vmt file (vmt_format.h, docs/FORMAT.md). Events are gathered in memory and written as
 * a block when there are 64 KiB of them, or by vmt_writer_tick a second after the first of them
 * came. What has been written survives whatever happens to the process; a block is in the file
 * whole, or it does not count. Memory is bounded: two blocks, the index, and 4 bytes for each
 * name and stack that exists.
 */
#ifndef VMTRACE_RECORD_VMT_WRITE_H
#define VMTRACE_RECORD_VMT_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "record/header.h"
#include "space/names.h"
#include "space/stacks.h"

#define VMT_BLOCK_RAW 65536u       /* a block is written when it has as many bytes */
#define VMT_BLOCK_NS  1000000000u  /* or when its first event has waited this long */
#define VMT_LEAST_MAX (128u << 10) /* the smallest max_bytes */

struct vmt_writer;

struct vmt_writer_options {
	const struct names *names; /* of the ids in the events; both stay the caller's */
	const struct stacks *stacks;
	uint64_t max_bytes; /* the file will not be larger; 0 = no limit */
	/* Blocks that fill up faster than VMT_PACK_RATE are stored as they are: packing takes four
	 * fifths of the time that recording takes, and a machine that is busy has not got it. */
	bool thrifty;
};

#define VMT_PACK_RATE (256u << 10) /* bytes a second, of records: about 5,500 events */

struct vmt_writer_stats {
	uint64_t events VMT_ALIGNED8;  /* taken, without stacks */
	uint64_t written VMT_ALIGNED8; /* of them: in the file */
	uint64_t lost VMT_ALIGNED8;    /* sum of the LOST events that hurt the map */
	uint64_t bytes VMT_ALIGNED8;   /* of the file */
	uint64_t blocks VMT_ALIGNED8;
};

/* Begins a file in fd, which is empty and open for writing; the writer closes it, except stdout. 0;
 * -ENOMEM; -errno of write. On error fd is closed too. */
int vmt_writer_open(int fd, const struct stream_header *header,
		    const struct vmt_writer_options *options, struct vmt_writer **writer);

/* Takes one event, after whatever it needs that the file has not defined yet. 0; -E2BIG: it would
 * not fit into max_bytes, nothing was taken; -errno of write (-ENOSPC ...), which is final. */
int vmt_writer_event(struct vmt_writer *writer, const struct event *event);

/* One fact. As vmt_writer_event. */
int vmt_writer_fact(struct vmt_writer *writer, struct stream_fact fact);

/* The modules loaded at t_ns, at most VMT_MAX_MODULES of them. As vmt_writer_event. */
int vmt_writer_modules(struct vmt_writer *writer, uint64_t t_ns,
		       const struct stream_module *modules, uint32_t count);

/* Writes what there is, whatever its size. 0 or -errno. */
int vmt_writer_flush(struct vmt_writer *writer);

/* Writes what has waited for VMT_BLOCK_NS. To be called several times a second with the time of
 * any steady clock. 0 or -errno. */
int vmt_writer_tick(struct vmt_writer *writer, uint64_t now_ns);

/* True if there is hardly room for another event below max_bytes. */
bool vmt_writer_full(struct vmt_writer *writer);

struct vmt_writer_stats vmt_writer_stats(const struct vmt_writer *writer);

/*
 * Ends the file; only vmt_writer_stats and vmt_writer_close may follow. finished: with index and
 * trailer, and marked as finished; else it stays one that was cut off behind its last block. After
 * a failed write it always does, and what was written in part is cut away. 0, or -errno of what
 * failed here or before.
 */
int vmt_writer_end(struct vmt_writer *writer, bool finished);

/* Closes the file as it is, without what was not written yet, and frees the writer. */
void vmt_writer_close(struct vmt_writer *writer);

#endif
