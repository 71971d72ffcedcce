/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/relist.h"

#include <string.h>

void relist_init(struct relist *relist, uint64_t interval_ns)
{
	memset(relist, 0, sizeof(*relist));
	relist->heal_gap_ns = RELIST_HEAL_FIRST_NS;
	relist->interval_ns = interval_ns;
	relist->reconcile_gap_ns = interval_ns;
	relist->reconcile_at_ns = UINT64_MAX;
}

void relist_seeded(struct relist *relist, uint64_t now_ns)
{
	relist->reconcile_gap_ns = relist->interval_ns;
	if (relist->interval_ns)
		relist->reconcile_at_ns = now_ns + relist->interval_ns;
}

void relist_want_heal(struct relist *relist, uint64_t now_ns)
{
	if (relist->heal_wanted)
		return;
	if (now_ns - relist->healed_ns > RELIST_CALM_NS)
		relist->heal_gap_ns = RELIST_HEAL_FIRST_NS;
	relist->heal_wanted = true;
	relist->heal_at_ns = now_ns + relist->heal_gap_ns;
}

bool relist_heal_due(const struct relist *relist, uint64_t now_ns)
{
	return relist->heal_wanted && now_ns >= relist->heal_at_ns;
}

void relist_heal_begins(struct relist *relist)
{
	relist->heal_wanted = false;
}

void relist_heal_ended(struct relist *relist, uint64_t now_ns, bool failed)
{
	relist->healed_ns = now_ns;
	relist->heal_gap_ns *= 2;
	if (relist->heal_gap_ns > RELIST_HEAL_MAX_NS)
		relist->heal_gap_ns = RELIST_HEAL_MAX_NS;
	if (failed)
		relist_want_heal(relist, now_ns);
	else
		relist_seeded(relist, now_ns);
}

bool relist_reconcile_due(const struct relist *relist, uint64_t now_ns)
{
	return !relist->heal_wanted && now_ns >= relist->reconcile_at_ns;
}

void relist_reconciled(struct relist *relist, uint64_t now_ns, bool failed)
{
	if (!failed) {
		relist_seeded(relist, now_ns);
		return;
	}
	relist->reconcile_gap_ns *= 2;
	if (relist->reconcile_gap_ns > RELIST_SLOW_MAX * relist->interval_ns)
		relist->reconcile_gap_ns = RELIST_SLOW_MAX * relist->interval_ns;
	relist->reconcile_at_ns = now_ns + relist->reconcile_gap_ns;
}
