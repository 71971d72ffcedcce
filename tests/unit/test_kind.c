// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "space/kind.h"

#define MAX_FRAMES 16

/* "innermost<next<outermost" as a stack. */
static struct stack stack_of(struct names *names, const char *text, uint32_t frames[MAX_FRAMES])
{
	struct stack stack = { .frames = frames };

	while (*text) {
		size_t len = strcspn(text, "<");

		assert_true(stack.nr_frames < MAX_FRAMES);
		frames[stack.nr_frames++] = names_intern(names, text, len);
		text += len + (text[len] == '<');
	}
	return stack;
}

static void names_of_kinds(void **state)
{
	unsigned int kind;

	(void)state;
	for (kind = 0; kind < KIND_COUNT; kind++)
		assert_int_equal(kind_from_name(kind_name(kind)), kind);
	assert_string_equal(kind_name(KIND_DMA_COHERENT), "dma-coherent");
	assert_string_equal(kind_name(KIND_COUNT), "unknown");
	assert_string_equal(kind_name(UINT32_MAX), "unknown");
	assert_int_equal(kind_from_name("vmallo"), KIND_UNKNOWN);
	assert_int_equal(kind_from_name(""), KIND_UNKNOWN);
}

#define GVA "__get_vm_area_node.constprop.0+0x9b<"
#define VNR GVA "__vmalloc_node_range+0x6f<"

