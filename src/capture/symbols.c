// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two arrays: entries sorted by address (8 bytes each), and one blob of records that they point
 * into. A record is: type byte, module number (2 bytes, 0 = core kernel), name, NUL.
 */
#include "capture/symbols.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"

#define MAX_NAME     511u       /* KSYM_NAME_LEN - 1 */
#define MAX_MODULES  65535u     /* what two bytes of a record can hold */
#define MAX_DISTANCE (1u << 20) /* kallsyms tells no sizes: further off is no match */
/* Modules lie close together: the next one may have gone from the list, or not be in it yet. */
#define MAX_MODULE_DISTANCE 0x10000u
#define MAX_FILE            (64u << 20)
#define MAX_BLOB            (1u << 30)
#define RECORD_NAME         3 /* offset of the name in a record */

struct entry {
	uint32_t address;
	uint32_t record; /* offset in blob */
};

struct table {
	struct entry *entries;
	uint32_t count;
	uint32_t capacity;
	char *blob;
	uint32_t blob_used;
	uint32_t blob_capacity;
	uint32_t *modules; /* blob offsets of names; module number n is [n - 1] */
	uint32_t nr_modules;
	uint32_t modules_capacity;
	bool have_addresses;
};

struct symbols {
	struct table table;
};

/* One line of kallsyms. */
struct line {
	uint32_t address;
	char type;
	const char *name;
	size_t name_len;
	const char *module; /* NULL: core kernel */
	size_t module_len;
};

struct symbols *symbols_new(void)
{
	return calloc(1, sizeof(struct symbols));
}

static void table_release(struct table *table)
{
	free(table->entries);
	free(table->blob);
	free(table->modules);
}

void symbols_free(struct symbols *symbols)
{
	if (!symbols)
		return;
	table_release(&symbols->table);
	free(symbols);
}

/* Grows *array of items to hold at least need of them. */
static int reserve(void **array, uint32_t *capacity, uint32_t need, size_t item)
{
	uint32_t grown = *capacity ? *capacity : 1024;
	void *moved;

	if (need <= *capacity)
		return 0;
	if (need > MAX_BLOB / item)
		return -ENOMEM;
	while (grown < need)
		grown *= 2;
	moved = realloc(*array, (size_t)grown * item);
	if (!moved)
		return -ENOMEM;
	*array = moved;
	*capacity = grown;
	return 0;
}

static int blob_reserve(struct table *table, size_t len)
{
	void *blob = table->blob;
	int err;

	if (len > MAX_BLOB - table->blob_used)
		return -ENOMEM;
	err = reserve(&blob, &table->blob_capacity, table->blob_used + (uint32_t)len, 1);
	table->blob = blob;
	return err;
}

static void blob_put(struct table *table, const char *text, size_t len)
{
	memcpy(table->blob + table->blob_used, text, len);
	table->blob[table->blob_used + len] = 0;
	table->blob_used += (uint32_t)len + 1;
}

static const char *entry_name(const struct table *table, const struct entry *entry)
{
	return table->blob + entry->record + RECORD_NAME;
}

static uint32_t entry_module(const struct table *table, const struct entry *entry)
{
	const unsigned char *record = (const unsigned char *)table->blob + entry->record;

	return record[1] | (uint32_t)record[2] << 8;
}

/*
 * The number of a module, given out when its name first appears in a run: kallsyms lists module
 * after module. *number = 0 when the numbers are used up.
 */
static int module_number(struct table *table, const char *name, size_t len, uint32_t *number)
{
	void *modules = table->modules;
	int err;

	if (table->nr_modules) {
		const char *last = table->blob + table->modules[table->nr_modules - 1];

		*number = table->nr_modules;
		if (strlen(last) == len && !memcmp(last, name, len))
			return 0;
	}
	*number = 0;
	if (table->nr_modules == MAX_MODULES)
		return 0;
	err = reserve(&modules, &table->modules_capacity, table->nr_modules + 1,
		      sizeof(*table->modules));
	table->modules = modules;
	if (!err)
		err = blob_reserve(table, len + 1);
	if (err)
		return err;
	table->modules[table->nr_modules++] = table->blob_used;
	blob_put(table, name, len);
	*number = table->nr_modules;
	return 0;
}

