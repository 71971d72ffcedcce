/* SPDX-License-Identifier: GPL-2.0-only */
/* The frames that a set of samples uses, numbered, for formats that tell each name once. */
#ifndef VMTRACE_EXPORT_FRAMES_H
#define VMTRACE_EXPORT_FRAMES_H

#include <stdint.h>

#include "export/samples.h"

struct frames {
	uint32_t *ids; /* string ids by number, in order of first use */
	uint32_t count;
	uint32_t *numbers; /* by string id: number + 1, 0 = no frame */
};

/* Numbers every frame of every samples_path. 0 or -ENOMEM; release with frames_release. */
int frames_collect(struct frames *frames, const struct samples *samples, struct names *names,
		   const struct stacks *stacks);
void frames_release(struct frames *frames);

/* The number of a frame that frames_collect has seen. */
static inline uint32_t frames_number(const struct frames *frames, uint32_t id)
{
	return frames->numbers[id] - 1;
}

#endif
