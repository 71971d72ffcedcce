// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmfail - brings the vmalloc space into a state in which a request fails for a
 * known reason, makes the request, and prints one line for each step.
 *
 * One command per write to /sys/kernel/debug/vmfail/cmd; README.md lists them.
 * What it holds is vmap() of one page again and again: address space without
 * memory.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#define MAX_HELD	65536UL
#define MAX_CMD		64

/* As in vmtest.c: a stack must name the function that asks. */
#ifndef __noclone
#define __noclone
#endif
#define traced		noinline __noclone
#define keep_frame()	barrier()

struct hold {
	struct list_head link;
	void *addr;
	unsigned long bytes;
};

static DEFINE_MUTEX(cmd_lock);
static LIST_HEAD(held);		/* in the order in which they were made */
static struct dentry *dir;
static struct page *shared_page;

static traced void *vmfail_hold(struct page **pages, unsigned int nr)
{
	void *p = vmap(pages, nr, VM_MAP, PAGE_KERNEL);

	keep_frame();
	return p;
}

static traced void *vmfail_ask(unsigned long bytes, gfp_t gfp)
{
	void *p = __vmalloc(bytes, gfp);

	keep_frame();
	return p;
}

static traced void *vmfail_ask_loud(unsigned long bytes)
{
	void *p = vmalloc(bytes);

	keep_frame();
	return p;
}

static void drop(struct hold *h)
{
	vunmap(h->addr);
	list_del(&h->link);
	kfree(h);
}

static bool hold_one(struct page **pages, unsigned long bytes)
{
	struct hold *h = kzalloc(sizeof(*h), GFP_KERNEL);

	if (!h)
		return false;
	h->bytes = bytes;
	h->addr = vmfail_hold(pages, bytes >> PAGE_SHIFT);
	if (!h->addr) {
		kfree(h);
		return false;
	}
	list_add_tail(&h->link, &held);
	return true;
}

static int cmd_fill(unsigned long bytes)
{
	unsigned long nr = PAGE_ALIGN(bytes) >> PAGE_SHIFT, n = 0, i;
	struct page **pages;

	if (!nr)
		return -EINVAL;
	pages = kmalloc_array(nr, sizeof(*pages), GFP_KERNEL | __GFP_NOWARN);
	if (!pages)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		pages[i] = shared_page;
	while (n < MAX_HELD && !fatal_signal_pending(current) &&
	       hold_one(pages, nr << PAGE_SHIFT)) {
		n++;
		cond_resched();
	}
	kfree(pages);
	pr_info("op=fill bytes=%lu held=%lu\n", nr << PAGE_SHIFT, n);
	return 0;
}

/* Frees every nth. */
static int cmd_thin(unsigned long every)
{
	unsigned long n = 0, freed = 0;
	struct hold *h, *tmp;

	if (!every)
		return -EINVAL;
	list_for_each_entry_safe(h, tmp, &held, link) {
		if (++n % every)
			continue;
		drop(h);
		freed++;
	}
	pr_info("op=thin freed=%lu\n", freed);
	return 0;
}

static int cmd_release(unsigned long unused)
{
	return cmd_thin(1);
}

/* What failed is success: anything else is a wrong state. */
static int report(const char *op, unsigned long bytes, void *p)
{
	pr_info("op=%s bytes=%lu result=%s\n", op, bytes, p ? "served" : "NULL");
	vfree(p);
	return p ? -EEXIST : 0;
}

static int cmd_ask(unsigned long bytes)
{
	return report("ask", bytes, vmfail_ask(bytes, GFP_KERNEL | __GFP_NOWARN));
}

static int cmd_loud(unsigned long bytes)
{
	return report("loud", bytes, vmfail_ask_loud(bytes));
}

/* __GFP_NORETRY: no OOM killer. */
static int cmd_pages(unsigned long bytes)
{
	return report("pages", bytes,
		      vmfail_ask(bytes, GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN));
}

/* From 7.2 on such a request makes no purge. */
static int cmd_nowait(unsigned long bytes)
{
	return report("nowait", bytes, vmfail_ask(bytes, GFP_NOWAIT | __GFP_NOWARN));
}

/*
 * The kernel calls the purge notifiers when it has purged and found nothing. One
 * that frees without saying so (*data) leaves lazy space that would do, and the
 * request fails all the same.
 */
static struct task_struct *lazy_task;
static unsigned long lazy_bytes;

static int lazy_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	struct hold *h;

	if (lazy_task != current)
		return NOTIFY_OK;
	list_for_each_entry(h, &held, link) {
		if (h->bytes < lazy_bytes)
			continue;
		drop(h);
		break;
	}
	lazy_task = NULL;
	return NOTIFY_OK;
}

static int cmd_lazy(unsigned long bytes)
{
	struct notifier_block nb = { .notifier_call = lazy_notify };
	int err = register_vmap_purge_notifier(&nb);
	void *p;

	if (err)
		return err;
	lazy_task = current;
	lazy_bytes = bytes;
	p = vmfail_ask(bytes, GFP_KERNEL | __GFP_NOWARN);
	unregister_vmap_purge_notifier(&nb);
	return report("lazy", bytes, p);
}

static const struct {
	const char *name;
	int (*run)(unsigned long number);
} commands[] = {
	{ "fill", cmd_fill },	  { "thin", cmd_thin },	  { "release", cmd_release },
	{ "ask", cmd_ask },	  { "loud", cmd_loud },	  { "pages", cmd_pages },
	{ "nowait", cmd_nowait }, { "lazy", cmd_lazy },
};

static int run(char *line)
{
	char *name = strsep(&line, " ");
	unsigned long number = 0;
	char *end;
	size_t i;
	int err;

	if (line) {
		number = memparse(line, &end);
		if (*end)
			return -EINVAL;
	}
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(name, commands[i].name))
			continue;
		err = mutex_lock_interruptible(&cmd_lock);
		if (err)
			return err;
		err = commands[i].run(number);
		mutex_unlock(&cmd_lock);
		return err;
	}
	return -EINVAL;
}

static ssize_t cmd_write(struct file *file, const char __user *ubuf, size_t len,
			 loff_t *pos)
{
	char line[MAX_CMD];
	int err;

	if (len >= sizeof(line))
		return -E2BIG;
	if (copy_from_user(line, ubuf, len))
		return -EFAULT;
	line[len] = '\0';
	err = run(strim(line));
	if (err)
		pr_info("op=error errno=%d\n", err);
	return err ? err : len;
}

static const struct file_operations cmd_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.write	= cmd_write,
};

static int __init vmfail_init(void)
{
	shared_page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!shared_page)
		return -ENOMEM;
	dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("cmd", 0200, dir, NULL, &cmd_fops);
	return 0;
}

static void __exit vmfail_exit(void)
{
	debugfs_remove(dir);
	cmd_release(0);
	__free_page(shared_page);
}

module_init(vmfail_init);
module_exit(vmfail_exit);
MODULE_DESCRIPTION("vmalloc failures of each kind for the vmtrace tests");
MODULE_LICENSE("GPL");
