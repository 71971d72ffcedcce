// SPDX-License-Identifier: GPL-2.0-only
/* The property: after any events, losses and snapshots the model equals a naive one, page by page. */
#include "space_events.h"

#define N_PAGES	 192u
#define N_AREAS	 N_PAGES
#define N_EVENTS 24000u

struct naive_area {
	uint32_t first; /* pages [first, last); last = 0: slot not in use */
	uint32_t last;
	uint64_t free_ns; /* 0 = used */
};

/* Pages hold the number of their area + 1, 0 = free; no page is covered twice. */
struct naive {
	struct naive_area areas[N_AREAS];
	uint32_t page[N_PAGES];
	bool unknown[N_PAGES];
};

struct random_run {
	struct space *s;
	struct naive kernel; /* all that happened */
	struct naive viewer; /* what was told to the model */
	uint64_t rng;
	uint64_t t_ns;
	uint64_t purge_ns; /* begin of the purge that runs, 0 = none */
	uint32_t withheld; /* events not told to the model since the last snapshot */
	bool lossy;
	bool seeded;
	uint32_t recoveries;
	uint32_t doubts; /* uncertain although nothing was withheld: a list in the midst of a purge */
	uint64_t heals; /* counted when the model was last exact */
	struct event list[N_AREAS];
	uint32_t nr_list;
};

static uint32_t rnd(struct random_run *r, uint32_t below)
{
	r->rng ^= r->rng << 13;
	r->rng ^= r->rng >> 7;
	r->rng ^= r->rng << 17;
	return (uint32_t)(r->rng >> 32) % below;
}

/* Guard and ownership follow from the range, so that a range used twice looks the same twice. */
static uint8_t guard_of(uint32_t first, uint32_t last)
{
	return last - first > 1 && first % 3;
}

static uint32_t own_of(uint32_t first, uint32_t last)
{
	return (first + last) % 7 == 0 ? EV_F_OWN : 0;
}

static void naive_remove(struct naive *n, uint32_t area)
{
	for (uint32_t page = n->areas[area].first; page < n->areas[area].last; page++)
		n->page[page] = 0;
	n->areas[area].last = 0;
}

static void naive_add(struct naive *n, uint32_t first, uint32_t last, uint64_t free_ns)
{
	uint32_t area = 0;

	while (n->areas[area].last)
		area++;
	n->areas[area] = (struct naive_area){first, last, free_ns};
	for (uint32_t page = first; page < last; page++) {
		assert_int_equal(n->page[page], 0);
		n->page[page] = area + 1;
		n->unknown[page] = false;
	}
}

static void naive_clear(struct naive *n, uint32_t first, uint32_t last)
{
	for (uint32_t page = first; page < last; page++) {
		if (n->page[page])
			naive_remove(n, n->page[page] - 1);
	}
}

/* ALLOC and FREE are the same to the naive model: this range is now one area, used or lazy, and
 * whatever overlapped it is gone. */
static void naive_apply(struct naive *n, const struct event *event)
{
	uint32_t first = (event->start - START) / PAGE, last = (event->end - START) / PAGE;

	if (event->type == EV_ALLOC || event->type == EV_FREE) {
		naive_clear(n, first, last);
		naive_add(n, first, last, event->type == EV_FREE ? event->t_ns : 0);
	}
	for (uint32_t i = 0; event->type == EV_PURGE && i < N_AREAS; i++) {
		if (n->areas[i].last && n->areas[i].free_ns &&
		    n->areas[i].free_ns < event->begin_ns)
			naive_remove(n, i);
	}
}

static enum page_state naive_state(const struct naive *n, uint32_t page)
{
	const struct naive_area *area;

	if (!n->page[page])
		return n->unknown[page] ? PAGE_UNKNOWN : PAGE_FREE;
	area = &n->areas[n->page[page] - 1];
	if (area->free_ns)
		return PAGE_LAZY;
	return page >= area->last - guard_of(area->first, area->last) ? PAGE_GUARD : PAGE_USED;
}

static void naive_totals(const struct naive *n, struct space_totals *t)
{
	uint32_t pages[PAGE_STATE_COUNT] = {0};

	*t = (struct space_totals){.start = START, .end = START + N_PAGES * PAGE};
	for (uint32_t page = 0; page < N_PAGES; page++)
		pages[naive_state(n, page)]++;
	for (uint32_t i = 0; i < N_AREAS; i++) {
		const struct naive_area *area = &n->areas[i];

		if (!area->last)
			continue;
		t->areas += !area->free_ns;
		t->lazy_areas += !!area->free_ns;
		if (!area->free_ns && own_of(area->first, area->last))
			t->own_bytes += (area->last - area->first) * PAGE;
	}
	t->total_bytes = N_PAGES * PAGE;
	t->used_bytes = pages[PAGE_USED] * PAGE;
	t->guard_bytes = pages[PAGE_GUARD] * PAGE;
	t->lazy_bytes = pages[PAGE_LAZY] * PAGE;
	t->free_bytes = pages[PAGE_FREE] * PAGE;
	t->unknown_bytes = pages[PAGE_UNKNOWN] * PAGE;
}

