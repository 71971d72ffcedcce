// SPDX-License-Identifier: GPL-2.0-only
#include "record/crc.h"

#include <zlib.h>

uint32_t crc_of(const void *bytes, size_t len)
{
	return (uint32_t)crc32(0, bytes, (uInt)len);
}
