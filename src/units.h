/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers as a person reads them, and back. */
#ifndef VMTRACE_UNITS_H
#define VMTRACE_UNITS_H

#include <stddef.h>
#include <stdint.h>

/* "0", "512", "4.0K", "84.6M", "1.2G" (powers of 1024; at most 6 characters; exact multiples
 * below 10 keep one decimal). Returns buf. */
const char *units_bytes(uint64_t bytes, char *buf, size_t len);

/* "850ns" "12us" "3.4ms" "2.5s" "14m02s" "2h14m" "3d04h". Returns buf. */
const char *units_duration(uint64_t ns, char *buf, size_t len);

/* "4", "4K", "16M", "1G", "0x1000", with optional "B"/"iB"; 0 and the value, -EINVAL for anything
 * else (sign, junk after it, empty), -ERANGE beyond 2^32 - 1. */
int units_parse_bytes(const char *text, uint32_t *bytes);

/* The same up to max, which may be larger ("2048G"). */
int units_parse_size(const char *text, uint64_t max, uint64_t *bytes);

/* "500ms" "1s" "10m" "2h" "1d", a bare number = seconds, fractions allowed ("0.5s"). 0, -EINVAL,
 * -ERANGE (over 10 years). */
int units_parse_duration(const char *text, uint64_t *ns);

#endif
