/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/probes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "capture/btf.h"
#include "event.h"
#include "log.h"
#include "vmtrace.skel.h"

#define ATTACH_TRIES    5
#define ATTACH_PAUSE_US 100000
#define MIN_WAKE_BYTES  2048 /* a ring of 4K never holds more than 4095 bytes */

struct hook {
	const char *function;
	const char *purpose;
	const char *program;
	bool is_return;
	bool required;
	bool request; /* only with --probes=all */
};

/* In the order of attaching. Who calls what on which kernel: docs/KERNELS.md. */
static const struct hook hooks[] = {
	{ "free_vmap_area_noflush", "area freed, becomes lazy", "free_entry", false, true, false },
	{ "__purge_vmap_area_lazy", "purge begins", "purge_entry", false, true, false },
	{ "__purge_vmap_area_lazy", "purge ends: lazy is free", "purge_return", true, true, false },
	{ "alloc_vmap_area", "area allocated or failed", "alloc_return", true, true, false },
	{ "alloc_vmap_area", "what was asked for", "alloc_entry", false, true, false },
	{ "pcpu_get_vm_areas", "percpu chunk allocated", "percpu_return", true, false, false },
	{ "pcpu_get_vm_areas", "percpu chunk asked for", "percpu_entry", false, false, false },
	{ "__vmalloc_node_range", "bytes asked of vmalloc", "vmalloc_entry", false, false, true },
	{ "vfree", "who frees", "vfree_entry", false, false, true },
	{ "vfree_atomic", "who frees from atomic context", "vfree_entry", false, false, true },
};

#define NR_HOOKS (sizeof(hooks) / sizeof(hooks[0]))

struct probes {
	struct vmtrace_bpf *skel;
	struct btf_choice btf;
	struct bpf_link *links[NR_HOOKS];
	struct probe_status status[NR_HOOKS];
	uint32_t cpus;
	uint32_t ring_bytes;
};

/* As it comes: a verifier log is many lines in one message. */
static int libbpf_print(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_DEBUG || log_level() < LOG_LIBBPF)
		return 0;
	return vfprintf(stderr, format, args);
}

static void plan_hook(const struct symbols *symbols, const struct hook *hook, bool with_requests,
		      struct probe_status *status)
{
	uint32_t addr;

	memset(status, 0, sizeof(*status));
	status->function = hook->function;
	status->purpose = hook->purpose;
	status->required = hook->required;
	status->is_return = hook->is_return;
	switch (symbols_find(symbols, hook->function, status->symbol, sizeof(status->symbol),
			     &addr)) {
	case SYMBOLS_NONE:
		status->state = PROBE_MISSING;
		break;
	case SYMBOLS_AMBIGUOUS:
		status->state = PROBE_AMBIGUOUS;
		break;
	case SYMBOLS_ONE:
		status->state = PROBE_FOUND;
		break;
	}
	if (hook->request && !with_requests)
		status->state = PROBE_OFF;
}

uint32_t probes_plan(const struct symbols *symbols, bool with_requests, struct probe_status *list,
		     uint32_t max)
{
	uint32_t count = 0;

	for (; count < NR_HOOKS && count < max; count++)
		plan_hook(symbols, &hooks[count], with_requests, &list[count]);
	return count;
}

/* A program is loaded only if one of its hooks will be attached. */
static void choose_programs(struct probes *probes)
{
	for (size_t i = 0; i < NR_HOOKS; i++) {
		struct bpf_program *program =
			bpf_object__find_program_by_name(probes->skel->obj, hooks[i].program);

		bpf_program__set_autoload(program, false);
	}
	for (size_t i = 0; i < NR_HOOKS; i++) {
		if (probes->status[i].state == PROBE_FOUND)
			bpf_program__set_autoload(bpf_object__find_program_by_name(
							  probes->skel->obj, hooks[i].program),
						  true);
	}
}

