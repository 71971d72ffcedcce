/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MAX_NAMES     2
#define MAX_HOOKS     3

enum hook_id {
	NO_HOOK = 0,
	FREE_ENTRY,
	PURGE_ENTRY,
	PURGE_RETURN,
	PURGE_TRACEPOINT,
	ALLOC_TRACEPOINT,
	INSERT_ENTRY,
	ALLOC_RETURN,
	ALLOC_ENTRY,
	FAIL_RETURN,
	PERCPU_RETURN,
	PERCPU_ENTRY,
	VMALLOC_ENTRY,
	VFREE_ENTRY,
	VFREE_ATOMIC_ENTRY,
	WARN_ENTRY,
	HOOK_COUNT
};

struct hook {
	const char *names[MAX_NAMES]; /* mm/vmalloc.c; a second one where it was renamed */
	const char *program;
	const char *purpose;
	enum probe_type type;
};

/* Who calls what on which kernel: docs/KERNELS.md. */
static const struct hook hooks[HOOK_COUNT] = {
	[FREE_ENTRY] = { { "free_vmap_area_noflush" },
			 "free_entry",
			 "area freed, becomes lazy",
			 PROBE_ENTRY },
	[PURGE_ENTRY] = { { "__purge_vmap_area_lazy" },
			  "purge_entry",
			  "purge begins",
			  PROBE_ENTRY },
	[PURGE_RETURN] = { { "__purge_vmap_area_lazy" },
			   "purge_return",
			   "purge ends: lazy is free",
			   PROBE_RETURN },
	[PURGE_TRACEPOINT] = { { "purge_vmap_area_lazy" },
			       "purge_tracepoint",
			       "purge ends: lazy is free",
			       PROBE_TRACEPOINT },
	[ALLOC_TRACEPOINT] = { { "alloc_vmap_area" },
			       "alloc_tracepoint",
			       "area allocated, and what was asked for",
			       PROBE_TRACEPOINT },
	[INSERT_ENTRY] = { { "insert_vmap_area", "__insert_vmap_area" },
			   "insert_entry",
			   "area allocated",
			   PROBE_ENTRY },
	[ALLOC_RETURN] = { { "alloc_vmap_area" },
			   "alloc_return",
			   "allocation failed or done",
			   PROBE_RETURN },
	[ALLOC_ENTRY] = { { "alloc_vmap_area" }, "alloc_entry", "what was asked for", PROBE_ENTRY },
	[FAIL_RETURN] = { { "alloc_vmap_area" }, "fail_return", "allocation failed", PROBE_RETURN },
	[PERCPU_RETURN] = { { "pcpu_get_vm_areas" },
			    "percpu_return",
			    "percpu chunk allocated",
			    PROBE_RETURN },
	[PERCPU_ENTRY] = { { "pcpu_get_vm_areas" },
			   "percpu_entry",
			   "percpu chunk asked for",
			   PROBE_ENTRY },
	/* _noprof: Linux 6.10, include/linux/vmalloc.h */
	[VMALLOC_ENTRY] = { { "__vmalloc_node_range", "__vmalloc_node_range_noprof" },
			    "vmalloc_entry",
			    "bytes asked of vmalloc",
			    PROBE_ENTRY },
	[VFREE_ENTRY] = { { "vfree" }, "vfree_entry", "who frees", PROBE_ENTRY },
	[VFREE_ATOMIC_ENTRY] = { { "vfree_atomic" },
				 "vfree_entry",
				 "who frees from atomic context",
				 PROBE_ENTRY },
	[WARN_ENTRY] = { { "warn_alloc" }, "warn_entry", "vmalloc got no pages", PROBE_ENTRY },
};

#define TRACEPOINT (1u << WAY_TRACEPOINT)
#define INSERT     (1u << WAY_INSERT)
#define RETURN     (1u << WAY_RETURN)
#define ANY        (TRACEPOINT | INSERT | RETURN)
/* Only where insert_vmap_area takes no lazy areas. */
#define IF_NOT_LAZY (1u << WAY_COUNT)

/*
 * For each need the ways to meet it: the first whose hooks this kernel has is taken. A row counts
 * only in the plans that it names. A way without hooks can always be gone.
 */
