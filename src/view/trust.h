/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The trust line: how far what is shown can be believed, and what showing it costs.
 *
 *   ev 214/s LOST 0 MISSED 0 unmatched 0 | probes 7/8 (no percpu) | cpu 0.3% 480ns/ev | self 540K
 *
 * Facts come from the caller, who has the clocks; the line is made of them alone. What does not fit
 * is left out, the least important first; a loss never is: where its causes have no room, their sum
 * has.
 */
#ifndef VMTRACE_VIEW_TRUST_H
#define VMTRACE_VIEW_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/plan.h"
#include "event.h"
#include "space/space.h"
#include "view/facts.h"

/* A number that grows, as a rate. Zeroed before its first use. */
struct trust_rate {
	uint64_t last VMT_ALIGNED8;
	uint64_t last_ns VMT_ALIGNED8;
	uint64_t per_1000_s VMT_ALIGNED8; /* rate * 1000: per second, smoothed */
	double smooth;                    /* the same before rounding */
	bool begun;
	bool known;
};

/*
 * The number was `total` at t_ns. What it grew by in a time t counts t / (t + TRUST_HALF_NS), what
 * was before the rest. Calls less than TRUST_LEAST_NS after the last one that counted are added to
 * the next. When t_ns or total goes back, it begins anew. For events, `total` is what happened
 * (allocs, frees, purges and fails of struct space_counters), or the records that arrived.
 */
#define TRUST_LEAST_NS 100000000ull
#define TRUST_HALF_NS  2000000000ull
void trust_rate_put(struct trust_rate *rate, uint64_t total, uint64_t t_ns);

struct trust_facts {
	uint64_t events_per_1000_s VMT_ALIGNED8;               /* trust_rate of events */
	uint64_t lost_by_cause[LOST_CAUSE_COUNT] VMT_ALIGNED8; /* as struct view_facts */
	uint64_t lost_in_all VMT_ALIGNED8; /* that can hurt the map: at least the sum of those */
	uint64_t healed VMT_ALIGNED8;   /* space_healed(): proofs of a loss that no counter saw */
	uint64_t rejected VMT_ALIGNED8; /* events that could not be true */
	uint64_t details_lost VMT_ALIGNED8; /* stacks, requests: the map stays exact */
	uint64_t cpu_ns_per_s VMT_ALIGNED8; /* own CPU time of a second: trust_rate / 1000 */
	uint32_t ns_per_event;              /* in the kernel; 0 = not known */
	uint32_t own_bytes;                 /* vmalloc space that vmtrace takes */
	uint32_t probes_active;
	uint32_t probes_planned; /* 0 = not known (a recording) */
	const char *lacking;     /* what no probe tells: "percpu"; "" = nothing. May be NULL */
	bool events_known;
	bool cpu_known;
	bool stackless; /* the probe plan in use has no stacks */
	bool uncertain; /* the map is: space_uncertain() */
};

/* What space, facts and plan tell; plans may be NULL. The rest (rates, ns_per_event) is zero. */
struct trust_facts trust_facts_of(const struct space *space, const struct view_facts *facts,
				  const struct plan_report *plans);

#define TRUST_ITEMS 12u
#define TRUST_ITEM  64u

struct trust_item {
	char text[TRUST_ITEM]; /* printable ASCII */
	uint8_t gap;           /* columns before it: of these, a '|' stands in the middle of 3 */
	bool alarm;            /* to be shown reversed, or in the colour of alarms */
};

struct trust_line {
	struct trust_item items[TRUST_ITEMS]; /* in the order of the line */
	uint32_t count;
	uint32_t columns; /* that they take */
};

/* Lays the line out in at most `columns` columns. The loss is in it whatever columns is: so it may
 * take up to 24 ("LOST 18446744073709551615"). */
void trust_layout(const struct trust_facts *facts, uint32_t columns, struct trust_line *line);

/* The line as text, for where there are no attributes. Returns buf. */
const char *trust_text(const struct trust_line *line, char *buf, size_t len);

#endif
