/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/perfbuf.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "capture/perfmerge.h"

#define MIN_WAKE_BYTES 2048

struct perfbuf {
	struct perf_buffer *buffers;
	struct perfmerge *merge;
};

/* libbpf only opens and maps; what would read through it never runs. */
static struct perf_buffer *open_buffers(int map_fd, uint32_t bytes_per_cpu)
{
	uint32_t wake_bytes = bytes_per_cpu / 8;
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_BPF_OUTPUT,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_RAW,
		.watermark = 1,
		.wakeup_watermark = wake_bytes < MIN_WAKE_BYTES ? MIN_WAKE_BYTES : wake_bytes,
	};

	return perf_buffer__new_raw(map_fd, bytes_per_cpu / (size_t)sysconf(_SC_PAGESIZE), &attr,
				    NULL, NULL, NULL);
}

static int merge_buffers(struct perfbuf *perfbuf, struct counters *counters)
{
	uint32_t nr_rings = (uint32_t)perf_buffer__buffer_cnt(perfbuf->buffers);
	struct perfring *rings = calloc(nr_rings, sizeof(*rings));
	int err = rings ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < nr_rings && !err; i++) {
		void *map;
		size_t size;

		err = perf_buffer__buffer(perfbuf->buffers, (int)i, &map, &size);
		if (!err)
			perfring_init(&rings[i], map, (uint32_t)size);
	}
	if (!err)
		err = perfmerge_new(rings, nr_rings, counters,
				    perf_buffer__epoll_fd(perfbuf->buffers), &perfbuf->merge);
	free(rings);
	return err;
}

int perfbuf_open(int map_fd, uint32_t bytes_per_cpu, struct counters *counters,
		 struct perfbuf **out)
{
	struct perfbuf *perfbuf;
	int err;

	if (bytes_per_cpu < (uint32_t)sysconf(_SC_PAGESIZE) ||
	    (bytes_per_cpu & (bytes_per_cpu - 1)))
		return -EINVAL;
	perfbuf = calloc(1, sizeof(*perfbuf));
	if (!perfbuf)
		return -ENOMEM;
	perfbuf->buffers = open_buffers(map_fd, bytes_per_cpu);
	err = perfbuf->buffers ? merge_buffers(perfbuf, counters) : -errno; /* libbpf sets errno */
	if (err) {
		perfbuf_free(perfbuf);
		return err;
	}
	*out = perfbuf;
	return 0;
}

void perfbuf_free(struct perfbuf *perfbuf)
{
	if (!perfbuf)
		return;
	perfmerge_free(perfbuf->merge);
	perf_buffer__free(perfbuf->buffers);
	free(perfbuf);
}

struct channel *perfbuf_channel(struct perfbuf *perfbuf)
{
	return perfmerge_channel(perfbuf->merge);
}