static const struct way {
	enum need need;
	uint32_t plans;
	bool met;
	enum hook_id hooks[MAX_HOOKS];
	const char *how;
} ways[] = {
	{ NEED_FREED, ANY, true, { FREE_ENTRY }, "kprobe on free_vmap_area_noflush" },
	{ NEED_PURGED,
	  TRACEPOINT,
	  true,
	  { PURGE_TRACEPOINT, PURGE_ENTRY },
	  "tracepoint at the end, kprobe at the begin" },
	{ NEED_PURGED,
	  ANY,
	  true,
	  { PURGE_RETURN, PURGE_ENTRY },
	  "kprobe and return probe on __purge_vmap_area_lazy" },
	{ NEED_ALLOCATED,
	  TRACEPOINT,
	  true,
	  { ALLOC_TRACEPOINT },
	  "tracepoint vmalloc:alloc_vmap_area: no return to miss; gfp not told" },
	{ NEED_ALLOCATED,
	  INSERT,
	  true,
	  { INSERT_ENTRY, ALLOC_ENTRY },
	  "kprobe on insert_vmap_area, request from the entry of alloc_vmap_area: no return to "
	  "miss" },
	{ NEED_ALLOCATED,
	  INSERT | IF_NOT_LAZY,
	  true,
	  { INSERT_ENTRY },
	  "kprobe on insert_vmap_area alone: what was asked for is not known" },
	{ NEED_ALLOCATED,
	  RETURN,
	  true,
	  { ALLOC_RETURN, ALLOC_ENTRY },
	  "kprobe and return probe on alloc_vmap_area" },
	{ NEED_FAILED,
	  TRACEPOINT,
	  true,
	  { FAIL_RETURN },
	  "return probe on alloc_vmap_area, request from the tracepoint" },
	{ NEED_FAILED,
	  INSERT | RETURN,
	  true,
	  { ALLOC_RETURN, ALLOC_ENTRY },
	  "kprobe and return probe on alloc_vmap_area" },
	{ NEED_FAILED, ANY, false, { NO_HOOK }, "not at all: failures are not reported" },
	{ NEED_PERCPU,
	  ANY,
	  true,
	  { PERCPU_RETURN, PERCPU_ENTRY },
	  "kprobe and return probe on pcpu_get_vm_areas" },
	{ NEED_PERCPU, INSERT | IF_NOT_LAZY, true, { INSERT_ENTRY }, "kprobe on insert_vmap_area" },
	{ NEED_PERCPU,
	  ANY,
	  false,
	  { NO_HOOK },
	  "not at all: chunks are learnt only from the kernel's list" },
	{ NEED_REQUESTED, ANY, true, { VMALLOC_ENTRY }, "kprobe on __vmalloc_node_range" },
	{ NEED_REQUESTED, ANY, false, { NO_HOOK }, "not at all: payloads count in whole pages" },
	{ NEED_FREER,
	  ANY,
	  true,
	  { VFREE_ENTRY, VFREE_ATOMIC_ENTRY },
	  "kprobes on vfree and vfree_atomic" },
	{ NEED_FREER, ANY, true, { VFREE_ENTRY }, "kprobe on vfree" },
	{ NEED_FREER,
	  ANY,
	  false,
	  { NO_HOOK },
	  "not at all: a free by a kworker has the kworker's name" },
	{ NEED_PAGES, ANY, true, { WARN_ENTRY, VMALLOC_ENTRY }, "kprobe on warn_alloc" },
	{ NEED_PAGES,
	  ANY,
	  false,
	  { NO_HOOK },
	  "not at all: only failures for want of addresses are reported" },
};

static const struct {
	const char *what;
	const char *word; /* in short, for "no ..." */
	bool required;
	bool map;     /* the map is made of it */
	bool request; /* only with --probes=all */
} needs[NEED_COUNT] = {
	[NEED_FREED] = { "area freed", "frees", true, true, false },
	[NEED_PURGED] = { "area purged", "purges", true, true, false },
	[NEED_ALLOCATED] = { "area allocated", "allocations", true, true, false },
	[NEED_FAILED] = { "allocation failed", "failures", false, false, false },
	[NEED_PERCPU] = { "percpu chunk", "percpu", false, true, false },
	[NEED_REQUESTED] = { "requested size", "requests", false, false, true },
	[NEED_FREER] = { "who frees", "freers", false, false, true },
	[NEED_PAGES] = { "out of pages", "pages", false, false, true },
};

