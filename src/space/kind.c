// SPDX-License-Identifier: GPL-2.0-only
/*
 * One table of core kernel functions says what an area is and which frames belong to the
 * allocator. A function of a module never matches: all layers below live in the core kernel.
 */
#include "space/kind.h"

#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum rule_flag {
	PLUMBING = 1 << 0,    /* never the one who asked */
	CALLER_ONLY = 1 << 1, /* makes other areas too: believed as a caller column only */
	NO_GUARD = 1 << 2,    /* calls alloc_vmap_area without __get_vm_area_node */
	PREFIX = 1 << 3,      /* any function whose name starts so */
	PROBE = 1 << 4,       /* not a frame at all: left behind by a return probe */
	HIDES = 1 << 5,       /* ... in the place of a return address, which is not shown then */
};

/* A layer further out knows better, but only if it is more specific: the stronger one wins. */
enum strength {
	NONE = 0,
	BASE,    /* vmalloc in general */
	FORM,    /* how it is mapped */
	PURPOSE, /* dma, modules, user */
	BPF,     /* BPF takes its memory through vmalloc, vmap, module_alloc and vmalloc_user */
	SPACE,   /* no other layer below: percpu chunks, vm_map_ram blocks */
};

struct rule {
	const char *name;
	uint8_t len;
	uint8_t kind;
	uint8_t strength;
	uint8_t flags;
};

#define RULE(name, kind, strength, flags)                     \
	{                                                     \
		name, sizeof(name) - 1, kind, strength, flags \
	}

