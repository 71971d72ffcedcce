// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every way in which an interval can lie over what is there: all divisions of a small space into
 * free pages, used and lazy areas, times all intervals, for ALLOC, FREE and the lines of a
 * snapshot, and all lists of a snapshot over all of them. The reference knows pages only.
 */
#include "space_events.h"
#include "volume.h"

/* Pages: an area can stick out on both sides of another, with room beside it; with the sanitizers
 * less room. */
#define N	  (4u + ROUNDS(1))
#define LAYOUTS	  (ROUNDS(1) ? 571u : 153u)
#define INTERVALS (N * (N + 1) / 2)

enum origin {
	BY_EVENTS, /* each area from its ALLOC, the lazy ones from their FREE too */
	BY_SEED,   /* all from one snapshot */
};

/* What a page is: of which area, and how. Areas are numbered by their first page + 1. */
struct naive {
	uint8_t area[N]; /* 0 = free */
	uint8_t state[N];
	uint64_t healed_frees, healed_allocs, repaired, lazy_settled;
};

struct layout {
	struct naive naive;
	struct event areas[N];
	uint32_t nr_areas;
};

typedef void (*visit_fn)(const struct layout *layout, void *context);

static uint32_t pages = N; /* of the space */
static uint32_t visited, tried;

/* ---- all divisions ---------------------------------------------------------------- */

static void put(struct naive *n, uint32_t first, uint32_t last, uint8_t state)
{
	for (uint32_t page = first; page < last; page++) {
		n->area[page] = (uint8_t)(first + 1);
		n->state[page] = state;
	}
}

static void for_each_from(struct layout *layout, uint32_t page, visit_fn visit, void *context)
{
	static const uint8_t states[] = {AREA_USED, AREA_LAZY};

	if (page == pages) {
		visited++;
		visit(layout, context);
		return;
	}
	for_each_from(layout, page + 1, visit, context);
	for (uint32_t last = page + 1; last <= pages; last++) {
		for (uint32_t i = 0; i < ARRAY_SIZE(states); i++) {
			struct layout with = *layout;
			struct event area = states[i] == AREA_USED ? ev_used(page, last)
								   : ev_lazy(page, last);

			area.guard_pages = 0;
			put(&with.naive, page, last, states[i]);
			with.areas[with.nr_areas++] = area;
			for_each_from(&with, last, visit, context);
		}
	}
}

static void for_each_layout(visit_fn visit, void *context)
{
	struct layout empty = {0};

	for_each_from(&empty, 0, visit, context);
}

/* ---- the model in such a state ---------------------------------------------------- */

#define SEEDED_AT (T0 - 4 * LONG)
#define MADE_AT	  (T0 - 2 * LONG)

static void tell(struct space *s, struct event event)
{
	assert_int_equal(space_apply(s, &event), 0);
}

static void read_list(struct space *s, uint64_t begin_ns, const struct event *areas, uint32_t count)
{
	tell(s, ev_mark(EV_SNAPSHOT_BEGIN, begin_ns + MS, begin_ns));
	for (uint32_t i = 0; i < count; i++) {
		struct event area = areas[i];

		area.t_ns = begin_ns + MS;
		area.begin_ns = begin_ns;
		tell(s, area);
	}
	tell(s, ev_mark(EV_SNAPSHOT_END, begin_ns + MS, begin_ns));
}

/* Each area from its ALLOC, the lazy ones from their FREE too. */
static void make_areas(struct space *s, const struct layout *layout, uint64_t t_ns)
{
	for (uint32_t i = 0; i < layout->nr_areas; i++) {
		struct event event = layout->areas[i];

		event.type = EV_ALLOC;
		event.t_ns = t_ns;
		event.kind = KIND_VMALLOC;
		event.guard_pages = event.end - event.start > PAGE;
		tell(s, event);
		event.type = EV_FREE;
		if (event.state == AREA_LAZY)
			tell(s, event);
	}
}

static struct space *make(const struct layout *layout, enum origin origin, uint64_t made_ns)
{
	struct space *s = space_new(START, P(pages));

	assert_non_null(s);
	if (origin == BY_SEED) {
		read_list(s, SEEDED_AT, layout->areas, layout->nr_areas);
		return s;
	}
	read_list(s, SEEDED_AT, NULL, 0);
	make_areas(s, layout, made_ns);
	return s;
}