/*
 * Functions that take the size first and, where the compiler inlined __vmalloc_node_range into them
 * (5.10), get their area without calling it: these need a probe of their own.
 */
static const char *const vmalloc_family[] = {
	"vmalloc",      "vzalloc",      "__vmalloc",  "__vmalloc_node",  "vmalloc_node",
	"vzalloc_node", "vmalloc_user", "vmalloc_32", "vmalloc_32_user", "vmalloc_exec",
};

static const char *const way_names[WAY_COUNT] = {
	[WAY_TRACEPOINT] = "tracepoint",
	[WAY_INSERT] = "insert",
	[WAY_RETURN] = "return",
};

void plan_default_ways(struct plan_options *options)
{
	for (uint32_t i = 0; i < WAY_COUNT; i++)
		options->ways[i] = (enum plan_way)i;
	options->nr_ways = WAY_COUNT;
}

static int way_of(const char *name, size_t len)
{
	for (int i = 0; i < WAY_COUNT; i++) {
		if (strlen(way_names[i]) == len && !memcmp(way_names[i], name, len))
			return i;
	}
	return -EINVAL;
}

int plan_parse_ways(const char *text, struct plan_options *options)
{
	options->nr_ways = 0;
	while (options->nr_ways < WAY_COUNT) {
		size_t len = strcspn(text, ",");
		int way = way_of(text, len);

		if (way < 0)
			return way;
		options->ways[options->nr_ways++] = (enum plan_way)way;
		if (!text[len])
			return 0;
		text += len + 1;
	}
	return -EINVAL;
}

/* ---- what this kernel has ------------------------------------------------------------------- */

struct found {
	enum symbols_match match;
	uint32_t addr;
	char symbol[128];
};

struct kernel {
	struct found hooks[HOOK_COUNT];
	bool lazy_inserted; /* a lazy area passes insert_vmap_area too; true also if not known */
	struct found family[ARRAY_SIZE(vmalloc_family)];
};

/* What hands a tracepoint to perf has this name (include/trace/perf.h). */
static void find_tracepoint(const struct symbols *symbols, const char *name, struct found *found)
{
	char function[80];

	snprintf(function, sizeof(function), "perf_trace_%s", name);
	found->match =
		symbols_find(symbols, function, found->symbol, sizeof(found->symbol), &found->addr);
	snprintf(found->symbol, sizeof(found->symbol), "%s", name);
}

static void find_hook(const struct symbols *symbols, const struct hook *hook, struct found *found)
{
	found->match = SYMBOLS_NONE;
	if (hook->type == PROBE_TRACEPOINT) {
		find_tracepoint(symbols, hook->names[0], found);
		return;
	}
	for (uint32_t i = 0; i < MAX_NAMES && found->match == SYMBOLS_NONE && hook->names[i]; i++)
		found->match = symbols_find(symbols, hook->names[i], found->symbol,
					    sizeof(found->symbol), &found->addr);
}

/* Members of the vmalloc family that get their area by themselves. */
static void find_family(const struct symbols *symbols, const struct plan_options *options,
			struct kernel *kernel)
{
	struct found area, *found;

	area.match = symbols_find(symbols, "__get_vm_area_node", area.symbol, sizeof(area.symbol),
				  &area.addr);
	if (area.match != SYMBOLS_ONE || !area.addr || !options->calls)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(vmalloc_family); i++) {
		found = &kernel->family[i];
		found->match = symbols_find(symbols, vmalloc_family[i], found->symbol,
					    sizeof(found->symbol), &found->addr);
		if (found->match == SYMBOLS_ONE &&
		    options->calls(options->calls_context, found->addr, area.addr) != CALLS_YES)
			found->match = SYMBOLS_NONE;
	}
}

/* Each name once: a look-up goes through all symbols. */
static void look_at_kernel(const struct symbols *symbols, const struct plan_options *options,
			   struct kernel *kernel)
{
	memset(kernel, 0, sizeof(*kernel));
	for (int i = NO_HOOK + 1; i < HOOK_COUNT; i++)
		find_hook(symbols, &hooks[i], &kernel->hooks[i]);
	kernel->lazy_inserted = !options->calls || options->calls(options->calls_context,
								  kernel->hooks[FREE_ENTRY].addr,
								  kernel->hooks[INSERT_ENTRY].addr);
	if (options->with_requests)
		find_family(symbols, options, kernel);
}