static int check_required(const struct probes *probes)
{
	for (size_t i = 0; i < NR_HOOKS; i++) {
		const struct probe_status *status = &probes->status[i];

		if (!status->required || status->state == PROBE_FOUND)
			continue;
		log_error("kernel function '%s' %s: without it the map would be wrong. "
			  "'vmtrace snapshot' works without probes; 'vmtrace doctor' shows all",
			  status->function,
			  status->state == PROBE_AMBIGUOUS
				  ? "exists several times in /proc/kallsyms"
				  : "is not in /proc/kallsyms (inlined, renamed, or hidden by "
				    "kernel.kptr_restrict)");
		return -ENOSYS;
	}
	return 0;
}

static void explain_load(int err, uint32_t ring_bytes)
{
	if (err == -EPERM)
		log_error("the kernel refuses to load BPF programs (%s): run as root; check "
			  "/sys/kernel/security/lockdown. 'vmtrace snapshot' works without BPF",
			  strerror(-err));
	else if (err == -ENOMEM)
		log_error("no room for the probes: the ring takes %u KiB of vmalloc space in one "
			  "piece. Use a smaller --ring, or 'vmtrace snapshot', which needs none",
			  2 * ring_bytes / 1024 + 16);
	else if (err == -EINVAL)
		log_error("the kernel refuses the BPF programs or their ring buffer (needs Linux "
			  "5.8): %s. -vv shows why; 'vmtrace snapshot' works without BPF",
			  strerror(-err));
	else
		log_error("loading the BPF programs failed: %s. -vv shows libbpf's messages",
			  strerror(-err));
}

/* alloc_vmap_area(size, align, vstart, vend, node, gfp, ...): a clone without the node, as 5.10
 * has, has gfp one place earlier; of any other clone nothing is known. */
static uint32_t gfp_arg(const struct probes *probes)
{
	for (size_t i = 0; i < NR_HOOKS; i++) {
		const char *symbol = probes->status[i].symbol;

		if (strcmp(hooks[i].program, "alloc_entry"))
			continue;
		if (!strcmp(symbol, hooks[i].function))
			return 6;
		return strcmp(symbol, "alloc_vmap_area.constprop.0") ? 0 : 5;
	}
	return 0;
}

static int configure(struct probes *probes, const struct probes_options *options)
{
	struct vmtrace_bpf *skel = probes->skel;
	uint32_t wake_bytes = options->ring_bytes / 8;
	int err;

	skel->rodata->cfg_gfp_arg = gfp_arg(probes);
	skel->rodata->cfg_stack_depth = options->stack_depth;
	skel->rodata->cfg_wake_bytes = wake_bytes < MIN_WAKE_BYTES ? MIN_WAKE_BYTES : wake_bytes;
	err = bpf_map__set_max_entries(skel->maps.stats, probes->cpus);
	return err;
}

int probes_load(const struct probes_options *options, const struct symbols *symbols,
		struct probes **out)
{
	LIBBPF_OPTS(bpf_object_open_opts, open_opts);
	struct probes *probes = calloc(1, sizeof(*probes));
	int err, cpus;

	if (!probes)
		return -ENOMEM;
	probes->btf.fd = -1;
	libbpf_set_print(libbpf_print);
	probes_plan(symbols, options->with_requests, probes->status, NR_HOOKS);
	err = check_required(probes);
	if (!err)
		err = btf_choose(options->btf_path, &probes->btf);
	if (err)
		goto fail;
	if (probes->btf.path[0])
		open_opts.btf_custom_path = probes->btf.path;
	cpus = libbpf_num_possible_cpus();
	probes->cpus = cpus > 0 ? (uint32_t)cpus : 1;
	probes->ring_bytes = options->ring_bytes;
	probes->skel = vmtrace_bpf__open_opts(&open_opts);
	err = probes->skel ? 0 : -errno; /* libbpf sets errno */
	if (!err) {
		choose_programs(probes);
		err = configure(probes, options);
	}
	if (!err)
		err = vmtrace_bpf__load(probes->skel);
	if (err) {
		explain_load(err, options->ring_bytes);
		if (err == -EINVAL)
			err = -ENOSYS;
		goto fail;
	}
	*out = probes;
	return 0;
fail:
	probes_free(probes);
	return err;
}

/* A probe that is optional: what its absence costs is said once. */
static void note_missing(const struct hook *hook, const struct probe_status *status)
{
	if (status->state == PROBE_OFF || hook->is_return)
		return;
	log_note("probe '%s' unavailable (%s): '%s' is not reported%s", hook->function,
		 status->state == PROBE_AMBIGUOUS ? "several functions have that name"
						  : "inlined, notrace or renamed",
		 hook->purpose,
		 hook->request ? "" : "; such areas are learnt only from the kernel's list");
}

