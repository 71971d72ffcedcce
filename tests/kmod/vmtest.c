// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmtest - makes and frees vmalloc-space areas on command and prints one line
 * for each, so that the log is an independent account of what happened.
 *
 * One command per write to /sys/kernel/debug/vmtest/cmd; README.md lists them.
 *
 * Order of the log: an allocation is printed after it was made and a free
 * before it is done, so no address is ever printed as allocated twice without
 * a free in between.
 *
 * Kernel versions: vm_map_ram() has no prot argument from 5.8 on, and
 * tasklet_setup() exists from 5.9 on; nothing else here depends on one.
 * vfree_atomic() and get_vm_area() are not exported to modules (6.1).
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/completion.h>
#include <linux/sizes.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

/* vm_map_ram() takes from a vmap block up to VMAP_MAX_ALLOC = BITS_PER_LONG. */
#define BLOCK_PAGES	((unsigned long)BITS_PER_LONG)

/* PCPU_MIN_UNIT_SIZE: __alloc_percpu() warns about anything larger. */
#define PERCPU_MAX	(32UL << 10)

/*
 * The local APIC. No machine has RAM from here up to 4 GiB, ioremap() of it is
 * not refused and not short-cut (the ISA hole is), and nothing reads it.
 */
#define AUTO_PHYS	0xfee00000ULL
#define AUTO_MAX	((1ULL << 32) - AUTO_PHYS)

#define MAX_ARGS	7
#define MAX_CMD		256
#define NAME_LEN	24
#define MIXED_SLOTS	64
#define MIXED_MAX_SHIFT	18		/* 256 KiB */
#define MIXED_MAX_PAUSE	1000000UL	/* microseconds */
#define EXHAUST_MAX	(1UL << 20)	/* areas; never reached on 32 bits */

/*
 * A stack must name the function that allocates or frees, so none is inlined
 * or cloned, and keep_frame() after the call prevents a tail call.
 */
#ifndef __noclone
#define __noclone
#endif
#define traced		noinline __noclone
#define keep_frame()	barrier()

enum kind {
	K_NONE,
	K_VMALLOC,
	K_VZALLOC,
	K_VMALLOC_USER,
	K_VMAP,
	K_IOREMAP,
	K_VM_MAP_RAM,
	K_PERCPU,
	K_MODULE,
	K_NR
};

static const char * const kind_names[K_NR] = {
	[K_NONE]		= "none",
	[K_VMALLOC]		= "vmalloc",
	[K_VZALLOC]		= "vzalloc",
	[K_VMALLOC_USER]	= "vmalloc_user",
	[K_VMAP]		= "vmap",
	[K_IOREMAP]		= "ioremap",
	[K_VM_MAP_RAM]		= "vm_map_ram",
	[K_PERCPU]		= "percpu",
	[K_MODULE]		= "module",
};

/* kind == K_NONE: nothing is held. K_PERCPU: addr is ptrs[0] on CPU 0. */
struct area {
	struct list_head link;
	enum kind kind;
	void *addr;
	unsigned long bytes;
	phys_addr_t phys;
	unsigned long count;
	void __percpu **ptrs;
	char name[NAME_LEN];
};

struct mixed {
	struct list_head link;
	struct task_struct *task;
	unsigned long ops;
	u32 seed;
	u32 rnd;
	unsigned int cpu;
	unsigned long pause_us;
	bool verbose;
	bool keep;
	bool stop;
	bool done;
	unsigned long did;
	unsigned long made[K_NR];
	unsigned long ram_block;
	unsigned long frees;
	unsigned long frees_softirq;
	unsigned long failed;
	struct area slot[MIXED_SLOTS];
};

struct softirq_node {
	struct llist_node node;
	void *addr;
};

/* Serializes commands; protects areas and mixed_list. */
static DEFINE_MUTEX(cmd_lock);
static LIST_HEAD(areas);
static LIST_HEAD(mixed_list);
static atomic_t mixed_running = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(mixed_wait);

static struct dentry *dir;
static struct page *shared_page;

/* Of the last allocation that was asked for by its command; 0 = it failed. */
static u32 last_addr;

/* What modules are loaded into: not exported. execmem_alloc() is 6.10. */
static void *(*module_alloc_fn)(unsigned long bytes);
static void *(*execmem_alloc_fn)(int type, size_t bytes);

static LLIST_HEAD(softirq_list);
static atomic_t softirq_pending = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(softirq_wait);
static struct tasklet_struct softirq_tasklet;

/* The allocating and freeing calls */

static traced void *vmtest_do_vmalloc(unsigned long bytes)
{
	void *p = vmalloc(bytes);

	keep_frame();
	return p;
}

static traced void *vmtest_do_vzalloc(unsigned long bytes)
{
	void *p = vzalloc(bytes);

	keep_frame();
	return p;
}

static traced void *vmtest_do_vmalloc_user(unsigned long bytes)
{
	void *p = vmalloc_user(bytes);

	keep_frame();
	return p;
}

static traced void *vmtest_do_fail(unsigned long bytes)
{
	void *p = __vmalloc(bytes, GFP_KERNEL | __GFP_NOWARN);

	keep_frame();
	return p;
}

static traced void *vmtest_do_vmap(struct page **pages, unsigned int nr)
{
	void *p = vmap(pages, nr, VM_MAP, PAGE_KERNEL);

	keep_frame();
	return p;
}

static traced void *vmtest_do_vm_map_ram(struct page **pages, unsigned int nr)
{
	void *p = vm_map_ram(pages, nr, NUMA_NO_NODE);

	keep_frame();
	return p;
}

