/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/probes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/perf_event.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "capture/btf.h"
#include "capture/inflight.h"
#include "capture/objects.h"
#include "capture/tracefs.h"
#include "clock.h"
#include "event.h"
#include "log.h"

#define PROGRESS_NS 2000000000ull

#define ATTACH_TRIES    5
#define ATTACH_PAUSE_US 100000
#define NOT_TRACED      UINT32_MAX
/* The reader is woken before so many records as fill this part of the ring have come in all: each
 * CPU counts its own. */
#define RING_PART         4
#define WAKE_RECORD_BYTES 80

struct probes {
	struct bpf_object *object;
	struct btf_choice btf;
	struct plan plan;
	struct bpf_link *links[PLAN_MAX_PROBES];
	struct tracefs *tracefs;          /* NULL: probes are made by the perf PMU */
	uint32_t traced[PLAN_MAX_PROBES]; /* index of a probe in tracefs, NOT_TRACED */
	struct tracefs_profile profile[TRACEFS_MAX_PROBES];
	struct inflight *inflight;
	uint32_t return_instances;
	enum transport transport;
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

enum transport probes_best_transport(void)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "vmtrace_probe", 0, 0, VMT_PAGE_SIZE, NULL);

	if (fd < 0)
		return errno == EINVAL ? TRANSPORT_PERF : TRANSPORT_RING;
	close(fd);
	return TRANSPORT_RING;
}

bool probes_have_stacks(void)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE, BPF_FUNC_get_stack, NULL) == 1;
}

/* True if this kernel can map an array into user space (Linux 5.5). */
static bool can_map_arrays(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "vmtrace_probe", sizeof(uint32_t),
				sizeof(uint32_t), 1, &opts);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* ---- load ----------------------------------------------------------------------------------- */

static struct bpf_object *open_object(const struct probes_options *options,
				      const struct btf_choice *btf)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "vmtrace");
	const unsigned char *begin = object_ring_begin, *end = object_ring_end;

	if (options->transport == TRANSPORT_PERF && options->stack_depth) {
		begin = object_perf_begin;
		end = object_perf_end;
	} else if (options->transport == TRANSPORT_PERF) {
		begin = object_perf_nostack_begin;
		end = object_perf_nostack_end;
	}
	if (btf->path[0])
		opts.btf_custom_path = btf->path;
	return bpf_object__open_mem(begin, (size_t)(end - begin), &opts);
}

/* A program is loaded only if a probe of the plan needs it. */
static void choose_programs(struct probes *probes)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, probes->object)
	{
		bool wanted = false;

		for (uint32_t i = 0; i < probes->plan.nr_probes && !wanted; i++)
			wanted =
				!strcmp(bpf_program__name(program), probes->plan.probes[i].program);
		bpf_program__set_autoload(program, wanted);
	}
}

/* The largest one that is not above n; 1 at least. */
static uint32_t power_of_two(uint32_t n)
{
	uint32_t power = 1;

	while (power <= n / 2)
		power *= 2;
	return power;
}

static struct wire_config make_config(const struct probes *probes,
				      const struct probes_options *options)
{
	return (struct wire_config){
		.stack_depth = options->stack_depth,
		.gfp_arg = probes->plan.gfp_arg,
		.sp_is_regs = probes->plan.sp_is_regs,
		.alloc_by_return = probes->plan.way == WAY_RETURN || probes->plan.insert_needs_slot,
		.insert_alone = probes->plan.insert_alone,
		.insert_needs_slot = probes->plan.insert_needs_slot,
		.with_requests = probes->plan.needs[NEED_REQUESTED].met,
		.nr_cpus = probes->cpus,
	};
}

static struct bpf_map *map(const struct probes *probes, const char *name)
{
	return bpf_object__find_map_by_name(probes->object, name);
}