static void kinds_of_stacks(void **state)
{
	static const struct {
		const char *stack;
		enum area_kind kind;
		const char *owner;
	} rows[] = {
		{ "", KIND_UNKNOWN, "" },
		{ VNR "vmalloc+0x5a<ring_alloc+0x41 [foo]<foo_open+0x90 [foo]", KIND_VMALLOC,
		  "ring_alloc+0x41 [foo]" },
		{ VNR "__vmalloc_node+0x4b<vzalloc+0x2c<n_tty_open+0x16<tty_open+0x1", KIND_VMALLOC,
		  "n_tty_open+0x16" },
		{ GVA "__vmalloc_node_range_noprof+0x6f<vmalloc_noprof+0x5a<foo+0x1 [f]",
		  KIND_VMALLOC, "foo+0x1 [f]" },
		{ VNR "vmalloc_user+0x5a<kcov_mmap+0x10", KIND_USER, "kcov_mmap+0x10" },
		{ VNR "vmalloc_32_user+0x5a<v4l+0x10 [v]", KIND_USER, "v4l+0x10 [v]" },
		{ GVA "get_vm_area_caller+0x3a<vmap+0x5e<drm_map+0x1 [drm]", KIND_VMAP,
		  "drm_map+0x1 [drm]" },
		{ GVA "get_vm_area_caller+0x3a<__ioremap_caller.constprop.0+0xf0<ioremap+0x1e<"
		      "hpet_enable+0x2b",
		  KIND_IOREMAP, "hpet_enable+0x2b" },
		{ GVA "get_vm_area_caller+0x3a<vmap+0x5e<dma_common_pages_remap+0x2<"
		      "dma_direct_alloc+0x33<e100_probe+0x5 [e100]",
		  KIND_DMA_COHERENT, "dma_direct_alloc+0x33" },
		{ "vm_map_ram+0x1d1<_xfs_buf_map_pages+0x5 [xfs]", KIND_VM_MAP_RAM,
		  "_xfs_buf_map_pages+0x5 [xfs]" },
		{ "new_vmap_block.isra.0+0x10<vb_alloc+0x2<vm_map_ram+0x33<z_erofs+0x1 [erofs]",
		  KIND_VM_MAP_RAM, "z_erofs+0x1 [erofs]" },
		{ "pcpu_get_vm_areas+0x300<pcpu_create_chunk+0x120<pcpu_alloc+0x51a<"
		  "__alloc_percpu_gfp+0x1a<bpf_map_alloc_percpu+0x11<array_map_alloc+0x3",
		  KIND_PERCPU, "bpf_map_alloc_percpu+0x11" },
		/* what goes with a chunk is no chunk */
		{ VNR "__vmalloc+0x4b<pcpu_mem_zalloc+0x2a<pcpu_create_chunk+0x31<pcpu_alloc+0x51a<"
		      "__alloc_percpu_gfp+0x1a<bpf_map_alloc_percpu+0x11<array_map_alloc+0x3",
		  KIND_VMALLOC, "bpf_map_alloc_percpu+0x11" },
		{ VNR "module_alloc+0x7a<move_module+0x1e<load_module+0x9f1", KIND_MODULE,
		  "move_module+0x1e" },
		{ VNR "module_alloc+0x7a<alloc_insn_page+0x14<__get_insn_slot+0x9", KIND_MODULE,
		  "alloc_insn_page+0x14" },
		{ VNR "execmem_vmalloc+0x7a<execmem_alloc+0x9<module_memory_alloc+0x6<"
		      "load_module+0x8",
		  KIND_MODULE, "load_module+0x8" },
		{ VNR "module_alloc+0x7a<bpf_jit_alloc_exec+0x7<bpf_jit_binary_alloc+0x6b<"
		      "bpf_int_jit_compile+0x17a<bpf_prog_select_runtime+0x101<bpf_prog_load+0x5",
		  KIND_BPF, "bpf_int_jit_compile+0x17a" },
		{ VNR "execmem_alloc+0x7a<bpf_jit_alloc_exec+0x7<bpf_jit_binary_alloc+0x6b<"
		      "bpf_int_jit_compile+0x17a",
		  KIND_BPF, "bpf_int_jit_compile+0x17a" },
		{ VNR "__bpf_map_area_alloc+0xa1<bpf_map_area_alloc+0x14<array_map_alloc+0xe3<"
		      "__sys_bpf+0x4",
		  KIND_BPF, "array_map_alloc+0xe3" },
		{ GVA "get_vm_area_caller+0x3<vmap+0x5<bpf_ringbuf_area_alloc+0x1<"
		      "ringbuf_map_alloc+0x7",
		  KIND_BPF, "ringbuf_map_alloc+0x7" },
		{ VNR "__vmalloc+0x4b<bpf_prog_alloc_no_stats+0x3a<bpf_prog_alloc+0x16<"
		      "bpf_prog_load+0x2",
		  KIND_BPF, "bpf_prog_load+0x2" },
		/* a module's own vmalloc in its init function, and vmalloc on the way of a load */
		{ VNR "vmalloc+0x5a<foo_init+0x10 [foo]<do_one_initcall+0x44<load_module+0x1",
		  KIND_VMALLOC, "foo_init+0x10 [foo]" },
		{ VNR "vmalloc+0x5a<load_module+0x1<__ia32_sys_init_module+0x2", KIND_VMALLOC,
		  "load_module+0x1" },
		/* only one frame beyond the plumbing counts */
		{ VNR "module_alloc+0x7a<alloc_insn_page+0x14<bpf_prog_load+0x1", KIND_MODULE,
		  "alloc_insn_page+0x14" },
		/* what a return probe leaves behind */
		{ "arch_rethook_trampoline+0x0<" VNR "vmalloc+0x5a<foo+0x1 [foo]", KIND_VMALLOC,
		  "foo+0x1 [foo]" },
		/* ... which hides the caller of alloc_vmap_area up to 5.15: seen on 5.10 */
		{ "kretprobe_trampoline+0x0<vmtest_do_vm_map_ram+0x12 [vmtest]<area_call+0x197 "
		  "[vmtest]",
		  KIND_VM_MAP_RAM, "vmtest_do_vm_map_ram+0x12 [vmtest]" },
		{ "insert_vmap_area.constprop.0+0x0<kretprobe_trampoline+0x0<xfs_buf_map+0x1", KIND_VM_MAP_RAM,
		  "xfs_buf_map+0x1" },
		{ "kretprobe_trampoline+0x0<vm_map_ram+0x33<foo+0x1 [foo]", KIND_VM_MAP_RAM,
		  "foo+0x1 [foo]" },
		{ "kretprobe_trampoline+0x0<__vmalloc_node_range+0x6f<vmalloc+0x5a<foo+0x1 [foo]",
		  KIND_VMALLOC, "foo+0x1 [foo]" },
		{ "kretprobe_trampoline+0x0<get_vm_area_caller+0x3a<foo+0x1 [foo]", KIND_UNKNOWN,
		  "foo+0x1 [foo]" },
		{ "alloc_vmap_area+0x0<foo+0x1 [foo]", KIND_UNKNOWN, "foo+0x1 [foo]" },
		{ "kretprobe_trampoline+0x0", KIND_UNKNOWN, "kretprobe_trampoline+0x0" },
		/* nobody known beyond the allocator: the outermost frame */
		{ VNR "vmalloc+0x5a", KIND_VMALLOC, "vmalloc+0x5a" },
		{ "0xf7d3c123<" VNR "vmalloc+0x5a", KIND_UNKNOWN, "0xf7d3c123" },
		/* a module's function may have any name */
		{ "vmalloc+0x1 [evil]<vmap+0x3", KIND_UNKNOWN, "vmalloc+0x1 [evil]" },
	};
	struct names *names = names_new();
	uint32_t frames[MAX_FRAMES];
	size_t i;

	(void)state;
	assert_non_null(names);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stack stack = stack_of(names, rows[i].stack, frames);

		print_message("%s\n", rows[i].stack);
		assert_string_equal(kind_name(kind_of_stack(names, stack)),
				    kind_name(rows[i].kind));
		assert_string_equal(names_text(names, kind_owner_frame(names, stack)),
				    rows[i].owner);
	}
	names_free(names);
}