static int add(struct table *table, const struct line *line)
{
	void *entries = table->entries;
	uint32_t module = 0;
	char head[RECORD_NAME];
	int err;

	if (line->module) {
		err = module_number(table, line->module, line->module_len, &module);
		if (err || !module)
			return err;
	}
	err = reserve(&entries, &table->capacity, table->count + 1, sizeof(*table->entries));
	table->entries = entries;
	if (!err)
		err = blob_reserve(table, RECORD_NAME + line->name_len + 1);
	if (err)
		return err;
	table->entries[table->count++] = (struct entry){ line->address, table->blob_used };
	head[0] = line->type;
	head[1] = (char)(module & 0xff);
	head[2] = (char)(module >> 8);
	memcpy(table->blob + table->blob_used, head, sizeof(head));
	table->blob_used += RECORD_NAME;
	blob_put(table, line->name, line->name_len);
	if (line->address)
		table->have_addresses = true;
	return 0;
}

static const char *read_address(const char *p, const char *end, uint32_t *address)
{
	const char *first = p;
	uint32_t sum = 0;

	for (; p < end && isxdigit((unsigned char)*p); p++) {
		int c = tolower((unsigned char)*p);

		if (sum >> 28)
			return NULL;
		sum = sum << 4 | (uint32_t)(isdigit(c) ? c - '0' : c - 'a' + 10);
	}
	*address = sum;
	return p > first ? p : NULL;
}

static bool is_plain(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (!isgraph((unsigned char)text[i]))
			return false;
	}
	return len > 0 && len <= MAX_NAME;
}

/* "c1000000 T startup_32" or "f7d3c000 t foo_init\t[foo]". True for a text symbol. */
static bool parse_line(const char *p, const char *end, struct line *line)
{
	const char *tab;

	p = read_address(p, end, &line->address);
	if (!p || end - p < 4 || p[0] != ' ' || p[2] != ' ' || !p[1] || !strchr("tTwW", p[1]))
		return false;
	line->type = p[1];
	line->name = p + 3;
	tab = memchr(line->name, '\t', (size_t)(end - line->name));
	line->name_len = (size_t)((tab ? tab : end) - line->name);
	line->module = NULL;
	line->module_len = 0;
	if (tab) {
		if (end - tab < 4 || tab[1] != '[' || end[-1] != ']')
			return false;
		line->module = tab + 2;
		line->module_len = (size_t)(end - tab) - 3;
		if (!is_plain(line->module, line->module_len))
			return false;
	}
	return is_plain(line->name, line->name_len);
}

/* Equal addresses keep the order of the file: records are made in it. */
static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->record < y->record ? -1 : x->record > y->record;
}

/* Lower is better: global before local, strong before weak. */
static unsigned int rank(const struct table *table, const struct entry *entry)
{
	static const char order[] = "TWtw";

	return (unsigned int)(strchr(order, table->blob[entry->record]) - order);
}

static bool is_better(const struct table *table, const struct entry *a, const struct entry *b)
{
	unsigned int rank_a = rank(table, a);
	unsigned int rank_b = rank(table, b);

	if (rank_a != rank_b)
		return rank_a < rank_b;
	return strlen(entry_name(table, a)) < strlen(entry_name(table, b));
}

/* Moves the alias to show to the front of each run of equal addresses. */
static void choose_aliases(struct table *table)
{
	uint32_t first = 0;
	uint32_t i;

	for (i = 1; i < table->count; i++) {
		struct entry *head = &table->entries[first];
		struct entry *entry = &table->entries[i];

		if (entry->address != head->address) {
			first = i;
		} else if (is_better(table, entry, head)) {
			struct entry better = *entry;

			*entry = *head;
			*head = better;
		}
	}
}

static int parse_table(struct table *table, const char *bytes, size_t len)
{
	const char *end = bytes + len;
	const char *next;
	const char *p;

	for (p = bytes; p < end; p = next) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		const char *stop = newline ? newline : end;
		struct line line;
		int err;

		next = newline ? newline + 1 : end;
		if (!parse_line(p, stop, &line))
			continue;
		err = add(table, &line);
		if (err)
			return err;
	}
	if (!table->count)
		return -EBADMSG;
	if (!table->have_addresses)
		return -EPERM;
	qsort(table->entries, table->count, sizeof(*table->entries), compare_entries);
	choose_aliases(table);
	return 0;
}

/* Growth doubles: gives back what was not used. A shrink that fails changes nothing. */
static void trim(struct table *table)
{
	void *entries = realloc(table->entries, (size_t)table->count * sizeof(*table->entries));
	void *blob = realloc(table->blob, table->blob_used);

	if (entries)
		table->entries = entries;
	if (blob)
		table->blob = blob;
}

int symbols_parse(struct symbols *symbols, const char *bytes, size_t len)
{
	struct table table = { 0 };
	int err = parse_table(&table, bytes, len);

	if (!err || (err == -EPERM && !symbols->table.have_addresses)) {
		trim(&table);
		table_release(&symbols->table);
		symbols->table = table;
	} else {
		table_release(&table);
	}
	return err;
}