static void assert_some_payload(const struct area *area)
{
	if (area && area->guard_pages >= (area->end - area->start) / PAGE)
		fail_msg("area %08x-%08x is all guard", area->start, area->end);
}

static void compare(const struct space *s, const struct naive *n, const char *what)
{
	const struct space_counters *counters = space_counters(s);
	char why[256] = "";

	tried++;
	if (!space_check(s, why, sizeof(why)))
		fail_msg("%s: %s", what, why);
	for (uint32_t page = 0; page < pages; page++) {
		const struct area *area = space_area_at(s, P(page));
		uint32_t number = area ? (area->start - START) / PAGE + 1 : 0;

		if (number != n->area[page] || (area && area->state != n->state[page]))
			fail_msg("%s: page %u is of area %u state %u, not %u state %u", what, page,
				 number, area ? area->state : 0, n->area[page], n->state[page]);
		assert_some_payload(area);
		if (!area && space_page(s, P(page)) != PAGE_FREE)
			fail_msg("%s: page %u is not free", what, page);
	}
	if (counters->healed_frees != n->healed_frees ||
	    counters->healed_allocs != n->healed_allocs || counters->repaired != n->repaired ||
	    counters->lazy_settled != n->lazy_settled)
		fail_msg("%s: %u %u %u %u healed, repaired and settled, not %u %u %u %u", what,
			 (unsigned int)counters->healed_frees, (unsigned int)counters->healed_allocs,
			 (unsigned int)counters->repaired, (unsigned int)counters->lazy_settled,
			 (unsigned int)n->healed_frees, (unsigned int)n->healed_allocs,
			 (unsigned int)n->repaired, (unsigned int)n->lazy_settled);
}

/* ---- ALLOC and FREE ---------------------------------------------------------------- */

static bool is_area(const struct naive *n, uint32_t first, uint32_t last, uint8_t state)
{
	for (uint32_t page = first; page < last; page++) {
		if (n->area[page] != first + 1 || n->state[page] != state)
			return false;
	}
	return last == pages || n->area[last] != first + 1;
}

static void erase(struct naive *n, uint8_t area)
{
	for (uint32_t page = 0; page < pages; page++) {
		if (n->area[page] == area)
			n->area[page] = n->state[page] = 0;
	}
}

/* Every area that has a page in [first, last) goes, whole. How many were used? */
static uint32_t erase_all(struct naive *n, uint32_t first, uint32_t last)
{
	uint32_t used = 0;

	for (uint32_t page = first; page < last; page++) {
		if (!n->area[page])
			continue;
		used += n->state[page] == AREA_USED;
		erase(n, n->area[page]);
	}
	return used;
}

struct interval {
	uint32_t first, last;
	enum origin origin;
};

static void alloc_over(const struct layout *layout, void *context)
{
	const struct interval *at = context;
	struct space *s = make(layout, at->origin, MADE_AT);
	struct naive n = layout->naive;

	tell(s, ev_alloc(T0, at->first, at->last, 0));
	n.healed_frees = erase_all(&n, at->first, at->last);
	put(&n, at->first, at->last, AREA_USED);
	compare(s, &n, "ALLOC");
	assert_int_equal(space_uncertain(s), n.healed_frees > 0);
	space_free(s);
}

/* The late report of an area that the seed has: no heal, and nothing else is touched. */
static void alloc_before_the_seed(const struct layout *layout, void *context)
{
	const struct interval *at = context;
	struct space *s = make(layout, BY_SEED, 0);
	struct naive n = layout->naive;
	bool confirms = is_area(&n, at->first, at->last, AREA_USED);

	tell(s, ev_alloc(SEEDED_AT, at->first, at->last, 0));
	n.healed_frees = erase_all(&n, at->first, at->last) - confirms;
	put(&n, at->first, at->last, AREA_USED);
	compare(s, &n, "ALLOC before the seed");
	assert_int_equal(space_uncertain(s), n.healed_frees > 0);
	space_free(s);
}