static void kinds_of_callers(void **state)
{
	static const struct {
		const char *caller;
		enum area_kind kind;
	} rows[] = {
		{ "bpf_map_area_alloc+0x2c/0x60", KIND_BPF },
		{ "bpf_jit_alloc_exec+0x7/0x10", KIND_BPF },
		{ "bpf_prog_alloc_no_stats+0x3a/0x140", KIND_BPF },
		{ "bpf_prog_load+0x1/0x2", KIND_BPF },
		{ "bpf_ringbuf_area_alloc.isra.0+0x7/0x10", KIND_BPF },
		{ "ringbuf_map_alloc+0x7/0x10", KIND_BPF },
		{ "pcpu_get_vm_areas+0x0/0x7a0", KIND_PERCPU },
		{ "move_module+0x1e/0x120", KIND_MODULE },
		{ "load_module+0x9f1/0x1f00", KIND_MODULE },
		{ "module_alloc+0x1/0x2", KIND_MODULE },
		{ "layout_and_allocate.constprop.0+0x1/0x2", KIND_MODULE },
		{ "alloc_insn_page+0x14/0x20", KIND_MODULE },
		{ "dma_common_pages_remap+0x1/0x2", KIND_DMA_COHERENT },
		{ "dma_common_contiguous_remap+0x1/0x2", KIND_DMA_COHERENT },
		{ "acpi_os_map_iomem+0x1/0x2", KIND_IOREMAP },
		{ "ioremap_cache+0x1/0x2", KIND_IOREMAP },
		{ "n_tty_open+0x16/0xc0", KIND_UNKNOWN },
		{ "foo+0x1/0x2 [bar]", KIND_UNKNOWN },
		{ "load_module+0x1/0x2 [bar]", KIND_UNKNOWN },
		{ "pcpu_get_vm_areas_too+0x0/0x7a0", KIND_UNKNOWN },
		{ "pcpu_get_vm_area+0x0/0x7a0", KIND_UNKNOWN },
		{ "0xc1234567", KIND_UNKNOWN },
		{ "_noprof", KIND_UNKNOWN },
		{ ".", KIND_UNKNOWN },
		{ "", KIND_UNKNOWN },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s\n", rows[i].caller);
		assert_string_equal(kind_name(kind_of_caller(rows[i].caller)),
				    kind_name(rows[i].kind));
	}
}

