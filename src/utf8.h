/* SPDX-License-Identifier: GPL-2.0-only */
/* Text from outside (task names, symbols, recordings) need not be UTF-8; what we write must be. */
#ifndef VMTRACE_UTF8_H
#define VMTRACE_UTF8_H

#include <stddef.h>

#define UTF8_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Bytes of the UTF-8 sequence at text (RFC 3629: shortest form, no surrogates), 0 if there is none.
 * The NUL at the end stops it; text must not be empty. */
size_t utf8_len(const char *text);

#endif