/* What each CPU has to know, and the same of all: from here it is read with one instruction. */
static int set_cpus(const struct probes *probes, const struct wire_config *config)
{
	uint32_t records = power_of_two(probes->ring_bytes / RING_PART / WAKE_RECORD_BYTES /
					probes->cpus);
	struct wire_cpu *cpus = calloc(VMT_MAX_CPUS, sizeof(*cpus));
	int err;

	if (!cpus)
		return -ENOMEM;
	for (uint32_t cpu = 0; cpu < VMT_MAX_CPUS; cpu++) {
		cpus[cpu].number = cpu;
		cpus[cpu].with_stacks = config->stack_depth != 0;
		cpus[cpu].call.alloc.head.reserved = config->gfp_arg;
		cpus[cpu].wake_mask = records - 1;
	}
	err = bpf_map__set_initial_value(map(probes, ".bss"), cpus, VMT_MAX_CPUS * sizeof(*cpus));
	free(cpus);
	return err;
}

static int configure(struct probes *probes, const struct wire_config *config)
{
	int err = 0;

	if (probes->transport == TRANSPORT_PERF) {
		err = bpf_map__set_max_entries(map(probes, "cpus"), probes->cpus);
		if (err)
			return err;
		/* Not in the object, since older kernels refuse it; better than look-ups. */
		if (can_map_arrays())
			err = bpf_map__set_map_flags(map(probes, "cpus"), BPF_F_MMAPABLE);
		return err ? err : bpf_map__set_max_entries(map(probes, "events"), probes->cpus);
	}
	err = bpf_map__set_initial_value(map(probes, ".rodata"), config, sizeof(*config));
	return err ? err : set_cpus(probes, config);
}

/* Without global data (Linux 5.2) the configuration is in a map of its own. */
static int configure_loaded(struct probes *probes, const struct wire_config *config)
{
	uint32_t key = 0;

	if (probes->transport != TRANSPORT_PERF)
		return 0;
	return bpf_map_update_elem(bpf_map__fd(map(probes, "configs")), &key, config, BPF_ANY) < 0
		       ? -errno
		       : 0;
}

/* -ENOSYS with the reason in why if another plan may do better, else err with a message. */
static int explain_load(int err, char *why, size_t why_len)
{
	if (err == -EPERM) {
		log_error("the kernel refuses to load BPF programs (%s): run as root; check "
			  "/sys/kernel/security/lockdown. 'vmtrace snapshot' works without BPF",
			  strerror(-err));
		return err;
	}
	if (err == -ENOMEM) {
		log_error("no room for the programs of the probes and their tables (some 260K of "
			  "vmalloc space, in small pieces). 'vmtrace snapshot' needs none");
		return err;
	}
	snprintf(why, why_len, "the kernel refuses its BPF programs: %s (-vv shows why)",
		 strerror(-err));
	return -ENOSYS;
}

int probes_load(const struct probes_options *options, const struct plan *plan, char *why,
		size_t why_len, struct probes **out)
{
	struct probes *probes = calloc(1, sizeof(*probes));
	struct wire_config config;
	int err, cpus;

	if (!probes)
		return -ENOMEM;
	probes->plan = *plan;
	probes->transport = options->transport;
	probes->ring_bytes = options->ring_bytes;
	probes->return_instances = options->return_instances;
	memset(probes->traced, 0xff, sizeof(probes->traced));
	libbpf_set_print(libbpf_print);
	cpus = libbpf_num_possible_cpus();
	probes->cpus = cpus > 0 ? (uint32_t)cpus : 1;
	err = btf_choose(options->btf_path, &probes->btf);
	if (err)
		goto fail;
	probes->object = open_object(options, &probes->btf);
	err = probes->object ? 0 : -errno; /* libbpf sets errno */
	if (!err) {
		choose_programs(probes);
		config = make_config(probes, options);
		err = configure(probes, &config);
	}
	if (!err)
		err = bpf_object__load(probes->object);
	if (!err)
		err = configure_loaded(probes, &config);
	if (!err)
		err = inflight_open(bpf_map__fd(map(probes, "inflight")),
				    probes->transport == TRANSPORT_PERF ? -1
									: probes_stats_fd(probes),
				    probes->cpus, &probes->inflight);
	if (err) {
		err = explain_load(err, why, why_len);
		goto fail;
	}
	*out = probes;
	return 0;
fail:
	probes_free(probes);
	return err;
}

/* ---- attach --------------------------------------------------------------------------------- */

