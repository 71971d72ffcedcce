/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CRC-32 of zlib, of what a .vmt file has checksums of. Every byte of a recording passes here, so
 * where the processor multiplies without carries (PCLMULQDQ, x86 from 2010 on) that is used: zlib's own
 * takes 3.8 instructions a byte on i386, a seventh of what recording an event takes.
 */
#ifndef VMTRACE_RECORD_CRC_H
#define VMTRACE_RECORD_CRC_H

#include <stddef.h>
#include <stdint.h>

/* crc32(0, bytes, len) of zlib. */
uint32_t crc_of(const void *bytes, size_t len);

#endif
