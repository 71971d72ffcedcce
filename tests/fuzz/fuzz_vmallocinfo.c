// SPDX-License-Identifier: GPL-2.0-only
/* /proc/vmallocinfo: with the range of a stock kernel, and without one. */
#include "capture/vmallocinfo.h"
#include "fuzz.h"

static void parse(const uint8_t *bytes, size_t len, uint32_t start, uint32_t end)
{
	struct vmallocinfo info;
	int err = vmallocinfo_parse((const char *)bytes, len, start, end, &info);

	FUZZ_CHECK((err == 0) == (info.trust == VMI_REAL));
	for (uint32_t i = 0; i < info.count; i++) {
		const struct vmallocinfo_line *line = &info.lines[i];

		FUZZ_CHECK(strlen(vmallocinfo_caller(&info, line)) == line->caller_len);
		if (!err)
			FUZZ_CHECK(line->start < line->end && line->start % 4096 == 0);
		if (!err && end)
			FUZZ_CHECK(line->start >= start && line->end <= end);
	}
	vmallocinfo_release(&info);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	parse(bytes, len, 0, 0);
	parse(bytes, len, 0xf77fe000, 0xfeffe000);
	return 0;
}
