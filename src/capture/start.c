/* SPDX-License-Identifier: GPL-2.0-only */
/* How a capture comes up, proves itself, and goes down. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "capture/capture_internal.h"
#include "clock.h"
#include "log.h"

#define START_LOCK_TRIES 100          /* of 100 ms */
#define SMALL_RING_BYTES (56u * 1024) /* what --ring=16K takes */
/* Programs and tables beside the ring, and the percpu chunk (264K, 160K for its own tables) that
 * the kernel may need for them: seen on 6.1 686-pae. `vmtrace doctor` shows what it is now. */
#define PROGRAMS_BYTES (264u * 1024)
#define PERCPU_BYTES   (424u * 1024)

/*
 * One vmtrace starts at a time: what appears between its first look at the list and its
 * seed, made by BPF, is its own. The file is only something that all of them can lock. If
 * the other takes too long, the marks `@` may be wrong, nothing else.
 */
static void start_lock(struct capture *capture)
{
	capture->start_lock = open("/proc/vmallocinfo", O_RDONLY | O_CLOEXEC);
	for (int i = 0; i < START_LOCK_TRIES && capture->start_lock >= 0; i++) {
		if (flock(capture->start_lock, LOCK_EX | LOCK_NB) == 0)
			return;
		if (i == 0)
			log_info("waiting for another vmtrace to start");
		usleep(100000);
	}
}

void capture_start_unlock(struct capture *capture)
{
	if (capture->start_lock >= 0)
		close(capture->start_lock);
	capture->start_lock = -1;
}

static int load_symbols(struct capture *capture)
{
	int err = symbols_load(capture->symbols, "/proc/kallsyms");

	if (err == -EPERM) {
		log_note("kernel.kptr_restrict hides symbol addresses even from root: stacks are "
			 "shown as raw addresses. Fix: sysctl kernel.kptr_restrict=1");
		return 0;
	}
	if (err)
		log_error("cannot read /proc/kallsyms (CONFIG_KALLSYMS?): %s", strerror(-err));
	return err ? -ENOSYS : 0;
}

/* Symbols, and the list as it is before vmtrace takes any of the space. */
static int look_before(struct capture *capture)
{
	struct kptr *kptr;
	int err = capture_raise_kptr(capture, &kptr);

	if (err) {
		log_error("%s", capture->list_why);
		return err;
	}
	capture->can_list = kptr_value(kptr) != 2 || capture->options.force_kptr;
	/* Who hides addresses does not have them shown again every few minutes unasked. */
	if (kptr_value(kptr) == 2 && !capture->options.reconcile_asked) {
		capture->options.reconcile_ns = 0;
		relist_init(&capture->relist, 0);
	}
	err = load_symbols(capture);
	if (!err && capture->can_list) {
		err = seed_read(&capture->before, capture->names, capture->range.vmalloc_start,
				capture->range.vmalloc_end);
		if (err)
			log_error("cannot read /proc/vmallocinfo: %s", strerror(-err));
	}
	kptr_restore(kptr);
	return err;
}

/* True if a ring fits; *hole and *need tell why not. */
static bool ring_fits(const struct capture *capture, uint32_t *hole, uint32_t *need)
{
	*need = 2 * capture->options.probes.ring_bytes + 6 * VMT_PAGE_SIZE;
	*hole = UINT32_MAX;
	if (capture->can_list)
		*hole = seed_largest_hole(&capture->before, capture->range.vmalloc_start,
					  capture->range.vmalloc_end);
	return *hole >= *need;
}

static enum transport default_transport(const struct capture *capture, enum transport best)
{
	uint32_t hole, need;

	if (best == TRANSPORT_PERF) {
		log_note("this kernel has no BPF ring buffer (Linux 5.8 has): using perf buffers, "
			 "%uK a CPU",
			 capture->options.probes.ring_bytes / 1024);
		return TRANSPORT_PERF;
	}
	if (ring_fits(capture, &hole, &need))
		return TRANSPORT_RING;
	log_note("largest vmalloc hole is %uK, a ring needs %uK in one piece: using perf buffers, "
		 "which take none of it",
		 hole / 1024, need / 1024);
	return TRANSPORT_PERF;
}