/* A probe takes percpu memory. When the last chunk is full, a worker has to make another first. */
static struct bpf_link *attach(struct probes *probes, const struct hook *hook, const char *symbol)
{
	struct bpf_program *program =
		bpf_object__find_program_by_name(probes->skel->obj, hook->program);
	struct bpf_link *link = NULL;

	for (int i = 0; i < ATTACH_TRIES && !link; i++) {
		if (i)
			usleep(ATTACH_PAUSE_US);
		link = bpf_program__attach_kprobe(program, hook->is_return, symbol);
		if (!link && errno != ENOMEM)
			break;
	}
	return link;
}

static int explain_attach(const struct probe_status *status)
{
	if (status->err == -ENOMEM) {
		log_error("no room for a probe on '%s': the kernel needs a new percpu chunk, which "
			  "takes a large piece of vmalloc space. 'vmtrace snapshot' needs none",
			  status->symbol);
		return -ENOMEM;
	}
	log_error("the kernel refuses a probe on '%s' (%s): is CONFIG_KPROBES on, and is the "
		  "function "
		  "not marked notrace? 'vmtrace snapshot' works without probes",
		  status->symbol, strerror(-status->err));
	return -ENOSYS;
}

int probes_attach(struct probes *probes)
{
	for (size_t i = 0; i < NR_HOOKS; i++) {
		struct probe_status *status = &probes->status[i];

		if (status->state != PROBE_FOUND) {
			note_missing(&hooks[i], status);
			continue;
		}
		probes->links[i] = attach(probes, &hooks[i], status->symbol);
		status->state = PROBE_ATTACHED;
		if (probes->links[i])
			continue;
		status->err = -errno;
		status->state = PROBE_FAILED;
		if (status->required)
			return explain_attach(status);
		log_note("probe '%s' unavailable (%s): '%s' is not known", status->symbol,
			 strerror(-status->err), status->purpose);
	}
	return 0;
}

void probes_free(struct probes *probes)
{
	if (!probes)
		return;
	for (size_t i = NR_HOOKS; i-- > 0;)
		bpf_link__destroy(probes->links[i]);
	vmtrace_bpf__destroy(probes->skel);
	btf_choice_release(&probes->btf);
	free(probes);
}

/* struct inflight of vmtrace.bpf.c, as far as it is read here */
struct inflight_head {
	uint32_t depth;
	uint32_t reserved;
	uint64_t t_ns VMT_ALIGNED8; /* of the outermost entry */
	uint8_t rest[4096];
};

void probes_sweep(struct probes *probes, uint64_t before_ns)
{
	int fd = bpf_map__fd(probes->skel->maps.inflight);
	uint32_t key = 0, next;
	bool more = bpf_map_get_next_key(fd, NULL, &next) == 0;

	while (more) {
		struct inflight_head head = { 0 };

		key = next;
		more = bpf_map_get_next_key(fd, &key, &next) == 0;
		if (bpf_map_lookup_elem(fd, &key, &head) == 0 && head.t_ns < before_ns)
			bpf_map_delete_elem(fd, &key);
	}
}

int probes_new_ring(const struct probes *probes)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "events", 0, 0, probes->ring_bytes, NULL);

	return fd < 0 ? -errno : fd;
}

int probes_use_ring(const struct probes *probes, int ring_fd)
{
	uint32_t key = 0;

	if (bpf_map_update_elem(bpf_map__fd(probes->skel->maps.rings), &key, &ring_fd, BPF_ANY) < 0)
		return -errno;
	return 0;
}

int probes_stats_fd(const struct probes *probes)
{
	return bpf_map__fd(probes->skel->maps.stats);
}

uint32_t probes_cpus(const struct probes *probes)
{
	return probes->cpus;
}

const char *probes_btf_source(const struct probes *probes)
{
	return probes->btf.source;
}

const struct probe_status *probes_status(const struct probes *probes, uint32_t *count)
{
	*count = NR_HOOKS;
	return probes->status;
}