static void compare_with_viewer(const struct random_run *r)
{
	struct space_totals want, got = space_totals(r->s);
	char why[256] = "";

	if (!space_check(r->s, why, sizeof(why)))
		fail_msg("%s", why);
	naive_totals(&r->viewer, &want);
	assert_memory_equal(&got, &want, sizeof(want));
}

/* The model's used areas are exactly the kernel's; with exact also every page's state is. */
static void compare_with_kernel(const struct random_run *r, bool exact)
{
	struct space_totals want;

	naive_totals(&r->kernel, &want);
	assert_int_equal(space_totals(r->s).areas, want.areas);
	assert_int_equal(space_totals(r->s).own_bytes, want.own_bytes);
	for (uint32_t i = 0; i < N_AREAS; i++) {
		const struct naive_area *area = &r->kernel.areas[i];

		if (area->last && !area->free_ns)
			area_at(r->s, area->first, area->last, AREA_USED);
	}
	for (uint32_t page = 0; exact && page < N_PAGES; page++)
		assert_int_equal(space_page(r->s, P(page)), naive_state(&r->kernel, page));
}

/* Tells the model, or withholds it. */
static void tell(struct random_run *r, const struct event *event)
{
	if (r->lossy && rnd(r, 3) == 0) {
		r->withheld++;
		return;
	}
	assert_int_equal(space_apply(r->s, event), 0);
	naive_apply(&r->viewer, event);
	compare_with_viewer(r);
	if (!r->withheld && r->seeded) {
		assert_int_equal(healed(r->s), r->heals);
		compare_with_kernel(r, false);
	}
}

/* The kernel takes a run of free pages, first fit from a random page. */
static void kernel_alloc(struct random_run *r)
{
	uint32_t pages = 1 + rnd(r, rnd(r, 4) ? 6 : 24), from = rnd(r, N_PAGES), run = 0;
	struct event event;

	for (uint32_t page = from; page < N_PAGES; page++) {
		run = r->kernel.page[page] ? 0 : run + 1;
		if (run < pages)
			continue;
		event = ev_alloc(r->t_ns, page + 1 - pages, page + 1, 0);
		event.guard_pages = guard_of(page + 1 - pages, page + 1);
		event.flags = own_of(page + 1 - pages, page + 1);
		naive_add(&r->kernel, page + 1 - pages, page + 1, 0);
		tell(r, &event);
		return;
	}
}

static void kernel_free(struct random_run *r)
{
	struct naive_area *area = &r->kernel.areas[rnd(r, N_AREAS)];
	struct event event;

	if (!area->last || area->free_ns)
		return;
	event = ev_vfree(r->t_ns, P(area->first), 1 + rnd(r, 3));
	if (rnd(r, 2))
		tell(r, &event);
	event = ev_free(r->t_ns, area->first, area->last);
	area->free_ns = r->t_ns;
	tell(r, &event);
}

/* A purge frees its areas one by one, each usable at once, and reports at its end. */
static void kernel_purge_step(struct random_run *r, bool to_end)
{
	struct event event = ev_purge(r->t_ns, r->purge_ns);

	if (!r->purge_ns) {
		r->purge_ns = r->t_ns;
		return;
	}
	for (uint32_t i = 0; i < N_AREAS; i++) {
		const struct naive_area *area = &r->kernel.areas[i];

		if (area->last && area->free_ns && area->free_ns < r->purge_ns &&
		    (to_end || rnd(r, 3) == 0))
			naive_remove(&r->kernel, i);
	}
	if (!to_end)
		return;
	r->purge_ns = 0;
	tell(r, &event);
}

/* What cannot be true is refused whatever the state is. */
static void tell_nonsense(struct random_run *r)
{
	struct event event = ev_alloc(r->t_ns, rnd(r, N_PAGES), N_PAGES + 1 + rnd(r, 3), 0);
	struct space_totals before = space_totals(r->s), after;

	switch (rnd(r, 4)) {
	case 0:
		event.type = EV_FREE;
		break;
	case 1:
		event.end = event.start + PAGE / 2;
		break;
	case 2:
		event.end = P(N_PAGES);
		event.guard_pages = 255;
		break;
	default:
		event.type = (uint8_t)(EV_TYPE_COUNT + rnd(r, 200));
	}
	assert_int_equal(space_apply(r->s, &event), -EINVAL);
	after = space_totals(r->s);
	assert_memory_equal(&after, &before, sizeof(after));
	compare_with_viewer(r);
}

