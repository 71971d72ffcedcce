/* SPDX-License-Identifier: GPL-2.0-only */
/* What fit is asked, as words: "16M kind=vmap align=64K count=3", and the values one by one. */
#ifndef VMTRACE_VIEW_REQUEST_H
#define VMTRACE_VIEW_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "allocator/fit.h"

#define REQUEST_MAX_COUNT 1000000u

/* A kind that can be asked for by a size alone. 0 or -EINVAL. */
int request_parse_kind(const char *text, enum area_kind *kind);
/* A power of two, at least a page. 0 or -EINVAL. */
int request_parse_align(const char *text, uint32_t *align);
/* At least a byte. 0, -EINVAL, -ERANGE. */
int request_parse_size(const char *text, uint32_t *bytes);

/*
 * A line: SIZE [kind=K] [align=A] [count=N]. *question holds the defaults of what is left out. The
 * line is cut up. 0; -EINVAL, and what is wrong in why.
 */
int request_parse_line(char *line, struct fit_question *question, char *why, size_t why_len);

#endif
