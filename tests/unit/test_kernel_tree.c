// SPDX-License-Identifier: GPL-2.0-only
/*
 * The free tree out of a /proc/kcore: found by what the allocator's code points at, and taken only
 * if all of it is as it must be.
 */
#include <elf.h>
#undef EV_NONE /* event.h has another */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/kernel_tree.h"

#define LOWMEM	  0xc0000000u
#define CODE	  0x100u  /* in low memory: alloc_vmap_area */
#define FREE	  0x180u
#define LLIST	  0x200u
#define ROOTS	  0x400u  /* a root that is none, one of a tree of other areas, and the root */
#define OTHERS	  0x1000u
#define NODES	  0x4000u
#define NODE_SIZE 36u
#define MEM_BYTES 0x8000u
#define NR_HOLES  29u

#define START 0xf8000000u
#define PAGE  VMT_PAGE_SIZE
#define END   (START + 4096 * PAGE)

enum word { VA_START, VA_END, PARENT, RIGHT, LEFT, LIST_NEXT, LIST_PREV, MOST, WORDS };

struct machine {
	char path[64];
	FILE *file;
	uint32_t mem[MEM_BYTES / 4];
	struct symbols *symbols;
	struct holeset *holes;
};

static uint32_t *node_at(struct machine *m, uint32_t base, uint32_t i)
{
	return &m->mem[(base + i * NODE_SIZE) / 4];
}

static uint32_t rb_of(uint32_t base, uint32_t i)
{
	return LOWMEM + base + i * NODE_SIZE + 8;
}

/* Nodes [first, last) under parent: balanced, those of the lowest level red. The root's rb. */
static uint32_t build(struct machine *m, uint32_t base, uint32_t first, uint32_t last, uint32_t parent,
		      uint32_t level, uint32_t red_level)
{
	uint32_t mid = (first + last) / 2, *n = node_at(m, base, mid), rb = rb_of(base, mid);
	uint32_t children[2] = {0};

	n[PARENT] = parent | (level != red_level);
	if (first < mid)
		children[0] = build(m, base, first, mid, rb, level + 1, red_level);
	if (mid + 1 < last)
		children[1] = build(m, base, mid + 1, last, rb, level + 1, red_level);
	n[LEFT] = children[0];
	n[RIGHT] = children[1];
	n[MOST] = n[VA_END] - n[VA_START];
	for (int i = 0; i < 2; i++) {
		uint32_t most = children[i] ? m->mem[(children[i] - 8 - LOWMEM) / 4 + MOST] : 0;

		n[MOST] = most > n[MOST] ? most : n[MOST];
	}
	return rb;
}

/* 29 holes of 1 to 4 pages, each with its number of pages in the way; a range on either side. */
static void fill(struct machine *m)
{
	uint32_t at = START + 8 * PAGE;

	m->holes = holeset_new(START, END);
	for (uint32_t i = 0; i < NR_HOLES + 2; i++) {
		uint32_t *n = node_at(m, NODES, i), *other = node_at(m, OTHERS, i);

		n[VA_START] = i == 0 ? 1 : at;
		n[VA_END] = i == 0 ? START - PAGE : at + (1 + i % 4) * PAGE;
		if (i == NR_HOLES + 1) {
			n[VA_START] = END + PAGE;
			n[VA_END] = UINT32_MAX;
		} else if (i > 0) {
			assert_int_equal(holeset_give(m->holes, n[VA_START], n[VA_END]), 0);
		}
		at += i ? 9 * PAGE : 0;
		other[VA_START] = n[VA_START] + 16 * PAGE;
		other[VA_END] = n[VA_END] + 16 * PAGE;
	}
	m->mem[ROOTS / 4] = 0x12345678;
	m->mem[ROOTS / 4 + 1] = build(m, OTHERS, 0, NR_HOLES, 0, 0, 4);
	m->mem[ROOTS / 4 + 2] = build(m, NODES, 0, NR_HOLES + 2, 0, 0, 5);
}

/* push; mov addr,%eax; ... at odd places, as code is; and at FREE a call of what lies at LLIST. */
static void write_code(struct machine *m)
{
	uint8_t *code = (uint8_t *)m->mem + CODE;
	uint32_t distance = LLIST - (FREE + 8);

	for (uint32_t i = 0; i < 3; i++) {
		uint32_t addr = LOWMEM + ROOTS + 4 * i;

		code[1 + 7 * i] = 0xa1;
		memcpy(&code[2 + 7 * i], &addr, 4);
	}
	code = (uint8_t *)m->mem + FREE;
	code[3] = 0xe8;
	memcpy(&code[4], &distance, 4);
}

