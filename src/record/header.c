// SPDX-License-Identifier: GPL-2.0-only
#include "record/header.h"

#include <inttypes.h>
#include <stdio.h>

bool stream_header_ok(const struct stream_header *header, char *why, size_t why_len)
{
	uint32_t start = header->vmalloc_start, end = header->vmalloc_end;
	const char *wrong = NULL;

	if (header->pmd_bytes && header->pmd_bytes != 2u << 20 && header->pmd_bytes != 4u << 20) {
		snprintf(why, why_len, "its pmd_bytes are neither 2 MB nor 4 MB");
		return false;
	}
	if (!start)
		wrong = "begins at address 0";
	else if (start >= end)
		wrong = "is empty";
	else if (start % VMT_PAGE_SIZE || end % VMT_PAGE_SIZE)
		wrong = "is not page aligned";
	else if (end - start > STREAM_MAX_RANGE_BYTES)
		wrong = "is larger than 3 GiB";
	if (!wrong)
		return true;
	snprintf(why, why_len, "the range 0x%08" PRIx32 "-0x%08" PRIx32 " %s", start, end, wrong);
	return false;
}
