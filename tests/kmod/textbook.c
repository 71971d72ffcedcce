// SPDX-License-Identifier: GPL-2.0-only
/* The textbook case: one int from vmalloc(), given back at unload. */
#include <linux/module.h>
#include <linux/vmalloc.h>

static int *p;

static int __init textbook_init(void)
{
	p = vmalloc(sizeof(int));
	if (!p)
		return -ENOMEM;
	*p = 42;
	pr_info("textbook: p = 0x%08lx\n", (unsigned long)p);
	return 0;
}

static void __exit textbook_exit(void)
{
	pr_info("textbook: vfree(0x%08lx), *p was %d\n", (unsigned long)p, *p);
	vfree(p);
}

module_init(textbook_init);
module_exit(textbook_exit);
MODULE_DESCRIPTION("vmalloc(sizeof(int))");
MODULE_LICENSE("GPL");
