// SPDX-License-Identifier: GPL-2.0-only
/* The headers of /proc/kcore. */
#include "capture/range.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const uint32_t addrs[] = { 0, 0xc0000000, 0xc1000000, 0xf77fe000, UINT32_MAX };
	struct range range = { 0 };

	if (!range_parse_kcore(bytes, len, &range))
		FUZZ_CHECK(range.vmalloc_start < range.vmalloc_end);
	for (size_t i = 0; i < sizeof(addrs) / sizeof(addrs[0]); i++) {
		uint32_t offset, follow;

		if (!range_kcore_offset(bytes, len, addrs[i], &offset, &follow))
			FUZZ_CHECK(follow > 0);
	}
	range_parse_meminfo((const char *)bytes, len, &range);
	return 0;
}