static traced void *vmtest_do_ioremap(phys_addr_t phys, unsigned long bytes)
{
	void __iomem *p = ioremap(phys, bytes);

	keep_frame();
	return (void __force *)p;
}

static traced void __percpu *vmtest_do_percpu(unsigned long bytes)
{
	void __percpu *p = __alloc_percpu(bytes, 8);

	keep_frame();
	return p;
}

static traced void *vmtest_do_module(unsigned long bytes)
{
	void *p = NULL;

	if (execmem_alloc_fn)
		p = execmem_alloc_fn(0 /* EXECMEM_DEFAULT */, bytes);
	else if (module_alloc_fn)
		p = module_alloc_fn(bytes);
	keep_frame();
	return p;
}

static traced void vmtest_do_vfree(void *addr)
{
	vfree(addr);
	keep_frame();
}

static traced void vmtest_do_vunmap(void *addr)
{
	vunmap(addr);
	keep_frame();
}

static traced void vmtest_do_vm_unmap_ram(void *addr, unsigned int nr)
{
	vm_unmap_ram(addr, nr);
	keep_frame();
}

static traced void vmtest_do_iounmap(void *addr)
{
	iounmap((void __iomem __force *)addr);
	keep_frame();
}

static traced void vmtest_do_free_percpu(void __percpu *p)
{
	free_percpu(p);
	keep_frame();
}

/* In softirq: vfree() only queues the address, a kworker frees it later. */
static traced void vmtest_softirq_free(struct tasklet_struct *unused)
{
	struct llist_node *list = llist_del_all(&softirq_list);
	struct softirq_node *n, *tmp;

	llist_for_each_entry_safe(n, tmp, list, node) {
		vfree(n->addr);
		kfree(n);
		atomic_dec(&softirq_pending);
	}
	wake_up_all(&softirq_wait);
}

/* Areas */

static struct page **page_array(unsigned long nr)
{
	struct page **pages;
	unsigned long i;

	/* Not kvmalloc: the array must not become an area itself. */
	pages = kmalloc_array(nr, sizeof(*pages), GFP_KERNEL | __GFP_NOWARN);
	if (!pages)
		return NULL;
	for (i = 0; i < nr; i++)
		pages[i] = shared_page;
	return pages;
}

static void *map_pages(enum kind kind, unsigned long nr)
{
	struct page **pages = page_array(nr);
	void *p;

	if (!pages)
		return NULL;
	if (kind == K_VMAP)
		p = vmtest_do_vmap(pages, nr);
	else
		p = vmtest_do_vm_map_ram(pages, nr);
	kfree(pages);
	return p;
}

static void percpu_release(struct area *a)
{
	while (a->count)
		vmtest_do_free_percpu(a->ptrs[--a->count]);
	kfree(a->ptrs);
	a->ptrs = NULL;
}

static void *percpu_make(struct area *a)
{
	unsigned long want = a->count;

	a->count = 0;
	a->ptrs = kmalloc_array(want, sizeof(*a->ptrs),
				GFP_KERNEL | __GFP_NOWARN);
	if (!a->ptrs)
		return NULL;
	for (; a->count < want; a->count++) {
		a->ptrs[a->count] = vmtest_do_percpu(a->bytes);
		if (!a->ptrs[a->count]) {
			percpu_release(a);
			return NULL;
		}
		cond_resched();
	}
	return per_cpu_ptr(a->ptrs[0], 0);
}

static void *area_call(struct area *a)
{
	switch (a->kind) {
	case K_VMALLOC:
		return vmtest_do_vmalloc(a->bytes);
	case K_VZALLOC:
		return vmtest_do_vzalloc(a->bytes);
	case K_VMALLOC_USER:
		return vmtest_do_vmalloc_user(a->bytes);
	case K_VMAP:
	case K_VM_MAP_RAM:
		return map_pages(a->kind, a->bytes >> PAGE_SHIFT);
	case K_IOREMAP:
		return vmtest_do_ioremap(a->phys, a->bytes);
	case K_PERCPU:
		return percpu_make(a);
	case K_MODULE:
		return vmtest_do_module(a->bytes);
	default:
		return NULL;
	}
}

/* Turns a filled-in request into a held area, or into K_NONE. */
static int area_make(struct area *a)
{
	a->addr = area_call(a);
	if (a->addr)
		return 0;
	a->kind = K_NONE;
	return -ENOMEM;
}

static void area_release(struct area *a)
{
	switch (a->kind) {
	case K_VMALLOC:
	case K_VZALLOC:
	case K_VMALLOC_USER:
	case K_MODULE:
		vmtest_do_vfree(a->addr);
		break;
	case K_VMAP:
		vmtest_do_vunmap(a->addr);
		break;
	case K_VM_MAP_RAM:
		vmtest_do_vm_unmap_ram(a->addr, a->bytes >> PAGE_SHIFT);
		break;
	case K_IOREMAP:
		vmtest_do_iounmap(a->addr);
		break;
	case K_PERCPU:
		percpu_release(a);
		break;
	default:
		break;
	}
	a->kind = K_NONE;
}

/* vunmap(), iounmap() and the others may not be called in softirq. */
static bool softirq_ok(const struct area *a)
{
	return a->kind == K_VMALLOC || a->kind == K_VZALLOC ||
	       a->kind == K_VMALLOC_USER;
}

static int area_release_softirq(struct area *a)
{
	struct softirq_node *n = kmalloc(sizeof(*n), GFP_KERNEL);

	if (!n)
		return -ENOMEM;
	n->addr = a->addr;
	a->kind = K_NONE;
	atomic_inc(&softirq_pending);
	llist_add(&n->node, &softirq_list);
	tasklet_schedule(&softirq_tasklet);
	return 0;
}

