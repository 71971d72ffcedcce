/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/layout.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <jansson.h>

#include "units.h"

#define PKMAP_GAP      8192u      /* VMALLOC_END = PKMAP_BASE - 2 pages with CONFIG_HIGHMEM */
#define VMALLOC_OFFSET (8u << 20) /* VMALLOC_START = high_memory + VMALLOC_OFFSET */

static void add(struct layout *layout, uint64_t addr, const char *name, const char *below,
		const char *source)
{
	if (layout->count < LAYOUT_MAX)
		layout->rows[layout->count++] = (struct layout_row){
			.addr = addr, .name = name, .below = below, .source = source
		};
}

void layout_build(const struct layout_input *input, struct layout *layout)
{
	memset(layout, 0, sizeof(*layout));
	add(layout, 1ull << 32, "",
	    input->highmem ? "fixmap, CPU entry area, LDT, persistent kmap"
			   : "fixmap, CPU entry area, LDT",
	    "4G");
	if (input->highmem)
		add(layout, input->vmalloc_end + PKMAP_GAP, "PKMAP_BASE", "hole, 2 pages",
		    "derived: VMALLOC_END + 8K");
	add(layout, input->vmalloc_end, "VMALLOC_END",
	    "vmalloc, vmap, ioremap, modules, BPF; percpu (top)", "/proc/kcore");
	add(layout, input->vmalloc_start, "VMALLOC_START", "hole: catches overruns of low memory",
	    "/proc/kcore");
	if (input->high_memory)
		add(layout, input->high_memory, "high_memory", "low memory (DMA, Normal)",
		    input->vmalloc_start - input->high_memory == VMALLOC_OFFSET
			    ? "/proc/kcore; 8M below VMALLOC_START"
			    : "/proc/kcore; not 8M below VMALLOC_START");
	if (input->page_offset)
		add(layout, input->page_offset, "PAGE_OFFSET", "user space", "/proc/kcore");
	add(layout, 0, "", "", "");
}

static void print_rule(FILE *out, const struct layout_row *row)
{
	if (row->addr == 1ull << 32)
		fprintf(out, "        4G +----------------------------------------------------+\n");
	else
		fprintf(out,
			"0x%08" PRIx64
			" +----------------------------------------------------+ %s\n",
			row->addr, row->name);
}

void layout_text(FILE *out, const struct layout *layout, const char *kernel)
{
	fprintf(out, "Kernel address space of %s\n\n", kernel);
	for (uint32_t i = 0; i < layout->count; i++) {
		const struct layout_row *row = &layout->rows[i];
		char size[16];

		print_rule(out, row);
		if (i + 1 == layout->count)
			break;
		units_bytes(row->addr - layout->rows[i + 1].addr, size, sizeof(size));
		fprintf(out, "%10s | %-50s |\n", size, row->below);
	}
	fputs("\nWhere the boundaries come from:\n", out);
	for (uint32_t i = 0; i < layout->count; i++) {
		const struct layout_row *row = &layout->rows[i];

		if (row->name[0])
			fprintf(out, "  %-14s 0x%08" PRIx64 "  %s\n", row->name, row->addr,
				row->source);
	}
}

int layout_json(FILE *out, const struct layout *layout, const char *kernel)
{
	json_t *root = json_pack("{s:s, s:[]}", "kernel", kernel, "boundaries");
	int err = 0;

	if (!root)
		return -ENOMEM;
	for (uint32_t i = 0; i < layout->count; i++) {
		const struct layout_row *row = &layout->rows[i];
		char addr[24];
		json_t *item;

		snprintf(addr, sizeof(addr), "0x%08" PRIx64, row->addr);
		item = json_pack("{s:s, s:s, s:s, s:s}", "addr", addr, "name", row->name, "below",
				 row->below, "source", row->source);
		if (json_array_append_new(json_object_get(root, "boundaries"), item) < 0)
			err = -ENOMEM;
	}
	if (!err && (json_dumpf(root, out, JSON_COMPACT) < 0 || fputc('\n', out) == EOF))
		err = -EIO;
	json_decref(root);
	return err;
}
