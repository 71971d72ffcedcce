// SPDX-License-Identifier: GPL-2.0-only
#include "space_events.h"

#include "space/tail.h"

#define ROOM 16

struct fixture {
	struct space *space;
	struct tail *tail;
	const struct tail_entry *list[ROOM];
};

static int open_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	void *space = NULL;

	if (!f || setup_seeded(&space))
		return -1;
	f->space = space;
	f->tail = tail_new(8);
	*state = f;
	return f->tail ? 0 : -1;
}

static int close_fixture(void **state)
{
	struct fixture *f = *state;

	tail_free(f->tail);
	space_free(f->space);
	free(f);
	return 0;
}

static const struct tail_entry *add(struct fixture *f, struct event event)
{
	space_apply(f->space, &event);
	return tail_add(f->tail, f->space, &event);
}

static void assert_newest(const struct fixture *f, uint32_t back, uint8_t type, uint64_t t_ns)
{
	const struct tail_entry *entry = tail_at(f->tail, back);

	assert_non_null(entry);
	assert_int_equal(entry->event.type, type);
	assert_int_equal(entry->event.t_ns, t_ns);
}

static void keeps_news_only(void **state)
{
	struct fixture *f = *state;

	assert_null(tail_at(f->tail, 0));
	assert_non_null(add(f, ev_alloc(T0, 0, 4, 1)));
	assert_null(add(f, (struct event){ .type = EV_STACK, .t_ns = T0 }));
	assert_null(add(f, (struct event){ .type = EV_TIME, .t_ns = T0 + MS }));
	assert_null(add(f, ev_purge(T0 + MS, T0))); /* of nothing */
	assert_non_null(add(f, ev_lost(T0 + 2 * MS, LOST_RING, 3)));
	assert_non_null(add(f, (struct event){ .type = EV_FAIL, .t_ns = T0 + 3 * MS }));
	assert_null(add(f, ev_mark(EV_SNAPSHOT_BEGIN, T0 + 4 * MS, T0 + 4 * MS)));
	assert_null(add(f, ev_used(0, 4)));
	assert_non_null(add(f, ev_mark(EV_SNAPSHOT_END, T0 + 5 * MS, T0 + 4 * MS)));
	assert_int_equal(tail_count(f->tail), 4);
	assert_newest(f, 0, EV_SNAPSHOT_END, T0 + 5 * MS);
	assert_newest(f, 3, EV_ALLOC, T0);
	assert_null(tail_at(f->tail, 4));
}

/* What the space forgets, the entry has. */
static void keeps_the_area(void **state)
{
	struct fixture *f = *state;
	const struct tail_entry *entry;

	add(f, ev_alloc(T0, 0, 4, 1));
	add(f, ev_vfree(T0 + MS, P(0), 9));
	add(f, ev_free(T0 + MS, 0, 4));
	entry = add(f, ev_purge(T0 + 3 * MS, T0 + 2 * MS));
	assert_int_equal(entry->event.size, 4 * PAGE);
	assert_int_equal(entry->area.start, 0);
	add(f, ev_alloc(T0 + 4 * MS, 0, 2, 1));

	entry = tail_at(f->tail, 2); /* the FREE */
	assert_int_equal(entry->event.type, EV_FREE);
	assert_int_equal(entry->area.start, P(0));
	assert_int_equal(entry->area.end, P(4));
	assert_int_equal(area_stack(&entry->area), 3);
	assert_int_equal(entry->area.birth_ns, T0);
	assert_int_equal(entry->area.state, AREA_LAZY);
	entry = tail_at(f->tail, 3); /* the VFREE */
	assert_int_equal(entry->area.start, P(0));
	assert_int_equal(entry->area.state, AREA_USED);
	entry = tail_at(f->tail, 4);
	assert_int_equal(entry->area.pid, 7);
}

/* An event that the space refuses, and one outside of it, have no area. */
static void impossible_events(void **state)
{
	struct fixture *f = *state;
	struct event event = ev_free(T0 + MS, 1, 2);

	add(f, ev_alloc(T0, 0, 4, 1));
	event.start = P(1);
	event.end = P(1);
	assert_int_equal(add(f, event)->area.start, 0);
	event = ev_vfree(T0 + MS, START - PAGE, 9);
	assert_int_equal(add(f, event)->area.start, 0);
	event = ev_vfree(T0 + MS, END, 9);
	assert_int_equal(add(f, event)->area.start, 0);
}

static void ring_goes_around(void **state)
{
	struct fixture *f = *state;

	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(add(f, ev_alloc(T0 + i, 2 * i, 2 * i + 2, 1))->number, i + 1);
	assert_int_equal(tail_count(f->tail), 8);
	assert_int_equal(tail_total(f->tail), 20);
	for (uint32_t back = 0; back < 8; back++)
		assert_newest(f, back, EV_ALLOC, T0 + 19 - back);
	assert_null(tail_at(f->tail, 8));
	assert_ptr_equal(tail_find(f->tail, 20), tail_at(f->tail, 0));
	assert_ptr_equal(tail_find(f->tail, 13), tail_at(f->tail, 7));
	assert_null(tail_find(f->tail, 12));
	assert_null(tail_find(f->tail, 21));
	assert_null(tail_find(f->tail, 0));
}

