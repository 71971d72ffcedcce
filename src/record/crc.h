/* SPDX-License-Identifier: GPL-2.0-only */
/* The checksum of a .vmt file: CRC-32 as zlib has it. */
#ifndef VMTRACE_RECORD_CRC_H
#define VMTRACE_RECORD_CRC_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc_of(const void *bytes, size_t len);

#endif
