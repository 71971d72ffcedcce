// SPDX-License-Identifier: GPL-2.0-only
/* capture/relist: when the kernel's list is read again, after a loss and without one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture/relist.h"

#define S  1000000000ull
#define T0 (1000 * S)
#define EVERY (300 * S)

static struct relist seeded(uint64_t interval_ns)
{
	struct relist relist;

	relist_init(&relist, interval_ns);
	relist_seeded(&relist, T0);
	return relist;
}

/* The moment from which on it is due. */
static void assert_heal_at(const struct relist *relist, uint64_t t_ns)
{
	assert_false(relist_heal_due(relist, t_ns - 1));
	assert_true(relist_heal_due(relist, t_ns));
}

static void assert_reconcile_at(const struct relist *relist, uint64_t t_ns)
{
	assert_false(relist_reconcile_due(relist, t_ns - 1));
	assert_true(relist_reconcile_due(relist, t_ns));
	assert_true(relist_reconcile_due(relist, t_ns + 1000 * EVERY));
}

static void heal(struct relist *relist, uint64_t t_ns, bool failed)
{
	relist_heal_begins(relist);
	relist_heal_ended(relist, t_ns, failed);
}

static void reconcile_every_interval(void **state)
{
	struct relist relist;
	uint64_t t = T0;

	(void)state;
	relist_init(&relist, EVERY);
	assert_false(relist_reconcile_due(&relist, UINT64_MAX - 1)); /* before the seed */
	relist_seeded(&relist, t);
	assert_false(relist_heal_due(&relist, UINT64_MAX));
	for (int i = 0; i < 5; i++) {
		assert_reconcile_at(&relist, t + EVERY);
		t += EVERY + 3 * S; /* a bit late, as it is */
		relist_reconciled(&relist, t, false);
	}
	assert_reconcile_at(&relist, t + EVERY);
}

static void never(void **state)
{
	struct relist relist = seeded(0);

	(void)state;
	assert_false(relist_reconcile_due(&relist, UINT64_MAX - 1));
	heal(&relist, T0 + S, false);
	assert_false(relist_reconcile_due(&relist, UINT64_MAX - 1));
	relist_reconciled(&relist, T0 + S, true);
	relist_want_heal(&relist, T0 + 2 * S); /* heals as always */
	assert_heal_at(&relist, T0 + 4 * S);
}

static void no_reconcile_while_a_heal_waits(void **state)
{
	struct relist relist = seeded(EVERY);

	(void)state;
	relist_want_heal(&relist, T0 + EVERY - S / 2);
	assert_false(relist_reconcile_due(&relist, T0 + EVERY));
	assert_heal_at(&relist, T0 + EVERY + S / 2);
	/* the heal is one; a failed one is not, and goes on waiting */
	heal(&relist, T0 + EVERY + S, true);
	assert_false(relist_reconcile_due(&relist, T0 + EVERY + S));
	heal(&relist, T0 + EVERY + 4 * S, false);
	assert_reconcile_at(&relist, T0 + 2 * EVERY + 4 * S);
}

static void heals_back_off_and_calm_down(void **state)
{
	static const uint64_t gaps[] = { 1, 2, 4, 8, 16, 32, 32, 32 };
	struct relist relist = seeded(EVERY);
	uint64_t t = T0;

	(void)state;
	for (unsigned int i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
		relist_want_heal(&relist, t);
		relist_want_heal(&relist, t + S / 2); /* counted from the first loss */
		assert_heal_at(&relist, t + gaps[i] * S);
		t += gaps[i] * S;
		heal(&relist, t, false);
		assert_false(relist_heal_due(&relist, UINT64_MAX));
	}
	relist_want_heal(&relist, t + RELIST_CALM_NS);
	assert_heal_at(&relist, t + RELIST_CALM_NS + 32 * S);
	heal(&relist, t += RELIST_CALM_NS + 32 * S, false);
	relist_want_heal(&relist, t + RELIST_CALM_NS + 1);
	assert_heal_at(&relist, t + RELIST_CALM_NS + 1 + S);
}

static void loss_during_a_heal(void **state)
{
	struct relist relist = seeded(EVERY);

	(void)state;
	relist_want_heal(&relist, T0);
	relist_heal_begins(&relist);
	relist_want_heal(&relist, T0 + S); /* while the list is read */
	relist_heal_ended(&relist, T0 + S + 1, false);
	assert_heal_at(&relist, T0 + 2 * S);
	assert_false(relist_reconcile_due(&relist, T0 + 2 * EVERY));
}

static void failed_heal_is_tried_again(void **state)
{
	struct relist relist = seeded(EVERY);

	(void)state;
	relist_want_heal(&relist, T0);
	heal(&relist, T0 + S, true);
	assert_heal_at(&relist, T0 + 3 * S);
	heal(&relist, T0 + 3 * S, true);
	assert_heal_at(&relist, T0 + 7 * S);
}

static void failed_reconcile_backs_off(void **state)
{
	static const unsigned int gaps[] = { 2, 4, 8, 8, 8 };
	struct relist relist = seeded(EVERY);
	uint64_t t = T0 + EVERY;

	(void)state;
	for (unsigned int i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
		relist_reconciled(&relist, t, true);
		assert_reconcile_at(&relist, t + gaps[i] * EVERY);
		t += gaps[i] * EVERY;
	}
	relist_reconciled(&relist, t, false);
	assert_reconcile_at(&relist, t + EVERY);
	/* the back-off begins anew after a heal too */
	relist_reconciled(&relist, t, true);
	heal(&relist, t + S, false);
	assert_reconcile_at(&relist, t + S + EVERY);
	relist_reconciled(&relist, t, true);
	assert_reconcile_at(&relist, t + 2 * EVERY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reconcile_every_interval),
		cmocka_unit_test(never),
		cmocka_unit_test(no_reconcile_while_a_heal_waits),
		cmocka_unit_test(heals_back_off_and_calm_down),
		cmocka_unit_test(loss_during_a_heal),
		cmocka_unit_test(failed_heal_is_tried_again),
		cmocka_unit_test(failed_reconcile_backs_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