/* The kernel's list in address order; neighbouring lazy areas share a line now and then. */
static void list_kernel(struct random_run *r)
{
	const struct naive *k = &r->kernel;

	r->nr_list = 0;
	for (uint32_t page = 0; page < N_PAGES; page++) {
		const struct naive_area *area = k->page[page] ? &k->areas[k->page[page] - 1] : NULL;
		struct event *last = r->nr_list ? &r->list[r->nr_list - 1] : NULL;

		if (!area || area->first != page)
			continue;
		if (area->free_ns && last && last->state == AREA_LAZY && last->end == P(page) &&
		    rnd(r, 2)) {
			last->end = P(area->last);
			continue;
		}
		r->list[r->nr_list] = area->free_ns ? ev_lazy(area->first, area->last)
						    : ev_used(area->first, area->last);
		r->list[r->nr_list].guard_pages =
			area->free_ns ? 0 : guard_of(area->first, area->last);
		r->list[r->nr_list++].flags = own_of(area->first, area->last);
	}
}

/* The viewer's lazy areas as the model groups them; that the pages are right is checked apart. */
static void viewer_follows(struct random_run *r)
{
	const struct area *area;

	memset(&r->viewer, 0, sizeof(r->viewer));
	for (area = space_first(r->s, START); area; area = space_first(r->s, area->end))
		naive_add(&r->viewer, (area->start - START) / PAGE, (area->end - START) / PAGE,
			  area->free_ns);
	compare_with_viewer(r);
}

/* After any losses: LOST, and some time later a quiet snapshot. Then the model is the kernel. */
static void recover(struct random_run *r)
{
	struct event lost = ev_lost(r->t_ns, LOST_RING, r->withheld);

	if (r->purge_ns)
		kernel_purge_step(r, true);
	lost.count = r->withheld;
	assert_int_equal(space_apply(r->s, &lost), 0);
	if (r->withheld || !r->seeded)
		assert_true(space_uncertain(r->s));
	else
		r->doubts += space_uncertain(r->s);
	r->t_ns += LONG;
	list_kernel(r);
	snapshot(r->s, r->t_ns, r->list, r->nr_list);
	r->t_ns += 2 * MS;
	r->lossy = false;
	r->seeded = true;
	r->recoveries++;
	r->withheld = 0;
	r->heals = healed(r->s);
	assert_false(space_uncertain(r->s));
	compare_with_kernel(r, true);
	viewer_follows(r);
}

static void random_step(struct random_run *r)
{
	uint32_t what = rnd(r, 100);

	r->t_ns += 1 + rnd(r, 200000) * (rnd(r, 20) ? 1 : 100);
	if (what < 48)
		kernel_alloc(r);
	else if (what < 88)
		for (uint32_t i = 0; i < 4; i++)
			kernel_free(r);
	else if (what < 97)
		kernel_purge_step(r, rnd(r, 3) == 0);
	else
		tell_nonsense(r);
}

/* A list read now, merged only after more events: what they touched is right, so all is. */
static void snapshot_in_flight(struct random_run *r)
{
	uint64_t begin_ns = r->t_ns;
	uint32_t steps = rnd(r, 40);

	list_kernel(r);
	while (steps--)
		random_step(r);
	snapshot(r->s, begin_ns, r->list, r->nr_list);
	compare_with_kernel(r, false);
	assert_int_equal(healed(r->s), r->heals);
	viewer_follows(r);
}

static void run_random(uint64_t seed, struct random_run *r)
{
	uint64_t events;

	space_free(r->s);
	memset(r, 0, sizeof(*r));
	r->rng = seed * 0x9e3779b97f4a7c15ull + 1;
	r->t_ns = T0;
	r->s = space_new(START, START + N_PAGES * PAGE);
	assert_non_null(r->s);
	memset(r->viewer.unknown, 1, sizeof(r->viewer.unknown));
	/* a life before the model: the viewer has not seen it */
	r->lossy = true;
	for (uint32_t i = 0; i < 50; i++)
		random_step(r);
	recover(r);
	do {
		uint32_t what = rnd(r, 600);

		random_step(r);
		if (what == 0 && !r->withheld && !r->lossy)
			snapshot_in_flight(r);
		else if (what < 3)
			r->lossy = true;
		else if (what < 6)
			recover(r);
		events = space_counters(r->s)->events;
	} while (events < N_EVENTS);
	recover(r);
	print_message("%u recoveries, %u doubts\n", r->recoveries, r->doubts);
	assert_true(r->doubts * 20 < r->recoveries);
	assert_true(space_counters(r->s)->healed_allocs > 0);
	assert_true(space_counters(r->s)->healed_frees > 0);
	assert_true(space_counters(r->s)->repaired > 0);
	assert_true(space_counters(r->s)->rejected > 0);
}

static int setup_random(void **state)
{
	*state = calloc(1, sizeof(struct random_run));
	return *state ? 0 : -1;
}

static int teardown_random(void **state)
{
	struct random_run *r = *state;

	space_free(r->s);
	free(r);
	return 0;
}

/* Random events, losses and snapshots: the model never breaks and always finds back. */
static void random_events(void **state)
{
	static const uint64_t seeds[] = {1, 2, 3, 20240611};

	for (size_t i = 0; i < ARRAY_SIZE(seeds); i++)
		run_random(seeds[i], *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(random_events, setup_random, teardown_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
