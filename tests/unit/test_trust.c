// SPDX-License-Identifier: GPL-2.0-only
#include "space_events.h"

#include "view/trust.h"

#define S 1000000000ull

/* All is well, on a machine that traces. */
static struct trust_facts good(void)
{
	return (struct trust_facts){
		.events_per_1000_s = 214321,
		.cpu_ns_per_s = 3400000,
		.ns_per_event = 480,
		.own_bytes = 540 * 1024,
		.probes_active = 8,
		.probes_planned = 8,
		.lacking = "",
		.events_known = true,
		.cpu_known = true,
	};
}

static const char *line(const struct trust_facts *facts, uint32_t columns)
{
	static char text[512];
	struct trust_line laid;

	trust_layout(facts, columns, &laid);
	trust_text(&laid, text, sizeof(text));
	assert_int_equal(strlen(text), laid.columns);
	return text;
}

static void all_is_well(void **state)
{
	struct trust_facts facts = good();
	struct trust_line laid;

	(void)state;
	trust_layout(&facts, 100, &laid);
	for (uint32_t i = 0; i < laid.count; i++)
		assert_false(laid.items[i].alarm);
	assert_string_equal(
		line(&facts, 100),
		"ev 214/s LOST 0 MISSED 0 unmatched 0 | probes 8/8 | cpu 0.3% 480ns/ev | "
		"self 540K");
	assert_string_equal(line(&facts, 80), "ev 214/s LOST 0 MISSED 0 unmatched 0 | probes 8/8 "
					      "| cpu 0.3% | self 540K");
}

/* The least important first; what is left is in the order of the line. */
static void gives_way(void **state)
{
	static const struct {
		uint32_t columns;
		const char *text;
	} lines[] = {
		{ 72, "ev 214/s LOST 0 MISSED 0 unmatched 0 | probes 8/8 | cpu 0.3% | self 540K" },
		{ 71, "ev 214/s LOST 0 MISSED 0 | probes 8/8 | cpu 0.3% | self 540K" },
		{ 59, "ev 214/s LOST 0 | probes 8/8 | cpu 0.3% | self 540K" },
		{ 50, "ev 214/s LOST 0 | cpu 0.3% | self 540K" },
		{ 37, "LOST 0 | cpu 0.3% | self 540K" },
		{ 28, "LOST 0 | cpu 0.3%" },
		{ 16, "LOST 0" },
		{ 6, "LOST 0" },
		{ 0, "LOST 0" },
	};
	struct trust_facts facts = good();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_string_equal(line(&facts, lines[i].columns), lines[i].text);
}

static void losses(void **state)
{
	struct trust_facts facts = good();
	struct trust_line laid;

	(void)state;
	facts.lost_by_cause[LOST_RING] = 12;
	facts.lost_by_cause[LOST_QUEUE] = 2;
	facts.lost_by_cause[LOST_MISSED] = 3;
	facts.lost_by_cause[LOST_UNMATCHED] = 1;
	facts.lost_by_cause[LOST_STACK] = 99; /* does not hurt */
	facts.lost_in_all = 18;
	facts.uncertain = true;
	assert_string_equal(
		line(&facts, 200),
		"ev 214/s LOST 14 (ring 12, queue 2) MISSED 3 unmatched 1 map uncertain | "
		"probes 8/8 | cpu 0.3% 480ns/ev | self 540K");
	assert_string_equal(line(&facts, 61),
			    "LOST 14 (ring 12, queue 2) MISSED 3 unmatched 1 map uncertain");
	assert_string_equal(line(&facts, 60), "LOST 14 MISSED 3 unmatched 1 map uncertain");
	assert_string_equal(line(&facts, 41), "LOST 14 MISSED 3 unmatched 1");
	assert_string_equal(line(&facts, 28), "LOST 14 MISSED 3 unmatched 1");
	assert_string_equal(line(&facts, 27), "LOST 18"); /* the sum */
	assert_string_equal(line(&facts, 1), "LOST 18");
	trust_layout(&facts, 80, &laid);
	for (uint32_t i = 0; i < laid.count; i++)
		assert_int_equal(laid.items[i].alarm,
				 !strncmp(laid.items[i].text, "LOST", 4) ||
					 !strncmp(laid.items[i].text, "MISSED", 6) ||
					 !strncmp(laid.items[i].text, "unmatched", 9) ||
					 !strcmp(laid.items[i].text, "map uncertain"));
	/* Only one of them: the others are no alarm, and give way. */
	memset(facts.lost_by_cause, 0, sizeof(facts.lost_by_cause));
	facts.lost_by_cause[LOST_MISSED] = facts.lost_in_all = 5;
	facts.uncertain = false;
	assert_string_equal(line(&facts, 20), "LOST 0 MISSED 5");
	/* A recording tells how many, but not why. */
	memset(facts.lost_by_cause, 0, sizeof(facts.lost_by_cause));
	assert_string_equal(line(&facts, 16), "LOST 5");
}

