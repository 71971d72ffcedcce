// SPDX-License-Identifier: GPL-2.0-only
/*
 * A loss at any point, then healed: of a stream of events every run of up to three is withheld,
 * LOST is told at every later moment, and the kernel's list read then, at once or while more
 * events come. At the end the map is the kernel's, and certain.
 */
#include "space_events.h"

#define N	 12u  /* pages */
#define EVENTS	 48u  /* of a stream */
#define RUNS	 3u   /* at most so many withheld */
#define STEP	 MS   /* from one event to the next */

/* The kernel: a page is free, used or lazy, and of which area: its first page + 1. */
struct kernel {
	uint8_t area[N];
	uint8_t state[N];
	uint32_t freed[N]; /* lazy: by which event */
};

struct stream {
	struct event events[EVENTS];
	struct kernel after[EVENTS + 1]; /* [i]: after i events */
};

static uint32_t certain; /* after the list that followed a loss */

struct loss {
	uint32_t first, count; /* events withheld */
	uint32_t told;	       /* LOST comes before this event */
	uint32_t meanwhile;    /* events told between the reading of the list and its merge */
};

/* ---- a kernel and what it does ----------------------------------------------------- */

static uint32_t rnd(uint64_t *rng, uint32_t below)
{
	*rng ^= *rng << 13;
	*rng ^= *rng >> 7;
	*rng ^= *rng << 17;
	return (uint32_t)(*rng >> 32) % below;
}

static void fill(struct kernel *k, uint32_t first, uint32_t last, uint8_t state)
{
	for (uint32_t page = first; page < last; page++) {
		k->area[page] = state ? (uint8_t)(first + 1) : 0;
		k->state[page] = state;
	}
}

static uint32_t end_of(const struct kernel *k, uint32_t first)
{
	uint32_t last = first;

	while (last < N && k->area[last] == first + 1)
		last++;
	return last;
}

static bool try_alloc(struct kernel *k, uint64_t *rng, struct event *event)
{
	uint32_t first = rnd(rng, N), pages = 1 + rnd(rng, 4);

	for (uint32_t page = first; page < first + pages; page++) {
		if (page >= N || k->area[page])
			return false;
	}
	fill(k, first, first + pages, AREA_USED);
	*event = ev_alloc(0, first, first + pages, 0);
	return true;
}

static bool try_free(struct kernel *k, uint64_t *rng, uint32_t i, struct event *event)
{
	uint32_t first = rnd(rng, N), last;

	if (k->state[first] != AREA_USED)
		return false;
	first = k->area[first] - 1u;
	last = end_of(k, first);
	fill(k, first, last, AREA_LAZY);
	for (uint32_t page = first; page < last; page++)
		k->freed[page] = i;
	*event = ev_free(0, first, last);
	return true;
}

/* A purge that began before event `begin` and ends now: what was lazy then is free. */
static bool purge(struct kernel *k, uint32_t begin, struct event *event)
{
	bool any = false;

	for (uint32_t page = 0; page < N; page++) {
		if (k->state[page] != AREA_LAZY || k->freed[page] >= begin)
			continue;
		any = true;
		fill(k, page, page + 1, 0);
	}
	*event = ev_purge(0, 0);
	event->count = begin;
	return any;
}

static void make_stream(struct stream *stream, uint64_t seed)
{
	uint64_t rng = seed * 0x9e3779b97f4a7c15ull + 1;
	struct kernel k = {{0}, {0}, {0}};

	stream->after[0] = k;
	for (uint32_t i = 0; i < EVENTS;) {
		struct event *event = &stream->events[i];
		uint32_t what = rnd(&rng, 16);
		uint32_t back = rnd(&rng, 6);
		bool done = what == 0 ? purge(&k, i > back ? i - back : 0, event)
			  : what < 9  ? try_alloc(&k, &rng, event)
				      : try_free(&k, &rng, i, event);

		if (done)
			stream->after[++i] = k;
	}
}

/* ---- the model ---------------------------------------------------------------------- */

static void tell(struct space *s, struct event event)
{
	char why[256] = "";

	assert_int_equal(space_apply(s, &event), 0);
	if (!space_check(s, why, sizeof(why)))
		fail_msg("%s", why);
}

/* When event i happens: one a step, and a pause before event `pause`. */
static uint64_t time_of(uint32_t i, uint32_t pause)
{
	return T0 + (i + 1) * STEP + (i >= pause ? LONG : 0);
}

static void tell_nth(struct space *s, const struct stream *stream, uint32_t i, uint32_t pause)
{
	struct event event = stream->events[i];

	event.t_ns = time_of(i, pause);
	if (event.type == EV_PURGE)
		event.begin_ns = time_of(event.count, pause) - STEP / 2;
	event.count = 0;
	tell(s, event);
}

static void merge_list(struct space *s, const struct kernel *k, uint64_t begin_ns)
{
	tell(s, ev_mark(EV_SNAPSHOT_BEGIN, begin_ns + MS / 4, begin_ns));
	for (uint32_t page = 0; page < N; page++) {
		struct event area;

		if (k->area[page] != page + 1)
			continue;
		area = k->state[page] == AREA_USED ? ev_used(page, end_of(k, page))
						   : ev_lazy(page, end_of(k, page));
		area.guard_pages = 0;
		area.t_ns = begin_ns + MS / 4;
		area.begin_ns = begin_ns;
		tell(s, area);
	}
	tell(s, ev_mark(EV_SNAPSHOT_END, begin_ns + MS / 4, begin_ns));
}

