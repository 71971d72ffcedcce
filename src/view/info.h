/* SPDX-License-Identifier: GPL-2.0-only */
/* What a recording is and has in it, without what its events make of the map. */
#ifndef VMTRACE_VIEW_INFO_H
#define VMTRACE_VIEW_INFO_H

#include <stdint.h>
#include <stdio.h>

#include "event.h"
#include "record/header.h"
#include "space/names.h"

struct info_view {
	const char *path;
	const struct stream_header *header;
	const struct names *names;
	const struct stream_fact *facts;
	uint32_t nr_facts;
	const struct stream_module *modules; /* at its end */
	uint32_t nr_modules;
	uint64_t counts[EV_TYPE_COUNT] VMT_ALIGNED8; /* events of each type; LOST: how many lost */
	uint64_t events VMT_ALIGNED8;                /* without stacks */
	uint64_t left_out VMT_ALIGNED8;              /* that could not be true */
	uint64_t first_ns VMT_ALIGNED8;
	uint64_t last_ns VMT_ALIGNED8;
	uint64_t bytes VMT_ALIGNED8; /* of the file, 0 = not known */
	const char *end;             /* how it ends, "" = as it should */
};

void text_info(FILE *out, const struct info_view *view);
/* 0, -ENOMEM, or -EIO when out refuses. */
int json_info(FILE *out, const struct info_view *view);

#endif
