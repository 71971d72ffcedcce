// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/machine_facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "capture/range.h"
#include "file.h"

struct list {
	struct names *names;
	struct stream_fact *facts;
	uint32_t count;
};

static void add(struct list *list, const char *key, const char *value)
{
	if (*value && list->count < MACHINE_FACTS_MAX)
		list->facts[list->count++] =
			(struct stream_fact){ .key_id = names_intern_str(list->names, key),
					      .value_id = names_intern_str(list->names, value) };
}

static void add_file(struct list *list, const char *key, const char *path)
{
	char line[1024];

	if (file_read_line(path, line, sizeof(line)) > 0)
		add(list, key, line);
}

static void add_addr(struct list *list, const char *key, uint32_t addr)
{
	char text[16];

	snprintf(text, sizeof(text), "0x%08" PRIx32, addr);
	if (addr)
		add(list, key, text);
}

static void add_range(struct list *list)
{
	struct range range;
	char text[256];

	if (range_read(&range, text, sizeof(text)))
		return;
	add_addr(list, "range.page_offset", range.page_offset);
	add_addr(list, "range.high_memory", range.high_memory);
	snprintf(text, sizeof(text), "%" PRIu32, range.mem_total_kib);
	add(list, "memory.total_kib", text);
}

uint32_t machine_facts_read(struct names *names, struct stream_fact *facts)
{
	struct list list = { .names = names, .facts = facts };
	struct utsname uts;

	if (uname(&uts) == 0) {
		add(&list, "kernel.version", uts.version);
		add(&list, "kernel.machine", uts.machine);
	}
	add_file(&list, "kernel.cmdline", "/proc/cmdline");
	add_file(&list, "sysctl.kernel.kptr_restrict", "/proc/sys/kernel/kptr_restrict");
	add_range(&list);
	return list.count;
}