/* The used areas are the kernel's; with lazy also what is lazy and what free. */
static void compare(const struct space *s, const struct kernel *k, bool lazy, const struct loss *loss)
{
	for (uint32_t page = 0; page < N; page++) {
		const struct area *area = space_area_at(s, P(page));
		uint8_t state = area ? area->state : 0;
		bool used = k->state[page] == AREA_USED;

		if ((lazy && state != k->state[page]) || (state == AREA_USED) != used ||
		    (used && (area->start - START) / PAGE + 1 != k->area[page]))
			fail_msg("%u from %u withheld, told before %u, %u meanwhile: page %u is %u "
				 "of %u, not %u of %u",
				 loss->count, loss->first, loss->told, loss->meanwhile, page, state,
				 area ? (area->start - START) / PAGE + 1 : 0, k->state[page],
				 k->area[page]);
	}
}

static bool is_withheld(const struct loss *loss, uint32_t i)
{
	return i >= loss->first && i < loss->first + loss->count;
}

static struct space *make(void)
{
	struct space *s = space_new(START, P(N));

	assert_non_null(s);
	merge_list(s, &(struct kernel){{0}, {0}, {0}}, T0 - LONG);
	assert_false(space_uncertain(s));
	return s;
}

/* One loss of the stream, its list, and the rest of the stream. */
static void lose(const struct stream *stream, const struct loss *loss)
{
	uint64_t lost_ns = T0 + loss->told * STEP + 1;
	struct space *s = make();
	uint32_t i;

	for (i = 0; i < loss->told; i++) {
		if (!is_withheld(loss, i))
			tell_nth(s, stream, i, loss->told);
	}
	tell(s, ev_lost(lost_ns, LOST_RING, loss->count));
	assert_true(space_uncertain(s));
	for (; i < loss->told + loss->meanwhile; i++)
		tell_nth(s, stream, i, loss->told);
	merge_list(s, &stream->after[loss->told], lost_ns + LONG);
	/* An event that proves a loss while the list is read asks for another list, and so does a
	 * purge that may or may not be what the lazy lines show. */
	if (!loss->meanwhile)
		assert_false(space_uncertain(s));
	certain += !space_uncertain(s);
	compare(s, &stream->after[i], !space_uncertain(s), loss);
	for (; i < EVENTS; i++)
		tell_nth(s, stream, i, loss->told);
	compare(s, &stream->after[EVENTS], !space_uncertain(s), loss);
	merge_list(s, &stream->after[EVENTS], lost_ns + EVENTS * STEP + 2 * LONG);
	assert_false(space_uncertain(s));
	compare(s, &stream->after[EVENTS], true, loss);
	space_free(s);
}

static void lose_everywhere(const struct stream *stream, uint32_t meanwhile)
{
	struct loss loss = {.meanwhile = meanwhile};
	uint32_t tried = 0;

	certain = 0;
	for (loss.count = 1; loss.count <= RUNS; loss.count++) {
		for (loss.first = 0; loss.first + loss.count <= EVENTS; loss.first++) {
			for (loss.told = loss.first + loss.count; loss.told + meanwhile <= EVENTS;
			     loss.told++) {
				lose(stream, &loss);
				tried++;
			}
		}
	}
	print_message("%u losses, %u events meanwhile: %u times certain\n", tried, meanwhile, certain);
	assert_true(certain > tried / 4);
}

static void healed_by_a_list(void **state)
{
	struct stream stream;

	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++) {
		make_stream(&stream, seed);
		lose_everywhere(&stream, 0);
	}
}

static void healed_while_events_come(void **state)
{
	struct stream stream;

	(void)state;
	make_stream(&stream, 4);
	for (uint32_t meanwhile = 1; meanwhile <= 4; meanwhile += 3)
		lose_everywhere(&stream, meanwhile);
}

/* A list that was read too soon after the loss does not make the map certain; a later one does. */
static void list_too_soon(void **state)
{
	struct stream stream;

	(void)state;
	make_stream(&stream, 5);
	for (uint32_t first = 0; first < EVENTS; first++) {
		const struct loss loss = {.first = first, .count = 1, .told = EVENTS};
		uint64_t end_ns = T0 + EVENTS * STEP;
		struct space *s = make();

		for (uint32_t i = 0; i < EVENTS; i++) {
			if (i != first)
				tell_nth(s, &stream, i, EVENTS);
		}
		tell(s, ev_lost(end_ns, LOST_RING, 1));
		merge_list(s, &stream.after[EVENTS], end_ns + SPACE_SNAPSHOT_SLACK_NS - TICK);
		assert_true(space_uncertain(s));
		merge_list(s, &stream.after[EVENTS], end_ns + LONG);
		assert_false(space_uncertain(s));
		compare(s, &stream.after[EVENTS], true, &loss);
		space_free(s);
	}
}

/* Not told at all: the next list puts everything right that was not shown to be wrong before, and
 * counts it unless there was nothing to put right. */
static void never_told(void **state)
{
	struct stream stream;
	uint32_t silent = 0;

	(void)state;
	make_stream(&stream, 6);
	for (uint32_t first = 0; first < EVENTS; first++) {
		const struct loss loss = {.first = first, .count = 1, .told = EVENTS};
		struct space *s = make();

		for (uint32_t i = 0; i < EVENTS; i++) {
			if (i != first)
				tell_nth(s, &stream, i, EVENTS);
		}
		silent += !space_uncertain(s);
		merge_list(s, &stream.after[EVENTS], T0 + EVENTS * STEP + LONG);
		assert_false(space_uncertain(s));
		compare(s, &stream.after[EVENTS], true, &loss);
		space_free(s);
	}
	assert_true(silent > 0 && silent < EVENTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(healed_by_a_list),
		cmocka_unit_test(healed_while_events_come),
		cmocka_unit_test(list_too_soon),
		cmocka_unit_test(never_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