static void huge_numbers(void **state)
{
	struct trust_facts facts = good();

	(void)state;
	for (unsigned int cause = 0; cause < LOST_CAUSE_COUNT; cause++)
		facts.lost_by_cause[cause] = UINT64_MAX;
	facts.lost_in_all = UINT64_MAX;
	facts.events_per_1000_s = facts.cpu_ns_per_s = UINT64_MAX;
	facts.healed = facts.rejected = facts.details_lost = UINT64_MAX;
	facts.ns_per_event = facts.own_bytes = facts.probes_active = UINT32_MAX;
	facts.probes_planned = UINT32_MAX;
	facts.lacking = "words beyond all that there is room for, and more of them";
	facts.uncertain = true;
	for (uint32_t columns = 0; columns < 400; columns++)
		assert_true(strlen(line(&facts, columns)) <= (columns < 25 ? 25 : columns));
	assert_non_null(strstr(line(&facts, 400), "LOST "));
}

static void probes_that_lack(void **state)
{
	struct trust_facts facts = good();
	struct trust_line laid;

	(void)state;
	facts.probes_active = 7;
	facts.lacking = "percpu";
	assert_non_null(strstr(line(&facts, 100), "| probes 7/8 (no percpu) |"));
	trust_layout(&facts, 100, &laid);
	assert_string_equal(laid.items[4].text, "probes 7/8 (no percpu)");
	assert_true(laid.items[4].alarm);
	/* Then they are worth more than the rest. */
	assert_string_equal(line(&facts, 19), "LOST 0 | probes 7/8");
	facts = good();
	facts.stackless = true;
	assert_non_null(strstr(line(&facts, 100), "| probes 8/8 (no stacks) |"));
	facts = good();
	facts.probes_planned = 0; /* a recording */
	assert_null(strstr(line(&facts, 100), "probes"));
	facts.lacking = NULL;
	line(&facts, 100);
}

static void rare_items(void **state)
{
	struct trust_facts facts = { .healed = 2, .rejected = 3, .details_lost = 4 };

	(void)state;
	assert_string_equal(line(&facts, 100), "LOST 0 MISSED 0 unmatched 0 healed 2 rejected 3 "
					       "details lost 4");
	assert_string_equal(line(&facts, 26), "LOST 0 healed 2 rejected 3");
	facts = (struct trust_facts){ .events_known = true, .cpu_known = true };
	assert_string_equal(line(&facts, 100), "ev 0/s LOST 0 MISSED 0 unmatched 0 | cpu 0.0%");
	facts.events_per_1000_s = 2149;
	facts.cpu_ns_per_s = 999999;
	assert_string_equal(line(&facts, 100), "ev 2.1/s LOST 0 MISSED 0 unmatched 0 | cpu <0.1%");
	facts.events_per_1000_s = 123456789;
	facts.cpu_ns_per_s = 1234000000;
	assert_string_equal(line(&facts, 100),
			    "ev 123K/s LOST 0 MISSED 0 unmatched 0 | cpu 123.4%");
}

static void short_buffers(void **state)
{
	struct trust_facts facts = good();
	struct trust_line laid;
	char text[8] = "xxxxxxx";

	(void)state;
	trust_layout(&facts, 100, &laid);
	assert_string_equal(trust_text(&laid, text, sizeof(text)), "ev 214/");
	trust_text(&laid, text, 1);
	assert_string_equal(text, "");
}