static void guards(void **state)
{
	static const struct {
		const char *stack;
		bool guard;
	} rows[] = {
		{ VNR "vmalloc+0x5a<foo+0x1", true },
		{ GVA "get_vm_area_caller+0x3<vmap+0x5<foo+0x1", true },
		{ "__vmalloc_node_range+0x6f<vmalloc+0x5a", true },
		{ "vm_map_ram+0x1<foo+0x1", false },
		{ "new_vmap_block+0x1<vm_map_ram+0x1<foo+0x1", false },
		{ "__kretprobe_trampoline+0x0<vm_map_ram+0x1<foo+0x1", false },
		{ "kretprobe_trampoline+0x0<foo+0x1 [foo]", false },
		{ "kretprobe_trampoline+0x0<__vmalloc_node_range+0x6f<vmalloc+0x5a", true },
		{ "kretprobe_trampoline+0x0<get_vm_area_caller+0x3<vmap+0x5", true },
		{ "kretprobe_trampoline+0x0", true },
		{ "pcpu_get_vm_areas+0x1<pcpu_create_chunk+0x1", false },
		{ VNR "vmalloc+0x1<vm_map_ram+0x1", true },
		{ "0xc0123456", true },
		{ "", true },
	};
	struct names *names = names_new();
	uint32_t frames[MAX_FRAMES];
	size_t i;

	(void)state;
	assert_non_null(names);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s\n", rows[i].stack);
		assert_int_equal(
			kind_stack_has_guard(names, stack_of(names, rows[i].stack, frames)),
			rows[i].guard);
	}
	names_free(names);
}

static void plumbing(void **state)
{
	static const char *const yes[] = {
		"vmalloc",
		"vzalloc",
		"__vmalloc",
		"__vmalloc_node",
		"__vmalloc_node_range",
		"vmalloc_node",
		"vzalloc_node",
		"vmalloc_user",
		"vmalloc_32",
		"vmalloc_32_user",
		"vmalloc_huge",
		"kvmalloc_node",
		"kvmalloc",
		"__get_vm_area_node",
		"get_vm_area",
		"get_vm_area_caller",
		"__get_vm_area_caller",
		"alloc_vmap_area",
		"vmap",
		"vmap_pfn",
		"vm_map_ram",
		"ioremap",
		"ioremap_wc",
		"ioremap_prot",
		"__ioremap_caller",
		"memremap",
		"module_alloc",
		"bpf_map_area_alloc",
		"__bpf_map_area_alloc",
		"bpf_map_area_mmapable_alloc",
		"bpf_jit_alloc_exec",
		"bpf_jit_binary_alloc",
		"bpf_prog_alloc",
		"bpf_prog_alloc_no_stats",
		"pcpu_get_vm_areas",
		"pcpu_create_chunk",
		"pcpu_alloc",
		"pcpu_alloc_noprof",
		"__alloc_percpu",
		"__alloc_percpu_gfp",
		"dma_common_pages_remap",
		"dma_common_contiguous_remap",
		"execmem_alloc",
		"arch_rethook_trampoline",
		"__kretprobe_trampoline",
		"kretprobe_trampoline",
	};
	static const char *const no[] = {
		"load_module",
		"move_module",
		"bpf_prog_load",
		"__sys_bpf",
		"vmallocinfo",
		"vmapp",
		"vma",
		"n_tty_open",
		"acpi_os_map_iomem",
		"0xf7abc123",
		"",
		"array_map_alloc",
	};
	char frame[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		print_message("%s\n", yes[i]);
		strcpy(frame, yes[i]);
		assert_true(kind_frame_is_plumbing(frame));
		strcat(frame, ".constprop.0.isra.1+0x1f");
		assert_true(kind_frame_is_plumbing(frame));
		strcat(frame, " [mod]");
		assert_false(kind_frame_is_plumbing(frame));
	}
	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		print_message("%s\n", no[i]);
		assert_false(kind_frame_is_plumbing(no[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_kinds),   cmocka_unit_test(kinds_of_stacks),
		cmocka_unit_test(kinds_of_callers), cmocka_unit_test(guards),
		cmocka_unit_test(plumbing),
	};

	return cmocka_run_group_tests_name("kind", tests, NULL, NULL);
}