static int open_perf_event(uint32_t id)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = id,
	};

	/* One CPU will do: the program of a probe runs wherever it is hit. */
	return (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
}

/* NULL with errno set. */
static struct bpf_link *attach_traced(struct probes *probes, struct bpf_program *program,
				      const struct probe *probe, uint32_t *traced)
{
	struct bpf_link *link = NULL;
	uint32_t id;
	int err, fd = -1;

	err = tracefs_add(probes->tracefs, probe->symbol, probe->type == PROBE_RETURN,
			  probes->return_instances, traced, &id);
	if (!err) {
		fd = open_perf_event(id);
		err = fd < 0 ? -errno : 0;
	}
	if (!err) {
		link = bpf_program__attach_perf_event(program, fd); /* takes fd over */
		err = link ? 0 : -errno;
	}
	if (err && fd >= 0)
		close(fd);
	errno = -err;
	return link;
}

static struct bpf_link *attach_once(struct probes *probes, struct bpf_program *program, uint32_t i)
{
	const struct probe *probe = &probes->plan.probes[i];
	struct bpf_link *link = NULL;

	if (probe->type == PROBE_TRACEPOINT)
		return bpf_program__attach_tracepoint(program, "vmalloc", probe->symbol);
	if (probes->tracefs)
		link = attach_traced(probes, program, probe, &probes->traced[i]);
	if (link || (probes->tracefs && errno == ENOMEM))
		return link;
	probes->traced[i] = NOT_TRACED;
	return bpf_program__attach_kprobe(program, probe->type == PROBE_RETURN, probe->symbol);
}

/* A probe takes percpu memory. When the last chunk is full, a worker has to make another first. */
static struct bpf_link *attach(struct probes *probes, uint32_t index)
{
	struct bpf_program *program = bpf_object__find_program_by_name(
		probes->object, probes->plan.probes[index].program);
	struct bpf_link *link = NULL;

	for (int i = 0; i < ATTACH_TRIES && !link; i++) {
		if (i)
			usleep(ATTACH_PAUSE_US);
		link = attach_once(probes, program, index);
		if (!link && errno != ENOMEM)
			break;
	}
	return link;
}

static int explain_attach(const struct probe *probe, char *why, size_t why_len)
{
	if (probe->err == -ENOMEM) {
		log_error("no room for a probe on '%s': the kernel needs a new percpu chunk, which "
			  "takes a large piece of vmalloc space. 'vmtrace snapshot' needs none",
			  probe->symbol);
		return -ENOMEM;
	}
	snprintf(why, why_len,
		 "the kernel refuses a probe on '%s' (%s): is CONFIG_KPROBES on, and is the "
		 "function not marked notrace?",
		 probe->symbol, strerror(-probe->err));
	return -ENOSYS;
}

/* Without tracefs the perf PMU makes the probes: few instances of return probes, no counts. */
static void use_tracefs(struct probes *probes)
{
	int err = tracefs_open(NULL, &probes->tracefs);

	if (err)
		log_debug("probes are made without tracefs: %s", strerror(-err));
}

/* One half of a pair would report chunks twice, or keep insert_entry from reporting them. */
static void drop_half(struct probes *probes, const char *program, const char *other)
{
	uint32_t half = UINT32_MAX;
	bool whole = false;

	for (uint32_t i = 0; i < probes->plan.nr_probes; i++) {
		if (!strcmp(probes->plan.probes[i].program, program))
			half = i;
		if (!strcmp(probes->plan.probes[i].program, other))
			whole = probes->links[i] != NULL;
	}
	if (half == UINT32_MAX || whole || !probes->links[half])
		return;
	bpf_link__destroy(probes->links[half]);
	probes->links[half] = NULL;
	probes->plan.probes[half].state = PROBE_FOUND;
}