/* ---- one plan ------------------------------------------------------------------------------- */

static void add_probe(struct plan *plan, const struct hook *hook, const char *symbol,
		      enum need need)
{
	struct probe *probe = &plan->probes[plan->nr_probes];

	for (uint32_t i = 0; i < plan->nr_probes; i++) {
		struct probe *other = &plan->probes[i];

		if (strcmp(other->program, hook->program) || strcmp(other->symbol, symbol))
			continue;
		other->required |= needs[need].required;
		other->map |= needs[need].map;
		return;
	}
	if (plan->nr_probes == PLAN_MAX_PROBES)
		return;
	*probe = (struct probe){
		.function = hook->names[0],
		.program = hook->program,
		.purpose = hook->purpose,
		.type = hook->type,
		.required = needs[need].required,
		.map = needs[need].map,
	};
	snprintf(probe->symbol, sizeof(probe->symbol), "%s", symbol);
	plan->nr_probes++;
}

/* Why a way cannot be gone, once for each reason. */
static void say_why(struct plan_need *need, const struct hook *hook, enum symbols_match match)
{
	char reason[sizeof(need->why)];
	size_t len = strlen(need->why);

	snprintf(reason, sizeof(reason), "%s%s %s",
		 hook->type == PROBE_TRACEPOINT ? "tracepoint vmalloc:" : "", hook->names[0],
		 match == SYMBOLS_AMBIGUOUS ? "exists several times" : "is not there");
	if (!strstr(need->why, reason))
		snprintf(need->why + len, sizeof(need->why) - len, "%s%s", len ? "; " : "", reason);
}

static bool way_possible(const struct kernel *kernel, const struct way *way, struct plan_need *need)
{
	if ((way->plans & IF_NOT_LAZY) && kernel->lazy_inserted)
		return false;
	for (uint32_t i = 0; i < MAX_HOOKS && way->hooks[i]; i++) {
		const struct found *found = &kernel->hooks[way->hooks[i]];

		if (found->match == SYMBOLS_ONE)
			continue;
		say_why(need, &hooks[way->hooks[i]], found->match);
		return false;
	}
	return true;
}

static void take_way(const struct kernel *kernel, const struct way *way, struct plan *plan)
{
	for (uint32_t i = 0; i < MAX_HOOKS && way->hooks[i]; i++)
		add_probe(plan, &hooks[way->hooks[i]], kernel->hooks[way->hooks[i]].symbol,
			  way->need);
	plan->needs[way->need].how = way->how;
	plan->needs[way->need].met = way->met;
}

static void meet(const struct kernel *kernel, const struct plan_options *options, enum need id,
		 struct plan *plan)
{
	struct plan_need *need = &plan->needs[id];

	need->what = needs[id].what;
	need->required = needs[id].required;
	need->how = "";
	if (needs[id].request && !options->with_requests) {
		snprintf(need->why, sizeof(need->why), "--probes=area");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		if (ways[i].need != id || !(ways[i].plans & (1u << plan->way)) ||
		    !way_possible(kernel, &ways[i], need))
			continue;
		take_way(kernel, &ways[i], plan);
		return;
	}
}

static void add_family(const struct kernel *kernel, struct plan *plan)
{
	struct hook hook = hooks[VMALLOC_ENTRY];

	for (size_t i = 0; i < ARRAY_SIZE(vmalloc_family); i++) {
		hook.names[0] = vmalloc_family[i];
		if (kernel->family[i].match == SYMBOLS_ONE)
			add_probe(plan, &hook, kernel->family[i].symbol, NEED_REQUESTED);
	}
}

static const struct probe *find_probe(const struct plan *plan, const char *program)
{
	for (uint32_t i = 0; i < plan->nr_probes; i++) {
		if (!strcmp(plan->probes[i].program, program))
			return &plan->probes[i];
	}
	return NULL;
}

/* alloc_vmap_area(size, align, vstart, vend, node, gfp, ...): a clone without the node, as 5.10
 * has, has gfp one place earlier; of any other clone nothing is known. */