static const struct rule rules[] = {
	/* return probes show up as the return address of what they probe */
	RULE("arch_rethook_trampoline", KIND_UNKNOWN, NONE, PLUMBING | PROBE | HIDES),
	RULE("rethook_trampoline_handler", KIND_UNKNOWN, NONE, PLUMBING | PROBE),
	RULE("__kretprobe_trampoline", KIND_UNKNOWN, NONE, PLUMBING | PROBE | HIDES),
	RULE("kretprobe_trampoline", KIND_UNKNOWN, NONE, PLUMBING | PROBE | HIDES),
	RULE("trampoline_handler", KIND_UNKNOWN, NONE, PLUMBING | PROBE),
	RULE("alloc_vmap_area", KIND_UNKNOWN, NONE, PLUMBING | PROBE),
	RULE("insert_vmap_area", KIND_UNKNOWN, NONE, PLUMBING | PROBE),
	RULE("__traceiter_", KIND_UNKNOWN, NONE, PLUMBING | PROBE | PREFIX),

	/* mm/vmalloc.c: areas */
	RULE("__get_vm_area_node", KIND_UNKNOWN, NONE, PLUMBING),
	RULE("__get_vm_area_caller", KIND_UNKNOWN, NONE, PLUMBING),
	RULE("get_vm_area_caller", KIND_UNKNOWN, NONE, PLUMBING),
	RULE("get_vm_area", KIND_UNKNOWN, NONE, PLUMBING),
	RULE("__get_vm_area", KIND_UNKNOWN, NONE, PLUMBING),
	RULE("alloc_vm_area", KIND_UNKNOWN, NONE, PLUMBING),
	RULE("new_vmap_block", KIND_VM_MAP_RAM, SPACE, PLUMBING | NO_GUARD),
	RULE("vb_alloc", KIND_VM_MAP_RAM, SPACE, PLUMBING | NO_GUARD),
	RULE("vm_map_ram", KIND_VM_MAP_RAM, SPACE, PLUMBING | NO_GUARD),

	/* mm/vmalloc.c: memory */
	RULE("__vmalloc_node_range", KIND_VMALLOC, BASE, PLUMBING),
	RULE("__vmalloc_area_node", KIND_VMALLOC, BASE, PLUMBING),
	RULE("__vmalloc_node_flags_caller", KIND_VMALLOC, BASE, PLUMBING),
	RULE("__vmalloc_node_flags", KIND_VMALLOC, BASE, PLUMBING),
	RULE("__vmalloc_node", KIND_VMALLOC, BASE, PLUMBING),
	RULE("__vmalloc", KIND_VMALLOC, BASE, PLUMBING),
	RULE("__vmalloc_array", KIND_VMALLOC, BASE, PLUMBING),
	RULE("__vcalloc", KIND_VMALLOC, BASE, PLUMBING),
	RULE("vmalloc", KIND_VMALLOC, BASE, PLUMBING),
	RULE("vzalloc", KIND_VMALLOC, BASE, PLUMBING),
	RULE("vcalloc", KIND_VMALLOC, BASE, PLUMBING),
	RULE("vmalloc_array", KIND_VMALLOC, BASE, PLUMBING),
	RULE("vmalloc_node", KIND_VMALLOC, BASE, PLUMBING),
	RULE("vzalloc_node", KIND_VMALLOC, BASE, PLUMBING),
	RULE("vmalloc_32", KIND_VMALLOC, BASE, PLUMBING),
	RULE("vmalloc_exec", KIND_VMALLOC, BASE, PLUMBING),
	RULE("vmalloc_huge", KIND_VMALLOC, BASE, PLUMBING | PREFIX),
	RULE("vmalloc_no_huge", KIND_VMALLOC, BASE, PLUMBING),
	RULE("vrealloc", KIND_VMALLOC, BASE, PLUMBING | PREFIX),
	RULE("kvmalloc", KIND_VMALLOC, BASE, PLUMBING | PREFIX),
	RULE("__kvmalloc", KIND_VMALLOC, BASE, PLUMBING | PREFIX),
	RULE("kvrealloc", KIND_VMALLOC, BASE, PLUMBING | PREFIX),
	RULE("vmalloc_user", KIND_USER, PURPOSE, PLUMBING),
	RULE("vmalloc_32_user", KIND_USER, PURPOSE, PLUMBING),
	RULE("vmap", KIND_VMAP, FORM, PLUMBING),
	RULE("vmap_pfn", KIND_VMAP, FORM, PLUMBING),

	/* devices */
	RULE("__ioremap_caller", KIND_IOREMAP, FORM, PLUMBING),
	RULE("generic_ioremap_prot", KIND_IOREMAP, FORM, PLUMBING),
	RULE("ioremap", KIND_IOREMAP, FORM, PLUMBING | PREFIX),
	RULE("__ioremap", KIND_IOREMAP, FORM, PLUMBING | PREFIX),
	RULE("memremap", KIND_IOREMAP, FORM, PLUMBING),
	RULE("arch_memremap_wb", KIND_IOREMAP, FORM, PLUMBING),
	RULE("devm_ioremap", KIND_IOREMAP, FORM, PLUMBING | PREFIX),
	RULE("__devm_ioremap", KIND_IOREMAP, FORM, PLUMBING | PREFIX),
	RULE("acpi_os_map_", KIND_IOREMAP, FORM, CALLER_ONLY | PREFIX),
	RULE("acpi_os_ioremap", KIND_IOREMAP, FORM, CALLER_ONLY),
	RULE("dma_common_", KIND_DMA_COHERENT, PURPOSE, PLUMBING | PREFIX),
	RULE("__dma_common_pages_remap", KIND_DMA_COHERENT, PURPOSE, PLUMBING),
	RULE("dma_alloc_", KIND_DMA_COHERENT, PURPOSE, CALLER_ONLY | PREFIX),
	RULE("dma_direct_alloc", KIND_DMA_COHERENT, PURPOSE, CALLER_ONLY | PREFIX),
	RULE("dma_vmap_", KIND_DMA_COHERENT, PURPOSE, CALLER_ONLY | PREFIX),
	RULE("atomic_pool_expand", KIND_DMA_COHERENT, PURPOSE, CALLER_ONLY),

	/* code: the callers of module_alloc and execmem_alloc other than BPF count as modules */
	RULE("module_alloc", KIND_MODULE, PURPOSE, PLUMBING),
	RULE("module_memory_alloc", KIND_MODULE, PURPOSE, PLUMBING),
	RULE("execmem_", KIND_MODULE, PURPOSE, PLUMBING | PREFIX),
	RULE("__execmem_", KIND_MODULE, PURPOSE, PLUMBING | PREFIX),
	RULE("move_module", KIND_MODULE, PURPOSE, 0),
	RULE("alloc_insn_page", KIND_MODULE, PURPOSE, 0),
	RULE("__get_insn_slot", KIND_MODULE, PURPOSE, CALLER_ONLY),
	RULE("create_trampoline", KIND_MODULE, PURPOSE, CALLER_ONLY),
	RULE("alloc_tramp", KIND_MODULE, PURPOSE, CALLER_ONLY),
	RULE("arch_ftrace_update_trampoline", KIND_MODULE, PURPOSE, CALLER_ONLY),
	RULE("layout_and_allocate", KIND_MODULE, PURPOSE, CALLER_ONLY),
	RULE("load_module", KIND_MODULE, PURPOSE, CALLER_ONLY),

	/* kernel/bpf */
	RULE("bpf_map_area_alloc", KIND_BPF, BPF, PLUMBING),
	RULE("__bpf_map_area_alloc", KIND_BPF, BPF, PLUMBING),
	RULE("bpf_map_area_mmapable_alloc", KIND_BPF, BPF, PLUMBING),
	RULE("bpf_map_kvcalloc", KIND_BPF, BPF, PLUMBING),
	RULE("bpf_ringbuf_area_alloc", KIND_BPF, BPF, PLUMBING),
	RULE("bpf_ringbuf_alloc", KIND_BPF, BPF, PLUMBING),
	RULE("ringbuf_map_alloc", KIND_BPF, BPF, 0),
	RULE("array_map_alloc", KIND_BPF, BPF, 0),
	RULE("htab_map_alloc", KIND_BPF, BPF, 0),
	RULE("bpf_jit_alloc_exec", KIND_BPF, BPF, PLUMBING | PREFIX),
	RULE("bpf_jit_binary_alloc", KIND_BPF, BPF, PLUMBING),
	RULE("bpf_jit_binary_pack_alloc", KIND_BPF, BPF, PLUMBING),
	RULE("bpf_prog_pack_alloc", KIND_BPF, BPF, PLUMBING),
	RULE("bpf_prog_alloc", KIND_BPF, BPF, PLUMBING | PREFIX),
	RULE("bpf_prog_realloc", KIND_BPF, BPF, PLUMBING),
	RULE("bpf_prog_", KIND_BPF, BPF, PREFIX),
	RULE("bpf_int_jit_compile", KIND_BPF, BPF, 0),
	RULE("bpf_", KIND_BPF, BPF, CALLER_ONLY | PREFIX),
	RULE("__bpf_", KIND_BPF, BPF, CALLER_ONLY | PREFIX),
	RULE("__sys_bpf", KIND_BPF, BPF, CALLER_ONLY),

	/* mm/percpu.c */
	RULE("pcpu_get_vm_areas", KIND_PERCPU, SPACE, PLUMBING | NO_GUARD),
	/* also calls pcpu_mem_zalloc for what goes with a chunk: plain vmalloc */
	RULE("pcpu_create_chunk", KIND_UNKNOWN, NONE, PLUMBING | NO_GUARD),
	RULE("pcpu_alloc", KIND_UNKNOWN, NONE, PLUMBING),
	RULE("pcpu_mem_zalloc", KIND_UNKNOWN, NONE, PLUMBING),
	RULE("pcpu_alloc_chunk", KIND_UNKNOWN, NONE, PLUMBING),
	RULE("pcpu_balance_", KIND_UNKNOWN, NONE, PREFIX),
	RULE("__alloc_percpu", KIND_UNKNOWN, NONE, PLUMBING | PREFIX),

	/* registered before vmalloc_init */
	RULE("vm_area_register_early", KIND_EARLY, SPACE, PLUMBING | NO_GUARD | CALLER_ONLY),
	RULE("pcpu_page_first_chunk", KIND_EARLY, SPACE, NO_GUARD | CALLER_ONLY),
};

