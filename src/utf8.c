// SPDX-License-Identifier: GPL-2.0-only
#include "utf8.h"

#include <stdint.h>

size_t utf8_len(const char *text)
{
	const unsigned char *bytes = (const unsigned char *)text;
	uint32_t code;
	size_t len;
	size_t i;

	if (bytes[0] < 0x80)
		return 1;
	if (bytes[0] < 0xc2 || bytes[0] > 0xf4)
		return 0;
	len = bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;
	code = bytes[0] & (0x7fu >> len);
	for (i = 1; i < len; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (bytes[i] & 0x3f);
	}
	if ((len == 3 && code < 0x800) || (code >= 0xd800 && code < 0xe000))
		return 0;
	if ((len == 4 && code < 0x10000) || code > 0x10ffff)
		return 0;
	return len;
}