static void facts_of_a_space(void **state)
{
	struct view_facts facts = { .lost_by_cause = { [LOST_RING] = 7 } };
	struct plan_report plans = { .probes_planned = 9, .probes_active = 8, .lacking = "pages" };
	struct trust_facts trust;
	struct event own = ev_alloc(T0, 0, 5, 1), impossible = ev_free(T0, 3, 3);

	own.flags = EV_F_OWN;
	apply(*state, own);
	apply(*state, ev_lost(T0, LOST_RING, 7));
	apply(*state, ev_lost(T0, LOST_STACK, 2));
	apply(*state, ev_alloc(T0, 4, 8, 1)); /* over a used one */
	space_apply(*state, &impossible);
	trust = trust_facts_of(*state, &facts, &plans);
	assert_int_equal(trust.lost_in_all, 7);
	assert_int_equal(trust.lost_by_cause[LOST_RING], 7);
	assert_int_equal(trust.details_lost, 2);
	assert_int_equal(trust.healed, 1);
	assert_int_equal(trust.rejected, 1);
	assert_int_equal(trust.own_bytes, 0); /* the one over it took it away */
	assert_true(trust.uncertain);
	assert_string_equal(line(&trust, 50), "LOST 7 (ring 7) healed 1 rejected 1 map uncertain");
	assert_int_equal(trust.probes_planned, 9);
	assert_string_equal(trust.lacking, "pages");
	trust = trust_facts_of(*state, &facts, NULL);
	assert_int_equal(trust.probes_planned, 0);
}

/* ---- rates -------------------------------------------------------------------------------------
 */

static void steady_rate(void **state)
{
	struct trust_rate rate = { 0 };

	(void)state;
	trust_rate_put(&rate, 500, T0);
	assert_false(rate.known);
	for (uint32_t i = 1; i < 20; i++) {
		trust_rate_put(&rate, 500 + 100 * i, T0 + i * S / 2);
		assert_true(rate.known);
		assert_int_equal(rate.per_1000_s, 200000);
	}
}

/* Half of it after as long as TRUST_HALF_NS, nothing at last; many calls at once do not matter. */
static void changing_rate(void **state)
{
	struct trust_rate rate = { 0 };

	(void)state;
	trust_rate_put(&rate, 0, T0);
	trust_rate_put(&rate, 1000, T0 + S);
	for (uint32_t i = 0; i < 50; i++)
		trust_rate_put(&rate, 1000, T0 + S + i * MS);
	assert_int_equal(rate.per_1000_s, 1000000);
	trust_rate_put(&rate, 1000, T0 + S + TRUST_HALF_NS);
	assert_int_equal(rate.per_1000_s, 500000);
	for (uint32_t i = 0; i < 60; i++)
		trust_rate_put(&rate, 1000, T0 + (10 + i) * S);
	assert_int_equal(rate.per_1000_s, 0);
}

static void rate_begins_anew(void **state)
{
	struct trust_rate rate = { 0 };

	(void)state;
	trust_rate_put(&rate, 1000, T0);
	trust_rate_put(&rate, 2000, T0 + S);
	trust_rate_put(&rate, 100, T0 + 2 * S); /* replay has gone back */
	assert_false(rate.known);
	trust_rate_put(&rate, 200, T0 + 3 * S);
	assert_int_equal(rate.per_1000_s, 100000);
	trust_rate_put(&rate, 300, T0);
	assert_false(rate.known);
	/* A day of one core. */
	trust_rate_put(&rate, 300, T0);
	trust_rate_put(&rate, 300 + 86400 * S, T0 + 86400 * S);
	assert_int_equal(rate.per_1000_s / 1000, S);
	trust_rate_put(&rate, 300 + 2 * 86400 * S, T0 + 2 * 86400 * S);
	assert_int_equal(rate.per_1000_s / 1000, S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_well),
		cmocka_unit_test(gives_way),
		cmocka_unit_test(losses),
		cmocka_unit_test(huge_numbers),
		cmocka_unit_test(probes_that_lack),
		cmocka_unit_test(rare_items),
		cmocka_unit_test(short_buffers),
		cmocka_unit_test_setup_teardown(facts_of_a_space, setup_seeded, teardown),
		cmocka_unit_test(steady_rate),
		cmocka_unit_test(changing_rate),
		cmocka_unit_test(rate_begins_anew),
	};

	return cmocka_run_group_tests_name("trust", tests, NULL, NULL);
}