static bool in_block(const struct area *a)
{
	return a->kind == K_VM_MAP_RAM &&
	       a->bytes >> PAGE_SHIFT <= BLOCK_PAGES;
}

/* The kernel's area with its guard page; 0 where the area is not our own. */
static unsigned long area_bytes(const struct area *a)
{
	switch (a->kind) {
	case K_VM_MAP_RAM:
		return in_block(a) ? 0 : a->bytes;
	case K_IOREMAP:
		return PAGE_ALIGN(offset_in_page((unsigned long)a->phys) +
				  a->bytes) + PAGE_SIZE;
	case K_PERCPU:
		return 0;
	default:
		return PAGE_ALIGN(a->bytes) + PAGE_SIZE;
	}
}

/* Where unit 0 of the percpu objects lies; only chunks but the first are ours. */
static void percpu_extra(const struct area *a, char *buf, size_t len)
{
	unsigned long i, addr, low = ~0UL, high = 0, in = 0;

	for (i = 0; i < a->count; i++) {
		addr = (unsigned long)per_cpu_ptr(a->ptrs[i], 0);
		if (!is_vmalloc_addr((void *)addr))
			continue;
		in++;
		low = min(low, addr);
		high = max(high, addr + a->bytes);
	}
	scnprintf(buf, len, " count=%lu in_vmalloc=%lu low=0x%08lx high=0x%08lx",
		  a->count, in, in ? low : 0, high);
}

static void area_extra(const struct area *a, char *buf, size_t len)
{
	buf[0] = '\0';
	if (a->kind == K_VMAP)
		scnprintf(buf, len, " pages=%lu", a->bytes >> PAGE_SHIFT);
	if (a->kind == K_VM_MAP_RAM)
		scnprintf(buf, len, " pages=%lu block=%d",
			  a->bytes >> PAGE_SHIFT, in_block(a));
	if (a->kind == K_IOREMAP)
		scnprintf(buf, len, " phys=0x%08llx", (u64)a->phys);
	if (a->kind == K_PERCPU)
		percpu_extra(a, buf, len);
}

/* op is NULL for the allocation itself. */
static void print_area(const char *op, const struct area *a)
{
	const char *name = kind_names[a->kind];
	char extra[96];

	area_extra(a, extra, sizeof(extra));
	pr_info("op=%s%s%s name=%s addr=0x%08lx bytes=%lu area_bytes=%lu%s\n",
		op ? op : name, op ? " kind=" : "", op ? name : "", a->name,
		(unsigned long)a->addr, a->bytes, area_bytes(a), extra);
}

static void print_free(const struct area *a, bool softirq)
{
	pr_info("op=%s name=%s addr=0x%08lx kind=%s bytes=%lu area_bytes=%lu\n",
		softirq ? "free_softirq" : "free", a->name,
		(unsigned long)a->addr, kind_names[a->kind], a->bytes,
		area_bytes(a));
}

static struct area *area_find(const char *name)
{
	struct area *a;

	list_for_each_entry(a, &areas, link)
		if (!strcmp(a->name, name))
			return a;
	return NULL;
}

static void free_all(void)
{
	struct area *a, *tmp;

	list_for_each_entry_safe(a, tmp, &areas, link) {
		print_free(a, false);
		area_release(a);
		list_del(&a->link);
		kfree(a);
		cond_resched();
	}
}

/* The mixed load */

static u32 rnd(struct mixed *m)
{
	m->rnd ^= m->rnd << 13;
	m->rnd ^= m->rnd >> 17;
	m->rnd ^= m->rnd << 5;
	return m->rnd;
}

/* 1 .. 2^MIXED_MAX_SHIFT bytes, small ones far more often than large ones. */
static unsigned long rnd_bytes(struct mixed *m)
{
	u32 shift = rnd(m) % (MIXED_MAX_SHIFT + 1);

	return (rnd(m) & ((1U << shift) - 1)) + 1;
}

static unsigned long rnd_pages(struct mixed *m, u32 from, u32 to)
{
	return (unsigned long)(from + rnd(m) % (to - from + 1)) << PAGE_SHIFT;
}

static void mixed_request(struct mixed *m, struct area *a)
{
	u32 pick = rnd(m) % 64;

	a->bytes = rnd_bytes(m);
	a->phys = 0;
	a->count = 0;
	if (pick < 24) {
		a->kind = K_VMALLOC;
	} else if (pick < 30) {
		a->kind = K_VZALLOC;
	} else if (pick < 34) {
		a->kind = K_VMALLOC_USER;
	} else if (pick < 44) {
		a->kind = K_VMAP;
		a->bytes = rnd_pages(m, 1, 64);
	} else if (pick < 52) {
		a->kind = K_VM_MAP_RAM;
		a->bytes = rnd_pages(m, 1, BLOCK_PAGES);
	} else if (pick < 56) {
		a->kind = K_VM_MAP_RAM;
		a->bytes = rnd_pages(m, BLOCK_PAGES + 1, 64);
	} else if (pick < 62) {
		a->kind = K_IOREMAP;
		a->phys = AUTO_PHYS;
	} else {
		a->kind = K_PERCPU;
		a->bytes = 8 + rnd(m) % 8192;
		a->count = 1;
	}
}

static void mixed_alloc(struct mixed *m, struct area *a)
{
	enum kind kind;

	mixed_request(m, a);
	kind = a->kind;
	if (area_make(a)) {
		m->failed++;
		pr_info("op=%s name=%s bytes=%lu result=NULL\n",
			kind_names[kind], a->name, a->bytes);
		return;
	}
	m->made[kind]++;
	m->ram_block += in_block(a);
	if (m->verbose)
		print_area(NULL, a);
}

