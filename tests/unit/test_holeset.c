// SPDX-License-Identifier: GPL-2.0-only
/* The set of holes against a naive bitmap of pages. */
#include "space_events.h"
#include "volume.h"

#include "allocator/holeset.h"

#define SMALL 9u /* pages of the set on which every case is tried: 512 states, 45 ranges */

static uint64_t rng = 0x2545f4914f6cdd1dull;

static uint32_t rnd(uint32_t below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 32) % below;
}

/* ---- the naive set, and both compared -------------------------------------------------- */

struct bits {
	uint32_t pages;
	bool has[PAGES];
};

static bool bits_all(const struct bits *b, uint32_t first, uint32_t last)
{
	for (uint32_t page = first; page < last; page++) {
		if (!b->has[page])
			return false;
	}
	return true;
}

static void bits_set(struct bits *b, uint32_t first, uint32_t last, bool value)
{
	for (uint32_t page = first; page < last; page++)
		b->has[page] = value;
}

/* The next run of set bits from page on; false at the end. */
static bool bits_run(const struct bits *b, uint32_t page, uint32_t *first, uint32_t *last)
{
	while (page < b->pages && !b->has[page])
		page++;
	*first = page;
	while (page < b->pages && b->has[page])
		page++;
	*last = page;
	return *first < *last;
}

static void same(const struct holeset *set, const struct bits *b)
{
	struct hole largest = {0, 0}, got;
	uint32_t index = 0, bytes = 0, first, last;

	for (uint32_t at = 0; bits_run(b, at, &first, &last); at = last, index++) {
		assert_true(index < holeset_count(set));
		got = holeset_at(set, index);
		assert_int_equal(got.start, P(first));
		assert_int_equal(got.end, P(last));
		bytes += got.end - got.start;
		if (got.end - got.start > largest.end - largest.start)
			largest = got;
	}
	assert_int_equal(index, holeset_count(set));
	assert_int_equal(bytes, holeset_free_bytes(set));
	got = holeset_largest(set);
	assert_int_equal(got.start, largest.start);
	assert_int_equal(got.end, largest.end);
}

/* The first range that ends above addr, for the borders of pages and what lies beside them. */
static void same_index(const struct holeset *set, uint32_t pages)
{
	for (uint32_t page = 0; page <= pages; page++) {
		for (uint32_t addr = P(page) - 1; addr <= P(page) + 1; addr++) {
			uint32_t want = 0;

			while (want < holeset_count(set) && holeset_at(set, want).end <= addr)
				want++;
			assert_int_equal(holeset_index(set, addr), want);
		}
	}
}

enum op { GIVE, TAKE, CLEAR, OPS };

static void both(struct holeset *set, struct bits *b, enum op op, uint32_t first, uint32_t last)
{
	bool all = bits_all(b, first, last);
	int err;

	assert_int_equal(holeset_has(set, P(first), P(last)), all);
	switch (op) {
	case GIVE:
		err = holeset_give(set, P(first), P(last));
		break;
	case TAKE:
		err = holeset_take(set, P(first), P(last));
		break;
	default:
		err = holeset_clear(set, P(first), P(last));
	}
	assert_int_equal(err, op == TAKE && !all ? -EINVAL : 0);
	if (!err)
		bits_set(b, first, last, op == GIVE);
	same(set, b);
}

/* ---- tests ------------------------------------------------------------------------------ */

static struct holeset *set_of_state(uint32_t state, struct bits *b)
{
	struct holeset *set = holeset_new(START, P(SMALL));

	assert_non_null(set);
	memset(b, 0, sizeof(*b));
	b->pages = SMALL;
	for (uint32_t page = 0; page < SMALL; page++) {
		if (!(state >> page & 1))
			continue;
		assert_int_equal(holeset_give(set, P(page), P(page + 1)), 0);
		b->has[page] = true;
	}
	return set;
}