int probes_attach(struct probes *probes, char *why, size_t why_len)
{
	use_tracefs(probes);
	for (uint32_t i = 0; i < probes->plan.nr_probes; i++) {
		struct probe *probe = &probes->plan.probes[i];

		probes->links[i] = attach(probes, i);
		probe->state = PROBE_ATTACHED;
		if (probes->links[i])
			continue;
		probe->err = -errno;
		probe->state = PROBE_FAILED;
		if (probe->required)
			return explain_attach(probe, why, why_len);
		log_note("probe '%s' unavailable (%s): '%s' is not known", probe->symbol,
			 strerror(-probe->err), probe->purpose);
	}
	drop_half(probes, "percpu_entry", "percpu_return");
	drop_half(probes, "percpu_return", "percpu_entry");
	return 0;
}

/* Each waits for grace periods: on an RT kernel all of them together took 10 s. */
static void detach_all(struct probes *probes)
{
	uint64_t told_ns = clock_now_ns();

	for (uint32_t i = PLAN_MAX_PROBES; i-- > 0;) {
		bpf_link__destroy(probes->links[i]);
		if (clock_now_ns() - told_ns < PROGRESS_NS)
			continue;
		told_ns = clock_now_ns();
		log_info("removing the probes: %u to go", i);
	}
}

void probes_free(struct probes *probes)
{
	if (!probes)
		return;
	detach_all(probes);
	tracefs_close(probes->tracefs);
	inflight_close(probes->inflight);
	bpf_object__close(probes->object);
	btf_choice_release(&probes->btf);
	free(probes);
}

/* ---- while it runs ----------------------------------------------------------------------------
 */

void probes_sweep(struct probes *probes, uint64_t before_ns, bool only_reported)
{
	inflight_sweep(probes->inflight, before_ns, only_reported);
}

uint32_t probes_count_stale(const struct probes *probes, uint64_t before_ns)
{
	return inflight_count_stale(probes->inflight, before_ns);
}

/* Entries of these are counted (struct wire_stats). */
static bool is_paired(const struct probe *probe)
{
	return !strcmp(probe->program, "alloc_return") || !strcmp(probe->program, "percpu_return");
}

int probes_read_misses(struct probes *probes, struct probes_misses *misses)
{
	int err;

	*misses = (struct probes_misses){ 0 };
	if (!probes->tracefs)
		return -ENOENT;
	err = tracefs_read_profile(probes->tracefs, probes->profile, TRACEFS_MAX_PROBES);
	if (err < 0)
		return err;
	for (uint32_t i = 0; i < probes->plan.nr_probes; i++) {
		uint64_t hits, missed;

		if (!probes_counts(probes, i, &hits, &missed))
			continue;
		if (probes->plan.probes[i].map)
			misses->map += missed;
		else
			misses->detail += missed;
		if (is_paired(&probes->plan.probes[i]))
			misses->returns += missed;
	}
	return 0;
}

bool probes_traced(const struct probes *probes)
{
	return probes->tracefs != NULL;
}

bool probes_counts(const struct probes *probes, uint32_t i, uint64_t *hits, uint64_t *misses)
{
	if (probes->traced[i] >= TRACEFS_MAX_PROBES)
		return false;
	*hits = probes->profile[probes->traced[i]].hits;
	*misses = probes->profile[probes->traced[i]].misses;
	return true;
}

int probes_new_ring(const struct probes *probes)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "events", 0, 0, probes->ring_bytes, NULL);

	return fd < 0 ? -errno : fd;
}

int probes_use_ring(const struct probes *probes, int ring_fd)
{
	uint32_t key = 0;

	if (bpf_map_update_elem(bpf_map__fd(map(probes, "rings")), &key, &ring_fd, BPF_ANY) < 0)
		return -errno;
	return 0;
}

int probes_events_fd(const struct probes *probes)
{
	return bpf_map__fd(map(probes, "events"));
}

int probes_program_fd(const struct probes *probes, uint32_t i)
{
	return bpf_program__fd(
		bpf_object__find_program_by_name(probes->object, probes->plan.probes[i].program));
}

int probes_stats_fd(const struct probes *probes)
{
	return bpf_map__fd(map(probes, probes->transport == TRANSPORT_PERF ? "cpus" : ".bss"));
}

uint32_t probes_cpus(const struct probes *probes)
{
	return probes->cpus;
}

const char *probes_btf_source(const struct probes *probes)
{
	return probes->btf.source;
}

const struct plan *probes_plan(const struct probes *probes)
{
	return &probes->plan;
}