static void mixed_free(struct mixed *m, struct area *a)
{
	bool softirq = softirq_ok(a) && rnd(m) % 8 == 0;

	if (m->verbose)
		print_free(a, softirq);
	if (softirq && !area_release_softirq(a)) {
		m->frees_softirq++;
		return;
	}
	area_release(a);
	m->frees++;
}

/* Hands a slot over to the named areas, or frees it. */
static void mixed_settle(struct mixed *m, struct area *slot)
{
	struct area *a;

	if (slot->kind == K_NONE)
		return;
	a = m->keep ? kmemdup(slot, sizeof(*slot), GFP_KERNEL) : NULL;
	if (!a) {
		mixed_free(m, slot);
		return;
	}
	print_area("held", a);
	mutex_lock(&cmd_lock);
	list_add_tail(&a->link, &areas);
	mutex_unlock(&cmd_lock);
}

static void mixed_print(struct mixed *m, unsigned long ops, s64 ms)
{
	pr_info("op=mixed done=%lu failed=%lu seconds_ms=%lld seed=%u cpu=%u vmalloc=%lu vzalloc=%lu vmalloc_user=%lu vmap=%lu vm_map_ram_block=%lu vm_map_ram_own=%lu ioremap=%lu percpu=%lu free=%lu free_softirq=%lu\n",
		ops, m->failed, ms, m->seed, m->cpu, m->made[K_VMALLOC],
		m->made[K_VZALLOC], m->made[K_VMALLOC_USER], m->made[K_VMAP],
		m->ram_block, m->made[K_VM_MAP_RAM] - m->ram_block,
		m->made[K_IOREMAP], m->made[K_PERCPU], m->frees,
		m->frees_softirq);
}

/* 0 operations wanted: until it is told to stop. */
static bool mixed_goes_on(const struct mixed *m)
{
	return (!m->ops || m->did < m->ops) && !READ_ONCE(m->stop) &&
	       !kthread_should_stop();
}

static int mixed_thread(void *arg)
{
	struct mixed *m = arg;
	ktime_t start = ktime_get();
	struct area *a;
	s64 ms;

	while (mixed_goes_on(m)) {
		if (m->pause_us)
			usleep_range(m->pause_us, m->pause_us);
		a = &m->slot[rnd(m) % MIXED_SLOTS];
		if (a->kind == K_NONE)
			mixed_alloc(m, a);
		else
			mixed_free(m, a);
		WRITE_ONCE(m->did, m->did + 1);
		cond_resched();
	}
	ms = ktime_ms_delta(ktime_get(), start);
	for (a = m->slot; a < m->slot + MIXED_SLOTS; a++)
		mixed_settle(m, a);
	mixed_print(m, m->did, ms);
	WRITE_ONCE(m->done, true);
	atomic_dec(&mixed_running);
	wake_up_all(&mixed_wait);
	return 0;
}

/* The reference on the task keeps kthread_stop() valid after the thread ended. */
static void mixed_reap(struct mixed *m)
{
	kthread_stop(m->task);
	put_task_struct(m->task);
	list_del(&m->link);
	kfree(m);
}

static void mixed_reap_done(void)
{
	struct mixed *m, *tmp;

	list_for_each_entry_safe(m, tmp, &mixed_list, link)
		if (READ_ONCE(m->done))
			mixed_reap(m);
}

static int mixed_start(struct mixed *m)
{
	int i;

	m->rnd = m->seed * 2654435761U ^ 0x9e3779b9U;
	if (!m->rnd)
		m->rnd = 1;
	for (i = 0; i < MIXED_SLOTS; i++)
		scnprintf(m->slot[i].name, NAME_LEN, "m%u.%u.%d", m->seed,
			  m->cpu, i);
	m->task = kthread_create(mixed_thread, m, "vmtest/%u", m->cpu);
	if (IS_ERR(m->task))
		return PTR_ERR(m->task);
	get_task_struct(m->task);
	kthread_bind(m->task, m->cpu);
	list_add_tail(&m->link, &mixed_list);
	atomic_inc(&mixed_running);
	wake_up_process(m->task);
	return 0;
}

/* Commands: argv[0] is the command, args beyond argc are NULL */

static int parse_u64(const char *s, u64 *v)
{
	char *end;

	if (!s)
		return -EINVAL;
	*v = memparse(s, &end);
	return end == s || *end ? -EINVAL : 0;
}

static int parse_ulong(const char *s, unsigned long *v)
{
	u64 n;

	if (parse_u64(s, &n) || n != (unsigned long)n)
		return -EINVAL;
	*v = n;
	return 0;
}

static int parse_pages(const char *s, unsigned long *bytes)
{
	unsigned long nr;

	if (parse_ulong(s, &nr) || !nr || nr > ULONG_MAX >> PAGE_SHIFT)
		return -EINVAL;
	*bytes = nr << PAGE_SHIFT;
	return 0;
}

/* ioremap() of RAM is a warning and a failure. */
static bool has_ram(u64 phys, unsigned long bytes)
{
	u64 pfn;

	for (pfn = phys >> PAGE_SHIFT; pfn << PAGE_SHIFT < phys + bytes; pfn++)
		if (page_is_ram(pfn))
			return true;
	return false;
}

