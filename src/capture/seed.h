/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's own list of areas, read from /proc/vmallocinfo, as EV_AREA events. The reading is
 * a chunked seq_file (mm/vmalloc.c, up to 6.8), so a busy kernel may skip an entry: a list is
 * therefore the union of several readings unless one was quiet.
 */
#ifndef VMTRACE_CAPTURE_SEED_H
#define VMTRACE_CAPTURE_SEED_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/vmallocinfo.h"
#include "event.h"
#include "space/names.h"
#include "stream.h"

struct seed {
	struct event
		*areas; /* EV_AREA each, sorted by start, no duplicates; lazy: last reading's */
	uint32_t count;
	uint32_t capacity;
	uint64_t begin_ns VMT_ALIGNED8; /* CLOCK_MONOTONIC, before the first reading */
	uint64_t end_ns VMT_ALIGNED8;   /* after the last */
	uint32_t readings;
	enum vmallocinfo_trust trust; /* of the last reading */
};

/*
 * Reads /proc/vmallocinfo once and adds what it lists to seed (zeroed before the first call).
 * kptr_restrict must allow real addresses (capture/kptr.h). [start, end): the vmalloc range. 0;
 * -EPERM hashed or zeroed addresses (seed->trust says which); -EBADMSG, -ENODATA, -ENOMEM, -errno
 * of the file.
 */
int seed_read(struct seed *seed, struct names *names, uint32_t start, uint32_t end);
void seed_release(struct seed *seed);

/* Kind, guard pages and state of one line, as far as it tells. Pure, for tests. */
void seed_classify(const struct vmallocinfo *info, const struct vmallocinfo_line *line,
		   struct event *area);

/* Emits the list as one snapshot: SNAPSHOT_BEGIN, the areas, SNAPSHOT_END. 0 or the sink's error.
 */
int seed_emit(const struct seed *seed, const struct sink *sink);

/* True if both list the same areas in the same states. */
bool seed_same(const struct seed *a, const struct seed *b);

/* The largest run of addresses in [start, end) that the list has not as used: what an allocation
 * can get, since it purges what is lazy when it finds no hole. */
uint32_t seed_largest_hole(const struct seed *seed, uint32_t start, uint32_t end);

/* True if the list has exactly this area as used. */
bool seed_has(const struct seed *seed, uint32_t start, uint32_t end);

#endif