static void capacities(void **state)
{
	(void)state;
	assert_null(tail_new(0));
	assert_null(tail_new(TAIL_MAX + 1));
	tail_free(NULL);
}

/* ---- history -----------------------------------------------------------------------------------
 */

static struct tail_history history(struct fixture *f, uint32_t first, uint32_t last, uint32_t room)
{
	memset(f->list, 0, sizeof(f->list));
	return tail_history(f->tail, P(first), P(last), f->list, room);
}

static void life_of_a_range(void **state)
{
	struct fixture *f = *state;
	struct tail_history h;

	add(f, ev_alloc(T0, 0, 4, 1));
	add(f, ev_alloc(T0 + 1, 4, 8, 1)); /* beside it */
	add(f, ev_vfree(T0 + 2, P(0), 9));
	add(f, ev_free(T0 + 3, 0, 4));
	add(f, (struct event){ .type = EV_FAIL, .t_ns = T0 + 4, .start = P(0), .end = P(4) });
	add(f, ev_purge(T0 + 6, T0 + 5));
	add(f, ev_alloc(T0 + 7, 2, 6, 1));
	h = history(f, 0, 4, ROOM);
	assert_int_equal(h.count, 5);
	assert_int_equal(f->list[0]->event.t_ns, T0 + 7); /* overlaps */
	assert_int_equal(f->list[1]->event.type, EV_PURGE);
	assert_int_equal(f->list[2]->event.type, EV_FREE);
	assert_int_equal(f->list[3]->event.type, EV_VFREE);
	assert_int_equal(f->list[4]->event.t_ns, T0);
	assert_false(h.more);
	assert_false(h.gap);
	assert_int_equal(h.since_ns, 0);

	h = history(f, 0, 4, 2);
	assert_int_equal(h.count, 2);
	assert_true(h.more);
	assert_int_equal(f->list[1]->event.type, EV_PURGE);
	h = history(f, 20, 21, ROOM);
	assert_int_equal(h.count, 0);
	assert_int_equal(history(f, 8, 9, ROOM).count, 0); /* ends are exclusive */
}

/* A purge gives back what was freed before it began, once. */
static void purges_of_a_range(void **state)
{
	struct fixture *f = *state;
	struct tail_history h;

	add(f, ev_alloc(T0, 0, 4, 1));
	add(f, ev_alloc(T0, 8, 9, 0));
	add(f, ev_free(T0 + 9, 0, 4));
	add(f, ev_free(T0 + 5, 8, 9));
	add(f, ev_purge(T0 + 11, T0 + 9)); /* begun with the free of 0..4 */
	h = history(f, 0, 4, ROOM);
	assert_int_equal(h.count, 2);
	h = history(f, 8, 9, ROOM);
	assert_int_equal(h.count, 3);
	assert_int_equal(f->list[0]->event.type, EV_PURGE);
	/* Both, by one purge each. */
	add(f, ev_purge(T0 + 13, T0 + 12));
	h = history(f, 0, 9, ROOM);
	assert_int_equal(h.count, 6);
	assert_int_equal(f->list[0]->event.type, EV_PURGE);
	assert_int_equal(f->list[1]->event.type, EV_PURGE);
	assert_int_equal(history(f, 0, 4, ROOM).count, 3);
}

/* An area over a lazy one says that it was purged: a later purge has nothing to do with it. */
static void alloc_instead_of_a_purge(void **state)
{
	struct fixture *f = *state;

	add(f, ev_alloc(T0, 0, 4, 1));
	add(f, ev_alloc(T0, 8, 9, 0));
	add(f, ev_free(T0 + 1, 0, 4));
	add(f, ev_free(T0 + 1, 8, 9));
	add(f, ev_alloc(T0 + 2, 0, 2, 1));
	add(f, ev_purge(T0 + 4, T0 + 3)); /* of 8..9 */
	assert_int_equal(history(f, 0, 4, ROOM).count, 3);
	assert_int_equal(f->list[0]->event.type, EV_ALLOC);
	assert_int_equal(history(f, 8, 9, ROOM).count, 3);
}

static void gaps_and_reach(void **state)
{
	struct fixture *f = *state;

	add(f, ev_alloc(T0, 0, 4, 1));
	add(f, ev_lost(T0 + 1, LOST_STACK, 1));
	assert_false(history(f, 0, 4, ROOM).gap);
	add(f, ev_lost(T0 + 2, LOST_RING, 1));
	assert_true(history(f, 0, 4, ROOM).gap);
	for (uint32_t i = 0; i < 7; i++)
		add(f, ev_alloc(T0 + 10 + i, 10 + i, 11 + i, 0));
	/* The first two have left the ring of 8. */
	assert_int_equal(history(f, 0, 4, ROOM).since_ns, T0 + 1);
	assert_int_equal(history(f, 0, 4, ROOM).count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keeps_news_only),   TEST(keeps_the_area),
		TEST(impossible_events), TEST(ring_goes_around),
		TEST(capacities),        TEST(life_of_a_range),
		TEST(purges_of_a_range), TEST(alloc_instead_of_a_purge),
		TEST(gaps_and_reach),
	};

	return cmocka_run_group_tests_name("tail", tests, NULL, NULL);
}