static int parse_ioremap(struct area *a, char **argv)
{
	u64 phys = AUTO_PHYS;

	if (!argv[2] || parse_ulong(argv[3], &a->bytes))
		return -EINVAL;
	if (strcmp(argv[2], "auto")) {
		if (parse_u64(argv[2], &phys) ||
		    phys != (phys_addr_t)phys || has_ram(phys, a->bytes))
			return -EINVAL;
	} else if (a->bytes > AUTO_MAX) {
		return -EINVAL;
	}
	a->phys = phys;
	return 0;
}

static int parse_percpu(struct area *a, char **argv)
{
	if (parse_ulong(argv[2], &a->bytes) || parse_ulong(argv[3], &a->count))
		return -EINVAL;
	if (!a->bytes || a->bytes > PERCPU_MAX || !a->count)
		return -EINVAL;
	return 0;
}

static int parse_request(struct area *a, char **argv)
{
	switch (a->kind) {
	case K_VMAP:
	case K_VM_MAP_RAM:
		return parse_pages(argv[2], &a->bytes);
	case K_IOREMAP:
		return parse_ioremap(a, argv);
	case K_PERCPU:
		return parse_percpu(a, argv);
	default:
		return parse_ulong(argv[2], &a->bytes);
	}
}

static int add_area(struct area *a, char **argv)
{
	enum kind kind = a->kind;
	int err = parse_request(a, argv);

	if (err)
		return err;
	if (area_find(a->name))
		return -EEXIST;
	err = area_make(a);
	last_addr = err ? 0 : (u32)(unsigned long)a->addr;
	if (err) {
		pr_info("op=%s name=%s bytes=%lu result=NULL\n",
			kind_names[kind], a->name, a->bytes);
		return err;
	}
	print_area(NULL, a);
	list_add_tail(&a->link, &areas);
	return 0;
}

static int cmd_alloc(enum kind kind, char **argv)
{
	struct area *a;
	int err;

	if (!argv[1] || strlen(argv[1]) >= NAME_LEN)
		return -EINVAL;
	a = kzalloc(sizeof(*a), GFP_KERNEL);
	if (!a)
		return -ENOMEM;
	strscpy(a->name, argv[1], NAME_LEN);
	a->kind = kind;
	err = add_area(a, argv);
	if (err)
		kfree(a);
	return err;
}

/*
 * Above PAGE_SIZE of page pointers (4 MiB of buffer on 32 bits) the array of
 * page pointers is an area of its own.
 */
static int cmd_nested(char **argv)
{
	unsigned long bytes, array;
	int err;

	if (parse_ulong(argv[2], &bytes) || bytes > ULONG_MAX - PAGE_SIZE)
		return -EINVAL;
	array = (PAGE_ALIGN(bytes) >> PAGE_SHIFT) * sizeof(struct page *);
	if (array <= PAGE_SIZE)
		return -EINVAL;
	err = cmd_alloc(K_VMALLOC, argv);
	if (!err)
		pr_info("op=nested name=%s bytes=%lu area_bytes=%lu\n", argv[1],
			array, PAGE_ALIGN(array) + PAGE_SIZE);
	return err;
}

static int free_softirq(struct area *a)
{
	int err;

	if (!softirq_ok(a))
		return -EINVAL;
	print_free(a, true);
	err = area_release_softirq(a);
	if (!err)
		wait_event(softirq_wait, !atomic_read(&softirq_pending));
	return err;
}

static int cmd_free(char **argv, bool softirq)
{
	struct area *a = argv[1] ? area_find(argv[1]) : NULL;
	int err;

	if (!a)
		return argv[1] ? -ENOENT : -EINVAL;
	if (softirq) {
		err = free_softirq(a);
		if (err)
			return err;
	} else {
		print_free(a, false);
		area_release(a);
	}
	list_del(&a->link);
	kfree(a);
	return 0;
}

static int cmd_fail(char **argv)
{
	unsigned long bytes;
	void *p;

	if (parse_ulong(argv[1], &bytes))
		return -EINVAL;
	p = vmtest_do_fail(bytes);
	if (!p) {
		pr_info("op=fail bytes=%lu result=NULL\n", bytes);
		return 0;
	}
	pr_info("op=fail bytes=%lu result=0x%08lx\n", bytes, (unsigned long)p);
	vmtest_do_vfree(p);
	return -EEXIST;
}

/*
 * An allocation inside an allocation of the same task: alloc_vmap_area calls
 * the purge notifiers when it finds no hole (mm/vmalloc.c, label overflow), and
 * a notifier may allocate, as reclaim may.
 */
struct inside {
	struct notifier_block nb;
	struct task_struct *task;
	char **argv;
	int err;
};

static int inside_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	struct inside *in = container_of(nb, struct inside, nb);

	if (in->task != current || in->err != -ENODATA)
		return NOTIFY_OK;
	in->err = cmd_alloc(K_VMALLOC, in->argv);
	return NOTIFY_OK;
}

/* fail_inside NAME BYTES FAILBYTES */
static int cmd_fail_inside(char **argv, int argc)
{
	struct inside in = {
		.nb.notifier_call = inside_notify,
		.task = current,
		.argv = argv,
		.err = -ENODATA,
	};
	char *fail_argv[] = { "fail", argv[3], NULL };
	int err;

	if (argc != 4)
		return -EINVAL;
	err = register_vmap_purge_notifier(&in.nb);
	if (err)
		return err;
	err = cmd_fail(fail_argv);
	unregister_vmap_purge_notifier(&in.nb);
	return err ? err : in.err;
}

/*
 * A request whose task goes to another CPU while the kernel looks for an area.
 * If there is a reserve it is given up then, and the kernel tries again.
 */
struct moved {
	struct notifier_block nb;
	struct task_struct *task;
	const struct cpumask *to;
	void *reserve;
	unsigned long reserve_pages;
	int err;
};

