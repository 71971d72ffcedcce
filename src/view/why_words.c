/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/why_words.h"

#include <inttypes.h>
#include <stdio.h>

#include "space/kind.h"
#include "units.h"
#include "view/why.h"

#define VMALLOC_STEP (16u << 20)
/* What that leaves for low memory (of 1 GB below the usual 3G/1G split) runs no system. */
#define VMALLOC_MOST (768u << 20)

const char *why_amount(const struct diagnosis *diagnosis, uint32_t bytes, char buf[WHY_NUMBER])
{
	char number[16];

	snprintf(buf, WHY_NUMBER, "%s%s", diagnosis->uncertain ? "~" : "",
		 units_bytes(bytes, number, sizeof(number)));
	return buf;
}

const char *why_range(uint32_t start, uint32_t end, char buf[WHY_NUMBER])
{
	snprintf(buf, WHY_NUMBER, "%08" PRIx32 "-%08" PRIx32, start, end);
	return buf;
}

uint32_t why_hole(const struct hole *hole)
{
	return hole->end - hole->start;
}

static void say_exhausted(const struct diagnosis *d, const char *asked, char *text, size_t len)
{
	char free[WHY_NUMBER], lazy[WHY_NUMBER];

	snprintf(text, len, "exhausted: %s were asked for, and all that is free is %s%s%s%s", asked,
		 why_amount(d, d->free_bytes, free), d->lazy_bytes ? ", with " : "",
		 d->lazy_bytes ? why_amount(d, d->lazy_bytes, lazy) : "",
		 d->lazy_bytes ? " more after a purge" : "");
}

static void say_fragmented(const struct diagnosis *d, const char *asked, char *text, size_t len)
{
	char free[WHY_NUMBER], hole[WHY_NUMBER];

	snprintf(text, len,
		 "fragmented: %s are free%s, but the largest hole is %s; %s were asked for",
		 why_amount(d, d->free_bytes + d->lazy_bytes, free),
		 d->lazy_bytes ? " after a purge" : "",
		 why_amount(d, why_hole(&d->after_purge), hole), asked);
}

static void say_lazy(const struct failure *f, bool from_log, const char *asked, char *text,
		     size_t len)
{
	const struct diagnosis *d = &f->diagnosis;
	char lazy[WHY_NUMBER];

	if (from_log)
		snprintf(text, len,
			 "room after a purge, which a request makes: %s would now get %08" PRIx32,
			 asked, d->fits_at);
	else
		snprintf(text, len,
			 "lazy: after a purge of %s lazy space %s would have got %08" PRIx32
			 "; the request made none, or this was freed after its purge",
			 why_amount(d, d->lazy_bytes, lazy), asked, d->fits_at);
}

static void say_range(const struct diagnosis *d, const char *asked, char *text, size_t len)
{
	char range[WHY_NUMBER], holds[WHY_NUMBER];

	why_range(d->request.vstart, d->request.vend, range);
	units_bytes(d->range_bytes, holds, sizeof(holds));
	if (d->request.size > d->range_bytes)
		snprintf(text, len, "range: %s were asked for; all of %s is %s", asked, range,
			 holds);
	else
		snprintf(text, len,
			 "range: no room for %s in %s, where it had to lie; outside there is, at "
			 "%08" PRIx32,
			 asked, range, d->fits_at);
}

static void say_pages(const struct failure *f, const char *asked, char *text, size_t len)
{
	const struct event *event = &f->event;

	if (event->kind == KIND_PERCPU)
		snprintf(text, len, "pages: out of memory: there were addresses for the %s", asked);
	else if (!event->size && !event->requested)
		snprintf(text, len, "pages: out of memory, not of addresses");
	else if (event->vend)
		snprintf(text, len,
			 "pages: out of memory: not even the allocator's own record of %s could be "
			 "had",
			 asked);
	else
		snprintf(text, len,
			 "pages: out of memory, not of addresses: there were no pages for %s",
			 asked);
}

static void say_unclear(const struct failure *f, bool from_log, const char *asked, char *text,
			size_t len)
{
	const struct diagnosis *d = &f->diagnosis;

	if (d->unclear == UNCLEAR_REQUEST && f->event.size)
		snprintf(text, len, "unclear: the kernel refused the request as such");
	else if (d->unclear == UNCLEAR_REQUEST)
		snprintf(text, len, "unclear: it is not known what was asked for");
	else if (d->unclear == UNCLEAR_ALIGNMENT)
		snprintf(text, len,
			 "unclear: %s fit at %08" PRIx32
			 ", but only just: the kernel's search for an aligned address may pass "
			 "over a hole without margin",
			 asked, d->fits_at);
	else if (from_log)
		snprintf(text, len, "room: %s would now get %08" PRIx32, asked, d->fits_at);
	else if (d->unclear == UNCLEAR_MAP)
		snprintf(text, len,
			 "unclear: the map has room for %s at %08" PRIx32
			 ", but events were lost before: it may be wrong",
			 asked, d->fits_at);
	else
		snprintf(text, len,
			 "unclear: there is room for %s at %08" PRIx32
			 ": most likely freed while the request was failing",
			 asked, d->fits_at);
}

uint32_t why_vmalloc_megabytes(const struct diagnosis *diagnosis)
{
	uint64_t wanted = (uint64_t)diagnosis->totals.total_bytes + diagnosis->more_bytes;

	wanted = (wanted + VMALLOC_STEP - 1) / VMALLOC_STEP * VMALLOC_STEP;
	return diagnosis->more_bytes && wanted <= VMALLOC_MOST ? (uint32_t)(wanted >> 20) : 0;
}

const char *why_sentence(const struct failure *failure, bool from_log, char *buf, size_t len)
{
	const struct diagnosis *d = &failure->diagnosis;
	char asked[WHY_NUMBER];

	units_bytes(d->request.size, asked, sizeof(asked));
	switch (d->verdict) {
	case VERDICT_EXHAUSTED:
		say_exhausted(d, asked, buf, len);
		break;
	case VERDICT_FRAGMENTED:
		say_fragmented(d, asked, buf, len);
		break;
	case VERDICT_LAZY:
		say_lazy(failure, from_log, asked, buf, len);
		break;
	case VERDICT_RANGE:
		say_range(d, asked, buf, len);
		break;
	case VERDICT_PAGES:
		say_pages(failure, asked, buf, len);
		break;
	case VERDICT_UNCLEAR:
		say_unclear(failure, from_log, asked, buf, len);
		break;
	default:
		snprintf(buf, len, "not diagnosed: too many kinds of failures at the same time");
	}
	return buf;
}

const char *why_short(const struct diagnosis *diagnosis, char *buf, size_t len)
{
	char hole[WHY_NUMBER];

	if (diagnosis->verdict == VERDICT_FRAGMENTED || diagnosis->verdict == VERDICT_EXHAUSTED)
		snprintf(buf, len, "%s (largest hole %s)", verdict_name(diagnosis->verdict),
			 why_amount(diagnosis, why_hole(&diagnosis->after_purge), hole));
	else
		snprintf(buf, len, "%s",
			 diagnosis->verdict ? verdict_name(diagnosis->verdict) : "");
	return buf;
}