/* Perf buffers are made of low memory: they take none of the vmalloc space. */
static int choose_transport(struct capture *capture)
{
	struct probes_options *options = &capture->options.probes;
	enum transport best = probes_best_transport();

	if (options->transport == TRANSPORT_RING && best == TRANSPORT_PERF) {
		log_error("this kernel has no BPF ring buffer (Linux 5.8 has): use "
			  "--transport=perf, or leave --transport out");
		return -ENOSYS;
	}
	if (options->transport == TRANSPORT_AUTO)
		options->transport = default_transport(capture, best);
	if (options->transport == TRANSPORT_PERF && options->stack_depth && !probes_have_stacks()) {
		log_note("this kernel has no bpf_get_stack (Linux 4.18 has): who holds an area is "
			 "known only where the kernel's list says it");
		options->stack_depth = 0;
	}
	return 0;
}

static int check_room(const struct capture *capture)
{
	uint32_t hole, need;

	if (capture->options.probes.transport != TRANSPORT_RING || ring_fits(capture, &hole, &need))
		return 0;
	log_error(
		"largest vmalloc hole is %uK; tracing needs %uK in one piece and up to %uK in all, "
		"and would make things worse. Use --transport=perf or --ring=16K (up to %uK in "
		"all), or 'vmtrace snapshot', which needs none",
		hole / 1024, need / 1024, (need + PROGRAMS_BYTES + PERCPU_BYTES) / 1024,
		(SMALL_RING_BYTES + PROGRAMS_BYTES + PERCPU_BYTES) / 1024);
	return -ENOSPC;
}

/* What the start spends its time on, under -v. */
static void step_done(const char *what, uint64_t *since_ns)
{
	uint64_t now_ns = clock_now_ns();

	log_debug("%s: %u ms", what, (unsigned int)((now_ns - *since_ns) / 1000000));
	*since_ns = now_ns;
}

int capture_open(const struct capture_options *options, struct names *names, struct stacks *stacks,
		 struct capture **out)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	uint64_t step_ns = clock_now_ns();
	char why[256];
	int err;

	if (!capture)
		return -ENOMEM;
	capture->options = *options;
	if (!capture->options.plan.nr_ways)
		plan_default_ways(&capture->options.plan);
	capture->names = names;
	capture->stacks = stacks;
	relist_init(&capture->relist, options->reconcile_ns);
	capture->start_lock = -1;
	capture->ring_fd = -1;
	capture->sink = capture_no_sink();
	err = range_read(&capture->range, why, sizeof(why));
	if (err)
		log_error("cannot find the vmalloc range: %s", why);
	if (err == -ENOENT || err == -EBADMSG)
		err = -ENOSYS; /* no CONFIG_PROC_KCORE, or not a 32-bit kernel's */
	start_lock(capture);
	capture->symbols = symbols_new();
	if (!err && !capture->symbols)
		err = -ENOMEM;
	if (!err) {
		capture->resolver =
			resolver_new(capture->symbols, names, capture->range.vmalloc_start,
				     capture->range.vmalloc_end);
		capture->decode = decode_new(names, stacks, capture->resolver, (uint32_t)getpid());
		if (!capture->resolver || !capture->decode)
			err = -ENOMEM;
	}
	if (!err)
		err = look_before(capture);
	step_done("symbols and the kernel's list read", &step_ns);
	if (!err)
		err = choose_transport(capture);
	if (!err)
		err = check_room(capture);
	if (!err)
		err = capture_start_flow(capture);
	step_done("probes loaded, attached and proved", &step_ns);
	if (err) {
		capture_close(capture);
		return err;
	}
	*out = capture;
	return 0;
}

void capture_close(struct capture *capture)
{
	uint64_t step_ns = clock_now_ns();

	if (!capture)
		return;
	capture_start_unlock(capture);
	capture_stop_flow(capture);
	step_done("probes detached", &step_ns);
	decode_free(capture->decode);
	resolver_free(capture->resolver);
	kernel_tree_close(capture->kernel_tree);
	symbols_free(capture->symbols);
	seed_release(&capture->before);
	free(capture);
}
