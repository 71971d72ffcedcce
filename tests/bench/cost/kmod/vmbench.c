// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmbench - what a pair of an allocation and a free costs the whole machine.
 *
 * One command per write to /sys/kernel/debug/vmbench/cmd; result has what came
 * of the last one, in one line:
 *
 *   run KIND COUNT THREADS WINDOW_MS [fifo]
 *	COUNT pairs of KIND (vmalloc, vmap, ioremap, none) in the writer
 *	(THREADS 0) or in so many kernel threads, one a CPU from CPU 0 on; then
 *	it waits until WINDOW_MS have passed since the begin, so that whoever
 *	reads the events is done with them. With fifo the writer has real-time
 *	priority meanwhile: no other task runs on its CPU until the last pair.
 *	count=N loop_ns=N window_ns=N busy_ns=N
 *   mark, since
 *	the same for what the shell does in between: window_ns and busy_ns
 *   hold COUNT, release
 *	COUNT areas of one page more; none any more: held=N loop_ns=N
 *
 * busy_ns is the time that all tasks together had on a CPU: that of the loop, of
 * the reader, of kworkers, and of the interrupts that came meanwhile.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#define MAX_THREADS	8
#define PHYS		0xfee00000ULL	/* the local APIC; nothing reads it */

enum kind { K_NONE, K_VMALLOC, K_VMAP, K_IOREMAP };

static const char * const kind_names[] = { "none", "vmalloc", "vmap", "ioremap" };

struct moment {
	u64 ns;
	u64 busy_ns;
};

struct held {
	struct list_head link;
	void *addr;
};

struct worker {
	enum kind kind;
	unsigned long count;
	struct completion *go;
	struct completion done;
};

static DEFINE_MUTEX(lock);
static LIST_HEAD(held_list);
static unsigned long held_count;
static struct dentry *dir;
static struct page *page;
static struct moment marked;
static char result[160];

/* The account of a task is brought up to date when it leaves its CPU: so this one does. */
static struct moment now(void)
{
	struct moment m = { 0 };
	struct task_struct *leader, *task;

	usleep_range(1000, 1100);
	rcu_read_lock();
	for_each_process_thread(leader, task)
		m.busy_ns += task->se.sum_exec_runtime;
	rcu_read_unlock();
	m.ns = ktime_get_ns();
	return m;
}

static noinline int one_pair(enum kind kind)
{
	void *p = NULL;

	if (kind == K_VMALLOC) {
		p = vmalloc(PAGE_SIZE);
		vfree(p);
	} else if (kind == K_VMAP) {
		p = vmap(&page, 1, VM_MAP, PAGE_KERNEL);
		vunmap(p);
	} else if (kind == K_IOREMAP) {
		p = (void __force *)ioremap(PHYS, PAGE_SIZE);
		iounmap((void __iomem __force *)p);
	}
	return p || kind == K_NONE ? 0 : -ENOMEM;
}

static int pairs(enum kind kind, unsigned long count)
{
	int err = 0;

	for (; count && !err && !fatal_signal_pending(current); count--) {
		err = one_pair(kind);
		cond_resched();
	}
	return err;
}

static int worker_main(void *arg)
{
	struct worker *w = arg;

	wait_for_completion(w->go);
	pairs(w->kind, w->count);
	complete(&w->done);
	return 0;
}

static int threads(enum kind kind, unsigned long count, unsigned int nr)
{
	static struct worker workers[MAX_THREADS];
	DECLARE_COMPLETION_ONSTACK(go);
	struct task_struct *task;
	unsigned int i, started = 0;
	int err = 0;

	for (i = 0; i < nr && !err; i++) {
		workers[i] = (struct worker){ .kind = kind, .count = count, .go = &go };
		init_completion(&workers[i].done);
		task = kthread_create(worker_main, &workers[i], "vmbench/%u", i);
		if (IS_ERR(task)) {
			err = PTR_ERR(task);
			break;
		}
		kthread_bind(task, i);
		wake_up_process(task);
		started++;
	}
	complete_all(&go);
	for (i = 0; i < started; i++)
		wait_for_completion(&workers[i].done);
	return err;
}

static int pairs_alone(enum kind kind, unsigned long count)
{
	int err;

	sched_set_fifo(current);
	err = pairs(kind, count);
	sched_set_normal(current, 0);
	return err;
}