static void free_over(const struct layout *layout, void *context)
{
	const struct interval *at = context;
	struct space *s = make(layout, at->origin, MADE_AT);
	struct naive n = layout->naive;

	tell(s, ev_free(T0, at->first, at->last));
	n.healed_allocs = !is_area(&n, at->first, at->last, AREA_USED);
	erase_all(&n, at->first, at->last);
	put(&n, at->first, at->last, AREA_LAZY);
	compare(s, &n, "FREE");
	assert_int_equal(space_uncertain(s), n.healed_allocs > 0);
	space_free(s);
}

static void for_each_interval(visit_fn visit)
{
	struct interval at;

	visited = tried = 0;
	for (at.origin = BY_EVENTS; at.origin <= BY_SEED; at.origin++) {
		for (at.first = 0; at.first < pages; at.first++) {
			for (at.last = at.first + 1; at.last <= pages; at.last++)
				for_each_layout(visit, &at);
		}
	}
	print_message("%u cases\n", tried);
	assert_int_equal(visited, 2 * INTERVALS * LAYOUTS);
}

static void every_alloc(void **state)
{
	(void)state;
	for_each_interval(alloc_over);
	for_each_interval(alloc_before_the_seed);
}

static void every_free(void **state)
{
	(void)state;
	for_each_interval(free_over);
}

/* ---- one line of a snapshot, and what it does to the pages that an event touched ---- */

/* Like the model's, but by pages: the line, then what is not listed. */
struct listing {
	bool touched[N];
	bool listed[N]; /* pages of lazy lines */
	bool seen[N];	/* by the first page of an area: it is as the list has it */
};

static bool any(const bool *flags, uint32_t first, uint32_t last)
{
	for (uint32_t page = first; page < last; page++) {
		if (flags[page])
			return true;
	}
	return false;
}

/* A lazy area of which pages are gone: each run that stays is an area. */
static void split_runs(struct naive *n, uint8_t area)
{
	uint8_t run = 0;

	for (uint32_t page = 0; page < pages; page++) {
		if (n->area[page] != area) {
			run = 0;
			continue;
		}
		run = run ? run : (uint8_t)(page + 1);
		n->area[page] = run;
	}
}

static void used_line(struct naive *n, struct listing *list, uint32_t first, uint32_t last)
{
	if (is_area(n, first, last, AREA_USED)) {
		list->seen[first] = true;
		return;
	}
	if (any(list->touched, first, last))
		return;
	for (uint32_t page = first; page < last; page++) {
		uint8_t area = n->area[page];

		if (!area)
			continue;
		if (n->state[page] == AREA_USED) {
			erase(n, area);
			continue;
		}
		for (uint32_t p = first; p < last; p++) {
			if (n->area[p] == area)
				n->area[p] = n->state[p] = 0;
		}
		split_runs(n, area);
	}
	put(n, first, last, AREA_USED);
	list->seen[first] = true;
	n->repaired++;
}

static void lazy_line(struct naive *n, struct listing *list, uint32_t first, uint32_t last)
{
	uint32_t run = pages;
	bool was_used = false;

	for (uint32_t page = first; page < last; page++)
		list->listed[page] = true;
	for (uint32_t page = first; page < last; page++) {
		if (list->touched[page] || (n->area[page] && n->state[page] == AREA_LAZY)) {
			run = pages;
			was_used = false;
			continue;
		}
		if (run == pages) {
			run = page;
			n->lazy_settled++;
		}
		if (n->area[page]) {
			erase(n, n->area[page]);
			n->repaired++;
			n->lazy_settled -= !was_used; /* the run is more than lazy for free */
			was_used = true;
		}
		n->area[page] = (uint8_t)(run + 1);
		n->state[page] = AREA_LAZY;
		list->seen[run] = true;
	}
}

static void drop_unlisted(struct naive *n, const struct listing *list)
{
	for (uint32_t first = 0; first < pages; first++) {
		uint8_t area = (uint8_t)(first + 1);
		uint32_t last = first;
		bool gone = false;

		if (n->area[first] != area || list->seen[first])
			continue;
		while (last < pages && n->area[last] == area)
			last++;
		if (any(list->touched, first, last))
			continue;
		if (n->state[first] == AREA_USED) {
			erase(n, area);
			n->repaired++;
			continue;
		}
		for (uint32_t page = first; page < last; page++) {
			if (list->listed[page])
				continue;
			n->area[page] = n->state[page] = 0;
			gone = true;
		}
		n->lazy_settled += gone;
		split_runs(n, area);
	}
}