static const char *const kind_names[KIND_COUNT] = {
	[KIND_UNKNOWN] = "unknown", [KIND_VMALLOC] = "vmalloc",
	[KIND_VMAP] = "vmap",       [KIND_IOREMAP] = "ioremap",
	[KIND_MODULE] = "module",   [KIND_BPF] = "bpf",
	[KIND_PERCPU] = "percpu",   [KIND_VM_MAP_RAM] = "vm_map_ram",
	[KIND_USER] = "user",       [KIND_DMA_COHERENT] = "dma-coherent",
	[KIND_EARLY] = "early",
};

const char *kind_name(unsigned int kind)
{
	return kind_names[kind < KIND_COUNT ? kind : KIND_UNKNOWN];
}

enum area_kind kind_from_name(const char *name)
{
	unsigned int kind;

	for (kind = 0; kind < KIND_COUNT; kind++) {
		if (!strcmp(name, kind_names[kind]))
			return (enum area_kind)kind;
	}
	return KIND_UNKNOWN;
}

/*
 * The length of the function's own name in "name.constprop.0+0x1/0x2". Compilers append .suffixes
 * and the allocation profiling of 6.10 and later _noprof; 0 for a module's function.
 */
static size_t function_len(const char *frame)
{
	static const char noprof[] = "_noprof";
	size_t len = strcspn(frame, ".+ ");

	if (strchr(frame + len, '['))
		return 0;
	if (len >= sizeof(noprof) &&
	    !memcmp(frame + len - (sizeof(noprof) - 1), noprof, sizeof(noprof) - 1))
		len -= sizeof(noprof) - 1;
	return len;
}