static int moved_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	struct moved *moved = container_of(nb, struct moved, nb);

	if (moved->task != current || moved->err != -ENODATA)
		return NOTIFY_OK;
	moved->err = set_cpus_allowed_ptr(current, moved->to);
	if (moved->reserve) {
		vunmap(moved->reserve);
		*(unsigned long *)data += moved->reserve_pages;
	}
	moved->reserve = NULL;
	return NOTIFY_OK;
}

/* What it costs is address space: all of its pages are the same one. */
static int take_reserve(struct moved *moved, unsigned long bytes)
{
	unsigned long n = bytes >> PAGE_SHIFT, i;
	struct page *page = ZERO_PAGE(0), **pages = kvmalloc_array(n, sizeof(*pages), GFP_KERNEL);

	if (!pages)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		pages[i] = page;
	moved->reserve = vmap(pages, n, VM_MAP, PAGE_KERNEL);
	moved->reserve_pages = n;
	kvfree(pages);
	return moved->reserve ? 0 : -ENOMEM;
}

/*
 * A request that fails, and inside it one that is moved: what ends first is not
 * what the CPU on which it ends has seen last.
 */
struct moved_inside {
	struct notifier_block nb;
	struct moved inner;
	char **argv; /* of the inner one */
	unsigned long reserve;
	const struct cpumask *there;
	int err;
};

static int moved_inside_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	struct moved_inside *in = container_of(nb, struct moved_inside, nb);

	if (in->inner.task != current)
		return NOTIFY_OK;
	if (in->err != -ENODATA) /* called by the inner one, which this one has made */
		return moved_notify(&in->inner.nb, action, data);
	in->err = set_cpus_allowed_ptr(current, in->there);
	if (!in->err)
		in->err = take_reserve(&in->inner, in->reserve);
	if (!in->err)
		in->err = cmd_alloc(K_VMALLOC, in->argv);
	return NOTIFY_OK;
}

static int parse_cpu(const char *text, const struct cpumask **mask)
{
	unsigned long cpu;

	if (parse_ulong(text, &cpu) || cpu >= nr_cpu_ids || !cpu_online(cpu))
		return -EINVAL;
	*mask = cpumask_of(cpu);
	return 0;
}

/* fail_moved or moved, one way. */
static int move_once(char **argv, unsigned long reserve, const struct cpumask *from,
		     const struct cpumask *to)
{
	struct moved moved = {
		.nb.notifier_call = moved_notify,
		.task = current,
		.to = to,
		.err = -ENODATA,
	};
	char *fail_argv[] = { "fail", argv[1], NULL };
	int err = set_cpus_allowed_ptr(current, from);

	if (!err && reserve)
		err = take_reserve(&moved, reserve); /* here: the other CPU allocates nothing */
	if (!err)
		err = register_vmap_purge_notifier(&moved.nb);
	if (!err) {
		err = reserve ? cmd_alloc(K_VMALLOC, argv) : cmd_fail(fail_argv);
		unregister_vmap_purge_notifier(&moved.nb);
	}
	vunmap(moved.reserve);
	return err ? err : moved.err;
}

/*
 * fail_moved BYTES A B; moved NAME BYTES RESERVE A B
 *
 * From A to B and back within one system call: so both begin at the same place
 * on the stack, whatever CONFIG_RANDOMIZE_KSTACK_OFFSET does.
 */
static int cmd_moved(char **argv, int argc)
{
	bool fails = !strcmp(argv[0], "fail_moved");
	const struct cpumask *a, *b;
	unsigned long reserve = 0;
	int err;

	if (argc != (fails ? 4 : 6) || parse_cpu(argv[argc - 2], &a) ||
	    parse_cpu(argv[argc - 1], &b) || (!fails && parse_ulong(argv[3], &reserve)))
		return -EINVAL;
	err = move_once(argv, reserve, a, b);
	if (!err && !fails)
		err = cmd_free(argv, false);
	if (!err)
		err = move_once(argv, reserve, b, a);
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	return err;
}

/* moved_inside NAME BYTES RESERVE FAILBYTES HERE THERE */
static int cmd_moved_inside(char **argv, int argc)
{
	struct moved_inside in = {
		.nb.notifier_call = moved_inside_notify,
		.inner.task = current,
		.inner.err = -ENODATA,
		.argv = argv,
		.err = -ENODATA,
	};
	char *fail_argv[] = { "fail", argv[4], NULL };
	int err;

	if (argc != 7 || parse_ulong(argv[3], &in.reserve) || !in.reserve ||
	    parse_cpu(argv[5], &in.inner.to) || parse_cpu(argv[6], &in.there))
		return -EINVAL;
	err = set_cpus_allowed_ptr(current, in.inner.to);
	if (!err)
		err = register_vmap_purge_notifier(&in.nb);
	if (!err) {
		err = cmd_fail(fail_argv);
		unregister_vmap_purge_notifier(&in.nb);
	}
	vunmap(in.inner.reserve);
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	return err ? err : in.err ? in.err : in.inner.err;
}

/*
 * More tasks inside alloc_vmap_area at once than a return probe has instances
 * (by default max(10, 2 * CPUs), kernel/kprobes.c): each request fails, and a
 * purge notifier holds it there.
 */
struct fail_many {
	struct notifier_block nb;
	struct completion done;
	atomic_t left;
	unsigned int ms;
};

static int fail_many_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	msleep(container_of(nb, struct fail_many, nb)->ms);
	return NOTIFY_OK;
}

static int fail_many_thread(void *arg)
{
	struct fail_many *many = arg;

	vmtest_do_vfree(vmtest_do_fail(SZ_1G));
	if (atomic_dec_and_test(&many->left))
		complete(&many->done);
	return 0;
}