int symbols_load(struct symbols *symbols, const char *path)
{
	char *bytes;
	size_t len;
	int err = file_read(path, MAX_FILE, &bytes, &len);

	if (err)
		return err;
	err = symbols_parse(symbols, bytes, len);
	free(bytes);
	return err;
}

bool symbols_have_addresses(const struct symbols *symbols)
{
	return symbols->table.have_addresses;
}

uint32_t symbols_count(const struct symbols *symbols)
{
	return symbols->table.count;
}

/* How many entries lie at addr or below. */
static uint32_t count_up_to(const struct table *table, uint32_t addr)
{
	uint32_t low = 0;
	uint32_t high = table->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (table->entries[middle].address <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The first of the run of aliases that covers addr, or NULL. */
static const struct entry *lookup(const struct table *table, uint32_t addr, uint32_t module_start,
				  uint32_t module_end)
{
	bool module_only = addr >= module_start && addr < module_end;
	uint32_t i = table->have_addresses ? count_up_to(table, addr) : 0;
	const struct entry *found = NULL;
	uint32_t base;

	if (!i)
		return NULL;
	base = table->entries[i - 1].address;
	if (!base || addr - base > (module_only ? MAX_MODULE_DISTANCE : MAX_DISTANCE))
		return NULL;
	for (; i && table->entries[i - 1].address == base; i--) {
		if (!module_only || entry_module(table, &table->entries[i - 1]))
			found = &table->entries[i - 1];
	}
	return found;
}

int symbols_format(const struct symbols *symbols, uint32_t addr, uint32_t module_start,
		   uint32_t module_end, char *buf, size_t len)
{
	const struct table *table = &symbols->table;
	const struct entry *entry = lookup(table, addr, module_start, module_end);
	uint32_t module;

	if (!entry)
		return snprintf(buf, len, "0x%08x", addr);
	module = entry_module(table, entry);
	if (!module)
		return snprintf(buf, len, "%s+0x%x", entry_name(table, entry),
				addr - entry->address);
	return snprintf(buf, len, "%s+0x%x [%s]", entry_name(table, entry), addr - entry->address,
			table->blob + table->modules[module - 1]);
}

bool symbols_covers(const struct symbols *symbols, uint32_t addr, uint32_t module_start,
		    uint32_t module_end)
{
	return lookup(&symbols->table, addr, module_start, module_end) != NULL;
}

uint32_t symbols_size(const struct symbols *symbols, uint32_t addr)
{
	const struct table *table = &symbols->table;
	uint32_t next = table->have_addresses ? count_up_to(table, addr) : table->count;

	return next < table->count ? table->entries[next].address - addr : 0;
}

/* True for what a compiler may append to a clone that is still entered like the function:
 * (.constprop.N|.isra.N|.part.N)*. */
static bool is_clone_suffix(const char *p)
{
	static const char *const kinds[] = { ".constprop.", ".isra.", ".part." };

	while (*p) {
		size_t digits;
		size_t i;

		for (i = 0; i < 3 && strncmp(p, kinds[i], strlen(kinds[i])); i++)
			;
		if (i == 3)
			return false;
		p += strlen(kinds[i]);
		digits = strspn(p, "0123456789");
		if (!digits)
			return false;
		p += digits;
	}
	return true;
}

/* Among all exact or all cloned matches: none, one, or several at different addresses. */
static enum symbols_match find_one(const struct table *table, const char *name, bool exact,
				   const struct entry **match)
{
	size_t len = strlen(name);
	uint32_t i;

	*match = NULL;
	for (i = 0; i < table->count; i++) {
		const struct entry *entry = &table->entries[i];
		const char *text = entry_name(table, entry);

		if (strncmp(text, name, len) || exact != !text[len] ||
		    !is_clone_suffix(text + len) || entry_module(table, entry))
			continue;
		if (*match && (!table->have_addresses || (*match)->address != entry->address))
			return SYMBOLS_AMBIGUOUS;
		if (!*match)
			*match = entry;
	}
	return *match ? SYMBOLS_ONE : SYMBOLS_NONE;
}

enum symbols_match symbols_find(const struct symbols *symbols, const char *name, char *found,
				size_t found_len, uint32_t *addr)
{
	const struct table *table = &symbols->table;
	const struct entry *entry;
	enum symbols_match match = find_one(table, name, true, &entry);

	if (match == SYMBOLS_NONE)
		match = find_one(table, name, false, &entry);
	if (match != SYMBOLS_ONE)
		return match;
	if (strlen(entry_name(table, entry)) >= found_len)
		return SYMBOLS_NONE;
	memcpy(found, entry_name(table, entry), strlen(entry_name(table, entry)) + 1);
	*addr = entry->address;
	return SYMBOLS_ONE;
}
