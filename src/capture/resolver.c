/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/resolver.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

#define CACHE_SLOTS  4096           /* power of two; a collision replaces */
#define SETTLE_NS    10000000000ull /* a module's symbols appear within this of its memory */
#define FIRST_GAP_NS 200000000ull

struct cached {
	uint32_t addr; /* 0 = empty */
	uint32_t name_id;
};

struct resolver {
	struct symbols *symbols;
	struct names *names;
	uint32_t module_start;
	uint32_t module_end;
	struct cached cache[CACHE_SLOTS];
	uint32_t generation;
	uint32_t unsettled;
	bool stale; /* modules changed since the table was read */
	uint64_t changed_ns;
	uint64_t loaded_ns;
};

struct resolver *resolver_new(struct symbols *symbols, struct names *names, uint32_t module_start,
			      uint32_t module_end)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));

	if (!resolver)
		return NULL;
	resolver->symbols = symbols;
	resolver->names = names;
	resolver->module_start = module_start;
	resolver->module_end = module_end;
	return resolver;
}

void resolver_free(struct resolver *resolver)
{
	free(resolver);
}

static bool in_modules(const struct resolver *resolver, uint32_t addr)
{
	return addr >= resolver->module_start && addr < resolver->module_end;
}

static void reload(struct resolver *resolver, uint64_t now_ns)
{
	int err = symbols_load(resolver->symbols, "/proc/kallsyms");

	resolver->stale = false;
	resolver->generation++;
	resolver->loaded_ns = now_ns;
	if (err)
		log_debug("reading /proc/kallsyms again: %s", strerror(-err));
	for (size_t i = 0; i < CACHE_SLOTS; i++) {
		if (in_modules(resolver, resolver->cache[i].addr))
			resolver->cache[i].addr = 0;
	}
}

/*
 * A module's memory is allocated before its symbols are published, so a table read in between
 * lacks them. Such an address asks for another reading, at growing intervals; one that stays
 * without a symbol (trampolines) asks only every SETTLE_NS.
 */
static bool wants_reload(const struct resolver *resolver, uint32_t addr, bool covered,
			 uint64_t now_ns)
{
	uint64_t age_ns = now_ns - resolver->loaded_ns;
	uint64_t settling_ns = resolver->loaded_ns - resolver->changed_ns;

	if (!in_modules(resolver, addr) || !symbols_have_addresses(resolver->symbols))
		return false;
	if (resolver->stale || covered)
		return resolver->stale;
	return age_ns > SETTLE_NS ||
	       (settling_ns < SETTLE_NS && age_ns > FIRST_GAP_NS + settling_ns);
}

static bool covered(const struct resolver *resolver, uint32_t addr)
{
	return symbols_covers(resolver->symbols, addr, resolver->module_start,
			      resolver->module_end);
}

uint32_t resolver_frame(struct resolver *resolver, uint32_t addr, uint64_t now_ns)
{
	struct cached *slot = &resolver->cache[(addr ^ addr >> 12) & (CACHE_SLOTS - 1)];
	char text[256];
	int len;

	if (slot->addr == addr && addr && !(resolver->stale && in_modules(resolver, addr)))
		return slot->name_id;
	if (wants_reload(resolver, addr, covered(resolver, addr), now_ns))
		reload(resolver, now_ns);
	len = symbols_format(resolver->symbols, addr, resolver->module_start, resolver->module_end,
			     text, sizeof(text));
	if (len >= (int)sizeof(text))
		len = sizeof(text) - 1;
	/* An address that may get its symbol later is not remembered without one. */
	slot->addr = !in_modules(resolver, addr) || covered(resolver, addr) ? addr : 0;
	resolver->unsettled += addr && !slot->addr;
	slot->name_id = names_intern(resolver->names, text, len > 0 ? (size_t)len : 0);
	return slot->name_id;
}

uint32_t resolver_generation(const struct resolver *resolver)
{
	return resolver->generation;
}

uint32_t resolver_unsettled(const struct resolver *resolver)
{
	return resolver->unsettled;
}

void resolver_modules_changed(struct resolver *resolver, uint64_t now_ns)
{
	resolver->stale = true;
	resolver->generation++;
	resolver->changed_ns = now_ns;
}
