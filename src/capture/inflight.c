/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/inflight.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "event.h"

struct inflight {
	int table_fd;
	struct wire_cpu *cpus; /* mapped; NULL: none */
	size_t map_len;
	uint32_t nr_cpus;
};

int inflight_open(int table_fd, int cpus_fd, uint32_t nr_cpus, struct inflight **out)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct inflight *inflight = calloc(1, sizeof(*inflight));

	if (!inflight)
		return -ENOMEM;
	inflight->table_fd = table_fd;
	if (cpus_fd >= 0) {
		inflight->nr_cpus = nr_cpus;
		inflight->map_len = (nr_cpus * sizeof(struct wire_cpu) + page - 1) & ~(page - 1);
		inflight->cpus = mmap(NULL, inflight->map_len, PROT_READ | PROT_WRITE, MAP_SHARED,
				      cpus_fd, 0);
		if (inflight->cpus == MAP_FAILED) {
			int err = -errno;

			free(inflight);
			return err;
		}
	}
	*out = inflight;
	return 0;
}

void inflight_close(struct inflight *inflight)
{
	if (!inflight)
		return;
	if (inflight->cpus)
		munmap(inflight->cpus, inflight->map_len);
	free(inflight);
}

/* True if the call in slot, which a BPF program may be writing, began before before_ns and is not
 * over; *sp: its place. */
static bool is_stale(const volatile struct inflight_slot *slot, uint64_t before_ns, uint32_t *sp)
{
	uint64_t t_ns;

	*sp = slot->sp;
	t_ns = slot->t_ns;
	/* Two loads on i386: what is being written differs the second time, or is over before. */
	return *sp && t_ns < before_ns && slot->released != *sp && slot->t_ns == t_ns &&
	       slot->sp == *sp;
}

uint32_t inflight_count_stale(const struct inflight *inflight, uint64_t before_ns)
{
	struct inflight_slot call;
	uint32_t key, sp, count = 0;
	bool more = bpf_map_get_next_key(inflight->table_fd, NULL, &key) == 0;

	for (uint32_t cpu = 0; cpu < inflight->nr_cpus; cpu++) {
		const volatile struct inflight_slot *slot = &inflight->cpus[cpu].call;

		count += is_stale(slot, before_ns, &sp) && !slot->reported;
	}
	while (more) {
		if (bpf_map_lookup_elem(inflight->table_fd, &key, &call) == 0)
			count += call.t_ns < before_ns && !call.reported;
		more = bpf_map_get_next_key(inflight->table_fd, &key, &key) == 0;
	}
	return count;
}

void inflight_sweep(struct inflight *inflight, uint64_t before_ns, bool only_reported)
{
	struct inflight_slot call;
	uint32_t key, next, sp;
	bool more = bpf_map_get_next_key(inflight->table_fd, NULL, &next) == 0;

	for (uint32_t cpu = 0; cpu < inflight->nr_cpus; cpu++) {
		volatile struct inflight_slot *slot = &inflight->cpus[cpu].call;

		if (is_stale(slot, before_ns, &sp) && (slot->reported || !only_reported))
			slot->released = sp;
	}
	while (more) {
		key = next;
		more = bpf_map_get_next_key(inflight->table_fd, &key, &next) == 0;
		if (bpf_map_lookup_elem(inflight->table_fd, &key, &call) == 0 &&
		    call.t_ns < before_ns && (call.reported || !only_reported))
			bpf_map_delete_elem(inflight->table_fd, &key);
	}
}
