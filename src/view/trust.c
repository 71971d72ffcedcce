// SPDX-License-Identifier: GPL-2.0-only
#include "view/trust.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "record/jsonl_names.h"
#include "units.h"

#define NS_PER_MS 1000000u
#define NS_PER_S  1e9
#define RATE_MAX  1e18
#define NUMBER    24
#define ALWAYS    UINT8_MAX /* importance of what is never left out */

/* ---- rates -------------------------------------------------------------------------------------
 */

void trust_rate_put(struct trust_rate *rate, uint64_t total, uint64_t t_ns)
{
	uint64_t passed_ns = t_ns - rate->last_ns;
	double now, weight;

	if (!rate->begun || t_ns < rate->last_ns || total < rate->last) {
		*rate = (struct trust_rate){ .begun = true, .last = total, .last_ns = t_ns };
		return;
	}
	if (passed_ns < TRUST_LEAST_NS)
		return;
	now = (double)(total - rate->last) * 1000 * NS_PER_S / (double)passed_ns;
	weight = rate->known ? (double)passed_ns / (double)(passed_ns + TRUST_HALF_NS) : 1;
	rate->smooth = weight * now + (1 - weight) * rate->smooth;
	now = rate->smooth;
	rate->per_1000_s = now < RATE_MAX ? (uint64_t)(now + 0.5) : (uint64_t)RATE_MAX;
	rate->last = total;
	rate->last_ns = t_ns;
	rate->known = true;
}

/* ---- facts -------------------------------------------------------------------------------------
 */

struct trust_facts trust_facts_of(const struct space *space, const struct view_facts *facts,
				  const struct plan_report *plans)
{
	const struct space_counters *counters = space_counters(space);
	struct trust_facts trust = {
		.lost_in_all = counters->lost,
		.details_lost = counters->lost_stacks,
		.healed = space_healed(counters),
		.rejected = counters->rejected,
		.own_bytes = space_totals(space).own_bytes,
		.uncertain = space_uncertain(space),
		.lacking = "",
	};

	memcpy(trust.lost_by_cause, facts->lost_by_cause, sizeof(trust.lost_by_cause));
	if (!plans)
		return trust;
	trust.probes_planned = plans->probes_planned;
	trust.probes_active = plans->probes_active;
	trust.lacking = plans->lacking;
	trust.stackless = plans->stackless;
	trust.ns_per_event = plans->cost.ns_per_event;
	return trust;
}

/* ---- the line ----------------------------------------------------------------------------------
 */

enum group { GROUP_LOSS = 0, GROUP_PROBES, GROUP_COST, GROUP_SELF };

/* One item before it is known whether it has room. */
struct candidate {
	char full[TRUST_ITEM];
	char brief[TRUST_ITEM]; /* "": there is no shorter form */
	uint8_t importance;     /* of the item; of its full form, if it has a brief one */
	uint8_t brief_importance;
	uint8_t group;
	bool alarm;
	bool is_brief;
	bool left_out;
};

struct draft {
	struct candidate list[TRUST_ITEMS];
	uint32_t count;
};

static struct candidate *add(struct draft *draft, enum group group, uint8_t importance)
{
	struct candidate *candidate = &draft->list[draft->count++];

	*candidate = (struct candidate){ .group = group, .importance = importance };
	return candidate;
}

static void add_rate(struct draft *draft, const struct trust_facts *facts)
{
	uint64_t tenths = facts->events_per_1000_s / 100;
	struct candidate *item;

	if (!facts->events_known)
		return;
	item = add(draft, GROUP_LOSS, 40);
	if (tenths && tenths < 100)
		snprintf(item->full, sizeof(item->full), "ev %u.%u/s", (unsigned int)(tenths / 10),
			 (unsigned int)(tenths % 10));
	else if (tenths < 1000000)
		snprintf(item->full, sizeof(item->full), "ev %u/s", (unsigned int)(tenths / 10));
	else
		snprintf(item->full, sizeof(item->full), "ev %" PRIu64 "K/s", tenths / 10000);
}

