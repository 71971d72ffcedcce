/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/counters.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct counters {
	const volatile struct wire_cpu *live; /* the mapping, or NULL */
	struct wire_cpu *copies;              /* without a mapping: as of the last refresh */
	counters_lookup_fn lookup;
	size_t map_len;
	int map_fd;
	uint32_t nr_cpus;
	uint32_t missing; /* atomic: two threads */
};

int counters_lookup(int map_fd, uint32_t cpu, struct wire_cpu *value)
{
	union bpf_attr attr = {
		.map_fd = (uint32_t)map_fd,
		.key = (uint64_t)(uintptr_t)&cpu,
	};

	attr.value = (uint64_t)(uintptr_t)value;
	return syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

static int open_copies(struct counters *counters)
{
	counters->copies = calloc(counters->nr_cpus, sizeof(*counters->copies));
	if (!counters->copies)
		return -ENOMEM;
	return counters->lookup(counters->map_fd, 0, &counters->copies[0]);
}

int counters_open(int map_fd, uint32_t nr_cpus, counters_lookup_fn lookup, struct counters **out)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct counters *counters = calloc(1, sizeof(*counters));
	void *map;
	int err;

	if (!counters)
		return -ENOMEM;
	counters->map_fd = map_fd;
	counters->nr_cpus = nr_cpus;
	counters->lookup = lookup;
	counters->map_len = (nr_cpus * sizeof(struct wire_cpu) + page - 1) & ~(page - 1);
	map = mmap(NULL, counters->map_len, PROT_READ, MAP_SHARED, map_fd, 0);
	if (map != MAP_FAILED)
		counters->live = map;
	err = counters->live ? 0 : open_copies(counters);
	if (err) {
		counters_free(counters);
		return err;
	}
	*out = counters;
	return 0;
}

void counters_free(struct counters *counters)
{
	if (!counters)
		return;
	if (counters->live)
		munmap((void *)(uintptr_t)counters->live, counters->map_len);
	free(counters->copies);
	free(counters);
}

uint32_t counters_cpus(const struct counters *counters)
{
	return counters->nr_cpus;
}

void counters_refresh(struct counters *counters)
{
	struct wire_cpu now;

	for (uint32_t cpu = 0; cpu < counters->nr_cpus && !counters->live; cpu++) {
		if (counters->lookup(counters->map_fd, cpu, &now) == 0)
			counters->copies[cpu] = now;
	}
}

const volatile struct wire_stats *counters_get(const struct counters *counters, uint32_t cpu)
{
	return counters->live ? &counters->live[cpu].stats : &counters->copies[cpu].stats;
}

int counters_progress(const struct counters *counters, uint32_t cpu, uint32_t *busy,
		      uint32_t *records)
{
	struct wire_cpu copy;
	const volatile struct wire_stats *now = &copy.stats;
	int err = 0;

	if (counters->live)
		now = &counters->live[cpu].stats;
	else
		err = counters->lookup(counters->map_fd, cpu, &copy);
	if (err)
		return err;
	*busy = now->busy;
	*records = now->records;
	return 0;
}

void counters_add_missing(struct counters *counters, uint32_t records)
{
	__atomic_fetch_add(&counters->missing, records, __ATOMIC_RELAXED);
}

uint32_t counters_missing(const struct counters *counters)
{
	return __atomic_load_n(&counters->missing, __ATOMIC_RELAXED);
}