static void flush(struct machine *m)
{
	Elf32_Ehdr ehdr = {
		.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_CORE,
		.e_machine = EM_386,
		.e_phoff = sizeof(Elf32_Ehdr),
		.e_phentsize = sizeof(Elf32_Phdr),
		.e_phnum = 1,
	};
	Elf32_Phdr phdr = {.p_type = PT_LOAD, .p_offset = 0x1000, .p_vaddr = LOWMEM,
			   .p_filesz = MEM_BYTES, .p_memsz = MEM_BYTES};

	rewind(m->file);
	assert_int_equal(fwrite(&ehdr, sizeof(ehdr), 1, m->file), 1);
	assert_int_equal(fwrite(&phdr, sizeof(phdr), 1, m->file), 1);
	assert_int_equal(fseek(m->file, 0x1000, SEEK_SET), 0);
	assert_int_equal(fwrite(m->mem, sizeof(m->mem), 1, m->file), 1);
	assert_int_equal(fflush(m->file), 0);
}

/* The allocator, and other symbols, which tell of which age it is. */
static void has_symbols(struct machine *m, const char *others)
{
	char text[256];

	snprintf(text, sizeof(text), "c0000100 t alloc_vmap_area\nc0000140 t next\n%s\nc0000300 t last\n",
		 others);
	assert_int_equal(symbols_parse(m->symbols, text, strlen(text)), 0);
}

static int setup(void **state)
{
	struct machine *m = calloc(1, sizeof(*m));
	int fd;

	snprintf(m->path, sizeof(m->path), "/tmp/vmtrace-test-tree.XXXXXX");
	fd = mkstemp(m->path);
	m->file = fd >= 0 ? fdopen(fd, "w+") : NULL;
	m->symbols = symbols_new();
	if (!m->file || !m->symbols)
		return -1;
	has_symbols(m, "c0000200 t drain_vmap_area_work");
	fill(m);
	write_code(m);
	flush(m);
	*state = m;
	return 0;
}

static int teardown(void **state)
{
	struct machine *m = *state;

	fclose(m->file);
	unlink(m->path);
	symbols_free(m->symbols);
	holeset_free(m->holes);
	free(m);
	return 0;
}

static bool is_readable(struct machine *m, struct kernel_tree *reader)
{
	enum purge_order order;
	struct freetree *tree = kernel_tree_read(reader, m->holes, &order);
	bool got = tree != NULL;

	freetree_free(tree);
	return got;
}

static void found(void **state)
{
	struct machine *m = *state;
	struct kernel_tree *reader = kernel_tree_open(m->path, m->symbols);
	struct place_request r = {.size = 4 * PAGE, .align = 1, .vstart = START, .vend = END};
	struct freetree *tree, *copy;
	enum purge_order order;
	char why[96];

	assert_non_null(reader);
	tree = kernel_tree_read(reader, m->holes, &order);
	assert_non_null(tree);
	copy = freetree_copy(tree);
	assert_true(freetree_check(tree, why, sizeof(why)));
	assert_true(freetree_is_of(tree, m->holes));
	assert_int_equal(freetree_place(tree, &r), node_at(m, NODES, 3)[VA_START]);
	/* It is used and grows like any other, and the copy is none of it. */
	for (uint32_t page = 1; page < 8; page += 2)
		assert_int_equal(freetree_give(tree, START + page * PAGE, START + (page + 1) * PAGE), 0);
	assert_int_equal(freetree_take(tree, 2 * PAGE, 3 * PAGE), 0);
	assert_true(freetree_check(tree, why, sizeof(why)));
	assert_false(freetree_is_of(tree, m->holes));
	assert_true(freetree_is_of(copy, m->holes));
	freetree_free(tree);
	freetree_free(copy);
	kernel_tree_close(reader);
}

/* One word of one node is another: no tree, then or ever, until it is as it was. */
static void torn(void **state)
{
	static const enum word used[] = {VA_START, VA_END, RIGHT, LEFT, MOST};
	struct machine *m = *state;
	struct kernel_tree *reader = kernel_tree_open(m->path, m->symbols);

	assert_non_null(reader);
	for (uint32_t i = 0; i < NR_HOLES + 2; i++) {
		for (size_t w = 0; w < sizeof(used) / sizeof(used[0]); w++) {
			uint32_t *word = &node_at(m, NODES, i)[used[w]], was = *word;
			static const uint32_t others[] = {0, LOWMEM + NODES + 8, 0xdeadbeef};

			for (int k = 0; k < 3; k++) {
				*word = k == 2 ? was + PAGE : others[k];
				flush(m);
				/* Far below the space a range may begin anywhere. */
				if (*word != was && !(i == 0 && used[w] == VA_START) &&
				    !(i == 0 && used[w] == VA_END) &&
				    !(i == NR_HOLES + 1 && used[w] <= VA_END))
					assert_false(is_readable(m, reader));
			}
			*word = was;
		}
		node_at(m, NODES, i)[PARENT] ^= 1;
		flush(m);
		assert_false(is_readable(m, reader));
		node_at(m, NODES, i)[PARENT] ^= 1;
		flush(m);
		if (i % 8 == 0)
			assert_true(is_readable(m, reader));
	}
	kernel_tree_close(reader);
}

