/* SPDX-License-Identifier: GPL-2.0-only */
/* How many rounds a test of random input takes: all n in build/plain, which is built as vmtrace is;
 * a quarter of them in build/unit, where the sanitizers make each three times as slow. What reads so
 * much that a part of it shows nothing is in VOLUME_IN_FULL, beside a test of its end that takes
 * little. A test that uses either is in VOLUME_NAMES of the Makefile. */
#ifndef VMTRACE_TESTS_VOLUME_H
#define VMTRACE_TESTS_VOLUME_H

#ifdef __SANITIZE_ADDRESS__
#define ROUNDS(n) ((n) / 4)
#else
#define ROUNDS(n) (n)
#define VOLUME_IN_FULL
#endif

#endif