struct line {
	uint32_t first, last;
	uint8_t state;
};

/* The layout, in which the areas of the subset came to be while the list was read. */
static struct space *make_touched(const struct layout *layout, uint32_t subset,
				  struct listing *list)
{
	struct layout halves[2] = {{.nr_areas = 0}};
	struct space *s;

	for (uint32_t i = 0; i < layout->nr_areas; i++) {
		const struct event *area = &layout->areas[i];
		struct layout *half = &halves[subset >> i & 1];

		half->areas[half->nr_areas++] = *area;
		for (uint32_t a = area->start; subset >> i & 1 && a < area->end; a += PAGE)
			list->touched[(a - START) / PAGE] = true;
	}
	s = make(&halves[0], BY_EVENTS, MADE_AT);
	make_areas(s, &halves[1], T0 + MS / 2);
	return s;
}

/* One line over a layout of which any subset of the areas was touched meanwhile. */
static void line_over(const struct layout *layout, void *context)
{
	const struct line *line = context;
	struct event area = line->state == AREA_USED ? ev_used(line->first, line->last)
						     : ev_lazy(line->first, line->last);

	area.guard_pages = 0;
	for (uint32_t subset = 0; subset < 1u << layout->nr_areas; subset++) {
		struct listing list = {.seen = {false}};
		struct naive n = layout->naive;
		struct space *s = make_touched(layout, subset, &list);

		read_list(s, T0, &area, 1);
		if (line->state == AREA_USED)
			used_line(&n, &list, line->first, line->last);
		else
			lazy_line(&n, &list, line->first, line->last);
		drop_unlisted(&n, &list);
		compare(s, &n, "a line");
		assert_false(space_uncertain(s));
		space_free(s);
	}
}

static void every_line(void **state)
{
	struct line line;

	(void)state;
	visited = tried = 0;
	for (line.state = AREA_USED; line.state <= AREA_LAZY; line.state++) {
		for (line.first = 0; line.first < pages; line.first++) {
			for (line.last = line.first + 1; line.last <= pages; line.last++)
				for_each_layout(line_over, &line);
		}
	}
	print_message("%u cases\n", tried);
	assert_int_equal(visited, 2 * INTERVALS * LAYOUTS);
}

/* ---- every list over every layout, nothing touched: the list wins, page by page ---------- */

static uint32_t wanted_state(const struct layout *layout, uint32_t page)
{
	return layout->naive.area[page] ? layout->naive.state[page] : 0;
}

static void list_over(const struct layout *kernel, void *context)
{
	const struct layout *model = context;
	struct space *s = make(model, BY_EVENTS, MADE_AT);
	bool same = true;
	char why[256] = "";

	tried++;
	read_list(s, T0, kernel->areas, kernel->nr_areas);
	if (!space_check(s, why, sizeof(why)))
		fail_msg("%s", why);
	for (uint32_t page = 0; page < pages; page++) {
		const struct area *area = space_area_at(s, P(page));

		assert_some_payload(area);
		if ((area ? area->state : 0) != wanted_state(kernel, page))
			fail_msg("page %u is %u, not %u", page, area ? area->state : 0,
				 wanted_state(kernel, page));
		if (area && area->state == AREA_USED)
			assert_int_equal((area->start - START) / PAGE + 1, kernel->naive.area[page]);
		same &= wanted_state(kernel, page) == wanted_state(model, page) &&
			(!area || area->state != AREA_USED ||
			 kernel->naive.area[page] == model->naive.area[page]);
	}
	/* Areas that are one to the kernel and several lazy ones here are no difference. */
	assert_int_equal(space_counters(s)->repaired + space_counters(s)->lazy_settled == 0, same);
	space_free(s);
}

static void lists_over(const struct layout *model, void *context)
{
	struct layout copy = *model;

	(void)context;
	for_each_layout(list_over, &copy);
}

static void every_list(void **state)
{
	(void)state;
	visited = tried = 0;
	pages = 4;
	for_each_layout(lists_over, NULL);
	pages = N;
	print_message("%u cases\n", tried);
	assert_int_equal(tried, 153 * 153);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_alloc),
		cmocka_unit_test(every_free),
		cmocka_unit_test(every_line),
		cmocka_unit_test(every_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