/* fail_many TASKS MS */
static int cmd_fail_many(char **argv, int argc)
{
	struct fail_many many = { .nb.notifier_call = fail_many_notify };
	unsigned long tasks, ms, i;
	int err;

	if (argc != 3 || parse_ulong(argv[1], &tasks) || parse_ulong(argv[2], &ms) ||
	    !tasks || tasks > 64 || ms > 10000)
		return -EINVAL;
	init_completion(&many.done);
	many.ms = ms;
	atomic_set(&many.left, tasks);
	err = register_vmap_purge_notifier(&many.nb);
	if (err)
		return err;
	for (i = 0; i < tasks; i++) {
		if (IS_ERR(kthread_run(fail_many_thread, &many, "vmtest-fail")) &&
		    atomic_dec_and_test(&many.left))
			complete(&many.done);
	}
	wait_for_completion(&many.done);
	unregister_vmap_purge_notifier(&many.nb);
	pr_info("op=fail_many tasks=%lu ms=%lu\n", tasks, ms);
	return 0;
}

/* pairs COUNT: so many times vmalloc of a page and vfree, timed: what a probe on them costs. */
static int cmd_pairs(char **argv, int argc)
{
	unsigned long count, i;
	u64 begin, ns;

	if (argc != 2 || parse_ulong(argv[1], &count) || !count || count > 1000000)
		return -EINVAL;
	begin = ktime_get_ns();
	for (i = 0; i < count && !fatal_signal_pending(current); i++) {
		vmtest_do_vfree(vmtest_do_vmalloc(PAGE_SIZE));
		cond_resched();
	}
	ns = ktime_get_ns() - begin;
	pr_info("op=pairs count=%lu ns=%llu\n", i, ns);
	return 0;
}

static unsigned long exhaust_fill(struct list_head *list, unsigned long bytes)
{
	unsigned long n = 0;
	struct area *a;

	while (n < EXHAUST_MAX && !fatal_signal_pending(current)) {
		a = kzalloc(sizeof(*a), GFP_KERNEL);
		if (!a)
			break;
		a->kind = K_VMAP;
		a->bytes = bytes;
		if (area_make(a)) {
			kfree(a);
			break;
		}
		list_add_tail(&a->link, list);
		n++;
		cond_resched();
	}
	return n;
}

static void exhaust_empty(struct list_head *list, unsigned long *low,
			  unsigned long *high)
{
	struct area *a, *tmp;

	list_for_each_entry_safe(a, tmp, list, link) {
		*low = min(*low, (unsigned long)a->addr);
		*high = max(*high, (unsigned long)a->addr + area_bytes(a));
		area_release(a);
		list_del(&a->link);
		kfree(a);
		cond_resched();
	}
}

static int cmd_exhaust(char **argv)
{
	unsigned long bytes, n, low = ~0UL, high = 0;
	LIST_HEAD(list);

	if (parse_ulong(argv[1], &bytes) || !bytes ||
	    bytes > ULONG_MAX - 2 * PAGE_SIZE)
		return -EINVAL;
	bytes = PAGE_ALIGN(bytes);
	n = exhaust_fill(&list, bytes);
	pr_info("op=exhaust bytes=%lu area_bytes=%lu succeeded=%lu failed_bytes=%lu result=NULL\n",
		bytes, bytes + PAGE_SIZE, n, bytes);
	exhaust_empty(&list, &low, &high);
	pr_info("op=exhaust_free freed=%lu low=0x%08lx high=0x%08lx\n", n,
		n ? low : 0, high);
	return 0;
}

static int parse_mixed_word(struct mixed *m, const char *word)
{
	if (!strcmp(word, "verbose")) {
		m->verbose = true;
		return 0;
	}
	if (!strcmp(word, "keep")) {
		m->keep = true;
		return 0;
	}
	if (strncmp(word, "pause=", 6) || parse_ulong(word + 6, &m->pause_us))
		return -EINVAL;
	return m->pause_us > MIXED_MAX_PAUSE ? -EINVAL : 0;
}

static int parse_mixed(struct mixed *m, char **argv, int argc)
{
	unsigned long seed, cpu;
	int i, err = 0;

	if (parse_ulong(argv[1], &m->ops) || parse_ulong(argv[2], &seed) ||
	    parse_ulong(argv[3], &cpu))
		return -EINVAL;
	if (cpu >= nr_cpu_ids || !cpu_online(cpu))
		return -ENXIO;
	m->seed = seed;
	m->cpu = cpu;
	for (i = 4; i < argc && !err; i++)
		err = parse_mixed_word(m, argv[i]);
	return err;
}

static int cmd_mixed(char **argv, int argc)
{
	struct mixed *m;
	int err;

	mixed_reap_done();
	m = kzalloc(sizeof(*m), GFP_KERNEL);
	if (!m)
		return -ENOMEM;
	err = parse_mixed(m, argv, argc);
	if (!err)
		err = mixed_start(m);
	if (err)
		kfree(m);
	return err;
}

static unsigned long mixed_did(void)
{
	unsigned long n = 0;
	struct mixed *m;

	list_for_each_entry(m, &mixed_list, link)
		n += READ_ONCE(m->did);
	return n;
}

/* They end after the operation they are at; `wait` waits for that. */
static int cmd_stop(void)
{
	struct mixed *m;

	list_for_each_entry(m, &mixed_list, link)
		WRITE_ONCE(m->stop, true);
	pr_info("op=stop running=%d\n", atomic_read(&mixed_running));
	return 0;
}

