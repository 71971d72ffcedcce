/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/kernel_tree.h"

#include <stdlib.h>
#include <string.h>

#include "capture/text.h"

#define MAX_ROOTS     4096u
#define OUTSIDE_NODES 64u /* ranges of the tree below and above the vmalloc space, at most */
#define RB_BLACK      1u  /* lowest bits of rb_node.__rb_parent_color */
#define RB_FLAGS      3u

/* struct vmap_area from 5.4 on, as 32-bit kernels have it. */
struct kernel_area {
	uint32_t va_start;
	uint32_t va_end;
	uint32_t parent_color; /* rb_node begins here */
	uint32_t right;
	uint32_t left;
	uint32_t list[2];
	uint32_t subtree_max_size;
};
#define RB_OFFSET 8u

struct kernel_tree {
	struct text *text;
	uint32_t roots[MAX_ROOTS]; /* addresses that may be that of the root */
	uint32_t nr_roots;
	bool found;
	bool adjust_pages; /* see freetree_new */
	enum purge_order order;
};

/* A reading: each node, and where its rb_node is. */
struct reading {
	struct freetree_node *nodes;
	uint32_t *addrs;
	uint32_t count;
	uint32_t room;
};

/* Its address, 0 if there is none of that name. */
static uint32_t address_of(const struct symbols *symbols, const char *name)
{
	char found[64];
	uint32_t addr;

	return symbols_find(symbols, name, found, sizeof(found), &addr) == SYMBOLS_ONE ? addr : 0;
}

/* ---- the root ------------------------------------------------------------------------------ */

static void add_root(struct kernel_tree *reader, uint32_t addr)
{
	for (uint32_t i = 0; i < reader->nr_roots; i++) {
		if (reader->roots[i] == addr)
			return;
	}
	if (reader->nr_roots < MAX_ROOTS)
		reader->roots[reader->nr_roots++] = addr;
}

/* Where an instruction begins is not known: any four bytes of the code may be an address. */
static void add_roots_in(struct kernel_tree *reader, const struct symbols *symbols,
			 const char *function)
{
	const uint8_t *code;
	uint32_t len, word;

	code = text_code(reader->text, address_of(symbols, function), &len);
	for (uint32_t i = 0; code && i + sizeof(word) <= len; i++) {
		memcpy(&word, code + i, sizeof(word));
		if (word % sizeof(word) == 0 && text_has(reader->text, word, sizeof(word)))
			add_root(reader, word);
	}
}

static void add_roots(struct kernel_tree *reader, const struct symbols *symbols)
{
	static const char *const users[] = { "alloc_vmap_area", "__alloc_vmap_area",
					     "free_vmap_area", "pcpu_get_vm_areas" };

	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++)
		add_roots_in(reader, symbols, users[i]);
}

/* ---- the rules ----------------------------------------------------------------------------- */

/* By what this kernel's mm/vmalloc.c has; false if that does not tell. */
static bool learn_rules(struct kernel_tree *reader, const struct symbols *symbols)
{
	if (address_of(symbols, "purge_vmap_node")) { /* 6.9 on */
		reader->order = PURGE_DESCENDING;
		return true;
	}
	if (address_of(symbols, "drain_vmap_area_work")) { /* 5.18 on */
		reader->order = PURGE_ASCENDING;
		return true;
	}
	/* To 5.10 what is lazy is in a llist; then it is in a tree. */
	reader->order = PURGE_NEWEST_FIRST;
	reader->adjust_pages = true;
	return text_calls(reader->text, address_of(symbols, "free_vmap_area_noflush"),
			  address_of(symbols, "llist_add_batch")) == CALLS_YES;
}

struct kernel_tree *kernel_tree_open(const char *path, const struct symbols *symbols)
{
	struct kernel_tree *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return NULL;
	reader->text = text_open(path, symbols);
	if (!reader->text) {
		free(reader);
		return NULL;
	}
	if (learn_rules(reader, symbols))
		add_roots(reader, symbols);
	return reader;
}

void kernel_tree_close(struct kernel_tree *reader)
{
	if (!reader)
		return;
	text_close(reader->text);
	free(reader);
}

/* ---- the nodes ----------------------------------------------------------------------------- */

/* The node at rb is the next one; its index, 0 if there is none or no room. */
static uint32_t add_node(struct reading *reading, uint32_t rb)
{
	if (!rb || reading->count == reading->room)
		return 0;
	reading->addrs[reading->count] = rb;
	return reading->count++;
}

static bool read_node(struct kernel_tree *reader, struct reading *reading, uint32_t i)
{
	struct freetree_node *node = &reading->nodes[i];
	struct kernel_area area;

	if (!text_read(reader->text, reading->addrs[i] - RB_OFFSET, &area, sizeof(area)))
		return false;
	*node = (struct freetree_node){
		.start = area.va_start,
		.end = area.va_end,
		.most = area.subtree_max_size,
		.red = !(area.parent_color & RB_BLACK),
	};
	if (i == 0 && (area.parent_color & ~RB_FLAGS))
		return false; /* no root */
	node->child[0] = add_node(reading, area.left);
	node->child[1] = add_node(reading, area.right);
	return (node->child[0] || !area.left) && (node->child[1] || !area.right);
}

/* Level by level, so that children come after their parent. */
static bool read_nodes(struct kernel_tree *reader, struct reading *reading, uint32_t root)
{
	uint32_t rb;

	reading->count = 0;
	if (!text_read(reader->text, root, &rb, sizeof(rb)) || !rb)
		return false;
	add_node(reading, rb);
	for (uint32_t i = 0; i < reading->count; i++) {
		if (!read_node(reader, reading, i))
			return false;
	}
	return true;
}

static struct freetree *read_from(struct kernel_tree *reader, struct reading *reading,
				  uint32_t root, const struct holeset *holes)
{
	struct freetree *tree;

	if (!read_nodes(reader, reading, root))
		return NULL;
	tree = freetree_of_nodes(reading->nodes, reading->count, reader->adjust_pages);
	if (tree && freetree_is_of(tree, holes))
		return tree;
	freetree_free(tree);
	return NULL;
}

/* The one that it was is tried first; as long as there is none, all. */
static struct freetree *try_roots(struct kernel_tree *reader, struct reading *reading,
				  const struct holeset *holes)
{
	uint32_t count = reader->found ? 1 : reader->nr_roots;
	struct freetree *tree = NULL;

	for (uint32_t i = 0; i < count && !tree; i++) {
		tree = read_from(reader, reading, reader->roots[i], holes);
		if (tree) {
			reader->roots[0] = reader->roots[i];
			reader->found = true;
		}
	}
	return tree;
}

struct freetree *kernel_tree_read(struct kernel_tree *reader, const struct holeset *holes,
				  enum purge_order *order)
{
	struct reading reading = { .room = holeset_count(holes) + OUTSIDE_NODES };
	struct freetree *tree = NULL;

	reading.nodes = calloc(reading.room, sizeof(*reading.nodes));
	reading.addrs = calloc(reading.room, sizeof(*reading.addrs));
	if (reading.nodes && reading.addrs)
		tree = try_roots(reader, &reading, holes);
	*order = reader->order;
	free(reading.nodes);
	free(reading.addrs);
	return tree;
}