/* The map has another hole than the tree. */
static void other_holes(void **state)
{
	struct machine *m = *state;
	struct kernel_tree *reader = kernel_tree_open(m->path, m->symbols);

	for (uint32_t i = 1; i <= NR_HOLES; i++) {
		uint32_t *n = node_at(m, NODES, i), last = n[VA_END] - PAGE;

		assert_int_equal(holeset_take(m->holes, last, n[VA_END]), 0);
		assert_false(is_readable(m, reader));
		assert_int_equal(holeset_give(m->holes, last, n[VA_END] + PAGE), 0);
		assert_false(is_readable(m, reader));
		assert_int_equal(holeset_take(m->holes, n[VA_END], n[VA_END] + PAGE), 0);
		assert_true(is_readable(m, reader));
	}
	assert_int_equal(holeset_give(m->holes, END - PAGE, END), 0);
	assert_false(is_readable(m, reader));
	assert_int_equal(holeset_take(m->holes, END - PAGE, END), 0);
	assert_true(is_readable(m, reader));
	assert_int_equal(holeset_take(m->holes, node_at(m, NODES, NR_HOLES)[VA_START],
				      node_at(m, NODES, NR_HOLES)[VA_END]), 0);
	assert_false(is_readable(m, reader));
	kernel_tree_close(reader);
}

/* Nothing to be read, nothing that points at it, a root that hangs from another node, nodes that
 * point in a circle. */
static void no_tree(void **state)
{
	struct machine *m = *state;
	struct symbols *none = symbols_new();
	struct kernel_tree *reader;

	assert_null(kernel_tree_open("/nonexistent", m->symbols));
	kernel_tree_close(NULL);
	reader = kernel_tree_open(m->path, none);
	assert_non_null(reader);
	assert_false(is_readable(m, reader));
	kernel_tree_close(reader);
	reader = kernel_tree_open(m->path, m->symbols);
	assert_true(is_readable(m, reader));
	node_at(m, NODES, (NR_HOLES + 2) / 2)[PARENT] |= rb_of(NODES, 1);
	flush(m);
	assert_false(is_readable(m, reader));
	node_at(m, NODES, (NR_HOLES + 2) / 2)[PARENT] = 1;
	node_at(m, NODES, 0)[LEFT] = m->mem[ROOTS / 4 + 2];
	flush(m);
	assert_false(is_readable(m, reader));
	m->mem[ROOTS / 4 + 2] = 0;
	flush(m);
	assert_false(is_readable(m, reader));
	kernel_tree_close(reader);
	symbols_free(none);
}

/* How it is searched, and in which order a purge gives back: by what the kernel has. */
static void rules(void **state)
{
	static const struct {
		const char *symbols;
		bool known;
		bool adjusts;
		enum purge_order order;
	} kernels[] = {
		{"c0000200 t drain_vmap_area_work", true, false, PURGE_ASCENDING},
		{"c0000200 t purge_vmap_node\nc0000240 t drain_vmap_area_work", true, false,
		 PURGE_DESCENDING},
		{"c0000180 t free_vmap_area_noflush\nc0000200 T llist_add_batch", true, true,
		 PURGE_NEWEST_FIRST},
		{"c0000180 t free_vmap_area_noflush\nc0000201 T llist_add_batch", false, false, 0},
		{"c0000180 t free_vmap_area_noflush", false, false, 0}};
	struct machine *m = *state;

	for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
		struct place_request r = {.size = PAGE, .align = PAGE, .vstart = START, .vend = END};
		struct kernel_tree *reader;
		struct freetree *tree;
		enum purge_order order;
		uint32_t lowest = 0;

		has_symbols(m, kernels[i].symbols);
		reader = kernel_tree_open(m->path, m->symbols);
		assert_non_null(reader);
		tree = kernel_tree_read(reader, m->holes, &order);
		assert_int_equal(tree != NULL, kernels[i].known);
		kernel_tree_close(reader);
		if (!tree)
			continue;
		assert_int_equal(order, kernels[i].order);
		/* Holes of one page are passed over where a margin is asked for. */
		for (uint32_t k = 1; k <= NR_HOLES; k++) {
			r.vstart = node_at(m, NODES, k)[VA_START];
			lowest += freetree_place(tree, &r) == r.vstart;
		}
		assert_int_equal(lowest == NR_HOLES, !kernels[i].adjusts);
		freetree_free(tree);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(found), TEST(torn), TEST(other_holes), TEST(no_tree),
					     TEST(rules)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