static const struct rule *rule_of(const char *frame)
{
	size_t len = function_len(frame);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct rule *rule = &rules[i];

		if ((rule->flags & PREFIX ? len >= rule->len : len == rule->len) &&
		    !memcmp(frame, rule->name, rule->len))
			return rule;
	}
	return NULL;
}

/*
 * True if the caller of alloc_vmap_area is not shown (up to 5.15 the unwinder does not know what a
 * return probe has put in the place of its address) and can only be vm_map_ram: all that call
 * __get_vm_area_node, the other one that may be hidden, are in the table (mm/vmalloc.c).
 */
static bool hides_vm_map_ram(const struct names *names, struct stack stack)
{
	const struct rule *last = NULL, *rule = NULL;
	uint32_t i;

	for (i = 0; i < stack.nr_frames; i++, last = rule) {
		rule = rule_of(names_text(names, stack.frames[i]));
		if (!rule || !(rule->flags & PROBE))
			return !rule && last && last->flags & HIDES;
	}
	return false;
}

/*
 * The plumbing and the first frame beyond it decide. What lies further out only led to the call:
 * load_module in the stack of a module's own vmalloc does not make that a module.
 */
enum area_kind kind_of_stack(const struct names *names, struct stack stack)
{
	enum area_kind kind = KIND_UNKNOWN;
	unsigned int strength = NONE;
	bool plumbing = true;
	uint32_t i;

	if (hides_vm_map_ram(names, stack))
		return KIND_VM_MAP_RAM;
	for (i = 0; i < stack.nr_frames && plumbing; i++) {
		const struct rule *rule = rule_of(names_text(names, stack.frames[i]));

		if (!rule)
			break;
		plumbing = rule->flags & PLUMBING;
		if (!(rule->flags & CALLER_ONLY) && rule->strength > strength) {
			strength = rule->strength;
			kind = (enum area_kind)rule->kind;
		}
	}
	return kind;
}

enum area_kind kind_of_caller(const char *caller)
{
	const struct rule *rule = rule_of(caller);

	return rule ? (enum area_kind)rule->kind : KIND_UNKNOWN;
}

bool kind_stack_has_guard(const struct names *names, struct stack stack)
{
	uint32_t i;

	for (i = 0; i < stack.nr_frames; i++) {
		const struct rule *rule = rule_of(names_text(names, stack.frames[i]));

		if (!rule || !(rule->flags & PROBE))
			return rule ? !(rule->flags & NO_GUARD) : !hides_vm_map_ram(names, stack);
	}
	return true;
}

bool kind_frame_is_plumbing(const char *frame)
{
	const struct rule *rule = rule_of(frame);

	return rule && rule->flags & PLUMBING;
}

uint32_t kind_owner_frame(const struct names *names, struct stack stack)
{
	uint32_t i;

	for (i = 0; i < stack.nr_frames; i++) {
		if (!kind_frame_is_plumbing(names_text(names, stack.frames[i])))
			return stack.frames[i];
	}
	return stack.nr_frames ? stack.frames[stack.nr_frames - 1] : 0;
}
