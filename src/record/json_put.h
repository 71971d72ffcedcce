/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One JSON object, built key by key in the order in which the keys are to be printed. The first
 * failure sticks and is told by json_put_line, so that no put needs a check of its own.
 */
#ifndef VMTRACE_RECORD_JSON_PUT_H
#define VMTRACE_RECORD_JSON_PUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "space/names.h"
#include "space/stacks.h"

struct json_put {
	json_t *object;
	bool failed; /* memory ran out somewhere */
};

struct json_put json_put_new(void);

/* Prints the object on one line and releases it. 0, -ENOMEM, or -EIO when out refuses. */
int json_put_line(FILE *out, struct json_put *put);

/* The same without the line end, and unless `braces` without those of the object: for a line that
 * would be too long to be built whole. */
int json_put_part(FILE *out, struct json_put *put, bool braces);

/* Appends the object to array, which is to become a value of outer, and releases it. */
void json_put_append(struct json_put *outer, json_t *array, struct json_put *put);

void json_put_value(struct json_put *put, const char *key, json_t *value); /* takes value */
void json_put_uint(struct json_put *put, const char *key, uint64_t value);
void json_put_bool(struct json_put *put, const char *key, bool value);
void json_put_real(struct json_put *put, const char *key, double value);
void json_put_addr(struct json_put *put, const char *key, uint32_t addr); /* "0xf77fe000" */
/* Text need not be UTF-8 (a task may call itself anything): a bad byte becomes U+FFFD. */
void json_put_text(struct json_put *put, const char *key, const char *text);

/* The same with a key that comes from outside too. */
void json_put_pair(struct json_put *put, const char *key, const char *text);

/* Puts the value only if it is not 0. */
void json_put_opt_uint(struct json_put *put, const char *key, uint64_t value);
void json_put_opt_addr(struct json_put *put, const char *key, uint32_t addr);

/* The frames of a stack as an array of strings. */
void json_put_frames(struct json_put *put, const char *key, const struct names *names,
		     struct stack stack);

#endif