static int cmd_run(enum kind kind, unsigned long count, unsigned int nr, unsigned int window_ms,
		   bool fifo)
{
	struct moment begin = now(), end;
	u64 loop_ns;
	s64 left_ms;
	int err;

	if (nr > MAX_THREADS || nr > num_online_cpus())
		return -EINVAL;
	if (nr)
		err = threads(kind, count, nr);
	else
		err = fifo ? pairs_alone(kind, count) : pairs(kind, count);
	loop_ns = ktime_get_ns() - begin.ns;
	left_ms = (s64)window_ms - ktime_to_ms(loop_ns);
	if (left_ms > 0)
		msleep_interruptible((unsigned int)left_ms);
	end = now();
	scnprintf(result, sizeof(result), "count=%lu loop_ns=%llu window_ns=%llu busy_ns=%llu\n",
		  count * (nr ? nr : 1), loop_ns, end.ns - begin.ns, end.busy_ns - begin.busy_ns);
	return err;
}

static void cmd_since(void)
{
	struct moment end = now();

	scnprintf(result, sizeof(result), "window_ns=%llu busy_ns=%llu\n", end.ns - marked.ns,
		  end.busy_ns - marked.busy_ns);
}

static int cmd_hold(unsigned long count)
{
	struct held *h;

	for (; count && !fatal_signal_pending(current); count--) {
		h = kmalloc(sizeof(*h), GFP_KERNEL);
		if (!h)
			return -ENOMEM;
		h->addr = vmap(&page, 1, VM_MAP, PAGE_KERNEL);
		if (!h->addr) {
			kfree(h);
			return -ENOMEM;
		}
		list_add_tail(&h->link, &held_list);
		held_count++;
		cond_resched();
	}
	return 0;
}

static void cmd_release(void)
{
	struct held *h, *next;

	list_for_each_entry_safe(h, next, &held_list, link) {
		vunmap(h->addr);
		kfree(h);
		cond_resched();
	}
	INIT_LIST_HEAD(&held_list);
	held_count = 0;
}

static int run(const char *line)
{
	unsigned int nr, window_ms;
	unsigned long count;
	char kind[16], how[8] = "";
	int i, err = 0;
	u64 begin_ns;

	if (sscanf(line, "run %15s %lu %u %u %7s", kind, &count, &nr, &window_ms, how) >= 4) {
		i = match_string(kind_names, ARRAY_SIZE(kind_names), kind);
		return i < 0 ? i : cmd_run(i, count, nr, window_ms, !strcmp(how, "fifo"));
	}
	if (!strcmp(line, "mark")) {
		marked = now();
		return 0;
	}
	if (!strcmp(line, "since")) {
		cmd_since();
		return 0;
	}
	begin_ns = ktime_get_ns();
	if (sscanf(line, "hold %lu", &count) == 1)
		err = cmd_hold(count);
	else if (!strcmp(line, "release"))
		cmd_release();
	else
		return -EINVAL;
	scnprintf(result, sizeof(result), "held=%lu loop_ns=%llu\n", held_count,
		  ktime_get_ns() - begin_ns);
	return err;
}

static ssize_t cmd_write(struct file *file, const char __user *ubuf, size_t len, loff_t *pos)
{
	char line[80];
	int err;

	if (len >= sizeof(line))
		return -E2BIG;
	if (copy_from_user(line, ubuf, len))
		return -EFAULT;
	line[len] = '\0';
	err = mutex_lock_interruptible(&lock);
	if (err)
		return err;
	err = run(strim(line));
	mutex_unlock(&lock);
	return err ? err : len;
}

static ssize_t result_read(struct file *file, char __user *ubuf, size_t len, loff_t *pos)
{
	return simple_read_from_buffer(ubuf, len, pos, result, strlen(result));
}

static const struct file_operations cmd_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.write	= cmd_write,
};

static const struct file_operations result_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.read	= result_read,
};

static int __init vmbench_init(void)
{
	page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!page)
		return -ENOMEM;
	dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("cmd", 0200, dir, NULL, &cmd_fops);
	debugfs_create_file("result", 0400, dir, NULL, &result_fops);
	return 0;
}

static void __exit vmbench_exit(void)
{
	debugfs_remove(dir);
	cmd_release();
	__free_page(page);
}

module_init(vmbench_init);
module_exit(vmbench_exit);
MODULE_DESCRIPTION("what a pair of an allocation and a free costs, for the vmtrace benchmarks");
MODULE_LICENSE("GPL");