/* Called without cmd_lock: a thread that keeps its areas needs it to end. */
static void nothing(struct work_struct *unused)
{
}

static DECLARE_WORK(behind_vfree, nothing);

/*
 * What vfree() left to a kworker from softirq is done when something queued behind it is. On a busy
 * host that took more than a second.
 */
static void wait_for_deferred_frees(void)
{
	int cpu;

	wait_event(softirq_wait, !atomic_read(&softirq_pending));
	for_each_online_cpu(cpu) {
		schedule_work_on(cpu, &behind_vfree);
		flush_work(&behind_vfree);
	}
}

static int cmd_wait(void)
{
	int err = wait_event_interruptible(mixed_wait,
					   !atomic_read(&mixed_running));

	if (!err)
		wait_for_deferred_frees();
	if (!err)
		pr_info("op=wait running=0\n");
	return err;
}

static int cmd_status(void)
{
	unsigned long n = 0;
	struct area *a;

	list_for_each_entry(a, &areas, link) {
		print_area("held", a);
		n++;
	}
	pr_info("op=status held=%lu running=%d softirq_pending=%d mixed_done=%lu\n",
		n, atomic_read(&mixed_running), atomic_read(&softirq_pending),
		mixed_did());
	return 0;
}

static int run_locked(char **argv, int argc)
{
	int k;

	for (k = K_NONE + 1; k < K_NR; k++)
		if (!strcmp(argv[0], kind_names[k]))
			return cmd_alloc(k, argv);
	if (!strcmp(argv[0], "nested"))
		return cmd_nested(argv);
	if (!strcmp(argv[0], "free"))
		return cmd_free(argv, false);
	if (!strcmp(argv[0], "free_softirq"))
		return cmd_free(argv, true);
	if (!strcmp(argv[0], "fail"))
		return cmd_fail(argv);
	if (!strcmp(argv[0], "fail_inside"))
		return cmd_fail_inside(argv, argc);
	if (!strcmp(argv[0], "fail_moved") || !strcmp(argv[0], "moved"))
		return cmd_moved(argv, argc);
	if (!strcmp(argv[0], "moved_inside"))
		return cmd_moved_inside(argv, argc);
	if (!strcmp(argv[0], "fail_many"))
		return cmd_fail_many(argv, argc);
	if (!strcmp(argv[0], "pairs"))
		return cmd_pairs(argv, argc);
	if (!strcmp(argv[0], "exhaust"))
		return cmd_exhaust(argv);
	if (!strcmp(argv[0], "mixed"))
		return cmd_mixed(argv, argc);
	if (!strcmp(argv[0], "stop"))
		return cmd_stop();
	if (!strcmp(argv[0], "status"))
		return cmd_status();
	if (strcmp(argv[0], "freeall"))
		return -EINVAL;
	free_all();
	return 0;
}

static int run(char *line)
{
	char *argv[MAX_ARGS + 1] = { NULL };
	char *word;
	int argc = 0, err;

	while ((word = strsep(&line, " \t\n"))) {
		if (!*word)
			continue;
		if (argc == MAX_ARGS)
			return -EINVAL;
		argv[argc++] = word;
	}
	if (!argc)
		return -EINVAL;
	if (!strcmp(argv[0], "wait"))
		return cmd_wait();
	err = mutex_lock_interruptible(&cmd_lock);
	if (err)
		return err;
	err = run_locked(argv, argc);
	mutex_unlock(&cmd_lock);
	return err;
}

static ssize_t cmd_write(struct file *file, const char __user *ubuf, size_t len,
			 loff_t *pos)
{
	char line[MAX_CMD], *words;
	int err;

	if (len >= sizeof(line))
		return -E2BIG;
	if (copy_from_user(line, ubuf, len))
		return -EFAULT;
	line[len] = '\0';
	words = kstrdup(strim(line), GFP_KERNEL);
	if (!words)
		return -ENOMEM;
	err = run(words);
	kfree(words);
	if (err)
		pr_info("op=error errno=%d cmd=\"%s\"\n", err, strim(line));
	return err ? err : len;
}

static const struct file_operations cmd_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.write	= cmd_write,
};

/* The address of a function that is not exported: a kprobe finds it. */
static void *function_find(const char *name)
{
	struct kprobe probe = { .symbol_name = name };
	void *addr;

	if (register_kprobe(&probe))
		return NULL;
	addr = probe.addr;
	unregister_kprobe(&probe);
	return addr;
}

static int __init vmtest_init(void)
{
	execmem_alloc_fn = function_find("execmem_alloc");
	module_alloc_fn = function_find("module_alloc");
	shared_page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!shared_page)
		return -ENOMEM;
	tasklet_setup(&softirq_tasklet, vmtest_softirq_free);
	dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("cmd", 0200, dir, NULL, &cmd_fops);
	debugfs_create_x32("last", 0400, dir, &last_addr);
	pr_info("op=init page_size=%lu cpus=%u\n", PAGE_SIZE, num_online_cpus());
	return 0;
}

/* With the file gone nothing starts a thread and nothing else takes an area. */
static void __exit vmtest_exit(void)
{
	struct mixed *m, *tmp;

	debugfs_remove(dir);
	list_for_each_entry_safe(m, tmp, &mixed_list, link)
		mixed_reap(m);
	free_all();
	wait_event(softirq_wait, !atomic_read(&softirq_pending));
	tasklet_kill(&softirq_tasklet);
	__free_page(shared_page);
	pr_info("op=exit\n");
}

module_init(vmtest_init);
module_exit(vmtest_exit);
MODULE_DESCRIPTION("vmalloc address space exerciser for the vmtrace tests");
MODULE_LICENSE("GPL");