/* Those that have no item of their own: a ring that was full, and the like. */
static uint64_t other_losses(const struct trust_facts *facts)
{
	uint64_t own_items =
		facts->lost_by_cause[LOST_MISSED] + facts->lost_by_cause[LOST_UNMATCHED];

	return facts->lost_in_all > own_items ? facts->lost_in_all - own_items : 0;
}

static uint64_t all_losses(const struct trust_facts *facts)
{
	return other_losses(facts) + facts->lost_by_cause[LOST_MISSED] +
	       facts->lost_by_cause[LOST_UNMATCHED];
}

/* "LOST 14 (ring 12, queue 2)", in brief "LOST 14". */
static void add_lost(struct draft *draft, const struct trust_facts *facts)
{
	struct candidate *item = add(draft, GROUP_LOSS, 70);
	uint64_t lost = other_losses(facts);
	size_t len = sizeof(item->full);
	int at = snprintf(item->full, len, "LOST %" PRIu64, lost);
	bool any = false;

	memcpy(item->brief, item->full, len);
	item->brief_importance = ALWAYS;
	item->alarm = lost != 0;
	for (unsigned int cause = LOST_RING; cause < LOST_CAUSE_COUNT; cause++) {
		uint64_t count = facts->lost_by_cause[cause];
		char text[40];

		if (!count || !lost_cause_hurts_map(cause) || cause == LOST_MISSED ||
		    cause == LOST_UNMATCHED)
			continue;
		snprintf(text, sizeof(text), "%s%s %" PRIu64, any ? ", " : " (",
			 jsonl_cause_name(cause), count);
		if ((size_t)at + strlen(text) + 1 >= len)
			break;
		at += snprintf(item->full + at, len - (size_t)at, "%s", text);
		any = true;
	}
	if (any)
		snprintf(item->full + at, len - (size_t)at, ")");
}

/* importance: of a 0. A loss is always shown. */
static void add_loss(struct draft *draft, const char *name, uint64_t count, uint8_t importance)
{
	struct candidate *item = add(draft, GROUP_LOSS, count ? ALWAYS : importance);

	snprintf(item->full, sizeof(item->full), "%s %" PRIu64, name, count);
	item->alarm = count != 0;
}

static void add_if_any(struct draft *draft, const char *name, uint64_t count, uint8_t importance,
		       bool alarm)
{
	struct candidate *item;

	if (!count)
		return;
	item = add(draft, GROUP_LOSS, importance);
	snprintf(item->full, sizeof(item->full), "%s %" PRIu64, name, count);
	item->alarm = alarm;
}

/* "probes 7/8 (no percpu)", in brief "probes 7/8". */
static void add_probes(struct draft *draft, const struct trust_facts *facts)
{
	bool whole = facts->probes_active == facts->probes_planned && !facts->stackless;
	const char *lacking = facts->stackless ? "stacks" : facts->lacking ? facts->lacking : "";
	struct candidate *item;

	if (!facts->probes_planned)
		return;
	item = add(draft, GROUP_PROBES, whole ? 35 : 60);
	snprintf(item->full, sizeof(item->full), "probes %" PRIu32 "/%" PRIu32,
		 facts->probes_active, facts->probes_planned);
	item->alarm = facts->probes_active < facts->probes_planned;
	if (!*lacking)
		return;
	memcpy(item->brief, item->full, sizeof(item->brief));
	item->brief_importance = item->importance;
	item->importance = 55;
	snprintf(item->full, sizeof(item->full), "%.24s (no %.30s)", item->brief, lacking);
}

