/* SPDX-License-Identifier: GPL-2.0-only */
/* The words of `why`: a verdict as a sentence, and the numbers in it. */
#ifndef VMTRACE_VIEW_WHY_WORDS_H
#define VMTRACE_VIEW_WHY_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "allocator/failures.h"

#define WHY_NUMBER 32

/* Bytes that come from the map: with '~' if it was uncertain then. Returns buf. */
const char *why_amount(const struct diagnosis *diagnosis, uint32_t bytes, char buf[WHY_NUMBER]);
/* "f77fe000-feffe000". Returns buf. */
const char *why_range(uint32_t start, uint32_t end, char buf[WHY_NUMBER]);
uint32_t why_hole(const struct hole *hole);

/* What to put after vmalloc= so that the space would have been large enough, in whole 16 MB; an
 * estimate, since all would lie elsewhere then. 0: not known, or more than can be had. */
uint32_t why_vmalloc_megabytes(const struct diagnosis *diagnosis);

/* "fragmented: 27.1M are free, but the largest hole is 7.2M; ...". from_log: the diagnosis is of
 * the space as it is now. Returns buf. */
const char *why_sentence(const struct failure *failure, bool from_log, char *buf, size_t len);

#endif