static uint32_t gfp_arg(const struct plan *plan)
{
	const struct probe *entry = find_probe(plan, "alloc_entry");

	if (!entry)
		return 0;
	if (!strcmp(entry->symbol, "alloc_vmap_area"))
		return 6;
	return strcmp(entry->symbol, "alloc_vmap_area.constprop.0") ? 0 : 5;
}

static void make_one(const struct kernel *kernel, const struct plan_options *options,
		     enum plan_way way, struct plan *plan)
{
	memset(plan, 0, sizeof(*plan));
	plan->way = way;
	for (int i = 0; i < NEED_COUNT; i++)
		meet(kernel, options, (enum need)i, plan);
	if (plan->needs[NEED_REQUESTED].met)
		add_family(kernel, plan);
	plan->gfp_arg = gfp_arg(plan);
	for (uint32_t i = 0; i < plan->nr_probes; i++)
		/* An entry that no return follows would fill the table of those in progress. */
		plan->probes[i].required |= !strcmp(plan->probes[i].program, "alloc_return");
	plan->insert_needs_slot = way == WAY_INSERT && kernel->lazy_inserted;
	plan->insert_alone = way == WAY_INSERT && (!find_probe(plan, "percpu_return") ||
						   !find_probe(plan, "alloc_entry"));
}

const struct plan_need *plan_missing(const struct plan *plan)
{
	for (int i = 0; i < NEED_COUNT; i++) {
		if (plan->needs[i].required && !plan->needs[i].met)
			return &plan->needs[i];
	}
	return NULL;
}

/* A plan without arguments on the stack would gain nothing. */
static bool reads_stack(const struct plan *plan)
{
	return find_probe(plan, "alloc_entry") != NULL;
}

/* Why the ways before this one were not possible. */
static void explain_choice(const struct plan *rejected, struct plan *plan)
{
	const char *why = rejected->needs[NEED_ALLOCATED].why;
	struct plan_need *need = &plan->needs[NEED_ALLOCATED];
	size_t len = strlen(need->why);

	if (why[0] && !strstr(need->why, why))
		snprintf(need->why + len, sizeof(need->why) - len, "%s%s", len ? "; " : "", why);
}

bool plan_knows_request(const struct plan *plan)
{
	return plan->way == WAY_TRACEPOINT || find_probe(plan, "alloc_entry");
}

uint32_t plan_make(const struct symbols *symbols, const struct plan_options *options,
		   struct plan *list)
{
	struct plan rejected = { 0 };
	struct kernel kernel;
	uint32_t count = 0;

	look_at_kernel(symbols, options, &kernel);
	for (uint32_t i = 0; i < options->nr_ways; i++) {
		struct plan *plan = &list[count];

		make_one(&kernel, options, options->ways[i], plan);
		if (rejected.nr_probes)
			explain_choice(&rejected, plan);
		if (plan_missing(plan)) {
			rejected = *plan;
			continue;
		}
		count++;
		if (!reads_stack(plan))
			continue;
		list[count] = *plan;
		list[count++].sp_is_regs = true;
	}
	if (!count)
		list[0] = rejected;
	return count;
}

void plan_tell(const struct plan *plan, struct plan_report *report)
{
	size_t at = 0;

	report->probes_planned = plan->nr_probes;
	report->probes_active = 0;
	report->lacking[0] = '\0';
	for (uint32_t i = 0; i < plan->nr_probes; i++)
		report->probes_active += plan->probes[i].state == PROBE_ATTACHED;
	for (int i = 0; i < NEED_COUNT; i++) {
		const struct plan_need *need = &plan->needs[i];

		if (need->met || !need->how[0] || at >= sizeof(report->lacking))
			continue;
		at += (size_t)snprintf(report->lacking + at, sizeof(report->lacking) - at, "%s%s",
				       at ? ", " : "", needs[i].word);
	}
}

const char *plan_name(const struct plan *plan)
{
	static const char *const with_regs[WAY_COUNT] = {
		[WAY_TRACEPOINT] = "tracepoint/regs",
		[WAY_INSERT] = "insert/regs",
		[WAY_RETURN] = "return/regs",
	};

	return plan->sp_is_regs ? with_regs[plan->way] : way_names[plan->way];
}
