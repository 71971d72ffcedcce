// SPDX-License-Identifier: GPL-2.0-only
/* /proc/kallsyms: parsed, and asked for names and addresses. */
#include "capture/symbols.h"
#include "fuzz.h"

#define MODULES_START 0xf77fe000u
#define MODULES_END   0xfeffe000u

static void ask(const struct symbols *symbols, uint32_t addr)
{
	char text[64];
	int len = symbols_format(symbols, addr, MODULES_START, MODULES_END, text, sizeof(text));

	FUZZ_CHECK(len > 0 && strlen(text) < sizeof(text));
	if (!symbols_covers(symbols, addr, MODULES_START, MODULES_END))
		FUZZ_CHECK(!strncmp(text, "0x", 2));
	symbols_size(symbols, addr);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const uint32_t addrs[] = { 0,          1,          0xc1000000, 0xc1000010,
					  0xc1fffffe, 0xf77fe000, 0xf8a1c010, 0xfeffdfff,
					  0xfeffe000, UINT32_MAX };
	struct symbols *symbols = symbols_new();
	uint32_t addr;
	char found[64];

	FUZZ_CHECK(symbols);
	/* Twice: the second time over a table that has something. */
	symbols_parse(symbols, (const char *)bytes, len);
	symbols_parse(symbols, (const char *)bytes, len / 2);
	for (size_t i = 0; i < sizeof(addrs) / sizeof(addrs[0]); i++)
		ask(symbols, addrs[i]);
	if (symbols_find(symbols, "alloc_vmap_area", found, sizeof(found), &addr) == SYMBOLS_ONE)
		FUZZ_CHECK(!strncmp(found, "alloc_vmap_area", 15));
	symbols_find(symbols, "f", found, 2, &addr);
	symbols_free(symbols);
	return 0;
}