/* Every state of a small set, every range on it, every operation. */
static void every_overlap(void **unused)
{
	struct bits b;

	(void)unused;
	for (uint32_t state = 0; state < 1u << SMALL; state++) {
		for (uint32_t first = 0; first < SMALL; first++) {
			for (uint32_t last = first + 1; last <= SMALL; last++) {
				for (enum op op = GIVE; op < OPS; op++) {
					struct holeset *set = set_of_state(state, &b);

					both(set, &b, op, first, last);
					holeset_free(set);
				}
			}
		}
	}
}

static void every_index(void **unused)
{
	struct bits b;

	(void)unused;
	for (uint32_t state = 0; state < 1u << SMALL; state++) {
		struct holeset *set = set_of_state(state, &b);

		same(set, &b);
		same_index(set, SMALL);
		holeset_free(set);
	}
}

/* Many operations on a set of hundreds of ranges; now and then on a copy, the other thrown away. */
static void random_operations(void **unused)
{
	struct bits b = {.pages = PAGES};
	struct holeset *set = holeset_new(START, END), *copy;

	(void)unused;
	assert_non_null(set);
	for (int i = 0; i < ROUNDS(60000); i++) {
		uint32_t most = i / 5000 % 2 ? 3 : 40;
		uint32_t first = rnd(PAGES), last = first + 1 + rnd(most);

		both(set, &b, (enum op)rnd(OPS), first, last < PAGES ? last : PAGES);
		if (i % 1000)
			continue;
		copy = holeset_copy(set);
		assert_non_null(copy);
		assert_int_equal(holeset_clear(set, START, END), 0);
		assert_int_equal(holeset_count(set), 0);
		holeset_free(set);
		set = copy;
		same(set, &b);
		same_index(set, PAGES);
	}
	holeset_free(set);
}

/* What is no range of pages inside the bounds changes nothing. */
static void refused(void **unused)
{
	static const struct {
		uint32_t start;
		uint32_t end;
	} bad[] = {
		{P(4), P(4)},	       {P(5), P(4)},  {P(4) + 1, P(6)}, {P(4), P(6) - 1},
		{START - PAGE, P(4)},  {P(4), END + PAGE}, {0, UINT32_MAX}, {0, 0},
		{START - PAGE, START},
	};
	struct holeset *set = holeset_new(START, END);

	(void)unused;
	assert_int_equal(holeset_give(set, P(2), P(8)), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(holeset_give(set, bad[i].start, bad[i].end), -EINVAL);
		assert_int_equal(holeset_take(set, bad[i].start, bad[i].end), -EINVAL);
		assert_int_equal(holeset_clear(set, bad[i].start, bad[i].end), -EINVAL);
	}
	assert_int_equal(holeset_count(set), 1);
	assert_int_equal(holeset_free_bytes(set), 6 * PAGE);
	assert_int_equal(holeset_start(set), START);
	assert_int_equal(holeset_end(set), END);
	holeset_free(set);
	holeset_free(NULL);
}

/* The holes of a space, as they are and as a purge would leave them. */
static void of_space(void **state)
{
	struct space *s = *state;

	for (int i = 0; i < 400; i++) {
		uint32_t first = rnd(PAGES), last = first + 1 + rnd(20);

		last = last < PAGES ? last : PAGES;
		if (rnd(2))
			apply(s, ev_alloc(T0 + (uint64_t)i, first, last, 0));
		else
			apply(s, ev_free(T0 + (uint64_t)i, first, last));
	}
	for (int lazy_too = 0; lazy_too < 2; lazy_too++) {
		struct holeset *set = holeset_of_space(s, lazy_too);
		struct bits b = {.pages = PAGES};

		assert_non_null(set);
		for (uint32_t page = 0; page < PAGES; page++) {
			enum page_state is = space_page(s, P(page));

			b.has[page] = is == PAGE_FREE || (lazy_too && is == PAGE_LAZY);
		}
		same(set, &b);
		assert_true(holeset_count(set) > 10);
		holeset_free(set);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_overlap),     cmocka_unit_test(every_index),
		cmocka_unit_test(random_operations), cmocka_unit_test(refused),
		cmocka_unit_test_setup_teardown(of_space, setup_seeded, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
