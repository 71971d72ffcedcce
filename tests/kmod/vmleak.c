// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmleak - a driver that forgets some of what it allocates, and prints one line
 * for each area that it forgets: the account that `vmtrace leaks` is held against.
 *
 * One command per write to /sys/kernel/debug/vmleak/cmd; README.md lists them.
 * Forgotten means that nobody knows the address any more: unloading the module
 * leaves these areas behind, until the next boot.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#define MAX_CMD		64
#define IN_FLIGHT	8	/* requests that are served at a time */
#define TABLES		16	/* areas that live as long as the module */

/* The local APIC, as in vmtest.c: no RAM, and nothing reads it. */
#define PHYS		0xfee00000UL

/* As in vmtest.c: a stack must name the function that asks. */
#ifndef __noclone
#define __noclone
#endif
#define traced		noinline __noclone
#define keep_frame()	barrier()

static DEFINE_MUTEX(cmd_lock);
static struct dentry *dir;
static void *tables[TABLES];
static unsigned int line; /* of the call that made the last area: what --vmlinux is to name */

#define from_here(call) (line = __LINE__, (call))

/* Debug information alone tells that this has a name of its own. */
static __always_inline void *request_buffer(unsigned long bytes)
{
	return from_here(vmalloc(bytes));
}

static traced void *vmleak_request(unsigned long bytes)
{
	void *p = request_buffer(bytes);

	keep_frame();
	return p;
}

static traced void *vmleak_probe(unsigned long bytes)
{
	void __iomem *p = from_here(ioremap(PHYS, bytes));

	keep_frame();
	return (void __force *)p;
}

/* What init allocates once is no leak. */
static traced void *vmleak_table(void)
{
	void *p = vmalloc(PAGE_SIZE);

	keep_frame();
	return p;
}

static void buffer_free(void *p)
{
	vfree(p);
}

static void registers_unmap(void *p)
{
	iounmap((void __iomem __force *)p);
}

struct service {
	const char *name;
	void *(*get)(unsigned long bytes);
	void (*put)(void *p);
};

static const struct service services[] = {
	{ "serve", vmleak_request, buffer_free },
	{ "probe", vmleak_probe, registers_unmap },
};

/* Every so many fail, and the path of the error forgets to free; 0: none does. */
static bool fails(unsigned int number, unsigned int every)
{
	return every && number % every == every - 1;
}

static int serve(const struct service *service, unsigned int count, unsigned int every,
		 unsigned int usec)
{
	void *in_flight[IN_FLIGHT] = { NULL };
	unsigned int i, leaked = 0;

	for (i = 0; i < count && !fatal_signal_pending(current); i++) {
		void **slot = &in_flight[i % IN_FLIGHT];
		unsigned long bytes = (1 + i % 3) * PAGE_SIZE;

		if (*slot)
			service->put(*slot);
		*slot = service->get(bytes);
		if (*slot && fails(i, every)) {
			pr_info("op=leak addr=0x%08lx bytes=%lu line=%u\n", (unsigned long)*slot,
				bytes, line);
			leaked++;
			*slot = NULL;
		}
		if (usec)
			usleep_range(usec, usec + usec / 8);
	}
	for (count = 0; count < IN_FLIGHT; count++) {
		if (in_flight[count])
			service->put(in_flight[count]);
	}
	pr_info("op=%s done=%u leaked=%u\n", service->name, i, leaked);
	return 0;
}

static int run(const char *line)
{
	unsigned int count, every, usec;
	char name[16];
	size_t i;
	int err;

	if (sscanf(line, "%15s %u %u %u", name, &count, &every, &usec) != 4)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(services); i++) {
		if (strcmp(name, services[i].name))
			continue;
		err = mutex_lock_interruptible(&cmd_lock);
		if (err)
			return err;
		err = serve(&services[i], count, every, usec);
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
	err = run(line);
	if (err)
		pr_info("op=error errno=%d\n", err);
	return err ? err : len;
}

static const struct file_operations cmd_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.write	= cmd_write,
};

static int __init vmleak_init(void)
{
	size_t i;

	for (i = 0; i < TABLES; i++)
		tables[i] = vmleak_table();
	dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("cmd", 0200, dir, NULL, &cmd_fops);
	return 0;
}

static void __exit vmleak_exit(void)
{
	size_t i;

	debugfs_remove(dir);
	for (i = 0; i < TABLES; i++)
		vfree(tables[i]);
}

module_init(vmleak_init);
module_exit(vmleak_exit);
MODULE_DESCRIPTION("a driver that leaks vmalloc space, for the vmtrace tests");
MODULE_LICENSE("GPL");
