// SPDX-License-Identifier: GPL-2.0-only
#include "export/frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void add_path(struct frames *frames, const uint32_t *path, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (frames->numbers[path[i]])
			continue;
		frames->ids[frames->count++] = path[i];
		frames->numbers[path[i]] = frames->count;
	}
}

int frames_collect(struct frames *frames, const struct samples *samples, struct names *names,
		   const struct stacks *stacks)
{
	uint32_t path[SAMPLES_PATH_MAX];
	uint32_t i;

	memset(frames, 0, sizeof(*frames));
	/* The first time round makes the labels, so that the number of names is then settled. */
	for (i = 0; i < samples_count(samples); i++)
		samples_path(samples_at(samples, i), names, stacks, path);
	frames->ids = calloc(names_count(names), sizeof(*frames->ids));
	frames->numbers = calloc(names_count(names), sizeof(*frames->numbers));
	if (!frames->ids || !frames->numbers) {
		frames_release(frames);
		return -ENOMEM;
	}
	for (i = 0; i < samples_count(samples); i++)
		add_path(frames, path, samples_path(samples_at(samples, i), names, stacks, path));
	return 0;
}

void frames_release(struct frames *frames)
{
	free(frames->ids);
	free(frames->numbers);
	memset(frames, 0, sizeof(*frames));
}