static void add_cost(struct draft *draft, const struct trust_facts *facts)
{
	uint64_t tenths = facts->cpu_ns_per_s / NS_PER_MS; /* of a percent */
	struct candidate *item;
	char number[NUMBER];

	if (facts->cpu_known) {
		item = add(draft, GROUP_COST, 50);
		if (!tenths && facts->cpu_ns_per_s)
			snprintf(item->full, sizeof(item->full), "cpu <0.1%%");
		else
			snprintf(item->full, sizeof(item->full), "cpu %u.%u%%",
				 (unsigned int)(tenths / 10), (unsigned int)(tenths % 10));
	}
	if (facts->ns_per_event) {
		item = add(draft, GROUP_COST, 20);
		snprintf(item->full, sizeof(item->full), "%s/ev",
			 units_duration(facts->ns_per_event, number, sizeof(number)));
	}
	if (facts->own_bytes) {
		item = add(draft, GROUP_SELF, 45);
		snprintf(item->full, sizeof(item->full), "self %s",
			 units_bytes(facts->own_bytes, number, sizeof(number)));
	}
}

/* In the order of the line. */
static void make_draft(struct draft *draft, const struct trust_facts *facts)
{
	add_rate(draft, facts);
	add_lost(draft, facts);
	add_loss(draft, "MISSED", facts->lost_by_cause[LOST_MISSED], 30);
	add_loss(draft, "unmatched", facts->lost_by_cause[LOST_UNMATCHED], 25);
	add_if_any(draft, "healed", facts->healed, 90, true);
	add_if_any(draft, "rejected", facts->rejected, 80, true);
	add_if_any(draft, "details lost", facts->details_lost, 28, false);
	if (facts->uncertain) {
		struct candidate *item = add(draft, GROUP_LOSS, 85);

		snprintf(item->full, sizeof(item->full), "map uncertain");
		item->alarm = true;
	}
	add_probes(draft, facts);
	add_cost(draft, facts);
}

/* ---- what has room -----------------------------------------------------------------------------
 */

static void fill_line(const struct draft *draft, struct trust_line *line)
{
	uint8_t group = GROUP_LOSS;

	*line = (struct trust_line){ 0 };
	for (uint32_t i = 0; i < draft->count; i++) {
		const struct candidate *from = &draft->list[i];
		struct trust_item *to = &line->items[line->count];

		if (from->left_out)
			continue;
		memcpy(to->text, from->is_brief ? from->brief : from->full, sizeof(to->text));
		to->alarm = from->alarm;
		to->gap = !line->count ? 0 : from->group == group ? 1 : 3;
		group = from->group;
		line->columns += to->gap + (uint32_t)strlen(to->text);
		line->count++;
	}
}

/* Makes the least important item shorter, or leaves it out. False if none can be. */
static bool give_way(struct draft *draft)
{
	struct candidate *least = NULL;

	for (uint32_t i = 0; i < draft->count; i++) {
		struct candidate *item = &draft->list[i];

		if (!item->left_out && item->importance < ALWAYS &&
		    (!least || item->importance < least->importance))
			least = item;
	}
	if (!least)
		return false;
	if (least->brief[0] && !least->is_brief) {
		least->is_brief = true;
		least->importance = least->brief_importance;
	} else {
		least->left_out = true;
	}
	return true;
}

void trust_layout(const struct trust_facts *facts, uint32_t columns, struct trust_line *line)
{
	struct draft draft = { 0 };
	uint64_t lost = all_losses(facts);

	make_draft(&draft, facts);
	fill_line(&draft, line);
	while (line->columns > columns && give_way(&draft))
		fill_line(&draft, line);
	if (line->columns <= columns)
		return;
	*line = (struct trust_line){ .count = 1 };
	snprintf(line->items[0].text, sizeof(line->items[0].text), "LOST %" PRIu64, lost);
	line->items[0].alarm = lost != 0;
	line->columns = (uint32_t)strlen(line->items[0].text);
}

const char *trust_text(const struct trust_line *line, char *buf, size_t len)
{
	size_t at = 0;

	if (len)
		*buf = '\0';
	for (uint32_t i = 0; i < line->count && at < len; i++) {
		const struct trust_item *item = &line->items[i];

		at += (size_t)snprintf(buf + at, len - at, "%s%s",
				       item->gap == 3 ? " | "
				       : item->gap    ? " "
						      : "",
				       item->text);
	}
	return buf;
}
